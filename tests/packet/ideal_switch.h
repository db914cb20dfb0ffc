/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/ideal_switch.h - what this machine allows: a thread that moves frames between guests of its own process
 *
 * It does the least that any switch must on the same rings (split, one descriptor a frame), with every cache miss of a burst
 * overlapped: no checks, no learning that others can see, no floods, no VLANs, nothing counted. A real switch is below it.
 */
#ifndef TESTS_PACKET_IDEAL_SWITCH_H
#define TESTS_PACKET_IDEAL_SWITCH_H

#include "tests/packet/virtio_guest.h"

enum ideal_work {
	IDEAL_RINGS = 1,		/* descriptors only: the load's own limit */
	IDEAL_COPY,			/* and every byte, once */
	IDEAL_SWITCH,			/* and a table of addresses: source kept, destination looked up */
};

/* ideal_switch_start() - between guests 2i and 2i+1 of @guests, pinned to @cpu, for as long as the process lives
 * The guests are not plugged in anywhere, and have split rings. Return: 0 or a negative errno.
 */
int ideal_switch_start(struct vguest *guests, unsigned n, enum ideal_work work, unsigned cpu);

#endif
