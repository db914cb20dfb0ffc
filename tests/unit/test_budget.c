// SPDX-License-Identifier: GPL-2.0-or-later
/* What guests may take of the host's descriptors and ports, one and several together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <sys/resource.h>

#include "nat/budget.h"

enum { LIMIT = 2000, A = 1, B = 2, C = 3 };

/* take_all() - as many as the guest gets */
static unsigned take_all(uint32_t port, enum budget_kind kind, uint32_t most)
{
	unsigned n = 0;

	while (budget_take(port, kind, most))
		n++;
	return n;
}

static void put_all(uint32_t port, enum budget_kind kind, unsigned n)
{
	while (n--)
		budget_put(port, kind);
}

static void test_half_and_all(void **state)
{
	unsigned a, b, c, few;

	(void)state;
	assert_int_equal(budget_most(), LIMIT - 500);
	assert_int_equal(budget_reserve(), 500);
	a = take_all(A, BUDGET_TCP, 0);
	assert_int_equal(a, LIMIT / 2);			/* one guest: half */
	b = take_all(B, BUDGET_UDP, 0);
	assert_int_equal(a + b, LIMIT - 500);		/* two: all but the reserve */
	assert_false(budget_has(B, BUDGET_TCP, 0));
	few = take_all(C, BUDGET_TCP, 0);		/* who has few finds some */
	assert_int_equal(few, 16);
	assert_int_equal(budget_used(), a + b + few);
	put_all(A, BUDGET_TCP, 100);
	c = take_all(C, BUDGET_TCP, 0);
	assert_int_equal(c, 100 - few);
	put_all(C, BUDGET_TCP, c + few);
	put_all(B, BUDGET_UDP, b);
	put_all(A, BUDGET_TCP, a - 100);
	assert_int_equal(budget_used(), 0);
	for (uint32_t port = A; port <= C; port++)
		assert_int_equal(budget_of(port), 0);
}

static void test_settings(void **state)
{
	unsigned n = take_all(A, BUDGET_TCP, 7);

	(void)state;
	assert_int_equal(n, 7);
	assert_false(budget_has(A, BUDGET_PLAIN, 7));
	assert_true(budget_has(A, BUDGET_PLAIN, 8));
	put_all(A, BUDGET_TCP, n);
	n = take_all(A, BUDGET_TCP, 1000000);		/* no setting gives more than half */
	assert_int_equal(n, LIMIT / 2);
	put_all(A, BUDGET_TCP, n);
}

static void test_listeners(void **state)
{
	unsigned n;

	(void)state;
	assert_false(budget_listen(LIMIT - 499));
	assert_true(budget_listen(LIMIT - 600));
	n = take_all(A, BUDGET_TCP, 0);
	assert_int_equal(n, 100);
	assert_false(budget_listen(1));
	assert_true(budget_listen(-(LIMIT - 600)));
	put_all(A, BUDGET_TCP, n);
	assert_int_equal(budget_used(), 0);
}

static void test_flows(void **state)
{
	(void)state;
	assert_int_equal(budget_flows(A, 1), 1);
	assert_int_equal(budget_flows(A, 1), 2);
	assert_int_equal(budget_flows(B, 0), 0);
	assert_int_equal(budget_flows(A, -2), 0);
}

static void test_ports(void **state)
{
	unsigned first = 32768, last = 60999;
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");

	(void)state;
	if (f && fscanf(f, "%u %u", &first, &last) != 2)
		first = last = 0;
	if (f)
		fclose(f);
	assert_int_equal(budget_ports(), (last - first + 1) / 2);
}

int main(void)
{
	const struct rlimit limit = { LIMIT, LIMIT };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half_and_all), cmocka_unit_test(test_settings), cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_flows), cmocka_unit_test(test_ports),
	};

	setrlimit(RLIMIT_NOFILE, &limit);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
