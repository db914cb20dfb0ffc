/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/share.h - a worker's time, in equal parts for the queues that want it
 *
 * Rounds over the active queues would be fair by frames: a guest whose frames take long (flooded to a hundred ports, or from an address that is
 * new each time) would have its neighbours wait for each of them. So each queue is charged what its turns took, and one that is ahead of
 * whoever had the least sits out until the others are even with it. Who wants little is never ahead and never waits; what is not wanted is not
 * saved up either: a queue that comes again begins level with the others (as start-time fair queueing does, Goyal and others 1996).
 *
 * Pure reckoning on times that the caller gives, all of one clock in nanoseconds; one worker's.
 */
#ifndef SWITCH_SHARE_H
#define SWITCH_SHARE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SHARE_AHEAD_NS = 100000,	/* so far apart they may be: whoever is not far apart has a turn in each round, and devices are rung once for all */
	SHARE_SLOW_NS = 50000,		/* a burst that takes so long is a turn: nobody waits for four of them */
	SHARE_CHARGE_NS = 2000000,	/* and more is not charged for one turn: the worker itself was off its core */
};

/* share - of a queue; all zero to begin with */
struct share {
	uint64_t used_ns;
	bool wants;			/* it had more when its turn was over */
	bool slow;
};

/* sharing - of a worker; all zero to begin with */
struct sharing {
	bool needed;			/* several queues are active: who is alone has it all, and no clock is read */
	uint64_t level_ns;		/* the least that one has used of those that want more; */
	uint64_t least_ns;		/* and as far as it is known in this round */
	uint64_t since_ns;		/* what came before is charged */
};

/* share_round() - a round begins; @now_ns matters where it is @needed */
static inline void share_round(struct sharing *s, bool needed, uint64_t now_ns)
{
	if (s->least_ns > s->level_ns && s->least_ns != UINT64_MAX)
		s->level_ns = s->least_ns;
	s->least_ns = UINT64_MAX;
	s->needed = needed;
	s->since_ns = now_ns;
}

/* share_may() - is it the queue's turn in this round? */
static inline bool share_may(const struct sharing *s, struct share *q)
{
	if (!q->wants && q->used_ns < s->level_ns)
		q->used_ns = s->level_ns;
	return !s->needed || q->used_ns <= s->level_ns + SHARE_AHEAD_NS;
}

/* share_charge() - a turn of @bursts is over */
static inline void share_charge(struct sharing *s, struct share *q, unsigned bursts, uint64_t now_ns)
{
	uint64_t took = now_ns - s->since_ns;

	q->slow = took > (uint64_t)SHARE_SLOW_NS * bursts;
	q->used_ns += took < SHARE_CHARGE_NS ? took : SHARE_CHARGE_NS;
	s->since_ns = now_ns;
}

/* share_left() - the queue had its turn, or sat it out; @wants: it has more, as far as is known */
static inline void share_left(struct sharing *s, struct share *q, bool wants)
{
	q->wants = wants;
	if (wants && q->used_ns < s->least_ns)
		s->least_ns = q->used_ns;
}

#endif
