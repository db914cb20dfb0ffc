/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/storm.h - no more than so many frames a second
 *
 * The whole state is the time at which a frame would be due if all came evenly (the generic cell rate algorithm of ITU-T I.371, annex A): a
 * frame that comes more than STORM_BURST_MS before its time is too much. Any worker; one word, changed by compare and swap. */
#ifndef SWITCH_STORM_H
#define SWITCH_STORM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { STORM_BURST_MS = 100 };		/* as many as that time's share may come at once, and one at least */

typedef _Atomic uint64_t storm;		/* nanoseconds; 0 to begin with */

/* storm_take() - may one frame more pass? @rate: frames a second, at least 1; @take: false only asks */
static inline bool storm_take(storm *s, uint32_t rate, uint64_t now_ns, bool take)
{
	const uint64_t each = 1000000000u / rate, ahead = STORM_BURST_MS * 1000000ull;
	uint64_t due = atomic_load_explicit(s, memory_order_relaxed), next;

	do {
		uint64_t at = due > now_ns ? due : now_ns;

		if (at > now_ns && at + each > now_ns + (each > ahead ? each : ahead))
			return false;
		next = at + each;
		if (!take)
			return true;
	} while (!atomic_compare_exchange_weak_explicit(s, &due, next, memory_order_relaxed, memory_order_relaxed));
	return true;
}

#endif
