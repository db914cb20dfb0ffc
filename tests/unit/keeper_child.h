/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/keeper_child.h - a keeper of the test's own: its serving part in a child, without setup and engine; included once per test */
#ifndef TESTS_UNIT_KEEPER_CHILD_H
#define TESTS_UNIT_KEEPER_CHILD_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/host_client.h"
#include "ctl/keeper.h"
#include "tests/unit/acts_bed.h"

enum { KEEPER_CHILD_JOB_MS = 2000 };

struct keeper_child {
	struct host *host;
	int sock;		/* the engine's end, as @host has it */
	pid_t pid;
	char dir[64];		/* an empty directory open to all */
};

/* be_act() - before main(): a child of that keeper that acts is this program, started again by that name */
__attribute__((constructor)) static void be_act(int argc, char **argv)
{
	if (argc == 1)
		bed_be_act(argv[0]);
}

/* keeper_open_for() - with @listener for the API, it acts for those who were there; with -1 for everybody */
static inline void keeper_open_for(struct keeper_child *k, int listener)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	strcpy(k->dir, "/tmp/test_host.XXXXXX");
	assert_non_null(mkdtemp(k->dir));
	chmod(k->dir, 0777);
	k->pid = fork();
	assert_true(k->pid >= 0);
	if (k->pid == 0) {
		struct serve s;

		serve_init(&s, pair[0]);
		s.job_ms = KEEPER_CHILD_JOB_MS;
		s.users.everybody = listener < 0;
		if (listener >= 0)
			held_add(&s.held, HOST_API_LISTENER, dup(listener), 0, NULL, 0);
		bed_acts();
		close(pair[1]);
		fcntl(pair[0], F_SETFL, O_NONBLOCK);
		while (serve_poll(&s, -1, -1) >= 0)
			continue;
		serve_fini(&s);
		_exit(0);
	}
	close(pair[0]);
	k->sock = pair[1];
	k->host = host_new(pair[1]);
	assert_non_null(k->host);
}

static inline void keeper_open(struct keeper_child *k)
{
	keeper_open_for(k, -1);
}

static inline void keeper_close(struct keeper_child *k)
{
	int status;

	host_free(k->host);
	assert_int_equal(waitpid(k->pid, &status, 0), k->pid);
	assert_int_equal(status, 0);
	assert_int_equal(rmdir(k->dir), 0);	/* whatever was made there is gone */
}

#endif
