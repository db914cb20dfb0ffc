/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/guest_in.h - parts of guest.c: what it offers to the one for DNS, and the other way round (control thread) */
#ifndef CTL_GUEST_IN_H
#define CTL_GUEST_IN_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct engine;
struct live_net;
struct request;

/* guest_send_udp() - from the gateway to one guest; what does not fit the worker's inbox is lost like a datagram */
void guest_send_udp(struct live_net *net, uint32_t port, uint16_t vid, const uint8_t *mac, struct addr src, uint16_t sport, struct addr dst,
		    uint16_t dport, const uint8_t *data, size_t size);

/* guest_dns() - a query to relay
 * guest_dns_stream() - a TCP connection for DNS, whose descriptor is taken; where its network or port has gone meanwhile it is closed
 * guest_dns_end() - the network goes, and its connections with it
 */
void guest_dns(struct live_net *net, const struct request *r);
void guest_dns_stream(struct engine *e, const struct request *r);
void guest_dns_end(struct live_net *net);

#endif
