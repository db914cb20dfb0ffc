// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/stage.h"

#include "switch/burst.h"
#include "switch/guard.h"
#include "switch/hostway.h"
#include "switch/port_policy.h"
#include "switch/shape.h"

/* refuse_all() - of a burst from a mirror port */
static void refuse_all(struct burst *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (b->verdict[i] == VERDICT_FORWARDED)
			b->verdict[i] = VERDICT_DROP_MIRROR;
}

void stages_in(struct burst *b, struct frame *frames, unsigned n)
{
	const uint32_t on = b->in->stages_in;

	if (on & STAGE_MIRROR) {
		refuse_all(b, n);
		return;
	}
	if (on & STAGE_GUARD)
		guard_burst(b, frames, n);
	if (on & STAGE_POLICY)
		policy_in(b, frames, n);
}

enum verdict stages_out(struct burst *b, const struct port_view *to, struct frame *f)
{
	const uint32_t on = to->stages_out;
	enum verdict v = VERDICT_FORWARDED;

	if (on & STAGE_MIRROR)
		return VERDICT_DROP_NO_DESTINATION;	/* as if it were not there */
	if (on & b->in->stages_out & STAGE_ISOLATED)
		return VERDICT_DROP_ISOLATED;
	if (on & STAGE_SOURCE && !b->in->local)
		v = hostway_from_guest(b->snap, b->in, segment_at(to, f->vid), f);
	if (on & STAGE_POLICY && v == VERDICT_FORWARDED)
		v = policy_out(b, to, f);
	if (v != VERDICT_FORWARDED)
		return v;
	return on & STAGE_SHAPE && shape_is_full(to->shape) ? VERDICT_DROP_SHAPE : VERDICT_FORWARDED;
}
