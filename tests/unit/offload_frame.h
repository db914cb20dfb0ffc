/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/offload_frame.h - frames as a guest with offloads sends them, and checksums summed word by word */
#ifndef TESTS_UNIT_OFFLOAD_FRAME_H
#define TESTS_UNIT_OFFLOAD_FRAME_H

#include <linux/virtio_net.h>

#include "switch/frame.h"

enum { IP6 = 40, CSUM = VIRTIO_NET_HDR_F_NEEDS_CSUM, UDP_L4 = 5 };
enum { TCP4 = VIRTIO_NET_HDR_GSO_TCPV4, TCP6 = VIRTIO_NET_HDR_GSO_TCPV6, ECN = VIRTIO_NET_HDR_GSO_ECN };

struct shape {
	bool v6, udp;
	unsigned options;		/* bytes of TCP options */
	uint8_t tcp_flags;
	unsigned payload;		/* bytes that count up from 0 */
};

unsigned shape_l4(const struct shape *s);
unsigned shape_headers(const struct shape *s);

/* shape_frame() - the IP checksum is there, the transport's holds the pseudo header's sum; Return: bytes at @to */
uint32_t shape_frame(uint8_t *to, const struct shape *s, struct offload *o);

/* frame_split() - the same frame with all but @head bytes in borrowed memory, @piece bytes each; 0: left as it is
 * The array of pieces is used again after 256 calls. */
void frame_split(struct frame *f, uint32_t head, uint32_t piece);

/* plain_sum() - the plain sum of RFC 1071; plain_pseudo() - of the pseudo header of a frame */
uint32_t plain_sum(uint32_t sum, const uint8_t *p, unsigned size);
uint32_t plain_pseudo(const uint8_t *frame, bool v6, uint8_t proto, unsigned size);

#endif
