/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_guests.h - lanyard-names: guests' names for the host's programs, and the host's resolvers for guests' */
#ifndef CTL_ACT_GUESTS_H
#define CTL_ACT_GUESTS_H

#include "ctl/act.h"

/* guests_tell() - @about->fd has the guests; Return: 0, or negative errno with @r filled in */
int guests_tell(const struct host_names *m, const struct act_about *about, struct host_reply *r);

/* --- act_domains.c --- */

/* domains_allow() - may names below @domain be told to the host? @allowed: besides the reserved ones those, by commas */
bool domains_allow(const char *allowed, const char *domain);

/* --- act_resolv.c --- */

int resolv_open(struct host_reply *r);	/* Return: descriptor, or negative errno with @r filled in */
bool resolv_is_stub(void);		/* do the host's programs ask systemd-resolved for every name? */

#endif
