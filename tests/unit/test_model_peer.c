// SPDX-License-Identifier: GPL-2.0-or-later
/* Peers in the model: who can have which, what a list says, and what follows for either side. */
#include "tests/unit/model_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/changes.h"

static const struct {
	const char *what, *yaml, *message, *hint;
} refused[] = {
	{ "mode nat", "{a: {mode: nat, peers: {b: }}, b: }", "network a: peer b: in mode nat each guest is alone", "lanyard net set a --mode nat-network" },
	{ "with mode nat", "{a: {peers: {b: }}, b: {mode: nat}}", "network a: b: in mode nat each guest is alone", "lanyard net set b --mode nat-network" },
	{ "bridged", "{a: {mode: bridged, uplink: eth0, peers: {b: }}, b: }", "peer b: a bridged network's guests are on the LAN", "" },
	{ "with a bridged one", "{a: {peers: {b: }}, b: {mode: bridged, uplink: eth0}}", "network a: b: a bridged network", "" },
	{ "without a subnet", "{a: {mode: internal, peers: {b: }}, b: }", "peer b: the network has no subnet", "" },
	{ "with one without", "{a: {peers: {b: }}, b: {mode: internal}}", "b: the network has no subnet", "" },
	{ "one that is not there", "{a: {peers: {c: }}, b: }", "network a: c: there is no such network of the same owner", "" },
	{ "another user's", "{a: {owner: 1, peers: {b: }}, b: {owner: 2}}", "network a: b: there is no such network of the same owner", "" },
	{ "itself", "{a: {peers: {a: }}}", "peer a: a network is no peer of itself", "" },
	{ "no name", "{a: {peers: {A_: }}}", "peer A_: not a network's name", "" },
	{ "a segment that is not there", "{a: {peers: {'b:20': }}, b: }", "network a: b:20: there is no such segment of the same owner", "" },
	{ "a segment of one that has none", "{a: {peers: {'c:20': }}, b: }", "network a: c:20: there is no such segment of the same owner", "" },
	{ "a segment's, that is not there", "{a: {segments: {20: {peers: {b: }}}}}", "network a: segment 20: b: there is no such network of the same owner", "" },
	{ "a segment itself", "{a: {segments: {20: {peers: {'a:20': }}}}}", "segment 20: peer a:20: a segment is no peer of itself", "" },
	{ "VLAN 1 by number", "{a: {segments: {20: {peers: {'a:1': }}}}}", "peer a:1: not a network's name, or with a VLAN of it", "" },
	{ "no VLAN", "{a: {peers: {'b:4095': }}, b: }", "peer b:4095: not a network's name, or with a VLAN of it", "" },
	{ "a segment's list", "{a: {segments: {20: {peers: {a: {allow: [http]}}}}}}", "segment 20: peer a: allow: http is not tcp, udp", "" },
	{ "a segment's peers that are none", "{a: {segments: {20: {peers: 5}}}}", "segment 20: peers: is not a mapping", "" },
	{ "no mapping", "{a: {peers: [b]}, b: }", "network a: peers: is not a mapping", "" },
	{ "an unknown field", "{a: {peers: {b: {alow: [tcp]}}}, b: }", "peer b: alow: unknown field; did you mean allow?", "" },
	{ "an empty list", "{a: {peers: {b: {allow: []}}}, b: }", "peer b: allow: is not a list like", "" },
	{ "no list", "{a: {peers: {b: {allow: tcp}}}, b: }", "peer b: allow: is not a list like", "" },
	{ "a word", "{a: {peers: {b: {allow: [http]}}}, b: }", "allow: http is not tcp, udp", "" },
	{ "no port", "{a: {peers: {b: {allow: [tcp/0]}}}, b: }", "allow: tcp/0 is not", "" },
	{ "a port of pings", "{a: {peers: {b: {allow: [icmp/8]}}}, b: }", "allow: icmp/8 is not", "" },
	{ "a range backwards", "{a: {peers: {b: {allow: [tcp/9-8]}}}, b: }", "allow: tcp/9-8 is not", "" },
	{ "a number", "{a: {peers: {b: {allow: [80]}}}, b: }", "allow: this is not", "" },
	{ "more than there may be", "{a: {peers: {b: {allow: [tcp/1, tcp/2, tcp/3, tcp/4, tcp/5, tcp/6, tcp/7, tcp/8, tcp/9, tcp/10, tcp/11, tcp/12, "
				    "tcp/13, tcp/14, tcp/15, tcp/16, tcp/17]}}}, b: }", "allow: has more than 16 entries", "" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		char yaml[600];
		struct error err = { 0 };

		print_message("  %s\n", refused[i].what);
		snprintf(yaml, sizeof(yaml), "networks: %s", refused[i].yaml);
		assert_null(model_of_text(yaml, NULL, &err));
		if (!strstr(err.message, refused[i].message))
			print_message("    %s\n", err.message);
		assert_non_null(strstr(err.message, refused[i].message));
		assert_string_equal(err.hint, refused[i].hint);
	}
}

/* say() - "all", "-", or what may be opened, in the order it was given */
static const char *say(const struct model *m, const char *from, const char *to)
{
	static char text[200];
	struct peer_rules r;

	text[0] = '\0';
	if (!model_segment(m, from) || !model_segment(m, to) || !peering_of(model_segment(m, from), model_segment(m, to), &r))
		return "no peers";
	if (r.all)
		return "all";
	for (unsigned i = 0; i < r.n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u:%u-%u", i ? " " : "", r.rule[i].proto, r.rule[i].first, r.rule[i].last);
	return text[0] ? text : "-";
}

static const struct {
	const char *what, *yaml, *ab, *ba;
} cases[] = {
	{ "strangers", "{a: , b: , c: }", "no peers", "no peers" },
	{ "named by one", "{a: {peers: {b: }}, b: , c: }", "all", "all" },
	{ "named by the other", "{a: , b: {peers: {a: {}}}, c: }", "all", "all" },
	{ "a list", "{a: {peers: {b: {allow: [tcp/80, udp/5000-5009, icmp]}}}, b: , c: }", "6:80-80 17:5000-5009 1:0-65535", "-" },
	{ "a list each", "{a: {peers: {b: {allow: [tcp]}}}, b: {peers: {a: {allow: [udp/53]}}}, c: }", "6:0-65535", "17:53-53" },
	{ "a list, and everything from the other", "{a: {peers: {b: {allow: [tcp]}}}, b: {peers: {a: }}, c: }", "all", "all" },
	{ "of different modes", "{a: {mode: internal, subnet: 10.1.0.0/24, peers: {b: }}, b: {mode: routed, subnet: 10.2.0.0/24}, c: {mode: host-only}}", "all", "all" },
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char yaml[600];
		struct error err = { 0 };
		struct model *m, *again = NULL;
		json_t *tree;

		print_message("  %s\n", cases[i].what);
		snprintf(yaml, sizeof(yaml), "networks: %s", cases[i].yaml);
		m = model_of_text(yaml, NULL, &err);
		assert_non_null(m);
		assert_string_equal(say(m, "a", "b"), cases[i].ab);
		assert_string_equal(say(m, "b", "a"), cases[i].ba);
		assert_string_equal(say(m, "a", "c"), "no peers");
		tree = model_export(m, MODEL_OWNER);
		assert_int_equal(model_parse(tree, NULL, NULL, &again, &err), 0);
		assert_string_equal(say(again, "a", "b"), cases[i].ab);
		assert_true(net_equal(model_net(m, "a"), model_net(again, "a")));
		assert_string_equal(say(again, "a", "a:20"), say(m, "a", "a:20"));
		json_decref(tree);
		model_free(again);
		model_free(m);
	}
}

/* Of segments: in one network and across, each by itself. */
static void test_segments(void **state)
{
	static const char yaml[] = "networks: {a: {peers: {'a:20': {allow: [tcp/22]}}, segments: {20: {peers: {'b:30': {allow: [icmp]}}}, 30: }}, "
				   "b: {segments: {30: , 40: {peers: {a: }}}}}";
	static const struct {
		const char *from, *to, *says;
	} pairs[] = {
		{ "a", "a:20", "6:22-22" }, { "a:20", "a", "-" }, { "a:20", "b:30", "1:0-65535" }, { "b:30", "a:20", "-" }, { "b:40", "a", "all" },
		{ "a", "b:40", "all" }, { "a", "a:30", "no peers" }, { "a", "b", "no peers" }, { "a:20", "b", "no peers" }, { "a:30", "b:30", "no peers" },
		{ "a:20", "b:40", "no peers" },
	};
	struct model *m = model_of(yaml), *again = NULL;
	json_t *tree = model_export(m, MODEL_OWNER);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(model_parse(tree, NULL, NULL, &again, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		print_message("  %s to %s\n", pairs[i].from, pairs[i].to);
		assert_string_equal(say(m, pairs[i].from, pairs[i].to), pairs[i].says);
		assert_string_equal(say(again, pairs[i].from, pairs[i].to), pairs[i].says);
	}
	json_decref(tree);
	model_free(again);
	model_free(m);
}

/* As many as there may be, and one more: whoever names whom. */
static void test_many(void **state)
{
	struct error err = { 0 };
	static char yaml[8192];
	struct model *m;

	(void)state;
	for (unsigned n = PEERS_MAX; n <= PEERS_MAX + 1; n++) {
		snprintf(yaml, sizeof(yaml), "networks: {hub: ");
		for (unsigned i = 0; i < n; i++)
			snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml), ", n%u: {peers: {hub: }}", i);
		strcat(yaml, "}");
		m = model_of_text(yaml, NULL, &err);
		assert_int_equal(m != NULL, n == PEERS_MAX);
		model_free(m);
	}
	assert_non_null(strstr(err.message, "network hub: 33 peers are more than 32"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused), cmocka_unit_test(test_rules), cmocka_unit_test(test_segments), cmocka_unit_test(test_many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
