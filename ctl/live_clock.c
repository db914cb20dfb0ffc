// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_clock.h"

#include "base/clock.h"
#include "base/log.h"
#include "ctl/engine.h"
#include "dhcp/lease.h"
#include "dhcp/lease6.h"

enum { STEP_MS = 2000 };

int64_t clock_step(int64_t *ahead_ms, uint64_t wall_ms, uint64_t now_ms)
{
	int64_t ahead = (int64_t)(wall_ms - now_ms), by = ahead - *ahead_ms;

	*ahead_ms = ahead;
	return by >= STEP_MS || by <= -STEP_MS ? by / 1000 : 0;
}

void live_clock_start(struct engine *e)
{
	e->clock_ahead_ms = (int64_t)(clock_wall_ms() - clock_now_ms());
}

static void shift(struct live_segment *seg, int64_t by_s)
{
	if (seg->leases)
		lease_table_shift(seg->leases, by_s);
	if (seg->leases6)
		lease6_table_shift(seg->leases6, by_s);
	lease_store_again(seg);
	live_segment_arm(seg);
}

void live_clock_look(struct engine *e)
{
	int64_t by_s = clock_step(&e->clock_ahead_ms, clock_wall_ms(), clock_now_ms());
	struct live_segment *seg;

	if (!by_s)
		return;
	log_info("event=clock-set seconds=%lld effect=\"leases go on as long as guests were told\"", (long long)by_s);
	for (struct live_net *net = e->nets; net; net = net->hh.next) {
		lease_store_shift(net, by_s);
		lease6_store_shift(net, by_s);
		LIST_FOREACH(seg, &net->segments, link)
			shift(seg, by_s);
	}
}
