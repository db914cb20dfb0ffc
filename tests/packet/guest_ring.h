/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/guest_ring.h - the driver's side of a virtqueue, made for rate: the load of tests/bench/vhostgen.c
 *
 * Sources: virtio 1.2, 2.7 (split), 2.8 (packed). Every buffer is one descriptor (or one indirect table), each of a ring's `size`
 * descriptors has a buffer of its own, and bursts are whole rings, so that a turn costs this side a few cache lines for many
 * frames. The order in which buffers are given is the order in which they came back. One thread.
 *
 * The device is trusted to be a working one: ids out of range end in a fault, and no more is checked here.
 */
#ifndef TESTS_PACKET_GUEST_RING_H
#define TESTS_PACKET_GUEST_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

enum { GUEST_RING_MAX = 32768, GUEST_HEADER = 12 };

struct guest_ring {
	/* set by the owner, then guest_ring_init() */
	uint16_t size;			/* a power of two */
	bool packed, in_order, event_idx;
	bool indirect;			/* header and frame in a table of two */
	bool transmit;			/* buffers are read by the device */
	bool ids;			/* transmit, split: read which buffers came back, and not only how many */
	uint32_t length;		/* bytes of a buffer */
	uint32_t stride;		/* from buffer to buffer */
	uint32_t buffers;		/* `size`, or more: then descriptors take them in turn */
	uint64_t gpa;			/* guest address of the first buffer */
	uint64_t area_gpa;		/* guest address of the area that guest_ring_area() asked for */
	uint8_t *area;			/* the same here */
	uint8_t *memory;		/* the first buffer here */
	uint32_t *lengths;		/* bytes of each buffer, where there is one for each descriptor; NULL: `length` of all */
	int kick;			/* eventfd, non-blocking */

	/* kept by the ring */
	uint8_t *desc, *driver, *device;	/* the three parts, for vhost_front_start() */
	uint64_t given, back;		/* buffers, since the beginning */
	uint64_t kicks;
	uint32_t turn;			/* next buffer where there are more than descriptors */
	uint16_t *order;		/* packed: ids, where split has the avail ring */
	struct vring_used_elem *used;	/* of the last guest_ring_collect(), in order */
	const char *fault;
};

/* guest_ring_area() - bytes of guest memory that a ring of @size takes, tables included; a multiple of a page */
size_t guest_ring_area(uint16_t size);

/* guest_ring_init() - an empty ring; Return: 0 or -ENOMEM */
int guest_ring_init(struct guest_ring *r);
void guest_ring_fini(struct guest_ring *r);

/* guest_ring_base() - for SET_VRING_BASE: behind all that was collected; packed: twice the place and, in bit 15, the wrap counter */
static inline uint32_t guest_ring_base(const struct guest_ring *r)
{
	uint32_t place = (uint32_t)(r->back & (r->size - 1u)) | (r->back & r->size ? 0 : 0x8000);

	return r->packed ? place << 16 | place : (uint16_t)r->back;
}

/* guest_ring_collect() - buffers that the device has done with
 * Return: how many; r->used[0..n-1] says which and how long, but not for a split transmit ring without `ids`.
 */
unsigned guest_ring_collect(struct guest_ring *r);

/* guest_ring_room() - how many can be given; guest_ring_next() - the @k-th buffer from here that will be */
static inline unsigned guest_ring_room(const struct guest_ring *r)
{
	return r->size - (unsigned)(r->given - r->back);
}
uint8_t *guest_ring_next(const struct guest_ring *r, unsigned k);

/* guest_ring_buffer() - the buffer of descriptor @id of a ring with as many buffers as descriptors */
static inline uint8_t *guest_ring_buffer(const struct guest_ring *r, uint32_t id)
{
	return r->memory + (size_t)id * r->stride;
}

/* guest_ring_set_length() - what @buffer will hold when it is given next; with r->lengths */
static inline void guest_ring_set_length(struct guest_ring *r, const uint8_t *buffer, uint32_t length)
{
	r->lengths[(size_t)(buffer - r->memory) / r->stride] = length;
}

/* guest_ring_want_call() - be called for the next buffer that comes back, or for none. Return: has one come back already? */
bool guest_ring_want_call(struct guest_ring *r, bool want);

/* guest_ring_give() - the next @n buffers to the device, which is kicked if it asked for that */
void guest_ring_give(struct guest_ring *r, unsigned n);

#endif
