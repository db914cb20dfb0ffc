// SPDX-License-Identifier: GPL-2.0-or-later
/* Split virtqueues, the driver's side: virtio 1.2, 2.7 */
#include "tests/packet/vring_driver_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint16_t *used_event(const struct ring *r)
{
	return &r->raw.avail->ring[r->raw.size];
}

static uint16_t *avail_event(const struct ring *r)
{
	return (uint16_t *)(void *)&r->raw.used->ring[r->raw.size];
}

static uint16_t used_idx(const struct ring *r)
{
	return __atomic_load_n(&r->raw.used->idx, __ATOMIC_ACQUIRE);
}

static int split_init(struct ring *r)
{
	r->slot_of = calloc(r->raw.size, sizeof(*r->slot_of));
	r->shadow = calloc(r->raw.size, sizeof(*r->shadow));
	r->avail_shadow = calloc(r->raw.size, sizeof(*r->avail_shadow));
	return r->slot_of && r->shadow && r->avail_shadow ? fifo_init(&r->descs, r->raw.size) : -ENOMEM;
}

static void split_fini(struct ring *r)
{
	free(r->slot_of);
	free(r->shadow);
	free(r->avail_shadow);
	free(r->descs.entries);
}

static void split_reset(struct ring *r)
{
	unsigned n = r->raw.size;

	memset(r->raw.desc, 0, n * sizeof(*r->raw.desc));
	memset(r->raw.avail, 0, 6 + 2 * n);
	memset(r->raw.used, 0, 6 + 8 * n);
	memset(r->shadow, 0, n * sizeof(*r->shadow));
	memset(r->avail_shadow, 0, n * sizeof(*r->avail_shadow));
	memset(r->slot_of, 0xff, n * sizeof(*r->slot_of));
	r->avail = r->used = r->kicked = r->raw_next = 0;
	r->descs.first = r->descs.n = 0;
	/* In order means in the order of the table (2.7.9); else chains had better not be consecutive. */
	for (unsigned i = 0; i < n; i++)
		fifo_push(&r->descs, (uint16_t)(r->in_order ? i : (i * 5 + 3) % n));
}

static unsigned split_room(const struct ring *r)
{
	return r->descs.n;
}

static void split_publish(struct ring *r)
{
	__atomic_store_n(&r->raw.avail->idx, r->avail, __ATOMIC_RELEASE);
}

static void make_available(struct ring *r, uint16_t head)
{
	unsigned at = r->avail++ % r->raw.size;

	r->avail_shadow[at] = head;
	__atomic_store_n(&r->raw.avail->ring[at], head, __ATOMIC_RELAXED);
	if (!r->held)
		split_publish(r);
}

static void write_desc(struct ring *r, uint16_t at, const struct driver_desc *from, uint16_t flags, uint16_t next)
{
	r->shadow[at] = (struct vring_desc){ .addr = from->addr, .len = from->len, .flags = flags, .next = next };
	memcpy(&r->raw.desc[at], &r->shadow[at], sizeof(r->shadow[at]));
}

static void split_add(struct ring *r, const struct driver_desc *descs, unsigned n, uint16_t slot)
{
	uint16_t head = fifo_pop(&r->descs), at = head;

	for (unsigned i = 0; i < n; i++) {
		bool more = i + 1 < n;
		uint16_t next = more ? fifo_pop(&r->descs) : 0;

		write_desc(r, at, &descs[i], (uint16_t)(descs[i].flags | (more ? VRING_DESC_F_NEXT : 0)), next);
		at = next;
	}
	r->slots[slot].head = head;
	r->slot_of[head] = slot;
	make_available(r, head);
}

static int split_peek(struct ring *r, unsigned *slot, uint32_t *len, unsigned *waiting)
{
	unsigned n = (uint16_t)(used_idx(r) - r->used);
	volatile struct vring_used_elem *e = &r->raw.used->ring[r->used % r->raw.size];
	uint32_t id = e->id;

	if (n > r->order.n)
		return driver_fail(r->d, "used index %u: %u more than the device was given", used_idx(r), n - r->order.n);
	if (n == 0)
		return 0;
	if (id >= r->raw.size || r->slot_of[id] == NONE)
		return driver_fail(r->d, "used element %u names %u, which the device does not have", r->used, id);
	*slot = r->slot_of[id];
	*len = e->len;
	*waiting = n;
	return 1;
}

static void split_release(struct ring *r, struct slot *slot)
{
	uint16_t at = slot->head;

	r->used++;
	r->slot_of[at] = NONE;
	for (unsigned i = 0; i < slot->ndescs; i++) {
		fifo_push(&r->descs, at);
		at = r->shadow[at].next;
	}
}

static bool split_kick_needed(struct ring *r)
{
	uint16_t old = r->kicked;

	r->kicked = r->avail;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* the index is seen before the device's wish is read (2.7.13.4.1) */
	if (old == r->avail)
		return false;
	if (!r->event_idx)
		return !(__atomic_load_n(&r->raw.used->flags, __ATOMIC_RELAXED) & VRING_USED_F_NO_NOTIFY);
	return vring_need_event(__atomic_load_n(avail_event(r), __ATOMIC_RELAXED), r->avail, old);
}

static bool split_call_want(struct ring *r, uint16_t after)
{
	uint16_t flags = after || r->event_idx ? 0 : VRING_AVAIL_F_NO_INTERRUPT;

	__atomic_store_n(&r->raw.avail->flags, flags, __ATOMIC_RELAXED);
	if (r->event_idx)
		__atomic_store_n(used_event(r), (uint16_t)(r->used + after - 1), __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return used_idx(r) != r->used;
}

static int split_check(struct ring *r)
{
	if (memcmp(r->raw.desc, r->shadow, r->raw.size * sizeof(*r->shadow)) != 0)
		return driver_fail(r->d, "the descriptor table was written to");
	if (memcmp(r->raw.avail->ring, r->avail_shadow, r->raw.size * sizeof(*r->avail_shadow)) != 0)
		return driver_fail(r->d, "the avail ring was written to");
	if (!r->held && r->raw.avail->idx != r->avail)
		return driver_fail(r->d, "the avail index was written to");
	return 0;
}

static uint16_t split_put(struct ring *r, const struct driver_desc *descs, unsigned n)
{
	uint16_t head = r->raw_next;

	for (unsigned i = 0; i < n && i < r->raw.size; i++) {
		uint16_t at = r->raw_next, behind = (uint16_t)((at + 1) % r->raw.size);

		write_desc(r, at, &descs[i], descs[i].flags, descs[i].next == DRIVER_NEXT ? behind : descs[i].next);
		r->raw_next = behind;
	}
	make_available(r, head);
	return head;
}

static unsigned split_count_used(struct ring *r)
{
	unsigned n = (uint16_t)(used_idx(r) - r->used);

	r->used = (uint16_t)(r->used + n);
	return n;
}

const struct ring_kind ring_split = {
	.init = split_init, .reset = split_reset, .fini = split_fini, .room = split_room, .add = split_add,
	.publish = split_publish, .peek = split_peek, .release = split_release, .kick_needed = split_kick_needed,
	.call_want = split_call_want, .check = split_check, .put = split_put, .count_used = split_count_used,
};
