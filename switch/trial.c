// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/trial.h"

#include <errno.h>

#include "switch/burst.h"
#include "switch/service.h"
#include "switch/worker.h"

void trial_note(struct trial *t, const struct port_view *to)
{
	if (t->nports < TRIAL_PORTS)
		t->ports[t->nports] = to->port->id;
	t->nports++;
}

/* try_destination() - of an admitted frame, what the FDB and the walk's decision say */
static enum verdict try_destination(struct burst *b, struct frame *f, struct trial *t)
{
	uint64_t key = burst_wanted(b, f);

	t->looked_up = key && !b->in->net->wire;
	t->lives_at = -ENOENT;
	if (t->looked_up)
		t->lives_at = fdb_lookup(b->in->net->fdb, f->vid, frame_dst(f), worker_now_ms(b->w));
	if (t->looked_up && key == fdb_key(f->vid, frame_src(f)))	/* a station that is learnt from the very frame is known to it */
		t->lives_at = (int32_t)b->in->port->id;
	return burst_decide(b, f, key, t->lives_at);
}

void forward_trial(struct worker *w, struct outbox *out, const struct snapshot *snap, const struct port_view *in, struct frame *f,
		   struct trial *t)
{
	struct arrival a;
	struct burst b;

	*t = (struct trial){ .stop = TRIAL_ADMISSION, .out = out };
	burst_init(&b, w, out, snap, in);
	b.trial = true;
	out->trial = t;
	b.verdict[0] = (uint8_t)admit_frame(&b, f);
	t->vid = f->vid;
	if (b.verdict[0] == VERDICT_FORWARDED && in->stages_in) {
		t->stop = TRIAL_STAGES;
		stages_in(&b, f, 1);
	}
	if (b.verdict[0] == VERDICT_FORWARDED) {
		t->stop = TRIAL_DESTINATION;
		b.verdict[0] = (uint8_t)try_destination(&b, f, t);
	}
	outbox_flush(w, out);
	if (b.local[0] && burst_arrive(&b, f, t, &a)) {
		t->served = true;
		t->service = local_input(w, &a, b.unicast[0]);
	}
	if (t->served && b.unicast[0]) {
		t->stop = TRIAL_SERVICE;
		b.verdict[0] = (uint8_t)t->service;
	}
	t->verdict = b.verdict[0];
	t->out = NULL;
}

void forward_trial_made(struct worker *w, uint32_t from, struct frame *f, struct trial *t)
{
	const struct snapshot *snap = worker_snapshot(w);
	struct burst b;

	t->made = true;
	t->beyond = VERDICT_DROP_NO_DESTINATION;
	if (from >= snap->nports || !snap->ports[from].port)
		return;
	burst_init(&b, w, t->out, snap, &snap->ports[from]);
	b.trial = true;
	if (b.in->stages_in)
		stages_in(&b, f, 1);
	t->beyond = b.verdict[0] == VERDICT_FORWARDED ? try_destination(&b, f, t) : b.verdict[0];
	outbox_flush(w, t->out);
}
