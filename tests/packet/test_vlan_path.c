// SPDX-License-Identifier: GPL-2.0-or-later
/* VLANs from port to port: who gets a frame of which VLAN, with which tag, and which gateway hears of it. */
#include "switch/vlan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/build.h"
#include "switch/station.h"
#include "tests/packet/rig.h"

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t one[6] = { 2, 0, 0, 0, 0, 1 }, two[6] = { 2, 0, 0, 0, 0, 2 };

/* The ports of every case. UNTAGGED: the frame came, or leaves, without a tag; NONE: it does not leave here. */
enum { ACCESS1, ACCESS10, TRUNK, NATIVE, LISTED_NATIVE, PORTS, UNTAGGED = -1, NONE = -2 };

static const struct {
	const char *what;
	unsigned from;
	int tci;			/* of the frame, or UNTAGGED */
	int out[PORTS];			/* TCI with which it leaves each port, UNTAGGED or NONE */
} cases[] = {
	{ "untagged from an access port", ACCESS1, UNTAGGED, { NONE, NONE, 1, UNTAGGED, NONE } },
	{ "untagged from another VLAN's", ACCESS10, UNTAGGED, { NONE, NONE, 10, 10, UNTAGGED } },
	{ "its priority leaves with it", ACCESS10, 0xa000, { NONE, NONE, 0xa00a, 0xa00a, UNTAGGED } },
	{ "a foreign tag on an access port", ACCESS1, 10, { NONE, NONE, NONE, NONE, NONE } },
	{ "its own tag on an access port", ACCESS1, 1, { NONE, NONE, NONE, NONE, NONE } },
	{ "untagged on a trunk without native VLAN", TRUNK, UNTAGGED, { NONE, NONE, NONE, NONE, NONE } },
	{ "VLAN 1 on the trunk", TRUNK, 1, { UNTAGGED, NONE, NONE, UNTAGGED, NONE } },
	{ "VLAN 10 on the trunk, with priority", TRUNK, 0x600a, { NONE, UNTAGGED, NONE, 0x600a, UNTAGGED } },
	{ "VLAN 20 on the trunk", TRUNK, 20, { NONE, NONE, NONE, NONE, 20 } },
	{ "VLAN 21 on the trunk", TRUNK, 21, { NONE, NONE, NONE, NONE, NONE } },
	{ "untagged into the native VLAN", NATIVE, UNTAGGED, { UNTAGGED, NONE, 1, NONE, NONE } },
	{ "the native VLAN's tag where it is not listed", NATIVE, 1, { NONE, NONE, NONE, NONE, NONE } },
	{ "VLAN 10 where 1 is native", NATIVE, 10, { NONE, UNTAGGED, 10, NONE, UNTAGGED } },
	{ "the native VLAN's tag where it is listed", LISTED_NATIVE, 10, { NONE, UNTAGGED, 10, 10, NONE } },
};

struct lan {
	struct rig *rig;
	struct rig_service services[2];		/* of VLAN 1 and VLAN 10 */
	struct segment *segments[2];
	struct rig_port *p[PORTS];
};

static void lan_init(struct lan *l)
{
	static const uint16_t vids[2] = { 1, 10 };
	struct vlan_conf trunk = rig_trunk(0, 10, 10), listed = rig_trunk(10, 10, 20);

	vlan_list(&trunk, 1);
	vlan_list(&trunk, 20);
	l->rig = rig_new();
	rig_net(l->rig, 1500, true);
	for (unsigned i = 0; i < 2; i++) {
		rig_service_init(&l->services[i], VERDICT_CONSUMED_ARP);
		l->services[i].answers = true;
		l->segments[i] = rig_segment(l->rig, 0, vids[i], &l->services[i].service);
	}
	l->p[ACCESS1] = rig_port(l->rig, 0, rig_access(1));
	l->p[ACCESS10] = rig_port(l->rig, 0, rig_access(10));
	l->p[TRUNK] = rig_port(l->rig, 0, trunk);
	l->p[NATIVE] = rig_port(l->rig, 0, rig_trunk(1, 10, 12));
	l->p[LISTED_NATIVE] = rig_port(l->rig, 0, listed);
	rig_publish(l->rig);
}

static void check_out(const struct rig_port *p, int want)
{
	assert_int_equal(p->nsent, want != NONE);
	if (want == NONE)
		return;
	assert_int_equal(p->sent[0].tag_present, want != UNTAGGED);
	assert_int_equal(p->sent[0].tci, want == UNTAGGED ? 0 : want);
	assert_int_equal(p->sent[0].len, ETH_HEADER + 46);
	assert_int_equal(get_u16(p->sent[0].data + 12), 0x1234);
}

static void test_flood(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[128];
		struct lan l;

		print_message("  %s\n", cases[i].what);
		lan_init(&l);
		rig_offer(l.p[cases[i].from], bytes, rig_eth(bytes, everybody, one, cases[i].tci, 0x1234, 46));
		rig_run(l.rig);
		for (unsigned j = 0; j < PORTS; j++)
			check_out(l.p[j], cases[i].out[j]);
		rig_free(l.rig);
	}
}

/* A VLAN learns for itself: an address known in one is unknown in the other. */
static void test_learning_by_vlan(void **state)
{
	uint8_t bytes[128];
	struct lan l;

	(void)state;
	lan_init(&l);
	rig_offer(l.p[ACCESS1], bytes, rig_eth(bytes, everybody, one, -1, 0x1234, 46));
	rig_run(l.rig);
	rig_clear(l.rig);
	rig_offer(l.p[TRUNK], bytes, rig_eth(bytes, one, two, 1, 0x1234, 46));
	rig_run(l.rig);
	check_out(l.p[ACCESS1], UNTAGGED);
	check_out(l.p[NATIVE], NONE);
	rig_clear(l.rig);
	rig_offer(l.p[TRUNK], bytes, rig_eth(bytes, one, two, 10, 0x1234, 46));
	rig_run(l.rig);
	check_out(l.p[ACCESS1], NONE);
	check_out(l.p[ACCESS10], UNTAGGED);
	check_out(l.p[NATIVE], 10);
	rig_free(l.rig);
}

/* Each segment's services see their own VLAN alone, and what they answer leaves with the tag of the port. */
static void test_segments(void **state)
{
	uint8_t bytes[128], untagged[128], zero[6] = { 0 };
	struct station s;
	struct lan l;
	uint32_t len = build_arp(untagged, ARP_REQUEST, one, 0x0a000005, zero, 0x0a000001, everybody);

	(void)state;
	lan_init(&l);
	memcpy(bytes, untagged, 12);
	put_u16(bytes + 12, 0x8100);
	put_u16(bytes + 14, 10);
	memcpy(bytes + 16, untagged + 12, len - 12);
	rig_offer(l.p[NATIVE], bytes, len + 4);
	rig_run(l.rig);
	assert_int_equal(l.services[0].seen, 0);
	assert_int_equal(l.services[1].seen, 1);
	assert_int_equal(l.services[1].last_vid, 10);
	assert_int_equal(l.services[1].taken, 1);
	check_out(l.p[ACCESS1], NONE);
	assert_int_equal(l.p[NATIVE]->nsent, 1);
	assert_int_equal(l.p[NATIVE]->sent[0].tci, 10);
	assert_int_equal(l.p[NATIVE]->sent[0].serial, 0);
	assert_memory_equal(l.p[NATIVE]->sent[0].data, one, 6);
	print_message("  and who asked is noted as a station of that segment\n");
	assert_true(station_find(l.segments[1]->stations, addr4(0x0a000005), &s));
	assert_int_equal(s.port, l.p[NATIVE]->port.id);
	assert_int_equal(s.source, STATION_ARP);
	assert_memory_equal(s.mac, one, 6);
	assert_false(station_find(l.segments[0]->stations, addr4(0x0a000005), &s));
	print_message("  the other VLAN's gateway is no gateway here\n");
	rig_clear(l.rig);
	rig_offer(l.p[ACCESS1], bytes, rig_eth(bytes, l.segments[1]->gateway_mac, two, -1, 0x0800, 46));
	rig_run(l.rig);
	assert_int_equal(rig_verdict(l.p[ACCESS1], VERDICT_FLOODED), 1);
	check_out(l.p[ACCESS10], NONE);
	assert_true(rig_identities(l.rig->nets[0].local));
	rig_free(l.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flood), cmocka_unit_test(test_learning_by_vlan), cmocka_unit_test(test_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
