// SPDX-License-Identifier: GPL-2.0-or-later
/* What a network says about whom it asks for which names, and who may ask it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "ctl/model.h"
#include "model_text.h"

static const struct {
	const char *what, *dns;		/* the settings, */
	const char *error;		/* or what is wrong with them */
	const char *routes;		/* what the resolvers are told */
	const char *shown;
} cases[] = {
	{ "domains", "{domains: {corp.example: [10.0.0.53, '[2001:db8::1]:5353'], lab.example: '10.0.0.54:53'}}", NULL,
	  "route corp.example 10.0.0.53\nroute corp.example 2001:db8::1#5353\nroute lab.example 10.0.0.54#53\n",
	  "{\"domains\":{\"corp.example\":[\"10.0.0.53\",\"[2001:db8::1]:5353\"],\"lab.example\":[\"10.0.0.54:53\"]}}" },
	{ "as words", "{domains: [corp.example=10.0.0.53, corp.example=10.0.0.54]}", NULL,
	  "route corp.example 10.0.0.53\nroute corp.example 10.0.0.54\n", "{\"domains\":{\"corp.example\":[\"10.0.0.53\",\"10.0.0.54\"]}}" },
	{ "none", "{domains: {}}", NULL, "", "{\"domains\":{}}" },
	{ "none, as a word", "{domains: ''}", NULL, "", "{\"domains\":{}}" },
	{ "no domain", "{domains: {'a b': 10.0.0.1}}", "domains: a b is not a domain like corp.example", NULL, NULL },
	{ "two lines in one", "{domains: {\"a\\nroute . 6.6.6.6\": 10.0.0.1}}", "is not a domain like corp.example", NULL, NULL },
	{ "no address", "{domains: {corp.example: x}}", "domains: x is not an address like 10.0.0.53 or [2001:db8::53]:53", NULL, NULL },
	{ "nobody's address", "{domains: {corp.example: 0.0.0.0}}", "0.0.0.0 is not an address", NULL, NULL },
	{ "no resolver", "{domains: {corp.example: []}}", "domains: corp.example has no resolver", NULL, NULL },
	{ "a word without its half", "{domains: [corp.example]}", "domains: corp.example is not DOMAIN=ADDRESS", NULL, NULL },
	{ "a number", "{domains: 7}", "DOMAIN=ADDRESS", NULL, NULL },
	{ "where it listens", "{listen: [127.0.0.1:5353, '::1']}", NULL, "", "{\"listen\":[\"127.0.0.1:5353\",\"::1\"]}" },
	{ "the host", "{host: true}", NULL, "", "{\"host\":true}" },
	{ "nowhere", "{listen: ''}", NULL, "", "{\"listen\":[]}" },
	{ "everywhere", "{listen: '0.0.0.0:53'}", "listen: 0.0.0.0:53 is not an address", NULL, NULL },
};

static struct model *model_from(const char *dns, const char *mode, struct error *err)
{
	char text[512];

	snprintf(text, sizeof(text), "networks:\n  lab:\n    mode: %s\n    dns: %s\n", mode, dns);
	return model_of_text(text, NULL, err);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		struct model *model = model_from(cases[i].dns, "nat-network", &err);
		json_t *shown;
		char *text;

		print_message("  %s\n", cases[i].what);
		if (cases[i].error) {
			assert_null(model);
			assert_non_null(strstr(err.message, cases[i].error));
			continue;
		}
		assert_non_null(model);
		assert_string_equal(model_net(model, "lab")->dns_routes, cases[i].routes);
		shown = net_export(model_net(model, "lab"), 0);
		text = json_dumps(json_object_get(shown, "dns"), JSON_COMPACT);
		assert_string_equal(text, cases[i].shown);
		free(text);
		json_decref(shown);
		model_free(model);
	}
}

/* A network that asks nobody has no domains to ask others for; one without addresses has no names. */
static void test_where_it_makes_no_sense(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(model_from("{domains: {corp.example: 10.0.0.1}}", "host-only", &err));
	assert_non_null(strstr(err.message, "answers local names only"));
	assert_null(model_from("{host: true}", "nat", &err));
	assert_null(model_from("{host: true}", "internal", &err));
	assert_non_null(strstr(err.message, "dns: host: the network has no subnet"));
	assert_null(model_from("{listen: '127.0.0.1:5353'}", "internal", &err));
	assert_non_null(strstr(err.message, "the network has no subnet, and so no names of guests"));
}

/* More domains than there is room for are an error, and none is cut. */
static void test_bounds(void **state)
{
	static char text[DNS_ROUTES_TEXT * 2];
	size_t at = (size_t)snprintf(text, sizeof(text), "networks: {lab: {dns: {domains: [");
	struct error err = { 0 };

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%sd%u.example=10.0.0.1", i ? ", " : "", i);
	snprintf(text + at, sizeof(text) - at, "]}}}");
	assert_null(model_of_text(text, NULL, &err));
	assert_non_null(strstr(err.message, "are more than fit"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases), cmocka_unit_test(test_where_it_makes_no_sense), cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
