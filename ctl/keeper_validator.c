// SPDX-License-Identifier: GPL-2.0-or-later
/* HOST_VALIDATOR: a process that judges DNS answers (ctl/validator.h) gets a socket to the engine and nothing else: no rights, no descriptors,
 * the engine's user, and where the host lets us an empty network namespace. */
#define _GNU_SOURCE	/* unshare(), close_range() */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "ctl/keeper.h"

enum { VALIDATORS_MAX = 128 };		/* one for each network that validates; who has more of them has taken the engine over */

static char program[PATH_MAX];
static struct rights_user user;
static pid_t running[VALIDATORS_MAX];

void validator_prepare(const struct start_message *conf)
{
	acts_path("lanyard-validator", program, sizeof(program));
	user = conf->engine;
}

/* leave_network() - into a namespace where there is a loopback and nothing else. Where that may not be had, no more is lost than that fence. */
static void leave_network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		log_warn("event=validator-loopback reason=\"%s\"", strerror(errno));
}

static _Noreturn void become_validator(int sock, pid_t keeper)
{
	static char *const argv[] = { (char *)"lanyard-validator", NULL }, *const env[] = { NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(sock, HOST_VALIDATOR_FD);
	close_range(HOST_VALIDATOR_FD + 1, ~0u, 0);
	leave_network();
	if (user.uid != geteuid() && geteuid() == 0 && rights_become(&user) < 0)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* here, for whoever becomes another user loses it */
	if (getppid() != keeper)
		_exit(1);
	execve(program, argv, env);
	log_error("event=validator-not-started path=%s reason=\"%s\"", program, strerror(errno));
	_exit(127);
}

static pid_t *find(pid_t pid)
{
	for (size_t i = 0; i < ARRAY_SIZE(running); i++)
		if (running[i] == pid)
			return &running[i];
	return NULL;
}

int validator_start(void)
{
	pid_t *place = find(0), keeper = getpid();
	int pair[2], rc;

	if (!place)
		return -EAGAIN;
	if (!program[0] || access(program, X_OK) < 0)
		return -ENOENT;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	*place = fork();
	if (*place == 0)
		become_validator(pair[1], keeper);
	close(pair[1]);
	if (*place > 0)
		return pair[0];
	rc = -errno;
	*place = 0;
	close(pair[0]);
	return rc;
}

void validator_ended(pid_t pid)
{
	pid_t *place = find(pid);

	if (place)
		*place = 0;
}
