/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/snapshot.h - the configuration that workers see, immutable from publication to release
 *
 * Built by the control thread (ctl/apply.c, ctl/apply_view.c), published with rcu_xchg_pointer(), read by workers once a turn, freed by
 * call_rcu() when every worker has moved on (liburcu, QSBR flavour). It holds configuration only: what
 * changes with traffic (FDB, stations, names, sessions, counters) is reached through it but lives elsewhere.
 */
#ifndef SWITCH_SNAPSHOT_H
#define SWITCH_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include <urcu/urcu-qsbr.h>

#include "base/addr.h"
#include "base/text.h"
#include "switch/peer.h"
#include "switch/vlan.h"

struct fdb;
struct guard;
struct snoop;
struct net_view;
struct observer;
struct port;
struct recorder;
struct port_policy;
struct requests;
struct routes6;
struct service;
struct shape;
struct stations;
struct subnets;

enum { SEGMENT_SERVICES = 6 };

enum { SEGMENT_OLD_PREFIXES = 4 };

/* segment - a VID of a network with its addressing; leases, stations and sessions are keyed by (network, VID)
 *
 * In mode nat each port has a segment of its own, on which there is nobody but the gateway. Its VID is above all that a tag can
 * say, so that no frame gets there but from that port; all of them have one addressing.
 */
struct segment {
	struct net_view *net;
	uint16_t vid;
	const struct port_view *only;	/* the one port that is on it, beside the local one; NULL: all ports of the VLAN */
	bool has_subnet;		/* false: no gateway and no services */
	struct prefix4 subnet;
	uint32_t gateway;		/* host order */
	uint32_t dns;			/* an address of the gateway, too, at which it answers nothing but DNS and ping; 0: it has none */
	uint32_t guest;			/* the address that the only port is given; 0: none, or not only one */
	bool has_subnet6;
	struct prefix6 subnet6;
	bool dhcp6, managed;		/* guests are answered by DHCPv6; and given addresses */
	uint64_t pool6_first, pool6_last;	/* lower halves of those; 0, 0: none */
	struct routes6 *routes;		/* to what is behind routers among the guests; borrowed, outlives the snapshot; or NULL */
	struct prefix6 delegated;	/* routers among the guests are given prefixes of it; len 0: none */
	struct prefix6 pref64;		/* of a NAT64; len 0: there is none */
	char *domain, *captive_portal;	/* for guests to search, and a URI; freed with the snapshot; or NULL */
	struct {
		struct prefix6 prefix;
		uint64_t until_ms;
	} old[SEGMENT_OLD_PREFIXES];	/* what guests may have addresses of from before */
	unsigned nold;
	struct addr gateway6, gateway6_link;	/* in subnet6, and its link-local address */
	bool router, resolver, dhcp;	/* what the gateway is to guests: a way out, DNS, DHCP */
	bool tftp;			/* and files to boot from */
	uint32_t dhcp_rate;		/* DHCP messages that one port may send a second; 0: any number */
	const struct port_view *host;	/* where the host itself has the gateway's addresses (switch/hostway.h), or NULL */
	bool loopback6;			/* with the host as gateway: its loopback is reached by way of the NAT over IPv6 (hostway_is_loopback6()) */
	bool fronted;			/* clients of the gateway's own are seen by guests as segment_front() */
	uint8_t gateway_mac[MAC_SIZE];
	struct peer *peers;		/* the segments that this one reaches (switch/peer.h) */
	unsigned npeers;
	struct stations *stations;	/* borrowed; outlives the snapshot */
	struct requests *requests;	/* where a station seen for the first time is told; may be NULL; as above */
	struct service *services[SEGMENT_SERVICES];	/* asked in order; borrowed; outlive the snapshot */
	unsigned nservices;
};

/* port_view - a port as configured */
struct port_view {
	struct port *port;		/* borrowed; outlives the snapshot */
	struct net_view *net;
	struct vlan_conf vlan;
	const struct segment *own;	/* the segment that it is alone on; NULL: it is on those of its VLANs */
	uint32_t stages_in, stages_out;	/* enum stage: what frames from it, and to it, pass (switch/stage.h); mostly 0 */
	struct shape *shape;		/* how fast (switch/shape.h); NULL: as fast as it goes; borrowed; outlives the snapshot */
	struct port_policy *policy;	/* STAGE_POLICY: its rules (switch/port_policy.h); borrowed; outlives the snapshot */
	struct guard *guard;		/* of STAGE_GUARD; borrowed, as the port */
	bool link_up;
	bool closed;			/* the link is down for a loop */
	bool local;			/* the network's own port: gateway and services, on every segment */
	bool uplink;			/* behind it is a LAN; a group's frame that seems to come from one of us there is ours, come back */
	bool beside_uplink;		/* it stands for the host whose interface the uplink is */
	/* mode bridged: of the uplink the host's port, and of that the uplink. What comes by one the other has already, by the kernel:
	 * no frame goes from one to the other. NULL: there is none. */
	const struct port_view *besides;
	struct observer *observers;	/* who looks at its frames (switch/observe.h); the snapshot's; mostly there is none */
	unsigned nobservers;
	struct recorder *recorder;	/* where what went wrong is kept (switch/recorder.h); borrowed, outlives the snapshot; or NULL */
};

struct net_view {
	uint32_t net_id;		/* unique among live networks */
	uint32_t mtu;			/* bytes of layer 3 */
	bool wire;			/* two ports are the ends of a cable: every frame goes over, as it is */
	struct fdb *fdb;		/* borrowed; outlives the snapshot */
	struct snoop *snoop;		/* where multicast goes; NULL: everywhere; likewise */
	struct fdb *owners;		/* to whom IPv6 addresses belong, where a guard wants to know (switch/guard.h); or NULL; likewise */
	struct port_view **members;	/* the ports of this network, the local one first if there is one */
	unsigned nmembers;
	struct port_view **promiscuous;	/* of the members those that are given every frame of their VLANs; freed with the snapshot */
	unsigned npromiscuous;
	struct segment *segments;	/* by VID */
	unsigned nsegments;
};

struct snapshot {
	struct rcu_head rcu;
	struct port_view *ports;	/* by port id; .port is NULL in gaps */
	unsigned nports;
	struct net_view *nets;
	unsigned nnets;
	struct subnets *subnets;	/* of all of them, when they are complete; NULL: segment_for_addr() looks at one after another */
	uint64_t generation;		/* of this snapshot; an address may be used again */
};

/* snapshot_new() - room for views; members and segments are allocated by the caller with snapshot_alloc()-ed arrays
 * Return: a snapshot for snapshot_free(), or NULL.
 */
struct snapshot *snapshot_new(unsigned nports, unsigned nnets);
void snapshot_free(struct snapshot *snapshot);

/* snapshot_release() - free it by call_rcu() once no worker sees it */
void snapshot_release(struct snapshot *snapshot);

/* segment_of() - the segment of a network with this VID, or NULL */
static inline const struct segment *segment_of(const struct net_view *net, uint16_t vid)
{
	const struct segment *s = net->segments;

	for (unsigned n = net->nsegments, half; n > 1; n -= half) {
		half = n / 2;
		s += s[half].vid <= vid ? half : 0;
	}
	return net->nsegments && s->vid == vid ? s : 0;
}

/* segment_at() - the same as seen from a port */
static inline const struct segment *segment_at(const struct port_view *port, uint16_t vid)
{
	return port->own ? port->own : segment_of(port->net, vid);
}

/* segment_home() - the segment of a port's untagged frames, or the first of its VLANs that is one; NULL: there is none
 * segment_with() - that of a guest of the port with address @a: the one whose subnet holds it, for a link-local address that at home
 */
const struct segment *segment_home(const struct port_view *port);
const struct segment *segment_with(const struct port_view *port, struct addr a);

/* segment_has() - is @a inside the segment's subnet of its family? */
static inline bool segment_has(const struct segment *seg, struct addr a)
{
	if (addr_is4(a))
		return seg->has_subnet && prefix4_has(seg->subnet, addr_4(a));
	return seg->has_subnet6 && addr_in(seg->subnet6, a);
}

/* segment_is_gateway() - is @a an address of the gateway? segment_is_dns() - is it the one that is for DNS alone? */
static inline bool segment_is_gateway(const struct segment *seg, struct addr a)
{
	if (addr_is4(a))
		return addr_4(a) == seg->gateway || (seg->dns && addr_4(a) == seg->dns);
	return seg->has_subnet6 && (addr_equal(a, seg->gateway6) || addr_equal(a, seg->gateway6_link));
}

static inline bool segment_is_dns(const struct segment *seg, struct addr a)
{
	return seg->dns && seg->dns != seg->gateway && addr_is4(a) && addr_4(a) == seg->dns;
}

/* segment_gateway() - the gateway's address that a station with address @guest sees: of the same family and scope */
static inline struct addr segment_gateway(const struct segment *seg, struct addr guest)
{
	return addr_is4(guest) ? addr4(seg->gateway) : addr_is_link_local(guest) ? seg->gateway6_link : seg->gateway6;
}

/* segment_front() - as whom a guest with address @guest sees clients whose own address cannot be shown: the gateway; where that is the
 * host, whose kernel would take the answers, an address that nobody has (RFC 7600 4.8, and in the prefix of RFC 8215 for IPv6)
 * segment_is_front() - is @a such an address that nobody has? What is sent there is the services'. */
static inline struct addr segment_front(const struct segment *seg, struct addr guest)
{
	static const struct addr front6 = { .bytes = { 0, 0x64, 0xff, 0x9b, 0, 1, [12] = 192, 0, 0, 8 } };

	if (!seg->fronted)
		return segment_gateway(seg, guest);
	return addr_is4(guest) ? addr4(0xc0000008) : front6;
}

static inline bool segment_is_front(const struct segment *seg, struct addr a)
{
	return seg->fronted && addr_equal(a, segment_front(seg, a));
}

/* segment_is_guests() - may a guest have this address: inside the subnet, neither the gateway's nor one that is for all? */
bool segment_is_guests(const struct segment *seg, struct addr a);

/* segment_same() - is @a, of whatever snapshot, the segment @b, or with it one of those in a network that have the same addresses? */
static inline bool segment_same(const struct segment *a, const struct segment *b)
{
	return b && a->net->net_id == b->net->net_id && (a->vid == b->vid || a->only);
}

/* peer_for() - the peer whose subnet holds @a, or what it delegates; or NULL */
static inline const struct peer *peer_for(const struct segment *seg, struct addr a)
{
	for (unsigned i = 0; i < seg->npeers; i++)
		if (segment_has(seg->peers[i].to, a))
			return &seg->peers[i];
	return 0;
}

/* segment_delegates() - is @a out of the prefix that guests of the segment are delegated parts of? */
static inline bool segment_delegates(const struct segment *seg, struct addr a)
{
	return seg->delegated.len && addr_in(seg->delegated, a);
}

/* segment_for_addr() - the segment of any network, @except excluded, whose subnet holds @a, or NULL */
const struct segment *segment_for_addr(const struct snapshot *snapshot, struct addr a, const struct segment *except);

#endif
