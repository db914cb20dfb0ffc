/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/engine_run.h - the engine as a program: what its main() calls */
#ifndef CTL_ENGINE_RUN_H
#define CTL_ENGINE_RUN_H

#include "ctl/confine.h"

struct engine_conf {
	const char *runtime_dir, *state_dir;
	const char *config;		/* name of the file that is open as HOST_CONFIG_FD and applied at the start, or NULL */
	unsigned workers;		/* 0: cores minus one, at least one */
	unsigned uid;			/* the user that the daemon serves: the keeper's */
	struct confined confined;
	long admins;			/* a group that may do as that user, or -1 */
};

/* engine_run() - serve until SIGTERM, SIGINT or the keeper's end. Return: exit status */
int engine_run(const struct engine_conf *conf);

#endif
