// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/build.h"

#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"

enum { ICMP_QUOTED_L4 = 8, IP4_DONT_FRAGMENT = 0x4000, TTL_DEFAULT = 64 };

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

uint8_t *build_udp(uint8_t *to, uint16_t sport, uint16_t dport, uint32_t payload)
{
	const uint8_t *ip = to - IP4_HEADER;
	uint32_t size = UDP_HEADER + payload;
	uint64_t sum;

	put_u16(to, sport);
	put_u16(to + 2, dport);
	put_u16(to + 4, (uint16_t)size);
	put_u16(to + 6, 0);
	sum = checksum_pseudo4(ip + 12, ip + 16, PROTO_UDP, size);
	put_u16(to + 6, checksum_finish_udp(checksum_add(sum, to, size)));
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

uint32_t build_udp_frame(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], uint32_t src, uint16_t sport,
			 uint32_t dst, uint16_t dport, const void *payload, uint32_t size)
{
	uint8_t *ip = build_eth(to, dst_mac, src_mac, ETHERTYPE_IP4);
	uint8_t *udp = build_ip4(ip, src, dst, PROTO_UDP, TTL_DEFAULT, UDP_HEADER + size);

	memcpy(udp + UDP_HEADER, payload, size);
	build_udp(udp, sport, dport, size);
	return ETH_HEADER + IP4_HEADER + UDP_HEADER + size;
}

uint32_t build_icmp_error(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], uint32_t from, uint8_t type,
			  uint8_t code, uint16_t mtu, const struct packet *p)
{
	uint32_t quoted = MIN_OF(p->len - ETH_HEADER, (uint32_t)(p->l4 - ETH_HEADER) + ICMP_QUOTED_L4);
	uint8_t *ip = build_eth(to, dst_mac, src_mac, ETHERTYPE_IP4);
	uint8_t *icmp = build_ip4(ip, from, p->src, PROTO_ICMP, TTL_DEFAULT, ICMP_HEADER + quoted);

	icmp[0] = type;
	icmp[1] = code;
	put_u32(icmp + 2, 0);
	put_u16(icmp + 6, mtu);		/* RFC 1191 4: second half of the unused word */
	memcpy(icmp + ICMP_HEADER, p->data + ETH_HEADER, quoted);
	put_u16(icmp + 2, checksum_finish(checksum_add(0, icmp, ICMP_HEADER + quoted)));
	return ETH_HEADER + IP4_HEADER + ICMP_HEADER + quoted;
}
