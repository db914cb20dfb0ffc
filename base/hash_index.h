/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/hash_index.h - members found by the hash of a key, for tables of so many that uthash's 56 bytes in each of them are felt
 *
 * A member embeds a link of 16 bytes for each index it may be in; buckets add four to eight. Keys stay the user's: he hashes them, under
 * hash_seed() where strangers choose them, and compares. One thread. Constant time, but for the member that makes the buckets double.
 */
#ifndef BASE_HASH_INDEX_H
#define BASE_HASH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* To be embedded; zero is a link that is in no index. */
struct hash_link {
	struct hash_link *next;
	uint32_t hash;
	bool in;
};

/* Zero is an empty one. */
struct hash_index {
	struct hash_link **buckets;
	size_t n, nbuckets;		/* nbuckets: a power of two, or 0 */
};

/* hash_index_add() - a member that is not in. Return: 0, or -ENOMEM when it is the first of all and there is no memory for buckets. */
int hash_index_add(struct hash_index *x, struct hash_link *link, uint64_t hash);

/* hash_index_remove() - take it out, if it is in */
void hash_index_remove(struct hash_index *x, struct hash_link *link);

/* hash_index_find() - the first member of this hash, or NULL; hash_index_more() - the next of the same hash behind @link */
struct hash_link *hash_index_find(const struct hash_index *x, uint64_t hash);
struct hash_link *hash_index_more(const struct hash_link *link);

/* hash_index_fini() - the buckets go; members are the user's */
void hash_index_fini(struct hash_index *x);

#endif
