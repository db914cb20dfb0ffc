/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/forward_udp.h - the clients of UDP forwards as flows. Inside nat/ only; the shard's worker. */
#ifndef NAT_FORWARD_UDP_H
#define NAT_FORWARD_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "switch/verdict.h"

struct flow;
struct packet;

/* forward_udp_reply() - the guest's datagram goes back to the client, from the address that the client had talked to */
enum verdict forward_udp_reply(struct flow *f, const struct packet *p);

/* forward_udp_outside() - the host's address and port that the client talks to; false when the forward has ended */
bool forward_udp_outside(const struct flow *f, struct addr *host, uint16_t *port);

#endif
