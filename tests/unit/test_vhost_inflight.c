// SPDX-License-Identifier: GPL-2.0-or-later
/* The area of buffers in flight, which the next back-end gets from the front-end. Expected places of its fields are those of the
 * structures in the QEMU documentation. */
#define _GNU_SOURCE
#include "tap/vhost_inflight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "tests/unit/vhost_front_end.h"

#define ALL (VERSION_1 | BIT(30))
enum { DESC_FLAGS = 14, AVAIL_BIT = 0x80, USED_BIT = 0x8000 };

struct area {
	uint64_t size, offset;
	uint16_t queues, queue_size;
	uint32_t padding;
};

static struct area get_area(uint16_t queues, uint16_t queue_size, int *fd)
{
	struct area a = { .queues = queues, .queue_size = queue_size };

	say_fds(VHOST_GET_INFLIGHT_FD, NEED_REPLY, &a, sizeof(a), NULL, 0);
	assert_int_equal(input(), 0);
	assert_int_equal(reply(VHOST_GET_INFLIGHT_FD, &a, sizeof(a), fd), sizeof(a));
	no_reply();
	return a;
}

static uint8_t *map_area(int fd, const struct area *a)
{
	uint8_t *at = mmap(NULL, a->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(at, MAP_FAILED);
	return at;
}

static bool set_area(const struct area *a, int fd)
{
	return done_fds(VHOST_SET_INFLIGHT_FD, a, sizeof(*a), &fd, 1);
}

static void test_area_split(void **unused)
{
	struct stat st;
	struct area a;
	uint8_t *at;
	int fd = -1;

	(void)unused;
	negotiate(ALL);
	a = get_area(4, 256, &fd);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size >= (off_t)(a.offset + a.size) && a.queues == 4 && a.queue_size == 256);
	at = map_area(fd, &a);
	/* An earlier back-end took three buffers and died: they are marked, and the used index is behind the base. */
	assert_true(set_memory());
	at[8] = 1, at[10] = 0, at[11] = 1;			/* version 1, 256 entries */
	at[16] = at[32] = at[48] = 1;
	assert_true(set_area(&a, fd));
	put16(USED + 2, 65533);
	assert_true(start_ring(0, 256, 0));
	assert_int_equal(fake.rings[0].conf.saved->next_avail, 65533);
	assert_int_equal(at[16] + at[32] + at[48], 0);
	assert_false(set_area(&a, fd));				/* rings run */
	assert_non_null(strstr(vhost_session_reason(t.s), "rings are running"));
	*fake.rings[0].conf.saved = (struct vring_saved){ 0x1234, 0x1234 };
	stop_ring(0);
	assert_int_equal(at[14] | at[15] << 8, 0x1234);		/* used_idx */
	assert_int_equal(at[8], 1);
	/* Once only: the next driver begins at its base. */
	put16(USED + 2, 65533);
	assert_true(start_ring(0, 256, 0));
	assert_int_equal(fake.rings[0].conf.saved->next_avail, 0);
	assert_false(state(VHOST_SET_VRING_NUM, 0, 512));	/* more than the area has entries for */
	munmap(at, a.size);
	close(fd);
}

static void test_area_packed(void **unused)
{
	struct area a;
	uint8_t *at;
	int fd = -1;

	(void)unused;
	negotiate(ALL | PACKED);
	assert_true(set_memory());
	a = get_area(2, 100, &fd);
	at = map_area(fd, &a);
	assert_true(set_area(&a, fd));				/* not initialised: the base says where */
	assert_true(start_ring(0, 100, 0x8003));
	assert_int_equal(fake.rings[0].conf.saved->next_avail, 0x8003);
	assert_int_equal(at[8], 0);				/* while it runs the area says nothing */
	*fake.rings[0].conf.saved = (struct vring_saved){ 0x8000 | 42, 0x8000 | 42 };
	stop_ring(0);
	assert_int_equal(at[8], 1);
	assert_int_equal(at[16], 42);				/* used_idx, then old_used_idx */
	assert_int_equal(at[18], 42);
	assert_int_equal(at[20] + at[21], 2);			/* both wrap counters */
	/* The next back-end goes on there, whatever the base is. */
	assert_true(set_area(&a, fd));
	assert_true(start_ring(0, 100, 0x8000));
	assert_int_equal(fake.rings[0].conf.saved->next_avail, 0x8000 | 42);
	stop_ring(0);
	/* A back-end died in its last batch: rolled back, unless the guest has it. */
	at[16] = 50;
	assert_true(set_area(&a, fd));
	assert_true(start_ring(0, 100, 0x8000));
	assert_int_equal(fake.rings[0].conf.saved->next_avail, 0x8000 | 42);
	stop_ring(0);
	at[16] = 50;
	put16(DESC + 16 * 42 + DESC_FLAGS, AVAIL_BIT | USED_BIT);
	assert_true(set_area(&a, fd));
	assert_true(start_ring(0, 100, 0x8000));
	assert_int_equal(fake.rings[0].conf.saved->next_avail, 0x8000 | 50);
	stop_ring(0);
	at[16] = 200;						/* no place of this ring */
	assert_true(set_area(&a, fd));
	assert_true(start_ring(0, 100, 0x8007));
	assert_int_equal(fake.rings[0].conf.saved->next_avail, 0x8007);
	munmap(at, a.size);
	close(fd);
}

static void test_bad_areas(void **unused)
{
	struct area a, bad;
	uint8_t *at;
	int fd = -1, small = memfd_create("small", 0), before;

	(void)unused;
	negotiate(ALL);
	assert_int_equal(ftruncate(small, 4096), 0);
	a = get_area(4, 256, &fd);
	at = map_area(fd, &a);
	before = count_fds();
	bad = a, bad.queues = 5;
	assert_false(set_area(&bad, fd));
	bad = a, bad.queues = 0;
	assert_false(set_area(&bad, fd));
	bad = a, bad.queue_size = 0;
	assert_false(set_area(&bad, fd));
	bad = a, bad.queue_size = 65535;			/* CVE-2021-3839: says more than is mapped */
	assert_false(set_area(&bad, fd));
	bad = a, bad.size = 64;
	assert_false(set_area(&bad, fd));
	bad = a, bad.size = 1ull << 40;
	assert_false(set_area(&bad, fd));
	bad = a, bad.offset = ~0ull - 7;
	assert_false(set_area(&bad, fd));
	bad = a, bad.size -= 64, bad.offset = 4;
	assert_false(set_area(&bad, fd));
	assert_false(set_area(&a, small));
	at[8] = 2, at[11] = 1;
	assert_false(set_area(&a, fd));				/* a version of tomorrow */
	at[8] = 1, at[10] = 7, at[11] = 0;
	assert_false(set_area(&a, fd));
	assert_non_null(strstr(vhost_session_reason(t.s), "SET_INFLIGHT_FD: ring 0: 7 entries where 256 are announced"));
	assert_int_equal(count_fds(), before);
	bad = a, bad.queues = 5;
	say_fds(VHOST_GET_INFLIGHT_FD, 0, &bad, sizeof(bad), NULL, 0);
	ends("GET_INFLIGHT_FD: 5 rings");
	munmap(at, a.size);
	close(fd), close(small);
}

/* An area of split rings is of no use to packed ones. */
static void test_area_and_features(void **unused)
{
	struct area a;
	uint64_t protocol = PROTOCOL_ALL;
	int fd = -1;

	(void)unused;
	say_fds(VHOST_SET_PROTOCOL_FEATURES, 0, &protocol, 8, NULL, 0);
	a = get_area(2, 64, &fd);
	assert_false(set_area(&a, fd));
	assert_non_null(strstr(vhost_session_reason(t.s), "before SET_FEATURES"));
	assert_true(done_u64(VHOST_SET_FEATURES, ALL));
	assert_true(set_area(&a, fd));
	assert_true(kept_find("inflight") >= 0);
	assert_true(done_u64(VHOST_SET_FEATURES, ALL | PACKED));
	assert_int_equal(kept_find("inflight"), -1);
	close(fd);
}

static void test_area_sizes(void **unused)
{
	(void)unused;
	assert_int_equal(vhost_inflight_size(false, 1, 256), 16 + 256 * 16 + 48);	/* rounded up to 64 */
	assert_int_equal(vhost_inflight_size(true, 1, 1), 64);
	assert_int_equal(vhost_inflight_size(true, 32, 32768), 32ull * (64 + 32768 * 32));
	assert_int_equal(vhost_inflight_size(true, 2, 0), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_area_split), TEST(test_area_packed), TEST(test_bad_areas), TEST(test_area_and_features), TEST(test_area_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
