// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/build.h"
#include "switch/fdb.h"
#include "switch/guard.h"
#include "switch/local.h"
#include "switch/snoop.h"
#include "switch/station.h"
#include "tests/packet/rig_kind.h"

enum { FDB_ENTRIES = 4096, FDB_AGE_MS = 300000, STATIONS = 256 };

/* ThreadSanitizer cannot see into liburcu, which orders a callback after all that was done before call_rcu() */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:liburcu-qsbr\nrace:free_rcu\nrace:free_port\n";
}

struct rig *rig_new(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	must(rig);
	urcu_qsbr_register_thread();
	rig->w = worker_new(0, &rig->snapshot);
	must(rig->w);
	return rig;
}

static void publish(struct rig *rig, struct snapshot *next)
{
	struct snapshot *old = rcu_xchg_pointer(&rig->snapshot, next);

	snapshot_release(old);
}

void rig_free(struct rig *rig)
{
	for (unsigned i = 0; i < rig->nids; i++)
		if (rig->ports[i])
			rig_remove(rig->ports[i]);
	worker_turn(rig->w, 0);
	publish(rig, NULL);
	for (unsigned i = 0; i < rig->nnets; i++) {
		port_release(rig->nets[i].local);
		for (unsigned j = 0; j < rig->nets[i].nsegments; j++)
			stations_free(rig->nets[i].segments[j].stations);
	}
	urcu_qsbr_barrier();
	for (unsigned i = 0; i < rig->nnets; i++) {
		fdb_free(rig->nets[i].fdb);
		fdb_free(rig->nets[i].owners);
		snoop_free(rig->nets[i].snoop);
	}
	worker_free(rig->w);
	urcu_qsbr_unregister_thread();
	free(rig);
}

unsigned rig_net(struct rig *rig, uint32_t mtu, bool local)
{
	struct rig_net *net = &rig->nets[rig->nnets];

	must(rig->nnets < RIG_NETS);
	net->mtu = mtu;
	net->fdb = fdb_new(FDB_ENTRIES, RIG_PORTS, FDB_AGE_MS);
	net->owners = fdb_new(FDB_ENTRIES, RIG_PORTS, FDB_AGE_MS);
	must(net->fdb && net->owners);
	if (local) {
		net->local = local_new(1);
		must(net->local);
		net->local->id = rig->nids++;
	}
	return rig->nnets++;
}

void rig_gateway_mac(unsigned net, uint16_t vid, uint8_t mac[6])
{
	static const uint8_t gateway[4] = { 0x02, 0x67, 0x77, 0 };

	memcpy(mac, gateway, 4);
	mac[3] = (uint8_t)net;
	put_u16(mac + 4, vid);
}

struct segment *rig_segment(struct rig *rig, unsigned net, uint16_t vid, struct service *service)
{
	struct rig_net *n = &rig->nets[net];
	struct segment *s = &n->segments[n->nsegments++];

	must(n->nsegments <= RIG_SEGMENTS);
	*s = (struct segment){ .vid = vid, .has_subnet = true };
	s->subnet = (struct prefix4){ 0x0a000000u | net << 8, 24 };
	s->gateway = s->subnet.addr + 1;
	rig_gateway_mac(net, vid, s->gateway_mac);
	s->stations = stations_new(STATIONS);
	must(s->stations);
	if (service)
		s->services[s->nservices++] = service;
	return s;
}

struct vlan_conf rig_access(uint16_t vid)
{
	return (struct vlan_conf){ .pvid = vid };
}

struct vlan_conf rig_trunk(uint16_t native, uint16_t first, uint16_t last)
{
	struct vlan_conf conf = { .trunk = true, .pvid = native };

	for (uint16_t v = first; v <= last; v++)
		vlan_list(&conf, v);
	return conf;
}

struct rig_port *rig_port(struct rig *rig, unsigned net, struct vlan_conf vlan)
{
	struct rig_port *p = rig_kind_new(rig);

	must(rig->nids < RIG_PORTS);
	p->port.id = rig->nids++;
	rig->ports[p->port.id] = p;
	p->net = net;
	p->vlan = vlan;
	p->link_up = true;
	must(worker_add_port(&rig->w, 1, &p->port) == 0);
	return p;
}

struct rig_port *rig_port_alone(struct rig *rig, unsigned net, struct service *service, struct segment **segment)
{
	uint16_t vid = (uint16_t)(VID_ALONE_FIRST + rig->nids);
	struct rig_port *p = rig_port(rig, net, rig_access(vid));
	struct segment *s = rig_segment(rig, net, vid, service);

	p->alone = true;
	s->subnet.addr = 0x0a000200;
	s->gateway = 0x0a000202;
	s->dns = 0x0a000203;
	s->guest = 0x0a00020f;
	rig_gateway_mac(net, 0, s->gateway_mac);	/* they all know the same gateway */
	*segment = s;
	return p;
}

static struct port_view *join(struct snapshot *s, struct net_view *net, struct port *port, struct port_view view)
{
	struct port_view *v = &s->ports[port->id];

	*v = view;
	v->port = port;
	v->net = net;
	if (view.vlan.map) {		/* the snapshot owns its copy */
		v->vlan.map = malloc(sizeof(*v->vlan.map));
		must(v->vlan.map);
		*v->vlan.map = *view.vlan.map;
	}
	net->members[net->nmembers++] = v;
	return v;
}

static void join_alone(struct net_view *net, struct port_view *v)
{
	for (unsigned i = 0; i < net->nsegments; i++)
		if (net->segments[i].vid == v->vlan.pvid) {
			v->own = &net->segments[i];
			net->segments[i].only = v;
		}
}

static void fill_net(struct snapshot *s, struct net_view *view, const struct rig *rig, unsigned i)
{
	const struct rig_net *net = &rig->nets[i];

	*view = (struct net_view){ .net_id = i + 1, .mtu = net->mtu, .wire = net->wire, .fdb = net->fdb, .owners = net->owners, .snoop = net->snoop, .nsegments = net->nsegments };
	view->members = calloc(RIG_PORTS, sizeof(*view->members));
	view->segments = calloc(RIG_SEGMENTS, sizeof(*view->segments));
	view->promiscuous = calloc(RIG_PORTS, sizeof(*view->promiscuous));
	must(view->members && view->segments && view->promiscuous);
	memcpy(view->segments, net->segments, sizeof(net->segments));
	for (unsigned j = 0; j < net->nsegments; j++)
		view->segments[j].net = view;
	if (net->local) {
		struct port_view local = { .vlan = rig_trunk(0, 1, VID_MAX), .link_up = true, .local = true };

		join(s, view, net->local, local);
	}
	for (unsigned j = 0; j < rig->nids; j++) {
		struct rig_port *p = rig->ports[j];

		if (p && p->net == i) {
			struct port_view is = { .vlan = p->vlan, .link_up = p->link_up, .stages_in = p->stages_in, .stages_out = p->stages_out,
						.guard = p->guard, .policy = p->policy, .shape = p->shape };
			struct port_view *v = join(s, view, &p->port, is);

			if (p->alone)
				join_alone(view, v);
			if (p->promiscuous)
				view->promiscuous[view->npromiscuous++] = v;
		}
	}
}

void rig_publish(struct rig *rig)
{
	struct snapshot *s = snapshot_new(rig->nids, rig->nnets);

	must(s);
	for (unsigned i = 0; i < rig->nnets; i++)
		fill_net(s, &s->nets[i], rig, i);
	if (rig->complete)
		rig->complete(rig, s);
	publish(rig, s);
	worker_turn(rig->w, 0);		/* new ports are watched from here on */
}

void rig_remove(struct rig_port *p)
{
	struct rig *rig = p->rig;

	rig->ports[p->port.id] = NULL;
	rig_publish(rig);
	guard_release(p->guard);
	rig_kind_drop(p);
	worker_remove_port(&p->port);
}

void rig_run(struct rig *rig)
{
	bool waiting = true;

	while (waiting) {
		waiting = false;
		worker_turn(rig->w, 0);
		for (unsigned i = 0; i < rig->nids; i++)
			waiting |= rig->ports[i] && rig->ports[i]->nwire;
	}
	worker_turn(rig->w, 0);
}

void rig_clear(struct rig *rig)
{
	for (unsigned i = 0; i < rig->nids; i++)
		if (rig->ports[i])
			rig_kind_clear(rig->ports[i]);
}

struct port_stats rig_stats(const struct port *port)
{
	struct port_stats sum;

	stats_sum(port->stats, port->nstats, &sum);
	return sum;
}

bool rig_identities(const struct port *port)
{
	struct port_stats s = rig_stats(port);
	uint64_t ended = 0;

	for (unsigned v = 0; v < VERDICT_COUNT; v++)
		ended += s.verdicts[v];
	return s.rx_frames + s.made == ended && s.queued == s.tx_frames + s.tx_drops;
}

uint64_t rig_verdict(const struct rig_port *p, enum verdict v)
{
	return rig_stats(&p->port).verdicts[v];
}

/* answer() - an ARP reply to whoever asked, as the gateway does */
static void answer(struct rig_service *s, struct worker *w, const struct arrival *a, const struct packet *p)
{
	uint8_t *to = s->together ? worker_reply_room(w) : worker_scratch(w);
	const uint8_t *asker = p->data + 6;
	uint32_t len = build_arp(to, ARP_REPLY, a->segment->gateway_mac, addr_4(p->dst), asker, addr_4(p->src), asker);
	struct frame f;

	s->made++;
	if (s->together) {
		worker_reply(w, a->local_port, len, a->segment->vid);
		return;
	}
	frame_init(&f, to, len);
	f.vid = a->segment->vid;
	s->taken += worker_emit(w, a->local_port, &f, 1);
}

static bool service_input(struct service *service, struct worker *w, const struct arrival *a, const struct packet *p,
			  enum verdict *verdict)
{
	struct rig_service *s = container_of(service, struct rig_service, service);

	if (!a->trial) {
		s->seen++;
		s->last = *p;
		s->last_vid = a->segment->vid;
	}
	if (s->answers && !a->trial && p->arp_op == ARP_REQUEST)
		answer(s, w, a, p);
	if (s->verdict == VERDICT_COUNT)
		return false;
	*verdict = s->verdict;
	return true;
}

static const struct service_ops service_ops = { .name = "rig", .input = service_input };

void rig_service_init(struct rig_service *s, enum verdict verdict)
{
	*s = (struct rig_service){ .service.ops = &service_ops, .verdict = verdict };
}

uint32_t rig_eth(uint8_t *to, const uint8_t dst[6], const uint8_t src[6], int tci, uint16_t ethertype, uint32_t payload)
{
	struct writer w = writer_init(to, ETH_HEADER + VLAN_TAG + payload);

	write_bytes(&w, dst, 6);
	write_bytes(&w, src, 6);
	if (tci >= 0) {
		write_u16(&w, ETHERTYPE_CTAG);
		write_u16(&w, (uint16_t)tci);
	}
	write_u16(&w, ethertype);
	for (uint32_t i = 0; i < payload; i++)
		write_u8(&w, (uint8_t)i);
	return (uint32_t)w.pos;
}
