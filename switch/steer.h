/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/steer.h - which queue of a multiqueue port a flow goes to
 *
 * virtio 1.2, 5.1.6.5.6 (automatic receive steering): frames of a flow go to the receive queue of the pair that the guest last sent
 * that flow on, so that a guest decides by itself which of its cores works on which connection. A flow that the guest has
 * not sent on goes where its hash says. The hash is the same for both directions.
 *
 * Written by the owner worker of each queue, read by every worker that sends: single bytes, of which an old one does no harm.
 */
#ifndef SWITCH_STEER_H
#define SWITCH_STEER_H

#include <stdatomic.h>
#include <stdint.h>

struct frame;

enum { STEER_FLOWS = 1024 };

struct steer {
	_Atomic uint8_t queue[STEER_FLOWS];	/* index plus one; 0: not known */
};

/* flow_hash() - of addresses and ports, equal for both directions; a frame without them by its MAC addresses
 * Reads the head of an untagged frame of at least an Ethernet header.
 */
uint32_t flow_hash(const struct frame *frame);

/* steer_learn() - these untagged frames were received from queue @index */
void steer_learn(struct steer *steer, unsigned index, const struct frame *frames, unsigned n);

/* steer_choose() - the queue below @nqueues that the frame goes to */
unsigned steer_choose(const struct steer *steer, const struct frame *frame, unsigned nqueues);

#endif
