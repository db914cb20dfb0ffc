/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/forward_in.h - a forward from inside: shared by forward.c, forward_tcp.c and forward_udp.c
 *
 * The watching worker owns watch, timer and the waiting clients. Flows and messages on other workers hold counted references; they
 * use the UDP socket only while `stopped` is unset, and it is closed a grace period after that was set.
 */
#ifndef NAT_FORWARD_IN_H
#define NAT_FORWARD_IN_H

#include <stdatomic.h>
#include <sys/queue.h>
#include <urcu/urcu-qsbr.h>

#include "nat/forward.h"
#include "nat/shard.h"

struct sockaddr_in6;

struct live_target {
	struct rcu_head rcu;
	struct forward_target target;
};

/* waiting - a TCP client whose guest's port is not known yet: its address is being asked for */
struct waiting {
	TAILQ_ENTRY(waiting) list;
	int fd;
	uint64_t since_ms;
};

struct forward {
	struct nat *nat;
	struct worker *worker;		/* the watching one */
	struct watch watch;
	struct timer timer;		/* accepting again after a lack of descriptors; asking again for waiting clients */
	bool paused;
	TAILQ_HEAD(, waiting) waiting;
	uint32_t nwaiting;
	uint8_t proto;
	bool loopback;
	uint16_t port;			/* the host's */
	struct live_target *target;	/* RCU; written by the control thread */
	atomic_bool stopped;
	atomic_uint refs;
	struct rcu_head rcu;
	_Atomic uint64_t hits, active, refused, no_address;
};

/* place - where a target lives now */
struct place {
	uint32_t port;			/* port id */
	struct addr ip;
	uint16_t to_port;
	struct worker *worker;
};

/* forward_place() - Return: 0; -EAGAIN: the address was asked for by ARP, try again; -ENOENT: nobody there */
int forward_place(struct forward *forward, struct worker *w, struct place *place);

struct forward *forward_get(struct forward *forward);
void forward_put(struct forward *forward);

/* forward_key() - for a flow from the gateway to the guest, with a free port of the gateway; Return: false: none is free */
bool forward_key(struct nat_shard *s, const struct site *site, const struct place *place, uint8_t proto,
		 struct flow_key *key);

void forward_accept(struct worker *w, struct watch *watch, uint32_t events);	/* TCP: watch->ready */
void forward_tcp_timer(struct timer *timer, uint64_t now_ms, void *context);
void forward_tcp_stop(struct forward *forward);

void forward_receive(struct worker *w, struct watch *watch, uint32_t events);	/* UDP: watch->ready */

#endif
