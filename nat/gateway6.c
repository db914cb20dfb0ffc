// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/gateway6.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/answer.h"
#include "nat/cut.h"
#include "nat/delegated.h"
#include "nat/limit.h"
#include "nat/shard.h"
#include "nat/ra.h"
#include "switch/build.h"
#include "switch/nd.h"
#include "switch/port.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum { TTL = 64 };

static const struct addr all_nodes = { .bytes = { 0xff, 2, [15] = 1 } };

static void emit(struct worker *w, const struct arrival *a, uint8_t *data, uint32_t len)
{
	struct frame frame;

	frame_init(&frame, data, len);
	frame.vid = a->segment->vid;
	worker_emit(w, a->local_port, &frame, 1);
}

/* on_link() - an address that a guest of this segment can have */
static bool on_link(const struct segment *seg, struct addr src)
{
	return (addr_is_link_local(src) || segment_has(seg, src)) && !segment_is_gateway(seg, src);
}

/* solicited() - who asks for the gateway is told; who is about to take its address (RFC 4862 5.4.3) is told so, as everybody is */
static void solicited(struct worker *w, const struct arrival *a, const struct packet *p, const struct nd *nd, struct limit *limit)
{
	uint8_t data[ND_NEIGHBOUR_SIZE], mac[MAC_SIZE];
	bool probe = addr_is_none(p->src);

	if (probe && !limit_take(limit, worker_now_ms(w)))
		return;
	if (probe)
		nd_link_multicast(all_nodes, mac);
	else
		memcpy(mac, nd->link ? nd->link : p->data + MAC_SIZE, MAC_SIZE);
	if (mac_is_group(mac) && !probe)
		return;
	emit(w, a, data, nd_build_advertisement(data, mac, a->segment->gateway_mac, probe ? all_nodes : p->src, nd->target,
						ND_ROUTER | ND_OVERRIDE | (probe ? 0 : ND_SOLICITED)));
}

/* advertised() - somebody says that it has the gateway's address: everybody hears that it has not */
static void advertised(struct worker *w, const struct arrival *a, const struct nd *nd, struct limit *limit)
{
	uint8_t data[ND_NEIGHBOUR_SIZE], mac[MAC_SIZE];

	if (!limit_take(limit, worker_now_ms(w)))
		return;
	nd_link_multicast(all_nodes, mac);
	emit(w, a, data, nd_build_advertisement(data, mac, a->segment->gateway_mac, all_nodes, nd->target, ND_ROUTER | ND_OVERRIDE));
}

/* routers_wanted() - to the asker alone, so that no asker makes others listen; one without an address gets what is for all nodes in a
 * frame for itself (RFC 6085) */
static void routers_wanted(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit)
{
	const struct segment *seg = a->segment;
	struct addr to = addr_is_none(p->src) ? all_nodes : p->src;
	uint8_t data[RA_MAX];

	if (limit_take(limit, worker_now_ms(w)))
		emit(w, a, data, ra_build(data, seg, seg->net->mtu, p->data + MAC_SIZE, to, RA_USUAL, worker_now_ms(w)));
}

static enum verdict discovery(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit)
{
	struct nd nd;
	enum verdict v = nd_parse(p, &nd);

	if (v != VERDICT_FORWARDED)
		return v;
	if (!addr_is_none(p->src) && !on_link(a->segment, p->src) &&
	    !(nd.type == ND_NEIGHBOUR_ADVERTISEMENT && segment_is_gateway(a->segment, p->src)))
		return VERDICT_DROP_MARTIAN;
	if (a->trial)
		return VERDICT_CONSUMED_ND;
	if (nd.type == ND_ROUTER_SOLICITATION)
		routers_wanted(w, a, p, limit);
	else if (nd.type == ND_NEIGHBOUR_SOLICITATION && segment_is_gateway(a->segment, nd.target))
		solicited(w, a, p, &nd, limit);
	else if (nd.type == ND_NEIGHBOUR_ADVERTISEMENT && segment_is_gateway(a->segment, nd.target))
		advertised(w, a, &nd, limit);
	return VERDICT_CONSUMED_ND;
}

static void echo(struct worker *w, const struct arrival *a, const struct packet *p)
{
	uint8_t *data = worker_scratch(w), *icmp;
	struct site site = answer_site(a);
	uint32_t size = p->len - p->l4;

	icmp = build_ip(data, p->data + MAC_SIZE, a->segment->gateway_mac, p->dst, p->src, PROTO_ICMP6, TTL, size);
	memcpy(icmp, p->data + p->l4, size);
	icmp[0] = ICMP6_ECHO_REPLY;
	put_u16(icmp + 2, 0);
	put_u16(icmp + 2, checksum_finish(checksum_add(build_pseudo(p->dst, p->src, PROTO_ICMP6, size), icmp, size)));
	cut_send(w, &site, data, build_headers(p->src) + size);
}

bool gateway6_input(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit, enum verdict *verdict)
{
	const struct segment *seg = a->segment;

	if (!seg->has_subnet6)
		return false;
	if (nd_is(p)) {
		*verdict = discovery(w, a, p, limit);
		return true;
	}
	if (seg->routes && !memcmp(p->data, seg->gateway_mac, MAC_SIZE) && delegated_input(w, a, p, limit, verdict))
		return true;
	if (memcmp(p->data, seg->gateway_mac, MAC_SIZE) != 0 || p->proto == PROTO_TCP || p->proto == PROTO_UDP ||
	    (p->proto == PROTO_ICMP6 && !segment_is_gateway(seg, p->dst)) || packet_is_icmp_error(p))
		return false;
	if (!on_link(seg, p->src) && !delegated_source(seg, a->from->port->id, p->src)) {
		*verdict = VERDICT_DROP_MARTIAN;
	} else if (p->proto == PROTO_ICMP6 && p->icmp_type == ICMP6_ECHO_REQUEST) {
		if (!a->trial)
			echo(w, a, p);
		*verdict = VERDICT_CONSUMED_ECHO;
	} else if (p->proto == PROTO_ICMP6) {
		*verdict = VERDICT_DROP_NO_SESSION;	/* an answer to nothing that we sent */
	} else {
		answer_icmp(w, a, p, limit, ICMP_UNREACHABLE, ICMP_UNREACHABLE_PROTOCOL);
		*verdict = VERDICT_DROP_NO_PROTOCOL;
	}
	return true;
}
