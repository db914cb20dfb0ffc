// SPDX-License-Identifier: GPL-2.0-or-later
/* needs: netns */
/* ctl/act_nat.h on the nftables of a namespace of our own: what is in force, what one change costs, what failure and removal leave. */
#define _GNU_SOURCE	/* unshare(), memfd_create() */
#include "ctl/act_nat.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/error.h"
#include "ctl/act_journal.h"
#include "ctl/act_nft.h"
#include "tests/unit/nat_bed.h"
#include "tests/unit/own_namespace.h"

static char dir[64];
static struct host_iface iface_a = { .ifname = "ly-a", .addr4 = { 10, 0, 0, 1 }, .len4 = 24, .name = "host:a" };
static struct host_iface iface_b = { .ifname = "ly-b", .addr4 = { 10, 0, 1, 1 }, .len4 = 24, .name = "host:b" };
static struct act_about a = { .name = "host:a", .fd = -1, .request = &iface_a }, b = { .name = "host:b", .fd = -1, .request = &iface_b };

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_keeper_nat.XXXXXX");
	if (!own_namespace() || !mkdtemp(dir))
		return -1;
	return bed_journal(dir) < 0 || !own_run("nft add table ip other") ? -1 : 0;
}

static int teardown(void **state)
{
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/host-changes", dir);
	unlink(path);
	return rmdir(dir);
}

static void stage(uint16_t first, unsigned n, uint8_t guest)
{
	for (unsigned i = 0; i < n; i++)
		bed_stage(&(struct host_forward){ .family = 4, .proto = HOST_TCP, .port = (uint16_t)(first + i), .to_port = 80, .to = { 10, 0, 0, guest } }, 1);
}

static int ask(struct act_about *h, struct host_nat m, struct host_reply *r)
{
	*r = (struct host_reply){ .rc = 0 };
	m.access = HOST_NAT_OWN;
	strcpy(m.name, h->name);
	r->rc = bed_translate(&m, h, r);
	bed_unstage();
	return r->rc;
}

static int run(struct act_about *h, unsigned nforwards, bool again, struct host_reply *r)
{
	return ask(h, (struct host_nat){ .nforwards = nforwards, .again = again }, r);
}

static void leave(struct act_about *h)
{
	bed_leave(h);
	bed_undo(h->name, -1, false);
}

#define ELEMENTS(map, n) "test $(nft -j list map inet lanyard " map " | grep -o '\"concat\": \\[\"tcp\"' | wc -l) = " #n

static void test_life(void **state)
{
	struct host_reply r;

	(void)state;
	stage(1000, 50, 2);
	assert_int_equal(run(&a, 50, false, &r), 0);
	assert_string_equal(r.message, "");
	assert_true(own_run(ELEMENTS("to4", 50)));
	stage(2000, 3, 2);
	assert_int_equal(run(&b, 3, false, &r), 0);
	assert_true(own_run(ELEMENTS("to4", 53)));
	assert_true(own_run("test $(nft list set inet lanyard inside | grep -o ly- | wc -l) = 2"));
	leave(&a);
	assert_true(own_run(ELEMENTS("to4", 3)));
	assert_true(own_run("! nft list set inet lanyard inside | grep -q ly-a"));
	leave(&b);
	assert_true(own_run("! nft list table inet lanyard 2>/dev/null && nft list table ip other >/dev/null"));
}

/* A forward whose guest is not said leads where it did; one that did not lead anywhere is none, and one that is not sent goes. */
static void test_unknown_guest(void **state)
{
	struct host_forward list[3];
	struct host_reply r;

	(void)state;
	stage(1000, 3, 2);
	assert_int_equal(run(&a, 3, false, &r), 0);
	for (unsigned i = 0; i < 3; i++)		/* not 1000, and 1003 is new */
		list[i] = (struct host_forward){ .family = 4, .proto = HOST_TCP, .port = (uint16_t)(1001 + i), .to_port = 80 };
	list[0].to[0] = 10;				/* this one is said to live elsewhere */
	list[0].to[3] = 9;
	for (unsigned twice = 0; twice < 2; twice++) {
		bed_stage(list, 3);
		assert_int_equal(run(&a, 3, false, &r), 0);
		assert_true(own_run(ELEMENTS("to4", 2)));
		assert_true(own_run("nft list map inet lanyard to4 | tr -d ' \n\t' | grep -q 'tcp.1001:10.0.0.9.80,tcp.1002:10.0.0.2.80'"));
	}
	leave(&a);
}

/* told() - how many messages about something that is there or gone, without the one at each end */
static unsigned told(int fd)
{
	char data[65536];
	unsigned n = 0;
	ssize_t size;

	while ((size = recv(fd, data, sizeof(data), 0)) > 0)
		for (ssize_t at = 0; at + 16 <= size;) {
			uint32_t len;
			uint16_t type;

			memcpy(&len, data + at, sizeof(len));
			memcpy(&type, data + at + 4, sizeof(type));
			n += (type & 0xff) != 15;	/* NFT_MSG_NEWGEN */
			at += (ssize_t)((len + 3) & ~3u);
		}
	return n;
}

/* Of many forwards one changes: one element goes and one comes. The same again: nothing does. */
static void test_one_change(void **state)
{
	struct host_reply r;
	int fd = nat_watch();

	(void)state;
	assert_true(fd >= 0);
	stage(1000, 200, 2);
	assert_int_equal(run(&a, 200, false, &r), 0);
	assert_true(told(fd) > 20);
	stage(1000, 199, 2);
	stage(1199, 1, 7);
	assert_int_equal(run(&a, 200, false, &r), 0);
	assert_int_equal(told(fd), 2);
	assert_true(own_run("nft list map inet lanyard to4 | grep -q 'tcp . 1199 : 10.0.0.7 . 80'"));
	stage(1199, 1, 7);
	stage(1000, 199, 2);
	assert_int_equal(run(&a, 200, false, &r), 0);
	assert_int_equal(told(fd), 0);
	close(fd);
	leave(&a);
}

/* What may not stand in the table is refused by who writes it, whoever sent it. */
static const struct {
	const char *what;
	struct host_forward f;
} strange[] = {
	{ "no such family", { .family = 5, .proto = HOST_TCP, .port = 80, .to_port = 80 } },
	{ "not of TCP or UDP", { .family = 4, .proto = 132, .port = 80, .to_port = 80 } },
	{ "port 0", { .family = 4, .proto = HOST_TCP, .to_port = 80 } },
	{ "to port 0", { .family = 6, .proto = HOST_UDP, .port = 80 } },
	{ "IPv4 with more than four bytes", { .family = 4, .proto = HOST_TCP, .port = 80, .to_port = 80, .to = { 10, 0, 0, 2, 1 } } },
	{ "an address likewise", { .family = 4, .proto = HOST_TCP, .port = 80, .to_port = 80, .addr = { [15] = 1 } } },
	{ "padding", { .family = 4, .proto = HOST_TCP, .port = 80, .to_port = 80, .zero = 1 } },
};

static void test_strange(void **state)
{
	struct host_reply r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		print_message("  %s\n", strange[i].what);
		stage(1000, 1, 2);
		bed_stage(&strange[i].f, 1);
		assert_int_equal(run(&a, 2, false, &r), -EPROTO);
	}
	assert_true(own_run("! nft list table inet lanyard 2>/dev/null"));
}

/* One that was killed when it had changed the table: the books are as before it, and the next one makes the table as they say, and as it is asked. */
static void test_killed(void **state)
{
	struct host_reply r;
	struct nat_books books;

	(void)state;
	stage(1000, 2, 2);
	assert_int_equal(run(&a, 2, false, &r), 0);
	stage(3000, 5, 2);
	assert_int_equal(run(&b, 5, false, &r), 0);
	assert_int_equal(books_open(&books, bed_books), 0);
	assert_false(books.unknown);
	assert_int_equal(books_draft(&books, b.name, NULL), 0);
	books_free(&books);
	assert_true(own_run("nft flush map inet lanyard to4"));
	stage(1000, 3, 2);
	assert_int_equal(run(&a, 3, false, &r), 0);
	assert_true(own_run(ELEMENTS("to4", 8)));
	assert_int_equal(books_open(&books, bed_books), 0);
	assert_true(!books.unknown && books_find(&books, a.name)->forwards.n == 3 && books_find(&books, b.name)->forwards.n == 5);
	books_free(&books);
	leave(&a);
	leave(&b);
	assert_true(own_run("! nft list table inet lanyard 2>/dev/null"));
}

static void test_refused(void **state)
{
	struct host_reply r;

	(void)state;
	stage(1000, 2, 2);
	assert_int_equal(run(&a, 3, false, &r), -EPROTO);	/* more than were sent */
	stage(1000, 2, 2);
	stage(1001, 1, 3);
	assert_int_equal(run(&a, 3, false, &r), -EEXIST);	/* one port twice */
	assert_true(own_run("nft add table inet lanyard"));
	assert_int_equal(run(&a, 0, false, &r), -EBUSY);	/* somebody's */
	assert_int_equal(run(&a, 0, false, &r), -EBUSY);
	assert_true(own_run("test \"$(nft list table inet lanyard | wc -l)\" = 2 && nft delete table inet lanyard"));
}

/* Somebody took a part away: the change fails, nothing is half done, and the next one makes the table anew. */
static void test_broken(void **state)
{
	struct host_reply r;

	(void)state;
	stage(1000, 2, 2);
	assert_int_equal(run(&a, 2, false, &r), 0);
	assert_true(own_run("nft flush map inet lanyard to4"));
	stage(1001, 2, 2);
	assert_int_equal(run(&a, 2, false, &r), -ENOENT);
	assert_non_null(strstr(r.message, "nftables: "));
	assert_true(own_run(ELEMENTS("to4", 0)));
	stage(1001, 2, 2);
	assert_int_equal(run(&a, 2, false, &r), 0);
	assert_true(own_run(ELEMENTS("to4", 2)));
	assert_true(own_run("nft flush ruleset; nft add table ip other"));
	stage(1001, 2, 2);
	assert_int_equal(run(&a, 2, true, &r), 0);		/* again: whatever is there */
	assert_true(own_run(ELEMENTS("to4", 2)));
	leave(&a);
	assert_true(own_run("! nft list table inet lanyard 2>/dev/null"));
}

static int run_with(struct act_about *h, unsigned helpers, struct host_reply *r)
{
	return ask(h, (struct host_nat){ .helpers = (uint8_t)helpers }, r);
}

/* Every combination is a transaction that libnftables understands: the kernel takes it, or lacks just what nft_lacking() says. */
static void test_features(void **state)
{
	unsigned lacking = nft_lacking(31);

	(void)state;
	print_message("  this kernel lacks%s%s%s\n", lacking & NFT_FLOWTABLE ? " flowtable" : "", lacking & NFT_TIMEOUTS ? " timeouts" : "",
		      lacking & HOST_NAT_HELPERS ? " helpers" : "");
	for (unsigned features = 0; features < 32; features++) {
		struct error err = { .rc = 0 };
		char *text = NULL;
		size_t size;
		FILE *to = open_memstream(&text, &size);
		int rc;

		nft_write_table(to, features, "\"lo\"");
		fclose(to);
		rc = nft_run(text, &err);
		free(text);
		if (rc != 0)
			assert_non_null(strstr(err.message, "Could not process rule"));	/* the kernel's word, not the parser's */
		assert_int_equal(rc != 0, (features & lacking) != 0);
		if (rc == 0)
			assert_int_equal(nft_delete(), 0);
	}
	assert_true(own_run("! nft list tables | grep -q lanyard"));
}

/* A helper comes with who asks for it, and with the last it goes at the next change; what a kernel lacks is refused by name. */
static void test_helpers(void **state)
{
	unsigned lacking = nft_lacking(HOST_NAT_HELPERS);
	struct host_reply r;

	(void)state;
	if (lacking) {
		assert_int_equal(run_with(&a, lacking, &r), -EOPNOTSUPP);
		assert_non_null(strstr(r.message, "no connection tracking helper for"));
		assert_true(own_run("! nft list table inet lanyard 2>/dev/null"));
		leave(&a);
	}
	if (lacking & HOST_NAT_FTP)
		return;
	assert_int_equal(run_with(&b, 0, &r), 0);
	assert_true(own_run("! nft list table inet lanyard | grep -q 'ct helper'"));
	assert_int_equal(run_with(&a, HOST_NAT_FTP, &r), 0);
	assert_true(own_run("nft list set inet lanyard ftp | grep -q ly-a && ! nft list set inet lanyard ftp | grep -q ly-b"));
	assert_true(own_run("nft list set inet lanyard inside | grep -q ly-b"));
	leave(&a);
	assert_int_equal(run_with(&b, 0, &r), 0);
	assert_true(own_run("! nft list table inet lanyard | grep -q 'ct helper'"));
	leave(&b);
}

static double value_of(const char *setting)
{
	char text[HOST_VALUE_SIZE];

	return change_setting(setting, text) == 0 ? atof(text) : 60;
}

/* RFC 5508 REQ-2, as long as a network needs it, and not where the host has more already */
static void test_echoes(void **state)
{
	static const char v4[] = "net/netfilter/nf_conntrack_icmp_timeout", v6[] = "net/netfilter/nf_conntrack_icmpv6_timeout";
	struct host_reply r;

	(void)state;
	assert_true(own_run("nft add table ip other; nft add chain ip other c; nft add rule ip other c ct state new"));
	assert_true(own_run("sysctl -qw net.netfilter.nf_conntrack_icmp_timeout=30 net.netfilter.nf_conntrack_icmpv6_timeout=90"));
	assert_int_equal(run_with(&a, 0, &r), 0);
	assert_true(value_of(v4) == 60 && value_of(v6) == 90);
	assert_int_equal(run_with(&b, 0, &r), 0);
	bed_undo(a.name, -1, true);			/* other settings of the interface */
	assert_true(value_of(v4) == 60);
	leave(&a);
	assert_true(value_of(v4) == 60);
	leave(&b);
	assert_true(value_of(v4) == 30 && value_of(v6) == 90);
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* most_forwards() - what a transaction may be as large as is up to the host; root of a user namespace cannot say more (SO_SNDBUFFORCE) */
static unsigned most_forwards(void)
{
	FILE *f = fopen("/proc/self/uid_map", "r");
	unsigned first = 1, n = 0;

	if (f && fscanf(f, "%u %*u %u", &first, &n) != 2)
		n = 0;
	if (f)
		fclose(f);
	return first == 0 && n == UINT32_MAX ? 10000 : 3000;
}

/* Ten thousand forwards are one transaction of less than a second, and one more beside them is one element. */
static void test_many(void **state)
{
	unsigned n = most_forwards();
	double began = cpu_ms(), took;
	struct host_reply r;
	int fd;

	(void)state;
	stage(1000, n, 2);
	assert_int_equal(run(&a, n, false, &r), 0);
	took = cpu_ms() - began;
	print_message("  %u forwards: %.0f ms\n", n, took);
	assert_true(took < 1000);
	fd = nat_watch();
	stage(1000, n + 1, 2);
	assert_int_equal(run(&a, n + 1, false, &r), 0);
	assert_int_equal(told(fd), 1);
	close(fd);
	leave(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life), cmocka_unit_test(test_unknown_guest), cmocka_unit_test(test_one_change), cmocka_unit_test(test_refused), cmocka_unit_test(test_strange), cmocka_unit_test(test_killed),
		cmocka_unit_test(test_broken), cmocka_unit_test(test_many),
		cmocka_unit_test(test_features), cmocka_unit_test(test_helpers), cmocka_unit_test(test_echoes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
