// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/timer.h"

#include <errno.h>
#include <stdlib.h>

void timers_init(struct timers *timers, void *context)
{
	*timers = (struct timers){ .context = context };
}

void timers_fini(struct timers *timers)
{
	free(timers->heap);
	timers->heap = NULL;
}

static void place(struct timers *t, uint32_t at, struct timer *timer)
{
	t->heap[at] = timer;
	timer->index = at + 1;
}

static void sift_up(struct timers *t, uint32_t at, struct timer *timer)
{
	while (at > 0) {
		uint32_t parent = (at - 1) / 2;

		if (t->heap[parent]->due_ms <= timer->due_ms)
			break;
		place(t, at, t->heap[parent]);
		at = parent;
	}
	place(t, at, timer);
}

static void sift_down(struct timers *t, uint32_t at, struct timer *timer)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= t->n)
			break;
		if (child + 1 < t->n && t->heap[child + 1]->due_ms < t->heap[child]->due_ms)
			child++;
		if (t->heap[child]->due_ms >= timer->due_ms)
			break;
		place(t, at, t->heap[child]);
		at = child;
	}
	place(t, at, timer);
}

static int grow(struct timers *t)
{
	uint32_t room = t->room ? 2 * t->room : 64;
	struct timer **heap = realloc(t->heap, room * sizeof(*heap));

	if (!heap)
		return -ENOMEM;
	t->heap = heap;
	t->room = room;
	return 0;
}

int timer_set(struct timers *t, struct timer *timer, uint64_t due_ms)
{
	if (timer->index) {
		bool later = due_ms > timer->due_ms;

		timer->due_ms = due_ms;
		if (later)
			sift_down(t, timer->index - 1, timer);
		else
			sift_up(t, timer->index - 1, timer);
		return 0;
	}
	if (t->n == t->room && grow(t) < 0)
		return -ENOMEM;
	timer->due_ms = due_ms;
	sift_up(t, t->n++, timer);
	return 0;
}

void timer_cancel(struct timers *t, struct timer *timer)
{
	uint32_t at = timer->index - 1;
	struct timer *last;

	if (!timer->index)
		return;
	timer->index = 0;
	last = t->heap[--t->n];
	if (last == timer)
		return;
	sift_down(t, at, last);
	sift_up(t, last->index - 1, last);
}

uint64_t timers_next(const struct timers *t)
{
	return t->n ? t->heap[0]->due_ms : UINT64_MAX;
}

void timers_run(struct timers *t, uint64_t now_ms, unsigned budget)
{
	while (budget-- && t->n && t->heap[0]->due_ms <= now_ms) {
		struct timer *timer = t->heap[0];

		timer_cancel(t, timer);
		timer->expired(timer, now_ms, t->context);
	}
}
