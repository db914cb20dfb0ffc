// SPDX-License-Identifier: GPL-2.0-or-later
/* What was said to be stored is there: after a power cut at any moment, a kill at any system call, and a disk that fails (DHCP-49) */
#include "ctl/state.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <sqlite3.h>

#include "base/array.h"
#include "tests/unit/power_disk.h"

enum { ADDRESSES = 40 };

/* bed - a store, and of each address the end that was asked for last and the one that was said to be stored last */
struct bed {
	char dir[64], after[64];	/* the store's, and that of what a cut left */
	struct event_base *base;
	struct state *state;
	_Atomic int64_t asked[ADDRESSES], stored[ADDRESSES];
	unsigned waiting, failed;
	unsigned look_every, looks, wrong;
};

struct put {
	struct bed *b;
	unsigned ip;
	int64_t end;
};

static void on_done(void *arg, const struct error *err)
{
	struct put *put = arg;

	put->b->waiting--;
	put->b->failed += err->rc < 0;
	if (err->rc == 0)
		put->b->stored[put->ip] = put->end;
	free(put);
}

/* ask() - put an address with another end */
static void ask(struct bed *b, unsigned ip)
{
	struct state_lease l = { .net = "lab", .segment = 1, .ip = ip, .port = "vm", .mac = { 2, 0, 0, 0, 0, (uint8_t)ip }, .state = 1 };
	struct put *put = malloc(sizeof(*put));

	l.expires_s = b->asked[ip] + 1;
	b->asked[ip] = l.expires_s;
	*put = (struct put){ b, ip, l.expires_s };
	b->waiting++;
	state_put_lease(b->state, &l, on_done, put);
}

static void settle(struct bed *b)
{
	while (b->waiting)
		event_base_loop(b->base, EVLOOP_ONCE);
}

/* ask_many() - @groups of one to six at once, each group when the one before is done */
static void ask_many(struct bed *b, unsigned groups)
{
	for (unsigned i = 0; i < groups; i++) {
		for (unsigned n = 0; n < 1 + i % 6; n++)
			ask(b, (i * 7 + n) % ADDRESSES);
		settle(b);
	}
}

/* ---- what is there ---- */

static void collect(void *arg, const struct state_lease *l)
{
	((int64_t *)arg)[l->ip] = l->expires_s;
}

/* holds() - does the store in @dir know at least what was said to be stored, and nothing that was not asked for? */
static bool holds(const struct bed *b, const char *dir)
{
	int64_t found[ADDRESSES] = { 0 };
	struct event_base *base = event_base_new();
	struct error err = { 0 };
	struct state *state = state_open(dir, base, NULL, &err);
	bool ok = state && state_load_leases(state, collect, found, &err) == 0;

	for (unsigned ip = 0; ok && ip < ADDRESSES; ip++)
		ok = found[ip] >= b->stored[ip] && found[ip] <= b->asked[ip];
	if (!state)
		print_message("    %s\n", err.message);
	state_close(state);
	event_base_free(base);
	return ok;
}

static void empty(const char *dir)
{
	static const char *const tails[] = { "", "-wal", "-shm", "-journal", ".corrupt-1", ".corrupt-1-wal", ".corrupt-1-shm" };
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		snprintf(path, sizeof(path), "%s/lanyard.db%s", dir, tails[i]);
		unlink(path);
	}
}

/* holds_after_cut() - and after a power cut at this very moment? */
static bool holds_after_cut(struct bed *b, unsigned seed)
{
	empty(b->after);
	disk_cut(b->after, seed);
	b->looks++;
	return holds(b, b->after);
}

/* look() - on the state thread, between two operations of it */
static void look(void *arg, unsigned n)
{
	struct bed *b = arg;

	if (!b->look_every || n % b->look_every)
		return;
	b->wrong += !holds_after_cut(b, 0);
	b->wrong += !holds_after_cut(b, n + 1);
}

/* ---- the bed ---- */

static void open_store(struct bed *b)
{
	struct error err = { 0 };

	b->state = state_open(b->dir, b->base, NULL, &err);
	if (!b->state)
		print_message("    %s\n", err.message);
	assert_non_null(b->state);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";	/* the disk is ours: whatever is quick will do below it */

	snprintf(b->dir, sizeof(b->dir), "%s/lanyard-power-XXXXXX", where);
	snprintf(b->after, sizeof(b->after), "%s/lanyard-after-XXXXXX", where);
	assert_non_null(mkdtemp(b->dir));
	assert_non_null(mkdtemp(b->after));
	b->base = event_base_new();
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	empty(b->dir);
	empty(b->after);
	rmdir(b->dir);
	rmdir(b->after);
	event_base_free(b->base);
	free(b);
	return 0;
}

static void begin(struct bed *b)
{
	disk_start(b->dir, look, b);
	open_store(b);
}

static void end(struct bed *b)
{
	state_close(b->state);
	disk_stop();
}

/* ---- power cuts ---- */

static void test_power_cut(void **state)
{
	struct bed *b = *state;

	begin(b);
	b->look_every = 3;
	ask_many(b, 40);
	assert_true(b->looks > 50);
	b->look_every = 89;		/* until the log is full, goes into the file and begins again */
	ask_many(b, 1200);
	b->look_every = 0;
	end(b);
	assert_int_equal(b->failed, 0);
	assert_int_equal(b->wrong, 0);
	assert_true(holds(b, b->dir));
}

/* The test itself: a store that did not flush would be found out. */
static void test_cut_finds_what_is_not_flushed(void **state)
{
	struct bed *b = *state;

	begin(b);
	ask_many(b, 3);
	b->stored[1] = b->asked[1] = 99;
	assert_false(holds_after_cut(b, 0));
	end(b);
}

/* ---- a disk that fails ---- */

static const struct {
	const char *what;
	int write_result, sync_result;
} failures[] = {
	{ "disk full", SQLITE_FULL, SQLITE_OK },
	{ "no write", SQLITE_IOERR_WRITE, SQLITE_OK },
	{ "no flush", SQLITE_OK, SQLITE_IOERR_FSYNC },
	{ "neither", SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC },
};

/* Wherever it begins to fail, and for how long: what was said to be stored stays so, also over a cut, and afterwards it stores again. */
static void fail_at(struct bed *b, size_t how, unsigned at, unsigned count)
{
	begin(b);
	ask_many(b, 5);
	disk_fail(at, count, failures[how].write_result, failures[how].sync_result);
	ask_many(b, 12);
	disk_fail(0, 0, SQLITE_OK, SQLITE_OK);
	assert_true(holds_after_cut(b, 0));
	b->failed = 0;
	ask_many(b, 3);
	assert_int_equal(b->failed, 0);
	assert_true(holds_after_cut(b, 0));
	assert_true(holds_after_cut(b, at + 1));
	end(b);
	empty(b->dir);
	memset(b->asked, 0, sizeof(b->asked));
	memset(b->stored, 0, sizeof(b->stored));
}

static void test_dhcp_49_failing_disk(void **state)
{
	struct bed *b = *state;

	for (size_t how = 0; how < ARRAY_SIZE(failures); how++) {
		print_message("  %s\n", failures[how].what);
		for (unsigned at = 30; at < 60; at += 3)
			fail_at(b, how, at, at % 2 ? 1 : 20);
	}
}

/* ---- killed at any system call ---- */

/* told - the child tells of each lease that it was told is stored */
struct told {
	struct put put;
	int fd;
};

static void on_stored(void *arg, const struct error *err)
{
	struct told *t = arg;
	int64_t word[2] = { t->put.ip, t->put.end };

	t->put.b->waiting--;
	if (err->rc < 0 || write(t->fd, word, sizeof(word)) < 0)
		_exit(1);
	free(t);
}

static _Noreturn void doomed(struct bed *b, int fd)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	b->base = event_base_new();
	b->state = state_open(b->dir, b->base, NULL, NULL);
	for (unsigned i = 0; b->state && i < 4; i++) {
		for (unsigned n = 0; n <= i; n++) {
			struct state_lease l = { .net = "lab", .segment = 1, .ip = i * 4 + n, .port = "vm", .state = 1, .expires_s = 1 };
			struct told *t = malloc(sizeof(*t));

			*t = (struct told){ { b, l.ip, 1 }, fd };
			b->waiting++;
			state_put_lease(b->state, &l, on_stored, t);
		}
		settle(b);
	}
	_exit(b->state ? 0 : 1);
}

/* die_at() - run the child until it, or a thread of it, has asked for its @n-th system call, and kill it there; Return: false when it was through */
static bool die_at(struct bed *b, unsigned n, int fd)
{
	pid_t pid = fork(), tid;
	int status;

	if (pid == 0)
		doomed(b, fd);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		bool call = WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80);

		if (!WIFSTOPPED(status) && tid == pid)
			return false;
		if (call && n-- == 0)
			break;
		ptrace(PTRACE_SYSCALL, tid, NULL, NULL);
	}
	kill(pid, SIGKILL);
	while (waitpid(-1, &status, __WALL) > 0)
		continue;
	return true;
}

static void test_killed_at_each_call(void **state)
{
	struct bed *b = *state;
	unsigned killed = 0, told = 0;
	bool more = true;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();				/* they make calls of their own, and what is looked for here they do not see */
#endif
	for (unsigned ip = 0; ip < ADDRESSES; ip++)
		b->asked[ip] = 1;
	for (unsigned n = 0; more; n += 5) {
		int64_t word[2];
		int fds[2];

		assert_int_equal(pipe(fds), 0);
		memset(b->stored, 0, sizeof(b->stored));
		more = die_at(b, n, fds[1]);
		close(fds[1]);
		for (; read(fds[0], word, sizeof(word)) == sizeof(word); told++)
			b->stored[word[0]] = word[1];
		close(fds[0]);
		assert_true(holds(b, b->dir));
		empty(b->dir);
		killed += more;
	}
	print_message("  %u kills, %u leases told of\n", killed, told);
	assert_true(killed > 20 && told > 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_power_cut), TEST(test_cut_finds_what_is_not_flushed), TEST(test_dhcp_49_failing_disk), TEST(test_killed_at_each_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
