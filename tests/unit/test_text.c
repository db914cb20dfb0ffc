// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

static const struct {
	const char *text;
	uint8_t mac[6];
	bool good;
} macs[] = {
	{ "02:00:5e:10:ff:aB", { 2, 0, 0x5e, 0x10, 0xff, 0xab }, true },
	{ "02-00-5E-10-FF-AB", { 2, 0, 0x5e, 0x10, 0xff, 0xab }, true },
	{ "ff:ff:ff:ff:ff:ff", { 255, 255, 255, 255, 255, 255 }, true },
	{ "", { 0 }, false }, { "02:00:5e:10:ff", { 0 }, false }, { "02:00:5e:10:ff:a", { 0 }, false },
	{ "02:00:5e:10:ff:abc", { 0 }, false }, { "02:00:5e:10:ff:ab ", { 0 }, false },
	{ " 02:00:5e:10:ff:ab", { 0 }, false }, { "02:00:5e:10:ff:ag", { 0 }, false },
	{ "02.00.5e.10.ff.ab", { 0 }, false }, { "0200:5e:10:ff:ab:1", { 0 }, false },
	{ "02:00:5e:10:ff:-1", { 0 }, false }, { "+2:00:5e:10:ff:ab", { 0 }, false },
};

static void test_mac(void **state)
{
	static const uint8_t untouched[6] = { 9, 9, 9, 9, 9, 9 };
	char text[MAC_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
		uint8_t mac[6] = { 9, 9, 9, 9, 9, 9 };

		assert_int_equal(mac_parse(macs[i].text, mac), macs[i].good ? 0 : -EINVAL);
		assert_memory_equal(mac, macs[i].good ? macs[i].mac : untouched, 6);
	}
	assert_string_equal(mac_format(macs[0].mac, text), "02:00:5e:10:ff:ab");
	assert_true(mac_is_group(macs[2].mac));
	assert_false(mac_is_group(macs[0].mac));
}

/* The address of a name is the same on every host and in every year: guests' leases hang on it. */
static void test_mac_from_names(void **state)
{
	char a[NAME_MAX_SIZE], b[NAME_MAX_SIZE], text[MAC_TEXT];
	uint8_t mac[6], other[6];

	(void)state;
	mac_from_names("lab", "web1", mac);
	assert_string_equal(mac_format(mac, text), "de:be:00:a1:0c:63");
	mac_from_names("lab", "web2", other);
	assert_memory_not_equal(mac, other, 6);
	mac_from_names("lab2", "web1", other);
	assert_memory_not_equal(mac, other, 6);
	mac_from_names("la", "b/web1", other);	/* no valid names, and harmless */
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(a, sizeof(a), "%063u", i);
		snprintf(b, sizeof(b), "%063u", i * 7);
		mac_from_names(a, b, mac);
		assert_int_equal(mac[0] & 3, 2);	/* locally administered, individual */
	}
}

static const struct {
	const char *text;
	uint32_t ip;
	bool good;
} ips[] = {
	{ "10.77.0.1", 0x0a4d0001, true }, { "0.0.0.0", 0, true }, { "255.255.255.255", 0xffffffff, true },
	{ "", 0, false }, { "10.77.0", 0, false }, { "10.77.0.1.2", 0, false }, { "10.77.0.256", 0, false },
	{ "10.77.0.1 ", 0, false }, { " 10.77.0.1", 0, false }, { "10.77.0.01", 0, false }, { "10.77.0.-1", 0, false },
	{ "0x0a.1.1.1", 0, false }, { "168296449", 0, false }, { "::1", 0, false }, { "10..0.1", 0, false },
};

static void test_ip4(void **state)
{
	char text[IP4_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ips); i++) {
		uint32_t ip = 4711;

		assert_int_equal(ip4_parse(ips[i].text, &ip), ips[i].good ? 0 : -EINVAL);
		assert_int_equal(ip, ips[i].good ? ips[i].ip : 4711);
		if (ips[i].good)
			assert_string_equal(ip4_format(ip, text), ips[i].text);
	}
}

static const struct {
	const char *text;
	uint32_t first, last;
	bool good;
} ranges[] = {
	{ "10.0.0.100-10.0.0.199", 0x0a000064, 0x0a0000c7, true }, { "10.0.0.1-10.0.0.1", 0x0a000001, 0x0a000001, true },
	{ "255.255.255.255-255.255.255.255", 0xffffffff, 0xffffffff, true }, { "10.0.0.2-10.0.0.1", 0, 0, false },
	{ "10.0.0.1", 0, 0, false }, { "10.0.0.1-", 0, 0, false }, { "-10.0.0.1", 0, 0, false },
	{ "10.0.0.1-10.0.0.2-10.0.0.3", 0, 0, false }, { "10.0.0.1 - 10.0.0.2", 0, 0, false },
	{ "1000000000000000000000-1", 0, 0, false }, { "", 0, 0, false },
};

static void test_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		uint32_t first = 1, last = 2;

		assert_int_equal(ip4_range_parse(ranges[i].text, &first, &last), ranges[i].good ? 0 : -EINVAL);
		assert_int_equal(first, ranges[i].good ? ranges[i].first : 1);
		assert_int_equal(last, ranges[i].good ? ranges[i].last : 2);
	}
}

static const struct {
	const char *text;
	uint32_t addr;
	int len;			/* -1: refused */
	uint32_t mask, last;
} prefixes[] = {
	{ "10.77.0.0/24", 0x0a4d0000, 24, 0xffffff00, 0x0a4d00ff }, { "0.0.0.0/0", 0, 0, 0, 0xffffffff },
	{ "10.77.0.1/32", 0x0a4d0001, 32, 0xffffffff, 0x0a4d0001 }, { "10.77.0.2/31", 0x0a4d0002, 31, 0xfffffffe, 0x0a4d0003 },
	{ "128.0.0.0/1", 0x80000000, 1, 0x80000000, 0xffffffff }, { "10.77.0.1/24", 0, -1, 0, 0 }, { "10.77.0.0", 0, -1, 0, 0 },
	{ "10.77.0.0/", 0, -1, 0, 0 }, { "10.77.0.0/33", 0, -1, 0, 0 }, { "10.77.0.0/-1", 0, -1, 0, 0 },
	{ "10.77.0.0/24 ", 0, -1, 0, 0 }, { "/24", 0, -1, 0, 0 }, { "10.77.0/24", 0, -1, 0, 0 }, { "10.77.0.0/+24", 0, -1, 0, 0 },
};

static void test_prefix(void **state)
{
	char text[PREFIX4_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		struct prefix4 p = { 4711, 99 };

		assert_int_equal(prefix4_parse(prefixes[i].text, &p), prefixes[i].len < 0 ? -EINVAL : 0);
		if (prefixes[i].len < 0) {
			assert_int_equal(p.addr, 4711);
			continue;
		}
		assert_int_equal(p.addr, prefixes[i].addr);
		assert_int_equal(p.len, prefixes[i].len);
		assert_int_equal(prefix4_mask(p), prefixes[i].mask);
		assert_int_equal(prefix4_last(p), prefixes[i].last);
		assert_true(prefix4_has(p, p.addr) && prefix4_has(p, prefix4_last(p)));
		if (p.len)
			assert_false(prefix4_has(p, p.addr - 1));
		assert_string_equal(prefix4_format(p, text), prefixes[i].text);
	}
}

static void test_name(void **state)
{
	static const char *const good[] = { "a", "0", "web1", "a-b", "a--b", "1-2",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };	/* 63 */
	static const char *const bad[] = { "", "-", "-a", "a-", "A", "a_b", "a.b", "a/b", "a b", "\xc3\xa4", "a\n",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(name_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(name_valid(bad[i]));
}

static const struct {
	const char *text;
	int64_t seconds;		/* -1: refused */
	const char *canonical;
} durations[] = {
	{ "90s", 90, "90s" }, { "60s", 60, "1m" }, { "10m", 600, "10m" }, { "1h", 3600, "1h" }, { "7d", 604800, "7d" },
	{ "24h", 86400, "1d" }, { "25h", 90000, "25h" }, { "0s", 0, "0s" }, { "0d", 0, "0s" },
	{ "infinite", UINT32_MAX, "infinite" }, { "4294967294s", UINT32_MAX - 1, "4294967294s" },
	{ "49710d", 4294944000, "49710d" }, { "4294967295s", -1, 0 }, { "49711d", -1, 0 }, { "99999999999999999999s", -1, 0 },
	{ "90", -1, 0 }, { "s", -1, 0 }, { "", -1, 0 }, { "1h30m", -1, 0 }, { "1.5h", -1, 0 }, { "-1s", -1, 0 }, { "1 s", -1, 0 },
	{ "1w", -1, 0 }, { "1S", -1, 0 }, { "Infinite", -1, 0 }, { "infinites", -1, 0 },
};

static void test_duration(void **state)
{
	char text[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
		uint32_t seconds = 4711;

		assert_int_equal(duration_parse(durations[i].text, &seconds), durations[i].seconds < 0 ? -EINVAL : 0);
		assert_int_equal(seconds, durations[i].seconds < 0 ? 4711 : durations[i].seconds);
		if (durations[i].seconds >= 0)
			assert_string_equal(duration_format(seconds, text), durations[i].canonical);
	}
}

static const struct {
	const char *text;
	unsigned long min, max;
	long value;			/* -1: refused */
} numbers[] = {
	{ "0", 0, 10, 0 }, { "10", 0, 10, 10 }, { "007", 0, 10, 7 }, { "11", 0, 10, -1 }, { "4", 5, 10, -1 }, { "", 0, 10, -1 },
	{ "+5", 0, 10, -1 }, { "-5", 0, 10, -1 }, { " 5", 0, 10, -1 }, { "5 ", 0, 10, -1 }, { "5x", 0, 10, -1 },
	{ "0x5", 0, 10, -1 }, { "1e1", 0, 10, -1 }, { "18446744073709551616", 0, ~0ul, -1 },
	{ "99999999999999999999999999", 0, ~0ul, -1 },
};

static void test_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		unsigned long v = 4711;
		bool bad = numbers[i].value < 0;

		assert_int_equal(number_parse(numbers[i].text, numbers[i].min, numbers[i].max, &v), bad ? -EINVAL : 0);
		assert_int_equal(v, bad ? 4711 : numbers[i].value);
	}
}

static void test_segment_name(void **state)
{
	static const struct {
		const char *text;
		int vid;			/* 0: it is none */
	} cases[] = {
		{ "lab", 1 }, { "lab:20", 20 }, { "a:2", 2 }, { "lab:4094", 4094 }, { "", 0 }, { ":20", 0 }, { "lab:", 0 }, { "lab:0", 0 }, { "lab:1", 0 },
		{ "lab:4095", 0 }, { "lab:020", 0 }, { "lab:20 ", 0 }, { "lab:2:3", 0 }, { "lab:-2", 0 }, { "Lab:20", 0 },
		{ "a23456789-123456789-123456789-123456789-123456789-123456789-123:20", 20 },
		{ "a23456789-123456789-123456789-123456789-123456789-123456789-1234:20", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct segment_name name = { .net = "untouched", .vid = 9 };

		assert_int_equal(segment_name_parse(cases[i].text, &name), cases[i].vid ? 0 : -EINVAL);
		assert_int_equal(name.vid, cases[i].vid ? cases[i].vid : 9);
		assert_true(cases[i].vid ? !strncmp(name.net, cases[i].text, strcspn(cases[i].text, ":")) : !strcmp(name.net, "untouched"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac), cmocka_unit_test(test_segment_name),    cmocka_unit_test(test_mac_from_names), cmocka_unit_test(test_ip4),
		cmocka_unit_test(test_range),  cmocka_unit_test(test_prefix),	      cmocka_unit_test(test_name),
		cmocka_unit_test(test_duration), cmocka_unit_test(test_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
