/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/guest_life.h - guests that come and go under traffic, and back-ends that do: for tests/bench/vhostgen.c
 *
 * A guest whose connection has ended plugs in again with its rings as they are, as a virtual machine's monitor does. And as often
 * as asked for a guest leaves of its own accord, each in its turn: first after taking its rings back, later without a word. One thread.
 */
#ifndef TESTS_PACKET_GUEST_LIFE_H
#define TESTS_PACKET_GUEST_LIFE_H

#include "tests/packet/virtio_guest.h"

struct guest_life {
	struct vguest *guests;		/* borrowed, like the other two */
	unsigned n;
	const char *const *sockets;	/* of each guest, or NULL: */
	const int *listeners;		/* it is dialled here */
	unsigned leaves;		/* so many times a guest is to leave */

	unsigned left, returned;	/* guests so far, */
	uint64_t silence_ms;		/* and the longest time without a frame received */
	uint64_t looked_ms, left_ms, heard_ms, heard;	/* when last; frames until then */
};

/* guest_life_look() - to be called all the time; waits for back-ends that are away, and ends the process when one does not come */
void guest_life_look(struct guest_life *life);

#endif
