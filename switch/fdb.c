// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/fdb.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/hash.h"

/* The two words of an entry:
 *	key	MAC (48 bits) << 16 | VID; never 0, because a VID is not 0
 *	value	port (16) << 48 | turn (7) << 41 | static (1) << 40 | moves (8) << 32 | second last seen (32)
 * The turn counts the keys that have lived in the place, so that a swap meant for the key before fails.
 */
enum { WAYS = 4, CANDIDATES = 2 * WAYS, BURST = 64, MOMENT_S = 1 };

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
	atomic_flag insert_lock;	/* held while a key changes */
	fdb_changed_fn *changed;	/* or NULL */
	void *arg;
};

static uint64_t value_of(uint32_t port, uint8_t origin, uint8_t moves, uint32_t seen_s)
{
	return (uint64_t)port << 48 | (uint64_t)origin << 40 | (uint64_t)moves << 32 | seen_s;
}

/* with_turn() - @value for a new key in a place where @before lived */
static uint64_t with_turn(uint64_t value, uint64_t before, unsigned add)
{
	const uint64_t mask = 0x7full << 41;

	return (value & ~mask) | (((before & mask) + ((uint64_t)add << 41)) & mask);
}

static uint32_t value_port(uint64_t v)
{
	return (uint32_t)(v >> 48);
}

static uint8_t value_origin(uint64_t v)
{
	return (uint8_t)(v >> 40) & 1;
}

static uint8_t value_moves(uint64_t v)
{
	return (uint8_t)(v >> 32);
}

static uint32_t value_seen(uint64_t v)
{
	return (uint32_t)v;
}

static uint32_t seconds(uint64_t now_ms)
{
	return (uint32_t)(now_ms / 1000);
}

/* Another worker may have stamped an entry with a second that this worker has not reached: that is age 0. */
static uint32_t age_of(uint64_t value, uint32_t now_s)
{
	int32_t age = (int32_t)(now_s - value_seen(value));

	return age > 0 ? (uint32_t)age : 0;
}

static bool is_fresh(const struct fdb *fdb, uint64_t value, uint32_t now_s)
{
	return value_origin(value) == FDB_STATIC || age_of(value, now_s) <= fdb->age_s;
}

struct fdb *fdb_new(uint32_t nentries, uint32_t nports, uint32_t age_ms)
{
	struct fdb *fdb = calloc(1, sizeof(*fdb));
	uint32_t nbuckets = 2;

	if (!fdb)
		return NULL;
	while (nbuckets * WAYS * 6 / 10 < nentries)	/* full at six tenths: two buckets rarely both overflow */
		nbuckets *= 2;
	fdb->mask = nbuckets - 1;
	fdb->nports = nports;
	fdb->age_s = age_ms / 1000;
	fdb->seed = hash_seed();
	fdb->factor = hash_u64(fdb->seed, 1) | 1;
	fdb->buckets = mmap(NULL, nbuckets * sizeof(struct bucket), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);	/* aligned, zero, and no page is there before a station is */
	if (fdb->buckets == MAP_FAILED)
		fdb->buckets = NULL;
	fdb->count = calloc(nports, sizeof(*fdb->count));
	if (!fdb->buckets || !fdb->count) {
		fdb_free(fdb);
		errno = ENOMEM;
		return NULL;
	}
	return fdb;
}

void fdb_free(struct fdb *fdb)
{
	if (!fdb)
		return;
	if (fdb->buckets)
		munmap(fdb->buckets, ((size_t)fdb->mask + 1) * sizeof(struct bucket));
	free((void *)fdb->count);
	free(fdb);
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

/* candidates() - the eight places where a key may live; the two buckets come from two halves of one hash */
static void candidates(const struct fdb *fdb, uint64_t key, struct entry *at[CANDIDATES])
{
	uint64_t h = hash_key(fdb, key);
	struct bucket *a = first_bucket(fdb, h), *b = second_bucket(fdb, h);

	for (int i = 0; i < WAYS; i++) {
		at[i] = &a->entries[i];
		at[WAYS + i] = &b->entries[i];
	}
}

/* find_in() - places are filled from the first on, so that it is the first that is asked for most often */
static inline struct entry *find_in(struct bucket *b, uint64_t key, uint64_t *value)
{
	for (unsigned way = 0; way < WAYS; way++) {
		struct entry *e = &b->entries[way];

		if (atomic_load_explicit(&e->key, memory_order_acquire) != key)
			continue;
		*value = atomic_load_explicit(&e->value, memory_order_acquire);
		if (atomic_load_explicit(&e->key, memory_order_relaxed) == key)
			return e;
	}
	return NULL;
}

static inline struct entry *find_hashed(const struct fdb *fdb, uint64_t key, uint64_t hash, uint64_t *value)
{
	struct entry *e = find_in(first_bucket(fdb, hash), key, value);

	return e ? e : find_in(second_bucket(fdb, hash), key, value);
}

/* find() - the entry that holds @key, with its value in *value as it was while it did; NULL when there is none */
static struct entry *find(const struct fdb *fdb, uint64_t key, uint64_t *value)
{
	return find_hashed(fdb, key, hash_key(fdb, key), value);
}

int fdb_lookup(const struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint64_t now_ms)
{
	uint64_t value;

	if (!find(fdb, fdb_key(vid, mac), &value) || !is_fresh(fdb, value, seconds(now_ms)))
		return -ENOENT;
	return (int)value_port(value);
}

bool fdb_is_elsewhere(const struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint32_t port, uint64_t now_ms)
{
	uint64_t value;

	return find(fdb, fdb_key(vid, mac), &value) && value_port(value) != port &&
	       (value_origin(value) == FDB_STATIC || age_of(value, seconds(now_ms)) <= MOMENT_S);
}

void fdb_on_change(struct fdb *fdb, fdb_changed_fn *fn, void *arg)
{
	fdb->changed = fn;
	fdb->arg = arg;
}

static void count_add(struct fdb *fdb, uint32_t port, uint32_t n)
{
	atomic_fetch_add_explicit(&fdb->count[port], n, memory_order_relaxed);
}

/* clear() - empty a place; insert lock held
 * A worker that found the key before may be about to swap the value. The turn moves on in one step with taking the value
 * out, so that a refresh or a move either came before, and is in what is counted, or fails. */
static void clear(struct fdb *fdb, struct entry *e)
{
	uint64_t value = atomic_load_explicit(&e->value, memory_order_relaxed);

	atomic_store_explicit(&e->key, 0, memory_order_release);
	while (!atomic_compare_exchange_weak_explicit(&e->value, &value, with_turn(0, value, 1), memory_order_acq_rel,
						      memory_order_relaxed))
		;
	count_add(fdb, value_port(value), -1u);
}

static bool is_usable(const struct fdb *fdb, const struct entry *e, uint32_t now_s)
{
	return !atomic_load_explicit(&e->key, memory_order_relaxed) ||
	       !is_fresh(fdb, atomic_load_explicit(&e->value, memory_order_relaxed), now_s);
}

/* usable_place() - a free or aged-out place, or NULL: in the first bucket, where it is found soonest, while that has two such places
 * or as many as the second. That keeps both from filling up. */
static struct entry *usable_place(const struct fdb *fdb, struct entry *at[CANDIDATES], uint32_t now_s)
{
	struct entry *first[2] = { NULL, NULL };
	unsigned n[2] = { 0, 0 };

	for (int i = CANDIDATES; i-- > 0;) {
		if (is_usable(fdb, at[i], now_s)) {
			first[i / WAYS] = at[i];
			n[i / WAYS]++;
		}
	}
	return n[0] >= 2 || n[0] >= n[1] ? first[0] : first[1];
}

static uint32_t held_by(const struct fdb *fdb, uint32_t port)
{
	return atomic_load_explicit(&fdb->count[port], memory_order_relaxed);
}

/* choose_victim() - of the ports that hold places here, the stalest entry of the one that holds the most in the whole table.
 * Static entries stay, and so does every port that holds fewer than @least. NULL when that leaves none. */
static struct entry *choose_victim(struct fdb *fdb, struct entry *at[CANDIDATES], uint32_t least, uint32_t now_s)
{
	struct entry *victim = NULL;
	uint32_t most = least, oldest = 0;

	for (int i = 0; i < CANDIDATES; i++) {
		uint64_t value = atomic_load_explicit(&at[i]->value, memory_order_relaxed);
		uint32_t held, age = age_of(value, now_s);

		if (value_origin(value) == FDB_STATIC)
			continue;
		held = held_by(fdb, value_port(value));
		if (held > most || (held == most && (!victim || age > oldest))) {
			victim = at[i];
			most = held;
			oldest = age;
		}
	}
	return victim;
}

/* insert() - put a key that is not there; insert lock held. Return: false when there is no place. */
static bool insert(struct fdb *fdb, uint64_t key, uint64_t value, uint32_t now_s)
{
	struct entry *at[CANDIDATES], *e;
	uint64_t before;

	candidates(fdb, key, at);
	e = usable_place(fdb, at, now_s);
	if (!e)
		e = choose_victim(fdb, at, value_origin(value) == FDB_STATIC ? 0 : held_by(fdb, value_port(value)), now_s);
	if (!e)
		return false;
	if (atomic_load_explicit(&e->key, memory_order_relaxed))
		clear(fdb, e);
	before = atomic_load_explicit(&e->value, memory_order_relaxed);
	atomic_store_explicit(&e->value, with_turn(value, before, 1), memory_order_release);
	atomic_store_explicit(&e->key, key, memory_order_release);
	count_add(fdb, value_port(value), 1);
	return true;
}

static void changed(struct fdb *fdb, uint32_t port, bool moved)
{
	if (fdb->changed)
		fdb->changed(fdb->arg, port, moved);
}

/* refresh() - stamp a known station, and move it when it changed ports. Return: true when it moved. */
static bool refresh(struct fdb *fdb, struct entry *e, uint64_t value, uint32_t port, uint32_t now_s)
{
	bool moved = value_port(value) != port;
	uint8_t moves = value_moves(value);
	uint64_t next;

	if (value_origin(value) == FDB_STATIC || (!moved && value_seen(value) == now_s))
		return false;
	if (moved && moves < 255)
		moves++;
	next = with_turn(value_of(port, FDB_LEARNED, moves, now_s), value, 0);
	/* losing the race means that somebody else saw the station in the same moment: the next frame settles it */
	if (!atomic_compare_exchange_strong_explicit(&e->value, &value, next, memory_order_acq_rel, memory_order_relaxed))
		return false;
	if (moved || !is_fresh(fdb, value, now_s))
		changed(fdb, port, moved);
	if (!moved)
		return false;
	count_add(fdb, value_port(value), -1u);
	count_add(fdb, port, 1);
	return true;
}

/* learn_new() - a station that was not found. Return: learnt? */
static bool learn_new(struct fdb *fdb, uint64_t key, uint32_t port, uint32_t now_s)
{
	uint64_t value;
	bool learnt = false;

	if (atomic_flag_test_and_set_explicit(&fdb->insert_lock, memory_order_acquire))
		return false;
	if (!find(fdb, key, &value))
		learnt = insert(fdb, key, value_of(port, FDB_LEARNED, 0, now_s), now_s);
	atomic_flag_clear_explicit(&fdb->insert_lock, memory_order_release);
	if (learnt)
		changed(fdb, port, false);
	return learnt;
}

static inline bool learn_hashed(struct fdb *fdb, uint64_t key, uint64_t hash, uint32_t port, uint32_t now_s)
{
	uint64_t value;
	struct entry *e = find_hashed(fdb, key, hash, &value);

	if (__builtin_expect(!e, 0))
		return learn_new(fdb, key, port, now_s);
	if (__builtin_expect(value_port(value) == port && value_seen(value) == now_s, 1))
		return false;
	return refresh(fdb, e, value, port, now_s);
}

bool fdb_learn(struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint32_t port, uint64_t now_ms)
{
	uint64_t key = fdb_key(vid, mac);

	return learn_hashed(fdb, key, hash_key(fdb, key), port, seconds(now_ms));
}

/* hash_burst() - hash and prefetch, all before the first is looked at, so that the cache misses overlap */
static void hash_burst(const struct fdb *fdb, const uint64_t *keys, uint64_t *hashes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		hashes[i] = hash_key(fdb, keys[i]);
		__builtin_prefetch(first_bucket(fdb, hashes[i]));
	}
}

void fdb_burst(struct fdb *fdb, const uint64_t *src, const uint64_t *dst, unsigned n, uint32_t port, uint64_t now_ms, int32_t *to)
{
	uint64_t src_hash[BURST], dst_hash[BURST], value;
	uint32_t now_s = seconds(now_ms);

	hash_burst(fdb, src, src_hash, n);
	hash_burst(fdb, dst, dst_hash, n);
	for (unsigned i = 0; i < n; i++) {
		learn_hashed(fdb, src[i], src_hash[i], port, now_s);
		to[i] = -ENOENT;
		if (dst[i] && find_hashed(fdb, dst[i], dst_hash[i], &value) && is_fresh(fdb, value, now_s))
			to[i] = (int32_t)value_port(value);
	}
}

/* The control thread may wait: workers hold the lock for the time of one insert. */
static void lock(struct fdb *fdb)
{
	while (atomic_flag_test_and_set_explicit(&fdb->insert_lock, memory_order_acquire))
		;
}

static void unlock(struct fdb *fdb)
{
	atomic_flag_clear_explicit(&fdb->insert_lock, memory_order_release);
}

int fdb_add_static(struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint32_t port)
{
	uint64_t key = fdb_key(vid, mac), value;
	struct entry *e;
	bool ok;

	lock(fdb);
	e = find(fdb, key, &value);
	if (e)
		clear(fdb, e);
	ok = insert(fdb, key, value_of(port, FDB_STATIC, 0, 0), 0);
	unlock(fdb);
	return ok ? 0 : -ENOSPC;
}

/* is_unwanted() - is the entry live, at @port (any: UINT32_MAX) and, if @stale, too old? */
static bool is_unwanted(const struct fdb *fdb, const struct entry *e, uint32_t port, bool stale, uint32_t now_s)
{
	uint64_t value = atomic_load_explicit(&e->value, memory_order_relaxed);

	return atomic_load_explicit(&e->key, memory_order_relaxed) && (port == UINT32_MAX || value_port(value) == port) &&
	       !(stale && is_fresh(fdb, value, now_s));
}

/* forget_if() - clear what is unwanted; looked at once more under the lock, because another key may have come in between */
static unsigned forget_if(struct fdb *fdb, uint32_t port, bool stale, uint32_t now_s)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < (fdb->mask + 1) * WAYS; i++) {
		struct entry *e = &fdb->buckets[i / WAYS].entries[i % WAYS];

		if (!is_unwanted(fdb, e, port, stale, now_s))
			continue;
		lock(fdb);
		if (is_unwanted(fdb, e, port, stale, now_s)) {
			clear(fdb, e);
			n++;
		}
		unlock(fdb);
	}
	return n;
}

unsigned fdb_flush_port(struct fdb *fdb, uint32_t port)
{
	return forget_if(fdb, port, false, 0);
}

unsigned fdb_sweep(struct fdb *fdb, uint64_t now_ms)
{
	return forget_if(fdb, UINT32_MAX, true, seconds(now_ms));
}

static void describe(struct fdb_entry *to, uint64_t key, uint64_t value, uint32_t now_s)
{
	*to = (struct fdb_entry){
		.vid = (uint16_t)key, .port = value_port(value), .origin = value_origin(value),
		.moves = value_moves(value), .age_s = value_origin(value) == FDB_STATIC ? 0 : age_of(value, now_s),
	};
	for (int i = 0; i < 6; i++)
		to->mac[i] = (uint8_t)(key >> (16 + 8 * i));
}

unsigned fdb_each(const struct fdb *fdb, uint64_t now_ms, struct fdb_entry *to, unsigned n)
{
	unsigned found = 0;

	for (uint32_t i = 0; i <= fdb->mask; i++) {
		for (int j = 0; j < WAYS; j++) {
			const struct entry *e = &fdb->buckets[i].entries[j];
			uint64_t key = atomic_load_explicit(&e->key, memory_order_acquire);
			uint64_t value = atomic_load_explicit(&e->value, memory_order_acquire);

			if (!key || atomic_load_explicit(&e->key, memory_order_relaxed) != key ||
			    !is_fresh(fdb, value, seconds(now_ms)))
				continue;
			if (found < n)
				describe(&to[found], key, value, seconds(now_ms));
			found++;
		}
	}
	return found;
}

uint32_t fdb_count(const struct fdb *fdb, uint32_t port)
{
	return held_by(fdb, port);
}
