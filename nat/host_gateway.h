/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/host_gateway.h - the gateway's part that is left where the host itself has its addresses (switch/hostway.h)
 *
 * A service (switch/service.h) in the place of nat/gateway.h and the NAT: router advertisements for who asks, and ICMP errors about packets
 * that the mode does not let through. All else is answered by the host. Control thread; input() on any worker.
 */
#ifndef NAT_HOST_GATEWAY_H
#define NAT_HOST_GATEWAY_H

struct host_gateway;
struct service;

/* host_gateway_new() - Return: NULL with errno ENOMEM. host_gateway_free() after a grace period. */
struct host_gateway *host_gateway_new(void);
void host_gateway_free(struct host_gateway *gateway);
struct service *host_gateway_service(struct host_gateway *gateway);

#endif
