// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "switch/rate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "switch/frame.h"

enum { UNITS_PER_NS = 256, PEAK_AHEAD_MS = 2 };
#define NS_PER_S 1000000000ull

struct unit {
	const char *name;
	uint64_t times;
};

static const struct unit bits[] = { { "bit", 1 }, { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", NS_PER_S } };
static const struct unit bytes[] = {
	{ "B", 1 }, { "kB", 1000 }, { "MB", 1000000 }, { "KiB", 1024 }, { "MiB", 1048576 },
};

/* ---- text ---- */

/* read_amount() - a number, which may have a fraction, and its unit */
static int read_amount(const char *text, const struct unit *units, size_t nunits, uint64_t min, uint64_t max, uint64_t *to)
{
	size_t digits = strspn(text, "0123456789.");
	char *end;
	double number;

	if (*text < '0' || *text > '9' || digits > 15)
		return -EINVAL;
	number = strtod(text, &end);
	if (end != text + digits)
		return -EINVAL;
	for (size_t i = 0; i < nunits; i++) {
		double value = number * (double)units[i].times;

		if (strcmp(end, units[i].name))
			continue;
		if (value < (double)min || value > (double)max)
			return -ERANGE;
		*to = (uint64_t)(value + 0.5);
		return 0;
	}
	return -EINVAL;
}

static int refuse(const char **why, const char *what)
{
	*why = what;
	return -EINVAL;
}

static int read_option(char **rest, const char *word, struct rate_conf *r, const char **why)
{
	const char *value = strsep(rest, " ");
	int rc;

	if (!value)
		return refuse(why, "a word without its value");
	if (!strcmp(word, "peak")) {
		rc = read_amount(value, bits, ARRAY_SIZE(bits), RATE_MIN_BPS, RATE_MAX_BPS, &r->peak_bps);
		return rc < 0 ? refuse(why, "the peak is a rate like 20mbit, 8kbit to 1000gbit") : 0;
	}
	if (strcmp(word, "burst"))
		return refuse(why, "behind the average may stand peak and burst");
	rc = read_amount(value, bytes, ARRAY_SIZE(bytes), 1, 1ull << 30, &r->burst_bytes);
	return rc < 0 ? refuse(why, "the burst is a size like 64kB, at most 1024MiB") : 0;
}

static uint64_t least_burst(uint64_t bps)
{
	return MAX_OF(bps / 8 * RATE_BURST_LEAST_MS / 1000, (uint64_t)RATE_BURST_LEAST);
}

int rate_parse(const char *text, struct rate_conf *out, const char **why)
{
	char copy[RATE_TEXT], *rest = copy, *word;
	struct rate_conf r = { 0 };

	if (!strcmp(text, "none")) {
		*out = r;
		return 0;
	}
	if (strlen(text) >= sizeof(copy))
		return refuse(why, "is longer than any rate");
	strcpy(copy, text);
	word = strsep(&rest, " ");
	if (read_amount(word, bits, ARRAY_SIZE(bits), RATE_MIN_BPS, RATE_MAX_BPS, &r.average_bps) < 0)
		return refuse(why, "a rate is none or like 10mbit, 8kbit to 1000gbit");
	while ((word = strsep(&rest, " ")))
		if (read_option(&rest, word, &r, why) < 0)
			return -EINVAL;
	if (r.peak_bps && r.peak_bps <= r.average_bps)
		return refuse(why, "the peak is not above the average");
	if (r.burst_bytes && r.burst_bytes < least_burst(r.average_bps))
		return refuse(why, "the burst is below two full frames, or below what the average carries in 4 ms: then the average is not reached");
	*out = r;
	return 0;
}

/* write_amount() - in the largest unit in which it is a whole number */
static void write_amount(char text[24], uint64_t value, const struct unit *units, size_t nunits)
{
	const struct unit *best = units;

	for (size_t i = 1; i < nunits; i++)
		if (value >= units[i].times && value % units[i].times == 0 && units[i].times > best->times)
			best = &units[i];
	snprintf(text, 24, "%llu%s", (unsigned long long)(value / best->times), best->name);
}

char *rate_format(const struct rate_conf *r, char text[RATE_TEXT])
{
	char average[24], peak[24], burst[24];

	if (!r->average_bps)
		return strcpy(text, "none");
	write_amount(average, r->average_bps, bits, ARRAY_SIZE(bits));
	write_amount(peak, r->peak_bps, bits, ARRAY_SIZE(bits));
	write_amount(burst, r->burst_bytes, bytes, ARRAY_SIZE(bytes));
	snprintf(text, RATE_TEXT, "%s%s%s%s%s", average, r->peak_bps ? " peak " : "", r->peak_bps ? peak : "",
		 r->burst_bytes ? " burst " : "", r->burst_bytes ? burst : "");
	return text;
}

/* ---- meters ---- */

uint64_t rate_burst(const struct rate_conf *r)
{
	if (r->burst_bytes)
		return r->burst_bytes;
	return MAX_OF(r->average_bps / 8 * RATE_BURST_MS / 1000, (uint64_t)RATE_BURST_LEAST);
}

/* units_of() - how long @n bytes take */
static uint64_t units_of(uint64_t n, uint64_t bps)
{
	return (uint64_t)((unsigned __int128)n * 8 * NS_PER_S * UNITS_PER_NS / bps);
}

static void meter_init(struct meter *m, uint64_t bps, uint64_t burst_bytes)
{
	*m = (struct meter){ .bps = bps, .ahead = bps ? units_of(burst_bytes, bps) : 0 };
}

void rate_meter_init(struct rate_meter *m, const struct rate_conf *r)
{
	meter_init(&m->average, r->average_bps, rate_burst(r));
	meter_init(&m->peak, r->peak_bps, MAX_OF(r->peak_bps / 8 * PEAK_AHEAD_MS / 1000, (uint64_t)RATE_BURST_LEAST));
}

static uint64_t paid(const struct meter *m)
{
	return atomic_load_explicit(&m->paid, memory_order_relaxed);
}

/* meter_over() - by how many units it is too far ahead */
static uint64_t meter_over(const struct meter *m, uint64_t now)
{
	uint64_t limit = now + m->ahead, at = m->bps ? paid(m) : 0;

	return at >= limit && m->bps ? at - limit + 1 : 0;
}

uint64_t rate_wait_ns(const struct rate_meter *m, uint64_t now_ns)
{
	uint64_t now = now_ns * UNITS_PER_NS;
	uint64_t over = MAX_OF(meter_over(&m->average, now), meter_over(&m->peak, now));

	return (over + UNITS_PER_NS - 1) / UNITS_PER_NS;
}

static void meter_charge(struct meter *m, uint64_t n, uint64_t now)
{
	uint64_t at, next;

	if (!m->bps)
		return;
	at = paid(m);
	do
		next = MAX_OF(at, now) + units_of(n, m->bps);
	while (!atomic_compare_exchange_weak_explicit(&m->paid, &at, next, memory_order_relaxed, memory_order_relaxed));
}

void rate_charge(struct rate_meter *m, uint64_t n, uint64_t now_ns)
{
	meter_charge(&m->average, n, now_ns * UNITS_PER_NS);
	meter_charge(&m->peak, n, now_ns * UNITS_PER_NS);
}

static uint64_t meter_room(const struct meter *m, uint64_t now)
{
	uint64_t limit = now + m->ahead, at;

	if (!m->bps)
		return UINT64_MAX;
	at = MAX_OF(paid(m), now);
	return at >= limit ? 0 : (uint64_t)((unsigned __int128)(limit - at) * m->bps / (8 * NS_PER_S * UNITS_PER_NS));
}

uint64_t rate_room(const struct rate_meter *m, uint64_t now_ns)
{
	uint64_t now = now_ns * UNITS_PER_NS;

	return MIN_OF(meter_room(&m->average, now), meter_room(&m->peak, now));
}

uint64_t rate_bytes(const struct frame *f, bool tagged)
{
	const struct offload *o = &f->offload;
	uint64_t n = f->len + (tagged ? VLAN_TAG : 0), segments;

	if (!o->gso_type || !o->gso_size || f->len <= o->hdr_len)
		return n;
	segments = (f->len - o->hdr_len + o->gso_size - 1u) / o->gso_size;
	return n + (segments - 1) * (o->hdr_len + (tagged ? VLAN_TAG : 0u));
}
