// SPDX-License-Identifier: GPL-2.0-or-later
/* Buffers of the test driver: cut into descriptors, given to the device, and taken back with a strict eye */
#include "tests/packet/vring_driver_parts.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static const uint32_t header_apart[] = { 12 }, header_split[] = { 1, 11 },
		      header_bytes[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

const struct driver_layout DRIVER_PLAIN = { 0 },
			   DRIVER_HEADER_APART = { .pieces = header_apart, .n = 1 },
			   DRIVER_HEADER_BYTES = { .pieces = header_bytes, .n = 12 },
			   DRIVER_HEADER_SPLIT = { .pieces = header_split, .n = 2 },
			   DRIVER_INDIRECT = { .pieces = header_apart, .n = 1, .indirect = true };

/* cut() - lengths of the pieces of @total bytes. Return: how many, or -EINVAL */
static int cut(const struct driver_layout *l, uint32_t total, uint32_t lens[DRIVER_PIECES_MAX])
{
	unsigned even = MIN_OF(l->even, total), n = 0;
	uint32_t left = total;

	if (even > DRIVER_PIECES_MAX || l->n >= DRIVER_PIECES_MAX)
		return -EINVAL;
	for (; n < even; n++)
		lens[n] = (uint32_t)((uint64_t)total * (n + 1) / even - (uint64_t)total * n / even);
	if (even)
		return (int)n;
	for (; n < l->n && left > 0; n++) {
		lens[n] = MIN_OF(l->pieces[n], left);
		left -= lens[n];
	}
	if (left > 0)
		lens[n++] = left;
	return (int)n;
}

/* lay() - the pieces into the slot's memory, all of which then holds SLOT_FILL: before, between and behind them */
static int lay(struct ring *r, struct slot *s, uint32_t total, const struct driver_layout *layout, uint16_t flags)
{
	uint32_t lens[DRIVER_PIECES_MAX], offset = 0;
	int n = cut(layout, total, lens);

	if (n < 0)
		return n;
	if (total > r->d->conf.room || (uint64_t)total + (unsigned)n * SLOT_GAP > r->d->conf.room)
		return -EMSGSIZE;
	if (s->allocated < (unsigned)n) {
		struct driver_desc *more = realloc(s->pieces, (unsigned)n * sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->pieces = more;
		s->allocated = (unsigned)n;
	}
	for (int i = 0; i < n; i++) {
		s->pieces[i] = (struct driver_desc){ .addr = s->gpa + offset, .len = lens[i], .flags = flags };
		offset += lens[i] + SLOT_GAP;
	}
	memory_fill(&r->d->memory, s->gpa, SLOT_FILL, offset);
	s->npieces = (unsigned)n;
	s->total = total;
	return 0;
}

static void copy_out(struct ring *r, const struct slot *s, uint32_t from, uint8_t *to, uint32_t n)
{
	for (unsigned i = 0; i < s->npieces && n > 0; i++) {
		uint32_t part = s->pieces[i].len > from ? MIN_OF(s->pieces[i].len - from, n) : 0;

		memory_read(&r->d->memory, s->pieces[i].addr + from, to, part);
		from -= MIN_OF(from, s->pieces[i].len);
		to += part;
		n -= part;
	}
}

static void copy_in(struct ring *r, const struct slot *s, const uint8_t *header, unsigned header_len, const uint8_t *frame)
{
	uint32_t done = 0;

	for (unsigned i = 0; i < s->npieces; i++) {
		uint32_t from_header = done < header_len ? MIN_OF(header_len - done, s->pieces[i].len) : 0;
		uint32_t rest = s->pieces[i].len - from_header;

		memory_write(&r->d->memory, s->pieces[i].addr, header + done, from_header);
		if (rest)
			memory_write(&r->d->memory, s->pieces[i].addr + from_header, frame + (done + from_header - header_len), rest);
		done += s->pieces[i].len;
	}
}

/* put_table() - pieces from @first on into the slot's table: chained by NEXT when split (2.7.5.3), one by one when packed (2.8.7) */
static void put_table(struct ring *r, struct slot *s, unsigned first)
{
	unsigned n = s->npieces - first;

	s->table_size = n * 16;
	for (unsigned i = 0; i < n; i++) {
		const struct driver_desc *p = &s->pieces[first + i];
		bool more = i + 1 < n;
		struct vring_desc split = { p->addr, p->len, (uint16_t)(p->flags | (more ? VRING_DESC_F_NEXT : 0)),
					    (uint16_t)(more ? i + 1 : 0) };
		struct vring_packed_desc packed = { p->addr, p->len, 0x5555, p->flags };

		memory_write(&r->d->memory, s->table_gpa + 16ull * i, r->raw.packed ? (void *)&packed : (void *)&split, 16);
	}
}

static uint64_t hash_slot(const struct ring *r, const struct slot *s)
{
	uint64_t hash = memory_hash(&r->d->memory, 0xcbf29ce484222325ull, s->table_gpa, s->table_size);

	for (unsigned i = 0; r->transmit && i < s->npieces; i++)
		hash = memory_hash(&r->d->memory, hash, s->pieces[i].addr, s->pieces[i].len);
	return hash;
}

/* give() - a slot that was laid out, to the device. Return: 0, -ENOSPC, -EINVAL */
static int give(struct ring *r, uint16_t index, const struct driver_layout *layout)
{
	struct slot *s = &r->slots[index];
	unsigned direct = layout->indirect ? layout->direct : s->npieces, n;
	struct driver_desc descs[DRIVER_PIECES_MAX + 1];

	if (direct > s->npieces || (layout->indirect && direct == s->npieces) || (layout->indirect && direct && r->raw.packed) ||
	    s->npieces > r->raw.size)
		return -EINVAL;
	n = direct + layout->indirect;
	if (n > r->kind->room(r))
		return -ENOSPC;
	memcpy(descs, s->pieces, direct * sizeof(descs[0]));
	s->table_size = 0;
	if (layout->indirect) {
		put_table(r, s, direct);
		descs[direct] = (struct driver_desc){ s->table_gpa, s->table_size, VRING_DESC_F_INDIRECT, 0 };
	}
	s->ndescs = (uint16_t)n;
	s->hash = hash_slot(r, s);
	s->busy = true;
	fifo_push(&r->order, fifo_pop(&r->free));
	r->kind->add(r, descs, n, index);
	return 0;
}

int driver_send(struct driver *d, unsigned ring, const void *frame, uint32_t len, const uint8_t header[DRIVER_HEADER],
		const struct driver_layout *layout)
{
	static const uint8_t zeros[DRIVER_HEADER];
	struct ring *r = &d->rings[ring];
	uint16_t index;
	int rc;

	if (r->free.n == 0)
		return -ENOSPC;
	index = r->free.entries[r->free.first];
	rc = lay(r, &r->slots[index], d->header + len, layout, 0);
	if (rc < 0)
		return rc;
	copy_in(r, &r->slots[index], header ? header : zeros, d->header, frame);
	return give(r, index, layout);
}

int driver_post(struct driver *d, unsigned ring, unsigned n, uint32_t size, const struct driver_layout *layout)
{
	struct ring *r = &d->rings[ring];
	unsigned i;

	for (i = 0; i < n && r->free.n > 0; i++) {
		uint16_t index = r->free.entries[r->free.first];
		int rc = lay(r, &r->slots[index], size, layout, VRING_DESC_F_WRITE);

		rc = rc < 0 ? rc : give(r, index, layout);
		if (rc == -ENOSPC)
			break;
		if (rc < 0)
			return rc;
	}
	return (int)i;
}

/* --- taking back --- */

/* take_from_order() - out of the list of slots that the device has */
static void take_from_order(struct ring *r, uint16_t slot)
{
	struct fifo *f = &r->order;
	unsigned at = 0;

	while (f->entries[(f->first + at) % f->size] != slot)
		at++;
	r->disordered |= at > 0;
	for (; at > 0; at--)
		f->entries[(f->first + at) % f->size] = f->entries[(f->first + at - 1) % f->size];
	fifo_pop(f);
}

static unsigned place_in_order(const struct ring *r, unsigned slot)
{
	unsigned at = 0;

	while (r->order.entries[(r->order.first + at) % r->order.size] != slot)
		at++;
	return at;
}

/* next_used() - the next buffer that came back, not free yet. In order, one used element stands for all up to its own, which were
 * used whole (2.7.9, 2.8.7). Return: 1, 0, -EPROTO */
static int next_used(struct ring *r, uint16_t *slot, uint32_t *len)
{
	unsigned waiting;

	if (r->batch_last == NONE) {
		int rc = r->kind->peek(r, &r->batch_last, &r->batch_len, &waiting);

		if (rc <= 0) {
			r->batch_last = NONE;
			return rc;
		}
		if (r->in_order && place_in_order(r, r->batch_last) >= waiting)
			return driver_fail(r->d, "in order: a used element for %u buffers, the index has %u",
					   place_in_order(r, r->batch_last) + 1, waiting);
	}
	*slot = r->in_order ? r->order.entries[r->order.first] : (uint16_t)r->batch_last;
	*len = r->batch_len;
	if (*slot != r->batch_last)
		*len = r->transmit ? 0 : r->slots[*slot].total;
	else
		r->batch_last = NONE;
	take_from_order(r, *slot);
	r->kind->release(r, &r->slots[*slot]);
	return 1;
}

static void free_slot(struct ring *r, uint16_t slot)
{
	r->slots[slot].busy = false;
	fifo_push(&r->free, slot);
}

/* check_slot() - was only written what may be? @len bytes of the buffer, from its beginning */
static int check_slot(struct ring *r, const struct slot *s, uint32_t len)
{
	if (hash_slot(r, s) != s->hash)
		return driver_fail(r->d, "memory that is only to be read was written to");
	if (len > (r->transmit ? 0 : s->total))
		return driver_fail(r->d, "used length %u of a buffer with room for %u", len, r->transmit ? 0 : s->total);
	for (unsigned i = 0; i < s->npieces; i++) {
		const struct driver_desc *p = &s->pieces[i];
		uint32_t used = r->transmit ? p->len : MIN_OF(len, p->len);

		if (!memory_holds(&r->d->memory, p->addr + used, SLOT_FILL, p->len - used + SLOT_GAP))
			return driver_fail(r->d, "written behind byte %u of piece %u (length %u, used length %u)", used, i, p->len, len);
		len -= MIN_OF(len, p->len);
	}
	return 0;
}

int driver_reap(struct driver *d, unsigned ring)
{
	struct ring *r = &d->rings[ring];
	uint16_t slot;
	uint32_t len;
	int n = 0, rc;

	while ((rc = next_used(r, &slot, &len)) > 0) {
		if (check_slot(r, &r->slots[slot], len) < 0)
			return -EPROTO;
		free_slot(r, slot);
		n++;
	}
	return rc < 0 ? rc : n;
}

/* take_buffer() - @len bytes of it behind @skip to the end of the frame */
static int take_buffer(struct ring *r, struct driver_frame *frame, uint16_t slot, uint32_t len, uint32_t skip)
{
	if (len < skip)
		return driver_fail(r->d, "used length %u: shorter than the header", len);
	if (len - skip > DRIVER_FRAME_MAX - frame->len)
		return driver_fail(r->d, "a frame longer than any");
	copy_out(r, &r->slots[slot], skip, r->frame + frame->len, len - skip);
	frame->len += len - skip;
	return check_slot(r, &r->slots[slot], len);
}

/* count_buffers() - as the header says (5.1.6.4.1) */
static int count_buffers(struct ring *r, const struct driver_frame *frame)
{
	unsigned n = frame->header[10] | (unsigned)frame->header[11] << 8;
	bool mergeable = r->d->conf.features >> VIRTIO_NET_F_MRG_RXBUF & 1;

	if (r->d->header == 10)
		return 1;
	if (n == 0 || (n > 1 && !mergeable))
		return driver_fail(r->d, "num_buffers is %u", n);
	return (int)n;
}

int driver_take(struct driver *d, unsigned ring, struct driver_frame *frame)
{
	struct ring *r = &d->rings[ring];
	int rc, buffers = 1;

	*frame = (struct driver_frame){ .data = r->frame };
	for (int i = 0; i < buffers; i++) {
		uint16_t slot;
		uint32_t len;

		rc = next_used(r, &slot, &len);
		if (rc == 0 && i > 0)
			return driver_fail(d, "num_buffers is %d, and only %d were used", buffers, i);
		if (rc <= 0)
			return rc;
		if (i == 0) {
			copy_out(r, &r->slots[slot], 0, frame->header, d->header);
			buffers = count_buffers(r, frame);
		}
		if (buffers < 0 || take_buffer(r, frame, slot, len, i == 0 ? d->header : 0) < 0)
			return -EPROTO;
		if (i + 1 < buffers && len != r->slots[slot].total)
			return driver_fail(d, "buffer %d of %d was not filled", i, buffers);	/* 5.1.6.4.1 */
		free_slot(r, slot);
	}
	frame->buffers = (unsigned)buffers;
	return 1;
}

int driver_check(struct driver *d)
{
	for (unsigned i = 0; i < d->nrings; i++) {
		struct ring *r = &d->rings[i];

		if (r->kind->check(r) < 0)
			return -EPROTO;
		for (unsigned at = 0; at < r->order.n; at++) {
			const struct slot *s = &r->slots[r->order.entries[(r->order.first + at) % r->order.size]];

			if (hash_slot(r, s) != s->hash)
				return driver_fail(d, "ring %u: memory that is only to be read was written to", i);
		}
	}
	return 0;
}
