/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/service.h - the worker's side of DHCP, DNS and TFTP: services of a segment (switch/service.h)
 *
 * DHCP messages go to the control thread, which decides about leases, and so do TFTP packets, for it reads files. DNS questions about
 * local names are answered on the worker at once; what is to be relayed goes to the control thread.
 */
#ifndef DHCP_SERVICE_H
#define DHCP_SERVICE_H

#include "dhcp/dns.h"
#include "dhcp/names.h"
#include "switch/request.h"
#include "switch/service.h"

enum { PORT_DNS = 53, PORT_DHCP_SERVER = 67, PORT_DHCP_CLIENT = 68, PORT_DHCP6_SERVER = 547 };

/* dhcp_service_new() - hand DHCP messages of guests to @requests (borrowed)
 * Return: a service for free() after a grace period, or NULL.
 */
struct service *dhcp_service_new(struct requests *requests);

/* tftp_service_new() - hand TFTP packets of guests to the same. Return: as dhcp_service_new() */
struct service *tftp_service_new(struct requests *requests);

/* dns_service_new() - answer from @names in @zone (both borrowed, outlive the service); relay through @requests */
struct service *dns_service_new(struct requests *requests, const struct dns_zone *zone, struct names *names);

#endif
