// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

/* Expected trees are written as JSON, after the examples of YAML 1.2, 10.3.2. */
static const struct {
	const char *what, *yaml, *json;
} reads[] = {
	{ "nothing", "", "null" },
	{ "only a comment", "# hello\n", "null" },
	{ "null in its forms", "[ ~, null, Null, NULL, ]", "[null, null, null, null]" },
	{ "an empty value is null", "a:\nb: ~\n", "{\"a\": null, \"b\": null}" },
	{ "booleans", "[ true, False, TRUE, yes, on, no ]", "[true, false, true, \"yes\", \"on\", \"no\"]" },
	{ "integers", "[ 0, -19, +12, 0o7, 0x3A, 012 ]", "[0, -19, 12, 7, 58, 12]" },
	{ "reals", "[ 0., -0.5, +12e03, .5 ]", "[0.0, -0.5, 12000.0, 0.5]" },
	{ "text that begins like a number", "[ 10.0.0.1, 1h, 02:00:00:00:00:01, 10-20, 1e, 0o8, . ]",
	  "[\"10.0.0.1\", \"1h\", \"02:00:00:00:00:01\", \"10-20\", \"1e\", \"0o8\", \".\"]" },
	{ "quotes mean text", "[ '8080', \"true\", '', \"a\\n\" ]", "[\"8080\", \"true\", \"\", \"a\\n\"]" },
	{ "block scalars are text", "a: |\n  12\nb: >\n  x\n  y\n", "{\"a\": \"12\\n\", \"b\": \"x y\\n\"}" },
	{ "flow and block nest", "a: {b: [1, {c: d}]}\ne:\n  - f: g\n    h: i\n",
	  "{\"a\": {\"b\": [1, {\"c\": \"d\"}]}, \"e\": [{\"f\": \"g\", \"h\": \"i\"}]}" },
	{ "keys are text whatever they look like", "{80: a, true: b}", "{\"80\": \"a\", \"true\": \"b\"}" },
	{ "explicit document", "---\na: 1\n...\n", "{\"a\": 1}" },
	{ "umlauts", "a: \xc3\xa4\n", "{\"a\": \"\xc3\xa4\"}" },
};

static void test_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
		struct error err = { 0 };
		json_t *want, *got = yaml_parse(reads[i].yaml, strlen(reads[i].yaml), "t", NULL, &err);

		print_message("  %s\n", reads[i].what);
		want = json_loads(reads[i].json, JSON_DECODE_ANY, NULL);
		assert_non_null(want);
		if (!got)
			print_message("    %s\n", err.message);
		assert_true(json_equal(got, want));
		json_decref(got);
		json_decref(want);
	}
}

static const struct {
	const char *what, *yaml, *message;
} refusals[] = {
	{ "anchor", "a: &x 1\n", "t:1: anchors (&) are not taken; write it out" },
	{ "alias", "a: 1\nb: *x\n", "t:2: aliases (*) are not taken; write it out" },
	{ "tag", "a: !!str 1\n", "t:1: tags (!) are not taken" },
	{ "local tag on a mapping", "a: !x {b: 1}\n", "t:1: tags (!) are not taken" },
	{ "duplicate key", "a: 1\nb: 2\na: 3\n", "t:3: a stands here twice" },
	{ "second document", "a: 1\n---\nb: 2\n", "t:2: a second document; only one is taken" },
	{ "mapping as key", "{a: 1}: 2\n", "t:1: a key must be plain text" },
	{ "empty key", "'': 2\n", "t:1: an empty or broken key" },
	{ "tab as indentation", "a:\n\tb: 1\n", "t:2: found character that cannot start any token, while scanning for the next token" },
	{ "unclosed bracket", "a: [1, 2\n", "t:2: did not find expected ',' or ']', while parsing a flow sequence" },
	{ "number too large", "a: 99999999999999999999\n", "t:1: a number too large" },
	{ "infinity", "a: 1\nb: .inf\n", "t:2: not a number that can be used" },
	{ "real too large", "a: 1e999\n", "t:1: a number too large or too small" },
	{ "NUL in a key", "\"a\\0b\": 1\n", "t:1: an empty or broken key" },
	{ "NUL in text", "a: \"x\\0y\"\n", "t:1: text with a NUL inside" },
	{ "not UTF-8", "a: \xff\n", "t:1: invalid leading UTF-8 octet (at byte 3)" },
	{ "too deep", "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "t:1: nested deeper than 16 levels" },
};

static void test_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct error err = { 0 };
		struct line_map *lines = NULL;

		print_message("  %s\n", refusals[i].what);
		assert_null(yaml_parse(refusals[i].yaml, strlen(refusals[i].yaml), "t", &lines, &err));
		assert_null(lines);
		assert_string_equal(err.message, refusals[i].message);
	}
}

static void test_too_large(void **state)
{
	char *text = malloc(YAML_SIZE_MAX + 1);
	struct error err;

	(void)state;
	memset(text, '#', YAML_SIZE_MAX + 1);
	assert_null(yaml_parse(text, YAML_SIZE_MAX + 1, "t", NULL, &err));
	assert_string_equal(err.message, "t: larger than 1048576 bytes");
	memset(text, '[', YAML_SIZE_MAX);
	assert_null(yaml_parse(text, YAML_SIZE_MAX, "t", NULL, &err));
	for (size_t i = 0; i < 2 * (YAML_NODES_MAX + 1); i += 2)
		memcpy(text + i, i ? ",a" : "[a", 2);
	strcpy(text + 2 * YAML_NODES_MAX, "]");		/* and the sequence itself is one more */
	assert_null(yaml_parse(text, strlen(text), "t", NULL, &err));
	assert_string_equal(err.message, "t:1: more than 131072 entries");
	free(text);
}

static void test_lines(void **state)
{
	static const char text[] = "a: true\nb:\n  c: true\n  d: [x,\n      y]\n";
	struct line_map *lines = NULL;
	json_t *tree = yaml_parse(text, strlen(text), "some.yaml", &lines, NULL), *b = json_object_get(tree, "b");

	(void)state;
	assert_string_equal(line_map_file(lines), "some.yaml");
	assert_int_equal(line_map_find(lines, tree, "a"), 1);
	assert_int_equal(line_map_find(lines, tree, "b"), 2);
	assert_int_equal(line_map_find(lines, b, "c"), 3);
	assert_int_equal(line_map_find(lines, b, "d"), 4);
	assert_int_equal(line_map_find(lines, json_object_get(b, "d"), "#1"), 5);
	assert_int_equal(line_map_find(lines, b, "nothing"), 0);
	line_map_free(lines);
	json_decref(tree);
}

/* What is dumped is read back as it was, whatever the text looks like. */
static const char *const dumps[] = {
	"{\"networks\": {\"lab\": {\"mode\": \"nat-network\", \"ports\": {\"a\": {\"kind\": \"stream\", \"trunk\": \"10\"}}}}}",
	"{\"a\": [\"true\", \"null\", \"\", \"~\", \"8080\", \"1e3\", \"0x1\", \" x\", \"x \", \"a: b\", \"#c\", \"- d\", \"*e\"]}",
	"{\"a\": [\"two\\nlines\", \"tab\\t\", \"\\u0007\", \"\xc3\xa4\", \"\\\"'\", \"{\", \"]\", \",\", \"?\", \"---\", \"!t\"]}",
	"{\"a\": {}, \"b\": [], \"c\": null, \"d\": false, \"e\": -5, \"f\": 1.5}",
	"{\"80\": {\"true\": {\"x y\": {\"8080/tcp\": {\"listen\": 8080}}}}}",
	"null", "{}", "[]",
};

static void test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dumps); i++) {
		struct error err = { 0 };
		json_t *tree = json_loads(dumps[i], JSON_DECODE_ANY, NULL), *again;
		char *text = yaml_dump(tree);

		assert_non_null(tree);
		assert_non_null(text);
		again = yaml_parse(text, strlen(text), "dump", NULL, &err);
		if (!again || !json_equal(again, tree))
			print_message("%s\n%s\n", text, err.message);
		assert_true(json_equal(again, tree));
		free(text);
		json_decref(again);
		json_decref(tree);
	}
}

static void test_dump_is_readable(void **state)
{
	json_t *tree = json_loads("{\"networks\": {\"lab\": {\"subnet\": \"10.77.0.0/24\", \"dhcp\": {\"lease\": \"1h\"},"
				  "\"forwards\": {\"web\": {\"listen\": 8080, \"to\": \"vm1:80\"}}}}}", 0, NULL);
	char *text = yaml_dump(tree);

	(void)state;
	assert_string_equal(text,
			    "networks:\n"
			    "  lab:\n"
			    "    subnet: 10.77.0.0/24\n"
			    "    dhcp: {lease: 1h}\n"
			    "    forwards:\n"
			    "      web: {listen: 8080, to: 'vm1:80'}\n");
	free(text);
	json_decref(tree);
}

static void test_load(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(yaml_load("/nowhere/x.yaml", NULL, &err));
	assert_string_equal(err.message, "/nowhere/x.yaml: cannot read: No such file or directory");
	assert_string_equal(err.code, "not-found");
	assert_null(yaml_load("/dev/zero", NULL, &err));
	assert_null(yaml_load("/tmp", NULL, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads), cmocka_unit_test(test_refuses), cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_lines), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_dump_is_readable),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
