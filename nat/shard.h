/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/shard.h - the flows of one NAT on one worker: table, pools, quotas, and work put off to the end of the turn
 *
 * Everything here runs on the shard's worker. Memory is taken in chunks of flows and kept; its bound is the sum of the
 * ports' quotas. Inside nat/ only.
 */
#ifndef NAT_SHARD_H
#define NAT_SHARD_H

#include "nat/flow.h"
#include "nat/hold.h"
#include "nat/limit.h"
#include "nat/nat.h"
#include "switch/frame.h"
#include "switch/stats.h"

struct fragments;
struct nat_shard;
struct segment;

/* nat_port - a guest port's share */
struct nat_port {
	struct nat_port *next;
	uint32_t id;
	uint32_t nclients;		/* UDP clients of forwards among its flows */
	uint32_t half_open, calling;	/* connections being opened by the guest, and to it by forwards */
	struct flow_list lists[FLOW_CLASSES];
	uint16_t nheld;			/* places of the shard's hold */
	uint32_t nraw[2];		/* echoes with an identifier of a raw socket, IPv4 and IPv6 */
	struct limit answers;		/* ICMP errors toward this guest */
	struct limit errors;		/* and those of its own that go out */
};

/* decision - what the policy said lately about a destination outside */
struct decision {
	struct addr src, dst;
	uint64_t generation;		/* of the snapshot */
	const struct nat_conf *conf;	/* compared, never followed */
	uint64_t at_ms;
	struct policy policy;
};
enum { DECISION_AGE_MS = 1000 };

/* local_addr - is it an address of this host? As the kernel said at asked_ms */
struct local_addr {
	struct addr addr;
	uint64_t asked_ms;
	bool is;
};

struct nat_shard {
	struct nat *nat;
	struct worker *worker;
	bool stopped;
	struct flow **buckets;
	uint32_t nbuckets, nflows;
	struct flow *free;
	struct chunk *chunks;
	struct nat_port *ports[64];	/* by id modulo */
	struct hold hold;		/* guests' TCP data that waits for its turn */
	struct flow_list work;
	uint32_t nwork;			/* flows in it */
	struct timer turn;
	struct local_addr locals[64];	/* by address modulo */
	struct flow *clients[1024];	/* UDP forwards' clients by forward, address and port */
	uint16_t next_port;		/* gateway-side port of forwards, where the search begins */
	struct fragments *fragments;	/* of guests' packets; made on first use */
	struct timer late;		/* when the first of them is given up */
	struct {
		struct addr addr;
		uint64_t asked_ms;
	} own[2];			/* the host's own addresses, IPv4 and IPv6 */
	struct {
		const struct nat_conf *conf;	/* compared, never followed */
		uint64_t asked_ms;
		uint32_t index;
	} device;			/* nat/sock.h */
	struct {
		uint32_t at;		/* bucket */
		bool running, addresses;
	} review;			/* nat/review.h */
	struct {
		uint32_t space;
		uint64_t asked_ms;
	} fresh;			/* tcp_expect_space() */
	struct udp_batch *batch;	/* guests' datagrams that leave together; made on first use */
	struct decision decisions[64];	/* by destination modulo */
	struct {
		counter flows, opened, expired, resets, retransmits, filtered, lost, over_quota;
	} counts;
};

/* site - where frames for a guest's port go, as configured now */
struct site {
	const struct segment *segment;
	uint32_t local_port;
	uint32_t mtu;
	uint32_t window;		/* most bytes that the guest should have under way to us */
};

/* port_window() - that of a guest on this port: what its medium can hold, the kernel's overhead for small frames included */
uint32_t port_window(const struct port *port);

struct nat_shard *shard_new(struct nat *nat, struct worker *w);

/* shard_stop() - end all flows; shard_free() - give back the memory (any thread, after a grace period) */
void shard_stop(struct nat_shard *s);
void shard_free(struct nat_shard *s);

uint64_t shard_now(const struct nat_shard *s);
const struct nat_conf *shard_conf(const struct nat_shard *s);

/* shard_site() - where the guest with this address on the port lives; Return: false when the port or the segment is gone */
bool shard_site(const struct nat_shard *s, uint32_t port_id, struct addr guest, struct site *site);

/* shard_own() - hostaddr_own() in the family of @like, asked at most once a second */
struct addr shard_own(struct nat_shard *s, struct addr like);

/* shard_port() - the share of a port, made on first use; NULL without memory
 * shard_forget_port() - end its flows and forget it */
struct nat_port *shard_port(struct nat_shard *s, uint32_t id);
void shard_forget_port(struct nat_shard *s, uint32_t id);

/* shard_fragments() - where guests' fragments wait; NULL without memory. shard_await_fragments() - after something was put there */
struct fragments *shard_fragments(struct nat_shard *s);
void shard_await_fragments(struct nat_shard *s);

struct flow *flow_find(const struct nat_shard *s, const struct flow_key *key);

/* flow_new() - a flow for @key, which is not in the table, taking ownership of socket @fd
 * Makes room at the port's quota by dropping its stalest closed flow, or for UDP its stalest UDP mapping.
 * Return: NULL when the quota, memory or (@fd >= 0) the process's descriptors are used up; then @fd is still the caller's.
 * flow_new_called() - the same for a client that a forward accepted: its socket takes none of the host's ephemeral ports
 */
struct flow *flow_new(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, const struct flow_kind *kind,
		      int fd);
struct flow *flow_new_called(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, const struct flow_kind *kind,
			     int fd);

/* flow_room() - make room for one more flow of @class at the port; what flow_new() does, for use before a socket is made
 * Return: false when the quota is used up. */
bool flow_room(struct nat_shard *s, struct nat_port *port, enum flow_class class);

/* flow_has_room() - would flow_room() say so? Drops nothing, counts nothing */
bool flow_has_room(const struct nat_shard *s, const struct nat_port *port, enum flow_class class);

/* flow_free() - close the socket and forget the flow; flow_close() - the socket alone */
void flow_free(struct flow *f);
void flow_close(struct flow *f);

/* flow_release() - give the socket, which is not watched, back to the caller */
void flow_release(struct flow *f);

/* flow_abort() - as flow_free(), and the remote end of a TCP connection sees a reset */
void flow_abort(struct flow *f);

/* flow_fresh() - move to the fresh end of the list of @class */
void flow_fresh(struct flow *f, enum flow_class class);

/* flow_defer() - have its work done at the end of this turn */
void flow_defer(struct flow *f);

/* flow_due() - have flow_expired() called at @due_ms or before; an earlier time that is set stays */
void flow_due(struct flow *f, uint64_t due_ms);

#endif
