/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_guard.h - a guard between an interface and the host's own network stack: nothing passes, either way
 *
 * Two traffic-control filters (tc(8), clsact) of one instruction each, "drop". A packet socket gets what arrives before the one looks
 * at it, and what it sends with PACKET_QDISC_BYPASS goes past the other: so the socket has the interface to itself, and
 * addresses, ARP, IPv6, routes and firewall rules of the host mean nothing to what is behind it. Filters of others are never
 * touched: where there are some, the guard is refused. The guard goes with the interface. Needs CAP_NET_ADMIN. For a program that acts.
 */
#ifndef CTL_ACT_GUARD_H
#define CTL_ACT_GUARD_H

#include "base/error.h"

/* guard_set() - put it up on interface @ifindex; one that is there already (the last keeper was killed) is ours
 *
 * Return: 0, or a negative errno with @err (-EBUSY: somebody else's filters; -EPERM; -ENOENT: the kernel has no cls_bpf).
 */
int guard_set(int ifindex, struct error *err);

/* guard_clear() - take it down, and clsact where no other filter is left in it */
void guard_clear(int ifindex);

#endif
