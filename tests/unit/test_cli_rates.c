// SPDX-License-Identifier: GPL-2.0-or-later
/* What ports did between two looks at their counters. */
#include "ctl/cli_rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/cli_output.h"

#define PORT(name, rx, drops, verdicts)                                                                                  \
	"{\"network\":\"lab\",\"name\":\"" name "\",\"state\":\"up\",\"stats\":{\"rx_frames\":" rx ",\"rx_bytes\":" rx   \
	",\"tx_frames\":0,\"tx_bytes\":0,\"tx_drops\":" drops "},\"verdicts\":{" verdicts "}}"

static const struct {
	const char *what, *before, *now;
	double rx_frames, rx_bits, drops;
	const char *verdict;
} cases[] = {
	{ "half of it in each of two seconds", PORT("a", "10", "0", ""), PORT("a", "30", "0", ""), 10, 80, 0, "" },
	{ "a port that is new did nothing", PORT("b", "10", "0", ""), PORT("a", "30", "5", "\"vlan\":9"), 0, 0, 0, "" },
	{ "counters that went back did nothing", PORT("a", "30", "9", "\"vlan\":9"), PORT("a", "10", "0", "\"vlan\":1"), 0, 0, 0, "" },
	{ "drops are verdicts that are no way on, and what it did not take", PORT("a", "0", "1", "\"vlan\":1,\"forwarded\":0"),
	  PORT("a", "0", "3", "\"vlan\":5,\"forwarded\":100,\"flooded\":7,\"consumed-arp\":9,\"source\":2"), 0, 0, 4, "vlan" },
	{ "only what it did not take", PORT("a", "0", "0", ""), PORT("a", "0", "2", "\"forwarded\":3"), 0, 0, 1, "not-taken" },
};

static json_t *list_of(const char *ports)
{
	json_t *port = json_loads(ports, 0, NULL), *list = json_array();

	assert_non_null(port);
	json_array_append_new(list, port);
	return list;
}

static void test_rates(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *before = list_of(cases[i].before), *now = list_of(cases[i].now), *rates = rates_of(before, now, 2);
		const json_t *rate = json_array_get(rates, 0);

		print_message("  %s\n", cases[i].what);
		assert_int_equal(json_array_size(rates), 1);
		assert_true(json_number_value(json_object_get(rate, "rx_frames")) == cases[i].rx_frames);
		assert_true(json_number_value(json_object_get(rate, "rx_bits")) == cases[i].rx_bits);
		assert_true(json_number_value(json_object_get(rate, "drops")) == cases[i].drops);
		assert_string_equal(row_text(rate, "verdict"), cases[i].verdict);
		json_decref(rates);
		json_decref(before);
		json_decref(now);
	}
}

static void test_sort(void **state)
{
	static const struct {
		const char *by, *order;
	} sorts[] = { { "bits", "bacd" }, { "frames", "cabd" }, { "drops", "dabc" }, { "name", "abcd" } };
	json_t *rates = json_loads("[{\"port\":\"d\",\"drops\":1.0},{\"port\":\"c\",\"rx_frames\":9.0},{\"port\":\"b\",\"rx_bits\":9.0},"
				   "{\"port\":\"a\",\"rx_bits\":3.0,\"tx_bits\":1.0,\"tx_frames\":5.0}]", 0, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sorts); i++) {
		assert_true(rates_sort(rates, sorts[i].by));
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(row_text(json_array_get(rates, k), "port")[0], sorts[i].order[k]);
	}
	assert_false(rates_sort(rates, "fun"));
	json_decref(rates);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rates), cmocka_unit_test(test_sort) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
