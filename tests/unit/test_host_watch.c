// SPDX-License-Identifier: GPL-2.0-or-later
/* ctl/host_watch: changes of a network namespace of this test's own are told, together and in time; without rights to make
 * one there is nothing to change, and the tests are skipped */
#define _GNU_SOURCE
#include "ctl/host_watch.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "tests/unit/own_namespace.h"

enum { TOLD_MS = 1000, QUIET_MS = 250 };

struct bench {
	struct event_base *base;
	struct host_watch *watch;
	unsigned told;
};

static void on_changed(void *arg)
{
	((struct bench *)arg)->told++;
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	*state = b;
	if (!own_namespace())
		return 0;
	b->base = event_base_new();
	b->watch = host_watch_new(b->base, on_changed, b);
	assert_non_null(b->watch);
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	host_watch_free(b->watch);
	if (b->base)
		event_base_free(b->base);
	free(b);
	return 0;
}

/* wait_ms() - run the loop for at most so long, or until it was told more often than @told */
static void wait_ms(struct bench *b, unsigned ms, unsigned told)
{
	uint64_t end = clock_now_ms() + ms;

	while (clock_now_ms() < end && b->told <= told) {
		struct timeval tv = { .tv_usec = 5000 };

		event_base_loopexit(b->base, &tv);
		event_base_dispatch(b->base);
	}
}

static void need_namespace(const struct bench *b)
{
	if (!b->watch)
		skip();
}

static void test_each_kind_of_change(void **state)
{
	static const char *const changes[] = {
		"ip link set lo up",
		"ip link add d0 type veth peer name p0",
		"ip addr add 192.0.2.1/24 dev d0",
		"ip link set d0 up; ip link set p0 up",
		"ip route add default via 192.0.2.2",
		"ip route add 198.51.100.0/24 dev d0",
		"ip rule add from 192.0.2.1 table 7",
		"ip addr add 2001:db8::1/64 dev d0 nodad",
		"ip link set d0 down",
		"ip addr del 192.0.2.1/24 dev d0",
		"ip link del d0",
	};
	struct bench *b = *state;

	need_namespace(b);
	for (unsigned i = 0; i < ARRAY_SIZE(changes); i++) {
		unsigned before;

		wait_ms(b, QUIET_MS, UINT32_MAX);	/* what follows from the one before, such as a link's own address */
		before = b->told;
		print_message("  %s\n", changes[i]);
		assert_true(own_run(changes[i]));
		wait_ms(b, TOLD_MS, before);
		assert_true(b->told > before);
	}
}

static void test_many_changes_are_told_together(void **state)
{
	struct bench *b = *state;

	need_namespace(b);
	assert_true(own_run("ip link set lo up; i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo \"route add 10.$((i/250)).$((i%250)).0/24 dev lo\"; "
	    "done | ip -batch -"));
	wait_ms(b, TOLD_MS, 0);
	wait_ms(b, QUIET_MS, UINT32_MAX);
	assert_in_range(b->told, 1, 4);
	assert_true(own_run("ip route add 10.99.0.0/24 dev lo"));	/* and it listens on after its socket overflowed */
	wait_ms(b, TOLD_MS, b->told);
	assert_in_range(b->told, 2, 5);
}

static void test_quiet_host(void **state)
{
	struct bench *b = *state;

	need_namespace(b);
	wait_ms(b, QUIET_MS, UINT32_MAX);
	b->told = 0;
	wait_ms(b, QUIET_MS, UINT32_MAX);
	assert_int_equal(b->told, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_kind_of_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_changes_are_told_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quiet_host, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
