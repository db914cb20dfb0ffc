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

/* live_ra_past.c: what was told outlives the engine. It is stored when it is told first, and, once it is told no more, until when guests may
 * have addresses of it.
 * live_ra_note() - @net is about to tell the prefixes of its segments
 * live_ra_over() - it tells this one no more: of a segment with this @vid
 * live_ra_read() - at the start, before anything is written; live_ra_place() - to the networks there are; takes @rows, which may be NULL
 * live_ra_again() - the store was begun anew
 */
struct engine;
struct live_ra_rows;
void live_ra_note(struct live_net *net);
void live_ra_over(struct live_net *net, const struct live_ra_old *old);
struct live_ra_rows *live_ra_read(struct engine *e);
void live_ra_place(struct engine *e, struct live_ra_rows *rows);
void live_ra_again(struct live_net *net);

/* live_ra_keep() - tell that one as deprecated. live_ra_vid() - that of a segment: those of one port each are all VLAN 1 to the port */
void live_ra_keep(struct live_net *net, struct live_ra_old old);
uint16_t live_ra_vid(const struct live_segment *seg);

/* live_ra_fill() - what they say of a segment that has an IPv6 subnet */
void live_ra_fill(struct segment *to, const struct live_segment *from);

#endif
