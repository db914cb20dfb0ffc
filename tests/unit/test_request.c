// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/request.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct request request(uint32_t port, enum request_kind kind, uint32_t number)
{
	struct request q = { .kind = (uint8_t)kind, .port = port, .net_id = 3, .vid = 10, .sport = 68, .size = REQUEST_DATA };

	q.src = addr4(number);
	memset(q.data, (int)number, sizeof(q.data));
	return q;
}

static enum verdict post(struct requests *r, uint32_t port, enum request_kind kind, uint32_t number)
{
	struct request q = request(port, kind, number);

	return request_post(r, &q);
}

static bool readable(struct requests *r)
{
	struct pollfd p = { .fd = requests_fd(r), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void test_order(void **state)
{
	struct requests *r = requests_new();
	struct request q, want;

	(void)state;
	assert_non_null(r);
	assert_false(request_take(r, &q));
	assert_true(requests_sleep(r));
	assert_false(readable(r));
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(post(r, i, REQUEST_DHCP, i), VERDICT_FORWARDED);
	assert_true(readable(r));
	assert_false(requests_sleep(r));
	for (uint32_t i = 0; i < 10; i++) {
		want = request(i, REQUEST_DHCP, i);
		assert_true(request_take(r, &q));
		assert_memory_equal(&q, &want, sizeof(q));
	}
	assert_false(request_take(r, &q));
	requests_free(r);
	requests_free(NULL);
}

/* One guest's flood leaves room for the others', and for the word that it is gone. */
static void test_share(void **state)
{
	struct requests *r = requests_new();
	struct request q;
	unsigned n = 0;

	(void)state;
	while (post(r, 5, REQUEST_DNS, n) == VERDICT_FORWARDED)
		assert_true(n++ < 10000);
	assert_int_equal(n, REQUESTS / 2);
	assert_int_equal(post(r, 5, REQUEST_DHCP, n), VERDICT_DROP_QUOTA);
	assert_int_equal(post(r, 6, REQUEST_DHCP, n), VERDICT_FORWARDED);
	assert_int_equal(post(r, 5, REQUEST_PORT_GONE, n), VERDICT_FORWARDED);
	print_message("  what is taken gives its share back\n");
	assert_true(request_take(r, &q));
	assert_true(request_take(r, &q));
	assert_int_equal(post(r, 5, REQUEST_DNS, n), VERDICT_FORWARDED);
	assert_int_equal(post(r, 5, REQUEST_DNS, n), VERDICT_DROP_QUOTA);
	while (request_take(r, &q))
		;
	for (unsigned i = 0; i < REQUESTS / 2; i++)
		assert_int_equal(post(r, 5, REQUEST_DNS, i), VERDICT_FORWARDED);
	assert_int_equal(post(r, 5, REQUEST_DNS, n), VERDICT_DROP_QUOTA);
	requests_free(r);
}

/* However many ports are in a hurry, who comes next finds room: they have a part each, and leave one. */
static void test_many_in_a_hurry(void **state)
{
	struct requests *r = requests_new();
	unsigned n[8] = { 0 };

	(void)state;
	for (unsigned turn = 0; turn < REQUESTS; turn++)
		for (uint32_t port = 0; port < 8; port++)
			n[port] += post(r, port, REQUEST_DHCP, turn) == VERDICT_FORWARDED;
	for (uint32_t port = 0; port < 8; port++)
		assert_in_range(n[port], REQUESTS / 9 - 1, REQUESTS / 9 + 1);
	for (unsigned i = 0; i < REQUESTS / 9 / 2; i++)
		assert_int_equal(post(r, 8, REQUEST_DHCP, i), VERDICT_FORWARDED);
	requests_free(r);
}

/* A second's worth at once, then one by one as time passes; each port for itself. */
static void test_in_time(void **state)
{
	struct requests *r = requests_new();
	uint64_t now = 5000000;
	unsigned n;

	(void)state;
	for (n = 0; request_in_time(r, 1, 100, now); n++)
		assert_true(n < 1000);
	assert_int_equal(n, 100);
	assert_true(request_in_time(r, 2, 100, now));
	assert_true(request_in_time(r, 1, 0, now));		/* no limit */
	assert_false(request_in_time(r, 1, 100, now + 9));
	assert_true(request_in_time(r, 1, 100, now + 10));
	assert_false(request_in_time(r, 1, 100, now + 10));
	for (n = 0; request_in_time(r, 1, 100, now + 3600000); n++)	/* what was not used is not saved up */
		assert_true(n < 1000);
	assert_int_equal(n, 100);
	assert_true(request_in_time(r, 3, 1000000, now));
	requests_free(r);
}

/* Many ports together fill the queue; a refusal costs no share. */
static void test_full(void **state)
{
	struct requests *r = requests_new();
	struct request q;
	unsigned n = 0;

	(void)state;
	while (post(r, n % 1000, REQUEST_DHCP, n) == VERDICT_FORWARDED)
		assert_true(n++ < 100000);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(post(r, 2000, REQUEST_DHCP, i), VERDICT_DROP_BUSY);
	print_message("  the end of a port is told all the same, and first\n");
	for (uint32_t port = 0; port < 1000; port++)
		assert_int_equal(post(r, port, REQUEST_PORT_GONE, 0), VERDICT_FORWARDED);
	assert_false(requests_sleep(r));
	for (uint32_t port = 0; port < 1000; port++) {
		assert_true(request_take(r, &q));
		assert_int_equal(q.kind, REQUEST_PORT_GONE);
		assert_int_equal(q.port, port);
	}
	for (unsigned i = 0; i < n; i++) {
		assert_true(request_take(r, &q));
		assert_int_equal(addr_4(q.src), i);
	}
	assert_false(request_take(r, &q));
	print_message("  and wakes a sleeper\n");
	assert_true(requests_sleep(r));
	assert_false(readable(r));
	assert_int_equal(post(r, 1, REQUEST_PORT_GONE, 0), VERDICT_FORWARDED);
	assert_true(readable(r));
	assert_false(requests_sleep(r));
	assert_true(request_take(r, &q));
	for (unsigned i = 0; i < REQUESTS / 2; i++)
		assert_int_equal(post(r, 2000, REQUEST_DHCP, i), VERDICT_FORWARDED);
	requests_free(r);
}

/* A full queue does not lose the end of a port, which comes first and wakes the sleeper as the others do. */
static void test_gone_in_a_flood(void **state)
{
	struct requests *r = requests_new();
	struct request q;
	unsigned n = 0;

	(void)state;
	while (post(r, n % 1000, REQUEST_DHCP, n) == VERDICT_FORWARDED)
		n++;
	for (uint32_t port = 0; port < 100; port++)
		assert_int_equal(post(r, port, REQUEST_PORT_GONE, n), VERDICT_FORWARDED);
	for (uint32_t port = 0; port < 100; port++) {
		assert_true(request_take(r, &q));
		assert_int_equal(q.kind, REQUEST_PORT_GONE);
		assert_int_equal(q.port, port);
	}
	for (; n; n--)
		assert_true(request_take(r, &q));
	assert_true(requests_sleep(r));
	assert_int_equal(post(r, 1, REQUEST_PORT_GONE, 0), VERDICT_FORWARDED);
	assert_int_equal(poll(&(struct pollfd){ .fd = requests_fd(r), .events = POLLIN }, 1, 0), 1);
	assert_false(requests_sleep(r));
	assert_true(request_take(r, &q));
	assert_true(requests_sleep(r));
	requests_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order), cmocka_unit_test(test_share), cmocka_unit_test(test_many_in_a_hurry), cmocka_unit_test(test_in_time), cmocka_unit_test(test_full), cmocka_unit_test(test_gone_in_a_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
