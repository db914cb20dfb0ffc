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

#include "base/array.h"
#include "base/log.h"
#include "ctl/keeper.h"

static char engine[PATH_MAX];	/* the program */

static _Noreturn void cannot(const char *path)
{
	log_error("event=engine-not-started path=%s reason=\"%s\"", path, strerror(errno));
	_exit(127);
}

/* hand_over() - what the engine is given; the configuration is opened by us, who may read what it may not. The lock goes along, so that no
 * second daemon starts before this engine has ended.
 */
static void hand_over(const char *path, int sock)
{
	int config = *path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

	if (*path && config < 0)
		cannot(path);
	dup2(sock, HOST_ENGINE_FD);
	dup2(START_LOCK_FD, HOST_LOCK_FD);
	if (config >= 0)
		dup2(config, HOST_CONFIG_FD);
	close_range(config >= 0 ? HOST_CONFIG_FD + 1 : HOST_CONFIG_FD, ~0u, 0);
}
_Static_assert((int)START_LOCK_FD == (int)HOST_LOCK_FD && START_GIVEN_FD > (int)HOST_CONFIG_FD, "nothing else has these numbers");

static _Noreturn void run_engine(const struct start_message *conf)
{
	char uid[16], admins[16], workers[16];
	const char *argv[16] = {
		"lanyard-engine", "--runtime-dir", conf->runtime_dir, "--state-dir", conf->state_dir, "--uid", uid,
	};
	const struct {
		bool given;
		const char *option, *value;
	} more[] = {
		{ conf->has_admins, "--admins", admins }, { conf->config[0], "--config", conf->config }, { conf->workers, "--workers", workers },
	};
	int n = 7;

	snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	snprintf(admins, sizeof(admins), "%u", conf->admins);
	snprintf(workers, sizeof(workers), "%u", conf->workers);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		if (more[i].given) {
			argv[n++] = more[i].option;
			argv[n++] = more[i].value;
		}
	if (conf->engine.uid != geteuid() && rights_become(&conf->engine) < 0)
		cannot(engine);
	execv(engine, (char *const *)argv);
	cannot(engine);
}

/* become_engine() - rights_keep_few() has seen to it that no capability gets through the exec() */
static _Noreturn void become_engine(const struct start_message *conf, int sock, pid_t keeper)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != keeper)
		_exit(1);
	hand_over(conf->config, sock);
	run_engine(conf);
}

pid_t engine_start(const struct start_message *conf, int *sock)
{
	const char *given = secure_getenv("LANYARD_ENGINE");
	pid_t keeper = getpid(), pid;
	int pair[2];

	if (!given)
		acts_path("lanyard-engine", engine, sizeof(engine));
	else
		snprintf(engine, sizeof(engine), "%s", given);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid == 0)
		become_engine(conf, pair[1], keeper);
	close(pair[1]);
	if (pid < 0) {
		pid = -errno;
		close(pair[0]);
		return pid;
	}
	*sock = pair[0];
	return pid;
}
