// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/vring_driver_parts.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { TABLE = DRIVER_PIECES_MAX * sizeof(struct vring_desc), ROOM_MAX = 1 << 20, SPARE = 1 << 20 };

int driver_fail(struct driver *d, const char *fmt, ...)
{
	va_list args;

	if (d->fault[0])
		return -EPROTO;
	va_start(args, fmt);
	vsnprintf(d->fault, sizeof(d->fault), fmt, args);
	va_end(args);
	return -EPROTO;
}

int fifo_init(struct fifo *f, unsigned size)
{
	*f = (struct fifo){ .entries = calloc(size, sizeof(*f->entries)), .size = size };
	return f->entries ? 0 : -ENOMEM;
}

void fifo_push(struct fifo *f, uint16_t value)
{
	f->entries[(f->first + f->n++) % f->size] = value;
}

uint16_t fifo_pop(struct fifo *f)
{
	uint16_t value = f->entries[f->first];

	f->first = (f->first + 1) % f->size;
	f->n--;
	return value;
}

static bool has(const struct driver_conf *conf, unsigned bit)
{
	return conf->features >> bit & 1;
}

/* --- making --- */

enum { AREA = 4096 };	/* each part of a ring begins on a page of its own */

static uint64_t in_areas(uint64_t bytes)
{
	return (bytes + AREA - 1) / AREA * AREA;
}

static void areas_of(const struct driver_conf *conf, uint64_t bytes[3])
{
	bool packed = has(conf, VIRTIO_F_RING_PACKED);

	bytes[0] = 16ull * conf->size;
	bytes[1] = packed ? sizeof(struct vring_packed_desc_event) : 6 + 2ull * conf->size;
	bytes[2] = packed ? sizeof(struct vring_packed_desc_event) : 6 + 8ull * conf->size;
}

static void place_ring(struct driver *d, struct driver_ring *raw)
{
	uint64_t bytes[3], gpa[3];
	uint8_t *at[3];

	areas_of(&d->conf, bytes);
	for (unsigned i = 0; i < 3; i++) {
		gpa[i] = memory_alloc(&d->memory, bytes[i], AREA);
		at[i] = memory_at(&d->memory, gpa[i], NULL);
	}
	*raw = (struct driver_ring){ .size = d->conf.size, .packed = has(&d->conf, VIRTIO_F_RING_PACKED),
				     .desc_gpa = gpa[0], .driver_gpa = gpa[1], .device_gpa = gpa[2],
				     .desc_user = driver_user(d, gpa[0]), .driver_user = driver_user(d, gpa[1]),
				     .device_user = driver_user(d, gpa[2]) };
	if (raw->packed) {
		raw->packed_desc = (void *)at[0];
		raw->driver_event = (void *)at[1];
		raw->device_event = (void *)at[2];
	} else {
		raw->desc = (void *)at[0];
		raw->avail = (void *)at[1];
		raw->used = (void *)at[2];
	}
}

/* place_slots() - of all rings; where regions touch, one buffer or table lies across each border */
static int place_slots(struct driver *d)
{
	for (unsigned border = 0, i = 0; i < (unsigned)d->conf.size * d->nrings; i++) {
		struct slot *slot = &d->rings[i % d->nrings].slots[i / d->nrings];
		bool table = false;
		uint64_t crossing = memory_crossing(&d->memory, border, &table);

		border += crossing != 0;
		slot->gpa = crossing && !table ? crossing : memory_alloc(&d->memory, d->conf.room, 64);
		slot->table_gpa = crossing && table ? crossing : memory_alloc(&d->memory, TABLE, 16);
		if (!slot->gpa || !slot->table_gpa)
			return -ENOMEM;
	}
	return 0;
}

static int init_ring(struct driver *d, unsigned i)
{
	struct ring *r = &d->rings[i];
	unsigned size = d->conf.size;

	place_ring(d, &r->raw);
	r->d = d;
	r->kind = r->raw.packed ? &ring_packed : &ring_split;
	r->transmit = i % 2 == 1;
	r->in_order = has(&d->conf, VIRTIO_F_IN_ORDER);
	r->event_idx = has(&d->conf, VIRTIO_RING_F_EVENT_IDX);
	r->slots = calloc(size, sizeof(*r->slots));
	r->frame = malloc(DRIVER_FRAME_MAX);
	if (!r->slots || !r->frame || fifo_init(&r->free, size) < 0 || fifo_init(&r->order, size) < 0)
		return -ENOMEM;
	return r->kind->init(r);
}

static int init(struct driver *d)
{
	uint64_t bytes[3], rings, slots;
	int rc;

	areas_of(&d->conf, bytes);
	rings = d->nrings * (in_areas(bytes[0]) + in_areas(bytes[1]) + in_areas(bytes[2]));
	slots = (uint64_t)d->nrings * d->conf.size * (d->conf.room + 64 + TABLE + 16);
	rc = memory_init(&d->memory, &d->conf, rings, rings + slots + d->conf.spare, MAX_OF(d->conf.room, (uint32_t)TABLE));
	for (unsigned i = 0; rc == 0 && i < d->nrings; i++)
		rc = init_ring(d, i);
	return rc == 0 ? place_slots(d) : rc;
}

static bool conf_fits(const struct driver_conf *c)
{
	bool power = (c->size & (c->size - 1)) == 0;

	return c->pairs <= DRIVER_PAIRS_MAX && c->size <= 32768 && (power || has(c, VIRTIO_F_RING_PACKED)) && c->room <= ROOM_MAX &&
	       c->regions <= DRIVER_REGIONS_MAX;
}

struct driver *driver_new(const struct driver_conf *conf)
{
	struct driver *d = conf_fits(conf) ? calloc(1, sizeof(*d)) : NULL;
	int rc;

	if (!d) {
		errno = conf_fits(conf) ? ENOMEM : EINVAL;
		return NULL;
	}
	d->conf = *conf;
	d->conf.size = conf->size ? conf->size : 256;
	d->conf.room = conf->room ? conf->room : 2048;
	d->conf.spare = conf->spare ? conf->spare : SPARE;
	d->nrings = 2 * (conf->pairs ? conf->pairs : 1);
	d->header = has(conf, VIRTIO_F_VERSION_1) || has(conf, VIRTIO_NET_F_MRG_RXBUF) ? 12 : 10;
	rc = init(d);
	if (rc < 0) {
		driver_free(d);
		errno = -rc;
		return NULL;
	}
	for (unsigned i = 0; i < d->nrings; i++)
		driver_reset(d, i);
	return d;
}

void driver_free(struct driver *d)
{
	if (!d)
		return;
	for (unsigned i = 0; i < d->nrings; i++) {
		struct ring *r = &d->rings[i];

		for (unsigned s = 0; r->slots && s < d->conf.size; s++)
			free(r->slots[s].pieces);
		if (r->kind)
			r->kind->fini(r);
		free(r->slots);
		free(r->frame);
		free(r->free.entries);
		free(r->order.entries);
	}
	memory_fini(&d->memory);
	free(d);
}

const char *driver_fault(const struct driver *d)
{
	return d->fault;
}

void driver_reset(struct driver *d, unsigned ring)
{
	struct ring *r = &d->rings[ring];

	r->free.first = r->free.n = r->order.first = r->order.n = 0;
	for (unsigned i = 0; i < d->conf.size; i++) {
		r->slots[i].busy = false;
		fifo_push(&r->free, (uint16_t)i);
	}
	r->held = r->disordered = false;
	r->batch_last = NONE;
	r->kind->reset(r);
}

/* --- memory and rings as others see them --- */

int driver_fd(const struct driver *d)
{
	return d->memory.fd;
}

unsigned driver_regions(const struct driver *d, struct driver_region regions[DRIVER_REGIONS_MAX])
{
	unsigned n = 0;

	while (memory_region(&d->memory, n, &regions[n]) && ++n < DRIVER_REGIONS_MAX)
		;
	return n;
}

uint8_t *driver_at(const struct driver *d, uint64_t gpa, uint64_t *room)
{
	return memory_at(&d->memory, gpa, room);
}

uint64_t driver_user(const struct driver *d, uint64_t gpa)
{
	struct driver_region r;

	for (unsigned i = 0; memory_region(&d->memory, i, &r); i++)
		if (gpa - r.gpa < r.size)
			return r.user + (gpa - r.gpa);
	return 0;
}

uint64_t driver_alloc(struct driver *d, uint64_t bytes, uint64_t align)
{
	return memory_alloc(&d->memory, bytes, align ? align : 1);
}

const struct driver_ring *driver_ring(const struct driver *d, unsigned ring)
{
	return &d->rings[ring].raw;
}

/* --- what the kinds do --- */

void driver_hold(struct driver *d, unsigned ring)
{
	d->rings[ring].held = true;
}

void driver_publish(struct driver *d, unsigned ring)
{
	d->rings[ring].held = false;
	d->rings[ring].kind->publish(&d->rings[ring]);
}

unsigned driver_pending(const struct driver *d, unsigned ring)
{
	return d->rings[ring].order.n;
}

bool driver_kick_needed(struct driver *d, unsigned ring)
{
	return d->rings[ring].kind->kick_needed(&d->rings[ring]);
}

bool driver_call_want(struct driver *d, unsigned ring, uint16_t after)
{
	return d->rings[ring].kind->call_want(&d->rings[ring], after);
}

uint16_t driver_put(struct driver *d, unsigned ring, const struct driver_desc *descs, unsigned n)
{
	return d->rings[ring].kind->put(&d->rings[ring], descs, n);
}

unsigned driver_used(struct driver *d, unsigned ring)
{
	return d->rings[ring].kind->count_used(&d->rings[ring]);
}
