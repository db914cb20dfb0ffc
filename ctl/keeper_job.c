// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* setresuid() */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/keeper.h"
#include "ctl/keeper_nat.h"

enum { NOBODY = 65534, CLOSE_MS = 100 };

/* become() - take the rights of @uid; a keeper that is not root has one user's rights and lends them to that user alone */
static int become(uid_t uid, struct host_reply *r)
{
	struct passwd *pw;
	gid_t gid;

	if (uid == geteuid() || uid == 0)
		return 0;
	if (geteuid() != 0) {
		snprintf(r->message, sizeof(r->message), "this daemon runs as user %u and cannot act for user %u",
			 (unsigned)geteuid(), (unsigned)uid);
		return -EPERM;
	}
	pw = getpwuid(uid);
	gid = pw ? pw->pw_gid : NOBODY;
	if ((pw ? initgroups(pw->pw_name, gid) : setgroups(0, NULL)) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0) {
		snprintf(r->message, sizeof(r->message), "cannot take the rights of user %u: %s", (unsigned)uid, strerror(errno));
		return -EPERM;
	}
	return 0;
}

/* make_room() - low descriptors for libnftables, which waits by select() and cannot with others (FD_SETSIZE): what lies there is a copy
 * of something held, and this process needs no more than the one that it is about */
static void make_room(int sock, const struct held *h)
{
	enum { LAST = FD_SETSIZE - 1, ROOM = 16 };

	for (int fd = LAST; fd > LAST - ROOM; fd--)
		if (fd != sock && !(h && fd == h->fd))
			close(fd);
}

/* child() - the act, its answer, the end. An undo of a namespace needs our own rights: it acts on a descriptor of ours. */
static _Noreturn void child(int sock, const void *request, const struct held *h, uid_t uid)
{
	struct host_reply r = { .rc = 0 };
	sigset_t none;
	int fd = -1;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	make_room(sock, h);
	r.rc = become(uid, &r);
	if (r.rc == 0)
		r.rc = rights_narrow(((const struct host_header *)(request ? request : h->request))->type);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (r.rc == 0 && !request)
		act_undo(h);
	else if (r.rc == 0 && ((const struct host_header *)request)->type == HOST_NAT)
		r.rc = nat_run(request, h, &r);
	else if (r.rc == 0) {
		fd = act_run(request, h, &r);
		r.rc = fd < 0 ? fd : 0;
	}
	host_send(sock, &r, sizeof(r), fd);
	if (fd >= 0)
		close(fd);
	close(sock);	/* now the keeper's copy is the only one: see job_end() */
	_exit(0);
}

int job_start(struct job *job, const void *request, const struct held *h, uid_t uid, unsigned limit_ms)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		child(pair[1], request, h, uid);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -EAGAIN;
	}
	*job = (struct job){ .pid = pid, .sock = pair[0], .until_ms = clock_now_ms() + limit_ms };
	job->type = request ? ((const struct host_header *)request)->type : 0;
	return 0;
}

/* act_of() - what a child was at when nothing more was heard of it; @type 0: it undid something */
static const char *act_of(uint32_t type)
{
	switch (type) {
	case HOST_OPEN_IFACE:
		return "making the host's interface";
	case HOST_NAT:
		return "setting the rules of nftables";
	case HOST_OPEN_UPLINK:
	case HOST_WIRE:
		return "joining the uplink";
	case HOST_DELEGATED:
		return "setting routes";
	case HOST_NAMES:
		return "writing guests' names";
	case HOST_OPEN_RESOLV:
		return "reading what the host resolves by";
	case HOST_OPEN_NETNS:
		return "opening an interface in a namespace";
	case HOST_RULESET:
		return "reading the rules of nftables";
	case HOST_FLOWS:
		return "reading the connections of the host";
	case HOST_OPEN_FILE:
		return "opening a file";
	case HOST_OPEN_TAP:
	case HOST_OPEN_VMM_TAP:
		return "opening a TAP";
	default:
		return type ? "opening a socket" : "undoing a change of the host";
	}
}

int job_end(struct job *job, struct host_reply *r)
{
	struct pollfd closed = { .fd = job->sock, .events = POLLIN };
	bool late = clock_now_ms() >= job->until_ms;
	int fd = -1;
	long n;

	memset(r, 0, sizeof(*r));
	n = late ? 0 : host_receive(job->sock, r, sizeof(*r), &fd);
	if (n > 0)
		poll(&closed, 1, CLOSE_MS);	/* while the child had a TAP open, too, dropping it would not free its name */
	job_cancel(job);
	if (n == sizeof(*r) && r->rc <= 0)
		return r->rc < 0 ? r->rc : fd >= 0 ? fd : 0;
	r->rc = late ? -ETIMEDOUT : -EIO;
	snprintf(r->message, sizeof(r->message), "%s: %s", act_of(job->type), late ? "the host took too long" : "ended without an answer");
	return r->rc;
}

/* The child is reaped by whoever waits for SIGCHLD. */
void job_cancel(struct job *job)
{
	if (!job->pid)
		return;
	kill(job->pid, SIGKILL);
	close(job->sock);
	*job = (struct job){ .sock = -1 };
}
