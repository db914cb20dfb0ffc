/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/guest_attach.h - a driver's memory and rings given to a vhost-user port in the same process, without a front-end */
#ifndef TESTS_PACKET_GUEST_ATTACH_H
#define TESTS_PACKET_GUEST_ATTACH_H

#include "tap/vhost.h"
#include "tap/vhost_memory.h"
#include "tests/packet/vring_driver.h"

/* guest_memory() - the driver's memory as a table for vhost_set_memory(); NULL when it is refused */
struct vhost_memory *guest_memory(const struct driver *d);

/* guest_start_ring() - start and enable @ring of a paused port, from its beginning; @saved is the ring's as long as it runs
 * guest_go_on() - the same, from where @saved says */
bool guest_start_ring(struct port *port, struct driver *d, const struct vhost_memory *memory, unsigned ring, int kick, int call,
		      struct vring_saved *saved);
bool guest_go_on(struct port *port, struct driver *d, const struct vhost_memory *memory, unsigned ring, int kick, int call,
		      struct vring_saved *saved);

#endif
