/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/guard.h - what a port may say: which addresses are its own, and what only the network itself may tell
 *
 * A stage (switch/stage.h) on the way in. A guard is made by the control thread for one port and its settings, borrowed by the port's
 * view, and freed after a grace period. Only the leased addresses and the buckets change while it is in use: the former are
 * written by the control thread, the latter by any worker.
 *
 * IPv4 addresses are a port's own when they are leased to it or listed. IPv6 hosts choose theirs: a link-local address, or one of the
 * segment's prefix, belongs to the port that used it first, until it has not for a while (first come, first served: RFC 6620).
 */
#ifndef SWITCH_GUARD_H
#define SWITCH_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "switch/verdict.h"

struct burst;
struct fdb;
struct frame;
struct guard;
struct segment;

enum guard_flag {
	GUARD_GATEWAY = 1,		/* ARP and discovery never say that an address of the gateway is here */
	GUARD_OWN_MAC = 2,		/* no source, nor sender of ARP or discovery, but the port's MAC address */
	GUARD_OWN_IP = 4,		/* likewise for IP addresses */
	GUARD_DHCP = 8,			/* no answers of DHCP servers */
	GUARD_ROUTER = 16,		/* no router advertisements and redirects */
};

/* storm_sort - frames that go to more ports than one */
enum storm_sort { STORM_BROADCAST, STORM_MULTICAST, STORM_UNKNOWN, STORM_SORTS };

enum { GUARD_ADDRESSES = 32, GUARD_MACS = 17 };

struct guard_conf {
	uint32_t flags;			/* enum guard_flag */
	uint32_t max_macs;		/* stations that may live here; 0: any number */
	uint32_t storm[STORM_SORTS];	/* frames a second; 0: any number */
	uint8_t macs[GUARD_MACS][MAC_SIZE];	/* its own; the first is the port's */
	unsigned nmacs;
	uint16_t vid;			/* where those beside the first live for good; for the control thread */
	struct addr fixed[GUARD_ADDRESSES];
	unsigned nfixed;
};

/* guard_new() - for guard_release(), which frees it after a grace period; NULL when out of memory. Control thread */
struct guard *guard_new(const struct guard_conf *conf);
void guard_release(struct guard *guard);
const struct guard_conf *guard_conf(const struct guard *guard);

/* guard_lease() - the IPv4 addresses leased to the port now, host order; the first GUARD_ADDRESSES count. Control thread */
void guard_lease(struct guard *guard, const uint32_t *ips, unsigned n);

/* guard_lease6() - the same of IPv6: the lower halves of addresses in the segment's subnet. What of its pool is not leased is nobody's. */
void guard_lease6(struct guard *guard, const uint64_t *low, unsigned n);

/* guard_place - where a frame is that a guard looks at */
struct guard_place {
	const struct segment *segment;	/* or NULL */
	struct fdb *owners;		/* of the network: which port an IPv6 address belongs to */
	uint32_t port;
	uint16_t vid;
	uint64_t now_ms;
	bool trial;			/* nobody comes to own anything by it */
};

/* guard_frame() - may the port send this? All rules but the limit of stations. Any worker. Return: FORWARDED, or the drop */
enum verdict guard_frame(const struct guard *guard, const struct guard_place *place, const struct frame *f);

/* guard_storm() - may the port send one more of these now? Any worker */
bool guard_storm(struct guard *guard, enum storm_sort sort, uint64_t now_ms, bool trial);

/* guard_burst() - the stage */
void guard_burst(struct burst *b, struct frame *frames, unsigned n);

#endif
