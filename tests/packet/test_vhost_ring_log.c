// SPDX-License-Identifier: GPL-2.0-or-later
/* The dirty log: while it is kept, each page that the device writes is marked, and no other (CONFORMANCE VU-45, FASTPATH 1.8 case 31). A
 * migration that misses one loses what was received. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/packet/hostile_case.h"

enum { PAGE = 4096, LOG = 4096, RECEIVES = 16, FRAME = 700 };

static const uint8_t *marks;
static uint64_t buffers;

static const struct {
	const char *what;
	uint64_t features;
	uint32_t room;			/* of each buffer, which begins on a page of its own */
	unsigned pieces, used;		/* buffers that the frame takes */
} cases[] = {
	{ "a buffer that holds it", 0, 2048, 1, 1 },
	{ "a chain", 0, 2048, 3, 1 },
	{ "mergeable buffers", BIT(VIRTIO_NET_F_MRG_RXBUF), 256, 1, 3 },
};

/* share_with_log() - the memory that the bed has mapped, once more and with a log */
static void share_with_log(struct hostile_guest *g)
{
	struct driver_region from[DRIVER_REGIONS_MAX];
	struct vhost_region to;
	int fd = memfd_create("log", MFD_CLOEXEC);
	struct error err = { 0 };
	struct vhost_mapping *log;
	struct vhost_memory *m;

	assert_int_equal(driver_regions(g->d, from), 1);
	to = (struct vhost_region){ .gpa = from[0].gpa, .size = from[0].size, .user = from[0].user, .offset = from[0].offset,
				    .mapping = g->mappings[0] };
	assert_int_equal(ftruncate(fd, LOG), 0);
	log = vhost_mapping_new(fd, 0, LOG, &err);
	close(fd);
	assert_non_null(log);
	m = vhost_memory_new(&to, 1, log, LOG, &err);
	assert_non_null(m);
	marks = vhost_mapping_at(log);
	vhost_mapping_put(log);
	vhost_memory_free(g->memory);
	g->memory = m;
	vhost_set_memory(g->port, m);
}

static void start_logged(struct hostile_guest *g, unsigned ring)
{
	const struct driver_ring *r = driver_ring(g->d, ring);
	struct vhost_ring_conf conf = {
		.size = r->size, .kick = g->kick, .call = g->call, .err = -1, .saved = &g->saved[ring], .log_device = true,
		.device_gpa = r->packed ? r->desc_gpa : r->device_gpa,
		.desc = vhost_user_at(g->memory, r->desc_user, r->size * 16u, NULL),
		.driver = vhost_user_at(g->memory, r->driver_user, 4, NULL),
		.device = vhost_user_at(g->memory, r->device_user, 4, NULL),
	};

	g->saved[ring] = r->packed ? (struct vring_saved){ 0x8000, 0x8000 } : (struct vring_saved){ 0, 0 };
	driver_reset(g->d, ring);
	vhost_ring_start(g->port, ring, &conf);
	vhost_ring_enable(g->port, ring, true);
}

static bool marked(uint64_t gpa)
{
	return marks[gpa / PAGE / 8] >> gpa / PAGE % 8 & 1;
}

/* unmark() - Return: pages that were marked */
static unsigned unmark(void)
{
	uint8_t *all = (uint8_t *)(uintptr_t)marks;
	unsigned n = 0;

	for (unsigned i = 0; i < LOG; i++)
		n += (unsigned)__builtin_popcount(all[i]);
	memset(all, 0, LOG);
	return n;
}

static uint64_t written_ring(unsigned ring)
{
	const struct driver_ring *r = driver_ring(at.b->evil.d, ring);

	return r->packed ? r->desc_gpa : r->device_gpa;
}

static void open_bed(bool packed, uint64_t features)
{
	const struct driver_conf conf = {
		.features = HOSTILE_BASIC | features | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0), .size = CASE_SIZE,
	};

	at.b = hostile_bed_new(&conf, false);
	at.packed = packed;
	at.frame = driver_alloc(at.b->evil.d, CASE_BUFFER, PAGE);
	buffers = driver_alloc(at.b->evil.d, RECEIVES * PAGE, PAGE);
	hostile_neighbours(at.b, 2);
	vhost_pause(at.b->evil.port);
	share_with_log(&at.b->evil);
	start_logged(&at.b->evil, HOSTILE_RX);
	start_logged(&at.b->evil, HOSTILE_TX);
	vhost_resume(at.b->evil.port);
}

static void post(uint32_t room, unsigned pieces)
{
	struct driver_desc d[4];

	for (unsigned i = 0; i < RECEIVES / pieces; i++) {
		for (unsigned k = 0; k < pieces; k++)
			d[k] = (struct driver_desc){ buffers + (i * pieces + k) * PAGE, k + 1 < pieces ? room / 8 : room,
						     (uint16_t)(F_WRITE | (k + 1 < pieces ? F_NEXT : 0)), NX };
		case_put(HOSTILE_RX, d, pieces);
	}
}

static void test_received(void **state)
{
	uint8_t frame[FRAME];

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned pages = cases[i / 2].used * cases[i / 2].pieces;

		print_message("  %s: %s\n", i & 1 ? "packed" : "split", cases[i / 2].what);
		open_bed(i & 1, cases[i / 2].features);
		post(cases[i / 2].room, cases[i / 2].pieces);
		unmark();
		hostile_fill(frame, sizeof(frame), (const uint8_t[6]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, at.b->two.mac, 0);
		hostile_offer(&at.b->two, frame, sizeof(frame));
		hostile_turn(at.b);
		hostile_turn(at.b);
		hostile_listen(at.b);
		assert_int_equal(driver_used(at.b->evil.d, HOSTILE_RX), cases[i / 2].used);
		for (unsigned k = 0; k < pages; k++)
			assert_true(marked(buffers + k * PAGE));
		assert_true(marked(written_ring(HOSTILE_RX)));
		assert_int_equal(unmark(), pages + 1);
		hostile_bed_free(at.b);
	}
}

/* Of frames that are sent only the ring is written. */
static void test_sent(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		open_bed(packed, 0);
		unmark();
		case_honest("a guest whose memory is logged", true);
		assert_true(marked(written_ring(HOSTILE_TX)));
		assert_int_equal(unmark(), 1);
		hostile_bed_free(at.b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_received), cmocka_unit_test(test_sent) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
