// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/rule.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

static const struct {
	const char *text, *canonical;	/* NULL: as it is */
} good[] = {
	{ "allow egress any", NULL }, { "deny both gateway", NULL }, { "allow ingress any:22", NULL },
	{ "allow egress 10.0.0.0/8", NULL }, { "allow egress 10.0.0.1/32", "allow egress 10.0.0.1" },
	{ "allow egress 10.0.0.0/8:443/tcp", NULL }, { "deny egress 0.0.0.0/0", NULL }, { "deny egress ::/0", NULL },
	{ "allow egress fd00:1::/64", NULL }, { "allow egress [fd00:1::/64]:53/udp", NULL }, { "allow egress [2001:db8::1]:80", NULL },
	{ "allow egress [2001:db8::1]/icmp", "allow egress 2001:db8::1/icmp" }, { "allow egress 2001:db8::1", NULL },
	{ "allow egress github.com", NULL }, { "allow egress *.GitHub.com.:443/tcp", "allow egress *.github.com:443/tcp" },
	{ "allow egress web1:8000-8099/udp", NULL }, { "allow egress web1:80-80", "allow egress web1:80" }, { "allow egress any:1-65535", NULL },
	{ "deny both any/arp", NULL }, { "deny both any/0x88cc", NULL }, { "deny both any/0x0806", "deny both any/arp" },
	{ "allow egress any/ip47", "allow egress any/gre" }, { "allow egress any/ip99", NULL }, { "allow egress any/icmp", NULL },
	{ "  allow \t egress   any ", "allow egress any" }, { "allow egress *.internal", NULL }, { "allow egress _x._tcp.example.com", NULL },
};

static const struct {
	const char *text, *why;		/* a word of the reason */
} bad[] = {
	{ "", "a rule is" }, { "allow egress", "a rule is" }, { "allow egress any any", "a rule is" }, { "permit egress any", "ACTION" },
	{ "allow out any", "DIRECTION" }, { "allow egress 10.0.0.1/8", "address" }, { "allow egress 10.0.0.0/33", "address" },
	{ "allow egress 10.0.0", "address" }, { "allow egress ::ffff:10.0.0.1", "address" }, { "allow egress Web_1", "PEER" },
	{ "allow egress .com", "PEER" }, { "allow egress a..b", "PEER" }, { "allow egress *", "PEER" }, { "allow egress *.*.com", "PEER" },
	{ "allow egress any:0", "PORTS" }, { "allow egress any:65536", "PORTS" }, { "allow egress any:9-8", "PORTS" },
	{ "allow egress any:http", "PORTS" }, { "allow egress any/foo", "PROTOCOL" }, { "allow egress any/ip256", "PROTOCOL" },
	{ "allow egress any/", "PROTOCOL" }, { "allow egress any:80/icmp", "ports" }, { "allow egress any:80/gre", "ports" },
	{ "allow egress web1/arp", "beside IP" }, { "allow egress any:1/arp", "beside IP" }, { "allow egress any/0x0800", "ethertype" },
	{ "allow egress any/0x05ff", "ethertype" }, { "allow egress any/0x", "PROTOCOL" }, { "allow egress [2001:db8::1", "address" },
	{ "allow egress [2001:db8::1]x", "PORTS" }, { "allow egress any:", "PORTS" },
};

static void test_good(void **state)
{
	char text[RULE_TEXT], again[RULE_TEXT];
	struct rule r;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		print_message("  %s\n", good[i].text);
		assert_int_equal(rule_parse(good[i].text, &r, &why), 0);
		assert_string_equal(rule_format(&r, text), good[i].canonical ? good[i].canonical : good[i].text);
		assert_int_equal(rule_parse(text, &r, &why), 0);
		assert_string_equal(rule_format(&r, again), text);
	}
}

static void test_bad(void **state)
{
	char longest[400];
	struct rule r;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		why = "";
		print_message("  %s\n", bad[i].text);
		assert_int_equal(rule_parse(bad[i].text, &r, &why), -EINVAL);
		assert_non_null(strstr(why, bad[i].why));
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(rule_parse(longest, &r, &why), -EINVAL);
	memcpy(longest, "allow egress ", 13);
	longest[310] = '\0';
	longest[200] = '.';
	assert_int_equal(rule_parse(longest, &r, &why), -EINVAL);	/* a label of more than 63 letters */
}

static void test_names(void **state)
{
	static const struct {
		const char *rule, *name;
		bool means;
	} cases[] = {
		{ "github.com", "github.com", true }, { "github.com", "api.github.com", false }, { "*.github.com", "api.github.com", true },
		{ "*.github.com", "a.b.github.com", true }, { "*.github.com", "github.com", false }, { "*.github.com", "evilgithub.com", false },
		{ "*.github.com", ".github.com", false }, { "github.com", "github.com.evil.org", false }, { "web1", "web1", false },
	};
	char text[80];
	struct rule r;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s: %s\n", cases[i].rule, cases[i].name);
		snprintf(text, sizeof(text), "allow egress %s", cases[i].rule);
		assert_int_equal(rule_parse(text, &r, &why), 0);
		assert_int_equal(rule_names(&r, cases[i].name), cases[i].means);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad), cmocka_unit_test(test_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
