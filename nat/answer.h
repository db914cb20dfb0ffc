/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/answer.h - what the gateway says about a packet that it does not pass on
 *
 * ICMP errors and resets toward the guest that sent the packet (RFC 1812 4.3, RFC 9293 3.5.2). The worker that received it.
 */
#ifndef NAT_ANSWER_H
#define NAT_ANSWER_H

#include <stdint.h>

struct arrival;
struct limit;
struct packet;
struct site;
struct worker;

enum {
	ICMP_ECHO_REPLY = 0, ICMP_UNREACHABLE = 3, ICMP_ECHO_REQUEST = 8, ICMP_TIME_EXCEEDED = 11,
	ICMP_UNREACHABLE_NET = 0, ICMP_UNREACHABLE_HOST = 1, ICMP_UNREACHABLE_PROTOCOL = 2, ICMP_UNREACHABLE_PORT = 3,
	ICMP_FRAGMENTATION_NEEDED = 4, ICMP_REASSEMBLY = 1,
	ICMP6_UNREACHABLE = 1, ICMP6_TOO_BIG = 2, ICMP6_TIME_EXCEEDED = 3, ICMP6_PARAMETER_PROBLEM = 4,
	ICMP6_ECHO_REQUEST = 128, ICMP6_ECHO_REPLY = 129,
	ICMP6_NO_ROUTE = 0, ICMP6_PROHIBITED = 1, ICMP6_ADDRESS_UNREACHABLE = 3, ICMP6_PORT_UNREACHABLE = 4,
	ICMP6_UNKNOWN_NEXT_HEADER = 1,
};

/* answer_icmp() - an ICMP error about @p, unless @limit forbids it or none may be sent about such a packet
 * @type, @code:	of ICMP for IPv4; about an IPv6 packet its ICMPv6 counterpart is sent (RFC 7915 4.2) */
void answer_icmp(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit, uint8_t type,
		 uint8_t code);

/* answer_error() - the same about a packet that is gone and whose headers were made again, to the guest at @mac */
void answer_error(struct worker *w, const struct site *site, const uint8_t *mac, const struct packet *p, struct limit *limit,
		  uint8_t type, uint8_t code);

/* answer_too_big() - @p does not fit where it goes and may not be cut: @mtu would (RFC 1191 4, RFC 4443 3.2) */
void answer_too_big(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit, uint32_t mtu);

/* answer_as_icmp6() - unreachable and time exceeded, of ICMP, in the other family's words (RFC 7915 4.2) */
void answer_as_icmp6(uint8_t *type, uint8_t *code);

/* answer_reset() - a TCP reset that fits the segment @p; nothing when it is a reset itself */
void answer_reset(struct worker *w, const struct arrival *a, const struct packet *p);

/* answer_site() - the arrival's side of things as a struct site */
struct site answer_site(const struct arrival *a);

#endif
