// SPDX-License-Identifier: GPL-2.0-or-later
/* A port that is given every frame: what goes to others it gets once, what is flooded not twice, what the gateway makes like the rest; and what
 * became of a frame is as without it. */
#include "switch/forward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "switch/guard.h"
#include "switch/loop.h"
#include "switch/stage.h"
#include "tests/packet/rig.h"

enum { FRAME_ROOM = 600, ETHERTYPE_TEST = 0x1234 };

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t mine[6] = { 2, 0, 0, 0, 0, 1 }, other[6] = { 2, 0, 0, 0, 0, 2 };

/* lan - VLAN 1 with a gateway; @all is given every frame, @me may send from its own address alone */
struct lan {
	struct rig *rig;
	struct rig_service service;
	struct rig_port *me, *other, *all;
	uint8_t gateway[6];
};

static void lan_init(struct lan *l)
{
	struct guard_conf own = { .flags = GUARD_OWN_MAC, .nmacs = 1 };

	memcpy(own.macs[0], mine, 6);
	l->rig = rig_new();
	rig_net(l->rig, 1500, true);
	rig_service_init(&l->service, VERDICT_COUNT);
	rig_segment(l->rig, 0, 1, &l->service.service);
	rig_gateway_mac(0, 1, l->gateway);
	l->me = rig_port(l->rig, 0, rig_access(1));
	l->other = rig_port(l->rig, 0, rig_access(1));
	l->all = rig_port(l->rig, 0, rig_access(1));
	l->me->guard = guard_new(&own);
	l->me->stages_in = STAGE_GUARD;
	l->all->promiscuous = true;
	rig_publish(l->rig);
}

/* sends() - Return: which ports were given the frame: 1 me, 2 other, 4 all; twice is too often */
static unsigned sends(struct lan *l, struct rig_port *from, const uint8_t *dst, const uint8_t *src)
{
	uint8_t frame[FRAME_ROOM];

	rig_clear(l->rig);
	rig_offer(from, frame, rig_eth(frame, dst, src, -1, ETHERTYPE_TEST, 46));
	rig_run(l->rig);
	assert_true(l->me->nsent <= 1 && l->other->nsent <= 1 && l->all->nsent <= 1);
	return l->me->nsent + 2 * l->other->nsent + 4 * l->all->nsent;
}

static void test_guests(void **state)
{
	struct lan l;

	(void)state;
	lan_init(&l);
	assert_int_equal(sends(&l, l.other, everybody, other), 1 + 4);
	assert_int_equal(sends(&l, l.me, other, mine), 2 + 4);
	assert_int_equal(rig_verdict(l.me, VERDICT_FORWARDED), 1);
	print_message("  to the gateway\n");
	assert_int_equal(sends(&l, l.me, l.gateway, mine), 4);
	print_message("  what is dropped it does not see, and of other VLANs nothing\n");
	assert_int_equal(sends(&l, l.me, other, everybody), 0);
	assert_int_equal(sends(&l, l.me, everybody, other), 0);
	assert_int_equal(rig_verdict(l.me, VERDICT_DROP_FORGED_MAC), 1);
	l.all->vlan = rig_access(7);
	rig_publish(l.rig);
	assert_int_equal(sends(&l, l.me, other, mine), 2);
	assert_true(rig_identities(&l.all->port));
	assert_true(rig_identities(&l.me->port));
	rig_free(l.rig);
}

/* emits() - the same of a frame that the gateway makes, for @to alone or (NULL) for whom it is addressed to */
static unsigned emits(struct lan *l, struct rig_port *to, uint8_t *data, uint32_t len)
{
	struct frame made;

	frame_init(&made, data, len);
	made.vid = 1;
	rig_clear(l->rig);
	if (to)
		assert_true(worker_emit_to(l->rig->w, l->rig->nets[0].local->id, to->port.id, &made));
	else
		assert_int_equal(worker_emit(l->rig->w, l->rig->nets[0].local->id, &made, 1), 1);
	return l->me->nsent + 2 * l->other->nsent + 4 * l->all->nsent;
}

static void test_gateway(void **state)
{
	uint8_t frame[FRAME_ROOM];
	uint32_t len;
	struct lan l;

	(void)state;
	lan_init(&l);
	sends(&l, l.me, everybody, mine);
	print_message("  to a station, to all, and to one port alone\n");
	len = rig_eth(frame, mine, l.gateway, -1, ETHERTYPE_TEST, 300);
	assert_int_equal(emits(&l, NULL, frame, len), 1 + 4);
	len = rig_eth(frame, everybody, l.gateway, -1, ETHERTYPE_TEST, 300);
	assert_int_equal(emits(&l, NULL, frame, len), 1 + 2 + 4);
	assert_int_equal(emits(&l, l.me, frame, len), 1 + 4);
	assert_int_equal(emits(&l, l.all, frame, len), 4);
	print_message("  but no probe for loops that is another port's\n");
	loop_probe(frame, l.gateway);
	assert_int_equal(emits(&l, l.me, frame, LOOP_PROBE_SIZE), 1);
	assert_int_equal(emits(&l, l.all, frame, LOOP_PROBE_SIZE), 4);
	assert_true(rig_identities(l.rig->nets[0].local));
	assert_true(rig_identities(&l.all->port));
	rig_free(l.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_guests), cmocka_unit_test(test_gateway) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
