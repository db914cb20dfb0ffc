// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/guest_frame.h"

#include <stddef.h>
#include <string.h>

#include <linux/virtio_net.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "tests/packet/guest_ring.h"

enum { ETHER = 14, IP = 20, TCP = 20, UDP = 8, STAMP = 8, PROTO_TCP = 6, PROTO_UDP = 17, PORT_FROM = 4660, PORT_TO = 5000 };

static uint32_t headers(const struct guest_frames *f)
{
	return ETHER + IP + (f->gso ? TCP : UDP);
}

static void write_station(struct writer *w, unsigned guest, unsigned flow)
{
	write_u8(w, 0x02);		/* locally administered */
	write_u8(w, (uint8_t)(0xa0 + guest));
	write_u32(w, flow);
}

static void write_ip(struct writer *w, const struct guest_frames *f, unsigned guest, unsigned flow)
{
	uint8_t *ip = w->data + w->pos;

	write_u16(w, 0x4500);
	write_u16(w, (uint16_t)(f->size - ETHER));
	write_u32(w, 0x00004000);	/* not to be fragmented */
	write_u8(w, 64);
	write_u8(w, f->gso ? PROTO_TCP : PROTO_UDP);
	write_u16(w, 0);
	write_u32(w, 0x0a000000 | guest << 16 | (flow & 0xffff));
	write_u32(w, 0x0a000000 | (guest ^ 1) << 16 | (flow & 0xffff));
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, IP)));
}

/* write_l4() - UDP without a checksum; TCP with the sum of the pseudo header in its place, the rest being left to others */
static void write_l4(struct writer *w, const struct guest_frames *f)
{
	const uint8_t *ip = w->data + ETHER;
	uint16_t l4 = (uint16_t)(f->size - ETHER - IP);

	write_u16(w, PORT_FROM);
	write_u16(w, PORT_TO);
	if (!f->gso) {
		write_u16(w, l4);
		write_u16(w, 0);
		return;
	}
	write_u32(w, 1);
	write_u32(w, 1);
	write_u16(w, 0x5010);		/* 20 bytes, ACK */
	write_u16(w, 0xffff);
	write_u16(w, checksum_fold(checksum_pseudo4(ip + 12, ip + 16, PROTO_TCP, l4)));
	write_u16(w, 0);
}

void guest_frame_build(const struct guest_frames *f, uint8_t *buffer, unsigned guest, unsigned flow)
{
	struct virtio_net_hdr_v1 header = { 0 };
	struct writer w = writer_init(buffer + GUEST_HEADER, f->size);

	if (f->gso)
		header = (struct virtio_net_hdr_v1){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
			.hdr_len = ETHER + IP + TCP, .gso_size = GUEST_MSS, .csum_start = ETHER + IP, .csum_offset = 16 };
	memcpy(buffer, &header, sizeof(header));
	write_station(&w, guest ^ 1, flow);
	write_station(&w, guest, flow);
	write_u16(&w, 0x0800);
	write_ip(&w, f, guest, flow);
	write_l4(&w, f);
	for (uint32_t i = headers(f); i < f->size; i++)
		buffer[GUEST_HEADER + i] = (uint8_t)(i * 7 + (i >> 8) + flow);
	guest_frame_stamp(f, buffer, 0);
}

void guest_frame_stamp(const struct guest_frames *f, uint8_t *buffer, uint64_t stamp)
{
	uint8_t *frame = buffer + GUEST_HEADER;

	memcpy(frame + headers(f), &stamp, STAMP);
	memcpy(frame + f->size - STAMP, &stamp, STAMP);
}

void guest_frame_readdress(uint8_t *buffer, unsigned flow)
{
	put_u32(buffer + GUEST_HEADER + 2, flow);
	put_u32(buffer + GUEST_HEADER + 8, flow);
}

void guest_frame_invent(uint8_t *buffer, uint32_t n)
{
	buffer[GUEST_HEADER + 7] = 0xff;	/* no guest's number */
	put_u32(buffer + GUEST_HEADER + 8, n);
}

bool guest_frame_glance(const struct guest_frames *f, const uint8_t *buffer, unsigned guest, uint64_t *stamp)
{
	const uint8_t *frame = buffer + GUEST_HEADER;
	uint64_t last;

	memcpy(stamp, frame + headers(f), STAMP);
	memcpy(&last, frame + f->size - STAMP, STAMP);
	return frame[0] == 0x02 && frame[1] == 0xa0 + guest && frame[7] == 0xa0 + (guest ^ 1) && *stamp == last;
}

bool guest_frame_check(const struct guest_frames *f, const uint8_t *buffer, unsigned guest)
{
	static uint8_t expected[GUEST_HEADER + 65536];
	const uint8_t *frame = buffer + GUEST_HEADER;
	uint32_t flow = (uint32_t)frame[2] << 24 | (uint32_t)frame[3] << 16 | (uint32_t)frame[4] << 8 | frame[5];
	uint64_t stamp;

	memcpy(&stamp, frame + headers(f), STAMP);
	guest_frame_build(f, expected, guest ^ 1, flow);
	guest_frame_stamp(f, expected, stamp);
	return memcmp(buffer, expected, offsetof(struct virtio_net_hdr_v1, num_buffers)) == 0 &&
	       memcmp(frame, expected + GUEST_HEADER, f->size) == 0;
}
