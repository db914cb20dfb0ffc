/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/guesterror.h - what a guest says by ICMP about a datagram that the NAT brought it, on its way to who had sent that (RFC 5508 4.2)
 *
 * Unreachable, time exceeded and too big, about UDP: a forward's client, or a remote that a mapping has talked to. The error must quote
 * a datagram of a flow of this very port, as the guest got it. It leaves the worker's raw socket (nat/rawicmp.h) from the host's
 * address, and quotes what the remote had sent to that; it neither keeps the flow nor ends it (RFC 5508 REQ-6). So many a second of a
 * port; none where there is no such socket. Inside nat/ only; the shard's worker.
 */
#ifndef NAT_GUESTERROR_H
#define NAT_GUESTERROR_H

#include "switch/verdict.h"

struct arrival;
struct nat_port;
struct nat_shard;
struct packet;

/* guesterror_input() - an ICMP error from a guest (packet_is_icmp_error()), to whomever */
enum verdict guesterror_input(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p);

#endif
