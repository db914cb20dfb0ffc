/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/option_table.h - DHCPv4 options by name
 *
 * Names, numbers and types are those of the IANA registry "BOOTP Vendor Extensions and DHCP Options", as people have come to write them.
 * Any thread.
 */
#ifndef DHCP_OPTION_TABLE_H
#define DHCP_OPTION_TABLE_H

#include <stdbool.h>

#include "dhcp/option_value.h"

struct option_kind {
	const char *name;
	uint8_t code;
	enum option_type type;
};

/* option_named() - by name; option_coded() - by number; NULL when the table has none */
const struct option_kind *option_named(const char *name);
const struct option_kind *option_coded(uint8_t code);

/* option_settable() - may a person set it? The server alone says what belongs to the exchange itself: type, times, identifiers. */
bool option_settable(uint8_t code);

#endif
