// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ring.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { SIZE = 4096, MESSAGES = 200000 };

static uint32_t random_of(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32) % below;
}

static bool put(struct ring *r, uint32_t size, uint8_t byte)
{
	void *to = ring_reserve(r, size);

	if (!to)
		return false;
	memset(to, byte, size);
	ring_commit(r, size);
	return true;
}

static void test_order_and_room(void **state)
{
	const uint8_t *m;
	struct ring r;
	uint32_t size;
	unsigned n = 0;

	(void)state;
	assert_int_equal(ring_init(&r, SIZE), 0);
	assert_null(ring_peek(&r, &size));
	while (put(&r, 100, (uint8_t)n))
		n++;
	assert_int_equal(n, SIZE / (8 + 104));
	for (unsigned i = 0; i < n; i++) {
		m = ring_peek(&r, &size);
		assert_non_null(m);
		assert_int_equal(size, 100);
		assert_int_equal(m[0], i);
		assert_int_equal(m[99], i);
		assert_int_equal((uintptr_t)m % 8, 0);
		ring_pop(&r);
	}
	assert_null(ring_peek(&r, &size));
	assert_null(ring_reserve(&r, SIZE));
	ring_fini(&r);
}

static void test_reserved_and_left(void **state)
{
	struct ring r;
	uint32_t size;

	(void)state;
	ring_init(&r, SIZE);
	for (unsigned i = 0; i < 100; i++) {
		assert_non_null(ring_reserve(&r, 1000));	/* nothing comes of it, also where it would begin anew */
		assert_true(put(&r, 1 + i * 7 % 900, (uint8_t)i));
		assert_int_equal(*(const uint8_t *)ring_peek(&r, &size), i);
		ring_pop(&r);
		assert_null(ring_peek(&r, &size));
	}
	ring_fini(&r);
}

static void *writer(void *arg)
{
	struct ring *r = arg;
	uint64_t seed = 7;

	for (uint32_t i = 0; i < MESSAGES; i++) {
		uint32_t size = 8 + random_of(&seed, 700);

		while (!put(r, size, (uint8_t)i))
			;
	}
	return NULL;
}

static void test_two_threads(void **state)
{
	uint64_t seed = 7;
	pthread_t t;
	struct ring r;

	(void)state;
	ring_init(&r, SIZE);
	atomic_store(&r.written, UINT32_MAX - SIZE + 1);	/* the counts go round in between */
	atomic_store(&r.read, UINT32_MAX - SIZE + 1);
	r.seen_read = UINT32_MAX - SIZE + 1;
	assert_int_equal(pthread_create(&t, NULL, writer, &r), 0);
	for (uint32_t i = 0; i < MESSAGES;) {
		uint32_t size, want;
		const uint8_t *m = ring_peek(&r, &size);

		if (!m)
			continue;
		want = 8 + random_of(&seed, 700);
		if (size != want || m[0] != (uint8_t)i || m[size - 1] != (uint8_t)i)
			fail_msg("message %u: %u bytes, not %u", i, size, want);
		ring_pop(&r);
		i++;
	}
	pthread_join(t, NULL);
	ring_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_room), cmocka_unit_test(test_reserved_and_left), cmocka_unit_test(test_two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
