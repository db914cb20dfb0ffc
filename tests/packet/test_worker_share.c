// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests that share a worker, one of them with frames that take long: on a clock that stands still but for what each frame is said to take. */
#include "switch/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "tests/packet/rig.h"

enum { SIZE = 60, WAITING = 20000 };

static uint64_t now_ns = 1000000000000;

/* clock_gettime() - everybody's in this program */
int clock_gettime(clockid_t id, struct timespec *t)
{
	(void)id;
	*t = (struct timespec){ .tv_sec = (time_t)(now_ns / 1000000000), .tv_nsec = (long)(now_ns % 1000000000) };
	return 0;
}

static void take_100(struct rig_port *p, const struct rig_frame *f)
{
	(void)p, (void)f;
	now_ns += 100;
}

static void take_1000(struct rig_port *p, const struct rig_frame *f)
{
	(void)p, (void)f;
	now_ns += 1000;
}

struct lan {
	struct rig *rig;
	struct rig_port *cheap, *dear, *out;
};

static void offer(struct rig_port *p, uint8_t from, unsigned n)
{
	static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const uint8_t src[6] = { 2, 0, 0, 0, 0, from };
	uint8_t bytes[SIZE];

	for (unsigned i = 0; i < n; i++)
		rig_offer(p, bytes, rig_eth(bytes, everybody, src, -1, 0x1234, SIZE - 14));
}

static uint64_t received(const struct rig_port *p)
{
	struct port_stats s = rig_stats(&p->port);

	return s.rx_frames;
}

static void lan_init(struct lan *l)
{
	l->rig = rig_new();
	rig_net(l->rig, 1500, false);
	l->cheap = rig_port(l->rig, 0, rig_access(1));
	l->dear = rig_port(l->rig, 0, rig_access(1));
	l->out = rig_port(l->rig, 0, rig_access(1));
	l->cheap->forgets = l->dear->forgets = l->out->forgets = true;
	l->cheap->received = take_100;
	l->dear->received = take_1000;
	rig_publish(l->rig);
}

/* Both have more than enough: the worker's time is halved, so the one whose frames take a tenth moves ten times as many. */
static void test_both_busy(void **state)
{
	struct lan l;

	(void)state;
	lan_init(&l);
	offer(l.cheap, 1, WAITING);
	offer(l.dear, 2, WAITING);
	while (received(l.cheap) < WAITING / 2)
		worker_turn(l.rig->w, 0);
	assert_in_range(received(l.dear), WAITING / 2 / 10 / 2, WAITING / 2 / 10 * 2);
	print_message("  and when that one has no more, the other has it all, a turn after turn\n");
	while (received(l.cheap) < WAITING)
		worker_turn(l.rig->w, 0);
	for (uint64_t before = received(l.dear), turns = 0; turns < 8; turns++) {
		worker_turn(l.rig->w, 0);
		assert_true(received(l.dear) > before);
		before = received(l.dear);
	}
	rig_run(l.rig);
	assert_int_equal(received(l.dear), WAITING);
	rig_free(l.rig);
}

/* A frame now and then beside one who floods goes in the turn that it comes in. */
static void test_now_and_then(void **state)
{
	struct lan l;

	(void)state;
	lan_init(&l);
	offer(l.dear, 2, WAITING);
	for (unsigned i = 1; i <= 10; i++) {
		offer(l.cheap, 1, 1);
		worker_turn(l.rig->w, 0);
		assert_int_equal(received(l.cheap), i);
	}
	rig_run(l.rig);
	rig_free(l.rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_both_busy), cmocka_unit_test(test_now_and_then) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
