// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* The keeper's raw ICMP sockets: echo replies of one share of the identifiers, nothing else, and no engine can change that. */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "ctl/act_plug.h"
#include "tests/unit/acts_bed.h"
#include "tests/unit/own_namespace.h"

enum { SHARE = 5, SHARES = 8, HEADER = 8, WAIT_MS = 5000 };

static int open_raw(bool ip6)
{
	struct host_icmp m = { .family = ip6 ? 6 : 4, .share = SHARE, .shares = SHARES };
	int fd = icmp_open(&m);

	assert_true(fd >= 0);
	return fd;
}

/* send_to_self() - an ICMP message from loopback to loopback */
static void send_to_self(bool ip6, uint8_t type, uint16_t id, uint16_t seq)
{
	struct addr self = ip6 ? (struct addr){ .bytes = { [15] = 1 } } : addr4(0x7f000001);
	int fd = socket(addr_family(self), SOCK_RAW | SOCK_CLOEXEC, ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	uint8_t icmp[HEADER] = { type };
	union sock_addr to;

	put_u16(icmp + 4, id);
	put_u16(icmp + 6, seq);
	put_u16(icmp + 2, ip6 ? 0 : checksum_finish(checksum_add(0, icmp, sizeof(icmp))));
	assert_int_equal(sendto(fd, icmp, sizeof(icmp), 0, &to.any, addr_to_sock(self, 0, &to)), sizeof(icmp));
	close(fd);
}

/* took() - the number of the next message, or -1 */
static int took(int fd, bool ip6, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t data[200];

	if (poll(&p, 1, wait_ms) <= 0)
		return -1;
	assert_int_equal(recv(fd, data, sizeof(data), 0), HEADER + (ip6 ? 0 : 20));
	return get_u16(data + (ip6 ? 0 : 20) + 6);
}

static void test_what_comes(void **state)
{
	(void)state;
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		uint8_t reply = ip6 ? 129 : 0, request = ip6 ? 128 : 8;
		int fd = open_raw(ip6);

		for (uint16_t id = 1; id < 4 * SHARES; id++)
			send_to_self(ip6, reply, id, id);
		send_to_self(ip6, ip6 ? 130 : 13, SHARE, 100);	/* not an echo's */
		send_to_self(ip6, request, SHARES, 101);	/* answered by the kernel, to another share */
		send_to_self(ip6, request, SHARES + SHARE, 102);
		send_to_self(ip6, reply, 0xffff, 103);
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(took(fd, ip6, WAIT_MS), i * SHARES + SHARE);
		assert_int_equal(took(fd, ip6, WAIT_MS), 102);
		assert_int_equal(took(fd, ip6, 0), -1);
		close(fd);
	}
}

static void test_locked(void **state)
{
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, UINT32_MAX) };
	struct sock_fprog program = { ARRAY_SIZE(all), all };

	(void)state;
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		int fd = open_raw(ip6), off = 0;

		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), -1);
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof(off)), -1);
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &off, sizeof(off)), -1);
		close(fd);
	}
}

/* As an engine asks: the descriptor comes with the answer and is not kept; a second request brings another. */
static void test_asked_for(void **state)
{
	struct host_icmp m = { .head = { HOST_OPEN_ICMP, sizeof(m), 7 }, .family = 4, .share = 0, .shares = 1 };
	struct host_reply r;
	int pair[2], fds[2];
	struct serve s;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	serve_init(&s, pair[0]);
	bed_acts();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(host_send(pair[1], &m, sizeof(m), -1), 0);
		assert_int_equal(serve_request(&s), 0);
		while (s.job.pid)
			assert_int_equal(serve_poll(&s, -1, -1), 0);
		assert_int_equal(host_receive(pair[1], &r, sizeof(r), &fds[i]), sizeof(r));
		assert_int_equal(host_reply_check(&r, sizeof(r), &m.head), 0);
		assert_int_equal(r.rc, 0);
		assert_true(fds[i] >= 0);
	}
	assert_null(s.held.by_name);
	close(fds[0]);
	close(fds[1]);
	close(pair[1]);
	serve_fini(&s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_comes), cmocka_unit_test(test_locked), cmocka_unit_test(test_asked_for),
	};

	if (argc == 1)
		bed_be_act(argv[0]);
	if (!own_namespace() || !own_run("ip link set lo up")) {
		printf("no network namespace can be made here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
