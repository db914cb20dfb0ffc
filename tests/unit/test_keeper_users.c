// SPDX-License-Identifier: GPL-2.0-or-later
/* ctl/keeper_users: root's keeper acts for those who were there, and nothing but a connection to its own listener says who was. */
#define _GNU_SOURCE	/* memfd_create() */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "ctl/host_client.h"
#include "ctl/keeper.h"
#include "tests/unit/keeper_child.h"

static char dir[64];

static struct sockaddr_un path_of(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", dir, name);
	return at;
}

static int listen_at(const char *name)
{
	struct sockaddr_un at = path_of(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

/* link - a connection, both its ends */
struct link {
	int client, accepted;
};

static struct link connect_to(const char *name, int listener)
{
	struct link l = { .client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	struct sockaddr_un at = path_of(name);

	assert_int_equal(connect(l.client, (struct sockaddr *)&at, sizeof(at)), 0);
	l.accepted = accept(listener, NULL, NULL);
	assert_true(l.accepted >= 0);
	return l;
}

static void hang_up(struct link *l)
{
	close(l->client);
	close(l->accepted);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_users.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void test_who_is_met(void **state)
{
	struct users u = { .file = -1 };
	int api = listen_at("api"), other = listen_at("apj"), pair[2];
	const int listeners[] = { -1, api };
	struct link good = connect_to("api", api), elsewhere = connect_to("apj", other);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(users_meet(&u, pair[0], listeners, 2), -EPERM);
	assert_int_equal(users_meet(&u, good.client, listeners, 2), -EPERM);	/* the wrong end */
	assert_int_equal(users_meet(&u, elsewhere.accepted, listeners, 2), -EPERM);
	assert_int_equal(users_meet(&u, api, listeners, 2), -EPERM);		/* the listener itself: whoever made it */
	assert_int_equal(users_meet(&u, STDERR_FILENO, listeners, 2), -EPERM);
	assert_int_equal(users_meet(&u, good.accepted, listeners, 1), -EPERM);	/* there is no such listener */
	assert_false(users_have(&u, geteuid()));
	assert_int_equal(users_meet(&u, good.accepted, listeners, 2), 0);
	assert_true(users_have(&u, geteuid()));
	assert_false(users_have(&u, geteuid() + 1));
	assert_int_equal(users_meet(&u, good.accepted, listeners, 2), 0);
	assert_int_equal(u.n, 1);
	hang_up(&good);
	hang_up(&elsewhere);
	close(pair[0]);
	close(pair[1]);
	close(api);
	close(other);
}

static void test_list_outlives_the_keeper(void **state)
{
	int api = listen_at("api"), file = memfd_create("users", 0);
	struct link l = connect_to("api", api);
	struct users u;

	(void)state;
	assert_int_equal(users_open(&u, file, false), 0);
	u.everybody = false;
	assert_false(users_have(&u, geteuid()));
	assert_int_equal(users_meet(&u, l.accepted, &api, 1), 0);
	assert_int_equal(users_open(&u, file, false), 0);
	u.everybody = false;
	assert_true(users_have(&u, geteuid()));
	assert_false(users_have(&u, geteuid() + 1));
	assert_int_equal(pwrite(file, "xy", 2, 4), 2);			/* a record that was torn */
	assert_int_equal(users_open(&u, file, false), 0);
	assert_int_equal(u.n, 1);
	assert_int_equal(users_open(&u, file, true), 0);		/* root's configuration: root */
	u.everybody = false;
	assert_true(users_have(&u, 0));
	hang_up(&l);
	close(api);
	close(file);
}

static void test_list_is_bounded(void **state)
{
	struct users u = { .file = -1, .n = USERS_MAX };
	int api = listen_at("api"), full = open("/dev/full", O_RDWR);
	struct link l = connect_to("api", api);

	(void)state;
	for (unsigned i = 0; i < USERS_MAX; i++)
		u.list[i] = geteuid() + 1 + i;
	assert_int_equal(users_meet(&u, l.accepted, &api, 1), -ENOSPC);
	u.n = 0;
	u.file = full;
	assert_int_equal(users_meet(&u, l.accepted, &api, 1), -EIO);	/* what the next keeper would not know is not so */
	assert_false(users_have(&u, geteuid()));
	hang_up(&l);
	close(api);
	close(full);
}

/* A whole keeper, which has one listener. */
static void test_requests_for_others_are_refused(void **state)
{
	int api = listen_at("api"), fd;
	struct link l = connect_to("api", api);
	struct keeper_child k;
	struct error err = { .rc = 0 };
	char path[100];

	(void)state;
	snprintf(path, sizeof(path), "%s/api", dir);
	keeper_open_for(&k, api);
	assert_int_equal(host_unix_connect(k.host, "", path, geteuid(), &err), -EPERM);
	assert_non_null(strstr(err.message, "has not used this daemon himself"));
	assert_int_equal(host_listen(k.host, "", 4, HOST_UDP, (const uint8_t[4]){ 127, 0, 0, 1 }, 40001, geteuid(), NULL, &err), -EPERM);
	host_client(k.host, l.client, geteuid());
	assert_int_equal(host_unix_connect(k.host, "", path, geteuid(), &err), -EPERM);
	host_client(k.host, l.accepted, geteuid());
	fd = host_unix_connect(k.host, "", path, geteuid(), &err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(host_unix_connect(k.host, "", path, geteuid() + 1, &err), -EPERM);
	hang_up(&l);
	close(api);
	keeper_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_is_met, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_outlives_the_keeper, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_requests_for_others_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
