/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_segment.h - who lives on a segment at run time: its stations, leases and names (control thread)
 *
 * A network has one with VID 1, which is there as long as itself, and one for each VLAN that the model gives addresses; a port is on those
 * of its VLANs. In mode nat each port has one of its own instead, which comes and goes with it: guests of one address are told apart by
 * nothing else. What the segments of a network have in common (domain, the user's records, gateway, NAT) is the network's.
 */
#ifndef CTL_LIVE_SEGMENT_H
#define CTL_LIVE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "dhcp/dhcp6_server.h"
#include "ctl/live_conflict.h"
#include "dhcp/server.h"

struct dns_zone;
struct engine;
struct event;
struct lease_table;
struct live_net;
struct live_port;
struct names;
struct net_conf;
struct port_conf;
struct routes6;
struct service;
struct stations;

struct live_segment {
	struct live_net *net;
	struct live_port *only;		/* mode nat: the port that it is for; else NULL */
	const struct net_conf *conf;	/* its addressing, in engine->model: the network's own, or that of a segment_conf */
	uint16_t vid;
	bool leaving;			/* with its port, or out of the model: no longer for the next snapshot */
	struct stations *stations;
	struct lease_table *leases;	/* NULL without DHCP */
	struct event *lease_timer;
	struct probe_ahead ahead;	/* live_conflict.c */
	struct dhcp_reservation *reserved;	/* those of the network that are for this segment, and their index */
	size_t nreserved;
	struct reservations *reservations;
	unsigned nnamed;			/* of them, that call their guests something */
	struct dhcp_class *classes;		/* as many as the model has */
	struct dhcp_server server;
	struct lease6_table *leases6;	/* NULL without an IPv6 subnet */
	struct dhcp6_server server6;
	bool told6;			/* its prefix is stored as one that guests are told */
	struct routes6 *routes6;	/* to what is delegated; NULL as leases6 */
	struct names *names;		/* NULL without a subnet; within the network's */
	struct names_peers *peers;	/* those whose names are told here, while a list of them is made (live_peer.c) */
	struct dns_zone *zone;		/* NULL without DNS */
	struct service *dns;
	LIST_ENTRY(live_segment) link;	/* net->segments */
};

/* live_segment_new() - one of @net, which has its zone and names; @only: the port that is to be alone on it, or NULL
 * Return: NULL when out of memory.
 */
struct live_segment *live_segment_new(struct live_net *net, struct live_port *only, uint16_t vid, const struct net_conf *conf);

/* live_segment_configure() - the settings of seg->conf */
void live_segment_configure(struct live_segment *seg);

/* live_segments_configure() - those of net->conf: new ones are made, and what is not in it any more, or has other addresses, leaves
 * live_segments_settle() - free those that have left, now that the published snapshot is without them
 * live_segments_free() - all of a network's, which has left
 */
void live_segments_configure(struct live_net *net);
void live_segments_settle(struct engine *e);
void live_segments_free(struct live_net *net);

/* live_segment_at() - the segment of the port's VLAN @vid, or NULL
 * live_segment_home() - that of the VLAN of a port's untagged frames; where this has no addresses the network's own
 * live_segment_on() - is a port with these settings on the segment?
 * live_segments_moved() - the port's VLANs changed from those of @old: what it had on segments that it is not on any more is others'
 */
struct live_segment *live_segment_at(const struct live_port *p, uint16_t vid);
struct live_segment *live_segment_home(const struct live_net *net, const struct port_conf *conf);
bool live_segment_on(const struct live_segment *seg, const struct port_conf *conf);
void live_segments_moved(struct live_port *p, const struct port_conf *old);

/* live_segment6_start() - what DHCPv6 of a new segment needs. Return: 0 or -ENOMEM. live_segment6_configure() - the settings of seg->conf */
int live_segment6_start(struct live_segment *seg);
void live_segment6_configure(struct live_segment *seg);

/* live_segment_arm() - have leases end on time */
void live_segment_arm(struct live_segment *seg);

/* live_segment_guest() - the address that the only port is given, host order; 0: none, or not only one */
uint32_t live_segment_guest(const struct live_segment *seg);

/* live_segment_leave() - a port is removed: its addresses on every segment are others' to have; with a segment of its own goes all that
 *	was known there
 * live_segment_forget() - forget where its stations are
 * live_segments_wait() - until no worker looks at segments that go with ports of this list (live_port.next_leaving) any more, which
 *	have left the published snapshot: a turn of theirs at most
 */
void live_segment_leave(struct live_port *p);
void live_segment_forget(const struct live_port *p);
void live_segments_wait(const struct live_port *leaving);

/* live_segment_free() - after it left the published snapshot and a grace period; NULL is accepted */
void live_segment_free(struct live_segment *seg);

#endif
