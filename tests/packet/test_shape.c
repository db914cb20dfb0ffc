// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports of limited rate in the frame path: nothing is lost or counted twice that waits, nothing overtakes, and what is too much is named. */
#include "switch/shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/virtio_net.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "switch/build.h"
#include "switch/stage.h"
#include "tests/packet/rig.h"

enum { LEN = 1014, FRAMES = 200, DEADLINE_MS = 5000 };

static const uint8_t a_mac[6] = { 2, 0, 0, 0, 0, 1 }, b_mac[6] = { 2, 0, 0, 0, 0, 2 };

struct bed {
	struct rig *rig;
	struct rig_port *a, *b;
	struct shape *shape;
	uint8_t frame[65536];
};

static void set_shape(struct bed *b, const char *egress, const char *ingress)
{
	struct rate_conf rates[2];
	struct shape *old = b->shape;
	const char *why;

	assert_int_equal(rate_parse(egress, &rates[0], &why), 0);
	assert_int_equal(rate_parse(ingress, &rates[1], &why), 0);
	b->shape = shape_new(&rates[0], &rates[1], NULL, NULL, b->b->port.id);
	assert_non_null(b->shape);
	b->b->shape = b->shape;
	b->b->stages_out = b->shape->ingress.limited ? STAGE_SHAPE : 0;
	rig_publish(b->rig);
	shape_end(old);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	b->rig = rig_new();
	rig_net(b->rig, 1500, false);
	b->a = rig_port(b->rig, 0, rig_access(1));
	b->b = rig_port(b->rig, 0, rig_access(1));
	rig_publish(b->rig);
	rig_offer(b->b, b->frame, rig_eth(b->frame, a_mac, b_mac, -1, 0x1234, 46));
	rig_offer(b->a, b->frame, rig_eth(b->frame, b_mac, a_mac, -1, 0x1234, 46));
	rig_run(b->rig);
	rig_clear(b->rig);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;
	struct shape *last = b->shape;

	assert_true(rig_identities(&b->a->port));
	assert_true(rig_identities(&b->b->port));
	b->b->shape = NULL;
	b->b->stages_out = 0;
	rig_publish(b->rig);
	shape_end(last);
	for (uint64_t end = clock_now_ms() + 2 * SHAPE_NAP_MS; clock_now_ms() < end;)
		worker_turn(b->rig->w, 10);	/* its timer is the worker's to take away */
	rig_free(b->rig);
	free(b);
	return 0;
}

static void offer(struct bed *b, struct rig_port *from, unsigned n)
{
	uint32_t len = rig_eth(b->frame, from == b->a ? b_mac : a_mac, from == b->a ? a_mac : b_mac, -1, 0x1234, LEN - ETH_HEADER);

	for (unsigned i = 0; i < n; i++)
		rig_offer(from, b->frame, len);
}

/* until() - turn the worker until @p was sent @n frames. Return: milliseconds */
static uint64_t until(struct bed *b, const struct rig_port *p, unsigned n)
{
	uint64_t begin = clock_now_ms();

	while (p->nsent < n && clock_now_ms() < begin + DEADLINE_MS)
		worker_turn(b->rig->w, 5);
	assert_int_equal(p->nsent, n);
	return clock_now_ms() - begin;
}

static void in_order(const struct rig_port *p)
{
	for (unsigned i = 1; i < p->nsent; i++)
		assert_true(p->sent[i].serial > p->sent[i - 1].serial || !p->sent[i].serial);
}

/* 40 frames of 1,014 bytes at 4 mbit/s take 81 ms, less the burst of 10 kB, and fit the queue */
static void test_ingress_waits(void **state)
{
	struct bed *b = *state;
	struct port_stats s;
	uint64_t ms;

	set_shape(b, "none", "4mbit");
	offer(b, b->a, 40);
	rig_run(b->rig);
	assert_in_range(b->b->nsent, 1, 20);		/* the rest waits */
	assert_int_equal(rig_verdict(b->a, VERDICT_FORWARDED), 40 + 1);
	ms = until(b, b->b, 40);
	assert_in_range(ms, 40, 1000);
	in_order(b->b);
	s = rig_stats(&b->b->port);
	assert_int_equal(counter_get(&s.tx_frames), 40 + 1);	/* one taught the switch */
}

/* what the queue has no room for is a named drop, not a silence */
static void test_ingress_full(void **state)
{
	struct bed *b = *state;
	uint64_t dropped;

	set_shape(b, "none", "1mbit");
	for (unsigned i = 0; i < 4; i++) {
		offer(b, b->a, 64);
		rig_run(b->rig);
	}
	dropped = rig_verdict(b->a, VERDICT_DROP_SHAPE) + rig_verdict(b->a, VERDICT_DROP_TX);
	assert_in_range(dropped, 100, 220);
	assert_true(rig_verdict(b->a, VERDICT_DROP_SHAPE) > 0);
	assert_int_equal(rig_verdict(b->a, VERDICT_FORWARDED) + dropped, 256 + 1);
}

/* the guest's own frames stay where they are: nothing is dropped, however many there are */
static void test_egress_waits(void **state)
{
	struct bed *b = *state;
	uint64_t begin = clock_now_ms();

	set_shape(b, "16mbit", "none");
	offer(b, b->b, FRAMES);
	worker_wake_queue(&b->b->port.queues[0]);
	worker_turn(b->rig->w, 0);
	assert_in_range(b->a->nsent, 1, FRAMES - 50);
	until(b, b->a, FRAMES);
	assert_in_range(clock_now_ms() - begin, 60, 2000);	/* 203 kB at 2 MB/s, less 40 kB */
	in_order(b->a);
}

/* lifted while frames wait: those in the guest's ring come, those in the queue go with it, and new ones pass at once */
static void test_change(void **state)
{
	struct bed *b = *state;
	unsigned waiting;

	set_shape(b, "8kbit", "8kbit");
	offer(b, b->a, 20);
	offer(b, b->b, 20);
	worker_wake_queue(&b->b->port.queues[0]);
	for (unsigned i = 0; i < 10; i++)
		worker_turn(b->rig->w, 0);
	waiting = 20 - b->a->nsent;
	assert_in_range(waiting, 10, 19);
	assert_in_range(b->b->nsent, 1, 10);
	rig_clear(b->rig);
	set_shape(b, "none", "none");
	until(b, b->a, waiting);
	rig_clear(b->rig);
	offer(b, b->a, 5);
	rig_run(b->rig);
	assert_int_equal(b->b->nsent, 5);
}

/* a large segment that would take long is cut while it waits, and counted as what it is */
static void test_coarse(void **state)
{
	struct bed *b = *state;
	struct port_stats s;
	struct rig_frame *f;
	uint8_t *p;

	set_shape(b, "none", "2mbit");
	p = build_ip(b->frame, b_mac, a_mac, addr4(0x0a000002), addr4(0x0a000003), PROTO_TCP, 64, TCP_HEADER + 10 * 1000);
	memset(p, 0, TCP_HEADER + 10 * 1000);
	p[12] = 5 << 4;
	p[13] = 16;
	f = rig_offer(b->a, b->frame, (uint32_t)(p + TCP_HEADER + 10 * 1000 - b->frame));
	f->offload = (struct offload){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .hdr_len = 54,
				       .gso_size = 1000, .csum_start = 34, .csum_offset = 16 };
	rig_run(b->rig);
	assert_in_range(b->b->nsent, 1, 8);
	until(b, b->b, 10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(b->b->sent[i].len, 1054);
	s = rig_stats(&b->b->port);
	assert_int_equal(counter_get(&s.segments), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ingress_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ingress_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_egress_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_coarse, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
