/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_ra.h - unsolicited router advertisements of a network, at random times (RFC 4861 6.2.4), and what they say. Control thread. */
#ifndef CTL_LIVE_RA_H
#define CTL_LIVE_RA_H

#include "switch/snapshot.h"

struct live_net;
struct live_segment;

/* live_ra_old - a prefix that guests of a segment may have addresses of from before */
struct live_ra_old {
	uint16_t vid;
	struct prefix6 prefix;
	uint64_t until_ms;		/* monotonic; 0: none */
};

enum { LIVE_RA_OLD = 16 };		/* of a network; the one that ends first gives way */

/* live_ra_start() - from now on, if not already; a network none of whose segments has an IPv6 subnet has none. Return: 0 or -ENOMEM. live_ra_free() - no more. */
int live_ra_start(struct live_net *net);
void live_ra_free(struct live_net *net);

/* live_ra_soon() - what they tell is another thing now: at once, or when there was one just now soon, and a few times more */
void live_ra_soon(struct live_net *net);

/* live_ra_bye() - tell guests that this gateway and its prefix are to be used no more (RFC 4861 6.2.5), while the network is published
 * live_ra_stop() - that it rests: their addresses are good still */
void live_ra_bye(struct live_net *net);
void live_ra_stop(struct live_net *net);

/* live_ra_retire() - the segment's prefix is not @net's any more, which tells its guests so for as long as they may have addresses of it
 * live_ra_inherit() - as a network of the same name did before */
void live_ra_retire(struct live_net *net, const struct live_segment *seg);
void live_ra_inherit(struct live_net *net, const struct live_net *from);

/* live_ra_fill() - what they say of a segment that has an IPv6 subnet */
void live_ra_fill(struct segment *to, const struct live_segment *from);

#endif
