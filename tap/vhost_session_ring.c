// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "base/array.h"
#include "tap/vhost_inflight.h"
#include "tap/vhost_packed_place.h"
#include "tap/vhost_session_parts.h"
#include "tap/virtq.h"

enum {
	WRAP = 0x8000, INDEX = 0x7fff,		/* of a position in a packed ring */
	DESC_SIZE = 16, DESC_FLAGS = 14, AVAIL_BIT = 7, USED_BIT = 15,
	LOG_PAGE = 4096,
};

bool session_packed(const struct vhost_session *s)
{
	return s->saved->features >> VIRTIO_F_RING_PACKED & 1;
}

void session_pause(struct vhost_session *s)
{
	if (!s->paused)
		vhost_pause(s->conf.port);
	s->paused = true;
}

bool session_any_started(const struct vhost_session *s)
{
	for (unsigned i = 0; i < s->nrings; i++)
		if (s->rings[i].started)
			return true;
	return false;
}

void session_settle(struct vhost_session *s)
{
	if (s->paused && session_any_started(s)) {
		vhost_resume(s->conf.port);
		s->paused = false;
	}
	if (!s->paused && s->announce) {
		vhost_announce(s->conf.port, s->mac);
		s->announce = false;
	}
}

/* "rings start enabled when protocol features were not negotiated, otherwise disabled until SET_VRING_ENABLE" */
bool ring_enabled(const struct vhost_session *s, unsigned ring)
{
	if (s->saved->has_features && !(s->saved->features & VHOST_F_PROTOCOL_FEATURES))
		return true;
	return s->saved->rings[ring].enabled;
}

/* ---- addresses ---- */

/* find_area() - one area of a ring, whole and aligned (virtio 1.2, 2.7 and 2.8) */
static int find_area(struct vhost_session *s, const char *what, uint64_t user, uint64_t size, unsigned align, uint8_t **at,
		     uint64_t *gpa, struct error *err)
{
	uint8_t *p = vhost_user_at(s->memory, user, size, gpa);

	if (!p)
		return error_set(err, -EFAULT, "%s at 0x%llx: its %llu bytes are not in one region of the memory", what,
				 (unsigned long long)user, (unsigned long long)size);
	if ((uintptr_t)p % align)
		return error_set(err, -EINVAL, "%s at 0x%llx: not aligned to %u bytes", what, (unsigned long long)user, align);
	*at = p;
	return 0;
}

static int find_areas(struct vhost_session *s, const struct vhost_saved_ring *r, struct vhost_ring_conf *c, struct error *err)
{
	bool packed = session_packed(s);
	uint64_t driver_size = packed ? 4 : 6 + 2ull * r->size, device_size = packed ? 4 : 6 + 8ull * r->size, desc_gpa;
	int rc;

	rc = find_area(s, "descriptors", r->desc, (uint64_t)DESC_SIZE * r->size, 16, &c->desc, &desc_gpa, err);
	if (rc == 0)
		rc = find_area(s, packed ? "driver event area" : "avail ring", r->avail, driver_size, packed ? 4 : 2, &c->driver,
			       NULL, err);
	if (rc == 0)
		rc = find_area(s, packed ? "device event area" : "used ring", r->used, device_size, 4, &c->device, &c->device_gpa,
			       err);
	if (rc < 0)
		return rc;
	c->log_device = r->addr_flags & VHOST_ADDR_LOG;
	if (!c->log_device)
		return 0;
	/* What is written in a packed ring are its descriptors; front-ends tell of the device event area, which every start writes. */
	c->device_gpa = desc_gpa;
	if (packed)
		return 0;
	/* It may lie outside of the guest's memory, but not outside of the log. */
	c->device_gpa = r->log;
	if (s->memory->log && (r->log > UINT64_MAX - device_size || (r->log + device_size - 1) / LOG_PAGE / 8 >= s->memory->log_size))
		return error_set(err, -EINVAL, "used ring: its place in the dirty log, 0x%llx, is beyond the end",
				 (unsigned long long)r->log);
	return 0;
}

static bool known(const struct vhost_session *s, unsigned ring)
{
	return s->saved->has_features && s->memory && s->saved->rings[ring].size && s->saved->rings[ring].has_addr;
}

static int make_conf(struct vhost_session *s, unsigned ring, struct vhost_ring_conf *c, struct error *err)
{
	const struct vhost_saved_ring *r = &s->saved->rings[ring];
	int rc;

	if (!session_packed(s) && (r->size & (r->size - 1)))
		return error_set(err, -EINVAL, "ring %u: its size, %u, is not a power of two", ring, r->size);
	if (s->inflight && r->size > s->saved->inflight_queue_size)
		return error_set(err, -EINVAL, "ring %u: its size, %u, is more than the inflight area has entries", ring, r->size);
	*c = (struct vhost_ring_conf){
		.size = (uint16_t)r->size, .kick = s->rings[ring].kick, .call = s->rings[ring].call, .err = s->rings[ring].err,
		.saved = &s->saved->positions[ring],
	};
	rc = find_areas(s, r, c, err);
	if (rc < 0)
		error_prefix(err, "ring %u", ring);
	return rc;
}

int ring_check(struct vhost_session *s, unsigned ring, struct error *err)
{
	struct vhost_ring_conf c;

	return known(s, ring) ? make_conf(s, ring, &c, err) : 0;
}

/* ---- where it goes on ---- */

uint32_t ring_base(const struct vhost_session *s, unsigned ring)
{
	const struct vhost_saved_ring *r = &s->saved->rings[ring];
	struct vring_saved at = s->saved->positions[ring];

	if (r->has_base)
		return r->base;
	if (!session_packed(s))
		return r->placed ? at.next_avail : 0;
	return r->placed ? at.next_avail | (uint32_t)at.next_used << 16 : WRAP | (uint32_t)WRAP << 16;
}

/* ahead_max() - buffers that the last engine may have given back at once, and died before it said so in `saved` */
static unsigned ahead_max(const struct vhost_ring_conf *c)
{
	return MIN_OF((unsigned)c->size, (unsigned)SLOTS_MAX);
}

static uint16_t used_index(const struct vhost_ring_conf *c)
{
	return __atomic_load_n((const uint16_t *)(const void *)(c->device + 2), __ATOMIC_ACQUIRE);
}

static uint16_t split_position(const struct vhost_session *s, unsigned ring, const struct vhost_ring_conf *c)
{
	const struct vhost_saved_ring *r = &s->saved->rings[ring];
	uint16_t base = (uint16_t)r->base, used = used_index(c), lag = (uint16_t)(base - used);

	if (!r->has_base) {
		uint16_t at = r->placed ? s->saved->positions[ring].next_used : 0;

		return s->restoring && (uint16_t)(used - at) <= ahead_max(c) ? used : at;
	}
	/* What an earlier back-end took and did not give back is taken again: it lies between the used index and the base. A base of
	 * 0 is a ring that was reset, whose used index may be old, unless somebody hands us what was in flight. */
	return lag <= c->size && (base || r->resubmit) ? used : base;
}

/* step() - to the next place of a packed ring */
static uint16_t step(uint16_t at, uint16_t size)
{
	return (at & INDEX) + 1 < size ? at + 1 : (at & WRAP) ^ WRAP;
}

static bool was_used(const struct vhost_ring_conf *c, uint16_t at)
{
	const uint16_t *p = (const uint16_t *)(const void *)(c->desc + (size_t)(at & INDEX) * DESC_SIZE + DESC_FLAGS);
	uint16_t flags = __atomic_load_n(p, __ATOMIC_ACQUIRE), wrap = at >> 15;

	return (flags >> AVAIL_BIT & 1) == wrap && (flags >> USED_BIT & 1) == wrap;
}

/* ring_tells() - does the ring itself say where it stands? Each buffer has one descriptor (drivers that may use indirect tables do),
 * and each comes back by its own (not the last one for all, as in order). */
static bool ring_tells(const struct vhost_session *s)
{
	return s->saved->features >> VIRTIO_RING_F_INDIRECT_DESC & 1 && !(s->saved->features >> VIRTIO_F_IN_ORDER & 1);
}

static uint16_t packed_position(const struct vhost_session *s, unsigned ring, const struct vhost_ring_conf *c)
{
	const struct vhost_saved_ring *r = &s->saved->rings[ring];
	uint16_t at = r->placed ? s->saved->positions[ring].next_used : WRAP;

	/* Avail in the lower half, used in the upper one, where virtio-user leaves 0. */
	if (r->has_base)
		at = (uint16_t)(r->base >> 16 ? r->base >> 16 : r->base);
	/* QEMU says where the ring began, also when it has run since and we were started again. */
	if (r->has_base && at == WRAP && ring_tells(s))
		vhost_packed_place(c->desc, c->size, &at);
	if (r->resubmit && s->inflight && ring < s->saved->inflight_queues)
		vhost_inflight_resume(vhost_mapping_at(s->inflight), s->saved->inflight_queue_size, ring, c->desc, c->size, &at);
	for (unsigned i = 0; s->restoring && i < ahead_max(c) && (at & INDEX) < c->size && was_used(c, at); i++)
		at = step(at, c->size);
	return at;
}

/* place() - note in `saved` where the ring begins; buffers come back in order, so both positions are one */
static int place(struct vhost_session *s, unsigned ring, const struct vhost_ring_conf *c, struct error *err)
{
	struct vhost_saved_ring *r = &s->saved->rings[ring];
	uint16_t at;

	if (s->rings[ring].started && !r->has_base)
		return 0;
	at = session_packed(s) ? packed_position(s, ring, c) : split_position(s, ring, c);
	if (session_packed(s) && (at & INDEX) >= c->size)
		return error_set(err, -EINVAL, "ring %u: place %u in a packed ring of %u", ring, at & INDEX, c->size);
	s->saved->positions[ring] = (struct vring_saved){ at, at };
	r->placed = true;
	r->has_base = r->resubmit = false;
	return 0;
}

/* ---- starting and stopping ---- */

int ring_sync(struct vhost_session *s, unsigned ring, struct error *err)
{
	struct vhost_ring_conf c;
	int rc = 0;

	if (s->saved->rings[ring].kicked && known(s, ring)) {
		session_pause(s);
		rc = make_conf(s, ring, &c, err);
		if (rc == 0)
			rc = place(s, ring, &c, err);
		if (rc == 0) {
			vhost_ring_start(s->conf.port, ring, &c);
			vhost_ring_enable(s->conf.port, ring, ring_enabled(s, ring));
			if (!s->rings[ring].started)
				inflight_ring_started(s, ring);
			s->rings[ring].started = true;
			return 0;
		}
	}
	ring_stop(s, ring);
	return rc;
}

int rings_sync(struct vhost_session *s, struct error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < s->nrings; i++) {
		int one = ring_sync(s, i, rc == 0 ? err : NULL);

		if (rc == 0)
			rc = one;
	}
	return rc;
}

void ring_stop(struct vhost_session *s, unsigned ring)
{
	if (!s->rings[ring].started)
		return;
	session_pause(s);
	vhost_ring_stop(s->conf.port, ring);
	s->rings[ring].started = false;
	inflight_ring_stopped(s, ring);
	/* A driver that has stopped all its rings has begun anew. The port sees that when it is let run without any. */
	if (vhost_fault(s->conf.port) && !session_any_started(s)) {
		vhost_resume(s->conf.port);
		vhost_pause(s->conf.port);
	}
}

void ring_forget_kick(struct vhost_session *s, unsigned ring)
{
	struct vhost_saved_ring *r = &s->saved->rings[ring];

	session_close(&s->rings[ring].kick);
	if (r->fds & VHOST_HAS_KICK)
		session_drop(s, "kick", (int)ring);
	r->fds &= (uint8_t)~VHOST_HAS_KICK;
	r->kicked = false;
}
