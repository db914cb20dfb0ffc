/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_conntrack.h - have the kernel forget connections that may not go on, and tell of those that do; it takes as long as the table is */
#ifndef CTL_ACT_CONNTRACK_H
#define CTL_ACT_CONNTRACK_H

#include <stddef.h>

#include "ctl/host.h"

/* conntrack_cut_forwards() - those that came by one of these, sorted as in act_nat.c */
void conntrack_cut_forwards(const struct host_forward *list, size_t n);

/* conntrack_cut_guests() - those of guests, in either direction */
void conntrack_cut_guests(const struct host_iface *iface);

/* conntrack_flows() - up to @room of those of guests; Return: how many there are, or negative errno */
long conntrack_flows(const struct host_iface *iface, struct host_flow *list, size_t room);

#endif
