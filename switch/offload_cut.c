// SPDX-License-Identifier: GPL-2.0-or-later
/* Segments of a large frame: each has headers of its own in private memory and borrows its payload where the large frame has it, so
 * that cutting reads the payload once, for the checksum, and copies nothing. RFC 9293, 768, 791, 8200; ECN: RFC 3168. */
#include "switch/offload.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/layout.h"
#include "switch/packet.h"

enum { TCP_CWR = 0x80, ALIGN = 16 };

/* cut - one large frame on its way into segments */
struct cut {
	struct frame *from;
	struct layout l;
	uint32_t payload;		/* bytes of it in all */
	uint64_t pseudo;		/* sum of the pseudo header without the length */
	struct iovec rest;		/* of the piece that the next segment begins in */
	unsigned next;			/* the piece behind it */
	struct iovec *iov, *iov_end;	/* free places for pieces of segments */
};

static size_t aligned(size_t size)
{
	return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* in_first_head() - payload bytes that go into the first segment's head: what the large frame's head has of them beside a body.
 * So a segment never has more pieces than the frame. A head without a body is one piece itself. */
static uint32_t in_first_head(const struct cut *c)
{
	uint32_t n = c->from->head_len - c->l.payload;

	return c->from->nbody && n <= c->from->offload.gso_size ? n : 0;
}

static bool cut_start(struct cut *c, struct frame *f)
{
	const uint8_t *ip = f->head + ETH_HEADER;
	uint32_t skip;

	if (!layout_find(f->head, f->head_len, &c->l) || !c->l.payload || !f->offload.gso_size)
		return false;
	c->from = f;
	c->payload = f->len - c->l.payload;
	c->pseudo = c->l.v6 ? checksum_pseudo6(ip + 8, ip + 24, c->l.proto, 0) :
			      checksum_pseudo4(ip + 12, ip + 16, c->l.proto, 0);
	skip = c->l.payload + in_first_head(c);
	c->rest = (struct iovec){ f->head + skip, f->head_len - skip };
	c->next = 0;
	return true;
}

/* take_body() - lay the next @size bytes of payload as the body of @seg. Return: their sum added to @sum, which begins with an
 * even number of bytes unless @odd; false when there are too many pieces. */
static bool take_body(struct cut *c, struct frame *seg, uint32_t size, bool odd, uint64_t *sum)
{
	seg->body = c->iov;
	while (size) {
		size_t n;

		while (!c->rest.iov_len) {
			if (c->next == c->from->nbody)
				return false;
			c->rest = c->from->body[c->next++];
		}
		if (c->iov == c->iov_end || seg->nbody == FRAME_BODY_MAX)
			return false;
		n = c->rest.iov_len < size ? c->rest.iov_len : size;
		*c->iov++ = (struct iovec){ c->rest.iov_base, n };
		seg->nbody++;
		*sum = checksum_add_at(*sum, odd, c->rest.iov_base, n);
		odd ^= n & 1;
		c->rest.iov_base = (uint8_t *)c->rest.iov_base + n;
		c->rest.iov_len -= n;
		size -= (uint32_t)n;
	}
	return true;
}

/* fix_ip() - lengths, identification and checksum of segment number @i */
static void fix_ip(uint8_t *head, uint32_t len, const struct layout *l, unsigned i)
{
	uint8_t *ip = head + ETH_HEADER;

	if (l->v6) {
		put_u16(ip + 4, (uint16_t)(len - l->l4));
		return;
	}
	put_u16(ip + 2, (uint16_t)(len - ETH_HEADER));
	put_u16(ip + 4, (uint16_t)(get_u16(ip + 4) + i));
	put_u16(ip + 10, 0);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, l->l4 - ETH_HEADER)));
}

/* fix_l4() - sequence number and flags, or length; and no checksum yet */
static void fix_l4(uint8_t *head, uint32_t len, const struct layout *l, uint32_t offset, bool last)
{
	uint8_t *t = head + l->l4;

	put_u16(t + layout_checksum(l), 0);
	if (l->proto == PROTO_UDP) {
		put_u16(t + 4, (uint16_t)(len - l->l4));
		return;
	}
	put_u32(t + 4, get_u32(t + 4) + offset);
	if (offset)
		t[13] &= (uint8_t)~TCP_CWR;
	if (!last)
		t[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
}

/* make_segment() - payload [@offset, @offset + @size) as @seg, its headers at @head */
static bool make_segment(struct cut *c, struct frame *seg, uint8_t *head, uint32_t offset, uint32_t size, unsigned i)
{
	const struct layout *l = &c->l;
	uint32_t own = offset ? 0 : in_first_head(c), len = l->payload + size;
	uint8_t *at = head + l->l4 + layout_checksum(l);
	uint64_t sum;

	memcpy(head, c->from->head, l->payload + own);
	fix_ip(head, len, l, i);
	fix_l4(head, len, l, offset, offset + size == c->payload);
	*seg = *c->from;
	seg->head = head;
	seg->head_len = l->payload + own;
	seg->len = len;
	seg->nbody = 0;
	seg->offload = (struct offload){ 0 };
	sum = checksum_add(c->pseudo + (len - l->l4), head + l->l4, l->payload - l->l4 + own);
	if (!take_body(c, seg, size - own, own & 1, &sum))
		return false;
	put_u16(at, l->proto == PROTO_UDP ? checksum_finish_udp(sum) : checksum_finish(sum));
	return true;
}

static unsigned segments(struct frame *f, uint8_t **space, size_t *room, struct frame **frames)
{
	uint32_t each = f->offload.gso_size, offset = 0;
	size_t head_size, heads, iovs, need;
	uint8_t *head;
	struct cut c;
	unsigned n;

	if (!cut_start(&c, f))
		return 0;
	n = (c.payload + each - 1) / each;
	head_size = aligned(c.l.payload);
	iovs = aligned(n * sizeof(**frames));
	heads = iovs + (n + f->nbody + 1) * sizeof(*c.iov);
	need = heads + n * head_size + aligned(in_first_head(&c) + ALIGN);
	if (need > *room)
		return 0;
	*frames = (struct frame *)(void *)*space;
	c.iov = (struct iovec *)(void *)(*space + iovs);
	c.iov_end = c.iov + n + f->nbody + 1;
	head = *space + heads;
	for (unsigned i = 0; i < n; i++, offset += each) {
		uint32_t size = c.payload - offset < each ? c.payload - offset : each;

		if (!make_segment(&c, *frames + i, head, offset, size, i))
			return 0;
		head += i ? head_size : aligned((*frames)[0].head_len);
	}
	*space += need;
	*room -= need;
	return n;
}

unsigned offload_resolve(struct frame *f, uint32_t offloads, uint8_t **space, size_t *room, struct frame **frames)
{
	if (f->offload.gso_type != VIRTIO_NET_HDR_GSO_NONE && !offload_fits(&f->offload, offloads))
		return segments(f, space, room, frames);
	if (!offload_fits(&f->offload, offloads))
		offload_complete(f);
	*frames = f;
	return 1;
}
