/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/datagram.h - UDP datagrams toward a guest as frames, in fragments where they exceed the network's MTU
 * (RFC 768, RFC 791 3.2). Inside nat/ only. */
#ifndef NAT_DATAGRAM_H
#define NAT_DATAGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct frame;
struct nat_shard;
struct site;

enum {
	DATAGRAM_HEADERS = 14 + 40 + 8,	/* room needed in front of the payload */
	DATAGRAM_MAX = 65535 - 20 - 8,	/* payload of the largest datagram */
};

struct datagram {
	struct addr src, dst;
	uint16_t sport, dport;
	const uint8_t *mac;		/* guest's */
	uint8_t *buffer;		/* the payload stands DATAGRAM_HEADERS behind it */
	uint32_t size;			/* of the payload */
};

/* datagram_frame() - headers in front of the payload, and the frame; false when it does not fit the MTU
 * @each:	less than d->size: the payload is that of many datagrams of so many bytes, the last maybe of fewer */
bool datagram_frame(const struct site *site, const struct datagram *d, uint32_t each, struct frame *frame);

/* datagram_send_fragments() - one that does not fit; Return: was every fragment taken? */
bool datagram_send_fragments(struct nat_shard *s, const struct site *site, const struct datagram *d);

#endif
