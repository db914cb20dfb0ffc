// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/fdb.h"

#include <errno.h>

#include "switch/fdb_parts.h"

int fdb_lookup_key(const struct fdb *fdb, uint64_t key, uint64_t now_ms)
{
	uint64_t value;

	if (!find(fdb, key, &value) || !is_fresh(fdb, value, seconds(now_ms)))
		return -ENOENT;
	return (int)value_port(value);
}

int fdb_lookup(const struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint64_t now_ms)
{
	return fdb_lookup_key(fdb, fdb_key(vid, mac), now_ms);
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

/* The pace of a port: a second, and in the lower half how many stations were new in it. Who loses a race counts in the next. */
static inline bool is_thinned(const struct fdb *fdb, uint32_t port, uint32_t now_s)
{
	uint64_t pace = atomic_load_explicit(&fdb->pace[port], memory_order_relaxed);

	return (uint32_t)pace >= FREELY && pace >> 32 == now_s;
}

static void count_new(struct fdb *fdb, uint32_t port, uint32_t now_s, unsigned n)
{
	if (atomic_load_explicit(&fdb->pace[port], memory_order_relaxed) >> 32 != now_s)
		atomic_store_explicit(&fdb->pace[port], (uint64_t)now_s << 32, memory_order_relaxed);
	atomic_fetch_add_explicit(&fdb->pace[port], n, memory_order_relaxed);
}

/* learn_new() - a station that was not found. Return: learnt? */
static bool learn_new(struct fdb *fdb, uint64_t key, uint32_t port, uint32_t now_s)
{
	uint32_t held = held_by(fdb, port);
	uint64_t value;
	bool learnt = false;

	if (atomic_flag_test_and_set_explicit(&fdb->insert_lock, memory_order_acquire))
		return false;
	if (!find(fdb, key, &value))
		learnt = fdb_insert(fdb, key, value_of(port, FDB_LEARNED, 0, now_s), now_s);
	atomic_flag_clear_explicit(&fdb->insert_lock, memory_order_release);
	count_new(fdb, port, now_s, held_by(fdb, port) > held ? 1 : CROWDED);
	if (learnt)
		changed(fdb, port, false);
	return learnt;
}

/* is_as_seen() - was it at this port in this very second, so that there is nothing to write down? */
static inline bool is_as_seen(uint64_t value, uint32_t port, uint32_t now_s)
{
	return !((value ^ value_of(port, FDB_LEARNED, 0, now_s)) & value_of(UINT16_MAX, 0, 0, UINT32_MAX));
}

/* learn_other() - what is to be written down. Return: learnt or moved? */
static __attribute__((noinline)) bool learn_other(struct fdb *fdb, uint64_t key, struct entry *e, uint64_t value, uint32_t port, uint32_t now_s)
{
	return e ? refresh(fdb, e, value, port, now_s) : learn_new(fdb, key, port, now_s);
}

static inline bool learn_hashed(struct fdb *fdb, uint64_t key, uint64_t hash, uint32_t port, uint32_t now_s)
{
	uint64_t value = 0;
	struct entry *e = find_hashed(fdb, key, hash, &value);

	if (__builtin_expect(e && is_as_seen(value, port, now_s), 1))
		return false;
	return learn_other(fdb, key, e, value, port, now_s);
}

bool fdb_learn_key(struct fdb *fdb, uint64_t key, uint32_t port, uint64_t now_ms)
{
	return learn_hashed(fdb, key, hash_key(fdb, key), port, seconds(now_ms));
}

bool fdb_learn(struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint32_t port, uint64_t now_ms)
{
	return fdb_learn_key(fdb, fdb_key(vid, mac), port, now_ms);
}

/* hash_burst() - hash and prefetch, all before the first is looked at, so that the cache misses overlap */
static void hash_burst(const struct fdb *fdb, const uint64_t *keys, uint64_t *hashes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (i && keys[i] == keys[i - 1]) {	/* many who talk to one */
			hashes[i] = hashes[i - 1];
			continue;
		}
		hashes[i] = hash_key(fdb, keys[i]);
		__builtin_prefetch(first_bucket(fdb, hashes[i]));
	}
}

/* learn_some() - of a port that pours in new stations, one frame in THINNED: those who are there stay known, and the rest costs nothing */
static void learn_some(struct fdb *fdb, const uint64_t *src, unsigned n, uint32_t port, uint32_t now_s)
{
	uint64_t before = atomic_fetch_add_explicit(&fdb->pace[port], n, memory_order_relaxed);

	if (before / THINNED != (before + n) / THINNED)
		learn_hashed(fdb, src[0], hash_key(fdb, src[0]), port, now_s);
}

static inline int32_t lookup_hashed(const struct fdb *fdb, uint64_t key, uint64_t hash, uint32_t now_s)
{
	uint64_t value;

	if (!key || !find_hashed(fdb, key, hash, &value) || !is_fresh(fdb, value, now_s))
		return -ENOENT;
	return (int32_t)value_port(value);
}

void fdb_burst(struct fdb *fdb, const uint64_t *src, const uint64_t *dst, unsigned n, uint32_t port, uint64_t now_ms, int32_t *to)
{
	uint64_t src_hash[BURST], dst_hash[BURST];
	uint32_t now_s = seconds(now_ms);
	bool thinned = is_thinned(fdb, port, now_s);

	if (__builtin_expect(thinned, 0))
		learn_some(fdb, src, n, port, now_s);
	else
		hash_burst(fdb, src, src_hash, n);
	hash_burst(fdb, dst, dst_hash, n);
	for (unsigned i = 0; i < n; i++) {
		bool learnt = !thinned && learn_hashed(fdb, src[i], src_hash[i], port, now_s);

		if (i && dst[i] == dst[i - 1] && !learnt)
			to[i] = to[i - 1];
		else
			to[i] = lookup_hashed(fdb, dst[i], dst_hash[i], now_s);
	}
}
