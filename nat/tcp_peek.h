/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/tcp_peek.h - what a flow's socket has received: looked at, let go of, or left there until the guest's port reads it
 *
 * What is in flight toward the guest, from the socket's receive queue:
 *
 *	head       snd_una                 snd_nxt              snd_max
 *	 |----------|-----------------------|--------------------|
 *	  consumed   sent, not acknowledged  sent before, and
 *	  this turn                          now to be sent again
 *
 * The kernel's peek offset stands at `peek`; it counts from head and moves by itself with each peek. Before Linux 6.9 TCP has no
 * peek offset: then the bytes from head to snd_nxt are read again into memory that nobody looks at.
 *
 * The worker of the flow.
 */
#ifndef NAT_TCP_PEEK_H
#define NAT_TCP_PEEK_H

#include <sys/types.h>

#include "nat/tcp.h"
#include "switch/build.h"
#include "switch/unread.h"

enum {
	TCP_FLIGHT_REREAD = 1 << 20,	/* most bytes in flight where each peek reads them again */
	TCP_PAYLOAD_MAX = 65535 - IP6_HEADER - TCP_HEADER,
};

/* tcp_peek() - up to @size bytes that begin at sequence number @from; 0 at the end, -EAGAIN when there are none yet
 * tcp_discard() - let go of up to @size bytes. Return: how many, or as recv()
 */
ssize_t tcp_peek(struct flow *f, uint32_t from, uint8_t *to, size_t size);
ssize_t tcp_discard(struct flow *f, size_t size);

/* tcp_waiting - a frame whose data is in the socket still (switch/unread.h) */
struct tcp_waiting {
	struct unread_frame frame;	/* first */
	struct flow *flow;
	uint32_t seq, size;		/* 0: there is nothing */
	bool missed;			/* less of it came than was there */
};

/* tcp_goes_straight() - does the guest's port read by itself, and can the socket be read from anywhere, as often as need be? */
bool tcp_goes_straight(struct flow *f, const struct site *site);
void tcp_waiting_init(struct tcp_waiting *w, struct flow *f, uint32_t seq, uint32_t size);

#endif
