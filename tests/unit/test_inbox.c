// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/inbox.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

static bool readable(const struct inbox *inbox, int timeout_ms)
{
	struct pollfd p = { .fd = inbox_fd(inbox), .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

static void test_order_and_room(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 8, 13, 64, 1000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t size = sizes[i];
		struct inbox *inbox = inbox_new(16, size);
		unsigned char in[1000], out[1000];

		for (unsigned round = 0; round < 100; round++) {
			unsigned n = 1 + round % 16;

			for (unsigned j = 0; j < n; j++) {
				memset(in, (int)(round * 7 + j), size);
				assert_true(inbox_push(inbox, in));
			}
			assert_int_equal(inbox_push(inbox, in), n < 16);	/* bounded */
			for (unsigned j = 0; j < n; j++) {
				memset(in, (int)(round * 7 + j), size);
				assert_true(inbox_pop(inbox, out));
				assert_memory_equal(in, out, size);
			}
			assert_int_equal(inbox_pop(inbox, out), n < 16);
			assert_false(inbox_pop(inbox, out));
		}
		inbox_free(inbox);
	}
	inbox_free(NULL);
}

static void test_wakes(void **state)
{
	struct inbox *inbox = inbox_new(8, sizeof(int));
	int m = 5;

	(void)state;
	assert_false(readable(inbox, 0));
	inbox_push(inbox, &m);
	assert_true(readable(inbox, 0));
	print_message("  one who reads without sleeping is not told again\n");
	assert_true(inbox_pop(inbox, &m));
	assert_true(inbox_sleep(inbox));
	assert_false(readable(inbox, 0));
	inbox_push(inbox, &m);
	assert_true(readable(inbox, 0));
	print_message("  nobody sleeps on messages\n");
	assert_false(inbox_sleep(inbox));
	assert_true(inbox_pop(inbox, &m));
	assert_true(inbox_sleep(inbox));
	assert_true(inbox_sleep(inbox));
	assert_false(readable(inbox, 0));
	print_message("  for something elsewhere\n");
	inbox_wake(inbox);
	assert_true(readable(inbox, 0));
	assert_true(inbox_sleep(inbox));
	assert_false(readable(inbox, 0));
	inbox_free(inbox);
}

/* ---- producers in threads, a consumer that sleeps whenever it may ---- */

enum { PRODUCERS = 3, MESSAGES = 30000, CELLS = 64 };

struct note {
	uint32_t from, number, check[5];
};

static void *producer(void *arg)
{
	static _Atomic uint32_t names;
	uint32_t from = names++ % PRODUCERS;

	for (uint32_t i = 0; i < MESSAGES; i++) {
		struct note n = { from, i, { i, ~i, from, i * 3, 4711 } };

		while (!inbox_push(arg, &n))
			sched_yield();
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct inbox *inbox = inbox_new(CELLS, sizeof(struct note));
	pthread_t threads[PRODUCERS];
	uint32_t next[PRODUCERS] = { 0 }, all = 0;
	unsigned slept = 0;

	(void)state;
	for (unsigned i = 0; i < PRODUCERS; i++)
		pthread_create(&threads[i], NULL, producer, inbox);
	while (all < PRODUCERS * MESSAGES) {
		struct note n;

		if (!inbox_pop(inbox, &n)) {
			if (inbox_sleep(inbox)) {
				assert_true(readable(inbox, 10000));	/* no wake-up is lost */
				slept++;
			}
			continue;
		}
		assert_in_range(n.from, 0, PRODUCERS - 1);
		assert_int_equal(n.number, next[n.from]);	/* order is kept per producer */
		assert_int_equal(n.check[1], ~n.number);
		assert_int_equal(n.check[3], n.number * 3);
		next[n.from]++;
		all++;
	}
	for (unsigned i = 0; i < PRODUCERS; i++)
		pthread_join(threads[i], NULL);
	print_message("  slept %u times\n", slept);
	assert_true(inbox_sleep(inbox));
	inbox_free(inbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_room), cmocka_unit_test(test_wakes), cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
