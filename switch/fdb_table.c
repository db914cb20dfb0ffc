// SPDX-License-Identifier: GPL-2.0-or-later
/* The table as a whole, for the control thread: made, swept, told, and given entries by hand. */
#include "switch/fdb_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/hash.h"

enum { LARGE = 4 * 1024 * 1024 };

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
	else if (nbuckets * sizeof(struct bucket) >= LARGE)
		madvise(fdb->buckets, nbuckets * sizeof(struct bucket), MADV_HUGEPAGE);	/* else most lookups miss the TLB, too */
	fdb->count = calloc(nports, sizeof(*fdb->count));
	fdb->pace = calloc(nports, sizeof(*fdb->pace));
	if (!fdb->buckets || !fdb->count || !fdb->pace) {
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
	free((void *)fdb->pace);
	free(fdb);
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
		fdb_clear(fdb, e);
	ok = fdb_insert(fdb, key, value_of(port, FDB_STATIC, 0, 0), 0);
	unlock(fdb);
	return ok ? 0 : -ENOSPC;
}

void fdb_remove_static(struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint32_t port)
{
	struct entry *e;
	uint64_t value;

	lock(fdb);
	e = find(fdb, fdb_key(vid, mac), &value);
	if (e && value_origin(value) == FDB_STATIC && value_port(value) == port)
		fdb_clear(fdb, e);
	unlock(fdb);
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
			fdb_clear(fdb, e);
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

/* take_one() - one entry; insert lock held */
static void take_one(struct fdb *to, uint64_t key, uint64_t value, uint32_t now_s)
{
	uint64_t known;
	struct entry *e = find(to, key, &known);

	if (e && (value_origin(known) == FDB_STATIC || age_of(known, value_seen(value)) == 0))
		return;
	if (e)
		fdb_clear(to, e);
	fdb_insert(to, key, value, now_s);
}

static void take_all(struct fdb *to, const struct fdb *from, bool statics, uint64_t now_ms)
{
	for (uint32_t i = 0; i < (from->mask + 1) * WAYS; i++) {
		const struct entry *e = &from->buckets[i / WAYS].entries[i % WAYS];
		uint64_t key = atomic_load_explicit(&e->key, memory_order_acquire);
		uint64_t value = atomic_load_explicit(&e->value, memory_order_acquire);

		if (!key || atomic_load_explicit(&e->key, memory_order_relaxed) != key || !is_fresh(from, value, seconds(now_ms)) ||
		    (!statics && value_origin(value) == FDB_STATIC))
			continue;
		lock(to);
		take_one(to, key, value, seconds(now_ms));
		unlock(to);
	}
}

void fdb_take_over(struct fdb *to, const struct fdb *from, uint64_t now_ms)
{
	to->changed = from->changed;
	to->arg = from->arg;
	take_all(to, from, true, now_ms);
}

void fdb_catch_up(struct fdb *to, const struct fdb *from, uint64_t now_ms)
{
	take_all(to, from, false, now_ms);
}

uint32_t fdb_count(const struct fdb *fdb, uint32_t port)
{
	return held_by(fdb, port);
}
