// SPDX-License-Identifier: GPL-2.0-or-later
/* The snapshot's lookups, and the counters beside it. */
#include "switch/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "switch/local.h"
#include "switch/port.h"
#include "switch/stats.h"
#include "switch/subnets.h"
#include "switch/verdict.h"
#include "tests/packet/rig.h"

/* plan - two networks: lab with VLAN 1 (10.77.0.0/24) and VLAN 10 without a subnet, other with VLAN 1 (10.78.0.0/16) */
static struct snapshot *plan(void)
{
	struct snapshot *s = snapshot_new(4, 2);

	assert_non_null(s);
	for (unsigned i = 0; i < 2; i++) {
		struct net_view *net = &s->nets[i];

		net->net_id = i + 1;
		net->segments = calloc(2, sizeof(*net->segments));
		net->members = calloc(2, sizeof(*net->members));
		net->nsegments = i ? 1 : 2;
		for (unsigned j = 0; j < 2; j++)
			net->segments[j] = (struct segment){ .net = net, .vid = j ? 10 : 1, .has_subnet = !j };
	}
	s->nets[0].segments[0].subnet = (struct prefix4){ 0x0a4d0000, 24 };
	s->nets[1].segments[0].subnet = (struct prefix4){ 0x0a4e0000, 16 };
	return s;
}

enum { NETS = 60, ASKED = 20000 };

/* random_net() - one of a few places, so that networks of mode nat lie within one another, and some have IPv6 */
static void random_net(struct net_view *net, unsigned i)
{
	bool alone = i % 3 == 0;
	uint8_t len = alone ? (uint8_t)(8 + rand() % 20) : 24;

	net->net_id = i + 1;
	net->nsegments = alone ? 3 : 1 + i % 2;
	net->segments = calloc(net->nsegments, sizeof(*net->segments));
	net->members = calloc(1, sizeof(*net->members));
	for (unsigned j = 0; j < net->nsegments; j++) {
		static const struct port_view view;
		uint32_t addr = alone ? 0x0a000000u | (uint32_t)(rand() % 4) << 8 : 0x0b000000u | (2 * i + j) << 8;

		net->segments[j] = (struct segment){
			.net = net, .vid = (uint16_t)(1 + j), .only = alone ? &view : NULL, .has_subnet = rand() % 8 != 0,
			.subnet = { addr & ~(0xffffffffu >> len), len }, .has_subnet6 = i % 2,
			.subnet6 = { { .bytes = { 0xfd, (uint8_t)i, (uint8_t)j } }, 64 },
		};
		if (j && alone)
			net->segments[j] = net->segments[0], net->segments[j].vid = (uint16_t)(1 + j);
	}
}

static bool holds(const struct segment *seg, struct addr a)
{
	return seg && segment_has(seg, a);
}

/* The sorted table finds a segment whenever a walk over all of them does, though within one another it may be another one. */
static void test_sorted(void **state)
{
	struct snapshot *s = snapshot_new(1, NETS);
	unsigned found = 0;

	(void)state;
	srand(7);
	for (unsigned i = 0; i < NETS; i++)
		random_net(&s->nets[i], i);
	for (unsigned i = 0; i < ASKED; i++) {
		const struct net_view *net = &s->nets[rand() % NETS];
		const struct segment *except = i % 2 ? &net->segments[rand() % (int)net->nsegments] : NULL, *walked, *sorted;
		struct addr a = i % 5 ? addr4((i % 2 ? 0x0a000000u : 0x0b000000u) | (uint32_t)rand() % 0x8000) :
				(struct addr){ .bytes = { 0xfd, (uint8_t)(rand() % NETS), (uint8_t)(rand() % 3), [15] = 9 } };

		walked = segment_for_addr(s, a, except);
		s->subnets = subnets_new(s);
		sorted = segment_for_addr(s, a, except);
		subnets_free(s->subnets);
		s->subnets = NULL;
		assert_int_equal(walked != NULL, sorted != NULL);
		assert_true(!sorted || (holds(sorted, a) && !segment_same(sorted, except)));
		found += sorted != NULL;
	}
	assert_in_range(found, ASKED / 10, ASKED * 9 / 10);
	snapshot_free(s);
}

static void test_segments(void **state)
{
	struct snapshot *s = plan(), *t = plan();
	const struct segment *lab = &s->nets[0].segments[0], *other = &s->nets[1].segments[0];

	(void)state;
	assert_ptr_equal(segment_of(&s->nets[0], 1), lab);
	assert_ptr_equal(segment_of(&s->nets[0], 10), lab + 1);
	assert_null(segment_of(&s->nets[0], 2));
	assert_null(segment_of(&s->nets[1], 10));
	assert_ptr_equal(segment_for_addr(s, addr4(0x0a4d0005), NULL), lab);
	assert_ptr_equal(segment_for_addr(s, addr4(0x0a4e1234), lab), other);
	assert_null(segment_for_addr(s, addr4(0x0a4d0005), lab));
	assert_null(segment_for_addr(s, addr4(0x0a4d0105), NULL));
	assert_null(segment_for_addr(s, addr4(0), NULL));	/* a segment without a subnet holds no address */
	print_message("  a segment is the same in the next snapshot\n");
	assert_null(segment_for_addr(t, addr4(0x0a4d0005), lab));
	assert_ptr_equal(segment_for_addr(t, addr4(0x0a4d0005), other), &t->nets[0].segments[0]);
	snapshot_free(s);
	snapshot_free(t);
}

/* Ports that are alone have segments of one subnet, whose numbers no tag can say. */
static void test_alone(void **state)
{
	enum { PORTS = 500 };
	struct snapshot *s = snapshot_new(PORTS, 2);
	struct net_view *net = &s->nets[0];

	(void)state;
	*net = (struct net_view){ .net_id = 1, .nsegments = PORTS };
	s->nets[1].net_id = 2;
	net->segments = calloc(PORTS, sizeof(*net->segments));
	for (unsigned i = 0; i < PORTS; i++) {
		net->segments[i] = (struct segment){
			.net = net, .vid = (uint16_t)(VID_ALONE_FIRST + 3 * i), .only = &s->ports[i], .has_subnet = true,
			.subnet = { 0x0a000200, 24 }, .gateway = 0x0a000202, .dns = 0x0a000203,
		};
		s->ports[i] = (struct port_view){ .net = net, .own = &net->segments[i] };
	}
	for (unsigned i = 0; i < PORTS; i++) {
		assert_ptr_equal(segment_of(net, (uint16_t)(VID_ALONE_FIRST + 3 * i)), &net->segments[i]);
		assert_null(segment_of(net, (uint16_t)(VID_ALONE_FIRST + 3 * i + 1)));
		assert_ptr_equal(segment_at(&s->ports[i], VID_DEFAULT), &net->segments[i]);
	}
	assert_null(segment_of(net, VID_DEFAULT));
	assert_null(segment_of(net, UINT16_MAX));
	assert_null(segment_of(&s->nets[1], VID_DEFAULT));
	print_message("  to each other they are no other network; to anybody else they are one\n");
	assert_null(segment_for_addr(s, addr4(0x0a00020f), &net->segments[7]));
	assert_non_null(segment_for_addr(s, addr4(0x0a00020f), NULL));
	assert_true(segment_is_gateway(&net->segments[0], addr4(0x0a000203)) && segment_is_dns(&net->segments[0], addr4(0x0a000203)));
	assert_false(segment_is_dns(&net->segments[0], addr4(0x0a000202)));
	snapshot_free(s);
}

static void test_life(void **state)
{
	struct snapshot *empty = snapshot_new(0, 0);
	struct rig *rig;

	(void)state;
	assert_non_null(empty);
	assert_null(segment_for_addr(empty, addr4(1), NULL));
	snapshot_free(empty);
	snapshot_free(NULL);
	snapshot_release(NULL);
	rig = rig_new();		/* registers the thread */
	snapshot_release(plan());
	rig_free(rig);			/* waits; the address sanitizer sees what would be left */
}

/* Every counter of every worker is summed, to the last verdict. */
static void test_stats(void **state)
{
	enum { WORKERS = 3 };
	struct port *port = local_new(WORKERS);
	struct port_stats sum;

	(void)state;
	assert_non_null(port);
	for (unsigned w = 0; w < WORKERS; w++) {
		struct port_stats *s = &port->stats[w];

		counter_add(&s->rx_frames, 1);
		counter_add(&s->made, 10);
		counter_add(&s->segments, 100 * (w + 1));
		for (unsigned v = 0; v < VERDICT_COUNT; v++) {
			counter_add(&s->verdicts[v], v);
			counter_add(&s->served[v], 2 * v + w);
		}
	}
	memset(&sum, 0xee, sizeof(sum));
	stats_sum(port->stats, WORKERS, &sum);
	assert_int_equal(counter_get(&sum.rx_frames), 3);
	assert_int_equal(counter_get(&sum.rx_bytes), 0);
	assert_int_equal(counter_get(&sum.made), 30);
	assert_int_equal(counter_get(&sum.segments), 600);
	for (unsigned v = 0; v < VERDICT_COUNT; v++) {
		assert_int_equal(counter_get(&sum.verdicts[v]), 3 * v);
		assert_int_equal(counter_get(&sum.served[v]), 6 * v + 3);
	}
	port->ops->free(port);
}

/* Programs read the names: they are words, they differ, and none is without a meaning. */
static void test_verdict_names(void **state)
{
	(void)state;
	for (unsigned v = 0; v < VERDICT_COUNT; v++) {
		const char *name = verdict_name((enum verdict)v);

		assert_true(name[0] != '\0' && verdict_meaning((enum verdict)v)[0] != '\0');
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		for (unsigned u = 0; u < v; u++)
			assert_string_not_equal(name, verdict_name((enum verdict)u));
	}
	assert_string_equal(verdict_name(VERDICT_COUNT), "unknown");
	assert_string_equal(verdict_meaning(VERDICT_COUNT), "");
	assert_false(verdict_is_drop(VERDICT_CONSUMED_REFUSED));
	assert_true(verdict_is_drop(VERDICT_DROP_RUNT) && verdict_is_drop(VERDICT_DROP_NO_MEMORY));
}

/* A guest's segment follows from its port and its address; one whose segment went, or is not the port's, is nobody's. */
static void test_guests(void **state)
{
	static const struct addr local = { .bytes = { 0xfe, 0x80, [15] = 9 } };
	struct snapshot *s = plan();
	struct segment *lab = s->nets[0].segments;
	struct port_view access = { .net = &s->nets[0], .vlan = { .pvid = 1 } }, other = { .net = &s->nets[0], .vlan = { .pvid = 10 } };
	struct port_view trunk = { .net = &s->nets[0], .vlan = { .trunk = true, .pvid = 10 } };

	(void)state;
	lab[1].has_subnet = true;
	lab[1].subnet = (struct prefix4){ 0x0a4d0a00, 24 };
	vlan_list(&trunk.vlan, 1);
	assert_ptr_equal(segment_with(&access, addr4(0x0a4d0005)), lab);
	assert_null(segment_with(&access, addr4(0x0a4d0a05)));
	assert_ptr_equal(segment_with(&other, addr4(0x0a4d0a05)), lab + 1);
	assert_ptr_equal(segment_with(&trunk, addr4(0x0a4d0005)), lab);
	assert_ptr_equal(segment_with(&trunk, addr4(0x0a4d0a05)), lab + 1);
	assert_null(segment_with(&trunk, addr4(0x0a4d1405)));	/* not the native VLAN's: it is of none */
	assert_ptr_equal(segment_with(&trunk, local), lab + 1);
	assert_ptr_equal(segment_home(&trunk), lab + 1);
	print_message("  a trunk without a native VLAN is at home in the first that it carries\n");
	trunk.vlan.pvid = 0;
	assert_ptr_equal(segment_home(&trunk), lab);
	other.vlan.pvid = 20;
	assert_null(segment_home(&other));
	access.own = lab + 1;
	assert_ptr_equal(segment_with(&access, addr4(0x0a4d0005)), lab + 1);
	snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments), cmocka_unit_test(test_sorted), cmocka_unit_test(test_alone), cmocka_unit_test(test_guests), cmocka_unit_test(test_life), cmocka_unit_test(test_stats),
		cmocka_unit_test(test_verdict_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
