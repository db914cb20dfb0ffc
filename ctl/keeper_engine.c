// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* secure_getenv(), environ */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/keeper.h"

_Static_assert((int)START_LOCK_FD == (int)HOST_LOCK_FD && (int)START_GIVEN_FD > (int)HOST_CONFIG_FD, "the engine's are below what the keeper is given");

/* arguments - of the engine; texts are the message's, or here */
struct arguments {
	const char *argv[16];
	char uid[16], admins[16], workers[16];
};

static void write_arguments(struct arguments *a, const struct start_message *m)
{
	const struct {
		bool given;
		const char *option, *value;
	} all[] = {
		{ true, "--runtime-dir", m->runtime_dir }, { true, "--state-dir", m->state_dir }, { true, "--uid", a->uid },
		{ m->has_admins, "--admins", a->admins }, { m->config[0], "--config", m->config }, { m->workers, "--workers", a->workers },
	};
	unsigned n = 0;

	snprintf(a->uid, sizeof(a->uid), "%u", (unsigned)geteuid());
	snprintf(a->admins, sizeof(a->admins), "%u", m->admins);
	snprintf(a->workers, sizeof(a->workers), "%u", m->workers);
	a->argv[n++] = "lanyard-engine";
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].given) {
			a->argv[n++] = all[i].option;
			a->argv[n++] = all[i].value;
		}
	a->argv[n] = NULL;
}

/* The configuration is opened by us, who may read what the engine may not. The lock goes along, so that no second daemon starts before this
 * engine has ended. */
pid_t engine_start(const struct start_message *m, int *sock)
{
	struct spawn_place places[] = { { HOST_LOCK_FD, START_LOCK_FD }, { HOST_ENGINE_FD, -1 }, { HOST_CONFIG_FD, -1 } };
	const char *given = secure_getenv("LANYARD_ENGINE");
	struct arguments a;
	char path[PATH_MAX];
	struct spawn s = { .path = given ? given : path, .argv = (char *const *)a.argv, .env = environ, .places = places,
			   .nplaces = ARRAY_SIZE(places), .user = &m->engine };
	pid_t pid = 0;

	acts_path("lanyard-engine", path, sizeof(path));
	write_arguments(&a, m);
	if (m->config[0] && (places[2].fd = open(m->config, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return -errno;
	*sock = spawn_socket(&places[1].fd);
	pid = *sock < 0 ? *sock : spawn(&s);
	for (size_t i = 1; i < ARRAY_SIZE(places); i++)
		if (places[i].fd >= 0)
			close(places[i].fd);
	if (pid > 0) {
		fcntl(*sock, F_SETFL, O_NONBLOCK);
	} else if (*sock >= 0) {
		close(*sock);
		*sock = -1;
	}
	return pid;
}
