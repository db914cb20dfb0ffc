// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/guest_totals.h"

#include <unistd.h>

#include "tests/packet/ticks.h"

struct guest_totals guest_totals(const struct vguest *guests, unsigned n)
{
	struct guest_totals t = { .ns = clock_now_ns(), .ticks = ticks() };

	for (unsigned i = 0; i < n; i++) {
		const struct vguest *g = &guests[i];
		uint64_t calls;

		t.sent += g->sent;
		t.received += g->received;
		t.bytes += g->bytes;
		t.bad += g->bad;
		t.twice += g->twice;
		t.foreign += g->foreign;
		for (unsigned q = 0; q < g->conf.pairs; q++)
			t.kicks += g->pairs[q].rx.kicks + g->pairs[q].tx.kicks;
		if (read(g->call, &calls, sizeof(calls)) == sizeof(calls))
			t.calls += calls;
	}
	return t;
}
