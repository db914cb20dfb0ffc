// SPDX-License-Identifier: GPL-2.0-or-later
/* needs: netns */
/* Every step by which the keeper changes the host fails once: the host is as it was, and the message says which step it was. */
#define _GNU_SOURCE	/* unshare(), memfd_create() */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/act_iface.h"
#include "ctl/act_journal.h"
#include "tests/unit/acts_bed.h"
#include "tests/unit/fault.h"
#include "tests/unit/host_acts.h"
#include "tests/unit/host_state.h"
#include "tests/unit/own_namespace.h"

enum { CALLS_MAX = 2000 };

static char dir[64], path[96];
static char untouched[HOST_STATE_ROOM], before[HOST_STATE_ROOM], now[HOST_STATE_ROOM];
static char made[HOST_STATE_ROOM];		/* by a child, while its interface is there */

/* ---- a host, and how it is ---- */

static int setup(void **state)
{
	(void)state;
	bed_file(&bed_books);		/* which children share */
	strcpy(dir, "/tmp/test_host_faults.XXXXXX");
	if (!own_namespace() || !mkdtemp(dir) || unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/host-changes", dir);
	if (bed_journal(dir) < 0 ||
	    !own_run("mkdir -p /run/udev /run/NetworkManager/conf.d /run/systemd/netif; touch /run/udev/control; "
		     "sysctl -qw net.ipv6.conf.default.accept_dad=0; ip link add up0 type veth peer name up1; ip link set up0 address 02:00:00:00:0a:01;"
		     "ip link set up0 up; ip link set up1 up; ip addr add 198.51.100.1/24 dev up0; nft add table ip others"))
		return -1;
	host_state_save(untouched);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void assert_as(const char *want, const char *when, const struct fault *f)
{
	host_state_save(now);
	host_state_expect(want, now, when, f);
}

/* ---- acts ---- */

/* a held interface, made without faults */
static struct act_about held_open(struct host_iface *m)
{
	struct act_about h = { .request = m, .fd = -1 };
	struct host_reply r = { .rc = 0 };

	strcpy(h.name, m->name);
	h.fd = bed_iface(m, &h, &r);
	assert_true(h.fd >= 0);
	return h;
}

static void held_close(struct act_about *h)
{
	undo_by_programs(h);
	close(h->fd);
}

/* test_over() - the host is as it was before the first test */
static int test_over(void **state)
{
	(void)state;
	assert_as(untouched, "at the end of a test", &(struct fault){ .call = "none" });
	return 0;
}

/* next() - the errors take turns over the calls; @round says who begins */
static bool next(struct fault *f, unsigned n, unsigned round)
{
	static const int errors[] = { ENOMEM, EPERM, EBUSY };

	*f = (struct fault){ .at = n, .error = errors[(n + round) % ARRAY_SIZE(errors)] };
	return n < CALLS_MAX;
}

static void assert_said(const struct fault *f, const char *what)
{
	if (f->died || strlen(f->message) > 12)		/* of the dead ctl/keeper_job.c tells */
		return;
	print_message("%s, with call %u (%s) failing by %s: rc %d \"%s\"\n", what, f->at, f->call, strerror(f->error), f->rc, f->message);
	fail();
}

/* ---- a network comes ---- */

static void wait_gone(void)
{
	for (int i = 0; i < 500 && if_nametoindex("ly-x"); i++)
		poll(NULL, 0, 2);
}

static void look(void)
{
	host_state_save(made);
}

static void comes(const char *what, const struct host_iface *m)
{
	struct act a = { .iface = *m };
	unsigned n = 0, failed = 0;
	char *whole;
	struct fault f = { .at = CALLS_MAX, .look = look };

	host_state_save(before);
	assert_true(fault_run(&f, open_iface, &a) && f.rc == 0);
	wait_gone();
	bed_undo(m->name, -1, false);
	whole = strdup(made);
	assert_true(whole && strcmp(whole, before));
	for (; next(&f, n, 0); n += fault_step()) {
		f.look = look;
		assert_true(fault_run(&f, open_iface, &a));
		wait_gone();
		bed_undo(m->name, -1, false);
		failed += f.rc < 0;
		if (f.rc < 0)
			assert_said(&f, what);
		else
			host_state_expect(whole, made, what, &f);
		assert_as(before, what, &f);
		if (!f.struck)
			break;
	}
	assert_int_equal(f.rc, 0);
	free(whole);
	print_message("  %s: %u calls, %u matter\n", what, n, failed);
	assert_true(n > 20 && failed * fault_step() > n / 4);
}

static void test_comes(void **state)
{
	struct host_iface r = routed(), b = bridged();

	(void)state;
	comes("host-only", &host_only);
	comes("routed", &r);
	assert_true(own_run("tc qdisc add dev up0 clsact"));		/* somebody's, who keeps them */
	comes("bridged", &b);
	assert_true(own_run("tc qdisc del dev up0 clsact"));
}

/* ---- it is other than it was ---- */
static void test_changes(void **state)
{
	struct host_iface was = routed();
	struct act a = { .iface = was };
	struct act_about h = held_open(&was);
	struct host_reply r = { .rc = 0 };
	unsigned n = 0, failed = 0;
	struct fault f;

	(void)state;
	a.held = &h;
	a.iface.mtu = 1400;
	a.iface.addr4[2] = 77;
	a.iface.len6 = a.iface.pool6_len = 0;
	host_state_save(before);
	for (; next(&f, n, 1); n += fault_step()) {
		assert_true(fault_run(&f, open_iface, &a));
		if (!f.struck)
			break;
		failed += f.rc < 0;
		if (f.rc < 0) {		/* the keeper undoes it, and the engine asks for what was there */
			assert_said(&f, "a change");
			bed_undo(h.name, h.fd, true);
		}
		close(bed_iface(&was, &h, &r));
		assert_as(before, "a change", &f);
	}
	print_message("  a change: %u calls, %u matter\n", n, failed);
	assert_true(failed * fault_step() > n / 4);
	held_close(&h);
}

/* ---- the kernel translates ---- */

static struct act translation(const struct act_about *h, uint16_t first, uint16_t forwards)
{
	struct act a = { .held = h, .first = first, .forwards = forwards, .nat = { .access = HOST_NAT_OWN, .nforwards = forwards } };

	strcpy(a.nat.name, h->name);
	return a;
}

/* translated() - as the keeper does it: a child acts, and it takes note */
static void translated(struct fault *f, struct act *a)
{
	stage(a);
	if (f)
		assert_true(fault_run(f, translate, a));
	else
		assert_int_equal(translate(a, (char[FAULT_TEXT]){ 0 }), 0);
}

static void test_translation_comes(void **state)
{
	struct host_iface m = routed();
	unsigned n = 0, failed = 0;
	struct fault f;

	(void)state;
	host_state_save(before);
	for (; next(&f, n, 2); n += fault_step()) {
		struct act_about h = held_open(&m);
		struct act a = translation(&h, 8000, 2);

		translated(&f, &a);
		failed += f.rc < 0;
		if (f.rc < 0)
			assert_said(&f, "kernel NAT");
		held_close(&h);
		assert_as(before, "kernel NAT", &f);
		if (!f.struck)
			break;
	}
	print_message("  kernel NAT: %u calls, %u matter\n", n, failed);
	assert_true(failed * fault_step() > 6);
}

/* Other forwards, for which some go and some come. An answer that was lost (recvmsg) is the one case in which what was refused is done. */
static void test_forwards_change(void **state)
{
	struct host_iface m = routed();
	struct act_about h = held_open(&m);
	struct act was = translation(&h, 8000, 4), a = translation(&h, 8002, 4);
	unsigned n = 0, failed = 0;
	struct fault f;

	(void)state;
	translated(NULL, &was);
	host_state_save(before);
	for (; next(&f, n, 0); n += fault_step()) {
		translated(&f, &a);
		if (!f.struck)
			break;
		failed += f.rc < 0;
		if (f.rc < 0) {
			assert_said(&f, "forwards");
			if (strcmp(f.call, "recvmsg"))
				assert_as(before, "forwards that were refused", &f);
		}
		translated(NULL, &was);
		assert_as(before, "forwards as they were", &f);
	}
	print_message("  forwards: %u calls, %u matter\n", n, failed);
	assert_true(n > 3 && failed);
	held_close(&h);
}

/* ---- the host is joined to a bridged network ---- */

static void test_wire(void **state)
{
	struct host_iface m = bridged();
	struct act_about h = held_open(&m);
	struct act a = { .held = &h };
	unsigned n = 0, failed = 0;
	struct fault f;

	(void)state;
	for (; next(&f, n, 1); n += fault_step()) {
		assert_true(fault_run(&f, wire, &a));
		if (!f.struck)
			break;
		failed += f.rc < 0;
		if (f.rc < 0)
			assert_said(&f, "filters");
	}
	print_message("  filters: %u calls, %u matter\n", n, failed);
	assert_true(failed * fault_step() > n / 4);
	held_close(&h);
}

/* ---- it goes: what cannot be undone stays in the journal, and the next keeper undoes it ---- */

static void goes(const char *what, struct host_iface m, bool nat)
{
	unsigned n = 0, left = 0;
	struct stat st;
	struct fault f;

	host_state_save(before);
	for (; next(&f, n, 2); n += fault_step()) {
		struct act_about h = held_open(&m);
		struct act a = translation(&h, 8000, 2);

		if (nat)
			translated(NULL, &a);
		assert_true(fault_run(&f, undo_all, &a));
		close(h.fd);
		wait_gone();
		left += stat(path, &st) == 0 && st.st_size;
		bed_undo(NULL, -1, false);
		assert_as(before, what, &f);
		assert_true(stat(path, &st) == 0 && !st.st_size);
		if (!f.struck)
			break;
	}
	print_message("  %s goes: %u calls, %u leave something to be done\n", what, n, left);
	assert_true(n > 5);
}

static void test_goes(void **state)
{
	(void)state;
	goes("routed", routed(), false);
	goes("bridged", bridged(), false);
	goes("kernel NAT", routed(), true);
}

#define CASE(test) cmocka_unit_test_teardown(test, test_over)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_comes), CASE(test_changes), CASE(test_translation_comes), CASE(test_forwards_change), CASE(test_wire), CASE(test_goes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
