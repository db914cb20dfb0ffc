// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports and the groups that they take settings of. */
#include "tests/unit/model_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/changes.h"

#define LAB "networks:\n  lab:\n    mode: internal\n"

static const struct {
	const char *what, *yaml, *message;
} refusals[] = {
	{ "a group that is not there", LAB "    ports: {a: {kind: attached, group: web}}",
	  "t:4: network lab: port a: group: the network has no group web" },
	{ "a group's own medium", LAB "    groups: {web: {mac: '02:00:00:00:00:01'}}",
	  "t:4: network lab: group web: mac: is not a setting of a group" },
	{ "a group of a group", LAB "    groups: {web: {group: db}}", "t:4: network lab: group web: group: is not a setting of a group" },
	{ "two VLANs in a group", LAB "    groups: {web: {vlan: 1, trunk: 2}}",
	  "t:4: network lab: group web: vlan: a port has vlan (access) or trunk, not both" },
	{ "a group's name", LAB "    groups: {Web: {vlan: 1}}",
	  "t:4: network lab: group Web: not a name: use a-z, 0-9 and - inside, at most 63 letters" },
	{ "translation without a trunk", LAB "    ports: {a: {kind: attached, translate: {10: 110}}}",
	  "t:4: network lab: port a: translate: is a setting of a trunk; give trunk, too" },
	{ "a number on the wire for two VLANs", LAB "    ports: {a: {kind: attached, trunk: '10,20', translate: {10: 20}}}",
	  "t:4: network lab: port a: translate: 10 on the wire would be two VLANs" },
	{ "a VLAN with two numbers", LAB "    ports: {a: {kind: attached, trunk: 10, translate: {20: 10, 30: 10}}}",
	  "t:4: network lab: port a: translate: VLAN 10 has two numbers on the wire" },
	{ "to no VLAN", LAB "    ports: {a: {kind: attached, trunk: 10, translate: {20: 4095}}}",
	  "t:4: network lab: port a: translate: 20: the VLAN that it stands for is not in 1..4094" },
	{ "of no VLAN", LAB "    ports: {a: {kind: attached, trunk: 10, translate: {x: 10}}}", "t:4: network lab: port a: translate: x: is not a VLAN in 1..4094" },
	{ "translation as a list", LAB "    ports: {a: {kind: attached, trunk: 10, translate: [10]}}",
	  "t:4: network lab: port a: translate: is not a mapping of VLANs on the wire to VLANs of the network" },
	{ "a tunnel that is a trunk", LAB "    ports: {a: {kind: attached, trunk: 10, tunnel: 20}}",
	  "t:4: network lab: port a: tunnel: a port has trunk or tunnel, not both" },
	{ "a tunnel with a VLAN", LAB "    ports: {a: {kind: attached, vlan: 10, tunnel: 20}}",
	  "t:4: network lab: port a: vlan: a port has vlan (access) or tunnel, not both" },
	{ "acceptable frames of an access port", LAB "    ports: {a: {kind: attached, frames: tagged}}",
	  "t:4: network lab: port a: frames: is a setting of a trunk; give trunk, too" },
	{ "untagged frames of no VLAN", LAB "    ports: {a: {kind: attached, trunk: 10, frames: untagged}}",
	  "t:4: network lab: port a: frames: untagged frames have no VLAN on this trunk; give native, too" },
	{ "a VLAN on a wire", LAB "    wire: true\n    ports: {a: {kind: attached, vlan: 10}}",
	  "t:5: network lab: port a: vlan: a wire carries every tag as it is: there are no VLANs" },
	{ "three ends", LAB "    wire: true\n    ports: {a: {kind: attached}, b: {kind: attached}, c: {kind: attached}}",
	  "t:4: network lab: wire: a wire has two ends, and here are 3 ports" },
	{ "a wire with addresses", LAB "    wire: true\n    subnet: 10.0.0.0/24",
	  "t:4: network lab: wire: a wire has two ends and nobody between them: it has no subnet" },
	{ "a wire with a way out", "networks:\n  lab:\n    wire: true", "t:3: network lab: wire: is not a setting of a NAT network" },
	{ "a group that is a number", LAB "    groups: {web: 5}", "t:4: network lab: group web: is not a mapping" },
};

static void test_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct error err = { 0 };

		print_message("  %s\n", refusals[i].what);
		assert_null(model_of_text(refusals[i].yaml, NULL, &err));
		assert_string_equal(err.message, refusals[i].message);
	}
}

static const struct {
	const char *what, *group, *port;
	uint16_t pvid, native;
	bool trunk, link_up;
} cases[] = {
	{ "all of the group's", "vlan: 10, link: down", "", 10, 0, false, false },
	{ "its own before it", "vlan: 10, link: down", "vlan: 20", 20, 0, false, false },
	{ "a default that is said is said", "vlan: 10", "vlan: 1", 1, 0, false, true },
	{ "a trunk of the group's", "trunk: 10-12, native: 1", "", 0, 1, true, true },
	{ "with another native VLAN", "trunk: 10-12, native: 1", "native: 2", 0, 2, true, true },
	{ "access where the group is a trunk", "trunk: 10-12, native: 1", "vlan: 10", 10, 0, false, true },
	{ "a trunk where the group is access", "vlan: 10", "trunk: 5", 0, 0, true, true },
	{ "a group that says nothing", "", "", 1, 0, false, true },
};

static void test_groups(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct port_conf *port;
		struct model *model;
		char yaml[256];

		print_message("  %s\n", cases[i].what);
		snprintf(yaml, sizeof(yaml), LAB "    groups: {web: {%s}}\n    ports: {a: {kind: attached, group: web%s%s}}", cases[i].group,
			 cases[i].port[0] ? ", " : "", cases[i].port);
		model = model_of(yaml);
		port = net_port(model_net(model, "lab"), "a");
		assert_int_equal(port->vlan_mode == PORT_VLAN_TRUNK, cases[i].trunk);
		assert_int_equal(port->pvid, cases[i].pvid);
		assert_int_equal(port->native, cases[i].native);
		assert_int_equal(port->link_up, cases[i].link_up);
		model_free(model);
	}
}

/* What is exported is what each was given, and gives the same model again. */
static void test_export(void **state)
{
	static const char yaml[] = LAB "    groups: {db: {}, web: {vlan: 10, link: down}}\n"
				       "    ports: {a: {kind: attached, group: web}, b: {kind: attached, group: web, vlan: 3}}";
	struct model *model = model_of(yaml), *again = NULL;
	json_t *tree = model_export(model, 0), *a, *shown;
	struct error err = { 0 };

	(void)state;
	a = json_object_get(json_object_get(json_object_get(json_object_get(tree, "networks"), "lab"), "ports"), "a");
	assert_int_equal(json_object_size(a), 2);
	assert_string_equal(json_string_value(json_object_get(a, "group")), "web");
	assert_int_equal(model_parse(tree, NULL, NULL, &again, &err), 0);
	assert_true(port_equal(net_port(model_net(model, "lab"), "a"), net_port(model_net(again, "lab"), "a")));
	assert_true(net_equal(model_net(model, "lab"), model_net(again, "lab")));
	assert_int_equal(model_net(again, "lab")->ngroups, 2);
	shown = port_export(model_net(model, "lab"), net_port(model_net(model, "lab"), "a"), MODEL_EFFECTIVE);
	assert_int_equal(json_integer_value(json_object_get(shown, "vlan")), 10);
	assert_string_equal(json_string_value(json_object_get(shown, "link")), "down");
	json_decref(shown);
	json_decref(tree);
	model_free(model);
	model_free(again);
}

/* What a trunk translates is carried, and comes back as it was written. */
static void test_translate(void **state)
{
	struct model *model = model_of(LAB "    groups: {t: {trunk: 5, translate: {10: 110}}}\n"
					 "    ports: {a: {kind: attached, trunk: 10, translate: {20: 120, 120: 20}}, b: {kind: attached, group: t}}"), *again = NULL;
	const struct port_conf *a = net_port(model_net(model, "lab"), "a"), *b = net_port(model_net(model, "lab"), "b");
	json_t *tree = model_export(model, 0);
	struct error err = { 0 };

	(void)state;
	assert_true(port_carries(a, 10) && port_carries(a, 20) && port_carries(a, 120) && !port_carries(a, 11));
	assert_int_equal(a->ntranslate, 2);
	assert_int_equal(b->ntranslate, 1);
	assert_true(port_carries(b, 110) && port_carries(b, 5) && !port_carries(b, 10));
	assert_int_equal(model_parse(tree, NULL, NULL, &again, &err), 0);
	assert_true(port_equal(a, net_port(model_net(again, "lab"), "a")));
	assert_true(port_equal(b, net_port(model_net(again, "lab"), "b")));
	json_decref(tree);
	model_free(model);
	model_free(again);
}

/* Ports of a wire are of no VLAN: none is told, so that what is told can be read back. */
static void test_wire(void **state)
{
	struct model *model = model_of(LAB "    wire: true\n    ports: {a: {kind: attached}, b: {kind: attached}}"), *again = NULL;
	json_t *tree = model_export(model, MODEL_EFFECTIVE);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(model_parse(tree, NULL, NULL, &again, &err), 0);
	json_decref(tree);
	model_free(model);
	model_free(again);
}

/* A group that changes changes the ports that follow it. */
static void test_changes(void **state)
{
	struct model *old = model_of(LAB "    groups: {web: {vlan: 10}}\n    ports: {a: {kind: attached, group: web}, b: {kind: attached, group: web, vlan: 3}}");
	struct model *new = model_of(LAB "    groups: {web: {vlan: 11}}\n    ports: {a: {kind: attached, group: web}, b: {kind: attached, group: web, vlan: 3}}");
	json_t *list = changes_list(old, new);
	char *text = json_dumps(list, JSON_COMPACT);

	(void)state;
	assert_string_equal(text, "[{\"action\":\"change\",\"object\":\"network lab\","
			    "\"settings\":[\"groups.web.vlan: 10 to 11\"]},{\"action\":\"change\",\"object\":\"port lab/a\"}]");
	free(text);
	json_decref(list);
	model_free(old);
	model_free(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses), cmocka_unit_test(test_groups), cmocka_unit_test(test_export), cmocka_unit_test(test_translate), cmocka_unit_test(test_wire),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
