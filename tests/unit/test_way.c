// SPDX-License-Identifier: GPL-2.0-or-later
/* nat/way: connections through interfaces that come and go, in a network namespace of this test's own, between two addresses of
 * which the far one is on a link of its own; skipped where no namespace may be made */
#define _GNU_SOURCE
#include "nat/way.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/array.h"
#include "tests/unit/own_namespace.h"

static const struct step {
	const char *what, *command;
	enum way_state v4, v6;
} steps[] = {
	{ "as it was made", ":", WAY_OPEN, WAY_OPEN },
	{ "another address beside it", "ip addr add 192.0.2.9/24 dev a0", WAY_OPEN, WAY_OPEN },
	{ "the same interface by that other address", "ip route replace default via 192.0.2.2 src 192.0.2.9", WAY_OPEN, WAY_OPEN },
	{ "a VPN for just that place", "ip route add 203.0.113.0/24 via 198.51.100.2; ip -6 route add 2001:db8:f::/48 via 2001:db8:b::2",
	  WAY_MOVED, WAY_MOVED },
	{ "and away", "ip link set b0 down", WAY_OPEN, WAY_OPEN },
	{ "no way at all, for now", "ip route del default; ip -6 route del default", WAY_OPEN, WAY_OPEN },
	{ "a default route by the other", "ip link set b0 up; ip route add default via 198.51.100.2; ip -6 addr add 2001:db8:b::1/64 dev b0 nodad; "
	  "ip -6 route add default via 2001:db8:b::2", WAY_MOVED, WAY_MOVED },
	{ "the interface is down", "ip link set a0 down", WAY_GONE, WAY_GONE },
	{ "up again; IPv6 addresses do not stay", "ip link set a0 up", WAY_MOVED, WAY_GONE },
	{ "the address is gone", "ip addr flush dev a0", WAY_GONE, WAY_GONE },
	{ "a whole network made the host's own: by IPv4 that can be asked", "ip route add local 192.0.2.0/24 dev lo", WAY_OPEN, WAY_GONE },
};

/* connected() - a socket that is bound as by connect(); a datagram socket needs no other side for that */
static int connected(const char *text)
{
	union sock_addr to;
	struct addr a;
	int fd;

	assert_int_equal(addr_parse(text, &a), 0);
	fd = socket(addr_family(a), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &to.any, addr_to_sock(a, 7, &to)), 0);
	return fd;
}

static enum way_state state_of(int fd)
{
	struct way w;
	enum way_state state;

	way_init(&w);
	state = way_of(&w, fd);
	assert_int_equal(way_of(&w, fd), state);	/* a probe leaves nothing behind for the next one */
	way_fini(&w);
	return state;
}

static void test_states(void **state)
{
	int fd4, fd6;

	(void)state;
	if (!own_namespace())
		skip();
	assert_true(own_run("ip link set lo up; ip link add a0 type veth peer name a1; ip link add b0 type veth peer name b1; "
			    "for i in a0 a1 b0 b1; do ip link set $i up; done; ip addr add 192.0.2.1/24 dev a0; ip addr add 198.51.100.1/24 dev b0; "
			    "ip -6 addr add 2001:db8:a::1/64 dev a0 nodad; ip -6 addr add 2001:db8:b::1/64 dev b0 nodad; "
			    "ip route add default via 192.0.2.2; ip -6 route add default via 2001:db8:a::2"));
	fd4 = connected("203.0.113.1");
	fd6 = connected("2001:db8:f::1");
	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		print_message("  %s\n", steps[i].what);
		assert_true(own_run(steps[i].command));
		assert_int_equal(state_of(fd4), steps[i].v4);
		assert_int_equal(state_of(fd6), steps[i].v6);
	}
	close(fd4);
	close(fd6);
	fd4 = connected("127.0.0.1");
	assert_int_equal(state_of(fd4), WAY_OPEN);
	close(fd4);
	assert_int_equal(state_of(-1), WAY_OPEN);
}

static void test_hurry(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), value;
	socklen_t size = sizeof(value);

	(void)state;
	way_hurry(fd, true);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size), 0);
	assert_int_equal(value, 10000);
	way_hurry(fd, false);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size), 0);
	assert_int_equal(value, 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size), 0);
	assert_int_equal(value, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_hurry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
