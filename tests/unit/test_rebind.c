// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/rebind and dhcp/dns_opt: what of an answer from outside is not passed on. IDs are those of the conformance statements. */
#include "dhcp/rebind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "dhcp/dns_message.h"
#include "dhcp/dns_opt.h"

#define HEAD "\x12\x34\x81\x80\0\1"	/* and three counts */
#define WWW "\3www\7example\3com\0\0\1\0\1"
#define A(a, b, c, d) "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" a b c d
#define AAAA(sixteen) "\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10" sixteen
#define ZEROS8 "\0\0\0\0\0\0\0\0"

#define ANSWER(n, records) HEAD n "\0\0\0\0" WWW records, sizeof(HEAD n "\0\0\0\0" WWW records) - 1

static const struct {
	const char *what;
	const char *data;
	size_t size;
	bool offends;
} answers[] = {
	{ "an address of the world", ANSWER("\0\1", A("\xcb", "\0", "\x71", "\1")), false },
	{ "10/8", ANSWER("\0\1", A("\x0a", "\1", "\2", "\3")), true },
	{ "behind one of the world", ANSWER("\0\2", A("\xcb", "\0", "\x71", "\1") A("\xc0", "\xa8", "\1", "\1")), true },
	{ "172.31.255.255", ANSWER("\0\1", A("\xac", "\x1f", "\xff", "\xff")), true },
	{ "172.32.0.0", ANSWER("\0\1", A("\xac", "\x20", "\0", "\0")), false },
	{ "loopback", ANSWER("\0\1", A("\x7f", "\0", "\0", "\1")), true },
	{ "no host, which is this one to many", ANSWER("\0\1", A("\0", "\0", "\0", "\0")), true },
	{ "where clouds keep their secrets", ANSWER("\0\1", A("\xa9", "\xfe", "\xa9", "\xfe")), true },
	{ "the network's own, though of the world", ANSWER("\0\1", A("\xc6", "\x33", "\x64", "\7")), true },
	{ "beside it", ANSWER("\0\1", A("\xc6", "\x33", "\x65", "\7")), false },
	{ "an IPv6 address of the world", ANSWER("\0\1", AAAA("\x20\1\x0d\xb8" ZEROS8 "\0\0\0\1")), false },
	{ "unique local", ANSWER("\0\1", AAAA("\xfd\0\0\0" ZEROS8 "\0\0\0\1")), true },
	{ "link-local", ANSWER("\0\1", AAAA("\xfe\x80\0\0" ZEROS8 "\0\0\0\1")), true },
	{ "::1", ANSWER("\0\1", AAAA("\0\0\0\0" ZEROS8 "\0\0\0\1")), true },
	{ "::", ANSWER("\0\1", AAAA("\0\0\0\0" ZEROS8 "\0\0\0\0")), true },
	{ "10.0.0.1 mapped", ANSWER("\0\1", AAAA(ZEROS8 "\0\0\xff\xff\x0a\0\0\1")), true },
	{ "10.0.0.1 to be translated", ANSWER("\0\1", AAAA("\0\x64\xff\x9b" ZEROS8 "\x0a\0\0\1")), true },
	{ "8.8.8.8 to be translated", ANSWER("\0\1", AAAA("\0\x64\xff\x9b" ZEROS8 "\x08\x08\x08\x08")), false },
	{ "the network's own IPv6", ANSWER("\0\1", AAAA("\x20\1\x0d\xb8\0\x4d\0\0\0\0\0\0\0\0\0\1")), true },
	{ "a hint of HTTPS", ANSWER("\0\1", "\xc0\x0c\0\x41\0\1\0\0\0\x3c\0\x0b\0\1\0\0\4\0\4\x0a\0\0\1"), true },
	{ "a hint of the world", ANSWER("\0\1", "\xc0\x0c\0\x41\0\1\0\0\0\x3c\0\x0b\0\1\0\0\4\0\4\x08\x08\x08\x08"), false },
	{ "a hint behind another parameter", ANSWER("\0\1", "\xc0\x0c\0\x40\0\1\0\0\0\x3c\0\x11\0\1\0\0\1\0\2h2\0\4\0\4\x0a\0\0\1"), true },
	{ "a hint of IPv6", ANSWER("\0\1", "\xc0\x0c\0\x41\0\1\0\0\0\x3c\0\x17\0\1\0\0\6\0\x10\xfd\0\0\0" ZEROS8 "\0\0\0\1"), true },
	{ "a hint of HTTPS for a target whose name is a pointer", ANSWER("\0\1", "\xc0\x0c\0\x41\0\1\0\0\0\x3c\0\x0c\0\1\xc0\x0c\0\4\0\4\x0a\0\0\1"), true },
	{ "a hint that is cut", ANSWER("\0\1", "\xc0\x0c\0\x41\0\1\0\0\0\x3c\0\x0b\0\1\0\0\4\0\5\x0a\0\0\1"), true },
	{ "a hint of six bytes", ANSWER("\0\1", "\xc0\x0c\0\x41\0\1\0\0\0\x3c\0\x0d\0\1\0\0\4\0\6\x08\x08\x08\x08\x0a\0"), true },
	{ "a service without parameters", ANSWER("\0\1", "\xc0\x0c\0\x41\0\1\0\0\0\x3c\0\3\0\1\0"), false },
	{ "an address of three bytes", ANSWER("\0\1", "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\3\x0a\0\0"), true },
	{ "text", ANSWER("\0\1", "\xc0\x0c\0\x10\0\1\0\0\0\x3c\0\4\3abc"), false },
	{ "no records", ANSWER("\0\0", ""), false },
	{ "what cannot be read", ANSWER("\0\1", "\xff\xff\0\1\0\1\0\0\0\x3c\0\4\x08\x08\x08\x08"), true },
};

static struct rebind make(const char *allow)
{
	struct rebind r = { .protect = true, .own = { 0xc6336400, 24 } };

	assert_int_equal(prefix6_parse("2001:db8:4d::/64", &r.own6), 0);
	snprintf(r.allow, sizeof(r.allow), "%s", allow);
	return r;
}

static void test_dns_35_what_leads_inside(void **state)
{
	struct rebind r = make(""), off = { .protect = false };
	struct dns_name www;

	(void)state;
	dns_name_from_text(&www, "www.example.com");
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		uint8_t *exact = malloc(answers[i].size);	/* so that a read behind it is seen */

		print_message("  %s\n", answers[i].what);
		memcpy(exact, answers[i].data, answers[i].size);
		assert_int_equal(rebind_offends(&r, &www, exact, answers[i].size), answers[i].offends);
		assert_false(rebind_offends(&off, &www, exact, answers[i].size));
		free(exact);
	}
}

static const struct {
	const char *allow, *name;
	bool offends;
} domains[] = {
	{ "example.com", "www.example.com", false },
	{ "example.com", "Example.COM", false },
	{ "Example.COM", "www.example.com", false },
	{ "corp.example,example.com", "a.b.example.com", false },
	{ "example.com,corp.example", "nas.corp.example", false },
	{ "example.com", "notexample.com", true },
	{ "www.example.com", "example.com", true },
	{ "com.example,,", "www.example.com", true },
	{ "", "www.example.com", true },
};

static void test_dns_35_allowed_domains(void **state)
{
	static const uint8_t inside[] = HEAD "\0\1\0\0\0\0" WWW A("\x0a", "\0", "\0", "\1");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
		struct rebind r = make(domains[i].allow);
		struct dns_name name;

		print_message("  %s of %s\n", domains[i].name, domains[i].allow);
		dns_name_from_text(&name, domains[i].name);
		assert_int_equal(rebind_offends(&r, &name, inside, sizeof(inside) - 1), domains[i].offends);
	}
}

#define OPT(size, options) "\0\0\x29\x10\0\0\0\x80\0" size options
#define COOKIE "\0\x0a\0\4abcd"
#define SUBNET "\0\x08\0\4\0\1\x18\0"
#define MESSAGE(records, rest) HEAD "\0\0\0\0" records WWW rest, sizeof(HEAD "\0\0\0\0" records WWW rest) - 1

static const struct {
	const char *what, *data;
	size_t size;
	const char *want;
	size_t want_size;
} opts[] = {
	{ "none", MESSAGE("\0\0", ""), MESSAGE("\0\0", "") },
	{ "without options", MESSAGE("\0\1", OPT("\0\0", "")), MESSAGE("\0\1", "\0\0\x29\4\xd0\0\0\x80\0\0\0") },
	{ "a cookie", MESSAGE("\0\1", OPT("\0\x08", COOKIE)), MESSAGE("\0\1", "\0\0\x29\4\xd0\0\0\x80\0\0\0") },
	{ "a cookie between others", MESSAGE("\0\1", OPT("\0\x18", SUBNET COOKIE SUBNET)),
	  MESSAGE("\0\1", "\0\0\x29\4\xd0\0\0\x80\0\0\x10" SUBNET SUBNET) },
	{ "an option that is cut", MESSAGE("\0\1", OPT("\0\x0c", SUBNET "\0\x0a\0\4")), MESSAGE("\0\1", "\0\0\x29\4\xd0\0\0\x80\0\0\x08" SUBNET) },
	{ "not the last record", MESSAGE("\0\2", OPT("\0\x08", COOKIE) A("\1", "\2", "\3", "\4")),
	  MESSAGE("\0\2", "\0\0\x29\4\xd0\0\0\x80\0\0\x08\0\x0c\0\4\0\0\0\0" A("\1", "\2", "\3", "\4")) },
	{ "cut short", MESSAGE("\0\1", "\0\0\x29\x10"), MESSAGE("\0\1", "\0\0\x29\x10") },
};

static void test_opt_is_our_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(opts); i++) {
		uint8_t *exact = malloc(opts[i].size);

		print_message("  %s\n", opts[i].what);
		memcpy(exact, opts[i].data, opts[i].size);
		assert_int_equal(dns_opt_own(exact, opts[i].size), opts[i].want_size);
		assert_memory_equal(exact, opts[i].want, opts[i].want_size);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_35_what_leads_inside),
		cmocka_unit_test(test_dns_35_allowed_domains),
		cmocka_unit_test(test_opt_is_our_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
