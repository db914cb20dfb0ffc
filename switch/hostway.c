// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/hostway.h"

#include "base/bytes.h"
#include "switch/frame.h"
#include "switch/heading.h"
#include "switch/nd.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/route6.h"
#include "switch/snapshot.h"

enum {
	IP4_PROTOCOL_AT = ETH_HEADER + 9, IP4_FRAGMENT_AT = ETH_HEADER + 6, IP4_SRC_AT = ETH_HEADER + 12, IP4_DST_AT = ETH_HEADER + 16,
	IP6_NEXT_AT = ETH_HEADER + 6, IP6_SRC_AT = ETH_HEADER + 8, IP6_DST_AT = ETH_HEADER + 24,
	DHCP_SERVER = 67, DNS = 53, TFTP = 69,
};

/* ends - who sends to whom, as the IP header says */
struct ends {
	bool known;			/* false: no IP, or cut short */
	struct addr src, dst;
	uint8_t proto;			/* UDP or TCP, of a packet that is whole; else 0 */
	uint16_t port;			/* it is sent to */
};

static void look_at_port(struct ends *e, const struct frame *f, uint8_t proto, uint32_t l4)
{
	if ((proto != PROTO_UDP && proto != PROTO_TCP) || f->head_len < l4 + 4)
		return;
	e->proto = proto;
	e->port = get_u16(f->head + l4 + 2);
}

static struct ends look(const struct frame *f)
{
	uint16_t type = get_u16(f->head + 12);
	struct ends e = { .known = false };

	if (type == ETHERTYPE_IP4 && f->head_len >= ETH_HEADER + IP4_HEADER) {
		e = (struct ends){ true, addr4(get_u32(f->head + IP4_SRC_AT)), addr4(get_u32(f->head + IP4_DST_AT)), 0, 0 };
		if (!(get_u16(f->head + IP4_FRAGMENT_AT) & 0x3fff))
			look_at_port(&e, f, f->head[IP4_PROTOCOL_AT], ETH_HEADER + (f->head[ETH_HEADER] & 15) * 4u);
	} else if (type == ETHERTYPE_IP6 && f->head_len >= ETH_HEADER + IP6_HEADER) {
		e = (struct ends){ true, addr6(f->head + IP6_SRC_AT), addr6(f->head + IP6_DST_AT), 0, 0 };
		look_at_port(&e, f, f->head[IP6_NEXT_AT], ETH_HEADER + IP6_HEADER);
	}
	return e;
}

/* is_near() - an address that means something on this link alone */
static bool is_near(const struct segment *seg, struct addr a)
{
	return segment_has(seg, a) || addr_is_multicast(a) || (addr_is4(a) ? addr_4(a) == UINT32_MAX : addr_is_link_local(a));
}

static bool is_none(struct addr a)
{
	return addr_is4(a) ? addr_4(a) == 0 : addr_is_none(a);
}

enum verdict hostway_refusal(const struct segment *seg, const struct snapshot *snap, struct addr dst)
{
	if (is_near(seg, dst))
		return VERDICT_FORWARDED;
	if (segment_for_addr(snap, dst, seg))
		return VERDICT_DROP_OTHER_NETWORK;
	return seg->router ? VERDICT_FORWARDED : VERDICT_DROP_NO_ROUTE;
}

bool hostway_tells_address(const struct frame *f)
{
	uint16_t type = get_u16(f->head + 12);
	const uint8_t *icmp = f->head + ETH_HEADER + IP6_HEADER;

	if (type != ETHERTYPE_IP6 || f->head_len <= ETH_HEADER + IP6_HEADER)
		return type == ETHERTYPE_ARP4;
	return f->head[IP6_NEXT_AT] == PROTO_ICMP6 && (*icmp == ND_NEIGHBOUR_SOLICITATION || *icmp == ND_NEIGHBOUR_ADVERTISEMENT);
}

/* is_services() - at the gateway's address: DNS, over TCP, too; DHCP and TFTP */
static bool is_services(const struct segment *seg, const struct ends *e)
{
	return (e->proto && e->port == DNS && seg->resolver) ||
	       (e->proto == PROTO_UDP && ((e->port == DHCP_SERVER && seg->dhcp) || (e->port == TFTP && seg->tftp)));
}

bool hostway_is_loopback6(const struct segment *seg, struct addr dst, uint16_t port)
{
	return seg->loopback6 && !addr_is4(dst) && port < HOSTWAY_HAIRPIN && segment_is_gateway(seg, dst);
}

/* is_nats() - for the host's loopback, also behind options and in fragments. Of those the first alone has the port: they are the NAT's to put
 * together, and what is then for a port of the host's is dropped there. What cannot be understood is not the host's either. */
static bool is_nats(const struct segment *seg, const struct ends *e, const struct frame *f)
{
	struct heading h;

	if (!hostway_is_loopback6(seg, e->dst, e->proto ? e->port : 0))
		return false;
	if (e->proto || heading_read(f, &h) != VERDICT_FORWARDED)
		return true;
	return (h.proto == PROTO_UDP || h.proto == PROTO_TCP) && (h.fragment || h.dport < HOSTWAY_HAIRPIN);
}

bool hostway_is_hosts(const struct segment *seg, const struct snapshot *snap, const struct frame *f)
{
	struct ends e = look(f);

	if (!e.known)
		return true;
	if (segment_delegates(seg, e.dst))
		return false;		/* the services know behind which guest it is */
	if (segment_is_gateway(seg, e.dst))
		return !is_services(seg, &e) && !is_nats(seg, &e, f);
	return !segment_is_front(seg, e.dst) && hostway_refusal(seg, snap, e.dst) == VERDICT_FORWARDED;
}

/* is_others() - an address of another network whose gateway the host is */
static bool is_others(const struct snapshot *snap, const struct segment *seg, struct addr a)
{
	const struct segment *other = segment_for_addr(snap, a, seg);

	return other && other->host;
}

enum verdict hostway_from_guest(const struct snapshot *snap, const struct port_view *from, const struct segment *seg, const struct frame *f)
{
	uint16_t type = get_u16(f->head + 12);
	struct route6 route;
	struct addr src;

	if (type == ETHERTYPE_IP4 && f->head_len >= ETH_HEADER + IP4_HEADER)
		src = addr4(get_u32(f->head + IP4_SRC_AT));
	else if (type == ETHERTYPE_IP6 && f->head_len >= ETH_HEADER + IP6_HEADER)
		src = addr6(f->head + IP6_SRC_AT);
	else
		return VERDICT_FORWARDED;
	if (segment_is_guests(seg, src) || is_none(src))
		return VERDICT_FORWARDED;
	if (!seg->fronted)
		return is_others(snap, seg, src) ? VERDICT_DROP_SPOOFED_SOURCE : VERDICT_FORWARDED;
	if (!addr_is4(src) && addr_is_link_local(src) && !segment_is_gateway(seg, src))
		return VERDICT_FORWARDED;	/* no router passes that on */
	return routes6_find(seg->routes, src, &route) && route.port == from->port->id ? VERDICT_FORWARDED : VERDICT_DROP_SPOOFED_SOURCE;
}

enum verdict hostway_from_host(const struct segment *seg, const struct frame *f)
{
	struct ends e = look(f);

	return seg->router || !e.known || is_none(e.src) || is_near(seg, e.src) ? VERDICT_FORWARDED : VERDICT_DROP_NO_ROUTE;
}
