// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tap/vhost_call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"

enum { DEADLINE_MS = 10000 };
#define FULL 0xfffffffffffffffeull

static uint64_t taken(int fd)
{
	uint64_t value = 0;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

static int pair(int second)
{
	int fds[2];

	assert_int_equal(second ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds), 0);
	close(fds[0]);
	return fds[1];
}

static void test_check(void **state)
{
	sigset_t none;
	const struct {
		const char *what;
		int fd, rc;
	} cases[] = {
		{ "eventfd",		eventfd(0, 0), 0 },
		{ "eventfd, full",	eventfd(0xffffffff, EFD_NONBLOCK), 0 },
		{ "semaphore",		eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC), 0 },
		{ "pipe",		pair(0), -EINVAL },
		{ "socket",		pair(1), -EINVAL },
		{ "memfd",		memfd_create("eventfd-count:", 0), -EINVAL },
		{ "device",		open("/dev/null", O_RDWR), -EINVAL },
		{ "timerfd",		timerfd_create(CLOCK_MONOTONIC, 0), -EINVAL },
		{ "epoll",		epoll_create1(0), -EINVAL },
		{ "signalfd",		signalfd(-1, (sigemptyset(&none), &none), 0), -EINVAL },
		{ "directory",		open(".", O_RDONLY), -EINVAL },
		{ "none",		-1, -EINVAL },
		{ "not open",		1000, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		assert_int_equal(vhost_call_check(cases[i].fd), cases[i].rc);
		if (cases[i].rc < 0)	/* and signalling it does nothing either */
			assert_true(vhost_call(0, cases[i].fd) < 0);
		if (cases[i].fd >= 0 && cases[i].fd < 1000)
			close(cases[i].fd);
	}
}

/* Each call adds one, more of them than the context has room for, and wakes whoever polls. */
static void test_counts(void **state)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	(void)state;
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(vhost_call(1, fd), 0);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(taken(fd), 1);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(vhost_call(i % 2, fd), 0);
	assert_int_equal(taken(fd), 100000);
	close(fd);
}

struct caller {
	unsigned index;
	int fd;
	unsigned n;
	atomic_uint done;
	atomic_bool failed;
};

static void *call_often(void *arg)
{
	struct caller *c = arg;

	while (atomic_load(&c->done) < c->n) {
		if (vhost_call(c->index, c->fd) < 0)
			atomic_store(&c->failed, true);
		atomic_fetch_add(&c->done, 1);
	}
	return NULL;
}

static void wait_for(struct caller *c, unsigned done)
{
	uint64_t end = clock_now_ms() + DEADLINE_MS;

	for (; atomic_load(&c->done) < done; sched_yield())
		if (clock_now_ms() > end)
			fail_msg("a call waited: %u came back", atomic_load(&c->done));
}

/* Full, and blocking: write() would sleep here until somebody reads. */
static void test_full(void **state)
{
	static struct caller c = { .n = 1000 };
	uint64_t full = FULL;
	pthread_t thread;
	int fd = eventfd(0, EFD_NONBLOCK);

	(void)state;
	c.fd = fd;
	assert_int_equal(write(fd, &full, sizeof(full)), sizeof(full));
	assert_true(write(fd, &(uint64_t){ 1 }, sizeof(full)) < 0 && errno == EAGAIN);
	assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK), 0);
	assert_int_equal(pthread_create(&thread, NULL, call_often, &c), 0);
	wait_for(&c, c.n);
	pthread_join(thread, NULL);
	assert_false(atomic_load(&c.failed));
	assert_true(taken(fd) >= FULL);
	assert_int_equal(vhost_call(0, fd), 0);		/* emptied, it counts again */
	assert_int_equal(taken(fd), 1);
	close(fd);
}

/* The owner fills the counter and turns O_NONBLOCK off and on while two workers call: they go on all the time. */
static void test_flipped(void **state)
{
	enum { ROUNDS = 20, CALLS = 1000 };
	static struct caller c[2] = { { .index = 0, .n = ROUNDS * CALLS }, { .index = 1, .n = ROUNDS * CALLS } };
	pthread_t thread[2];
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t nearly = FULL - 100;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		c[i].fd = fd;
		assert_int_equal(pthread_create(&thread[i], NULL, call_often, &c[i]), 0);
	}
	for (unsigned round = 1; round <= ROUNDS; round++) {
		assert_int_equal(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
		taken(fd);
		(void)!write(fd, &nearly, sizeof(nearly));
		assert_int_equal(fcntl(fd, F_SETFL, O_RDWR), 0);
		for (unsigned i = 0; i < 2; i++)
			wait_for(&c[i], round * CALLS);
	}
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		assert_false(atomic_load(&c[i].failed));
	}
	close(fd);
}

/* Contexts are made once, grow with the workers, and can all be closed. */
static void test_init(void **state)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)		/* would use up fs.aio-max-nr if each made new ones */
		assert_int_equal(vhost_call_init(2), 0);
	assert_true(vhost_call(5, fd) < 0);
	assert_int_equal(vhost_call_init(6), 0);
	assert_int_equal(vhost_call(5, fd), 0);
	assert_true(vhost_call_init(1 << 20) < 0);
	for (unsigned i = 0; i < 5; i++) {		/* the kernel takes its time to close one */
		vhost_call_fini();
		assert_int_equal(vhost_call_init(2), 0);
	}
	assert_int_equal(vhost_call(1, fd), 0);
	assert_int_equal(taken(fd), 2);
	close(fd);
}

static int init(void **state)
{
	(void)state;
	return vhost_call_init(2);
}

static int fini(void **state)
{
	(void)state;
	vhost_call_fini();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),	cmocka_unit_test(test_counts), cmocka_unit_test(test_full),
		cmocka_unit_test(test_flipped), cmocka_unit_test(test_init),
	};

	return cmocka_run_group_tests(tests, init, fini);
}
