// SPDX-License-Identifier: GPL-2.0-or-later
/* The probe for loops: an address that says which port it was, and nothing else; and that a switch learns it where it comes back. */
#include "switch/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "switch/fdb.h"
#include "switch/worker.h"
#include "tests/packet/rig.h"

static void test_addresses(void **state)
{
	uint8_t a[6], b[6];

	(void)state;
	for (uint32_t port = 0; port < 1000; port++) {
		loop_mac(1, port, 0, a);
		assert_int_equal(a[0] & 3, 2);	/* of one station, and no vendor's */
		loop_mac(1, port, 0, b);
		assert_memory_equal(a, b, 6);
		loop_mac(1, port, 1, b);
		assert_memory_not_equal(a, b, 6);
		loop_mac(2, port, 0, b);
		assert_memory_not_equal(a, b, 6);
		loop_mac(1, port + 1, 0, b);
		assert_memory_not_equal(a, b, 6);
	}
}

/* A guest that bridges ports 1 and 2 is what the test plays: what is sent to one of them it offers to the other. */
static void test_comes_back(void **state)
{
	struct rig *rig = rig_new();
	uint8_t mac[6], probe[LOOP_PROBE_SIZE];
	struct rig_port *p[3];
	struct frame f;

	(void)state;
	rig_net(rig, 1500, true);
	rig_segment(rig, 0, 1, NULL);
	for (unsigned i = 0; i < 3; i++)
		p[i] = rig_port(rig, 0, rig_access(1));
	rig_publish(rig);
	loop_mac(1, p[1]->port.id, 7, mac);
	loop_probe(probe, mac);
	frame_init(&f, probe, sizeof(probe));
	f.vid = 1;
	assert_true(worker_emit_to(rig->w, rig->nets[0].local->id, p[1]->port.id, &f));
	assert_int_equal(p[0]->nsent + p[2]->nsent, 0);
	assert_int_equal(p[1]->nsent, 1);
	assert_int_equal(fdb_lookup(rig->nets[0].fdb, 1, mac, clock_now_ms()), -2);
	rig_offer(p[2], p[1]->sent[0].data, p[1]->sent[0].len);
	rig_run(rig);
	assert_int_equal(fdb_lookup(rig->nets[0].fdb, 1, mac, clock_now_ms()), (int)p[2]->port.id);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_addresses), cmocka_unit_test(test_comes_back) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
