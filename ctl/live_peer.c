// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "ctl/engine.h"
#include "ctl/live_ra.h"
#include "dhcp/names.h"
#include "dhcp/names_peer.h"
#include "nat/peer.h"
#include "nat/peer_flow.h"
#include "switch/port.h"
#include "switch/snapshot.h"

/* live_peering - two segments that are not open to one another both ways, and what was opened between them */
struct live_peering {
	struct rcu_head rcu;
	struct peering_end {
		uint32_t net_id;
		uint16_t vid;
	} ends[2];
	struct peer_flows *flows;
	bool wanted;
	LIST_ENTRY(live_peering) link;
};

/* pair_fn() - once for two segments that are peers; @ab, @ba: what may be opened */
typedef void pair_fn(struct engine *e, struct live_segment *a, struct live_segment *b, const struct peer_rules *ab, const struct peer_rules *ba,
		     void *arg);

/* ---- which there are ---- */

static struct live_segment *find_segment(struct engine *e, const char *text)
{
	struct segment_name name;
	struct live_net *net = segment_name_parse(text, &name) < 0 ? NULL : live_net_find(e, name.net);
	struct live_segment *seg;

	if (net)
		LIST_FOREACH(seg, &net->segments, link)
			if (seg->vid == name.vid && !seg->leaving)
				return seg;
	return NULL;
}

static bool names(const struct live_segment *seg, const struct live_segment *other)
{
	for (size_t i = 0; i < seg->conf->npeers; i++)
		if (!strcmp(seg->conf->peers[i].name, other->conf->name))
			return true;
	return false;
}

/* is_older() - of two segments; any order will do that is the same each time */
static bool is_older(const struct live_segment *a, const struct live_segment *b)
{
	return a->net == b->net ? a->vid < b->vid : a->net->net_id < b->net->net_id;
}

static void each_peer(struct engine *e, struct live_segment *a, pair_fn *each, void *arg)
{
	for (size_t i = 0; i < a->conf->npeers; i++) {
		struct live_segment *b = find_segment(e, a->conf->peers[i].name);
		struct peer_rules ab, ba;

		if (!b || (names(b, a) && is_older(b, a)))
			continue;		/* where each names the other, the older one's turn is enough */
		peering_of(a->conf, b->conf, &ab);
		peering_of(b->conf, a->conf, &ba);
		each(e, a, b, &ab, &ba, arg);
	}
}

static void each_pair(struct engine *e, pair_fn *each, void *arg)
{
	struct live_segment *seg;

	for (struct live_net *net = e->nets; net; net = net->hh.next)
		LIST_FOREACH(seg, &net->segments, link)
			if (!seg->leaving && !seg->only)
				each_peer(e, seg, each, arg);
}

static bool is_end(const struct peering_end *end, const struct live_segment *seg)
{
	return end->net_id == seg->net->net_id && end->vid == seg->vid;
}

static struct live_peering *find(struct engine *e, const struct live_segment *a, const struct live_segment *b)
{
	struct live_peering *p;

	LIST_FOREACH(p, &e->peerings, link)
		if ((is_end(&p->ends[0], a) && is_end(&p->ends[1], b)) || (is_end(&p->ends[0], b) && is_end(&p->ends[1], a)))
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
static void tell_way(struct live_segment *seg, const struct live_segment *other)
{
	struct dhcp_conf *conf = &seg->server.conf;

	if (!seg->leases || seg->conf->has_router || conf->nroutes == ARRAY_SIZE(conf->routes))
		return;
	memset(&conf->routes[conf->nroutes], 0, sizeof(conf->routes[0]));	/* padding too: they are compared */
	conf->routes[conf->nroutes].addr = other->conf->subnet.addr;
	conf->routes[conf->nroutes++].len = other->conf->subnet.len;
}

/* tell_names() - of those who may be reached */
static void tell_names(struct live_segment *seg, const struct live_segment *other, const struct peer_rules *out)
{
	if (!seg->names || !other->names || !other->zone || (!out->all && !out->n))
		return;
	if (!seg->peers)
		seg->peers = calloc(1, sizeof(*seg->peers));
	if (seg->peers && seg->peers->n < NAMES_PEERS_MAX)
		seg->peers->of[seg->peers->n++] = (struct names_peer){ other->zone, other->names };
}

static void want(struct engine *e, struct live_segment *a, struct live_segment *b, const struct peer_rules *ab, const struct peer_rules *ba,
		 void *arg)
{
	struct live_peering *p = find(e, a, b);

	(void)arg;
	want_service(a->net);
	want_service(b->net);
	tell_way(a, b);
	tell_way(b, a);
	tell_names(a, b, ab);
	tell_names(b, a, ba);
	if (ab->all && ba->all)
		return;
	if (!p && (p = calloc(1, sizeof(*p)))) {
		p->ends[0] = (struct peering_end){ a->net->net_id, a->vid };
		p->ends[1] = (struct peering_end){ b->net->net_id, b->vid };
		p->flows = peer_flows_new();
		LIST_INSERT_HEAD(&e->peerings, p, link);
	}
	if (p)
		p->wanted = true;
}

/* tell_changed() - what DHCP tells guests hear with their next lease, what advertisements tell now */
static void tell_changed(struct live_net *net)
{
	const struct live_segment *seg;
	uint64_t told = 0;

	LIST_FOREACH(seg, &net->segments, link)
		told += hash_bytes(seg->server.conf.routes, seg->server.conf.nroutes * sizeof(seg->server.conf.routes[0]), seg->vid);
	if (told != net->routes_told)
		live_ra_soon(net);
	net->routes_told = told;
}

/* hand_over_names() - also none, and before the segments that were named until now are freed */
static void hand_over_names(struct live_segment *seg)
{
	if (seg->names)
		names_set_peers(seg->names, seg->peers);
	seg->peers = NULL;
}

void live_peers_configure(struct engine *e)
{
	struct live_segment *seg;
	struct live_peering *p;

	LIST_FOREACH(p, &e->peerings, link)
		p->wanted = false;
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		LIST_FOREACH(seg, &net->segments, link)
			seg->server.conf.nroutes = 0;
	each_pair(e, want, NULL);
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		LIST_FOREACH(seg, &net->segments, link)
			hand_over_names(seg);
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		if (net->ra_timer)
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

static struct segment *seen_segment(struct snapshot *s, const struct live_segment *from)
{
	struct net_view *view = view_of(s, from->net);
	const struct segment *seg = view ? segment_of(view, from->vid) : NULL;

	return seg ? &view->segments[seg - view->segments] : NULL;
}

static void join(struct snapshot *s, struct live_segment *from, struct live_segment *to, const struct peer_rules *out,
		 const struct peer_rules *back, struct peer_flows *flows)
{
	struct segment *seg = seen_segment(s, from), *other = seen_segment(s, to);
	bool open = out->all && back->all;

	if (!seg || !other || !from->net->peers || !to->net->peers || (!open && !flows))
		return;
	if (!seg->peers)
		seg->peers = calloc(PEERS_MAX, sizeof(*seg->peers));
	if (!seg->peers || seg->npeers == PEERS_MAX) {
		log_error("net=%s event=peer-failed peer=%s reason=\"out of memory\"", from->conf->name, to->conf->name);
		return;
	}
	seg->peers[seg->npeers++] = (struct peer){
		.to = other, .local_port = to->net->local.id, .mtu = to->conf->mtu, .out = *out, .back = *back, .flows = open ? NULL : flows,
		.wait = peer_service_wait(to->net->peers),
	};
}

static void fill(struct engine *e, struct live_segment *a, struct live_segment *b, const struct peer_rules *ab, const struct peer_rules *ba,
		 void *arg)
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
