/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/guest_totals.h - what all guests together have done so far; the caller takes differences */
#ifndef TESTS_PACKET_GUEST_TOTALS_H
#define TESTS_PACKET_GUEST_TOTALS_H

#include "tests/packet/virtio_guest.h"

struct guest_totals {
	uint64_t ns, ticks;		/* when */
	uint64_t sent, received, bytes, bad, twice, foreign, kicks;	/* as in struct vguest */
	uint64_t calls;			/* since they were last asked for */
};

struct guest_totals guest_totals(const struct vguest *guests, unsigned n);

#endif
