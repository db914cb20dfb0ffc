/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/vring_driver.h - the guest's side of virtqueues, for tests: rings and buffers in a memfd, and no sockets
 *
 * Sources: virtio 1.2, 2.7 (split), 2.8 (packed), 5.1.6 (network device, buffers). Written from the text alone and sharing nothing
 * with tap/, so that both sides can be wrong only apart. It is strict: whatever a device must not do (a used element for a
 * buffer that it was not given, a byte written beside a buffer or into one that is only to be read, a mergeable frame that leaves
 * room unused) is -EPROTO, and driver_fault() says what it was.
 *
 * Ring 2i is the receive queue of pair i, ring 2i+1 its transmit queue, as in tap/vhost.h. One thread per ring; a mutator thread
 * may write into guest memory at any time: what the driver remembers is kept elsewhere.
 */
#ifndef TESTS_VRING_DRIVER_H
#define TESTS_VRING_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

enum {
	DRIVER_PAIRS_MAX = 8, DRIVER_REGIONS_MAX = 16, DRIVER_PIECES_MAX = 1100,
	DRIVER_FRAME_MAX = 65536 + 14 + 8,	/* a header and two tags */
	DRIVER_HEADER = 12,			/* bytes of the header with VERSION_1 or MRG_RXBUF; else 10 */
};

struct driver;

struct driver_conf {
	uint64_t features;	/* as negotiated: RING_PACKED, IN_ORDER, EVENT_IDX, INDIRECT_DESC, MRG_RXBUF, VERSION_1 matter here */
	unsigned pairs;		/* queue pairs; 0: one */
	uint16_t size;		/* of each ring; 0: 256 */
	uint32_t room;		/* bytes of header, frame and all gaps of a buffer, each way; 0: 2048, at most 1 MiB */
	unsigned regions;	/* pieces of guest memory, laid out backwards in the file; 0: one. Rings lie in the first */
	uint64_t gap;		/* guest addresses between two regions; 0: adjacent, and buffers cross from one into the next */
	uint64_t spare;		/* bytes for driver_alloc(); 0: 1 MiB */
	uint64_t file_offset;	/* where in the file memory begins, need not be a multiple of a page */
};

/* driver_new() - guest memory and its rings, empty
 * Return: NULL with errno (EINVAL, ENOMEM).
 */
struct driver *driver_new(const struct driver_conf *conf);
void driver_free(struct driver *d);		/* NULL is fine */

/* driver_fault() - what the device did that it must not, or "" */
const char *driver_fault(const struct driver *d);

/* --- memory --- */

struct driver_region {
	uint64_t gpa, size, user, offset;	/* as in a vhost-user memory region; user is not an address of this process */
};

int driver_fd(const struct driver *d);		/* the memfd; borrowed */
unsigned driver_regions(const struct driver *d, struct driver_region regions[DRIVER_REGIONS_MAX]);	/* sorted by gpa */

/* driver_at() - the byte of guest memory at @gpa, here, or NULL; @room (may be NULL) says how many follow it in one piece */
uint8_t *driver_at(const struct driver *d, uint64_t gpa, uint64_t *room);
uint64_t driver_user(const struct driver *d, uint64_t gpa);	/* the front-end's address for it, or 0 */

/* driver_alloc() - @bytes of spare guest memory in one region, zero, for what a test builds itself
 * Return: guest address, or 0 when all is used up. Never given back.
 */
uint64_t driver_alloc(struct driver *d, uint64_t bytes, uint64_t align);

/* --- rings as a front-end announces them, and raw --- */

struct driver_ring {
	uint16_t size;
	bool packed;
	uint64_t desc_gpa, driver_gpa, device_gpa;
	uint64_t desc_user, driver_user, device_user;
	struct vring_desc *desc;		/* split, else NULL; used_event and avail_event lie behind the rings */
	struct vring_avail *avail;
	struct vring_used *used;
	struct vring_packed_desc *packed_desc;	/* packed, else NULL */
	struct vring_packed_desc_event *driver_event, *device_event;
};

const struct driver_ring *driver_ring(const struct driver *d, unsigned ring);

/* driver_reset() - the ring as new; buffers on it are forgotten. Only while the device has it stopped */
void driver_reset(struct driver *d, unsigned ring);

/* --- giving buffers --- */

/* driver_layout - how header and frame are cut into descriptors
 * Each piece lies 16 bytes away from the one before. Lengths are taken in order; what is left over when they end is
 * one last piece. An empty layout is one descriptor for everything.
 */
struct driver_layout {
	const uint32_t *pieces;
	unsigned n;
	unsigned even;				/* instead: so many pieces of about equal length */
	bool indirect;				/* descriptors in a table of their own (INDIRECT_DESC) */
	unsigned direct;			/* of those, so many first ones outside the table (split only, virtio 1.2 2.7.5.3.1) */
};

extern const struct driver_layout DRIVER_PLAIN,		/* one descriptor */
	DRIVER_HEADER_APART,				/* header, frame */
	DRIVER_HEADER_BYTES,				/* twelve of one byte, frame */
	DRIVER_HEADER_SPLIT,				/* 1, 11, frame */
	DRIVER_INDIRECT;				/* header, frame, in a table */

/* driver_send() - make a frame available on a transmit ring
 * @header:	the virtio-net header as it lies in memory, or NULL for zeros
 *
 * Return: 0; -ENOSPC when the ring has no room left (driver_reap()); -EMSGSIZE when it does not fit a buffer; -EINVAL.
 */
int driver_send(struct driver *d, unsigned ring, const void *frame, uint32_t len, const uint8_t header[DRIVER_HEADER],
		const struct driver_layout *layout);

/* driver_post() - make up to @n buffers of @size bytes (header included) available on a receive ring
 * Return: how many fit; -EMSGSIZE, -EINVAL as above.
 */
int driver_post(struct driver *d, unsigned ring, unsigned n, uint32_t size, const struct driver_layout *layout);

/* driver_hold() - make what is sent and posted from now on visible only with driver_publish(); split rings then raise the
 * index once, packed rings write the flags of the first descriptor last
 */
void driver_hold(struct driver *d, unsigned ring);
void driver_publish(struct driver *d, unsigned ring);

/* --- taking them back --- */

/* driver_reap() - take back what the device is done with on a transmit ring
 * Return: how many buffers, or -EPROTO.
 */
int driver_reap(struct driver *d, unsigned ring);

struct driver_frame {
	uint8_t header[DRIVER_HEADER];		/* num_buffers is 0 where the header is of 10 bytes */
	uint8_t *data;				/* the driver's, until the next driver_take() of this ring */
	uint32_t len;
	unsigned buffers;
};

/* driver_take() - the next received frame; its buffers are free again and not posted again
 * Return: 1; 0 when none waits; -EPROTO.
 */
int driver_take(struct driver *d, unsigned ring, struct driver_frame *frame);

/* driver_pending() - buffers that the device has and did not give back */
unsigned driver_pending(const struct driver *d, unsigned ring);

/* driver_check() - does memory that only the driver writes (descriptors, avail ring, bytes to be read) still hold what it wrote?
 * Return: 0 or -EPROTO.
 */
int driver_check(struct driver *d);

/* --- kicks and calls --- */

/* driver_kick_needed() - does the device want to be kicked for what was made available since this was last asked? */
bool driver_kick_needed(struct driver *d, unsigned ring);

/* driver_call_want() - when does the driver want to be called?
 * @after:	0: not at all; N: when N more buffers (packed: descriptors) were used; without EVENT_IDX each time
 *
 * Return: true when something waits already: a call for it may never come.
 */
bool driver_call_want(struct driver *d, unsigned ring, uint16_t after);

/* --- for hostile tests --- */

/* driver_desc - a descriptor, verbatim */
struct driver_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;				/* VRING_DESC_F_*; packed: the avail and used bits are put in */
	uint16_t next;				/* split: next (DRIVER_NEXT: the one behind); packed: id */
};
enum { DRIVER_NEXT = 0xffff };

/* driver_put() - make a chain of @n descriptors available as it is; nothing is checked and nothing is remembered
 * Split: written to consecutive places of the table (wrapping, at most its size), the first of them is the head. The driver's other
 * functions for giving and taking buffers are of no use on this ring from then on until driver_reset().
 * Return: the head (split) or the place of the first descriptor (packed).
 */
uint16_t driver_put(struct driver *d, unsigned ring, const struct driver_desc *descs, unsigned n);

/* driver_used() - how many used elements (split) or used descriptors (packed) the device wrote since the last call; no checks */
unsigned driver_used(struct driver *d, unsigned ring);

#endif
