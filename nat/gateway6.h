/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/gateway6.h - the gateway's IPv6 addresses in a segment: Neighbour Discovery, solicited router advertisements and ping
 *
 * What nat/gateway.h does for IPv4, for both of its addresses, the link-local and the global one. RFC 4861 6.2.6, 7.2; RFC 4862 5.4;
 * RFC 4443 4. Inside nat/ only; any worker.
 */
#ifndef NAT_GATEWAY6_H
#define NAT_GATEWAY6_H

#include <stdbool.h>

#include "switch/verdict.h"

struct arrival;
struct limit;
struct packet;
struct worker;

/* gateway6_input() - an IPv6 packet; @limit: this worker's, for answers that a guest can cause at will
 * Return: true when it was the gateway's, with *verdict. */
bool gateway6_input(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit, enum verdict *verdict);

#endif
