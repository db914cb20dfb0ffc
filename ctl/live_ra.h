/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_ra.h - unsolicited router advertisements of a network, at random times (RFC 4861 6.2.4). Control thread. */
#ifndef CTL_LIVE_RA_H
#define CTL_LIVE_RA_H

struct live_net;

/* live_ra_start() - from now on, if not already; a network none of whose segments has an IPv6 subnet has none. Return: 0 or -ENOMEM. live_ra_free() - no more. */
int live_ra_start(struct live_net *net);
void live_ra_free(struct live_net *net);

/* live_ra_soon() - what they tell is another thing now: at once, and a few times more */
void live_ra_soon(struct live_net *net);

/* live_ra_bye() - tell guests that this gateway and its prefix are to be used no more (RFC 4861 6.2.5), while the network is published */
void live_ra_bye(struct live_net *net);

#endif
