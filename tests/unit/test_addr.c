// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses of either family: their texts, prefixes, scopes and socket forms. */
#include "base/addr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/hash.h"

static struct addr at(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static const struct {
	const char *text, *canonical;	/* NULL: refused */
} texts[] = {
	{ "10.0.0.1", "10.0.0.1" },	{ "0.0.0.0", "0.0.0.0" },	{ "::", "::" },
	{ "::1", "::1" },		{ "FD00:0:0::1", "fd00::1" },	{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "fe80::1", "fe80::1" },	{ "::ffff:10.0.0.1", NULL },	{ "::ffff:a00:1", NULL },
	{ "fe80::1%eth0", NULL },	{ "", NULL },			{ "10.0.0", NULL },
	{ "fd00::1/64", NULL },		{ "1:2:3:4:5:6:7:8:9", NULL },	{ "::10.0.0.1", "::10.0.0.1" },
};

static void test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct addr a = addr4(4711);
		char text[ADDR_TEXT];

		assert_int_equal(addr_parse(texts[i].text, &a), texts[i].canonical ? 0 : -EINVAL);
		if (texts[i].canonical)
			assert_string_equal(addr_format(a, text), texts[i].canonical);
		else
			assert_int_equal(addr_4(a), 4711);
	}
}

static const struct {
	const char *text;
	int len;			/* -1: refused */
} prefixes[] = {
	{ "fd00::/64", 64 }, { "fd00:1:2:3::/64", 64 }, { "::/0", 0 }, { "2001:db8::1/128", 128 }, { "fd80::/9", 9 },
	{ "fd00::1/64", -1 }, { "fd40::/9", -1 }, { "fd00::/129", -1 }, { "fd00::", -1 }, { "fd00::/", -1 }, { "10.0.0.0/8", -1 },
};

static void test_prefix(void **state)
{
	struct prefix6 p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		char text[PREFIX6_TEXT];

		assert_int_equal(prefix6_parse(prefixes[i].text, &p), prefixes[i].len < 0 ? -EINVAL : 0);
		if (prefixes[i].len < 0)
			continue;
		assert_int_equal(p.len, prefixes[i].len);
		assert_string_equal(prefix6_format(p, text), prefixes[i].text);
		assert_true(addr_in(p, p.addr));
	}
	assert_int_equal(prefix6_parse("fd00:1:2::/47", &p), 0);
	assert_true(addr_in(p, at("fd00:1:3:ffff::")) && addr_in(p, at("fd00:1:2::")));
	assert_false(addr_in(p, at("fd00:1:4::")) || addr_in(p, at("fd00:1:1::")) || addr_in(p, addr4(0xfd000001)));
}

static void test_kinds(void **state)
{
	(void)state;
	assert_true(addr_is4(addr4(0)) && !addr_is_none(addr4(0)) && addr_is_none(at("::")) && !addr_is4(at("::")));
	assert_true(addr_is_loopback(at("::1")) && addr_is_loopback(at("127.9.9.9")) && !addr_is_loopback(at("::2")));
	assert_true(addr_is_multicast(at("ff02::1")) && addr_is_multicast(at("224.0.0.1")) && !addr_is_multicast(at("fe80::1")));
	assert_true(addr_is_link_local(at("febf::1")) && addr_is_link_local(at("169.254.1.1")) && !addr_is_link_local(at("fec0::")));
	assert_true(addr_equal(addr_link_local((uint8_t[]){ 2, 0, 0, 0, 0, 1 }), at("fe80::ff:fe00:1")));
}

static void test_sockets(void **state)
{
	static const char *const both[] = { "192.0.2.7", "2001:db8::7" };
	union sock_addr s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		struct addr a = at(both[i]);

		assert_int_equal(addr_to_sock(a, 4711, &s), i ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
		assert_int_equal(s.any.sa_family, addr_family(a));
		assert_int_equal(sock_addr_port(&s), 4711);
		assert_true(addr_equal(addr_from_sock(&s), a));
	}
	s.any.sa_family = AF_UNIX;
	assert_true(addr_is_none(addr_from_sock(&s)));
}

/* Neighbours, of which a table has many, do not fall together: no place of 1,024 is taken by more than a few of 1,024. */
static void test_hash(void **state)
{
	uint8_t count[2][1024] = { { 0 } };
	uint64_t seed = hash_seed();

	(void)state;
	for (uint32_t i = 0; i < 1024; i++) {
		struct addr a = at("2001:db8::");

		a.words[3] = htobe32(i);
		count[0][addr_hash(a, seed) & 1023]++;
		count[1][addr_hash(addr4(0x0a000000 + i), seed) & 1023]++;
	}
	for (unsigned i = 0; i < 1024; i++)
		assert_true(count[0][i] < 16 && count[1][i] < 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	cmocka_unit_test(test_prefix), cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_sockets), cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
