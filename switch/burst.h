/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/burst.h - the frames of one port while they are on their way through the walk; for the files that are the walk
 *
 * forward.c moves bursts, admit.c lets frames into VLANs, and the stages (stage.h) look at them in between. A burst lives on the
 * stack of the worker that received it.
 */
#ifndef SWITCH_BURST_H
#define SWITCH_BURST_H

#include <stdint.h>
#include <string.h>

#include "switch/fdb.h"
#include "switch/forward.h"
#include "switch/observe.h"
#include "switch/snapshot.h"
#include "switch/stage.h"

struct burst {
	struct worker *w;
	struct outbox *out;
	const struct snapshot *snap;
	const struct port_view *in;
	const struct segment *segment;		/* of the last frame looked at; bursts rarely mix VLANs */
	struct out_list *list;			/* of the last destination; bursts rarely mix those either */
	struct seen *seen;			/* how the frames came; NULL for what services made */
	bool any_local;
	bool trial;				/* the frames are not real: decide, but count, take and remember nothing */
	uint8_t verdict[BURST_MAX];		/* enum verdict */
	bool local[BURST_MAX];			/* a copy goes to the gateway's services */
	bool unicast[BURST_MAX];		/* it was addressed to the gateway */
};

static inline void burst_init(struct burst *b, struct worker *w, struct outbox *out, const struct snapshot *snap,
			      const struct port_view *in)
{
	b->w = w;
	b->out = out;
	b->snap = snap;
	b->in = in;
	b->segment = NULL;
	b->list = NULL;
	b->seen = NULL;
	b->any_local = false;
	b->trial = false;
	memset(b->verdict, VERDICT_FORWARDED, sizeof(b->verdict));
	memset(b->local, 0, sizeof(b->local));
	memset(b->unicast, 0, sizeof(b->unicast));
}

/* burst_verdict() - what became of frame @i, when the burst has been sent: one that its one destination did not take was dropped */
static inline unsigned burst_verdict(const struct burst *b, const struct frame *f, unsigned i)
{
	return b->verdict[i] == VERDICT_FORWARDED && !f->copies ? VERDICT_DROP_TX : b->verdict[i];
}

/* burst_segment() - the segment that the frame is on, or NULL */
static inline const struct segment *burst_segment(struct burst *b, const struct frame *f)
{
	if (!b->segment || b->segment->vid != f->vid)
		b->segment = segment_at(b->in, f->vid);
	return b->segment;
}

/* burst_wanted() - the key to look the destination up by; 0 for a group and for the gateway, whose places are known */
static inline uint64_t burst_wanted(struct burst *b, const struct frame *f)
{
	const struct segment *seg = burst_segment(b, f);

	if (mac_is_group(frame_dst(f)) || (seg && seg->has_subnet && mac_word(frame_dst(f)) == mac_word(seg->gateway_mac)))
		return 0;
	return fdb_key(f->vid, frame_dst(f));
}

/* trains - the admitted frames of a burst, in order, those of one conversation that follow one another taken together: each
 * train is learnt and looked up once, by its first frame */
struct trains {
	unsigned n;
	uint64_t src[BURST_MAX], dst[BURST_MAX];	/* fdb_key() of who sent it and who is to get it; see burst_wanted() */
	int32_t to[BURST_MAX];			/* port id, or -ENOENT */
	uint8_t of[BURST_MAX];			/* by frame: its train */
};

/* admit_burst() - from the wire into VLANs: tag, sizes, offload request, addresses; sets b->verdict, and makes trains of what is admitted
 * Return: bytes received.
 */
uint64_t admit_burst(struct burst *b, struct trains *t, struct frame *frames, unsigned n);

/* admit_frame() - the same decision about one frame; Return: FORWARDED or the drop */
enum verdict admit_frame(struct burst *b, struct frame *f);

/* admit_again() - make the trains anew of what is still FORWARDED */
void admit_again(struct burst *b, struct trains *t, struct frame *frames, unsigned n);

/* burst_decide() - file one admitted frame, the first of the burst, for where it goes; @key, @id: as looked up. Return: the verdict as far as
 *	it is known before the flush
 * burst_arrive() - *a: the arrival of a copy at the gateway and the services of its segment, of a trial where @t is one. Return: is
 *	there anybody?
 * outbox_flush() - send what was filed, or of a trial only note where to
 */
struct arrival;
enum verdict burst_decide(struct burst *b, struct frame *f, uint64_t key, int32_t id);
bool burst_arrive(struct burst *b, const struct frame *f, struct trial *t, struct arrival *a);
void outbox_flush(struct worker *w, struct outbox *out);

/* stage_out() - may the frame be filed for @to? */
static inline enum verdict stage_out(struct burst *b, const struct port_view *to, struct frame *f)
{
	return __builtin_expect(to->stages_out, 0) ? stages_out(b, to, f) : VERDICT_FORWARDED;
}

#endif
