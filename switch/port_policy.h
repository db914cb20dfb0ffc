/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/port_policy.h - the stage that has a port's traffic keep to its rules: what the guest sends, and what it is sent
 *
 * A frame passes that belongs to a flow which the rules let begin, or is an ICMP error about one, or that the rules allow by itself.
 * Only what may begin a flow (a TCP SYN, a datagram, an echo request) opens the way back. When rules change, flows are asked about anew with
 * their next packet. Of a fragmented packet the first fragment decides, and the others follow it; one that comes before it is dropped.
 *
 * The object is made and freed by the control thread (free after a grace period) and borrowed by snapshots. Any worker may call what
 * is declared here.
 */
#ifndef SWITCH_PORT_POLICY_H
#define SWITCH_PORT_POLICY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "switch/rules.h"
#include "switch/verdict.h"

struct burst;
struct connections;
struct frame;
struct port_view;
struct requests;

struct port_policy {
	struct rules *rules;		/* owned */
	struct connections *connections;	/* borrowed; the port's, under whatever rules */
	const struct names_seen *names;	/* borrowed; the network's, or NULL */
	struct requests *requests;	/* where denials are told, a few a second; or NULL */
	uint32_t net_id;
	_Atomic uint64_t tell_ms;	/* not before this */
	_Atomic uint32_t untold;	/* since the last that was told */
};

/* policy_case - a frame and where it is */
struct policy_case {
	enum rule_direction direction;
	const struct segment *segment;
	const struct frame *frame;
	uint32_t port;			/* id, for the tale */
	uint64_t now_ms;
	bool trial;			/* decide, but leave no trace */
};

/* policy_reason - why it was decided so */
struct policy_reason {
	bool flow;			/* it belongs to a flow, or is an error about one; else: */
	int rule;			/* as rules_ask() says */
};

/* port_policy_judge() - Return: FORWARDED, or DROP_POLICY and others; *why is written for FORWARDED and DROP_POLICY */
enum verdict port_policy_judge(struct port_policy *p, const struct policy_case *c, struct policy_reason *why);

/* policy_in() - the stage on the way in: what the guest of b->in sends; policy_out() - on the way out, what the guest of @to is sent */
void policy_in(struct burst *b, struct frame *frames, unsigned n);
enum verdict policy_out(struct burst *b, const struct port_view *to, struct frame *f);

/* policy_denial - the data of a REQUEST_DENIED; src, dst and sport stand in the request */
struct policy_denial {
	uint32_t rules;			/* number of the program */
	int32_t rule;
	uint32_t untold;		/* others since the last */
	uint16_t ethertype, dport;
	uint8_t direction, proto;
	bool ip;
};

#endif
