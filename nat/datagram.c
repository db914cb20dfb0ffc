// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/datagram.h"

#include <linux/virtio_net.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/cut.h"
#include "nat/shard.h"
#include "switch/build.h"
#include "switch/offload.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum { TTL = 64, CHECKSUM_AT = 6 };

/* frame_at() - where the frame begins, so that its headers end where the payload stands */
static uint8_t *frame_at(const struct datagram *d)
{
	return d->buffer + DATAGRAM_HEADERS - UDP_HEADER - build_headers(d->dst);
}

static uint8_t *headers(const struct site *site, const struct datagram *d)
{
	return build_ip(frame_at(d), d->mac, site->segment->gateway_mac, d->src, d->dst, PROTO_UDP, TTL, UDP_HEADER + d->size);
}

bool datagram_frame(const struct site *site, const struct datagram *d, uint32_t each, struct frame *frame)
{
	uint32_t size = UDP_HEADER + d->size, head = build_headers(d->dst);
	uint8_t *udp;

	if (head + UDP_HEADER + MIN_OF(each, d->size) > ETH_HEADER + site->mtu || head - ETH_HEADER + size > UINT16_MAX)
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
	if (each < d->size) {
		frame->offload.gso_type = OFFLOAD_GSO_UDP_L4;
		frame->offload.gso_size = (uint16_t)each;
		frame->offload.hdr_len = (uint16_t)(head + UDP_HEADER);
	}
	return true;
}

bool datagram_send_fragments(struct nat_shard *s, const struct site *site, const struct datagram *d)
{
	uint32_t head = build_headers(d->dst);
	uint8_t *udp = headers(site, d);

	build_udp(udp, d->src, d->sport, d->dst, d->dport, d->size);
	return cut_send(s->worker, site, udp - head, head + UDP_HEADER + d->size);
}
