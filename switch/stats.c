// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/stats.h"

#include <string.h>

/* Every member is a counter, so the structure is summed as an array of them. */
enum { COUNTERS = 9 + 2 * VERDICT_COUNT };

_Static_assert(sizeof(struct port_stats) >= COUNTERS * sizeof(counter), "stats_sum() sees every counter");

void stats_sum(const struct port_stats *per_worker, unsigned n, struct port_stats *sum)
{
	counter *to = (counter *)sum;

	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; i < n; i++) {
		const counter *from = (const counter *)&per_worker[i];

		for (unsigned c = 0; c < COUNTERS; c++)
			counter_add(&to[c], counter_get(&from[c]));
	}
}
