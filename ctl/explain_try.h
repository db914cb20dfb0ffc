/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/explain_try.h - a frame as a guest would send it, walked as a trial (switch/trial.h) on the worker of the guest's port
 *
 * Control thread, which waits for the worker: a turn of it at most.
 */
#ifndef CTL_EXPLAIN_TRY_H
#define CTL_EXPLAIN_TRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "switch/trial.h"

struct live_port;

/* explain_frame - what opens a conversation: a SYN, a datagram, an echo request */
struct explain_frame {
	uint8_t src_mac[MAC_SIZE], dst_mac[MAC_SIZE];
	struct addr src, dst;		/* of one family */
	uint8_t proto;			/* IPPROTO_TCP, IPPROTO_UDP; IPPROTO_ICMP: a ping of the family; 0: who has dst? (ARP or ND) */
	uint16_t sport, dport;
	uint16_t tag;			/* a trunk's guest: the VID on its wire; 0: none */
	const void *data;		/* of a datagram; borrowed */
	size_t size;			/* at most EXPLAIN_DATA */
};

enum { EXPLAIN_DATA = 300 };

/* explained - a trial, and who of the policies denied it */
struct explained {
	struct trial trial;
	uint32_t policy_port;		/* where the verdict is VERDICT_DROP_POLICY: id of the port whose rules do, ... */
	int policy_rule;		/* ... and the index of the rule, as rules_ask() says (switch/rules.h) */
};

/* explain_try() - Return: 0; -ENOTCONN when the port is not there; -ENOMEM */
int explain_try(const struct live_port *p, const struct explain_frame *f, struct explained *to);

#endif
