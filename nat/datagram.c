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

enum { TTL = 64, CHECKSUM_AT = 6, MORE_FRAGMENTS = 0x2000, FRAGMENT_HEAD = ETH_HEADER + IP4_HEADER, FRAGMENTS_AT_ONCE = 32 };

static uint8_t *headers(const struct site *site, const struct datagram *d)
{
	uint8_t *ip = build_eth(d->buffer, d->mac, site->segment->gateway_mac, ETHERTYPE_IP4);

	return build_ip4(ip, d->src, d->dst, PROTO_UDP, TTL, UDP_HEADER + d->size);
}

bool datagram_frame(const struct site *site, const struct datagram *d, struct frame *frame)
{
	uint32_t size = UDP_HEADER + d->size;
	uint8_t *ip = d->buffer + ETH_HEADER, *udp;

	if (IP4_HEADER + size > site->mtu)
		return false;
	udp = headers(site, d);
	put_u16(udp, d->sport);
	put_u16(udp + 2, d->dport);
	put_u16(udp + 4, (uint16_t)size);
	put_u16(udp + CHECKSUM_AT, checksum_fold(checksum_pseudo4(ip + 12, ip + 16, PROTO_UDP, size)));
	frame_init(frame, d->buffer, DATAGRAM_HEADERS + d->size);
	frame->vid = site->segment->vid;
	frame->offload = (struct offload){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = FRAGMENT_HEAD, .csum_offset = CHECKSUM_AT,
	};
	return true;
}

/* fragment() - @size bytes of the datagram from @at behind a header of their own at @head */
static void fragment(struct frame *frame, struct iovec *body, uint8_t *head, const struct datagram *d, uint16_t id,
		     uint32_t at, uint32_t size, uint16_t vid)
{
	bool last = at + size == UDP_HEADER + d->size;
	uint8_t *ip = head + ETH_HEADER;

	memcpy(head, d->buffer, FRAGMENT_HEAD);
	put_u16(ip + 2, (uint16_t)(IP4_HEADER + size));
	put_u16(ip + 4, id);
	put_u16(ip + 6, (uint16_t)(at / 8 | (last ? 0 : MORE_FRAGMENTS)));
	put_u16(ip + 10, 0);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, IP4_HEADER)));
	frame_init(frame, head, FRAGMENT_HEAD);
	*body = (struct iovec){ d->buffer + FRAGMENT_HEAD + at, size };
	frame->body = body;
	frame->nbody = 1;
	frame->len += size;
	frame->vid = vid;
}

bool datagram_send_fragments(struct nat_shard *s, const struct site *site, const struct datagram *d)
{
	struct frame frames[FRAGMENTS_AT_ONCE];
	struct iovec bodies[FRAGMENTS_AT_ONCE];
	uint8_t heads[FRAGMENTS_AT_ONCE][FRAGMENT_HEAD];
	uint32_t total = UDP_HEADER + d->size, each = (site->mtu - IP4_HEADER) & ~7u, at = 0;
	uint16_t id = ++s->ip_id ? s->ip_id : ++s->ip_id;
	bool taken = true;

	build_udp(headers(site, d), d->sport, d->dport, d->size);
	while (at < total && taken) {
		unsigned n = 0;

		for (; at < total && n < FRAGMENTS_AT_ONCE; n++) {
			uint32_t size = MIN_OF(each, total - at);

			fragment(&frames[n], &bodies[n], heads[n], d, id, at, size, site->segment->vid);
			at += size;
		}
		taken = worker_emit(s->worker, site->local_port, frames, n) == n;
	}
	return taken;
}
