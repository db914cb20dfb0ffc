// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/explain_try.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "ctl/engine.h"
#include "switch/build.h"
#include "switch/forward.h"
#include "switch/frame.h"
#include "switch/nd.h"
#include "switch/packet.h"
#include "switch/port_policy.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum { TTL = 64, WINDOW = 64240, PING = 8, PING6 = 128, PING_DATA = 56, ROOM = ETH_HEADER + IP6_HEADER + TCP_HEADER + EXPLAIN_DATA };

/* attempt - what goes to the worker and comes back */
struct attempt {
	uint32_t port;
	struct frame frame;
	bool there;
	struct explained result;
	uint8_t bytes[ROOM];
	struct outbox out;
};

/* ---- the frame ---- */

/* finish_l4() - the checksum at @at of a transport header and what follows it */
static void finish_l4(uint8_t *l4, uint32_t size, uint32_t at, uint64_t pseudo)
{
	put_u16(l4 + at, checksum_finish(checksum_add(pseudo, l4, size)));
}

static uint32_t put_tcp(uint8_t *to, const struct explain_frame *f)
{
	uint8_t *l4 = build_ip(to, f->dst_mac, f->src_mac, f->src, f->dst, PROTO_TCP, TTL, TCP_HEADER);

	put_u16(l4, f->sport);
	put_u16(l4 + 2, f->dport);
	put_u32(l4 + 4, 1);
	l4[12] = TCP_HEADER / 4 << 4;
	l4[13] = TCP_SYN;
	put_u16(l4 + 14, WINDOW);
	finish_l4(l4, TCP_HEADER, 16, build_pseudo(f->src, f->dst, PROTO_TCP, TCP_HEADER));
	return (uint32_t)(l4 - to) + TCP_HEADER;
}

static uint32_t put_ping(uint8_t *to, const struct explain_frame *f)
{
	bool four = addr_is4(f->dst);
	uint8_t proto = four ? PROTO_ICMP : PROTO_ICMP6;
	uint32_t size = ICMP_HEADER + PING_DATA;
	uint8_t *l4 = build_ip(to, f->dst_mac, f->src_mac, f->src, f->dst, proto, TTL, size);

	l4[0] = four ? PING : PING6;
	put_u16(l4 + 4, f->sport);
	finish_l4(l4, size, 2, four ? 0 : build_pseudo(f->src, f->dst, proto, size));
	return (uint32_t)(l4 - to) + size;
}

/* put_question() - who has this address? By ARP or Neighbour Discovery, to everybody whom it may concern */
static uint32_t put_question(uint8_t *to, const struct explain_frame *f)
{
	static const uint8_t everybody[MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, nobody[MAC_SIZE];

	if (addr_is4(f->dst))
		return build_arp(to, ARP_REQUEST, f->src_mac, addr_4(f->src), nobody, addr_4(f->dst), everybody);
	return nd_build_solicitation(to, f->src_mac, f->src, f->dst);
}

static uint32_t put_frame(uint8_t *to, const struct explain_frame *f)
{
	switch (f->proto) {
	case 0:
		return put_question(to, f);
	case IPPROTO_TCP:
		return put_tcp(to, f);
	case IPPROTO_UDP:
		return build_udp_frame(to, f->dst_mac, f->src_mac, f->src, f->sport, f->dst, f->dport, f->data, (uint32_t)f->size);
	default:
		return put_ping(to, f);
	}
}

/* ---- on the worker ---- */

static bool denies(struct port_policy *p, struct policy_case *c, int *rule)
{
	struct policy_reason why = { .flow = false };

	if (!p || port_policy_judge(p, c, &why) != VERDICT_DROP_POLICY)
		return false;
	*rule = why.rule;
	return true;
}

/* ask_policies() - the walk said that one denies it: which, and by what rule? */
static void ask_policies(struct worker *w, struct attempt *a, const struct port_view *in)
{
	const struct snapshot *snap = worker_snapshot(w);
	struct explained *r = &a->result;
	struct policy_case c = {
		.direction = RULE_EGRESS, .segment = segment_at(in, r->trial.vid), .frame = &a->frame, .port = a->port,
		.now_ms = worker_now_ms(w), .trial = true,
	};

	r->policy_port = a->port;
	if (denies(in->policy, &c, &r->policy_rule) || r->trial.lives_at < 0 || (unsigned)r->trial.lives_at >= snap->nports)
		return;
	r->policy_port = c.port = (uint32_t)r->trial.lives_at;
	c.direction = RULE_INGRESS;
	denies(snap->ports[c.port].policy, &c, &r->policy_rule);
}

static void on_worker(struct worker *w, void *arg)
{
	const struct snapshot *snap = worker_snapshot(w);
	struct attempt *a = arg;

	a->there = a->port < snap->nports && snap->ports[a->port].port;
	if (!a->there)
		return;
	forward_trial(w, &a->out, snap, &snap->ports[a->port], &a->frame, &a->result.trial);
	if (a->result.trial.verdict == VERDICT_DROP_POLICY)
		ask_policies(w, a, &snap->ports[a->port]);
}

int explain_try(const struct live_port *p, const struct explain_frame *f, struct explained *to)
{
	struct engine *e = p->net->engine;
	struct attempt *a = p->port ? calloc(1, sizeof(*a)) : NULL;
	struct worker *w;
	int rc;

	if (!a)
		return p->port ? -ENOMEM : -ENOTCONN;
	w = e->workers[p->port->queues[0].worker % e->nworkers];
	a->port = p->id;
	a->result.policy_rule = RULES_DEFAULT;
	frame_init(&a->frame, a->bytes, put_frame(a->bytes, f));
	a->frame.tag_present = f->tag != 0;
	a->frame.vid = f->tag;
	while (!worker_post(w, on_worker, a))
		worker_sync(w);		/* its inbox was full; it empties it every turn */
	worker_sync(w);
	rc = a->there ? 0 : -ENOTCONN;
	if (rc == 0)
		*to = a->result;
	free(a);
	return rc;
}
