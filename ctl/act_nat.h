/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_nat.h - lanyard-nat: the kernel translates for a network; and what the host's firewall and connection tracking have now
 *
 * What is in force it reads from its books (ctl/act_nat_books.h). When nobody knows what one of these programs has done, the next one makes
 * the whole table anew.
 */
#ifndef CTL_ACT_NAT_H
#define CTL_ACT_NAT_H

#include <stdbool.h>

#include "ctl/act.h"

struct nat_books;

/* nat_run() - make the table as @m asks for the interface that @about is; @about->fd has its forwards; connections by those that went
 * are cut. Return: 0; or negative errno with @r filled in, and nothing is different
 */
int nat_run(const struct host_nat *m, const struct act_about *about, struct nat_books *b, struct host_reply *r);

/* nat_leave() - the interface goes away, and its connections; what is in the journal is left to journal_undo() */
void nat_leave(const struct act_about *about, struct nat_books *b);

/* nat_watch() - a socket that tells of every change of the host's nftables. Return: descriptor or negative errno */
int nat_watch(void);

/* nat_settings() - in act_nat_settings.c: those of the host that translation needs; what cannot be had is told in @r */
void nat_settings(const char *name, bool timeouts, struct host_reply *r);

#endif
