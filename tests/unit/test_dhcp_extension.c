// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/server: rapid commit, who can do without IPv4, who gets no address, BOOTP. IDs are those of the conformance statements. */
#include "tests/unit/dhcp_bench.h"

#include <errno.h>

#include "base/bytes.h"

static void test_dhcp_36_v6only(void **state)
{
	struct bench *b = *state;

	put(&b->s.conf.says.options, "v6-only-preferred 1800");
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = "\1\x6c"), DHCP_OUT_OFFER);
	assert_int_equal(message_option_u32(&b->answer, OPTION_V6ONLY), 1800);
	for (uint8_t i = 0; i < 10; i++)
		lease(b, "web2", (uint8_t)(10 + i));		/* all ten: none is kept for it */
	option_set_fini(&b->s.conf.says.options);
}

/* RFC 2563 2.3 */
static void test_auto_config(void **state)
{
	struct bench *b = *state;
	struct dhcp_class strangers = { .name = "strangers", .match.port = "x*", .says.refuse = true };

	b->leases.ranges[0].last = FIRST;
	reserve(b, 0);
	lease(b, "web1", 1);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = "web2", .mac = 2, .auto_config = true), DHCP_OUT_EXHAUSTED);
	assert_int_equal(b->size, 0);				/* nothing is said about it */
	put(&b->s.conf.says.options, "auto-config 0");
	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = "web2", .mac = 2), DHCP_OUT_EXHAUSTED);
	assert_int_equal(b->size, 0);				/* it did not ask */
	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = "web2", .mac = 2, .auto_config = true), DHCP_OUT_EXHAUSTED);
	assert_int_equal(b->answer.type, DHCP_OFFER);
	assert_int_equal(b->answer.yiaddr, 0);
	assert_string_equal(text_of(b, OPTION_AUTO_CONFIG), "0");
	assert_false(has(b, OPTION_LEASE_TIME) || has(b, OPTION_ROUTER));
	assert_int_equal(b->r.dst_ip, 0xffffffffu);
	b->s.conf.classes = &strangers;
	b->s.conf.nclasses = 1;
	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = "x", .mac = 3, .auto_config = true, .giaddr = NET + 9), DHCP_OUT_REFUSED);
	assert_int_equal(b->answer.yiaddr, 0);
	assert_int_equal(b->r.dst_ip, NET + 9);
	assert_int_equal(TELL(b, DHCP_REQUEST, .port = "x", .mac = 3, .auto_config = true, .want = FIRST), DHCP_OUT_REFUSED);
	assert_int_equal(b->size, 0);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = "web1", .mac = 1, .auto_config = true), DHCP_OUT_OFFER);
	assert_int_equal(b->answer.yiaddr, FIRST);
	option_set_fini(&b->s.conf.says.options);
}

static void test_dhcp_37_rapid_commit(void **state)
{
	struct bench *b = *state;

	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .rapid = true), DHCP_OUT_OFFER);
	assert_false(has(b, OPTION_RAPID_COMMIT));
	b->s.conf.rapid_commit = true;
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .rapid = true), DHCP_OUT_ACK);
	assert_int_equal(b->answer.type, DHCP_ACK);
	assert_true(has(b, OPTION_RAPID_COMMIT));
	assert_true(b->r.has_record && b->r.durable_first);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 2), DHCP_OUT_OFFER);
	b->store_broken = true;
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 3, .rapid = true), DHCP_OUT_STORE);
}

/* bootp() - a BOOTREQUEST, with a cookie or without. Return: bytes of the answer. */
static size_t bootp(struct bench *b, uint8_t mac, bool cookie)
{
	struct dhcp_request from = { .port = "old", .store_ok = true };
	uint8_t data[300] = { BOOTP_REQUEST, HTYPE_ETHERNET, 6, [28] = 2, [33] = mac };

	if (cookie)
		put_u32(data + DHCP_FIXED_SIZE, DHCP_COOKIE);
	b->size = dhcp_server_input(&b->s, &from, data, sizeof(data), b->now, b->reply, sizeof(b->reply), &b->r);
	if (b->size)
		assert_int_equal(message_parse(&b->answer, b->reply, b->size), -EPROTO);
	return b->size;
}

static void test_dhcp_24_bootp(void **state)
{
	struct bench *b = *state;

	assert_int_equal(bootp(b, 1, true), 0);
	assert_int_equal(b->r.outcome, DHCP_OUT_BOOTP);
	b->s.conf.bootp = true;
	b->s.conf.says.boot = (struct dhcp_boot){ NET + 3, "", "kernel" };
	for (unsigned cookie = 0; cookie < 2; cookie++) {
		assert_int_equal(bootp(b, 1, cookie), 300);
		assert_int_equal(b->answer.yiaddr, FIRST);
		assert_int_equal(b->answer.siaddr, NET + 3);
		assert_true(b->r.record.expires_wall_s == LEASE_NEVER);
		assert_false(has(b, OPTION_TYPE) || has(b, OPTION_LEASE_TIME) || has(b, OPTION_SERVER_ID) || has(b, OPTION_T1));
		assert_int_equal(message_option_u32(&b->answer, OPTION_ROUTER), SERVER);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dhcp_36_v6only),
		TEST(test_auto_config),
		TEST(test_dhcp_37_rapid_commit),
		TEST(test_dhcp_24_bootp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
