// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/tcp_wire.h"

#include <linux/virtio_net.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/shard.h"
#include "switch/build.h"
#include "switch/unread.h"
#include "switch/snapshot.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_SCALE = 3, TTL = 64, CHECKSUM_AT = 16, MSS_MIN = 64 };

/* headers() - Ethernet to TCP with a zero checksum; Return: where the payload begins */
static uint8_t *headers(uint8_t *to, const struct site *site, const struct tcp_out *o, uint32_t noptions, uint32_t payload)
{
	uint8_t *t = build_ip(to, o->mac, site->segment->gateway_mac, o->src, o->dst, PROTO_TCP, TTL,
			      TCP_HEADER + noptions + payload);

	put_u16(t, o->sport);
	put_u16(t + 2, o->dport);
	put_u32(t + 4, o->seq);
	put_u32(t + 8, o->ack);
	t[12] = (uint8_t)((TCP_HEADER + noptions) / 4 << 4);
	t[13] = o->flags;
	put_u16(t + 14, o->window);
	put_u32(t + 16, 0);		/* checksum, urgent pointer */
	return t + TCP_HEADER;
}

static uint32_t syn_options(uint8_t *to, const struct tcp_out *o)
{
	if (!(o->flags & TCP_SYN))
		return 0;
	to[0] = OPTION_MSS;
	to[1] = 4;
	put_u16(to + 2, o->mss);
	if (o->scale < 0)
		return 4;
	to[4] = OPTION_NOP;
	to[5] = OPTION_SCALE;
	to[6] = 3;
	to[7] = (uint8_t)o->scale;
	return 8;
}

bool tcp_wire_send(struct worker *w, const struct site *site, const struct tcp_out *o)
{
	uint8_t data[TCP_OUT_HEADERS + TCP_OUT_OPTIONS], options[TCP_OUT_OPTIONS];
	uint32_t n = syn_options(options, o), size = TCP_HEADER + n;
	uint8_t *t = headers(data, site, o, n, 0) - TCP_HEADER;
	struct frame frame;

	memcpy(t + TCP_HEADER, options, n);
	put_u16(t + CHECKSUM_AT, checksum_finish(checksum_add(build_pseudo(o->src, o->dst, PROTO_TCP, size), t, size)));
	frame_init(&frame, data, build_headers(o->dst) + size);
	frame.vid = site->segment->vid;
	worker_emit(w, site->local_port, &frame, 1);
	return frame.copies > 0;
}

bool tcp_wire_send_data(struct worker *w, const struct site *site, const struct tcp_out *o, uint8_t *buffer, uint32_t size,
			struct unread_frame *unread)
{
	uint32_t l4 = build_headers(o->dst), head = l4 + TCP_HEADER;
	uint8_t *t = headers(buffer + TCP_OUT_HEADERS - head, site, o, 0, size) - TCP_HEADER;
	struct frame own, *frame = unread ? &unread->frame : &own;

	/* What a receiver with NEEDS_CSUM expects in the field: the pseudo header's sum, not inverted (virtio 1.2, 5.1.6.2) */
	put_u16(t + CHECKSUM_AT, checksum_fold(build_pseudo(o->src, o->dst, PROTO_TCP, TCP_HEADER + size)));
	frame_init(frame, t - l4, head + size);
	frame->vid = site->segment->vid;
	frame->unread = unread != NULL;
	frame->head_len = unread ? head : head + size;
	frame->offload = (struct offload){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = (uint16_t)l4, .csum_offset = CHECKSUM_AT,
	};
	if (size > o->mss) {
		frame->offload.gso_type = addr_is4(o->dst) ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
		frame->offload.gso_size = o->mss;
		frame->offload.hdr_len = (uint16_t)head;
	}
	worker_emit(w, site->local_port, frame, 1);
	return frame->copies > 0;
}

struct tcp_options tcp_wire_options(const struct packet *p)
{
	struct reader r = reader_init(p->data + p->l4 + TCP_HEADER, (size_t)(p->payload - p->l4 - TCP_HEADER));
	struct tcp_options o = { .mss = TCP_OUT_MSS_DEFAULT, .scale = -1 };

	while (reader_left(&r)) {
		uint8_t kind = read_u8(&r), size;
		const uint8_t *value;

		if (kind == OPTION_END)
			break;
		if (kind == OPTION_NOP)
			continue;
		size = read_u8(&r);
		value = size >= 2 ? read_bytes(&r, size - 2u) : NULL;
		if (!value)
			break;
		if (kind == OPTION_MSS && size == 4)
			o.mss = MAX_OF(get_u16(value), (uint16_t)MSS_MIN);
		else if (kind == OPTION_SCALE && size == 3)
			o.scale = MIN_OF(value[0], TCP_SCALE_MAX);
	}
	return o;
}
