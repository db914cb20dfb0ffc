// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/guest_ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_config.h>

enum { AVAIL = 1 << VRING_PACKED_DESC_F_AVAIL, USED = 1 << VRING_PACKED_DESC_F_USED, CACHE_LINE = 64, PAGE = 4096 };

/* Parts of the area: each begins with a page of its own, so that no two share a cache line or a prefetched pair of them. */
static size_t pages(size_t size)
{
	return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static size_t driver_at(uint16_t size)
{
	return pages((size_t)size * sizeof(struct vring_desc));
}

static size_t device_at(uint16_t size)
{
	return driver_at(size) + pages(6 + 2 * (size_t)size);
}

static size_t tables_at(uint16_t size)
{
	return device_at(size) + pages(6 + (size_t)size * sizeof(struct vring_used_elem));
}

size_t guest_ring_area(uint16_t size)
{
	return tables_at(size) + pages((size_t)size * 2 * sizeof(struct vring_desc));
}

static inline struct vring_avail *avail_of(const struct guest_ring *r)
{
	return (struct vring_avail *)r->driver;
}

static inline struct vring_used *used_of(const struct guest_ring *r)
{
	return (struct vring_used *)r->device;
}

static inline uint16_t *order_of(const struct guest_ring *r)
{
	return r->packed ? r->order : avail_of(r)->ring;
}

/* wrap_of() - packed: the wrap counter of the @n-th buffer, which begins as 1 (virtio 1.2, 2.8.1) */
static inline bool wrap_of(const struct guest_ring *r, uint64_t n)
{
	return !(n & r->size);
}

/* --- making --------------------------------------------------------------------------------------------- */

static uint16_t direction(const struct guest_ring *r)
{
	return r->transmit ? 0 : VRING_DESC_F_WRITE;
}

static uint64_t table_gpa(const struct guest_ring *r, uint32_t id)
{
	return r->area_gpa + tables_at(r->size) + (size_t)id * 2 * sizeof(struct vring_desc);
}

static uint32_t length_of(const struct guest_ring *r, uint32_t id)
{
	return r->lengths ? r->lengths[id] : r->length;
}

/* point_table() - the indirect table of @id: header and frame, of the buffer at @gpa */
static void point_table(struct guest_ring *r, uint32_t id, uint64_t gpa)
{
	struct vring_desc *table = (struct vring_desc *)(r->area + tables_at(r->size)) + (size_t)id * 2;

	table[0] = (struct vring_desc){ gpa, GUEST_HEADER, direction(r) | (r->packed ? 0 : VRING_DESC_F_NEXT), 1 };
	table[1] = (struct vring_desc){ gpa + GUEST_HEADER, length_of(r, id) - GUEST_HEADER, direction(r), 0 };
}

static void point_split(struct guest_ring *r, uint32_t id, uint64_t gpa)
{
	struct vring_desc *d = (struct vring_desc *)r->desc + id;

	if (r->indirect) {
		point_table(r, id, gpa);
		*d = (struct vring_desc){ table_gpa(r, id), 2 * sizeof(*d), VRING_DESC_F_INDIRECT, 0 };
	} else {
		*d = (struct vring_desc){ gpa, length_of(r, id), direction(r), 0 };
	}
}

int guest_ring_init(struct guest_ring *r)
{
	r->desc = r->area;
	r->driver = r->area + driver_at(r->size);
	r->device = r->area + device_at(r->size);
	memset(r->area, 0, guest_ring_area(r->size));
	r->used = calloc(r->size, sizeof(*r->used));
	r->order = calloc(r->size, sizeof(*r->order));
	if (!r->used || !r->order)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->size; i++)
		order_of(r)[i] = (uint16_t)i;
	guest_ring_want_call(r, false);
	for (uint32_t i = 0; i < r->size; i++) {
		if (!r->packed)
			point_split(r, i, r->gpa + (uint64_t)i * r->stride);
		else if (r->indirect)
			point_table(r, i, r->gpa + (uint64_t)i * r->stride);
	}
	return 0;
}

void guest_ring_fini(struct guest_ring *r)
{
	free(r->used);
	free(r->order);
	r->used = NULL;
	r->order = NULL;
}

/* --- what came back ------------------------------------------------------------------------------------- */

static void fault(struct guest_ring *r, const char *what)
{
	if (!r->fault)
		r->fault = what;
}

/* take_back() - buffer @id is ours again, and will be given in its turn */
static inline void take_back(struct guest_ring *r, unsigned k, uint32_t id, uint32_t len)
{
	uint16_t *place = &order_of(r)[(r->back + k) & (r->size - 1u)];

	r->used[k] = (struct vring_used_elem){ id, len };
	if (*place != id)		/* mostly it is there already: then the line stays shared */
		*place = (uint16_t)id;
}

/* batch() - with IN_ORDER one element may stand for all buffers up to its own (virtio 1.2, 2.7.9 and 2.8.7); those were used whole */
static unsigned batch(struct guest_ring *r, unsigned k, unsigned max, uint32_t id, uint32_t len)
{
	unsigned n = ((id - (uint32_t)(r->back + k)) & (r->size - 1u)) + 1;

	if (n > max - k) {
		fault(r, "in-order: a buffer came back that was not given");
		return 0;
	}
	for (unsigned i = 0; i + 1 < n; i++)
		take_back(r, k + i, (id + 1 - n + i) & (r->size - 1u), r->length);
	take_back(r, k + n - 1, id, len);
	return n;
}

static unsigned collect_split(struct guest_ring *r)
{
	const struct vring_used_elem *ring = used_of(r)->ring;
	unsigned n = (uint16_t)(__atomic_load_n(&used_of(r)->idx, __ATOMIC_ACQUIRE) - (uint16_t)r->back), step;

	if (n > r->given - r->back) {
		fault(r, "more buffers came back than were given");
		return 0;
	}
	if (r->transmit && !r->ids)
		return n;
	/* The device's core has these lines: fetch them all at once instead of one after another. */
	for (unsigned k = 0; k < n; k += CACHE_LINE / sizeof(*ring))
		__builtin_prefetch(&ring[(r->back + k) & (r->size - 1u)]);
	for (unsigned k = 0; k < n; k += step) {
		struct vring_used_elem e = ring[(r->back + k) & (r->size - 1u)];

		if (e.id >= r->size) {
			fault(r, "a descriptor that does not exist came back");
			return 0;
		}
		step = 1;
		if (r->in_order)
			step = batch(r, k, n, e.id, e.len);
		else
			take_back(r, k, e.id, e.len);
		if (!step)
			return 0;
	}
	return n;
}

static unsigned collect_packed(struct guest_ring *r)
{
	const struct vring_packed_desc *ring = (const struct vring_packed_desc *)r->desc;
	unsigned out = (unsigned)(r->given - r->back), k = 0, step = 1;

	for (; k < out && step; k += step) {
		uint64_t at = r->back + k;
		const struct vring_packed_desc *d = &ring[at & (r->size - 1u)];
		uint16_t flags = __atomic_load_n(&d->flags, __ATOMIC_ACQUIRE);

		if (!!(flags & AVAIL) != wrap_of(r, at) || !!(flags & USED) != wrap_of(r, at))
			break;
		__builtin_prefetch(&ring[(at + 16) & (r->size - 1u)]);
		if (d->id >= r->size) {
			fault(r, "a buffer that does not exist came back");
			return 0;
		}
		if (r->in_order)
			step = batch(r, k, out, d->id, d->len);
		else
			take_back(r, k, d->id, d->len);
	}
	return k;
}

static bool came_back(const struct guest_ring *r)
{
	const struct vring_packed_desc *d = (const struct vring_packed_desc *)r->desc + (r->back & (r->size - 1u));
	uint16_t flags;

	if (r->given == r->back)
		return false;
	if (!r->packed)
		return __atomic_load_n(&used_of(r)->idx, __ATOMIC_ACQUIRE) != (uint16_t)r->back;
	flags = __atomic_load_n(&d->flags, __ATOMIC_ACQUIRE);
	return !!(flags & AVAIL) == wrap_of(r, r->back) && !!(flags & USED) == wrap_of(r, r->back);
}

bool guest_ring_want_call(struct guest_ring *r, bool want)
{
	struct vring_packed_desc_event *event = (struct vring_packed_desc_event *)r->driver;

	if (r->packed)
		__atomic_store_n(&event->flags, want ? VRING_PACKED_EVENT_FLAG_ENABLE : VRING_PACKED_EVENT_FLAG_DISABLE, __ATOMIC_RELAXED);
	else if (r->event_idx)
		__atomic_store_n(&avail_of(r)->ring[r->size], (uint16_t)(r->back - !want), __ATOMIC_RELAXED);
	else
		__atomic_store_n(&avail_of(r)->flags, want ? 0 : VRING_AVAIL_F_NO_INTERRUPT, __ATOMIC_RELAXED);
	atomic_thread_fence(memory_order_seq_cst);	/* we ask, then look; the device shows, then looks (2.7.7.2) */
	return want && came_back(r);
}

unsigned guest_ring_collect(struct guest_ring *r)
{
	unsigned n = r->packed ? collect_packed(r) : collect_split(r);

	/* used_event stays behind what was used, so that it is not passed before the index has gone round (2.7.10) */
	if (n && r->event_idx && !r->packed && ((r->back + n) ^ r->back) & ~0x3fffull)
		avail_of(r)->ring[r->size] = (uint16_t)(r->back + n - 1);
	r->back += n;
	return n;
}

/* --- what is given -------------------------------------------------------------------------------------- */

uint8_t *guest_ring_next(const struct guest_ring *r, unsigned k)
{
	if (r->buffers > r->size)
		return guest_ring_buffer(r, (r->turn + k) % r->buffers);
	return guest_ring_buffer(r, order_of(r)[(r->given + k) & (r->size - 1u)]);
}

static uint64_t next_gpa(struct guest_ring *r, uint32_t id)
{
	if (r->buffers == r->size)
		return r->gpa + (uint64_t)id * r->stride;
	id = r->turn;
	r->turn = id + 1 == r->buffers ? 0 : id + 1;
	return r->gpa + (uint64_t)id * r->stride;
}

static void give_split(struct guest_ring *r, unsigned n)
{
	if (r->buffers > r->size || r->lengths)
		for (unsigned k = 0; k < n; k++) {
			uint32_t id = avail_of(r)->ring[(r->given + k) & (r->size - 1u)];

			point_split(r, id, next_gpa(r, id));
		}
	__atomic_store_n(&avail_of(r)->idx, (uint16_t)(r->given + n), __ATOMIC_RELEASE);
}

static void give_packed(struct guest_ring *r, unsigned n)
{
	struct vring_packed_desc *ring = (struct vring_packed_desc *)r->desc;
	uint16_t first = 0;

	for (unsigned k = 0; k < n; k++) {
		uint64_t at = r->given + k;
		struct vring_packed_desc *d = &ring[at & (r->size - 1u)];
		uint16_t id = r->order[at & (r->size - 1u)];
		uint16_t flags = direction(r) | (wrap_of(r, at) ? AVAIL : USED) | (r->indirect ? VRING_DESC_F_INDIRECT : 0);
		uint64_t gpa = next_gpa(r, id);

		if (r->indirect && (r->buffers > r->size || r->lengths))
			point_table(r, id, gpa);
		d->addr = r->indirect ? table_gpa(r, id) : gpa;
		d->len = r->indirect ? 2 * sizeof(struct vring_desc) : length_of(r, id);
		d->id = id;
		if (k)			/* the first one's flags make all the others visible (virtio 1.2, 2.8.21.1) */
			d->flags = flags;
		else
			first = flags;
	}
	__atomic_store_n(&ring[r->given & (r->size - 1u)].flags, first, __ATOMIC_RELEASE);
}

/* passed() - did the step from @old to @now go past @event (virtio 1.2, 2.7.10)? */
static bool passed(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

static bool kick_wanted(const struct guest_ring *r, unsigned n)
{
	if (r->packed) {
		uint32_t both = __atomic_load_n((const uint32_t *)r->device, __ATOMIC_RELAXED);
		uint16_t off = both & 0x7fff, now = (uint16_t)(r->given & (r->size - 1u));

		if (both >> 16 != VRING_PACKED_EVENT_FLAG_DESC)
			return both >> 16 == VRING_PACKED_EVENT_FLAG_ENABLE;
		if ((both >> 15 & 1) != wrap_of(r, r->given))
			off = (uint16_t)(off - r->size);
		return passed(off, now, (uint16_t)(now - n));
	}
	if (r->event_idx) {
		uint16_t event = __atomic_load_n((const uint16_t *)&used_of(r)->ring[r->size], __ATOMIC_RELAXED);

		return passed(event, (uint16_t)r->given, (uint16_t)(r->given - n));
	}
	return !(__atomic_load_n(&used_of(r)->flags, __ATOMIC_RELAXED) & VRING_USED_F_NO_NOTIFY);
}

void guest_ring_give(struct guest_ring *r, unsigned n)
{
	static const uint64_t one = 1;

	if (!n)
		return;
	if (r->packed)
		give_packed(r, n);
	else
		give_split(r, n);
	r->given += n;
	atomic_thread_fence(memory_order_seq_cst);	/* the device arms, then looks; we show, then look (2.7.13.4.1) */
	if (kick_wanted(r, n) && write(r->kick, &one, sizeof(one)) > 0)
		r->kicks++;
}
