// SPDX-License-Identifier: GPL-2.0-or-later
/* HOST_VALIDATOR: a process that judges DNS answers (ctl/validator.h) gets a socket to the engine and nothing else: no rights, no descriptors,
 * the engine's user, and where the host lets us an empty network namespace. */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/keeper.h"

enum { VALIDATORS_MAX = 128 };		/* one for each network that validates; who has more of them has taken the engine over */

static char path[PATH_MAX];	/* of the program */
static struct rights_user user;
static pid_t running[VALIDATORS_MAX];

void validator_prepare(const struct start_message *conf)
{
	user = conf->engine;
	acts_path("lanyard-validator", path, sizeof(path));
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
	char *const argv[] = { (char *)"lanyard-validator", NULL }, *const env[] = { NULL };
	struct spawn_place place = { HOST_VALIDATOR_FD, -1 };
	struct spawn s = { .path = path, .argv = argv, .env = env, .places = &place, .nplaces = 1, .user = &user, .no_network = true };
	pid_t *free_place = find(0), pid;
	int sock;

	if (!free_place)
		return -EAGAIN;
	if (access(path, X_OK) < 0)
		return -ENOENT;
	sock = spawn_socket(&place.fd);
	if (sock < 0)
		return sock;
	pid = spawn(&s);
	close(place.fd);
	if (pid > 0) {
		*free_place = pid;
		return sock;
	}
	close(sock);
	return pid;
}

void validator_ended(pid_t pid)
{
	pid_t *place = find(pid);

	if (place)
		*place = 0;
}
