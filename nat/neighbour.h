/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/neighbour.h - asking a segment who has an address: by ARP (RFC 826) or Neighbour Discovery (RFC 4861 7.2.2)
 *
 * The answer is heard by switch/local.h and stands in the segment's stations. Inside nat/ only; any worker.
 */
#ifndef NAT_NEIGHBOUR_H
#define NAT_NEIGHBOUR_H

#include <stdint.h>

#include "base/addr.h"

struct segment;
struct worker;

/* neighbour_ask() - one question to everybody, as the gateway of @seg; @local_port: of its network */
void neighbour_ask(struct worker *w, const struct segment *seg, uint32_t local_port, struct addr ip);

#endif
