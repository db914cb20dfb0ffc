/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/vring_driver_parts.h - how the files of the test driver see one another */
#ifndef TESTS_VRING_DRIVER_PARTS_H
#define TESTS_VRING_DRIVER_PARTS_H

#include <stddef.h>
#include <sys/uio.h>

#include "tests/packet/vring_driver.h"

enum { SLOT_GAP = 16, SLOT_FILL = 0xee, NONE = 0xffff };

/* memory - guest memory: @n regions of @size bytes one behind the other, with gaps between; the file holds the last one first */
struct memory {
	int fd;
	uint8_t *map;			/* the file, from its first byte */
	uint64_t map_size, file_offset;
	unsigned n;
	uint64_t size, gap;
	uint64_t next;			/* bytes given out, counted without gaps */
	uint64_t crossing;		/* bytes kept free around each border for a buffer that crosses it, or 0 */
};

/* slot - memory for one buffer, and what the driver remembers while the device has it */
struct slot {
	uint64_t gpa, table_gpa;
	struct driver_desc *pieces;	/* PIECES_MAX at most; flags and next unused */
	unsigned npieces, allocated;
	uint32_t total;			/* bytes of all pieces */
	uint32_t table_size;		/* bytes of the indirect table, or 0 */
	uint64_t hash;			/* of what the device may only read */
	uint16_t ndescs;		/* places it takes in the ring */
	uint16_t head;			/* split: its first descriptor */
	bool busy;
};

/* fifo - of at most `size` numbers */
struct fifo {
	uint16_t *entries;
	unsigned first, n, size;
};

struct ring {
	struct driver_ring raw;
	struct driver *d;
	const struct ring_kind *kind;
	bool transmit, in_order, event_idx, held;
	bool disordered;		/* a buffer came back before one given earlier */
	struct slot *slots;		/* raw.size of them */
	struct fifo free;		/* slots */
	struct fifo order;		/* slots the device has, in the order they were given */
	unsigned batch_last;		/* slot of the used element being worked off, or NONE */
	uint32_t batch_len;
	uint8_t *frame;			/* of driver_take() */

	uint16_t avail, used;		/* split: free-running indices */
	uint16_t kicked;		/* split: avail when last asked; packed: descriptors since */
	struct fifo descs;		/* split: free descriptors */
	uint16_t *slot_of;		/* split: head -> slot */
	struct vring_desc *shadow;	/* split: what the table holds */
	uint16_t *avail_shadow;
	uint16_t raw_next;

	uint16_t place, used_place;	/* packed */
	bool wrap, used_wrap;
	unsigned room;			/* packed: places free */
	struct vring_packed_desc *packed_shadow;
	uint16_t *raw_chain, *raw_id;	/* packed, by place of the first descriptor: as driver_put() wrote it */
	unsigned held_place;		/* packed: the first descriptor whose flags are kept back, or NONE */
	uint16_t held_flags;
};

/* ring_kind - where split and packed rings differ */
struct ring_kind {
	int (*init)(struct ring *r);				/* private arrays; 0 or -ENOMEM */
	void (*reset)(struct ring *r);
	void (*fini)(struct ring *r);
	unsigned (*room)(const struct ring *r);			/* descriptors that can be added */
	void (*add)(struct ring *r, const struct driver_desc *descs, unsigned n, uint16_t slot);
	void (*publish)(struct ring *r);
	int (*peek)(struct ring *r, unsigned *slot, uint32_t *len, unsigned *waiting);	/* 1, 0, -EPROTO */
	void (*release)(struct ring *r, struct slot *slot);	/* its places are free again */
	bool (*kick_needed)(struct ring *r);
	bool (*call_want)(struct ring *r, uint16_t after);
	int (*check)(struct ring *r);
	uint16_t (*put)(struct ring *r, const struct driver_desc *descs, unsigned n);
	unsigned (*count_used)(struct ring *r);
};

extern const struct ring_kind ring_split, ring_packed;

struct driver {
	struct driver_conf conf;
	struct memory memory;
	struct ring rings[2 * DRIVER_PAIRS_MAX];
	unsigned nrings, header;	/* header: 12 or 10 */
	char fault[160];
};

/* driver_fail() - note the first fault. Return: -EPROTO */
int driver_fail(struct driver *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int memory_init(struct memory *m, const struct driver_conf *conf, uint64_t first, uint64_t total, uint64_t crossing);
void memory_fini(struct memory *m);
uint64_t memory_alloc(struct memory *m, uint64_t bytes, uint64_t align);	/* guest address, or 0 */
/* memory_crossing() - a place for a buffer, or a table, that crosses the border behind region @i, or 0 */
uint64_t memory_crossing(const struct memory *m, unsigned i, bool *table);
void memory_write(struct memory *m, uint64_t gpa, const void *from, uint64_t n);
void memory_read(const struct memory *m, uint64_t gpa, void *to, uint64_t n);
void memory_fill(struct memory *m, uint64_t gpa, int byte, uint64_t n);
bool memory_holds(const struct memory *m, uint64_t gpa, int byte, uint64_t n);	/* nothing but @byte? */
uint64_t memory_hash(const struct memory *m, uint64_t hash, uint64_t gpa, uint64_t n);
uint8_t *memory_at(const struct memory *m, uint64_t gpa, uint64_t *room);
bool memory_region(const struct memory *m, unsigned i, struct driver_region *to);

int fifo_init(struct fifo *f, unsigned size);
void fifo_push(struct fifo *f, uint16_t value);
uint16_t fifo_pop(struct fifo *f);		/* only when n > 0 */

#endif
