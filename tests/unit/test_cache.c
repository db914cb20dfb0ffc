// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/cache: how long answers are kept and what is given from them. IDs are those of the conformance statements. */
#include "dhcp/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

enum { T0 = 1000000 };

/* An answer is written as words: a section and a record each. */
struct record {
	char section;			/* 'A'nswer, a'U'thority, a'D'ditional; 0: no more */
	uint16_t type;
	uint32_t ttl;
	uint32_t minimum;		/* of an SOA record */
};

static struct dns_query asked(const char *name, uint16_t type)
{
	struct dns_query q = { .flags = DNS_FLAG_RD, .type = type, .class = DNS_CLASS_IN, .bare = true };

	assert_int_equal(dns_name_from_text(&q.name, name), 0);
	q.question_size = q.name.size + 4u;
	return q;
}

static void write_record(struct writer *w, const struct record *r)
{
	write_u16(w, r->type == DNS_OPT ? 0 : 0xc00c);		/* the question's name; two bytes for the root are one too many */
	if (r->type == DNS_OPT)
		w->pos--;
	write_u16(w, r->type);
	write_u16(w, r->type == DNS_OPT ? 1232 : DNS_CLASS_IN);
	write_u32(w, r->ttl);
	write_u16(w, r->type == DNS_SOA ? 22 : r->type == DNS_OPT ? 12 : 4);
	if (r->type == DNS_SOA) {
		write_zeros(w, 18);
		write_u32(w, r->minimum);
	} else if (r->type == DNS_OPT) {
		write_bytes(w, "\0\x0a\0\x08" "abcdefgh", 12);	/* a cookie */
	} else {
		write_bytes(w, "\x0a\0\0\1", 4);
	}
}

static size_t answer(uint8_t *data, size_t room, const struct dns_query *q, uint16_t flags, const struct record *records)
{
	struct writer w = writer_init(data, room);
	uint16_t n[3] = { 0 };

	for (const struct record *r = records; r->section; r++)
		n[r->section == 'A' ? 0 : r->section == 'U' ? 1 : 2]++;
	write_u16(&w, 0x4242);
	write_u16(&w, (uint16_t)(DNS_FLAG_QR | flags));
	write_u16(&w, 1);
	for (unsigned i = 0; i < 3; i++)
		write_u16(&w, n[i]);
	write_bytes(&w, q->name.wire, q->name.size);
	write_u16(&w, q->type);
	write_u16(&w, q->class);
	for (const struct record *r = records; r->section; r++)
		write_record(&w, r);
	assert_false(w.overrun);
	return w.pos;
}

static const struct {
	const char *what;
	uint16_t flags;
	struct record records[5];
	uint32_t kept_s;		/* 0: not at all */
} lifetimes[] = {
	{ "the smallest TTL of all", 0, { { 'A', DNS_A, 300, 0 }, { 'A', DNS_A, 200, 0 }, { 'D', DNS_A, 100, 0 } }, 100 },
	{ "zero is not kept", 0, { { 'A', DNS_A, 0, 0 } }, 0 },
	{ "at most a week", 0, { { 'A', DNS_A, 10000000, 0 } }, 604800 },
	{ "the first bit set is zero", 0, { { 'A', DNS_A, 0x80000100, 0 } }, 0 },
	{ "no such name, by the SOA's minimum", DNS_NXDOMAIN, { { 'U', DNS_SOA, 900, 60 } }, 60 },
	{ "no such name, by the SOA's TTL", DNS_NXDOMAIN, { { 'U', DNS_SOA, 30, 60 } }, 30 },
	{ "no such name, three hours at most", DNS_NXDOMAIN, { { 'U', DNS_SOA, 90000, 90000 } }, 10800 },
	{ "no such name, without an SOA", DNS_NXDOMAIN, { { 'U', DNS_NS, 900, 0 } }, 0 },
	{ "no such record", 0, { { 'U', DNS_SOA, 900, 60 } }, 60 },
	{ "a referral is no answer", 0, { { 'U', DNS_NS, 900, 0 } }, 0 },
	{ "nothing at all", 0, { { 0, 0, 0, 0 } }, 0 },
	{ "an OPT record has no TTL", 0, { { 'A', DNS_A, 300, 0 }, { 'D', DNS_OPT, 0x8000, 0 } }, 300 },
	{ "an SOA that was asked for", 0, { { 'A', DNS_SOA, 300, 5 } }, 300 },
	{ "a failure (DNS-19)", DNS_SERVFAIL, { { 'A', DNS_A, 300, 0 } }, 3 },
	{ "refused", DNS_REFUSED, { { 'U', DNS_SOA, 300, 300 } }, 3 },
	{ "a failure of another sort", DNS_NOTIMP, { { 'A', DNS_A, 300, 0 } }, 0 },
	{ "cut", DNS_FLAG_TC, { { 'A', DNS_A, 300, 0 } }, 0 },
};

static void test_dns_13_lifetimes(void **state)
{
	uint8_t data[512], got[CACHE_ANSWER_MAX];
	struct dns_query q = asked("www.example.com", DNS_A);
	struct cache_key key;

	(void)state;
	assert_true(cache_key_make(&key, &q));
	for (size_t i = 0; i < ARRAY_SIZE(lifetimes); i++) {
		struct cache *c = cache_new(10000);
		size_t size = answer(data, sizeof(data), &q, lifetimes[i].flags, lifetimes[i].records);
		uint64_t end = T0 + lifetimes[i].kept_s * 1000ull;

		print_message("  %s\n", lifetimes[i].what);
		cache_put(c, &key, data, size, T0);
		assert_int_equal(cache_entries(c), lifetimes[i].kept_s ? 1 : 0);
		assert_int_equal(cache_get(c, &key, got, end - 1) > 0, lifetimes[i].kept_s > 0);
		assert_int_equal(cache_get(c, &key, got, end), 0);
		assert_int_equal(cache_entries(c), 0);
		assert_int_equal(cache_used(c), 0);
		cache_free(c);
	}
}

/* The TTL of the first record behind the question. */
static uint32_t first_ttl(const uint8_t *reply, const struct dns_query *q)
{
	return get_u32(reply + DNS_HEADER_SIZE + q->question_size + 6);
}

static void test_dns_13_counted_down(void **state)
{
	static const struct record records[] = { { 'A', DNS_A, 300, 0 }, { 'D', DNS_OPT, 0x8000, 0 }, { 0, 0, 0, 0 } };
	struct dns_query q = asked("www.example.com", DNS_A);
	uint8_t data[512], got[CACHE_ANSWER_MAX];
	size_t size = answer(data, sizeof(data), &q, 0, records);
	struct cache *c = cache_new(10000);
	struct cache_key key;

	(void)state;
	assert_true(cache_key_make(&key, &q));
	cache_put(c, &key, data, size, T0);
	assert_int_equal(cache_get(c, &key, got, T0 + 999), size - 12);		/* without the first asker's cookie */
	assert_int_equal(first_ttl(got, &q), 300);
	cache_get(c, &key, got, T0 + 100500);
	assert_int_equal(first_ttl(got, &q), 200);
	assert_memory_equal(got + size - 12 - 6, "\0\0\x80\0\0\0", 6);		/* the OPT record: flags as they were, no options */
	cache_free(c);
}

/* Each of these is another question. */
static void test_keys(void **state)
{
	struct dns_query q[] = {
		asked("www.example.com", DNS_A), asked("ww.example.com", DNS_A), asked("www.example.com", DNS_AAAA),
		asked("www.example.com", DNS_A), asked("www.example.com", DNS_A), asked("www.example.com", DNS_A),
		asked("www.example.com", DNS_A),
	};
	struct cache_key keys[ARRAY_SIZE(q)], other;
	struct dns_query upper = asked("WWW.Example.Com", DNS_A);

	(void)state;
	q[3].edns = true;
	q[4].edns = q[4].dnssec_ok = true;
	q[5].flags |= DNS_FLAG_CD;
	q[6].flags |= DNS_FLAG_AD;
	for (size_t i = 0; i < ARRAY_SIZE(q); i++) {
		assert_true(cache_key_make(&keys[i], &q[i]));
		for (size_t j = 0; j < i; j++)
			assert_true(keys[i].size != keys[j].size || memcmp(keys[i].bytes, keys[j].bytes, keys[i].size));
	}
	assert_true(cache_key_make(&other, &upper));
	assert_int_equal(other.size, keys[0].size);
	assert_memory_equal(other.bytes, keys[0].bytes, other.size);
	upper.personal = true;
	assert_false(cache_key_make(&other, &upper));
	upper.personal = false;
	upper.bare = false;
	assert_false(cache_key_make(&other, &upper));
	upper.bare = true;
	upper.class = 3;		/* CHAOS */
	assert_false(cache_key_make(&other, &upper));
}

static const struct {
	const char *what, *put;
	uint16_t type, flags;
	struct record records[3];
	const char *get;
	uint16_t get_type;
	size_t top;
	bool same, above;		/* is it known of the name itself; of one above it? */
} denied[] = {
#define NO { 'U', DNS_SOA, 900, 60 }
	{ "the name itself", "gone.example.com", DNS_A, DNS_NXDOMAIN, { NO }, "gone.example.com", DNS_A, 1, true, false },
	{ "for another type", "gone.example.com", DNS_A, DNS_NXDOMAIN, { NO }, "gone.example.com", DNS_TXT, 1, true, false },
	{ "below", "gone.example.com", DNS_A, DNS_NXDOMAIN, { NO }, "x.Y.gone.example.com", DNS_AAAA, 1, false, true },
	{ "not above", "gone.example.com", DNS_A, DNS_NXDOMAIN, { NO }, "example.com", DNS_A, 1, false, false },
	{ "not beside", "gone.example.com", DNS_A, DNS_NXDOMAIN, { NO }, "begone.example.com", DNS_A, 1, false, false },
	{ "not where others know more", "gone.example.com", DNS_A, DNS_NXDOMAIN, { NO }, "x.gone.example.com", DNS_A, 19, false, false },
	{ "but as far as the same know", "gone.example.com", DNS_A, DNS_NXDOMAIN, { NO }, "x.gone.example.com", DNS_A, 18, false, true },
	{ "not at the end of an alias", "gone.example.com", DNS_A, DNS_NXDOMAIN, { { 'A', DNS_CNAME, 60, 0 }, NO }, "x.gone.example.com", DNS_A, 1, false, false },
	{ "not by a delegation's", "gone.example.com", DNS_DS, DNS_NXDOMAIN, { NO }, "x.gone.example.com", DNS_A, 1, false, false },
	{ "no such record is not no such name", "gone.example.com", DNS_A, 0, { NO }, "x.gone.example.com", DNS_A, 1, false, false },
};

static void test_rfc8020_names_below(void **state)
{
	uint8_t data[512], got[CACHE_ANSWER_MAX];
	struct cache_key key;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++) {
		struct dns_query q = asked(denied[i].put, denied[i].type), other = asked(denied[i].get, denied[i].get_type);
		struct cache *c = cache_new(10000);

		print_message("  %s\n", denied[i].what);
		assert_true(cache_key_make(&key, &q));
		cache_put(c, &key, data, answer(data, sizeof(data), &q, denied[i].flags, denied[i].records), T0);
		assert_true(cache_get(c, &key, got, T0) > 0);
		assert_true(cache_key_make(&key, &other));
		assert_int_equal(cache_get(c, &key, got, T0) > 0, denied[i].same);
		assert_int_equal(cache_get_above(c, &other, denied[i].top, got, T0) > 0, denied[i].above);
		assert_int_equal(cache_get_above(c, &other, denied[i].top, got, T0 + 60000), 0);
		cache_free(c);
	}
}

/* What is said of the name later takes the place of that. */
static void test_rfc8020_name_comes(void **state)
{
	static const struct record no[] = { NO, { 0, 0, 0, 0 } }, yes[] = { { 'A', DNS_A, 60, 0 }, { 0, 0, 0, 0 } };
	struct dns_query q = asked("new.example.com", DNS_A), below = asked("x.new.example.com", DNS_A);
	uint8_t data[512], got[CACHE_ANSWER_MAX];
	struct cache *c = cache_new(10000);
	struct cache_key key;

	(void)state;
	assert_true(cache_key_make(&key, &q));
	cache_put(c, &key, data, answer(data, sizeof(data), &q, DNS_NXDOMAIN, no), T0);
	assert_true(cache_get_above(c, &below, 1, got, T0) > 0);
	cache_put(c, &key, data, answer(data, sizeof(data), &q, 0, yes), T0);
	assert_int_equal(cache_get_above(c, &below, 1, got, T0), 0);
	assert_int_equal(cache_entries(c), 1);
	cache_free(c);
}

static void put_numbered(struct cache *c, unsigned i, struct cache_key *key)
{
	static const struct record records[] = { { 'A', DNS_A, 300, 0 }, { 0, 0, 0, 0 } };
	char name[32];
	uint8_t data[512];
	struct dns_query q;

	snprintf(name, sizeof(name), "host%u.example.com", i);
	q = asked(name, DNS_A);
	assert_true(cache_key_make(key, &q));
	cache_put(c, key, data, answer(data, sizeof(data), &q, 0, records), T0);
}

static void test_bounded(void **state)
{
	enum { ROOM = 20000 };
	struct cache *c = cache_new(ROOM);
	uint8_t got[CACHE_ANSWER_MAX];
	struct cache_key key, first;

	(void)state;
	put_numbered(c, 0, &first);
	for (unsigned i = 1; i < 1000; i++) {
		put_numbered(c, i, &key);
		assert_true(cache_used(c) <= ROOM);
		assert_true(cache_get(c, &first, got, T0) > 0);		/* who is asked for stays */
	}
	assert_in_range(cache_entries(c), 10, ROOM / 100);
	assert_true(cache_get(c, &key, got, T0) > 0);
	put_numbered(c, 1, &key);
	put_numbered(c, 1, &key);		/* in the place of itself */
	cache_resize(c, 0);			/* no room is no cache */
	put_numbered(c, 1, &key);
	assert_int_equal(cache_entries(c) + cache_used(c), 0);
	cache_resize(c, ROOM);
	put_numbered(c, 1, &key);
	assert_int_equal(cache_entries(c), 1);
	cache_clear(c);
	assert_int_equal(cache_entries(c) + cache_used(c), 0);
	cache_free(c);
	cache_free(NULL);
}

/* Cut at each byte, and with each byte changed, an answer is kept or not, and what is given can be read to its end. */
static void test_hostile_answers(void **state)
{
	static const struct record records[] = {
		{ 'A', DNS_A, 300, 0 }, { 'U', DNS_SOA, 900, 60 }, { 'D', DNS_OPT, 0, 0 }, { 0, 0, 0, 0 }
	};
	struct dns_query q = asked("www.example.com", DNS_A);
	uint8_t data[512], bad[512], got[CACHE_ANSWER_MAX];
	size_t size = answer(data, sizeof(data), &q, 0, records);
	struct cache *c = cache_new(100000);
	struct cache_key key;

	(void)state;
	assert_true(cache_key_make(&key, &q));
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);

		memcpy(exact, data, cut);
		cache_put(c, &key, exact, cut, T0);
		assert_int_equal(cache_entries(c), 0);
		free(exact);
	}
	for (size_t at = 4; at < size * 256; at++) {
		memcpy(bad, data, size);
		bad[at % size] = (uint8_t)(at / size);
		cache_put(c, &key, bad, size, T0);
		assert_true(cache_get(c, &key, got, T0 + 1000) <= size);
	}
	cache_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_13_lifetimes),
		cmocka_unit_test(test_dns_13_counted_down),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_rfc8020_names_below),
		cmocka_unit_test(test_rfc8020_name_comes),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_hostile_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
