/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_ways.h - lanyard-ways: how packets get to guests where the host alone can lead them there
 *
 * Of a bridged network these are filters of the host's NIC (ctl/act_wire.h), of one whose guests are delegated prefixes, routes to them
 * (ctl/act_delegated.h). The keeper has them made when lanyard-iface has made the interface, and taken away before it is another one or goes.
 *
 * Return: 0, or negative errno with @r filled in.
 */
#ifndef CTL_ACT_WAYS_H
#define CTL_ACT_WAYS_H

#include "ctl/act.h"

/* ways_has() - does such an interface have any? */
static inline bool ways_has(const struct host_iface *m)
{
	return m->bridged || m->pool6_len;
}

/* ways_open() - have what is there from the start; what was done until an error is in the journal */
int ways_open(const struct host_iface *m, struct host_reply *r);

/* ways_wire() - the guests of a bridged network, of which @about is the interface */
int ways_wire(const struct host_wire *m, const struct act_about *about, struct host_reply *r);

#endif
