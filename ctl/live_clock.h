/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_clock.h - the wall clock is set: leases go on for as long as guests were told (control thread)
 *
 * Leases end by the wall clock, since they outlive us; guests count seconds. Where the two clocks of base/clock.h part by more than a moment,
 * every end moves along and is stored anew. What time in suspend takes is no step: it has passed for the guests, too.
 */
#ifndef CTL_LIVE_CLOCK_H
#define CTL_LIVE_CLOCK_H

#include <stdint.h>

struct engine;

/* clock_step() - by how many seconds the wall clock was set ahead (or back: negative) since the last call
 * @ahead_ms:	what the last call found, its own to keep; a drift that is no step is followed
 */
int64_t clock_step(int64_t *ahead_ms, uint64_t wall_ms, uint64_t now_ms);

/* live_clock_start() - the time is as it is now
 * live_clock_look() - has it been set since? Before leases are looked at
 */
void live_clock_start(struct engine *e);
void live_clock_look(struct engine *e);

#endif
