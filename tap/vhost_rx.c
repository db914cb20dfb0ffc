// SPDX-License-Identifier: GPL-2.0-or-later
/* From a guest's transmit ring to frames. The head of each frame is copied once to private memory, and what the
 * switch decides on and later writes to the destination is that copy; the rest is borrowed from the guest until
 * vhost_done() gives the buffers back, after everybody has got his copy.
 *
 * A burst goes through three loops, so that the cache misses of each overlap: heads (and prefetch of the descriptors), descriptors
 * (and prefetch of the frames), frames. */
#include <linux/virtio_net.h>
#include <string.h>

#include "base/bytes.h"
#include "switch/offload.h"
#include "tap/vhost_parts.h"

enum {
	HEAD_ROOM = OFFLOAD_HEAD,		/* what is kept of a frame that asks for a checksum or segments */
	BURST_BYTES = 512 * 1024,		/* a burst of long frames ends here */
	LOOK_BYTES = 64,			/* and so does one of many descriptors, each of which counts as much */
	NEEDS_ALL = VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT,
	RARP_FRAME = 60, ETHERTYPE_RARP = 0x8035, RARP_REQUEST_REVERSE = 3,
};

/* rx_room - how this kind divides a worker's receive space */
struct rx_room {
	uint8_t heads[BURST_MAX][HEAD_ROOM];
	struct iovec pieces[BURST_MAX][FRAME_BODY_MAX];
	struct chain chain;
	size_t linear_at;
	uint8_t linear[];		/* frames copied whole */
};

enum { LINEAR_ROOM = RX_SPACE - sizeof(struct rx_room) };
_Static_assert(LINEAR_ROOM > 2 * BURST_BYTES + 2 * FRAME_MAX, "the frames of a burst fit, and of a last run of as much");

static inline struct virtq *ring_of(struct port_queue *q)
{
	return &vhost_port_of(q->port)->rings[2 * q->index + 1];
}

/* ask() - what the guest wants done to its frame, if it may ask that */
static inline void ask(const struct virtq *r, struct frame *f, const uint8_t *header)
{
	if (__builtin_expect(!(header[0] | header[1]), 1))
		return;
	offload_read(&f->offload, header);
	if (f->offload.flags | f->offload.gso_type && !offload_fits(&f->offload, r->host_offloads)) {
		f->offload.flags = 0;		/* a kind that nobody knows: offload_check() drops the frame */
		f->offload.gso_type = 0x7f;
	}
}

/* head_wanted() - private bytes: enough for the headers, and for the checksum's place where one is asked for */
static inline uint32_t head_wanted(const struct frame *f, uint32_t len)
{
	uint32_t want = FRAME_HEAD_MAX;

	if (__builtin_expect(f->offload.flags | f->offload.gso_type, 0))
		want = HEAD_ROOM;
	return len < want ? len : want;
}

/* fits_head() - a checksum that goes behind the private bytes needs the whole frame copied */
static bool fits_head(const struct frame *f)
{
	return !(f->offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
	       (uint32_t)f->offload.csum_start + f->offload.csum_offset + 2 <= f->head_len || f->head_len == f->len;
}

static void make_linear(struct rx_room *room, struct frame *f)
{
	uint8_t *to = room->linear + room->linear_at;

	frame_linear(f, to);
	room->linear_at += (f->len + 63) & ~(size_t)63;
	f->head = to;
	f->head_len = f->len;
	f->nbody = 0;
}

/* too_long() - a frame that no network takes; none of its bytes are looked at */
static void too_long(struct frame *f, uint8_t *head)
{
	frame_init(f, head, 0);
	f->offload.gso_type = 0x7f;
	f->len = FRAME_MAX + 1;
	f->head_len = HEAD_ROOM;
	memset(head, 0, HEAD_ROOM);
}

/* from_single() - the frame of a buffer of one descriptor, which most are */
static inline __attribute__((always_inline)) void from_single(const struct virtq *r, struct rx_room *room, unsigned i, const uint8_t *at, uint32_t size,
			       struct frame *f)
{
	uint8_t header[VNET_HEADER_LEGACY], *head = room->heads[i];
	uint32_t len;

	len = size - r->header;
	if (__builtin_expect(len > FRAME_MAX, 0)) {	/* below 0 it is that, too */
		if (size < r->header)
			frame_init(f, head, 0);		/* a runt */
		else
			too_long(f, head);
		return;
	}
	memcpy(header, at, VNET_HEADER_LEGACY);		/* what follows in a longer one is ours to say */
	at += r->header;
	frame_init(f, head, len);
	ask(r, f, header);
	f->head_len = head_wanted(f, len);
	vhost_copy_head(head, at, f->head_len);
	if (len > f->head_len) {
		room->pieces[i][0] = (struct iovec){ (void *)(uintptr_t)(at + f->head_len), len - f->head_len };
		f->body = room->pieces[i];
		f->nbody = 1;
		if (__builtin_expect(!fits_head(f), 0))
			make_linear(room, f);
	}
}

/* ---- buffers of any other shape ---- */

/* cursor - how far the pieces of a chain have been read */
struct cursor {
	const struct chain *c;
	unsigned i;
	uint32_t at;
};

static void cursor_read(struct cursor *k, uint8_t *to, uint32_t n)
{
	while (n) {
		const struct piece *p = &k->c->p[k->i];
		uint32_t part = MIN_OF(n, p->len - k->at);

		memcpy(to, p->at + k->at, part);
		to += part;
		n -= part;
		k->at += part;
		if (k->at == p->len) {
			k->i++;
			k->at = 0;
		}
	}
}

/* borrow() - what was not read becomes the frame's body. Return: false when there are too many pieces */
static bool borrow(struct cursor *k, struct frame *f, struct iovec *pieces)
{
	f->body = pieces;
	for (; k->i < k->c->n; k->i++, k->at = 0) {
		if (f->nbody == FRAME_BODY_MAX)
			return false;
		pieces[f->nbody++] = (struct iovec){ k->c->p[k->i].at + k->at, k->c->p[k->i].len - k->at };
	}
	return true;
}

static void from_chain(const struct virtq *r, struct rx_room *room, unsigned i, struct frame *f)
{
	struct cursor k = { .c = &room->chain }, body;
	uint8_t header[VNET_HEADER] = { 0 }, *head = room->heads[i];
	uint32_t len;

	if (room->chain.too_many || room->chain.len > r->header + (uint64_t)FRAME_MAX) {
		too_long(f, head);
		return;
	}
	if (room->chain.len < r->header) {
		frame_init(f, head, 0);
		return;
	}
	len = (uint32_t)room->chain.len - r->header;
	cursor_read(&k, header, r->header);
	frame_init(f, head, len);
	ask(r, f, header);
	f->head_len = head_wanted(f, len);
	cursor_read(&k, head, f->head_len);
	body = k;
	if (!borrow(&k, f, room->pieces[i])) {
		f->head = room->linear + room->linear_at;
		memcpy(f->head, head, f->head_len);
		cursor_read(&body, f->head + f->head_len, len - f->head_len);
		room->linear_at += (len + 63) & ~(size_t)63;
		f->head_len = len;
		f->nbody = 0;
	} else if (!fits_head(f)) {
		make_linear(room, f);
	}
}

static const char *take_chain(struct virtq *r, struct rx_room *room, uint16_t place, unsigned i, struct frame *f)
{
	const char *fault;

	room->chain.n = 0;
	room->chain.len = 0;
	room->chain.too_many = false;
	room->chain.looked = 0;
	fault = virtq_chain(r, place, false, &room->chain, &r->slots[i]);
	r->slots[i].len = 0;
	if (!fault)
		from_chain(r, room, i, f);
	return fault;
}

/* cost_of() - in bytes, of the chain taken last: finding its pieces takes time even where there are no bytes in them */
static uint32_t cost_of(const struct rx_room *room, const struct slot *slot)
{
	return (room->chain.looked + slot->ndesc) * LOOK_BYTES;
}

/* ---- bursts ---- */

static unsigned take_split(struct virtq *r, struct rx_room *room, struct frame *frames, unsigned n, const char **fault)
{
	const uint8_t *at[BURST_MAX];
	uint32_t size[BURST_MAX], bytes = 0;
	struct hot_region hot = hot_region_of(r);
	unsigned i;

	n = virtq_split_heads(r, n, r->slots, fault);
	for (i = 0; i < n; i++) {
		struct vring_desc d = virtq_desc_load(&r->desc[r->slots[i].id]);

		at[i] = d.flags & NEEDS_ALL ? NULL : hot_at(r, &hot, d.addr, d.len);
		size[i] = d.len;
		__builtin_prefetch(at[i]);
		__builtin_prefetch((const void *)((uintptr_t)at[i] + 64));	/* with its header even the shortest frame takes two lines */
	}
	for (i = 0; i < n && bytes < BURST_BYTES; i++) {
		if (__builtin_expect(at[i] != NULL, 1))
			from_single(r, room, i, at[i], size[i], &frames[i]);
		else if ((*fault = take_chain(r, room, r->slots[i].id, i, &frames[i])))
			break;
		else
			bytes += cost_of(room, &r->slots[i]);
		bytes += frames[i].len;
	}
	r->next_avail = (uint16_t)(r->next_avail + i);
	return i;
}

/* take_run() - those of the next buffers that are of one descriptor. Return: how many */
static unsigned take_run(struct virtq *r, struct rx_room *room, struct frame *frames, unsigned i, unsigned n)
{
	uint8_t *at[BURST_MAX];
	uint32_t size[BURST_MAX], bytes = 0;
	unsigned run = packed_singles(r, n - i, 0, at, size, r->slots + i), k;

	for (k = 0; k < run && bytes < BURST_BYTES; k++) {
		from_single(r, room, i + k, at[k], size[k], &frames[i + k]);
		bytes += frames[i + k].len;
	}
	virtq_packed_advance(r, k);
	return k;
}

static unsigned take_packed(struct virtq *r, struct rx_room *room, struct frame *frames, unsigned n, const char **fault)
{
	uint32_t bytes = 0;
	unsigned i = 0, run;

	while (i < n && bytes < BURST_BYTES) {
		run = take_run(r, room, frames, i, n);
		if (!run) {
			if (!virtq_packed_waiting(r) || (*fault = take_chain(r, room, r->next_avail, i, &frames[i])))
				break;
			virtq_packed_advance(r, r->slots[i].ndesc);
			bytes += cost_of(room, &r->slots[i]);
			run = 1;
		}
		for (; run; run--, i++)
			bytes += frames[i].len;
	}
	return i;
}

/* announcement() - a reverse ARP request of the guest's, as QEMU sends it after a migration (RFC 903) */
static int announcement(struct vhost_port *v, struct rx_space *space, struct frame *f)
{
	uint8_t *p = space->data;

	memset(p, 0, RARP_FRAME);
	memset(p, 0xff, 6);
	memcpy(p + 6, v->announce_mac, 6);
	put_u16(p + 12, ETHERTYPE_RARP);
	put_u16(p + 14, 1);
	put_u16(p + 16, 0x0800);
	p[18] = 6;
	p[19] = 4;
	put_u16(p + 20, RARP_REQUEST_REVERSE);
	memcpy(p + 22, v->announce_mac, 6);
	memcpy(p + 32, v->announce_mac, 6);
	frame_init(f, p, RARP_FRAME);
	return 1;
}

/* discard() - a ring that is started and not enabled is emptied, and its frames go nowhere (vhost-user, ring states) */
static int discard(struct port_queue *q, struct virtq *r, unsigned n)
{
	struct port_stats *s = &q->port->stats[q->worker];

	counter_add(&s->rx_frames, n);
	counter_add(&s->verdicts[VERDICT_DROP_LINK_DOWN], n);
	r->nslots = n;
	vhost_done(q);
	return 0;
}

int vhost_rx(struct port_queue *q, struct rx_space *space, struct frame *frames, unsigned n)
{
	struct vhost_port *v = vhost_port_of(q->port);
	struct rx_room *room = (struct rx_room *)space->data;
	struct virtq *r = ring_of(q);
	const char *fault = NULL;

	if (!vhost_is_running(v) || !r->started)
		return 0;
	if (__builtin_expect(atomic_load_explicit(&v->announce, memory_order_relaxed), 0) && q->index == 0 &&
	    atomic_exchange(&v->announce, false))
		return announcement(v, space, frames);
	if (r->notify_on)
		virtq_notify(r, false);
	room->linear_at = 0;
	n = r->packed ? take_packed(r, room, frames, n, &fault) : take_split(r, room, frames, n, &fault);
	if (__builtin_expect(fault != NULL, 0)) {
		vhost_stop(v, fault);
		return 0;
	}
	if (!r->enabled)
		return discard(q, r, n);
	r->nslots = n;
	return (int)n;
}

void vhost_done(struct port_queue *q)
{
	struct vhost_port *v = vhost_port_of(q->port);
	struct virtq *r = ring_of(q);

	if (!r->nslots)
		return;
	virtq_return(r);
	if (__builtin_expect(vhost_memory_lost(r->memory), 0))
		vhost_stop(v, VIRTQ_MEMORY_LOST);
}

void vhost_received(struct port_queue *q)
{
	struct vhost_port *v = vhost_port_of(q->port);
	struct virtq *r = ring_of(q), *other = &v->rings[2 * q->index];

	if (!vhost_is_running(v))
		return;
	if (r->uncalled)
		virtq_call(r, q->worker);
	if (__builtin_expect(atomic_load_explicit(&other->call_once, memory_order_relaxed), 0))
		port_sent(q, q->worker);	/* the receive ring's call after a pause is ours to make as well */
}

bool vhost_arm(struct port_queue *q)
{
	struct vhost_port *v = vhost_port_of(q->port);
	struct virtq *r = ring_of(q);

	if (!vhost_is_running(v) || !r->started)
		return true;
	if (q->fd >= 0)
		virtq_notify(r, true);
	if (__builtin_expect(vhost_memory_lost(r->memory), 0))	/* a ring that is gone looks empty */
		vhost_stop(v, VIRTQ_MEMORY_LOST);
	if (q->fd < 0)
		return false;		/* the front-end does not kick: it wants to be polled */
	return !virtq_has_more(r) && !atomic_load(&v->announce);
}
