/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/fuzz/guest_packets.h - what a guest sends beside TCP, made of the fuzzer's input: datagrams, fragments, pings, and anything at all */
#ifndef TESTS_GUEST_PACKETS_H
#define TESTS_GUEST_PACKETS_H

#include "base/array.h"
#include "tests/packet/nat_bed.h"

static struct bed bed;
static const struct addr far6 = { .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 5 } };

struct input {
	const uint8_t *at, *end;
};

static uint32_t take(struct input *in, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | (in->at < in->end ? *in->at++ : 0);
	return v;
}

/* raw6() - the same bytes as IPv6; ICMPv6 with a right checksum, which discovery is not looked at without */
static void raw6(uint8_t *frame, uint32_t n, uint32_t keep)
{
	uint8_t *ip = frame + ETH_HEADER, *icmp = ip + IP6_HEADER;

	put_u16(frame + 12, ETHERTYPE_IP6);
	if (n < ETH_HEADER + IP6_HEADER + ICMP_HEADER)
		return;
	n -= ETH_HEADER + IP6_HEADER;
	if (keep & 2)
		build_ip6(ip, keep & 8 ? addr6(ip + 8) : keep & 32 ? addr_link_local(bed_guest_mac) : bed_address(15),
			  keep & 64 ? bed_address(1) : addr6(ip + 24), ip[6], ip[7], n);
	if (ip[6] != PROTO_ICMP6)
		return;
	put_u16(icmp + 2, 0);
	put_u16(icmp + 2, checksum_finish(checksum_add(checksum_pseudo6(ip + 8, ip + 24, PROTO_ICMP6, n), icmp, n)));
}

static void raw(struct input *in)
{
	uint8_t frame[512] = { 0 };
	uint32_t n = take(in, 1), keep = take(in, 1);

	memcpy(frame, bed_gateway_mac, 6);
	memcpy(frame + 6, bed_guest_mac, 6);
	put_u16(frame + 12, ETHERTYPE_IP4);
	for (uint32_t i = keep & 1 ? 14 : 0; i < n; i++)
		frame[i] = (uint8_t)take(in, 1);
	if (keep & 2 && n >= ETH_HEADER + IP4_HEADER) {		/* as it should be, but for what the input says */
		build_ip4(frame + ETH_HEADER, keep & 8 ? get_u32(frame + 26) : BED_GUEST, get_u32(frame + 30), frame[23], frame[22],
			  n - ETH_HEADER - IP4_HEADER);
	}
	if (keep & 16)
		raw6(frame, n, keep);
	bed_input_from(&bed, 1, frame, n, &(struct offload){ .flags = keep >> 2 & 1 });
}

static void guest_udp(struct input *in)
{
	static const uint32_t to[] = { BED_GATEWAY, 0xcb007105, 0x0a090001, 0x7f000001, 0xa9fea9fe, 0xe0000001, 0x08080808, BED_GUEST2 };
	static const struct addr to6[] = {
		{ .bytes = { 0xfd, [15] = 1 } }, { .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 5 } }, { .bytes = { 0xfd, 0, 0, 9, [15] = 1 } },
		{ .bytes = { [15] = 1 } }, { .bytes = { 0xfe, 0x80, [15] = 1 } }, { .bytes = { 0xff, 2, [15] = 1 } },
	};
	static uint8_t payload[5000], frame[6000];
	uint32_t how = take(in, 1), size;

	if (how & 32) {
		size = take(in, 1) * (how & 64 ? 4u : 1u);
		bed_input(&bed, frame, build_udp_frame(frame, bed_gateway_mac, bed_guest_mac, bed_address(15), (uint16_t)(5000 + (how >> 3) % 4),
						       to6[how % 8 % ARRAY_SIZE(to6)], how & 128 ? 53 : 99, payload, size));
		return;
	}
	bed_udp(&bed, (uint16_t)(5000 + (how >> 3) % 4), to[how % 8], how & 128 ? 53 : 99, payload, take(in, 1) * (how & 64 ? 16 : 1));
}

/* fragment() - a piece of one datagram of 1200 bytes, which is whole when pieces without overlap make it up */
static void fragment(struct input *in)
{
	enum { WHOLE = 1208, NEXT_FRAGMENT = 44 };
	static uint8_t whole[2048], payload[WHOLE - UDP_HEADER], frame[2048];
	uint32_t how = take(in, 1), at = take(in, 1) * 8, size = (take(in, 1) + 1) * 8, head;
	bool ip6 = how & 1, more;
	struct addr src = ip6 ? bed_address(15) : addr4(BED_GUEST), dst = ip6 ? bed_address(1) : addr4(BED_GATEWAY);
	uint8_t *l4;

	build_udp_frame(whole, bed_gateway_mac, bed_guest_mac, src, 5000, dst, 99, payload, sizeof(payload));
	at = at < WHOLE ? at : WHOLE - 8;
	size = at + size < WHOLE ? size : WHOLE - at;
	more = at + size < WHOLE || how & 16;
	head = build_headers(dst);
	l4 = build_ip(frame, bed_gateway_mac, bed_guest_mac, src, dst, ip6 ? NEXT_FRAGMENT : PROTO_UDP, 64, size + (ip6 ? 8 : 0));
	if (ip6) {
		put_u32(l4, (uint32_t)PROTO_UDP << 24 | at | more);
		put_u32(l4 + 4, how >> 1 & 7);
		l4 += 8;
	} else {
		put_u16(frame + 18, how >> 1 & 7);
		put_u16(frame + 20, (uint16_t)(at / 8 | (more ? 0x2000 : 0)));
		put_u16(frame + 24, 0);
		put_u16(frame + 24, checksum_finish(checksum_add(0, frame + ETH_HEADER, IP4_HEADER)));
	}
	memcpy(l4, whole + head + at, size);
	if (how & 32)
		l4[size - 1] ^= 1;
	bed_input_from(&bed, how & 64 ? 2 : 1, frame, (uint32_t)(l4 - frame) + size, NULL);
}

/* ping() - an echo of the guest */
static void ping(struct input *in, uint32_t how)
{
	static uint8_t frame[4096];
	uint32_t size = ICMP_HEADER + take(in, 1) * 4;
	bool ip6 = how & 1;
	struct addr src = ip6 ? bed_address(15) : addr4(BED_GUEST), dst = ip6 ? far6 : addr4(0xcb007105);
	uint8_t *icmp = build_ip(frame, bed_gateway_mac, bed_guest_mac, src, dst, ip6 ? PROTO_ICMP6 : PROTO_ICMP, (uint8_t)(1 + (how >> 1 & 7)), size);

	memset(icmp, 0, size);
	icmp[0] = ip6 ? 128 : 8;
	put_u16(icmp + 4, (uint16_t)(how >> 4 & 3));
	put_u16(icmp + 2, checksum_finish(checksum_add(ip6 ? build_pseudo(src, dst, PROTO_ICMP6, size) : 0, icmp, size)));
	bed_input(&bed, frame, build_headers(dst) + size);
}

/* send_error() - the guest's ICMP error that quotes @size bytes; @word: what stands behind the checksum */
static void send_error(struct addr guest, struct addr to, uint8_t type, uint8_t code, uint32_t word, const uint8_t *quote, uint32_t size)
{
	static uint8_t frame[1600];
	bool ip6 = !addr_is4(guest);
	uint8_t *icmp = build_ip(frame, bed_gateway_mac, bed_guest_mac, guest, to, ip6 ? PROTO_ICMP6 : PROTO_ICMP, 64, ICMP_HEADER + size);

	icmp[0] = type;
	icmp[1] = code;
	put_u16(icmp + 2, 0);
	put_u32(icmp + 4, word);
	memcpy(icmp + ICMP_HEADER, quote, size);
	size += ICMP_HEADER;
	put_u16(icmp + 2, checksum_finish(checksum_add(ip6 ? build_pseudo(guest, to, PROTO_ICMP6, size) : 0, icmp, size)));
	bed_input(&bed, frame, build_headers(to) + size);
}

/* guest_error() - what the guest says about a datagram, of a flow of guest_udp() or of none; some of it quoted, one byte of that changed */
static void guest_error(struct input *in, uint32_t how)
{
	static uint8_t payload[1300], got[1600];
	bool ip6 = how & 1;
	struct addr guest = ip6 ? bed_address(15) : addr4(BED_GUEST);
	struct addr from = how & 2 ? (ip6 ? bed_address(1) : addr4(BED_GATEWAY)) : ip6 ? far6 : addr4(0xcb007105);
	uint8_t type = (uint8_t)take(in, 1), code = (uint8_t)take(in, 1);
	uint32_t word = take(in, 2), size = take(in, 1) * 4, at = take(in, 1), value = take(in, 1);

	size = MIN_OF(size, build_udp_frame(got, bed_guest_mac, bed_gateway_mac, from, how & 16 ? 53 : 99, guest, (uint16_t)(5000 + (how >> 2) % 4),
					    payload, how & 32 ? sizeof(payload) : 100) - ETH_HEADER);
	got[ETH_HEADER + at] ^= (uint8_t)value;
	send_error(guest, from, type, code, word >> 8 << 16 | word, got + ETH_HEADER, size);
}

/* guest_segment_error() - the same about TCP: a segment of some size from @from whose sequence number is about @seq */
static void guest_segment_error(struct input *in, struct addr from, struct addr guest, uint16_t sport, uint16_t dport, uint32_t seq)
{
	static uint8_t got[200];
	uint8_t type = (uint8_t)take(in, 1), code = (uint8_t)take(in, 1);
	uint32_t mtu = take(in, 2), size = take(in, 2);
	uint8_t *t = build_ip(got, bed_guest_mac, bed_gateway_mac, from, guest, PROTO_TCP, 64, TCP_HEADER + size);

	put_u16(t, sport);
	put_u16(t + 2, dport);
	put_u32(t + 4, seq - take(in, 2));
	send_error(guest, from, type, code, mtu, got + ETH_HEADER, 100);
}

#endif
