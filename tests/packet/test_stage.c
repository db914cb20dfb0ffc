// SPDX-License-Identifier: GPL-2.0-or-later
/* Stages of ports: isolated ports reach everybody but one another, whichever way a frame finds its port. */
#include "switch/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "switch/build.h"
#include "tests/packet/rig.h"

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t macs[4][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 }, { 2, 0, 0, 0, 0, 3 }, { 2, 0, 0, 0, 0, 4 } };

/* lan - ports 0 and 1 are isolated, 2 and 3 are not; a gateway on VLAN 1 */
struct lan {
	struct rig *rig;
	struct rig_service service;
	struct segment *segment;
	struct rig_port *p[4];
};

static void lan_init(struct lan *l)
{
	l->rig = rig_new();
	rig_net(l->rig, 1500, true);
	rig_service_init(&l->service, VERDICT_CONSUMED_ARP);
	l->service.answers = true;
	l->segment = rig_segment(l->rig, 0, 1, &l->service.service);
	for (unsigned i = 0; i < ARRAY_SIZE(l->p); i++) {
		l->p[i] = rig_port(l->rig, 0, rig_access(1));
		l->p[i]->stages_out = i < 2 ? STAGE_ISOLATED : 0;
	}
	rig_publish(l->rig);
}

static void from(struct lan *l, unsigned sender, const uint8_t *dst, unsigned times)
{
	uint8_t bytes[64];
	uint32_t len = rig_eth(bytes, dst, macs[sender], -1, 0x1234, 46);

	rig_clear(l->rig);
	for (unsigned i = 0; i < times; i++)
		rig_offer(l->p[sender], bytes, len);
	rig_run(l->rig);
}

static void check(struct lan *l, const unsigned want[4])
{
	for (unsigned i = 0; i < ARRAY_SIZE(l->p); i++) {
		assert_int_equal(l->p[i]->nsent, want[i]);
		assert_true(rig_identities(&l->p[i]->port));
	}
	assert_true(rig_identities(l->rig->nets[0].local));
}

static void test_isolated_flood(void **state)
{
	struct lan l;

	(void)state;
	lan_init(&l);
	print_message("  a flood from an isolated port passes the other one by\n");
	from(&l, 0, everybody, 1);
	check(&l, (unsigned[]){ 0, 0, 1, 1 });
	assert_int_equal(rig_verdict(l.p[0], VERDICT_FLOODED), 1);
	print_message("  one from a port that is not isolated reaches all\n");
	from(&l, 2, everybody, 1);
	check(&l, (unsigned[]){ 1, 1, 0, 1 });
	print_message("  where nobody else is, the flood was refused, and says so\n");
	l.p[2]->link_up = l.p[3]->link_up = false;
	l.rig->nets[0].nsegments = 0;
	rig_publish(l.rig);
	from(&l, 0, everybody, 1);
	check(&l, (unsigned[]){ 0, 0, 0, 0 });
	assert_int_equal(rig_verdict(l.p[0], VERDICT_DROP_ISOLATED), 1);
	l.rig->nets[0].nsegments = 1;
	rig_free(l.rig);
}

static void test_isolated_unicast(void **state)
{
	struct lan l;

	(void)state;
	lan_init(&l);
	for (unsigned i = 0; i < 4; i++)
		from(&l, i, everybody, 1);
	print_message("  a known station of the other isolated port is out of reach, every frame of a train\n");
	from(&l, 0, macs[1], 5);
	check(&l, (unsigned[]){ 0, 0, 0, 0 });
	assert_int_equal(rig_verdict(l.p[0], VERDICT_DROP_ISOLATED), 5);
	print_message("  others are not, in either direction\n");
	from(&l, 0, macs[2], 5);
	check(&l, (unsigned[]){ 0, 0, 5, 0 });
	from(&l, 2, macs[0], 5);
	check(&l, (unsigned[]){ 5, 0, 0, 0 });
	from(&l, 2, macs[3], 5);
	check(&l, (unsigned[]){ 0, 0, 0, 5 });
	print_message("  the setting may change at any time\n");
	l.p[1]->stages_out = 0;
	rig_publish(l.rig);
	from(&l, 0, macs[1], 2);
	check(&l, (unsigned[]){ 0, 2, 0, 0 });
	rig_free(l.rig);
}

/* The gateway is no isolated port: it is asked, and answers. */
static void test_isolated_gateway(void **state)
{
	uint8_t bytes[64], zero[6] = { 0 };
	struct lan l;

	(void)state;
	lan_init(&l);
	rig_offer(l.p[0], bytes, build_arp(bytes, ARP_REQUEST, macs[0], 0x0a000005, zero, 0x0a000001, everybody));
	rig_run(l.rig);
	assert_int_equal(l.service.seen, 1);
	assert_int_equal(l.service.taken, 1);
	check(&l, (unsigned[]){ 1, 0, 1, 1 });
	from(&l, 0, l.segment->gateway_mac, 1);
	assert_int_equal(rig_verdict(l.p[0], VERDICT_CONSUMED_ARP) + rig_verdict(l.p[0], VERDICT_DROP_NOT_IP), 1);
	rig_free(l.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_isolated_flood), cmocka_unit_test(test_isolated_unicast),
		cmocka_unit_test(test_isolated_gateway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
