/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_forward.h - forwards to the first probe guest, for as long as a check runs
 *
 * A forward is a setting and would stay when this process is killed; so another process is made first, which waits for the end of this
 * one and takes them away. The ports come before the forwards: who has those is the only check of the network.
 */
#ifndef CTL_CHECK_FORWARD_H
#define CTL_CHECK_FORWARD_H

struct check;

/* forwards_add() - those of enum CHECK_FORWARDS; c->forwarding tells whether they are there, c->forwards_why why not
 * forwards_remove() - them, and the guard
 */
void forwards_add(struct check *c);
void forwards_remove(struct check *c);

/* forwards_try() - where none may be: ask for one. Return: 0 when it was accepted (and taken away again), else c->cli->err tells why not */
int forwards_try(struct check *c);

#endif
