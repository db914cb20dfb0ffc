// SPDX-License-Identifier: GPL-2.0-or-later
/* Mirrors in the model: whom they may look at, and what is exported is what was written. */
#include "ctl/model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/yaml.h"

static struct model *parse(const char *mirror, struct error *err)
{
	struct model *model = NULL;
	char yaml[600];
	json_t *tree;

	snprintf(yaml, sizeof(yaml), "networks: {lab: {mode: internal, ports: {web1: {kind: stream}, other: {kind: stream, mirror: {from: web1}}, ids: {kind: stream, mirror: %s}}}}", mirror);
	tree = yaml_parse(yaml, strlen(yaml), "t", NULL, err);
	assert_non_null(tree);
	model_parse(tree, NULL, NULL, &model, err);
	json_decref(tree);
	return model;
}

static const struct {
	const char *mirror;
	const char *error;		/* NULL: it is fine, and: */
	const char *looks_at, *not_at;
	unsigned direction;
} cases[] = {
	{ "{from: web1}", NULL, "web1", "web2", 3 },
	{ "{from: 'web1,web2', direction: out}", NULL, "web2", "web3", 2 },
	{ "{from: all}", NULL, "anybody", NULL, 1 },
	{ "{from: all, direction: both}", NULL, "@gateway", NULL, 3 },
	{ "{from: '@gateway'}", NULL, "@gateway", "web1", 3 },
	{ "{vlans: '10,20-29'}", NULL, "anybody", NULL, 1 },
	{ "{direction: in}", "from is missing", NULL, NULL, 0 },
	{ "{from: ids}", "it would look at itself", NULL, NULL, 0 },
	{ "{from: 'web1,other'}", "other is a mirror, too", NULL, NULL, 0 },
	{ "{from: 'web1,,web2'}", "is not the name of a port", NULL, NULL, 0 },
	{ "{from: ''}", "is not the name of a port", NULL, NULL, 0 },
	{ "{from: WEB}", "is not the name of a port", NULL, NULL, 0 },
	{ "{from: 'a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p'}", "names more than 15 ports", NULL, NULL, 0 },
	{ "{from: web1, direction: up}", "direction", NULL, NULL, 0 },
	{ "{from: web1, vlans: 5000}", "vlans", NULL, NULL, 0 },
	{ "{from: web1, filter: tcp}", "filter", NULL, NULL, 0 },
	{ "web1", "is not a mapping", NULL, NULL, 0 },
};

static void check_good(size_t i, struct model *model)
{
	const struct port_conf *port = net_port(model_net(model, "lab"), "ids");
	json_t *tree, *again, *exported;
	struct model *second;
	struct error err = { 0 };

	assert_non_null(port->mirror);
	assert_int_equal(port->mirror->direction, cases[i].direction);
	assert_true(mirror_looks_at(port->mirror, cases[i].looks_at));
	assert_false(cases[i].not_at && mirror_looks_at(port->mirror, cases[i].not_at));
	tree = model_export(model, 0);
	assert_int_equal(model_parse(tree, NULL, NULL, &second, &err), 0);
	again = model_export(second, 0);
	assert_true(json_equal(tree, again));
	exported = port_export(model_net(model, "lab"), port, MODEL_EFFECTIVE);
	assert_non_null(json_object_get(json_object_get(exported, "mirror"), "from"));
	json_decref(exported);
	json_decref(again);
	json_decref(tree);
	model_free(second);
}

static void test_mirrors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		struct model *model = parse(cases[i].mirror, &err);

		print_message("  %s %s\n", cases[i].mirror, err.message);
		if (cases[i].error) {
			assert_null(model);
			assert_non_null(strstr(err.message, cases[i].error));
			continue;
		}
		assert_non_null(model);
		check_good(i, model);
		model_free(model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_mirrors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
