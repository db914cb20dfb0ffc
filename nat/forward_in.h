/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/forward_in.h - a forward from inside: shared by forward.c, forward_place.c, forward_tcp.c and forward_udp.c
 *
 * The watching worker owns the watches, the timer, the known place and the waiting clients. Flows and messages on other workers hold
 * counted references; they use the UDP sockets only while `stopped` is unset, and these are closed a grace period after that was set.
 */
#ifndef NAT_FORWARD_IN_H
#define NAT_FORWARD_IN_H

#include <stdatomic.h>
#include <sys/queue.h>
#include <urcu/urcu-qsbr.h>

#include "base/array.h"
#include "nat/forward.h"
#include "nat/shard.h"

struct live_target {
	struct rcu_head rcu;
	struct forward_target target;
};

/* place - where a target lives now */
struct place {
	uint32_t port;			/* port id */
	struct addr ip;
	uint16_t to_port;
	bool gateway;			/* the client is to be shown as the gateway */
	struct worker *worker;
};

/* listener - one socket of a forward: there may be as many as the host has ports, so it is small */
struct listener {
	struct watch watch;
	uint16_t port;			/* the host's */
	uint16_t index;			/* in the forward */
	_Atomic uint16_t clients;	/* UDP */
	bool paused;
};

/* waiting - a TCP client whose guest's port is not known yet: its address is being asked for */
struct waiting {
	TAILQ_ENTRY(waiting) list;
	struct listener *listener;
	union sock_addr from;
	int fd;
	uint64_t since_ms;
};

/* known_place - what was found out this millisecond, by the caller's family */
struct known_place {
	const struct live_target *target;
	uint64_t generation, at_ms;
	struct place place;
	int rc;
};

struct forward {
	struct nat *nat;
	struct worker *worker;		/* the watching one */
	struct timer timer;		/* accepting again after a lack of descriptors; asking again for waiting clients */
	TAILQ_HEAD(, waiting) waiting;
	uint32_t nwaiting, npaused;
	uint8_t proto;
	bool loopback, everywhere;	/* where it listens; neither: on one address that others see */
	uint16_t first;			/* host port of the first socket */
	struct live_target *target;	/* RCU; written by the control thread */
	struct known_place known[2];
	atomic_bool stopped;
	atomic_uint refs;
	struct rcu_head rcu;
	_Atomic uint64_t hits, active, refused, no_address;
	unsigned nlisteners;
	struct listener listeners[];
};

static inline struct forward *forward_of(struct listener *l)
{
	return container_of(l - l->index, struct forward, listeners);
}

/* forward_place() - where the guest is now to whom a client of @l is led; on the watching worker
 * Return: 0; -EAGAIN: the address was asked for by ARP, try again; -ENOENT: nobody there
 */
int forward_place(struct listener *l, struct worker *w, const union sock_addr *from, struct place *place);

struct forward *forward_get(struct forward *forward);
void forward_put(struct forward *forward);

/* forward_key() - for a flow to the guest from the client's own address, or from the gateway with a free port of it
 * A closed connection of the same addresses and ports makes room. Return: false: no port is free
 */
bool forward_key(struct nat_shard *s, const struct site *site, const struct place *place, uint8_t proto,
		 const union sock_addr *from, struct flow_key *key);

void forward_accept(struct worker *w, struct watch *watch, uint32_t events);	/* TCP: watch->ready */
void forward_tcp_timer(struct timer *timer, uint64_t now_ms, void *context);
void forward_tcp_stop(struct forward *forward);

void forward_receive(struct worker *w, struct watch *watch, uint32_t events);	/* UDP: watch->ready */

#endif
