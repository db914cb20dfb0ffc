// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/apply_view.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/engine.h"
#include "ctl/live_guard.h"
#include "ctl/live_loop.h"
#include "ctl/live_policy.h"
#include "ctl/live_ra.h"
#include "ctl/live_shape.h"
#include "ctl/live_vlan.h"
#include "nat/peer.h"
#include "switch/service.h"
#include "switch/shape.h"
#include "switch/snapshot.h"
#include "switch/stage.h"

static bool fill_port(struct snapshot *s, struct net_view *net, const struct live_port *p)
{
	struct port_view *v = &s->ports[p->id];

	v->port = p->port;
	v->net = net;
	v->closed = live_loop_closed(p);
	v->link_up = p->conf->link_up && !v->closed;
	v->shape = live_shape_of(p);
	if (v->shape && v->shape->ingress.limited)
		v->stages_out |= STAGE_SHAPE;
	v->policy = live_policy_of(p);
	if (v->policy) {
		v->stages_in |= STAGE_POLICY;
		v->stages_out |= STAGE_POLICY;
	}
	net->members[net->nmembers++] = v;
	v->uplink = p->conf->kind == PORT_KIND_UPLINK;
	v->beside_uplink = p->conf->kind == PORT_KIND_HOST && !p->net->conf->has_host;
	if (p->conf->kind == PORT_KIND_HOST && p->net->conf->has_host) {
		net->segments[0].host = v;
		v->stages_out |= STAGE_SOURCE;
	}
	return live_guard_fill(v, p) && live_vlan_fill(&v->vlan, p);
}

/* The local port is on every segment; its frames never carry a tag when they are looked at. */
static void fill_local(struct snapshot *s, struct net_view *view, const struct live_net *net)
{
	struct port_view *v = &s->ports[net->local.id];

	v->port = net->local.port;
	v->net = view;
	v->link_up = true;
	v->local = true;
	v->vlan.trunk = true;
	memset(v->vlan.tagged, 0xff, sizeof(v->vlan.tagged));
	view->members[view->nmembers++] = v;
}

static void fill_segment(struct segment *seg, struct net_view *view, const struct live_segment *from)
{
	const struct live_net *net = from->net;
	const struct net_conf *conf = from->conf;
	struct service *services[SEGMENT_SERVICES] = {
		from->leases ? net->dhcp : NULL, from->dns, net->boot ? net->tftp : NULL, net->peers ? peer_service(net->peers) : NULL, net->gateway, net->nat,
	};

	if (from->leases6)
		services[0] = net->dhcp;	/* it is one service for both families */
	seg->net = view;
	seg->vid = from->vid;
	seg->has_subnet = conf->has_subnet;
	seg->subnet = conf->subnet;
	seg->gateway = conf->gateway;
	seg->dns = conf->dns_enabled ? conf->dns : 0;
	seg->guest = live_segment_guest(from);
	seg->has_subnet6 = conf->subnet6.len > 0;
	seg->subnet6 = conf->subnet6;
	seg->gateway6 = conf->gateway6;
	seg->gateway6_link = addr_link_local(net->gateway_mac);
	seg->router = conf->has_router;
	seg->resolver = conf->dns_enabled;
	seg->dhcp = conf->dhcp_enabled;
	seg->tftp = net->boot;
	seg->dhcp_rate = conf->dhcp_rate;
	seg->fronted = net->host_gateway && net->conf->has_nat;
	seg->loopback6 = seg->fronted && net->conf->host_access == HOST_ACCESS_LOOPBACK;
	memcpy(seg->gateway_mac, net->gateway_mac, MAC_SIZE);
	if (seg->has_subnet6)
		live_ra_fill(seg, from);
	seg->stations = from->stations;
	seg->requests = net->engine->requests;
	for (size_t i = 0; i < SEGMENT_SERVICES; i++)
		if (services[i])
			seg->services[seg->nservices++] = services[i];
}

static int by_vid(const void *a, const void *b)
{
	return ((const struct segment *)a)->vid - ((const struct segment *)b)->vid;
}

/* is_served() - a segment of one port is there when that is; nobody listens at a wire */
static bool is_served(const struct live_segment *seg)
{
	return !seg->net->conf->wire && !seg->leaving && (!seg->only || seg->only->port);
}

static bool fill_segments(struct snapshot *s, struct net_view *view, const struct live_net *net)
{
	const struct live_segment *from;
	unsigned n = 0;

	LIST_FOREACH(from, &net->segments, link)
		n += is_served(from);
	view->segments = calloc(n ? n : 1, sizeof(*view->segments));
	if (!view->segments)
		return false;
	LIST_FOREACH(from, &net->segments, link) {
		if (!is_served(from))
			continue;
		if (from->only)
			view->segments[view->nsegments].only = &s->ports[from->only->id];
		fill_segment(&view->segments[view->nsegments++], view, from);
	}
	qsort(view->segments, view->nsegments, sizeof(*view->segments), by_vid);
	for (unsigned i = 0; i < view->nsegments; i++)
		if (view->segments[i].only)
			s->ports[view->segments[i].only - s->ports].own = &view->segments[i];
	return true;
}

/* fill_besides() - the uplink and the host's port of a bridged network, where both are there */
static void fill_besides(struct net_view *net)
{
	struct port_view *uplink = NULL, *host = NULL;

	for (unsigned i = 0; i < net->nmembers; i++) {
		if (net->members[i]->uplink)
			uplink = net->members[i];
		if (net->members[i]->beside_uplink)
			host = net->members[i];
	}
	if (uplink && host) {
		uplink->besides = host;
		host->besides = uplink;
	}
}

bool apply_view_net(struct snapshot *s, struct net_view *view, const struct live_net *net)
{
	view->net_id = net->net_id;
	view->mtu = net->conf->mtu;
	view->wire = net->conf->wire;
	view->fdb = net->fdb;
	view->owners = net->owners;
	view->snoop = net->snoop;
	view->members = calloc(HASH_COUNT(net->ports) + 1, sizeof(*view->members));
	if (!view->members || !fill_segments(s, view, net))
		return false;
	fill_local(s, view, net);
	for (const struct live_port *p = net->ports; p; p = p->hh.next)
		if (p->port && !fill_port(s, view, p))
			return false;
	fill_besides(view);
	return true;
}
