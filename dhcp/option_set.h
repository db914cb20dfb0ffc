/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/option_set.h - options that a person sets, for a network, a class of guests or one guest
 *
 * Each is one line of text (types and values: dhcp/option_table.h):
 *
 *	ntp-servers 10.0.0.1		sent to who asks for it
 *	force ntp-servers 10.0.0.1	sent unasked
 *	never routers			not sent, although the server would
 *	224:ip 10.0.0.1			by number, with a type
 *	43 01:04:00			by number or name without a type that is known: hex
 *
 * Those of DHCPv6 are likewise: boot-file-url http://boot.lab/bootx64.efi
 *
 * Any thread; a set belongs to who filled it.
 */
#ifndef DHCP_OPTION_SET_H
#define DHCP_OPTION_SET_H

#include "dhcp/option_table.h"

enum option_send { OPTION_ASKED, OPTION_FORCED, OPTION_NEVER };

struct option_item {
	uint16_t code;
	uint8_t send;			/* enum option_send */
	uint8_t type;			/* enum option_type */
	uint16_t size;
	uint8_t *data;			/* owned; NULL when size is 0 */
};

enum { OPTION_SET_MAX = 64, OPTION_WHY = 160, OPTION_LINE_TEXT = OPTION_VALUE_TEXT + 80 };

struct option_set {
	struct option_item *of;		/* owned; sorted by code, each once */
	unsigned n;
	uint8_t family;			/* enum option_family: whose options its lines name */
};

/* option_set_add() - read one line
 * @why:	what is wrong with it, for messages
 *
 * Return: 0; -EINVAL with @why; -EEXIST when the option is in the set already; -ENOSPC; -ENOMEM.
 */
int option_set_add(struct option_set *set, const char *line, char why[OPTION_WHY]);

/* option_set_text() - the line of one item of a set, canonical */
const char *option_set_text(const struct option_set *set, const struct option_item *item, char text[OPTION_LINE_TEXT]);

/* option_set_find() - what the set says of an option, or NULL */
const struct option_item *option_set_find(const struct option_set *set, uint16_t code);

bool option_set_equal(const struct option_set *a, const struct option_set *b);

/* option_set_fini() - free what is in it; it is empty then, of the same family */
void option_set_fini(struct option_set *set);

#endif
