// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/packet.h"

#include <linux/virtio_net.h>

#include "base/bytes.h"
#include "base/checksum.h"

enum {
	ARP_SIZE = 28, ARP_HARDWARE_ETHERNET = 1, IP4_MORE_FRAGMENTS = 0x2000, IP4_OFFSET = 0x1fff,
	/* IPv6 extension headers (RFC 8200 4), and how many bytes of them a packet for the gateway may have */
	NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_OPTIONS = 60, EXTENSIONS_MAX = 512,
	OPTION_PAD1 = 0, OPTION_REFUSED = 0xc0,	/* who does not know such an option may not pass over it */
};

enum verdict packet_parse_arp(const uint8_t *data, uint32_t len, struct packet *p)
{
	const uint8_t *a = data + ETH_HEADER;

	if (len < ETH_HEADER + ARP_SIZE)
		return VERDICT_DROP_MALFORMED;
	if (get_u16(a) != ARP_HARDWARE_ETHERNET || get_u16(a + 2) != ETHERTYPE_IP4 || a[4] != 6 || a[5] != 4)
		return VERDICT_DROP_MALFORMED;
	*p = (struct packet){
		.data = data, .len = ETH_HEADER + ARP_SIZE, .ethertype = ETHERTYPE_ARP4,
		.arp_op = get_u16(a + 6), .src = addr4(get_u32(a + 14)), .dst = addr4(get_u32(a + 24)),
	};
	return VERDICT_FORWARDED;
}

/* A promised checksum (NEEDS_CSUM) is completed by whoever needs it; it cannot have been damaged on a wire. */
static bool l4_checksum_ok(const struct packet *p, const struct offload *offload)
{
	const uint8_t *ip = p->data + ETH_HEADER;
	uint32_t size = p->len - p->l4;
	uint64_t sum = 0;

	if (offload->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		return true;
	if (p->proto == PROTO_UDP && get_u16(p->data + p->l4 + 6) == 0)
		return !packet_is_ip6(p);	/* RFC 768: no checksum; RFC 8200 8.1: there must be one */
	if (packet_is_ip6(p))
		sum = checksum_pseudo6(ip + 8, ip + 24, p->proto, size);
	else if (p->proto != PROTO_ICMP)
		sum = checksum_pseudo4(ip + 12, ip + 16, p->proto, size);
	return checksum_fold(checksum_add(sum, p->data + p->l4, size)) == 0xffff;
}

static enum verdict parse_tcp(struct packet *p)
{
	const uint8_t *t = p->data + p->l4;
	uint32_t size = p->len - p->l4, header;

	if (size < TCP_HEADER)
		return VERDICT_DROP_MALFORMED;
	header = (uint32_t)(t[12] >> 4) * 4;
	if (header < TCP_HEADER || header > size)
		return VERDICT_DROP_MALFORMED;
	p->sport = get_u16(t);
	p->dport = get_u16(t + 2);
	p->seq = get_u32(t + 4);
	p->ack = get_u32(t + 8);
	p->tcp_flags = t[13] & 0x3f;
	p->tcp_window = get_u16(t + 14);
	p->payload = (uint16_t)(p->l4 + header);
	return VERDICT_FORWARDED;
}

static enum verdict parse_udp(struct packet *p)
{
	const uint8_t *u = p->data + p->l4;
	uint32_t size = p->len - p->l4;

	if (size < UDP_HEADER || get_u16(u + 4) < UDP_HEADER || get_u16(u + 4) > size)
		return VERDICT_DROP_MALFORMED;
	p->len = p->l4 + get_u16(u + 4);
	p->sport = get_u16(u);
	p->dport = get_u16(u + 2);
	p->payload = p->l4 + UDP_HEADER;
	return VERDICT_FORWARDED;
}

static enum verdict parse_icmp(struct packet *p)
{
	const uint8_t *i = p->data + p->l4;

	if (p->len - p->l4 < ICMP_HEADER)
		return VERDICT_DROP_MALFORMED;
	p->icmp_type = i[0];
	p->icmp_code = i[1];
	p->sport = get_u16(i + 4);
	p->payload = p->l4 + ICMP_HEADER;
	return VERDICT_FORWARDED;
}

static enum verdict parse_l4(struct packet *p)
{
	if (p->proto == PROTO_TCP)
		return parse_tcp(p);
	if (p->proto == PROTO_UDP)
		return parse_udp(p);
	if (packet_is_icmp(p))
		return parse_icmp(p);
	p->payload = p->l4;
	return VERDICT_FORWARDED;
}

/* RFC 791 3.1 for the layout; fragments and options are refused here, once for everybody */
static enum verdict parse_ip4(struct packet *p, uint32_t have)
{
	const uint8_t *ip = p->data + ETH_HEADER;
	uint32_t room = have - ETH_HEADER, header, total;

	if (room < IP4_HEADER || ip[0] >> 4 != 4)
		return VERDICT_DROP_MALFORMED;
	header = (uint32_t)(ip[0] & 15) * 4;
	total = get_u16(ip + 2);
	if (header < IP4_HEADER || total < header || total > room)
		return VERDICT_DROP_MALFORMED;
	if (checksum_fold(checksum_add(0, ip, header)) != 0xffff)
		return VERDICT_DROP_CHECKSUM;
	if (header > IP4_HEADER)
		return VERDICT_DROP_IP_OPTIONS;
	if (get_u16(ip + 6) & (IP4_MORE_FRAGMENTS | IP4_OFFSET))
		return VERDICT_DROP_FRAGMENT;
	p->len = ETH_HEADER + total;
	p->ttl = ip[8];
	p->proto = ip[9];
	p->src = addr4(get_u32(ip + 12));
	p->dst = addr4(get_u32(ip + 16));
	p->l4 = (uint16_t)(ETH_HEADER + header);
	return VERDICT_FORWARDED;
}

/* options_ok() - may every option of a header of @size bytes be passed over by who does not know it? */
static bool options_ok(const uint8_t *header, uint32_t size)
{
	struct reader r = reader_init(header + 2, size - 2);

	while (reader_left(&r)) {
		uint8_t type = read_u8(&r);

		if (type & OPTION_REFUSED)
			return false;
		if (type != OPTION_PAD1)
			read_bytes(&r, read_u8(&r));
	}
	return !r.overrun;
}

/* skip_extensions() - to the transport header; bounded, in whatever order they come but hop-by-hop options first (RFC 8200 4.1) */
static enum verdict skip_extensions(struct packet *p)
{
	uint32_t at = ETH_HEADER + IP6_HEADER, size;
	uint8_t next = p->data[ETH_HEADER + 6];

	while (next == NEXT_HOP_BY_HOP || next == NEXT_OPTIONS) {
		if (p->len - at < 8 || (next == NEXT_HOP_BY_HOP && at > ETH_HEADER + IP6_HEADER))
			return VERDICT_DROP_MALFORMED;
		size = 8 * (p->data[at + 1] + 1u);
		if (size > p->len - at)
			return VERDICT_DROP_MALFORMED;
		if (at + size > ETH_HEADER + IP6_HEADER + EXTENSIONS_MAX || !options_ok(p->data + at, size))
			return VERDICT_DROP_IP_OPTIONS;
		next = p->data[at];
		at += size;
	}
	p->proto = next;
	p->l4 = (uint16_t)at;
	return next == NEXT_ROUTING ? VERDICT_DROP_IP_OPTIONS : next == NEXT_FRAGMENT ? VERDICT_DROP_FRAGMENT : VERDICT_FORWARDED;
}

/* RFC 8200 3 for the layout */
static enum verdict parse_ip6(struct packet *p, uint32_t have)
{
	const uint8_t *ip = p->data + ETH_HEADER;
	uint32_t room = have - ETH_HEADER;

	if (room < IP6_HEADER || ip[0] >> 4 != 6 || get_u16(ip + 4) > room - IP6_HEADER)
		return VERDICT_DROP_MALFORMED;
	p->len = ETH_HEADER + IP6_HEADER + get_u16(ip + 4);
	p->ttl = ip[7];
	p->src = addr6(ip + 8);
	p->dst = addr6(ip + 24);
	if (addr_is4(p->src) || addr_is4(p->dst))
		return VERDICT_DROP_MARTIAN;	/* RFC 4942 2.2: never on a wire */
	return skip_extensions(p);
}

/* parse() - of one family, which is a constant to the compiler: @p then stays in registers until it is good */
static inline __attribute__((always_inline)) enum verdict parse(const uint8_t *data, uint32_t len, const struct offload *offload,
								 bool ip6, struct packet *out)
{
	struct packet p = { .data = data, .ethertype = ip6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4 };
	enum verdict v = ip6 ? parse_ip6(&p, len) : parse_ip4(&p, len);

	if (v == VERDICT_FORWARDED)
		v = parse_l4(&p);
	if (v != VERDICT_FORWARDED)
		return v;
	if ((p.proto == PROTO_TCP || p.proto == PROTO_UDP || packet_is_icmp(&p)) && !l4_checksum_ok(&p, offload))
		return VERDICT_DROP_CHECKSUM;
	*out = p;
	return VERDICT_FORWARDED;
}

enum verdict packet_parse(const uint8_t *data, uint32_t len, const struct offload *offload, struct packet *out)
{
	if (len < ETH_HEADER)
		return VERDICT_DROP_RUNT;
	switch (get_u16(data + 12)) {
	case ETHERTYPE_IP4:
		return parse(data, len, offload, false, out);
	case ETHERTYPE_IP6:
		return parse(data, len, offload, true, out);
	case ETHERTYPE_ARP4:
		return packet_parse_arp(data, len, out);
	default:
		return VERDICT_DROP_NOT_IP;
	}
}
