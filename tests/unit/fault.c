// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* pidfd_getfd() by syscall() */
#include "tests/unit/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"

enum { NOTIFY_FD = 250, LOOK_FD = 12345 };		/* the second is none: to write to it is a word to the parent */

/* report - what the child leaves behind, in memory that both see */
struct report {
	int rc;
	char message[FAULT_TEXT];
};

static const char *const calls[] = {
	"sendmsg", "sendto", "recvmsg", "ioctl", "socket", "bind", "setsockopt", "write", "pwrite64", "fdatasync", "ftruncate",
	"mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "chmod", "fchmod", "fchmodat",
};

/* add_opens() - of files to be written; others are looked at only */
static int add_opens(scmp_filter_ctx ctx)
{
	static const unsigned modes[] = { O_WRONLY, O_RDWR };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(modes); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, modes[i]));
	return rc;
}

/* leave() - a library that ends the child does not end what is below it, a sanitizer's look for leaks for one */
static void leave(void)
{
	_exit(3);
}

/* watch_self() - from now on the parent is asked; its end of the filter is at NOTIFY_FD */
static void watch_self(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc = ctx ? add_opens(ctx) : -ENOMEM, fd;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(calls); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, seccomp_syscall_resolve_name(calls[i]), 0);
	if (rc < 0 || seccomp_load(ctx) < 0 || dup2(seccomp_notify_fd(ctx), NOTIFY_FD) < 0)
		_exit(2);
	fd = seccomp_notify_fd(ctx);
	seccomp_release(ctx);
	close(fd);
	atexit(leave);
	raise(SIGSTOP);			/* until the parent has taken its copy */
	close(NOTIFY_FD);
}

/* parents_end() - the child's NOTIFY_FD, or -1 */
static int parents_end(pid_t pid)
{
	int status, pidfd, fd;

	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return -1;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, NOTIFY_FD, 0);
	close(pidfd);
	kill(pid, SIGCONT);
	return fd;
}

static bool strikes(struct fault *f, pid_t pid)
{
	return (!f->counts || f->counts(pid)) && f->calls++ == f->at;
}

bool fault_decide(int fd, struct fault *f)
{
	struct seccomp_notif req = { .id = 0 };
	struct seccomp_notif_resp resp = { .id = 0 };
	char *name;

	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
		return errno == EINTR;
	resp.id = req.id;
	if (req.data.nr == SYS_write && req.data.args[0] == LOOK_FD) {
		if (f->look)
			f->look();
		resp.error = -EBADF;
	} else if (strikes(f, (pid_t)req.pid)) {
		resp.error = -f->error;
		f->struck = true;
		name = seccomp_syscall_resolve_num_arch(req.data.arch, req.data.nr);
		snprintf(f->call, sizeof(f->call), "%s", name ? name : "?");
		free(name);
	} else {
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp) == 0 || errno == ENOENT;
}

pid_t fault_fork(int *fd)
{
	pid_t pid = fork();

	if (pid == 0)
		watch_self();
	if (pid <= 0)
		return pid;
	*fd = parents_end(pid);
	if (*fd >= 0)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}

void fault_look(void)
{
	if (write(LOOK_FD, "", 1) == 1)
		abort();
}

unsigned fault_step(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	enum { SAMPLE = 7 };
#else
	enum { SAMPLE = 4 };
#endif
	const char *asked = getenv("FAULT_STEP");
	int step = asked ? atoi(asked) : 0;

	return step > 0 ? (unsigned)step : SAMPLE;
}

bool fault_run(struct fault *f, fault_act *act, void *arg)
{
	struct report *report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = -1, status = 0;
	pid_t pid = report == MAP_FAILED ? -1 : fault_fork(&fd);

	if (pid == 0) {
		report->rc = act(arg, report->message);
		_exit(0);
	}
	if (pid < 0)
		return false;
	f->struck = false;
	f->calls = 0;
	f->call[0] = '\0';
	while (fault_decide(fd, f))
		continue;
	close(fd);
	waitpid(pid, &status, 0);
	f->died = WIFEXITED(status) && WEXITSTATUS(status) != 0;
	f->rc = f->died ? -EIO : report->rc;
	memcpy(f->message, report->message, sizeof(f->message));
	munmap(report, sizeof(*report));
	return WIFEXITED(status);
}
