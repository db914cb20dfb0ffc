/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/fdb_parts.h - what an entry of the table is and how it is found; for fdb.c, fdb_place.c and fdb_table.c alone */
#ifndef SWITCH_FDB_PARTS_H
#define SWITCH_FDB_PARTS_H

#include <stdatomic.h>

#include "switch/fdb.h"

/* The two words of an entry:
 *	key	MAC (48 bits) << 16 | VID; never 0, because a VID is not 0
 *	value	port (16) << 48 | turn (7) << 41 | static (1) << 40 | moves (8) << 32 | second last seen (32)
 * The turn counts the keys that have lived in the place, so that a swap meant for the key before fails.
 */
enum { WAYS = 4, CANDIDATES = 2 * WAYS, BURST = 64, MOMENT_S = 1,
	FREELY = 65536,		/* stations that a port may have learnt in one second; of what else it sends in that second */
	THINNED = 1024,		/* one frame in so many is learnt from */
	CROWDED = 16 };		/* so many counts one that takes the place of another of the port's: that takes longer, and helps nobody */

struct entry {
	_Atomic uint64_t key;
	_Atomic uint64_t value;
};

struct bucket {
	struct entry entries[WAYS];
} __attribute__((aligned(64)));

struct fdb {
	struct bucket *buckets;
	uint32_t mask;			/* buckets minus one */
	uint32_t nports;
	uint32_t age_s;
	uint64_t seed, factor;
	_Atomic uint32_t *count;	/* live entries by port */
	_Atomic uint64_t *pace;		/* new stations of this second by port */
	atomic_flag insert_lock;	/* held while a key changes */
	fdb_changed_fn *changed;	/* or NULL */
	void *arg;
};

static inline uint64_t value_of(uint32_t port, uint8_t origin, uint8_t moves, uint32_t seen_s)
{
	return (uint64_t)port << 48 | (uint64_t)origin << 40 | (uint64_t)moves << 32 | seen_s;
}

/* with_turn() - @value for a new key in a place where @before lived */
static inline uint64_t with_turn(uint64_t value, uint64_t before, unsigned add)
{
	const uint64_t mask = 0x7full << 41;

	return (value & ~mask) | (((before & mask) + ((uint64_t)add << 41)) & mask);
}

static inline uint32_t value_port(uint64_t v)
{
	return (uint32_t)(v >> 48);
}

static inline uint8_t value_origin(uint64_t v)
{
	return (uint8_t)(v >> 40) & 1;
}

static inline uint8_t value_moves(uint64_t v)
{
	return (uint8_t)(v >> 32);
}

static inline uint32_t value_seen(uint64_t v)
{
	return (uint32_t)v;
}

static inline uint32_t seconds(uint64_t now_ms)
{
	return (uint32_t)(now_ms / 1000);
}

/* Another worker may have stamped an entry with a second that this worker has not reached: that is age 0. */
static inline uint32_t age_of(uint64_t value, uint32_t now_s)
{
	int32_t age = (int32_t)(now_s - value_seen(value));

	return age > 0 ? (uint32_t)age : 0;
}

static inline bool is_fresh(const struct fdb *fdb, uint64_t value, uint32_t now_s)
{
	if (__builtin_expect(now_s - value_seen(value) <= fdb->age_s, 1))
		return true;			/* in one comparison, as most are */
	return value_origin(value) == FDB_STATIC || age_of(value, now_s) <= fdb->age_s;
}

/* hash_key() - products under two secret words: a guest that picks addresses cannot aim at a bucket. One product would do no more
 * than lay addresses that follow one another at equal distances, and with some words all of them into few buckets. */
static inline uint64_t hash_key(const struct fdb *fdb, uint64_t key)
{
	unsigned __int128 product = (unsigned __int128)(key ^ fdb->seed) * fdb->factor;
	uint64_t h = (uint64_t)product ^ (uint64_t)(product >> 64);

	h = (h ^ h >> 32) * fdb->factor;
	return h ^ h >> 32;
}

static inline struct bucket *first_bucket(const struct fdb *fdb, uint64_t hash)
{
	return &fdb->buckets[hash & fdb->mask];
}

static inline struct bucket *second_bucket(const struct fdb *fdb, uint64_t hash)
{
	uint32_t first = hash & fdb->mask, second = hash >> 32 & fdb->mask;

	return &fdb->buckets[second != first ? second : first ^ 1];
}

static inline unsigned is_in(const struct bucket *b, unsigned way, uint64_t key)
{
	return atomic_load_explicit(&b->entries[way].key, memory_order_relaxed) == key;
}

/* find_in() - which of the four it is cannot be foretold, so it is not asked by a branch but reckoned: nothing found is the first way, which
 * then holds another key */
static inline struct entry *find_in(struct bucket *b, uint64_t key, uint64_t *value)
{
	struct entry *e = &b->entries[is_in(b, 1, key) + 2 * is_in(b, 2, key) + 3 * is_in(b, 3, key)];

	if (__builtin_expect(atomic_load_explicit(&e->key, memory_order_acquire) != key, 0))
		return NULL;
	*value = atomic_load_explicit(&e->value, memory_order_acquire);
	return __builtin_expect(atomic_load_explicit(&e->key, memory_order_relaxed) == key, 1) ? e : NULL;
}
_Static_assert(WAYS == 4, "find_in() counts them");

static inline struct entry *find_hashed(const struct fdb *fdb, uint64_t key, uint64_t hash, uint64_t *value)
{
	struct entry *e = find_in(first_bucket(fdb, hash), key, value);

	return e ? e : find_in(second_bucket(fdb, hash), key, value);
}

/* find() - the entry that holds @key, with its value in *value as it was while it did; NULL when there is none */
static inline struct entry *find(const struct fdb *fdb, uint64_t key, uint64_t *value)
{
	return find_hashed(fdb, key, hash_key(fdb, key), value);
}

/* fdb_insert() - put a key that is not there; insert lock held. Return: false when there is no place.
 * fdb_clear() - empty a place; insert lock held */
bool fdb_insert(struct fdb *fdb, uint64_t key, uint64_t value, uint32_t now_s);
void fdb_clear(struct fdb *fdb, struct entry *e);

static inline void count_add(struct fdb *fdb, uint32_t port, uint32_t n)
{
	atomic_fetch_add_explicit(&fdb->count[port], n, memory_order_relaxed);
}

static inline uint32_t held_by(const struct fdb *fdb, uint32_t port)
{
	return atomic_load_explicit(&fdb->count[port], memory_order_relaxed);
}

#endif
