/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/guesterror.h - what a guest says by ICMP about packets that the NAT brought it (RFC 5508 4.2)
 *
 * Unreachable, time exceeded and too big; the error must quote a packet of a flow of this very port, as the guest got it (nat/quoted.h).
 * About UDP it goes to who had sent the datagram, a forward's client, or a remote that a mapping has talked to: it leaves the worker's raw
 * socket (nat/rawicmp.h) from the host's address, quotes what the remote had sent to that, and neither keeps the flow nor ends it
 * (RFC 5508 REQ-6). So many a second of a port; none where there is no such socket. About TCP nobody outside can be told, because
 * the host has acknowledged what the segment carried: it is for us, who sent it (tcp_guest_error()). Inside nat/ only; the shard's worker.
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
