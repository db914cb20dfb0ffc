// SPDX-License-Identifier: GPL-2.0-or-later
/* The pieces of a buffer, whatever its descriptors look like: chains, indirect tables, buffers across regions. The bursts of
 * tap/vhost_rx.c and tap/vhost_tx.c take a buffer of one descriptor themselves and come here with all others. */
#include <string.h>

#include "tap/virtq.h"

enum { DESC = sizeof(struct vring_desc), TABLE_MAX = VHOST_RING_SIZE_MAX };

_Static_assert(sizeof(struct vring_desc) == sizeof(struct vring_packed_desc), "both kinds are of 16 bytes");

static const char *add(struct virtq *r, uint64_t gpa, uint32_t len, bool writable, bool is_writable, struct chain *c)
{
	if (writable != is_writable)
		return VIRTQ_BAD_DIRECTION;
	if (++c->looked > PIECES_MAX) {
		c->too_many = true;
		return NULL;
	}
	c->len += len;
	while (len) {			/* an address without bytes is never looked at */
		uint64_t part = len;
		uint8_t *at = vhost_at_part(r->memory, &r->hint, gpa, &part);

		if (!at)
			return VIRTQ_BAD_ADDRESS;
		if (c->n == PIECES_MAX) {
			c->too_many = true;
			return NULL;
		}
		c->p[c->n++] = (struct piece){ at, (uint32_t)part, gpa };
		gpa += part;
		len -= (uint32_t)part;
	}
	return NULL;
}

/* read_guest() - 16 bytes that may lie across two regions */
static bool read_guest(struct virtq *r, uint64_t gpa, void *to)
{
	uint8_t *out = to;
	uint64_t left = DESC;

	while (left) {
		uint64_t part = left;
		const uint8_t *at = vhost_at_part(r->memory, &r->hint, gpa, &part);

		if (!at)
			return false;
		memcpy(out, at, part);
		out += part;
		gpa += part;
		left -= part;
	}
	return true;
}

/* check_table() - virtio 1.2, 2.7.5.3.1: no table in a table, none behind a table, whole descriptors */
static const char *check_table(const struct virtq *r, uint32_t len, uint16_t flags)
{
	bool chained = !r->packed && flags & VRING_DESC_F_NEXT;

	return r->indirect && !chained && len && len % DESC == 0 && len / DESC <= TABLE_MAX ? NULL : VIRTQ_BAD_INDIRECT;
}

static const char *split_table(struct virtq *r, const struct vring_desc *t, bool writable, struct chain *c)
{
	const char *fault = check_table(r, t->len, t->flags);
	uint32_t n = t->len / DESC, at = 0;

	for (uint32_t seen = 0; !fault; seen++) {
		struct vring_desc d;

		if (seen == n || seen > r->size)
			return VIRTQ_LOOP;
		if (!read_guest(r, t->addr + (uint64_t)at * DESC, &d))
			return VIRTQ_BAD_ADDRESS;
		if (d.flags & VRING_DESC_F_INDIRECT)
			return VIRTQ_BAD_INDIRECT;
		fault = add(r, d.addr, d.len, writable, d.flags & VRING_DESC_F_WRITE, c);
		if (fault || c->too_many || !(d.flags & VRING_DESC_F_NEXT))
			return fault;
		if (d.next >= n)
			return VIRTQ_BAD_HEAD;
		at = d.next;
	}
	return fault;
}

static const char *split_chain(struct virtq *r, uint16_t head, bool writable, struct chain *c)
{
	uint16_t at = head;

	for (uint32_t seen = 0; seen < r->size; seen++) {
		struct vring_desc d = virtq_desc_load(&r->desc[at]);
		const char *fault;

		if (d.flags & VRING_DESC_F_INDIRECT)
			return split_table(r, &d, writable, c);
		fault = add(r, d.addr, d.len, writable, d.flags & VRING_DESC_F_WRITE, c);
		if (fault || c->too_many || !(d.flags & VRING_DESC_F_NEXT))
			return fault;
		if (d.next >= r->size)
			return VIRTQ_BAD_HEAD;
		at = d.next;
	}
	return VIRTQ_LOOP;
}

/* packed_table() - in a table of a packed ring every descriptor is used, in order (virtio 1.2, 2.8.7)
 * What is only read may be called writable there: DPDK's driver (22.11) does so with the header of each frame. */
static const char *packed_table(struct virtq *r, const struct vring_packed_desc *t, bool writable, struct chain *c)
{
	const char *fault = check_table(r, t->len, t->flags);

	for (uint32_t i = 0; !fault && !c->too_many && i < t->len / DESC; i++) {
		struct vring_packed_desc d;

		if (i > r->size)
			return VIRTQ_LOOP;
		if (!read_guest(r, t->addr + (uint64_t)i * DESC, &d))
			return VIRTQ_BAD_ADDRESS;
		if (d.flags & VRING_DESC_F_INDIRECT)
			return VIRTQ_BAD_INDIRECT;
		fault = add(r, d.addr, d.len, writable, writable && d.flags & VRING_DESC_F_WRITE, c);
	}
	return fault;
}

static struct vring_packed_desc packed_load(const struct vring_packed_desc *shared)
{
	struct vring_desc d = virtq_desc_load((const struct vring_desc *)shared);
	struct vring_packed_desc p;

	memcpy(&p, &d, sizeof(p));
	return p;
}

/* packed_chain() - to the end of the list even when there are too many pieces: the buffer's id stands in its last descriptor. A buffer
 * to write is not taken then, and needs no id. */
static const char *packed_chain(struct virtq *r, uint32_t at, bool writable, struct chain *c, struct slot *slot)
{
	for (slot->ndesc = 1; slot->ndesc <= r->size; slot->ndesc++) {
		struct vring_packed_desc d = packed_load(&r->packed_desc[at]);
		const char *fault = NULL;

		if (d.flags & VRING_DESC_F_INDIRECT)
			fault = slot->ndesc > 1 || d.flags & VRING_DESC_F_NEXT ? VIRTQ_BAD_INDIRECT :
										packed_table(r, &d, writable, c);
		else if (!c->too_many)
			fault = add(r, d.addr, d.len, writable, d.flags & VRING_DESC_F_WRITE, c);
		slot->id = d.id;
		if (c->too_many && writable)
			return fault;
		if (fault || !(d.flags & VRING_DESC_F_NEXT))
			return fault ? fault : d.id < r->size ? NULL : VIRTQ_BAD_ID;
		if (++at == r->size)
			at = 0;
	}
	return VIRTQ_LOOP;
}

const char *virtq_chain(struct virtq *r, uint16_t place, bool writable, struct chain *c, struct slot *slot)
{
	if (r->packed)
		return packed_chain(r, place, writable, c, slot);
	slot->id = place;
	slot->ndesc = 1;
	return split_chain(r, place, writable, c);
}
