/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/nd.h - Neighbour Discovery: what stations ask and tell, parsed; what the gateway asks and answers, built
 *
 * Pure functions, any thread. Sources: RFC 4861 4, 6.1, 7.1; RFC 4862 5.4.3; RFC 2464 7.
 */
#ifndef SWITCH_ND_H
#define SWITCH_ND_H

#include "switch/packet.h"

enum {
	ND_ROUTER_SOLICITATION = 133, ND_ROUTER_ADVERTISEMENT, ND_NEIGHBOUR_SOLICITATION, ND_NEIGHBOUR_ADVERTISEMENT, ND_REDIRECT,
	ND_SOURCE_LINK_ADDRESS = 1, ND_TARGET_LINK_ADDRESS, ND_PREFIX_INFORMATION, ND_MTU = 5, ND_ROUTE = 24, ND_RDNSS = 25,	/* options */
	ND_DNSSL = 31, ND_CAPTIVE_PORTAL = 37, ND_PREF64 = 38,
	ND_ROUTER = 0x80, ND_SOLICITED = 0x40, ND_OVERRIDE = 0x20,	/* flags of an advertisement */
	ND_HOP_LIMIT = 255,
	ND_NEIGHBOUR_SIZE = ETH_HEADER + IP6_HEADER + 24 + 8,	/* a whole solicitation or advertisement with its option */
};

struct nd {
	uint8_t type;
	uint8_t flags;			/* of a neighbour advertisement */
	struct addr target;		/* of neighbour messages */
	const uint8_t *link;		/* six bytes: source of a solicitation, target of an advertisement; NULL: not told */
};

static inline bool nd_is(const struct packet *p)
{
	return p->ethertype == ETHERTYPE_IP6 && p->proto == PROTO_ICMP6 && p->icmp_type >= ND_ROUTER_SOLICITATION &&
	       p->icmp_type <= ND_REDIRECT;
}

/* nd_parse() - of a packet that nd_is(), with all the checks of RFC 4861 6.1 and 7.1
 * Return: VERDICT_FORWARDED and @nd, or the reason for the drop. Advertisements of routers and redirects have nothing but their type.
 */
enum verdict nd_parse(const struct packet *p, struct nd *nd);

/* nd_link_multicast() - the Ethernet address of a multicast group (RFC 2464 7) */
void nd_link_multicast(struct addr group, uint8_t mac[6]);

/* nd_solicited_node() - the group in which @a's owner listens (RFC 4291 2.7.1) */
struct addr nd_solicited_node(struct addr a);

/* nd_build_solicitation() - "who has @target?" to its group; nd_build_advertisement() - "@target is at @link", with @flags, to @dst
 * @to:	ND_NEIGHBOUR_SIZE bytes; Return: the frame's length */
uint32_t nd_build_solicitation(uint8_t *to, const uint8_t link[6], struct addr src, struct addr target);
uint32_t nd_build_advertisement(uint8_t *to, const uint8_t dst_mac[6], const uint8_t link[6], struct addr dst, struct addr target,
				uint8_t flags);

#endif
