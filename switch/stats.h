/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/stats.h - counters of a port: one copy per worker, written by that worker alone, summed by the reader
 *
 * Two identities hold once the workers are quiet, and are tested (DESIGN, promise 5):
 *	rx_frames + made = sum of verdicts		queued = tx_frames + tx_drops
 */
#ifndef SWITCH_STATS_H
#define SWITCH_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "switch/verdict.h"

typedef _Atomic uint64_t counter;

struct port_stats {
	counter rx_frames, rx_bytes;	/* received from the port */
	counter made;			/* made by the gateway or a service of this (local) port */
	counter queued;			/* copies filed for this port */
	counter tx_frames, tx_bytes;	/* copies that the port took */
	counter tx_drops;		/* copies that it did not take */
	counter mirrored;		/* of those queued, copies that it gets because it looks at others (switch/observe.h) */
	counter segments;		/* frames cut from GSO frames because the port cannot take them whole */
	counter served[VERDICT_COUNT];	/* what a local port's services did with copies of flooded frames */
	counter verdicts[VERDICT_COUNT];
} __attribute__((aligned(64)));

/* counter_add() - by the one writer; a plain load and store, since nobody else writes */
static inline void counter_add(counter *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline uint64_t counter_get(const counter *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

/* stats_sum() - add up @n workers' copies; any thread */
void stats_sum(const struct port_stats *per_worker, unsigned n, struct port_stats *sum);

#endif
