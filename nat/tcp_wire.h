/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/tcp_wire.h - TCP segments toward a guest as frames, and the options of a guest's SYN (RFC 9293 3.1, RFC 7323 2) */
#ifndef NAT_TCP_WIRE_H
#define NAT_TCP_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct iovec;
struct packet;
struct site;
struct unread_frame;
struct worker;

enum {
	TCP_OUT_HEADERS = 14 + 40 + 20,	/* room in front of the payload of a data segment */
	TCP_OUT_OPTIONS = 8,		/* most bytes of options, on a SYN */
	TCP_OUT_MSS_DEFAULT = 536,		/* RFC 9293 3.7.1, when the option is missing */
	TCP_SCALE = 7,			/* ours: windows up to 8 MiB in steps of 128 */
	TCP_SCALE_MAX = 14,		/* RFC 7323 2.3 */
};

struct tcp_out {
	struct addr src, dst;
	uint16_t sport, dport;
	const uint8_t *mac;		/* guest's */
	uint32_t seq, ack;
	uint16_t window;		/* as on the wire, scaled */
	uint8_t flags;
	uint16_t mss;			/* for a SYN: the option; for data: payload of each segment */
	int scale;			/* for a SYN: the option, or -1 */
};

/* tcp_wire_send() - a segment without payload; Return: was it taken? */
bool tcp_wire_send(struct worker *w, const struct site *site, const struct tcp_out *out);

/* tcp_wire_send_data() - @size bytes of payload which stand TCP_OUT_HEADERS behind @buffer, as one frame to be cut
 * into segments of out->mss by whoever cannot take it whole
 * @unread:	NULL; or its read() puts the payload where it is wanted, there or elsewhere
 * Return: was it taken? */
bool tcp_wire_send_data(struct worker *w, const struct site *site, const struct tcp_out *out, uint8_t *buffer, uint32_t size,
			struct unread_frame *unread);

struct tcp_options {
	uint16_t mss;
	int scale;			/* -1: not offered */
};

/* tcp_wire_options() - of the TCP segment @p; what is cut short or unknown is passed over */
struct tcp_options tcp_wire_options(const struct packet *p);

#endif
