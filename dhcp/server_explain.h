/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/server_explain.h - what a guest would be given, and who says so, without giving it
 *
 * The question goes the way of any DISCOVER: the same parsing, the same layers, the same answer on the wire; only that the address is
 * not held. Control thread.
 */
#ifndef DHCP_SERVER_EXPLAIN_H
#define DHCP_SERVER_EXPLAIN_H

#include "dhcp/profile.h"
#include "dhcp/server.h"

/* dhcp_question - the guest in question; what is not said is left out */
struct dhcp_question {
	const char *port;		/* below NAME_MAX_SIZE */
	const uint8_t *mac;
	const uint8_t *client_id;
	size_t client_id_size;
	const char *vendor, *user;	/* options 60 and 77 */
	const char *circuit;		/* that a relay tells; @giaddr is set then */
	uint32_t giaddr;
	bool by_arch;
	uint16_t arch;			/* option 93 */
	bool asks_all;			/* for every option that there is, and not just those that everybody is sent */
};

struct dhcp_explained {
	enum dhcp_outcome outcome;	/* DHCP_OUT_OFFER, or why there would be none */
	enum lease_why why;
	uint32_t ip, lease_s;
	const struct dhcp_layer *lease_by;	/* NULL: the server's default */
	struct dhcp_profile profile;
	struct dhcp_message answer;	/* the offer as the guest would read it */
};

/* dhcp_server_explain() - results borrow from the server's configuration, and from @e itself
 * Return: 0, or -EINVAL for a question that fits no message.
 */
int dhcp_server_explain(struct dhcp_server *s, const struct dhcp_question *q, int64_t now_wall_s, struct dhcp_explained *e);

/* lease_why_text() - "it has it already", for people */
const char *lease_why_text(enum lease_why why);

#endif
