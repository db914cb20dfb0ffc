// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tests/packet/core_distance.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"

enum { ROUNDS = 500, BATCHES = 40 };

static struct {
	_Atomic unsigned ball;		/* odd: on its way there, even: on its way back */
	unsigned far;
} court __attribute__((aligned(128)));

static bool pin(unsigned cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) == 0;
}

static void *return_balls(void *unused)
{
	(void)unused;
	pin(court.far);
	for (unsigned n = 1; n < 2 * ROUNDS * BATCHES; n += 2) {
		while (atomic_load_explicit(&court.ball, memory_order_acquire) != n)
			;
		atomic_store_explicit(&court.ball, n + 1, memory_order_release);
	}
	return NULL;
}

static double batch(unsigned *n)
{
	uint64_t start = clock_now_ns();

	for (unsigned i = 0; i < ROUNDS; i++, *n += 2) {
		atomic_store_explicit(&court.ball, *n + 1, memory_order_release);
		while (atomic_load_explicit(&court.ball, memory_order_acquire) != *n + 2)
			;
	}
	return (double)(clock_now_ns() - start) / ROUNDS;
}

double core_distance_ns(unsigned near, unsigned far)
{
	double best = 1e9;
	pthread_t thread;
	unsigned n = 0;
	int rc;

	court.far = far;
	atomic_store(&court.ball, 0);
	if (!pin(near))
		return -errno;
	rc = pthread_create(&thread, NULL, return_balls, NULL);
	if (rc)
		return -rc;
	for (unsigned i = 0; i < BATCHES; i++) {
		double ns = batch(&n);

		if (ns < best)
			best = ns;
	}
	pthread_join(thread, NULL);
	return best;
}
