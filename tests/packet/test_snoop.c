// SPDX-License-Identifier: GPL-2.0-or-later
/* Snooping: what scapy makes of each message is understood, what breaks a rule is not, and multicast goes where it was asked for. */
#include "switch/snoop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "switch/frame.h"
#include "switch/request.h"
#include "tests/packet/rig.h"

enum {
	V2_REPORT, V2_LEAVE, V1_REPORT, V3_JOIN, V3_LEAVE, V3_INCLUDE_NOTHING, V3_SOURCES, V2_QUERY,
	QUERY_OF_NOBODY, V2_REPORT_WITHOUT_ALERT, MLD_REPORT, MLD_DONE, MLD2_REPORT, MLD_QUERY, MLD_REPORT_WITHOUT_ALERT,
};

/* frames - as scapy 2.5 builds them, for 239.1.2.3 and ff05::1234:5678 */
static const struct {
	const char *what;
	enum snoop_kind kind;
	unsigned n;
	bool leaves, router;
	const char *hex;
} frames[] = {
	[V2_REPORT] = { "v2 report", SNOOP_REPORT, 1, false, false,
		"01005e01020302000000000108004600002000010000010229ce0a000005ef010203940400001600f8faef010203" },
	[V2_LEAVE] = { "v2 leave", SNOOP_REPORT, 1, true, false,
		"01005e0102030200000000010800460000200001000001023ad00a000005e0000002940400001700f7faef010203" },
	[V1_REPORT] = { "v1 report", SNOOP_REPORT, 1, false, false,
		"01005e01020302000000000108004500001c000100000102bed60a000005ef0102031200fcfaef010203" },
	[V3_JOIN] = { "v3 join", SNOOP_REPORT, 1, false, false,
		"01005e000016020000000001080046c0002800010000010239f40a000005e0000016940400002200e8f9000000010400"
		"0000ef010203" },
	[V3_LEAVE] = { "v3 leave", SNOOP_REPORT, 1, true, false,
		"01005e000016020000000001080046c0002800010000010239f40a000005e0000016940400002200e9f9000000010300"
		"0000ef010203" },
	[V3_INCLUDE_NOTHING] = { "v3 include nothing", SNOOP_REPORT, 0, false, false,
		"01005e000016020000000001080046c0002800010000010239f40a000005e0000016940400002200ebf9000000010100"
		"0000ef010203" },
	[V3_SOURCES] = { "v3 sources", SNOOP_REPORT, 2, false, false,
		"01005e000016020000000001080046c0003800010000010239e40a000005e0000016940400002200d7d2000000020500"
		"0002ef0102030a0000090a00000804000000ef090909" },
	[V2_QUERY] = { "v2 query", SNOOP_QUERY, 0, false, true,
		"01005e0000010200000000010800460000200001000001023ad10a000005e0000001940400001164ee9b00000000" },
	[QUERY_OF_NOBODY] = { "query of nobody", SNOOP_QUERY, 0, false, false,
		"01005e00000102000000000108004600002000010000010244d600000000e0000001940400001164ee9b00000000" },
	[V2_REPORT_WITHOUT_ALERT] = { "v2 report without alert", SNOOP_NOTHING, 0, false, false,
		"01005e01020302000000000108004500001c000100000102bed60a000005ef0102031600f8faef010203" },
	[MLD_REPORT] = { "mld report", SNOOP_REPORT, 1, false, false,
		"33331234567802000000000186dd6000000000200001fe800000000000000000000000000005ff050000000000000000"
		"0000123456783a000502000001008300aec200000000ff050000000000000000000012345678" },
	[MLD_DONE] = { "mld done", SNOOP_REPORT, 1, true, false,
		"33330000000202000000000186dd6000000000200001fe800000000000000000000000000005ff020000000000000000"
		"0000000000023a000502000001008400167000000000ff050000000000000000000012345678" },
	[MLD2_REPORT] = { "mld2 report", SNOOP_REPORT, 1, false, false,
		"33330000001602000000000186dd6000000000240001fe800000000000000000000000000005ff020000000000000000"
		"0000000000163a000502000001008f0007570000000104000000ff050000000000000000000012345678" },
	[MLD_QUERY] = { "mld query", SNOOP_QUERY, 0, false, true,
		"33330000000102000000000186dd6000000000240001fe800000000000000000000000000005ff020000000000000000"
		"0000000000013a000502000001008200590f271000000000000000000000000000000000000000000000" },
	[MLD_REPORT_WITHOUT_ALERT] = { "mld report without alert", SNOOP_NOTHING, 0, false, false,
		"33331234567802000000000186dd6000000000183a01fe800000000000000000000000000005ff050000000000000000"
		"0000123456788300aec200000000ff050000000000000000000012345678" },
};

static uint32_t bytes_of(unsigned which, uint8_t *to)
{
	const char *hex = frames[which].hex;
	uint32_t n = 0;

	for (; hex[2 * n]; n++) {
		const char pair[3] = { hex[2 * n], hex[2 * n + 1], 0 };

		to[n] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

static void test_parse(void **state)
{
	struct snoop_message m;
	uint8_t data[200];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
		uint32_t len = bytes_of(i, data);

		print_message("  %s\n", frames[i].what);
		snoop_parse(data, len, &m);
		assert_int_equal(m.kind, frames[i].kind);
		assert_int_equal(m.n, frames[i].n);
		assert_int_equal(m.router, frames[i].router);
		if (m.n)
			assert_int_equal(m.leaves[0], frames[i].leaves);
		for (uint32_t cut = 0; cut < len; cut++) {	/* what is cut short is no message, and nothing behind it is read */
			uint8_t *exact = test_malloc(cut + 1);

			memcpy(exact, data, cut);
			snoop_parse(exact, cut, &m);
			assert_int_equal(m.kind, SNOOP_NOTHING);
			test_free(exact);
		}
		for (uint32_t at = data[12] == 0x86 ? 62 : 34; frames[i].kind && at < len; at++) {	/* all is under some sum */
			data[at] ^= 0x10;
			snoop_parse(data, len, &m);
			assert_int_equal(m.kind, SNOOP_NOTHING);
			data[at] ^= 0x10;
		}
	}
}

/* lan - a host at each port; the first sends */
struct lan {
	struct rig *rig;
	struct segment *segment;
	struct requests *requests;
	struct rig_port *p[4];
};

static void lan_init(struct lan *l, bool flood)
{
	l->rig = rig_new();
	rig_net(l->rig, 1500, true);
	l->segment = rig_segment(l->rig, 0, 1, NULL);
	l->segment->has_subnet6 = true;
	l->requests = requests_new();
	l->segment->requests = l->requests;
	l->rig->nets[0].snoop = snoop_new(flood);
	assert_non_null(l->rig->nets[0].snoop);
	for (unsigned i = 0; i < ARRAY_SIZE(l->p); i++)
		l->p[i] = rig_port(l->rig, 0, rig_access(1));
	rig_publish(l->rig);
}

static void lan_free(struct lan *l)
{
	rig_free(l->rig);
	requests_free(l->requests);
}

static void offer(struct lan *l, unsigned from, const uint8_t *frame, uint32_t len, const unsigned want[4])
{
	rig_clear(l->rig);
	rig_offer(l->p[from], frame, len);
	rig_run(l->rig);
	for (unsigned i = 0; i < ARRAY_SIZE(l->p); i++) {
		assert_int_equal(l->p[i]->nsent, want[i]);
		assert_true(rig_identities(&l->p[i]->port));
	}
}

static void say(struct lan *l, unsigned from, unsigned which, const unsigned want[4])
{
	uint8_t frame[200];

	offer(l, from, frame, bytes_of(which, frame), want);
}

static void data(struct lan *l, const uint8_t dst[6], const unsigned want[4])
{
	static const uint8_t src[6] = { 2, 0, 0, 0, 0, 9 };
	uint8_t frame[100];

	offer(l, 0, frame, rig_eth(frame, dst, src, -1, 0x0800, 46), want);
}

#define PORTS(...) ((const unsigned[4]){ __VA_ARGS__ })

static void test_groups(void **state)
{
	static const uint8_t group[6] = { 1, 0, 0x5e, 1, 2, 3 }, group6[6] = { 0x33, 0x33, 0x12, 0x34, 0x56, 0x78 };
	static const uint8_t link[6] = { 1, 0, 0x5e, 0, 0, 251 }, solicited[6] = { 0x33, 0x33, 0xff, 1, 2, 3 }, none[6] = { 1, 0, 0x5e, 9, 9, 9 };
	struct lan l;

	(void)state;
	lan_init(&l, true);
	print_message("  nobody has asked: to all\n");
	data(&l, group, PORTS(0, 1, 1, 1));
	print_message("  a report goes to no host, and from then on the group to who asked alone\n");
	say(&l, 1, V2_REPORT, PORTS(0, 0, 0, 0));
	data(&l, group, PORTS(0, 1, 0, 0));
	say(&l, 3, MLD2_REPORT, PORTS(0, 0, 0, 0));
	data(&l, group6, PORTS(0, 0, 0, 1));
	print_message("  a query goes to all, and makes a router, but one from no address does not\n");
	say(&l, 3, QUERY_OF_NOBODY, PORTS(1, 1, 1, 0));
	data(&l, group, PORTS(0, 1, 0, 0));
	say(&l, 2, V2_QUERY, PORTS(1, 1, 0, 1));
	data(&l, group, PORTS(0, 1, 1, 0));
	say(&l, 3, V3_JOIN, PORTS(0, 0, 1, 0));
	data(&l, group, PORTS(0, 1, 1, 1));
	print_message("  groups of the link go to all, and those that nobody asked for\n");
	data(&l, link, PORTS(0, 1, 1, 1));
	data(&l, solicited, PORTS(0, 1, 1, 1));
	data(&l, none, PORTS(0, 1, 1, 1));
	print_message("  who leaves has the gateway ask again, and a port that is gone is forgotten\n");
	say(&l, 1, V2_LEAVE, PORTS(0, 0, 1, 0));
	{
		struct request r;
		bool asked = false;

		while (request_take(l.requests, &r))
			asked |= r.kind == REQUEST_GROUP_LEFT && r.vid == 1 && addr_4(r.dst) == 0xef010203;
		assert_true(asked);
	}
	snoop_forget_port(l.rig->nets[0].snoop, l.p[3]->port.id);
	data(&l, group, PORTS(0, 1, 1, 0));
	lan_free(&l);
}

static void test_unregistered(void **state)
{
	static const uint8_t none[6] = { 1, 0, 0x5e, 9, 9, 9 }, link[6] = { 1, 0, 0x5e, 0, 0, 251 };
	struct lan l;

	(void)state;
	lan_init(&l, false);
	data(&l, none, PORTS(0, 0, 0, 0));
	data(&l, link, PORTS(0, 1, 1, 1));
	say(&l, 2, MLD_QUERY, PORTS(1, 1, 0, 1));
	data(&l, none, PORTS(0, 0, 1, 0));
	lan_free(&l);
}

/* Our own queries are such as we understand; of both families, about all groups and one. */
static void test_queries(void **state)
{
	struct addr groups[] = { { .bytes = { 0 } }, addr4(0xef010203), { .bytes = { 0xff, 5, [15] = 7 } } };
	struct snoop_message m;
	uint8_t bytes[SNOOP_QUERY_MAX];
	struct lan l;

	(void)state;
	lan_init(&l, true);
	l.segment->gateway6_link = (struct addr){ .bytes = { 0xfe, 0x80, [15] = 1 } };
	for (unsigned i = 0; i < ARRAY_SIZE(groups); i++)
		for (int ip6 = 0; ip6 < 2; ip6++) {
			if (i && (i == 2) != ip6)
				continue;
			snoop_parse(bytes, snoop_query(bytes, l.segment, ip6, groups[i]), &m);
			assert_int_equal(m.kind, SNOOP_QUERY);
			assert_true(m.router);
			assert_int_equal(bytes[0], ip6 ? 0x33 : 1);
		}
	lan_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse), cmocka_unit_test(test_groups), cmocka_unit_test(test_unregistered), cmocka_unit_test(test_queries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
