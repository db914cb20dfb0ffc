// SPDX-License-Identifier: GPL-2.0-or-later
/* Receive rings: what a device must write and must not (CONFORMANCE VU-24, 25, 28, 29), and drivers that lie about their buffers
 * (FASTPATH 1.8, cases 7, 17 and 18). The test driver looks at every byte that may not change. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "tap/virtq.h"
#include "tests/packet/hostile_case.h"

enum { LONGEST = HOSTILE_MTU + 14, SIZE = 256 };

static void open_bed(uint64_t features, unsigned size, unsigned regions)
{
	const struct driver_conf conf = { .features = features, .size = (uint16_t)size, .room = 8192, .regions = regions };
	uint8_t hello[60];

	at.b = hostile_bed_new(&conf, false);
	at.packed = features >> VIRTIO_F_RING_PACKED & 1;
	hostile_fill(hello, sizeof(hello), at.b->one.mac, at.b->evil.mac, 0);	/* so that it is known where it lives */
	assert_int_equal(driver_send(at.b->evil.d, HOSTILE_TX, hello, sizeof(hello), NULL, &DRIVER_PLAIN), 0);
	case_wait();
	assert_int_equal(at.b->came, 1);
	driver_reset(at.b->evil.d, HOSTILE_TX);
	hostile_reset(&at.b->evil);
}

static uint64_t offered, taken, dropped;

static void look(void)
{
	offered = counter_get(&at.b->evil.port->stats[0].queued);
	taken = counter_get(&at.b->evil.port->stats[0].tx_frames);
	dropped = counter_get(&at.b->evil.port->stats[0].tx_drops);
}

static bool it_went(struct hostile_bed *b)
{
	return counter_get(&b->evil.port->stats[0].queued) > offered;
}

/* offer() - a frame of @len bytes for the hostile guest. Return: did its port take it? */
static bool offer(uint32_t len, uint32_t number)
{
	uint8_t frame[LONGEST];
	bool took;

	look();
	hostile_fill(frame, len, at.b->evil.mac, at.b->two.mac, number);
	hostile_offer(&at.b->two, frame, len);
	assert_true(hostile_until(at.b, it_went));
	took = counter_get(&at.b->evil.port->stats[0].tx_frames) == taken + 1;
	assert_int_equal(counter_get(&at.b->evil.port->stats[0].tx_drops), dropped + !took);
	return took;
}

/* ---- an honest driver ---- */

static const struct {
	const char *what;
	uint64_t features;
	bool merges;
} formats[] = {
	{ "legacy",			BIT(VIRTIO_RING_F_INDIRECT_DESC), false },
	{ "split",			HOSTILE_BASIC, false },
	{ "split, mergeable",		HOSTILE_BASIC | BIT(VIRTIO_NET_F_MRG_RXBUF), true },
	{ "split, mergeable, in order",	HOSTILE_BASIC | BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(HOSTILE_IN_ORDER), true },
	{ "legacy, mergeable",		BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_RING_F_INDIRECT_DESC), true },
	{ "packed",			HOSTILE_BASIC | BIT(VIRTIO_F_RING_PACKED), false },
	{ "packed, mergeable",		HOSTILE_BASIC | BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_NET_F_MRG_RXBUF), true },
	{ "packed, in order",		HOSTILE_BASIC | BIT(VIRTIO_F_RING_PACKED) | BIT(HOSTILE_IN_ORDER) | BIT(VIRTIO_NET_F_MRG_RXBUF), true },
};

static const struct driver_layout *const layouts[] = {
	&DRIVER_PLAIN, &DRIVER_HEADER_APART, &DRIVER_HEADER_BYTES, &DRIVER_HEADER_SPLIT, &DRIVER_INDIRECT,
	&(const struct driver_layout){ .even = 9 }, &(const struct driver_layout){ .even = 40, .indirect = true },
};

/* got() - the frame, whole, in as few buffers as it needs, with a header that says nothing else */
static void got(uint32_t len, uint32_t number, unsigned header, uint32_t room, bool merges)
{
	static const uint8_t zeros[10];
	uint8_t want[LONGEST];
	struct driver_frame f;

	if (driver_take(at.b->evil.d, HOSTILE_RX, &f) != 1 || driver_check(at.b->evil.d) < 0)
		fail_msg("%s", driver_fault(at.b->evil.d));
	hostile_fill(want, len, at.b->evil.mac, at.b->two.mac, number);
	assert_int_equal(f.len, len);
	assert_memory_equal(f.data, want, len);
	assert_memory_equal(f.header, zeros, sizeof(zeros));
	assert_int_equal(f.buffers, merges ? (header + len + room - 1) / room : 1);
	assert_int_equal(driver_take(at.b->evil.d, HOSTILE_RX, &f), 0);
}

static void receive(size_t format, const struct driver_layout *layout, uint32_t room)
{
	unsigned header = formats[format].features & (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF)) ? 12 : 10;

	for (uint32_t i = 0; i < 40; i++) {
		uint32_t len = i < 30 ? 60 + i * 49 % (LONGEST - 59) : room - header + i - 34;	/* then just around its size */
		bool fits = formats[format].merges || header + len <= room;

		len = MIN_OF(MAX_OF(len, 60), LONGEST);
		fits = formats[format].merges || header + len <= room;
		assert_true(driver_post(at.b->evil.d, HOSTILE_RX, SIZE, room, layout) >= 0);
		assert_int_equal(offer(len, i), fits);
		if (fits)
			got(len, i, header, room, formats[format].merges);
		assert_null(vhost_fault(at.b->evil.port));
	}
}

static void test_rules(void **state)
{
	static const uint32_t rooms[] = { 100, 200, 256, 1526, 4000 };

	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
		for (size_t l = 0; l < ARRAY_SIZE(layouts); l++) {
			open_bed(formats[f].features, SIZE, l % 2 ? 16 : 1);
			print_message("  %s, layout %zu\n", formats[f].what, l);
			for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
				hostile_reset(&at.b->evil);
				receive(f, layouts[l], rooms[i]);
			}
			hostile_neighbours(at.b, 3);
			hostile_bed_free(at.b);
		}
	}
}

/* Too few buffers for a frame: it is dropped, the buffers stay, and a frame that fits goes there. */
static void test_too_few(void **state)
{
	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
		unsigned header = formats[f].features & (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF)) ? 12 : 10;

		open_bed(formats[f].features, SIZE, 1);
		assert_false(offer(100, 1));		/* none at all */
		assert_int_equal(driver_post(at.b->evil.d, HOSTILE_RX, 3, 300, &DRIVER_HEADER_APART), 3);
		for (unsigned i = 0; i < 100; i++)
			assert_false(offer(900 - header + 1, i));
		assert_int_equal(driver_pending(at.b->evil.d, HOSTILE_RX), 3);
		assert_true(offer(300 - header, 2));
		got(300 - header, 2, header, 300, formats[f].merges);
		assert_int_equal(offer(600 - header, 3), formats[f].merges);
		if (formats[f].merges)
			got(600 - header, 3, header, 300, true);
		hostile_neighbours(at.b, 10);
		hostile_bed_free(at.b);
	}
}

/* ---- buffers that lie ---- */

static const struct driver_ring *rx(void) { return driver_ring(at.b->evil.d, HOSTILE_RX); }
static void post(uint64_t addr, uint32_t len, uint16_t flags)
{
	case_put(HOSTILE_RX, &(const struct driver_desc){ addr, len, flags, NX }, 1);
}
static void post_many(uint64_t addr, uint32_t len)
{
	for (unsigned i = 0; i < CASE_SIZE / 2; i++)
		post(addr, len, F_WRITE);
}
static void read_only(void) { post(at.big, 2048, 0); }
static void half_read_only(void)
{
	case_put(HOSTILE_RX, (const struct driver_desc[]){ { at.big, 12, F_NEXT | F_WRITE, NX }, { at.big, 2048, 0, NX } }, 2);
}
static void nowhere(void) { post(at.end, 2048, F_WRITE); }
static void wraps(void) { post(~0ull - 7, 2048, F_WRITE); }
static void longest(void) { post(at.big, 0xffffffff, F_WRITE); }
static void second_nowhere(void)
{
	case_put(HOSTILE_RX, (const struct driver_desc[]){ { at.big, 12, F_NEXT | F_WRITE, NX }, { at.end - 1, 2048, F_WRITE, NX } }, 2);
}
static void endless(void)
{
	struct driver_desc d[CASE_SIZE];

	for (unsigned i = 0; i < CASE_SIZE; i++)
		d[i] = (struct driver_desc){ at.big, 0, F_NEXT | F_WRITE, NX };
	case_put(HOSTILE_RX, d, CASE_SIZE);
}
static void bad_id(void) { case_put(HOSTILE_RX, &(const struct driver_desc){ at.big, 2048, F_WRITE, CASE_SIZE }, 1); }
static void bad_head(void)
{
	driver_hold(at.b->evil.d, HOSTILE_RX);
	post(at.big, 2048, F_WRITE);
	rx()->avail->ring[0] = CASE_SIZE;
	driver_publish(at.b->evil.d, HOSTILE_RX);
}
static void bad_head_of_chain(void)
{
	bad_head();
	rx()->desc[0].flags |= F_NEXT;
}
static void bad_head_behind_small_ones(void)
{
	driver_hold(at.b->evil.d, HOSTILE_RX);
	post(at.big, 200, F_WRITE);
	post(at.big, 2048, F_WRITE);
	rx()->avail->ring[1] = CASE_SIZE;
	driver_publish(at.b->evil.d, HOSTILE_RX);
}
static void index_ahead(void) { __atomic_store_n(&rx()->avail->idx, CASE_SIZE + 1, __ATOMIC_RELEASE); }
static void table_nowhere(void) { post(at.end, 32, F_INDIRECT); }
static void table_not_whole(void) { post(at.table, 31, F_INDIRECT); }

static void too_small(void) { post_many(at.big, 5); }
static void without_bytes(void) { post_many(at.big, 0); }
static void all_the_same(void) { post_many(at.big, 2048); }
static void overlapping(void)
{
	for (unsigned i = 0; i < CASE_SIZE / 2; i++)
		post(at.big + 7 * i, 2048, F_WRITE);
}
static void over_descriptors(void) { post_many(rx()->desc_gpa, 2048); }
static void over_driver_area(void) { post_many(rx()->driver_gpa, 2048); }
static void over_device_area(void) { post_many(rx()->device_gpa, 2048); }
static void over_transmit_ring(void) { post_many(driver_ring(at.b->evil.d, HOSTILE_TX)->desc_gpa, 2048); }
static void over_what_is_sent(void) { post_many(at.frame, 2048); }

static const struct {
	const char *what;
	unsigned where;
	void (*play)(void);
	const char *fault;
	int taken;			/* of three frames, or ANY: whatever comes of it, the neighbours are well */
} lies[] = {
	{ "a buffer to receive that is only to be read", ON_BOTH, read_only, VIRTQ_BAD_DIRECTION, 0 },
	{ "one of which the second piece is", ON_BOTH, half_read_only, VIRTQ_BAD_DIRECTION, 0 },
	{ "a buffer outside of memory", ON_BOTH, nowhere, VIRTQ_BAD_ADDRESS, 0 },
	{ "one that wraps", ON_BOTH, wraps, VIRTQ_BAD_ADDRESS, 0 },
	{ "one of 4 GiB", ON_BOTH, longest, VIRTQ_BAD_ADDRESS, 0 },
	{ "one whose second piece is outside", ON_BOTH, second_nowhere, VIRTQ_BAD_ADDRESS, 0 },
	{ "a chain without end", ON_BOTH, endless, VIRTQ_LOOP, 0 },
	{ "an id beyond the ring", ON_PACKED, bad_id, VIRTQ_BAD_ID, 0 },
	{ "a head beyond the ring", ON_SPLIT, bad_head, VIRTQ_BAD_HEAD, 0 },
	{ "a head beyond the ring, of a chain", ON_SPLIT, bad_head_of_chain, VIRTQ_BAD_HEAD, 0 },
	{ "a head beyond the ring, where a frame goes on", ON_SPLIT, bad_head_behind_small_ones, VIRTQ_BAD_HEAD, 0 },
	{ "an index further ahead than the ring is long", ON_SPLIT, index_ahead, VIRTQ_BAD_INDEX, 0 },
	{ "a table outside of memory", ON_BOTH, table_nowhere, VIRTQ_BAD_ADDRESS, 0 },
	{ "a table that is not of whole entries", ON_BOTH, table_not_whole, VIRTQ_BAD_INDIRECT, 0 },
	{ "buffers shorter than the header", ON_BOTH, too_small, NULL, 0 },
	{ "buffers without bytes", ON_BOTH, without_bytes, NULL, 0 },
	{ "one buffer under many names", ON_BOTH, all_the_same, NULL, 3 },
	{ "buffers that overlap", ON_BOTH, overlapping, NULL, 3 },
	{ "buffers over their own descriptors", ON_BOTH, over_descriptors, NULL, -1 },
	{ "buffers over their available ring", ON_BOTH, over_driver_area, NULL, -1 },
	{ "buffers over their used ring", ON_BOTH, over_device_area, NULL, -1 },
	{ "buffers over the other ring", ON_BOTH, over_transmit_ring, NULL, -1 },
	{ "buffers over the frame being sent", ON_BOTH, over_what_is_sent, NULL, 3 },
};

static void play(size_t i)
{
	const char *fault;
	int took = 0;

	hostile_reset(&at.b->evil);
	case_frame(at.frame, CASE_FRAME);
	lies[i].play();
	hostile_kick(&at.b->evil);
	for (unsigned k = 0; k < 3; k++) {
		took += offer(300 + k, k);
		hostile_neighbours(at.b, 2);
	}
	fault = vhost_fault(at.b->evil.port);
	if (lies[i].taken >= 0 && (fault != lies[i].fault || took != lies[i].taken))
		fail_msg("%s: %d frames and %s", lies[i].what, took, fault ? fault : "no fault");
	hostile_reset(&at.b->evil);
	case_honest(lies[i].what, true);
}

/* plays_on() - frames go on in the next buffer, or never, as was agreed */
static bool plays_on(size_t i, size_t format)
{
	return (lies[i].where & (at.packed ? ON_PACKED : ON_SPLIT)) && !(formats[format].merges && lies[i].play == too_small) &&
	       (formats[format].merges || lies[i].play != bad_head_behind_small_ones);
}

static void test_lies(void **state)
{
	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
		struct driver_region r[DRIVER_REGIONS_MAX];

		if (!(formats[f].features & BIT(VIRTIO_F_VERSION_1)))
			continue;
		open_bed(formats[f].features, CASE_SIZE, 1);
		driver_regions(at.b->evil.d, r);
		at.end = r[0].gpa + r[0].size;
		at.frame = driver_alloc(at.b->evil.d, 4096, 64);
		at.table = driver_alloc(at.b->evil.d, 4096, 16);
		at.big = driver_alloc(at.b->evil.d, 4096, 64);
		for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
			if (!plays_on(i, f))
				continue;
			print_message("  %s: %s\n", formats[f].what, lies[i].what);
			play(i);
		}
		hostile_bed_free(at.b);
	}
}

/* ---- memory of two ports at once ---- */

enum { SHARED = 8192 };
#define ELSEWHERE (1ull << 40)

/* share_neighbour() - the hostile guest's front-end maps a neighbour's memory too. Return: where @gpa of it is for the hostile guest */
static uint64_t share_neighbour(struct hostile_guest *evil, const struct hostile_guest *one, uint64_t gpa)
{
	struct driver_region own[DRIVER_REGIONS_MAX], other[DRIVER_REGIONS_MAX];
	struct vhost_region to[2];
	struct vhost_memory *m;
	struct error err = { 0 };

	assert_int_equal(driver_regions(evil->d, own), 1);
	assert_int_equal(driver_regions(one->d, other), 1);
	to[0] = (struct vhost_region){ .gpa = own[0].gpa, .size = own[0].size, .user = own[0].user, .mapping = evil->mappings[0] };
	to[1] = (struct vhost_region){ .gpa = ELSEWHERE, .size = other[0].size, .user = ELSEWHERE };
	to[1].mapping = evil->mappings[1] = vhost_mapping_new(driver_fd(one->d), other[0].offset, other[0].size, &err);
	assert_non_null(evil->mappings[1]);
	m = vhost_memory_new(to, 2, NULL, 0, &err);
	assert_non_null(m);
	vhost_pause(evil->port);
	vhost_set_memory(evil->port, m);
	vhost_memory_free(evil->memory);
	evil->memory = m;
	vhost_resume(evil->port);
	return ELSEWHERE + (gpa - other[0].gpa);
}

/* Frames are received over those being sent, in memory that another port has as well (case 18): whoever shares it spoils his own. */
static void test_shared_memory(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		uint64_t spare, here;

		open_bed(HOSTILE_BASIC | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0), CASE_SIZE, 1);
		spare = driver_alloc(at.b->one.d, SHARED, 64);
		at.frame = driver_alloc(at.b->evil.d, CASE_BUFFER, 64);
		here = share_neighbour(&at.b->evil, &at.b->one, spare);
		for (unsigned i = 0; i < CASE_SIZE / 2; i++)
			post(here + 200 + 7 * i, 2048, F_WRITE);	/* behind the addresses, or it would be somebody else who sends */
		for (unsigned i = 0; i < 8; i++) {
			hostile_fill(driver_at(at.b->one.d, spare, NULL) + DRIVER_HEADER, 1200, at.b->one.mac, at.b->evil.mac, i);
			PUT({ here, DRIVER_HEADER + 1200, 0, NX });
			hostile_kick(&at.b->evil);
			assert_true(offer(300 + i, i));
			hostile_neighbours(at.b, 2);
			memset(driver_at(at.b->one.d, spare, NULL), 0, SHARED);
		}
		assert_null(vhost_fault(at.b->evil.port));
		hostile_reset(&at.b->evil);
		case_honest("a guest that shares another's memory", true);
		hostile_neighbours(at.b, 10);
		hostile_bed_free(at.b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules), cmocka_unit_test(test_too_few), cmocka_unit_test(test_lies), cmocka_unit_test(test_shared_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
