/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/policy.h - may this guest talk to that address, and where does it lead?
 *
 * The table of modes (DESIGN section 4) as one pure function: what it depends on stands in struct policy_query.
 * Any thread.
 */
#ifndef NAT_POLICY_H
#define NAT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "switch/verdict.h"

struct segment;
struct snapshot;

/* host_access - what a guest reaches at the gateway's address */
enum host_access {
	HOST_NONE,			/* nothing */
	HOST_OWN,			/* the host's own non-loopback address */
	HOST_LOOPBACK,			/* 127.0.0.1, ::1 */
};

/* policy_act - what to do with the packet that opens a flow */
enum policy_act {
	POLICY_PASS,			/* translate; the socket talks to policy.dst */
	POLICY_DROP,			/* say nothing (RFC 1812 5.3.7: martians) */
	POLICY_CLOSED,			/* as a closed port: reset, or ICMP port unreachable */
	POLICY_PROHIBITED,		/* ICMP destination unreachable with policy.icmp_code */
};

struct policy_query {
	const struct snapshot *snapshot;
	const struct segment *segment;	/* the guest's */
	enum host_access host_access;
	bool uplink;			/* does this network have a way out? */
	bool uplink_gone;		/* it has one of its own, which is not there now */
	struct addr src, dst;
	struct addr own;		/* the host's own address for HOST_OWN, of their family; none when it has none */
	bool dst_is_host;		/* dst is an address of this host; only asked for with HOST_NONE */
	bool dst_is_loopback_forward;	/* the gateway's port is that of a forward listening on 127.0.0.1 */
	bool src_is_behind;		/* a router among the guests has it behind itself (nat/delegated.h) */
};

struct policy {
	enum policy_act act;
	enum verdict verdict;		/* what the frame's end is called when not passed */
	uint8_t icmp_code;		/* for POLICY_PROHIBITED (RFC 1812 5.2.7.1) */
	struct addr dst;		/* for POLICY_PASS */
};

enum { ICMP_NET_PROHIBITED = 9, ICMP_HOST_PROHIBITED = 10, ICMP_ADMIN_PROHIBITED = 13 };

struct policy policy_decide(const struct policy_query *q);

#endif
