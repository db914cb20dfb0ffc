// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/build.h"

#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"

enum {
	IP4_DONT_FRAGMENT = 0x4000, TTL_DEFAULT = 64, ICMP6_QUOTED = IP6_MTU_MIN - IP6_HEADER - ICMP_HEADER,
	ICMP4_QUOTED = 576 - IP4_HEADER - ICMP_HEADER,	/* RFC 1812 4.3.2.3 */
	EXTENDED_MIN = 128,		/* RFC 4884 4: no less is quoted before what is appended */
};

uint8_t *build_eth(uint8_t *to, const uint8_t dst[6], const uint8_t src[6], uint16_t ethertype)
{
	memcpy(to, dst, 6);
	memcpy(to + 6, src, 6);
	put_u16(to + 12, ethertype);
	return to + ETH_HEADER;
}

uint8_t *build_ip4(uint8_t *to, uint32_t src, uint32_t dst, uint8_t proto, uint8_t ttl, uint32_t payload)
{
	to[0] = 0x45;			/* version 4, five words */
	to[1] = 0;
	put_u16(to + 2, (uint16_t)(IP4_HEADER + payload));
	put_u16(to + 4, 0);
	put_u16(to + 6, IP4_DONT_FRAGMENT);
	to[8] = ttl;
	to[9] = proto;
	put_u16(to + 10, 0);
	put_u32(to + 12, src);
	put_u32(to + 16, dst);
	put_u16(to + 10, checksum_finish(checksum_add(0, to, IP4_HEADER)));
	return to + IP4_HEADER;
}

uint8_t *build_ip6(uint8_t *to, struct addr src, struct addr dst, uint8_t proto, uint8_t ttl, uint32_t payload)
{
	put_u32(to, 6u << 28);
	put_u16(to + 4, (uint16_t)payload);
	to[6] = proto;
	to[7] = ttl;
	memcpy(to + 8, src.bytes, ADDR_SIZE);
	memcpy(to + 24, dst.bytes, ADDR_SIZE);
	return to + IP6_HEADER;
}

uint8_t *build_ip(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], struct addr src, struct addr dst,
		  uint8_t proto, uint8_t ttl, uint32_t payload)
{
	if (addr_is4(dst))
		return build_ip4(build_eth(to, dst_mac, src_mac, ETHERTYPE_IP4), addr_4(src), addr_4(dst), proto, ttl, payload);
	return build_ip6(build_eth(to, dst_mac, src_mac, ETHERTYPE_IP6), src, dst, proto, ttl, payload);
}

uint64_t build_pseudo(struct addr src, struct addr dst, uint8_t proto, uint32_t l4_size)
{
	if (addr_is4(dst))
		return checksum_pseudo4(src.bytes + 12, dst.bytes + 12, proto, l4_size);
	return checksum_pseudo6(src.bytes, dst.bytes, proto, l4_size);
}

uint8_t *build_udp(uint8_t *to, struct addr src, uint16_t sport, struct addr dst, uint16_t dport, uint32_t payload)
{
	uint32_t size = UDP_HEADER + payload;

	put_u16(to, sport);
	put_u16(to + 2, dport);
	put_u16(to + 4, (uint16_t)size);
	put_u16(to + 6, 0);
	put_u16(to + 6, checksum_finish_udp(checksum_add(build_pseudo(src, dst, PROTO_UDP, size), to, size)));
	return to + UDP_HEADER;
}

uint32_t build_arp(uint8_t *to, uint16_t op, const uint8_t sha[6], uint32_t spa, const uint8_t tha[6], uint32_t tpa,
		   const uint8_t eth_dst[6])
{
	uint8_t *a = build_eth(to, eth_dst, sha, ETHERTYPE_ARP4);

	put_u16(a, 1);			/* Ethernet */
	put_u16(a + 2, ETHERTYPE_IP4);
	a[4] = 6;
	a[5] = 4;
	put_u16(a + 6, op);
	memcpy(a + 8, sha, 6);
	put_u32(a + 14, spa);
	memcpy(a + 18, tha, 6);
	put_u32(a + 24, tpa);
	return ETH_HEADER + 28;
}

uint32_t build_udp_frame(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], struct addr src, uint16_t sport,
			 struct addr dst, uint16_t dport, const void *payload, uint32_t size)
{
	uint8_t *udp = build_ip(to, dst_mac, src_mac, src, dst, PROTO_UDP, TTL_DEFAULT, UDP_HEADER + size);

	memcpy(udp + UDP_HEADER, payload, size);
	build_udp(udp, src, sport, dst, dport, size);
	return build_headers(dst) + UDP_HEADER + size;
}

/* put_quote() - the beginning of the packet at @to, so that @more bytes more fit a message, padded as those want it; Return: its size */
static uint32_t put_quote(uint8_t *to, const struct packet *p, uint32_t more)
{
	bool ip6 = !addr_is4(p->src);
	uint32_t unit = more ? (ip6 ? 8 : 4) : 1, most = ((ip6 ? ICMP6_QUOTED : ICMP4_QUOTED) - more) / unit * unit;
	uint32_t have = MIN_OF(p->len - ETH_HEADER, most), size = (have + unit - 1) / unit * unit;

	size = more ? MAX_OF(size, (uint32_t)EXTENDED_MIN) : size;
	memcpy(to, p->data + ETH_HEADER, have);
	memset(to + have, 0, size - have);
	return size;
}

uint32_t build_icmp_extended(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], struct addr from, uint8_t type,
			     uint8_t code, uint32_t mtu, const struct packet *p, const uint8_t *more, uint32_t more_size)
{
	bool ip6 = !addr_is4(p->src);
	uint32_t head = build_headers(p->src), quoted = put_quote(to + head + ICMP_HEADER, p, more_size);
	uint32_t size = ICMP_HEADER + quoted + more_size;
	uint8_t *icmp = build_ip(to, dst_mac, src_mac, from, p->src, ip6 ? PROTO_ICMP6 : PROTO_ICMP, TTL_DEFAULT, size);

	icmp[0] = type;
	icmp[1] = code;
	put_u16(icmp + 2, 0);
	put_u32(icmp + 4, ip6 ? mtu : MIN_OF(mtu, 65535u));	/* RFC 1191 4: second half of the unused word */
	if (more_size) {
		icmp[ip6 ? 4 : 5] = (uint8_t)(quoted / (ip6 ? 8 : 4));
		memcpy(icmp + ICMP_HEADER + quoted, more, more_size);
	}
	put_u16(icmp + 2, checksum_finish(checksum_add(ip6 ? build_pseudo(from, p->src, PROTO_ICMP6, size) : 0, icmp, size)));
	return head + size;
}

uint32_t build_icmp_error(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], struct addr from, uint8_t type,
			  uint8_t code, uint32_t mtu, const struct packet *p)
{
	return build_icmp_extended(to, dst_mac, src_mac, from, type, code, mtu, p, NULL, 0);
}
