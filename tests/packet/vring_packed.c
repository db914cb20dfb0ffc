// SPDX-License-Identifier: GPL-2.0-or-later
/* Packed virtqueues, the driver's side: virtio 1.2, 2.8 */
#include "tests/packet/vring_driver_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { F_AVAIL = 1 << VRING_PACKED_DESC_F_AVAIL, F_USED = 1 << VRING_PACKED_DESC_F_USED, WRAP = 1 << 15 };

static int packed_init(struct ring *r)
{
	r->packed_shadow = calloc(r->raw.size, sizeof(*r->packed_shadow));
	r->raw_chain = calloc(r->raw.size, sizeof(*r->raw_chain));
	r->raw_id = calloc(r->raw.size, sizeof(*r->raw_id));
	return r->packed_shadow && r->raw_chain && r->raw_id ? 0 : -ENOMEM;
}

static void packed_fini(struct ring *r)
{
	free(r->packed_shadow);
	free(r->raw_chain);
	free(r->raw_id);
}

static void packed_reset(struct ring *r)
{
	memset(r->raw.packed_desc, 0, r->raw.size * sizeof(*r->raw.packed_desc));
	memset(r->raw.driver_event, 0, sizeof(*r->raw.driver_event));
	memset(r->raw.device_event, 0, sizeof(*r->raw.device_event));
	memset(r->packed_shadow, 0, r->raw.size * sizeof(*r->packed_shadow));
	r->place = r->used_place = r->kicked = 0;
	r->wrap = r->used_wrap = true;		/* 2.8.1: both begin at 1 */
	r->room = r->raw.size;
	r->held_place = NONE;
}

static unsigned packed_room(const struct ring *r)
{
	return r->room;
}

static void advance(const struct ring *r, uint16_t *place, bool *wrap, unsigned n)
{
	unsigned at = *place + n;

	if (at >= r->raw.size) {
		at -= r->raw.size;
		*wrap = !*wrap;
	}
	*place = (uint16_t)at;
}

static void store_flags(struct ring *r, unsigned place, uint16_t flags)
{
	__atomic_store_n(&r->raw.packed_desc[place].flags, flags, __ATOMIC_RELEASE);
}

static void packed_publish(struct ring *r)
{
	if (r->held_place != NONE)
		store_flags(r, r->held_place, r->held_flags);
	r->held_place = NONE;
}

/* write_chain() - the flags of the first descriptor come last: with them the device has all of it (2.8.21.1) */
static void write_chain(struct ring *r, const struct driver_desc *descs, unsigned n)
{
	unsigned first = r->place;
	uint16_t first_flags = 0;

	for (unsigned i = 0; i < n; i++) {
		uint16_t flags = (uint16_t)(descs[i].flags | (r->wrap ? F_AVAIL : F_USED));
		struct vring_packed_desc *shadow = &r->packed_shadow[r->place], *at = &r->raw.packed_desc[r->place];

		*shadow = (struct vring_packed_desc){ descs[i].addr, descs[i].len, descs[i].next, flags };
		at->addr = shadow->addr;
		at->len = shadow->len;
		at->id = shadow->id;
		if (i > 0)
			store_flags(r, r->place, flags);
		else
			first_flags = flags;
		advance(r, &r->place, &r->wrap, 1);
	}
	r->kicked = (uint16_t)(r->kicked + n < r->raw.size ? r->kicked + n : r->raw.size);
	if (r->held && r->held_place == NONE) {
		r->held_place = first;
		r->held_flags = first_flags;
	} else {
		store_flags(r, first, first_flags);
	}
}

static void packed_add(struct ring *r, const struct driver_desc *descs, unsigned n, uint16_t slot)
{
	struct driver_desc chain[DRIVER_PIECES_MAX];

	for (unsigned i = 0; i < n; i++) {
		bool more = i + 1 < n;

		chain[i] = descs[i];
		chain[i].flags |= more ? VRING_DESC_F_NEXT : 0;
		chain[i].next = more ? slot ^ 0x5555 : slot;	/* the id counts in the last one only (2.8.6) */
	}
	r->room -= n;
	write_chain(r, chain, n);
}

static bool used_at(const struct ring *r, unsigned place, bool wrap)
{
	uint16_t flags = __atomic_load_n(&r->raw.packed_desc[place].flags, __ATOMIC_ACQUIRE);

	return !!(flags & F_AVAIL) == wrap && !!(flags & F_USED) == wrap;
}

static int packed_peek(struct ring *r, unsigned *slot, uint32_t *len, unsigned *waiting)
{
	const struct vring_packed_desc *at = &r->raw.packed_desc[r->used_place];
	uint16_t id;

	if (!used_at(r, r->used_place, r->used_wrap))
		return 0;
	id = __atomic_load_n(&at->id, __ATOMIC_RELAXED);
	if (id >= r->raw.size || !r->slots[id].busy)
		return driver_fail(r->d, "used descriptor %u names %u, which the device does not have", r->used_place, id);
	*slot = id;
	*len = at->len;
	*waiting = r->order.n;	/* how many lie behind one used descriptor is not said */
	return 1;
}

static void packed_release(struct ring *r, struct slot *slot)
{
	advance(r, &r->used_place, &r->used_wrap, slot->ndescs);
	r->room += slot->ndescs;
}

static bool packed_kick_needed(struct ring *r)
{
	uint16_t added = r->kicked, flags, off_wrap, event;

	r->kicked = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* flags are seen before the device's wish is read (2.8.21.3.1) */
	if (added == 0)
		return false;
	flags = __atomic_load_n(&r->raw.device_event->flags, __ATOMIC_ACQUIRE);
	off_wrap = __atomic_load_n(&r->raw.device_event->off_wrap, __ATOMIC_RELAXED);
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !r->event_idx || added == r->raw.size)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	event = off_wrap & (WRAP - 1);
	if (!!(off_wrap & WRAP) != r->wrap)
		event = (uint16_t)(event - r->raw.size);
	return vring_need_event(event, r->place, (uint16_t)(r->place - added));
}

static bool packed_call_want(struct ring *r, uint16_t after)
{
	uint16_t flags = after ? VRING_PACKED_EVENT_FLAG_ENABLE : VRING_PACKED_EVENT_FLAG_DISABLE;

	if (after && r->event_idx) {
		uint16_t place = r->used_place;
		bool wrap = r->used_wrap;

		advance(r, &place, &wrap, (after - 1u) % r->raw.size);
		__atomic_store_n(&r->raw.driver_event->off_wrap, (uint16_t)(place | (wrap ? WRAP : 0)), __ATOMIC_RELAXED);
		flags = VRING_PACKED_EVENT_FLAG_DESC;
	}
	__atomic_store_n(&r->raw.driver_event->flags, flags, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return used_at(r, r->used_place, r->used_wrap);
}

/* packed_check() - the device writes into descriptors when it uses them: those it has must be as they were */
static int packed_check(struct ring *r)
{
	uint16_t place = r->used_place;
	bool wrap = r->used_wrap;

	if (r->held_place != NONE || r->disordered)
		return 0;	/* after a buffer out of order, used descriptors lie where others were available */
	for (unsigned i = 0; i < r->order.n; i++) {
		unsigned n = r->slots[r->order.entries[(r->order.first + i) % r->order.size]].ndescs;

		if (used_at(r, place, wrap))
			return 0;
		for (; n > 0; n--) {
			if (memcmp(&r->raw.packed_desc[place], &r->packed_shadow[place], sizeof(r->packed_shadow[0])) != 0)
				return driver_fail(r->d, "descriptor %u was written to before it was used", place);
			advance(r, &place, &wrap, 1);
		}
	}
	return 0;
}

static uint16_t packed_put(struct ring *r, const struct driver_desc *descs, unsigned n)
{
	uint16_t first = r->place;

	n = n < r->raw.size ? n : r->raw.size;
	r->raw_chain[first] = (uint16_t)n;
	r->raw_id[first] = n ? descs[n - 1].next : 0;
	if (n)
		write_chain(r, descs, n);
	return first;
}

static unsigned packed_count_used(struct ring *r)
{
	unsigned n = 0;

	while (n < r->raw.size && used_at(r, r->used_place, r->used_wrap) && r->raw_chain[r->used_place]) {
		uint16_t id = r->raw.packed_desc[r->used_place].id;
		bool last;

		do {	/* in order, one used descriptor stands for all up to its id (2.8.7) */
			unsigned chain = r->raw_chain[r->used_place];

			last = !r->in_order || r->raw_id[r->used_place] == id;
			r->raw_chain[r->used_place] = 0;
			advance(r, &r->used_place, &r->used_wrap, chain);
			n++;
		} while (!last && r->raw_chain[r->used_place]);
	}
	return n;
}

const struct ring_kind ring_packed = {
	.init = packed_init, .reset = packed_reset, .fini = packed_fini, .room = packed_room, .add = packed_add,
	.publish = packed_publish, .peek = packed_peek, .release = packed_release, .kick_needed = packed_kick_needed,
	.call_want = packed_call_want, .check = packed_check, .put = packed_put, .count_used = packed_count_used,
};
