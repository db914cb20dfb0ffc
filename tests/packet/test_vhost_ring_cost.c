// SPDX-License-Identifier: GPL-2.0-or-later
/* Rings made to cost much time: long chains of descriptors without bytes, tails that all chains share, buffers that no frame
 * ever fills (FASTPATH 1.8, cases 5, 11 and 20). What a hostile guest can make a worker do before others have their turn is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/array.h"
#include "tap/virtq.h"
#include "tests/packet/hostile_case.h"

enum { SIZE = 4096, BURSTS = 4 * 4, PER_BURST = 16, TURN_MS = 60, BIG = 66000 };

static void open_bed(uint64_t features)
{
	const struct driver_conf conf = { .features = features, .size = SIZE, .regions = 2 };
	struct driver_region r[DRIVER_REGIONS_MAX];

	at.b = hostile_bed_new(&conf, false);
	at.packed = features >> VIRTIO_F_RING_PACKED & 1;
	at.frame = driver_alloc(at.b->evil.d, CASE_BUFFER, 64);
	at.table = driver_alloc(at.b->evil.d, SIZE * 16, 16);
	at.big = driver_alloc(at.b->evil.d, BIG, 64);
	assert_true(at.frame && at.table && at.big);
	driver_regions(at.b->evil.d, r);
	at.border = r[0].gpa + r[0].size;
	case_frame(at.frame, CASE_FRAME);
}

/* empty_chain() - the whole ring is one chain without bytes, which does end */
static void empty_chain(unsigned ring, uint16_t flags)
{
	static struct driver_desc d[SIZE];

	for (unsigned i = 0; i < SIZE; i++)
		d[i] = (struct driver_desc){ at.frame, 0, (uint16_t)(flags | (i + 1 < SIZE ? F_NEXT : 0)), NX };
	case_put(ring, d, SIZE);
}

/* from_each_place() - descriptors of that chain, from @first on, are heads as well */
static void from_each_place(unsigned ring, unsigned first)
{
	const struct driver_ring *r = driver_ring(at.b->evil.d, ring);

	for (unsigned i = 0; i < SIZE; i++)
		r->avail->ring[i] = (uint16_t)(first + i % 8);
	__atomic_store_n(&r->avail->idx, SIZE, __ATOMIC_RELEASE);
}

static void empty_tables(unsigned ring, uint16_t flags)
{
	uint16_t more = at.packed ? flags : flags | F_NEXT;

	for (unsigned i = 0; i < SIZE; i++)
		case_table(i, at.frame, 0, i + 1 < SIZE ? more : flags, (uint16_t)(i + 1));
	driver_hold(at.b->evil.d, ring);
	for (unsigned i = 0; i < SIZE; i++)
		case_put(ring, &(const struct driver_desc){ at.table, SIZE * 16, F_INDIRECT, NX }, 1);
	driver_publish(at.b->evil.d, ring);
}

static uint64_t thread_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t frames(void)
{
	return counter_get(&at.b->evil.port->stats[0].rx_frames);
}

/* one_turn() - how many frames it takes from the hostile ring while a neighbour waits */
static void one_turn(const char *what)
{
	uint64_t before = frames(), start = thread_ms();

	hostile_kick(&at.b->evil);
	worker_turn(at.b->w, 0);
	print_message("  %s: %u frames in a turn of %u ms\n", what, (unsigned)(frames() - before), (unsigned)(thread_ms() - start));
	assert_in_range(frames() - before, 1, BURSTS * PER_BURST);
	assert_in_range(thread_ms() - start, 0, TURN_MS);
}

static bool all_taken(struct hostile_bed *b)
{
	(void)b;
	return frames() >= SIZE;
}

static void test_chains(void **state)
{
	(void)state;
	open_bed(HOSTILE_BASIC);
	empty_chain(HOSTILE_TX, 0);
	from_each_place(HOSTILE_TX, 0);
	one_turn("4096 chains with one tail");
	hostile_neighbours(at.b, 20);
	assert_true(hostile_until(at.b, all_taken));
	assert_null(vhost_fault(at.b->evil.port));
	assert_int_equal(hostile_verdict(&at.b->evil, VERDICT_DROP_VNET_HEADER), SIZE);	/* no more than 1024 were looked at */
	hostile_bed_free(at.b);
}

/* Chains that are just short enough to be frames, if of no bytes: finding that out is what they cost. */
static void test_shorter_chains(void **state)
{
	(void)state;
	open_bed(HOSTILE_BASIC);
	empty_chain(HOSTILE_TX, 0);
	from_each_place(HOSTILE_TX, SIZE - 1000);
	one_turn("4096 chains of a thousand");
	hostile_neighbours(at.b, 20);
	assert_true(hostile_until(at.b, all_taken));
	assert_int_equal(hostile_verdict(&at.b->evil, VERDICT_DROP_RUNT), SIZE);
	hostile_bed_free(at.b);
}

static void test_tables(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		open_bed(HOSTILE_BASIC | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0));
		empty_tables(HOSTILE_TX, 0);
		one_turn(packed ? "packed: 4096 times one table" : "split: 4096 times one table");
		hostile_neighbours(at.b, 20);
		assert_true(hostile_until(at.b, all_taken));
		assert_int_equal(hostile_verdict(&at.b->evil, VERDICT_DROP_VNET_HEADER), SIZE);
		hostile_bed_free(at.b);
	}
}

/* A chain of the whole packed ring has to be walked to its end, where its id stands; then it counts as much as that costs. */
static void test_packed_chain(void **state)
{
	(void)state;
	open_bed(HOSTILE_BASIC | BIT(VIRTIO_F_RING_PACKED));
	empty_chain(HOSTILE_TX, 0);
	one_turn("packed: a chain of 4096");
	assert_int_equal(hostile_verdict(&at.b->evil, VERDICT_DROP_VNET_HEADER), 1);
	hostile_neighbours(at.b, 20);
	hostile_bed_free(at.b);
}

/* Frames for a guest whose buffers never hold anything: each one is given up after a bounded search. */
static void deliver(const char *what)
{
	uint8_t frame[60];
	uint64_t start;

	hostile_fill(frame, sizeof(frame), (const uint8_t[6]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, at.b->two.mac, 0);
	for (unsigned i = 0; i < 64; i++)
		hostile_offer(&at.b->two, frame, sizeof(frame));
	start = thread_ms();
	worker_turn(at.b->w, 0);
	print_message("  %s: 64 frames in %u ms\n", what, (unsigned)(thread_ms() - start));
	assert_in_range(thread_ms() - start, 0, TURN_MS);
	assert_int_equal(counter_get(&at.b->evil.port->stats[0].tx_drops), 64);
	assert_null(vhost_fault(at.b->evil.port));
	hostile_neighbours(at.b, 20);
	assert_int_equal(at.b->came, 64);
}

/* A buffer that will not be taken needs no id, so nobody walks to the end of the ring for it, frame after frame. */
static void test_walk(void **state)
{
	static struct chain c;
	static struct virtq r;
	struct slot slot;

	(void)state;
	open_bed(HOSTILE_BASIC | BIT(VIRTIO_F_RING_PACKED));
	empty_chain(HOSTILE_RX, F_WRITE);
	r = (struct virtq){ .size = SIZE, .packed = true, .memory = at.b->evil.memory,
			    .packed_desc = driver_ring(at.b->evil.d, HOSTILE_RX)->packed_desc };
	assert_null(virtq_chain(&r, 0, true, &c, &slot));
	assert_true(c.too_many);
	assert_in_range(slot.ndesc, 1, PIECES_MAX + 1);
	hostile_bed_free(at.b);
}

static void test_receive(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		open_bed(HOSTILE_BASIC | BIT(VIRTIO_NET_F_MRG_RXBUF) | (i & 1 ? BIT(VIRTIO_F_RING_PACKED) : 0));
		if (i & 2) {
			empty_tables(HOSTILE_RX, F_WRITE);
			deliver(at.packed ? "packed, receiving: tables" : "split, receiving: tables");
		} else {
			empty_chain(HOSTILE_RX, F_WRITE);
			if (!at.packed)
				from_each_place(HOSTILE_RX, 0);
			deliver(at.packed ? "packed, receiving: a chain" : "split, receiving: chains");
		}
		hostile_bed_free(at.b);
	}
}

/* ---- what is copied, and what is remembered, has room ---- */

static unsigned expected;
static bool all_ended(struct hostile_bed *b)
{
	return frames() >= expected || vhost_fault(b->evil.port);
}

/* ended() - @n frames that were made available have ended as @v */
static void ended(unsigned n, enum verdict v)
{
	hostile_kick(&at.b->evil);
	expected = n;
	assert_true(hostile_until(at.b, all_ended));
	assert_null(vhost_fault(at.b->evil.port));
	assert_int_equal(hostile_verdict(&at.b->evil, v), n);
	hostile_neighbours(at.b, 20);
}

/* Each of 700 entries lies over a border, which makes two pieces of it. */
static void test_pieces(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		open_bed(HOSTILE_BASIC | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0));
		for (unsigned i = 0; i < 700; i++)
			case_table(i, at.border - 1, 2, packed || i == 699 ? 0 : F_NEXT, (uint16_t)(i + 1));
		PUT({ at.table, 700 * 16, F_INDIRECT, NX });
		ended(1, VERDICT_DROP_VNET_HEADER);
		hostile_bed_free(at.b);
	}
}

/* The same to receive into: 512 entries' bytes are all that there is room for, and a frame of two bytes more is not put there. */
static void test_pieces_to_receive(void **state)
{
	uint8_t frame[1014];

	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		open_bed(HOSTILE_BASIC | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0));
		hostile_neighbours(at.b, 2);
		for (unsigned i = 0; i < 700; i++)
			case_table(i, at.border - 1, 2, F_WRITE | (packed || i == 699 ? 0 : F_NEXT), (uint16_t)(i + 1));
		case_put(HOSTILE_RX, &(const struct driver_desc){ at.table, 700 * 16, F_INDIRECT, NX }, 1);
		for (unsigned len = 1014; len >= 1012; len -= 2) {
			hostile_fill(frame, len, (const uint8_t[6]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, at.b->two.mac, 0);
			hostile_offer(&at.b->two, frame, len);
			worker_turn(at.b->w, 0);
			assert_null(vhost_fault(at.b->evil.port));
			assert_int_equal(counter_get(&at.b->evil.port->stats[0].tx_frames), 0);
		}
		hostile_neighbours(at.b, 20);
		hostile_bed_free(at.b);
	}
}

/* Frames of 64 KB in so many pieces that they are copied whole: 4 MB at once, were all of them taken. */
static void test_long_bursts(void **state)
{
	enum { PIECES = 30, LEN = 65530, N = 100 };

	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		struct driver_desc d[PIECES];

		open_bed(HOSTILE_BASIC | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0));
		case_frame(at.big, LEN - 12);
		for (unsigned i = 0; i < PIECES; i++)
			d[i] = (struct driver_desc){ at.big + i * (LEN / PIECES), LEN / PIECES, i + 1 < PIECES ? F_NEXT : 0, NX };
		driver_hold(at.b->evil.d, HOSTILE_TX);
		for (unsigned i = 0; i < N; i++)
			case_put(HOSTILE_TX, d, PIECES);
		driver_publish(at.b->evil.d, HOSTILE_TX);
		ended(N, VERDICT_DROP_OVERSIZE);
		hostile_bed_free(at.b);
	}
}

/* The same of one piece each, whose checksum goes so far behind that they are copied whole. */
static void test_long_checksums(void **state)
{
	enum { N = 100 };

	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		const struct driver_conf conf = { .size = SIZE, .spare = 1 << 20, .features = HOSTILE_BASIC | BIT(VIRTIO_NET_F_CSUM) |
						  (packed ? BIT(VIRTIO_F_RING_PACKED) : 0) };
		static const uint8_t header[12] = { 1, 0, 0, 0, 0, 0, 0x00, 0x80, 16 };	/* from 32768 on */

		at.b = hostile_bed_new(&conf, false);
		at.packed = packed;
		at.big = driver_alloc(at.b->evil.d, BIG, 64);
		case_frame(at.big, 65530);
		case_memory(at.big, header, sizeof(header));
		driver_hold(at.b->evil.d, HOSTILE_TX);
		for (unsigned i = 0; i < N; i++)
			PUT({ at.big, 65530 + 12, 0, NX });
		driver_publish(at.b->evil.d, HOSTILE_TX);
		ended(N, VERDICT_DROP_OVERSIZE);
		hostile_bed_free(at.b);
	}
}

/* A checksum behind the bytes that are kept of a frame, in one that may pass: it is completed for a guest that takes none. */
static void test_far_checksum(void **state)
{
	(void)state;
	for (unsigned pieces = 1; pieces <= 2; pieces++) {
		static const uint8_t header[12] = { 1, 0, 0, 0, 0, 0, 0x20, 0x03, 16 };	/* from 800 on */

		open_bed(HOSTILE_BASIC | BIT(VIRTIO_NET_F_CSUM));
		hostile_neighbours(at.b, 2);
		case_frame(at.big, 1000);
		case_memory(at.big, header, sizeof(header));
		case_memory(at.big + 12 + 12, (const uint8_t[2]){ 0x88, 0xb5 }, 2);	/* of a protocol that nobody knows */
		if (pieces == 1)
			PUT({ at.big, 1012, 0, NX });
		else
			PUT({ at.big, 500, F_NEXT, NX }, { at.big + 500, 512, 0, NX });
		ended(1, VERDICT_FORWARDED);
		assert_int_equal(at.b->came, 1);
		hostile_bed_free(at.b);
	}
}

/* Many frames at once, each with more pieces than a frame has places for: each arrives as it was sent. */
static unsigned right;
static void is_right(struct hostile_bed *b, const struct hostile_frame *f)
{
	uint8_t want[1200];

	hostile_fill(want, sizeof(want), b->one.mac, b->evil.mac, 7);
	assert_int_equal(f->len, sizeof(want));
	assert_memory_equal(f->data, want, sizeof(want));
	right++;
}

static void test_many_pieces(void **state)
{
	enum { PIECES = 60, LEN = 1212, N = 40 };

	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		struct driver_desc d[PIECES];

		open_bed(HOSTILE_BASIC | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0));
		hostile_neighbours(at.b, 2);
		case_frame(at.big, LEN - 12);
		for (unsigned i = 0; i < PIECES; i++)
			d[i] = (struct driver_desc){ at.big + i * 20, i + 1 < PIECES ? 20 : LEN - 59 * 20, i + 1 < PIECES ? F_NEXT : 0, NX };
		driver_hold(at.b->evil.d, HOSTILE_TX);
		for (unsigned i = 0; i < N; i++)
			case_put(HOSTILE_TX, d, PIECES);
		right = 0;
		at.b->seen = is_right;
		driver_publish(at.b->evil.d, HOSTILE_TX);
		ended(N, VERDICT_FORWARDED);
		assert_int_equal(right, N);
		hostile_bed_free(at.b);
	}
}

/* Two frames at once that take more small buffers than are given back at once: one after the other, or not at all. */
static void test_small_buffers(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		uint8_t frame[1514];

		open_bed(HOSTILE_BASIC | BIT(VIRTIO_NET_F_MRG_RXBUF) | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0));
		hostile_neighbours(at.b, 2);
		for (unsigned i = 0; i < 2000; i++)
			case_put(HOSTILE_RX, &(const struct driver_desc){ at.big + 2 * i, 2, F_WRITE, NX }, 1);
		for (unsigned i = 0; i < 2; i++) {
			uint32_t len = i ? 1514 : 1000;

			hostile_fill(frame, len, (const uint8_t[6]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, at.b->two.mac, i);
			hostile_offer(&at.b->two, frame, len);
		}
		worker_turn(at.b->w, 0);
		assert_null(vhost_fault(at.b->evil.port));
		assert_in_range(counter_get(&at.b->evil.port->stats[0].tx_frames), 1, 2);
		PUT({ at.frame, CASE_BUFFER, 0, NX });		/* the other ring is as it was */
		ended(1, VERDICT_FORWARDED);
		hostile_bed_free(at.b);
	}
}

/* flood() - a frame of @len bytes to everybody */
static void flood(uint32_t len)
{
	uint8_t frame[1514];

	hostile_fill(frame, len, (const uint8_t[6]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, at.b->two.mac, 0);
	hostile_offer(&at.b->two, frame, len);
}

/* One frame fills nearly all the places for buffers to give back; those behind it take one each, all in one burst. */
static void test_small_buffers_and_others(void **state)
{
	enum { SMALL = 1000, OTHERS = 40, TWICE = 600 };

	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		open_bed(HOSTILE_BASIC | BIT(VIRTIO_NET_F_MRG_RXBUF) | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0));
		hostile_neighbours(at.b, 2);
		for (unsigned i = 0; i < SMALL + OTHERS + 2 * TWICE; i++) {
			bool small = i < SMALL || i >= SMALL + OTHERS;

			case_put(HOSTILE_RX, &(const struct driver_desc){ at.big + 2 * i, small ? 1 : 2048, F_WRITE, NX }, 1);
		}
		flood(SMALL - 12);
		for (unsigned i = 0; i < OTHERS; i++)
			flood(60);
		worker_turn(at.b->w, 0);
		assert_int_equal(counter_get(&at.b->evil.port->stats[0].tx_frames), 1 + OTHERS);
		flood(TWICE - 12);
		flood(TWICE - 12);
		worker_turn(at.b->w, 0);
		assert_int_equal(counter_get(&at.b->evil.port->stats[0].tx_frames), 1 + OTHERS + 2);
		assert_null(vhost_fault(at.b->evil.port));
		PUT({ at.frame, CASE_BUFFER, 0, NX });		/* the other ring is as it was */
		ended(1, VERDICT_FORWARDED);
		hostile_bed_free(at.b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shorter_chains), cmocka_unit_test(test_walk), cmocka_unit_test(test_far_checksum), cmocka_unit_test(test_pieces_to_receive),
		cmocka_unit_test(test_small_buffers_and_others), cmocka_unit_test(test_chains), cmocka_unit_test(test_tables), cmocka_unit_test(test_packed_chain),
		cmocka_unit_test(test_receive),     cmocka_unit_test(test_pieces),	    cmocka_unit_test(test_long_bursts),
		cmocka_unit_test(test_long_checksums), cmocka_unit_test(test_many_pieces), cmocka_unit_test(test_small_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
