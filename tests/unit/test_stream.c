// SPDX-License-Identifier: GPL-2.0-or-later
/* The framed stream: one end of a socket pair is the port, the other one is read and written here byte by byte. */
#include "tap/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/worker.h"
#include "tests/unit/offload_frame.h"
#include "tests/unit/stream_end.h"

static int rx(unsigned n)
{
	struct rx_space space = { t.space, sizeof(t.space) };

	return t.port->ops->rx(&t.port->queues[0], &space, t.frames, n);
}

static void peer_writes(const void *data, size_t size)
{
	assert_int_equal(write(t.peer, data, size), size);
}

/* framed() - prefix and @len bytes that say @seed; Return: bytes at @to */
static uint32_t framed(uint8_t *to, uint32_t len, uint8_t seed)
{
	put_u32(to, len);
	for (uint32_t i = 0; i < len; i++)
		to[PREFIX + i] = (uint8_t)(i * 3 + seed);
	return PREFIX + len;
}

static void check_frame(const struct frame *f, uint32_t len, uint8_t seed)
{
	uint8_t want[4096];

	framed(want, len, seed);
	assert_int_equal(f->len, len);
	assert_int_equal(f->head_len, len);
	assert_int_equal(f->nbody, 0);
	assert_memory_equal(f->head, want + PREFIX, len);
	assert_false(f->tag_present);
	assert_int_equal(f->offload.flags, 0);
}

/* ---- receiving ---- */

static void test_byte_by_byte(void **state)
{
	uint8_t bytes[256];
	uint32_t n = framed(bytes, 60, 1), m = framed(bytes + n, 100, 2);

	(void)state;
	for (uint32_t i = 0; i < n + m; i++) {
		peer_writes(bytes + i, 1);
		if (i == n - 1) {
			assert_int_equal(rx(BURST_MAX), 1);
			check_frame(&t.frames[0], 60, 1);
		} else if (i < n + m - 1) {
			assert_int_equal(rx(BURST_MAX), 0);
		}
	}
	assert_int_equal(rx(BURST_MAX), 1);
	check_frame(&t.frames[0], 100, 2);
	assert_int_equal(rx(BURST_MAX), 0);
}

static void test_burst(void **state)
{
	uint8_t bytes[200 * 80];
	uint32_t n = 0;
	unsigned seen = 0;

	(void)state;
	for (unsigned i = 0; i < 150; i++)
		n += framed(bytes + n, 60 + i % 10, (uint8_t)i);
	peer_writes(bytes, n);
	for (int got; (got = rx(BURST_MAX)) > 0;) {
		assert_in_range(got, 1, BURST_MAX);
		for (int i = 0; i < got; i++, seen++)
			check_frame(&t.frames[i], 60 + seen % 10, (uint8_t)seen);
	}
	assert_int_equal(seen, 150);
	print_message("  a burst of one is a burst\n");
	peer_writes(bytes, n);
	for (unsigned i = 0; i < 150; i++) {
		assert_int_equal(rx(1), 1);
		check_frame(&t.frames[0], 60 + i % 10, (uint8_t)i);
	}
}

static void test_longest(void **state)
{
	static uint8_t bytes[PREFIX + FRAME_MAX];
	size_t sent = 0;

	(void)state;
	framed(bytes, FRAME_MAX, 7);
	for (unsigned round = 0; round < 8; round++) {
		int got = 0;

		for (sent = 0; got == 0;) {
			ssize_t n = write(t.peer, bytes + sent, sizeof(bytes) - sent);

			sent += n > 0 ? (size_t)n : 0;
			got = rx(BURST_MAX);
		}
		assert_int_equal(got, 1);
		assert_int_equal(sent, sizeof(bytes));
		assert_int_equal(t.frames[0].len, FRAME_MAX);
		assert_memory_equal(t.frames[0].head, bytes + PREFIX, FRAME_MAX);
	}
}

static void test_bad_prefix(void **state)
{
	static const uint32_t bad[] = { 0, FRAME_MAX + 1, 0x80000000, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t bytes[256];
		uint32_t n = framed(bytes, 60, 1);

		put_u32(bytes + n, bad[i]);
		peer_writes(bytes, n + PREFIX);
		assert_int_equal(rx(BURST_MAX), 1);	/* what was good is delivered */
		check_frame(&t.frames[0], 60, 1);
		assert_int_equal(rx(BURST_MAX), -EPROTO);
		assert_int_equal(rx(BURST_MAX), -EPROTO);
		teardown(state);
		setup(state);
	}
}

static void test_closed(void **state)
{
	uint8_t bytes[256];
	uint32_t n = framed(bytes, 60, 1);

	(void)state;
	peer_writes(bytes, n);
	peer_writes(bytes, n - 1);		/* and half a frame */
	close(t.peer);
	t.peer = -1;
	assert_int_equal(rx(BURST_MAX), 1);
	assert_int_equal(rx(BURST_MAX), -EPIPE);
	assert_int_equal(rx(BURST_MAX), -EPIPE);
}

/* ---- sending ---- */

static void test_send(void **state)
{
	static uint8_t bytes[BURST_MAX][128];
	struct frame f[BURST_MAX];
	struct tx_frame tx[BURST_MAX];
	const uint8_t *p;
	uint32_t len, n = 0;

	(void)state;
	for (unsigned i = 0; i < BURST_MAX; i++) {
		numbered(&f[i], bytes[i], 60 + i, i);
		tx[i] = (struct tx_frame){ .frame = &f[i], .tci = i % 2 ? (uint16_t)(0xa000 + i) : 0 };
	}
	assert_true(port_tx(t.port, t.w, 0, tx, BURST_MAX) == ~0ull);
	peer_reads(STREAM_ROOM);
	for (; (p = next_sent(&len)); n++) {
		uint32_t tag = n % 2 ? VLAN_TAG : 0;

		assert_int_equal(len, 60 + n + tag);
		assert_memory_equal(p, bytes[n], 12);
		assert_memory_equal(p + 12 + tag, bytes[n] + 12, 48 + n);
		if (tag) {
			assert_int_equal(get_u16(p + 12), 0x8100);
			assert_int_equal(get_u16(p + 14), 0xa000 + n);
		}
	}
	assert_int_equal(n, BURST_MAX);
	assert_int_equal(t.at, t.nbytes);
}

/* A peer that reads slowly loses whole frames, never parts of one: what was half sent is completed first. */
static void test_slow_reader(void **state)
{
	enum { BURSTS = 3000, LEN = 1400, EACH = 5 };
	static uint8_t bytes[EACH][LEN];
	static uint8_t took[BURSTS * EACH];
	uint32_t sent = 0, len, n = 0, expected = 0;
	const uint8_t *p;

	(void)state;
	setsockopt(port_fd(t.port), SOL_SOCKET, SO_SNDBUF, &(int){ 20000 }, sizeof(int));
	for (unsigned b = 0; b < BURSTS; b++) {
		struct frame f[EACH];
		struct tx_frame tx[EACH];
		uint64_t taken;

		for (unsigned i = 0; i < EACH; i++) {
			numbered(&f[i], bytes[i], LEN - i * 13, b * EACH + i);
			tx[i] = (struct tx_frame){ .frame = &f[i] };
		}
		taken = port_tx(t.port, t.w, 0, tx, EACH);
		for (unsigned i = 0; i < EACH; i++)
			took[b * EACH + i] = taken >> i & 1;
		peer_reads(777 + b % 1000);
		if (b % 7 == 0)
			port_writable(&t.port->queues[0]);
	}
	for (unsigned i = 0; i < 10000 && (peer_reads(STREAM_ROOM) || i < 2); i++)
		port_writable(&t.port->queues[0]);
	for (unsigned i = 0; i < BURSTS * EACH; i++)
		sent += took[i];
	for (; (p = next_sent(&len)); n++) {
		while (!took[expected])
			expected++;
		assert_int_equal(get_u32(p + 14), expected);	/* each that was taken, in order, and whole */
		assert_int_equal(len, LEN - expected % EACH * 13);
		assert_int_equal(p[len - 1], (uint8_t)expected);
		expected++;
	}
	assert_int_equal(n, sent);
	assert_int_equal(t.at, t.nbytes);
	assert_in_range(sent, 100, BURSTS * EACH - 100);	/* it was slow, and got something */
}

static void test_send_to_nobody(void **state)
{
	uint8_t bytes[64];
	struct frame f;

	(void)state;
	close(t.peer);
	t.peer = -1;
	numbered(&f, bytes, 60, 1);
	f.copies = 1;			/* filed for this port */
	assert_int_equal(port_tx(t.port, t.w, 0, &(struct tx_frame){ .frame = &f }, 1), 0);	/* and no SIGPIPE */
	assert_int_equal(counter_get(&t.port->stats[0].tx_drops), 1);
	assert_int_equal(f.copies, 0);
}

static void test_not_a_stream(void **state)
{
	int pair[2], pipes[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	assert_int_equal(pipe(pipes), 0);
	assert_null(stream_new(pair[0], 1));
	assert_int_equal(errno, EINVAL);
	assert_null(stream_new(pipes[0], 1));
	assert_int_equal(errno, EINVAL);
	assert_null(stream_new(-1, 1));
	assert_int_equal(fcntl(pair[0], F_GETFD), 0);	/* still the caller's */
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(pipes[i]);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_byte_by_byte), T(test_burst), T(test_longest), T(test_bad_prefix), T(test_closed), T(test_send),
		T(test_slow_reader), T(test_send_to_nobody), T(test_not_a_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
