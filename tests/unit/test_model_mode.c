// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of modes, and settings that a network leaves behind when it goes over to another one. */
#include "ctl/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/check_rows.h"

static void test_names(void **state)
{
	static const struct {
		const char *name, *is;
	} names[] = {
		{ "nat", "nat" }, { "nat-network", "nat-network" }, { "natnetwork", "nat-network" }, { "host-only", "host-only" },
		{ "hostonly", "host-only" }, { "hostonlynet", "host-only" }, { "isolated", "host-only" }, { "internal", "internal" }, { "intnet", "internal" },
		{ "bridged", "bridged" }, { "bridge", "bridged" }, { "routed", "routed" }, { "route", "routed" }, { "open", "routed" },
	};
	enum net_mode mode;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(net_mode_parse(names[i].name, &mode), 0);
		assert_string_equal(net_mode_name(mode), names[i].is);
		assert_int_equal(check_mode_parse(names[i].name), check_mode_parse(names[i].is));
	}
	assert_int_equal(net_mode_parse("none", &mode), -1);
	assert_int_equal(net_mode_parse("", &mode), -1);
}

/* given: what a change says; left: what stays of the settings before it is laid over them */
static const struct {
	const char *what, *settings, *given, *left;
} cases[] = {
	{ "no mode", "{\"nat\":\"kernel\"}", "{\"mtu\":1400}", "{\"nat\":\"kernel\"}" },
	{ "no such mode", "{\"nat\":\"kernel\"}", "{\"mode\":\"none\"}", "{\"nat\":\"kernel\"}" },
	{ "to internal", "{\"mode\":\"nat-network\",\"nat\":\"kernel\",\"uplink\":\"eth0\",\"filtering\":\"any\",\"host_access\":\"own\",\"subnet\":\"10.1.0.0/24\","
	  "\"dns\":{\"enabled\":true,\"upstreams\":[\"192.0.2.1\"],\"cache_kb\":0}}", "{\"mode\":\"intnet\"}",
	  "{\"dns\":{\"enabled\":true},\"mode\":\"nat-network\",\"subnet\":\"10.1.0.0/24\"}" },
	{ "what is given with it is an error to be told", "{\"uplink\":\"eth0\"}", "{\"mode\":\"internal\",\"uplink\":\"eth1\"}", "{\"uplink\":\"eth0\"}" },
	{ "to mode nat", "{\"nat\":\"kernel\",\"nat_helpers\":[\"ftp\"],\"mtu\":1400}", "{\"mode\":\"nat\"}", "{\"mtu\":1400}" },
	{ "to bridged", "{\"subnet\":\"10.1.0.0/24\",\"gateway\":\"10.1.0.9\",\"subnet6\":\"none\",\"dhcp\":{},\"dns\":{},\"uplink\":\"eth0\",\"mtu\":1400}",
	  "{\"mode\":\"bridged\"}", "{\"mtu\":1400,\"uplink\":\"eth0\"}" },
	{ "whom guests reach is not forgotten, but refused", "{\"peers\":{\"db\":{}},\"forwards\":{\"web\":{}}}", "{\"mode\":\"bridged\"}",
	  "{\"forwards\":{\"web\":{}},\"peers\":{\"db\":{}}}" },
};

static void test_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *settings = json_loads(cases[i].settings, 0, NULL), *given = json_loads(cases[i].given, 0, NULL);
		char *left;

		print_message("  %s\n", cases[i].what);
		assert_true(settings && given);
		model_mode_over(settings, given);
		left = json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS);
		assert_string_equal(left, cases[i].left);
		free(left);
		json_decref(settings);
		json_decref(given);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), cmocka_unit_test(test_over) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
