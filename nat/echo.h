/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/echo.h - a guest's ping to the outside, through a ping socket (icmp(7); RFC 5508 3)
 *
 * One socket per inside address and identifier; the kernel chooses the identifier outside. It needs no right where the
 * sysctl net.ipv4.ping_group_range allows the daemon's group; otherwise the guest is told that it is prohibited.
 * Inside nat/ only; the shard's worker.
 */
#ifndef NAT_ECHO_H
#define NAT_ECHO_H

#include "nat/shard.h"
#include "switch/verdict.h"

struct arrival;
struct packet;

enum { ECHO_IDLE_S = 60 };		/* RFC 5508 REQ-2 */

/* echo_input() - an ICMP packet from a guest to somebody else than the gateway */
enum verdict echo_input(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p);

#endif
