/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/clock.h - the two clocks: monotonic for intervals, wall time for what is stored and shown. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* clock_now_ns(), clock_now_ms() - monotonic; never goes back, counts time in suspend too */
static inline uint64_t clock_now_ns(void)
{
	return clock_ns_of(CLOCK_BOOTTIME);
}

static inline uint64_t clock_now_ms(void)
{
	return clock_now_ns() / 1000000u;
}

/* clock_wall_ms() - milliseconds since 1970, for the state store and for people */
static inline uint64_t clock_wall_ms(void)
{
	return clock_ns_of(CLOCK_REALTIME) / 1000000u;
}

#endif
