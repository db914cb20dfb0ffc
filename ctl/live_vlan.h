/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_vlan.h - a port's VLANs from the model to the frame path (control thread) */
#ifndef CTL_LIVE_VLAN_H
#define CTL_LIVE_VLAN_H

#include <stdbool.h>

struct live_port;
struct vlan_conf;

/* live_vlan_fill() - @to is zeroed, and of a snapshot, which owns what is allocated; Return: was there memory? */
bool live_vlan_fill(struct vlan_conf *to, const struct live_port *p);

#endif
