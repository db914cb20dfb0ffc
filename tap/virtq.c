// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap/virtq.h"

#include <string.h>

#include "tap/vhost_call.h"

/* Memory order. The driver must see a used element before the index that covers it (release), or for a packed ring all of a batch
 * before the flags of its first descriptor. Whether it wants to be called is read after the index was written, and
 * whether there is more after kicks were asked for: there the two sides each write one word and read the other's, which needs
 * a full fence between the two (virtio 1.2, 2.7.7 and 2.7.10). */

enum { WRAP = 0x8000 };

const char VIRTQ_BAD_INDEX[] = "the available index is further ahead than the ring is long";
const char VIRTQ_BAD_HEAD[] = "a descriptor index is beyond the ring";
const char VIRTQ_BAD_ADDRESS[] = "a descriptor points outside the guest's memory";
const char VIRTQ_BAD_DIRECTION[] = "a buffer to send is writable, or one to receive into is not";
const char VIRTQ_LOOP[] = "a chain of descriptors is longer than the ring";
const char VIRTQ_BAD_INDIRECT[] = "an indirect descriptor table is nested, chained, cut, or was not agreed upon";
const char VIRTQ_BAD_ID[] = "a buffer id is beyond the ring";
const char VIRTQ_MEMORY_LOST[] = "the front-end has taken memory away that it shares";

/* ---- split ---- */

static void split_return(struct virtq *r)
{
	uint16_t at = r->next_used;

	if (r->in_order && !r->slots[0].len) {		/* one element for the batch, the last buffer's (virtio 1.2, 2.7.9) */
		r->used->ring[at & r->mask] = (struct vring_used_elem){ .id = r->slots[r->nslots - 1].id };
	} else {
		struct vring_used_elem *ring = r->used->ring;
		const struct slot *slots = r->slots;
		uint32_t mask = r->mask;

		for (unsigned i = 0, n = r->nslots; i < n; i++)
			ring[(at + i) & mask] = (struct vring_used_elem){ .id = slots[i].id, .len = slots[i].len };
	}
	r->next_used = (uint16_t)(r->next_used + r->nslots);
	virtq_store(&r->used->idx, r->next_used);
}

static void split_log(const struct virtq *r, uint16_t from, unsigned n)
{
	const size_t ring = offsetof(struct vring_used, ring);

	for (unsigned i = 0; i < n; i++)
		vhost_log_write(r->memory, r->log_gpa + ring + ((from + i) & r->mask) * sizeof(struct vring_used_elem),
				sizeof(struct vring_used_elem));
	vhost_log_write(r->memory, r->log_gpa, ring);
}

static bool split_wants_call(struct virtq *r)
{
	uint16_t old = r->signalled;

	r->signalled = r->next_used;
	if (!r->event_idx)
		return !(virtq_peek(&r->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
	return vring_need_event(virtq_peek(virtq_used_event_at(r)), r->next_used, old);
}

static void split_notify(struct virtq *r, bool on)
{
	if (!r->event_idx)
		virtq_poke(&r->used->flags, on ? 0 : VRING_USED_F_NO_NOTIFY);
	else if (on)			/* left as it was, it falls behind and no kick passes it */
		virtq_poke(virtq_avail_event_at(r), r->next_avail);
}

/* ---- packed ---- */

static uint16_t used_flags(const struct virtq *r, const struct slot *slot)
{
	uint16_t both = 1 << VRING_PACKED_DESC_F_AVAIL | 1 << VRING_PACKED_DESC_F_USED;

	return (uint16_t)((r->used_wrap ? both : 0) | (slot->len ? VRING_DESC_F_WRITE : 0));
}

static void used_advance(struct virtq *r, unsigned n)
{
	uint32_t at = r->next_used + n;

	while (at >= r->size) {		/* more than once only where a driver lies about laps */
		at -= r->size;
		r->used_wrap = !r->used_wrap;
	}
	r->next_used = (uint16_t)at;
	r->unsignalled = (uint16_t)(r->unsignalled + n);
}

static void packed_write(struct virtq *r, const struct slot *slot, struct vring_packed_desc *to, bool with_flags)
{
	uint16_t flags = used_flags(r, slot);

	__atomic_store_n(&to->id, slot->id, __ATOMIC_RELAXED);
	__atomic_store_n(&to->len, slot->len, __ATOMIC_RELAXED);
	if (with_flags)
		virtq_store(&to->flags, flags);
}

static void packed_return(struct virtq *r)
{
	struct vring_packed_desc *first = &r->packed_desc[r->next_used];
	uint16_t first_flags = used_flags(r, &r->slots[0]);
	unsigned total = 0;

	if (r->in_order && !r->slots[0].len) {
		for (unsigned i = 0; i < r->nslots; i++)
			total += r->slots[i].ndesc;
		packed_write(r, &r->slots[r->nslots - 1], first, false);
		used_advance(r, total);
	} else {
		for (unsigned i = 0; i < r->nslots; i++) {
			packed_write(r, &r->slots[i], &r->packed_desc[r->next_used], i > 0);
			used_advance(r, r->slots[i].ndesc);
		}
	}
	virtq_store(&first->flags, first_flags);	/* with this one the driver sees all of them */
}

static void packed_log(const struct virtq *r, uint16_t from, unsigned n)
{
	uint32_t at = from;

	for (unsigned i = 0; i < n; i++) {
		vhost_log_write(r->memory, r->log_gpa + at * sizeof(struct vring_packed_desc), sizeof(struct vring_packed_desc));
		at += r->slots[i].ndesc;
		if (at >= r->size)
			at -= r->size;
	}
}

/* packed_wants_call() - the driver names a place and the wrap counter there (virtio 1.2, 2.8.10) */
static bool packed_wants_call(struct virtq *r)
{
	uint16_t flags = virtq_load(&r->driver_event->flags), event = virtq_peek(&r->driver_event->off_wrap);
	uint16_t since = r->unsignalled, end = r->next_used, place = event & (uint16_t)~WRAP;

	r->unsignalled = 0;
	if (flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !r->event_idx)
		return true;
	if (!!(event & WRAP) != r->used_wrap)	/* the place counts in the round before this one */
		place = (uint16_t)(place - r->size);
	return (uint16_t)(end - place - 1) < since;
}

/* ---- both ---- */

void virtq_return(struct virtq *r)
{
	uint16_t from = r->next_used;

	if (!r->nslots)
		return;
	if (r->packed)
		packed_return(r);
	else
		split_return(r);
	if (__builtin_expect(r->log, 0)) {
		if (r->packed)
			packed_log(r, from, r->nslots);
		else
			split_log(r, from, r->nslots);
	}
	r->nslots = 0;
	r->uncalled = true;
	r->saved->next_avail = (uint16_t)(r->next_avail | (r->avail_wrap ? WRAP : 0));
	r->saved->next_used = (uint16_t)(r->next_used | (r->used_wrap ? WRAP : 0));
}

void virtq_call(struct virtq *r, unsigned worker)
{
	bool wants;

	r->uncalled = false;
	atomic_thread_fence(memory_order_seq_cst);
	wants = r->packed ? packed_wants_call(r) : split_wants_call(r);
	wants |= atomic_load_explicit(&r->call_once, memory_order_relaxed);
	if (r->call >= 0 && wants) {
		atomic_store_explicit(&r->call_once, false, memory_order_relaxed);
		vhost_call(worker, r->call);
	}
}

void virtq_notify(struct virtq *r, bool on)
{
	if (r->packed)
		virtq_store(&r->device_event->flags, on ? VRING_PACKED_EVENT_FLAG_ENABLE : VRING_PACKED_EVENT_FLAG_DISABLE);
	else
		split_notify(r, on);
	r->notify_on = on;
	atomic_thread_fence(memory_order_seq_cst);
}

bool virtq_has_more(const struct virtq *r)
{
	if (r->packed)
		return virtq_packed_waiting(r);
	return virtq_load(&r->avail->idx) != r->next_avail;
}

void virtq_begin(struct virtq *r)
{
	uint16_t avail = r->saved->next_avail, used = r->saved->next_used;

	r->hint = 0;
	r->nslots = 0;
	r->avail_wrap = r->packed && avail & WRAP;
	r->used_wrap = r->packed && used & WRAP;
	r->next_avail = r->packed ? (uint16_t)(avail & ~WRAP) : avail;
	r->next_used = r->packed ? (uint16_t)(used & ~WRAP) : used;
	r->seen_avail = r->next_avail;
	r->signalled = r->next_used;
	r->unsignalled = 0;
	r->uncalled = true;
	atomic_store_explicit(&r->call_once, true, memory_order_relaxed);
}
