/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/ra.h - router advertisements: how guests make their IPv6 addresses, and what they hear of the gateway
 *
 * The segment's prefix for autonomous addresses, whether DHCPv6 has more (RFC 4861 4.2), its MTU, DNS at the gateway and the domain to search
 * (RFC 8106 5), and the gateway as the default router where the network has a way out - whatever the host's own uplink has, so that
 * nothing changes for guests when that comes and goes; where it has none, the ways to its peers and to what is delegated (RFC 4191 2.3).
 * Where it is set: the prefix of a NAT64 (RFC 8781 4), a captive portal (RFC 8910 2.3). Prefixes that the segment had before are told as
 * deprecated for as long as guests may have addresses of them (RFC 9096 3.5; lifetimes after 3.4).
 */
#ifndef NAT_RA_H
#define NAT_RA_H

#include <stdint.h>

#include "base/addr.h"

struct segment;
struct worker;

enum {
	RA_MAX = 14 + 1280,		/* bytes of a whole frame: what every link carries; an option that does not fit is left out */
	RA_INTERVAL_MIN_S = 200, RA_INTERVAL_MAX_S = 600,	/* between unsolicited ones (RFC 4861 6.2.1) */
	RA_INITIAL = 3, RA_INITIAL_S = 16,		/* the first few come sooner (6.2.4) */
	RA_DELAY_MIN_S = 3,				/* between any two to everybody (10, MIN_DELAY_BETWEEN_RAS) */
	RA_ROUTER_S = 1800, RA_PREFERRED_S = 2700, RA_VALID_S = 5400, RA_RDNSS_S = 1800,
};

/* ra_kind - what one is for: RA_STOP says that the gateway rests, and RA_BYE that its prefix, too, is not for new connections any more */
enum ra_kind { RA_USUAL, RA_STOP, RA_BYE };

/* ra_build() - a whole frame from the gateway of @segment, which has an IPv6 subnet
 * @to:		RA_MAX bytes
 * @dst_mac, @dst:	a guest, or everybody
 * @now_ms:	monotonic
 *
 * Pure. Return: its length.
 */
uint32_t ra_build(uint8_t *to, const struct segment *segment, uint32_t mtu, const uint8_t dst_mac[6], struct addr dst, enum ra_kind kind,
		  uint64_t now_ms);

/* ra_wait_s() - how long after an unsolicited one the next comes: the first few soon, the others at a random time (RFC 4861 6.2.4)
 * @nsent:	how many there were since something changed
 * @random:	any number, another one each time
 */
uint32_t ra_wait_s(unsigned nsent, uint64_t random);

/* ra_delay_ms() - how long to wait with one to everybody, when there was one before @since_ms */
uint32_t ra_delay_ms(uint64_t since_ms);

/* ra_send() - one to everybody on each segment of a network, if there is one; on worker @w */
void ra_send(struct worker *w, uint32_t net_id, enum ra_kind kind);

#endif
