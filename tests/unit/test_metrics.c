// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of an OpenMetrics page: what a strict reader of the specification takes. */
#include "ctl/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

static const struct {
	const char *what;
	struct metric metric;
	struct metric_label labels[METRIC_LABELS];
	uint64_t value;
	const char *page;
} cases[] = {
	{ "a counter's sample ends with _total", { "a_bytes", METRIC_COUNTER, "bytes", "Help." }, { { "port", "web1" } }, 7,
	  "# TYPE a_bytes counter\n# UNIT a_bytes bytes\n# HELP a_bytes Help.\na_bytes_total{port=\"web1\"} 7\n# EOF\n" },
	{ "a gauge without labels", { "up", METRIC_GAUGE, NULL, "Help." }, { { 0 } }, UINT64_MAX,
	  "# TYPE up gauge\n# HELP up Help.\nup 18446744073709551615\n# EOF\n" },
	{ "an info's sample ends with _info", { "b", METRIC_INFO, NULL, "Help." }, { { "version", "1" } }, 1,
	  "# TYPE b info\n# HELP b Help.\nb_info{version=\"1\"} 1\n# EOF\n" },
	{ "labels without a value are left out", { "c", METRIC_GAUGE, NULL, "Help." }, { { "a", NULL }, { "b", "1" }, { "c", "2" } }, 0,
	  "# TYPE c gauge\n# HELP c Help.\nc{b=\"1\",c=\"2\"} 0\n# EOF\n" },
	{ "quote, backslash and newline are escaped", { "d", METRIC_GAUGE, NULL, "A \"b\"\\\n." }, { { "l", "x\"y\\z\n" } }, 0,
	  "# TYPE d gauge\n# HELP d A \\\"b\\\"\\\\\\n.\nd{l=\"x\\\"y\\\\z\\n\"} 0\n# EOF\n" },
};

static void test_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = NULL;
		size_t size = 0;
		FILE *page = open_memstream(&text, &size);

		print_message("  %s\n", cases[i].what);
		assert_non_null(page);
		metric_family(page, &cases[i].metric);
		metric_sample(page, &cases[i].metric, cases[i].labels, cases[i].value);
		metrics_end(page);
		assert_int_equal(fclose(page), 0);
		assert_string_equal(text, cases[i].page);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
