/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/packet.h - the headers of a frame, parsed once: Ethernet, ARP, IPv4 or IPv6, TCP, UDP or ICMP
 *
 * Offsets count from the first byte of the (untagged) frame and were checked against its length; code that
 * has a packet may read what it points at. Pure functions, any thread.
 * Sources: RFC 826, 791, 792, 768, 8200, 4443, 9293.
 */
#ifndef SWITCH_PACKET_H
#define SWITCH_PACKET_H

#include "base/addr.h"
#include "switch/frame.h"
#include "switch/verdict.h"

enum {
	ETHERTYPE_IP4 = 0x0800,
	ETHERTYPE_ARP4 = 0x0806,
	ETHERTYPE_IP6 = 0x86dd,
	ETHERTYPE_CTAG = 0x8100,
	ETHERTYPE_STAG = 0x88a8,
	ETHERTYPE_MAC_CONTROL = 0x8808,
	IP4_HEADER = 20, IP6_HEADER = 40, UDP_HEADER = 8, TCP_HEADER = 20, ICMP_HEADER = 8,
	PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58,
	IP6_MTU_MIN = 1280,		/* RFC 8200 5 */
	TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16,
	ARP_REQUEST = 1, ARP_REPLY = 2,
};

struct packet {
	const uint8_t *data;		/* the frame's bytes, contiguous, borrowed from the frame */
	uint32_t len;			/* Ethernet header to the end of the IP datagram; padding is not counted */
	uint16_t ethertype;
	uint8_t proto;			/* of the transport header; 0 for ARP */
	uint8_t ttl;			/* or hop limit */
	uint16_t l4;			/* offset of the transport header */
	uint16_t payload;		/* offset behind the transport header */
	struct addr src, dst;		/* for ARP sender and target protocol address */
	uint16_t sport, dport;		/* TCP and UDP; for ICMP echo, sport is the identifier */
	uint8_t tcp_flags;
	uint8_t icmp_type, icmp_code;
	uint16_t arp_op;
	bool assembled;			/* of fragments, by whoever was asked to */
	uint16_t tcp_window;		/* as on the wire, unscaled */
	uint32_t seq, ack;
};

static inline const uint8_t *packet_payload(const struct packet *p)
{
	return p->data + p->payload;
}

static inline bool packet_is_ip6(const struct packet *p)
{
	return p->ethertype == ETHERTYPE_IP6;
}

/* packet_is_icmp() - ICMP of the packet's own family; the other one's number is a protocol like any other */
static inline bool packet_is_icmp(const struct packet *p)
{
	return p->proto == (packet_is_ip6(p) ? PROTO_ICMP6 : PROTO_ICMP);
}

/* packet_is_icmp_error() - one about another packet (RFC 1122 3.2.2, RFC 4443 2.1) */
static inline bool packet_is_icmp_error(const struct packet *p)
{
	if (!packet_is_icmp(p))
		return false;
	if (packet_is_ip6(p))
		return p->icmp_type < 128;
	return (p->icmp_type >= 3 && p->icmp_type <= 5) || p->icmp_type == 11 || p->icmp_type == 12;
}

static inline uint32_t packet_payload_len(const struct packet *p)
{
	return p->len - p->payload;
}

/* packet_parse() - parse the headers of a contiguous, untagged frame
 * @data, @len:	the frame; all of it
 * @offload:	what the medium promised: where NEEDS_CSUM is set the transport checksum is not looked at
 * @p:		written only on success
 *
 * Checks lengths, the IPv4 header checksum and the transport checksum. Fragments, IPv4 options and IPv6 routing headers are refused; of
 * IPv6 options those that a node which does not know them may pass over are passed over (RFC 8200 4.2).
 * Return: VERDICT_FORWARDED when @p is good, or the reason for the drop.
 */
enum verdict packet_parse(const uint8_t *data, uint32_t len, const struct offload *offload, struct packet *p);

/* packet_arp() - ARP for Ethernet and IPv4 only; fills src, dst and arp_op, and data points at the frame */
enum verdict packet_parse_arp(const uint8_t *data, uint32_t len, struct packet *p);

#endif
