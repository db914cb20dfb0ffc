// SPDX-License-Identifier: GPL-2.0-or-later
/* base/hash_index: what is in is found, whatever else is; what is out is not */
#include "base/hash_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/hash.h"

enum { MEMBERS = 1000 };

struct member {
	unsigned key;
	struct hash_link link;
};

static struct member members[MEMBERS];

/* A hash of few values, so that many members share one; or a good one. */
static uint64_t hash_poor(unsigned key)
{
	return key % 7;
}

static uint64_t hash_good(unsigned key)
{
	return hash_u64(key, 1);
}

static struct member *find(const struct hash_index *x, uint64_t hash, unsigned key)
{
	struct hash_link *link = hash_index_find(x, hash);

	for (; link; link = hash_index_more(link))
		if (container_of(link, struct member, link)->key == key)
			return container_of(link, struct member, link);
	return NULL;
}

static void test_members(void **state)
{
	uint64_t (*const hashes[])(unsigned) = { hash_poor, hash_good };

	(void)state;
	for (size_t h = 0; h < ARRAY_SIZE(hashes); h++) {
		struct hash_index x = { 0 };

		assert_null(hash_index_find(&x, 0));
		for (unsigned i = 0; i < MEMBERS; i++) {
			members[i] = (struct member){ .key = i };
			hash_index_remove(&x, &members[i].link);		/* it is not in: nothing happens */
			assert_null(find(&x, hashes[h](i), i));
			assert_int_equal(hash_index_add(&x, &members[i].link, hashes[h](i)), 0);
		}
		assert_int_equal(x.n, MEMBERS);
		for (unsigned i = 0; i < MEMBERS; i += 3)
			hash_index_remove(&x, &members[i].link);
		for (unsigned i = 0; i < MEMBERS; i++) {
			assert_ptr_equal(find(&x, hashes[h](i), i), i % 3 ? &members[i] : NULL);
			assert_int_equal(members[i].link.in, i % 3 != 0);
		}
		assert_int_equal(x.n, MEMBERS - (MEMBERS + 2) / 3);
		hash_index_fini(&x);
	}
}

/* A link that was taken out may go in again, under another hash. */
static void test_again(void **state)
{
	struct hash_index x = { 0 };
	struct member m = { .key = 5 };

	(void)state;
	assert_int_equal(hash_index_add(&x, &m.link, 5), 0);
	hash_index_remove(&x, &m.link);
	assert_int_equal(hash_index_add(&x, &m.link, 21), 0);
	assert_null(hash_index_find(&x, 5));
	assert_ptr_equal(hash_index_find(&x, 21), &m.link);
	hash_index_remove(&x, &m.link);
	hash_index_remove(&x, &m.link);
	assert_int_equal(x.n, 0);
	hash_index_fini(&x);
}

/* The buckets follow the members, so that chains stay short. */
static void test_buckets(void **state)
{
	struct hash_index x = { 0 };

	(void)state;
	for (unsigned i = 0; i < MEMBERS; i++) {
		members[i] = (struct member){ .key = i };
		assert_int_equal(hash_index_add(&x, &members[i].link, hash_good(i)), 0);
		assert_true(x.n <= 2 * x.nbuckets && x.nbuckets <= (x.n > 16 ? x.n : 16));
	}
	hash_index_fini(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
