// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/told.h"

#include <string.h>

#include "base/bytes.h"
#include "switch/nd.h"
#include "switch/packet.h"

enum {
	NEXT_HOP_BY_HOP = 0, NEXT_IGMP = 2, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_AUTH = 51, NEXT_DESTINATION = 60,
	NEXT_MOBILITY = 135, NEXT_HIP = 139, NEXT_SHIM6 = 140,
	DHCP4_SERVER = 67, DHCP4_CLIENT = 68, DHCP6_CLIENT = 546, DHCP6_SERVER = 547,
	BOOTREPLY = 2, DHCP6_ADVERTISE = 2, DHCP6_REPLY = 7, DHCP6_RECONFIGURE = 10, DHCP6_RELAY_FORWARD = 12, DHCP6_RELAY_REPLY = 13,
	ETHERNET_6 = 0x0106,		/* of BOOTP: hardware type, and the length of its addresses */
	IP4_OFFSET = 0x1fff, IP6_OFFSET = 0xfff8, IP6_MORE = 1, HEADERS_MAX = 16,
};

static void skip(struct reader *r, size_t n)
{
	(void)read_bytes(r, n);
}

/* tells_of_others() - a message for DHCP servers, @r behind its first byte: does it ask for another than who sends it? So does what a relay
 * sends, and what ends before it says may. */
static bool tells_of_others(const struct frame *f, struct reader r, bool ip6, uint8_t op)
{
	uint16_t hardware;
	uint32_t relay;
	const uint8_t *client;

	if (ip6)
		return !op || op == DHCP6_RELAY_FORWARD;
	hardware = read_u16(&r);
	skip(&r, 21);
	relay = read_u32(&r);
	client = read_bytes(&r, 6);
	return !client || relay || hardware != ETHERNET_6 || memcmp(client, frame_src(f), 6) != 0;
}

/* udp_kind() - @r stands at the UDP header */
static enum told_kind udp_kind(const struct frame *f, struct reader *r, bool ip6, struct told *t)
{
	uint16_t dport, server = ip6 ? DHCP6_SERVER : DHCP4_SERVER;
	uint8_t op;

	skip(r, 2);
	dport = read_u16(r);
	skip(r, 4);
	op = reader_left(r) ? read_u8(r) : 0;
	if (dport == (ip6 ? DHCP6_CLIENT : DHCP4_CLIENT))
		return TOLD_DHCP_SERVER;	/* clients listen to whatever comes there */
	if (dport != server)
		return TOLD_NOTHING;
	t->foreign_link = tells_of_others(f, *r, ip6, op);
	if (!ip6)
		return op == BOOTREPLY ? TOLD_DHCP_SERVER : TOLD_DHCP_CLIENT;
	return op == DHCP6_ADVERTISE || op == DHCP6_REPLY || op == DHCP6_RECONFIGURE || op == DHCP6_RELAY_REPLY ? TOLD_DHCP_SERVER
														: TOLD_DHCP_CLIENT;
}

static void tell_arp(const struct frame *f, struct reader *r, struct told *t)
{
	uint64_t fixed = (uint64_t)read_u32(r) << 16 | read_u16(r);
	const uint8_t *sender;
	uint32_t spa;

	skip(r, 2);
	sender = read_bytes(r, 6);
	spa = read_u32(r);
	skip(r, 10);
	if (r->overrun || fixed != 0x000108000604)	/* Ethernet, IPv4, and their lengths: nobody else's tables are touched */
		return;
	t->kind = TOLD_ARP;
	t->ip = true;
	t->src = spa ? addr4(spa) : (struct addr){ 0 };	/* 0.0.0.0 asks without saying who (RFC 5227 2.1.1) */
	t->foreign_link = memcmp(sender, frame_src(f), 6) != 0;
}

static void tell_ip4(const struct frame *f, struct reader *r, struct told *t)
{
	uint8_t first = read_u8(r), proto;
	uint16_t offset;
	uint32_t src;

	skip(r, 5);
	offset = read_u16(r) & IP4_OFFSET;
	skip(r, 1);
	proto = read_u8(r);
	skip(r, 2);
	src = read_u32(r);
	skip(r, 4);
	if (r->overrun || first >> 4 != 4 || (first & 15) < 5)
		return;
	t->ip = true;
	t->src = src ? addr4(src) : (struct addr){ 0 };
	skip(r, (size_t)((first & 15) * 4 - IP4_HEADER));
	if (proto == NEXT_IGMP)
		t->kind = TOLD_GROUPS;
	else if (proto == PROTO_UDP && !offset)
		t->kind = udp_kind(f, r, false, t);
	if (r->overrun)
		t->kind = TOLD_NOTHING;
}

/* tell_links() - the options of a neighbour message: each link-layer address in them is to be the frame's own source */
static void tell_links(const struct frame *f, struct reader *r, struct told *t)
{
	while (reader_left(r) >= 8) {
		uint8_t type = read_u8(r), words = read_u8(r);
		const uint8_t *value = words ? read_bytes(r, words * 8u - 2) : NULL;

		if (!words)
			return;			/* RFC 4861 4.6: the whole message is void */
		if (!value) {
			t->foreign_link = true;	/* longer than what can be seen */
			return;
		}
		if ((type == ND_SOURCE_LINK_ADDRESS || type == ND_TARGET_LINK_ADDRESS) && memcmp(value, frame_src(f), 6) != 0)
			t->foreign_link = true;
	}
}

/* tell_icmp6() - @r stands at the ICMPv6 header; @fragment: of a packet that has more fragments */
static void tell_icmp6(const struct frame *f, struct reader *r, bool fragment, struct told *t)
{
	uint8_t type = read_u8(r);
	const uint8_t *target;

	t->kind = TOLD_ICMP6;
	if (r->overrun || type < ND_ROUTER_SOLICITATION || type > ND_REDIRECT)
		return;
	if (type == ND_ROUTER_ADVERTISEMENT || type == ND_REDIRECT) {
		t->kind = TOLD_ROUTER;
		return;
	}
	t->kind = fragment ? TOLD_HIDDEN : TOLD_NEIGHBOUR;	/* RFC 6980 5 */
	skip(r, 7);
	if (type == ND_ROUTER_SOLICITATION) {
		tell_links(f, r, t);
		return;
	}
	target = read_bytes(r, ADDR_SIZE);
	if (target && type == ND_NEIGHBOUR_ADVERTISEMENT)
		t->claim = addr6(target);
	tell_links(f, r, t);
}

static bool is_extension(uint8_t next)
{
	return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_DESTINATION || next == NEXT_AUTH || next == NEXT_MOBILITY ||
	       next == NEXT_HIP || next == NEXT_SHIM6;
}

/* skip_extensions() - to the transport header. Return: its number, or -1 when it cannot be seen; *fragment: there are more */
static int skip_extensions(struct reader *r, uint8_t next, bool *fragment, bool *later)
{
	for (unsigned i = 0; i < HEADERS_MAX && !r->overrun; i++) {
		uint8_t this = next, units;
		uint16_t offset;

		if (this == NEXT_FRAGMENT) {
			next = read_u8(r);
			skip(r, 1);
			offset = read_u16(r);
			skip(r, 4);
			*later = offset & IP6_OFFSET;
			*fragment = *later || offset & IP6_MORE;
			if (*later)
				return next;
		} else if (is_extension(this)) {
			next = read_u8(r);
			units = read_u8(r);
			skip(r, this == NEXT_AUTH ? units * 4u + 6 : units * 8u + 6);	/* RFC 4302 2.2 counts otherwise */
		} else {
			return this;
		}
	}
	return -1;
}

static void tell_ip6(const struct frame *f, struct reader *r, struct told *t)
{
	bool fragment = false, later = false, hidden;
	const uint8_t *src;
	uint8_t next;
	int proto;

	skip(r, 6);
	next = read_u8(r);
	skip(r, 1);
	src = read_bytes(r, ADDR_SIZE);
	skip(r, ADDR_SIZE);
	if (r->overrun || f->head[ETH_HEADER] >> 4 != 6)
		return;
	t->ip = true;
	t->src = addr6(src);
	proto = skip_extensions(r, next, &fragment, &later);
	if (later)
		return;			/* nothing is believed of it without the first fragment */
	hidden = !reader_left(r);
	if (proto == PROTO_ICMP6 && !hidden) {
		tell_icmp6(f, r, fragment, t);
	} else if (proto == PROTO_UDP) {
		t->kind = udp_kind(f, r, true, t);
		hidden = r->overrun;
	}
	if (proto < 0 || (hidden && (fragment || f->len > f->head_len)))
		t->kind = TOLD_HIDDEN;	/* RFC 7113 3; what is cut short altogether nobody believes */
}

void told_parse(const struct frame *f, struct told *t)
{
	struct reader r = reader_init(f->head, f->head_len);
	uint16_t type;

	*t = (struct told){ .kind = TOLD_NOTHING };
	skip(&r, 12);
	type = read_u16(&r);
	if (r.overrun)
		return;
	if (type == ETHERTYPE_ARP4)
		tell_arp(f, &r, t);
	else if (type == ETHERTYPE_IP4)
		tell_ip4(f, &r, t);
	else if (type == ETHERTYPE_IP6)
		tell_ip6(f, &r, t);
}
