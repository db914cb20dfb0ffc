// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "ctl/engine.h"
#include "ctl/live_ra.h"
#include "nat/peer.h"
#include "nat/peer_flow.h"
#include "switch/port.h"
#include "switch/snapshot.h"

/* live_peering - two networks that are not open to one another both ways, and what was opened between them */
struct live_peering {
	struct rcu_head rcu;
	uint32_t ids[2];
	struct peer_flows *flows;
	bool wanted;
	LIST_ENTRY(live_peering) link;
};

/* pair_fn() - once for two networks that are peers; @ab, @ba: what may be opened */
typedef void pair_fn(struct engine *e, struct live_net *a, struct live_net *b, const struct peer_rules *ab, const struct peer_rules *ba,
		     void *arg);

static bool names(const struct live_net *net, const char *other)
{
	for (size_t i = 0; i < net->conf->npeers; i++)
		if (!strcmp(net->conf->peers[i].name, other))
			return true;
	return false;
}

static void each_pair(struct engine *e, pair_fn *each, void *arg)
{
	for (struct live_net *a = e->nets; a; a = a->hh.next)
		for (size_t i = 0; i < a->conf->npeers; i++) {
			struct live_net *b = live_net_find(e, a->conf->peers[i].name);
			struct peer_rules ab, ba;

			if (!b || (names(b, a->name) && a->net_id > b->net_id))
				continue;	/* where each names the other, the older one's turn is enough */
			peering_of(a->conf, b->conf, &ab);
			peering_of(b->conf, a->conf, &ba);
			each(e, a, b, &ab, &ba, arg);
		}
}

static struct live_peering *find(struct engine *e, const struct live_net *a, const struct live_net *b)
{
	struct live_peering *p;

	LIST_FOREACH(p, &e->peerings, link)
		if ((p->ids[0] == a->net_id && p->ids[1] == b->net_id) || (p->ids[0] == b->net_id && p->ids[1] == a->net_id))
			return p;
	return NULL;
}

/* ---- configure ---- */

static void want_service(struct live_net *net)
{
	if (!net->peers)
		net->peers = peer_service_new(!net->nat_state);
	if (!net->peers)
		log_error("net=%s event=peer-failed reason=\"out of memory\"", net->name);
}

/* tell_way() - to guests that have no default route */
static void tell_way(struct live_net *net, const struct live_net *other)
{
	struct dhcp_conf *conf = net->segment ? &net->segment->server.conf : NULL;

	if (!conf || net->conf->has_router || conf->nroutes == ARRAY_SIZE(conf->routes))
		return;
	memset(&conf->routes[conf->nroutes], 0, sizeof(conf->routes[0]));	/* padding too: they are compared */
	conf->routes[conf->nroutes].addr = other->conf->subnet.addr;
	conf->routes[conf->nroutes++].len = other->conf->subnet.len;
}

static void want(struct engine *e, struct live_net *a, struct live_net *b, const struct peer_rules *ab, const struct peer_rules *ba, void *arg)
{
	struct live_peering *p = find(e, a, b);

	(void)arg;
	want_service(a);
	want_service(b);
	tell_way(a, b);
	tell_way(b, a);
	if (ab->all && ba->all)
		return;
	if (!p && (p = calloc(1, sizeof(*p)))) {
		p->ids[0] = a->net_id;
		p->ids[1] = b->net_id;
		p->flows = peer_flows_new();
		LIST_INSERT_HEAD(&e->peerings, p, link);
	}
	if (p)
		p->wanted = true;
}

/* tell_changed() - what DHCP tells guests hear with their next lease, what advertisements tell now */
static void tell_changed(struct live_net *net)
{
	const struct dhcp_conf *conf = &net->segment->server.conf;
	uint64_t told = hash_bytes(conf->routes, conf->nroutes * sizeof(conf->routes[0]), conf->nroutes);

	if (told != net->routes_told)
		live_ra_soon(net);
	net->routes_told = told;
}

void live_peers_configure(struct engine *e)
{
	struct live_peering *p;

	LIST_FOREACH(p, &e->peerings, link)
		p->wanted = false;
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		if (net->segment)
			net->segment->server.conf.nroutes = 0;
	each_pair(e, want, NULL);
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		if (net->segment && net->ra_timer)
			tell_changed(net);
}

/* ---- snapshot ---- */

static struct net_view *view_of(struct snapshot *s, const struct live_net *net)
{
	for (unsigned i = 0; i < s->nnets; i++)
		if (s->nets[i].net_id == net->net_id)
			return &s->nets[i];
	return NULL;
}

/* own_segment() - the one that a peering is with: the network's own, of its default VLAN */
static struct segment *own_segment(struct net_view *view)
{
	const struct segment *seg = view ? segment_of(view, VID_DEFAULT) : NULL;

	return seg ? &view->segments[seg - view->segments] : NULL;
}

static void join(struct snapshot *s, struct live_net *from, struct live_net *to, const struct peer_rules *out, const struct peer_rules *back,
		 struct peer_flows *flows)
{
	struct segment *seg = own_segment(view_of(s, from)), *other = own_segment(view_of(s, to));
	bool open = out->all && back->all;

	if (!seg || !other || !from->peers || !to->peers || (!open && !flows))
		return;
	if (!seg->peers)
		seg->peers = calloc(PEERS_MAX, sizeof(*seg->peers));
	if (!seg->peers || seg->npeers == PEERS_MAX) {
		log_error("net=%s event=peer-failed peer=%s reason=\"out of memory\"", from->name, to->name);
		return;
	}
	seg->peers[seg->npeers++] = (struct peer){
		.to = other, .local_port = to->local.id, .mtu = to->conf->mtu, .out = *out, .back = *back, .flows = open ? NULL : flows,
		.wait = peer_service_wait(to->peers),
	};
}

static void fill(struct engine *e, struct live_net *a, struct live_net *b, const struct peer_rules *ab, const struct peer_rules *ba, void *arg)
{
	const struct live_peering *p = find(e, a, b);
	struct peer_flows *flows = p ? p->flows : NULL;

	join(arg, a, b, ab, ba, flows);
	join(arg, b, a, ba, ab, flows);
}

void live_peers_fill(struct engine *e, struct snapshot *s)
{
	each_pair(e, fill, s);
}

/* ---- life ---- */

static void free_peering(struct rcu_head *head)
{
	struct live_peering *p = container_of(head, struct live_peering, rcu);

	peer_flows_free(p->flows);
	free(p);
}

void live_peers_settle(struct engine *e)
{
	struct live_peering *p, *next;

	for (p = LIST_FIRST(&e->peerings); p; p = next) {
		next = LIST_NEXT(p, link);
		if (p->wanted)
			continue;
		LIST_REMOVE(p, link);
		urcu_qsbr_call_rcu(&p->rcu, free_peering);
	}
}

void live_peer_free(struct live_net *net)
{
	peer_service_free(net->peers);
}
