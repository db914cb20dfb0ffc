/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/apply_view.h - running objects as the workers are to see them (control thread) */
#ifndef CTL_APPLY_VIEW_H
#define CTL_APPLY_VIEW_H

#include <stdbool.h>

struct live_net;
struct net_view;
struct snapshot;

/* apply_view_net() - fill a network's view, and those of its ports, in a snapshot that is being made, which owns what is allocated
 * Return: was there memory?
 */
bool apply_view_net(struct snapshot *s, struct net_view *view, const struct live_net *net);

#endif
