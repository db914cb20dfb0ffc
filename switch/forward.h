/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/forward.h - decide where each frame of a burst goes, file it there, and send
 *
 * forward_burst() is the walk of a frame: classify (VLAN), check the source, learn, look up, file under each
 * destination; then one transmit burst per destination; then the frames for the gateway are handed to its
 * services. Every frame ends in one verdict, counted at the port it came from.
 */
#ifndef SWITCH_FORWARD_H
#define SWITCH_FORWARD_H

#include "switch/port.h"

struct port_view;
struct snapshot;
struct trial;
struct worker;

/* OUT_LISTS - destinations with frames waiting at once; one more makes an early flush, nothing else */
enum { OUT_LISTS = 32, PORT_IDS = 8192 };

struct out_list {
	const struct port_view *to;
	unsigned n;
	struct tx_frame frames[BURST_MAX];
};

struct outbox {
	unsigned nlists;
	struct out_list lists[OUT_LISTS];
	uint8_t list_of[PORT_IDS];	/* by port id: index plus one, 0 for none */
	struct trial *trial;		/* nothing is sent: this is told where it would go; else NULL (switch/trial.h) */
};

/* forward_burst() - frames received from @in; the owner worker of the queue */
void forward_burst(struct worker *w, struct outbox *out, const struct snapshot *snap, const struct port_view *in,
		   struct frame *frames, unsigned n);

/* forward_made() - frames made by the services of the local port @from; frame->copies tells who was taken
 * Return: how many were taken by somebody.
 */
unsigned forward_made(struct worker *w, struct outbox *out, const struct snapshot *snap, const struct port_view *from,
		      struct frame *frames, unsigned n);

/* forward_made_to() - one frame made by a service, to one port whatever its destination address says; those that are given every frame get a
 * copy, but of probes for loops, which are the port's own affair */
bool forward_made_to(struct worker *w, struct outbox *out, const struct port_view *from, const struct port_view *to, struct frame *frame);

#endif
