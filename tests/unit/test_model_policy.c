// SPDX-License-Identifier: GPL-2.0-or-later
/* policy, shape and shapers in the model: whose settings hold, what is refused, and what an export says. */
#include "tests/unit/model_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "switch/rule.h"

#define HEAD "networks:\n  lab:\n    subnet: 10.0.0.0/24\n"

static const struct {
	const char *what, *yaml, *message;	/* a part of it */
} refusals[] = {
	{ "a list", HEAD "    policy: [x]\n", "is not a mapping" },
	{ "a default of its own", HEAD "    policy: {default: maybe}\n", "maybe is none of allow, deny, deny-egress, deny-ingress" },
	{ "rules in one text", HEAD "    policy: {rules: allow egress any}\n", "is not a list" },
	{ "a rule", HEAD "    policy: {rules: [allow egress any, allow up any]}\n", "#2 allow up any: DIRECTION" },
	{ "a number", HEAD "    policy: {rules: [5]}\n", "#1: a rule is a text" },
	{ "twice", HEAD "    policy: {rules: [allow egress 10.0.0.1, allow egress 10.0.0.1/32]}\n", "#2 is the same as #1" },
	{ "a rate", HEAD "    shape: {egress: fast}\n", "a rate is none or like 10mbit" },
	{ "a number for a rate", HEAD "    shape: {egress: 5}\n", "egress" },
	{ "no such shaper", HEAD "    ports: {web1: {kind: attached, shaper: club}}\n", "the network has no shaper club" },
	{ "a shaper's name", HEAD "    shapers: {Club: {egress: 1mbit}}\n", "not a name" },
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct error err = { 0 };
		struct model *m = model_of_text(refusals[i].yaml, NULL, &err);

		print_message("  %s: %s\n", refusals[i].what, err.message);
		assert_null(m);
		assert_non_null(strstr(err.message, refusals[i].message));
	}
}

static const char layers[] = HEAD
	"    policy: {default: deny-ingress, rules: [deny egress any:25]}\n"
	"    shape: {egress: 100mbit}\n"
	"    shapers: {club: {ingress: 1gbit}}\n"
	"    groups:\n"
	"      box: {policy: {default: deny, rules: [allow egress *.Example.com]}, shape: {ingress: 5mbit}, shaper: club}\n"
	"    ports:\n"
	"      a: {kind: attached}\n"
	"      b: {kind: attached, group: box}\n"
	"      c: {kind: attached, group: box, policy: {rules: [allow egress any]}, shape: {egress: none}, shaper: ''}\n";

static void test_layers(void **state)
{
	struct error err = { 0 };
	struct model *m = model_of_text(layers, NULL, &err), *again = NULL;
	const struct net_conf *lab = model_net(m, "lab");
	const struct port_conf *a = net_port(lab, "a"), *b = net_port(lab, "b"), *c = net_port(lab, "c");
	json_t *tree;

	(void)state;
	assert_non_null(m);
	assert_int_equal(lab->defaults.policy.nrules, 1);
	assert_int_equal(a->policy.deny, RULE_INGRESS);
	assert_int_equal(a->policy.nrules, 0);		/* the network's are asked after its own */
	assert_int_equal(a->shape.egress.average_bps, 100000000);
	assert_int_equal(b->policy.deny, RULE_BOTH);
	assert_string_equal(b->policy.rules[0].name, "example.com");
	assert_int_equal(b->shape.egress.average_bps, 100000000);
	assert_int_equal(b->shape.ingress.average_bps, 5000000);
	assert_string_equal(b->shaper, "club");
	assert_int_equal(c->policy.deny, RULE_BOTH);
	assert_int_equal(c->policy.nrules, 1);
	assert_int_equal(c->policy.rules[0].peer, RULE_ANY);
	assert_int_equal(c->shape.egress.average_bps, 0);
	assert_string_equal(c->shaper, "");
	tree = model_export(m, 0);
	assert_int_equal(model_parse(tree, NULL, NULL, &again, &err), 0);
	assert_int_equal(net_port(model_net(again, "lab"), "b")->policy.nrules, 1);
	assert_null(json_object_get(json_object_get(json_object_get(json_object_get(json_object_get(tree, "networks"), "lab"), "ports"), "b"), "policy"));
	json_decref(tree);
	model_free(m);
	model_free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_refusals), cmocka_unit_test(test_layers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
