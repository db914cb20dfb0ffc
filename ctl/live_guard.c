// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_guard.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/engine.h"
#include "switch/fdb.h"
#include "switch/forward.h"
#include "switch/guard.h"
#include "switch/snapshot.h"
#include "switch/stage.h"
#include "switch/station.h"

enum { OWNERS = 4096, OWNER_AGE_MS = 300000 };

/* retired - a guard that workers may still see */
struct guard_retired {
	struct guard *guard;
	struct guard_retired *next;
};

static bool is_on(uint8_t when, bool own)
{
	return when == GUARD_WHEN_ON || (when == GUARD_WHEN_AUTO && own);
}

/* flags_for() - in mode nat nobody but the gateway hears what a guest says */
static uint32_t flags_for(const struct net_conf *net, const struct guards_conf *g)
{
	bool heard = net->has_subnet && net->mode != NET_NAT;
	uint32_t flags = heard ? GUARD_GATEWAY : 0;

	flags |= g->own_mac ? GUARD_OWN_MAC : 0;
	flags |= g->own_ip ? GUARD_OWN_IP : 0;
	flags |= is_on(g->dhcp, heard && net->dhcp_enabled) ? GUARD_DHCP : 0;
	flags |= is_on(g->router, heard && net->subnet6.len) ? GUARD_ROUTER : 0;
	return flags;
}

static void add_fixed(struct guard_conf *to, struct addr a)
{
	if (to->nfixed < ARRAY_SIZE(to->fixed))
		to->fixed[to->nfixed++] = a;
}

static void wanted(const struct live_port *p, struct guard_conf *to)
{
	const struct net_conf *net = p->net->conf;
	const struct guards_conf *g = &p->conf->guard;

	memset(to, 0, sizeof(*to));	/* compared by memcmp() */
	if (p->conf->kind == PORT_KIND_HOST || p->conf->kind == PORT_KIND_UPLINK)
		return;
	to->flags = flags_for(net, g);
	to->max_macs = g->max_macs;
	to->storm[STORM_BROADCAST] = g->broadcast;
	to->storm[STORM_MULTICAST] = g->multicast;
	to->storm[STORM_UNKNOWN] = g->unknown;
	memcpy(to->macs[to->nmacs++], p->conf->mac, MAC_SIZE);
	for (unsigned i = 0; i < g->macs.n; i++)
		memcpy(to->macs[to->nmacs++], g->macs.of[i], MAC_SIZE);
	to->vid = p->conf->vlan_mode == PORT_VLAN_TRUNK ? p->conf->native : p->conf->pvid;
	for (unsigned i = 0; i < g->addresses.n; i++)
		add_fixed(to, g->addresses.of[i]);
	if (g->own_ip && net_port_reservation(net, p->name))
		add_fixed(to, addr4(net_port_reservation(net, p->name)->of.ip));
}

static bool is_needed(const struct guard_conf *conf)
{
	return conf->flags || conf->max_macs || conf->nmacs > 1 || conf->storm[STORM_BROADCAST] || conf->storm[STORM_MULTICAST] || conf->storm[STORM_UNKNOWN];
}

/* retire() - without memory it is kept for good rather than freed under somebody's eyes */
static void retire(struct engine *e, struct guard *guard)
{
	struct guard_retired *r = guard ? malloc(sizeof(*r)) : NULL;

	if (!r)
		return;
	*r = (struct guard_retired){ guard, e->guards_retired };
	e->guards_retired = r;
}

void live_guard_settle(struct engine *e)
{
	while (e->guards_retired) {
		struct guard_retired *r = e->guards_retired;

		e->guards_retired = r->next;
		guard_release(r->guard);
		free(r);
	}
}

void live_guard_leave(struct live_port *p)
{
	guard_release(p->guard);
	p->guard = NULL;
}

void live_guard_leases(struct live_port *p)
{
	struct station seen[MAX_STATIONS_PER_PORT];
	uint32_t leased[GUARD_ADDRESSES];
	uint64_t low[GUARD_ADDRESSES];
	struct live_segment *seg;
	unsigned n = 0, n6 = 0;

	if (!p->guard || !(guard_conf(p->guard)->flags & GUARD_OWN_IP))
		return;
	LIST_FOREACH(seg, &p->net->segments, link) {
		unsigned there = stations_each(seg->stations, p->id, seen, ARRAY_SIZE(seen));

		for (unsigned i = 0; i < MIN_OF(there, (unsigned)ARRAY_SIZE(seen)); i++)
			if (seen[i].source == STATION_DHCP && addr_is4(seen[i].ip) && n < ARRAY_SIZE(leased))
				leased[n++] = addr_4(seen[i].ip);
			else if (seen[i].source == STATION_DHCP && !addr_is4(seen[i].ip) && n6 < ARRAY_SIZE(low))
				low[n6++] = be64toh(seen[i].ip.halves[1]);
	}
	guard_lease(p->guard, leased, n);
	guard_lease6(p->guard, low, n6);
}

/* settle_macs() - those that live at the port for good, in the VLAN of its untagged frames */
static void settle_macs(struct live_port *p, const struct guard_conf *conf, bool add)
{
	for (unsigned i = 1; conf->vid && i < conf->nmacs; i++) {
		if (!add)
			fdb_remove_static(p->net->fdb, conf->vid, conf->macs[i], p->id);
		else if (fdb_add_static(p->net->fdb, conf->vid, conf->macs[i], p->id) < 0)
			log_warn("net=%s port=%s event=fdb-full", p->net->name, p->name);
	}
}

/* configure() - a port keeps its former guard, and its rules, when there is no memory for another */
static void configure(struct live_port *p)
{
	struct guard_conf conf;
	struct guard *next;

	wanted(p, &conf);
	if (p->guard && !memcmp(&conf, guard_conf(p->guard), sizeof(conf)))
		return;
	if (!p->guard && !is_needed(&conf))
		return;
	next = is_needed(&conf) ? guard_new(&conf) : NULL;
	if (is_needed(&conf) && !next) {
		log_error("net=%s port=%s event=guard-failed reason=\"out of memory\"", p->net->name, p->name);
		return;
	}
	if (p->guard)
		settle_macs(p, guard_conf(p->guard), false);
	settle_macs(p, &conf, true);
	retire(p->net->engine, p->guard);
	p->guard = next;
	if (conf.flags & GUARD_OWN_IP && !p->net->owners)
		p->net->owners = fdb_new(OWNERS, PORT_IDS, OWNER_AGE_MS);
	live_guard_leases(p);
}

void live_guard_configure(struct live_net *net)
{
	for (struct live_port *p = net->ports; p; p = p->hh.next)
		configure(p);
}

/* is_given_all() - note a port that is given every frame of its VLANs. Return: false when out of memory */
static bool is_given_all(struct net_view *net, struct port_view *view, unsigned nports)
{
	if (!net->promiscuous)
		net->promiscuous = calloc(nports, sizeof(*net->promiscuous));
	if (net->promiscuous)
		net->promiscuous[net->npromiscuous++] = view;
	return net->promiscuous;
}

bool live_guard_fill(struct port_view *view, const struct live_port *p)
{
	view->guard = p->guard;
	if (p->guard)
		view->stages_in |= STAGE_GUARD;
	if (p->conf->guard.isolated)
		view->stages_out |= STAGE_ISOLATED;
	return !p->conf->guard.promiscuous || is_given_all(view->net, view, HASH_COUNT(p->net->ports));
}
