// SPDX-License-Identifier: GPL-2.0-or-later
/* needs: netns */
/* ctl/act_delegated: the kernel's routes are those that were told, whatever was there and whichever call fails; nothing else is touched. */
#define _GNU_SOURCE	/* unshare(), memfd_create() */
#include "ctl/act_delegated.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/error.h"
#include "tests/unit/fault.h"
#include "tests/unit/own_namespace.h"

enum { WAYS = 4 };

static const struct host_iface iface = {
	.head.type = HOST_OPEN_IFACE, .len6 = 64, .addr6 = { 0xfd, [15] = 1 }, .pool6 = { 0xfd, 0, 5 }, .pool6_len = 40, .ifname = "ly-x", .name = "host:x",
};
static const struct host_change change = { .kind = HOST_CHANGE_ROUTES, .name = "host:x", .target = "ly-x", .after = "fd00:500::/40" };

/* way() - fd00:500:0:N::/64 by fe80::V */
static struct host_way way(uint8_t n, uint8_t v)
{
	return (struct host_way){ .prefix = { 0xfd, 0, 5, [7] = n }, .via = { 0xfe, 0x80, [15] = v }, .len = 64 };
}

static int setup(void **state)
{
	(void)state;
	if (!own_namespace() || !own_run("ip link add ly-x type veth peer name far; ip link set ly-x up; ip link set far up; ip -6 addr add fd00::1/64 dev ly-x nodad;"
					 "ip -6 route add fd00:500:0:7::/64 via fe80::9 dev ly-x proto static metric 5; ip -6 route add unreachable fd00:500::/40 metric 9"))
		return -1;
	return 0;
}

/* is() - the routes of that protocol, in a line each */
static bool is(const char *routes)
{
	char command[400];

	snprintf(command, sizeof(command), "test \"$(ip -6 route show proto %d | sed 's/ proto.*//; s/ dev.*//' | tr '\\n' ';')\" = '%s'", DELEGATED_PROTOCOL, routes);
	return own_run(command);
}

static int memory(const struct host_way *list, unsigned n)
{
	int fd = memfd_create("ways", 0);

	assert_true(write(fd, list, n * sizeof(*list)) == (ssize_t)(n * sizeof(*list)));
	return fd;
}

static int tell_of(int ways, unsigned n, struct host_reply *r)
{
	struct host_delegated m = { .head.type = HOST_DELEGATED, .n = n, .name = "host:x" };
	struct act_about h = { .fd = ways, .request = &iface };

	*r = (struct host_reply){ .rc = 0 };
	return delegated_tell(&m, &h, r);
}

static int tell(const struct host_way *list, unsigned n, struct host_reply *r)
{
	int fd = memory(list, n), rc = tell_of(fd, n, r);

	close(fd);
	return rc;
}

static void begin(void)
{
	struct error err = { .rc = 0 };

	assert_int_equal(delegated_begin(&change, &err), 0);
}

static void test_told(void **state)
{
	const struct host_way first[] = { way(3, 3), way(1, 1), way(2, 2) }, next[] = { way(2, 2), way(3, 4), way(9, 9) };
	struct host_reply r;

	(void)state;
	begin();
	assert_int_equal(delegated_begin(&change, NULL), -EEXIST);
	assert_true(is("unreachable fd00:500::/40;"));
	assert_int_equal(tell(first, ARRAY_SIZE(first), &r), 0);
	assert_int_equal(r.value, 0);
	assert_true(is("fd00:500:0:1::/64 via fe80::1;fd00:500:0:2::/64 via fe80::2;fd00:500:0:3::/64 via fe80::3;unreachable fd00:500::/40;"));
	assert_int_equal(tell(next, ARRAY_SIZE(next), &r), 0);
	assert_true(is("fd00:500:0:2::/64 via fe80::2;fd00:500:0:3::/64 via fe80::4;fd00:500:0:9::/64 via fe80::9;unreachable fd00:500::/40;"));
	assert_int_equal(delegated_end(&change), 0);
	assert_true(is(""));
	assert_int_equal(delegated_end(&change), 0);
	assert_true(own_run("ip -6 route show fd00:500:0:7::/64 | grep -q static && ip -6 route show type unreachable | grep -q 'metric 9'"));
}

/* What an engine that is not what it was might have the host do. */
static void test_refused(void **state)
{
	struct {
		const char *what;
		struct host_way way;
	} cases[] = {
		{ "outside of the pool", way(1, 1) }, { "all of the pool, and more", way(0, 1) }, { "longer than a subnet", way(1, 1) },
		{ "something behind the length", way(1, 1) }, { "by the outside", way(1, 1) }, { "by the host itself", way(1, 1) },
		{ "padding", way(1, 1) },
	};
	struct host_reply r;

	(void)state;
	cases[0].way.prefix[1] = 1;
	cases[1].way.len = 39;
	cases[2].way.len = 65;
	cases[3].way.prefix[8] = 1;
	cases[4].way.via[0] = 0x20;
	memcpy(cases[5].way.via, iface.addr6, 16);
	cases[6].way.zero[3] = 1;
	begin();
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		assert_int_equal(tell(&cases[i].way, 1, &r), -EPROTO);
		assert_true(is("unreachable fd00:500::/40;"));
	}
	assert_int_equal(delegated_end(&change), 0);
}

/* One that the kernel does not take is told, and the others are there. */
static void test_one_of_many(void **state)
{
	struct host_way list[] = { way(1, 1), way(2, 0), way(3, 3) };
	struct host_reply r;

	(void)state;
	assert_true(own_run("ip -6 addr add fe80::77/64 dev ly-x nodad"));
	list[1].via[15] = 0x77;		/* its own */
	begin();
	assert_int_equal(tell(list, ARRAY_SIZE(list), &r), 0);
	assert_int_equal(r.value, 1);
	assert_non_null(strstr(r.message, "fd00:500:0:2::/64: "));
	assert_true(is("fd00:500:0:1::/64 via fe80::1;fd00:500:0:3::/64 via fe80::3;unreachable fd00:500::/40;"));
	assert_int_equal(delegated_end(&change), 0);
}

static int tell_four(void *arg, char message[FAULT_TEXT])
{
	const int *ways = arg;
	struct host_reply r;
	int rc = tell_of(*ways, WAYS, &r);

	memcpy(message, r.message, FAULT_TEXT);
	return rc < 0 ? rc : r.value ? -EIO : 0;
}

/* Whichever call fails, it is said; told again, all is as it is to be. */
static void test_faults(void **state)
{
	struct host_way list[2][WAYS] = { { way(1, 1), way(2, 2), way(3, 3), way(4, 4) }, { way(2, 2), way(3, 7), way(5, 5), way(6, 6) } };
	static const char all[] = "fd00:500:0:2::/64 via fe80::2;fd00:500:0:3::/64 via fe80::7;fd00:500:0:5::/64 via fe80::5;fd00:500:0:6::/64 via fe80::6;"
				  "unreachable fd00:500::/40;";
	struct fault f = { .struck = true };
	struct host_reply r;
	unsigned n = 0, failed = 0;
	int next = memory(list[1], WAYS);

	(void)state;
	begin();
	for (; f.struck && n < 500; n++) {
		assert_int_equal(tell(list[0], WAYS, &r), 0);
		f = (struct fault){ .at = n, .error = ENOBUFS };
		assert_true(fault_run(&f, tell_four, &next));
		failed += f.rc < 0;
		assert_true(f.rc == 0 || f.died || strlen(f.message) > 12);
		assert_int_equal(tell(list[1], WAYS, &r), 0);
		assert_true(is(all));
	}
	close(next);
	print_message("  %u calls, %u matter\n", n, failed);
	assert_true(n > 10 && failed > 5);
	assert_int_equal(delegated_end(&change), 0);
	assert_true(is(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told), cmocka_unit_test(test_refused), cmocka_unit_test(test_one_of_many), cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
