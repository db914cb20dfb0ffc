/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_paths.h - parts of lanyard-paths */
#ifndef CTL_ACT_PATHS_H
#define CTL_ACT_PATHS_H

#include "ctl/act.h"

int file_open(const struct host_file *m, struct host_reply *r);	/* Return: descriptor, or negative errno with @r filled in */

/* --- act_listen.c --- */

enum { LISTEN_BACKLOG = 4096 };

/* listen_open() - sockets at the ports of @m, or at call->missing of them; they go with the answer
 * Return: 0, with r->missing and why (about the first of these); or negative errno, likewise: none could be had.
 */
int listen_open(const struct act_call *call, const struct host_listen *m, struct host_reply *r);

/* --- act_given.c: sockets that the daemon was started with --- */

/* given_read() - there are @n. Return: 0, -EPROTO or -ENOMEM
 * given_find() - a copy of the one that was given for this forward by name ("web", "lab/web"), or that is bound to this port of
 * the request's address. Return: descriptor, or -ENOENT
 */
int given_read(unsigned n);
int given_find(const struct host_listen *m, uint16_t port);

/* --- act_owner.c --- */

/* owner_describe() - who has the port: "nginx (pid 17)", or less where that may not be seen; takes milliseconds */
void owner_describe(const struct host_listen *m, uint16_t port, char *to, size_t room);

#endif
