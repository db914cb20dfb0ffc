/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/peer.h - segments that were asked to reach one another, as the snapshot has it
 *
 * A peering joins two segments at their gateways: guests of one reach guests of the other, by their own addresses, and nobody else (neither
 * host nor gateway) is reached that way. What each side may open stands on both segments, seen from there; answers come back.
 * nat/peer.h does it.
 */
#ifndef SWITCH_PEER_H
#define SWITCH_PEER_H

#include <stdbool.h>
#include <stdint.h>

struct peer_flows;
struct peer_wait;
struct segment;

enum { PEERS_MAX = 32, PEER_RULES_MAX = 16 };

/* peer_rule - what may be opened: PROTO_TCP or PROTO_UDP to a range of ports, or PROTO_ICMP for pings of either family */
struct peer_rule {
	uint8_t proto;
	uint16_t first, last;
};

/* peer_rules - everything, or what one of the rules says; no rule: nothing */
struct peer_rules {
	bool all;
	uint8_t n;
	struct peer_rule rule[PEER_RULES_MAX];
};

struct peer {
	const struct segment *to;	/* in the same snapshot */
	uint32_t local_port;		/* of that one's network: whose services send there */
	uint32_t mtu;
	struct peer_rules out, back;	/* what guests here may open there, and those there here */
	struct peer_flows *flows;	/* borrowed, as below; NULL where both ways are open: answers need no memory */
	struct peer_wait *wait;		/* of the other side: packets for guests whose MAC address is being asked for */
};

/* peer_for() - the peer of a segment whose subnet holds @a, or NULL; in switch/snapshot.h, which knows both */

/* peer_rules_allow() - may this be opened? @proto: in the words of struct peer_rule */
static inline bool peer_rules_allow(const struct peer_rules *r, uint8_t proto, uint16_t port)
{
	if (r->all)
		return true;
	for (unsigned i = 0; i < r->n; i++)
		if (r->rule[i].proto == proto && r->rule[i].first <= port && port <= r->rule[i].last)
			return true;
	return false;
}

#endif
