/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_tap.h - a TAP's further queues, one for each worker up to TAP_QUEUES_MAX (control thread)
 *
 * The first descriptor is opened as any port's; where its interface takes several, the keeper is asked for more of it under the same
 * name and a number. With fewer than were wished for the port runs all the same.
 */
#ifndef CTL_LIVE_TAP_H
#define CTL_LIVE_TAP_H

#include "ctl/engine.h"

/* live_tap_new() - a port on @fd (taken) and what more there is; on failure @fd stays the caller's. Return: as tap_new() */
struct port *live_tap_new(struct live_port *p, int fd);

/* live_tap_holds() - does the keeper hold a further queue of the port under this name? */
bool live_tap_holds(const struct live_port *p, const char *name);

/* live_tap_drop_more() - the keeper need not keep them any more */
void live_tap_drop_more(struct live_port *p);

#endif
