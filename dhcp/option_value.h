/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/option_value.h - values of options of DHCPv4 and DHCPv6, as people write them and as bytes
 *
 * A value is read by its type; addresses, numbers and names follow one another with spaces or commas between them.
 *
 *	hex		01:02:ff or 0102ff	bytes as they are
 *	text		/srv/root		the rest of the line, visible ASCII
 *	flag		true, false
 *	u8 u16 u32	64			u8s and u16s: a list
 *	s32		-3600
 *	ip		10.0.0.1		ips: a list; pairs: a list of an even number
 *	domains		lab.internal example.com	names as in DNS, not compressed (RFC 3397)
 *	routes		10.8.0.0/16 10.0.0.1	a list of destination and router (RFC 3442)
 *	ip6		fd00::1			ip6s: a list
 *	strings		ro initrd=boot.img	a list of words, each with its length of two bytes before it (RFC 5970 3.2)
 *	ntp		fd00::1 ntp.example.com	a list of addresses and names of clocks (RFC 5908 4)
 *
 * Any thread; no allocation.
 */
#ifndef DHCP_OPTION_VALUE_H
#define DHCP_OPTION_VALUE_H

#include <stddef.h>
#include <stdint.h>

enum option_type {
	VALUE_HEX, VALUE_TEXT, VALUE_FLAG, VALUE_U8, VALUE_U16, VALUE_U32, VALUE_S32, VALUE_U8S, VALUE_U16S,
	VALUE_IP, VALUE_IPS, VALUE_PAIRS, VALUE_DOMAINS, VALUE_ROUTES, VALUE_IP6, VALUE_IP6S, VALUE_STRINGS, VALUE_NTP, VALUE_TYPE_COUNT,
};

enum { OPTION_VALUE_MAX = 1024, OPTION_VALUE_TEXT = 5 * OPTION_VALUE_MAX + 64 };	/* bytes of the longest value; its text */

/* option_type_name() - "ips"; option_type_parse() - the same back: 0 or -EINVAL */
const char *option_type_name(enum option_type type);
int option_type_parse(const char *text, enum option_type *type);

/* option_type_wants() - what a value of the type looks like, for messages: "IPv4 addresses" */
const char *option_type_wants(enum option_type type);

/* option_value_parse() - @text as bytes
 * Return: how many there are, 1..@room; or -EINVAL.
 */
int option_value_parse(enum option_type type, const char *text, uint8_t *data, size_t room);

/* option_value_format() - @data as canonical text, which is read back as the same bytes; what is no value of this type becomes hex
 * Return: the type by which the text is read back: @type or VALUE_HEX.
 */
enum option_type option_value_format(enum option_type type, const uint8_t *data, size_t size, char text[OPTION_VALUE_TEXT]);

#endif
