// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* secure_getenv(), close_range() */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/keeper.h"

int engine_path(char *to, size_t room)
{
	static const char *const places[] = { "lanyard-engine", "../libexec/lanyard/lanyard-engine" };
	const char *given = secure_getenv("LANYARD_ENGINE");
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (given)
		return snprintf(to, room, "%s", given) < (int)room ? 0 : -ENAMETOOLONG;
	self[n < 0 ? 0 : n] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++)
		if (snprintf(to, room, "%.*s/%s", (int)(slash - self), self, places[i]) < (int)room && access(to, X_OK) == 0)
			return 0;
	return -ENOENT;
}

/* give_up_rights() - the engine parses what strangers send: no capability reaches it, whoever runs the keeper */
static void give_up_rights(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* Uid 0 stops meaning "all capabilities" at the exec() that follows. */
	if (geteuid() == 0 && prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) < 0)
		log_warn("event=engine-keeps-rights reason=\"%s\"", strerror(errno));
}

static _Noreturn void become_engine(const struct keeper_conf *conf, int sock, int lock, pid_t keeper)
{
	const char *argv[12] = { "lanyard-engine", "--runtime-dir", conf->runtime_dir, "--state-dir", conf->state_dir };
	sigset_t none;
	int n = 5;

	if (conf->config) {
		argv[n++] = "--config";
		argv[n++] = conf->config;
	}
	if (conf->workers) {
		argv[n++] = "--workers";
		argv[n++] = conf->workers;
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != keeper)
		_exit(1);
	/* Both are above HOST_LOCK_FD: 0 to 4 are open in the keeper, see keeper_run(). The lock goes along, so that no second
	 * daemon starts before this engine has ended.
	 */
	dup2(sock, HOST_ENGINE_FD);
	dup2(lock, HOST_LOCK_FD);
	close_range(HOST_LOCK_FD + 1, ~0u, 0);
	give_up_rights();
	execv(conf->engine, (char *const *)argv);
	log_error("event=engine-not-started path=%s reason=\"%s\"", conf->engine, strerror(errno));
	_exit(127);
}

pid_t engine_start(const struct keeper_conf *conf, int lock, int *sock)
{
	pid_t keeper = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid == 0)
		become_engine(conf, pair[1], lock, keeper);
	close(pair[1]);
	if (pid < 0) {
		pid = -errno;
		close(pair[0]);
		return pid;
	}
	*sock = pair[0];
	return pid;
}

int engine_check(const struct keeper_conf *conf)
{
	const char *argv[] = { "lanyard-engine", "-t", conf->config ? "--config" : NULL, conf->config, NULL };

	execv(conf->engine, (char *const *)argv);
	log_error("event=engine-not-started path=%s reason=\"%s\"", conf->engine, strerror(errno));
	return -errno;
}
