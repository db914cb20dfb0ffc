// SPDX-License-Identifier: GPL-2.0-or-later
/* Events that only counters know of (ctl/live.h): while somebody listens, they are compared once a second with what they were. So
 * the frame path does nothing for it, and a guest that is refused a million frames makes one event a second. */
#include <stdlib.h>
#include <string.h>

#include "ctl/api.h"
#include "ctl/engine.h"
#include "nat/forward.h"

/* grown() - by how much since the last time */
static uint64_t grown(uint64_t *told, uint64_t now)
{
	uint64_t before = *told;

	*told = now;
	return now > before ? now - before : 0;
}

static void tell_drops(struct live_port *p, bool first)
{
	struct port_stats sum;

	if (!p->drops_told)
		p->drops_told = calloc(VERDICT_COUNT, sizeof(*p->drops_told));
	if (!p->drops_told)
		return;
	live_port_sum(p, &sum);
	for (unsigned v = 0; v < VERDICT_COUNT; v++) {
		uint64_t n = grown(&p->drops_told[v], counter_get(&sum.verdicts[v]));

		if (n && !first && verdict_is_drop(v))
			api_event(p->net->engine->api, p->net->name, p->name,
				  json_pack("{s:s s:s s:I s:s}", "event", "drop", "verdict", verdict_name(v), "count", (json_int_t)n,
					    "meaning", verdict_meaning(v)));
	}
}

static void tell_hits(struct live_forward *f, bool first)
{
	struct forward_counts sum;
	uint64_t n;

	live_forward_sum(f, &sum);
	n = grown(&f->hits_told, sum.hits);
	if (n && !first)
		api_event(f->net->engine->api, f->net->name, f->conf->to[0] ? f->conf->to : NULL,
			  json_pack("{s:s s:s s:I}", "event", "forward-hit", "id", f->id, "count", (json_int_t)n));
}

void live_tell_counts(struct engine *e, bool first)
{
	for (struct live_net *net = e->nets; net; net = net->hh.next) {
		for (struct live_port *p = net->ports; p; p = p->hh.next)
			tell_drops(p, first);
		for (struct live_forward *f = net->forwards; f; f = f->hh.next)
			tell_hits(f, first);
	}
}
