// SPDX-License-Identifier: GPL-2.0-or-later
/* needs: two processes at once
 * A front-end that takes away what it shares: memory cut short or punched under frames, an eventfd made full and blocking, a
 * storm of kicks (FASTPATH 1.8, cases 19, 28, 29 and 30). Its own port stops and says why; its neighbours do not notice. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "tap/virtq.h"
#include "tests/packet/hostile_case.h"

enum { PAGE = 4096, RUN_MS = 700, TRIPS_MIN = 10 };

static void open_bed(uint64_t features, bool thread)
{
	const struct driver_conf conf = { .features = features, .size = CASE_SIZE };

	at.b = hostile_bed_new(&conf, thread);
	at.packed = features >> VIRTIO_F_RING_PACKED & 1;
	at.frame = driver_alloc(at.b->evil.d, PAGE, PAGE);
	at.big = driver_alloc(at.b->evil.d, 4 * PAGE, PAGE);
	case_frame(at.frame, CASE_FRAME);
	hostile_neighbours(at.b, 10);
}

static bool stopped(struct hostile_bed *b)
{
	return vhost_fault(b->evil.port);
}

/* cut() - the file ends where @gpa was; nobody here touches what was behind it from now on */
static void cut(uint64_t gpa)
{
	struct driver_region r[DRIVER_REGIONS_MAX];

	assert_int_equal(driver_regions(at.b->evil.d, r), 1);
	assert_int_equal(ftruncate(driver_fd(at.b->evil.d), (off_t)(r[0].offset + (gpa - r[0].gpa))), 0);
}

static void cut_all(void)
{
	assert_int_equal(ftruncate(driver_fd(at.b->evil.d), 0), 0);
}

static void is_lost(void)
{
	if (!hostile_until(at.b, stopped))
		fail_msg("nobody noticed");
	assert_ptr_equal(vhost_fault(at.b->evil.port), VIRTQ_MEMORY_LOST);
	hostile_neighbours(at.b, 20);
	hostile_bed_free(at.b);
}

/* ---- memory is cut ---- */

static void send_one(void)
{
	PUT({ at.frame, CASE_BUFFER, 0, NX });
	hostile_kick(&at.b->evil);
}

static void frame_lost(void)
{
	send_one();
	cut(at.frame);
}

/* the first page of the frame is there, the rest is read when the neighbour gets his copy */
static void body_lost(void)
{
	case_frame(at.big + PAGE - 200, 1400);
	PUT({ at.big + PAGE - 200, 1412, 0, NX });
	hostile_kick(&at.b->evil);
	cut(at.big + PAGE);
}

static void table_lost(void)
{
	at.table = at.big + PAGE;
	case_table(0, at.frame, CASE_BUFFER, 0, 0);
	PUT({ at.table, 16, F_INDIRECT, NX });
	hostile_kick(&at.b->evil);
	cut(at.big + PAGE);
}

static void buffer_to_receive_lost(void)
{
	uint8_t frame[300];

	for (unsigned i = 0; i < 8; i++)
		case_put(HOSTILE_RX, &(const struct driver_desc){ at.big + PAGE, 2048, F_WRITE, NX }, 1);
	cut(at.big + PAGE);
	hostile_fill(frame, sizeof(frame), (const uint8_t[6]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, at.b->two.mac, 1);
	hostile_offer(&at.b->two, frame, sizeof(frame));
}

static void used_ring_lost(void)
{
	send_one();
	cut(driver_ring(at.b->evil.d, HOSTILE_TX)->device_gpa);
}

static void all_lost(void)
{
	send_one();
	cut_all();
}

static void all_lost_behind_others(void)
{
	for (unsigned i = 0; i < 5; i++)
		send_one();
	case_wait();
	all_lost();
}

/* nothing waits: what shows it is that the ring is looked at */
static void all_lost_when_idle(void)
{
	cut_all();
	hostile_kick(&at.b->evil);
}

static const struct {
	const char *what;
	void (*play)(void);
} cuts[] = {
	{ "a frame", frame_lost },			{ "the body of a frame", body_lost },
	{ "an indirect table", table_lost },		{ "a buffer to receive", buffer_to_receive_lost },
	{ "the used ring", used_ring_lost },		{ "everything", all_lost },
	{ "everything, behind others", all_lost_behind_others }, { "everything, of an idle guest", all_lost_when_idle },
};

static void test_cut(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(cuts); i++) {
		print_message("  %s: %s\n", i & 1 ? "packed" : "split", cuts[i / 2].what);
		open_bed(HOSTILE_BASIC | (i & 1 ? BIT(VIRTIO_F_RING_PACKED) : 0), false);
		cuts[i / 2].play();
		is_lost();
	}
}

/* A guest that always has more to send does not keep anybody from noticing. */
static void test_cut_when_busy(void **state)
{
	enum { SIZE = 4096 };
	const struct driver_conf conf = { .features = HOSTILE_BASIC, .size = SIZE };

	(void)state;
	at.b = hostile_bed_new(&conf, false);
	at.packed = false;
	at.frame = driver_alloc(at.b->evil.d, PAGE, PAGE);
	driver_hold(at.b->evil.d, HOSTILE_TX);
	for (unsigned i = 0; i < SIZE; i++)
		PUT({ at.frame, CASE_BUFFER, 0, NX });
	driver_publish(at.b->evil.d, HOSTILE_TX);
	hostile_kick(&at.b->evil);
	cut(at.frame);
	worker_turn(at.b->w, 0);
	assert_in_range(counter_get(&at.b->evil.port->stats[0].rx_frames), 1, BURST_MAX);
	is_lost();
}

/* ---- under traffic ---- */

static void sends(struct hostile_bed *b)
{
	unsigned waiting = 0;

	for (;;) {
		hostile_pace(b);
		PUT({ at.frame, 12, F_NEXT, NX }, { at.frame + 12, CASE_FRAME, 0, NX });
		eventfd_write(b->evil.kick, 1);
		for (waiting++; waiting >= CASE_SIZE / 4; sched_yield())
			waiting -= driver_used(b->evil.d, HOSTILE_TX);
	}
}

static void cut_under_traffic(unsigned round)
{
	uint64_t end = clock_now_ms() + 20 + 10 * round;
	unsigned came;
	pid_t sender;

	open_bed(HOSTILE_BASIC | (round & 1 ? BIT(VIRTIO_F_RING_PACKED) : 0), true);
	came = at.b->came;
	sender = hostile_spawn(at.b, sends);
	while (clock_now_ms() < end || at.b->came == came)
		hostile_neighbours(at.b, 5);
	if (round & 2)
		cut(at.frame);
	else
		cut_all();
	while (!vhost_fault(at.b->evil.port) && clock_now_ms() < end + 10000) {
		hostile_neighbours(at.b, 5);
		hostile_kick(&at.b->evil);
		if (round & 2 && clock_now_ms() > end + 1000)
			break;		/* the sender died of it before anything that is lost was available */
	}
	hostile_kill(sender);
	if (!(round & 2) || vhost_fault(at.b->evil.port))
		assert_ptr_equal(vhost_fault(at.b->evil.port), VIRTQ_MEMORY_LOST);
	hostile_neighbours(at.b, 20);
	hostile_bed_free(at.b);
}

static void test_cut_under_traffic(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 8; round++)
		cut_under_traffic(round);
}

/* Pages that are punched out come back empty. That is no fault of the memory's; whatever the rings then say is the guest's. */
static void test_punched(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		uint64_t end = clock_now_ms() + RUN_MS / 2;
		pid_t sender;

		open_bed(HOSTILE_BASIC | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0), true);
		sender = hostile_spawn(at.b, sends);
		while (clock_now_ms() < end) {
			assert_int_equal(fallocate(driver_fd(at.b->evil.d), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1 << 30), 0);
			hostile_neighbours(at.b, 5);
		}
		hostile_kill(sender);
		assert_ptr_not_equal(vhost_fault(at.b->evil.port), VIRTQ_MEMORY_LOST);
		hostile_reset(&at.b->evil);
		case_honest("a guest whose memory was punched", true);
		hostile_bed_free(at.b);
	}
}

/* ---- eventfds ---- */

/* blocks() - the call's counter is full, and writing to it would wait, again and again */
static void blocks(struct hostile_bed *b)
{
	for (;;) {
		uint64_t count;

		fcntl(b->evil.call, F_SETFL, O_RDWR | O_NONBLOCK);
		if (read(b->evil.call, &count, sizeof(count)) < 0)
			sched_yield();
		eventfd_write(b->evil.call, 0xfffffffffffffffeull);
		fcntl(b->evil.call, F_SETFL, O_RDWR);
		usleep(300);
	}
}

static void storms(struct hostile_bed *b)
{
	for (;;)
		eventfd_write(b->evil.kick, 1);
}

/* trips() - neighbours talk for a while, one frame at a time. Return: how often there and back */
static unsigned trips(void)
{
	uint64_t end = clock_now_ms() + RUN_MS, longest = 0;
	unsigned n = 0;

	for (; clock_now_ms() < end; n++) {
		uint64_t start = clock_now_ns();

		hostile_neighbours(at.b, 1);
		longest = MAX_OF(longest, clock_now_ns() - start);
	}
	print_message("  %u trips, the longest took %u us\n", n, (unsigned)(longest / 1000));
	return n;
}

static void test_call_blocks(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		pid_t blocker, sender;

		open_bed(HOSTILE_BASIC | (k ? BIT(VIRTIO_F_RING_PACKED) : 0), true);
		blocker = hostile_spawn(at.b, blocks);
		sender = hostile_spawn(at.b, sends);
		assert_true(trips() >= TRIPS_MIN);
		hostile_kill(sender);
		hostile_kill(blocker);
		assert_null(vhost_fault(at.b->evil.port));
		hostile_bed_free(at.b);
	}
}

static void test_kick_storm(void **state)
{
	pid_t storm;

	(void)state;
	open_bed(HOSTILE_BASIC, true);
	storm = hostile_spawn(at.b, storms);
	assert_true(trips() >= TRIPS_MIN);
	hostile_kill(storm);
	case_honest("a guest that kicks without end", true);
	hostile_bed_free(at.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut), cmocka_unit_test(test_cut_when_busy), cmocka_unit_test(test_cut_under_traffic),
		cmocka_unit_test(test_punched), cmocka_unit_test(test_call_blocks), cmocka_unit_test(test_kick_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
