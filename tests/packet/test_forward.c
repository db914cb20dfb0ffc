// SPDX-License-Identifier: GPL-2.0-or-later
/* Given these ports and this frame: which ports send it, with which tag, and what is the verdict? */
#include "switch/forward.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/build.h"
#include "switch/fdb.h"
#include "switch/station.h"
#include "tests/packet/rig.h"

enum { PAYLOAD = 46, MTU = 1500 };

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* mac() - the station number @n; good until the eighth call after this one */
static const uint8_t *mac(uint8_t n)
{
	static uint8_t macs[8][6];
	static unsigned turn;
	uint8_t *m = macs[turn++ % ARRAY_SIZE(macs)];

	memset(m, 0, 6);
	m[0] = 2;
	m[5] = n;
	return m;
}

/* from() - a frame of @payload bytes from @p, moved at once */
static void from_sized(struct rig_port *p, const uint8_t *dst, const uint8_t *src, int tci, uint32_t payload)
{
	uint8_t bytes[4096];

	rig_offer(p, bytes, rig_eth(bytes, dst, src, tci, 0x1234, payload));
	rig_run(p->rig);
}

static void from(struct rig_port *p, const uint8_t *dst, const uint8_t *src, int tci)
{
	from_sized(p, dst, src, tci, PAYLOAD);
}

/* lan - a network of access ports on VLAN 1, its gateway's services played by @service */
struct lan {
	struct rig *rig;
	unsigned net;
	struct rig_service service;
	struct rig_port *p[4];
};

static void lan_init(struct lan *l, bool gateway)
{
	l->rig = rig_new();
	l->net = rig_net(l->rig, MTU, gateway);
	rig_service_init(&l->service, VERDICT_CONSUMED_DHCP);
	if (gateway)
		rig_segment(l->rig, l->net, 1, &l->service.service);
	for (unsigned i = 0; i < ARRAY_SIZE(l->p); i++)
		l->p[i] = rig_port(l->rig, l->net, rig_access(1));
	rig_publish(l->rig);
}

/* lan_check() - what was sent by each port since the last check, and that the counters' identities hold */
static void lan_check(struct lan *l, unsigned a, unsigned b, unsigned c, unsigned d)
{
	const unsigned want[4] = { a, b, c, d };

	for (unsigned i = 0; i < ARRAY_SIZE(l->p); i++) {
		assert_int_equal(l->p[i]->nsent, want[i]);
		assert_true(rig_identities(&l->p[i]->port));
	}
	rig_clear(l->rig);
}

static void test_learning(void **state)
{
	struct lan l;

	(void)state;
	lan_init(&l, false);
	print_message("  unknown unicast goes to all others, once, and never back\n");
	from(l.p[0], mac(2), mac(1), -1);
	lan_check(&l, 0, 1, 1, 1);
	assert_int_equal(rig_verdict(l.p[0], VERDICT_FLOODED), 1);
	print_message("  the answer goes to the one station\n");
	from(l.p[1], mac(1), mac(2), -1);
	lan_check(&l, 1, 0, 0, 0);
	from(l.p[0], mac(2), mac(1), -1);
	lan_check(&l, 0, 1, 0, 0);
	print_message("  broadcast and multicast go to all others\n");
	from(l.p[0], everybody, mac(1), -1);
	lan_check(&l, 0, 1, 1, 1);
	from(l.p[0], (const uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }, mac(1), -1);
	lan_check(&l, 0, 1, 1, 1);
	print_message("  a station that lives on the port of the sender is left alone\n");
	from(l.p[0], mac(1), mac(3), -1);
	lan_check(&l, 0, 0, 0, 0);
	assert_int_equal(rig_verdict(l.p[0], VERDICT_DROP_HAIRPIN), 1);
	print_message("  a station that moves is followed\n");
	from(l.p[2], mac(9), mac(2), -1);
	rig_clear(l.rig);
	from(l.p[0], mac(2), mac(1), -1);
	lan_check(&l, 0, 0, 1, 0);
	rig_free(l.rig);
}

static const struct {
	const char *what;
	uint8_t dst[6], src[6];
	uint16_t type;
	enum verdict verdict;
} refused[] = {
	{ "a group as source", { 2, 0, 0, 0, 0, 2 }, { 3, 0, 0, 0, 0, 1 }, 0x800, VERDICT_DROP_SOURCE },
	{ "broadcast as source", { 2, 0, 0, 0, 0, 2 }, { 255, 255, 255, 255, 255, 255 }, 0x800, VERDICT_DROP_SOURCE },
	{ "zero as source", { 2, 0, 0, 0, 0, 2 }, { 0 }, 0x800, VERDICT_DROP_SOURCE },
	{ "the gateway's address as source", { 2, 0, 0, 0, 0, 2 }, { 2, 0x67, 0x77, 0, 0, 1 }, 0x800,
	  VERDICT_DROP_SPOOFED_GATEWAY },
	{ "spanning tree", { 1, 0x80, 0xc2, 0, 0, 0 }, { 2, 0, 0, 0, 0, 1 }, 0x26, VERDICT_DROP_RESERVED },
	{ "LLDP", { 1, 0x80, 0xc2, 0, 0, 14 }, { 2, 0, 0, 0, 0, 1 }, 0x88cc, VERDICT_DROP_RESERVED },
	{ "the last of the reserved block", { 1, 0x80, 0xc2, 0, 0, 15 }, { 2, 0, 0, 0, 0, 1 }, 0x800, VERDICT_DROP_RESERVED },
	{ "the first behind it is a group like others", { 1, 0x80, 0xc2, 0, 0, 16 }, { 2, 0, 0, 0, 0, 1 }, 0x800,
	  VERDICT_FLOODED },
	{ "a pause frame", { 2, 0, 0, 0, 0, 2 }, { 2, 0, 0, 0, 0, 1 }, 0x8808, VERDICT_DROP_RESERVED },
	{ "an address beside the gateway's", { 2, 0, 0, 0, 0, 2 }, { 2, 0x67, 0x77, 0, 0, 2 }, 0x800, VERDICT_FLOODED },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		uint8_t bytes[128];
		struct lan l;
		bool passes = refused[i].verdict == VERDICT_FLOODED;

		print_message("  %s\n", refused[i].what);
		lan_init(&l, true);
		rig_offer(l.p[0], bytes, rig_eth(bytes, refused[i].dst, refused[i].src, -1, refused[i].type, PAYLOAD));
		rig_run(l.rig);
		assert_int_equal(rig_verdict(l.p[0], refused[i].verdict), 1);
		lan_check(&l, 0, passes, passes, passes);
		assert_int_equal(fdb_count(l.rig->nets[0].fdb, l.p[0]->port.id), passes);	/* what is refused teaches nothing */
		rig_free(l.rig);
	}
}

static void test_sizes(void **state)
{
	struct lan l;

	(void)state;
	lan_init(&l, false);
	print_message("  as long as the MTU allows\n");
	from_sized(l.p[0], everybody, mac(1), -1, MTU);
	lan_check(&l, 0, 1, 1, 1);
	print_message("  with a tag it may be four bytes longer\n");
	from_sized(l.p[0], everybody, mac(1), 0, MTU);
	lan_check(&l, 0, 1, 1, 1);
	print_message("  one byte more\n");
	from_sized(l.p[0], everybody, mac(1), -1, MTU + 1);
	lan_check(&l, 0, 0, 0, 0);
	assert_int_equal(rig_verdict(l.p[0], VERDICT_DROP_OVERSIZE), 1);
	print_message("  runts\n");
	for (uint32_t len = 0; len < ETH_HEADER; len++)
		rig_offer(l.p[0], everybody, MIN_OF(len, 6u));
	rig_run(l.rig);
	assert_int_equal(rig_verdict(l.p[0], VERDICT_DROP_RUNT), ETH_HEADER);
	print_message("  a header alone is a frame\n");
	from_sized(l.p[0], everybody, mac(1), -1, 0);
	lan_check(&l, 0, 1, 1, 1);
	rig_free(l.rig);
}

static void test_links(void **state)
{
	struct lan l;

	(void)state;
	lan_init(&l, false);
	from(l.p[1], everybody, mac(2), -1);
	rig_clear(l.rig);
	l.p[1]->link_up = false;
	rig_publish(l.rig);
	print_message("  nothing is flooded to a port whose link is down\n");
	from(l.p[0], everybody, mac(1), -1);
	lan_check(&l, 0, 0, 1, 1);
	print_message("  nor sent to a station there\n");
	from(l.p[0], mac(2), mac(1), -1);
	assert_int_equal(l.p[1]->nsent, 0);
	rig_clear(l.rig);
	print_message("  and what comes from there is dropped\n");
	from(l.p[1], everybody, mac(2), -1);
	lan_check(&l, 0, 0, 0, 0);
	assert_int_equal(rig_verdict(l.p[1], VERDICT_DROP_LINK_DOWN), 1);
	print_message("  alone on the VLAN\n");
	l.p[2]->link_up = l.p[3]->link_up = false;
	rig_publish(l.rig);
	from(l.p[0], everybody, mac(1), -1);
	assert_int_equal(rig_verdict(l.p[0], VERDICT_DROP_NO_DESTINATION), 1);
	print_message("  the link comes back, and the station is where it was\n");
	l.p[1]->link_up = true;
	rig_publish(l.rig);
	from(l.p[0], mac(2), mac(1), -1);
	lan_check(&l, 0, 1, 0, 0);
	rig_free(l.rig);
}

static bool refuses(struct rig_port *p, const struct tx_frame *f, unsigned i)
{
	(void)p, (void)f;
	return i % 2;			/* every other one of a burst, the first one not */
}

static void test_refusing_port(void **state)
{
	uint8_t bytes[128];
	struct port_stats s;
	struct lan l;

	(void)state;
	lan_init(&l, false);
	from(l.p[1], everybody, mac(2), -1);
	rig_clear(l.rig);
	l.p[1]->takes = refuses;
	for (unsigned i = 0; i < 10; i++)
		rig_offer(l.p[0], bytes, rig_eth(bytes, mac(2), mac(1), -1, 0x1234, PAYLOAD + i));
	rig_run(l.rig);
	assert_int_equal(rig_verdict(l.p[0], VERDICT_FORWARDED), 5);
	assert_int_equal(rig_verdict(l.p[0], VERDICT_DROP_TX), 5);
	s = rig_stats(&l.p[1]->port);
	assert_int_equal(s.queued, 10);
	assert_int_equal(s.tx_frames, 5);
	assert_int_equal(s.tx_drops, 5);
	assert_int_equal(s.tx_bytes, 5 * (ETH_HEADER + PAYLOAD) + 1 + 3 + 5 + 7 + 9);
	lan_check(&l, 0, 5, 0, 0);
	print_message("  a flooded frame is flooded, whoever refuses\n");
	from(l.p[0], everybody, mac(1), -1);
	assert_int_equal(rig_verdict(l.p[0], VERDICT_FLOODED), 1);
	lan_check(&l, 0, 0, 1, 1);
	rig_free(l.rig);
}

/* Order from one port to another is kept over several bursts, whatever goes between. */
static void test_order(void **state)
{
	uint8_t bytes[256];
	struct lan l;
	uint32_t last = 0;

	(void)state;
	lan_init(&l, false);
	from(l.p[1], everybody, mac(2), -1);
	rig_clear(l.rig);
	for (unsigned i = 0; i < 1000; i++)
		rig_offer(l.p[0], bytes, rig_eth(bytes, i % 3 ? mac(2) : everybody, mac(1), -1, 0x1234, i % 90));
	rig_run(l.rig);
	assert_int_equal(l.p[1]->nsent, 1000);
	assert_int_equal(l.p[2]->nsent, 334);
	for (unsigned i = 0; i < l.p[1]->nsent; i++) {
		assert_true(l.p[1]->sent[i].serial > last);
		last = l.p[1]->sent[i].serial;
	}
	rig_free(l.rig);
}

/* More destinations than there are lists (OUT_LISTS): nothing is lost, doubled or out of order. */
static void test_many_ports(void **state)
{
	enum { MANY = 3 * OUT_LISTS, FRAMES = 100 };
	struct rig *rig = rig_new();
	struct rig_port *p[MANY];
	uint8_t bytes[128];

	(void)state;
	rig_net(rig, MTU, false);
	for (unsigned i = 0; i < MANY; i++)
		p[i] = rig_port(rig, 0, rig_access(1));
	rig_publish(rig);
	for (unsigned i = 0; i < FRAMES; i++)
		rig_offer(p[0], bytes, rig_eth(bytes, everybody, mac(1), -1, 0x1234, PAYLOAD));
	rig_run(rig);
	for (unsigned i = 1; i < MANY; i++) {
		assert_int_equal(p[i]->nsent, FRAMES);
		for (unsigned j = 0; j < FRAMES; j++)
			assert_int_equal(p[i]->sent[j].serial, j + 1);
	}
	assert_int_equal(p[0]->nsent, 0);
	rig_free(rig);
}

/* Networks share a worker and nothing else: equal addresses on both, and not a frame crosses. */
static void test_two_networks(void **state)
{
	struct rig *rig = rig_new();
	struct rig_port *p[2][2];

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		rig_net(rig, MTU, false);
		p[n][0] = rig_port(rig, n, rig_access(1));
		p[n][1] = rig_port(rig, n, rig_access(1));
	}
	rig_publish(rig);
	from(p[0][0], everybody, mac(1), -1);
	assert_int_equal(p[0][1]->nsent, 1);
	assert_int_equal(p[1][0]->nsent + p[1][1]->nsent, 0);
	from(p[1][0], mac(1), mac(2), -1);	/* known there, unknown here */
	assert_int_equal(p[1][1]->nsent, 1);
	assert_int_equal(p[0][0]->nsent, 0);
	rig_free(rig);
}

/* A table that names a port which has left, or whose id another network has now, makes a flood and not a leak. */
static void test_stale_destination(void **state)
{
	struct rig *rig = rig_new();
	struct rig_port *a, *b, *other;

	(void)state;
	rig_net(rig, MTU, false);
	rig_net(rig, MTU, false);
	a = rig_port(rig, 0, rig_access(1));
	b = rig_port(rig, 0, rig_access(1));
	other = rig_port(rig, 1, rig_access(1));
	rig_publish(rig);
	fdb_learn(rig->nets[0].fdb, 1, mac(7), other->port.id, worker_now_ms(rig->w));
	fdb_learn(rig->nets[0].fdb, 1, mac(8), 200, worker_now_ms(rig->w));
	from(a, mac(7), mac(1), -1);
	from(a, mac(8), mac(1), -1);
	assert_int_equal(other->nsent, 0);
	assert_int_equal(b->nsent, 2);
	fdb_learn(rig->nets[0].fdb, 1, mac(9), b->port.id, worker_now_ms(rig->w));
	rig_remove(b);
	from(a, mac(9), mac(1), -1);
	assert_int_equal(rig_verdict(a, VERDICT_DROP_NO_DESTINATION), 1);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learning),      cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sizes),	      cmocka_unit_test(test_links),
		cmocka_unit_test(test_refusing_port), cmocka_unit_test(test_order),
		cmocka_unit_test(test_many_ports),    cmocka_unit_test(test_two_networks),
		cmocka_unit_test(test_stale_destination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
