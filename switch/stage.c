// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/stage.h"

#include "switch/burst.h"

void stages_in(struct burst *b, struct frame *frames, unsigned n)
{
	(void)b, (void)frames, (void)n;
}

enum verdict stages_out(struct burst *b, const struct port_view *to, struct frame *f)
{
	const uint32_t on = to->stages_out;

	(void)f;
	if (on & b->in->stages_out & STAGE_ISOLATED)
		return VERDICT_DROP_ISOLATED;
	return VERDICT_FORWARDED;
}
