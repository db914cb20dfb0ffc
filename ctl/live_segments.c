// SPDX-License-Identifier: GPL-2.0-or-later
/* The segments of a network together: which there are by the model, and on which of them a port is. */
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/live_ra.h"
#include "dhcp/lease.h"
#include "dhcp/names.h"
#include "switch/station.h"
#include "switch/vlan.h"

static struct live_segment *find(const struct live_net *net, uint16_t vid)
{
	struct live_segment *seg;

	LIST_FOREACH(seg, &net->segments, link)
		if (seg->vid == vid && !seg->leaving)
			return seg;
	return NULL;
}

/* ---- the model's ---- */

static const struct segment_conf *conf_of(const struct net_conf *net, uint16_t vid)
{
	for (size_t i = 0; i < net->nsegments; i++)
		if (net->segments[i].vid == vid)
			return &net->segments[i];
	return NULL;
}

/* another() - has a segment other addresses now, so that what is known of its guests is wrong? */
static bool another(const struct net_conf *a, const struct net_conf *b)
{
	return a->subnet.addr != b->subnet.addr || a->subnet.len != b->subnet.len || a->gateway != b->gateway ||
	       a->dhcp_enabled != b->dhcp_enabled || a->subnet6.len != b->subnet6.len || !addr_equal(a->subnet6.addr, b->subnet6.addr);
}

static void leave(struct live_segment *seg)
{
	lease_store_drop(seg);
	lease6_store_drop(seg);
	live_ra_retire(seg->net, seg);
	seg->leaving = true;
	for (struct live_port *p = seg->net->ports; p; p = p->hh.next)
		if (p->segment == seg)
			p->segment = seg->net->segment;
}

static void make_missing(struct live_net *net)
{
	for (size_t i = 0; i < net->conf->nsegments; i++) {
		const struct segment_conf *conf = &net->conf->segments[i];

		if (find(net, conf->vid))
			continue;
		if (!live_segment_new(net, NULL, conf->vid, &conf->net) || live_ra_start(net) < 0)
			log_error("net=%s vlan=%u event=segment-failed reason=\"out of memory\"", net->name, conf->vid);
		else
			live_ra_soon(net);
	}
}

void live_segments_configure(struct live_net *net)
{
	struct live_segment *seg;

	LIST_FOREACH(seg, &net->segments, link) {
		const struct segment_conf *own = conf_of(net->conf, seg->vid);
		const struct net_conf *conf = own ? &own->net : net->conf;

		if (!seg->leaving && !seg->only && seg->vid != VID_DEFAULT && (!own || another(seg->conf, conf)))
			leave(seg);
		if (seg->leaving)
			continue;
		seg->conf = conf;
		live_segment_configure(seg);
	}
	make_missing(net);
	for (struct live_port *p = net->ports; net->segment && p; p = p->hh.next)
		p->segment = live_segment_home(net, p->conf);
}

void live_segments_settle(struct engine *e)
{
	struct live_segment *seg, *next;
	bool waited = false;

	for (struct live_net *net = e->nets; net; net = net->hh.next)
		for (seg = LIST_FIRST(&net->segments); seg; seg = next) {
			next = LIST_NEXT(seg, link);
			if (!seg->leaving || seg->only)
				continue;
			if (!waited)
				urcu_qsbr_synchronize_rcu();
			waited = true;
			live_segment_free(seg);
		}
}

void live_segments_free(struct live_net *net)
{
	struct live_segment *seg;

	while ((seg = LIST_FIRST(&net->segments)) && !seg->only)
		live_segment_free(seg);
}

/* ---- a port's ---- */

bool live_segment_on(const struct live_segment *seg, const struct port_conf *conf)
{
	if (conf->vlan_mode != PORT_VLAN_TRUNK)
		return conf->pvid == seg->vid;
	return conf->native == seg->vid || port_carries(conf, seg->vid);
}

struct live_segment *live_segment_home(const struct live_net *net, const struct port_conf *conf)
{
	struct live_segment *seg = find(net, conf->vlan_mode == PORT_VLAN_TRUNK ? conf->native : conf->pvid);

	return seg ? seg : net->segment;
}

struct live_segment *live_segment_at(const struct live_port *p, uint16_t vid)
{
	return p->segment && p->segment->only ? p->segment : find(p->net, vid);
}

static void port_gone(struct live_segment *seg, const struct live_port *p)
{
	if (seg->leases && !p->net->replaced)
		lease_port_gone(seg->leases, p->name, (int64_t)(clock_wall_ms() / 1000));
	if (seg->leases6 && !p->net->replaced)
		lease6_port_gone(seg->leases6, p->name, (int64_t)(clock_wall_ms() / 1000));
	if (seg->names)
		names_remove_host(seg->names, p->name);
}

void live_segments_moved(struct live_port *p, const struct port_conf *old)
{
	struct live_segment *seg;

	if (!p->net->segment)
		return;
	LIST_FOREACH(seg, &p->net->segments, link)
		if (live_segment_on(seg, old) && !live_segment_on(seg, p->conf)) {
			port_gone(seg, p);
			stations_forget_port(seg->stations, p->id);
		}
	p->segment = live_segment_home(p->net, p->conf);
}

void live_segment_leave(struct live_port *p)
{
	struct live_segment *seg = p->segment;

	if (seg->only) {
		seg->leaving = true;
		if (!p->net->replaced) {
			lease_store_drop(seg);
			lease6_store_drop(seg);
		}
		if (seg->names)
			names_remove_host(seg->names, p->name);
		return;
	}
	LIST_FOREACH(seg, &p->net->segments, link)
		port_gone(seg, p);
}

void live_segment_forget(const struct live_port *p)
{
	struct live_segment *seg;

	LIST_FOREACH(seg, &p->net->segments, link)
		if (!seg->only)
			stations_forget_port(seg->stations, p->id);
}
