// SPDX-License-Identifier: GPL-2.0-or-later
/* needs: netns */
/* Every step by which a guest is plugged in fails once: a VMM's TAP, an interface of a namespace. What was there is as it was, nothing else is left. */
#define _GNU_SOURCE	/* unshare() */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/error.h"
#include "ctl/act_plug.h"
#include "ctl/netns.h"
#include "tests/unit/fault.h"
#include "tests/unit/own_namespace.h"

enum { STATE_ROOM = 1 << 15, CALLS_MAX = 1000 };

static char before[STATE_ROOM], now[STATE_ROOM];

static int setup(void **state)
{
	(void)state;
	return own_namespace() && own_run("ip tuntap add tap7 mode tap vnet_hdr") ? 0 : -1;
}

static void save(char *to)
{
	FILE *f = popen("export PATH=/usr/sbin:/sbin:/usr/bin:/bin; { ip -o link; tc qdisc; tc filter show dev tap7 ingress; "
			"tc filter show dev tap7 egress; } 2>&1 | sed 's/^[0-9]*: //; s/state [A-Z]*//; /^qdisc [np]/d; s/qdisc [a-z_]*//'", "r");
	size_t n = fread(to, 1, STATE_ROOM - 1, f);

	to[n] = '\0';
	pclose(f);
}

static bool was_up;

/* undo() - what a keeper does when the port goes, by other means: here no call fails */
static void undo(void)
{
	own_run("ip link del eth9 2>/dev/null; tc qdisc del dev tap7 clsact 2>/dev/null");
	if (!was_up)
		own_run("ip link set tap7 down");
}

static int say(int fd, const char *why, char message[FAULT_TEXT])
{
	snprintf(message, FAULT_TEXT, "%.150s", why);
	if (fd >= 0)
		fault_look();		/* while it is open */
	return fd < 0 ? fd : 0;
}

static int open_vmm_tap(void *arg, char message[FAULT_TEXT])
{
	struct host_link m = { .head = { HOST_OPEN_VMM_TAP, sizeof(m), 0 }, .ifname = "tap7", .name = "tap:lab/x" };
	struct host_reply r = { .rc = 0 };

	(void)arg;
	return say(plug_run(&m, &r), r.message, message);
}

/* open_pair() - where /dev/net/tun is closed a namespace gets a veth pair, which is nobody's but the namespace's */
static int open_pair(void *arg, char message[FAULT_TEXT])
{
	struct netns_medium medium = { .fd = -1 };
	struct error err = { .rc = 0 };
	int rc = netns_packet_open("eth9", 1400, &medium, &err);

	(void)arg;
	return say(rc, err.message, message);
}

static void walk(const char *what, fault_act *act)
{
	static const int errors[] = { ENOMEM, EPERM, EBUSY };
	struct fault f = { .at = 0, .struck = true };
	unsigned failed = 0;

	save(before);
	for (; f.struck && f.at < CALLS_MAX; f.at += fault_step()) {
		f.error = errors[f.at % ARRAY_SIZE(errors)];
		f.look = undo;
		assert_true(fault_run(&f, act, NULL));
		failed += f.rc < 0;
		save(now);
		if (!strcmp(before, now) && (f.rc == 0 || strlen(f.message) > 12))
			continue;
		print_message("%s, with call %u (%s) failing by %s: rc %d \"%s\"\n", what, f.at, f.call, strerror(f.error), f.rc, f.message);
		assert_string_equal(now, before);
		fail();
	}
	assert_int_equal(f.rc, 0);
	print_message("  %s: %u calls, %u matter\n", what, f.at - fault_step(), failed);
	assert_true(failed * fault_step() > 6);
}

static void test_plugged_in(void **state)
{
	(void)state;
	walk("a veth pair", open_pair);
	walk("a VMM's TAP", open_vmm_tap);
	assert_true(own_run("ip link set tap7 up"));
	was_up = true;
	walk("a VMM's TAP that is up", open_vmm_tap);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_plugged_in) };

	return cmocka_run_group_tests(tests, setup, NULL);
}
