/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/udp.h - UDP mappings: one unconnected host socket per inside endpoint
 *
 * Whatever a guest's port sends, to whomever, leaves from one socket: endpoint-independent mapping (RFC 4787 REQ-1).
 * An answer is let in from addresses it has talked to, or from anybody by setting. Only what the guest sends keeps a mapping (RFC
 * 7857 6). TTL and the don't-fragment bit are carried over; what the network says about a datagram comes back to the guest
 * as the ICMP error it was. Inside nat/ only; the shard's worker.
 */
#ifndef NAT_UDP_H
#define NAT_UDP_H

#include "nat/shard.h"
#include "switch/verdict.h"

struct arrival;
struct packet;

enum { UDP_IDLE_S = 300, UDP_DNS_IDLE_S = 30, DNS_PORT = 53 };

enum verdict udp_input(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p);

/* udp_ready_socket() - what every datagram socket of a flow is set to, in the family of its guest */
void udp_ready_socket(struct flow *f);

/* udp_send_failed() - answer the guest for a send that failed with @rc. Return: the frame's verdict */
enum verdict udp_send_failed(struct flow *f, const struct arrival *a, const struct packet *p, int rc);

/* udp_seen_as() - the address under which the guest knows remote @ip: the gateway's for what stands behind it */
struct addr udp_seen_as(const struct flow *f, const struct site *site, struct addr ip);

#endif
