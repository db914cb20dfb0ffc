// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/server: whom classes and reservations mean, and what they say. IDs are those of the conformance statements. */
#include "tests/unit/dhcp_bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/class.h"

/* ---- classes ---- */

static const struct {
	const char *what;
	struct dhcp_match match;
	bool fits;
} matches[] = {
	{ "a card", { .by_mac = true, .mac = { 2, 0, 0 }, .mac_mask = { 255, 255, 255 } }, true },
	{ "another card", { .by_mac = true, .mac = { 2, 0, 1 }, .mac_mask = { 255, 255, 255 } }, false },
	{ "vendor", { .vendor = "PXE*:00007*" }, true },
	{ "vendor, whole", { .vendor = "PXE" }, false },
	{ "vendor in hex", { .vendor = "0x505845" }, false },
	{ "user class, plain", { .user = "iPXE" }, true },
	{ "port", { .port = "web*" }, true },
	{ "another port", { .port = "db*" }, false },
	{ "architecture", { .arch = { 9, 7 }, .narch = 2 }, true },
	{ "another architecture", { .arch = { 0 }, .narch = 1 }, false },
	{ "circuit", { .circuit = "eth*" }, true },
	{ "circuit in hex", { .circuit = "0x65:74:68:31" }, true },
	{ "all of it", { .vendor = "*", .port = "*", .arch = { 7 }, .narch = 1, .circuit = "*h1" }, true },
	{ "all of it but one", { .vendor = "*", .port = "*", .arch = { 8 }, .narch = 1, .circuit = "*h1" }, false },
};

static void test_dhcp_40_matches(void **state)
{
	struct bench *b = *state;
	struct dhcp_class class = { .name = "some", .says.lease_s = 7777 };

	b->s.conf.classes = &class;
	b->s.conf.nclasses = 1;
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		print_message("  %s\n", matches[i].what);
		class.match = matches[i].match;
		TELL(b, DHCP_DISCOVER, .mac = 1, .vendor = "PXEClient:Arch:00007:UNDI", .user = "iPXE", .arch = 7 + 1, .giaddr = NET + 9,
		     .relay = "\1\4eth1");
		assert_int_equal(b->answer.lease_s, matches[i].fits ? 7777 : HOUR);
	}
	print_message("  what is not said matches nothing\n");
	class.match = (struct dhcp_match){ .circuit = "*" };
	TELL(b, DHCP_DISCOVER, .mac = 1, .relay = "\1\4eth1");	/* of no relay */
	assert_int_equal(b->answer.lease_s, HOUR);
	class.match = (struct dhcp_match){ .user = "two" };
	TELL(b, DHCP_DISCOVER, .mac = 1, .user = "\3one\3two");	/* RFC 3004 */
	assert_int_equal(b->answer.lease_s, 7777);
	TELL(b, DHCP_DISCOVER, .mac = 1, .user = "\3one\4two");	/* one length too many */
	assert_int_equal(b->answer.lease_s, HOUR);
}

static const struct {
	const char *pattern, *data;
	bool fits;
} patterns[] = {
	{ "*", "", true }, { "a", "", false }, { "a*b*c", "aXbYc", true }, { "a*b*c", "abc", true }, { "a*b*c", "abcd", false }, { "*a", "aaa", true },
	{ "**", "x", true }, { "*ab", "aab", true }, { "a", "ab", false }, { "0x61", "a", true }, { "0x6162", "a", false },
};

static void test_patterns(void **state)
{
	uint8_t mac[6], mask[6];
	char text[MAC_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		print_message("  %s %s\n", patterns[i].pattern, patterns[i].data);
		assert_int_equal(pattern_matches(patterns[i].pattern, (const uint8_t *)patterns[i].data, strlen(patterns[i].data)), patterns[i].fits);
	}
	assert_true(pattern_valid("0x61") && pattern_valid("*") && !pattern_valid("") && !pattern_valid("0x") && !pattern_valid("0x6"));
	assert_int_equal(mac_pattern_parse("52:*:00:*", mac, mask), 0);
	assert_string_equal(mac_pattern_format(mac, mask, text), "52:*:00:*");
	assert_int_equal(mac_pattern_parse("52:54:00:12:34:56", mac, mask), 0);
	assert_string_equal(mac_pattern_format(mac, mask, text), "52:54:00:12:34:56");
	assert_int_equal(mac_pattern_parse("*", mac, mask), 0);
	assert_string_equal(mac_pattern_format(mac, mask, text), "*");
	assert_int_equal(mac_pattern_parse("52:54", mac, mask), -EINVAL);
	assert_int_equal(mac_pattern_parse("52:54:00:12:34:56:*", mac, mask), -EINVAL);
	assert_int_equal(mac_pattern_parse("5:*", mac, mask), -EINVAL);
	assert_int_equal(mac_pattern_parse("52:", mac, mask), -EINVAL);
}

static void test_layers(void **state)
{
	struct bench *b = *state;
	struct dhcp_class classes[2] = { { .name = "a", .match.port = "web*" }, { .name = "b", .match.port = "*", .says.lease_s = 500 } };
	struct option_set *all = &b->s.conf.says.options, *mine = &b->reserved[0].says.options;

	put(all, "ntp-servers 10.77.0.1");
	put(all, "swap-server 10.77.0.1");
	put(all, "tftp-server-name network");
	put(&classes[0].says.options, "ntp-servers 10.77.0.2");
	put(&classes[0].says.options, "never swap-server");
	put(&classes[1].says.options, "ntp-servers 10.77.0.3");
	put(&classes[1].says.options, "tftp-server-name b");
	put(mine, "tftp-server-name reserved");
	b->s.conf.classes = classes;
	b->s.conf.nclasses = 2;
	strcpy(b->reserved[0].name, "web2");
	b->reserved[0].key = GUEST_PORT;
	strcpy(b->reserved[0].hostname, "desk");
	reserve(b, 1);
	TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = "\x2a\x10\x42\14");
	assert_string_equal(text_of(b, 42), "10.77.0.2");	/* the first class that says something */
	assert_false(has(b, 16));
	assert_string_equal(text_of(b, 66), "b");
	assert_string_equal(text_of(b, OPTION_HOSTNAME), "web1");
	assert_int_equal(b->answer.lease_s, 500);
	TELL(b, DHCP_DISCOVER, .port = "db", .mac = 2, .parameters = "\x2a\x10\x42");
	assert_string_equal(text_of(b, 42), "10.77.0.3");
	assert_string_equal(text_of(b, 16), "10.77.0.1");
	TELL(b, DHCP_DISCOVER, .port = "web2", .mac = 3, .parameters = "\x42\14");
	assert_string_equal(text_of(b, 66), "reserved");
	assert_string_equal(text_of(b, OPTION_HOSTNAME), "desk");
	print_message("  refused\n");
	classes[1].says.refuse = true;
	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = "web2", .mac = 3), DHCP_OUT_REFUSED);
	assert_int_equal(b->size, 0);
	for (unsigned i = 0; i < 2; i++)
		option_set_fini(&classes[i].says.options);
	option_set_fini(all);
	option_set_fini(mine);
}

static void test_dhcp_46_pools(void **state)
{
	struct bench *b = *state;
	struct dhcp_class phones = { .name = "phones", .match.port = "phone*", .pool = 1 };

	b->leases.ranges[0] = (struct lease_range){ FIRST, FIRST + 1, 0 };
	b->leases.ranges[1] = (struct lease_range){ FIRST + 10, FIRST + 10, 1 };
	b->leases.ranges[2] = (struct lease_range){ FIRST + 20, FIRST + 20, 0 };
	b->leases.nranges = 3;
	reserve(b, 0);
	b->s.conf.classes = &phones;
	b->s.conf.nclasses = 1;
	assert_int_equal(lease(b, "phone1", 1), FIRST + 10);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = "phone2", .mac = 2), DHCP_OUT_EXHAUSTED);
	assert_int_equal(lease(b, "a", 3), FIRST);
	b->now++;
	assert_int_equal(lease(b, "b", 4), FIRST + 1);
	assert_int_equal(lease(b, "c", 5), FIRST + 20);		/* the second range of the same pool */
	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = "d", .mac = 6), DHCP_OUT_EXHAUSTED);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = "d", .mac = 6, .want = FIRST + 10), DHCP_OUT_EXHAUSTED);
	assert_int_equal(TELL(b, DHCP_REQUEST, .port = "d", .mac = 6, .want = FIRST + 10), DHCP_OUT_NAK);
	print_message("  idle ones stay in their pool\n");
	b->now += 2 * HOUR;
	assert_int_equal(lease(b, "phone2", 2), FIRST + 10);
	assert_int_equal(lease(b, "d", 6), FIRST);
	print_message("  who joins a class moves when he renews\n");
	strcpy(phones.match.port, "d");
	assert_int_equal(TELL(b, DHCP_REQUEST, .port = "d", .mac = 6, .ciaddr = FIRST), DHCP_OUT_NAK);
	b->now += 2 * HOUR;
	assert_int_equal(lease(b, "d", 6), FIRST + 10);
	print_message("  and a pool that changes lets live leases be\n");
	b->leases.nranges = 1;
	reserve(b, 0);
	phones.pool = 0;
	assert_int_equal(TELL(b, DHCP_REQUEST, .port = "d", .mac = 6, .ciaddr = FIRST + 10), DHCP_OUT_ACK);
}

/* ---- reservations ---- */

static void test_dhcp_47_keys(void **state)
{
	struct bench *b = *state;
	struct dhcp_reservation *r = b->reserved;

	r[0] = (struct dhcp_reservation){ "web1", .key = GUEST_PORT, .ip = NET + 50 };
	r[1] = (struct dhcp_reservation){ "card", .key = GUEST_MAC, .id_size = 6, .id = { 2, 0, 0, 0, 0, 7 }, .ip = NET + 51 };
	r[2] = (struct dhcp_reservation){ "named", .key = GUEST_CLIENT_ID, .id_size = 3, .id = "abc", .ip = NET + 52 };
	r[3] = (struct dhcp_reservation){ "far", .key = GUEST_CIRCUIT, .id_size = 4, .id = "eth1", .ip = NET + 53 };
	reserve(b, 4);
	assert_int_equal(lease(b, "web1", 1), NET + 50);
	assert_int_equal(lease(b, "web1", 2), FIRST);			/* a second one behind the port */
	assert_int_equal(lease(b, "web1", 7), NET + 51);		/* narrower than the port */
	TELL(b, DHCP_DISCOVER, .port = "x", .mac = 8, .client_id = "abc");
	assert_int_equal(b->answer.yiaddr, NET + 52);
	TELL(b, DHCP_DISCOVER, .port = "x", .mac = 9, .client_id = "abcd");
	assert_int_equal(b->answer.yiaddr, FIRST + 1);
	TELL(b, DHCP_DISCOVER, .port = "x", .mac = 10, .giaddr = NET + 9, .relay = "\1\4eth1\2\3far");
	assert_int_equal(b->answer.yiaddr, NET + 53);
	TELL(b, DHCP_DISCOVER, .port = "x", .mac = 11, .relay = "\1\4eth1");	/* said by no relay */
	assert_int_not_equal(b->answer.yiaddr, NET + 53);
	print_message("  another's is nobody's\n");
	assert_int_equal(TELL(b, DHCP_REQUEST, .port = "x", .mac = 11, .want = NET + 52), DHCP_OUT_NAK);
	assert_int_equal(TELL(b, DHCP_REQUEST, .port = "x", .mac = 12, .want = NET + 51), DHCP_OUT_NAK);
	print_message("  who has it keeps it until he renews\n");
	r[0].ip = FIRST;
	reserve(b, 4);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 2, .ciaddr = FIRST, .client_id = "zz"), DHCP_OUT_ACK);	/* the port's, too */
	strcpy(r[0].name, "web9");
	reserve(b, 4);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 2, .ciaddr = FIRST), DHCP_OUT_NAK);
	lease(b, "web1", 2);
	assert_int_equal(lease(b, "web9", 20), FIRST);
}

static void test_dhcp_15_16_another_client_id(void **state)
{
	struct bench *b = *state;

	TELL(b, DHCP_DISCOVER, .mac = 1, .client_id = "me");
	TELL(b, DHCP_REQUEST, .mac = 1, .client_id = "me", .want = FIRST, .server = SERVER);
	assert_int_equal(TELL(b, DHCP_RELEASE, .mac = 1, .client_id = "you", .ciaddr = FIRST, .server = SERVER), DHCP_OUT_STRANGER);
	assert_int_equal(TELL(b, DHCP_RELEASE, .mac = 1, .ciaddr = FIRST, .server = SERVER), DHCP_OUT_STRANGER);
	assert_int_equal(TELL(b, DHCP_DECLINE, .mac = 1, .client_id = "you", .want = FIRST, .server = SERVER), DHCP_OUT_STRANGER);
	assert_int_equal(TELL(b, DHCP_RELEASE, .mac = 1, .client_id = "me", .ciaddr = FIRST, .server = SERVER), DHCP_OUT_RELEASE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dhcp_40_matches),
		cmocka_unit_test(test_patterns),
		TEST(test_layers),
		TEST(test_dhcp_46_pools),
		TEST(test_dhcp_47_keys),
		TEST(test_dhcp_15_16_another_client_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
