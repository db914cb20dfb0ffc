// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tap/vhost_memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"

enum { PAGE = 4096, MB = 1 << 20 };

static int memory_file(uint64_t size)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static struct vhost_mapping *map(int fd, uint64_t offset, uint64_t size)
{
	struct error err = { 0 };
	struct vhost_mapping *m = vhost_mapping_new(fd, offset, size, &err);

	if (!m)
		fail_msg("%s", err.message);
	return m;
}

/* --- mappings --- */

static int disk_file(void)
{
	char name[] = "/var/tmp/lanyard-memory-XXXXXX";
	int fd = mkstemp(name);
	struct statfs fs;

	unlink(name);
	assert_int_equal(ftruncate(fd, MB), 0);
	if (fstatfs(fd, &fs) < 0 || (unsigned long)fs.f_type != TMPFS_MAGIC)
		return fd;
	close(fd);		/* no disk here: a program's own file is not in memory */
	return open("/proc/self/exe", O_RDONLY);
}

static int pipe_end(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	close(fds[1]);
	return fds[0];
}

static int fifo_on_tmpfs(void)
{
	char name[] = "/dev/shm/lanyard-fifo-XXXXXX";
	int fd = mkstemp(name);

	close(fd);
	unlink(name);
	assert_int_equal(mkfifo(name, 0600), 0);
	fd = open(name, O_RDWR);
	unlink(name);
	return fd;
}

static int read_only(void)
{
	char path[40];
	int fd = memory_file(MB), again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY);
	close(fd);
	return again;
}

/* What is not a file in memory, or does not hold what is asked for (VU-20), is refused when it is mapped. */
static void test_refused(void **state)
{
	const struct {
		const char *what;
		int fd;
		uint64_t offset, size;
		const char *says;
	} cases[] = {
		{ "regular file",		disk_file(),			0, PAGE,	"not memory" },
		{ "pipe",			pipe_end(),			0, PAGE,	"not memory" },
		{ "pipe on tmpfs",		fifo_on_tmpfs(),		0, PAGE,	"not memory" },
		{ "device",			open("/dev/zero", O_RDWR),	0, PAGE,	"not memory" },
		{ "directory in memory",	open("/dev/shm", O_RDONLY),	0, 1,		"not memory" },
		{ "nothing",			-1,				0, PAGE,	"not memory" },
		{ "read-only",			read_only(),			0, PAGE,	"cannot map" },
		{ "size 0",			memory_file(MB),		0, 0,		"bad size" },
		{ "empty file",			memory_file(0),			0, PAGE,	"the file ends" },
		{ "one byte short",		memory_file(MB - 1),		0, MB,		"the file ends" },
		{ "short by its offset",	memory_file(MB),		1, MB,		"the file ends" },
		{ "offset behind the end",	memory_file(MB),		2 * MB, 1,	"the file ends" },
		{ "huge offset",		memory_file(MB),		1ull << 63, PAGE, "the file ends" },
		{ "offset and size wrap",	memory_file(MB),		UINT64_MAX - PAGE + 1, 2 * PAGE, "bad size" },
		{ "huge size",			memory_file(MB),		0, UINT64_MAX,	"bad size" },
		{ "more than a front-end has",	memory_file(VHOST_MEMORY_MAX + PAGE), 0, VHOST_MEMORY_MAX + 1, "bad size" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		print_message("  %s\n", cases[i].what);
		assert_null(vhost_mapping_new(cases[i].fd, cases[i].offset, cases[i].size, &err));
		assert_int_equal(err.rc, -EINVAL);
		assert_non_null(strstr(err.message, cases[i].says));
		if (cases[i].fd >= 0)
			close(cases[i].fd);
	}
}

/* Any offset and size, shared with the file, and apart from everything else: the pages beside are not ours to touch. */
static void test_mapped(void **state)
{
	static const struct {
		uint64_t offset, size;
	} cases[] = {
		{ 0, 1 }, { 0, PAGE }, { 0, 8 * MB }, { PAGE, 4 * PAGE }, { 1, PAGE }, { 5000, 100000 }, { 3 * MB + 77, 4 * MB },
		{ PAGE - 1, 2 }, { 8 * MB - 1, 1 },
	};
	int fd = memory_file(8 * MB);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vhost_mapping *m = map(fd, cases[i].offset, cases[i].size);
		uint8_t *at = vhost_mapping_at(m), *last = at + cases[i].size - 1, byte = 0, *page;

		print_message("  0x%llx bytes at 0x%llx\n", (unsigned long long)cases[i].size, (unsigned long long)cases[i].offset);
		assert_int_equal(((uintptr_t)at - cases[i].offset) % (2 * MB), 0);	/* large pages fit */
		*at = (uint8_t)(i + 1);
		assert_int_equal(pread(fd, &byte, 1, (off_t)cases[i].offset), 1);
		assert_int_equal(byte, i + 1);
		*last = 0x5a;
		assert_int_equal(pread(fd, &byte, 1, (off_t)(cases[i].offset + cases[i].size - 1)), 1);
		assert_int_equal(byte, 0x5a);
		/* The kernel cannot read there either: guards. */
		page = (uint8_t *)((uintptr_t)at & ~(uintptr_t)(PAGE - 1));
		assert_true(pwrite(fd, page - 1, 1, 0) < 0 && errno == EFAULT);
		page = (uint8_t *)(((uintptr_t)last & ~(uintptr_t)(PAGE - 1)) + PAGE);
		assert_true(pwrite(fd, page, 1, 0) < 0 && errno == EFAULT);
		vhost_mapping_put(m);
		assert_true(pwrite(fd, at, 1, 0) < 0 && errno == EFAULT);
	}
	close(fd);
}

/* guards() - bytes of memory without any access right before and right behind a page, the smaller */
static uint64_t guards(const uint8_t *page)
{
	FILE *f = fopen("/proc/self/maps", "r");
	uint64_t before = 0, behind = 0, from, to;
	char line[512], rights[8];

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3 || memcmp(rights, "---", 3) != 0)
			continue;
		if (to == (uintptr_t)page)
			before = to - from;
		if (from == (uintptr_t)page + PAGE)
			behind = to - from;
	}
	fclose(f);
	return before < behind ? before : behind;
}

/* Wherever the mapping comes to lie in its reservation, a frame's length around it is nobody's. */
static void test_guards(void **state)
{
	int fd = memory_file(2 * MB);

	(void)state;
	for (uint64_t offset = 0; offset < 2 * MB; offset += PAGE) {
		struct vhost_mapping *m = map(fd, offset, 1);

		assert_in_range(guards(vhost_mapping_at(m)), 65536, UINT64_MAX);
		vhost_mapping_put(m);
	}
	close(fd);
}

/* --- tables --- */

#define K 1024ull

static void test_tables(void **state)
{
	static const struct {
		const char *what;
		unsigned n;
		struct { uint64_t gpa, size, user; } regions[3];
		bool good;
	} cases[] = {
		{ "none",			0, { { 0 } }, false },
		{ "one",			1, { { 0, 64 * K, 0x1000000 } }, true },
		{ "not a multiple of a page",	1, { { 1, 777, 3 } }, true },
		{ "adjacent, unsorted",		3, { { 128 * K, 64 * K, 0 }, { 0, 64 * K, 128 * K }, { 64 * K, 64 * K, 64 * K } }, true },
		{ "size 0",			2, { { 0, 64 * K, 0 }, { 64 * K, 0, 64 * K } }, false },
		{ "longer than its mapping",	1, { { 0, 64 * K + 1, 0 } }, false },
		{ "same guest addresses",	2, { { 0, 64 * K, 0 }, { 0, 64 * K, 64 * K } }, false },
		{ "one guest byte overlaps",	2, { { 64 * K - 1, 64 * K, 0 }, { 0, 64 * K, 64 * K } }, false },
		{ "one inside another",		2, { { 0, 64 * K, 0 }, { 4 * K, K, 64 * K } }, false },
		{ "same user addresses",	2, { { 0, 64 * K, 5 }, { 64 * K, 64 * K, 5 } }, false },
		{ "one user byte overlaps",	3, { { 0, 64 * K, 0 }, { 64 * K, 64 * K, 64 * K - 1 }, { 1 << 20, 1, 1 << 20 } }, false },
		{ "user inside another",	2, { { 0, 64 * K, 0 }, { 64 * K, K, 63 * K } }, false },
		{ "guest address wraps",	1, { { UINT64_MAX - 10, K, 0 } }, false },
		{ "user address wraps",		1, { { 0, K, UINT64_MAX - 10 } }, false },
		{ "at the very top",		1, { { UINT64_MAX - K, K, UINT64_MAX - K } }, true },
	};
	int fd = memory_file(64 * K);
	struct vhost_mapping *m = map(fd, 0, 64 * K);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vhost_region r[3];
		struct error err = { 0 };
		struct vhost_memory *memory;

		print_message("  %s\n", cases[i].what);
		for (unsigned j = 0; j < cases[i].n; j++)
			r[j] = (struct vhost_region){ .gpa = cases[i].regions[j].gpa, .size = cases[i].regions[j].size,
						      .user = cases[i].regions[j].user, .mapping = m };
		memory = vhost_memory_new(r, cases[i].n, NULL, 0, &err);
		assert_int_equal(memory != NULL, cases[i].good);
		assert_int_equal(err.rc, cases[i].good ? 0 : -EINVAL);
		for (unsigned j = 0; memory && j + 1 < memory->n; j++)
			assert_true(memory->regions[j].gpa < memory->regions[j + 1].gpa);
		vhost_memory_free(memory);
	}
	vhost_mapping_put(m);
	close(fd);
}

/* 509 regions are fine, one more is not (VU-44). */
static void test_many(void **state)
{
	static struct vhost_region r[VHOST_REGIONS_MAX + 1];
	int fd = memory_file(K);
	struct vhost_mapping *m = map(fd, 0, K);
	struct vhost_memory *memory;
	uint32_t hint = 0;

	(void)state;
	for (unsigned i = 0; i <= VHOST_REGIONS_MAX; i++)
		r[i] = (struct vhost_region){ .gpa = (VHOST_REGIONS_MAX - i) * 2 * K, .size = K, .user = i * K, .mapping = m };
	assert_null(vhost_memory_new(r, VHOST_REGIONS_MAX + 1, NULL, 0, NULL));
	memory = vhost_memory_new(r, VHOST_REGIONS_MAX, NULL, 0, NULL);
	assert_non_null(memory);
	for (unsigned i = 0; i < VHOST_REGIONS_MAX; i++) {
		assert_ptr_equal(vhost_at(memory, &hint, r[i].gpa + 5, 10), vhost_mapping_at(m) + 5);
		assert_null(vhost_at(memory, &hint, r[i].gpa + K, 1));
	}
	vhost_memory_free(memory);
	vhost_mapping_put(m);
	close(fd);
}

/* In sum no more memory than a front-end may have (VU-44). */
static void test_sum(void **state)
{
	int fd = memory_file(VHOST_MEMORY_MAX / 4);
	struct vhost_mapping *m = vhost_mapping_new(fd, 0, VHOST_MEMORY_MAX / 4, NULL);
	struct vhost_region r[5];
	struct vhost_memory *memory;

	(void)state;
	close(fd);
	if (!m) {
		print_message("  skipped: 4 TiB of addresses are not free (a sanitizer's)\n");
		skip();
	}
	for (unsigned i = 0; i < 5; i++)
		r[i] = (struct vhost_region){ .gpa = i * VHOST_MEMORY_MAX, .size = VHOST_MEMORY_MAX / 4,
					      .user = i * VHOST_MEMORY_MAX, .mapping = m };
	memory = vhost_memory_new(r, 4, NULL, 0, NULL);
	assert_non_null(memory);
	vhost_memory_free(memory);
	assert_null(vhost_memory_new(r, 5, NULL, 0, NULL));
	vhost_mapping_put(m);
}

/* three() - [64K, 128K) [128K, 192K) next to each other, backwards in the file, and [256K, 320K) behind a hole */
static struct vhost_memory *three(struct vhost_mapping *m[3], struct vhost_mapping *log, uint64_t log_size)
{
	int fd = memory_file(192 * K);
	struct vhost_region r[3];

	for (unsigned i = 0; i < 3; i++) {
		m[i] = map(fd, (2 - i) * 64 * K, 64 * K);
		r[i] = (struct vhost_region){ .gpa = (i < 2 ? 64 + i * 64 : 256) * K, .size = 64 * K, .mapping = m[i],
					      .user = 0x7f0000000000 + (2 - i) * 64 * K };
	}
	close(fd);
	return vhost_memory_new(r, 3, log, log_size, NULL);
}

static void put_three(struct vhost_memory *memory, struct vhost_mapping *m[3])
{
	vhost_memory_free(memory);
	for (unsigned i = 0; i < 3; i++)
		vhost_mapping_put(m[i]);
}

static void test_translation(void **state)
{
	static const struct {
		uint64_t gpa, len;
		int region;		/* -1: nowhere */
		uint64_t part;		/* of len */
	} cases[] = {
		{ 64 * K, 1, 0, 1 },			{ 64 * K, 64 * K, 0, 64 * K },		{ 64 * K - 1, 1, -1, 0 },
		{ 64 * K - 1, 2, -1, 0 },		{ 0, 1, -1, 0 },			{ 128 * K - 1, 1, 0, 1 },
		{ 128 * K - 1, 2, 0, 1 },		{ 100 * K, 64 * K, 0, 28 * K },		{ 128 * K, 64 * K, 1, 64 * K },
		{ 64 * K, 192 * K, 0, 64 * K },		{ 192 * K - 1, 2, 1, 1 },		{ 192 * K, 1, -1, 0 },
		{ 255 * K, 2 * K, -1, 0 },		{ 256 * K, 64 * K, 2, 64 * K },		{ 320 * K - 1, UINT64_MAX, 2, 1 },
		{ 320 * K, 1, -1, 0 },			{ UINT64_MAX, 1, -1, 0 },		{ UINT64_MAX, UINT64_MAX, -1, 0 },
		{ 64 * K, UINT64_MAX - 64 * K + 1, 0, 64 * K }, { 64 * K + 1, 0, 0, 0 },	{ 192 * K, 0, -1, 0 },
	};
	struct vhost_mapping *m[3];
	struct vhost_memory *memory = three(m, NULL, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (uint32_t start = 0; start < 3; start++) {
			uint32_t hint = start, again = start;
			uint64_t len = cases[i].len;
			uint8_t *want = cases[i].region < 0 ? NULL :
				vhost_mapping_at(m[cases[i].region]) + (cases[i].gpa - memory->regions[cases[i].region].gpa);

			assert_ptr_equal(vhost_at_part(memory, &hint, cases[i].gpa, &len), want);
			assert_true(hint < 3);
			if (want)
				assert_int_equal(len, cases[i].part);
			assert_ptr_equal(vhost_at(memory, &again, cases[i].gpa, cases[i].len),
					 cases[i].part == cases[i].len ? want : NULL);
		}
	put_three(memory, m);
}

/* A range that runs from one region into the next comes in parts, each where it really is (VU-46, CVE-2018-1059). */
static void test_crossing(void **state)
{
	struct vhost_mapping *m[3];
	struct vhost_memory *memory = three(m, NULL, 0);
	uint64_t gpa = 128 * K - 100, left = 300;
	uint32_t hint = 2;
	uint8_t *at[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t len = left;

		at[i] = vhost_at_part(memory, &hint, gpa, &len);
		assert_non_null(at[i]);
		assert_int_equal(len, i ? 200 : 100);
		assert_int_equal(hint, i);
		memset(at[i], (int)i + 1, len);
		gpa += len;
		left -= len;
	}
	assert_int_equal(left, 0);
	assert_true(at[1] != at[0] + 100);
	assert_int_equal(vhost_mapping_at(m[0])[64 * K - 1], 1);
	assert_int_equal(vhost_mapping_at(m[1])[0], 2);
	put_three(memory, m);
}

static void test_user(void **state)
{
	struct vhost_mapping *m[3];
	struct vhost_memory *memory = three(m, NULL, 0);
	uint64_t base = 0x7f0000000000, gpa = 1;

	(void)state;
	assert_ptr_equal(vhost_user_at(memory, base, 64 * K, &gpa), vhost_mapping_at(m[2]));
	assert_int_equal(gpa, 256 * K);
	assert_ptr_equal(vhost_user_at(memory, base + 64 * K + 16, 64 * K - 16, NULL), vhost_mapping_at(m[1]) + 16);
	assert_ptr_equal(vhost_user_at(memory, base + 192 * K - 1, 1, &gpa), vhost_mapping_at(m[0]) + 64 * K - 1);
	assert_int_equal(gpa, 128 * K - 1);
	gpa = 1;
	assert_null(vhost_user_at(memory, base, 64 * K + 1, &gpa));	/* a ring across two regions (VU-43) */
	assert_null(vhost_user_at(memory, base + 192 * K - 1, 2, &gpa));
	assert_null(vhost_user_at(memory, base - 1, 1, &gpa));
	assert_null(vhost_user_at(memory, 64 * K, 1, &gpa));		/* a guest address is none */
	assert_null(vhost_user_at(memory, base + 16, UINT64_MAX - 8, &gpa));
	assert_null(vhost_user_at(memory, UINT64_MAX, 2, &gpa));
	assert_int_equal(gpa, 1);
	put_three(memory, m);
}

/* --- dirty log --- */

/* 320 KiB are 80 pages: ten bytes of log (VU-45, CVE-2019-14835, CVE-2020-10722). */
static void test_log(void **state)
{
	static const struct {
		uint64_t gpa, len;
		unsigned first, last;	/* pages that are marked */
	} cases[] = {
		{ 64 * K, 1, 16, 16 },			{ 64 * K, 4096, 16, 16 },	{ 64 * K, 4097, 16, 17 },
		{ 64 * K + 4095, 2, 16, 17 },		{ 320 * K - 1, 1, 79, 79 },	{ 256 * K, 64 * K, 64, 79 },
		{ 320 * K - 1, 1 << 20, 79, 79 },	{ 0, 1, 0, 0 },			{ 60 * K, 40 * K, 15, 24 },
		{ 64 * K, 0, 1, 0 },			{ 1ull << 60, 1, 1, 0 },	{ UINT64_MAX, 2, 1, 0 },
		{ 320 * K, 4096, 1, 0 },		{ 64 * K + 5, 0, 1, 0 },
	};
	int fd = memory_file(8192);
	struct vhost_mapping *m[3], *log = map(fd, 4090, 20);		/* across a page, and no multiple of anything */
	struct vhost_memory *memory = three(m, log, 10);

	(void)state;
	assert_ptr_equal(memory->log, vhost_mapping_at(log));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(memory->log, 0, 20);
		vhost_log_write(memory, cases[i].gpa, cases[i].len);
		for (unsigned page = 0; page < 160; page++)
			assert_int_equal(memory->log[page / 8] >> page % 8 & 1, page >= cases[i].first && page <= cases[i].last);
	}
	memory->log[2] = 0x81;				/* bits of others stay */
	vhost_log_write(memory, 17 * 4096, 1);
	assert_int_equal(memory->log[2], 0x83);
	put_three(memory, m);
	for (uint64_t size = 0; size < 30; size++) {	/* too small, enough, more than its mapping */
		memory = three(m, log, size);
		assert_int_equal(memory != NULL, size >= 10 && size <= 20);
		put_three(memory, m);
	}
	vhost_mapping_put(log);
	memory = three(m, NULL, 0);
	vhost_log_write(memory, 64 * K, 64 * K);	/* none is kept */
	put_three(memory, m);
	close(fd);
}

static atomic_bool stop;

static void *mark_another(void *arg)
{
	while (!atomic_load(&stop))
		vhost_log_mark(arg, 64 * K, 1);
	return NULL;
}

/* Bits of one byte, set by two threads and taken out: none is lost. */
static void test_log_shared(void **state)
{
	int fd = memory_file(PAGE);
	struct vhost_mapping *m[3], *log = map(fd, 0, PAGE);
	struct vhost_memory *memory = three(m, log, 10);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, mark_another, memory), 0);
	for (uint64_t end = clock_now_ms() + 200; clock_now_ms() < end;)
		for (unsigned i = 0; i < 1000; i++) {
			vhost_log_mark(memory, 17 * 4096, 1);
			for (volatile int j = 0; j < 50; j++)
				;	/* let the other one write back what it read before */
			assert_true(__atomic_exchange_n(&memory->log[2], 0, __ATOMIC_ACQUIRE) & 2);
		}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	put_three(memory, m);
	vhost_mapping_put(log);
	close(fd);
}

/* --- tables come and go --- */

static unsigned count_mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned n = 0;

	for (int c; (c = fgetc(f)) != EOF;)
		n += c == '\n';
	fclose(f);
	return n;
}

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* As a front-end that plugs memory in and out: the next table shares one mapping with the one before (VU-05). */
static void test_replaced(void **state)
{
	int fd = memory_file(MB);
	struct vhost_mapping *stays = map(fd, 0, 64 * K);
	struct vhost_memory *memory = NULL;
	unsigned maps = 0, fds = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		struct vhost_region r[2] = {
			{ .gpa = 0, .size = 64 * K, .user = 0, .mapping = stays },
			{ .gpa = MB, .size = 100 + i, .user = MB, .mapping = map(fd, i, 100 + i) },
		};
		struct vhost_memory *next = vhost_memory_new(r, 2, NULL, 0, NULL);

		assert_non_null(next);
		vhost_mapping_put(r[1].mapping);
		vhost_memory_free(memory);
		memory = next;
		memory->regions[1].at[99] = 1;
		if (i == 0) {
			maps = count_mappings();
			fds = count_fds();
		}
	}
	assert_in_range(count_mappings(), 1, maps + 100);	/* the heap takes some as it likes */
	assert_int_equal(count_fds(), fds);
	vhost_memory_free(memory);
	vhost_mapping_put(stays);
	close(fd);
}

static int init(void **state)
{
	(void)state;
	return vhost_memory_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	    cmocka_unit_test(test_mapped),   cmocka_unit_test(test_guards),
		cmocka_unit_test(test_tables),	    cmocka_unit_test(test_many),     cmocka_unit_test(test_sum),
		cmocka_unit_test(test_translation),
		cmocka_unit_test(test_crossing),    cmocka_unit_test(test_user),     cmocka_unit_test(test_log),
		cmocka_unit_test(test_log_shared),  cmocka_unit_test(test_replaced),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
