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
	ICMP_FRAGMENTATION_NEEDED = 4,
};

/* answer_icmp() - an ICMP error about @p, unless @limit forbids it or none may be sent about such a packet */
void answer_icmp(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit, uint8_t type,
		 uint8_t code);

/* answer_reset() - a TCP reset that fits the segment @p; nothing when it is a reset itself */
void answer_reset(struct worker *w, const struct arrival *a, const struct packet *p);

/* answer_site() - the arrival's side of things as a struct site */
struct site answer_site(const struct arrival *a);

#endif
