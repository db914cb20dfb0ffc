// SPDX-License-Identifier: GPL-2.0-or-later
/* The framed stream with a reader in a thread of its own: whatever room it makes and when, the stream stays in step. */
#include "tap/stream.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"
#include "tests/unit/offload_frame.h"

enum { PREFIX = 4, MANY = 1000000, ENOUGH = 10000, EACH = BURST_MAX, LEN = 1400 };

/* What it reads is checked as it comes: prefix, number one more than or above the last, the whole frame its number's. */
static void *reader(void *arg)
{
	static uint8_t bytes[1 << 20];
	size_t n = 0;
	uint32_t last = 0;

	for (;;) {
		ssize_t got = recv(*(int *)arg, bytes + n, sizeof(bytes) - n, 0);
		size_t at = 0;

		if (got <= 0)
			return n ? "the end came inside a frame" : NULL;
		for (n += (size_t)got; n - at >= PREFIX && n - at >= PREFIX + get_u32(bytes + at); at += PREFIX + LEN) {
			uint32_t number = get_u32(bytes + at + PREFIX + 14);

			if (get_u32(bytes + at) != LEN || number <= last || bytes[at + PREFIX] != (uint8_t)number ||
			    bytes[at + PREFIX + LEN - 1] != (uint8_t)number)
				return "out of step";
			last = number;
		}
		memmove(bytes, bytes + at, n - at);
		n -= at;
	}
}

static void number(struct frame *f, uint8_t *bytes, uint32_t n)
{
	memset(bytes, (int)n, LEN);
	put_u32(bytes + 14, n);
	frame_init(f, bytes, LEN);
	frame_split(f, 64, 80);		/* many pieces, so that a burst takes several sends */
}

/* The room that a reader makes between two sends of one burst must not let a frame into the middle of another. */
static void test_concurrent_reader(void **state)
{
	static uint8_t bytes[EACH][LEN];
	static struct frame f[EACH];
	struct tx_frame tx[EACH];
	struct snapshot *snapshot = NULL;
	struct worker *w = worker_new(0, &snapshot);
	struct port *port;
	pthread_t thread;
	struct pollfd room = { .events = POLLOUT };
	uint64_t sent = 0;
	void *wrong;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	port = stream_new(pair[0], 1);
	assert_true(w && port);
	room.fd = port_fd(port);
	setsockopt(port_fd(port), SOL_SOCKET, SO_SNDBUF, &(int){ 20000 }, sizeof(int));
	pthread_create(&thread, NULL, reader, &pair[1]);
	for (uint32_t b = 0; sent < ENOUGH && b < MANY; b++) {
		for (unsigned i = 0; i < EACH; i++) {
			number(&f[i], bytes[i], 1 + b * EACH + i);
			tx[i] = (struct tx_frame){ .frame = &f[i] };
		}
		sent += (unsigned)__builtin_popcountll(port_tx(port, w, 0, tx, EACH));
	}
	for (unsigned i = 0; i < 10; i++)	/* the rest of the last frame */
		if (poll(&room, 1, 10000) == 1)
			port_writable(&port->queues[0]);
	shutdown(port_fd(port), SHUT_WR);
	pthread_join(thread, &wrong);
	if (wrong)
		fail_msg("%s", (const char *)wrong);
	assert_true(sent >= ENOUGH);
	port->ops->free(port);
	worker_free(w);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_concurrent_reader) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
