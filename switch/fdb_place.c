// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a new key goes, and who has to go for it. */
#include "switch/fdb_parts.h"

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

/* A worker that found the key before may be about to swap the value. The turn moves on in one step with taking the value
 * out, so that a refresh or a move either came before, and is in what is counted, or fails. */
void fdb_clear(struct fdb *fdb, struct entry *e)
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

bool fdb_insert(struct fdb *fdb, uint64_t key, uint64_t value, uint32_t now_s)
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
		fdb_clear(fdb, e);
	before = atomic_load_explicit(&e->value, memory_order_relaxed);
	atomic_store_explicit(&e->value, with_turn(value, before, 1), memory_order_release);
	atomic_store_explicit(&e->key, key, memory_order_release);
	count_add(fdb, value_port(value), 1);
	return true;
}
