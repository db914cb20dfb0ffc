// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/names_seen.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"

enum { WINDOW = 16, PLACES = NAMES_SEEN_MAX + WINDOW };

/* place - written under an odd sequence number, read between two looks at the same even one (a seqlock with one writer). The end alone
 * may change without that: it is one word. */
struct place {
	_Atomic uint32_t sequence;
	_Atomic uint32_t name;
	_Atomic uint64_t halves[2];
	_Atomic uint64_t until_ms;	/* 0: free */
};

struct names_seen {
	uint64_t seed;
	struct place places[PLACES];
};

struct names_seen *names_seen_new(void)
{
	struct names_seen *t = calloc(1, sizeof(*t));

	if (t)
		t->seed = hash_seed();
	return t;
}

void names_seen_free(struct names_seen *t)
{
	free(t);
}

static unsigned window_of(const struct names_seen *t, uint16_t name, struct addr a)
{
	return (unsigned)(hash_u64(addr_hash(a, t->seed) + name, t->seed) % NAMES_SEEN_MAX);
}

static uint64_t load(const _Atomic uint64_t *p)
{
	return atomic_load_explicit(p, memory_order_relaxed);
}

static bool holds(const struct place *p, uint16_t name, struct addr a)
{
	return atomic_load_explicit(&p->name, memory_order_relaxed) == name && load(&p->halves[0]) == a.halves[0] &&
	       load(&p->halves[1]) == a.halves[1];
}

bool names_seen_has(const struct names_seen *t, uint16_t name, struct addr a, uint64_t now_ms)
{
	unsigned first = window_of(t, name, a);

	for (unsigned i = first; i < first + WINDOW; i++) {
		const struct place *p = &t->places[i];
		uint32_t before = atomic_load_explicit(&p->sequence, memory_order_acquire);
		bool found = load(&p->until_ms) > now_ms && holds(p, name, a);

		atomic_thread_fence(memory_order_acquire);
		if (found && !(before & 1) && atomic_load_explicit(&p->sequence, memory_order_relaxed) == before)
			return true;
	}
	return false;
}

static void write_place(struct place *p, uint16_t name, struct addr a, uint64_t until_ms)
{
	uint32_t sequence = atomic_load_explicit(&p->sequence, memory_order_relaxed);

	atomic_store_explicit(&p->sequence, sequence + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&p->name, name, memory_order_relaxed);
	atomic_store_explicit(&p->halves[0], a.halves[0], memory_order_relaxed);
	atomic_store_explicit(&p->halves[1], a.halves[1], memory_order_relaxed);
	atomic_store_explicit(&p->until_ms, until_ms, memory_order_relaxed);
	atomic_store_explicit(&p->sequence, sequence + 2, memory_order_release);
}

void names_seen_add(struct names_seen *t, uint16_t name, struct addr a, uint64_t until_ms, uint64_t now_ms)
{
	unsigned first = window_of(t, name, a);
	struct place *least = &t->places[first];

	if (until_ms <= now_ms)
		return;
	for (unsigned i = first; i < first + WINDOW; i++) {
		struct place *p = &t->places[i];

		if (load(&p->until_ms) && holds(p, name, a)) {
			if (load(&p->until_ms) < until_ms)
				atomic_store_explicit(&p->until_ms, until_ms, memory_order_relaxed);
			return;
		}
		if (load(&p->until_ms) < load(&least->until_ms))
			least = p;
	}
	write_place(least, name, a, until_ms);
}

void names_seen_drop(struct names_seen *t, uint16_t name)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (atomic_load_explicit(&t->places[i].name, memory_order_relaxed) == name)
			atomic_store_explicit(&t->places[i].until_ms, 0, memory_order_relaxed);
}

unsigned names_seen_count(const struct names_seen *t, uint16_t name, uint64_t now_ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PLACES; i++)
		n += load(&t->places[i].until_ms) > now_ms && atomic_load_explicit(&t->places[i].name, memory_order_relaxed) == name;
	return n;
}
