/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/ring_sides.h - both sides of one ring in a few words: our device side, tap/virtq.h, and a driver that keeps to virtio
 * 1.2, 2.7.13 and 2.8.21, each step of which can be taken by itself; once per program
 *
 * Buffers are without contents: what matters is who knows of what, and who sleeps. Calls go to the ring that began last.
 */
#ifndef TESTS_PACKET_RING_SIDES_H
#define TESTS_PACKET_RING_SIDES_H

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tap/vhost_call.h"
#include "tap/virtq.h"

enum { WRAP = 0x8000 };

/* ring - both sides, and what they owe one another */
struct ring {
	struct virtq device;
	struct vring_saved saved;
	uint64_t memory[3][64];		/* descriptors, driver's area, device's area */
	/* the driver: counts of buffers since the beginning, and places */
	uint32_t given, back, asked;
	uint16_t avail, used;
	bool avail_wrap, used_wrap;
	bool must_ask;			/* it has made something available and not yet looked whether to kick */
	bool sleeps;			/* until it is called, which is due when `target` buffers were used */
	uint32_t target;
	atomic_bool kicked, called;
	/* the device */
	uint32_t taken;			/* and `returned`: buffers since the beginning */
	uint32_t returned;
	bool asleep, armed;		/* armed: it has asked for kicks and not yet looked again */
};

static struct ring *calling;		/* whose device calls: one at a time */

int vhost_call(unsigned index, int fd)
{
	(void)index, (void)fd;
	atomic_store(&calling->called, true);
	return 0;
}

static const struct {
	const char *what;
	bool packed, event_idx;
} modes[] = {
	{ "split, flags",	false, false },	{ "split, event index",	 false, true },
	{ "packed, flags",	true, false },	{ "packed, event index", true, true },
};

static inline void begin(struct ring *m, unsigned mode, uint16_t size, uint16_t at, bool wrap)
{
	struct virtq *d = &m->device;

	memset(m->memory, 0, sizeof(m->memory));
	m->given = m->back = m->asked = m->target = m->taken = m->returned = 0;
	m->must_ask = m->sleeps = m->armed = m->asleep = false;
	atomic_store(&m->kicked, false);
	atomic_store(&m->called, false);
	m->avail = m->used = at;
	m->avail_wrap = m->used_wrap = wrap;
	m->saved.next_avail = m->saved.next_used = (uint16_t)(modes[mode].packed && wrap ? at | WRAP : at);
	d->desc = (void *)m->memory[0];
	d->avail = (void *)m->memory[1];
	d->used = (void *)m->memory[2];
	d->saved = &m->saved;
	d->size = size;
	d->mask = size - 1u;
	d->packed = modes[mode].packed;
	d->event_idx = modes[mode].event_idx;
	d->call = 0;
	virtq_begin(d);
	d->uncalled = false;		/* no call as after a pause */
	atomic_store(&d->call_once, false);
	calling = m;
	if (d->packed) {
		for (unsigned i = 0; i < size; i++)	/* all used in the round before this place */
			d->packed_desc[i].flags = (i < at) == wrap ? 0x8080 : 0;
	} else {
		d->avail->idx = d->used->idx = at;
	}
	virtq_notify(d, false);
}

/* ---- the driver ---- */

static inline void step(const struct ring *m, uint16_t *at, bool *wrap)
{
	if (!m->device.packed) {
		++*at;
	} else if (++*at == m->device.size) {
		*at = 0;
		*wrap = !*wrap;
	}
}

static inline void give(struct ring *m, unsigned n)
{
	struct virtq *d = &m->device;

	for (; n && m->given - m->back < d->size; n--, m->given++) {
		if (d->packed)
			virtq_store(&d->packed_desc[m->avail].flags, m->avail_wrap ? 0x0080 : 0x8000);
		else
			d->avail->ring[m->avail & d->mask] = m->avail & d->mask;
		step(m, &m->avail, &m->avail_wrap);
	}
	if (!d->packed)
		virtq_store(&d->avail->idx, m->avail);
	m->must_ask = m->asked != m->given;
}

static inline bool wants_kick(struct ring *m)
{
	struct virtq *d = &m->device;
	uint16_t added = (uint16_t)(m->given - m->asked), flags, event;

	m->asked = m->given;
	m->must_ask = false;
	atomic_thread_fence(memory_order_seq_cst);
	if (!added)
		return false;
	if (!d->packed) {
		if (!d->event_idx)
			return !(virtq_peek(&d->used->flags) & VRING_USED_F_NO_NOTIFY);
		return vring_need_event(virtq_peek(virtq_avail_event_at(d)), m->avail, (uint16_t)(m->avail - added));
	}
	flags = virtq_load(&d->device_event->flags);
	event = virtq_peek(&d->device_event->off_wrap);
	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	if (event >> 15 != m->avail_wrap)
		event = (uint16_t)((event & ~WRAP) - d->size);
	return vring_need_event(event & ~WRAP, m->avail, (uint16_t)(m->avail - added));
}

static inline bool is_used(const struct ring *m)
{
	const struct virtq *d = &m->device;
	uint16_t flags;

	if (!d->packed)
		return virtq_load(&d->used->idx) != m->used;
	flags = virtq_load(&d->packed_desc[m->used].flags);
	return m->back != m->given && !(flags & 0x0080) == !(flags & 0x8000) && !!(flags & 0x8000) == m->used_wrap;
}

static inline void take_back(struct ring *m)
{
	while (is_used(m)) {
		step(m, &m->used, &m->used_wrap);
		m->back++;
	}
}

/* want_call() - when @after more are used, or never (0). Return: something is there already */
static inline bool want_call(struct ring *m, unsigned after)
{
	struct virtq *d = &m->device;
	uint16_t at = m->used;
	bool wrap = m->used_wrap;

	for (unsigned i = 1; i < after; i++)
		step(m, &at, &wrap);
	if (!d->packed) {
		virtq_poke(&d->avail->flags, after || d->event_idx ? 0 : VRING_AVAIL_F_NO_INTERRUPT);
		virtq_poke(virtq_used_event_at(d), after ? at : (uint16_t)(at - 1));
	} else {
		virtq_poke(&d->driver_event->off_wrap, (uint16_t)(at | (wrap ? WRAP : 0)));
		virtq_store(&d->driver_event->flags, !after ? VRING_PACKED_EVENT_FLAG_DISABLE :
					d->event_idx ? VRING_PACKED_EVENT_FLAG_DESC : VRING_PACKED_EVENT_FLAG_ENABLE);
	}
	atomic_thread_fence(memory_order_seq_cst);
	return is_used(m);
}

/* ---- the device: as tap/vhost_rx.c uses a ring ---- */

static inline unsigned device_take(struct ring *m, unsigned max)
{
	struct virtq *d = &m->device;
	const char *fault = NULL;
	unsigned n = 0;

	if (d->notify_on)
		virtq_notify(d, false);
	if (!d->packed)
		n = virtq_split_waiting(d, max, &fault);
	if (fault)
		abort();
	for (unsigned i = 0; i < n; i++)
		d->slots[i] = (struct slot){ .id = virtq_peek(&d->avail->ring[(d->next_avail + i) & d->mask]), .ndesc = 1 };
	if (!d->packed)
		d->next_avail = (uint16_t)(d->next_avail + n);
	for (; d->packed && n < max && virtq_packed_waiting(d); n++) {
		d->slots[n] = (struct slot){ .id = d->next_avail, .ndesc = 1 };
		virtq_packed_advance(d, 1);
	}
	d->nslots = n;
	m->taken += n;
	return n;
}

static inline void device_return(struct ring *m)
{
	m->returned += m->device.nslots;
	virtq_return(&m->device);
}

#endif
