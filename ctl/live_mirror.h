/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_mirror.h - ports that get copies of others' frames, in the snapshot. Control thread. */
#ifndef CTL_LIVE_MIRROR_H
#define CTL_LIVE_MIRROR_H

#include <stdbool.h>

struct engine;
struct snapshot;

/* live_mirrors_fill() - after all ports are in @s; Return: was there memory? */
bool live_mirrors_fill(struct engine *e, struct snapshot *s);

#endif
