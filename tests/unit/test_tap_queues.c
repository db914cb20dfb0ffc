// SPDX-License-Identifier: GPL-2.0-or-later
/* A TAP with several queues: what the keeper opens, what the port sends by each, and where the kernel answers. In a namespace of its own. */
#include "tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/error.h"
#include "ctl/netns.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"
#include "tap/kernel.h"
#include "tests/unit/far_end.h"
#include "tests/unit/offload_frame.h"

enum { QUEUES = 3, PING = 98, PATIENCE_MS = 5000, KERNEL = 0x0a000001 };

static const uint8_t guest_mac[6] = { 2, 0, 0, 0, 0, 5 };

static struct {
	struct snapshot *snapshot;
	struct worker *w;
	struct port *port;
	uint8_t mac[6];			/* the kernel's */
	uint8_t space[RX_SPACE];
	struct frame frames[BURST_MAX];
} t;

static int setup(void **state)
{
	struct netns_medium m;
	struct error err = { 0 };
	int fds[QUEUES];
	struct ifreq ifr = { 0 };

	(void)state;
	for (unsigned i = 0; i < QUEUES; i++) {
		assert_int_equal(netns_tap_queue("lt0", &m, &err), 0);
		fds[i] = m.fd;
	}
	assert_true(wire_sh("ip addr add 10.0.0.1/24 dev lt0 && ip link set lt0 up && ip neigh add 10.0.0.5 lladdr 02:00:00:00:00:05 dev lt0"
			    " && ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev lt0"));
	assert_int_equal(ioctl(fds[0], SIOCGIFHWADDR, strcpy(ifr.ifr_name, "lt0") ? &ifr : NULL), 0);
	memcpy(t.mac, ifr.ifr_hwaddr.sa_data, 6);
	t.w = worker_new(0, &t.snapshot);
	t.port = tap_new_queues(fds, QUEUES, 1);
	assert_non_null(t.port);
	assert_int_equal(t.port->nqueues, QUEUES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	t.port->ops->free(t.port);
	worker_free(t.w);
	return 0;
}

/* ping() - an echo request to the kernel from 10.0.0.5, told apart by @id */
static void ping(struct frame *f, uint8_t to[PING], uint16_t id)
{
	uint8_t *ip = to + ETH_HEADER, *icmp = ip + IP4_HEADER;

	memset(to, 0, PING);
	memcpy(to, t.mac, 6);
	memcpy(to + 6, guest_mac, 6);
	put_u16(to + 12, ETHERTYPE_IP4);
	ip[0] = 0x45;
	put_u16(ip + 2, PING - ETH_HEADER);
	ip[8] = 64;
	ip[9] = PROTO_ICMP;
	put_u32(ip + 12, 0x0a000005);
	put_u32(ip + 16, KERNEL);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, IP4_HEADER)));
	icmp[0] = 8;
	put_u16(icmp + 4, id);
	put_u16(icmp + 2, checksum_finish(checksum_add(0, icmp, PING - ETH_HEADER - IP4_HEADER)));
	frame_init(f, to, PING);
}

static bool tx(unsigned queue, struct frame *f, uint64_t *segments)
{
	return t.port->ops->tx(&t.port->queues[queue], t.w, &(struct tx_frame){ .frame = f }, 1, segments);
}

/* answer() - wait for an echo reply on any queue. Return: which one it came from, or -1 */
static int answer(uint16_t *id)
{
	struct pollfd p[QUEUES];

	for (unsigned tries = 0; tries < 100; tries++) {
		for (unsigned i = 0; i < QUEUES; i++)
			p[i] = (struct pollfd){ .fd = t.port->queues[i].fd, .events = POLLIN };
		if (poll(p, QUEUES, PATIENCE_MS) <= 0)
			return -1;
		for (unsigned i = 0; i < QUEUES; i++) {
			struct rx_space space = { t.space, sizeof(t.space) };
			const uint8_t *d = p[i].revents ? t.space + VNET_HEADER : NULL;

			if (!d || t.port->ops->rx(&t.port->queues[i], &space, t.frames, 1) != 1)
				continue;
			if (t.frames[0].len < PING || get_u16(d + 12) != ETHERTYPE_IP4 || d[23] != PROTO_ICMP || d[34] != 0)
				continue;
			*id = get_u16(d + 38);
			return (int)i;
		}
	}
	return -1;
}

/* The kernel sends a flow where it was last written, so both directions are one worker's. It answers before it notes that. */
static void test_flows_follow(void **state)
{
	static const unsigned order[] = { 0, 1, 2, 1, 0, 2, 2 };
	uint8_t bytes[PING];
	uint64_t segments = 0;
	struct frame f;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
		uint16_t id = 0;

		ping(&f, bytes, 1);
		assert_true(tx(order[i], &f, &segments));
		assert_true(answer(&id) >= 0);
		ping(&f, bytes, (uint16_t)(7 + i));
		assert_true(tx(order[i], &f, &segments));
		assert_int_equal(answer(&id), order[i]);
		assert_int_equal(id, 7 + i);
	}
}

/* Large segments of TCP and UDP pass whole, by every queue. */
static void test_large(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	static struct wire_frame got;
	int peer = wire_raw("lt0");
	struct offload o;
	struct frame f;
	uint64_t segments = 0;

	(void)state;
	for (unsigned i = 0; i < 2 * QUEUES; i++) {
		struct shape s = { .udp = i % 2, .tcp_flags = TCP_ACK, .payload = 60000 };

		if (s.udp && !kernel_has_uso())
			continue;
		frame_init(&f, bytes, shape_frame(bytes, &s, &o));
		f.offload = o;
		f.offload.gso_type = s.udp ? UDP_L4 : TCP4;
		f.offload.gso_size = 1400;
		assert_int_equal(offload_check(&f, 1500), VERDICT_FORWARDED);
		assert_true(tx(i / 2, &f, &segments));
		assert_true(wire_get(peer, &got));
		assert_int_equal(got.len, f.len);
		assert_int_equal(got.offload.gso_type, f.offload.gso_type);
		assert_memory_equal(got.data + 60, bytes + 60, f.len - 60);
	}
	assert_int_equal(segments, 0);
	close(peer);
}

/* A TAP that was made for one queue is opened as that, one that was made for several as well, whichever way it is asked for. */
static void test_made_otherwise(void **state)
{
	struct netns_medium one, more;
	struct error err = { 0 };
	struct ifreq ifr = { 0 };

	(void)state;
	assert_int_equal(netns_tap_open("lt1", 0, &one, &err), 0);
	assert_int_equal(netns_tap_queue("lt1", &more, &err), -EBUSY);
	close(one.fd);
	assert_true(wire_sh("ip tuntap add lt2 mode tap && ip tuntap add lt3 mode tap multi_queue"));
	assert_int_equal(netns_tap_queue("lt2", &one, &err), 0);
	assert_int_equal(ioctl(one.fd, TUNGETIFF, &ifr), 0);
	assert_false(ifr.ifr_flags & IFF_MULTI_QUEUE);
	close(one.fd);
	assert_int_equal(netns_tap_open("lt3", 0, &one, &err), 0);
	assert_int_equal(netns_tap_queue("lt3", &more, &err), 0);
	assert_int_equal(ioctl(more.fd, TUNGETIFF, &ifr), 0);
	assert_true(ifr.ifr_flags & IFF_MULTI_QUEUE);
	close(one.fd);
	close(more.fd);
	assert_int_equal(netns_tap_queue("a/b", &one, &err), -EINVAL);
}

static void test_one_bad(void **state)
{
	struct netns_medium m;
	struct error err = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(netns_tap_queue("lt4", &m, &err), 0);
	fds[0] = m.fd;
	fds[1] = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_null(tap_new_queues(fds, 2, 1));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_flows_follow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large, setup, teardown),
		cmocka_unit_test(test_made_otherwise),
		cmocka_unit_test(test_one_bad),
	};
	const char *why = access("/dev/net/tun", R_OK | W_OK) < 0 ? "/dev/net/tun does not open" : wire_namespace();

	if (why) {
		printf("%s\n", why);
		return WIRE_SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
