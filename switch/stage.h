/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/stage.h - what a port may have frames pass, beside the plain walk from port to port
 *
 * A port's view names its stages by bits: stages_in for frames that come from it, stages_out for those that go to it. Most ports have
 * none, and cost one test per burst on the way in and one per destination on the way out (switch/snapshot.h).
 *
 * On the way in a stage looks at a burst after admission and before the FDB: what it refuses is neither learnt nor looked up, and the
 * verdict is the stage's. On the way out it is asked about one frame and one destination, before the frame is filed: for a known
 * station, for each copy of a flood, for the host and for the services alike. A unicast frame that is refused ends in that
 * verdict; a copy that is refused is no copy, and only a flood of which nobody gets a copy ends in it. What the gateway and the services
 * make passes the same stages, but for STAGE_SOURCE.
 *
 * The stages stand in the order in which frames pass them. Each has its own file, and its decision is a function of its own that
 * neither counts nor remembers where burst.trial is set (switch/burst.h).
 */
#ifndef SWITCH_STAGE_H
#define SWITCH_STAGE_H

#include "switch/verdict.h"

struct burst;
struct frame;
struct port_view;

enum stage {
	STAGE_ISOLATED = 1 << 0,	/* out: nothing from other ports that have this bit */
	STAGE_GUARD = 1 << 1,		/* in: switch/guard.h */
	STAGE_SOURCE = 1 << 2,		/* out: nothing that a guest says under somebody else's address (hostway_from_guest()) */
	STAGE_MIRROR = 1 << 7,		/* in, out: nothing: the port gets copies of others' frames, and those alone (switch/observe.h) */
	STAGE_POLICY = 1 << 8,		/* in, out: the rules of the port (switch/port_policy.h) */
	STAGE_SHAPE = 1 << 12,		/* out: nothing while the queue to a port of limited rate is full (switch/shape.h) */
};

/* stages_in() - have the frames of a burst pass the stages of b->in; b->verdict[i] is set of those that are refused */
void stages_in(struct burst *b, struct frame *frames, unsigned n);

/* stages_out() - may this frame go to @to? Return: FORWARDED or a drop. stage_out() asks only where there is something to ask. */
enum verdict stages_out(struct burst *b, const struct port_view *to, struct frame *f);

#endif
