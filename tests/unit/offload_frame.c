// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/offload_frame.h"

#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/packet.h"

unsigned shape_l4(const struct shape *s)
{
	return ETH_HEADER + (s->v6 ? IP6 : IP4_HEADER);
}

unsigned shape_headers(const struct shape *s)
{
	return shape_l4(s) + (s->udp ? UDP_HEADER : TCP_HEADER + s->options);
}

uint32_t plain_sum(uint32_t sum, const uint8_t *p, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		sum += i % 2 ? p[i] : p[i] * 256u;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void make_ip(uint8_t *ip, const struct shape *s)
{
	static const uint8_t fd00[15] = { 0xfd };
	unsigned size = shape_headers(s) - ETH_HEADER + s->payload;

	if (s->v6) {
		ip[0] = 0x60;
		put_u16(ip + 4, (uint16_t)(size - IP6));
		ip[6] = s->udp ? PROTO_UDP : PROTO_TCP;
		ip[7] = 64;
		memcpy(ip + 8, fd00, 15);
		ip[23] = 5;
		memcpy(ip + 24, fd00, 15);
		ip[39] = 9;
		return;
	}
	ip[0] = 0x45;
	put_u16(ip + 2, (uint16_t)size);
	put_u16(ip + 4, 0x1234);
	put_u16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = s->udp ? PROTO_UDP : PROTO_TCP;
	put_u32(ip + 12, 0x0a000005);
	put_u32(ip + 16, 0x0a000009);
	put_u16(ip + 10, (uint16_t)~plain_sum(0, ip, IP4_HEADER));
}

uint32_t plain_pseudo(const uint8_t *frame, bool v6, uint8_t proto, unsigned size)
{
	const uint8_t *ip = frame + ETH_HEADER;

	return v6 ? plain_sum(proto + size, ip + 8, 32) : plain_sum(proto + size, ip + 12, 8);
}

uint32_t shape_frame(uint8_t *to, const struct shape *s, struct offload *o)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	unsigned l4 = shape_l4(s), headers = shape_headers(s), size = headers - l4 + s->payload;
	uint8_t *t = to + l4;

	memset(to, 0, headers);
	memcpy(to, macs, sizeof(macs));
	put_u16(to + 12, s->v6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
	make_ip(to + ETH_HEADER, s);
	put_u16(t, 1000);
	put_u16(t + 2, 80);
	if (s->udp) {
		put_u16(t + 4, (uint16_t)size);
	} else {
		put_u32(t + 4, 0x01020304);
		put_u32(t + 8, 7);
		t[12] = (uint8_t)((TCP_HEADER + s->options) / 4 << 4);
		t[13] = s->tcp_flags;
		put_u16(t + 14, 500);
		memset(t + TCP_HEADER, 1, s->options);
	}
	for (unsigned i = 0; i < s->payload; i++)
		to[headers + i] = (uint8_t)i;
	put_u16(t + (s->udp ? 6 : 16), (uint16_t)plain_pseudo(to, s->v6, s->udp ? PROTO_UDP : PROTO_TCP, size));
	*o = (struct offload){ .flags = CSUM, .csum_start = (uint16_t)l4, .csum_offset = s->udp ? 6 : 16 };
	return headers + s->payload;
}

void frame_split(struct frame *f, uint32_t head, uint32_t piece)
{
	static struct iovec pool[256][FRAME_BODY_MAX];	/* a test has fewer frames at a time */
	static unsigned next;
	struct iovec *body = pool[next++ % ARRAY_SIZE(pool)];

	if (!head || head >= f->len)
		return;
	f->head_len = head;
	f->body = body;
	for (uint32_t at = head; at < f->len; f->nbody++) {
		uint32_t n = f->nbody == FRAME_BODY_MAX - 1 ? f->len - at : MIN_OF(piece, f->len - at);

		body[f->nbody] = (struct iovec){ f->head + at, n };
		at += n;
	}
}
