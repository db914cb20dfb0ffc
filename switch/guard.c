// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/guard.h"

#include <endian.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <urcu/urcu-qsbr.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "switch/burst.h"
#include "switch/fdb.h"
#include "switch/packet.h"
#include "switch/route6.h"
#include "switch/storm.h"
#include "switch/told.h"
#include "switch/worker.h"

#define MAC_WORD_ALL 0xffffffffffffull

struct guard {
	struct guard_conf conf;
	_Atomic uint32_t leased[GUARD_ADDRESSES];	/* network order; 0: none */
	_Atomic uint64_t leased6[GUARD_ADDRESSES];	/* lower halves, host order; 0: none */
	storm storms[STORM_SORTS];
	struct rcu_head rcu;
};

struct guard *guard_new(const struct guard_conf *conf)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->conf = *conf;
	return g;
}

static void free_rcu(struct rcu_head *head)
{
	free(container_of(head, struct guard, rcu));
}

void guard_release(struct guard *g)
{
	if (g)
		urcu_qsbr_call_rcu(&g->rcu, free_rcu);
}

const struct guard_conf *guard_conf(const struct guard *g)
{
	return &g->conf;
}

/* A worker that looks while addresses change places may miss one for that moment: the guest sends again. */
void guard_lease(struct guard *g, const uint32_t *ips, unsigned n)
{
	for (unsigned i = 0; i < GUARD_ADDRESSES; i++)
		atomic_store_explicit(&g->leased[i], i < n ? htobe32(ips[i]) : 0, memory_order_relaxed);
}

void guard_lease6(struct guard *g, const uint64_t *low, unsigned n)
{
	for (unsigned i = 0; i < GUARD_ADDRESSES; i++)
		atomic_store_explicit(&g->leased6[i], i < n ? low[i] : 0, memory_order_relaxed);
}

static bool is_leased6(const struct guard *g, uint64_t low)
{
	for (unsigned i = 0; i < GUARD_ADDRESSES; i++)
		if (atomic_load_explicit(&g->leased6[i], memory_order_relaxed) == low)
			return true;
	return false;
}

static bool is_own_mac(const struct guard *g, const uint8_t *mac)
{
	for (unsigned i = 0; i < g->conf.nmacs; i++)
		if (mac_word(g->conf.macs[i]) == mac_word(mac))
			return true;
	return false;
}

static bool is_fixed(const struct guard *g, struct addr a)
{
	for (unsigned i = 0; i < g->conf.nfixed; i++)
		if (addr_equal(g->conf.fixed[i], a))
			return true;
	return false;
}

static bool is_leased(const struct guard *g, struct addr a)
{
	for (unsigned i = 0; i < GUARD_ADDRESSES; i++)
		if (atomic_load_explicit(&g->leased[i], memory_order_relaxed) == a.words[3])
			return true;
	return false;
}

/* owner_key() - an IPv6 address in a VLAN as a key of the table of owners: hashed under the process's secret, for it has no room for both */
static uint64_t owner_key(struct addr a, uint16_t vid)
{
	return hash_u64(addr_hash(a, hash_seed()) + vid, hash_seed()) | 1;
}

/* is_first() - the port has this IPv6 address, or takes it now because nobody has */
static bool is_first(const struct guard_place *at, struct addr a)
{
	uint64_t key = owner_key(a, at->vid);
	int owner = at->owners ? fdb_lookup_key(at->owners, key, at->now_ms) : -1;

	if (owner >= 0 && (uint32_t)owner != at->port)
		return false;
	if (at->owners && !at->trial)
		fdb_learn_key(at->owners, key, at->port, at->now_ms);
	return true;
}

/* owns_global() - what DHCPv6 gives is the port's that it was given to; other addresses of the subnet guests choose themselves */
static bool owns_global(const struct guard *g, const struct guard_place *at, struct addr a)
{
	const struct segment *seg = at->segment;
	uint64_t low = be64toh(a.halves[1]);
	struct route6 route;

	if (!segment_has(seg, a))
		return routes6_find(seg->routes, a, &route) && route.port == at->port;
	if (low && is_leased6(g, low))
		return true;
	return !(seg->pool6_last && low >= seg->pool6_first && low <= seg->pool6_last) && is_first(at, a);
}

static bool owns(const struct guard *g, const struct guard_place *at, struct addr a)
{
	if (is_fixed(g, a))
		return true;
	if (at->segment && segment_is_gateway(at->segment, a))
		return false;
	if (addr_is4(a))
		return is_leased(g, a);
	if (addr_is_link_local(a))
		return is_first(at, a);
	return at->segment && owns_global(g, at, a);
}

/* may_be_nobody() - without a source address one asks for an address, for its duplicates, and for groups (RFC 2131 4.1, RFC 5227, RFC 4862 5.4.2,
 * RFC 3376 4.2.13, RFC 3590) */
static bool may_be_nobody(const struct told *t)
{
	return t->kind == TOLD_ARP || t->kind == TOLD_DHCP_CLIENT || t->kind == TOLD_GROUPS || t->kind == TOLD_NEIGHBOUR || t->kind == TOLD_ICMP6;
}

/* check_ip() - is the source the port's own, and what it says is its own, too? */
static enum verdict check_ip(const struct guard *g, const struct guard_place *at, const struct frame *f, const struct told *t)
{
	bool mapped = t->ip && addr_is4(t->src) && get_u16(f->head + 12) == ETHERTYPE_IP6;

	if (!t->ip)
		return VERDICT_FORWARDED;
	if (mapped || (addr_is_none(t->src) ? !may_be_nobody(t) : !owns(g, at, t->src)))
		return VERDICT_DROP_FORGED_IP;
	return addr_is_none(t->claim) || owns(g, at, t->claim) ? VERDICT_FORWARDED : VERDICT_DROP_FORGED_IP;
}

static bool claims_gateway(const struct guard_place *at, const struct told *t)
{
	if (!at->segment || !at->segment->has_subnet || (t->kind != TOLD_ARP && t->kind != TOLD_NEIGHBOUR && t->kind != TOLD_ROUTER))
		return false;
	return (!addr_is_none(t->src) && segment_is_gateway(at->segment, t->src)) ||
	       (!addr_is_none(t->claim) && segment_is_gateway(at->segment, t->claim));
}

static enum verdict check_told(const struct guard *g, const struct guard_place *at, const struct told *t)
{
	const uint32_t flags = g->conf.flags;

	if (t->kind == TOLD_HIDDEN && flags & (GUARD_ROUTER | GUARD_GATEWAY))
		return VERDICT_DROP_HIDDEN_HEADER;
	if (t->kind == TOLD_ROUTER && flags & GUARD_ROUTER)
		return VERDICT_DROP_ROGUE_ROUTER;
	if (t->kind == TOLD_DHCP_SERVER && flags & GUARD_DHCP)
		return VERDICT_DROP_ROGUE_DHCP;
	if (flags & GUARD_GATEWAY && claims_gateway(at, t))
		return VERDICT_DROP_GATEWAY_CLAIM;
	if (t->foreign_link && flags & GUARD_OWN_MAC)
		return VERDICT_DROP_FORGED_MAC;
	return VERDICT_FORWARDED;
}

enum verdict guard_frame(const struct guard *g, const struct guard_place *at, const struct frame *f)
{
	enum verdict v;
	struct told t;

	if (g->conf.flags & GUARD_OWN_MAC && !is_own_mac(g, frame_src(f)))
		return VERDICT_DROP_FORGED_MAC;
	told_parse(f, &t);
	v = check_told(g, at, &t);
	return v == VERDICT_FORWARDED && g->conf.flags & GUARD_OWN_IP ? check_ip(g, at, f, &t) : v;
}

bool guard_storm(struct guard *g, enum storm_sort sort, uint64_t now_ms, bool trial)
{
	return !g->conf.storm[sort] || storm_take(&g->storms[sort], g->conf.storm[sort], now_ms * 1000000, !trial);
}

/* ---- the stage ---- */

/* lately - what is known of the last frames of a VLAN that passed, so that most others need a few comparisons */
struct lately {
	uint16_t vid;			/* 0: none has passed */
	bool any_mac, any_ip;		/* sources are not looked at */
	uint8_t groups;			/* 1: frames to groups are counted */
	uint64_t mac;			/* mac_word() */
	int64_t ip4;			/* network order; -1: none */
	bool has_ip6;
	struct addr ip6;
};

/* is_ordinary() - TCP, UDP of no DHCP, or no IP at all, from addresses that were good a frame ago: nothing in it needs a look */
static inline bool is_ordinary(const struct lately *l, const struct frame *f)
{
	const uint8_t *h = f->head;
	uint16_t type;
	uint32_t src;

	if (f->vid != l->vid || f->head_len < 38 || h[0] & l->groups || (!l->any_mac && mac_word(h + MAC_SIZE) != l->mac))
		return false;
	type = get_u16(h + 12);
	if (type == ETHERTYPE_IP4) {
		memcpy(&src, h + 26, sizeof(src));
		return h[14] == 0x45 && (h[23] == PROTO_TCP || (h[23] == PROTO_UDP && get_u16(h + 36) - 67u > 1)) &&
		       (l->any_ip || src == l->ip4);
	}
	if (type == ETHERTYPE_IP6)
		return f->head_len >= 58 && h[14] >> 4 == 6 && (h[20] == PROTO_TCP || (h[20] == PROTO_UDP && get_u16(h + 56) - 546u > 1)) &&
		       (l->any_ip || (l->has_ip6 && !memcmp(h + 22, l->ip6.bytes, ADDR_SIZE)));
	return type != ETHERTYPE_ARP4;
}

/* remember() - frame @f has passed; one without a source address has not said whose the next ones may be */
static void remember(struct lately *l, const struct frame *f)
{
	uint16_t type = get_u16(f->head + 12);
	uint32_t src;

	if (l->vid != f->vid)
		*l = (struct lately){ .vid = f->vid, .any_mac = l->any_mac, .any_ip = l->any_ip, .groups = l->groups, .ip4 = -1 };
	l->mac = mac_word(frame_src(f));
	if (type == ETHERTYPE_IP4 && f->head_len >= ETH_HEADER + IP4_HEADER) {
		memcpy(&src, f->head + 26, sizeof(src));
		l->ip4 = src ? (int64_t)src : -1;
	} else if (type == ETHERTYPE_IP6 && f->head_len >= ETH_HEADER + IP6_HEADER) {
		l->ip6 = addr6(f->head + 22);
		l->has_ip6 = !addr_is_none(l->ip6);
	}
}

/* is_one_too_many() - a station that the port does not have yet, when it has all that it may have */
static bool is_one_too_many(const struct guard *g, const struct burst *b, const struct frame *f)
{
	const struct fdb *fdb = b->in->net->fdb;
	uint32_t port = b->in->port->id;

	return fdb_count(fdb, port) >= g->conf.max_macs &&
	       fdb_lookup(fdb, f->vid, frame_src(f), worker_now_ms(b->w)) != (int)port;
}

/* is_storm() - a frame to a group beyond what the port may send */
static bool is_storm(struct guard *g, const struct burst *b, const struct frame *f)
{
	bool all = (mac_word(frame_dst(f)) & MAC_WORD_ALL) == MAC_WORD_ALL;

	return mac_is_group(frame_dst(f)) && !guard_storm(g, all ? STORM_BROADCAST : STORM_MULTICAST, worker_now_ms(b->w), b->trial);
}

void guard_burst(struct burst *b, struct frame *frames, unsigned n)
{
	struct guard *g = b->in->guard;
	const uint32_t flags = g->conf.flags, most = g->conf.max_macs;
	struct guard_place at = { .owners = b->in->net->owners, .port = b->in->port->id, .now_ms = worker_now_ms(b->w), .trial = b->trial };
	struct lately l = {
		.any_mac = !(flags & GUARD_OWN_MAC) && !most, .any_ip = !(flags & GUARD_OWN_IP), .ip4 = -1,
		.groups = g->conf.storm[STORM_BROADCAST] || g->conf.storm[STORM_MULTICAST],
	};

	for (unsigned i = 0; i < n; i++) {
		struct frame *f = &frames[i];
		enum verdict v;

		if (b->verdict[i] != VERDICT_FORWARDED || is_ordinary(&l, f))
			continue;
		at.segment = burst_segment(b, f);
		at.vid = f->vid;
		v = guard_frame(g, &at, f);
		if (v == VERDICT_FORWARDED && most && is_one_too_many(g, b, f))
			v = VERDICT_DROP_MAC_LIMIT;
		if (v == VERDICT_FORWARDED && l.groups && is_storm(g, b, f))
			v = VERDICT_DROP_STORM;
		if (v == VERDICT_FORWARDED)
			remember(&l, f);
		b->verdict[i] = (uint8_t)v;
	}
}
