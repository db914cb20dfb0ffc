// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/server: what networks, classes and reservations say, relays, rapid commit, BOOTP; and dhcp/server_explain. IDs are those of the
 * conformance statements.
 */
#include "tests/unit/dhcp_bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/class.h"
#include "dhcp/server_explain.h"

/* put() - one more option of a set */
static void put(struct option_set *set, const char *line)
{
	char why[OPTION_WHY];

	if (option_set_add(set, line, why) < 0)
		fail_msg("%s: %s", line, why);
}

/* text_of() - an option of the last answer as text, or "-" */
static const char *text_of(const struct bench *b, uint8_t code)
{
	static char text[OPTION_VALUE_TEXT];
	const struct option_kind *kind = option_coded(code);
	size_t size;
	const uint8_t *data = message_option(&b->answer, code, &size);

	if (!data)
		return "-";
	option_value_format(kind ? kind->type : VALUE_HEX, data, size, text);
	return text;
}

/* ---- options ---- */

/* order() - the codes of the last answer as they stand on the wire, those of the server's own left out */
static const char *order(const struct bench *b)
{
	static char text[256];
	size_t at = DHCP_FIXED_SIZE + 4;

	text[0] = '\0';
	for (; at + 1 < b->size && b->reply[at] != OPTION_END; at += 2u + b->reply[at + 1])
		if (option_settable(b->reply[at]))
			sprintf(text + strlen(text), "%u ", b->reply[at]);
	return text;
}

static void test_dhcp_26_set_options(void **state)
{
	struct bench *b = *state;
	struct option_set *set = &b->s.conf.says.options;

	put(set, "ntp-servers 10.77.0.9");
	put(set, "force tftp-server-name boot");
	put(set, "never routers");
	put(set, "224:text local");
	put(set, "domain-name-servers 10.77.0.8 10.77.0.9");
	TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = "\x2a\6\3\1\xe0\xfe");
	assert_string_equal(order(b), "42 6 1 224 66 ");	/* in the guest's order, then what is forced; 254 is unknown */
	assert_string_equal(text_of(b, OPTION_DNS), "10.77.0.8, 10.77.0.9");
	print_message("  not asked for\n");
	TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = "\1");
	assert_string_equal(order(b), "1 66 6 ");		/* who never asks needs a resolver all the same */
	print_message("  who asks for nothing at all is told everything\n");
	TELL(b, DHCP_DISCOVER, .mac = 1);
	assert_true(has(b, 42) && has(b, 66) && has(b, 224) && !has(b, OPTION_ROUTER));
	print_message("  INFORM, and not NAK\n");
	TELL(b, DHCP_INFORM, .mac = 1, .ciaddr = NET + 50, .parameters = "\x2a");
	assert_string_equal(text_of(b, 42), "10.77.0.9");
	TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = NET + 50);
	assert_int_equal(b->answer.type, DHCP_NAK);		/* DHCP-11 */
	assert_false(has(b, 66));
	option_set_fini(set);
}

static void test_dhcp_27_long_and_many(void **state)
{
	struct bench *b = *state;
	struct option_set *set = &b->s.conf.says.options;
	char line[700], asked[62];

	for (unsigned i = 0; i < 60; i++) {
		snprintf(line, sizeof(line), "force %u:text %s%u", 160 + i, "some words to be sent to all ", i);
		put(set, line);
		asked[i] = (char)(219 - i);
	}
	asked[60] = '\0';
	for (unsigned size = 576; size <= 1500; size += 231) {
		TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = asked, .max_size = (uint16_t)size);
		assert_true(b->size <= size - 28 && b->size > size - 28 - 40);
		assert_true(has(b, 219) && has(b, 218) && has(b, 1) && has(b, 51));	/* the first that it asks for */
		assert_true(!has(b, 160) || size > 1300);
	}
	option_set_fini(set);
	print_message("  DHCP-29: longer than one option can be\n");
	strcpy(line, "domain-search");
	for (unsigned i = 0; i < 20; i++)
		sprintf(line + strlen(line), " department-%02u.example.org", i);
	put(set, line);
	TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = "\167", .max_size = 1400);
	sprintf(line, "department-00.example.org");
	assert_true(strlen(text_of(b, OPTION_SEARCH)) > 500);
	assert_memory_equal(text_of(b, OPTION_SEARCH), line, strlen(line));
	option_set_fini(set);
}

static void test_dhcp_31_routes(void **state)
{
	struct bench *b = *state;
	struct option_set *set = &b->s.conf.says.options;

	put(set, "classless-static-routes 10.8.0.0/16 10.77.0.9");
	TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = "\171");
	assert_string_equal(text_of(b, OPTION_ROUTES), "10.8.0.0/16 10.77.0.9, 0.0.0.0/0 10.77.0.1");
	assert_false(has(b, OPTION_ROUTES_MS));
	TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = "\xf9");
	assert_string_equal(text_of(b, OPTION_ROUTES_MS), "10.8.0.0/16 10.77.0.9, 0.0.0.0/0 10.77.0.1");
	option_set_fini(set);
	put(set, "classless-static-routes 0.0.0.0/0 10.77.0.9");
	TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = "\171");
	assert_string_equal(text_of(b, OPTION_ROUTES), "0.0.0.0/0 10.77.0.9");
	option_set_fini(set);
}

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

/* ---- relays ---- */

static void test_dhcp_34_35_sub_options(void **state)
{
	struct bench *b = *state;
	const char link[] = "\5\4\x0a\x4d\1\1";		/* 10.77.1.1: another subnet */
	const char named[] = "\13\4\x0a\1\1\1";		/* 10.1.1.1 */
	const uint8_t *p;
	size_t size;

	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = 0x0a010101), DHCP_OUT_RELAY);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = NET + 9, .relay = link), DHCP_OUT_RELAY);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = 0x0a010101, .relay = "\5\4\x0a\x4d\xff\2"), DHCP_OUT_RELAY);
	b->s.conf.subnet = (struct prefix4){ 0x0a4d0000, 16 };
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = 0x0a010101, .relay = link), DHCP_OUT_OFFER);
	assert_int_equal(b->r.dst_ip, 0x0a010101);
	p = message_option(&b->answer, OPTION_RELAY_INFO, &size);
	assert_memory_equal(p, link, size);
	assert_int_equal(b->reply[b->size - 1] == OPTION_END || b->reply[b->size - 1] == 0, 1);
	print_message("  server-id override: what it is called is what it answers to\n");
	b->named_as = 0x0a010101;
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = NET + 9, .relay = named), DHCP_OUT_OFFER);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .giaddr = NET + 9, .relay = named, .want = b->answer.yiaddr, .server = 0x0a010101),
			 DHCP_OUT_ACK);
	assert_int_equal(TELL(b, DHCP_RELEASE, .mac = 1, .giaddr = NET + 9, .relay = named, .ciaddr = FIRST, .server = 0x0a010101),
			 DHCP_OUT_RELEASE);
	b->named_as = 0;
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .want = FIRST, .server = 0x0a010101), DHCP_OUT_FOREIGN_SERVER);
	print_message("  lengths that lie: as if nothing were there\n");
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = NET + 9, .relay = "\13\4\x0a\1\1\1\1\5x"), DHCP_OUT_OFFER);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = NET + 9, .relay = "\13\3\x0a\1\1"), DHCP_OUT_OFFER);
}

/* ---- rapid commit, v6-only, BOOTP ---- */

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

/* ---- explained ---- */

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
		TEST(test_dhcp_26_set_options),
		TEST(test_dhcp_27_long_and_many),
		TEST(test_dhcp_31_routes),
		TEST(test_dhcp_40_matches),
		cmocka_unit_test(test_patterns),
		TEST(test_layers),
		TEST(test_dhcp_46_pools),
		TEST(test_dhcp_47_keys),
		TEST(test_dhcp_15_16_another_client_id),
		TEST(test_dhcp_34_35_sub_options),
		TEST(test_dhcp_36_v6only),
		TEST(test_dhcp_37_rapid_commit),
		TEST(test_dhcp_24_bootp),
		TEST(test_explain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
