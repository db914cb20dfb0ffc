// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* secure_getenv(), close_range() */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

static _Noreturn void cannot(const char *path)
{
	log_error("event=engine-not-started path=%s reason=\"%s\"", path, strerror(errno));
	_exit(127);
}

/* hand_over() - what the engine is given; the configuration is opened by us, who may read what it may not
 *
 * All are above HOST_CONFIG_FD: 0 to 5 are open in the keeper, see keeper_run(). The lock goes along, so that no second
 * daemon starts before this engine has ended.
 */
static void hand_over(const struct keeper_conf *conf, int sock, int lock)
{
	int config = conf->config ? open(conf->config, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

	if (conf->config && config < 0)
		cannot(conf->config);
	dup2(sock, HOST_ENGINE_FD);
	dup2(lock, HOST_LOCK_FD);
	if (config >= 0)
		dup2(config, HOST_CONFIG_FD);
	close_range(config >= 0 ? HOST_CONFIG_FD + 1 : HOST_CONFIG_FD, ~0u, 0);
}

static _Noreturn void run_engine(const struct keeper_conf *conf, const struct engine_home *home)
{
	char uid[16], admins[16];
	const char *argv[16] = {
		"lanyard-engine", "--runtime-dir", conf->runtime_dir, "--state-dir", home->state_dir, "--uid", uid,
	};
	int n = 7;

	snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	snprintf(admins, sizeof(admins), "%u", (unsigned)home->admins);
	if (home->has_admins) {
		argv[n++] = "--admins";
		argv[n++] = admins;
	}
	if (conf->config) {
		argv[n++] = "--config";
		argv[n++] = conf->config;
	}
	if (conf->workers) {
		argv[n++] = "--workers";
		argv[n++] = conf->workers;
	}
	if (home->user.uid != geteuid() && rights_become(&home->user) < 0)
		cannot(conf->engine);
	execv(conf->engine, (char *const *)argv);
	cannot(conf->engine);
}

/* become_engine() - rights_keep_few() has seen to it that no capability gets through the exec() */
static _Noreturn void become_engine(const struct keeper_conf *conf, const struct engine_home *home, int sock, int lock, pid_t keeper)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != keeper)
		_exit(1);
	hand_over(conf, sock, lock);
	run_engine(conf, home);
}

pid_t engine_start(const struct keeper_conf *conf, const struct engine_home *home, int lock, int *sock)
{
	pid_t keeper = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid == 0)
		become_engine(conf, home, pair[1], lock, keeper);
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
