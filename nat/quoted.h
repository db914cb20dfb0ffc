/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/quoted.h - the packet that a guest's ICMP error is about, and what it says of that (RFC 792, RFC 4443, RFC 1122 3.2.2)
 *
 * Nothing that is quoted is believed here, only read: whether such a packet went to the guest is for the flow to say. Bytes, in and out;
 * inside nat/ only.
 */
#ifndef NAT_QUOTED_H
#define NAT_QUOTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct packet;

/* quoted - a UDP datagram or TCP segment that the guest says it got */
struct quoted {
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t proto;
	const uint8_t *l4;		/* in the error; of TCP at least the ports and the sequence number */
	uint32_t size;			/* bytes there, as far as they are quoted */
	uint32_t total;			/* of the IP packet, as it says; of a fragment, the first, that alone */
};

/* quoted_error - an ICMP error in the words of one family */
struct quoted_error {
	uint8_t type, code;
	uint32_t mtu;			/* of one that is too big, else 0 */
};

/* quoted_parse() - @p is an ICMP error (packet_is_icmp_error()). Return: false when it quotes no packet that was for who sends it */
bool quoted_parse(const struct packet *p, struct quoted *q);

/* quoted_error_of() - Return: false when it is no error that anybody need hear of
 * One that is too big must be so by its own word, and for a way that is no narrower than any may be: a guest is not to make anybody
 * send tiny packets. */
bool quoted_error_of(const struct packet *p, const struct quoted *q, struct quoted_error *e);

#endif
