// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/dns_name, dns_message, dns_record: bytes of DNS. IDs are those of the conformance statements. */
#include "dhcp/dns_record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

#define B(s) (const uint8_t *)(s), sizeof(s) - 1

#define HEAD(flags, qd, an, ns, ar) "\x12\x34" flags qd an ns ar
#define QUERY HEAD("\1\0", "\0\1", "\0\0", "\0\0", "\0\0")
#define QUERY_EDNS HEAD("\1\0", "\0\1", "\0\0", "\0\0", "\0\1")
#define NAME "\4web1\3lab\10internal\0"
#define ASK_A NAME "\0\1\0\1"
#define OPT "\0\0\x29\x04\xd0\0\0\0\0\0\0"
#define OPT_DO "\0\0\x29\x10\0\0\0\x80\0\0\0"
#define OPT_V1 "\0\0\x29\x04\xd0\0\1\0\0\0\0"
#define RR_A "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\1\2\3\4"

static const struct {
	const char *what;
	const uint8_t *data;
	size_t size;
	int rc;
} queries[] = {
	{ "plain",			B(QUERY ASK_A), 0 },
	{ "with EDNS",			B(QUERY_EDNS ASK_A OPT), 0 },
	{ "bytes behind the last record are let pass", B(QUERY ASK_A "zz"), 0 },
	{ "the root",			B(QUERY "\0\0\2\0\1"), 0 },
	{ "records in other sections",	B(HEAD("\1\0", "\0\1", "\0\1", "\0\1", "\0\0") ASK_A RR_A RR_A), 0 },
	{ "DNS-05 empty",		B(""), -EBADMSG },
	{ "DNS-05 shorter than a header", B("\x12\x34\1\0\0\1\0\0\0\0\0"), -EBADMSG },
	{ "DNS-05 a response",		B(HEAD("\x81\0", "\0\1", "\0\0", "\0\0", "\0\0") ASK_A), -EBADMSG },
	{ "DNS-05 status",		B(HEAD("\x10\0", "\0\1", "\0\0", "\0\0", "\0\0") ASK_A), -ENOTSUP },
	{ "DNS-05 notify",		B(HEAD("\x20\0", "\0\1", "\0\0", "\0\0", "\0\0") ASK_A), -ENOTSUP },
	{ "DNS-05 update",		B(HEAD("\x28\0", "\0\1", "\0\0", "\0\0", "\0\0") ASK_A), -ENOTSUP },
	{ "DNS-05 no question",		B(HEAD("\1\0", "\0\0", "\0\0", "\0\0", "\0\0")), -EPROTO },
	{ "DNS-05 two questions",	B(HEAD("\1\0", "\0\2", "\0\0", "\0\0", "\0\0") ASK_A ASK_A), -EPROTO },
	{ "DNS-06 65,535 of everything in an empty packet", B(HEAD("\1\0", "\xff\xff", "\xff\xff", "\xff\xff", "\xff\xff")), -EPROTO },
	{ "DNS-06 65,535 records that are not there", B(HEAD("\1\0", "\0\1", "\xff\xff", "\xff\xff", "\xff\xff") ASK_A), -EPROTO },
	{ "DNS-06 question points to itself", B(QUERY "\xc0\x0c\0\1\0\1"), -EPROTO },
	{ "DNS-06 question points forward", B(QUERY "\xc0\x10\0\0\0\0\0\0\0\0"), -EPROTO },
	{ "DNS-06 question points into the header", B(QUERY "\xc0\x04\0\1\0\1"), -EPROTO },
	{ "DNS-06 half a pointer",	B(QUERY "\xc0"), -EPROTO },
	{ "DNS-06 label of 64",		B(QUERY "\x40" "0123456789012345678901234567890123456789012345678901234567890123\0\0\1\0\1"), -EPROTO },
	{ "DNS-06 label type 10",	B(QUERY "\x80\0\0\1\0\1"), -EPROTO },
	{ "DNS-06 label past the end",	B(QUERY "\x20web"), -EPROTO },
	{ "DNS-06 no final zero",	B(QUERY "\4web1"), -EPROTO },
	{ "DNS-06 no type",		B(QUERY NAME), -EPROTO },
	{ "DNS-06 half a class",	B(QUERY NAME "\0\1\0"), -EPROTO },
	{ "DNS-06 record data past the end", B(QUERY_EDNS ASK_A "\0\0\x10\0\1\0\0\0\0\0\x09zz"), -EPROTO },
	{ "DNS-06 record owner points forward", B(QUERY_EDNS ASK_A "\xc0\x40\0\1\0\1\0\0\0\0\0\0"), -EPROTO },
	{ "DNS-06 record owner points to itself", B(QUERY_EDNS ASK_A "\xc0\x23\0\1\0\1\0\0\0\0\0\0"), -EPROTO },
	{ "DNS-04 two OPT records",	B(HEAD("\1\0", "\0\1", "\0\0", "\0\0", "\0\2") ASK_A OPT OPT), -EPROTO },
	{ "DNS-04 OPT among the answers", B(HEAD("\1\0", "\0\1", "\0\1", "\0\0", "\0\0") ASK_A OPT), -EPROTO },
	{ "DNS-04 OPT with an owner",	B(QUERY_EDNS ASK_A "\1a\0\0\x29\x04\xd0\0\0\0\0\0\0"), -EPROTO },
	{ "DNS-04 unknown option",	B(QUERY_EDNS ASK_A "\0\0\x29\x04\xd0\0\0\0\0\0\6\xfd\xe9\0\2zz"), 0 },
	{ "DNS-04 option past its record", B(QUERY_EDNS ASK_A "\0\0\x29\x04\xd0\0\0\0\0\0\6\xfd\xe9\0\3zz"), -EPROTO },
};

static void test_dns_05_06_queries(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		struct dns_query q;

		print_message("  %s\n", queries[i].what);
		assert_int_equal(dns_query_parse(&q, queries[i].data, queries[i].size), queries[i].rc);
	}
}

static void test_query_fields(void **state)
{
	char text[DNS_NAME_TEXT];
	struct dns_query q;

	(void)state;
	assert_int_equal(dns_query_parse(&q, B(QUERY_EDNS "\4WeB1\0\0\x1c\0\1" OPT_DO)), 0);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.flags, DNS_FLAG_RD);
	assert_int_equal(q.type, DNS_AAAA);
	assert_int_equal(q.class, DNS_CLASS_IN);
	assert_int_equal(q.question_size, 10);
	assert_true(q.edns && q.dnssec_ok);
	assert_int_equal(q.edns_size, 4096);
	assert_string_equal(dns_name_to_text(&q.name, text), "WeB1");
	assert_int_equal(dns_reply_limit(&q), 1232);
	q.edns_size = 100;
	assert_int_equal(dns_reply_limit(&q), 512);
	assert_int_equal(dns_query_parse(&q, B(QUERY_EDNS ASK_A OPT_V1)), 0);
	assert_int_equal(q.edns_version, 1);
}

/* Each pointer goes back, and each by two bytes: the longest chain a message can hold ends at once. */
static void test_dns_06_chain_of_pointers(void **state)
{
	static uint8_t data[32768];
	struct dns_name name;
	size_t pos = 14;

	(void)state;
	memset(data, 0, sizeof(data));
	while (pos + 2 < 0x3fff) {
		data[pos] = (uint8_t)(0xc0 | (pos - 2) >> 8);
		data[pos + 1] = (uint8_t)(pos - 2);
		pos += 2;
	}
	pos -= 2;
	assert_int_equal(dns_name_read(&name, data, sizeof(data), &pos), 0);
	assert_int_equal(name.size, 1);
	pos = 20;
	memcpy(data + 20, "\3www\xc0\x14", 6);		/* www, and again from its own beginning */
	assert_int_equal(dns_name_read(&name, data, sizeof(data), &pos), -EBADMSG);
}

static void test_dns_06_name_over_255(void **state)
{
	uint8_t data[400] = { 0 };
	struct dns_name name;
	size_t pos;

	(void)state;
	for (unsigned labels = 126; labels <= 129; labels++) {	/* two bytes each and the zero: 127 make 255 */
		memset(data, 0, sizeof(data));
		for (unsigned i = 0; i < labels; i++)
			memcpy(data + 12 + 2 * i, "\1a", 2);
		pos = 12;
		assert_int_equal(dns_name_read(&name, data, sizeof(data), &pos), labels <= 127 ? 0 : -EBADMSG);
		pos = 12;
		assert_int_equal(dns_name_skip(data, sizeof(data), &pos), labels <= 127 ? 0 : -EBADMSG);
		if (labels <= 127)
			assert_int_equal(pos, 12 + 2 * labels + 1);
	}
}

static const struct {
	const char *text;
	int rc;
	const char *back;
} names[] = {
	{ "web1.lab.internal", 0, "web1.lab.internal" }, { "web1.lab.internal.", 0, "web1.lab.internal" }, { ".", 0, "" },
	{ "_sip._tcp.lab", 0, "_sip._tcp.lab" }, { "", -EINVAL, NULL }, { "a..b", -EINVAL, NULL }, { ".a", -EINVAL, NULL },
	{ "..", -EINVAL, NULL }, { "a b", -EINVAL, NULL }, { "a\\b", -EINVAL, NULL }, { "\xc3\xa9", -EINVAL, NULL },
	{ "0123456789012345678901234567890123456789012345678901234567890123", -EINVAL, NULL },
};

static void test_names_as_text(void **state)
{
	char text[DNS_NAME_TEXT], longest[300];
	struct dns_name n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(dns_name_from_text(&n, names[i].text), names[i].rc);
		if (!names[i].rc)
			assert_string_equal(dns_name_to_text(&n, text), names[i].back);
	}
	for (size_t size = 250; size < 258; size++) {
		for (size_t i = 0; i < size; i++)
			longest[i] = i % 2 ? '.' : 'a';
		longest[size] = '\0';
		assert_int_equal(dns_name_from_text(&n, longest), size <= 254 ? 0 : -EINVAL);
	}
	n = (struct dns_name){ .size = 5, .wire = "\3a.\1" };
	assert_string_equal(dns_name_to_text(&n, text), "a\\046\\001");
	memset(n.wire, 0x80, 255);
	for (unsigned i = 0; i < 255; i += 64)
		n.wire[i] = 63;
	n.wire[192] = 61;
	n.wire[254] = 0;
	assert_int_equal(strlen(dns_name_to_text(&n, text)), 250 * 4 + 3);
}

static void test_names_compared(void **state)
{
	struct dns_name a, b, zone;

	(void)state;
	dns_name_from_text(&a, "Web1.LAB.internal");
	dns_name_from_text(&b, "web1.lab.internal");
	assert_true(dns_name_equal(&a, &b));
	dns_name_lower(&a);
	assert_memory_equal(a.wire, b.wire, b.size);
	dns_name_from_text(&zone, "lab.internal");
	assert_true(dns_name_below(&b, &zone));
	assert_true(dns_name_below(&zone, &zone));
	assert_false(dns_name_below(&zone, &b));
	dns_name_from_text(&a, "web1.collab.internal");		/* the same bytes, not the same labels */
	assert_false(dns_name_below(&a, &zone));
	assert_false(dns_name_equal(&a, &b));
	assert_int_equal(dns_name_labels(&b), 3);
	dns_name_strip(&a, &b, 1);
	assert_true(dns_name_equal(&a, &zone));
	dns_name_strip(&a, &b, 3);
	assert_int_equal(a.size, 1);
	dns_name_reverse4(&a, 0x0a4d0032);
	dns_name_from_text(&b, "50.0.77.10.in-addr.arpa");
	assert_true(dns_name_equal(&a, &b));
}

static void test_dns_04_reply(void **state)
{
	uint8_t data[1500], big[600] = { 0 };
	struct dns_reply r;
	struct dns_query q;
	struct dns_name owner;
	size_t n;

	(void)state;
	assert_int_equal(dns_query_parse(&q, B(QUERY ASK_A)), 0);
	dns_reply_begin(&r, &q, data, sizeof(data));
	dns_reply_record(&r, false, NULL, DNS_A, 30, (const uint8_t *)"\12\115\0\144", 4);
	n = dns_reply_end(&r);
	assert_int_equal(n, 12 + q.question_size + 16);
	assert_memory_equal(data, "\x12\x34\x81\x80\0\1\0\1\0\0\0\0", 12);	/* no OPT when none was sent */
	assert_memory_equal(data + 12, ASK_A, q.question_size);
	assert_memory_equal(data + 12 + q.question_size, "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\12\115\0\144", 16);

	dns_name_from_text(&owner, "LAB.internal");				/* what the question ends with */
	dns_reply_begin(&r, &q, data, sizeof(data));
	dns_reply_record(&r, true, &owner, DNS_A, 30, big, 4);
	dns_name_from_text(&owner, "other.internal");
	dns_reply_record(&r, true, &owner, DNS_A, 30, big, 4);
	n = dns_reply_end(&r);
	assert_int_equal(data[9], 2);
	assert_memory_equal(data + 12 + q.question_size, "\xc0\x11", 2);
	assert_int_equal(data[12 + q.question_size + 16], 5);

	dns_reply_begin(&r, &q, data, sizeof(data));
	dns_reply_record(&r, false, NULL, DNS_TXT, 30, big, 600);		/* over 512 */
	dns_reply_record(&r, false, NULL, DNS_A, 30, big, 4);			/* nothing behind it */
	n = dns_reply_end(&r);
	assert_int_equal(n, 12 + q.question_size);
	assert_int_equal(data[2] & 2, 2);					/* TC */

	assert_int_equal(dns_query_parse(&q, B(QUERY_EDNS ASK_A OPT_DO)), 0);
	dns_reply_begin(&r, &q, data, sizeof(data));
	dns_reply_record(&r, false, NULL, DNS_TXT, 30, big, 600);
	r.rcode = DNS_BADVERS;
	n = dns_reply_end(&r);
	assert_int_equal(data[2] & 2, 0);
	assert_int_equal(data[3] & 15, 0);
	assert_memory_equal(data + n - 11, "\0\0\x29\x04\xd0\1\0\x80\0\0\0", 11);
	for (unsigned i = 0; i < 3; i++)
		dns_reply_record(&r, false, NULL, DNS_TXT, 30, big, 600);
	assert_true(r.w.pos <= DNS_UDP_MAX);
	assert_int_equal(dns_reply_error(&q, DNS_FORMERR, data, 11), 0);
	assert_int_equal(dns_reply_error(&q, DNS_FORMERR, data, 12), 12);
	assert_memory_equal(data, "\x12\x34\x81\x01\0\0\0\0\0\0\0\0", 12);
}

static const struct {
	const char *what;
	const uint8_t *data;
	size_t size;
	bool match;
} replies[] = {
	{ "the same question",		B(HEAD("\x81\x80", "\0\1", "\0\1", "\0\0", "\0\0") ASK_A RR_A), true },
	{ "in other letters",		B(HEAD("\x81\x80", "\0\1", "\0\0", "\0\0", "\0\0") "\4WEB1\3Lab\10internal\0\0\1\0\1"), true },
	{ "another name",		B(HEAD("\x81\x80", "\0\1", "\0\0", "\0\0", "\0\0") "\4web2\3lab\10internal\0\0\1\0\1"), false },
	{ "another type",		B(HEAD("\x81\x80", "\0\1", "\0\0", "\0\0", "\0\0") NAME "\0\x1c\0\1"), false },
	{ "another class",		B(HEAD("\x81\x80", "\0\1", "\0\0", "\0\0", "\0\0") NAME "\0\1\0\3"), false },
	{ "a query",			B(QUERY ASK_A), false },
	{ "an answer to an update",	B(HEAD("\xa9\x80", "\0\1", "\0\0", "\0\0", "\0\0") ASK_A), false },
	{ "no question",		B(HEAD("\x81\x80", "\0\0", "\0\0", "\0\0", "\0\0") ASK_A), false },
	{ "cut off",			B(HEAD("\x81\x80", "\0\1", "\0\0", "\0\0", "\0\0") NAME "\0\1\0"), false },
	{ "a header",			B(HEAD("\x81\x80", "\0\1", "\0\0", "\0\0", "\0\0")), false },
	{ "a longer name",		B(HEAD("\x81\x80", "\0\1", "\0\0", "\0\0", "\0\0") "\1a" ASK_A), false },
};

static void test_dns_09_question_match(void **state)
{
	static const char query[] = QUERY ASK_A;
	struct dns_query q;

	(void)state;
	assert_int_equal(dns_query_parse(&q, B(query)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		print_message("  %s\n", replies[i].what);
		assert_int_equal(
			dns_question_match((const uint8_t *)query, &q, replies[i].data, replies[i].size),
			replies[i].match);
	}
}

static const struct {
	const char *type, *value;
	const uint8_t *rdata;
	size_t size;			/* 0: refused */
} records[] = {
	{ "A", "10.77.0.50", B("\12\115\0\62") },
	{ "a", "10.77.0.256", NULL, 0 },
	{ "AAAA", "fd00::1", B("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1") },
	{ "AAAA", "10.77.0.1", NULL, 0 },
	{ "CNAME", "web", B("\3web\3lab\10internal\0") },
	{ "CNAME", "www.example.com", B("\3www\7example\3com\0") },
	{ "CNAME", "@", B("\3lab\10internal\0") },
	{ "CNAME", "a b", NULL, 0 },
	{ "PTR", "web", B("\3web\3lab\10internal\0") },
	{ "MX", "10 mail", B("\0\12\4mail\3lab\10internal\0") },
	{ "MX", "mail", NULL, 0 }, { "MX", "10", NULL, 0 }, { "MX", "70000 mail", NULL, 0 }, { "MX", "-1 mail", NULL, 0 },
	{ "MX", "10 ", NULL, 0 }, { "MX", "123456 mail", NULL, 0 },
	{ "SRV", "0 5 5060 sip.", B("\0\0\0\5\x13\xc4\3sip\0") },
	{ "SRV", "0 5 sip", NULL, 0 },
	{ "TXT", "v=1 a b", B("\7v=1 a b") },
	{ "TXT", "", B("\0") },
};

static void test_dns_36_records(void **state)
{
	struct dns_name origin;
	struct dns_record r;
	char text[1200];
	uint16_t type;

	(void)state;
	dns_name_from_text(&origin, "lab.internal");
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		print_message("  %s %s\n", records[i].type, records[i].value);
		assert_int_equal(dns_type_parse(records[i].type, &type), 0);
		assert_int_equal(dns_record_parse(&r, type, records[i].value, &origin),
				 records[i].size ? 0 : -EINVAL);
		if (!records[i].size)
			continue;
		assert_int_equal(r.type, type);
		assert_int_equal(r.size, records[i].size);
		assert_memory_equal(r.rdata, records[i].rdata, r.size);
	}
	assert_int_equal(dns_type_parse("SOA", &type), -EINVAL);
	assert_string_equal(dns_type_name(DNS_SRV), "SRV");
	assert_null(dns_type_name(DNS_SOA));
	assert_int_equal(dns_record_parse(&r, DNS_SOA, "x", &origin), -EINVAL);
	memset(text, 'x', sizeof(text));
	text[300] = '\0';
	assert_int_equal(dns_record_parse(&r, DNS_TXT, text, &origin), 0);
	assert_int_equal(r.size, 302);			/* 255 and 45 */
	assert_int_equal(r.rdata[256], 45);
	text[300] = 'x';
	text[1100] = '\0';
	assert_int_equal(dns_record_parse(&r, DNS_TXT, text, &origin), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_05_06_queries),
		cmocka_unit_test(test_query_fields),
		cmocka_unit_test(test_dns_06_chain_of_pointers),
		cmocka_unit_test(test_dns_06_name_over_255),
		cmocka_unit_test(test_names_as_text),
		cmocka_unit_test(test_names_compared),
		cmocka_unit_test(test_dns_04_reply),
		cmocka_unit_test(test_dns_09_question_match),
		cmocka_unit_test(test_dns_36_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
