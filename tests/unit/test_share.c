// SPDX-License-Identifier: GPL-2.0-or-later
/* A worker's time in equal parts, on times that the test invents. */
#include "switch/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

enum { MAX_QUEUES = 8, BURSTS = 4 };

/* one - a queue as the test plays it: what a turn of its takes, and whether more waits then */
struct one {
	struct share share;
	uint64_t turn_ns;
	bool wants;
	unsigned turns;
	uint64_t had_ns;
};

static struct sharing sharing;
static uint64_t now_ns;

static void round_of(struct one *q, unsigned n)
{
	share_round(&sharing, n > 1, now_ns);
	for (unsigned i = 0; i < n; i++) {
		if (!share_may(&sharing, &q[i].share)) {
			share_left(&sharing, &q[i].share, true);
			continue;
		}
		now_ns += q[i].turn_ns;
		q[i].had_ns += q[i].turn_ns;
		q[i].turns++;
		if (sharing.needed)
			share_charge(&sharing, &q[i].share, BURSTS, now_ns);
		share_left(&sharing, &q[i].share, q[i].wants);
	}
}

static void rounds_of(struct one *q, unsigned n, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++)
		round_of(q, n);
}

static int setup(void **state)
{
	(void)state;
	sharing = (struct sharing){ 0 };
	now_ns = 12345678;
	return 0;
}

/* Those who want all they can get have the same time, however long their frames take. */
static void test_dear(void **state)
{
	struct one q[3] = { { .turn_ns = 10000, .wants = true }, { .turn_ns = 40000, .wants = true }, { .turn_ns = 1000000, .wants = true } };

	(void)state;
	rounds_of(q, 3, 100000);
	for (unsigned i = 1; i < 3; i++)
		assert_in_range(q[i].had_ns, q[0].had_ns - 2 * SHARE_AHEAD_NS, q[0].had_ns + SHARE_AHEAD_NS + q[i].turn_ns);
	assert_in_range(q[0].turns, 90 * q[2].turns, 110 * q[2].turns);
}

/* Those whose turns take the same have one in each round: nobody sits out for a few microseconds. */
static void test_alike(void **state)
{
	struct one q[2] = { { .turn_ns = 10000, .wants = true }, { .turn_ns = 10001, .wants = true } };

	(void)state;
	rounds_of(q, 2, 1000);
	assert_int_equal(q[0].turns, 1000);
	assert_int_equal(q[1].turns, 1000);
}

/* Who wants less than its part has it whenever it wants, and the rest goes to the other. */
static void test_modest(void **state)
{
	struct one q[2] = { { .turn_ns = 60000, .wants = true }, { .turn_ns = 20000, .wants = false } };

	(void)state;
	rounds_of(q, 2, 1000);
	assert_int_equal(q[1].turns, 1000);
	assert_int_equal(q[0].turns, 1000);
}

/* Who was away does not make up for it. */
static void test_away(void **state)
{
	struct one q[2] = { { .turn_ns = 50000, .wants = true }, { .turn_ns = 50000, .wants = true } };

	(void)state;
	round_of(q, 2);
	q[1].wants = false;
	round_of(q, 2);
	for (unsigned i = 0; i < 1000; i++) {		/* q[1] is not active, but another one is that wants nothing */
		struct one both[2] = { q[0], { .turn_ns = 1 } };

		round_of(both, 2);
		q[0] = both[0];
	}
	q[0].turns = q[1].turns = 0;
	q[1].wants = true;
	rounds_of(q, 2, 100);
	assert_in_range(q[0].turns, 98, 100);
	assert_in_range(q[1].turns, 98, 100);
}

/* Who is alone has every round, and owes nothing for it when another one comes. */
static void test_alone(void **state)
{
	struct one q[2] = { { .turn_ns = 1000000, .wants = true }, { .turn_ns = 1000000, .wants = true } };

	(void)state;
	rounds_of(q, 1, 1000);
	assert_int_equal(q[0].turns, 1000);
	assert_int_equal(q[0].share.used_ns, 0);
	rounds_of(q, 2, 1000);
	assert_in_range(q[0].turns - 1000, q[1].turns - 1, q[1].turns + 1);
}

/* The one that had the least goes: whoever is ahead of nobody who wants more has its turns again a round later. */
static void test_gone(void **state)
{
	struct one q[2] = { { .turn_ns = 1000000, .wants = true }, { .turn_ns = 10000, .wants = true } };
	struct one idle[2];

	(void)state;
	rounds_of(q, 2, 10);
	idle[0] = q[0];
	idle[1] = (struct one){ .turn_ns = 1 };
	idle[0].turns = 0;
	rounds_of(idle, 2, 10);
	assert_in_range(idle[0].turns, 9, 10);
}

/* What a worker was off its core is not the queue's own: it is charged a little, once. */
static void test_off_core(void **state)
{
	struct one q[2] = { { .turn_ns = 10000, .wants = true }, { .turn_ns = 500000000, .wants = true } };
	unsigned rounds = 0;

	(void)state;
	round_of(q, 2);
	q[1].turn_ns = 10000;
	q[1].turns = 0;
	while (!q[1].turns && rounds++ < 1000)
		round_of(q, 2);
	assert_in_range(rounds, 1, SHARE_CHARGE_NS / 10000);
}

static void test_slow(void **state)
{
	struct share q = { 0 };

	(void)state;
	share_round(&sharing, true, now_ns);
	share_charge(&sharing, &q, BURSTS, now_ns += BURSTS * SHARE_SLOW_NS);
	assert_false(q.slow);
	share_charge(&sharing, &q, BURSTS, now_ns += BURSTS * SHARE_SLOW_NS + 1);
	assert_true(q.slow);
	share_charge(&sharing, &q, 1, now_ns += SHARE_SLOW_NS + 1);
	assert_true(q.slow);
	share_charge(&sharing, &q, 1, now_ns += SHARE_SLOW_NS);
	assert_false(q.slow);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_dear, setup),  cmocka_unit_test_setup(test_alike, setup),
		cmocka_unit_test_setup(test_modest, setup), cmocka_unit_test_setup(test_away, setup),
		cmocka_unit_test_setup(test_alone, setup), cmocka_unit_test_setup(test_gone, setup),
		cmocka_unit_test_setup(test_off_core, setup), cmocka_unit_test_setup(test_slow, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
