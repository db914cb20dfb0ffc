/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/udp_batch.h - what a guest's port sends to one remote within a turn leaves in one call and passes the host's stack once (UDP_SEGMENT)
 *
 * The first datagram of a flow in a turn is sent by itself, so that what the network says of it is answered to the frame that it came in.
 * More of them, of one size but for the last, to the same remote with the same TTL, are copied to one train of the shard, which is sent
 * when it is full, when something else is to be sent that does not fit, and at the end of the turn. On the wire they are what
 * they were: datagrams. Where the kernel cannot (a path with a smaller MTU), they are sent one by one. Inside nat/ only; the shard's worker.
 */
#ifndef NAT_UDP_BATCH_H
#define NAT_UDP_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct flow;
struct nat_shard;
struct packet;

/* udp_send() - one datagram, or several of @gso_size bytes (0: one; the last may be shorter). Return: 0 or negative errno. */
int udp_send(int fd, const union sock_addr *to, const uint8_t *data, uint32_t size, uint16_t gso_size);

/* udp_batch_put() - let the datagram leave with others; what does not fit together with it is sent now
 * @routed:	as for sock_follow()
 * Return: false when it is to be sent by itself: nothing is pending then.
 */
bool udp_batch_put(struct flow *f, const struct packet *p, struct addr dst, bool routed);

/* udp_batch_flush() - send what is pending; udp_batch_flush_of() - if it is the flow's */
void udp_batch_flush(struct nat_shard *s);
void udp_batch_flush_of(const struct flow *f);

#endif
