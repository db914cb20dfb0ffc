// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/snapshot.h"

#include <stdlib.h>

#include "base/array.h"
#include "switch/port.h"
#include "switch/route6.h"
#include "switch/subnets.h"

struct snapshot *snapshot_new(unsigned nports, unsigned nnets)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->ports = calloc(nports ? nports : 1, sizeof(*s->ports));
	s->nets = calloc(nnets ? nnets : 1, sizeof(*s->nets));
	s->nports = nports;
	s->nnets = nnets;
	if (!s->ports || !s->nets) {
		snapshot_free(s);
		return NULL;
	}
	return s;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	for (unsigned i = 0; s->ports && i < s->nports; i++)
		free(s->ports[i].observers);
	for (unsigned i = 0; s->nets && i < s->nnets; i++) {
		for (unsigned j = 0; s->nets[i].segments && j < s->nets[i].nsegments; j++) {
			free(s->nets[i].segments[j].peers);
			free(s->nets[i].segments[j].domain);
			free(s->nets[i].segments[j].captive_portal);
		}
		free(s->nets[i].members);
		free(s->nets[i].promiscuous);
		free(s->nets[i].segments);
	}
	subnets_free(s->subnets);
	for (unsigned i = 0; s->ports && i < s->nports; i++)
		free(s->ports[i].vlan.map);
	free(s->nets);
	free(s->ports);
	free(s);
}

const struct segment *segment_home(const struct port_view *port)
{
	const struct segment *seg = segment_at(port, port->vlan.pvid);

	for (unsigned i = 0; !seg && i < port->net->nsegments; i++)
		if (vlan_member(&port->vlan, port->net->segments[i].vid))
			seg = &port->net->segments[i];
	return seg;
}

const struct segment *segment_with(const struct port_view *port, struct addr a)
{
	const struct net_view *net = port->net;
	struct route6 route;

	if (port->own)
		return port->own;
	for (unsigned i = 0; i < net->nsegments; i++)
		if (segment_has(&net->segments[i], a))
			return vlan_member(&port->vlan, net->segments[i].vid) ? &net->segments[i] : NULL;
	for (unsigned i = 0; i < net->nsegments; i++)
		if (routes6_find(net->segments[i].routes, a, &route) && route.port == port->port->id)
			return &net->segments[i];
	return !addr_is4(a) && addr_is_link_local(a) ? segment_home(port) : NULL;
}

bool segment_is_guests(const struct segment *seg, struct addr a)
{
	if (!segment_has(seg, a) || segment_is_gateway(seg, a))
		return false;
	if (!addr_is4(a))		/* RFC 4291 2.6.1: the prefix itself is every router's */
		return !addr_equal(a, seg->subnet6.addr);
	return seg->subnet.len >= 31 || (addr_4(a) != seg->subnet.addr && addr_4(a) != prefix4_last(seg->subnet));
}

static void free_rcu(struct rcu_head *head)
{
	snapshot_free(container_of(head, struct snapshot, rcu));
}

void snapshot_release(struct snapshot *s)
{
	if (s)
		urcu_qsbr_call_rcu(&s->rcu, free_rcu);
}

/* walk() - what subnets_find() does, before the table is made */
static const struct segment *walk(const struct snapshot *s, struct addr a, const struct segment *except)
{
	for (unsigned i = 0; i < s->nnets; i++) {
		const struct net_view *net = &s->nets[i];

		for (unsigned j = 0; j < net->nsegments; j++) {
			const struct segment *seg = &net->segments[j];

			if ((segment_has(seg, a) || segment_delegates(seg, a)) && !segment_same(seg, except))
				return seg;
			if (seg->only)
				break;		/* the network's others have the same addresses */
		}
	}
	return NULL;
}

const struct segment *segment_for_addr(const struct snapshot *s, struct addr a, const struct segment *except)
{
	return s->subnets ? subnets_find(s->subnets, a, except) : walk(s, a, except);
}
