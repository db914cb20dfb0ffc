// SPDX-License-Identifier: GPL-2.0-or-later
/* needs: two processes at once
 * A guest that rewrites what the switch is just reading: frames, virtio headers, descriptors, tables, rings (FASTPATH 1.8, cases 6, 9,
 * 10, 15). One of its processes sends, the other changes memory as fast as it can. What a neighbour gets was checked as it is. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "tap/virtq.h"
#include "tests/packet/hostile_case.h"

enum { FRAMES = 16, EACH = 2048, HALF = CASE_SIZE / 2, RUN_MS = 700, TABLES = 16 };

static uint64_t frames_at, tables_at;
static unsigned fair, flipped;

static const struct {
	const char *what;
	uint64_t features;
} formats[] = {
	{ "split",		HOSTILE_BASIC },
	{ "split, event index",	HOSTILE_BASIC | BIT(VIRTIO_RING_F_EVENT_IDX) },
	{ "split, in order",	HOSTILE_BASIC | BIT(HOSTILE_IN_ORDER) | BIT(VIRTIO_NET_F_MRG_RXBUF) },
	{ "packed",		HOSTILE_BASIC | BIT(VIRTIO_F_RING_PACKED) },
	{ "packed, in order",	HOSTILE_BASIC | BIT(VIRTIO_F_RING_PACKED) | BIT(HOSTILE_IN_ORDER) | BIT(VIRTIO_RING_F_EVENT_IDX) },
};

static void open_bed(size_t format, uint16_t size)
{
	const struct driver_conf conf = { .features = formats[format].features, .size = size };

	struct driver_region r[DRIVER_REGIONS_MAX];

	at.b = hostile_bed_new(&conf, true);
	at.packed = formats[format].features >> VIRTIO_F_RING_PACKED & 1;
	assert_int_equal(driver_regions(at.b->evil.d, r), 1);
	frames_at = r[0].gpa + r[0].size - FRAMES * EACH;	/* a step too far is out of memory */
	tables_at = driver_alloc(at.b->evil.d, TABLES * 64, 64);
	for (unsigned i = 0; i < FRAMES; i++)
		case_frame(frames_at + i * EACH, 60 + 90 * i);
}

static uint64_t seed = 88172645463325252ull;

/* breathe() - processors are few, and everybody here is busy all the time */
static void breathe(unsigned i)
{
	if (i % 256 == 255)
		nanosleep(&(const struct timespec){ .tv_nsec = 20000 }, NULL);
}

static uint32_t random_below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* ---- the process that sends ---- */

static uint32_t size_of(unsigned i) { return DRIVER_HEADER + 60 + 90 * i; }

static void put_one(struct hostile_bed *b, unsigned i)
{
	uint64_t gpa = frames_at + i * EACH;
	struct driver_desc d[2] = { { gpa, 12, F_NEXT, NX }, { gpa + 12, size_of(i) - 12, 0, NX } };

	if (i % 4 == 1) {
		case_put(HOSTILE_TX, d, 2);
	} else if (i % 4 == 2) {
		at.table = tables_at + i % TABLES * 64;
		case_table(0, gpa, 12, at.packed ? 0 : F_NEXT, 1);
		case_table(1, gpa + 12, size_of(i) - 12, 0, 0);
		PUT({ at.table, 32, F_INDIRECT, NX });
	} else {
		PUT({ gpa, size_of(i), 0, NX });
	}
	hostile_kick(&b->evil);
}

static void sends(struct hostile_bed *b)
{
	unsigned waiting = 0;

	for (unsigned i = 0;; i++) {
		uint64_t until = clock_now_ms() + 5;

		hostile_pace(b);
		put_one(b, i % FRAMES);
		waiting++;
		while (waiting >= HALF / 2 && clock_now_ms() < until) {	/* what was spoilt never comes back */
			unsigned back = driver_used(b->evil.d, HOSTILE_TX);

			waiting -= MIN_OF(back, waiting);
			sched_yield();
		}
	}
}

/* ---- headers that change ---- */

static const uint8_t reserved[6] = { 1, 0x80, 0xc2, 0, 0, 1 }, gateway[6] = { 2, 0x67, 0x77, 0, 0, 1 };

/* flips() - each of these bytes turns a frame that may pass into one that may not, and back */
static void flips(struct hostile_bed *b)
{
	static const uint8_t zeros[6];

	for (unsigned i = 0;; i++) {
		uint8_t *header = driver_at(b->evil.d, frames_at + random_below(FRAMES) * EACH, NULL), *f = header + 12;
		bool bad = random_below(3) == 0;

		breathe(i);
		switch (random_below(7)) {
		case 0:
			memcpy(f + 6, bad ? gateway : b->evil.mac, 6);
			break;
		case 1:
			f[6] = bad ? 1 : 2;		/* a group */
			break;
		case 2:
			memcpy(f + 6, bad ? zeros : b->evil.mac, 6);
			break;
		case 3:
			memcpy(f, bad ? reserved : b->one.mac, 6);
			break;
		case 4:
			put_u16(f + 12, bad ? 0x8100 : 0x0800);	/* a tag, of a VLAN that this port is not in */
			put_u16(f + 14, bad ? 0x0002 : 0x4500);
			break;
		case 5:
			put_u16(f + 12, bad ? 0x8808 : 0x0800);	/* MAC control */
			break;
		default:
			header[0] = bad ? 1 : 0;
			header[1] = bad && random_below(2) ? 1 : 0;
			memset(header + 2, bad ? 0xff : 0, 8);
		}
	}
}

static void may_pass(struct hostile_bed *b, const struct hostile_frame *f)
{
	static const uint8_t zeros[10];
	unsigned type = f->len >= 14 ? get_u16(f->data + 12) : 0;
	static const uint8_t no_mac[6];

	if (f->len < 14 || f->data[6] & 1 || memcmp(f->data + 6, no_mac, 6) == 0 || memcmp(f->data + 6, gateway, 6) == 0)
		fail_msg("a source that no guest may have came through");
	if (memcmp(f->data, reserved, 6) == 0 || type == 0x8100 || type == 0x88a8 || type == 0x8808)
		fail_msg("a frame that no guest may send came through: type 0x%04x", type);
	if (memcmp(f->header, zeros, sizeof(zeros)) != 0)
		fail_msg("a request came through that this guest does not take");
	if (f->len > HOSTILE_MTU + 14)
		fail_msg("a frame of %u bytes came through", f->len);
	fair++;
	(void)b;
}

static uint64_t dropped(void)
{
	return hostile_verdict(&at.b->evil, VERDICT_DROP_SOURCE) + hostile_verdict(&at.b->evil, VERDICT_DROP_RESERVED) +
	       hostile_verdict(&at.b->evil, VERDICT_DROP_VLAN) + hostile_verdict(&at.b->evil, VERDICT_DROP_VNET_HEADER) +
	       hostile_verdict(&at.b->evil, VERDICT_DROP_SPOOFED_GATEWAY);
}

static void test_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		uint64_t end;
		pid_t mutator, sender;

		open_bed(i, CASE_SIZE);
		hostile_neighbours(at.b, 20);
		at.b->seen = may_pass;
		fair = 0;
		mutator = hostile_spawn(at.b, flips);
		sender = hostile_spawn(at.b, sends);
		for (end = clock_now_ms() + RUN_MS; clock_now_ms() < end || !fair || !dropped();) {
			hostile_neighbours(at.b, 5);
			if (clock_now_ms() > end + 10 * RUN_MS)
				fail_msg("%u frames came and %u were dropped", fair, (unsigned)dropped());
		}
		hostile_kill(sender);
		hostile_kill(mutator);
		print_message("  %s: %u frames might pass, %u not\n", formats[i].what, fair, (unsigned)dropped());
		assert_null(vhost_fault(at.b->evil.port));
		hostile_neighbours(at.b, 20);
		hostile_bed_free(at.b);
	}
}

/* ---- lengths that change ---- */

/* The buffer ends where its region does, or goes on in the next one, which lies elsewhere here: either is a good frame, and only
 * who looks at the length twice reads behind the end. */
enum { SHORT = 1422, LONG = 1526 };

static void sends_at_border(struct hostile_bed *b)
{
	unsigned waiting = 0;

	for (;;) {
		driver_hold(b->evil.d, HOSTILE_TX);
		for (unsigned k = 0; k < HALF; k++) {
			hostile_pace(b);
			PUT({ at.border - SHORT, SHORT, 0, NX });
		}
		driver_publish(b->evil.d, HOSTILE_TX);
		hostile_kick(&b->evil);
		for (waiting += HALF; waiting >= HALF; sched_yield())
			waiting -= driver_used(b->evil.d, HOSTILE_TX);
	}
}

static void changes_lengths(struct hostile_bed *b)
{
	const struct driver_ring *r = driver_ring(b->evil.d, HOSTILE_TX);

	for (unsigned i = 0;; i++) {
		uint32_t len = i & 1 ? LONG : SHORT;

		breathe(i);
		for (unsigned k = 0; k < CASE_SIZE; k++)
			__atomic_store_n(at.packed ? &r->packed_desc[k].len : &r->desc[k].len, len, __ATOMIC_RELAXED);
	}
}

static void has_either_length(struct hostile_bed *b, const struct hostile_frame *f)
{
	(void)b;
	assert_true(f->len == SHORT - DRIVER_HEADER || f->len == LONG - DRIVER_HEADER);
	fair++;
}

static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		const struct driver_conf conf = { .features = formats[i].features, .size = CASE_SIZE, .regions = 2 };
		struct driver_region r[DRIVER_REGIONS_MAX];
		uint64_t end = clock_now_ms() + RUN_MS / 2;
		pid_t mutator, sender;

		at.b = hostile_bed_new(&conf, true);
		at.packed = formats[i].features >> VIRTIO_F_RING_PACKED & 1;
		driver_regions(at.b->evil.d, r);
		at.border = r[0].gpa + r[0].size;
		case_frame(at.border - SHORT, LONG - DRIVER_HEADER);
		hostile_neighbours(at.b, 20);
		at.b->seen = has_either_length;
		fair = 0;
		mutator = hostile_spawn(at.b, changes_lengths);
		sender = hostile_spawn(at.b, sends_at_border);
		while (clock_now_ms() < end || (!fair && clock_now_ms() < end + 10 * RUN_MS))
			hostile_neighbours(at.b, 5);
		hostile_kill(sender);
		hostile_kill(mutator);
		assert_true(fair > 0);
		assert_null(vhost_fault(at.b->evil.port));
		hostile_neighbours(at.b, 20);
		hostile_bed_free(at.b);
	}
}

/* ---- everything changes ---- */

static uint64_t any_address(void)
{
	uint64_t near = frames_at + random_below(FRAMES * EACH);

	switch (random_below(8)) {
	case 0:
		return ~0ull - random_below(4096);
	case 1:
		return near ^ 1ull << random_below(64);
	default:
		return near;
	}
}

static uint32_t any_length(void)
{
	static const uint32_t lengths[] = { 0, 1, 11, 12, 13, 26, 112, 1526, 1527, 65566, 65567, 0x7fffffff, 0xffffffff };

	return lengths[random_below(ARRAY_SIZE(lengths) - random_below(2) * 4)];
}

static void rewrite_desc(uint8_t *to)
{
	uint64_t address = any_address();
	uint32_t length = any_length();
	uint16_t flags = (uint16_t)(random_below(4) ? random_below(2) : random_below(8)), next = (uint16_t)random_below(CASE_SIZE + 1);

	switch (random_below(4)) {
	case 0:
		memcpy(to, &address, 8);
		break;
	case 1:
		memcpy(to + 8, &length, 4);
		break;
	case 2:
		to[at.packed ? 14 : 12] = (uint8_t)(at.packed && random_below(2) ? flags | 0x80 : flags);
		break;
	default:
		memcpy(to + (at.packed ? 12 : 14), &next, 2);
	}
}

static void rewrites(struct hostile_bed *b)
{
	const struct driver_ring *rings[2] = { driver_ring(b->evil.d, HOSTILE_RX), driver_ring(b->evil.d, HOSTILE_TX) };
	uint32_t size = rings[1]->size;

	for (unsigned i = 0;; i++) {
		const struct driver_ring *r = rings[random_below(4) != 0];
		uint8_t *driver_area = driver_at(b->evil.d, r->driver_gpa, NULL), *device_area = driver_at(b->evil.d, r->device_gpa, NULL);

		breathe(i);
		switch (random_below(16)) {
		case 0:
			driver_area[random_below(r->packed ? 4 : 4 + 2 * size)] ^= (uint8_t)(1u << random_below(8));
			break;
		case 1:
			device_area[random_below(r->packed ? 4 : 6 + 8 * size)] = (uint8_t)random_below(256);
			break;
		case 2:
		case 3:
			rewrite_desc(driver_at(b->evil.d, tables_at + random_below(TABLES * 4) * 16, NULL));
			break;
		case 4:
			*driver_at(b->evil.d, frames_at + random_below(FRAMES) * EACH + random_below(12), NULL) = (uint8_t)random_below(256);
			break;
		default:
			rewrite_desc(driver_at(b->evil.d, r->desc_gpa + random_below(size) * 16, NULL));
		}
	}
}

/* offers() - something for the hostile guest to receive, into buffers that are as wrong as all else */
static void offer_some(void)
{
	uint8_t frame[1000];

	/* not from the neighbour's own address: what is received here is sent again, and would draw its frames here */
	hostile_fill(frame, sizeof(frame), at.b->evil.mac, (const uint8_t[6]){ 2, 0, 0, 0, 9, 9 }, 0);
	hostile_offer(&at.b->two, frame, sizeof(frame));
}

static void post_some(void)
{
	for (unsigned i = 0; i < HALF && i < driver_ring(at.b->evil.d, HOSTILE_RX)->size; i++)
		case_put(HOSTILE_RX, &(const struct driver_desc){ frames_at + i % FRAMES * EACH, EACH, F_WRITE, NX }, 1);
}

/* check_places() - a worker writes them meanwhile, each in one piece: the value of any moment has to be good */
__attribute__((no_sanitize("thread"))) static void check_places(uint16_t size)
{
	for (unsigned i = 0; at.packed && i < 2; i++)
		if ((at.b->evil.saved[i].next_avail & 0x7fff) >= size || (at.b->evil.saved[i].next_used & 0x7fff) >= size)
			fail_msg("a place beyond the ring");
}

static void rewrite_all(size_t format, uint16_t size)
{
	uint64_t end = clock_now_ms() + RUN_MS;
	unsigned faults = 0;
	pid_t mutator, sender = 0;

	open_bed(format, size);
	hostile_neighbours(at.b, 20);
	mutator = hostile_spawn(at.b, rewrites);
	while (clock_now_ms() < end) {
		uint64_t again = clock_now_ms() + 20;

		hostile_reset(&at.b->evil);
		post_some();
		sender = hostile_spawn(at.b, sends);
		while (!vhost_fault(at.b->evil.port) && clock_now_ms() < again) {
			hostile_neighbours(at.b, 3);
			offer_some();
			check_places(size);
		}
		faults += vhost_fault(at.b->evil.port) != NULL;
		hostile_kill(sender);
	}
	hostile_kill(mutator);
	print_message("  %s of %u: %u faults, %u frames received\n", formats[format].what, size, faults,
		      (unsigned)counter_get(&at.b->evil.port->stats[0].rx_frames));
	hostile_neighbours(at.b, 20);
	hostile_bed_free(at.b);
	flipped += faults;
}

static void test_everything(void **state)
{
	(void)state;
	flipped = 0;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		rewrite_all(i, CASE_SIZE);
		rewrite_all(i, at.packed ? 3 : 4);
	}
	assert_true(flipped > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lengths), cmocka_unit_test(test_headers), cmocka_unit_test(test_everything) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
