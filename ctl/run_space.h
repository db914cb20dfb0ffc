/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/run_space.h - fresh namespaces for one command, made by an ordinary user
 *
 * Both calls act on the whole process, which has one thread. Nothing outside the namespaces changes, and nothing
 * stays when the last process in them ends. Errors are a negative errno with @err filled in.
 */
#ifndef CTL_RUN_SPACE_H
#define CTL_RUN_SPACE_H

#include <stdint.h>

struct error;

/* space_enter() - move into a fresh user, network and mount namespace, with lo up
 *
 * Root keeps every user id it had; an ordinary user becomes the namespace's root and has no other id.
 */
int space_enter(struct error *err);

/* space_resolv() - put a file of our own in the place of /etc/resolv.conf, in this mount namespace only
 * @text:	what it says
 *
 * Works where /etc/resolv.conf is a file, a link to one, a link to nothing, or not there.
 */
int space_resolv(const char *text, struct error *err);

#endif
