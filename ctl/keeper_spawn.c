// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* unshare(), close_range(), fexecve() */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/keeper.h"

/* put() - in two steps, as one's number may be another's descriptor. Return: is every one there? */
static bool put(const struct spawn *s, int first_free)
{
	for (unsigned i = 0; i < s->nplaces; i++) {
		struct spawn_place *p = &s->places[i];

		if (p->fd >= 0 && p->fd < first_free && (p->fd = fcntl(p->fd, F_DUPFD_CLOEXEC, first_free)) < 0)
			return false;
	}
	for (unsigned i = 0; i < s->nplaces; i++) {
		if (s->places[i].fd < 0)
			close(s->places[i].to);
		else if (dup2(s->places[i].fd, s->places[i].to) < 0)
			return false;
	}
	return close_range((unsigned)first_free, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

/* hand_over() - what the program is to have, and nothing else; @program becomes its file */
static bool hand_over(const struct spawn *s, int *program)
{
	int first_free = STDERR_FILENO + 1;

	for (unsigned i = 0; i < s->nplaces; i++)
		if (s->places[i].to >= first_free)
			first_free = s->places[i].to + 1;
	if (!s->path && (*program = fcntl(s->program, F_DUPFD_CLOEXEC, first_free)) < 0)
		return false;
	return put(s, first_free);
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
		log_warn("event=spawn-without-loopback reason=\"%s\"", strerror(errno));
}

/* become() - another user loses what was asked for by prctl(): that comes last; in a user namespace of its own nobody has his number */
static _Noreturn void become(const struct spawn *s, pid_t keeper)
{
	sigset_t none;
	bool whole, other = s->user && s->user->uid != geteuid();
	int program = -1, rc = 0;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	whole = hand_over(s, &program);
	if (s->no_network)
		leave_network();
	if (other)
		rc = rights_become(s->user);
	else if (!s->user)
		rc = rights_lend(s->rights, s->by_file);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (whole && rc == 0 && getppid() == keeper)
		s->path ? execve(s->path, s->argv, s->env) : fexecve(program, s->argv, s->env);
	log_error("event=not-started program=%s reason=\"%s\"", s->argv[0], strerror(rc < 0 ? -rc : errno));
	_exit(127);
}

pid_t spawn(const struct spawn *s)
{
	pid_t keeper = getpid(), pid = fork();

	if (pid == 0)
		become(s, keeper);
	return pid < 0 ? -errno : pid;
}

int spawn_socket(int *theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	*theirs = pair[1];
	return pair[0];
}
