/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/server_turn.h - one message on its way through the DHCPv4 server; for server.c and server_explain.c alone
 *
 * Control thread.
 */
#ifndef DHCP_SERVER_TURN_H
#define DHCP_SERVER_TURN_H

#include "dhcp/profile.h"
#include "dhcp/server.h"
#include "dhcp/server_reply.h"

struct turn {
	struct dhcp_server *s;
	const struct dhcp_request *from;
	int64_t now_s;
	struct dhcp_result *result;
	struct dhcp_message m;
	struct guest_traits traits;
	struct dhcp_profile profile;
	struct lease_guest who;
	uint8_t circuit[LEASE_CIRCUIT_MAX];	/* of who, where it is remembered */
	struct dhcp_answer answer;	/* type 0 for silence */
};

typedef enum dhcp_outcome turn_fn(struct turn *t);

/* server_turn() - parse, decide by @decided, build; s, from, now_s and result are set before
 * Return: bytes of the reply, 0 for silence.
 */
size_t server_turn(struct turn *t, const uint8_t *data, size_t size, turn_fn *decided, uint8_t *reply, size_t room);

/* server_lease_time() - what the guest asks for, within our bounds */
uint32_t server_lease_time(const struct turn *t);

#endif
