// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

enum { TIMERS = 300 };

struct clock {
	struct timer timer;
	unsigned rung;
	uint64_t rung_at;
	uint64_t again_ms;		/* sets itself again this much later, or 0 */
	struct timer *cancels;
};

struct house {
	struct timers timers;
	struct clock clocks[TIMERS];
	uint64_t last_due;		/* of the one that rang last */
	unsigned rung;
};

static void on_ring(struct timer *timer, uint64_t now_ms, void *context)
{
	struct house *h = context;
	struct clock *c = container_of(timer, struct clock, timer);

	assert_false(timer_pending(timer));
	assert_true(timer->due_ms <= now_ms);
	assert_true(timer->due_ms >= h->last_due);	/* in order of time */
	h->last_due = timer->due_ms;
	h->rung++;
	c->rung++;
	c->rung_at = now_ms;
	if (c->again_ms)
		timer_set(&h->timers, timer, now_ms + c->again_ms);
	if (c->cancels)
		timer_cancel(&h->timers, c->cancels);
}

static struct house *house_new(void)
{
	struct house *h = calloc(1, sizeof(*h));

	timers_init(&h->timers, h);
	for (unsigned i = 0; i < TIMERS; i++)
		h->clocks[i].timer.expired = on_ring;
	return h;
}

static void house_free(struct house *h)
{
	timers_fini(&h->timers);
	free(h);
}

static void test_one(void **state)
{
	struct house *h = house_new();
	struct timer *t = &h->clocks[0].timer;

	(void)state;
	assert_true(timers_next(&h->timers) == UINT64_MAX);
	timers_run(&h->timers, 1000, 100);
	assert_int_equal(timer_set(&h->timers, t, 50), 0);
	assert_true(timer_pending(t));
	assert_int_equal(timers_next(&h->timers), 50);
	timers_run(&h->timers, 49, 100);
	assert_int_equal(h->rung, 0);
	print_message("  setting it again moves it\n");
	timer_set(&h->timers, t, 60);
	timers_run(&h->timers, 59, 100);
	assert_int_equal(h->rung, 0);
	timer_set(&h->timers, t, 55);
	assert_int_equal(timers_next(&h->timers), 55);
	timers_run(&h->timers, 55, 100);
	assert_int_equal(h->rung, 1);
	timers_run(&h->timers, 1000, 100);
	assert_int_equal(h->rung, 1);
	print_message("  cancelled, also twice, it does not ring\n");
	h->last_due = 0;
	timer_set(&h->timers, t, 10);
	timer_cancel(&h->timers, t);
	timer_cancel(&h->timers, t);
	assert_false(timer_pending(t));
	timers_run(&h->timers, 1000, 100);
	assert_int_equal(h->rung, 1);
	house_free(h);
}

static void test_callbacks(void **state)
{
	struct house *h = house_new();

	(void)state;
	h->clocks[0].again_ms = 10;
	h->clocks[1].cancels = &h->clocks[2].timer;
	for (unsigned i = 0; i < 3; i++)
		timer_set(&h->timers, &h->clocks[i].timer, 100 + i);
	timers_run(&h->timers, 102, 100);
	assert_int_equal(h->clocks[0].rung, 1);
	assert_int_equal(h->clocks[1].rung, 1);
	assert_int_equal(h->clocks[2].rung, 0);		/* cancelled by the one before, in the same run */
	assert_int_equal(timers_next(&h->timers), 112);
	print_message("  one that sets itself for now does not keep the thread beyond its budget\n");
	h->clocks[0].again_ms = 0;
	h->clocks[3].again_ms = 1;
	for (uint64_t now = 200; now < 210; now++) {
		timer_set(&h->timers, &h->clocks[3].timer, now - 20);
		h->last_due = 0;
		timers_run(&h->timers, now, 1);
	}
	assert_int_equal(h->rung, 2 + 10);
	house_free(h);
}

static void test_budget(void **state)
{
	struct house *h = house_new();

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		timer_set(&h->timers, &h->clocks[i].timer, 10 + i % 3);
	timers_run(&h->timers, 20, 0);
	assert_int_equal(h->rung, 0);
	timers_run(&h->timers, 20, 30);
	assert_int_equal(h->rung, 30);
	timers_run(&h->timers, 20, 1000);
	assert_int_equal(h->rung, 100);
	house_free(h);
}

/* Against a plain array: set, moved, cancelled and run at random, each rings once, when it is due, in order. */
static void test_random(void **state)
{
	struct house *h = house_new();
	uint64_t due[TIMERS] = { 0 }, now = 1;

	(void)state;
	srandom(2);
	for (unsigned round = 0; round < 100000; round++) {
		unsigned i = (unsigned)random() % TIMERS;
		uint64_t first = UINT64_MAX;

		switch (random() % 4) {
		case 0:
			timer_cancel(&h->timers, &h->clocks[i].timer);
			due[i] = 0;
			break;
		case 1:
			now += (uint64_t)random() % 8;
			h->last_due = 0;
			h->rung = 0;
			timers_run(&h->timers, now, TIMERS);
			for (unsigned j = 0; j < TIMERS; j++) {
				bool rings = due[j] && due[j] <= now;

				assert_int_equal(h->clocks[j].rung, rings);
				h->clocks[j].rung = 0;
				due[j] = rings ? 0 : due[j];
			}
			break;
		default:
			due[i] = now + 1 + (uint64_t)random() % 500;
			timer_set(&h->timers, &h->clocks[i].timer, due[i]);
		}
		for (unsigned j = 0; j < TIMERS; j++)
			first = due[j] && due[j] < first ? due[j] : first;
		assert_true(timers_next(&h->timers) == first);
		assert_int_equal(timer_pending(&h->clocks[i].timer), due[i] != 0);
	}
	house_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one), cmocka_unit_test(test_callbacks), cmocka_unit_test(test_budget),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
