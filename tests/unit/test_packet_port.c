// SPDX-License-Identifier: GPL-2.0-or-later
/* The AF_PACKET port on one end of a veth pair; the other end is written and read here. In a namespace of its own. */
#include "tap/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
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
#include "tap/kernel.h"
#include "tests/unit/offload_frame.h"
#include "tests/unit/far_end.h"

static struct {
	struct snapshot *snapshot;
	struct worker *w;
	struct port *port;
	int peer;
	uint8_t space[RX_SPACE];
	struct frame frames[BURST_MAX];
	struct wire_frame got;
} t;

static uint32_t plain(uint8_t *to, uint32_t size, uint16_t type, uint16_t tci, uint8_t seed);

/* both_send() - @size bytes each way */
static void both_send(uint32_t size)
{
	uint8_t bytes[64];
	struct frame f;
	uint64_t segments;

	frame_init(&f, bytes, plain(bytes, size, 0, 0, 0));
	wire_put(t.peer, bytes, size, NULL);
	t.port->ops->tx(&t.port->queues[0], t.w, &(struct tx_frame){ .frame = &f }, 1, &segments);
}

/* rx_until() - read the port's frames up to one of @size bytes; Return: was there one? */
static bool rx_until(uint32_t size)
{
	struct rx_space space = { t.space, sizeof(t.space) };

	while (t.port->ops->rx(&t.port->queues[0], &space, t.frames, 1) == 1)
		if (t.frames[0].len == size)
			return true;
	return false;
}

/* settle() - carriers come up a moment after the links, and until then what is sent is lost without a word: send until
 * both ends have heard something, then read up to a last frame that is one byte longer */
static void settle(void)
{
	struct pollfd waits = { .events = POLLIN };
	bool port_heard = false, peer_heard = false;

	for (unsigned i = 0; i < 1000 && !(port_heard && peer_heard); i++) {
		both_send(60);
		waits.fd = port_heard ? t.peer : port_fd(t.port);
		poll(&waits, 1, 5);
		port_heard |= rx_until(60);
		while (recv(t.peer, t.got.data, sizeof(t.got.data), MSG_DONTWAIT) > 0)
			peer_heard = true;
	}
	both_send(61);
	do
		assert_true(wire_get(t.peer, &t.got));
	while (t.got.len != 61);
	while (!rx_until(61))
		assert_true(wire_wait(port_fd(t.port)));
}

static int setup(void **state)
{
	(void)state;
	assert_true(wire_sh("ip link add va type veth peer name vb && ip link set va up && ip link set vb up"));
	t.w = worker_new(0, &t.snapshot);
	t.port = packet_new(wire_raw("va"), 1);
	assert_non_null(t.w);
	assert_non_null(t.port);
	t.peer = wire_raw("vb");
	settle();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	t.port->ops->free(t.port);
	worker_free(t.w);
	close(t.peer);
	wire_sh("ip link del va 2>/dev/null");
	return 0;
}

/* rx() - frames of one burst, after waiting for the first */
static int rx(void)
{
	struct rx_space space = { t.space, sizeof(t.space) };

	return wire_wait(port_fd(t.port)) ? t.port->ops->rx(&t.port->queues[0], &space, t.frames, BURST_MAX) : 0;
}

/* tx() - one frame; Return: taken? */
static bool tx(struct frame *f, uint16_t tci, uint64_t *segments)
{
	return t.port->ops->tx(&t.port->queues[0], t.w, &(struct tx_frame){ .frame = f, .tci = tci }, 1, segments);
}

/* plain() - @size bytes of an unknown EtherType, tagged with @type where it is not 0 */
static uint32_t plain(uint8_t *to, uint32_t size, uint16_t type, uint16_t tci, uint8_t seed)
{
	uint32_t n = 12;

	memcpy(to, (uint8_t[]){ 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 }, 12);
	if (type) {
		put_u16(to + 12, type);
		put_u16(to + 14, tci);
		n = 16;
	}
	put_u16(to + n, 0x1234);
	for (n += 2; n < size; n++)
		to[n] = (uint8_t)(n + seed);
	return size;
}

static const struct {
	const char *what;
	uint16_t type, tci;		/* of the tag in the frame */
	bool present;
	uint16_t vid;
	uint8_t pcp_dei;
} tags[] = {
	{ "without a tag", 0, 0, false, 0, 0 },
	{ "a tag comes back from the metadata", 0x8100, 0xb007, true, 7, 11 },
	{ "a priority tag too", 0x8100, 0xe000, true, 0, 14 },
	{ "VID 4094", 0x8100, 4094, true, 4094, 0 },
	{ "a service tag stays in the frame", 0x88a8, 0xb007, false, 0, 0 },
};

static void test_receive(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		uint8_t bytes[128], want[128];
		uint32_t len = plain(bytes, 100, tags[i].type, tags[i].tci, 3);
		uint32_t tag = tags[i].present ? VLAN_TAG : 0;

		print_message("  %s\n", tags[i].what);
		memcpy(want, bytes, 12);
		memcpy(want + 12, bytes + 12 + tag, len - 12 - tag);
		assert_true(wire_put(t.peer, bytes, len, NULL));
		assert_int_equal(rx(), 1);
		assert_int_equal(t.frames[0].len, len - tag);
		assert_int_equal(t.frames[0].head_len, len - tag);
		assert_memory_equal(t.frames[0].head, want, len - tag);
		assert_int_equal(t.frames[0].tag_present, tags[i].present);
		assert_int_equal(t.frames[0].vid, tags[i].vid);
		assert_int_equal(t.frames[0].pcp_dei, tags[i].pcp_dei);
		assert_int_equal(t.frames[0].offload.flags & CSUM, 0);
	}
}

static void test_many(void **state)
{
	enum { MANY = 200 };
	uint8_t bytes[256];
	unsigned seen = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		assert_true(wire_put(t.peer, bytes, plain(bytes, 60 + i % 100, 0, 0, (uint8_t)i), NULL));
	while (seen < MANY) {
		int n = rx();

		assert_in_range(n, 1, BURST_MAX);
		for (int i = 0; i < n; i++, seen++) {
			assert_int_equal(t.frames[i].len, 60 + seen % 100);
			assert_int_equal(t.frames[i].head[20], (uint8_t)(20 + seen));
		}
	}
	print_message("  and nothing more\n");
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

		frame_init(&f, bytes, plain(bytes, 100, 0, 0, 3));
		frame_split(&f, 40, 7);
		assert_true(tx(&f, tcis[i], &segments));
		assert_true(wire_get(t.peer, &t.got));
		assert_int_equal(t.got.len, 100);
		assert_memory_equal(t.got.data, bytes, 100);
		assert_int_equal(t.got.tagged, tcis[i] != 0);
		assert_int_equal(t.got.tci, tcis[i]);
	}
	assert_int_equal(segments, 0);
}

/* A frame that the interface does not take is skipped; those before and behind it go, in order. */
static void test_send_refused(void **state)
{
	static uint8_t bytes[10][2048];
	struct frame f[10];
	struct tx_frame frames[10];

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		frame_init(&f[i], bytes[i], plain(bytes[i], i % 4 == 1 ? 1600 : 100, 0, 0, (uint8_t)i));
		frames[i] = (struct tx_frame){ .frame = &f[i] };
	}
	assert_int_equal(port_tx(t.port, t.w, 0, frames, 10), 0x3ff & ~(1 << 1 | 1 << 5 | 1 << 9));
	assert_int_equal(counter_get(&t.port->stats[0].tx_drops), 3);
	for (unsigned i = 0; i < 10; i++) {
		if (i % 4 == 1)
			continue;
		assert_true(wire_get(t.peer, &t.got));
		assert_int_equal(t.got.data[20], (uint8_t)(20 + i));
	}
}

static const struct shape large[] = {
	{ .tcp_flags = TCP_ACK | TCP_PSH, .payload = 5000 }, { .v6 = true, .tcp_flags = TCP_ACK, .payload = 5000 },
	{ .tcp_flags = TCP_ACK | 0x80, .payload = 60000, .options = 12 },
};

static void large_offload(const struct shape *s, struct offload *o)
{
	o->gso_type = (uint8_t)((s->v6 ? TCP6 : TCP4) | (s->tcp_flags & 0x80 ? ECN : 0));
	o->gso_size = 1400;
	o->hdr_len = (uint16_t)shape_headers(s);
}

static void test_receive_gso(void **state)
{
	static uint8_t bytes[FRAME_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(large); i++) {
		struct offload o;
		uint32_t len = shape_frame(bytes, &large[i], &o);

		large_offload(&large[i], &o);
		assert_true(wire_put(t.peer, bytes, len, &o));
		assert_int_equal(rx(), 1);
		assert_int_equal(t.frames[0].len, len);
		assert_memory_equal(t.frames[0].head, bytes, len);
		assert_int_equal(t.frames[0].offload.gso_type, o.gso_type);
		assert_int_equal(t.frames[0].offload.gso_size, 1400);
		assert_int_equal(t.frames[0].offload.csum_start, o.csum_start);
		assert_int_equal(offload_check(&t.frames[0], 1500), VERDICT_FORWARDED);
	}
}

static void test_send_gso(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	static const uint16_t tcis[] = { 0, 0x6007 };
	uint64_t segments = 0;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(large); i++) {
		const struct shape *s = &large[i / 2];
		struct offload o;
		struct frame f;

		frame_init(&f, bytes, shape_frame(bytes, s, &o));
		large_offload(s, &o);
		f.offload = o;
		frame_split(&f, 128, 4096);
		assert_int_equal(offload_check(&f, 1500), VERDICT_FORWARDED);
		assert_true(tx(&f, tcis[i % 2], &segments));
		assert_true(wire_get(t.peer, &t.got));
		assert_int_equal(t.got.len, f.len);
		assert_memory_equal(t.got.data, bytes, f.len);
		assert_int_equal(t.got.offload.gso_type, o.gso_type);
		assert_int_equal(t.got.offload.gso_size, 1400);
		assert_int_equal(t.got.tci, tcis[i % 2]);
	}
	assert_int_equal(segments, 0);
}

/* Large UDP segments go as they are where the kernel knows them. */
static void test_send_uso(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	struct shape s = { .udp = true, .payload = 5000 };
	uint64_t segments = 0;
	struct offload o;
	struct frame f;

	(void)state;
	frame_init(&f, bytes, shape_frame(bytes, &s, &o));
	f.offload = o;
	f.offload.gso_type = UDP_L4;
	f.offload.gso_size = 1400;
	assert_int_equal(offload_check(&f, 1500), VERDICT_FORWARDED);
	assert_true(tx(&f, 0, &segments));
	assert_int_equal(segments, kernel_has_uso() ? 0 : 4);
	assert_true(wire_get(t.peer, &t.got));
	assert_int_equal(t.got.len, kernel_has_uso() ? 5042 : 1442);
	assert_int_equal(t.got.offload.gso_type, kernel_has_uso() ? UDP_L4 : 0);
}

/* What the interface cannot cut is cut here. */
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
		assert_int_equal(plain_sum(plain_pseudo(t.got.data, false, PROTO_UDP, t.got.len - 34), t.got.data + 34,
					   t.got.len - 34), 0xffff);
	}
}

/* In a burst of both, each frame's own bit tells whether it went. */
static void test_send_mixed(void **state)
{
	static uint8_t bytes[6][2048];
	static const struct shape s = { .udp = true, .payload = 1200 };
	struct frame f[6];
	struct tx_frame frames[6];

	(void)state;
	t.port->offloads &= ~(uint32_t)PORT_USO;
	for (unsigned i = 0; i < 6; i++) {
		frame_init(&f[i], bytes[i], plain(bytes[i], i == 4 ? 1600 : 100, 0, 0, (uint8_t)i));
		if (i == 1 || i == 3) {		/* to be cut; the second one cannot be */
			struct offload o;

			frame_init(&f[i], bytes[i], shape_frame(bytes[i], &s, &o));
			f[i].offload = o;
			f[i].offload.gso_type = UDP_L4;
			f[i].offload.gso_size = i == 1 ? 600 : 1;
			f[i].offload.hdr_len = 42;
		}
		frames[i] = (struct tx_frame){ .frame = &f[i] };
	}
	assert_int_equal(port_tx(t.port, t.w, 0, frames, 6), 1 << 0 | 1 << 1 | 1 << 2 | 1 << 5);
	for (unsigned i = 0; i < 5; i++)
		assert_true(wire_get(t.peer, &t.got));
	assert_int_equal(t.got.data[20], (uint8_t)(20 + 5));
}

static void test_down_and_gone(void **state)
{
	uint8_t bytes[128];
	struct frame f;
	uint64_t segments = 0;
	int rc;

	(void)state;
	assert_true(wire_sh("ip link set va down"));
	rc = rx();
	assert_int_equal(rc, 0);		/* told, and not gone */
	frame_init(&f, bytes, plain(bytes, 100, 0, 0, 1));
	assert_false(tx(&f, 0, &segments));
	assert_true(wire_sh("ip link set va up"));
	settle();
	assert_true(wire_put(t.peer, bytes, 100, NULL));
	assert_int_equal(rx(), 1);
	print_message("  an interface that is deleted is gone\n");
	assert_true(wire_sh("ip link del va"));
	while ((rc = rx()) == 0)		/* it goes down first */
		;
	assert_int_equal(rc, -ENETDOWN);
}

static void test_refused_descriptors(void **state)
{
	int on = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), dgram = socket(AF_PACKET, SOCK_DGRAM, 0);
	int other = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct port *port;

	(void)state;
	assert_null(packet_new(-1, 1));
	assert_null(packet_new(other, 1));
	assert_null(packet_new(dgram, 1));
	assert_null(packet_new(fd, 1));		/* not bound to an interface */
	at.sll_ifindex = (int)if_nametoindex("vb");
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_null(packet_new(fd, 1));
	assert_int_equal(errno, EINVAL);
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on));
	assert_null(packet_new(fd, 1));
	close(fd);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_null(packet_new(fd, 1));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);	/* still the caller's */
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on));
	port = packet_new(fd, 1);
	assert_non_null(port);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	port->ops->free(port);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	close(other);
	close(dgram);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_receive), T(test_many), T(test_send), T(test_send_refused), T(test_receive_gso), T(test_send_gso),
		T(test_send_uso), T(test_send_cut), T(test_send_mixed), T(test_down_and_gone), T(test_refused_descriptors),
	};
	const char *why = wire_namespace();

	if (why) {
		printf("%s\n", why);
		return WIRE_SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
