/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_look.h - what the host is asked about itself, as a file. Return: descriptor, or negative errno with @r filled in */
#ifndef CTL_ACT_LOOK_H
#define CTL_ACT_LOOK_H

#include <stddef.h>

#include "ctl/host.h"

int ruleset_open(struct host_reply *r);
int flows_open(const struct host_iface *iface, struct host_reply *r);

/* look_file() - @size bytes as a file to be read from its beginning */
int look_file(const void *data, size_t size);

#endif
