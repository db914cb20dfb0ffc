// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* unshare() */
#include "ctl/host_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/keeper.h"
#include "tests/unit/keeper_child.h"

enum { STRANGER = 4242 };
static const uint8_t loopback[4] = { 127, 0, 0, 1 };

/* --- the codec --- */

union request {
	struct host_header head;
	struct host_named named;
	struct host_recall recall;
	struct host_link link;
	struct host_listen listen;
	struct host_unix path;
	struct host_iface iface;
	struct host_icmp icmp;
	struct host_nat nat;
	struct host_uplink uplink;
	struct host_wire wire;
	struct host_names names;
	struct host_delegated delegated;
	struct host_file file;
	char bytes[HOST_MESSAGE_MAX];
};

/* good() - a request of each type that passes the check */
static size_t good(enum host_type type, union request *m)
{
	static const size_t sizes[HOST_TYPES] = {
		[HOST_READY] = sizeof(m->head), [HOST_HOLD] = sizeof(m->named), [HOST_DROP] = sizeof(m->named),
		[HOST_RECALL] = sizeof(m->recall), [HOST_OPEN_TAP] = sizeof(m->link), [HOST_OPEN_NETNS] = sizeof(m->link),
		[HOST_LISTEN] = sizeof(m->listen), [HOST_UNIX_LISTEN] = sizeof(m->path), [HOST_UNIX_CONNECT] = sizeof(m->path),
		[HOST_OPEN_VMM_TAP] = sizeof(m->link), [HOST_UNIX_BIND] = sizeof(m->path), [HOST_UNIX_PEER] = sizeof(m->path),
		[HOST_REPLACE] = sizeof(m->named), [HOST_OPEN_ICMP] = sizeof(m->icmp), [HOST_OPEN_IFACE] = sizeof(m->iface),
		[HOST_OPEN_UPLINK] = sizeof(m->uplink), [HOST_WIRE] = sizeof(m->wire), [HOST_NAMES] = sizeof(m->names), [HOST_OPEN_FILE] = sizeof(m->file),
		[HOST_CHANGES] = sizeof(m->head), [HOST_OPEN_RESOLV] = sizeof(m->head),
		[HOST_NAT] = sizeof(m->nat), [HOST_NAT_WATCH] = sizeof(m->head),
		[HOST_RULESET] = sizeof(m->head), [HOST_VALIDATOR] = sizeof(m->head), [HOST_FLOWS] = sizeof(m->named),
		[HOST_DELEGATED] = sizeof(m->delegated), [HOST_CLIENT] = sizeof(m->head),
	};

	memset(m, 0, sizeof(*m));
	m->head.type = type;
	m->head.size = (uint32_t)sizes[type];
	if (type == HOST_NAT)
		strcpy(m->nat.name, "x");
	if (type == HOST_HOLD || type == HOST_REPLACE || type == HOST_DROP || type == HOST_FLOWS)
		strcpy(m->named.name, "x");
	if (type == HOST_OPEN_TAP || type == HOST_OPEN_NETNS || type == HOST_OPEN_VMM_TAP)
		strcpy(m->link.ifname, "eth0");
	if (type == HOST_OPEN_NETNS)
		strcpy(m->link.netns, "blue");
	if (type == HOST_LISTEN) {
		m->listen.family = 4;
		m->listen.proto = HOST_TCP;
		m->listen.port = 80;
		m->listen.count = 1;
	}
	if (type == HOST_OPEN_ICMP) {
		m->icmp.family = 4;
		m->icmp.share = 3;
		m->icmp.shares = 4;
	}
	if (type == HOST_OPEN_IFACE) {
		m->iface.mtu = 1500;
		m->iface.len4 = 24;
		m->iface.len6 = 64;
		m->iface.pool6_len = 47;
		m->iface.pool6[5] = 2;
		strcpy(m->iface.name, "x");
		strcpy(m->iface.ifname, HOST_IFACE_PREFIX "x");
	}
	if (type == HOST_OPEN_UPLINK) {
		strcpy(m->uplink.name, "x");
		strcpy(m->uplink.ifname, "eth0");
	}
	if (type == HOST_WIRE) {
		strcpy(m->wire.name, "x");
		m->wire.nic = 2;
		m->wire.count = 1;
	}
	if (type == HOST_OPEN_FILE) {
		strcpy(m->file.dir, "/srv");
		strcpy(m->file.file, "x");
	}
	if (type == HOST_NAMES) {
		strcpy(m->names.name, "names:lab");
		strcpy(m->names.domain, "lab.internal");
		m->names.n = 1;
	}
	if (type == HOST_DELEGATED)
		strcpy(m->delegated.name, "x");
	if (type == HOST_UNIX_PEER)
		strcpy(m->path.name, "x");
	if (type == HOST_UNIX_LISTEN || type == HOST_UNIX_CONNECT || type == HOST_UNIX_BIND || type == HOST_UNIX_PEER)
		strcpy(m->path.path, "/tmp/x");
	return sizes[type];
}

static int fd_for(enum host_type type)
{
	return type == HOST_HOLD || type == HOST_REPLACE || type == HOST_NAMES || type == HOST_DELEGATED || type == HOST_NAT || type == HOST_CLIENT ? 0 : -1;
}

static void test_check_sizes(void **state)
{
	union request m;

	(void)state;
	for (enum host_type type = HOST_READY; type < HOST_TYPES; type++) {
		size_t size = good(type, &m);

		assert_int_equal(host_request_check(&m, size, fd_for(type)), 0);
		assert_int_equal(host_request_check(&m, size, fd_for(type) < 0 ? 0 : -1), -EPROTO);
		for (size_t n = 0; n < size; n++)
			assert_int_equal(host_request_check(&m, n, fd_for(type)), -EPROTO);
		m.head.size++;
		assert_int_equal(host_request_check(&m, size, fd_for(type)), -EPROTO);
		assert_int_equal(host_request_check(&m, size + 1, fd_for(type)), -EPROTO);
	}
	good(HOST_READY, &m);
	for (uint32_t type = HOST_TYPES; type < HOST_TYPES + 100; type++) {
		m.head.type = type;
		assert_int_equal(host_request_check(&m, sizeof(m.head), -1), -EPROTO);
	}
	m.head.type = 0;
	assert_int_equal(host_request_check(&m, sizeof(m.head), -1), -EPROTO);
	m.head.type = UINT32_MAX;
	assert_int_equal(host_request_check(&m, sizeof(m.head), -1), -EPROTO);
}

/* Bytes set to a value that makes a good request a bad one. */
static const struct {
	const char *what;
	enum host_type type;
	size_t at, n;
	uint8_t value;
} bad[] = {
	{ "name without an end", HOST_DROP, offsetof(struct host_named, name), HOST_NAME_SIZE, 'x' },
	{ "empty name to hold", HOST_HOLD, offsetof(struct host_named, name), 1, 0 },
	{ "empty name to replace", HOST_REPLACE, offsetof(struct host_named, name), 1, 0 },
	{ "recall: name without an end", HOST_RECALL, offsetof(struct host_recall, name), HOST_NAME_SIZE, 'x' },
	{ "recall: neither this one nor the next", HOST_RECALL, offsetof(struct host_recall, next), 1, 2 },
	{ "tap: interface without an end", HOST_OPEN_TAP, offsetof(struct host_link, ifname), HOST_IFNAME_SIZE, 'x' },
	{ "tap: no interface", HOST_OPEN_TAP, offsetof(struct host_link, ifname), 1, 0 },
	{ "tap: with a namespace", HOST_OPEN_TAP, offsetof(struct host_link, netns), 1, 'x' },
	{ "tap: padding", HOST_OPEN_TAP, offsetof(struct host_link, zero), 1, 1 },
	{ "tap: queues", HOST_OPEN_TAP, offsetof(struct host_link, queues), 1, 2 },
	{ "tap: mtu", HOST_OPEN_TAP, offsetof(struct host_link, mtu), 4, 1 },
	{ "vmm-tap: with a namespace", HOST_OPEN_VMM_TAP, offsetof(struct host_link, netns), 1, 'x' },
	{ "vmm-tap: mac", HOST_OPEN_VMM_TAP, offsetof(struct host_link, mac), 1, 2 },
	{ "vmm-tap: mtu", HOST_OPEN_VMM_TAP, offsetof(struct host_link, mtu), 1, 1 },
	{ "vmm-tap: no interface", HOST_OPEN_VMM_TAP, offsetof(struct host_link, ifname), 1, 0 },
	{ "netns: without a namespace", HOST_OPEN_NETNS, offsetof(struct host_link, netns), 1, 0 },
	{ "netns: namespace without an end", HOST_OPEN_NETNS, offsetof(struct host_link, netns), HOST_NETNS_SIZE, 'x' },
	{ "listen: family", HOST_LISTEN, offsetof(struct host_listen, family), 1, 5 },
	{ "listen: protocol", HOST_LISTEN, offsetof(struct host_listen, proto), 1, 1 },
	{ "listen: port 0", HOST_LISTEN, offsetof(struct host_listen, port), 2, 0 },
	{ "listen: no port", HOST_LISTEN, offsetof(struct host_listen, count), 2, 0 },
	{ "listen: more than fit a message", HOST_LISTEN, offsetof(struct host_listen, count), 1, HOST_LISTEN_MAX + 1 },
	{ "listen: padding", HOST_LISTEN, offsetof(struct host_listen, zero), 1, 1 },
	{ "listen: IPv4 with a tail", HOST_LISTEN, offsetof(struct host_listen, addr) + 15, 1, 1 },
	{ "icmp: family", HOST_OPEN_ICMP, offsetof(struct host_icmp, family), 1, 0 },
	{ "icmp: padding", HOST_OPEN_ICMP, offsetof(struct host_icmp, zero), 1, 1 },
	{ "icmp: padding at the end", HOST_OPEN_ICMP, offsetof(struct host_icmp, zero2), 1, 1 },
	{ "icmp: a share beyond the last", HOST_OPEN_ICMP, offsetof(struct host_icmp, share), 1, 4 },
	{ "icmp: no shares", HOST_OPEN_ICMP, offsetof(struct host_icmp, shares), 1, 0 },
	{ "icmp: shares that do not divide all", HOST_OPEN_ICMP, offsetof(struct host_icmp, shares), 1, 6 },
	{ "icmp: more shares than there may be", HOST_OPEN_ICMP, offsetof(struct host_icmp, shares), 2, 2 },
	{ "iface: bridged, with an address", HOST_OPEN_IFACE, offsetof(struct host_iface, bridged), 1, 1 },
	{ "iface: the host's loopback, without routing", HOST_OPEN_IFACE, offsetof(struct host_iface, localnet), 1, 1 },
	{ "iface: a name that is more than a name", HOST_OPEN_IFACE, offsetof(struct host_iface, ifname) + 3, 1, '"' },
	{ "NAT: a helper that is none", HOST_NAT, offsetof(struct host_nat, helpers), 1, 8 },
	{ "nat: no interface", HOST_NAT, offsetof(struct host_nat, name), 1, 0 },
	{ "nat: too many forwards", HOST_NAT, offsetof(struct host_nat, nforwards) + 3, 1, 1 },
	{ "nat: no such access", HOST_NAT, offsetof(struct host_nat, access), 1, 3 },
	{ "nat: neither again nor not", HOST_NAT, offsetof(struct host_nat, again), 1, 2 },
	{ "nat: neither leaves nor stays", HOST_NAT, offsetof(struct host_nat, leave), 1, 2 },
	{ "nat: every interface", HOST_NAT, offsetof(struct host_nat, out), 1, '*' },
	{ "nat: a rule for an interface", HOST_NAT, offsetof(struct host_nat, out), 1, ' ' },
	{ "uplink: no name", HOST_OPEN_UPLINK, offsetof(struct host_uplink, name), 1, 0 },
	{ "uplink: no interface", HOST_OPEN_UPLINK, offsetof(struct host_uplink, ifname), 1, 0 },
	{ "uplink: a path", HOST_OPEN_UPLINK, offsetof(struct host_uplink, ifname), 1, '/' },
	{ "uplink: for a user", HOST_OPEN_UPLINK, offsetof(struct host_uplink, uid), 1, 1 },
	{ "uplink: padding", HOST_OPEN_UPLINK, offsetof(struct host_uplink, zero), 1, 1 },
	{ "wire: no name", HOST_WIRE, offsetof(struct host_wire, name), 1, 0 },
	{ "wire: no interface", HOST_WIRE, offsetof(struct host_wire, nic), 4, 0 },
	{ "wire: a slot there is not", HOST_WIRE, offsetof(struct host_wire, slot), 1, HOST_WIRE_SLOTS },
	{ "wire: more addresses than fit", HOST_WIRE, offsetof(struct host_wire, count), 1, HOST_WIRE_MACS + 1 },
	{ "wire: for a user", HOST_WIRE, offsetof(struct host_wire, uid), 1, 1 },
	{ "names: no name", HOST_NAMES, offsetof(struct host_names, name), 1, 0 },
	{ "names: another's thing", HOST_NAMES, offsetof(struct host_names, name), 1, 'x' },
	{ "names: no network", HOST_NAMES, offsetof(struct host_names, name) + 6, 1, 0 },
	{ "names: a line of its own", HOST_NAMES, offsetof(struct host_names, name) + 7, 1, '\n' },
	{ "names: no domain", HOST_NAMES, offsetof(struct host_names, domain), 1, 0 },
	{ "names: all domains", HOST_NAMES, offsetof(struct host_names, domain), 1, '.' },
	{ "names: two words", HOST_NAMES, offsetof(struct host_names, domain) + 1, 1, ' ' },
	{ "names: too many", HOST_NAMES, offsetof(struct host_names, n) + 2, 1, 1 },
	{ "names: an interface that is not ours", HOST_NAMES, offsetof(struct host_names, ifname), 1, 'e' },
	{ "names: for a user", HOST_NAMES, offsetof(struct host_names, uid), 1, 1 },
	{ "interface: more than a prefix is delegated from", HOST_OPEN_IFACE, offsetof(struct host_iface, pool6) + 5, 1, 3 },
	{ "interface: less than a subnet", HOST_OPEN_IFACE, offsetof(struct host_iface, pool6_len), 1, 65 },
	{ "interface: delegated without a subnet", HOST_OPEN_IFACE, offsetof(struct host_iface, len6), 1, 0 },
	{ "delegated: no name", HOST_DELEGATED, offsetof(struct host_delegated, name), 1, 0 },
	{ "delegated: too many", HOST_DELEGATED, offsetof(struct host_delegated, n) + 2, 1, 2 },
	{ "delegated: for a user", HOST_DELEGATED, offsetof(struct host_delegated, uid), 1, 1 },
	{ "unix: relative path", HOST_UNIX_LISTEN, offsetof(struct host_unix, path), 1, 'x' },
	{ "unix: abstract path", HOST_UNIX_CONNECT, offsetof(struct host_unix, path), 1, 0 },
	{ "unix: relative path to bind", HOST_UNIX_BIND, offsetof(struct host_unix, path), 1, 'x' },
	{ "unix: peer of nothing", HOST_UNIX_PEER, offsetof(struct host_unix, name), 1, 0 },
	{ "unix: path without an end", HOST_UNIX_CONNECT, offsetof(struct host_unix, path), HOST_PATH_SIZE, '/' },
};

static void test_check_values(void **state)
{
	union request m;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t size = good(bad[i].type, &m);

		print_message("  %s\n", bad[i].what);
		memset(m.bytes + bad[i].at, bad[i].value, bad[i].n);
		assert_int_equal(host_request_check(&m, size, fd_for(bad[i].type)), -EPROTO);
	}
}

static void assert_same_file(int a, int b)
{
	struct stat x, y;

	assert_int_equal(fstat(a, &x), 0);
	assert_int_equal(fstat(b, &y), 0);
	assert_true(x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static bool show_all(void *arg, const char *name, int fd, uint32_t value)
{
	char *names = arg;

	(void)value;
	assert_true(fd >= 0);
	close(fd);
	strcat(strcat(names, name), " ");
	return strcmp(name, "b") != 0;
}

static void test_hold(void **state)
{
	struct keeper_child k;
	struct error err;
	char names[200] = "";
	int pipes[2], fd;

	(void)state;
	keeper_open(&k);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(host_ready(k.host), 0);
	assert_int_equal(host_recall(k.host, "a", NULL), -ENOENT);
	assert_int_equal(host_drop(k.host, "a"), -ENOENT);
	assert_int_equal(host_hold(k.host, "a", pipes[0], &err), 0);
	assert_int_equal(host_hold(k.host, "a", pipes[1], &err), -EEXIST);
	assert_string_equal(err.code, "exists");
	assert_int_equal(host_hold(k.host, "b", pipes[1], &err), 0);
	assert_int_equal(host_hold(k.host, "c", pipes[1], &err), 0);
	fd = host_recall(k.host, "a", NULL);
	assert_true(fd >= 0 && fd != pipes[0]);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_same_file(fd, pipes[0]);
	close(fd);
	assert_int_equal(host_replace(k.host, "a", pipes[1], &err), 0);	/* and stays the oldest */
	fd = host_recall(k.host, "a", NULL);
	assert_same_file(fd, pipes[1]);
	close(fd);
	assert_int_equal(host_recall_all(k.host, show_all, names), 3);
	assert_string_equal(names, "a b c ");
	assert_int_equal(host_recall(k.host, "b", NULL), -ENOENT);
	assert_int_equal(host_replace(k.host, "b", pipes[0], &err), 0);	/* nothing was there */
	assert_int_equal(host_drop(k.host, "b"), 0);
	assert_int_equal(host_drop(k.host, "a"), 0);
	assert_int_equal(host_drop(k.host, "c"), 0);
	names[0] = '\0';
	assert_int_equal(host_recall_all(k.host, show_all, names), 0);
	close(pipes[0]);
	close(pipes[1]);
	keeper_close(&k);
}

static void test_hold_is_bounded(void **state)
{
	struct held_table t = { .by_name = NULL };
	char name[HOST_NAME_SIZE];

	(void)state;
	for (int i = 0; i < HOST_HELD_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(held_add(&t, name, -1, 0, NULL, 0), 0);
	}
	assert_int_equal(held_add(&t, "one more", -1, 0, NULL, 0), -ENOSPC);
	held_remove(&t, held_find(&t, "77"));
	assert_null(held_find(&t, "77"));
	assert_int_equal(held_add(&t, "one more", -1, 0, NULL, 0), 0);
	assert_non_null(held_find(&t, "78"));
	for (const struct held *h = t.by_name; h && h->hh.next; h = h->hh.next)		/* in the order of their coming */
		assert_true(!((const struct held *)h->hh.next)->hh.next || atoi(h->name) < atoi(((const struct held *)h->hh.next)->name));
	held_fini(&t);
}

static void test_replace_spares_what_was_opened(void **state)
{
	struct host_unix m = { .head = { .type = HOST_UNIX_LISTEN, .size = sizeof(m) }, .path = "/x", .name = "listener" };
	struct held_table t = { .by_name = NULL };

	(void)state;
	assert_int_equal(held_add(&t, m.name, -1, 0, &m, sizeof(m)), 0);
	assert_int_equal(held_replace(held_find(&t, m.name), 1), -EEXIST);
	assert_int_equal(held_find(&t, m.name)->fd, -1);
	held_fini(&t);
}

/* send_raw() - any bytes and two descriptors, past the client */
static void send_raw(int sock, const void *data, size_t size, int nfds)
{
	int fds[2] = { 1, 2 };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(fds))];
	} control;
	struct iovec iov = { (void *)data, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds) {
		memset(&control, 0, sizeof(control));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)nfds);
		memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * (size_t)nfds);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)nfds);
	}
	assert_int_equal(sendmsg(sock, &msg, 0), size);
}

static void test_garbage_is_refused(void **state)
{
	char big[HOST_MESSAGE_MAX * 2];
	struct keeper_child k;
	struct host_reply r;
	union request m;
	size_t size;

	(void)state;
	keeper_open(&k);
	fcntl(k.sock, F_SETFL, 0);
	memset(big, 0xff, sizeof(big));
	for (size = 1; size < sizeof(big); size += 97) {
		send_raw(k.sock, big, size, (int)(size % 3));
		assert_int_equal(recv(k.sock, &r, sizeof(r), 0), sizeof(r));
		assert_int_equal(r.rc, -EPROTO);
	}
	size = good(HOST_HOLD, &m);
	send_raw(k.sock, &m, size, 2);
	assert_int_equal(recv(k.sock, &r, sizeof(r), 0), sizeof(r));
	assert_int_equal(r.rc, -EPROTO);
	send_raw(k.sock, &m, size, 1);
	assert_int_equal(recv(k.sock, &r, sizeof(r), 0), sizeof(r));
	assert_int_equal(r.rc, 0);
	keeper_close(&k);
}

/* --- listeners --- */

static int bound_port(int fd)
{
	struct sockaddr_in a;
	socklen_t size = sizeof(a);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	return ntohs(a.sin_port);
}

/* take_port() - a listener of this process on a port the kernel picked */
static int take_port(int type, int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_true(type == SOCK_DGRAM || listen(fd, 1) == 0);
	*port = bound_port(fd);
	return fd;
}

static void test_listen(void **state)
{
	uid_t uid = geteuid();
	struct keeper_child k;
	struct error err;
	uint16_t next;
	int port, fd, again;

	(void)state;
	close(take_port(SOCK_STREAM, &port));
	keeper_open(&k);
	fd = host_listen(k.host, "web", 4, HOST_TCP, loopback, (uint16_t)port, uid, &next, &err);
	assert_true(fd >= 0);
	assert_int_equal(bound_port(fd), port);
	assert_int_equal(next, 0);
	/* the same request again, as a new engine makes it: the same socket */
	again = host_listen(k.host, "web", 4, HOST_TCP, loopback, (uint16_t)port, uid, NULL, &err);
	assert_same_file(fd, again);
	close(again);
	assert_int_equal(host_listen(k.host, "web", 4, HOST_UDP, loopback, (uint16_t)port, uid, NULL, &err), -EEXIST);
	again = host_listen(k.host, "web-udp", 4, HOST_UDP, loopback, (uint16_t)port, uid, NULL, &err);
	assert_true(again >= 0);
	close(again);
	close(fd);
	assert_int_equal(host_drop(k.host, "web"), 0);
	assert_int_equal(host_drop(k.host, "web-udp"), 0);
	fd = host_listen(k.host, "", 4, HOST_TCP, loopback, (uint16_t)port, uid, NULL, &err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(host_recall(k.host, "", NULL), -ENOENT);	/* nothing is held under no name */
	keeper_close(&k);
}

static void test_port_in_use(void **state)
{
	static const struct {
		int type;
		enum host_proto proto;
		const char *name;
	} cases[] = { { SOCK_STREAM, HOST_TCP, "tcp" }, { SOCK_DGRAM, HOST_UDP, "udp" } };
	char expected[100];
	struct keeper_child k;
	struct error err;
	uint16_t next;
	int port, taken, fd;

	(void)state;
	keeper_open(&k);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		taken = take_port(cases[i].type, &port);
		fd = host_listen(k.host, "x", 4, cases[i].proto, loopback, (uint16_t)port, geteuid(), &next, &err);
		assert_int_equal(fd, -EADDRINUSE);
		assert_string_equal(err.code, "port-in-use");
		snprintf(expected, sizeof(expected), "%s 127.0.0.1:%d is used by test_host (pid %d)", cases[i].name, port, getpid());
		assert_string_equal(err.message, expected);
		assert_true(next > port);
		snprintf(expected, sizeof(expected), "port %u is free", next);
		assert_string_equal(err.hint, expected);
		fd = host_listen(k.host, "x", 4, cases[i].proto, loopback, next, geteuid(), NULL, &err);
		assert_true(fd >= 0);
		close(fd);
		close(taken);
		assert_int_equal(host_drop(k.host, "x"), 0);
	}
	keeper_close(&k);
}

/* free_range() - the first of @n ports that are free now, as far as that can be known */
static uint16_t free_range(unsigned n)
{
	for (unsigned first = 20000; first < 30000; first += n) {
		unsigned i = 0;

		for (int fd = 0; i < n && fd >= 0; i++) {
			struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
						 .sin_port = htons((uint16_t)(first + i)) };
			int rc;

			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
			rc = bind(fd, (struct sockaddr *)&a, sizeof(a));
			close(fd);
			fd = rc;
		}
		if (i == n)
			return (uint16_t)first;
	}
	return 0;
}

static void close_range_of(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* A range is had by one request; what somebody else has of it is missing, is named, and comes when it is asked for again. */
static void test_listen_range(void **state)
{
	enum { N = HOST_LISTEN_MAX, TAKEN = 7 };
	uint16_t first = free_range(N);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)(first + TAKEN)) };
	int taken, fds[N], again[N], on = 1;
	struct keeper_child k;
	char expected[100];
	struct error err;

	(void)state;
	assert_true(first);
	keeper_open(&k);		/* before there is a socket that it would inherit */
	taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(taken, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(taken, (struct sockaddr *)&a, sizeof(a)) | listen(taken, 1), 0);
	assert_int_equal(host_listen_many(k.host, "r", 4, HOST_TCP, loopback, first, N, geteuid(), fds, &err), N - 1);
	snprintf(expected, sizeof(expected), "tcp 127.0.0.1:%u is used by test_host (pid %d)", first + TAKEN, getpid());
	assert_string_equal(err.message, expected);
	for (int i = 0; i < N; i++)
		assert_int_equal(i == TAKEN ? fds[i] : bound_port(fds[i]) - first, i == TAKEN ? -1 : i);
	/* what is held is not tried again: the one that is named is still the one that is missing */
	assert_int_equal(host_listen_many(k.host, "r", 4, HOST_TCP, loopback, first, N, geteuid(), again, &err), N - 1);
	snprintf(expected, sizeof(expected), "tcp 127.0.0.1:%u is used by ", first + TAKEN);
	assert_memory_equal(err.message, expected, strlen(expected));
	assert_same_file(fds[N - 1], again[N - 1]);
	close_range_of(again, N);
	close(taken);
	assert_int_equal(host_listen_many(k.host, "r", 4, HOST_TCP, loopback, first, N, geteuid(), again, &err), N);
	assert_same_file(fds[3], again[3]);
	assert_int_equal(bound_port(again[TAKEN]), first + TAKEN);
	assert_int_equal(host_listen_many(k.host, "r", 4, HOST_TCP, loopback, first, N - 1, geteuid(), again, &err), -EEXIST);
	close_range_of(fds, N);
	close_range_of(again, N);
	assert_int_equal(host_drop(k.host, "r"), 0);
	taken = take_port(SOCK_STREAM, &(int){ 0 });
	assert_int_equal(host_listen_many(k.host, "", 4, HOST_TCP, loopback, (uint16_t)bound_port(taken), 1, geteuid(), fds, &err),
			 -EADDRINUSE);
	close(taken);
	keeper_close(&k);
}

static void test_low_port(void **state)
{
	struct keeper_child k;
	struct error err;
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
	unsigned start = 0;
	int fd;

	(void)state;
	if (!f || fscanf(f, "%u", &start) != 1 || start <= 7)
		skip();
	fclose(f);
	keeper_open(&k);
	/* root's daemon lends its low ports to root only; a user's has none */
	fd = host_listen(k.host, "", 4, HOST_TCP, loopback, 7, geteuid() ? geteuid() : STRANGER, NULL, &err);
	assert_int_equal(fd, -EACCES);
	assert_string_equal(err.code, "permission");
	assert_non_null(strstr(err.hint, "ip_unprivileged_port_start=7"));
	assert_non_null(strstr(err.hint, "lanyard-keeper"));
	keeper_close(&k);
}

/* --- unix sockets --- */

static void test_unix(void **state)
{
	uid_t uid = geteuid();
	struct keeper_child k;
	struct error err;
	struct stat st;
	char path[100];
	int server, client, fd;

	(void)state;
	keeper_open(&k);
	snprintf(path, sizeof(path), "%s/web1.sock", k.dir);
	assert_int_equal(host_unix_connect(k.host, "", path, uid, &err), -ENOENT);
	server = host_unix_listen(k.host, "s", path, uid, &err);
	assert_true(server >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	client = host_unix_connect(k.host, "", path, uid, &err);
	assert_true(client >= 0);
	assert_true(fcntl(client, F_GETFL) & O_NONBLOCK);
	fd = accept(server, NULL, NULL);
	assert_true(fd >= 0);
	close(fd);
	close(client);
	/* somebody listens there: not replaced; the same request: the same socket; dropped: the path goes */
	assert_int_equal(host_unix_listen(k.host, "other", path, uid, &err), -EADDRINUSE);
	fd = host_unix_listen(k.host, "s", path, uid, &err);
	assert_same_file(fd, server);
	close(fd);
	close(server);
	assert_int_equal(host_drop(k.host, "s"), 0);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(host_recall(k.host, "s", NULL), -ENOENT);
	keeper_close(&k);
}

static void test_unix_leftovers(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	uid_t uid = geteuid();
	struct keeper_child k;
	struct error err;
	char path[100];
	int fd;

	(void)state;
	keeper_open(&k);
	snprintf(path, sizeof(path), "%s/x", k.dir);
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);	/* dead now */
	fd = host_unix_listen(k.host, "dead", path, uid, &err);
	assert_true(fd >= 0);
	close(fd);
	/* a path that somebody else took over in the meantime is not removed */
	assert_int_equal(unlink(path), 0);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(host_drop(k.host, "dead"), 0);
	assert_int_equal(host_unix_listen(k.host, "file", path, uid, &err), -EADDRINUSE);
	assert_int_equal(unlink(path), 0);
	/* what is listened on at the end is removed at the end: keeper_close() looks */
	assert_true(host_unix_listen(k.host, "last", path, uid, &err) >= 0);
	keeper_close(&k);
}

static void test_rights(void **state)
{
	struct keeper_child k;
	struct error err;
	struct stat st;
	char path[100], shut[100];
	int fd;

	(void)state;
	keeper_open(&k);
	snprintf(path, sizeof(path), "%s/x", k.dir);
	snprintf(shut, sizeof(shut), "%s/shut", k.dir);
	fd = host_unix_listen(k.host, "x", path, STRANGER, &err);
	if (geteuid() != 0) {
		assert_int_equal(fd, -EPERM);
		assert_non_null(strstr(err.message, "cannot act for user 4242"));
		keeper_close(&k);
		return;
	}
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, STRANGER);
	close(fd);
	/* a root daemon opens for a user just what the user could */
	assert_int_equal(mkdir(shut, 0700), 0);
	strcat(shut, "/x");
	assert_int_equal(host_unix_listen(k.host, "y", shut, STRANGER, &err), -EACCES);
	assert_int_equal(host_unix_connect(k.host, "", path, STRANGER + 1, &err), -EACCES);
	assert_int_equal(host_open_tap(k.host, "t", "lyt0", NULL, 0, false, STRANGER, &err) < 0, 1);
	*strrchr(shut, '/') = '\0';
	assert_int_equal(rmdir(shut), 0);
	keeper_close(&k);
}

/* --- namespaces, and acts that take too long --- */

static void test_deadline(void **state)
{
	struct keeper_child k;
	struct error err;
	char path[100];
	enum host_medium medium;

	(void)state;
	keeper_open(&k);
	snprintf(path, sizeof(path), "%s/fifo", k.dir);
	assert_int_equal(mkfifo(path, 0600), 0);	/* opening it waits for a writer that never comes */
	assert_int_equal(host_open_netns(k.host, "n", path, "eth0", NULL, 0, false, geteuid(), &medium, &err), -ETIMEDOUT);
	assert_int_equal(host_ready(k.host), 0);
	assert_int_equal(host_recall(k.host, "n", NULL), -ENOENT);
	assert_int_equal(unlink(path), 0);
	keeper_close(&k);
}

static void test_no_netns(void **state)
{
	struct keeper_child k;
	struct error err;
	enum host_medium medium;

	(void)state;
	keeper_open(&k);
	assert_int_equal(host_open_netns(k.host, "n", "no-such-namespace", "eth0", NULL, 0, false, geteuid(), &medium, &err), -ENOENT);
	assert_non_null(strstr(err.message, "no-such-namespace"));
	assert_int_equal(host_open_netns(k.host, "n", "/etc/passwd", "eth0", NULL, 0, false, geteuid(), &medium, &err) < 0, 1);
	keeper_close(&k);
}

/* other_namespace() - a process in a fresh network namespace; writing to @talk has it answer with eth0's index there */
static pid_t other_namespace(int *talk)
{
	int pair[2];
	pid_t pid;
	unsigned index;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		close(pair[1]);
		if (unshare(CLONE_NEWNET) < 0)
			_exit(1);
		do {
			index = if_nametoindex("eth0");
			if (write(pair[0], &index, sizeof(index)) < 0)
				_exit(1);
		} while (read(pair[0], &index, sizeof(index)) > 0);
		_exit(0);
	}
	close(pair[0]);
	assert_int_equal(read(pair[1], &index, sizeof(index)), sizeof(index));
	*talk = pair[1];
	return pid;
}

static unsigned ask_index(int talk)
{
	unsigned index = 0;

	assert_int_equal(write(talk, "", 1), 1);
	assert_int_equal(read(talk, &index, sizeof(index)), sizeof(index));
	return index;
}

static void netns_inside(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct keeper_child k;
	struct error err = { .rc = 0 };
	enum host_medium medium, medium2;
	uint32_t value;
	char where[16];
	int talk, fd, again;
	pid_t pid;

	keeper_open(&k);
	pid = other_namespace(&talk);
	snprintf(where, sizeof(where), "%d", (int)pid);
	fd = host_open_netns(k.host, "netns:lab/box", where, "eth0", mac, 1400, false, 0, &medium, &err);
	print_message("  medium %d %s\n", fd < 0 ? 0 : (int)medium, err.message);
	assert_true(fd >= 0);
	assert_true(ask_index(talk) > 0);
	again = host_open_netns(k.host, "netns:lab/box", where, "eth0", mac, 1400, false, 0, &medium2, &err);
	assert_true(again >= 0);
	assert_int_equal(medium2, medium);
	close(again);
	again = host_recall(k.host, "netns:lab/box", &value);
	assert_true(again >= 0);
	assert_int_equal(value, medium);
	close(again);
	close(fd);
	assert_int_equal(host_drop(k.host, "netns:lab/box"), 0);
	assert_int_equal(ask_index(talk), 0);	/* the interface is gone with it, TAP or veth */
	close(talk);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	keeper_close(&k);
}

/* Both namespaces belong to a user namespace of the test's own, so that an ordinary user can run it. */
static void test_netns(void **state)
{
	char map[40];
	int fd, status;
	uid_t uid = geteuid();
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
			_exit(77);
		snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
		fd = open("/proc/self/uid_map", O_WRONLY);
		if (fd < 0 || write(fd, map, strlen(map)) < 0)
			_exit(77);
		netns_inside();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* The domain of the host's names is not the engine's to choose; to take names away it may always ask. */
static void test_domain_of_somebody(void **state)
{
	struct keeper_child k;
	struct error err = { 0 };
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	keeper_open(&k);
	assert_int_equal(host_names(k.host, "lab", "example.com", "", fd, 1, &err), -EPERM);
	assert_int_equal(host_names(k.host, "lab", "example.com", "ly-lab", fd, 0, &err), -EPERM);
	assert_non_null(strstr(err.message, "example.com"));
	assert_non_null(strstr(err.hint, "--host-domains example.com"));
	assert_int_equal(host_names(k.host, "lab", "lab.internal", "", fd, 1, &err), -EPROTO);	/* it is looked at what they are */
	close(fd);
	keeper_close(&k);
}

/* --- the client, when the keeper is slow or gone --- */

static void test_late_answers(void **state)
{
	struct host_reply r = { .head = { HOST_READY, sizeof(r), 999 }, .value = 5 };
	struct host *host;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	host = host_new(pair[1]);
	assert_int_equal(host_send(pair[0], &r, sizeof(r), 1), 0);	/* to a request given up on, with a descriptor */
	r.head.serial = 1;						/* the client's first serial */
	assert_int_equal(host_send(pair[0], &r, sizeof(r), -1), 0);
	assert_int_equal(host_ready(host), 5);
	assert_int_equal(host_send(pair[0], &r, sizeof(r), 1), 0);
	assert_int_equal(host_on_readable(host), 0);
	r.head.serial = 2;
	r.message[HOST_TEXT_SIZE - 1] = r.hint[0] = 'x';
	memset(r.message, 'x', sizeof(r.message));
	assert_int_equal(host_send(pair[0], &r, sizeof(r), -1), 0);
	assert_int_equal(host_ready(host), -EPROTO);
	close(pair[0]);
	assert_int_equal(host_on_readable(host), -EPIPE);
	assert_int_equal(host_ready(host), -EPIPE);
	host_free(host);
}

static void test_long_texts(void **state)
{
	char text[400];
	struct error err;
	int pair[2];
	struct host *host;

	(void)state;
	memset(text, '/', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	host = host_new(pair[1]);
	assert_int_equal(host_hold(host, text, 1, &err), -ENAMETOOLONG);
	assert_int_equal(host_unix_listen(host, "", text, 0, &err), -ENAMETOOLONG);
	assert_int_equal(host_open_tap(host, "", text, NULL, 0, false, 0, &err), -ENAMETOOLONG);
	close(pair[0]);
	host_free(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_sizes),	cmocka_unit_test(test_check_values),
		cmocka_unit_test(test_hold),		cmocka_unit_test(test_hold_is_bounded),
		cmocka_unit_test(test_replace_spares_what_was_opened),
		cmocka_unit_test(test_garbage_is_refused), cmocka_unit_test(test_listen),
		cmocka_unit_test(test_port_in_use),	cmocka_unit_test(test_listen_range), cmocka_unit_test(test_low_port),
		cmocka_unit_test(test_unix),		cmocka_unit_test(test_unix_leftovers),
		cmocka_unit_test(test_rights),		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_no_netns),	cmocka_unit_test(test_netns),
		cmocka_unit_test(test_late_answers),	cmocka_unit_test(test_domain_of_somebody),
		cmocka_unit_test(test_long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
