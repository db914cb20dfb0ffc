/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/delegated.h - packets of a segment's guests for what is behind a router among them (switch/route6.h)
 *
 * The gateway passes them on with one hop less (RFC 8200 3), to the router that the prefix was delegated to, on the same link. Inside
 * nat/ only; the worker that received it.
 */
#ifndef NAT_DELEGATED_H
#define NAT_DELEGATED_H

#include <stdbool.h>

#include "base/addr.h"
#include "switch/verdict.h"

struct arrival;
struct limit;
struct packet;
struct segment;
struct worker;

/* delegated_source() - is @src behind the router at port @port? */
bool delegated_source(const struct segment *segment, uint32_t port, struct addr src);

/* delegated_input() - a packet for the gateway's MAC address; @limit: for what is told to who sent it
 * Return: true when its destination is behind a router, with *verdict. */
bool delegated_input(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit, enum verdict *verdict);

#endif
