/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_parts.h - what tap/vhost.c, vhost_rx.c and vhost_tx.c share; for nobody else */
#ifndef TAP_VHOST_PARTS_H
#define TAP_VHOST_PARTS_H

#include <string.h>

#include "base/array.h"
#include "switch/port.h"
#include "tap/virtq.h"

struct vhost_port {
	struct port port;
	atomic_bool running;		/* workers may touch rings and memory */
	const char *_Atomic fault;	/* why the device was stopped; static text */
	atomic_bool announce;		/* a frame of announce_mac waits to be received */
	uint8_t announce_mac[6];
	const struct vhost_memory *memory;
	uint64_t features;
	unsigned nrings;
	struct virtq *rings;		/* 2i: we fill, 2i+1: we empty */
};

static inline struct vhost_port *vhost_port_of(struct port *port)
{
	return container_of(port, struct vhost_port, port);
}

/* vhost_is_running() - acquire: what was changed while paused is seen */
static inline bool vhost_is_running(const struct vhost_port *v)
{
	return atomic_load_explicit(&v->running, memory_order_acquire);
}

/* vhost_stop() - the device has done what no driver may do; any worker, while it holds the ring */
void vhost_stop(struct vhost_port *v, const char *fault);

int vhost_rx(struct port_queue *q, struct rx_space *space, struct frame *frames, unsigned n);
void vhost_done(struct port_queue *q);
void vhost_received(struct port_queue *q);
bool vhost_arm(struct port_queue *q);
uint64_t vhost_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n, uint64_t *segments);
void vhost_sent(struct port_queue *q, unsigned worker_index);

/* vhost_copy_head() - the short copy that every frame makes twice; neither side is touched beyond @n
 * Both ends are copied in moves that meet or overlap in the middle, so that there is no loop and no call.
 */
static inline void vhost_copy_head(uint8_t *to, const uint8_t *from, uint32_t n)
{
	if (__builtin_expect(n < 32 || n > 128, 0)) {
		memcpy(to, from, n);
		return;
	}
	__builtin_memcpy(to, from, 32);
	__builtin_memcpy(to + n - 32, from + n - 32, 32);
	if (n > 64) {
		__builtin_memcpy(to + 32, from + 32, 32);
		__builtin_memcpy(to + n - 64, from + n - 64, 32);
	}
}

/* hot_region - the region that the guest's buffers lie in most often, at hand for a burst */
struct hot_region {
	uint64_t gpa, size;
	uint8_t *at;
};

static inline struct hot_region hot_region_of(const struct virtq *r)
{
	const struct vhost_region *region = &r->memory->regions[r->hint];

	return (struct hot_region){ region->gpa, region->size, region->at };
}

/* hot_at() - where @len bytes at @gpa are, in one piece, or NULL. What is elsewhere takes longer, and is at hand from then on. */
static inline uint8_t *hot_at(struct virtq *r, struct hot_region *hot, uint64_t gpa, uint32_t len)
{
	uint64_t offset = gpa - hot->gpa;	/* wraps below the region: then it is not below its size */
	uint8_t *at;

	if (__builtin_expect(offset < hot->size && len <= hot->size - offset, 1))
		return hot->at + offset;
	at = vhost_at(r->memory, &r->hint, gpa, len);
	*hot = hot_region_of(r);
	return at;
}

/* packed_singles() - of the next buffers of a packed ring, how many are of one descriptor with exactly @flags (VRING_DESC_F_*),
 * at most @max; where each is, and prefetched; the place in the ring is not moved
 */
static inline unsigned packed_singles(struct virtq *r, unsigned max, uint16_t flags, uint8_t **at, uint32_t *len,
				      struct slot *slots)
{
	const uint16_t shape = VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT;
	struct hot_region hot = hot_region_of(r);
	uint32_t place = r->next_avail;
	bool wrap = r->avail_wrap;
	unsigned i;

	for (i = 0; i < max; i++) {
		const struct vring_packed_desc *shared = &r->packed_desc[place];
		uint16_t now = virtq_load(&shared->flags), id = virtq_peek(&shared->id);
		uint64_t addr = __atomic_load_n(&shared->addr, __ATOMIC_RELAXED);

		if (!virtq_packed_ready(now, wrap) || (now & shape) != flags || id >= r->size)
			break;
		len[i] = __atomic_load_n(&shared->len, __ATOMIC_RELAXED);
		at[i] = hot_at(r, &hot, addr, len[i]);
		if (!at[i])
			break;
		slots[i] = (struct slot){ .id = id, .ndesc = 1 };
		if (flags & VRING_DESC_F_WRITE) {
			virtq_prefetch_write(at[i]);
			virtq_prefetch_write(at[i] + 64);
		} else {
			__builtin_prefetch(at[i]);
			__builtin_prefetch(at[i] + 64);
		}
		if (++place == r->size) {
			place = 0;
			wrap = !wrap;
		}
	}
	return i;
}

#endif
