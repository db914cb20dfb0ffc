// SPDX-License-Identifier: GPL-2.0-or-later
/* Whom `lanyard why` asks about: DESTINATION[:PORT[/PROTO]]. */
#include "ctl/explain_target.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/error.h"

static const struct {
	const char *text, *host;
	uint8_t proto;
	uint16_t port;
	bool is_addr;
	const char *net, *guest;
} cases[] = {
	{ "1.1.1.1", "1.1.1.1", IPPROTO_ICMP, 0, true, "", "" },
	{ "1.1.1.1:443", "1.1.1.1", IPPROTO_TCP, 443, true, "", "" },
	{ "1.1.1.1:53/udp", "1.1.1.1", IPPROTO_UDP, 53, true, "", "" },
	{ "1.1.1.1/icmp", "1.1.1.1", IPPROTO_ICMP, 0, true, "", "" },
	{ "2001:db8::1", "2001:db8::1", IPPROTO_ICMP, 0, true, "", "" },
	{ "[2001:db8::1]", "2001:db8::1", IPPROTO_ICMP, 0, true, "", "" },
	{ "[2001:db8::1]:80", "2001:db8::1", IPPROTO_TCP, 80, true, "", "" },
	{ "[2001:db8::1]:80/udp", "2001:db8::1", IPPROTO_UDP, 80, true, "", "" },
	{ "web2", "web2", IPPROTO_ICMP, 0, false, "", "" },
	{ "web2:80", "web2", IPPROTO_TCP, 80, false, "", "" },
	{ "lab/web2", "lab/web2", IPPROTO_ICMP, 0, false, "lab", "web2" },
	{ "lab/web2:80/tcp", "lab/web2", IPPROTO_TCP, 80, false, "lab", "web2" },
	{ "www.example.com:443", "www.example.com", IPPROTO_TCP, 443, false, "", "" },
};

static const char *const refused[] = {
	"", ":80", "1.1.1.1:0", "1.1.1.1:65536", "1.1.1.1:x", "1.1.1.1:", "1.1.1.1/udp", "1.1.1.1:80/icmp", "1.1.1.1/24",
	"1.1.1.1:80/sctp", "[1::2", "[web2]:80", "[]", "/tcp", "a/b/c", "Lab/web2", "lab/",
};

static void test_targets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct explain_target t = { .port = 0 };
		struct error err = { 0 };
		int rc = explain_target_parse(cases[i].text, &t, &err);

		print_message("  \"%s\"\n", cases[i].text);
		assert_int_equal(rc, 0);
		assert_string_equal(t.host, cases[i].host);
		assert_int_equal(t.proto, cases[i].proto);
		assert_int_equal(t.port, cases[i].port);
		assert_int_equal(t.is_addr, cases[i].is_addr);
		assert_string_equal(t.net, cases[i].net);
		assert_string_equal(t.guest, cases[i].guest);
	}
}

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct explain_target t;
		struct error err = { 0 };

		print_message("  \"%s\"\n", refused[i]);
		assert_int_equal(explain_target_parse(refused[i], &t, &err), -EINVAL);
		assert_true(err.message[0]);
	}
}

/* Whatever is written, in whatever length, is taken or refused. */
static void test_long(void **state)
{
	static char text[2 * EXPLAIN_TEXT];
	struct explain_target t;
	struct error err;

	(void)state;
	for (size_t n = 1; n < sizeof(text); n++) {
		memset(text, n & 1 ? 'a' : '/', n);
		text[n] = '\0';
		if (explain_target_parse(text, &t, &err) == 0)
			assert_true(strlen(t.host) < EXPLAIN_TEXT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_targets), cmocka_unit_test(test_refused), cmocka_unit_test(test_long) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
