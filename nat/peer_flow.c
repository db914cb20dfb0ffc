// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/peer_flow.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "switch/forward.h"
#include "switch/packet.h"

enum { WAYS = 8, SETS = PEER_FLOWS / WAYS, TCP_S = 7440, TRANSITORY_S = 240, UDP_S = 300, ECHO_S = 60 };

/* entry - ends is a second of the worker's clock; 0: nothing is here. Its top bit: it is being closed, and is kept no longer than that takes. */
struct entry {
	_Atomic uint64_t key;
	_Atomic uint32_t ends;
};

enum { CLOSING = 1u << 31 };

struct table {
	struct entry entries[SETS][WAYS];
};

struct peer_flows {
	_Atomic(struct table *) of[PORT_IDS];	/* by opener's port id; NULL until it opens something */
};

struct peer_flows *peer_flows_new(void)
{
	return calloc(1, sizeof(struct peer_flows));
}

void peer_flows_free(struct peer_flows *flows)
{
	for (uint32_t i = 0; flows && i < PORT_IDS; i++)
		free(atomic_load_explicit(&flows->of[i], memory_order_relaxed));
	free(flows);
}

static uint64_t key_of(const struct peer_flow *f)
{
	uint64_t words[5] = { f->src.halves[0], f->src.halves[1], f->dst.halves[0], f->dst.halves[1],
			      (uint64_t)f->sport << 32 | (uint64_t)f->dport << 16 | f->proto };
	uint64_t key = hash_bytes(words, sizeof(words), hash_seed());

	return key ? key : 1;
}

/* table_of() - @make: take the memory if there is none yet; two workers may try at once */
static struct table *table_of(struct peer_flows *flows, uint32_t opener, bool make)
{
	struct table *t = opener < PORT_IDS ? atomic_load_explicit(&flows->of[opener], memory_order_acquire) : NULL, *none = NULL;

	if (t || !make || opener >= PORT_IDS)
		return t;
	t = calloc(1, sizeof(*t));
	if (t && !atomic_compare_exchange_strong(&flows->of[opener], &none, t)) {
		free(t);
		t = none;
	}
	return t;
}

static uint32_t second(uint64_t now_ms)
{
	return (uint32_t)(now_ms / 1000) + 1;
}

static uint32_t ends_of(const struct entry *e)
{
	return atomic_load_explicit(&e->ends, memory_order_relaxed) & ~CLOSING;
}

static struct entry *find(struct table *t, uint64_t key, uint64_t now_ms)
{
	struct entry *set = t->entries[key % SETS];

	for (unsigned i = 0; i < WAYS; i++)
		if (atomic_load_explicit(&set[i].key, memory_order_relaxed) == key && ends_of(&set[i]) > second(now_ms))
			return &set[i];
	return NULL;
}

/* soonest() - the place whose flow ends first; a free one ended long ago */
static struct entry *soonest(struct table *t, uint64_t key)
{
	struct entry *set = t->entries[key % SETS], *best = set;

	for (unsigned i = 1; i < WAYS; i++)
		if (ends_of(&set[i]) < ends_of(best))
			best = &set[i];
	return best;
}

/* keep() - @e lives on from now; a SYN begins anew what was closed */
static void keep(struct entry *e, uint8_t proto, uint8_t tcp_flags, uint64_t now_ms)
{
	uint32_t old = atomic_load_explicit(&e->ends, memory_order_relaxed), closing = 0, lasts;

	if (proto == PROTO_TCP) {
		closing = tcp_flags & (TCP_FIN | TCP_RST) || (old & CLOSING && !(tcp_flags & TCP_SYN)) ? CLOSING : 0;
		lasts = closing || tcp_flags & TCP_SYN ? TRANSITORY_S : TCP_S;
	} else {
		lasts = proto == PROTO_UDP ? UDP_S : ECHO_S;
	}
	if (closing && old & CLOSING)
		return;
	atomic_store_explicit(&e->ends, (second(now_ms) + lasts) | closing, memory_order_relaxed);
}

void peer_flows_note(struct peer_flows *flows, uint32_t opener, const struct peer_flow *flow, uint8_t tcp_flags, uint64_t now_ms)
{
	struct table *t = table_of(flows, opener, true);
	uint64_t key = key_of(flow);
	struct entry *e = t ? find(t, key, now_ms) : NULL;

	if (t && !e) {
		e = soonest(t, key);
		atomic_store_explicit(&e->ends, 0, memory_order_relaxed);
		atomic_store_explicit(&e->key, key, memory_order_relaxed);
	}
	if (e)
		keep(e, flow->proto, tcp_flags, now_ms);
}

bool peer_flows_answer(struct peer_flows *flows, uint32_t opener, const struct peer_flow *flow, uint8_t tcp_flags, uint64_t now_ms)
{
	struct table *t = table_of(flows, opener, false);
	struct entry *e = t ? find(t, key_of(flow), now_ms) : NULL;

	if (e && flow->proto == PROTO_TCP)
		keep(e, flow->proto, tcp_flags, now_ms);
	return e;
}

bool peer_flows_has(struct peer_flows *flows, uint32_t opener, const struct peer_flow *flow, uint64_t now_ms)
{
	struct table *t = table_of(flows, opener, false);

	return t && find(t, key_of(flow), now_ms);
}
