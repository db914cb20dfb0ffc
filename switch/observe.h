/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/observe.h - who looks at the frames of a port: captures, and ports that get a copy of everything (mirrors)
 *
 * A port's view lists its observers; mostly there are none, and the walk tests for that once a burst on the way in and once a destination
 * on the way out. Observers change nothing: verdicts, copies and bytes are as without them. They see frames as they stand on the wire at
 * that port, tags included.
 *
 *	in	all that was received, dropped frames too, when the verdict is known; what the services made, at the local port
 *	out	what was sent to the port, whether it took it or not; what the services were handed, at the local port
 *
 * A mirror gets what is in at least an Ethernet header long. Its copies are counted at the port that gets them, as queued and sent or
 * dropped like any others, and as `mirrored` besides. They pass no stage, and no copy is copied again.
 */
#ifndef SWITCH_OBSERVE_H
#define SWITCH_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "switch/filter.h"
#include "switch/port.h"
#include "switch/vlan.h"

struct burst;
struct capture;
struct port_view;
struct recorder;
struct snapshot;
struct worker;

struct observer {
	struct capture *capture;	/* borrowed; outlives the snapshot; or: */
	struct recorder *recorder;	/* borrowed, likewise; or: */
	const struct port_view *mirror;	/* the port that gets copies, of the same network */
	uint8_t ways;			/* enum capture_way */
	bool some_vlans;		/* only those of: */
	uint64_t vlans[VID_WORDS];
};

/* observer_add() - one more at @view, which is not published yet; all zeros, freed with the snapshot. NULL: no memory; control thread */
struct observer *observer_add(struct port_view *view);

/* seen - how the frames of a burst came, of those that had tags */
struct seen {
	uint64_t tagged;		/* a bit for each; of the others nothing else is filled in */
	uint32_t len[BURST_MAX];	/* on the wire */
	uint8_t tags[BURST_MAX][FILTER_TAGS];
};

/* seen_tags() - note frame @i, which seems to have tags, before they are taken out */
void seen_tags(struct seen *seen, const struct frame *frame, unsigned i);

/* observe_in() - let the observers of b->in see what it received or made, when the verdicts are known */
void observe_in(const struct burst *b, const struct frame *frames, unsigned n);

/* observe_out() - what was sent to @to; @taken: the bits that port_tx() gave. The frames are still there. */
void observe_out(struct worker *w, const struct port_view *to, const struct tx_frame *frames, unsigned n, uint64_t taken);

/* observe_one() - a frame that a service of the local port @port made (in), or was handed (out), without tags */
void observe_one(struct worker *w, const struct port_view *port, unsigned way, const struct frame *frame, enum verdict verdict);

#endif
