// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/attach_message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

#define START "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"box1\",\"medium\":\"tap\""

static void test_whole(void **state)
{
	static const char text[] = START ",\"ifname\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"transient\":true,\"vlan\":10}";
	struct attach_message m;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(attach_parse(&m, text, strlen(text), &err), 0);
	assert_string_equal(m.network, "lab");
	assert_string_equal(m.port, "box1");
	assert_int_equal(m.medium, ATTACH_TAP);
	assert_string_equal(m.ifname, "eth0");
	assert_string_equal(m.mac, "02:00:00:00:00:01");
	assert_int_equal(m.vlan, 10);
	assert_true(m.transient);
	assert_int_equal(attach_parse(&m, START "}", strlen(START "}"), &err), 0);
	assert_string_equal(m.ifname, "");
	assert_string_equal(m.mac, "");
	assert_int_equal(m.vlan, 0);
	assert_false(m.transient);
}

static const struct {
	const char *text, *word;	/* a word of the message, or NULL where it is good */
} cases[] = {
	{ START "}", NULL },
	{ "  " START "}\n", NULL },
	{ START ",\"transient\":false}", NULL },
	{ START ",\"vlan\":4094}", NULL },
	{ START ",\"ifname\":\"fifteen-letters\"}", NULL },
	{ "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"b\",\"medium\":\"packet\"}", NULL },
	{ "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"b\",\"medium\":\"stream\"}", NULL },
	{ "", "JSON" },
	{ "{", "JSON" },
	{ "[]", "attach" },
	{ "\"attach\"", "JSON" },
	{ "{}", "op" },
	{ START "} x", "JSON" },
	{ START ",\"port\":\"box2\"}", "JSON" },
	{ START ",\"color\":\"red\"}", "attach" },
	{ "{\"op\":\"detach\",\"network\":\"lab\",\"port\":\"b\",\"medium\":\"tap\"}", "op" },
	{ "{\"op\":1,\"network\":\"lab\",\"port\":\"b\",\"medium\":\"tap\"}", "attach" },
	{ "{\"op\":\"attach\",\"port\":\"b\",\"medium\":\"tap\"}", "network" },
	{ "{\"op\":\"attach\",\"network\":\"lab\",\"medium\":\"tap\"}", "port" },
	{ "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"b\"}", "medium" },
	{ "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"b\",\"medium\":\"tun\"}", "medium" },
	{ "{\"op\":\"attach\",\"network\":\"Lab\",\"port\":\"b\",\"medium\":\"tap\"}", "network" },
	{ "{\"op\":\"attach\",\"network\":\"lab/b\",\"port\":\"b\",\"medium\":\"tap\"}", "network" },
	{ "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"\",\"medium\":\"tap\"}", "port" },
	{ "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"b\\u0000c\",\"medium\":\"tap\"}", "JSON" },
	{ "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"\xff\",\"medium\":\"tap\"}", "JSON" },
	{ START ",\"ifname\":\"sixteen-letters-\"}", "ifname" },
	{ START ",\"ifname\":7}", "attach" },
	{ START ",\"mac\":\"02:00:00:00:00\"}", "mac" },
	{ START ",\"mac\":\"02:00:00:00:00:01x\"}", "mac" },
	{ START ",\"transient\":1}", "attach" },
	{ START ",\"vlan\":-1}", "vlan" },
	{ START ",\"vlan\":4095}", "vlan" },
	{ START ",\"vlan\":4294967297}", "vlan" },	/* 1 in 32 bits */
	{ START ",\"ifname\":\"a/b\"}", "ifname" },
	{ START ",\"ifname\":\"a\\nb\"}", "ifname" },
	{ START ",\"vlan\":99999999999999999999}", "JSON" },
	{ START ",\"vlan\":1.5}", "attach" },
	{ START ",\"vlan\":\"1\"}", "attach" },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t size = strlen(cases[i].text);
		char *exact = malloc(size + 1);	/* not terminated where the message ends */
		struct error err = { 0 };
		struct attach_message m;

		print_message("  %s\n", cases[i].text);
		memset(exact, '}', size + 1);
		memcpy(exact, cases[i].text, size);
		assert_int_equal(attach_parse(&m, exact, size, &err), cases[i].word ? -EINVAL : 0);
		assert_int_equal(attach_parse(&m, exact, size, NULL), cases[i].word ? -EINVAL : 0);
		if (cases[i].word)
			assert_non_null(strstr(err.message, cases[i].word));
		free(exact);
	}
}

/* Longer than any honest message, or nested without end: refused, and quickly. */
static void test_bounds(void **state)
{
	char text[2 * ATTACH_TEXT_MAX];
	struct attach_message m;
	struct error err;
	int n = snprintf(text, sizeof(text), START "}");

	(void)state;
	memset(text + n, ' ', sizeof(text) - (size_t)n);
	assert_int_equal(attach_parse(&m, text, ATTACH_TEXT_MAX - 1, &err), 0);
	assert_int_equal(attach_parse(&m, text, ATTACH_TEXT_MAX, &err), -EINVAL);
	memset(text, '[', sizeof(text));
	assert_int_equal(attach_parse(&m, text, ATTACH_TEXT_MAX - 1, &err), -EINVAL);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(attach_medium_name(ATTACH_TAP), "tap");
	assert_string_equal(attach_medium_name(ATTACH_PACKET), "packet");
	assert_string_equal(attach_medium_name(ATTACH_STREAM), "stream");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_cases), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
