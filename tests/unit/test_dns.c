// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/dns: what is answered here, how, and what is relayed. IDs are those of the conformance statements. */
#define _GNU_SOURCE
#include "dhcp/dns.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <urcu/urcu-qsbr.h>
#include <cmocka.h>

#include "base/array.h"
#include "dhcp/names_peer.h"

struct bench {
	struct dns_zone zone;
	struct names *names;
	enum dns_outcome outcome;
	int size;
	uint8_t query[512], reply[1500];
	size_t query_size;
};

static void add(struct bench *b, const char *owner, uint16_t type, const char *value)
{
	struct dns_record record;
	struct dns_name n;

	assert_int_equal(dns_owner_parse(&n, owner, &b->zone.origin), 0);
	assert_int_equal(dns_record_parse(&record, type, value, &b->zone.origin), 0);
	assert_int_equal(names_add(b->names, &n, &record), 0);
}

static int setup(void **state)
{
	static struct bench bench;
	struct bench *b = &bench;
	struct prefix4 subnet = { 0x0a4d0000, 24 };

	memset(b, 0, sizeof(*b));
	urcu_qsbr_register_thread();
	assert_int_equal(dns_zone_init(&b->zone, "Lab.internal", subnet, true), 0);
	b->names = names_new(&b->zone.origin);
	assert_non_null(b->names);
	names_set_host(b->names, "web1", 0x0a4d0032);
	add(b, "www", DNS_CNAME, "web1");
	add(b, "blog", DNS_CNAME, "www");
	add(b, "away", DNS_CNAME, "www.example.com");
	add(b, "dead", DNS_CNAME, "missing");
	add(b, "round", DNS_CNAME, "trip");
	add(b, "trip", DNS_CNAME, "round");
	add(b, "@", DNS_MX, "10 mail");
	add(b, "_sip._tcp.lab.internal", DNS_SRV, "0 0 5060 web1");
	add(b, "six", DNS_AAAA, "fd00::1");
	add(b, "pinned.example.com", DNS_A, "10.77.0.9");
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	names_free(b->names);
	urcu_qsbr_barrier();
	urcu_qsbr_unregister_thread();
	return 0;
}

static void write_query(struct bench *b, const char *text, uint16_t type, uint16_t class, uint16_t flags)
{
	struct writer w = writer_init(b->query, sizeof(b->query));
	struct dns_name n;

	assert_int_equal(dns_name_from_text(&n, text), 0);
	write_u16(&w, 0x1234);
	write_u16(&w, flags);
	write_u16(&w, 1);
	write_zeros(&w, 6);
	write_bytes(&w, n.wire, n.size);
	write_u16(&w, type);
	write_u16(&w, class);
	b->query_size = w.pos;
}

static enum dns_outcome send_query(struct bench *b)
{
	b->size = dns_answer(&b->zone, b->names, b->query, b->query_size, false, b->reply, sizeof(b->reply), &b->outcome);
	return b->outcome;
}

static enum dns_outcome ask(struct bench *b, const char *text, uint16_t type)
{
	write_query(b, text, type, DNS_CLASS_IN, DNS_FLAG_RD);
	return send_query(b);
}

static unsigned count(const struct bench *b, unsigned section)
{
	return get_u16(b->reply + 4 + 2 * section);
}

enum { ANSWERS = 1, AUTHORITY = 2, ADDITIONAL = 3 };

static unsigned rcode(const struct bench *b)
{
	return get_u16(b->reply + 2) & DNS_RCODE_MASK;
}

static void test_answers(void **state)
{
	struct bench *b = *state;

	assert_int_equal(ask(b, "web1.lab.internal", DNS_A), DNS_OUT_ANSWER);
	assert_int_equal(get_u16(b->reply), 0x1234);
	assert_int_equal(get_u16(b->reply + 2), DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_RD | DNS_FLAG_RA);
	assert_int_equal(count(b, ANSWERS), 1);
	assert_memory_equal(b->reply + b->size - 4, "\12\115\0\62", 4);
	assert_int_equal(get_u32(b->reply + b->size - 10), 30);		/* a small time to live */
	assert_int_equal(ask(b, "web1", DNS_A), DNS_OUT_ANSWER);		/* bare */
	assert_memory_equal(b->reply + b->size - 4, "\12\115\0\62", 4);
	assert_int_equal(ask(b, "50.0.77.10.in-addr.arpa", DNS_PTR), DNS_OUT_ANSWER);
	assert_memory_equal(b->reply + b->size - 19, "\4web1\3lab\10internal", 19);
	assert_int_equal(ask(b, "lab.internal", DNS_MX), DNS_OUT_ANSWER);
	assert_int_equal(ask(b, "_sip._tcp.lab.internal", DNS_SRV), DNS_OUT_ANSWER);
	assert_int_equal(ask(b, "six", DNS_AAAA), DNS_OUT_ANSWER);
	assert_int_equal(ask(b, "pinned.example.com", DNS_A), DNS_OUT_ANSWER);
	assert_int_equal(ask(b, "lab.internal", DNS_SOA), DNS_OUT_ANSWER);
	assert_int_equal(count(b, ANSWERS), 1);
	write_query(b, "web1.lab.internal", DNS_A, DNS_CLASS_ANY, 0);	/* without RD: local data all the same (DNS-21) */
	assert_int_equal(send_query(b), DNS_OUT_ANSWER);
}

static const struct {
	const char *name;
	uint16_t type;
	enum dns_outcome outcome;
} names[] = {
	/* DNS-32: a name that exists is never said not to */
	{ "web1.lab.internal", DNS_AAAA, DNS_OUT_NODATA }, { "web1", DNS_AAAA, DNS_OUT_NODATA },
	{ "web1.lab.internal", 65280, DNS_OUT_NODATA }, { "six.lab.internal", DNS_A, DNS_OUT_NODATA },
	{ "lab.internal", DNS_A, DNS_OUT_NODATA }, { "lab.internal", DNS_NS, DNS_OUT_ANSWER }, { "10.in-addr.arpa", DNS_NS, DNS_OUT_ANSWER },
	{ "_tcp.lab.internal", DNS_A, DNS_OUT_NODATA }, { "pinned.example.com", DNS_AAAA, DNS_OUT_NODATA },
	{ "www.lab.internal", DNS_AAAA, DNS_OUT_ANSWER },		/* the alias itself */
	{ "missing.lab.internal", DNS_A, DNS_OUT_NXDOMAIN }, { "missing.lab.internal", DNS_AAAA, DNS_OUT_NXDOMAIN },
	{ "a.web1.lab.internal", DNS_A, DNS_OUT_NXDOMAIN }, { "missing", DNS_A, DNS_OUT_NXDOMAIN },
	{ "web1.lab.internal", DNS_AXFR, DNS_OUT_REFUSED }, { "lab.internal", DNS_AXFR, DNS_OUT_REFUSED },
	/* DNS-33: addresses of ours and private ones */
	{ "51.0.77.10.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN }, { "50.0.77.10.in-addr.arpa", DNS_A, DNS_OUT_NODATA },
	{ "0.77.10.in-addr.arpa", DNS_SOA, DNS_OUT_ANSWER }, { "77.10.in-addr.arpa", DNS_PTR, DNS_OUT_NODATA },
	{ "10.in-addr.arpa", DNS_SOA, DNS_OUT_ANSWER }, { "x.10.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN },
	{ "1.2.3.10.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN }, { "5.1.2.3.10.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN },
	{ "1.0.16.172.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN }, { "1.0.31.172.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN },
	{ "1.0.32.172.in-addr.arpa", DNS_PTR, DNS_OUT_RELAY }, { "172.in-addr.arpa", DNS_PTR, DNS_OUT_RELAY },
	{ "1.1.168.192.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN }, { "1.1.254.169.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN },
	{ "1.0.64.100.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN }, { "1.0.128.100.in-addr.arpa", DNS_PTR, DNS_OUT_RELAY },
	{ "1.2.0.192.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN }, { "255.255.255.255.in-addr.arpa", DNS_PTR, DNS_OUT_NODATA },
	{ "1.0.0.127.in-addr.arpa", DNS_PTR, DNS_OUT_ANSWER }, { "1.0.0.127.in-addr.arpa", DNS_A, DNS_OUT_NODATA },
	{ "2.0.0.127.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN },
	{ "8.8.8.8.in-addr.arpa", DNS_PTR, DNS_OUT_RELAY }, { "in-addr.arpa", DNS_SOA, DNS_OUT_RELAY },
	{ "010.1.1.10.in-addr.arpa", DNS_PTR, DNS_OUT_NXDOMAIN }, { "256.1.1.8.in-addr.arpa", DNS_PTR, DNS_OUT_RELAY },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", DNS_PTR, DNS_OUT_NODATA },
	{ "d.f.ip6.arpa", DNS_SOA, DNS_OUT_ANSWER }, { "1.d.f.ip6.arpa", DNS_PTR, DNS_OUT_NODATA },
	{ "8.e.f.ip6.arpa", DNS_PTR, DNS_OUT_NODATA }, { "1.0.0.2.ip6.arpa", DNS_PTR, DNS_OUT_RELAY },
	{ "1.8.b.d.0.1.0.0.2.ip6.arpa", DNS_PTR, DNS_OUT_NODATA }, { "ip6.arpa", DNS_PTR, DNS_OUT_RELAY },
	{ "xx.d.f.ip6.arpa", DNS_PTR, DNS_OUT_NXDOMAIN },
	/* DNS-34: special names */
	{ "localhost", DNS_A, DNS_OUT_ANSWER }, { "x.localhost", DNS_AAAA, DNS_OUT_ANSWER }, { "localhost", DNS_MX, DNS_OUT_NODATA },
	{ "x.invalid", DNS_A, DNS_OUT_NXDOMAIN }, { "x.test", DNS_A, DNS_OUT_NXDOMAIN }, { "x.onion", DNS_A, DNS_OUT_NXDOMAIN },
	{ "x.alt", DNS_A, DNS_OUT_NXDOMAIN }, { "web1.other.internal", DNS_A, DNS_OUT_NXDOMAIN },
	{ "printer.local", DNS_A, DNS_OUT_NXDOMAIN }, { "x.home.arpa", DNS_A, DNS_OUT_NXDOMAIN },
	{ "home.arpa", DNS_A, DNS_OUT_NODATA }, { "_dns.resolver.arpa", 64, DNS_OUT_NXDOMAIN },
	{ "internal", DNS_A, DNS_OUT_NODATA }, { "ipv4only.arpa", DNS_AAAA, DNS_OUT_RELAY }, { "arpa", DNS_NS, DNS_OUT_RELAY },
	{ "arpa", DNS_A, DNS_OUT_NXDOMAIN },
	/* everything else is somebody else's, whatever its type (DNS-01) */
	{ "www.example.com", DNS_A, DNS_OUT_RELAY }, { "www.example.com", 65, DNS_OUT_RELAY },
	{ "www.example.com", 65280, DNS_OUT_RELAY }, { "www.example.com", DNS_ANY, DNS_OUT_RELAY },
	{ ".", DNS_NS, DNS_OUT_RELAY }, { "com", DNS_NS, DNS_OUT_RELAY }, { "com", DNS_DS, DNS_OUT_RELAY },
	{ "com", DNS_A, DNS_OUT_NXDOMAIN }, { "collab.internal.com", DNS_A, DNS_OUT_RELAY },
};

static void test_dns_32_33_34_who_answers(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		enum dns_outcome got = ask(b, names[i].name, names[i].type);

		if (got != names[i].outcome)
			print_message("  %s type %u: %s\n", names[i].name, names[i].type, dns_outcome_name(got));
		assert_int_equal(got, names[i].outcome);
		assert_int_equal(b->size == 0, got == DNS_OUT_RELAY);
		if (got == DNS_OUT_RELAY)
			continue;
		assert_int_equal(rcode(b), got == DNS_OUT_NXDOMAIN ? 3 : got == DNS_OUT_REFUSED ? 5 : 0);
		if (got == DNS_OUT_NODATA || got == DNS_OUT_NXDOMAIN) {
			assert_int_equal(count(b, ANSWERS), 0);
			assert_int_equal(count(b, AUTHORITY), 1);	/* with the SOA that bounds its memory */
			assert_non_null(memmem(b->reply + 12, (size_t)b->size - 12, "\6nobody\7invalid", 16));
		}
	}
}

/* AC-09: an internal network answers its own names and sends nothing outside. */
static void test_internal_network(void **state)
{
	struct bench *b = *state;

	b->zone.relay = false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		enum dns_outcome got = ask(b, names[i].name, names[i].type);

		assert_int_equal(got, names[i].outcome == DNS_OUT_RELAY ? DNS_OUT_REFUSED : names[i].outcome);
		assert_true(b->size >= 12);
	}
	assert_int_equal(ask(b, "www.example.com", DNS_A), DNS_OUT_REFUSED);
	assert_int_equal(get_u16(b->reply + 2) & DNS_FLAG_AA, 0);
}

static void test_dns_21_without_recursion(void **state)
{
	struct bench *b = *state;

	write_query(b, "www.example.com", DNS_A, DNS_CLASS_IN, 0);
	assert_int_equal(send_query(b), DNS_OUT_REFUSED);
	write_query(b, "version.bind", DNS_TXT, 3, DNS_FLAG_RD);		/* another class is none of ours */
	assert_int_equal(send_query(b), DNS_OUT_RELAY);
	write_query(b, "web1.lab.internal", DNS_A, DNS_CLASS_IN, DNS_FLAG_RD | DNS_FLAG_CD | DNS_FLAG_AD);
	send_query(b);
	assert_int_equal(get_u16(b->reply + 2) & (DNS_FLAG_CD | DNS_FLAG_AD), DNS_FLAG_CD);
}

static void test_dns_12_aliases(void **state)
{
	struct bench *b = *state;

	assert_int_equal(ask(b, "www.lab.internal", DNS_A), DNS_OUT_ANSWER);
	assert_int_equal(count(b, ANSWERS), 2);
	assert_memory_equal(b->reply + b->size - 4, "\12\115\0\62", 4);
	assert_int_equal(ask(b, "blog", DNS_A), DNS_OUT_ANSWER);
	assert_int_equal(count(b, ANSWERS), 3);
	assert_int_equal(ask(b, "blog", DNS_CNAME), DNS_OUT_ANSWER);
	assert_int_equal(count(b, ANSWERS), 1);
	assert_int_equal(ask(b, "away", DNS_A), DNS_OUT_ANSWER);
	assert_int_equal(count(b, ANSWERS), 1);
	assert_int_equal(rcode(b), DNS_NOERROR);
	assert_int_equal(ask(b, "dead", DNS_A), DNS_OUT_ANSWER);
	assert_int_equal(rcode(b), DNS_NXDOMAIN);
	assert_int_equal(ask(b, "round", DNS_A), DNS_OUT_SERVFAIL);
	assert_int_equal(rcode(b), DNS_SERVFAIL);
	assert_int_equal(count(b, ANSWERS), 0);
}

/* RFC 4592 2.2.1, with names of ours: what is there, and what there is below it, no wildcard covers */
static const struct {
	const char *name;
	uint16_t type;
	enum dns_outcome outcome;
	unsigned last;			/* byte of the address */
} wild[] = {
	{ "a.web.lab.internal", DNS_A, DNS_OUT_ANSWER, 7 },	{ "B.A.Web.lab.internal", DNS_A, DNS_OUT_ANSWER, 7 },
	{ "a.web.lab.internal", DNS_TXT, DNS_OUT_NODATA, 0 },	{ "web.lab.internal", DNS_A, DNS_OUT_NODATA, 0 },
	{ "own.web.lab.internal", DNS_A, DNS_OUT_ANSWER, 8 },	{ "below.own.web.lab.internal", DNS_A, DNS_OUT_NXDOMAIN, 0 },
	{ "*.web.lab.internal", DNS_A, DNS_OUT_ANSWER, 7 },	{ "x.between.web.lab.internal", DNS_A, DNS_OUT_NXDOMAIN, 0 },
	{ "between.web.lab.internal", DNS_A, DNS_OUT_NODATA, 0 }, { "to.lab.internal", DNS_A, DNS_OUT_NXDOMAIN, 0 },
	{ "x.alias.lab.internal", DNS_A, DNS_OUT_ANSWER, 7 },	{ "a.web", DNS_A, DNS_OUT_RELAY, 0 },
	{ "x.corp.example", DNS_A, DNS_OUT_ANSWER, 9 },		{ "corp.example", DNS_A, DNS_OUT_RELAY, 0 },
};

static void test_dns_36_wildcards(void **state)
{
	struct bench *b = *state;

	assert_false(names_any_wild(b->names));
	add(b, "*.web", DNS_A, "10.77.0.7");
	add(b, "own.web.lab.internal", DNS_A, "10.77.0.8");
	add(b, "deep.between.web.lab.internal", DNS_A, "10.77.0.8");
	add(b, "*.alias", DNS_CNAME, "any.web.lab.internal");
	add(b, "*.corp.example", DNS_A, "10.77.0.9");
	assert_true(names_any_wild(b->names));
	for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
		print_message("  %s type %u\n", wild[i].name, wild[i].type);
		assert_int_equal(ask(b, wild[i].name, wild[i].type), wild[i].outcome);
		if (wild[i].outcome == DNS_OUT_ANSWER)
			assert_int_equal(b->reply[b->size - 1], wild[i].last);
	}
	add(b, "*", DNS_A, "10.77.0.6");
	assert_int_equal(ask(b, "to.lab.internal", DNS_A), DNS_OUT_ANSWER);
	assert_int_equal(b->reply[b->size - 1], 6);
	assert_int_equal(ask(b, "to", DNS_A), DNS_OUT_NXDOMAIN);	/* a bare name is a guest's */
}

/* every_name() - read each name of the answer, compressed ones too; Return: records */
static unsigned every_name(const struct bench *b, const char *last_rdata)
{
	size_t pos = DNS_HEADER_SIZE, size = (size_t)b->size, at;
	struct dns_name name, want;
	struct dns_rr rr;
	unsigned n = 0;

	assert_int_equal(dns_name_from_text(&want, last_rdata), 0);
	assert_int_equal(dns_name_read(&name, b->reply, size, &pos), 0);
	for (pos += 4; pos < size; n++) {
		assert_int_equal(dns_rr_read(&rr, b->reply, size, &pos), 0);
		at = rr.data + (rr.type == DNS_MX ? 2 : 0);
		assert_int_equal(dns_name_read(&name, b->reply, size, &at), 0);
		assert_int_equal(at, pos);
	}
	assert_true(dns_name_equal(&name, &want));
	return n;
}

static void test_dns_36_fifty_records(void **state)
{
	struct bench *b = *state;
	char value[32];

	for (unsigned i = 0; i < 50; i++) {
		snprintf(value, sizeof(value), "%u m%02u", i, i);
		add(b, "@", DNS_MX, value);
	}
	write_query(b, "LAB.internal", DNS_MX, DNS_CLASS_IN, DNS_FLAG_RD);
	b->size = dns_answer(&b->zone, b->names, b->query, b->query_size, true, b->reply, sizeof(b->reply), &b->outcome);
	assert_int_equal(b->outcome, DNS_OUT_ANSWER);
	assert_int_equal(count(b, ANSWERS), 51);
	assert_int_equal(every_name(b, "m49.lab.internal"), 51);
	assert_true(b->size < 30 + 51 * 22);		/* names in it are pointers but for a label */
	assert_int_equal(ask(b, "lab.internal", DNS_MX), DNS_OUT_ANSWER);
	assert_true(get_u16(b->reply + 2) & DNS_FLAG_TC);
	assert_int_equal(ask(b, "lab.internal", DNS_NS), DNS_OUT_ANSWER);
	assert_int_equal(every_name(b, "lab.internal"), 1);
	assert_int_equal(ask(b, "blog.lab.internal", DNS_CNAME), DNS_OUT_ANSWER);
	assert_int_equal(every_name(b, "www.lab.internal"), 1);
}

static void test_dns_14_case(void **state)
{
	struct bench *b = *state;

	assert_int_equal(ask(b, "wEb1.LAB.inTernal", DNS_A), DNS_OUT_ANSWER);
	assert_memory_equal(b->reply + 12, b->query + 12, b->query_size - 12);
	assert_int_equal(ask(b, "NOPE.lab.internal", DNS_A), DNS_OUT_NXDOMAIN);
	assert_memory_equal(b->reply + 12, b->query + 12, b->query_size - 12);
	assert_int_equal(ask(b, "X.LOCALHOST", DNS_A), DNS_OUT_ANSWER);
	assert_int_equal(ask(b, "1.1.168.192.IN-ADDR.ARPA", DNS_PTR), DNS_OUT_NXDOMAIN);
}

static void test_dns_15_any(void **state)
{
	struct bench *b = *state;

	for (unsigned i = 0; i < 40; i++) {
		char value[32];

		snprintf(value, sizeof(value), "10.77.1.%u", i);
		add(b, "many", DNS_A, value);
	}
	assert_int_equal(ask(b, "many", DNS_ANY), DNS_OUT_ANSWER);
	assert_true((size_t)b->size <= 3 * b->query_size);
	assert_int_equal(ask(b, "many", DNS_A), DNS_OUT_ANSWER);		/* DNS-03: what does not fit sets TC */
	assert_true(b->size <= 512);
	assert_int_equal(get_u16(b->reply + 2) & DNS_FLAG_TC, DNS_FLAG_TC);
}

static void add_opt(struct bench *b, uint16_t size, uint8_t version, bool dnssec_ok)
{
	struct writer w = writer_init(b->query + b->query_size, sizeof(b->query) - b->query_size);

	write_u8(&w, 0);
	write_u16(&w, DNS_OPT);
	write_u16(&w, size);
	write_u8(&w, 0);
	write_u8(&w, version);
	write_u16(&w, dnssec_ok ? 0x8000 : 0);
	write_u16(&w, 8);
	write_bytes(&w, "\xfd\xe9\0\4abcd", 8);		/* an unknown option, not to be echoed */
	b->query_size += w.pos;
	put_u16(b->query + 10, get_u16(b->query + 10) + 1);
}

static void test_dns_04_edns(void **state)
{
	struct bench *b = *state;

	write_query(b, "web1.lab.internal", DNS_A, DNS_CLASS_IN, DNS_FLAG_RD);
	add_opt(b, 4096, 0, true);
	assert_int_equal(send_query(b), DNS_OUT_ANSWER);
	assert_int_equal(count(b, ADDITIONAL), 1);
	assert_memory_equal(b->reply + b->size - 11, "\0\0\x29\x04\xd0\0\0\x80\0\0\0", 11);
	write_query(b, "web1.lab.internal", DNS_A, DNS_CLASS_IN, DNS_FLAG_RD);
	add_opt(b, 4096, 1, false);
	assert_int_equal(send_query(b), DNS_OUT_BADVERS);
	assert_memory_equal(b->reply + b->size - 11, "\0\0\x29\x04\xd0\1\0\0\0\0\0", 11);
	assert_int_equal(count(b, ANSWERS), 0);
	add_opt(b, 4096, 0, false);				/* two of them */
	assert_int_equal(send_query(b), DNS_OUT_FORMERR);
	assert_int_equal(b->size, 12);
}

static void test_dns_05_not_queries(void **state)
{
	struct bench *b = *state;

	write_query(b, "web1", DNS_A, DNS_CLASS_IN, DNS_FLAG_QR);
	assert_int_equal(send_query(b), DNS_OUT_DROP);
	assert_true(b->size < 0);
	write_query(b, "web1", DNS_A, DNS_CLASS_IN, 5 << 11);
	assert_int_equal(send_query(b), DNS_OUT_NOTIMP);
	assert_memory_equal(b->reply, "\x12\x34\xa8\x04\0\0", 6);
	write_query(b, "web1", DNS_A, DNS_CLASS_IN, 0);
	put_u16(b->query + 4, 2);
	assert_int_equal(send_query(b), DNS_OUT_FORMERR);
	write_query(b, "web1", DNS_A, DNS_CLASS_IN, 0);
	assert_int_equal(dns_answer(&b->zone, b->names, b->query, b->query_size, false, b->reply, 511, &b->outcome),
			 -EMSGSIZE);
}

static void test_servfail(void **state)
{
	struct bench *b = *state;
	size_t n;

	write_query(b, "Www.example.com", DNS_A, DNS_CLASS_IN, DNS_FLAG_RD);
	add_opt(b, 1232, 0, false);
	n = dns_servfail(b->query, b->query_size, b->reply, sizeof(b->reply));
	assert_true(n > 12);
	assert_int_equal(rcode(b), DNS_SERVFAIL);
	assert_int_equal(count(b, ADDITIONAL), 1);
	assert_int_equal(dns_servfail(b->query, 5, b->reply, sizeof(b->reply)), 0);
}

/* A reverse zone is cut at whole octets, of ours only (DNS-33). */
static const struct {
	const char *subnet, *name;
	enum dns_outcome outcome;
} reverse[] = {
	{ "198.18.2.0/23", "1.3.18.198.in-addr.arpa", DNS_OUT_NXDOMAIN }, { "198.18.2.0/23", "1.4.18.198.in-addr.arpa", DNS_OUT_RELAY },
	{ "198.18.2.128/25", "129.2.18.198.in-addr.arpa", DNS_OUT_NODATA }, { "198.18.2.128/25", "127.2.18.198.in-addr.arpa", DNS_OUT_RELAY },
	{ "198.18.2.4/31", "5.2.18.198.in-addr.arpa", DNS_OUT_NODATA }, { "198.18.0.0/16", "18.198.in-addr.arpa", DNS_OUT_NODATA },
	{ "198.18.0.0/15", "7.7.19.198.in-addr.arpa", DNS_OUT_NXDOMAIN },
};

static void test_dns_33_our_own_range(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(reverse); i++) {
		print_message("  %s %s\n", reverse[i].subnet, reverse[i].name);
		assert_int_equal(prefix4_parse(reverse[i].subnet, &b->zone.subnet), 0);
		assert_int_equal(ask(b, reverse[i].name, DNS_PTR), reverse[i].outcome);
	}
}

/* A table within another: what is its own, what is the other's, and a name that both have records of. */
static void test_within(void **state)
{
	struct bench *b = *state;
	struct names *outer = b->names;

	add(b, "vm", DNS_TXT, "\"of the network\"");
	b->names = names_new_within(outer, true);
	assert_non_null(b->names);
	assert_ptr_equal(names_outer(b->names), outer);
	names_set_host(b->names, "vm", 0x0a4d000f);
	assert_int_equal(ask(b, "vm", DNS_A), DNS_OUT_ANSWER);
	assert_int_equal(ask(b, "vm.lab.internal", DNS_TXT), DNS_OUT_ANSWER);
	assert_int_equal(ask(b, "vm", DNS_AAAA), DNS_OUT_NODATA);
	assert_int_equal(ask(b, "15.0.77.10.in-addr.arpa", DNS_PTR), DNS_OUT_ANSWER);
	assert_int_equal(ask(b, "www", DNS_A), DNS_OUT_ANSWER);
	assert_int_equal(ask(b, "lab.internal", DNS_MX), DNS_OUT_ANSWER);
	assert_int_equal(ask(b, "six", DNS_AAAA), DNS_OUT_ANSWER);
	print_message("  and in the other one there is nothing of it\n");
	names_free(b->names);
	b->names = outer;
	assert_int_equal(ask(b, "vm", DNS_A), DNS_OUT_NODATA);
	assert_int_equal(ask(b, "15.0.77.10.in-addr.arpa", DNS_PTR), DNS_OUT_NXDOMAIN);
}

/* Names of a peer: what is there, and nothing else of it. */
static void test_peers(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		enum dns_outcome with, without;
	} cases[] = {
		{ "db1.far.internal", DNS_A, DNS_OUT_ANSWER, DNS_OUT_NXDOMAIN },
		{ "DB1.Far.Internal", DNS_A, DNS_OUT_ANSWER, DNS_OUT_NXDOMAIN },
		{ "db1.far.internal", DNS_AAAA, DNS_OUT_NODATA, DNS_OUT_NXDOMAIN },
		{ "alias.far.internal", DNS_A, DNS_OUT_ANSWER, DNS_OUT_NXDOMAIN },
		{ "7.0.78.10.in-addr.arpa", DNS_PTR, DNS_OUT_ANSWER, DNS_OUT_NXDOMAIN },
		{ "db2.far.internal", DNS_A, DNS_OUT_NXDOMAIN, DNS_OUT_NXDOMAIN },
		{ "far.internal", DNS_A, DNS_OUT_NXDOMAIN, DNS_OUT_NXDOMAIN },
		{ "db1", DNS_A, DNS_OUT_NXDOMAIN, DNS_OUT_NXDOMAIN },		/* bare names are one's own */
		{ "secret.example.com", DNS_A, DNS_OUT_RELAY, DNS_OUT_RELAY },	/* what the user has the peer told of others' domains */
		{ "web1.lab.internal", DNS_A, DNS_OUT_ANSWER, DNS_OUT_ANSWER },
		{ "web1.far.internal", DNS_A, DNS_OUT_ANSWER, DNS_OUT_NXDOMAIN },
	};
	struct bench *b = *state, far = { .names = NULL };
	struct names_peers *peers = calloc(1, sizeof(*peers));

	assert_non_null(peers);
	assert_int_equal(dns_zone_init(&far.zone, "far.internal", (struct prefix4){ 0x0a4e0000, 24 }, true), 0);
	far.names = names_new(&far.zone.origin);
	names_set_host(far.names, "db1", 0x0a4e0007);
	names_set_host(far.names, "web1", 0x0a4e0008);
	add(&far, "alias", DNS_CNAME, "db1");
	add(&far, "secret.example.com", DNS_A, "10.78.0.9");
	*peers = (struct names_peers){ .n = 1, .of = { { &far.zone, far.names } } };
	for (unsigned with = 0; with < 2; with++) {
		names_set_peers(b->names, with ? peers : NULL);
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			print_message("  %s%s\n", cases[i].name, with ? ", with a peer" : "");
			assert_int_equal(ask(b, cases[i].name, cases[i].type), with ? cases[i].with : cases[i].without);
		}
	}
	names_set_peers(b->names, NULL);
	assert_int_equal(ask(b, "db1.far.internal", DNS_A), DNS_OUT_NXDOMAIN);
	names_free(far.names);
}

static void test_zone_without_domain(void **state)
{
	struct bench *b = *state;
	struct dns_zone zone;
	struct prefix4 none = { 0, 0 };

	assert_int_equal(dns_zone_init(&zone, "a..b", none, true), -EINVAL);
	assert_int_equal(dns_zone_init(&b->zone, "", none, true), 0);
	names_free(b->names);
	b->names = names_new(&b->zone.origin);
	names_set_host(b->names, "web1", 0x0a4d0032);
	assert_int_equal(ask(b, "web1", DNS_A), DNS_OUT_ANSWER);
	assert_int_equal(ask(b, "web1", DNS_AAAA), DNS_OUT_NODATA);
	assert_int_equal(ask(b, "web2", DNS_A), DNS_OUT_NXDOMAIN);
	assert_int_equal(ask(b, "www.example.com", DNS_A), DNS_OUT_RELAY);
}

/* DNS-24: 10,000 names; far more than a worker can be asked. The bound is wide. */
static void test_dns_24_fast(void **state)
{
	struct bench *b = *state;
	struct timespec t0, t1;
	double s;

	for (unsigned i = 0; i < 10000; i++) {
		char host[16];

		snprintf(host, sizeof(host), "h%u", i);
		assert_int_equal(names_set_host(b->names, host, 0x0a000000 + i), 0);
	}
	urcu_qsbr_quiescent_state();
	write_query(b, "h7777.lab.internal", DNS_A, DNS_CLASS_IN, DNS_FLAG_RD);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (unsigned i = 0; i < 100000; i++) {
		uint32_t n = (i * 2654435761u) % 9000 + 1000;

		snprintf((char *)b->query + 14, 5, "%04u", n);
		b->query[18] = 3;
		assert_int_equal(send_query(b), DNS_OUT_ANSWER);
	}
	clock_gettime(CLOCK_MONOTONIC, &t1);
	s = (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
	print_message("  %.0f answers per second\n", 100000 / s);
	assert_true(s < 5);
}

static void test_outcome_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DNS_OUT_COUNT; i++)
		assert_non_null(dns_outcome_name((enum dns_outcome)i));
	assert_string_equal(dns_outcome_name(DNS_OUT_COUNT), "?");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_answers),
		CASE(test_dns_32_33_34_who_answers),
		CASE(test_internal_network),
		CASE(test_dns_21_without_recursion),
		CASE(test_dns_12_aliases),
		CASE(test_dns_36_wildcards), CASE(test_dns_36_fifty_records), CASE(test_dns_14_case),
		CASE(test_dns_15_any),
		CASE(test_dns_04_edns),
		CASE(test_dns_05_not_queries),
		CASE(test_servfail),
		CASE(test_dns_33_our_own_range),
		CASE(test_within), CASE(test_peers), CASE(test_zone_without_domain),
		CASE(test_dns_24_fast),
		CASE(test_outcome_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
