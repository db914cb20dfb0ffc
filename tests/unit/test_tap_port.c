// SPDX-License-Identifier: GPL-2.0-or-later
/* The TAP port; the kernel's side of the interface is written and read through an AF_PACKET socket. In a namespace of its own. */
#include "tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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
#include "tests/unit/far_end.h"

enum { FLAGS = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

static struct {
	struct snapshot *snapshot;
	struct worker *w;
	struct port *port;
	int peer;
	uint8_t space[RX_SPACE];
	struct frame frames[BURST_MAX];
	struct wire_frame got;
} t;

static int tun(short flags)
{
	struct ifreq ifr = { .ifr_flags = flags };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "lt0");
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int setup(void **state)
{
	int fd = tun(FLAGS);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN), 0);
	assert_true(wire_sh("ip link set lt0 up"));
	t.w = worker_new(0, &t.snapshot);
	t.port = tap_new(fd, 1);
	assert_non_null(t.w);
	assert_non_null(t.port);
	t.peer = wire_raw("lt0");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	t.port->ops->free(t.port);
	worker_free(t.w);
	close(t.peer);
	return 0;
}

static int rx(void)
{
	struct rx_space space = { t.space, sizeof(t.space) };

	return wire_wait(port_fd(t.port)) ? t.port->ops->rx(&t.port->queues[0], &space, t.frames, BURST_MAX) : 0;
}

static bool tx(struct frame *f, uint16_t tci, uint64_t *segments)
{
	return t.port->ops->tx(&t.port->queues[0], t.w, &(struct tx_frame){ .frame = f, .tci = tci }, 1, segments);
}

static uint32_t plain(uint8_t *to, uint32_t size, uint8_t seed)
{
	memcpy(to, (uint8_t[]){ 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x12, 0x34 }, ETH_HEADER);
	for (uint32_t i = ETH_HEADER; i < size; i++)
		to[i] = (uint8_t)(i + seed);
	return size;
}

/* The kernel's stack sends by the interface: the port receives. A tag stays in the frame. */
static void test_receive(void **state)
{
	enum { MANY = 100 };
	uint8_t bytes[256];
	unsigned seen = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		assert_true(wire_put(t.peer, bytes, plain(bytes, 60 + i, (uint8_t)i), NULL));
	while (seen < MANY) {
		int n = rx();

		assert_in_range(n, 1, BURST_MAX);
		for (int i = 0; i < n; i++, seen++) {
			plain(bytes, 60 + seen, (uint8_t)seen);
			assert_int_equal(t.frames[i].len, 60 + seen);
			assert_memory_equal(t.frames[i].head, bytes, 60 + seen);
			assert_false(t.frames[i].tag_present);
		}
	}
	assert_int_equal(t.port->ops->rx(&t.port->queues[0], &(struct rx_space){ t.space, sizeof(t.space) }, t.frames, BURST_MAX), 0);
}

static void test_send(void **state)
{
	static const uint16_t tcis[] = { 0, 7, 0xb007, 4094 };
	uint64_t segments = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tcis); i++) {
		uint8_t bytes[128];
		struct frame f;

		frame_init(&f, bytes, plain(bytes, 100, 3));
		frame_split(&f, 40, 7);
		assert_true(tx(&f, tcis[i], &segments));
		assert_true(wire_get(t.peer, &t.got));
		assert_int_equal(t.got.len, 100);
		assert_memory_equal(t.got.data, bytes, 100);
		assert_int_equal(t.got.tci, tcis[i]);
	}
	assert_int_equal(segments, 0);
}

static const struct shape large[] = {
	{ .tcp_flags = TCP_ACK | TCP_PSH, .payload = 5000 }, { .v6 = true, .tcp_flags = TCP_ACK, .payload = 5000 },
	{ .tcp_flags = TCP_ACK | 0x80, .payload = 60000, .options = 12 },
};

static uint8_t gso_type(const struct shape *s)
{
	return (uint8_t)((s->v6 ? TCP6 : TCP4) | (s->tcp_flags & 0x80 ? ECN : 0));
}

/* Large frames and unfinished checksums pass both ways as they are. */
static void test_gso(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	uint64_t segments = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(large); i++) {
		struct offload o;
		struct frame f;

		frame_init(&f, bytes, shape_frame(bytes, &large[i], &o));
		o.gso_type = gso_type(&large[i]);
		o.gso_size = 1400;
		o.hdr_len = (uint16_t)shape_headers(&large[i]);
		f.offload = o;
		assert_true(wire_put(t.peer, bytes, f.len, &o));
		assert_int_equal(rx(), 1);
		assert_int_equal(t.frames[0].len, f.len);
		assert_memory_equal(t.frames[0].head, bytes, f.len);
		assert_int_equal(t.frames[0].offload.gso_type, o.gso_type);
		assert_int_equal(t.frames[0].offload.gso_size, 1400);
		assert_int_equal(t.frames[0].offload.csum_start, o.csum_start);
		assert_int_equal(offload_check(&t.frames[0], 1500), VERDICT_FORWARDED);
		for (uint16_t tci = 0; tci < 2; tci++) {
			assert_true(tx(&f, tci, &segments));
			assert_true(wire_get(t.peer, &t.got));
			assert_int_equal(t.got.len, f.len);
			assert_memory_equal(t.got.data, bytes, f.len);
			assert_int_equal(t.got.offload.gso_type, o.gso_type);
			assert_int_equal(t.got.offload.csum_start, o.csum_start);
			assert_int_equal(t.got.tci, tci);
		}
	}
	assert_int_equal(segments, 0);
}

static void test_send_cut(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	struct shape s = { .udp = true, .payload = 5000 };
	uint64_t segments = 0;
	struct offload o;
	struct frame f;

	(void)state;
	t.port->offloads &= ~(uint32_t)PORT_USO;
	frame_init(&f, bytes, shape_frame(bytes, &s, &o));
	f.offload = o;
	f.offload.gso_type = UDP_L4;
	f.offload.gso_size = 1400;
	assert_int_equal(offload_check(&f, 1500), VERDICT_FORWARDED);
	assert_true(tx(&f, 9, &segments));
	assert_int_equal(segments, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(wire_get(t.peer, &t.got));
		assert_int_equal(t.got.tci, 9);
		assert_int_equal(t.got.len, 42 + (i < 3 ? 1400 : 800));
	}
}

/* Who passed the descriptor has a copy, and makes it one that waits: nobody may wait for it here. */
static void test_made_to_wait(void **state)
{
	struct rx_space space = { t.space, sizeof(t.space) };
	uint64_t segments = 0;
	uint8_t bytes[128];
	struct frame f;
	int small = 1;

	(void)state;
	assert_int_equal(fcntl(port_fd(t.port), F_SETFL, O_RDWR), 0);
	alarm(10);
	while (t.port->ops->rx(&t.port->queues[0], &space, t.frames, BURST_MAX) > 0)
		;
	assert_int_equal(ioctl(port_fd(t.port), TUNSETSNDBUF, &small), 0);
	frame_init(&f, bytes, plain(bytes, 100, 1));
	for (unsigned i = 0; i < 10; i++)
		tx(&f, 0, &segments);
	alarm(0);
}

static void test_down_and_gone(void **state)
{
	uint8_t bytes[128];
	uint64_t segments = 0;
	struct frame f;
	int rc;

	(void)state;
	frame_init(&f, bytes, plain(bytes, 100, 1));
	assert_true(wire_sh("ip link set lt0 down"));
	assert_false(tx(&f, 0, &segments));
	assert_true(wire_sh("ip link set lt0 up"));
	assert_true(tx(&f, 0, &segments));
	assert_true(wire_sh("ip link del lt0"));
	rc = rx();
	assert_int_equal(rc, -EBADFD);
	assert_false(tx(&f, 0, &segments));
}

static void test_refused_descriptors(void **state)
{
	/* without IFF_NO_PI cannot be told apart: TUNGETIFF of Linux 6.18 shows the flag either way */
	static const short bad[] = { IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, IFF_TAP | IFF_NO_PI };
	int null = open("/dev/null", O_RDWR);

	(void)state;
	assert_null(tap_new(-1, 1));
	assert_null(tap_new(null, 1));
	assert_int_equal(errno, EINVAL);
	close(null);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int fd = tun(bad[i]);

		assert_true(fd >= 0);
		assert_null(tap_new(fd, 1));
		assert_int_equal(errno, EINVAL);
		assert_int_equal(close(fd), 0);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_receive), T(test_send), T(test_gso), T(test_send_cut), T(test_made_to_wait), T(test_down_and_gone),
		cmocka_unit_test(test_refused_descriptors),
	};
	const char *why = wire_namespace();
	int fd = why ? -1 : tun(FLAGS);

	if (!why && fd < 0)
		why = "/dev/net/tun is closed to this user";
	if (why) {
		printf("%s\n", why);
		return WIRE_SKIP;
	}
	close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
