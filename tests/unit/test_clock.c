// SPDX-License-Identifier: GPL-2.0-or-later
/* ctl/live_clock: what is a step of the wall clock, and what is not */
#include "ctl/live_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/array.h"

/* one after another: the wall clock goes on by `wall_ms`, the other by `ms` */
static const struct {
	const char *what;
	int64_t wall_ms, ms, by_s;
} looks[] = {
	{ "both go on", 10000, 10000, 0 },
	{ "suspended for a day: it has passed for both", 86400000, 86400000, 0 },
	{ "set ahead by a day", 86400000 + 10, 10, 86400 },
	{ "and from there on", 5000, 5000, 0 },
	{ "set back by three days", -3 * 86400000LL, 20, -3 * 86400 },
	{ "a second of correction", 2000, 1000, 0 },
	{ "slewed, for long", 1001000, 1000000, 0 },
	{ "slewed, for longer", 1001000, 1000000, 0 },
	{ "back by an hour", -3600000 + 1000, 1000, -3600 },
};

static void test_steps(void **state)
{
	uint64_t wall = 1700000000000, now = 5000000;
	int64_t ahead = (int64_t)(wall - now);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		print_message("  %s\n", looks[i].what);
		wall += (uint64_t)looks[i].wall_ms;
		now += (uint64_t)looks[i].ms;
		assert_true(clock_step(&ahead, wall, now) == looks[i].by_s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_steps) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
