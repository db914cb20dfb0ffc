/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/server_reply.h - what a DHCPv4 server's answer says and where it goes; for server.c alone
 *
 * Pure; any thread.
 */
#ifndef DHCP_SERVER_REPLY_H
#define DHCP_SERVER_REPLY_H

#include "dhcp/server.h"

struct dhcp_profile;
struct guest_traits;

/* The answer that was decided on. */
struct dhcp_answer {
	enum dhcp_type type;		/* DHCP_OFFER, DHCP_ACK or DHCP_NAK; BOOTP counts as an ACK */
	bool bootp, rapid;		/* it is one to BOOTP; it is one to rapid commit */
	uint32_t yiaddr;		/* 0 in a NAK and in the answer to INFORM */
	uint32_t lease_s;		/* with yiaddr */
	uint32_t to;			/* the answer to INFORM: the guest's address */
	uint32_t server_id;		/* by which the guest knows us */
	const char *name;		/* of the guest, option 12 */
	const struct guest_traits *traits;
	const struct dhcp_profile *profile;
};

/* server_reply_fits() - will what must be echoed to this guest have room in any answer? */
bool server_reply_fits(const struct dhcp_conf *conf, const struct dhcp_message *m);

/* server_reply_build() - write the answer
 * Return: bytes written, or a negative errno when @room is too small.
 */
int server_reply_build(const struct dhcp_conf *conf, const struct dhcp_message *m, const struct dhcp_answer *a,
		       uint8_t *reply, size_t room);

/* server_reply_route() - fill in where it goes (RFC 2131 4.1) */
void server_reply_route(const struct dhcp_message *m, const struct dhcp_request *from, const struct dhcp_answer *a,
			struct dhcp_result *result);

#endif
