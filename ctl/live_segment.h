/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_segment.h - who lives on a segment at run time: its stations, leases and names (control thread)
 *
 * A network has one for all of its ports, with VID 1. In mode nat each port has one of its own, which comes and goes with it: guests
 * of one address are told apart by nothing else. What the segments of a network have in common (zone, the user's records, gateway,
 * NAT) is the network's.
 */
#ifndef CTL_LIVE_SEGMENT_H
#define CTL_LIVE_SEGMENT_H

#include <stdint.h>
#include <sys/queue.h>

#include "dhcp/server.h"

struct event;
struct lease_table;
struct live_net;
struct live_port;
struct names;
struct service;
struct stations;

struct live_segment {
	struct live_net *net;
	struct live_port *only;		/* mode nat: the port that it is for; else NULL */
	uint16_t vid;
	bool leaving;			/* with its port: no longer for the next snapshot */
	struct stations *stations;
	struct lease_table *leases;	/* NULL without DHCP */
	struct event *lease_timer;
	struct dhcp_server server;
	struct names *names;		/* NULL without a subnet; the network's own, or within those */
	struct service *dns;
	LIST_ENTRY(live_segment) link;	/* net->segments */
};

/* live_segment_new() - one of @net, which has its zone and names; @only: the port that is to be alone on it, or NULL
 * Return: NULL when out of memory.
 */
struct live_segment *live_segment_new(struct live_net *net, struct live_port *only);

/* live_segment_configure() - the settings of net->conf */
void live_segment_configure(struct live_segment *seg);

/* live_segment_arm() - have leases end on time */
void live_segment_arm(struct live_segment *seg);

/* live_segment_guest() - the address that the only port is given, host order; 0: none, or not only one */
uint32_t live_segment_guest(const struct live_segment *seg);

/* live_segment_leave() - a port is removed: its addresses are others' to have; with a segment of its own goes all that was known there
 * live_segments_wait() - until no worker looks at segments that go with ports of this list (live_port.next_leaving) any more, which
 *	have left the published snapshot: a turn of theirs at most
 */
void live_segment_leave(struct live_port *p);
void live_segments_wait(const struct live_port *leaving);

/* live_segment_free() - after it left the published snapshot and a grace period; NULL is accepted */
void live_segment_free(struct live_segment *seg);

#endif
