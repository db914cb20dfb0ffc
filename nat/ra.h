/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/ra.h - router advertisements: how guests make their IPv6 addresses, and what they hear of the gateway
 *
 * As little as a guest needs: the segment's prefix for autonomous addresses, its MTU, DNS at the gateway, and the gateway as the default
 * router where the network has a way out - whatever the host's own uplink has, so that nothing changes for guests when that comes and
 * goes; where it has none, the ways to its peers. Sources: RFC 4861 4.2, 6.2; RFC 4862 5.5.3; RFC 8106 5.1; RFC 4191 2.3; lifetimes after
 * RFC 9096 3.4.
 */
#ifndef NAT_RA_H
#define NAT_RA_H

#include <stdint.h>

#include "base/addr.h"
#include "switch/peer.h"

struct segment;
struct worker;

enum {
	RA_MAX = 14 + 40 + 16 + 32 + 8 + 24 + 8 + 16 * PEERS_MAX,	/* bytes of a whole frame */
	RA_INTERVAL_MIN_S = 200, RA_INTERVAL_MAX_S = 600,	/* between unsolicited ones (RFC 4861 6.2.1) */
	RA_INITIAL = 3, RA_INITIAL_S = 16,		/* the first few come sooner (6.2.4) */
	RA_ROUTER_S = 1800, RA_PREFERRED_S = 2700, RA_VALID_S = 5400, RA_RDNSS_S = 1800,
};

/* ra_build() - a whole frame from the gateway of @segment, which has an IPv6 subnet
 * @to:		RA_MAX bytes
 * @dst_mac, @dst:	a guest, or everybody
 * @bye:	the gateway goes: no router, no DNS from now on, and the prefix is not for new addresses
 *
 * Pure. Return: its length.
 */
uint32_t ra_build(uint8_t *to, const struct segment *segment, uint32_t mtu, const uint8_t dst_mac[6], struct addr dst, bool bye);

/* ra_send() - one to everybody on each segment of a network, if there is one; on worker @w */
void ra_send(struct worker *w, uint32_t net_id, bool bye);

#endif
