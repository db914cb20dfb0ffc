// SPDX-License-Identifier: GPL-2.0-or-later
/* switch/route6: what is added is found, what is removed is not, in whatever order. */
#include "switch/route6.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include <urcu/urcu-qsbr.h>

static struct prefix6 place(uint8_t n)
{
	return (struct prefix6){ { .bytes = { 0xfd, 0, 0, 0x88, 0, 0, n, 0 } }, 56 };
}

static bool leads(const struct routes6 *r, uint8_t n, uint32_t port)
{
	struct addr a = place(n).addr;
	struct route6 found;

	a.bytes[7] = 0xff;
	a.bytes[15] = 9;
	return routes6_find(r, a, &found) && found.port == port;
}

static void test_routes(void **state)
{
	static const uint8_t order[] = { 7, 3, 200, 1, 90, 4 };
	struct routes6 *r = routes6_new();
	struct route6 found;

	(void)state;
	assert_false(routes6_find(NULL, place(1).addr, &found));
	assert_false(routes6_find(r, place(1).addr, &found));
	routes6_remove(r, place(1));
	for (unsigned i = 0; i < sizeof(order); i++)
		assert_int_equal(routes6_set(r, &(struct route6){ .to = place(order[i]), .port = order[i] }), 0);
	for (unsigned i = 0; i < sizeof(order); i++)
		assert_true(leads(r, order[i], order[i]));
	assert_false(leads(r, 2, 2) || leads(r, 0, 0) || leads(r, 255, 255));
	assert_int_equal(routes6_set(r, &(struct route6){ .to = place(3), .port = 33 }), 0);
	assert_true(leads(r, 3, 33) && leads(r, 1, 1) && leads(r, 4, 4));
	for (unsigned i = 0; i < sizeof(order); i++) {
		routes6_remove(r, place(order[i]));
		assert_false(routes6_find(r, place(order[i]).addr, &found));
		if (i + 1 < sizeof(order))
			assert_true(leads(r, order[i + 1], order[i + 1] == 3 ? 33 : order[i + 1]));
	}
	urcu_qsbr_barrier();
	routes6_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_routes) };

	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
