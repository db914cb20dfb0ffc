// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/rules.h"

#include <stdlib.h>
#include <string.h>

#include "switch/names_seen.h"
#include "switch/nd.h"
#include "switch/packet.h"
#include "switch/snapshot.h"
#include "switch/station.h"

enum {
	DHCP_SERVER = 67, DHCP_CLIENT = 68, DHCP6_CLIENT = 546, DHCP6_SERVER = 547, DNS = 53, MAPPED_BITS = 96,
	PROTO_IGMP = 2,
};

/* entry - a rule as it is asked: the peer under a mask, and what must be equal in a packet */
struct entry {
	uint64_t mask[2], value[2];	/* RULE_PREFIX: of the peer's address, in network order */
	bool v4, v6;			/* families that the peer may have */
	bool allow, ports;
	uint8_t peer, match, proto;
	uint16_t ethertype, first, last, name;
	int32_t guest;
	uint16_t index;			/* in the list that was compiled */
};

struct rules {
	uint32_t number;
	unsigned deny;
	struct rule_hits *defaults[2];
	struct rule_hits **hits;	/* by index in the list that was compiled */
	struct {
		struct entry *entries;
		unsigned n;
	} of[2];			/* egress, ingress */
};

static unsigned way(enum rule_direction direction)
{
	return direction == RULE_INGRESS;
}

/* ---- compiling ---- */

static uint64_t mask_bits(unsigned len)
{
	return len >= 64 ? UINT64_MAX : len ? htobe64(UINT64_MAX << (64 - len)) : 0;
}

static struct entry compile(const struct rules_source *s, uint16_t index)
{
	const struct rule *r = s->rule;
	struct entry e = {
		.v4 = true, .v6 = true, .allow = r->allow, .ports = r->ports, .peer = r->peer, .match = r->match, .proto = r->proto,
		.ethertype = r->ethertype, .first = r->first, .last = r->last, .name = s->name, .guest = s->guest, .index = index,
	};

	if (r->peer == RULE_PREFIX) {
		e.v4 = addr_is4(r->prefix.addr) && r->prefix.len >= MAPPED_BITS;
		e.v6 = !e.v4;
		e.mask[0] = mask_bits(r->prefix.len);
		e.mask[1] = mask_bits(r->prefix.len > 64 ? r->prefix.len - 64u : 0);
		e.value[0] = r->prefix.addr.halves[0];
		e.value[1] = r->prefix.addr.halves[1];
	}
	return e;
}

struct rules *rules_new(const struct rules_source *list, unsigned n, uint32_t number, unsigned deny, struct rule_hits *defaults[2])
{
	struct rules *rules = calloc(1, sizeof(*rules));

	if (!rules)
		return NULL;
	rules->number = number;
	rules->deny = deny;
	rules->hits = calloc(n ? n : 1, sizeof(struct rule_hits *));
	memcpy(rules->defaults, defaults, sizeof(rules->defaults));
	for (unsigned w = 0; w < 2; w++)
		rules->of[w].entries = calloc(n ? n : 1, sizeof(struct entry));
	if (!rules->hits || !rules->of[0].entries || !rules->of[1].entries) {
		rules_free(rules);
		return NULL;
	}
	for (unsigned i = 0; i < n; i++) {
		rules->hits[i] = list[i].hits;
		for (unsigned w = 0; w < 2; w++)
			if (list[i].rule->directions >> w & 1)
				rules->of[w].entries[rules->of[w].n++] = compile(&list[i], (uint16_t)i);
	}
	return rules;
}

void rules_free(struct rules *rules)
{
	if (!rules)
		return;
	free(rules->of[0].entries);
	free(rules->of[1].entries);
	free(rules->hits);
	free(rules);
}

uint32_t rules_number(const struct rules *rules)
{
	return rules->number;
}

bool rules_deny(const struct rules *rules, enum rule_direction direction)
{
	return rules->deny & direction;
}

/* ---- asking ---- */

static bool is_icmp(const struct heading *h)
{
	return h->proto == (addr_is4(h->src) ? PROTO_ICMP : PROTO_ICMP6);
}

static bool what_matches(const struct entry *e, const struct heading *h)
{
	switch ((enum rule_match)e->match) {
	case RULE_EVERYTHING:
		break;
	case RULE_IP:
		if (!h->ip || h->proto != e->proto)
			return false;
		break;
	case RULE_ICMP:
		return h->ip && is_icmp(h);
	case RULE_ETHERTYPE:
		return h->ethertype == e->ethertype;
	}
	return !e->ports || (heading_has_ports(h) && h->dport >= e->first && h->dport <= e->last);
}

static bool is_guest(const struct entry *e, const struct rules_query *q, struct addr peer)
{
	struct station s;

	return e->guest >= 0 && q->segment && q->segment->stations && station_find(q->segment->stations, peer, &s) &&
	       s.port == (uint32_t)e->guest;
}

/* leads_there() - an address beyond the subnet is reached by the gateway alone: what goes to another guest's MAC address under such an
 * address goes to that guest */
static bool leads_there(const struct rules_query *q, struct addr peer)
{
	const struct segment *seg = q->segment;

	return !seg || !seg->has_subnet || q->to_gateway || segment_has(seg, peer) || addr_is_multicast(peer) ||
	       addr_is_link_local(peer) || (addr_is4(peer) && addr_4(peer) == UINT32_MAX);
}

static bool peer_matches(const struct entry *e, const struct rules_query *q)
{
	const struct heading *h = q->heading;
	struct addr peer = q->direction == RULE_EGRESS ? h->dst : h->src;

	if (e->peer == RULE_ANY)
		return true;
	if (!h->ip || !leads_there(q, peer))
		return false;
	switch ((enum rule_peer)e->peer) {
	case RULE_ANY:
		return true;
	case RULE_GATEWAY:
		return q->segment && q->segment->has_subnet && segment_is_gateway(q->segment, peer);
	case RULE_PREFIX:
		return (addr_is4(peer) ? e->v4 : e->v6) && (peer.halves[0] & e->mask[0]) == e->value[0] &&
		       (peer.halves[1] & e->mask[1]) == e->value[1];
	case RULE_GUEST:
		return is_guest(e, q, peer);
	case RULE_DOMAIN:
		return q->names && names_seen_has(q->names, e->name, peer, q->now_ms);
	}
	return false;
}

/* basic_tcp() - DNS where we answer it ourselves; where the host has the gateway's addresses, its port 53 is the host's */
static bool basic_tcp(const struct rules_query *q)
{
	const struct segment *seg = q->segment;

	return q->direction == RULE_EGRESS && q->heading->dport == DNS && seg && seg->resolver && !seg->host &&
	       segment_is_gateway(seg, q->heading->dst);
}

/* basic_udp() - what the services themselves answer */
static bool basic_udp(const struct rules_query *q)
{
	const struct heading *h = q->heading;
	bool egress = q->direction == RULE_EGRESS, gateway = q->segment && q->segment->has_subnet;
	struct addr peer = egress ? h->dst : h->src;
	uint16_t there = egress ? h->dport : h->sport, here = egress ? h->sport : h->dport;

	gateway = gateway && segment_is_gateway(q->segment, peer);
	if (there == DHCP_SERVER && here == DHCP_CLIENT)
		return !egress || gateway || (addr_is4(peer) && addr_4(peer) == UINT32_MAX);
	if (there == DHCP6_SERVER && here == DHCP6_CLIENT)
		return egress ? addr_is_multicast(peer) && peer.bytes[1] == 2 : addr_is_link_local(peer);
	return egress && gateway && there == DNS;
}

/* is_membership6() - Multicast Listener Discovery, without which a switch that snoops would not deliver solicitations (RFC 2710, 3810) */
static bool is_membership6(uint8_t type)
{
	return (type >= 130 && type <= 132) || type == 143;
}

bool rules_basic(const struct rules_query *q)
{
	const struct heading *h = q->heading;

	if (!h->ip)
		return h->ethertype == ETHERTYPE_ARP4;
	if (h->fragment)
		return false;
	if (h->proto == PROTO_ICMP6 && !addr_is4(h->src))	/* RFC 4861 7.1: what crossed a router is none */
		return (h->icmp_type >= ND_ROUTER_SOLICITATION && h->icmp_type <= ND_NEIGHBOUR_ADVERTISEMENT && h->ttl == ND_HOP_LIMIT) ||
		       (is_membership6(h->icmp_type) && h->ttl == 1);
	if (h->proto == PROTO_IGMP)
		return h->ttl == 1;
	return h->proto == PROTO_UDP ? basic_udp(q) : h->proto == PROTO_TCP && basic_tcp(q);
}

int rules_ask(const struct rules *rules, const struct rules_query *q, bool *allow)
{
	const struct entry *e = rules->of[way(q->direction)].entries, *end = e + rules->of[way(q->direction)].n;

	for (; e < end; e++) {
		if (!what_matches(e, q->heading) || !peer_matches(e, q))
			continue;
		if (!e->allow && e->peer == RULE_ANY && e->match == RULE_EVERYTHING && !e->ports && rules_basic(q))
			continue;	/* "deny egress any" is a default that is written down */
		*allow = e->allow;
		return e->index;
	}
	*allow = !(rules->deny & q->direction) || rules_basic(q);
	return *allow && rules->deny & q->direction ? RULES_BASIC : RULES_DEFAULT;
}

void rules_hit(const struct rules *rules, enum rule_direction direction, int index)
{
	struct rule_hits *hits = index >= 0 ? rules->hits[index] : index == RULES_DEFAULT ? rules->defaults[way(direction)] : NULL;

	if (hits)
		atomic_fetch_add_explicit(&hits->n, 1, memory_order_relaxed);
}
