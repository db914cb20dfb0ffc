// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/port_policy.h"

#include <string.h>

#include "base/bytes.h"
#include "switch/burst.h"
#include "switch/connection.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/request.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum { TELL_EVERY_MS = 100, ECHO_REQUEST4 = 8, ECHO_REQUEST6 = 128 };

/* ---- packets and flows ---- */

static struct connection_packet packet_of(const struct heading *h, const struct policy_case *c, enum rule_direction direction)
{
	bool egress = direction == RULE_EGRESS;
	struct connection_packet p = { .tcp_flags = h->tcp_flags, .by_guest = egress };

	p.key = (struct connection_key){
		.guest = egress ? h->src : h->dst, .peer = egress ? h->dst : h->src,
		.guest_port = egress ? h->sport : h->dport, .peer_port = egress ? h->dport : h->sport,
		.vid = c->frame->vid, .proto = h->proto,
	};
	return p;
}

/* fragments_of() - what all fragments of one packet have in common (RFC 791 3.2, RFC 8200 4.5) */
static struct connection_packet fragments_of(const struct heading *h, const struct policy_case *c)
{
	struct connection_packet p = packet_of(h, c, c->direction);

	p.tcp_flags = 0;
	p.key.kind = p.by_guest ? CONNECTION_FRAGMENTS_OUT : CONNECTION_FRAGMENTS_IN;
	p.key.guest_port = (uint16_t)(h->fragment_id >> 16);
	p.key.peer_port = (uint16_t)h->fragment_id;
	if (!addr_is4(h->src))
		p.key.proto = 0;	/* of IPv6 only the first fragment says it for certain */
	return p;
}

static bool is_request(const struct heading *h)
{
	return h->icmp_type == (addr_is4(h->src) ? ECHO_REQUEST4 : ECHO_REQUEST6);
}

static struct heading turned(const struct heading *h)
{
	struct heading t = *h;

	t.src = h->dst;
	t.dst = h->src;
	t.sport = h->dport;
	t.dport = h->sport;
	return t;
}

static enum rule_direction other_way(enum rule_direction direction)
{
	return direction == RULE_EGRESS ? RULE_INGRESS : RULE_EGRESS;
}

/* ---- rules ---- */

/* beyond() - does the frame go to the gateway, or come from it? */
static bool with_gateway(const struct policy_case *c)
{
	const uint8_t *mac = c->direction == RULE_EGRESS ? frame_dst(c->frame) : frame_src(c->frame);

	return c->segment && c->segment->has_subnet && mac_word(mac) == mac_word(c->segment->gateway_mac);
}

static int ask(const struct port_policy *p, const struct policy_case *c, const struct heading *h, enum rule_direction direction, bool *allow)
{
	struct rules_query q = {
		.heading = h, .direction = direction, .segment = c->segment, .names = p->names, .to_gateway = with_gateway(c),
		.now_ms = c->now_ms,
	};

	return rules_ask(p->rules, &q, allow);
}

/* tell() - a few a second, for the log and those who follow events; the guest can cause as many as it likes */
static void tell(struct port_policy *p, const struct policy_case *c, const struct heading *h, int rule)
{
	uint64_t due = atomic_load_explicit(&p->tell_ms, memory_order_relaxed);
	struct policy_denial d = {
		.rules = rules_number(p->rules), .rule = rule, .ethertype = h->ethertype, .dport = h->dport,
		.direction = (uint8_t)c->direction, .proto = h->proto, .ip = h->ip,
	};
	struct request r = { .kind = REQUEST_DENIED, .vid = c->frame->vid, .net_id = p->net_id, .port = c->port };

	if (!p->requests || c->now_ms < due ||
	    !atomic_compare_exchange_strong(&p->tell_ms, &due, c->now_ms + TELL_EVERY_MS)) {
		atomic_fetch_add_explicit(&p->untold, 1, memory_order_relaxed);
		return;
	}
	d.untold = atomic_exchange_explicit(&p->untold, 0, memory_order_relaxed);
	r.sport = h->sport;
	r.src = h->src;
	r.dst = h->dst;
	r.size = sizeof(d);
	memcpy(r.src_mac, frame_src(c->frame), MAC_SIZE);
	memcpy(r.data, &d, sizeof(d));
	request_post(p->requests, &r);
}

static enum verdict deny(struct port_policy *p, const struct policy_case *c, const struct heading *h, enum rule_direction direction, int rule)
{
	if (!c->trial) {
		rules_hit(p->rules, direction, rule);
		tell(p, c, h, rule);
	}
	return VERDICT_DROP_POLICY;
}

/* ---- decisions ---- */

/* follow_first() - keep the way open for the rest of a packet whose first fragment passed */
static enum verdict follow_first(struct port_policy *p, const struct policy_case *c, const struct heading *h)
{
	struct connection_packet fragments = fragments_of(h, c);

	if (h->fragment != FRAGMENT_FIRST || c->trial)
		return VERDICT_FORWARDED;
	return connection_open(p->connections, &fragments, 0, c->now_ms) ? VERDICT_FORWARDED : VERDICT_DROP_QUOTA;
}

static enum verdict judge_later(struct port_policy *p, const struct policy_case *c, const struct heading *h)
{
	struct connection_packet fragments = fragments_of(h, c);
	bool by_guest;

	return connection_look(p->connections, &fragments, 0, c->now_ms, &by_guest) == CONNECTION_PASS ? VERDICT_FORWARDED :
													VERDICT_DROP_FRAGMENT;
}

/* is_about_flow() - an ICMP error about a packet of a flow; what it quotes went the other way */
static bool is_about_flow(struct port_policy *p, const struct policy_case *c)
{
	struct connection_packet quoted;
	struct heading h;
	bool by_guest;

	if (!heading_quoted(c->frame, &h))
		return false;
	quoted = packet_of(&h, c, other_way(c->direction));
	for (unsigned i = 0; i < 2; i++) {
		quoted.tcp_flags = i ? CONNECTION_SYN : CONNECTION_ACK;	/* the quote need not reach to them */
		if (connection_look(p->connections, &quoted, rules_number(p->rules), c->now_ms, &by_guest) == CONNECTION_PASS)
			return true;
	}
	return false;
}

/* judge_alone() - a packet that belongs to nothing: the rules decide */
static enum verdict judge_alone(struct port_policy *p, const struct policy_case *c, const struct heading *h, struct policy_reason *why)
{
	struct connection_packet packet = packet_of(h, c, c->direction);
	bool allow;

	if (h->ip && is_about_flow(p, c)) {
		why->flow = true;
		return VERDICT_FORWARDED;
	}
	why->rule = ask(p, c, h, c->direction, &allow);
	if (!allow)
		return deny(p, c, h, c->direction, why->rule);
	if (c->trial)
		return VERDICT_FORWARDED;
	rules_hit(p->rules, c->direction, why->rule);
	if (h->ip && connection_begins(&packet, is_request(h)) &&
	    !connection_open(p->connections, &packet, rules_number(p->rules), c->now_ms))
		return VERDICT_DROP_QUOTA;
	return follow_first(p, c, h);
}

/* judge_stale() - a packet of a flow that other rules let begin: would those of today? They are asked as they were then */
static enum verdict judge_stale(struct port_policy *p, const struct policy_case *c, const struct heading *h,
				const struct connection_packet *packet, bool by_guest, struct policy_reason *why)
{
	enum rule_direction began = by_guest ? RULE_EGRESS : RULE_INGRESS;
	struct heading first = began == c->direction ? *h : turned(h);
	bool allow;

	why->rule = ask(p, c, &first, began, &allow);
	if (!c->trial && !allow)
		connection_end(p->connections, &packet->key);
	if (!allow)
		return deny(p, c, h, began, why->rule);
	if (!c->trial) {
		connection_renew(p->connections, &packet->key, rules_number(p->rules));
		connection_pass(p->connections, packet, rules_number(p->rules), c->now_ms, &by_guest);
	}
	return follow_first(p, c, h);
}

static enum verdict judge_ip(struct port_policy *p, const struct policy_case *c, const struct heading *h, struct policy_reason *why)
{
	struct connection_packet packet = packet_of(h, c, c->direction);
	uint32_t rules = rules_number(p->rules);
	enum connection_state state;
	bool by_guest;

	why->flow = true;
	if (h->fragment == FRAGMENT_LATER)
		return judge_later(p, c, h);
	state = c->trial ? connection_look(p->connections, &packet, rules, c->now_ms, &by_guest) :
			   connection_pass(p->connections, &packet, rules, c->now_ms, &by_guest);
	if (state == CONNECTION_PASS)
		return follow_first(p, c, h);
	why->flow = false;
	if (state == CONNECTION_BUSY)
		return VERDICT_DROP_BUSY;
	return state == CONNECTION_STALE ? judge_stale(p, c, h, &packet, by_guest, why) : judge_alone(p, c, h, why);
}

enum verdict port_policy_judge(struct port_policy *p, const struct policy_case *c, struct policy_reason *why)
{
	struct heading h;
	enum verdict v = heading_read(c->frame, &h);

	*why = (struct policy_reason){ .rule = RULES_DEFAULT };
	if (v != VERDICT_FORWARDED)
		return v;
	return h.ip ? judge_ip(p, c, &h, why) : judge_alone(p, c, &h, why);
}

/* ---- the stage ---- */

void policy_in(struct burst *b, struct frame *frames, unsigned n)
{
	struct policy_case c = {
		.direction = RULE_EGRESS, .port = b->in->port->id, .now_ms = worker_now_ms(b->w), .trial = b->trial,
	};
	struct policy_reason why;

	for (unsigned i = 0; i < n; i++) {
		if (b->verdict[i] != VERDICT_FORWARDED)
			continue;
		c.segment = burst_segment(b, &frames[i]);
		c.frame = &frames[i];
		b->verdict[i] = (uint8_t)port_policy_judge(b->in->policy, &c, &why);
	}
}

enum verdict policy_out(struct burst *b, const struct port_view *to, struct frame *f)
{
	struct policy_case c = {
		.direction = RULE_INGRESS, .segment = segment_at(to, f->vid), .frame = f, .port = to->port->id,
		.now_ms = worker_now_ms(b->w), .trial = b->trial,
	};
	struct policy_reason why;

	return port_policy_judge(to->policy, &c, &why);
}
