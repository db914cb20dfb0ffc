// SPDX-License-Identifier: GPL-2.0-or-later
/* A TAP whose descriptor is here, as a VMM has it; the keeper opens its interface side and a packet port serves that. The
 * host's own stack has an address, and must neither see nor say anything. In a namespace of the test's own. */
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
#include "base/clock.h"
#include "ctl/act_guard.h"
#include "ctl/act_plug.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"
#include "tap/kernel.h"
#include "tap/packet.h"
#include "tests/unit/far_end.h"
#include "tests/unit/offload_frame.h"

enum { PATIENCE_MS = 5000, ARP_SIZE = 42 };

static const uint8_t guest_mac[6] = { 2, 0, 0, 0, 0, 5 };

static struct {
	struct snapshot *snapshot;
	struct worker *w;
	int vmm;			/* the VMM's descriptor */
	struct act_about held;
	struct port *port;
	uint8_t space[RX_SPACE];
	struct frame frames[BURST_MAX];
	uint8_t got[VNET_HEADER + FRAME_MAX];
} t;

/* vmm_starts() - as a VMM opens a TAP for a guest that has asked for nothing yet */
static int vmm_starts(const char *ifname)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), size = VNET_HEADER;

	assert_true(fd >= 0);
	strcpy(ifr.ifr_name, ifname);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	assert_int_equal(ioctl(fd, TUNSETVNETHDRSZ, &size), 0);
	return fd;
}

static int keeper_opens(const char *ifname, uint32_t uid, struct host_reply *r, struct error *err)
{
	struct host_link m = { .head = { .type = HOST_OPEN_VMM_TAP, .size = sizeof(m) }, .uid = uid };

	memset(r, 0, sizeof(*r));
	snprintf(m.ifname, sizeof(m.ifname), "%s", ifname);
	return vmm_open(&m, r, err);
}

static int setup(void **state)
{
	struct host_reply r;
	struct error err = { 0 };
	int fd;

	(void)state;
	t.w = worker_new(0, &t.snapshot);
	worker_turn(t.w, 0);
	t.vmm = vmm_starts("t0");
	assert_true(wire_sh("ip addr add 10.0.0.1/24 dev t0"));
	fd = keeper_opens("t0", 0, &r, &err);
	if (fd < 0)
		print_message("%s\n", err.message);
	assert_true(fd >= 0);
	t.held = (struct act_about){ .fd = dup(fd), .value = r.value };
	t.port = packet_new(fd, 1);
	assert_non_null(t.port);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vmm_undo(&t.held);
	close(t.held.fd);
	t.port->ops->free(t.port);
	close(t.vmm);
	worker_free(t.w);
	return 0;
}

static uint64_t tx(struct frame *f, uint64_t *segments)
{
	return t.port->ops->tx(&t.port->queues[0], t.w, &(struct tx_frame){ .frame = f }, 1, segments);
}

/* vmm_reads() - the next frame that the VMM gets, or 0 */
static uint32_t vmm_reads(struct offload *o)
{
	struct pollfd p = { .fd = t.vmm, .events = POLLIN };
	ssize_t n = poll(&p, 1, PATIENCE_MS) == 1 ? read(t.vmm, t.got, sizeof(t.got)) : 0;

	if (n <= VNET_HEADER)
		return 0;
	offload_read(o, t.got);
	return (uint32_t)n - VNET_HEADER;
}

static void vmm_writes(const void *data, uint32_t len, const struct offload *o)
{
	uint8_t header[VNET_HEADER] = { 0 };
	struct iovec iov[2] = { { header, sizeof(header) }, { (void *)data, len } };

	if (o)
		offload_write(o, 0, header, sizeof(header));
	assert_int_equal(writev(t.vmm, iov, 2), sizeof(header) + len);
}

static unsigned rx_until_some(void)
{
	struct rx_space space = { t.space, sizeof(t.space) };
	struct pollfd p = { .fd = port_fd(t.port), .events = POLLIN };

	if (poll(&p, 1, PATIENCE_MS) != 1)
		return 0;
	return (unsigned)t.port->ops->rx(&t.port->queues[0], &space, t.frames, BURST_MAX);
}

/* arp() - who has 10.0.0.1, the host's own address? */
static void arp(uint8_t to[ARP_SIZE])
{
	static const uint8_t ask[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };

	memset(to, 0, ARP_SIZE);
	memset(to, 0xff, 6);
	memcpy(to + 6, guest_mac, 6);
	memcpy(to + 12, ask, sizeof(ask));
	memcpy(to + 22, guest_mac, 6);
	put_u32(to + 28, 0x0a000005);
	put_u32(to + 38, 0x0a000001);
}

static void marker(struct frame *f, uint8_t bytes[60])
{
	memset(bytes, 0x5a, 60);
	memcpy(bytes, guest_mac, 6);
	frame_init(f, bytes, 60);
}

/* ---- what passes ---- */

static void test_frames_pass(void **state)
{
	uint8_t bytes[60];
	struct offload o;
	struct frame f;
	uint64_t segments = 0;

	(void)state;
	vmm_writes("0123456789abcdefghijklmnopqrstuvwxyz", 36, NULL);
	assert_int_equal(rx_until_some(), 1);
	assert_int_equal(t.frames[0].len, 36);
	assert_memory_equal(t.frames[0].head, "0123456789", 10);
	marker(&f, bytes);
	assert_int_equal(tx(&f, &segments), 1);
	assert_int_equal(vmm_reads(&o), 60);
	assert_memory_equal(t.got + VNET_HEADER, bytes, 60);
	assert_int_equal(segments, 0);
	/* what we sent does not come back */
	assert_int_equal(t.port->ops->rx(&t.port->queues[0], &(struct rx_space){ t.space, sizeof(t.space) }, t.frames, 1), 0);
}

static void test_large_from_guest(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	struct shape s = { .tcp_flags = TCP_ACK, .payload = 60000 };
	struct offload o;
	uint32_t len = shape_frame(bytes, &s, &o);

	(void)state;
	o.gso_type = TCP4;
	o.gso_size = 1460;
	o.hdr_len = 54;
	vmm_writes(bytes, len, &o);
	assert_int_equal(rx_until_some(), 1);
	assert_int_equal(t.frames[0].len, len);
	assert_int_equal(t.frames[0].offload.gso_type, TCP4);
	assert_int_equal(t.frames[0].offload.gso_size, 1460);
	assert_int_equal(offload_check(&t.frames[0], 1500), VERDICT_FORWARDED);
}

static void large(struct frame *f, uint8_t *bytes, bool udp)
{
	struct shape s = { .tcp_flags = TCP_ACK, .payload = 14600, .udp = udp };
	struct offload o;

	frame_init(f, bytes, shape_frame(bytes, &s, &o));
	f->offload = o;
	f->offload.gso_type = udp ? UDP_L4 : TCP4;
	f->offload.gso_size = 1460;
	assert_int_equal(offload_check(f, 1500), VERDICT_FORWARDED);
}

/* read_large() - one large frame's bytes as they come. Return: in how many frames, each with a good checksum */
static unsigned read_large(unsigned header, unsigned payload, uint8_t proto)
{
	struct offload o;
	unsigned n = 0, got = 0;

	while (got < payload) {
		uint32_t len = vmm_reads(&o);

		assert_in_range(len, header + 1, header + payload);
		if (!(o.flags & CSUM))
			assert_int_equal(plain_sum(plain_pseudo(t.got + VNET_HEADER, false, proto, len - 34),
						   t.got + VNET_HEADER + 34, len - 34), 0xffff);
		got += len - header;
		n++;
	}
	assert_int_equal(got, payload);
	return n;
}

/* A guest that has asked for nothing gets segments; when its driver asks for large ones it gets those. */
static void test_large_to_guest(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	uint64_t segments = 0, until = clock_now_ms() + PATIENCE_MS;
	struct frame f;
	unsigned n;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		large(&f, bytes, false);
		assert_int_equal(tx(&f, &segments), 1);
		assert_int_equal(read_large(54, 14600, PROTO_TCP), 10);
	}
	assert_int_equal(segments, 30);
	assert_int_equal(ioctl(t.vmm, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4), 0);
	do {
		worker_turn(t.w, 50);
		large(&f, bytes, false);
		assert_int_equal(tx(&f, &segments), 1);
		n = read_large(54, 14600, PROTO_TCP);
		assert_true(n == 10 || n == 1);
	} while (n == 10 && clock_now_ms() < until);
	assert_int_equal(n, 1);
}

static void test_large_udp_to_guest(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	uint64_t segments = 0;
	struct frame f;

	(void)state;
	large(&f, bytes, true);
	assert_int_equal(tx(&f, &segments), 1);
	assert_int_equal(read_large(42, 14600, PROTO_UDP), 10);
	if (!kernel_has_uso())
		return;
	assert_int_equal(ioctl(t.vmm, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | 0x20 | 0x40), 0);
	worker_turn(t.w, 1001);		/* what was refused is tried again after a second */
	large(&f, bytes, true);
	assert_int_equal(tx(&f, &segments), 1);
	assert_int_equal(read_large(42, 14600, PROTO_UDP), 1);
}

/* ---- what the host's stack sees and says ---- */

/* ask_host() - ask for the host's address and have a frame follow. Return: what came before that one */
static unsigned ask_host(bool *answered)
{
	uint8_t question[ARP_SIZE], bytes[60];
	unsigned before = 0;
	struct offload o;
	struct frame f;
	uint64_t segments;

	arp(question);
	vmm_writes(question, ARP_SIZE, NULL);
	marker(&f, bytes);
	tx(&f, &segments);
	*answered = false;
	while (vmm_reads(&o) && get_u32(t.got + VNET_HEADER + 12) != 0x5a5a5a5a) {
		*answered |= get_u16(t.got + VNET_HEADER + 12) == ETHERTYPE_ARP4 && get_u16(t.got + VNET_HEADER + 20) == 2;
		before++;
	}
	return before;
}

static void test_host_is_deaf_and_mute(void **state)
{
	bool answered;

	(void)state;
	assert_int_equal(ask_host(&answered), 0);
	assert_false(wire_sh("ip neigh show dev t0 | grep -q 10.0.0.5"));
	assert_false(wire_sh("ping -c 1 -W 1 -I t0 10.0.0.5 >/dev/null 2>&1"));
	fcntl(t.vmm, F_SETFL, O_NONBLOCK);
	assert_int_equal(read(t.vmm, t.got, sizeof(t.got)), -1);
	/* and this test would see it if it were not so */
	guard_clear((int)if_nametoindex("t0"));
	assert_true(ask_host(&answered) > 0);
	assert_true(answered);
	assert_true(wire_sh("ip neigh show dev t0 | grep -q 10.0.0.5"));
}

static void test_guard(void **state)
{
	struct error err = { 0 };
	int t0 = (int)if_nametoindex("t0");

	(void)state;
	assert_int_equal(guard_set(t0, &err), 0);	/* a second time, after a keeper that was killed */
	guard_clear(t0);
	assert_false(wire_sh("tc qdisc show dev t0 | grep -q clsact"));
	assert_true(wire_sh("tc qdisc add dev t0 clsact && tc filter add dev t0 egress prio 9 u32 match u32 0 0 classid 1:1"));
	assert_int_equal(guard_set(t0, &err), -EBUSY);
	assert_non_null(strstr(err.message, "somebody else"));
	assert_false(wire_sh("tc filter show dev t0 ingress | grep -q ."));	/* nothing of it is left */
	assert_true(wire_sh("tc filter show dev t0 egress | grep -q 'pref 9'"));
	assert_true(wire_sh("tc qdisc del dev t0 clsact"));
	assert_int_equal(guard_set(123456, &err), -ENODEV);
}

/* ---- what may be opened ---- */

static void test_refuses(void **state)
{
	struct host_reply r;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(keeper_opens("nothere", 0, &r, &err), -ENODEV);
	assert_int_equal(keeper_opens("lo", 0, &r, &err), -EINVAL);
	assert_non_null(strstr(err.message, "is no TAP"));
	assert_int_equal(keeper_opens("t0", 1000, &r, &err), -EPERM);
	assert_non_null(strstr(err.message, "belongs to root"));
	assert_true(wire_sh("ip link add br0 type bridge && ip link set t0 master br0"));
	assert_int_equal(keeper_opens("t0", 0, &r, &err), -EBUSY);
	assert_true(wire_sh("ip link del br0"));
}

/* A TAP that was down is up while it is ours, and down again; with the VMM it goes, and the port says so. */
static void test_life(void **state)
{
	struct rx_space space = { t.space, sizeof(t.space) };
	struct host_reply r;
	struct error err = { 0 };
	struct act_about held;
	int vmm = vmm_starts("t1"), rc = 0;

	(void)state;
	held = (struct act_about){ .fd = keeper_opens("t1", 0, &r, &err) };
	held.value = r.value;
	assert_true(held.fd >= 0);
	assert_true(wire_sh("ip link show t1 | grep -q '[<,]UP'"));
	vmm_undo(&held);
	assert_false(wire_sh("ip link show t1 | grep -q '[<,]UP'"));
	assert_false(wire_sh("tc qdisc show dev t1 | grep -q clsact"));
	close(held.fd);
	close(vmm);
	close(t.vmm);
	for (unsigned i = 0; i < 100 && rc >= 0; i++) {
		poll(&(struct pollfd){ .fd = port_fd(t.port), .events = POLLIN }, 1, 50);
		rc = t.port->ops->rx(&t.port->queues[0], &space, t.frames, 1);
	}
	assert_int_equal(rc, -ENETDOWN);
	t.vmm = -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_frames_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_from_guest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_to_guest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_udp_to_guest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host_is_deaf_and_mute, setup, teardown),
		cmocka_unit_test_setup_teardown(test_guard, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
	};
	const char *why = access("/dev/net/tun", R_OK | W_OK) < 0 ? "/dev/net/tun does not open" : wire_namespace();

	if (why) {
		printf("%s\n", why);
		return WIRE_SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
