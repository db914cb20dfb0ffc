/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/option_table.h - options of DHCPv4 and DHCPv6 by name
 *
 * Names, numbers and types are those of the IANA registries "BOOTP Vendor Extensions and DHCP Options" and "DHCPv6 Option Codes", as people
 * have come to write them. Any thread.
 */
#ifndef DHCP_OPTION_TABLE_H
#define DHCP_OPTION_TABLE_H

#include <stdbool.h>

#include "dhcp/option_value.h"

enum option_family { OPTIONS4, OPTIONS6 };

struct option_kind {
	const char *name;
	uint16_t code;
	enum option_type type;
};

/* option_named() - by name; option_coded() - by number; NULL when the table has none */
const struct option_kind *option_named(enum option_family family, const char *name);
const struct option_kind *option_coded(enum option_family family, uint16_t code);

/* option_kinds() - all that the table has, by number */
const struct option_kind *option_kinds(enum option_family family, size_t *n);

/* option_last() - the highest number that an option can have */
uint16_t option_last(enum option_family family);

/* option_settable() - may a person set it? The server alone says what belongs to the exchange itself: type, times, identifiers. What another side of it
 * says is nobody's to set either. */
bool option_settable(enum option_family family, uint16_t code);

#endif
