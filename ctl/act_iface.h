/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_iface.h - lanyard-iface: an interface of the host's own, with all that it takes but its ways (ctl/act_ways.h)
 *
 * Return: descriptor or 0, or negative errno with @r filled in.
 */
#ifndef CTL_ACT_IFACE_H
#define CTL_ACT_IFACE_H

#include "ctl/act.h"

enum { IFACE_STAYS = 1 };	/* act_call.value for ACT_UNDO: the interface itself is not to go */

/* iface_open() - make the interface, or, as it is held (@about->fd), change it; what was done until an error is in the journal */
int iface_open(const struct host_iface *m, const struct act_about *about, struct host_reply *r);

#endif
