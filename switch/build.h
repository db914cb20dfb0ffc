/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/build.h - headers of frames that the gateway and the services make
 *
 * Each function writes one header at @to, where the caller has room, and returns the byte behind it.
 * Addresses of IPv4 are in host order. Pure, any thread.
 */
#ifndef SWITCH_BUILD_H
#define SWITCH_BUILD_H

#include "switch/packet.h"

uint8_t *build_eth(uint8_t *to, const uint8_t dst[6], const uint8_t src[6], uint16_t ethertype);

/* build_ip4() - header without options, DF set, identification 0 (RFC 6864 4.1), checksum complete
 * @payload:	bytes that follow the IP header
 */
uint8_t *build_ip4(uint8_t *to, uint32_t src, uint32_t dst, uint8_t proto, uint8_t ttl, uint32_t payload);

/* build_udp() - header in front of @payload bytes which already stand behind it; checksum complete
 * The IP header written by build_ip4() must stand in front.
 */
uint8_t *build_udp(uint8_t *to, uint16_t sport, uint16_t dport, uint32_t payload);

/* build_arp() - a whole ARP frame of 42 bytes; Return: its length */
uint32_t build_arp(uint8_t *to, uint16_t op, const uint8_t sha[6], uint32_t spa, const uint8_t tha[6], uint32_t tpa,
		   const uint8_t eth_dst[6]);

/* build_udp_frame() - a whole frame with @size bytes of payload copied in; Return: its length */
uint32_t build_udp_frame(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], uint32_t src, uint16_t sport,
			 uint32_t dst, uint16_t dport, const void *payload, uint32_t size);

/* build_icmp_error() - an ICMP error about packet @p, quoting its IP header and 8 bytes more (RFC 792, RFC 1812 4.3.2)
 * @from:	the gateway's address
 * @mtu:	next-hop MTU for type 3 code 4, else 0
 *
 * Return: the frame's length.
 */
uint32_t build_icmp_error(uint8_t *to, const uint8_t dst_mac[6], const uint8_t src_mac[6], uint32_t from, uint8_t type,
			  uint8_t code, uint16_t mtu, const struct packet *p);

#endif
