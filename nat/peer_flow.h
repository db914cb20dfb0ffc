/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/peer_flow.h - what guests opened across a peering that is not open both ways, so that the answers are let back
 *
 * Whatever an opener may send is noted as it passes, whether it is the first of its flow or not: nothing need be kept over a restart, and a
 * connection that is used goes on. What was noted is forgotten after a time without use: TCP 7440 s (RFC 5382 REQ-5), 240 s once it is
 * being opened or closed, UDP 300 s, pings 60 s.
 *
 * Each port that opens has PEER_FLOWS places of its own, taken with its first flow; there the flow that ends soonest makes room. One table
 * serves both directions of a peering. Workers write and read at once, without a lock: an entry is a secret 64-bit hash of all that names
 * the flow, and a time, each written whole. The control thread makes and frees it (after a grace period).
 */
#ifndef NAT_PEER_FLOW_H
#define NAT_PEER_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum { PEER_FLOWS = 1024 };

struct peer_flows;

/* peer_flow - as its opener names it; of a ping sport is the identifier */
struct peer_flow {
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t proto;			/* in the words of struct peer_rule */
};

struct peer_flows *peer_flows_new(void);	/* NULL without memory */
void peer_flows_free(struct peer_flows *flows);

/* peer_flows_note() - port @opener sent a packet of @flow, of TCP with @tcp_flags
 * peer_flows_answer() - the other side did: was it opened? That keeps it alive, too, but of UDP (RFC 4787 REQ-6)
 * peer_flows_has() - was it opened? For errors, which keep nothing alive
 */
void peer_flows_note(struct peer_flows *flows, uint32_t opener, const struct peer_flow *flow, uint8_t tcp_flags, uint64_t now_ms);
bool peer_flows_answer(struct peer_flows *flows, uint32_t opener, const struct peer_flow *flow, uint8_t tcp_flags, uint64_t now_ms);
bool peer_flows_has(struct peer_flows *flows, uint32_t opener, const struct peer_flow *flow, uint64_t now_ms);

#endif
