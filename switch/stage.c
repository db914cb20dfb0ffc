// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/stage.h"

#include "switch/burst.h"
#include "switch/guard.h"
#include "switch/port_policy.h"
#include "switch/shape.h"

void stages_in(struct burst *b, struct frame *frames, unsigned n)
{
	const uint32_t on = b->in->stages_in;

	if (on & STAGE_GUARD)
		guard_burst(b, frames, n);
	if (on & STAGE_POLICY)
		policy_in(b, frames, n);
}

enum verdict stages_out(struct burst *b, const struct port_view *to, struct frame *f)
{
	const uint32_t on = to->stages_out;

	if (on & b->in->stages_out & STAGE_ISOLATED)
		return VERDICT_DROP_ISOLATED;
	if (on & STAGE_POLICY) {
		enum verdict v = policy_out(b, to, f);

		if (v != VERDICT_FORWARDED)
			return v;
	}
	return on & STAGE_SHAPE && shape_is_full(to->shape) ? VERDICT_DROP_SHAPE : VERDICT_FORWARDED;
}
