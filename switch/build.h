/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/build.h - headers of frames that the gateway and the services make
 *
 * Each function writes one header at @to, where the caller has room, and returns the byte behind it.
 * What is named ..4 takes IPv4 addresses in host order; the rest takes either family. Pure, any thread.
 */
#ifndef SWITCH_BUILD_H
#define SWITCH_BUILD_H

#include "switch/packet.h"

uint8_t *build_eth(uint8_t *to, const uint8_t dst[6], const uint8_t src[6], uint16_t ethertype);

/* build_ip4() - header without options, DF set, identification 0 (RFC 6864 4.1), checksum complete
 * @payload:	bytes that follow the IP header
 */
uint8_t *build_ip4(uint8_t *to, uint32_t src, uint32_t dst, uint8_t proto, uint8_t ttl, uint32_t payload);

/* build_ip6() - header without extensions, flow label 0 */
uint8_t *build_ip6(uint8_t *to, struct addr src, struct addr dst, uint8_t proto, uint8_t ttl, uint32_t payload);

/* build_ip() - Ethernet and IP header in the family of the addresses, which is the same for both; build_headers() - their size */
uint8_t *build_ip(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], struct addr src, struct addr dst,
		  uint8_t proto, uint8_t ttl, uint32_t payload);

static inline uint32_t build_headers(struct addr a)
{
	return ETH_HEADER + (addr_is4(a) ? IP4_HEADER : IP6_HEADER);
}

/* build_pseudo() - sum of the pseudo header (base/checksum.h) of either family */
uint64_t build_pseudo(struct addr src, struct addr dst, uint8_t proto, uint32_t l4_size);

/* build_udp() - header in front of @payload bytes which already stand behind it; checksum complete */
uint8_t *build_udp(uint8_t *to, struct addr src, uint16_t sport, struct addr dst, uint16_t dport, uint32_t payload);

/* build_arp() - a whole ARP frame of 42 bytes; Return: its length */
uint32_t build_arp(uint8_t *to, uint16_t op, const uint8_t sha[6], uint32_t spa, const uint8_t tha[6], uint32_t tpa,
		   const uint8_t eth_dst[6]);

/* build_udp_frame() - a whole frame with @size bytes of payload copied in; Return: its length */
uint32_t build_udp_frame(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], struct addr src, uint16_t sport,
			 struct addr dst, uint16_t dport, const void *payload, uint32_t size);

/* build_icmp_error() - an ICMP error about packet @p in its own family, quoting of it what fits 576 bytes, of IPv6 1280 (RFC 1812 4.3.2.3, RFC
 * 4443 2.4c)
 * @to:		ICMP_ERROR_ROOM bytes
 * @from:	the gateway's address
 * @type, @code:	of that family
 * @mtu:	next-hop MTU for type 3 code 4, ICMPv6 type 2, else 0
 *
 * Return: the frame's length.
 */
enum { ICMP_ERROR_ROOM = ETH_HEADER + IP6_MTU_MIN };
uint32_t build_icmp_error(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], struct addr from, uint8_t type,
			  uint8_t code, uint32_t mtu, const struct packet *p);

/* build_icmp_extended() - the same with an extension structure of up to ICMP_MORE_MAX bytes behind the quote (RFC 4884); unreachable and time
 * exceeded only */
enum { ICMP_MORE_MAX = 256 };
uint32_t build_icmp_extended(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], struct addr from, uint8_t type,
			     uint8_t code, uint32_t mtu, const struct packet *p, const uint8_t *more, uint32_t more_size);

#endif
