// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/quoted.h"

#include "base/array.h"
#include "base/bytes.h"
#include "nat/answer.h"
#include "switch/packet.h"

enum { IP4_MTU_MIN = 576, IP4_OFFSET = 0x1fff, IP4_MORE = 0x2000, FRAGMENT_HEADER = 8, IP6_MORE = 1, NEXT_FRAGMENT = 44, QUOTED_L4 = 8 };

/* quote_room() - bytes of the packet quoted, before what RFC 4884 allows behind it */
static uint32_t quote_room(const struct packet *p)
{
	const uint8_t *icmp = p->data + p->l4;
	bool ip6 = packet_is_ip6(p);
	uint32_t room = packet_payload_len(p), length = 0;

	if (!ip6 || p->icmp_type != ICMP6_TOO_BIG)
		length = ip6 ? icmp[4] * 8u : icmp[5] * 4u;
	return length ? MIN_OF(room, length) : room;
}

/* What we bring has no options, and a later fragment tells no ports. Return of each: bytes before the transport header; 0: none of ours */
static uint32_t parse_ip4(const uint8_t *ip, uint32_t room, struct quoted *q, bool *more)
{
	if (room < IP4_HEADER || ip[0] != 0x45 || get_u16(ip + 6) & IP4_OFFSET)
		return 0;
	q->src = addr4(get_u32(ip + 12));
	q->dst = addr4(get_u32(ip + 16));
	q->proto = ip[9];
	q->total = get_u16(ip + 2);
	*more = get_u16(ip + 6) & IP4_MORE;
	return IP4_HEADER;
}

static uint32_t parse_ip6(const uint8_t *ip, uint32_t room, struct quoted *q, bool *more)
{
	const uint8_t *fragment = ip + IP6_HEADER;

	if (room < IP6_HEADER || ip[0] >> 4 != 6)
		return 0;
	q->src = addr6(ip + 8);
	q->dst = addr6(ip + 24);
	q->proto = ip[6];
	q->total = IP6_HEADER + get_u16(ip + 4);
	*more = false;
	if (addr_is4(q->src))
		return 0;
	if (q->proto != NEXT_FRAGMENT)
		return IP6_HEADER;
	if (room < IP6_HEADER + FRAGMENT_HEADER || (get_u16(fragment + 2) & ~7u) != 0)
		return 0;
	q->proto = fragment[0];
	*more = get_u16(fragment + 2) & IP6_MORE;
	return IP6_HEADER + FRAGMENT_HEADER;
}

/* consistent() - is the datagram as long as it says, or a piece of one? */
static bool consistent(const struct quoted *q, uint32_t head, bool more)
{
	uint32_t length = get_u16(q->l4 + 4);

	return q->proto == PROTO_TCP || (length >= UDP_HEADER && (more || length <= q->total - head));
}

bool quoted_parse(const struct packet *p, struct quoted *q)
{
	const uint8_t *ip = packet_payload(p);
	uint32_t room = quote_room(p), head;
	bool more;

	head = packet_is_ip6(p) ? parse_ip6(ip, room, q, &more) : parse_ip4(ip, room, q, &more);
	if (!head || room < head + QUOTED_L4 || q->total < head + QUOTED_L4 || (q->proto != PROTO_UDP && q->proto != PROTO_TCP))
		return false;
	q->l4 = ip + head;
	q->size = MIN_OF(room, q->total) - head;
	q->sport = get_u16(q->l4);
	q->dport = get_u16(q->l4 + 2);
	return addr_equal(q->dst, p->src) && consistent(q, head, more);
}

bool quoted_error_of(const struct packet *p, const struct quoted *q, struct quoted_error *e)
{
	const uint8_t *icmp = p->data + p->l4;

	*e = (struct quoted_error){ p->icmp_type, p->icmp_code, 0 };
	if (packet_is_ip6(p)) {
		e->mtu = e->type == ICMP6_TOO_BIG ? get_u32(icmp + 4) : 0;
		if (e->type == ICMP6_TOO_BIG)
			return e->mtu >= IP6_MTU_MIN && e->mtu < q->total;
		return e->type == ICMP6_UNREACHABLE || e->type == ICMP6_TIME_EXCEEDED;
	}
	if (e->type == ICMP_UNREACHABLE && e->code == ICMP_FRAGMENTATION_NEEDED) {
		e->mtu = get_u16(icmp + 6);
		return e->mtu >= IP4_MTU_MIN && e->mtu < q->total;
	}
	return e->type == ICMP_UNREACHABLE || e->type == ICMP_TIME_EXCEEDED;
}
