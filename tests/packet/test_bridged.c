// SPDX-License-Identifier: GPL-2.0-or-later
/* A bridged network's two ports of its own: what comes by the uplink never leaves by the host's port, nor the reverse, for the kernel has seen
 * to that; a guest's broadcast that comes back by the uplink is no move of the guest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "switch/fdb.h"
#include "switch/packet.h"
#include "tests/packet/rig.h"

enum { UPLINK, HOST, WEB1, WEB2, PORTS };

static const uint8_t macs[][6] = {
	[UPLINK] = { 2, 0, 0, 0, 0, 0x10 }, [HOST] = { 2, 0, 0, 0, 0, 0x11 }, [WEB1] = { 2, 0, 0, 0, 0, 0x12 }, [WEB2] = { 2, 0, 0, 0, 0, 0x13 },
	{ 255, 255, 255, 255, 255, 255 }, { 0x33, 0x33, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 0x77 },
};
enum { ALL = PORTS, GROUP, NOBODY };

struct bed {
	struct rig *rig;
	struct rig_port *ports[PORTS];
	unsigned changes, moves;
	uint32_t at;
};

static struct port_view *view(struct bed *b, unsigned i)
{
	return &b->rig->snapshot->ports[b->ports[i]->port.id];
}

static void on_change(void *arg, uint32_t port, bool moved)
{
	struct bed *b = arg;

	b->changes++;
	b->moves += moved;
	b->at = port;
}

static int setup(void **state)
{
	static struct bed bed;
	struct bed *b = &bed;

	memset(b, 0, sizeof(*b));
	b->rig = rig_new();
	rig_net(b->rig, 1500, true);
	rig_segment(b->rig, 0, 1, NULL)->has_subnet = false;
	b->ports[UPLINK] = rig_port(b->rig, 0, rig_trunk(1, 2, 4094));
	b->ports[HOST] = rig_port(b->rig, 0, rig_trunk(1, 2, 4094));
	b->ports[WEB1] = rig_port(b->rig, 0, rig_access(1));
	b->ports[WEB2] = rig_port(b->rig, 0, rig_access(1));
	rig_publish(b->rig);
	view(b, UPLINK)->uplink = true;
	view(b, UPLINK)->besides = view(b, HOST);
	view(b, HOST)->besides = view(b, UPLINK);
	assert_int_equal(fdb_add_static(b->rig->nets[0].fdb, 1, macs[HOST], b->ports[HOST]->port.id), 0);
	fdb_on_change(b->rig->nets[0].fdb, on_change, b);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	for (unsigned i = 0; i < PORTS; i++)
		assert_true(rig_identities(&b->ports[i]->port));
	rig_free(b->rig);
	return 0;
}

/* cross() - a frame from @from, said to be from @src; Return: a bit for each port that got it */
static unsigned cross(struct bed *b, unsigned from, unsigned src, unsigned dst, int tci)
{
	uint8_t frame[200];
	unsigned got = 0;

	rig_clear(b->rig);
	rig_offer(b->ports[from], frame, rig_eth(frame, macs[dst], macs[src], tci, ETHERTYPE_IP4, 64));
	rig_run(b->rig);
	for (unsigned i = 0; i < PORTS; i++)
		got |= (b->ports[i]->nsent > 0) << i;
	return got;
}

static const struct {
	const char *what;
	unsigned from, dst;
	int tci;
	unsigned to;
} frames[] = {
	{ "a guest's broadcast", WEB1, ALL, -1, 1 << UPLINK | 1 << HOST | 1 << WEB2 },
	{ "the other's", WEB2, GROUP, -1, 1 << UPLINK | 1 << HOST | 1 << WEB1 },
	{ "the host's", HOST, ALL, -1, 1 << WEB1 | 1 << WEB2 },
	{ "the LAN's", UPLINK, ALL, -1, 1 << WEB1 | 1 << WEB2 },
	{ "guest to host", WEB1, HOST, -1, 1 << HOST },
	{ "guest to LAN", WEB1, UPLINK, -1, 1 << UPLINK },
	{ "guest to guest", WEB1, WEB2, -1, 1 << WEB2 },
	{ "host to guest", HOST, WEB1, -1, 1 << WEB1 },
	{ "LAN to guest", UPLINK, WEB2, -1, 1 << WEB2 },
	{ "host to LAN, by the wrong way", HOST, UPLINK, -1, 0 },
	{ "LAN to host, by the wrong way", UPLINK, HOST, -1, 0 },
	{ "LAN to nobody known", UPLINK, NOBODY, -1, 1 << WEB1 | 1 << WEB2 },
	{ "host to nobody known", HOST, NOBODY, -1, 1 << WEB1 | 1 << WEB2 },
	{ "guest to nobody known", WEB1, NOBODY, -1, 1 << UPLINK | 1 << HOST | 1 << WEB2 },
	{ "a VLAN that no guest is on", UPLINK, ALL, 10, 0 },
	{ "and from the host", HOST, ALL, 10, 0 },
};

static void test_ways(void **state)
{
	struct bed *b = *state;

	for (unsigned round = 0; round < 2; round++)	/* everybody has been heard in the second */
		for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
			if (!round && frames[i].dst < PORTS)
				continue;
			print_message("  %s\n", frames[i].what);
			assert_int_equal(cross(b, frames[i].from, frames[i].from, frames[i].dst, frames[i].tci), frames[i].to);
		}
}

static void test_reflected(void **state)
{
	struct bed *b = *state;
	struct fdb *fdb = b->rig->nets[0].fdb;

	cross(b, WEB1, WEB1, ALL, -1);
	assert_int_equal(cross(b, UPLINK, WEB1, ALL, -1), 0);
	assert_int_equal(rig_verdict(b->ports[UPLINK], VERDICT_DROP_REFLECTED), 1);
	assert_int_equal(cross(b, UPLINK, UPLINK, WEB1, -1), 1 << WEB1);		/* it has not moved */
	assert_int_equal(cross(b, UPLINK, HOST, ALL, -1), 0);		/* nor can the host */
	assert_int_equal(cross(b, WEB2, WEB1, ALL, -1), 1 << UPLINK | 1 << HOST | 1 << WEB1);	/* between guests it may */
	fdb_flush_port(fdb, b->ports[WEB2]->port.id);
	fdb_learn(fdb, 1, macs[WEB1], b->ports[WEB1]->port.id, clock_now_ms() - 5000);
	assert_int_equal(cross(b, UPLINK, WEB1, ALL, -1), 1 << WEB1 | 1 << WEB2);	/* it was silent, and is on the LAN now */
	assert_int_equal(fdb_lookup(fdb, 1, macs[WEB1], clock_now_ms()), b->ports[UPLINK]->port.id);
	assert_int_equal(cross(b, WEB1, WEB1, ALL, -1), 1 << UPLINK | 1 << HOST | 1 << WEB2);	/* and back at once */
}

static void test_changes(void **state)
{
	struct bed *b = *state;

	cross(b, WEB1, WEB1, ALL, -1);
	assert_int_equal(b->changes, 1);
	assert_int_equal(b->at, b->ports[WEB1]->port.id);
	cross(b, WEB1, WEB1, ALL, -1);
	assert_int_equal(b->changes, 1);
	cross(b, WEB2, WEB1, ALL, -1);
	assert_int_equal(b->moves, 1);
	assert_int_equal(b->at, b->ports[WEB2]->port.id);
	cross(b, HOST, HOST, ALL, -1);		/* static: nothing to learn */
	assert_int_equal(b->changes, 2);
	fdb_flush_port(b->rig->nets[0].fdb, b->ports[WEB2]->port.id);
	fdb_learn(b->rig->nets[0].fdb, 1, macs[WEB1], b->ports[WEB1]->port.id, clock_now_ms() - 400000);
	assert_int_equal(b->changes, 3);
	cross(b, WEB1, WEB1, ALL, -1);		/* it had aged out */
	assert_int_equal(b->changes, 4);
	assert_int_equal(b->moves, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reflected, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
