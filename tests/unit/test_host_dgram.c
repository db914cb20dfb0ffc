// SPDX-License-Identifier: GPL-2.0-or-later
/* Unix datagram sockets that the keeper binds and connects: whose file, at whose wish, and what is left behind. */
#define _GNU_SOURCE	/* O_PATH */
#include "ctl/host_client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/un.h>
#include <cmocka.h>

#include "base/array.h"
#include "tests/unit/keeper_child.h"

enum { STRANGER = 4242 };

static struct {
	struct keeper_child k;
	char ours[100], theirs[100];
	uid_t uid;
	struct error err;
} t;

static int setup(void **state)
{
	(void)state;
	keeper_open(&t.k);
	snprintf(t.ours, sizeof(t.ours), "%s/ours", t.k.dir);
	snprintf(t.theirs, sizeof(t.theirs), "%s/theirs", t.k.dir);
	t.uid = geteuid();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(t.theirs);
	keeper_close(&t.k);	/* our socket's path must have gone by then */
	return 0;
}

static struct sockaddr_un at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static int peer_at(const char *path, int type)
{
	struct sockaddr_un a = at(path);
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static int bound(const char *name)
{
	int fd = host_unix_bind(t.k.host, name, t.ours, t.uid, &t.err);

	assert_true(fd >= 0);
	return fd;
}

/* meet() - Return: 0, the file's descriptor closed, or the error */
static int meet(const char *name)
{
	int file = host_unix_peer(t.k.host, name, t.theirs, t.uid, &t.err);

	if (file < 0)
		return file;
	close(file);
	return 0;
}

static void test_bind(void **state)
{
	struct sockaddr_un a;
	struct stat st;
	int fd = bound("a"), again = bound("a"), type;

	(void)state;
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof(type) });
	assert_int_equal(type, SOCK_DGRAM);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &(socklen_t){ sizeof(a) }), 0);
	assert_string_equal(a.sun_path, t.ours);
	assert_int_equal(stat(t.ours, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(host_unix_bind(t.k.host, "b", t.ours, t.uid, &t.err), -EADDRINUSE);
	assert_non_null(strstr(t.err.message, "cannot bind"));
	close(fd);
	close(again);
	assert_int_equal(host_drop(t.k.host, "a"), 0);
	assert_int_equal(stat(t.ours, &st), -1);
	close(peer_at(t.ours, SOCK_DGRAM));	/* a dead one is in the way */
	close(bound("a"));
}

static void test_meet(void **state)
{
	int fd = bound("a"), peer = peer_at(t.theirs, SOCK_DGRAM), other, file;
	char path[120];
	struct stat st;

	(void)state;
	file = host_unix_peer(t.k.host, "a", t.theirs, t.uid, &t.err);
	assert_true(file >= 0);
	assert_true(fcntl(file, F_GETFL) & O_PATH);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	assert_int_equal(recv(peer, path, 1, 0), 1);
	snprintf(path, sizeof(path), "%s/other", t.k.dir);
	other = peer_at(path, SOCK_DGRAM);
	assert_int_equal(connect(other, (struct sockaddr *)(struct sockaddr_un[]){ at(t.ours) }, sizeof(struct sockaddr_un)), -1);
	assert_int_equal(errno, EPERM);
	unlink(path);
	close(other);
	/* it goes, and another one comes to its place */
	assert_int_equal(fstat(file, &st), 0);
	assert_int_equal(st.st_nlink, 1);
	close(peer);
	assert_int_equal(meet("a"), -ECONNREFUSED);
	unlink(t.theirs);
	assert_int_equal(fstat(file, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	close(file);
	assert_int_equal(meet("a"), -ENOENT);
	peer = peer_at(t.theirs, SOCK_DGRAM);
	assert_int_equal(meet("a"), 0);
	assert_int_equal(meet("a"), 0);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	close(peer);
	close(fd);
}

static void test_what_is_no_peer(void **state)
{
	char path[120];
	int fd = bound("a"), peer;

	(void)state;
	assert_int_equal(meet("a"), -ENOENT);
	/* a link to a live socket is not followed */
	snprintf(path, sizeof(path), "%s/secret", t.k.dir);
	peer = peer_at(path, SOCK_DGRAM);
	assert_int_equal(symlink(path, t.theirs), 0);
	assert_int_equal(meet("a"), -ELOOP);
	assert_int_equal(send(fd, "x", 1, 0), -1);
	unlink(t.theirs);
	unlink(path);
	close(peer);
	/* nor is a file, a directory or a socket of another kind taken for one */
	close(open(t.theirs, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(meet("a"), -ENOTSOCK);
	unlink(t.theirs);
	assert_int_equal(mkdir(t.theirs, 0700), 0);
	assert_int_equal(meet("a"), -ENOTSOCK);
	rmdir(t.theirs);
	peer = peer_at(t.theirs, SOCK_STREAM);
	assert_int_equal(meet("a"), -EPROTOTYPE);
	close(peer);
	close(fd);
}

static void test_whose_socket(void **state)
{
	int fd = bound("a"), peer = peer_at(t.theirs, SOCK_DGRAM), pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(host_hold(t.k.host, "pipe", pipes[0], &t.err), 0);
	assert_int_equal(meet("nothing"), -ENOENT);
	assert_int_equal(meet("pipe"), -ENOENT);
	assert_int_equal(host_unix_peer(t.k.host, "a", t.theirs, STRANGER, &t.err), -ENOENT);
	assert_int_equal(meet("a"), 0);
	close(pipes[0]);
	close(pipes[1]);
	close(peer);
	close(fd);
}

/* A root keeper looks the path up as the client. */
static void test_rights(void **state)
{
	int fd, peer;

	(void)state;
	if (t.uid != 0)
		return;
	t.uid = STRANGER;
	fd = bound("a");
	peer = peer_at(t.theirs, SOCK_DGRAM);
	assert_int_equal(chmod(t.theirs, 0600), 0);
	assert_int_equal(meet("a"), -EACCES);
	assert_int_equal(chmod(t.theirs, 0602), 0);
	assert_int_equal(meet("a"), 0);
	close(peer);
	close(fd);
}

/* Two names for one interface: what was made for it goes with the last. */
static void test_shared_trace(void **state)
{
	struct host_link m = { .head = { .type = HOST_OPEN_VMM_TAP, .size = sizeof(m) }, .ifname = "t0" };
	struct host_link other = m, space = { .head.type = HOST_OPEN_NETNS, .ifname = "t0", .netns = "blue" };
	struct held_table table = { .by_name = NULL };

	(void)state;
	strcpy(other.ifname, "t1");
	assert_int_equal(held_add(&table, "a", dup(0), 0, &m, sizeof(m)), 0);
	assert_int_equal(held_add(&table, "b", dup(0), 0, &other, sizeof(m)), 0);
	assert_int_equal(held_add(&table, "c", dup(0), 0, &space, sizeof(m)), 0);
	assert_int_equal(held_add(&table, "d", dup(0), 0, NULL, 0), 0);
	assert_true(held_leaves_trace(held_find(&table, "a")));
	assert_false(held_shares_trace(&table, held_find(&table, "a")));
	assert_false(held_shares_trace(&table, held_find(&table, "c")));
	assert_false(held_shares_trace(&table, held_find(&table, "d")));
	assert_int_equal(held_add(&table, "e", dup(0), 0, &m, sizeof(m)), 0);
	assert_true(held_shares_trace(&table, held_find(&table, "a")));
	assert_true(held_shares_trace(&table, held_find(&table, "e")));
	assert_false(held_shares_trace(&table, held_find(&table, "b")));
	held_fini(&table);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_bind), T(test_meet), T(test_what_is_no_peer), T(test_whose_socket), T(test_rights),
		cmocka_unit_test(test_shared_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
