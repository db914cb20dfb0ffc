// SPDX-License-Identifier: GPL-2.0-or-later
/* A front-end's memory and dirty log as a session handles them: tables that replace one another under running rings, regions one by
 * one, and what is refused. */
#define _GNU_SOURCE
#include "tap/vhost_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/vhost_front_end.h"

#define ALL (VERSION_1 | BIT(30))

static bool region(uint32_t request, uint64_t gpa, uint64_t size, uint64_t user, uint64_t offset, int fd)
{
	const uint64_t payload[5] = { 0, gpa, size, user, offset };

	return done_fds(request, payload, sizeof(payload), &fd, fd >= 0);
}

/* ---- tables ---- */

static void test_bad_tables(void **unused)
{
	static const struct {
		const char *what;
		uint32_t n;
		uint64_t regions[2][4];
		const char *why;
	} cases[] = {
		{ "size 0",		1, { { 0, 0, USER, 0 } },			"region 0: " },
		{ "beyond the file",	1, { { 0, MEMORY + 1, USER, 0 } },		"the file ends" },
		{ "offset beyond",	1, { { 0, 4096, USER, MEMORY } },		"the file ends" },
		{ "offset + size wraps", 1, { { 0, 4096, USER, ~0ull - 4095 } },	"region 0: bad size" },
		{ "1 TiB",		1, { { 0, 1ull << 40, USER, 0 } },		"the file ends" },
		{ "more than that",	1, { { 0, (1ull << 40) + 1, USER, 0 } },	"bad size" },
		{ "guest address wraps", 1, { { ~0ull - 100, 4096, USER, 0 } },		"wrap" },
		{ "user address wraps",	1, { { 0, 4096, ~0ull - 100, 0 } },		"wrap" },
		{ "guest overlap",	2, { { 0, 8192, USER, 0 }, { 4096, 4096, USER + 65536, 0 } }, "overlap at guest" },
		{ "user overlap",	2, { { 0, 8192, USER, 0 }, { 65536, 4096, USER + 8191, 0 } }, "overlap at user" },
		{ "the second is bad",	2, { { 0, 8192, USER, 0 }, { 65536, 0, USER + 65536, 0 } },	"region 1: " },
	};
	const struct vhost_memory *before;
	int fds;

	(void)unused;
	start_all(ALL);
	before = fake.memory;
	fds = count_fds();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		assert_false(set_table(cases[i].regions, cases[i].n, t.memfd));
		if (!strstr(vhost_session_reason(t.s), cases[i].why))
			fail_msg("\"%s\" is not in \"%s\"", cases[i].why, vhost_session_reason(t.s));
		assert_ptr_equal(fake.memory, before);		/* a refusal changes nothing */
		assert_true(vhost_session_running(t.s));
	}
	assert_int_equal(count_fds(), fds);

	/* what was there is still what others are added to */
	assert_true(region(VHOST_ADD_MEM_REG, 1 << 30, 4096, USER + (1 << 30), 0, t.memfd));
	assert_int_equal(fake.memory->n, 2);
	assert_true(vhost_session_running(t.s));
}

static void test_bad_files(void **unused)
{
	static const uint64_t whole[1][4] = { { 0, 4096, USER, 0 } };
	int pipes[2], event = eventfd(0, 0), zero = open("/dev/zero", O_RDWR), self = open("/proc/self/exe", O_RDONLY);

	(void)unused;
	assert_int_equal(pipe(pipes), 0);
	negotiate(ALL);
	assert_false(set_table(whole, 1, pipes[0]));
	assert_false(set_table(whole, 1, event));
	assert_false(set_table(whole, 1, zero));
	assert_false(set_table(whole, 1, self));
	assert_false(set_table(whole, 1, t.peer));
	assert_non_null(strstr(vhost_session_reason(t.s), "SET_MEM_TABLE: region 0: not memory"));
	assert_null(fake.memory);
	close(pipes[0]), close(pipes[1]), close(event), close(zero), close(self);
}

static void test_replaced_under_rings(void **unused)
{
	static const uint64_t moved[2][4] = {
		{ 0x100000, 0x80000, USER + 0x80000, 0x80000 }, { 0, 0x80000, USER, 0 },
	};
	unsigned starts, pauses;

	(void)unused;
	start_all(ALL);
	starts = fake.rings[0].starts;
	pauses = fake.pauses;
	fake.rings[0].conf.saved->next_avail = fake.rings[0].conf.saved->next_used = 77;
	assert_true(set_table(moved, 2, t.memfd));
	assert_int_equal(fake.memory->n, 2);
	assert_int_equal(fake.rings[0].starts, starts + 1);	/* with new addresses, where it was */
	assert_int_equal(fake.rings[0].conf.saved->next_used, 77);
	assert_int_equal(fake.pauses, pauses + 1);
	assert_false(fake.paused);
	assert_int_equal(stop_ring(0), 77);
}

/* Descriptors are closed once mapped: their number is the same after any number of tables. */
static void test_ten_thousand_tables(void **unused)
{
	static const uint64_t eight[8][4] = {
		{ 0, 0x8000, USER, 0 }, { 0x8000, 0x8000, USER + 0x8000, 0x8000 }, { 0x10000, 0x8000, USER + 0x10000, 0x10000 },
		{ 0x18000, 0x8000, USER + 0x18000, 0x18000 }, { 0x20000, 0x8000, USER + 0x20000, 0x20000 },
		{ 0x28000, 0x8000, USER + 0x28000, 0x28000 }, { 0x30000, 0x8000, USER + 0x30000, 0x30000 },
		{ 0x38000, 0x8000, USER + 0x38000, 0x38000 },
	};
	int fds;

	(void)unused;
	start_all(ALL);
	assert_true(set_table(eight, 8, t.memfd));
	fds = count_fds();
	for (unsigned i = 0; i < 10000; i++)
		assert_true(set_table(eight, 1 + i % 8 > 1 ? 1 + i % 8 : 2, t.memfd));
	assert_true(set_table(eight, 8, t.memfd));
	assert_int_equal(count_fds(), fds);
	assert_true(vhost_session_running(t.s));
}

/* A whole table that leaves a running ring out is an error that the front-end is told of, and the ring is stopped. */
static void test_ring_left_out(void **unused)
{
	static const uint64_t half[1][4] = { { 0, 0x8000, USER, 0 } };

	(void)unused;
	start_all(ALL);
	assert_false(set_table(half, 1, t.memfd));
	assert_non_null(strstr(vhost_session_reason(t.s), "SET_MEM_TABLE: ring 1: descriptors at 0x7f0000009000"));
	assert_true(fake.rings[0].started);
	assert_false(fake.rings[1].started);
	assert_true(set_memory());
	assert_true(fake.rings[1].started);
}

static void test_shared_pause(void **unused)
{
	unsigned pauses, resumes;

	(void)unused;
	start_all(ALL);
	pauses = fake.pauses;
	resumes = fake.resumes;
	for (uint32_t i = 0; i < 2; i++) {
		struct ring_addr a = addr_of(i);
		uint64_t payload = i;
		int fd = eventfd(0, 0);

		say_fds(VHOST_SET_VRING_ADDR, 0, &a, sizeof(a), NULL, 0);
		say_fds(VHOST_SET_VRING_CALL, 0, &payload, 8, &fd, 1);
		close(fd);
	}
	assert_int_equal(input(), 0);
	assert_int_equal(fake.pauses, pauses + 1);
	assert_int_equal(fake.resumes, resumes + 1);
}

/* ---- one by one ---- */

static void test_slots(void **unused)
{
	uint64_t page = 4096;
	int fds;

	(void)unused;
	negotiate(ALL);
	fds = count_fds();
	for (uint64_t i = 0; i < 509; i++)
		assert_true(region(VHOST_ADD_MEM_REG, i * page, page, USER + i * page, (i % 256) * page, t.memfd));
	assert_int_equal(fake.memory->n, 509);
	assert_false(region(VHOST_ADD_MEM_REG, 509 * page, page, USER + 509 * page, 0, t.memfd));
	assert_string_equal(vhost_session_reason(t.s), "ADD_MEM_REG: 509 regions are there, and no more fit");
	assert_int_equal(count_fds() - fds, 509);		/* the keeper's; none of ours */
	for (uint64_t i = 0; i < 509; i += 2)
		assert_true(region(VHOST_REM_MEM_REG, i * page, page, USER + i * page, 12345, -1));
	assert_int_equal(fake.memory->n, 254);
	assert_true(region(VHOST_ADD_MEM_REG, 0, page, USER, 0, t.memfd));
	for (uint64_t i = 1; i < 509; i += 2)
		assert_true(region(VHOST_REM_MEM_REG, i * page, page, USER + i * page, 0, t.memfd));	/* with a descriptor */
	assert_true(region(VHOST_REM_MEM_REG, 0, page, USER, 0, -1));
	assert_null(fake.memory);
	assert_int_equal(count_fds(), fds);
}

static void test_bad_slots(void **unused)
{
	const struct vhost_memory *before;

	(void)unused;
	negotiate(ALL);
	assert_true(set_memory());
	assert_false(region(VHOST_ADD_MEM_REG, 0, 4096, USER + MEMORY, 0, t.memfd));		/* overlaps */
	assert_false(region(VHOST_ADD_MEM_REG, MEMORY, 4096, USER, 0, t.memfd));
	assert_false(region(VHOST_ADD_MEM_REG, MEMORY, 0, USER + MEMORY, 0, t.memfd));
	assert_int_equal(fake.memory->n, 1);
	before = fake.memory;
	assert_true(region(VHOST_REM_MEM_REG, 0, MEMORY - 1, USER, 0, -1));	/* none of these is there */
	assert_true(region(VHOST_REM_MEM_REG, 4096, MEMORY, USER, 0, -1));
	assert_true(region(VHOST_REM_MEM_REG, 0, MEMORY, USER + 4096, 0, -1));
	assert_ptr_equal(fake.memory, before);
	assert_true(region(VHOST_REM_MEM_REG, 0, MEMORY, USER, 0, -1));
	assert_null(fake.memory);
}

/* QEMU has a device for each queue pair, and each of them tells of all regions. */
static void test_slots_told_twice(void **unused)
{
	const struct vhost_memory *before;

	(void)unused;
	negotiate(ALL);
	assert_true(set_memory());
	before = fake.memory;
	assert_true(region(VHOST_ADD_MEM_REG, 0, MEMORY, USER, 0, t.memfd));
	assert_ptr_equal(fake.memory, before);
	assert_false(region(VHOST_ADD_MEM_REG, 0, MEMORY, USER, 4096, t.memfd));		/* of another place in the file */
	assert_true(region(VHOST_REM_MEM_REG, 0, MEMORY, USER, 0, -1));
	assert_null(fake.memory);
	assert_true(region(VHOST_REM_MEM_REG, 0, MEMORY, USER, 0, -1));
	/* One replaces a region by a smaller one, and the other does the same after it. */
	assert_true(set_memory());
	for (unsigned pair = 0; pair < 2; pair++) {
		assert_true(region(VHOST_REM_MEM_REG, 0, MEMORY, USER, 0, -1));
		assert_true(region(VHOST_ADD_MEM_REG, 4096, MEMORY - 4096, USER + 4096, 4096, t.memfd));
	}
	assert_int_equal(fake.memory->n, 1);
}

/* QEMU takes regions away and puts them back in other shapes under rings: these wait, and go on where they were. */
static void test_ring_waits_for_region(void **unused)
{
	(void)unused;
	start_all(ALL);
	fake.rings[1].conf.saved->next_avail = fake.rings[1].conf.saved->next_used = 500;
	assert_true(region(VHOST_REM_MEM_REG, 0, MEMORY, USER, 0, -1));
	assert_false(fake.rings[0].started || fake.rings[1].started || vhost_session_running(t.s));
	assert_true(region(VHOST_ADD_MEM_REG, 0, 0x8000, USER, 0, t.memfd));
	assert_true(fake.rings[0].started);
	assert_true(region(VHOST_ADD_MEM_REG, 0x8000, MEMORY - 0x8000, USER + 0x8000, 0x8000, t.memfd));
	assert_true(fake.rings[1].started && vhost_session_running(t.s) && !fake.paused);
	assert_int_equal(stop_ring(1), 500);
}

/* ---- log ---- */

static bool set_log(uint64_t size, uint64_t offset, int fd)
{
	const uint64_t payload[2] = { size, offset };
	uint64_t value = 99;

	say_fds(VHOST_SET_LOG_BASE, 0, payload, sizeof(payload), &fd, 1);	/* answered without asking */
	assert_int_equal(input(), 0);
	assert_int_equal(reply(VHOST_SET_LOG_BASE, &value, 8, NULL), 8);
	no_reply();
	return value == 0;
}

static int log_file(off_t size)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static void test_log(void **unused)
{
	int fd = log_file(8192), event = eventfd(0, 0);
	struct ring_addr a = addr_of(0);

	(void)unused;
	start_all(ALL);
	assert_true(set_log(4096, 4096, fd));
	assert_null(fake.memory->log);				/* not before VHOST_F_LOG_ALL */
	assert_true(done_fds(VHOST_SET_LOG_FD, NULL, 0, &event, 1));
	assert_true(done_u64(VHOST_SET_FEATURES, ALL | BIT(26)));	/* while rings run */
	assert_non_null(fake.memory->log);
	assert_int_equal(fake.memory->log_size, 4096);
	assert_true(vhost_session_running(t.s));
	a.flags = 1, a.log = 0x654000;
	assert_true(set_addr(a));
	assert_true(fake.rings[0].conf.log_device);
	assert_int_equal(fake.rings[0].conf.device_gpa, 0x654000);
	a.log = 4096ull * 8 * 4096;				/* the first byte that has no bit */
	assert_false(set_addr(a));
	a.log = ~0ull;
	assert_false(set_addr(a));
	assert_non_null(strstr(vhost_session_reason(t.s), "used ring: its place in the dirty log"));
	assert_true(vhost_session_running(t.s));
	assert_int_equal(fake.rings[0].conf.device_gpa, 0x654000);
	assert_true(set_log(8192, 0, fd));			/* a larger one, while it is in use */
	assert_int_equal(fake.memory->log_size, 8192);
	assert_true(done_u64(VHOST_SET_FEATURES, ALL));
	assert_null(fake.memory->log);
	close(fd), close(event);
}

/* Of a packed ring the descriptors are written. QEMU (7.2) tells the place of the device event area, as it does of a used ring. */
static void test_log_packed(void **unused)
{
	int fd = log_file(4096);
	struct ring_addr a = addr_of(1);

	(void)unused;
	start_all(ALL | PACKED);
	assert_true(set_log(4096, 0, fd));
	assert_true(done_u64(VHOST_SET_FEATURES, ALL | PACKED | BIT(26)));
	a.flags = 1, a.log = ~0ull;
	assert_true(set_addr(a));
	assert_true(fake.rings[1].conf.log_device);
	assert_int_equal(fake.rings[1].conf.device_gpa, a.desc - USER);	/* the memory begins at guest address 0 */
	close(fd);
}

static void test_bad_logs(void **unused)
{
	static const uint64_t far[1][4] = { { 1ull << 40, 0x80000, USER, 0 } };
	int fd = log_file(4096), event = eventfd(0, 0);

	(void)unused;
	start_all(ALL);
	assert_false(set_log(4096, ~0ull - 4095, fd));		/* CVE-2020-10722: offset + size wraps */
	assert_false(set_log(4097, 0, fd));
	assert_false(set_log(0, 0, fd));
	assert_false(set_log(31, 0, fd));			/* a byte less than 1 MiB needs */
	assert_false(set_log(4096, 0, event));
	assert_non_null(strstr(vhost_session_reason(t.s), "SET_LOG_BASE: not memory"));
	assert_true(set_log(32, 0, fd));
	assert_true(done_u64(VHOST_SET_FEATURES, ALL | BIT(26)));
	assert_false(set_table(far, 1, t.memfd));		/* memory that the log does not cover */
	assert_non_null(strstr(vhost_session_reason(t.s), "does not cover"));
	assert_true(vhost_session_running(t.s));
	close(fd), close(event);
}

static void test_log_without_memory(void **unused)
{
	int fd = log_file(4096);

	(void)unused;
	negotiate(ALL | BIT(26));
	assert_true(set_log(16, 0, fd));
	assert_false(set_memory());
	assert_true(set_log(4096, 0, fd));
	assert_true(set_memory());
	assert_int_equal(fake.memory->log_size, 4096);
	assert_true(done(VHOST_RESET_DEVICE, NULL, 0));
	assert_null(fake.memory->log);
	close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_bad_tables), TEST(test_bad_files), TEST(test_replaced_under_rings), TEST(test_ten_thousand_tables),
		TEST(test_ring_left_out), TEST(test_shared_pause), TEST(test_slots), TEST(test_bad_slots),
		TEST(test_slots_told_twice),
		TEST(test_ring_waits_for_region), TEST(test_log), TEST(test_log_packed), TEST(test_bad_logs), TEST(test_log_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
