// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cli_rates.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/cli_output.h"

static const json_t *same_port(const json_t *list, const json_t *port)
{
	json_t *other;
	size_t i;

	json_array_foreach(list, i, other)
		if (!strcmp(row_text(other, "name"), row_text(port, "name")) &&
		    !strcmp(row_text(other, "network"), row_text(port, "network")))
			return other;
	return NULL;
}

/* grown() - by how much a counter did */
static json_int_t grown(const json_t *before, const json_t *now, const char *counter)
{
	json_int_t n = json_integer_value(row_get(now, counter)) - json_integer_value(row_get(before, counter));

	return before && n > 0 ? n : 0;
}

/* is_drop() - verdicts are forwarded, flooded, consumed-SOMEHOW, and reasons for drops */
static bool is_drop(const char *verdict)
{
	return strcmp(verdict, "forwarded") && strcmp(verdict, "flooded") && strncmp(verdict, "consumed-", strlen("consumed-"));
}

/* dropped() - frames from the port and for it; *most is the verdict of most of them, or NULL */
static json_int_t dropped(const json_t *before, const json_t *now, const char **most)
{
	json_int_t sum = grown(before, now, "stats.tx_drops"), top = 0;
	const json_t *past = json_object_get(before, "verdicts");
	const char *name;
	json_t *n;

	*most = sum ? "not-taken" : NULL;
	json_object_foreach(json_object_get(now, "verdicts"), name, n) {
		json_int_t more = json_integer_value(n) - json_integer_value(json_object_get(past, name));

		if (!before || more <= 0 || !is_drop(name))
			continue;
		sum += more;
		if (more > top) {
			top = more;
			*most = name;
		}
	}
	return sum;
}

static json_t *rate(const json_t *before, const json_t *now, double seconds)
{
	const char *most;
	json_int_t drops = dropped(before, now, &most);

	return json_pack("{s:s s:s s:s s:f s:f s:f s:f s:f s:s?}", "network", row_text(now, "network"), "port", row_text(now, "name"),
			 "state", row_text(now, "state"), "rx_frames", (double)grown(before, now, "stats.rx_frames") / seconds, "rx_bits",
			 8.0 * (double)grown(before, now, "stats.rx_bytes") / seconds, "tx_frames",
			 (double)grown(before, now, "stats.tx_frames") / seconds, "tx_bits",
			 8.0 * (double)grown(before, now, "stats.tx_bytes") / seconds, "drops", (double)drops / seconds, "verdict", most);
}

json_t *rates_of(const json_t *before, const json_t *now, double seconds)
{
	json_t *rates = json_array(), *port;
	size_t i;

	json_array_foreach(now, i, port)
		if (json_array_append_new(rates, rate(same_port(before, port), port, seconds)) < 0) {
			json_decref(rates);
			return NULL;
		}
	return rates;
}

/* ---- sorting ---- */

static double number(const json_t *rate, const char *field)
{
	return json_number_value(json_object_get(rate, field));
}

static int by_name(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int order = strcmp(row_text(x, "network"), row_text(y, "network"));

	return order ? order : strcmp(row_text(x, "port"), row_text(y, "port"));
}

/* descending() - by the sum of two fields; ports that did the same by name, so that a table of idle ones stands still */
static int descending(const void *a, const void *b, const char *one, const char *other)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	double p = number(x, one) + number(x, other), q = number(y, one) + number(y, other);

	return p < q ? 1 : p > q ? -1 : by_name(a, b);
}

static int by_bits(const void *a, const void *b)
{
	return descending(a, b, "rx_bits", "tx_bits");
}

static int by_frames(const void *a, const void *b)
{
	return descending(a, b, "rx_frames", "tx_frames");
}

static int by_drops(const void *a, const void *b)
{
	return descending(a, b, "drops", "");
}

bool rates_sort(json_t *rates, const char *by)
{
	static const struct {
		const char *word;
		int (*order)(const void *a, const void *b);
	} orders[] = { { "bits", by_bits }, { "frames", by_frames }, { "drops", by_drops }, { "name", by_name } };
	size_t n = json_array_size(rates), i;
	json_t **list;

	for (i = 0; i < ARRAY_SIZE(orders) && strcmp(orders[i].word, by); i++)
		;
	if (i == ARRAY_SIZE(orders))
		return false;
	list = calloc(n ? n : 1, sizeof(*list));
	for (size_t k = 0; list && k < n; k++)
		list[k] = json_incref(json_array_get(rates, k));
	if (list)
		qsort(list, n, sizeof(*list), orders[i].order);
	for (size_t k = 0; list && k < n; k++)
		json_array_set_new(rates, k, list[k]);
	free(list);
	return true;
}
