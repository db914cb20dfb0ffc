/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/keeper_nat.h - what of the table "inet lanyard" is whose: the networks with their forwards as they are in force
 *
 * The keeper itself takes notes; a child of it acts, on the copy that it has from the fork, and ends. One for the process, as the journal.
 * When it is not known what a child has done, the next one makes the whole table anew.
 */
#ifndef CTL_KEEPER_NAT_H
#define CTL_KEEPER_NAT_H

#include <stdbool.h>

#include "ctl/host.h"

struct held;

/* nat_stage() - forwards for the next HOST_NAT. Return: 0, -ENOSPC, -ENOMEM */
int nat_stage(const struct host_forwards *m);

/* nat_run() - in a child: make the table as @m asks for the interface that @h is; connections by forwards that went are cut
 * Return: 0; or negative errno with @r filled in, and nothing is different */
int nat_run(const struct host_nat *m, const struct held *h, struct host_reply *r);

/* nat_done() - what the child did is so from now on, as it said in @r; or (an error, or @r NULL) nobody knows. nat_unstage() - forget what was staged */
void nat_done(const struct host_nat *m, const struct held *h, const struct host_reply *r);
void nat_unstage(void);

/* nat_leave() - in a child: the interface goes away, and its connections. nat_gone() - it has */
void nat_leave(const struct held *h);
void nat_gone(const char *name);
void nat_fini(void);

/* nat_watch() - a socket that tells of every change of the host's nftables. Return: descriptor or negative errno */
int nat_watch(void);

#endif
