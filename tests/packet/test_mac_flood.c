// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest that invents a million addresses, on a network without any guard: others' stay known, and nobody is sent copies of their frames. */
#include "switch/fdb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "tests/packet/rig.h"

enum { FLOOD = 1000000, VICTIMS = 8, AT_ONCE = 256, FRAME_SIZE = 60 };

struct lan {
	struct rig *rig;
	struct rig_port *victim, *peer, *attacker, *witness;
};

static void lan_init(struct lan *l)
{
	l->rig = rig_new();
	rig_net(l->rig, 1500, false);
	l->victim = rig_port(l->rig, 0, rig_access(1));
	l->peer = rig_port(l->rig, 0, rig_access(1));
	l->attacker = rig_port(l->rig, 0, rig_access(1));
	l->witness = rig_port(l->rig, 0, rig_access(1));
	rig_publish(l->rig);
}

static const uint8_t *station(uint8_t kind, uint32_t n)
{
	static uint8_t macs[2][6];
	static unsigned turn;
	uint8_t *mac = macs[turn++ % 2];

	mac[0] = 2;
	mac[1] = kind;
	put_u32(mac + 2, n);
	return mac;
}

static void offer(struct rig_port *p, const uint8_t *dst, const uint8_t *src)
{
	uint8_t frame[FRAME_SIZE];

	rig_offer(p, frame, rig_eth(frame, dst, src, -1, 0x1234, FRAME_SIZE - 14));
}

/* talk() - each address of the victim to one of its peer's, and back. Return: copies that the witness got */
static unsigned talk(struct lan *l)
{
	rig_clear(l->rig);
	for (uint32_t i = 0; i < VICTIMS; i++) {
		offer(l->victim, station('p', i), station('v', i));
		offer(l->peer, station('v', i), station('p', i));
	}
	rig_run(l->rig);
	assert_int_equal(l->victim->nsent, VICTIMS);
	assert_int_equal(l->peer->nsent, VICTIMS);
	return l->witness->nsent;
}

static void test_flood(void **state)
{
	struct lan l;

	(void)state;
	lan_init(&l);
	talk(&l);
	assert_int_equal(talk(&l), 0);
	for (uint32_t i = 0; i < FLOOD; i += AT_ONCE) {
		for (uint32_t k = 0; k < AT_ONCE; k++)
			offer(l.attacker, station('p', k % VICTIMS), station('x', i + k));
		rig_run(l.rig);
		if (i % (64 * AT_ONCE) == 0)
			assert_int_equal(talk(&l), 0);
		rig_clear(l.rig);
	}
	assert_int_equal(talk(&l), 0);
	print_message("  %u of the attacker's are known, and who comes now is learnt, too\n", fdb_count(l.rig->nets[0].fdb, l.attacker->port.id));
	assert_true(fdb_count(l.rig->nets[0].fdb, l.attacker->port.id) > 0);
	offer(l.witness, station('v', 0), station('w', 0));
	rig_run(l.rig);
	rig_clear(l.rig);
	offer(l.victim, station('w', 0), station('v', 0));
	rig_run(l.rig);
	assert_int_equal(l.witness->nsent, 1);
	assert_int_equal(l.peer->nsent + l.attacker->nsent, 0);
	assert_true(rig_identities(&l.attacker->port));
	rig_free(l.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_flood) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
