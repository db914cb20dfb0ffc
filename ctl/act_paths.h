/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_paths.h - parts of lanyard-paths */
#ifndef CTL_ACT_PATHS_H
#define CTL_ACT_PATHS_H

#include "ctl/act.h"

int file_open(const struct host_file *m, struct host_reply *r);	/* Return: descriptor, or negative errno with @r filled in */

/* --- act_listen.c: why a port could not be had; @what has the errno, and LISTEN_NO_SEARCH where nobody is to be looked for --- */

enum { LISTEN_NO_SEARCH = 0x10000 };

int listen_explain(const struct host_listen *m, uint32_t what, struct host_reply *r);	/* Return: 0 with @r filled in */

/* --- act_owner.c --- */

/* owner_describe() - who has the port: "nginx (pid 17)", or less where that may not be seen; takes milliseconds */
void owner_describe(const struct host_listen *m, uint16_t port, char *to, size_t room);

#endif
