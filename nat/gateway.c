// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/gateway.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/answer.h"
#include "nat/cut.h"
#include "nat/gateway6.h"
#include "nat/limit.h"
#include "nat/shard.h"
#include "switch/build.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum { TTL = 64, SENDER_MAC_AT = ETH_HEADER + 8 };

struct gateway {
	struct service service;
	struct limit answers[MAX_WORKERS];	/* each its worker's own */
};

static void emit(struct worker *w, const struct arrival *a, uint8_t *data, uint32_t len)
{
	struct frame frame;

	frame_init(&frame, data, len);
	frame.vid = a->segment->vid;
	worker_emit(w, a->local_port, &frame, 1);
}

/* arp() - answer who asks for an address of the gateway, and who claims to have one (RFC 5227 2.4: defend) */
static bool arp(struct gateway *g, struct worker *w, const struct arrival *a, const struct packet *p, enum verdict *v)
{
	const struct segment *seg = a->segment;
	const uint8_t *sender = p->data + SENDER_MAC_AT;
	uint8_t data[ETH_HEADER + 28];
	bool claims = segment_is_gateway(seg, p->src);

	if (!segment_is_gateway(seg, p->dst) && !claims)
		return false;
	*v = VERDICT_CONSUMED_ARP;
	if (p->arp_op != ARP_REQUEST && !claims)
		return true;			/* an answer; whoever keeps stations has noted it */
	if (!a->trial && !mac_is_group(sender) && (!claims || limit_take(&g->answers[worker_index(w)], worker_now_ms(w))))
		emit(w, a, data, build_arp(data, ARP_REPLY, seg->gateway_mac, addr_4(claims ? p->src : p->dst), sender, addr_4(p->src),
					    p->data + MAC_SIZE));
	return true;
}

static void echo(struct worker *w, const struct arrival *a, const struct packet *p)
{
	const struct segment *seg = a->segment;
	uint8_t *data = worker_scratch(w), *icmp;
	struct site site = answer_site(a);
	uint32_t size = p->len - p->l4;

	icmp = build_ip4(build_eth(data, p->data + MAC_SIZE, seg->gateway_mac, ETHERTYPE_IP4), addr_4(p->dst), addr_4(p->src), PROTO_ICMP,
			 TTL, size);
	memcpy(icmp, p->data + p->l4, size);
	icmp[0] = ICMP_ECHO_REPLY;
	put_u16(icmp + 2, 0);
	put_u16(icmp + 2, checksum_finish(checksum_add(0, icmp, size)));
	cut_send(w, &site, data, ETH_HEADER + IP4_HEADER + size);
}

static enum verdict ip4(struct gateway *g, struct worker *w, const struct arrival *a, const struct packet *p)
{
	if (!segment_has(a->segment, p->src) || segment_is_gateway(a->segment, p->src))
		return VERDICT_DROP_MARTIAN;
	if (p->proto == PROTO_ICMP && p->icmp_type == ICMP_ECHO_REQUEST) {
		if (!a->trial)
			echo(w, a, p);
		return VERDICT_CONSUMED_ECHO;
	}
	if (p->proto == PROTO_ICMP)
		return VERDICT_DROP_NO_SESSION;	/* an answer to nothing that we sent */
	answer_icmp(w, a, p, &g->answers[worker_index(w)], ICMP_UNREACHABLE, ICMP_UNREACHABLE_PROTOCOL);
	return VERDICT_DROP_NO_PROTOCOL;
}

static bool input(struct service *service, struct worker *w, const struct arrival *a, const struct packet *p,
		  enum verdict *verdict)
{
	struct gateway *g = container_of(service, struct gateway, service);

	if (p->ethertype == ETHERTYPE_ARP4)
		return arp(g, w, a, p, verdict);
	if (packet_is_ip6(p))
		return gateway6_input(w, a, p, &g->answers[worker_index(w)], verdict);
	if (p->ethertype != ETHERTYPE_IP4 || memcmp(p->data, a->segment->gateway_mac, MAC_SIZE) != 0)
		return false;
	if (p->proto == PROTO_TCP || p->proto == PROTO_UDP || (p->proto == PROTO_ICMP && !segment_is_gateway(a->segment, p->dst)) ||
	    packet_is_icmp_error(p))
		return false;
	*verdict = ip4(g, w, a, p);
	return true;
}

static const struct service_ops gateway_ops = { .name = "gateway", .input = input };

struct gateway *gateway_new(void)
{
	struct gateway *g = calloc(1, sizeof(*g));

	if (g)
		g->service.ops = &gateway_ops;
	return g;
}

void gateway_free(struct gateway *g)
{
	free(g);
}

struct service *gateway_service(struct gateway *g)
{
	return &g->service;
}
