/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/engine_run.h - the engine as a program: what its main() calls */
#ifndef CTL_ENGINE_RUN_H
#define CTL_ENGINE_RUN_H

struct engine_conf {
	const char *runtime_dir, *state_dir;
	const char *config;		/* file applied at the start, or NULL */
	unsigned workers;		/* 0: cores minus one, at least one */
};

/* engine_run() - serve until SIGTERM, SIGINT or the keeper's end. Return: exit status */
int engine_run(const struct engine_conf *conf);

#endif
