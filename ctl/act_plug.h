/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_plug.h - what lanyard-plug opens, a file each; Return: descriptor, or negative errno with @r or @err filled in */
#ifndef CTL_ACT_PLUG_H
#define CTL_ACT_PLUG_H

#include "ctl/act.h"

struct error;

int plug_run(const void *request, struct host_reply *r);	/* any of them */

int vmm_open(const struct host_link *m, struct host_reply *r, struct error *err);
void vmm_undo(const struct act_about *h);

int uplink_open(const struct host_uplink *m, struct host_reply *r);
int icmp_open(const struct host_icmp *m);

#endif
