// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/connection.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "switch/packet.h"

enum { GROUPS = 16384, PLACES = CONNECTION_PLACES / GROUPS, LOCK_TRIES = 2000 };

enum stage_of { BEGUN, ANSWERED, OPEN, CLOSING, RESET };

/* How long a flow lives without a packet, by its stage */
static const uint32_t tcp_ms[] = { [BEGUN] = 60000, [ANSWERED] = 60000, [OPEN] = 7440000, [CLOSING] = 240000, [RESET] = 10000 };
static const uint32_t udp_ms[] = { [BEGUN] = 120000, [OPEN] = 300000 };
static const uint32_t other_ms[] = { [BEGUN] = 60000, [OPEN] = 60000 };
enum { FRAGMENTS_MS = 30000 };

struct connection {
	struct connection_key key;
	uint8_t stage;			/* enum stage_of */
	bool by_guest;			/* who began it */
	uint32_t rules;
	uint64_t until_ms;		/* 0: the place is free */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct connection) == 64, "a flow is a cache line");

/* group - a line with the lock and one byte of each key's hash, so that most looks touch two lines */
struct group {
	atomic_flag lock;
	_Atomic uint8_t tags[PLACES];	/* read without the lock by who only wants to know whether anything was ever here */
	struct connection places[PLACES] __attribute__((aligned(64)));
};

struct connections {
	uint64_t seed;
	struct group *groups;		/* a mapping of its own: what nobody touched costs nothing */
};

struct connections *connections_new(void)
{
	struct connections *t = calloc(1, sizeof(*t));
	void *map = t ? mmap(NULL, GROUPS * sizeof(struct group), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) : MAP_FAILED;

	if (map == MAP_FAILED) {
		free(t);
		return NULL;
	}
	t->groups = map;		/* all zeros: unlocked, and every place free */
	t->seed = hash_seed();
	return t;
}

void connections_free(struct connections *t)
{
	if (t)
		munmap(t->groups, GROUPS * sizeof(struct group));
	free(t);
}

/* ---- places ---- */

static uint64_t hash_key(const struct connections *t, const struct connection_key *k)
{
	uint64_t ports = (uint64_t)k->guest_port << 48 | (uint64_t)k->peer_port << 32 | (uint32_t)k->vid << 16 | k->proto << 8 | k->kind;

	uint64_t peer = addr_hash(k->peer, ~t->seed);

	/* mixed once more as a whole: of addresses that count up the low bits of the one hash alone would not spread under every seed */
	return hash_u64((addr_hash(k->guest, t->seed) ^ (peer << 1 | peer >> 63)) + ports, t->seed);
}

static bool same_key(const struct connection_key *a, const struct connection_key *b)
{
	return addr_equal(a->guest, b->guest) && addr_equal(a->peer, b->peer) && a->guest_port == b->guest_port &&
	       a->peer_port == b->peer_port && a->vid == b->vid && a->proto == b->proto && a->kind == b->kind;
}

static struct group *group_lock(struct connections *t, uint64_t hash)
{
	struct group *g = &t->groups[hash % GROUPS];

	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (!atomic_flag_test_and_set_explicit(&g->lock, memory_order_acquire))
			return g;
#if defined(__x86_64__)
		__builtin_ia32_pause();
#endif
	}
	return NULL;
}

static void group_unlock(struct group *g)
{
	atomic_flag_clear_explicit(&g->lock, memory_order_release);
}

static struct connection *find(struct group *g, uint64_t hash, const struct connection_key *key)
{
	uint8_t tag = (uint8_t)(hash >> 56);

	for (unsigned i = 0; i < PLACES; i++)
		if (atomic_load_explicit(&g->tags[i], memory_order_relaxed) == tag && g->places[i].until_ms && same_key(&g->places[i].key, key))
			return &g->places[i];
	return NULL;
}

/* rank() - which place is given up first: 0 for none */
static unsigned rank(const struct connection *c, bool for_guest, uint64_t now_ms)
{
	if (c->until_ms <= now_ms)
		return 3;
	if (c->by_guest && !for_guest)
		return 0;
	if (c->stage == OPEN && (c->by_guest || !for_guest || c->key.proto == PROTO_TCP))
		return 0;		/* anybody gets an answer out of a server for datagrams */
	return c->by_guest == for_guest ? 1 : 2;
}

static struct connection *make_room(struct group *g, bool for_guest, uint64_t now_ms)
{
	struct connection *best = NULL;
	unsigned best_rank = 0;

	for (unsigned i = 0; i < PLACES; i++) {
		struct connection *c = &g->places[i];
		unsigned r = rank(c, for_guest, now_ms);

		if (r > best_rank || (r && r == best_rank && c->until_ms < best->until_ms)) {
			best = c;
			best_rank = r;
		}
	}
	return best;
}

/* ---- states ---- */

static uint32_t lifetime(const struct connection *c)
{
	if (c->key.kind != CONNECTION_FLOW)
		return FRAGMENTS_MS;
	return c->key.proto == PROTO_TCP ? tcp_ms[c->stage] : c->key.proto == PROTO_UDP ? udp_ms[c->stage] : other_ms[c->stage];
}

/* tcp_next() - the stage after this packet. Return: negative when it is no part of the flow. RFC 9293 3.3.2, as seen in the middle */
static int tcp_next(const struct connection *c, const struct connection_packet *p)
{
	bool opener = p->by_guest == c->by_guest, syn = p->tcp_flags & CONNECTION_SYN, ack = p->tcp_flags & CONNECTION_ACK;

	if (p->tcp_flags & CONNECTION_RST)
		return c->stage == BEGUN && !opener && !ack ? -1 : RESET;
	if (syn && !ack)
		return opener && c->stage <= ANSWERED ? c->stage : -1;	/* else somebody begins anew */
	switch ((enum stage_of)c->stage) {
	case BEGUN:
		return !opener && syn ? ANSWERED : -1;
	case ANSWERED:
		if (opener)
			return syn || !ack ? -1 : p->tcp_flags & CONNECTION_FIN ? CLOSING : OPEN;
		return ANSWERED;
	case OPEN:
		return p->tcp_flags & CONNECTION_FIN ? CLOSING : OPEN;
	case CLOSING:
		return CLOSING;
	case RESET:
		break;
	}
	return RESET;
}

static int next_stage(const struct connection *c, const struct connection_packet *p)
{
	if (c->key.kind != CONNECTION_FLOW)
		return c->stage;
	if (c->key.proto == PROTO_TCP)
		return tcp_next(c, p);
	return p->by_guest != c->by_guest ? OPEN : c->stage;
}

static enum connection_state judge(struct connections *t, const struct connection_packet *p, uint32_t rules, uint64_t now_ms, bool note,
				   bool *by_guest)
{
	uint64_t hash = hash_key(t, &p->key);
	struct group *g = group_lock(t, hash);
	enum connection_state state = CONNECTION_NONE;
	struct connection *c;
	int stage;

	if (!g)
		return CONNECTION_BUSY;
	c = find(g, hash, &p->key);
	stage = c && c->until_ms > now_ms ? next_stage(c, p) : -1;
	if (stage >= 0) {
		*by_guest = c->by_guest;
		state = c->rules == rules ? CONNECTION_PASS : CONNECTION_STALE;
	}
	if (state == CONNECTION_PASS && note) {
		c->stage = (uint8_t)stage;
		c->until_ms = now_ms + lifetime(c);
	}
	group_unlock(g);
	return state;
}

enum connection_state connection_pass(struct connections *t, const struct connection_packet *p, uint32_t rules, uint64_t now_ms,
				      bool *by_guest)
{
	return judge(t, p, rules, now_ms, true, by_guest);
}

enum connection_state connection_look(struct connections *t, const struct connection_packet *p, uint32_t rules, uint64_t now_ms,
				      bool *by_guest)
{
	return judge(t, p, rules, now_ms, false, by_guest);
}

bool connection_begins(const struct connection_packet *p, bool icmp_request)
{
	if (p->key.kind == CONNECTION_FLOW && p->key.proto == PROTO_TCP)
		return (p->tcp_flags & (CONNECTION_SYN | CONNECTION_ACK | CONNECTION_RST | CONNECTION_FIN)) == CONNECTION_SYN;
	if (p->key.proto == PROTO_ICMP || p->key.proto == PROTO_ICMP6)
		return icmp_request || p->key.kind != CONNECTION_FLOW;
	return true;
}

bool connection_open(struct connections *t, const struct connection_packet *p, uint32_t rules, uint64_t now_ms)
{
	uint64_t hash = hash_key(t, &p->key);
	struct group *g = group_lock(t, hash);
	struct connection *c;

	if (!g)
		return false;
	c = find(g, hash, &p->key);
	if (c && c->until_ms > now_ms && c->stage == OPEN && c->rules == rules) {
		group_unlock(g);	/* a SYN on an open flow: its end answers, and if it has forgotten resets it (RFC 5961 4) */
		return true;
	}
	if (!c)
		c = make_room(g, p->by_guest, now_ms);
	if (c) {
		*c = (struct connection){ .key = p->key, .stage = BEGUN, .by_guest = p->by_guest, .rules = rules };
		c->until_ms = now_ms + lifetime(c);
		atomic_store_explicit(&g->tags[c - g->places], (uint8_t)(hash >> 56), memory_order_relaxed);
	}
	group_unlock(g);
	return c != NULL;
}

bool connection_renew(struct connections *t, const struct connection_key *key, uint32_t rules)
{
	uint64_t hash = hash_key(t, key);
	struct group *g = group_lock(t, hash);
	struct connection *c = g ? find(g, hash, key) : NULL;

	if (c)
		c->rules = rules;
	if (g)
		group_unlock(g);
	return c != NULL;
}

void connection_end(struct connections *t, const struct connection_key *key)
{
	uint64_t hash = hash_key(t, key);
	struct group *g = group_lock(t, hash);
	struct connection *c = g ? find(g, hash, key) : NULL;

	if (c)
		c->until_ms = 0;
	if (g)
		group_unlock(g);
}

/* ---- for people ---- */

/* is_empty() - was nothing ever here? Then it has no memory yet, and locking it would take some */
static bool is_empty(const struct group *g)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (atomic_load_explicit(&g->tags[i], memory_order_relaxed))
			return false;
	return true;
}

unsigned connections_each(struct connections *t, uint64_t now_ms, struct connection_seen *to, unsigned n)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < GROUPS; i++) {
		struct group *g = is_empty(&t->groups[i]) ? NULL : group_lock(t, i);

		for (unsigned k = 0; g && k < PLACES; k++) {
			const struct connection *c = &g->places[k];

			if (c->until_ms <= now_ms || c->key.kind != CONNECTION_FLOW)
				continue;
			if (seen < n)
				to[seen] = (struct connection_seen){ c->key, c->by_guest, c->stage != BEGUN, c->until_ms };
			seen++;
		}
		if (g)
			group_unlock(g);
	}
	return seen;
}

unsigned connections_count(struct connections *t, uint64_t now_ms)
{
	return connections_each(t, now_ms, NULL, 0);
}
