// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_denied.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/flow_rows.h"
#include "ctl/live_policy.h"
#include "switch/packet.h"
#include "switch/port_policy.h"
#include "switch/request.h"

/* denied - one kind of attempt */
struct denied {
	struct addr src, dst;
	uint16_t sport, dport;		/* the source's of the last one */
	uint8_t direction, proto;
	uint64_t times, last_ms;	/* told; 0: none */
	char rule[RULE_TEXT];
};

struct live_denied {
	struct denied list[DENIED_KEPT];
};

/* ---- memory ---- */

static bool is_same(const struct denied *d, const struct request *r, const struct policy_denial *what)
{
	return d->times && addr_equal(d->src, r->src) && addr_equal(d->dst, r->dst) && d->dport == what->dport && d->proto == what->proto &&
	       d->direction == what->direction;
}

/* place_for() - the one that is there, or that which is the longest gone */
static struct denied *place_for(struct live_denied *t, const struct request *r, const struct policy_denial *what)
{
	struct denied *oldest = &t->list[0];

	for (unsigned i = 0; i < DENIED_KEPT; i++) {
		if (is_same(&t->list[i], r, what))
			return &t->list[i];
		if (t->list[i].last_ms < oldest->last_ms)
			oldest = &t->list[i];
	}
	*oldest = (struct denied){ .src = r->src, .dst = r->dst, .dport = what->dport, .proto = what->proto, .direction = what->direction };
	return oldest;
}

static void remember(struct live_port *p, const struct request *r, const struct policy_denial *what, const char *rule)
{
	struct denied *d;

	if (!p->denied)
		p->denied = calloc(1, sizeof(*p->denied));
	if (!p->denied || !what->ip)
		return;
	d = place_for(p->denied, r, what);
	d->sport = r->sport;
	d->times++;
	d->last_ms = clock_now_ms();
	snprintf(d->rule, sizeof(d->rule), "%s", rule);
}

void live_denied_list(const struct live_port *p, struct flow_rows *l)
{
	uint64_t now = clock_now_ms();

	for (unsigned i = 0; p->denied && i < DENIED_KEPT; i++) {
		const struct denied *d = &p->denied->list[i];
		bool out = d->direction == RULE_EGRESS;
		json_t *row = d->times && now - d->last_ms < DENIED_SHOWN_MS ? flow_rows_add(l, &(struct flow_row){
			.port = p, .by = "rules", .state = "denied", .proto = d->proto, .guest = out ? d->src : d->dst,
			.guest_port = out ? d->sport : d->dport, .remote = out ? d->dst : d->src, .remote_port = out ? d->dport : d->sport,
		}) : NULL;
		json_t *more = row ? json_pack("{s:s s:I s:s}", "began", out ? "guest" : "remote", "idle",
					       (json_int_t)((now - d->last_ms) / 1000), "rule", d->rule) : NULL;

		if (more)
			json_object_update(row, more);
		json_decref(more);
	}
}

/* ---- words ---- */

static const char *protocol_name(const struct policy_denial *d, char text[16])
{
	if (d->ip && (d->proto == PROTO_TCP || d->proto == PROTO_UDP))
		return d->proto == PROTO_TCP ? "tcp" : "udp";
	if (d->ip && (d->proto == PROTO_ICMP || d->proto == PROTO_ICMP6))
		return "icmp";
	snprintf(text, 16, d->ip ? "ip%u" : "0x%04x", d->ip ? d->proto : d->ethertype);
	return text;
}

static void tell(struct live_port *p, const struct request *r, const struct policy_denial *d, const char *rule)
{
	struct engine *e = p->net->engine;
	const char *way = d->direction == RULE_EGRESS ? "egress" : "ingress", *peer;
	char src[ADDR_TEXT], dst[ADDR_TEXT], protocol[16], name[FLOW_NAME];

	addr_format(r->src, src);
	addr_format(r->dst, dst);
	peer = flow_peer_name(p, d->direction == RULE_EGRESS ? r->dst : r->src, name);
	if (log_allowed(&p->policy_log, clock_now_ms()))
		log_info("net=%s port=%s event=denied direction=%s src=%s dst=%s peer=%s proto=%s sport=%u dport=%u others=%u rule=\"%s\"",
			 p->net->name, p->name, way, src, dst, peer ? peer : "-", protocol_name(d, protocol), r->sport, d->dport, d->untold,
			 rule);
	if (e->api)
		api_event(e->api, p->net->name, p->name,
			  json_pack("{s:s s:s s:s s:s s:s? s:s s:i s:i s:I s:s}", "event", "denied", "direction", way, "src", src, "dst", dst,
				    "peer", peer, "proto", protocol_name(d, protocol), "sport", r->sport, "dport", d->dport, "others",
				    (json_int_t)d->untold, "rule", rule));
}

void live_denied(struct live_net *net, const struct request *r)
{
	struct live_port *p = net->engine->by_id[r->port];
	struct policy_denial d;
	const char *rule;

	if (!p || p->net != net || r->size != sizeof(d))
		return;
	memcpy(&d, r->data, sizeof(d));
	rule = live_policy_text(p, &d);
	remember(p, r, &d, rule);
	tell(p, r, &d, rule);
}
