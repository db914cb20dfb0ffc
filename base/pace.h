/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/pace.h - so many a second, and some at once: the virtual scheduling form of the leaky bucket (ITU-T I.371 A)
 *
 * One number is kept, which is 0 at first: the time at which all that was let pass would have come at its rate. Pure, any thread; the
 * times are in one unit, which is the caller's. (Bytes of frames have a meter of their own: switch/rate.h.)
 */
#ifndef BASE_PACE_H
#define BASE_PACE_H

#include <stdint.h>

#include "base/array.h"

/* pace_next() - one more
 * @paid:	the number
 * @each:	time between two at the rate; not 0
 * @burst:	so far may @paid be ahead of @now
 *
 * Return: the number to be kept when it passes; 0: it is too much, and nothing changes.
 */
static inline uint64_t pace_next(uint64_t paid, uint64_t now, uint64_t each, uint64_t burst)
{
	uint64_t next = MAX_OF(paid, now) + each;

	return next > now + burst ? 0 : next;
}

#endif
