// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/server_explain: what a guest would be given, and why. IDs are those of the conformance statements. */
#include "tests/unit/dhcp_bench.h"

#include "dhcp/server_explain.h"

static void test_explain(void **state)
{
	struct bench *b = *state;
	struct dhcp_class class = { .name = "pxe", .match.vendor = "PXE*", .says.lease_s = 600 };
	static struct dhcp_explained e;
	struct dhcp_question q = { .port = "web1", .mac = (const uint8_t[]){ 2, 0, 0, 0, 0, 1 }, .asks_all = true };
	size_t before;

	b->s.conf.classes = &class;
	b->s.conf.nclasses = 1;
	put(&b->s.conf.says.options, "ntp-servers 10.77.0.9");
	assert_int_equal(dhcp_server_explain(&b->s, &q, b->now, &e), 0);
	assert_int_equal(e.outcome, DHCP_OUT_OFFER);
	assert_int_equal(e.ip, FIRST);
	assert_int_equal(e.why, LEASE_WHY_FRESH);
	assert_int_equal(e.lease_s, HOUR);
	assert_int_equal(message_option_u32(&e.answer, 42), NET + 9);
	assert_int_equal(lease_count(b->s.leases), 0);			/* nothing is held */
	lease(b, "web1", 1);
	before = lease_count(b->s.leases);
	q.vendor = "PXEClient";
	assert_int_equal(dhcp_server_explain(&b->s, &q, b->now, &e), 0);
	assert_int_equal(e.why, LEASE_WHY_HAS);
	assert_int_equal(e.lease_s, 600);
	assert_string_equal(e.lease_by->name, "pxe");
	b->now += 2 * HOUR;
	lease_expire(b->s.leases, b->now);
	dhcp_server_explain(&b->s, &q, b->now, &e);
	assert_int_equal(e.why, LEASE_WHY_HAD);
	q.mac = (const uint8_t[]){ 2, 0, 0, 0, 0, 2 };
	dhcp_server_explain(&b->s, &q, b->now, &e);
	assert_int_equal(e.why, LEASE_WHY_PORT_HAD);
	assert_int_equal(e.ip, FIRST);
	b->reserved[0] = (struct dhcp_reservation){ "web1", .key = GUEST_PORT, .ip = NET + 50 };
	reserve(b, 1);
	dhcp_server_explain(&b->s, &q, b->now, &e);
	assert_int_equal(e.why, LEASE_WHY_RESERVED);
	assert_int_equal(e.ip, NET + 50);
	class.says.refuse = true;
	dhcp_server_explain(&b->s, &q, b->now, &e);
	assert_int_equal(e.outcome, DHCP_OUT_REFUSED);
	assert_string_equal(e.profile.refused->name, "pxe");
	assert_int_equal(lease_count(b->s.leases), before);
	for (enum lease_why why = LEASE_WHY_RESERVED; why <= LEASE_WHY_SHARE; why++)
		assert_non_null(lease_why_text(why));
	option_set_fini(&b->s.conf.says.options);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_explain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
