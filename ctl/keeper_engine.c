// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* secure_getenv(), environ */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/keeper.h"

_Static_assert((int)START_LOCK_FD == (int)HOST_LOCK_FD && (int)START_GIVEN_FD > (int)HOST_CONFIG_FD, "the engine's are below what the keeper is given");

/* read_arguments() - into @argv, of START_ARGUMENTS_MAX and two more; they stay the message's */
static void read_arguments(const char **argv, const struct start_message *m)
{
	unsigned n = 0;

	argv[n++] = "lanyard-engine";
	for (const char *a = m->arguments; *a && n <= START_ARGUMENTS_MAX; a += strlen(a) + 1)
		argv[n++] = a;
	argv[n] = NULL;
}

/* The configuration is opened by us, who may read what the engine may not. The lock goes along, so that no second daemon starts before this
 * engine has ended. */
pid_t engine_start(const struct start_message *m, int *sock)
{
	struct spawn_place places[] = { { HOST_LOCK_FD, START_LOCK_FD }, { HOST_ENGINE_FD, -1 }, { HOST_CONFIG_FD, -1 } };
	const char *given = secure_getenv("LANYARD_ENGINE");
	const char *argv[START_ARGUMENTS_MAX + 2];
	char path[PATH_MAX];
	struct spawn s = { .path = given ? given : path, .argv = (char *const *)argv, .env = environ, .places = places,
			   .nplaces = ARRAY_SIZE(places), .user = &m->engine };
	pid_t pid = 0;

	acts_path("lanyard-engine", path, sizeof(path));
	read_arguments(argv, m);
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
