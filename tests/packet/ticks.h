/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/ticks.h - the processor's time stamp counter, which costs less to read than a clock; nanoseconds elsewhere */
#ifndef TESTS_PACKET_TICKS_H
#define TESTS_PACKET_TICKS_H

#include <poll.h>

#include "base/clock.h"

static inline uint64_t ticks(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return clock_now_ns();
#endif
}

/* ticks_measure() - how many there are in a nanosecond; takes 20 ms */
static inline double ticks_measure(void)
{
	uint64_t ns = clock_now_ns(), t = ticks();

	poll(NULL, 0, 20);
	return (double)(ticks() - t) / (double)(clock_now_ns() - ns);
}

#endif
