/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/heading.h - who talks to whom, as the first bytes of an untagged frame say: addresses, ports, and whether it begins something
 *
 * For decisions about frames that pass by: no checksum is looked at, options and extension headers are passed over, and fragments are
 * told apart. What the private copy of a frame's first bytes does not show is malformed to whoever asks here, so that a long chain of
 * headers hides nothing. switch/packet.h parses for the gateway, and refuses more. Pure functions, any thread.
 * Sources: RFC 791, 8200, 9293, 768, 792, 4443, 9260; RFC 1858 and 3128 for fragments.
 */
#ifndef SWITCH_HEADING_H
#define SWITCH_HEADING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "switch/verdict.h"

struct frame;

enum heading_fragment { FRAGMENT_NONE, FRAGMENT_FIRST, FRAGMENT_LATER };
enum { PROTO_SCTP = 132 };

struct heading {
	uint16_t ethertype;
	bool ip;			/* the rest is known; else it is something beside IP */
	uint8_t proto;			/* behind all IPv6 extension headers */
	uint8_t ttl;			/* or hop limit */
	uint8_t fragment;		/* enum heading_fragment; of a later one the transport header is not known */
	uint8_t tcp_flags;
	uint8_t icmp_type;		/* of ICMP of the packet's own family */
	uint16_t sport, dport;		/* TCP, UDP and SCTP; of an ICMP echo both are its identifier; else 0 */
	uint32_t fragment_id;
	struct addr src, dst;
};

/* heading_read() - of a frame without tag
 * Return: VERDICT_FORWARDED; DROP_MALFORMED when it is IP and cannot be understood from the bytes at its head; DROP_FRAGMENT for a
 * fragment that is made to hide its transport header. Then @h is not written.
 */
enum verdict heading_read(const struct frame *f, struct heading *h);

/* heading_quoted() - of the packet that an ICMP error is about, as far as the error quotes it. Return: is it one, and is that known? */
bool heading_quoted(const struct frame *f, struct heading *h);

/* heading_has_ports() - do sport and dport tell programs apart? */
static inline bool heading_has_ports(const struct heading *h)
{
	return h->ip && h->fragment != FRAGMENT_LATER && (h->proto == 6 || h->proto == 17 || h->proto == PROTO_SCTP);
}

#endif
