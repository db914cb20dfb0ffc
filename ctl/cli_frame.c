// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cli_frame.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/array.h"
#include "base/bytes.h"
#include "base/text.h"
#include "switch/packet.h"

enum {
	TAGS_SHOWN = 3, EXTENSIONS = 8,
	PORT_DNS = 53, PORT_MDNS = 5353, PORT_DHCP_SERVER = 67, PORT_DHCP_CLIENT = 68,
	IP6_HOP_BY_HOP = 0, IP6_ROUTING = 43, IP6_FRAGMENT = 44, IP6_OPTIONS = 60,
};

/* line - text that grows until it is full */
struct line {
	char *text;
	size_t n;
};

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->n, FRAME_TEXT - l->n, fmt, ap);
	va_end(ap);
	l->n = MIN_OF(l->n + (size_t)(n > 0 ? n : 0), (size_t)FRAME_TEXT - 1);
}

struct name {
	unsigned number;
	const char *text;
};

/* name_of() - the word for @number, or NULL */
static const char *name_of(const struct name *names, size_t n, unsigned number)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].number == number)
			return names[i].text;
	return NULL;
}

#define NAME_OF(names, number) name_of(names, ARRAY_SIZE(names), number)

/* ---- applications ---- */

static void put_dhcp(struct line *l, struct reader r)
{
	static const char *const types[] = { "", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform" };
	static const uint8_t cookie[4] = { 99, 130, 83, 99 };
	const uint8_t *magic;

	read_bytes(&r, 236);			/* RFC 2131 2: the fixed part */
	magic = read_bytes(&r, sizeof(cookie));
	add(l, " dhcp");
	if (!magic || memcmp(magic, cookie, sizeof(cookie)) != 0)
		return;
	while (reader_left(&r)) {
		uint8_t code = read_u8(&r), size = code && code != 255 ? read_u8(&r) : 0;
		const uint8_t *value = read_bytes(&r, size);

		if (code == 255 || !value)
			return;
		if (code == 53 && size && value[0] < ARRAY_SIZE(types))
			add(l, " %s", types[value[0]]);
	}
}

/* put_dns_name() - without compression, which a question has not (RFC 1035 4.1.2) */
static void put_dns_name(struct line *l, struct reader *r)
{
	uint8_t size;
	bool any = false;

	while ((size = read_u8(r)) && size < 64) {
		const uint8_t *label = read_bytes(r, size);

		for (unsigned i = 0; label && i < size; i++)
			add(l, "%c", isgraph(label[i]) ? label[i] : '?');
		add(l, ".");
		any = true;
	}
	if (!any)
		add(l, ".");
}

static void put_dns(struct line *l, struct reader r)
{
	static const struct name types[] = { { 1, "A" }, { 2, "NS" }, { 5, "CNAME" }, { 6, "SOA" }, { 12, "PTR" }, { 15, "MX" }, { 16, "TXT" },
					     { 28, "AAAA" }, { 33, "SRV" }, { 65, "HTTPS" }, { 255, "ANY" } };
	uint16_t flags, questions, answers, type;

	read_u16(&r);
	flags = read_u16(&r);
	questions = read_u16(&r);
	answers = read_u16(&r);
	read_u32(&r);
	if (r.overrun)
		return;
	add(l, flags & 0x8000 ? " dns answer" : " dns question");
	if (questions) {
		add(l, " ");
		put_dns_name(l, &r);
		type = read_u16(&r);
		if (!r.overrun && NAME_OF(types, type))
			add(l, " %s", NAME_OF(types, type));
	}
	if (flags & 0x8000)
		add(l, flags & 0xf ? " error %u" : ", %u records", flags & 0xf ? flags & 0xfu : answers);
}

/* ---- transports ---- */

/* ends - who talks to whom */
struct ends {
	struct addr src, dst;
	uint16_t sport, dport;
};

static void put_end(struct line *l, struct addr a, int port)
{
	char text[ADDR_TEXT];

	addr_format(a, text);
	if (port < 0)
		add(l, "%s", text);
	else
		add(l, addr_is4(a) ? "%s:%d" : "[%s]:%d", text, port);
}

static void put_ends(struct line *l, const struct ends *e, bool ports)
{
	put_end(l, e->src, ports ? e->sport : -1);
	add(l, " > ");
	put_end(l, e->dst, ports ? e->dport : -1);
}

static void put_tcp(struct line *l, struct ends *e, struct reader *r, uint32_t size)
{
	static const struct name flags[] = { { TCP_SYN, "syn" }, { TCP_FIN, "fin" }, { TCP_RST, "rst" }, { TCP_PSH, "push" }, { TCP_ACK, "ack" } };
	uint32_t seq, ack, header;
	uint16_t window;
	uint8_t bits;

	e->sport = read_u16(r);
	e->dport = read_u16(r);
	seq = read_u32(r);
	ack = read_u32(r);
	header = read_u8(r) >> 4 << 2;
	bits = read_u8(r);
	window = read_u16(r);
	put_ends(l, e, true);
	add(l, " tcp");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (bits & flags[i].number)
			add(l, " %s", flags[i].text);
	add(l, " seq %u", seq);
	if (bits & TCP_ACK)
		add(l, " ack %u", ack);
	add(l, " win %u", window);
	if (size > header)
		add(l, " data %u", size - header);
}

static void put_udp(struct line *l, struct ends *e, struct reader *r)
{
	uint16_t size;

	e->sport = read_u16(r);
	e->dport = read_u16(r);
	size = read_u16(r);
	read_u16(r);
	put_ends(l, e, true);
	add(l, " udp");
	if (e->sport == PORT_DNS || e->dport == PORT_DNS || e->dport == PORT_MDNS)
		put_dns(l, *r);
	else if (e->dport == PORT_DHCP_SERVER || e->dport == PORT_DHCP_CLIENT)
		put_dhcp(l, *r);
	else
		add(l, " data %u", size < UDP_HEADER ? 0 : size - UDP_HEADER);
}

static void put_icmp(struct line *l, const struct ends *e, struct reader *r, bool six)
{
	static const struct name types4[] = { { 0, "echo reply" }, { 3, "unreachable" }, { 5, "redirect" }, { 8, "echo request" },
					      { 11, "time exceeded" }, { 12, "parameter problem" } };
	static const struct name types6[] = { { 1, "unreachable" }, { 2, "packet too big" }, { 3, "time exceeded" }, { 4, "parameter problem" },
					      { 128, "echo request" }, { 129, "echo reply" }, { 133, "router solicitation" },
					      { 134, "router advertisement" }, { 135, "neighbour solicitation" },
					      { 136, "neighbour advertisement" }, { 143, "multicast listener report" } };
	uint8_t type = read_u8(r), code = read_u8(r);
	const char *name = six ? NAME_OF(types6, type) : NAME_OF(types4, type);
	bool echo = six ? type == 128 || type == 129 : type == 8 || type == 0;

	read_u16(r);
	put_ends(l, e, false);
	add(l, six ? " icmp6" : " icmp");
	if (name)
		add(l, " %s", name);
	else
		add(l, " type %u", type);
	if (echo) {
		uint16_t id = read_u16(r);

		add(l, " id %u seq %u", id, read_u16(r));
	} else if (code) {
		add(l, " code %u", code);
	}
	if (six && (type == 135 || type == 136)) {
		struct addr target;

		read_u32(r);
		read_copy(r, target.bytes, ADDR_SIZE);
		add(l, " of ");
		put_end(l, target, -1);
	}
}

static void put_transport(struct line *l, struct ends *e, uint8_t proto, struct reader *r, uint32_t size, bool six)
{
	if (proto == PROTO_TCP)
		put_tcp(l, e, r, size);
	else if (proto == PROTO_UDP)
		put_udp(l, e, r);
	else if (proto == (six ? PROTO_ICMP6 : PROTO_ICMP))
		put_icmp(l, e, r, six);
	else {
		put_ends(l, e, false);
		add(l, " protocol %u", proto);
	}
}

/* ---- network ---- */

static void put_ip4(struct line *l, struct reader *r)
{
	struct reader whole = *r;
	uint8_t header = (read_u8(r) & 0xf) * 4u, proto;
	struct ends e = { 0 };
	uint16_t size, fragment;

	read_u8(r);
	size = read_u16(r);
	read_u16(r);
	fragment = read_u16(r);
	read_u8(r);
	proto = read_u8(r);
	read_u16(r);
	e.src = addr4(read_u32(r));
	e.dst = addr4(read_u32(r));
	read_bytes(&whole, header);
	if (fragment & 0x1fff) {
		put_ends(l, &e, false);
		add(l, " protocol %u, fragment at %u", proto, (fragment & 0x1fffu) * 8);
		return;
	}
	put_transport(l, &e, proto, &whole, size > header ? (uint32_t)size - header : 0u, false);
	r->overrun |= whole.overrun;
	if (fragment & 0x2000)
		add(l, ", first fragment");
}

static void put_ip6(struct line *l, struct reader *r)
{
	struct ends e;
	uint32_t size;
	uint8_t next;

	read_u32(r);
	size = read_u16(r);
	next = read_u8(r);
	read_u8(r);
	read_copy(r, e.src.bytes, ADDR_SIZE);
	read_copy(r, e.dst.bytes, ADDR_SIZE);
	for (unsigned i = 0; i < EXTENSIONS && (next == IP6_HOP_BY_HOP || next == IP6_ROUTING || next == IP6_OPTIONS); i++) {
		uint32_t length;

		next = read_u8(r);
		length = 8u * (1u + read_u8(r));
		read_bytes(r, length - 2);
		size = size > length ? size - length : 0;
	}
	if (next == IP6_FRAGMENT) {
		put_ends(l, &e, false);
		add(l, " fragment");
		return;
	}
	put_transport(l, &e, next, r, size, true);
}

static void put_arp(struct line *l, struct reader *r)
{
	uint8_t from[MAC_SIZE];
	char mac[MAC_TEXT];
	struct addr sender, target;
	uint16_t op;

	read_bytes(r, 6);
	op = read_u16(r);
	read_copy(r, from, MAC_SIZE);
	sender = addr4(read_u32(r));
	read_bytes(r, MAC_SIZE);
	target = addr4(read_u32(r));
	add(l, op == ARP_REQUEST ? "arp who has " : "arp ");
	put_end(l, op == ARP_REQUEST ? target : sender, -1);
	if (op == ARP_REQUEST) {
		add(l, ", tell ");
		put_end(l, sender, -1);
	} else {
		add(l, " is at %s", mac_format(from, mac));
	}
}

static void put_other(struct line *l, const uint8_t *bytes, uint16_t type)
{
	char src[MAC_TEXT], dst[MAC_TEXT];

	add(l, "%s > %s", mac_format(bytes + MAC_SIZE, src), mac_format(bytes, dst));
	add(l, type < 0x600 ? " llc" : " ethertype %04x", type);
}

char *frame_text(const uint8_t *bytes, size_t size, char text[FRAME_TEXT])
{
	struct reader r = reader_init(bytes, size);
	struct line l = { .text = text };
	uint16_t type;

	text[0] = '\0';
	read_bytes(&r, 2 * MAC_SIZE);
	type = read_u16(&r);
	for (unsigned i = 0; i < TAGS_SHOWN && (type == ETHERTYPE_CTAG || type == ETHERTYPE_STAG); i++) {
		add(&l, type == ETHERTYPE_STAG ? "service vlan %u " : "vlan %u ", read_u16(&r) & 0xfffu);
		type = read_u16(&r);
	}
	if (r.overrun)
		add(&l, "%zu bytes", size);
	else if (type == ETHERTYPE_IP4)
		put_ip4(&l, &r);
	else if (type == ETHERTYPE_IP6)
		put_ip6(&l, &r);
	else if (type == ETHERTYPE_ARP4)
		put_arp(&l, &r);
	else
		put_other(&l, bytes, type);
	if (r.overrun)
		add(&l, ", cut short");
	return text;
}
