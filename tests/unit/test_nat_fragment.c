// SPDX-License-Identifier: GPL-2.0-or-later
/* NAT-15: fragments in any order, with every fault that a sender can build into them; bounded in number and time */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nat/fragment.h"
#include "switch/build.h"

enum { MAX_PARTS = 8, WHOLE = 65535, NEXT_FRAGMENT = 44 };

static const uint8_t mac_a[6] = { 2, 1 }, mac_b[6] = { 2, 2 };
static struct fragments fs;
static uint8_t body[WHOLE];

static void begin(void)
{
	fragments_init(&fs);
	for (unsigned i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 31 + (i >> 8));
}

/* make() - the fragment with @size bytes of body from @at; Return: its frame's length */
static uint32_t make(uint8_t *to, bool ip6, uint32_t id, uint32_t at, uint32_t size, bool more)
{
	struct addr src = ip6 ? (struct addr){ .bytes = { 0xfd, [15] = 2 } } : addr4(0x0a00000f);
	struct addr dst = ip6 ? (struct addr){ .bytes = { 0xfd, [15] = 1 } } : addr4(0x0a000001);
	uint8_t *l4 = build_ip(to, mac_a, mac_b, src, dst, ip6 ? NEXT_FRAGMENT : PROTO_UDP, 64, size + (ip6 ? 8 : 0));

	if (ip6) {
		l4[0] = PROTO_UDP;
		l4[1] = 0;
		put_u16(l4 + 2, (uint16_t)(at | more));
		put_u32(l4 + 4, id);
		l4 += 8;
	} else {
		uint8_t *ip = to + ETH_HEADER;

		put_u16(ip + 4, (uint16_t)id);
		put_u16(ip + 6, (uint16_t)(at / 8 | (more ? 0x2000 : 0)));
	}
	memcpy(l4, body + at, MIN_OF(size, (uint32_t)WHOLE - at));
	return (uint32_t)(l4 - to) + size;
}

struct part {
	uint32_t at, size;
	bool more;
	enum verdict verdict;		/* FORWARDED: the packet is whole */
	bool changed;			/* other bytes than the packet has there */
};

static const struct {
	const char *what;
	struct part parts[MAX_PARTS];
	uint32_t total;			/* of the packet that comes out, 0: none */
} cases[] = {
#define KEPT VERDICT_CONSUMED_FRAGMENT, false
#define DONE VERDICT_FORWARDED, false
#define BAD VERDICT_DROP_FRAGMENT, false
	{ "in order", { { 0, 1480, true, KEPT }, { 1480, 1480, true, KEPT }, { 2960, 40, false, DONE } }, 3000 },
	{ "reversed", { { 2960, 40, false, KEPT }, { 1480, 1480, true, KEPT }, { 0, 1480, true, DONE } }, 3000 },
	{ "the middle last", { { 2960, 41, false, KEPT }, { 0, 1480, true, KEPT }, { 1480, 1480, true, DONE } }, 3001 },
	{ "the first never comes", { { 1480, 1480, true, KEPT }, { 2960, 40, false, KEPT } }, 0 },
	{ "a tiny first fragment is put together like any other", { { 0, 8, true, KEPT }, { 8, 100, false, DONE } }, 108 },
	{ "the same twice", { { 0, 80, true, KEPT }, { 0, 80, true, KEPT }, { 80, 20, false, DONE } }, 100 },
	{ "the same place, other bytes", { { 0, 80, true, KEPT }, { 0, 80, true, VERDICT_DROP_FRAGMENT, true }, { 80, 20, false, BAD } }, 0 },
	{ "overlap by eight", { { 0, 80, true, KEPT }, { 72, 80, true, BAD }, { 152, 20, false, BAD } }, 0 },
	{ "overlap from below", { { 80, 80, true, KEPT }, { 0, 88, true, BAD }, { 160, 8, false, BAD } }, 0 },
	{ "a repetition of a part, the same bytes", { { 0, 160, true, KEPT }, { 40, 40, true, KEPT }, { 160, 8, false, DONE } }, 168 },
	{ "one inside another, other bytes", { { 0, 160, true, KEPT }, { 40, 40, true, VERDICT_DROP_FRAGMENT, true }, { 160, 8, false, BAD } }, 0 },
	{ "one around another", { { 40, 40, true, KEPT }, { 0, 160, true, BAD }, { 160, 8, false, BAD } }, 0 },
	{ "two ends", { { 80, 20, false, KEPT }, { 160, 20, false, BAD }, { 0, 80, true, BAD } }, 0 },
	{ "beyond the end", { { 80, 20, false, KEPT }, { 104, 80, true, BAD }, { 0, 80, true, BAD } }, 0 },
	{ "an end before what has come", { { 160, 80, true, KEPT }, { 80, 20, false, BAD }, { 0, 80, true, BAD } }, 0 },
	{ "not the last, and not whole eights", { { 0, 81, true, VERDICT_DROP_MALFORMED, false } }, 0 },
	{ "nothing in it", { { 80, 0, true, VERDICT_DROP_MALFORMED, false } }, 0 },
	{ "longer than a packet can be", { { 65528, 16, false, VERDICT_DROP_MALFORMED, false } }, 0 },
	{ "64 KiB in two", { { 0, 32768, true, KEPT }, { 32768, 32747, false, DONE } }, 65515 },
};

static void play(unsigned i, bool ip6, uint32_t id)
{
	static uint8_t frame[70000];
	const uint8_t *whole = NULL;
	uint32_t len = 0;

	for (unsigned k = 0; k < MAX_PARTS && cases[i].parts[k].verdict; k++) {
		const struct part *p = &cases[i].parts[k];
		uint32_t n = make(frame, ip6, id, p->at, p->size, p->more);
		enum verdict v = VERDICT_FORWARDED;

		if (p->changed)
			frame[n - 1] ^= 1;
		whole = fragments_take(&fs, 1, 1000, frame, n, &len, &v);
		assert_int_equal(v, p->verdict);
		assert_true(!whole);
	}
	(void)len;
}

/* play() for those that come out whole: the verdict of the last part is that nothing is said about it but the packet itself */
static void play_whole(unsigned i, bool ip6, uint32_t id)
{
	static uint8_t frame[70000];
	uint32_t len = 0, head = ETH_HEADER + (ip6 ? IP6_HEADER : IP4_HEADER);
	struct packet p;

	for (unsigned k = 0; k < MAX_PARTS && cases[i].parts[k].size; k++) {
		const struct part *part = &cases[i].parts[k];
		enum verdict v;
		const uint8_t *whole = fragments_take(&fs, 1, 1000, frame, make(frame, ip6, id, part->at, part->size, part->more), &len, &v);

		if (part->verdict == VERDICT_CONSUMED_FRAGMENT) {
			assert_null(whole);
			assert_int_equal(v, VERDICT_CONSUMED_FRAGMENT);
			continue;
		}
		assert_non_null(whole);
		assert_int_equal(len, head + cases[i].total);
		assert_memory_equal(whole + head, body, cases[i].total);
		/* its UDP checksum is nonsense, but everything in front of it is right */
		assert_int_equal(packet_parse(whole, len, &(struct offload){ .flags = 1 }, &p), VERDICT_FORWARDED);
		assert_int_equal(p.proto, PROTO_UDP);
		assert_int_equal(p.len, get_u16(body + 4) + head);
	}
}

static void test_nat_15_orders_and_faults(void **state)
{
	(void)state;
	begin();
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
			print_message("  %s\n", cases[i].what);
			put_u16(body + 4, (uint16_t)(cases[i].total ? cases[i].total : 100));	/* UDP's length */
			if (cases[i].total)
				play_whole(i, ip6, 100 + i);
			else
				play(i, ip6, 100 + i);
			fragments_forget(&fs, 1);
		}
	}
	assert_int_equal(fs.used, 0);
	fragments_fini(&fs);
}

/* A guest that begins packets without end has its share, and takes nothing of another one's. */
static void test_nat_15_flood(void **state)
{
	uint8_t frame[200];
	enum verdict v;
	uint32_t len;

	(void)state;
	begin();
	for (uint32_t i = 0; i < 10000; i++)
		fragments_take(&fs, 1, 1000 + i / 100, frame, make(frame, false, i, 0, 80, true), &len, &v);
	assert_int_equal(fs.used, FRAGMENT_PER_PORT);
	put_u16(body + 4, 100);
	assert_null(fragments_take(&fs, 2, 1100, frame, make(frame, false, 7, 0, 80, true), &len, &v));
	assert_int_equal(v, VERDICT_CONSUMED_FRAGMENT);
	for (uint32_t port = 3; port < 20; port++)	/* many guests at once: the one that has most loses */
		for (uint32_t i = 0; i < FRAGMENT_PER_PORT; i++)
			fragments_take(&fs, port, 1200, frame, make(frame, false, i, 0, 80, true), &len, &v);
	assert_int_equal(fs.used, FRAGMENT_PACKETS);
	assert_non_null(fragments_take(&fs, 2, 1300, frame, make(frame, false, 7, 80, 20, false), &len, &v));
	fragments_fini(&fs);
}

static void test_nat_15_time(void **state)
{
	uint8_t frame[200];
	const uint8_t *data;
	enum verdict v;
	uint32_t len;

	(void)state;
	begin();
	fragments_take(&fs, 1, 1000, frame, make(frame, false, 1, 0, 80, true), &len, &v);
	fragments_take(&fs, 2, 2000, frame, make(frame, true, 1, 80, 80, true), &len, &v);
	assert_int_equal(fragments_next_late(&fs), 1000 + FRAGMENT_AGE_MS);
	assert_int_equal(fragments_late(&fs, 1000 + FRAGMENT_AGE_MS - 1, &data, &len), FRAGMENT_NONE);
	assert_int_equal(fragments_late(&fs, 1000 + FRAGMENT_AGE_MS, &data, &len), 1);
	assert_non_null(data);		/* its beginning had come */
	assert_memory_equal(data + ETH_HEADER + IP4_HEADER, body, 8);
	assert_int_equal(fragments_late(&fs, 2000 + FRAGMENT_AGE_MS, &data, &len), 2);
	assert_null(data);
	assert_int_equal(fragments_late(&fs, UINT64_MAX, &data, &len), FRAGMENT_NONE);
	assert_int_equal(fs.used, 0);
	fragments_fini(&fs);
}

/* Bytes of an earlier packet never show in a later one (libslirp's CVE-2020-10756 was of that kind). */
static void test_nat_53_nothing_left_over(void **state)
{
	static uint8_t frame[70000];
	const uint8_t *data;
	enum verdict v;
	uint32_t len;

	(void)state;
	begin();
	fragments_take(&fs, 9, 1, frame, make(frame, false, 9, 0, 80, true), &len, &v);	/* so that the memory is kept */
	fragments_take(&fs, 1, 1000, frame, make(frame, false, 1, 0, 4000, true), &len, &v);
	fragments_forget(&fs, 1);
	fragments_take(&fs, 2, 1000, frame, make(frame, false, 2, 0, 8, true), &len, &v);
	fragments_take(&fs, 2, 1000, frame, make(frame, false, 2, 800, 8, true), &len, &v);
	fragments_forget(&fs, 9);
	assert_int_equal(fragments_late(&fs, 1000 + FRAGMENT_AGE_MS, &data, &len), 2);
	assert_int_equal(len, ETH_HEADER + IP4_HEADER + 8);
	fragments_fini(&fs);
}

/* Random fragments against a simple model: what comes out is what went in, or nothing. */
static void test_nat_15_random(void **state)
{
	static uint8_t frame[70000];
	uint64_t x = 88172645463325252ull;
	unsigned whole = 0;

	(void)state;
	begin();
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t at, size, len;
		const uint8_t *got;
		enum verdict v;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		at = (uint32_t)(x >> 8) % 12 * 8;
		size = 8 + (uint32_t)(x >> 16) % 3 * 8;
		got = fragments_take(&fs, (uint32_t)(x >> 24) % 5, i, frame,
				     make(frame, x >> 40 & 1, (uint32_t)(x >> 32) % 8, at, size, (x >> 48) % 4 != 0), &len, &v);
		if (got) {
			uint32_t head = get_u16(got + 12) == ETHERTYPE_IP6 ? 54 : 34;

			assert_memory_equal(got + head, body, len - head);
			whole++;
		}
		while (fragments_late(&fs, i, &got, &len) != FRAGMENT_NONE)
			;
	}
	assert_true(whole > 100);
	assert_true(fs.used <= FRAGMENT_PACKETS);
	fragments_fini(&fs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nat_15_orders_and_faults),
		cmocka_unit_test(test_nat_15_flood),
		cmocka_unit_test(test_nat_15_time),
		cmocka_unit_test(test_nat_53_nothing_left_over),
		cmocka_unit_test(test_nat_15_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
