// SPDX-License-Identifier: GPL-2.0-or-later
/* A ring that is stopped is not touched; one that is started and not enabled is drained when it sends, and gets nothing (CONFORMANCE
 * VU-03); pausing waits; a device that was stopped for a fault stays so until its driver begins anew (FASTPATH 1.8, R6 and case 34). */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "tap/virtq.h"
#include "tests/packet/hostile_case.h"

enum { BUFFER = 2048, N = 3 };

static void open_bed(bool packed)
{
	const struct driver_conf conf = { .features = HOSTILE_BASIC | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0), .size = CASE_SIZE };

	at.b = hostile_bed_new(&conf, false);
	at.packed = packed;
	at.frame = driver_alloc(at.b->evil.d, CASE_BUFFER, 64);
	at.big = driver_alloc(at.b->evil.d, 16 * BUFFER, 64);
	hostile_neighbours(at.b, 4);
}

static uint64_t received(void)
{
	return counter_get(&at.b->evil.port->stats[0].rx_frames);
}

static void send_some(void)
{
	case_frame(at.frame, CASE_FRAME);
	for (unsigned i = 0; i < N; i++)
		PUT({ at.frame, CASE_BUFFER, 0, NX });
	hostile_kick(&at.b->evil);
}

static void post_some(void)
{
	for (unsigned i = 0; i < N; i++)
		case_put(HOSTILE_RX, &(const struct driver_desc){ at.big + i * BUFFER, BUFFER, F_WRITE, NX }, 1);
}

/* flood() - a frame of a neighbour's to everybody. Return: buffers of the hostile guest that it took */
static unsigned flood(void)
{
	uint8_t frame[CASE_FRAME];

	hostile_fill(frame, sizeof(frame), (const uint8_t[6]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, at.b->two.mac, 0);
	hostile_offer(&at.b->two, frame, sizeof(frame));
	hostile_turn(at.b);
	hostile_turn(at.b);
	hostile_listen(at.b);
	return driver_used(at.b->evil.d, HOSTILE_RX);
}

static void change(unsigned ring, void (*how)(struct port *port, unsigned ring))
{
	vhost_pause(at.b->evil.port);
	how(at.b->evil.port, ring);
	vhost_resume(at.b->evil.port);
}

static void disable(struct port *port, unsigned ring) { vhost_ring_enable(port, ring, false); }
static void enable(struct port *port, unsigned ring) { vhost_ring_enable(port, ring, true); }
static void nothing(struct port *port, unsigned ring) { (void)port, (void)ring; }

/* turns() - as long as the worker may need to see that */
static void turns(void)
{
	for (unsigned i = 0; i < 20; i++)
		hostile_turn(at.b);
}

static void test_not_enabled(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		uint64_t before;

		open_bed(packed);
		before = received();
		change(HOSTILE_TX, disable);
		send_some();
		turns();
		assert_int_equal(driver_used(at.b->evil.d, HOSTILE_TX), N);
		assert_int_equal(received(), before + N);
		assert_int_equal(hostile_verdict(&at.b->evil, VERDICT_DROP_LINK_DOWN), N);
		hostile_listen(at.b);
		assert_int_equal(at.b->came, 0);

		post_some();
		assert_int_equal(flood(), 1);
		change(HOSTILE_RX, disable);
		assert_int_equal(flood(), 0);
		change(HOSTILE_RX, enable);
		assert_int_equal(flood(), 1);
		change(HOSTILE_TX, enable);
		case_honest("a ring that was enabled again", true);
		hostile_neighbours(at.b, 4);
		hostile_bed_free(at.b);
	}
}

static void test_stopped(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		uint64_t before;

		open_bed(packed);
		post_some();
		assert_int_equal(flood(), 1);
		before = received();
		send_some();
		change(HOSTILE_TX, vhost_ring_stop);
		turns();
		assert_int_equal(driver_used(at.b->evil.d, HOSTILE_TX), 0);
		assert_int_equal(received(), before);
		assert_int_equal(flood(), 1);		/* the other ring goes on */
		change(HOSTILE_RX, vhost_ring_stop);
		assert_int_equal(flood(), 0);
		assert_int_equal(driver_check(at.b->evil.d), 0);
		hostile_start(&at.b->evil);
		case_honest("a ring that was stopped", true);
		hostile_bed_free(at.b);
	}
}

static void test_fault_stays(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		uint64_t before;

		open_bed(packed);
		PUT({ 0, CASE_BUFFER, 0, NX });
		hostile_kick(&at.b->evil);
		turns();
		assert_ptr_equal(vhost_fault(at.b->evil.port), VIRTQ_BAD_ADDRESS);
		change(HOSTILE_TX, nothing);		/* as for another eventfd, or a region of memory */
		assert_ptr_equal(vhost_fault(at.b->evil.port), VIRTQ_BAD_ADDRESS);

		/* Even if what was wrong is right now. */
		before = received();
		for (unsigned i = 0; i < CASE_SIZE; i++) {
			if (packed)
				driver_ring(at.b->evil.d, HOSTILE_TX)->packed_desc[i].addr = at.frame;
			else
				driver_ring(at.b->evil.d, HOSTILE_TX)->desc[i].addr = at.frame;
		}
		change(HOSTILE_TX, nothing);
		hostile_kick(&at.b->evil);
		turns();
		assert_int_equal(received(), before);
		change(HOSTILE_TX, vhost_ring_stop);
		assert_ptr_equal(vhost_fault(at.b->evil.port), VIRTQ_BAD_ADDRESS);
		hostile_reset(&at.b->evil);
		assert_null(vhost_fault(at.b->evil.port));
		case_honest("a driver that has begun anew", true);
		hostile_neighbours(at.b, 4);
		hostile_bed_free(at.b);
	}
}

/* virtio 1.2, 5.1.3.1: segments and ECN are nothing without the checksum. A guest that asks for them alone gets none. Who completes checksums
 * takes what nobody has read, too. */
static void test_features(void **state)
{
	static const struct {
		uint64_t features;
		uint32_t offloads;
	} cases[] = {
		{ BIT(VIRTIO_NET_F_GUEST_CSUM), PORT_CSUM | PORT_UNREAD },
		{ BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4), PORT_CSUM | PORT_TSO4 | PORT_UNREAD },
		{ BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN), 0 },
		{ BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_HOST_TSO4), 0 },
	};

	(void)state;
	open_bed(false);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		vhost_pause(at.b->evil.port);
		vhost_set_features(at.b->evil.port, HOSTILE_BASIC | cases[i].features);
		assert_int_equal(at.b->evil.port->offloads, cases[i].offloads);
	}
	vhost_resume(at.b->evil.port);
	hostile_bed_free(at.b);
}

/* What became available between the last look and arming has nobody to tell of it: arming looks once more (VU-27). */
static void test_armed_too_late(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		struct port_queue *q;

		open_bed(packed);
		q = &at.b->evil.port->queues[0];
		turns();
		assert_true(at.b->evil.port->ops->arm(q));
		case_frame(at.frame, CASE_FRAME);
		PUT({ at.frame, CASE_BUFFER, 0, NX });
		assert_false(at.b->evil.port->ops->arm(q));
		hostile_kick(&at.b->evil);
		turns();
		assert_true(at.b->evil.port->ops->arm(q));
		hostile_bed_free(at.b);
	}
}

/* ---- pausing waits for the worker that may be inside ---- */

static atomic_bool inside, let_go, paused;

static void stays_inside(struct worker *w, void *arg)
{
	(void)w, (void)arg;
	atomic_store(&inside, true);
	while (!atomic_load(&let_go))
		sched_yield();
}

static void *pauses(void *port)
{
	vhost_pause(port);
	atomic_store(&paused, true);
	return NULL;
}

static void test_pause_waits(void **state)
{
	const struct driver_conf conf = { .features = HOSTILE_BASIC, .size = CASE_SIZE };
	uint64_t end;
	pthread_t thread;

	(void)state;
	at.b = hostile_bed_new(&conf, true);
	assert_true(worker_post(at.b->w, stays_inside, NULL));
	while (!atomic_load(&inside))
		sched_yield();
	assert_int_equal(pthread_create(&thread, NULL, pauses, at.b->evil.port), 0);
	for (end = clock_now_ms() + 100; clock_now_ms() < end && !atomic_load(&paused);)
		sched_yield();
	assert_false(atomic_load(&paused));
	atomic_store(&let_go, true);
	urcu_qsbr_thread_offline();		/* this thread holds nothing */
	pthread_join(thread, NULL);
	urcu_qsbr_thread_online();
	assert_true(atomic_load(&paused));
	vhost_resume(at.b->evil.port);
	hostile_neighbours(at.b, 4);
	hostile_bed_free(at.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_not_enabled), cmocka_unit_test(test_stopped),
					    cmocka_unit_test(test_fault_stays), cmocka_unit_test(test_armed_too_late),
					    cmocka_unit_test(test_pause_waits), cmocka_unit_test(test_features) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
