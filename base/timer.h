/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/timer.h - timers of one thread: a binary heap on due time
 *
 * A timer lives in its owner's structure. Setting one that is set moves it. No allocation after
 * timers_init() until more timers run at once than ever before. One thread.
 */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timers;

struct timer {
	void (*expired)(struct timer *timer, uint64_t now_ms, void *context);
	uint64_t due_ms;
	uint32_t index;			/* place in the heap plus one; 0 while not set */
};

struct timers {
	struct timer **heap;
	uint32_t n, room;
	void *context;			/* handed to expired() */
};

void timers_init(struct timers *timers, void *context);
void timers_fini(struct timers *timers);

/* timer_set() - have timer->expired() called once @due_ms has come; Return: 0 or -ENOMEM */
int timer_set(struct timers *timers, struct timer *timer, uint64_t due_ms);
void timer_cancel(struct timers *timers, struct timer *timer);

static inline bool timer_pending(const struct timer *timer)
{
	return timer->index != 0;
}

/* timers_next() - when the first timer is due, or UINT64_MAX */
uint64_t timers_next(const struct timers *timers);

/* timers_run() - call what is due; a callback may set and cancel any timer. At most @budget calls. */
void timers_run(struct timers *timers, uint64_t now_ms, unsigned budget);

#endif
