/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dhcp6_explain.h - what a guest would be given by DHCPv6, without giving it
 *
 * The question is a Solicit like any other, which the server answers by an Advertise, and that keeps nothing. Control thread.
 */
#ifndef DHCP_DHCP6_EXPLAIN_H
#define DHCP_DHCP6_EXPLAIN_H

#include "dhcp/dhcp6_server.h"

/* dhcp6_question - the guest in question, which is on the link itself; borrowed */
struct dhcp6_question {
	const char *port;
	const uint8_t *mac;
	const uint8_t *duid;
	size_t duid_size;
	uint32_t iaid;			/* of both, what it has an address by and a prefix */
	const char *vendor, *user;	/* options 16 and 15; NULL: not said */
	bool by_arch;
	uint16_t arch;			/* option 61 */
};

enum { DHCP6_EXPLAINED_MAX = 1500 };

struct dhcp6_explained {
	enum dhcp6_outcome outcome;	/* DHCP6_OUT_ADVERTISE, or why there would be nothing */
	struct prefix6 address, prefix;	/* length 0: none */
	enum lease6_why address_why, prefix_why;
	const struct dhcp_reservation *reservation;	/* or NULL; the table's */
	uint32_t lease_s;
	const struct dhcp_layer *lease_by;	/* NULL: the server's default */
	struct dhcp_profile profile;
	size_t size;
	uint8_t answer[DHCP6_EXPLAINED_MAX];	/* as the guest would read it: for dhcp6_message_option() */
};

/* dhcp6_explain() - results borrow from the server's configuration, and from @e itself. Return: 0, or -EINVAL for a question that fits no message. */
int dhcp6_explain(struct dhcp6_server *s, const struct dhcp6_question *q, int64_t now_wall_s, struct dhcp6_explained *e);

/* lease6_why_text() - "it has it", for people */
const char *lease6_why_text(enum lease6_why why);

#endif
