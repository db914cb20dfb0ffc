/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/gateway.h - the gateway's own address in a segment: ARP (RFC 826, 5227) and ping (RFC 1122 3.2.2.6)
 *
 * A service (switch/service.h), one for as many segments as wanted, since all it knows comes with the packet. It claims ARP requests for the
 * gateway's address, ICMP to it but for errors, and IPv4 protocols that nobody translates; TCP, UDP and other ICMP it leaves to the
 * NAT, on either side of it in the order. Control thread; input() on any worker.
 */
#ifndef NAT_GATEWAY_H
#define NAT_GATEWAY_H

struct gateway;
struct service;

/* gateway_new() - Return: NULL with errno ENOMEM. gateway_free() after a grace period. */
struct gateway *gateway_new(void);
void gateway_free(struct gateway *gateway);
struct service *gateway_service(struct gateway *gateway);

#endif
