// SPDX-License-Identifier: GPL-2.0-or-later
/* Files lent to guests: what the keeper opens below a directory, and that nothing leads out of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/array.h"
#include "tests/unit/keeper_child.h"

static void put(const char *dir, const char *name, mode_t mode)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && write(fd, name, strlen(name)) == (ssize_t)strlen(name) && fchmod(fd, mode) == 0);
	close(fd);
}

static void lead(const char *dir, const char *name, const char *to)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(symlink(to, path), 0);
}

static const char *const dirs[] = { "lent", "lent/sub", "lent/shut", "lent/shut/in" };
static const char *const names[] = { "secret", "lent/file", "lent/sub/deep", "lent/shut/in/open", "lent/closed", "lent/in", "lent/sub/up", "lent/out", "lent/absolute", "lent/round",
				     "lent/pipe" };

static void furnish(const char *dir)
{
	char path[300];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, dirs[i]);
		assert_int_equal(mkdir(path, 0755), 0);
		assert_int_equal(chmod(path, 0755), 0);
	}
	put(dir, "secret", 0644);
	put(dir, "lent/file", 0644);
	put(dir, "lent/sub/deep", 0644);
	put(dir, "lent/shut/in/open", 0644);
	snprintf(path, sizeof(path), "%s/lent/shut", dir);
	assert_int_equal(chmod(path, geteuid() == 0 ? 0750 : 0), 0);
	put(dir, "lent/closed", geteuid() == 0 ? 0600 : 0);
	lead(dir, "lent/in", "sub/deep");
	lead(dir, "lent/sub/up", "../file");
	lead(dir, "lent/out", "../secret");
	lead(dir, "lent/absolute", "/proc/self/status");
	lead(dir, "lent/round", "round");
	snprintf(path, sizeof(path), "%s/lent/pipe", dir);
	assert_int_equal(mkfifo(path, 0644), 0);
}

static void clear(const char *dir)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/lent/shut", dir);
	assert_int_equal(chmod(path, 0755), 0);
	for (size_t i = ARRAY_SIZE(names); i > 0; i--) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i - 1]);
		assert_int_equal(unlink(path), 0);
	}
	for (size_t i = ARRAY_SIZE(dirs); i > 0; i--) {
		snprintf(path, sizeof(path), "%s/%s", dir, dirs[i - 1]);
		assert_int_equal(rmdir(path), 0);
	}
}

static const struct {
	const char *file, *holds;	/* NULL: it is refused */
	int rc;
} cases[] = {
	{ "file", "lent/file", 0 },
	{ "sub/deep", "lent/sub/deep", 0 },
	{ "./sub//../file", "lent/file", 0 },
	{ "in", "lent/sub/deep", 0 },
	{ "sub/up", "lent/file", 0 },
	{ "none", NULL, -ENOENT },
	{ "file/none", NULL, -ENOTDIR },
	{ "../secret", NULL, -EACCES },
	{ "sub/../../secret", NULL, -EACCES },
	{ "../lent/file", NULL, -EACCES },
	{ "/proc/self/status", NULL, -EACCES },
	{ "out", NULL, -EACCES },
	{ "absolute", NULL, -EACCES },
	{ "round", NULL, -ELOOP },
	{ "sub", NULL, -EISDIR },
	{ "pipe", NULL, -EACCES },
	{ "closed", NULL, -EACCES },
	{ "shut/in/open", NULL, -EACCES },
};

static void test_files(void **state)
{
	struct keeper_child k;
	char dir[80], text[64];

	(void)state;
	keeper_open(&k);
	furnish(k.dir);
	snprintf(dir, sizeof(dir), "%s/lent", k.dir);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { .rc = 0 };
		int fd = host_open_file(k.host, dir, cases[i].file, geteuid(), &err);

		print_message("  %s: %s\n", cases[i].file, fd < 0 ? err.message : "lent");
		if (!cases[i].holds) {
			assert_int_equal(fd, cases[i].rc);
			assert_non_null(strstr(err.message, cases[i].file));
			continue;
		}
		assert_true(fd >= 0);
		assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		assert_int_equal(read(fd, text, sizeof(text)), strlen(cases[i].holds));
		assert_memory_equal(text, cases[i].holds, strlen(cases[i].holds));
		close(fd);
	}
	clear(k.dir);
	keeper_close(&k);
}

/* What is no directory, and requests that are not whole. */
static void test_places(void **state)
{
	struct keeper_child k;
	struct host_file m = { .head.type = HOST_OPEN_FILE, .dir = "relative", .file = "x" };
	struct host_reply reply;
	struct error err = { .rc = 0 };

	(void)state;
	keeper_open(&k);
	assert_int_equal(host_open_file(k.host, "/none/at/all", "x", geteuid(), &err), -ENOTDIR);
	assert_non_null(strstr(err.message, "/none/at/all"));
	assert_int_equal(host_open_file(k.host, "/proc/version", "x", geteuid(), &err), -ENOTDIR);
	assert_int_equal(host_call(k.host, &m, sizeof(m), -1, &reply, NULL), -EPROTO);
	m = (struct host_file){ .head.type = HOST_OPEN_FILE, .dir = "/tmp", .file = "" };
	assert_int_equal(host_call(k.host, &m, sizeof(m), -1, &reply, NULL), -EPROTO);
	m = (struct host_file){ .head.type = HOST_OPEN_FILE, .dir = "/tmp", .file = "x", .name = "kept" };
	assert_int_equal(host_call(k.host, &m, sizeof(m), -1, &reply, NULL), -EPROTO);
	keeper_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_files), cmocka_unit_test(test_places) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
