// SPDX-License-Identifier: GPL-2.0-or-later
/* What other forwarders fell over, once more: each message of a published fault goes through all of our code that such a message meets.
 *
 * Queries go to the responder, answers to what stands between a resolver and the cache. Faults that are of no message (ports that are not
 * random, answers from anywhere, questions asked twice at once) have tests of their own: tests/packet/DNS.md says which.
 */
#include "dhcp/dns.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <urcu/urcu-qsbr.h>
#include <cmocka.h>

#include "base/array.h"
#include "dhcp/cache.h"
#include "dhcp/dns_opt.h"
#include "dhcp/rebind.h"

enum { ROOM = 65536, BIG_QUERY = 5000, CPU_NS_MAX = 20000000 };

static const uint8_t www[] = "\3www\7example\3com\0\0\1\0\1";	/* and a zero more, which is not sent */
enum { WWW = sizeof(www) - 1, AFTER_WWW = DNS_HEADER_SIZE + WWW };

static struct dns_zone zone;
static struct names *names;
static uint8_t room[ROOM];

static void begin(struct writer *w, uint16_t flags, unsigned answers, unsigned authority, unsigned additional)
{
	*w = writer_init(room, sizeof(room));
	write_u16(w, 0x1234);
	write_u16(w, flags);
	write_u16(w, 1);
	write_u16(w, (uint16_t)answers);
	write_u16(w, (uint16_t)authority);
	write_u16(w, (uint16_t)additional);
}

/* ask() - a query for a local name, with as many further records as are said to follow */
static void ask(struct writer *w, const char *name, unsigned additional)
{
	struct dns_name n;

	assert_int_equal(dns_name_from_text(&n, name), 0);
	begin(w, DNS_FLAG_RD, 0, 0, additional);
	write_bytes(w, n.wire, n.size);
	write_u16(w, DNS_A);
	write_u16(w, DNS_CLASS_IN);
}

static void answer(struct writer *w, unsigned answers, unsigned authority, unsigned additional)
{
	begin(w, DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA, answers, authority, additional);
	write_bytes(w, www, WWW);
}

static void head(struct writer *w, uint16_t owner, uint16_t type, uint16_t size)
{
	write_u16(w, owner);
	write_u16(w, type);
	write_u16(w, DNS_CLASS_IN);
	write_u32(w, 300);
	write_u16(w, size);
}

static void opt(struct writer *w, uint16_t udp, uint16_t size)
{
	write_u8(w, 0);
	write_u16(w, DNS_OPT);
	write_u16(w, udp);
	write_u32(w, 0);
	write_u16(w, size);
}

/* ---- queries ---- */

static void huge_query(struct writer *w)
{
	ask(w, "web1.lab.internal", 1);
	opt(w, 4096, BIG_QUERY);
	write_u16(w, 12);
	write_u16(w, BIG_QUERY - 4);
	write_zeros(w, BIG_QUERY - 4);
}

static void many_opts(struct writer *w)
{
	ask(w, "web1.lab.internal", 1000);
	for (unsigned i = 0; i < 1000; i++)
		opt(w, 512, 0);
}

static void opt_beyond(struct writer *w)
{
	ask(w, "web1.lab.internal", 1);
	opt(w, 4096, 0xffff);
}

static void option_beyond(struct writer *w)
{
	ask(w, "web1.lab.internal", 1);
	opt(w, 4096, 4);
	write_u16(w, 8);
	write_u16(w, 0xfff0);
}

static void subnet(struct writer *w)
{
	ask(w, "www.example.com", 1);
	opt(w, 4096, 8);
	write_bytes(w, "\0\x08\0\4\0\1\xff\xff", 8);
}

static void pointer_to_itself(struct writer *w)
{
	begin(w, DNS_FLAG_RD, 0, 0, 0);
	write_bytes(w, "\xc0\x0c\0\1\0\1", 6);
}

static void pointer_ahead(struct writer *w)
{
	begin(w, DNS_FLAG_RD, 0, 0, 0);
	write_bytes(w, "\3www\xc0\x14\0\1\0\1\0", 11);
}

static void label_of_another_sort(struct writer *w)
{
	begin(w, DNS_FLAG_RD, 0, 0, 0);
	write_bytes(w, "\x7fwww\0\0\1\0\1", 9);
}

static void endless_name(struct writer *w)
{
	begin(w, DNS_FLAG_RD, 0, 0, 0);
	for (unsigned i = 0; i < 600; i++)
		write_bytes(w, "\1\xff", 2);
	write_bytes(w, "\0\0\1\0\1", 5);
}

static void many_records(struct writer *w)
{
	ask(w, "many.lab.internal", 0);
}

static const struct {
	const char *cve, *what;
	void (*make)(struct writer *w);
	enum dns_outcome outcome;
} queries[] = {
	{ "2017-13704", "a query larger than any buffer for one", huge_query, DNS_OUT_ANSWER },
	{ "2017-14491", "more records than an answer holds", many_records, DNS_OUT_ANSWER },
	{ "2017-14495", "a thousand OPT records", many_opts, DNS_OUT_FORMERR },
	{ "2017-14496", "an OPT record longer than the message", opt_beyond, DNS_OUT_FORMERR },
	{ "2026-4893", "an option longer than its record", option_beyond, DNS_OUT_FORMERR },
	{ "2025-5994", "a client's subnet", subnet, DNS_OUT_RELAY },
	{ "2020-27009", "a pointer to itself", pointer_to_itself, DNS_OUT_FORMERR },
	{ "2020-27738", "a pointer ahead", pointer_ahead, DNS_OUT_FORMERR },
	{ "2020-15795", "a label longer than there are", label_of_another_sort, DNS_OUT_FORMERR },
	{ "2020-25682", "a name that is escaped beyond its buffer", endless_name, DNS_OUT_FORMERR },
	{ "2026-2291", "the same, in letters that need escapes", endless_name, DNS_OUT_FORMERR },
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void test_queries(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		static uint8_t reply[1500];
		enum dns_outcome outcome;
		uint64_t began = cpu_ns();
		struct writer w;
		uint8_t *exact;
		int n;

		print_message("  CVE-%s: %s\n", queries[i].cve, queries[i].what);
		queries[i].make(&w);
		exact = malloc(w.pos);		/* so that a read behind it is seen */
		memcpy(exact, room, w.pos);
		n = dns_answer(&zone, names, exact, w.pos, false, reply, sizeof(reply), &outcome);
		assert_int_equal(outcome, queries[i].outcome);
		assert_true(n <= DNS_UDP_MAX);
		assert_true(cpu_ns() - began < CPU_NS_MAX);
		free(exact);
	}
}

/* ---- answers ---- */

static void signature_cut(struct writer *w)
{
	enum { RRSIG = 46 };

	answer(w, 2, 0, 0);
	head(w, 0xc00c, DNS_A, 4);
	write_u32(w, 0xcb007107);
	head(w, 0xc00c, RRSIG, 3);		/* of at least nineteen bytes; more labels than the name has */
	write_bytes(w, "\0\1\xff", 3);
}

static void keys_that_collide(struct writer *w)
{
	answer(w, 400, 0, 0);
	for (unsigned i = 0; i < 400; i++) {
		head(w, 0xc00c, DNS_DNSKEY, 8);
		write_bytes(w, "\1\0\3\x0d\0\0\0\0", 8);
	}
}

static void cycle(struct writer *w)
{
	answer(w, 1, 0, 0);
	write_bytes(w, "\1a\xc0", 3);
	write_u8(w, AFTER_WWW);			/* back to that label, for ever */
	write_bytes(w, "\0\1\0\1\0\0\1\x2c\0\4\1\2\3\4", 14);
}

static void many_aliases(struct writer *w)
{
	answer(w, 1000, 0, 0);
	for (unsigned i = 0; i < 1000; i++) {
		head(w, 0xc00c, DNS_CNAME, 2);
		write_u16(w, 0xc00c);
	}
}

/* deep_names() - each owner is a label and a pointer to the one before, so that each is longer to follow than the last */
static void deep_names(struct writer *w)
{
	size_t before = DNS_HEADER_SIZE;

	answer(w, 800, 0, 0);
	for (unsigned i = 0; i < 800; i++) {
		size_t at = w->pos;

		write_bytes(w, "\1a", 2);
		head(w, (uint16_t)(0xc000 | before), DNS_A, 4);
		write_u32(w, 0xcb007107);
		before = at;
	}
}

static void counts_without_records(struct writer *w)
{
	answer(w, 65535, 65535, 65535);
}

static void data_beyond(struct writer *w)
{
	answer(w, 1, 0, 0);
	head(w, 0xc00c, DNS_A, 0xffff);
}

static void other_delegation(struct writer *w)
{
	answer(w, 1, 1, 1);
	head(w, 0xc00c, DNS_A, 4);
	write_u32(w, 0xcb007107);
	head(w, DNS_HEADER_SIZE + 12 + 0xc000, DNS_NS, 6);	/* com. NS evil. */
	write_bytes(w, "\4evil", 6);
	write_bytes(w, "\4evil\0\0\1\0\1\0\0\1\x2c\0\4\6\6\6\6", 20);
}

static void large_promise(struct writer *w)
{
	answer(w, 1, 0, 1);
	head(w, 0xc00c, DNS_A, 4);
	write_u32(w, 0xcb007107);
	opt(w, 4096, 0);
}

static const struct {
	const char *cve, *what;
	void (*make)(struct writer *w);
	bool kept;
} answers[] = {
	{ "2020-25681", "a signature that is cut", signature_cut, true },
	{ "2020-25683", "data longer than the message", data_beyond, false },
	{ "2020-25687", "more records than there are", counts_without_records, false },
	{ "2020-12663", "an owner that leads back to itself; we follow none", cycle, true },
	{ "2020-12662", "a thousand aliases, each of itself", many_aliases, true },
	{ "2024-8508", "names that take long to follow", deep_names, true },
	{ "2023-50387", "keys and keys; we look at none", keys_that_collide, true },
	{ "2025-11411", "a delegation of a name that nobody asked for", other_delegation, true },
	{ "2023-28450", "datagrams of 4,096 bytes", large_promise, true },
};

static struct dns_query asked(const uint8_t *data, size_t size)
{
	struct dns_query q;

	assert_int_equal(dns_query_parse(&q, data, size), 0);
	return q;
}

/* not_learnt() - nothing but the question that was asked has an answer now */
static void not_learnt(struct cache *c)
{
	static uint8_t got[CACHE_ANSWER_MAX];
	static const char *const others[] = { "com", "evil", "example.com" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct dns_query q = { .flags = DNS_FLAG_RD, .class = DNS_CLASS_IN, .type = DNS_NS, .bare = true };
		struct cache_key key;

		assert_int_equal(dns_name_from_text(&q.name, others[i]), 0);
		for (unsigned type = DNS_A; type <= DNS_NS; type++) {
			q.type = (uint16_t)type;
			assert_true(cache_key_make(&key, &q));
			assert_int_equal(cache_get(c, &key, got, 1), 0);
		}
	}
}

static void take(const uint8_t *query, const struct dns_query *q, uint8_t *data, size_t size, bool kept)
{
	static uint8_t got[CACHE_ANSWER_MAX];
	struct rebind rebind = { .protect = true };
	struct cache *c = cache_new(1 << 16);
	struct cache_key key;
	size_t own;

	assert_true(cache_key_make(&key, q));
	assert_true(dns_question_match(query, q, data, size));
	rebind_offends(&rebind, &q->name, data, size);
	own = dns_opt_own(data, size);
	assert_true(own <= size);
	cache_put(c, &key, data, own, 1);
	assert_int_equal(cache_get(c, &key, got, 2) > 0, kept);
	if (kept && get_u16(got + 10) == 1 && own == AFTER_WWW + 16 + 11)	/* large_promise() */
		assert_int_equal(get_u16(got + AFTER_WWW + 16 + 3), DNS_UDP_MAX);
	not_learnt(c);
	cache_free(c);
}

static void test_answers(void **state)
{
	uint8_t query[64];
	struct dns_query q;

	(void)state;
	memcpy(query, "\x12\x34\1\0\0\1\0\0\0\0\0\0", DNS_HEADER_SIZE);
	memcpy(query + DNS_HEADER_SIZE, www, WWW);
	q = asked(query, AFTER_WWW);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		uint64_t began = cpu_ns();
		struct writer w;
		uint8_t *exact;

		print_message("  CVE-%s: %s\n", answers[i].cve, answers[i].what);
		answers[i].make(&w);
		exact = malloc(w.pos);
		memcpy(exact, room, w.pos);
		take(query, &q, exact, w.pos, answers[i].kept);
		assert_true(cpu_ns() - began < CPU_NS_MAX);
		free(exact);
	}
}

/* CVE-2025-5994: queries with a client's subnet are asked one by one, so that a forger may hit any of them; so no answer to one is for others. */
static void test_subnet_is_kept_from_others(void **state)
{
	struct cache_key key;
	struct dns_query q;
	struct writer w;

	(void)state;
	subnet(&w);
	q = asked(room, w.pos);
	assert_true(q.personal);
	assert_false(cache_key_make(&key, &q));
}

static int setup(void **state)
{
	struct prefix4 subnet4 = { 0x0a4d0000, 24 };
	struct dns_name many;
	struct dns_record record;

	(void)state;
	urcu_qsbr_register_thread();
	assert_int_equal(dns_zone_init(&zone, "lab.internal", subnet4, true), 0);
	names = names_new(&zone.origin);
	names_set_host(names, "web1", 0x0a4d0032);
	assert_int_equal(dns_owner_parse(&many, "many", &zone.origin), 0);
	for (unsigned i = 0; i < NAMES_RECORDS_MAX; i++) {
		char ip[IP4_TEXT];

		assert_int_equal(dns_record_parse(&record, DNS_A, ip4_format(0x0a4d0000 + i, ip), &zone.origin), 0);
		assert_int_equal(names_add(names, &many, &record), 0);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	names_free(names);
	urcu_qsbr_barrier();
	urcu_qsbr_unregister_thread();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queries), cmocka_unit_test(test_answers), cmocka_unit_test(test_subnet_is_kept_from_others),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
