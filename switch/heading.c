// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/heading.h"

#include "base/bytes.h"
#include "switch/frame.h"
#include "switch/packet.h"

enum {
	IP4_MORE = 0x2000, IP4_OFFSET = 0x1fff, IP6_MORE = 1, FRAGMENT_UNIT = 8,
	NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_AUTHENTICATION = 51, NEXT_OPTIONS = 60, NEXT_MOBILITY = 135,
	ECHO_REQUEST4 = 8, ECHO_REPLY4 = 0, ECHO_REQUEST6 = 128, ECHO_REPLY6 = 129,
	PORTS_SIZE = 4, QUOTED = 8,		/* an ICMP error quotes at least so much behind the IP header (RFC 792) */
};

/* span - what is to be read, and how much of it is here */
struct span {
	const uint8_t *at;		/* the IP header */
	uint32_t room;			/* bytes from there on */
	bool quote;			/* in an ICMP error: cut short, and only ports are asked for */
};

static bool is_echo(const struct heading *h)
{
	if (addr_is4(h->src))
		return h->icmp_type == ECHO_REQUEST4 || h->icmp_type == ECHO_REPLY4;
	return h->icmp_type == ECHO_REQUEST6 || h->icmp_type == ECHO_REPLY6;
}

static enum verdict read_icmp(const uint8_t *p, uint32_t room, struct heading *h)
{
	if (room < ICMP_HEADER)
		return VERDICT_DROP_MALFORMED;
	h->icmp_type = p[0];
	if (is_echo(h))
		h->sport = h->dport = get_u16(p + 4);
	return VERDICT_FORWARDED;
}

/* read_transport() - @p is its header, of which @room bytes are here. A first fragment has all of it, or it hides something (RFC 1858 3) */
static enum verdict read_transport(const uint8_t *p, uint32_t room, bool quote, struct heading *h)
{
	static const enum verdict bad[] = { [FRAGMENT_NONE] = VERDICT_DROP_MALFORMED, [FRAGMENT_FIRST] = VERDICT_DROP_FRAGMENT };
	uint32_t wanted = h->proto == PROTO_TCP ? TCP_HEADER : h->proto == PROTO_UDP ? UDP_HEADER : h->proto == PROTO_SCTP ? 12 : 0;

	if (h->fragment == FRAGMENT_LATER)
		return VERDICT_FORWARDED;
	if (h->proto == (addr_is4(h->src) ? PROTO_ICMP : PROTO_ICMP6))
		return read_icmp(p, room, h);
	if (!wanted)
		return VERDICT_FORWARDED;
	if (room < (quote ? QUOTED : wanted))
		return bad[h->fragment];
	h->sport = get_u16(p);
	h->dport = get_u16(p + 2);
	if (h->proto == PROTO_TCP && !quote)
		h->tcp_flags = p[13] & 0x3f;
	return VERDICT_FORWARDED;
}

/* fragment() - @offset in units of eight bytes. One that begins inside the transport header would write over it (RFC 3128) */
static enum verdict fragment(struct heading *h, uint16_t offset, bool more, uint32_t id)
{
	h->fragment = offset ? FRAGMENT_LATER : more ? FRAGMENT_FIRST : FRAGMENT_NONE;
	h->fragment_id = id;
	return offset && offset * FRAGMENT_UNIT < TCP_HEADER ? VERDICT_DROP_FRAGMENT : VERDICT_FORWARDED;
}

static enum verdict read_ip4(const struct span *s, struct heading *h)
{
	uint32_t header, total, room;
	uint16_t flags;
	enum verdict v;

	if (s->room < IP4_HEADER || s->at[0] >> 4 != 4)
		return VERDICT_DROP_MALFORMED;
	header = (s->at[0] & 15) * 4u;
	total = get_u16(s->at + 2);
	if (header < IP4_HEADER || header > s->room || (total < header && !s->quote))
		return VERDICT_DROP_MALFORMED;
	room = (total < s->room && !s->quote ? total : s->room) - header;
	h->ttl = s->at[8];
	h->proto = s->at[9];
	h->src = addr4(get_u32(s->at + 12));
	h->dst = addr4(get_u32(s->at + 16));
	flags = get_u16(s->at + 6);
	v = fragment(h, flags & IP4_OFFSET, flags & IP4_MORE, get_u16(s->at + 4));
	return v == VERDICT_FORWARDED ? read_transport(s->at + header, room, s->quote, h) : v;
}

static bool is_extension(uint8_t next)
{
	return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_FRAGMENT || next == NEXT_AUTHENTICATION ||
	       next == NEXT_OPTIONS || next == NEXT_MOBILITY;
}

/* read_extensions() - to the transport header, or to where a later fragment's bytes begin */
static enum verdict read_extensions(const struct span *s, uint32_t end, struct heading *h)
{
	uint32_t at = IP6_HEADER, size;
	uint8_t next = s->at[6];
	enum verdict v;

	while (is_extension(next) && h->fragment != FRAGMENT_LATER) {
		if (end - at < 8)
			return VERDICT_DROP_MALFORMED;
		size = next == NEXT_FRAGMENT ? 8 : next == NEXT_AUTHENTICATION ? (s->at[at + 1] + 2u) * 4 : (s->at[at + 1] + 1u) * 8;
		if (size > end - at || (next == NEXT_FRAGMENT && h->fragment))
			return VERDICT_DROP_MALFORMED;
		if (next == NEXT_FRAGMENT) {
			uint16_t offset = get_u16(s->at + at + 2);

			v = fragment(h, offset >> 3, offset & IP6_MORE, get_u32(s->at + at + 4));
			if (v != VERDICT_FORWARDED)
				return v;
		}
		next = s->at[at];
		at += size;
	}
	h->proto = next;
	return read_transport(s->at + at, end - at, s->quote, h);
}

static enum verdict read_ip6(const struct span *s, struct heading *h)
{
	uint32_t end;

	if (s->room < IP6_HEADER || s->at[0] >> 4 != 6)
		return VERDICT_DROP_MALFORMED;
	end = IP6_HEADER + (uint32_t)get_u16(s->at + 4);
	h->ttl = s->at[7];
	h->src = addr6(s->at + 8);
	h->dst = addr6(s->at + 24);
	if (addr_is4(h->src) || addr_is4(h->dst))
		return VERDICT_DROP_MALFORMED;	/* RFC 4942 2.2: never on a wire; here it would be taken for IPv4 */
	return read_extensions(s, end < s->room && !s->quote ? end : s->room, h);
}

static enum verdict read_ip(const struct span *s, struct heading *h)
{
	h->ip = true;
	return h->ethertype == ETHERTYPE_IP4 ? read_ip4(s, h) : read_ip6(s, h);
}

enum verdict heading_read(const struct frame *f, struct heading *out)
{
	struct span s = { f->head + ETH_HEADER, f->head_len - ETH_HEADER, false };
	struct heading h = { .ethertype = get_u16(f->head + 12) };
	enum verdict v = VERDICT_FORWARDED;

	if (h.ethertype == ETHERTYPE_IP4 || h.ethertype == ETHERTYPE_IP6)
		v = read_ip(&s, &h);
	if (v == VERDICT_FORWARDED)
		*out = h;
	return v;
}

/* error_at() - where the quote of an ICMP error begins; 0: it is no error, or stands behind extension headers, where nobody puts it */
static uint32_t error_at(const struct frame *f, const struct heading *h)
{
	uint32_t l4 = ETH_HEADER + IP6_HEADER;

	if (!h->ip || h->fragment)
		return 0;
	if (!addr_is4(h->src))
		return h->proto == PROTO_ICMP6 && f->head[ETH_HEADER + 6] == PROTO_ICMP6 && h->icmp_type < 128 ? l4 + ICMP_HEADER : 0;
	l4 = ETH_HEADER + (f->head[ETH_HEADER] & 15) * 4u;
	if (h->proto != PROTO_ICMP || h->icmp_type < 3 || h->icmp_type == 8 || h->icmp_type > 12 || (h->icmp_type > 5 && h->icmp_type < 11))
		return 0;
	return l4 + ICMP_HEADER;
}

bool heading_quoted(const struct frame *f, struct heading *out)
{
	struct heading h;
	uint32_t at;
	struct span s;

	if (heading_read(f, &h) != VERDICT_FORWARDED)
		return false;
	at = error_at(f, &h);
	if (!at || at >= f->head_len)
		return false;
	s = (struct span){ f->head + at, f->head_len - at, true };
	*out = (struct heading){ .ethertype = h.ethertype };
	return read_ip(&s, out) == VERDICT_FORWARDED;
}
