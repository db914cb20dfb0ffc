// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/hash_index.h"

#include <errno.h>
#include <stdlib.h>

enum { BUCKETS_MIN = 16, LOAD_MAX = 2 };	/* members per bucket */

static struct hash_link **bucket_of(const struct hash_index *x, uint32_t hash)
{
	return &x->buckets[hash & (x->nbuckets - 1)];
}

static void insert(struct hash_index *x, struct hash_link *link)
{
	struct hash_link **bucket = bucket_of(x, link->hash);

	link->next = *bucket;
	*bucket = link;
}

/* resize() - to so many buckets; for lack of memory all stays, and chains grow longer */
static void resize(struct hash_index *x, size_t nbuckets)
{
	struct hash_index old = *x;
	struct hash_link **buckets = calloc(nbuckets, sizeof(*buckets)), *link, *next;

	if (!buckets)
		return;
	x->buckets = buckets;
	x->nbuckets = nbuckets;
	for (size_t i = 0; i < old.nbuckets; i++) {
		for (link = old.buckets[i]; link; link = next) {
			next = link->next;
			insert(x, link);
		}
	}
	free(old.buckets);
}

int hash_index_add(struct hash_index *x, struct hash_link *link, uint64_t hash)
{
	if (x->n >= x->nbuckets * LOAD_MAX)
		resize(x, x->nbuckets ? x->nbuckets * 2 : BUCKETS_MIN);
	if (!x->nbuckets)
		return -ENOMEM;
	link->hash = (uint32_t)hash;
	link->in = true;
	insert(x, link);
	x->n++;
	return 0;
}

void hash_index_remove(struct hash_index *x, struct hash_link *link)
{
	struct hash_link **at;

	if (!link->in)
		return;
	for (at = bucket_of(x, link->hash); *at != link; at = &(*at)->next)
		;
	*at = link->next;
	link->in = false;
	x->n--;
}

/* same() - @link, or the first behind it that has the hash */
static struct hash_link *same(struct hash_link *link, uint32_t hash)
{
	while (link && link->hash != hash)
		link = link->next;
	return link;
}

struct hash_link *hash_index_find(const struct hash_index *x, uint64_t hash)
{
	return x->nbuckets ? same(*bucket_of(x, (uint32_t)hash), (uint32_t)hash) : NULL;
}

struct hash_link *hash_index_more(const struct hash_link *link)
{
	return same(link->next, link->hash);
}

void hash_index_fini(struct hash_index *x)
{
	free(x->buckets);
	*x = (struct hash_index){ 0 };
}
