/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_guard.h - guards of running ports: made from their settings, told of their leases
 *
 * Control thread. A guard that was replaced lives on until a snapshot without it has been published (live_guard_settle()).
 */
#ifndef CTL_LIVE_GUARD_H
#define CTL_LIVE_GUARD_H

#include <stdbool.h>

struct engine;
struct live_net;
struct live_port;
struct net_view;
struct port_view;

/* live_guard_configure() - make the guards of the network's ports agree with their settings; before publishing */
void live_guard_configure(struct live_net *net);

/* live_guard_fill() - the port's view gets its guard and the stages that its settings ask for; Return: false when out of memory */
bool live_guard_fill(struct port_view *view, const struct live_port *p);

/* live_guard_leases() - the addresses leased to the port may have changed */
void live_guard_leases(struct live_port *p);

/* live_guard_leave() - the port goes; after a snapshot without it was published. live_guard_settle() - free what was replaced, likewise */
void live_guard_leave(struct live_port *p);
void live_guard_settle(struct engine *e);

#endif
