/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/peer.h - the gateway's part between peered segments (switch/peer.h): a router between guests, for both families
 *
 * A service (switch/service.h) of a network, before its gateway and NAT. It claims every IP packet that a guest sends to the gateway's MAC
 * address for an address inside a peer's subnet, and passes it on there as it is: one hop less, new MAC addresses, large segments left large.
 * RFC 1812 5.2-5.3, RFC 8200 3: who gets no further is told by ICMP. What the peering does not allow is answered with "prohibited", and so is
 * what goes to the other gateway or the other host: only guests are reached.
 *
 * The frame that came ends as consumed-peer (or one of the drops), the one that leaves is made by the other network's services. Where a
 * guest lives tell the other segment's stations; who was never heard of is asked for, and a few packets wait (nat/peer_wait.h).
 *
 * Fragments are put together first: by the NAT where there is one, else here. peer_service_new() and peer_service_free() (after a grace
 * period) are the control thread's; input() runs on any worker.
 */
#ifndef NAT_PEER_H
#define NAT_PEER_H

#include <stdbool.h>

struct peer_service;
struct service;

/* peer_service_new() - @assemble: no service behind it puts fragments together. NULL without memory */
struct peer_service *peer_service_new(bool assemble);
void peer_service_free(struct peer_service *peers);
struct service *peer_service(struct peer_service *peers);

/* peer_service_wait() - where packets toward this network's guests wait: for struct peer of the others */
struct peer_wait *peer_service_wait(struct peer_service *peers);

#endif
