/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_conflict.h - addresses that somebody has whom DHCP gave none (RFC 2131 2.2, RFC 5227; control thread)
 *
 * What a segment has seen (switch/station.h) is asked before an address is offered that is new to a guest. And for addresses that are
 * about to be offered ARP probes go out some offers ahead, so that who sits there is seen by then and no guest waits; who is
 * heard only after the offer makes that the guest's REQUEST is refused.
 */
#ifndef CTL_LIVE_CONFLICT_H
#define CTL_LIVE_CONFLICT_H

#include <stdbool.h>
#include <stdint.h>

#include "dhcp/lease.h"

/* probe_ahead - which addresses of a segment were probed lately: those in a row up to here */
struct probe_ahead {
	uint32_t first, last;		/* 0: none */
	uint64_t since_ms;
	uint64_t paid_ms;		/* when all probes would have gone at their rate */
};

/* live_conflict_taken() - lease_taken_fn of a struct live_segment */
bool live_conflict_taken(void *segment, uint32_t ip, const struct lease_guest *who, struct lease_squatter *by);

#endif
