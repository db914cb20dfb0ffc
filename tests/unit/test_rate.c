// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/rate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <linux/virtio_net.h>

#include "base/array.h"
#include "switch/frame.h"
#include "switch/shape.h"

#define MS 1000000ull
#define S 1000000000ull

static const struct {
	const char *text, *canonical;	/* NULL: as it is */
	uint64_t average, peak, burst;
} good[] = {
	{ "none", NULL, 0, 0, 0 }, { "10mbit", NULL, 10000000, 0, 0 }, { "1.5mbit", "1500kbit", 1500000, 0, 0 }, { "8kbit", NULL, 8000, 0, 0 },
	{ "10gbit", NULL, 10000000000, 0, 0 }, { "1000mbit", "1gbit", 1000000000, 0, 0 }, { "1234567bit", NULL, 1234567, 0, 0 },
	{ "10mbit peak 20mbit", NULL, 10000000, 20000000, 0 }, { "10mbit burst 64kB", NULL, 10000000, 0, 64000 },
	{ "10mbit burst 64KiB peak 20mbit", "10mbit peak 20mbit burst 64KiB", 10000000, 20000000, 65536 },
};

static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "a rate" }, { "10", "a rate" }, { "10mbits", "a rate" }, { "-1mbit", "a rate" }, { "1e9bit", "a rate" }, { "0x10mbit", "a rate" }, { "7kbit", "a rate" },
	{ "2000gbit", "a rate" }, { "mbit", "a rate" }, { "10mbit peak", "without its value" }, { "10mbit peak 10mbit", "not above" },
	{ "10mbit fast 1mbit", "peak and burst" }, { "10mbit burst 1kB", "two full frames" }, { "1gbit burst 100kB", "4 ms" },
	{ "10mbit burst 2GB", "a size" }, { "10mbit burst 64kB burst", "without" }, { "1.2.3mbit", "a rate" },
};

static void test_text(void **state)
{
	char text[RATE_TEXT];
	struct rate_conf r;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		print_message("  %s\n", good[i].text);
		assert_int_equal(rate_parse(good[i].text, &r, &why), 0);
		assert_int_equal(r.average_bps, good[i].average);
		assert_int_equal(r.peak_bps, good[i].peak);
		assert_int_equal(r.burst_bytes, good[i].burst);
		assert_string_equal(rate_format(&r, text), good[i].canonical ? good[i].canonical : good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		print_message("  %s\n", bad[i].text);
		why = "";
		assert_int_equal(rate_parse(bad[i].text, &r, &why), -EINVAL);
		assert_non_null(strstr(why, bad[i].why));
	}
}

/* run() - somebody who always has frames of @size, and looks again only every millisecond or later. Return: bytes in @seconds */
static uint64_t run(struct rate_meter *m, uint64_t from_ns, unsigned seconds, uint32_t size)
{
	uint64_t now = from_ns, end = from_ns + seconds * S, bytes = 0;

	while (now < end) {
		uint64_t wait = rate_wait_ns(m, now);

		if (wait) {
			now += wait / MS * MS + MS;
			continue;
		}
		rate_charge(m, size, now);
		bytes += size;
	}
	return bytes;
}

static void test_accuracy(void **state)
{
	static const uint64_t rates[] = { 1000000, 10000000, 100000000, 1000000000, 10000000000 };
	static const uint32_t sizes[] = { 64, 1514, 9014, 65226 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
			struct rate_conf conf = { .average_bps = rates[i] };
			struct rate_meter m;
			uint64_t want = rates[i] / 8 * 20, got;

			if (rates[i] / sizes[k] > 2000000)
				continue;		/* many steps, and nothing new */
			rate_meter_init(&m, &conf);
			run(&m, S, 1, sizes[k]);		/* the burst is gone */
			got = run(&m, 2 * S, 20, sizes[k]);
			print_message("  %llu bit/s, %u bytes: %.3f %%\n", (unsigned long long)rates[i], sizes[k], 100. * (double)got / (double)want);
			assert_in_range(got, want - want / 50, want + want / 50);
		}
	}
}

static void test_burst_and_peak(void **state)
{
	const struct rate_conf conf = { .average_bps = 8000000, .peak_bps = 80000000, .burst_bytes = 1000000 };
	struct rate_meter m;
	uint64_t first, second, third;

	(void)state;
	rate_meter_init(&m, &conf);
	first = run(&m, S, 1, 1000);			/* ten megabytes at the peak, were it not for the burst */
	second = run(&m, 2 * S, 1, 1000);
	assert_in_range(first, 1900000, 2100000);	/* the burst, and a second's worth */
	assert_in_range(second, 980000, 1020000);
	third = run(&m, 10 * S, 1, 1000);		/* who was quiet has his burst again, and no more */
	assert_in_range(third, 1900000, 2100000);
	rate_meter_init(&m, &conf);
	assert_true(rate_room(&m, S) <= 80000000 / 8 / 1000 * 2);	/* never more than two milliseconds of the peak at once */
}

static void test_what_counts(void **state)
{
	uint8_t head[100] = { 0 };
	struct frame f;

	(void)state;
	frame_init(&f, head, 60);
	assert_int_equal(rate_bytes(&f, false), 60);
	assert_int_equal(rate_bytes(&f, true), 64);
	f.len = 54 + 3 * 1448 + 100;
	f.offload = (struct offload){ .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .hdr_len = 54, .gso_size = 1448 };
	assert_int_equal(rate_bytes(&f, false), 4 * 54 + 3 * 1448 + 100);	/* four frames, each with its headers */
}

/* Three who share a meter and always have frames get the same, whatever size their frames have; who is idle takes nothing from the others. */
static void test_shared(void **state)
{
	const struct rate_conf rate = { .average_bps = 100000000 }, none = { 0 };
	struct shared_meter *m = shared_meter_new(&rate);
	static const uint32_t sizes[3] = { 1514, 65226, 300 };
	struct shape *s[3];
	uint64_t due[3] = { 0 }, bytes[3] = { 0 }, wait;
	bool waiting[3] = { false };

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		s[i] = shape_new(&none, &none, m, NULL, i);
	for (uint64_t now = S; now < 11 * S; now += MS / 10) {
		for (unsigned i = 0; i < 3; i++) {
			struct frame f = { .len = sizes[i] };

			if (now < due[i])
				continue;
			while (shape_take(s[i], 1, now, &waiting[i], &wait)) {
				shape_took(s[i], &f, 1, now);
				bytes[i] += f.len;
			}
			due[i] = now + wait / MS * MS + MS;
		}
	}
	for (unsigned i = 0; i < 3; i++) {
		print_message("  %llu\n", (unsigned long long)bytes[i]);
		assert_in_range(bytes[i], 125000000 / 3 * 9 / 10, 125000000 / 3 * 11 / 10);	/* L2-23 */
		waiting[i] = waiting[i] && i != 1;	/* the second leaves without a word: the count is the object's to mend */
	}
	shape_free(s[1]);
	assert_in_range(atomic_load(&m->waiting), 0, 2);
	shape_free(s[0]);
	shape_free(s[2]);
	assert_int_equal(atomic_load(&m->waiting), 0);
	assert_int_equal(atomic_load(&m->refs), 1);
	shared_meter_put(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text), cmocka_unit_test(test_accuracy), cmocka_unit_test(test_burst_and_peak),
		cmocka_unit_test(test_what_counts), cmocka_unit_test(test_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
