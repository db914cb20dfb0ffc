// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/delegated.h"

#include "base/array.h"
#include "base/bytes.h"
#include "nat/answer.h"
#include "nat/limit.h"
#include "nat/neighbour.h"
#include "switch/fdb.h"
#include "switch/offload.h"
#include "switch/port.h"
#include "switch/route6.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/stage.h"
#include "switch/worker.h"

enum { HOPS_AT = ETH_HEADER + 7, LENGTH_AT = ETH_HEADER + 4 };

bool delegated_source(const struct segment *seg, uint32_t port, struct addr src)
{
	struct route6 route;

	return routes6_find(seg->routes, src, &route) && route.port == port;
}

/* may_pass() - from a guest, and not from what is for one link alone */
static bool may_pass(const struct arrival *a, struct addr src)
{
	const struct segment *seg = a->segment;

	return (segment_has(seg, src) && !segment_is_gateway(seg, src)) || delegated_source(seg, a->from->port->id, src);
}

/* is_apart() - two isolated ports hear nothing of each other, by way of the gateway neither */
static bool is_apart(struct worker *w, const struct arrival *a, uint32_t router)
{
	const struct snapshot *snap = worker_snapshot(w);

	return router < snap->nports && a->from->stages_out & snap->ports[router].stages_out & STAGE_ISOLATED;
}

/* is_heard() - does the switch know where the router is? What is for an address that it does not know goes to everybody. */
static bool is_heard(struct worker *w, const struct arrival *a, const struct route6 *route)
{
	const struct fdb *fdb = a->segment->net->fdb;

	return !fdb || fdb_lookup(fdb, a->segment->vid, route->mac, worker_now_ms(w)) >= 0;
}

/* pass_on() - headers of its own, the rest borrowed */
static void pass_on(struct worker *w, const struct arrival *a, const struct packet *p, const struct route6 *route)
{
	uint32_t len = ETH_HEADER + IP6_HEADER + get_u16(p->data + LENGTH_AT), head = MIN_OF(len, (uint32_t)OFFLOAD_HEAD);
	struct iovec body = { (void *)(uintptr_t)(p->data + head), len - head };
	uint8_t bytes[OFFLOAD_HEAD];
	struct frame f;

	memcpy(bytes, p->data, head);
	memcpy(bytes, route->mac, MAC_SIZE);
	memcpy(bytes + MAC_SIZE, a->segment->gateway_mac, MAC_SIZE);
	bytes[HOPS_AT]--;
	frame_init(&f, bytes, head);
	f.offload = a->frame->offload;
	f.vid = a->segment->vid;
	f.len = len;
	if (len > head) {
		f.body = &body;
		f.nbody = 1;
	}
	worker_emit(w, a->local_port, &f, 1);
}

bool delegated_input(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit, enum verdict *verdict)
{
	struct route6 route = { .port = UINT32_MAX };

	if (!routes6_find(a->segment->routes, p->dst, &route) && !segment_delegates(a->segment, p->dst))
		return false;
	if (!may_pass(a, p->src)) {
		*verdict = VERDICT_DROP_MARTIAN;
	} else if (route.port == a->from->port->id || route.port == UINT32_MAX) {
		*verdict = VERDICT_DROP_NO_ROUTE;	/* RFC 7084 4.3, WPD-5: what the router does not know itself would go round */
		answer_icmp(w, a, p, limit, ICMP_UNREACHABLE, ICMP_UNREACHABLE_NET);
	} else if (is_apart(w, a, route.port)) {
		*verdict = VERDICT_DROP_ISOLATED;
	} else if (!a->trial && !is_heard(w, a, &route)) {
		*verdict = VERDICT_DROP_NO_NEIGHBOUR;	/* nothing waits: its sender tries again, and by then the router has answered */
		if (limit_take(limit, worker_now_ms(w)))
			neighbour_ask(w, a->segment, a->local_port, route.via);
	} else if (p->ttl <= 1) {
		*verdict = VERDICT_DROP_TTL;
		answer_icmp(w, a, p, limit, ICMP_TIME_EXCEEDED, 0);
	} else if (p->assembled) {
		*verdict = VERDICT_DROP_FRAGMENT;	/* a router cuts nothing (RFC 8200 5), and these were cut when they came */
	} else {
		*verdict = VERDICT_CONSUMED_PEER;
		if (!a->trial)
			pass_on(w, a, p, &route);
	}
	return true;
}
