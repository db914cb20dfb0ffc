// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/datagram.h"

#include <linux/virtio_net.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/shard.h"
#include "switch/build.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum {
	TTL = 64, CHECKSUM_AT = 6, MORE_FRAGMENTS = 0x2000, MORE_FRAGMENTS6 = 1, NEXT_FRAGMENT = 44, FRAGMENT_HEADER6 = 8,
	FRAGMENT_HEAD_MAX = ETH_HEADER + IP6_HEADER + FRAGMENT_HEADER6, FRAGMENTS_AT_ONCE = 32,
};

/* frame_at() - where the frame begins, so that its headers end where the payload stands */
static uint8_t *frame_at(const struct datagram *d)
{
	return d->buffer + DATAGRAM_HEADERS - UDP_HEADER - build_headers(d->dst);
}

static uint8_t *headers(const struct site *site, const struct datagram *d)
{
	return build_ip(frame_at(d), d->mac, site->segment->gateway_mac, d->src, d->dst, PROTO_UDP, TTL, UDP_HEADER + d->size);
}

bool datagram_frame(const struct site *site, const struct datagram *d, struct frame *frame)
{
	uint32_t size = UDP_HEADER + d->size, head = build_headers(d->dst);
	uint8_t *udp;

	if (head + size > ETH_HEADER + site->mtu)
		return false;
	udp = headers(site, d);
	put_u16(udp, d->sport);
	put_u16(udp + 2, d->dport);
	put_u16(udp + 4, (uint16_t)size);
	put_u16(udp + CHECKSUM_AT, checksum_fold(build_pseudo(d->src, d->dst, PROTO_UDP, size)));
	frame_init(frame, udp - head, head + size);
	frame->vid = site->segment->vid;
	frame->offload = (struct offload){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = (uint16_t)head, .csum_offset = CHECKSUM_AT,
	};
	return true;
}

/* cut - a datagram on its way in fragments */
struct cut {
	const struct datagram *d;
	const uint8_t *udp;		/* the whole of it, header included */
	uint32_t head;			/* bytes in front of it, the fragment header not counted */
	uint32_t total, at;
	uint32_t id;
	uint16_t vid;
};

/* head4(), head6() - headers of the fragment with @size bytes from c->at; Return: their size */
static uint32_t head4(uint8_t *to, const struct cut *c, uint32_t size)
{
	bool last = c->at + size == c->total;
	uint8_t *ip = to + ETH_HEADER;

	memcpy(to, c->udp - c->head, c->head);
	put_u16(ip + 2, (uint16_t)(IP4_HEADER + size));
	put_u16(ip + 4, (uint16_t)c->id);
	put_u16(ip + 6, (uint16_t)(c->at / 8 | (last ? 0 : MORE_FRAGMENTS)));
	put_u16(ip + 10, 0);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, IP4_HEADER)));
	return c->head;
}

static uint32_t head6(uint8_t *to, const struct cut *c, uint32_t size)
{
	bool last = c->at + size == c->total;
	uint8_t *ip = to + ETH_HEADER, *f = to + c->head;

	memcpy(to, c->udp - c->head, c->head);
	put_u16(ip + 4, (uint16_t)(FRAGMENT_HEADER6 + size));
	ip[6] = NEXT_FRAGMENT;
	f[0] = PROTO_UDP;		/* RFC 8200 4.5 */
	f[1] = 0;
	put_u16(f + 2, (uint16_t)(c->at | (last ? 0 : MORE_FRAGMENTS6)));
	put_u32(f + 4, c->id);
	return c->head + FRAGMENT_HEADER6;
}

/* fragment() - @size bytes of the datagram from c->at behind a header of their own at @head */
static void fragment(struct frame *frame, struct iovec *body, uint8_t *head, const struct cut *c, uint32_t size)
{
	frame_init(frame, head, addr_is4(c->d->dst) ? head4(head, c, size) : head6(head, c, size));
	*body = (struct iovec){ (void *)(uintptr_t)(c->udp + c->at), size };
	frame->body = body;
	frame->nbody = 1;
	frame->len += size;
	frame->vid = c->vid;
}

static uint32_t next_id(struct nat_shard *s)
{
	if (!++s->ip_id)
		++s->ip_id;
	return s->ip_id;
}

bool datagram_send_fragments(struct nat_shard *s, const struct site *site, const struct datagram *d)
{
	struct frame frames[FRAGMENTS_AT_ONCE];
	struct iovec bodies[FRAGMENTS_AT_ONCE];
	uint8_t heads[FRAGMENTS_AT_ONCE][FRAGMENT_HEAD_MAX], *udp = headers(site, d);
	uint32_t extra = addr_is4(d->dst) ? IP4_HEADER : IP6_HEADER + FRAGMENT_HEADER6, each = (site->mtu - extra) & ~7u;
	struct cut c = {
		.d = d, .udp = udp, .head = build_headers(d->dst), .total = UDP_HEADER + d->size, .id = next_id(s),
		.vid = site->segment->vid,
	};
	bool taken = true;

	build_udp(udp, d->src, d->sport, d->dst, d->dport, d->size);
	while (c.at < c.total && taken) {
		unsigned n = 0;

		for (; c.at < c.total && n < FRAGMENTS_AT_ONCE; n++) {
			uint32_t size = MIN_OF(each, c.total - c.at);

			fragment(&frames[n], &bodies[n], heads[n], &c, size);
			c.at += size;
		}
		taken = worker_emit(s->worker, site->local_port, frames, n) == n;
	}
	return taken;
}
