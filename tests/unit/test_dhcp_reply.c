// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/server_reply: which options an answer has, in which order, and how large it is. IDs are those of the conformance statements. */
#include "tests/unit/dhcp_bench.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"

/* ---- what the server knows by itself ---- */

static void test_dhcp_26_parameters(void **state)
{
	struct bench *b = *state;
	char all[255];
	const uint8_t *p;
	size_t size;

	for (unsigned i = 0; i < 254; i++)
		all[i] = (char)(254 - i);	/* all of them, 254 first */
	all[254] = '\0';
	TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = all, .max_size = 1500);
	assert_true(has(b, 1) && has(b, 3) && has(b, 6) && has(b, 15) && has(b, 26) && has(b, 28) &&
		    has(b, 58) && has(b, 59));
	p = message_option(&b->answer, OPTION_HOSTNAME, &size);
	assert_int_equal(size, 4);
	assert_memory_equal(p, "web1", 4);
	p = message_option(&b->answer, OPTION_SEARCH, &size);
	assert_int_equal(size, 14);
	assert_memory_equal(p, "\3lab\10internal", 14);
	p = message_option(&b->answer, OPTION_MTU, &size);
	assert_int_equal(get_u16(p), 1500);
	/* The guest's order: 119 before 26 before 3. */
	assert_int_equal(b->reply[240], OPTION_TYPE);
	assert_int_equal(b->reply[255], OPTION_SEARCH);
	assert_true(memchr(b->reply + 240, OPTION_MTU, 60) < memchr(b->reply + 240, OPTION_DOMAIN, 60));
	TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = "\376");		/* nothing we know */
	assert_true(has(b, 1) && has(b, 3) && has(b, 6) && has(b, 51) && has(b, 54));
	assert_false(has(b, 12) || has(b, 15) || has(b, 26) || has(b, 119));
	b->s.conf.router = b->s.conf.dns = 0;
	b->s.conf.domain[0] = '\0';
	TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = all);
	assert_false(has(b, 3) || has(b, 6) || has(b, 15) || has(b, 119));	/* host-only: no router option */
}

/* RFC 3442: the ways to peers, where there is no router: then guests that know the option would not look at that. Bytes by hand. */
static void test_routes(void **state)
{
	static const uint8_t expected[] = { 24, 10, 9, 8, 10, 77, 0, 1, 12, 172, 16, 10, 77, 0, 1, 29, 10, 1, 2, 8, 10, 77, 0, 1 };
	struct bench *b = *state;
	const uint8_t *p;
	size_t size;

	b->s.conf.server_ip = 0x0a4d0001;
	b->s.conf.routes[0] = (struct prefix4){ 0x0a090800, 24 };
	b->s.conf.routes[1] = (struct prefix4){ 0xac100000, 12 };
	b->s.conf.routes[2] = (struct prefix4){ 0x0a010208, 29 };
	b->s.conf.nroutes = 3;
	TELL(b, DHCP_DISCOVER, .mac = 1);
	assert_false(has(b, 121));
	b->s.conf.router = 0;
	TELL(b, DHCP_DISCOVER, .mac = 1, .parameters = "\1\3");		/* told without being asked, too */
	p = message_option(&b->answer, OPTION_ROUTES, &size);
	assert_int_equal(size, sizeof(expected));
	assert_memory_equal(p, expected, size);
	assert_false(has(b, 3));
	print_message("  as many as fit one option\n");
	for (b->s.conf.nroutes = 0; b->s.conf.nroutes < DHCP_ROUTES_MAX; b->s.conf.nroutes++)
		b->s.conf.routes[b->s.conf.nroutes] = (struct prefix4){ 0x0a000000u + b->s.conf.nroutes * 8, 29 };
	TELL(b, DHCP_DISCOVER, .mac = 1, .max_size = 1400);
	assert_non_null(message_option(&b->answer, OPTION_ROUTES, &size));
	assert_int_equal(size, 9 * DHCP_ROUTES_MAX);
}

static void test_dhcp_27_size(void **state)
{
	struct bench *b = *state;
	char id[251];

	memset(id, 'i', 250);
	id[250] = '\0';
	memset(b->s.conf.domain, 'd', 60);
	TELL(b, DHCP_DISCOVER, .mac = 1, .client_id = id, .parameters = "\17\167\1\3\6\14");
	assert_true(b->size <= 548);
	assert_true(has(b, 1) && has(b, 51) && has(b, 61) && has(b, 15) && has(b, OPTION_OVERLOAD));	/* DHCP-28: in file and sname */
	b->s.conf.says.boot = (struct dhcp_boot){ NET + 3, "boot", "linux" };
	TELL(b, DHCP_DISCOVER, .mac = 1, .client_id = id, .parameters = "\17\167\1\3\6\14");
	assert_true(has(b, 1) && has(b, 51) && has(b, 61) && !has(b, 15) && !has(b, OPTION_OVERLOAD));	/* which are not free now */
	assert_int_equal(b->answer.siaddr, NET + 3);
	assert_string_equal((char *)b->reply + 44, "boot");
	assert_string_equal((char *)b->reply + 44 + DHCP_SNAME_SIZE, "linux");
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .client_id = id, .relay = id, .giaddr = NET + 9), DHCP_OUT_MALFORMED);
	assert_int_equal(b->size, 0);		/* what must be echoed does not fit */
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .client_id = id, .relay = id, .giaddr = NET + 9, .max_size = 1400),
			 DHCP_OUT_OFFER);
	assert_true(has(b, 61) && has(b, 82));
	b->s.conf.mtu = 576;
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .max_size = 1500, .parameters = "\17\167\1\3\6\14"),
			 DHCP_OUT_OFFER);
	assert_true(b->size <= 548);
}

/* ---- what is set ---- */

/* order() - the codes of the last answer as they stand on the wire, those of the server's own left out */
static const char *order(const struct bench *b)
{
	static char text[256];
	size_t at = DHCP_FIXED_SIZE + 4;

	text[0] = '\0';
	for (; at + 1 < b->size && b->reply[at] != OPTION_END; at += 2u + b->reply[at + 1])
		if (option_settable(OPTIONS4, b->reply[at]))
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dhcp_26_parameters),
		TEST(test_routes),
		TEST(test_dhcp_27_size),
		TEST(test_dhcp_26_set_options),
		TEST(test_dhcp_27_long_and_many),
		TEST(test_dhcp_31_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
