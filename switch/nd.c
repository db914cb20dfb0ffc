// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/nd.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/build.h"

enum { NEIGHBOUR = 24, SOLICITATION = 8 };	/* bytes in front of the options */

/* parse_options() - every option is checked, only the one that is wanted is kept: the first of its kind
 * RFC 4861 4.6: one with length 0 makes the whole message void */
static bool parse_options(const struct packet *p, uint32_t skip, uint8_t wanted, struct nd *nd)
{
	struct reader r = reader_init(p->data + p->l4 + skip, p->len - p->l4 - skip);

	while (reader_left(&r)) {
		uint8_t type = read_u8(&r), words = read_u8(&r);
		const uint8_t *value = words ? read_bytes(&r, words * 8u - 2) : NULL;

		if (!value)
			return false;
		if (type == wanted && words == 1 && !nd->link)
			nd->link = value;
	}
	return !r.overrun;
}

static bool is_solicited_node(struct addr a)
{
	static const struct addr group = { .bytes = { 0xff, 2, [11] = 1, [12] = 0xff } };

	return !memcmp(a.bytes, group.bytes, 13);
}

/* RFC 4861 6.1.1 */
static enum verdict router_solicitation(const struct packet *p, struct nd *nd)
{
	if (!parse_options(p, SOLICITATION, ND_SOURCE_LINK_ADDRESS, nd) || (addr_is_none(p->src) && nd->link))
		return VERDICT_DROP_MALFORMED;
	return VERDICT_FORWARDED;
}

/* RFC 4861 7.1.1 */
static enum verdict neighbour_solicitation(const struct packet *p, struct nd *nd)
{
	if (addr_is_multicast(nd->target) || !parse_options(p, NEIGHBOUR, ND_SOURCE_LINK_ADDRESS, nd))
		return VERDICT_DROP_MALFORMED;
	if (addr_is_none(p->src) && (nd->link || !is_solicited_node(p->dst)))
		return VERDICT_DROP_MALFORMED;
	return VERDICT_FORWARDED;
}

/* RFC 4861 7.1.2 */
static enum verdict neighbour_advertisement(const struct packet *p, struct nd *nd)
{
	nd->flags = p->data[p->l4 + 4];
	if (addr_is_multicast(nd->target) || (addr_is_multicast(p->dst) && (nd->flags & ND_SOLICITED)) ||
	    !parse_options(p, NEIGHBOUR, ND_TARGET_LINK_ADDRESS, nd))
		return VERDICT_DROP_MALFORMED;
	return VERDICT_FORWARDED;
}

enum verdict nd_parse(const struct packet *p, struct nd *nd)
{
	bool neighbour = p->icmp_type == ND_NEIGHBOUR_SOLICITATION || p->icmp_type == ND_NEIGHBOUR_ADVERTISEMENT;

	*nd = (struct nd){ .type = p->icmp_type };
	if (p->ttl != ND_HOP_LIMIT || p->icmp_code != 0)
		return VERDICT_DROP_MALFORMED;	/* it has crossed a router, and none does that */
	if (p->len - p->l4 < (neighbour ? NEIGHBOUR : SOLICITATION))
		return VERDICT_DROP_MALFORMED;
	if (neighbour)
		nd->target = addr6(p->data + p->l4 + 8);
	if (neighbour && addr_is4(nd->target))
		return VERDICT_DROP_MARTIAN;
	switch (nd->type) {
	case ND_ROUTER_SOLICITATION:
		return router_solicitation(p, nd);
	case ND_NEIGHBOUR_SOLICITATION:
		return neighbour_solicitation(p, nd);
	case ND_NEIGHBOUR_ADVERTISEMENT:
		return neighbour_advertisement(p, nd);
	default:
		return VERDICT_FORWARDED;
	}
}

void nd_link_multicast(struct addr group, uint8_t mac[6])
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group.bytes + 12, 4);
}

struct addr nd_solicited_node(struct addr a)
{
	return (struct addr){ .bytes = { 0xff, 2, [11] = 1, [12] = 0xff, [13] = a.bytes[13], a.bytes[14], a.bytes[15] } };
}

/* build() - a neighbour message with one link-layer address */
static uint32_t build(uint8_t *to, const uint8_t dst_mac[6], const uint8_t link[6], struct addr src, struct addr dst, uint8_t type,
		      uint8_t flags, struct addr target)
{
	bool asks = type == ND_NEIGHBOUR_SOLICITATION;
	uint32_t size = NEIGHBOUR + 8;
	uint8_t *m = build_ip(to, dst_mac, link, src, dst, PROTO_ICMP6, ND_HOP_LIMIT, size);

	memset(m, 0, size);
	m[0] = type;
	m[4] = flags;
	memcpy(m + 8, target.bytes, ADDR_SIZE);
	m[24] = asks ? ND_SOURCE_LINK_ADDRESS : ND_TARGET_LINK_ADDRESS;
	m[25] = 1;
	memcpy(m + 26, link, 6);
	put_u16(m + 2, checksum_finish(checksum_add(build_pseudo(src, dst, PROTO_ICMP6, size), m, size)));
	return ETH_HEADER + IP6_HEADER + size;
}

uint32_t nd_build_solicitation(uint8_t *to, const uint8_t link[6], struct addr src, struct addr target)
{
	struct addr group = nd_solicited_node(target);
	uint8_t mac[6];

	nd_link_multicast(group, mac);
	return build(to, mac, link, src, group, ND_NEIGHBOUR_SOLICITATION, 0, target);
}

uint32_t nd_build_advertisement(uint8_t *to, const uint8_t dst_mac[6], const uint8_t link[6], struct addr dst, struct addr target,
				uint8_t flags)
{
	return build(to, dst_mac, link, target, dst, ND_NEIGHBOUR_ADVERTISEMENT, flags, target);
}
