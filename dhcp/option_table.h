/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/option_table.h - DHCPv4 options by name, and their values as text and as bytes
 *
 * Names, numbers and types are those of the IANA registry "BOOTP Vendor Extensions and DHCP Options". A value is
 * read by its type: addresses, numbers and names follow one another with spaces or commas between them.
 *
 *	hex		01:02:ff or 0102ff	bytes as they are
 *	text		/srv/root		the rest of the line
 *	flag		true, false
 *	u8 u16 u32	64			u8s and u16s: a list
 *	s32		-3600
 *	ip		10.0.0.1		ips: a list; pairs: a list of an even number
 *	domains		lab.internal example.com	names as in DNS, not compressed (RFC 3397)
 *	routes		10.8.0.0/16 10.0.0.1	a list of destination and router (RFC 3442)
 *
 * Any thread; no allocation.
 */
#ifndef DHCP_OPTION_TABLE_H
#define DHCP_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
	VALUE_HEX, VALUE_TEXT, VALUE_FLAG, VALUE_U8, VALUE_U16, VALUE_U32, VALUE_S32, VALUE_U8S, VALUE_U16S,
	VALUE_IP, VALUE_IPS, VALUE_PAIRS, VALUE_DOMAINS, VALUE_ROUTES, VALUE_TYPE_COUNT,
};

enum { OPTION_VALUE_MAX = 1024, OPTION_VALUE_TEXT = 4 * OPTION_VALUE_MAX + 64 };	/* longest value; its text */

struct option_kind {
	const char *name;
	uint8_t code;
	enum option_type type;
};

/* option_named() - by name; option_coded() - by number; NULL when the registry has none */
const struct option_kind *option_named(const char *name);
const struct option_kind *option_coded(uint8_t code);

/* option_settable() - may a person set it? The server alone says what belongs to the exchange itself: type, times, identifiers. */
bool option_settable(uint8_t code);

/* option_type_name() - "ips"; option_type_parse() - the same back: 0 or -EINVAL */
const char *option_type_name(enum option_type type);
int option_type_parse(const char *text, enum option_type *type);

/* option_type_wants() - what a value of the type looks like, for messages: "IPv4 addresses" */
const char *option_type_wants(enum option_type type);

/* option_value_parse() - @text as bytes
 * Return: how many there are, at most @room; or -EINVAL.
 */
int option_value_parse(enum option_type type, const char *text, uint8_t *data, size_t room);

/* option_value_format() - @data as canonical text; bytes that are no value of this type become hex
 * Return: the type by which the text is read back: @type or VALUE_HEX.
 */
enum option_type option_value_format(enum option_type type, const uint8_t *data, size_t size, char *text, size_t room);

#endif
