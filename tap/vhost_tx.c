// SPDX-License-Identifier: GPL-2.0-or-later
/* From frames to a guest's receive ring: the private head and the borrowed body are copied straight into the guest's buffers,
 * which is the one copy that a frame makes from guest to guest.
 *
 * Frames that each fit a buffer of one descriptor go through three loops, as in tap/vhost_rx.c. One that does not (several
 * buffers, a chain, a dirty log to keep) is placed by itself, after the frames before it. */
#include <linux/virtio_net.h>
#include <string.h>

#include "base/bytes.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/unread.h"
#include "switch/worker.h"
#include "tap/vhost_parts.h"

enum { ADDRESSES = 12, NUM_BUFFERS = 10 };

static inline uint32_t size_of(uint32_t header, const struct tx_frame *tx)
{
	return header + tx->frame->len + tx_tags_size(tx);
}

/* put_header() - all of the header is written: what the guest reads is never what lay in its memory before */
static inline void put_header(uint32_t header, const struct tx_frame *tx, uint8_t *to, uint16_t buffers)
{
	const struct offload *o = &tx->frame->offload;

	if (__builtin_expect(o->flags | o->gso_type, 0))
		offload_write(o, tx_tags_size(tx), to, VNET_HEADER_LEGACY);
	else
		memset(to, 0, VNET_HEADER_LEGACY);
	if (header > NUM_BUFFERS) {
		to[NUM_BUFFERS] = (uint8_t)buffers;
		to[NUM_BUFFERS + 1] = (uint8_t)(buffers >> 8);
	}
}

/* ---- the frame into one piece of memory ---- */

/* put_tagged_head() - apart, so that the compiler has the rest of put_head() where it is used */
static __attribute__((noinline)) uint8_t *put_tagged_head(const struct tx_frame *tx, uint8_t *to)
{
	const struct frame *f = tx->frame;
	uint32_t tags;

	memcpy(to, f->head, ADDRESSES);		/* tags stand behind both addresses (802.1Q, 9.4) */
	tags = tx_tags(tx, to + ADDRESSES);
	memcpy(to + ADDRESSES + tags, f->head + ADDRESSES, f->head_len - ADDRESSES);
	return to + f->head_len + tags;
}

static inline uint8_t *put_head(const struct tx_frame *tx, uint8_t *to)
{
	const struct frame *f = tx->frame;

	if (__builtin_expect(tx_tags_size(tx), 0))
		return put_tagged_head(tx, to);
	vhost_copy_head(to, f->head, f->head_len);
	return to + f->head_len;
}

static inline __attribute__((always_inline)) void put_frame(uint32_t header, const struct tx_frame *tx, uint8_t *to)
{
	const struct frame *f = tx->frame;

	put_header(header, tx, to, 1);
	to = put_head(tx, to + header);
	for (unsigned i = 0; i < f->nbody; i++) {
		memcpy(to, f->body[i].iov_base, f->body[i].iov_len);	/* guests may share memory, but never one mapping of it */
		to += f->body[i].iov_len;
	}
}

/* ---- ... into pieces ---- */

/* sink - where in the buffers of a chain the next byte goes */
struct sink {
	const struct chain *c;
	unsigned i;
	uint32_t at;
};

static void sink_write(struct sink *s, const void *data, size_t n)
{
	const uint8_t *from = data;

	while (n) {
		const struct piece *p = &s->c->p[s->i];
		uint32_t part = (uint32_t)MIN_OF(n, p->len - s->at);

		memcpy(p->at + s->at, from, part);
		from += part;
		n -= part;
		s->at += part;
		if (s->at == p->len) {
			s->i++;
			s->at = 0;
		}
	}
}

static void log_written(const struct virtq *r, const struct chain *c, uint64_t size)
{
	for (unsigned i = 0; i < c->n && size; i++) {
		uint64_t part = MIN_OF(size, c->p[i].len);

		vhost_log_write(r->memory, c->p[i].gpa, part);
		size -= part;
	}
}

enum { READ_PIECES = 128 };		/* most pieces of guest memory that a frame is read into: 64 KB in buffers of 512 bytes */

/* read_rest() - what is unread of @f straight into the buffers. What is written there is looked at by the guest alone, and the kernel writes it:
 * where a page was taken away it says so instead of a SIGBUS. Return: did it? */
static bool read_rest(struct frame *f, struct sink *s)
{
	struct unread_frame *u = container_of(f, struct unread_frame, frame);
	struct iovec to[READ_PIECES];
	uint32_t left = f->len - f->head_len;
	unsigned n = 0;

	for (; left && n < READ_PIECES; n++) {
		const struct piece *p = &s->c->p[s->i++];
		uint32_t part = MIN_OF(left, p->len - s->at);

		to[n] = (struct iovec){ p->at + s->at, part };
		left -= part;
		s->at = 0;
	}
	return !left && u->read(u, to, n);
}

/* put_pieces() - Return: false when the rest of an unread frame did not get there */
static bool put_pieces(const struct virtq *r, const struct tx_frame *tx, const struct chain *c, uint16_t buffers)
{
	struct frame *f = tx->frame;
	bool whole = true;
	struct sink s = { .c = c };
	uint8_t start[VNET_HEADER + OFFLOAD_HEAD + TAGS_MAX];
	uint32_t first = MIN_OF(f->head_len, (uint32_t)OFFLOAD_HEAD);
	struct frame head = { .head = f->head, .head_len = first };
	struct tx_frame beginning = *tx;

	beginning.frame = &head;
	put_header(r->header, tx, start, buffers);
	sink_write(&s, start, (size_t)(put_head(&beginning, start + r->header) - start));
	sink_write(&s, f->head + first, f->head_len - first);
	for (unsigned i = 0; i < f->nbody; i++)
		sink_write(&s, f->body[i].iov_base, f->body[i].iov_len);
	if (f->unread)
		whole = read_rest(f, &s);
	log_written(r, c, size_of(r->header, tx));
	return whole;
}

/* ---- buffers ---- */

/* next_buffer() - append the next buffer of the ring to @c. Return: false when there is none, or on a fault */
static bool next_buffer(struct virtq *r, struct chain *c, struct slot *slot, const char **fault)
{
	uint16_t place;

	if (r->packed) {
		if (!virtq_packed_waiting(r))
			return false;
		place = r->next_avail;
	} else {
		if (!virtq_split_waiting(r, 1, fault))
			return false;
		place = virtq_peek(&r->avail->ring[r->next_avail & r->mask]);
		if (place >= r->size) {
			*fault = VIRTQ_BAD_HEAD;
			return false;
		}
	}
	*fault = virtq_chain(r, place, true, c, slot);
	if (*fault)
		return false;
	if (r->packed)
		virtq_packed_advance(r, slot->ndesc);
	else
		r->next_avail++;
	return true;
}

/* share_out() - how much of @size bytes went into each of the buffers, whose room stands in .len */
static void share_out(struct slot *slots, unsigned n, uint32_t size)
{
	for (unsigned i = 0; i < n; i++) {
		slots[i].len = MIN_OF(size, slots[i].len);
		size -= slots[i].len;
	}
}

/* place_one() - as many buffers as the frame needs. Return: taken? When not, the ring is as it was */
static bool place_one(struct virtq *r, const struct tx_frame *tx, const char **fault)
{
	struct chain c;			/* 24 KiB of stack; only its first pieces are touched */
	uint32_t size = size_of(r->header, tx);
	uint16_t avail = r->next_avail;
	bool wrap = r->avail_wrap;
	unsigned first, n = 0;

	c.n = 0;
	c.len = 0;
	c.too_many = false;
	c.looked = 0;
	if (r->nslots > SLOTS_MAX / 2)
		virtq_return(r);
	first = r->nslots;
	while (c.len < size && (n == 0 || r->mergeable) && first + n < SLOTS_MAX && !c.too_many) {
		uint64_t before = c.len;

		if (!next_buffer(r, &c, &r->slots[first + n], fault))
			break;
		r->slots[first + n++].len = (uint32_t)MIN_OF(c.len - before, UINT32_MAX);
	}
	if (*fault || c.len < size || c.too_many || !put_pieces(r, tx, &c, (uint16_t)n)) {
		r->next_avail = avail;
		r->avail_wrap = wrap;
		return false;
	}
	share_out(r->slots + first, n, size);
	r->nslots += n;
	return true;
}

static unsigned place_packed(struct virtq *r, const struct tx_frame *tx, unsigned n)
{
	const uint32_t header = r->header;	/* at hand: what is written below might be anything, to the compiler */
	struct slot *slots = r->slots + r->nslots;
	uint8_t *at[BURST_MAX];
	uint32_t room[BURST_MAX];
	unsigned i;

	n = packed_singles(r, n, VRING_DESC_F_WRITE, at, room, slots);
	for (i = 0; i < n; i++) {
		slots[i].len = size_of(header, &tx[i]);
		if (room[i] < slots[i].len)
			break;
		put_frame(header, &tx[i], at[i]);
	}
	virtq_packed_advance(r, i);
	r->nslots += i;
	return i;
}

/* place_singles() - frames that fit the next buffers one to one. Return: how many were placed */
static unsigned place_singles(struct virtq *r, const struct tx_frame *tx, unsigned n, const char **fault)
{
	uint8_t *at[BURST_MAX];
	const uint32_t header = r->header;	/* at hand: what is written below might be anything, to the compiler */
	struct slot *slots = r->slots + r->nslots;
	struct hot_region hot = hot_region_of(r);
	unsigned i;

	if (r->memory->log || r->nslots + n > SLOTS_MAX)
		return 0;
	if (r->packed)
		return place_packed(r, tx, n);
	n = virtq_split_heads(r, n, slots, fault);
	for (i = 0; i < n; i++) {
		struct vring_desc d = virtq_desc_load(&r->desc[slots[i].id]);

		slots[i].len = size_of(header, &tx[i]);
		if (d.flags != VRING_DESC_F_WRITE || d.len < slots[i].len)
			break;
		at[i] = hot_at(r, &hot, d.addr, d.len);
		if (!at[i])
			break;
		virtq_prefetch_write(at[i]);
		virtq_prefetch_write(at[i] + 64);
	}
	n = i;
	for (i = 0; i < n; i++)
		put_frame(header, &tx[i], at[i]);
	r->next_avail = (uint16_t)(r->next_avail + n);
	r->nslots += n;
	return n;
}

/* ---- frames ---- */

/* place_frames() - these one after another, tagged as @as, until the guest has no more buffers. Return: how many were placed */
static unsigned place_frames(struct virtq *r, struct frame *frames, unsigned n, const struct tx_frame *as, const char **fault)
{
	struct tx_frame tx[BURST_MAX];
	unsigned i = 0;

	while (i < n && !*fault) {
		unsigned m = MIN_OF(n - i, (unsigned)BURST_MAX), placed;

		for (unsigned k = 0; k < m; k++) {
			tx[k] = *as;
			tx[k].frame = &frames[i + k];
		}
		placed = place_singles(r, tx, m, fault);
		i += placed;
		if (placed < m) {
			if (*fault || !place_one(r, &tx[placed], fault))
				break;
			i++;
		}
	}
	return i;
}

/* place_unread() - straight from where it comes; and if that does not work, read to private memory first, so that it is we who find
 * out what is wrong with the guest's memory. Return: was it placed? */
static bool place_unread(struct virtq *r, const struct tx_frame *tx, const char **fault)
{
	return place_one(r, tx, fault) || (!*fault && virtq_has_more(r) && frame_settle(tx->frame) && place_one(r, tx, fault));
}

/* place_resolved() - a frame that the guest cannot take as it is: completed, or its segments. Return: was any placed? */
static bool place_resolved(struct virtq *r, struct worker *w, uint32_t offloads, const struct tx_frame *tx, uint64_t *segments,
			   const char **fault)
{
	uint8_t *space = worker_cut_space(w);
	size_t room = OFFLOAD_ROOM;
	struct frame *frames;
	unsigned n, placed;

	if (!frame_settle(tx->frame))
		return false;
	n = offload_resolve(tx->frame, offloads, &space, &room, &frames);
	placed = place_frames(r, frames, n, tx, fault);
	if (n > 1)
		*segments += placed;
	return placed > 0;
}

/* run_length() - how many frames from here on the guest takes as they are; what is unread asks for something (PORT_UNREAD) */
static inline unsigned run_length(const struct tx_frame *tx, unsigned n, uint32_t offloads)
{
	unsigned i = 0;

	while (i < n && (!(tx[i].frame->offload.flags | tx[i].frame->offload.gso_type) ||
			 (offload_fits(&tx[i].frame->offload, offloads) && !tx[i].frame->unread)))
		i++;
	return i;
}

/* place_apart() - one that is not of such a run. Return: was anything placed? */
static bool place_apart(struct virtq *r, struct worker *w, uint32_t offloads, const struct tx_frame *tx, uint64_t *segments, const char **fault)
{
	if (tx->frame->unread && offload_fits(&tx->frame->offload, offloads))
		return place_unread(r, tx, fault);
	return place_resolved(r, w, offloads, tx, segments, fault);
}

static uint64_t bits(unsigned from, unsigned n)
{
	return n ? (n >= 64 ? UINT64_MAX : (1ull << n) - 1) << from : 0;
}

/* place_all() - Return: bits of the frames taken */
static uint64_t place_all(struct virtq *r, struct worker *w, uint32_t offloads, const struct tx_frame *tx, unsigned n,
			  uint64_t *segments, const char **fault)
{
	uint64_t taken = 0;
	unsigned i = 0;

	while (i < n && !*fault) {
		unsigned run = run_length(tx + i, n - i, offloads), placed;

		placed = run ? place_singles(r, tx + i, run, fault) : 0;
		taken |= bits(i, placed);
		i += placed;
		if (*fault || i == n || (run && placed == run))
			continue;
		if (run ? place_one(r, &tx[i], fault) : place_apart(r, w, offloads, &tx[i], segments, fault))
			taken |= 1ull << i;
		else if (!*fault && !virtq_has_more(r))
			break;		/* the guest has no buffers: the rest is dropped at once */
		i++;
	}
	return taken;
}

uint64_t vhost_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n, uint64_t *segments)
{
	struct vhost_port *v = vhost_port_of(q->port);
	struct virtq *r = &v->rings[2 * q->index];
	const char *fault = NULL;
	uint64_t taken;

	if (!vhost_is_running(v) || !r->started || !r->enabled)
		return 0;
	taken = place_all(r, w, q->port->offloads, frames, n, segments, &fault);
	virtq_return(r);
	if (__builtin_expect(!fault && vhost_memory_lost(r->memory), 0))
		fault = VIRTQ_MEMORY_LOST;
	if (__builtin_expect(fault != NULL, 0))
		vhost_stop(v, fault);
	return taken;
}

void vhost_sent(struct port_queue *q, unsigned worker_index)
{
	struct vhost_port *v = vhost_port_of(q->port);
	struct virtq *r = &v->rings[2 * q->index];

	if (vhost_is_running(v) && r->uncalled)
		virtq_call(r, worker_index);
}
