// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver that writes what is not its own to write: used ring, events, wrap bits, flags (FASTPATH 1.8, cases 15 and 16). What
 * the device needs to remember it does not keep in the guest's memory, so that nothing of this leads it astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "tap/virtq.h"
#include "tests/packet/hostile_case.h"

enum { AVAIL = 1 << 7, USED = 1 << 15, CANARY = 0xc5 };

static const struct driver_ring *ring(void)
{
	return driver_ring(at.b->evil.d, HOSTILE_TX);
}

static void honest_put(void) { PUT({ at.frame, CASE_BUFFER, 0, NX }); }

/* ---- packed: ids, bits and laps ---- */

static void id_at_size(void) { PUT({ at.frame, CASE_BUFFER, 0, CASE_SIZE }); }
static void id_largest(void) { PUT({ at.frame, CASE_BUFFER, 0, 0xfffe }); }
static void id_bad_in_the_middle(void) { PUT({ at.frame, 12, F_NEXT, 0xfffe }, { at.frame + 12, CASE_FRAME, 0, NX }); }

/* raw() - a descriptor as it stands, bits and all */
static void raw(unsigned place, uint32_t len, uint16_t id, uint16_t flags)
{
	struct vring_packed_desc d = { at.frame, len, id, flags };

	ring()->packed_desc[place] = d;
}
static void used_already(void) { raw(0, CASE_BUFFER, 0, AVAIL | USED); }
static void of_the_next_lap(void) { raw(0, CASE_BUFFER, 0, USED); }
static void behind_an_empty_place(void) { raw(1, CASE_BUFFER, 0, AVAIL); }

static void round_the_end(void)
{
	for (unsigned i = 0; i < CASE_SIZE - 2; i++)
		honest_put();
	case_wait();
	PUT({ at.frame, 1, F_NEXT, NX }, { at.frame + 1, 11, F_NEXT, NX }, { at.frame + 12, 50, F_NEXT, NX },
	    { at.frame + 62, CASE_BUFFER - 62, 0, NX });
}

/* A chain that the driver has not finished: what stands behind the ring's end is a descriptor that was used before. */
static void unfinished_at_the_end(void)
{
	for (unsigned i = 0; i < CASE_SIZE - 1; i++)
		PUT({ at.frame, 5, 0, NX });
	case_wait();
	PUT({ at.frame, 12, F_NEXT, NX });
}

/* more_than_the_ring() - all places form chains, and two are available at once which together are longer than the ring: from place
 * 60 round to 58, and from 59, which is good in the lap after that, round to 58 again; then one more. Behind the ring lies
 * something else. */
static void more_than_the_ring(void)
{
	for (unsigned i = 0; i < CASE_SIZE - 4; i++)
		PUT({ at.frame, 5, 0, NX });
	case_wait();
	memset(&ring()->packed_desc[CASE_SIZE], CANARY, 16 * CASE_SIZE);
	for (unsigned i = 0; i < CASE_SIZE; i++)
		raw(i, 0, 1, (uint16_t)(i == 58 ? 0 : i == 59 ? F_NEXT | USED : F_NEXT));
	__atomic_store_n(&ring()->packed_desc[60].flags, F_NEXT | AVAIL, __ATOMIC_RELEASE);
	case_wait();
	__atomic_store_n(&ring()->packed_desc[59].flags, AVAIL, __ATOMIC_RELEASE);
	case_wait();
	for (unsigned i = 0; i < 16 * CASE_SIZE; i++)
		assert_int_equal(((const uint8_t *)&ring()->packed_desc[CASE_SIZE])[i], CANARY);
}

static const struct hostile_case packed_cases[] = {
	{ "an id at the size of the ring", ON_PACKED, id_at_size, .fault = VIRTQ_BAD_ID },
	{ "id 65534", ON_PACKED, id_largest, .fault = VIRTQ_BAD_ID },
	{ "id 65534, where ids do not count", ON_PACKED, id_bad_in_the_middle, NULL, VERDICT_FORWARDED, 1 },
	{ "a descriptor marked as used", ON_PACKED | SCRIBBLES, used_already, NULL, VERDICT_FORWARDED, 0 },
	{ "one of the next lap", ON_PACKED | SCRIBBLES, of_the_next_lap, NULL, VERDICT_FORWARDED, 0 },
	{ "one behind an empty place", ON_PACKED | SPOILS, behind_an_empty_place, NULL, VERDICT_FORWARDED, 0 },
	{ "a chain over the end of the ring", ON_PACKED, round_the_end, NULL, VERDICT_FORWARDED, CASE_SIZE - 1 },
	{ "one that is not finished there", ON_PACKED | SPOILS, unfinished_at_the_end, NULL, VERDICT_DROP_RUNT, CASE_SIZE },
	{ "more available than the ring is long", ON_PACKED | SPOILS, more_than_the_ring, NULL, VERDICT_DROP_RUNT, CASE_SIZE - 1 },
};

static void test_packed(void **state)
{
	(void)state;
	hostile_cases(packed_cases, ARRAY_SIZE(packed_cases), HOSTILE_BASIC);
}

/* ---- what the device writes ---- */

static void open_bed(uint64_t features)
{
	struct driver_conf conf = { .features = features, .size = CASE_SIZE };

	at.b = hostile_bed_new(&conf, false);
	at.packed = features >> VIRTIO_F_RING_PACKED & 1;
	at.frame = driver_alloc(at.b->evil.d, CASE_BUFFER, 64);
	case_frame(at.frame, CASE_FRAME);
}

static void scribble(uint8_t value)
{
	const struct driver_ring *r = ring();

	if (r->packed) {		/* the places that the device has given back */
		for (unsigned i = 0; i < CASE_SIZE; i++)
			raw(i, value, value, value & 1 ? AVAIL | USED : 0);
		memset(r->device_event, value, sizeof(*r->device_event));
	} else {
		memset(r->used, value, 6 + 8 * CASE_SIZE);
	}
}

/* The used ring is overwritten after each frame; what the device writes next is right all the same. */
static void check_used(unsigned i)
{
	const struct driver_ring *r = ring();

	if (r->packed) {
		uint16_t both = i / CASE_SIZE % 2 ? 0 : AVAIL | USED;

		assert_int_equal(r->packed_desc[i % CASE_SIZE].flags, both);
		assert_int_equal(r->packed_desc[i % CASE_SIZE].id, i % CASE_SIZE);
	} else {
		assert_int_equal(r->used->idx, (uint16_t)(i + 1));
		assert_int_equal(r->used->ring[i % CASE_SIZE].id, i % CASE_SIZE);
		assert_int_equal(r->used->ring[i % CASE_SIZE].len, 0);
	}
}

static bool it_came(struct hostile_bed *b)
{
	return b->came > 0;
}

static void test_used_overwritten(void **state)
{
	static const uint8_t values[] = { 0, 0xff, 0x5a, 0x80 };

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		open_bed(HOSTILE_BASIC | (k & 1 ? BIT(VIRTIO_F_RING_PACKED) : 0) | (k & 2 ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0));
		for (unsigned i = 0; i < 3 * CASE_SIZE; i++) {
			at.b->came = 0;
			PUT({ at.frame, CASE_BUFFER, 0, (uint16_t)(i % CASE_SIZE) });
			hostile_kick(&at.b->evil);
			assert_true(hostile_until(at.b, it_came));
			check_used(i);
			scribble(values[i % ARRAY_SIZE(values)]);
			hostile_neighbours(at.b, 1);
		}
		assert_null(vhost_fault(at.b->evil.port));
		hostile_bed_free(at.b);
	}
}

/* Whatever stands in the words by which calls are asked for, frames go on; calls may come or not. */
static void test_event_garbage(void **state)
{
	static const uint16_t words[] = { 0, 1, 2, 3, 0x7fff, 0x8000, 0x803f, 0x8040, 0xffff, 63, 64, 65 };

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		open_bed(HOSTILE_BASIC | (k & 1 ? BIT(VIRTIO_F_RING_PACKED) : 0) | (k & 2 ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0));
		for (unsigned i = 0; i < ARRAY_SIZE(words) * ARRAY_SIZE(words); i++) {
			uint16_t a = words[i % ARRAY_SIZE(words)], c = words[i / ARRAY_SIZE(words)];
			const struct driver_ring *r = ring();

			if (r->packed) {
				*r->driver_event = (struct vring_packed_desc_event){ a, c };
			} else {
				r->avail->flags = a;
				r->avail->ring[CASE_SIZE] = c;
			}
			case_honest("event words", true);
		}
		hostile_neighbours(at.b, 10);
		hostile_bed_free(at.b);
	}
}

/* A driver that rewrites its descriptors all the time makes many laps of a short ring available at once: the place stays in it. */
static void test_laps(void **state)
{
	static struct virtq r;

	(void)state;
	for (uint16_t size = 1; size <= 5; size++) {
		r = (struct virtq){ .size = size, .packed = true, .avail_wrap = true };
		for (uint32_t n = 0, total = 0; n <= BURST_MAX; total += ++n) {
			assert_int_equal(r.next_avail, total % size);
			assert_int_equal(r.avail_wrap, total / size % 2 == 0);
			virtq_packed_advance(&r, n + 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_laps),
		cmocka_unit_test(test_packed), cmocka_unit_test(test_used_overwritten), cmocka_unit_test(test_event_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
