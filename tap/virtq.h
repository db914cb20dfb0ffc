/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/virtq.h - a virtqueue as its device side runs it (virtio 1.2, 2.7 split and 2.8 packed); private to tap/
 *
 * The other side may rewrite any shared word at any moment. So each is loaded once into private memory and only the copy is
 * used; what we need to remember (positions, ids) lives here and is never read back from the ring; sums that could wrap are
 * compared as differences; every loop is bounded by a private number.
 *
 * A ring in use belongs to one thread at a time: the transmit rings of the guest to the queue's owner worker, its receive rings
 * to whoever holds the queue's transmit lock. The first part of the structure changes only while the port is paused.
 */
#ifndef TAP_VIRTQ_H
#define TAP_VIRTQ_H

#include <linux/virtio_ring.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "switch/frame.h"
#include "tap/vhost.h"
#include "tap/vhost_memory.h"

/* slot - what we remember of a buffer between taking it and giving it back */
struct slot {
	uint16_t id;			/* head of the chain, or packed: buffer id */
	uint16_t ndesc;			/* places of a packed ring that it takes */
	uint32_t len;			/* bytes written into it */
};

enum { SLOTS_MAX = 1024 };		/* buffers given back at once: a burst of frames, or one frame in small mergeable buffers */

struct virtq {
	/* set while paused */
	union {
		struct vring_desc *desc;
		struct vring_packed_desc *packed_desc;
	};
	union {
		struct vring_avail *avail;
		struct vring_packed_desc_event *driver_event;
	};
	union {
		struct vring_used *used;
		struct vring_packed_desc_event *device_event;
	};
	const struct vhost_memory *memory;
	struct vring_saved *saved;
	uint64_t log_gpa;		/* of what we write in the ring, where log is set */
	uint32_t size, mask;		/* mask: split only */
	int call, err;
	bool started, enabled, packed, event_idx, in_order, indirect, mergeable, log;
	uint8_t header;			/* bytes of the virtio-net header: 12, or 10 of a legacy driver */
	uint32_t host_offloads;		/* enum port_offload that the guest may ask of us */

	/* run state */
	uint32_t hint __attribute__((aligned(64)));
	uint16_t next_avail, next_used;	/* split: free-running; packed: place in the ring */
	uint16_t seen_avail;		/* split: avail->idx when last loaded */
	uint16_t signalled;		/* next_used when the guest was last called, or could have been */
	uint16_t unsignalled;		/* packed: places used since then */
	bool avail_wrap, used_wrap;	/* packed */
	bool notify_on;			/* kicks are asked for */
	bool uncalled;			/* buffers were given back since virtq_call() */
	atomic_bool call_once;		/* after a pause: call whatever the guest says */
	unsigned nslots;		/* taken and not given back */
	struct slot slots[SLOTS_MAX];
};

/* virtq_prefetch_write() - fetch a line that will be written, and take it from the other core at once
 * For baseline x86-64 the compiler makes an ordinary prefetch of __builtin_prefetch(p, 1); every such processor knows this one.
 */
static inline void virtq_prefetch_write(const void *p)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)p));
#else
	__builtin_prefetch(p, 1);
#endif
}

static inline uint16_t virtq_load(const void *word)
{
	return __atomic_load_n((const uint16_t *)word, __ATOMIC_ACQUIRE);
}

static inline void virtq_store(void *word, uint16_t value)
{
	__atomic_store_n((uint16_t *)word, value, __ATOMIC_RELEASE);
}

static inline uint16_t virtq_peek(const void *word)
{
	return __atomic_load_n((const uint16_t *)word, __ATOMIC_RELAXED);
}

static inline void virtq_poke(void *word, uint16_t value)
{
	__atomic_store_n((uint16_t *)word, value, __ATOMIC_RELAXED);
}

/* used_event and avail_event stand behind the rings (virtio 1.2, 2.7.6 and 2.7.8) */
static inline void *virtq_used_event_at(const struct virtq *r)
{
	return &r->avail->ring[r->size];
}

static inline void *virtq_avail_event_at(const struct virtq *r)
{
	return &r->used->ring[r->size];
}

/* ---- descriptors ---- */

/* virtq_desc_load() - one load of each word; a torn descriptor is as good as any other lie */
static inline struct vring_desc virtq_desc_load(const struct vring_desc *shared)
{
	const uint64_t *words = (const uint64_t *)shared;
	union {
		uint64_t words[2];
		struct vring_desc desc;
	} u = { { __atomic_load_n(&words[0], __ATOMIC_RELAXED), __atomic_load_n(&words[1], __ATOMIC_RELAXED) } };

	return u.desc;
}

/* ---- faults: what no driver may do. A string that people read; negative numbers would lose it on the way. ---- */

extern const char VIRTQ_BAD_INDEX[], VIRTQ_BAD_HEAD[], VIRTQ_BAD_ADDRESS[], VIRTQ_BAD_DIRECTION[], VIRTQ_LOOP[],
	VIRTQ_BAD_INDIRECT[], VIRTQ_BAD_ID[], VIRTQ_MEMORY_LOST[];

/* ---- taking buffers ---- */

/* piece - a part of a buffer that lies in one piece */
struct piece {
	uint8_t *at;
	uint32_t len;
	uint64_t gpa;
};

enum { PIECES_MAX = 1024 };

/* chain - one buffer, as its descriptors say */
struct chain {
	unsigned n;
	uint64_t len;
	bool too_many;			/* more than PIECES_MAX, with those that have no bytes: .p and .len are cut short */
	uint32_t looked;		/* descriptors that it took to find out */
	struct piece p[PIECES_MAX];
};

/* virtq_chain() - gather the pieces of the buffer at @place and append them to @c
 * @place:	split: head of the chain; packed: place in the ring of the first descriptor
 * @writable:	a buffer for us to write, else one to read
 * @slot:	id and ndesc are filled in
 *
 * Return: NULL, or the fault.
 */
const char *virtq_chain(struct virtq *r, uint16_t place, bool writable, struct chain *c, struct slot *slot);

/* virtq_split_waiting() - how many buffers the driver has made available, at most @max; *fault is set when its index is impossible */
static inline unsigned virtq_split_waiting(struct virtq *r, unsigned max, const char **fault)
{
	uint16_t have = (uint16_t)(r->seen_avail - r->next_avail);

	if (have < max) {
		r->seen_avail = virtq_load(&r->avail->idx);
		have = (uint16_t)(r->seen_avail - r->next_avail);
		if (__builtin_expect(have > r->size, 0)) {
			*fault = VIRTQ_BAD_INDEX;
			return 0;
		}
	}
	return have < max ? have : max;
}

/* virtq_split_heads() - the next buffers' heads into @slots, their descriptors on the way to the cache. Return: how many, at most @max */
static inline unsigned virtq_split_heads(struct virtq *r, unsigned max, struct slot *slots, const char **fault)
{
	unsigned n = virtq_split_waiting(r, max, fault);
	const struct vring_desc *desc = r->desc;
	const __virtio16 *ring = r->avail->ring;
	uint32_t next = r->next_avail, mask = r->mask, all = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t id = virtq_peek(&ring[(next + i) & mask]);

		all |= id;
		slots[i] = (struct slot){ .id = (uint16_t)id, .ndesc = 1 };
		__builtin_prefetch(&desc[id & mask]);
	}
	for (unsigned i = 0; i < BURST_MAX; i += 32)	/* the next burst's heads: 32 to a line */
		__builtin_prefetch(&ring[(next + n + i) & mask]);
	for (unsigned i = 0; i < n; i += 8)		/* where these will be given back: eight to a line */
		virtq_prefetch_write(&r->used->ring[(r->next_used + r->nslots + i) & mask]);
	if (__builtin_expect(all > mask, 0)) {		/* one bit above the mask tells that one head was */
		*fault = VIRTQ_BAD_HEAD;
		return 0;
	}
	return n;
}

/* virtq_packed_ready() - do the flags of a descriptor say that it is available in the round of @wrap? (virtio 1.2, 2.8.1) */
static inline bool virtq_packed_ready(uint16_t flags, bool wrap)
{
	bool avail = flags >> VRING_PACKED_DESC_F_AVAIL & 1, used = flags >> VRING_PACKED_DESC_F_USED & 1;

	return avail == wrap && used != wrap;
}

static inline bool virtq_packed_waiting(const struct virtq *r)
{
	return virtq_packed_ready(virtq_load(&r->packed_desc[r->next_avail].flags), r->avail_wrap);
}

static inline void virtq_packed_advance(struct virtq *r, uint32_t n)
{
	uint32_t at = r->next_avail + n;

	while (at >= r->size) {		/* more than once only where a driver lies about laps */
		at -= r->size;
		r->avail_wrap = !r->avail_wrap;
	}
	r->next_avail = (uint16_t)at;
}

/* ---- giving back ---- */

/* virtq_return() - give the r->nslots buffers in r->slots back, in order, and note the place
 * virtq_call() - call the guest if it wants to be told of what was given back since the last time. @worker: index of the caller */
void virtq_return(struct virtq *r);
void virtq_call(struct virtq *r, unsigned worker);

/* virtq_notify() - ask for kicks, or say that none are needed */
void virtq_notify(struct virtq *r, bool on);

/* virtq_has_more() - has the driver made something available? the check after virtq_notify(r, true) */
bool virtq_has_more(const struct virtq *r);

/* virtq_begin() - the run state, from saved */
void virtq_begin(struct virtq *r);

#endif
