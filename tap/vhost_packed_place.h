/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_packed_place.h - where a device goes on in a packed ring that it does not know: the ring itself tells
 *
 * A packed ring keeps no index in memory. A front-end that lost its back-end cannot say how far it came: QEMU then gives the base that
 * it gave at the start, which for a ring that has run is wrong, and nothing would move any more. But each descriptor's two flags
 * (virtio 1.2, 2.8.1) say in which lap it was made available and used. With w the wrap counter of the device's place, a
 * ring whose buffers take one descriptor each, and come back in order, reads from its start:
 *
 *	avail used	(x: the other value than w)
 *	  x    w	available for the next lap; there are some only if the driver has wrapped
 *	  w    w	used in this lap
 *	  w    x	available: the first of these is the device's place
 *	  x    x	used in the lap before, and none of them if the driver has wrapped
 *
 * A ring that was never used is all zeros, and its place is the start. Pure; @desc may change meanwhile, as it is the guest's.
 */
#ifndef TAP_VHOST_PACKED_PLACE_H
#define TAP_VHOST_PACKED_PLACE_H

#include <stdbool.h>
#include <stdint.h>

/* vhost_packed_place() - the place in *at, its wrap counter in bit 15; false: this ring does not read so, and *at stays
 * @desc:	@size descriptors, aligned to 16
 */
bool vhost_packed_place(const uint8_t *desc, uint16_t size, uint16_t *at);

#endif
