// SPDX-License-Identifier: GPL-2.0-or-later
/* From a model to running objects, and from those to the snapshot that workers see.
 *
 * apply_prepare() opens what may fail and can be told to the user; nothing visible changes. apply_commit() then cannot fail:
 * objects that left the model are taken out, those that changed are told, new ones are made, and one
 * snapshot is published. Only after that are removed objects freed, each after its grace period. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/apply_view.h"
#include "ctl/changes.h"
#include "base/log.h"
#include "ctl/engine.h"
#include "ctl/live_capture.h"
#include "ctl/live_guard.h"
#include "ctl/live_hostif.h"
#include "ctl/live_kernel.h"
#include "ctl/live_peer.h"
#include "ctl/live_ra.h"
#include "ctl/live_nat.h"
#include "ctl/live_policy.h"
#include "ctl/live_shape.h"
#include "ctl/live_wire.h"
#include "ctl/state.h"
#include "switch/forward.h"
#include "switch/shape.h"
#include "switch/snapshot.h"
#include "switch/subnets.h"
#include "switch/worker.h"

/* ---- snapshot ---- */

static unsigned ids_in_use(const struct engine *e)
{
	unsigned n = PORT_IDS;

	while (n && !e->by_id[n - 1])
		n--;
	return n;
}

/* Without memory the old snapshot stays in force; the next publication catches up. */
bool apply_publish(struct engine *e)
{
	struct snapshot *next = snapshot_new(ids_in_use(e), HASH_COUNT(e->nets)), *old;
	unsigned n = 0;

	for (struct live_net *net = e->nets; next && net; net = net->hh.next) {
		if (!apply_view_net(next, &next->nets[n++], net)) {
			snapshot_free(next);
			next = NULL;
		}
	}
	if (next && !live_observers_fill(e, next)) {
		snapshot_free(next);
		next = NULL;
	}
	if (!next) {
		log_error("event=publish-failed reason=\"out of memory\"");
		return false;
	}
	live_peers_fill(e, next);
	next->subnets = subnets_new(next);	/* without memory lookups are slower, no more */
	next->generation = ++e->generation;
	old = rcu_xchg_pointer(&e->snapshot, next);
	snapshot_release(old);
	live_net_settle(e);
	live_ports_settle(e);
	live_peers_settle(e);
	live_captures_settle(e);
	return true;
}

/* ---- model ---- */

static bool same_device(const struct port_conf *a, const struct port_conf *b)
{
	return a->kind == b->kind && a->role == b->role && a->queues == b->queues && !strcmp(a->path, b->path) &&
	       !strcmp(a->local, b->local) && !strcmp(a->remote, b->remote) &&
	       !strcmp(a->ifname, b->ifname) && !strcmp(a->netns, b->netns) && a->transient == b->transient && !memcmp(a->mac, b->mac, MAC_SIZE);
}

/* prepare_port() - open the device of a port that is new or has another device now */
static int prepare_port(struct engine *e, const struct net_conf *net, const struct port_conf *conf, struct error *err)
{
	const struct port_conf *old = net_port(model_net(e->model, net->name), conf->name);
	struct opened *o;
	int rc;

	if (old && same_device(old, conf))
		return conf->kind == PORT_KIND_HOST ? live_hostif_prepare(e, net, err) : 0;
	if (opened_find(e, net->name, conf->name))
		return 0;
	o = calloc(1, sizeof(*o));
	if (!o)
		return error_set(err, -ENOMEM, "port %s/%s: out of memory", net->name, conf->name);
	rc = live_port_open(e, net, conf, o, err);
	if (rc < 0) {
		free(o);
		if (conf->kind == PORT_KIND_HOST && live_wire_does_without(net, rc))
			return 0;	/* guests reach the LAN all the same; the port says why it is not up */
		if (conf->kind == PORT_KIND_HOST || conf->kind == PORT_KIND_UPLINK)
			error_prefix(err, "network %s", net->name);
		else
			error_prefix(err, "port %s/%s", net->name, conf->name);
		return rc;
	}
	LIST_INSERT_HEAD(&e->opened, o, link);
	return 0;
}

int apply_prepare(struct engine *e, const struct model *next, struct error *err)
{
	size_t ports = 0;
	int rc;

	for (size_t i = 0; i < next->nnetworks; i++)
		ports += next->networks[i].nports + 1;
	if (ports >= PORT_IDS)
		return error_set(err, -ENOSPC, "all networks together may have %d ports", PORT_IDS - 1);
	rc = live_forward_check(next, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < next->nnetworks; i++) {
		const struct net_conf *net = &next->networks[i];

		for (size_t j = 0; j < net->nports; j++) {
			rc = prepare_port(e, net, &net->ports[j], err);
			if (rc < 0) {
				apply_cancel(e);
				return rc;
			}
		}
	}
	return 0;
}

void apply_cancel(struct engine *e)
{
	live_hostif_restore(e);
	while (!LIST_EMPTY(&e->opened))
		opened_free(e, LIST_FIRST(&e->opened), true);
}

static void remove_ports(struct live_net *net, const struct net_conf *conf)
{
	struct live_port *p, *tmp;

	HASH_ITER(hh, net->ports, p, tmp) {
		const struct port_conf *next = net_port(conf, p->name);

		if (!next || !same_device(p->conf, next))
			live_port_remove(p);
	}
}

/* remove_forwards() - when this returns, their host ports take nobody any more and are free */
static void remove_forwards(struct live_net *net, const struct net_conf *conf)
{
	struct engine *e = net->engine;
	struct live_forward *f, *tmp;
	bool some = false, udp = false;

	HASH_ITER(hh, net->forwards, f, tmp) {
		const struct forward_conf *next = net_forward(conf, f->id);

		if (next && forward_same_sockets(f->conf, next))
			continue;	/* add_members() tells it where it leads now */
		udp |= f->conf->proto == IPPROTO_UDP;
		live_forward_remove(f);
		some = true;
	}
	for (unsigned i = 0; some && i < e->nworkers; i++)
		worker_sync(e->workers[i]);
	if (udp)
		urcu_qsbr_barrier();	/* a UDP port is free when its socket is closed, after a grace period */
}

/* another_network() - may this network go on running under its new settings, or is it another one of the same name? */
static bool another_network(const struct net_conf *a, const struct net_conf *b)
{
	return a->mode != b->mode || a->has_host != b->has_host || a->has_subnet != b->has_subnet || a->dns_enabled != b->dns_enabled ||
	       a->dhcp_enabled != b->dhcp_enabled || a->subnet.addr != b->subnet.addr || a->subnet.len != b->subnet.len ||
	       a->gateway != b->gateway || a->subnet6.len != b->subnet6.len ||
	       !addr_equal(a->subnet6.addr, b->subnet6.addr) || strcmp(a->domain, b->domain) != 0;
}

/* keep_devices() - guests stay plugged in when their network is made anew under other settings */
static void keep_devices(struct live_net *net, const struct net_conf *next)
{
	for (struct live_port *p = net->ports; p; p = p->hh.next) {
		const struct port_conf *pc = net_port(next, p->name);

		if (pc && same_device(p->conf, pc))
			live_port_keep(p);
	}
}

/* was_kernels() - did the host's kernel translate for it, and does it no more while the host stays its gateway? */
static bool was_kernels(const struct model *old, const struct net_conf *conf)
{
	const struct net_conf *was = model_net(old, conf->name);

	return conf->has_host && !conf->has_nat && was && was->has_host && was->has_nat;
}

static void remove_net(struct live_net *net)
{
	remove_forwards(net, NULL);
	remove_ports(net, NULL);
	HASH_DEL(net->engine->nets, net);
}

/* keep_port() - it stays as it is; its VLANs and whether its link is up may have changed */
static void keep_port(struct live_port *p, const struct port_conf *conf)
{
	const struct port_conf *old = p->conf;

	p->conf = conf;
	live_segments_moved(p, old);
	if (old->link_up == conf->link_up)
		return;
	if (p->port && (p->state == LIVE_UP || p->state == LIVE_DOWN))
		live_port_state(p, conf->link_up ? LIVE_UP : LIVE_DOWN, "");
	live_port_carrier(p);
}

static void add_members(struct live_net *net)
{
	struct engine *e = net->engine;
	const struct net_conf *conf = net->conf;

	for (size_t i = 0; i < conf->nports; i++) {
		const struct port_conf *pc = &conf->ports[i];
		struct live_port *p;

		HASH_FIND_STR(net->ports, pc->name, p);
		if (p) {
			keep_port(p, pc);
			continue;
		}
		p = live_port_new(net, pc);
		if (p)
			live_port_start(p, opened_find(e, net->name, pc->name));
	}
	for (size_t i = 0; i < conf->nforwards; i++) {
		const struct forward_conf *fc = &conf->forwards[i];
		struct live_forward *f;

		HASH_FIND_STR(net->forwards, fc->id, f);
		if (f) {
			f->as_before &= forward_equal(f->conf, fc);
			f->conf = fc;
			live_forward_retarget(f);
		} else if ((f = live_forward_new(net, fc))) {
			live_forward_start(f);
		}
	}
}

/* free_nets() - they have left the published snapshot: wait, for a turn of the workers at most, until nobody sees them */
static void free_nets(struct live_net *gone)
{
	struct live_net *net, *tmp;

	if (!gone)
		return;
	for (net = gone; net; net = net->hh.next)
		live_nat_stop(net);
	urcu_qsbr_synchronize_rcu();
	HASH_ITER(hh, gone, net, tmp) {
		HASH_DEL(gone, net);
		live_net_free(net);
	}
}

static void load_leases(struct engine *e)
{
	struct lease6_rows *rows = lease6_store_read(e);
	struct live_ra_rows *told = live_ra_read(e);
	struct live_segment *seg;

	lease_store_load(e);
	lease6_store_place(e, rows);
	live_ra_place(e, told);
	if (state_behind_s(e->state) == 0)
		return;
	log_warn("event=clock-behind seconds=%lld effect=\"leases end as many seconds earlier than was stored\"", (long long)state_behind_s(e->state));
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		LIST_FOREACH(seg, &net->segments, link)
			lease_store_again(seg);
}

void apply_commit(struct engine *e, struct model *next)
{
	struct live_net *net, *tmp, *gone = NULL;
	struct model *old = e->model;

	HASH_ITER(hh, e->nets, net, tmp) {
		const struct net_conf *conf = model_net(next, net->name);

		if (conf && !another_network(net->conf, conf)) {
			remove_forwards(net, conf);
			remove_ports(net, conf);
			live_net_configure(net, conf);
			continue;
		}
		net->replaced = conf != NULL;
		if (!conf || !addr_equal(conf->subnet6.addr, net->conf->subnet6.addr))
			live_ra_bye(net);	/* its ports are there for as long as the snapshot is */
		if (conf)
			keep_devices(net, conf);
		remove_net(net);
		HASH_ADD_STR(gone, name, net);
	}
	e->model = next;
	e->hostif_changed = false;
	for (size_t i = 0; i < next->nnetworks; i++) {
		net = live_net_find(e, next->networks[i].name);
		if (!net) {
			net = live_net_new(e, &next->networks[i]);
			HASH_FIND_STR(gone, next->networks[i].name, tmp);
		} else {
			tmp = NULL;
		}
		if (net) {
			add_members(net);
			live_policy_configure(net);
			live_shape_configure(net);
			live_guard_configure(net);
		}
		if (net && tmp) {
			lease_inherit(net, tmp);
			lease6_inherit(net, tmp);
			live_ra_inherit(net, tmp);
		}
	}
	live_peers_configure(e);
	apply_cancel(e);		/* nothing should be left; if it is, it is closed */
	if (e->generation == 0)
		load_leases(e);		/* before a frame passes: who asks in the meantime must not hear that a name does not exist */
	for (net = e->generation ? e->nets : NULL; net; net = net->hh.next) {
		if (was_kernels(old, net->conf))
			live_kernel_leave(net);
		live_kernel_push(net);
	}
	if (apply_publish(e)) {		/* else workers still see them: better kept than freed */
		live_segments_settle(e);
		free_nets(gone);
	}
	model_free(old);
}
