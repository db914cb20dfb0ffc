// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/host_gateway.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "nat/answer.h"
#include "nat/delegated.h"
#include "nat/gateway6.h"
#include "nat/limit.h"
#include "nat/policy.h"
#include "switch/hostway.h"
#include "switch/nd.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum { PORT_DNS = 53 };

struct host_gateway {
	struct service service;
	struct limit answers[MAX_WORKERS];	/* each its worker's own */
};

static enum verdict refuse(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit)
{
	enum verdict v = hostway_refusal(a->segment, worker_snapshot(w), p->dst);

	if (v == VERDICT_FORWARDED) {		/* the host's interface is not there at the moment */
		answer_icmp(w, a, p, limit, ICMP_UNREACHABLE, ICMP_UNREACHABLE_HOST);
		return VERDICT_DROP_NO_ROUTE;
	}
	answer_icmp(w, a, p, limit, ICMP_UNREACHABLE, v == VERDICT_DROP_OTHER_NETWORK ? ICMP_ADMIN_PROHIBITED : ICMP_NET_PROHIBITED);
	return v;
}

/* is_loopback() - for the host's loopback: the NAT's */
static bool is_loopback(const struct segment *seg, const struct packet *p)
{
	return (p->proto == PROTO_TCP || p->proto == PROTO_UDP) && hostway_is_loopback6(seg, p->dst, p->dport);
}

/* is_dns() - a connection that nat/tcp_serve.h takes */
static bool is_dns(const struct segment *seg, const struct packet *p)
{
	return p->proto == PROTO_TCP && p->dport == PORT_DNS && seg->resolver && segment_is_gateway(seg, p->dst);
}

static bool input(struct service *service, struct worker *w, const struct arrival *a, const struct packet *p, enum verdict *verdict)
{
	struct host_gateway *g = container_of(service, struct host_gateway, service);
	struct limit *limit = &g->answers[worker_index(w)];

	if (a->from == a->segment->host || segment_is_front(a->segment, p->dst) || is_dns(a->segment, p) ||
	    is_loopback(a->segment, p))	/* it asks nobody but itself; the NAT's */
		return false;
	if (nd_is(p))
		return p->icmp_type == ND_ROUTER_SOLICITATION && gateway6_input(w, a, p, limit, verdict);
	if (a->segment->routes && !memcmp(p->data, a->segment->gateway_mac, MAC_SIZE) && delegated_input(w, a, p, limit, verdict))
		return true;
	if (memcmp(p->data, a->segment->gateway_mac, MAC_SIZE) != 0 || (p->ethertype != ETHERTYPE_IP4 && !packet_is_ip6(p)))
		return false;
	*verdict = refuse(w, a, p, limit);
	return true;
}

struct host_gateway *host_gateway_new(void)
{
	static const struct service_ops ops = { .name = "host", .input = input };
	struct host_gateway *g = calloc(1, sizeof(*g));

	if (g)
		g->service.ops = &ops;
	return g;
}

void host_gateway_free(struct host_gateway *g)
{
	free(g);
}

struct service *host_gateway_service(struct host_gateway *g)
{
	return &g->service;
}
