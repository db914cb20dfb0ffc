// SPDX-License-Identifier: GPL-2.0-or-later
/* No wake-up is lost (CONFORMANCE VU-27): both sides of a ring step by step, in random order, with flags and with event indices, split
 * and packed, around the places where indices wrap; then both at once on two threads, for the order of memory. */
#include "tests/packet/ring_sides.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"

enum { STEPS = 60, SCHEDULES = 400000, LITMUS_MS = 400, LOST_MS = 5000 };

/* ---- random schedules ---- */

static uint64_t seed = 88172645463325252ull;

static uint32_t random_below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

static void device_step(struct ring *m)
{
	if (m->asleep) {
		m->asleep = !atomic_exchange(&m->kicked, false);
	} else if (m->armed) {
		m->armed = false;
		m->asleep = !virtq_has_more(&m->device);
	} else if (m->device.nslots) {
		device_return(m);
	} else if (m->device.uncalled && random_below(2)) {
		virtq_call(&m->device, 0);	/* once for several, or after each */
	} else if (!device_take(m, 1 + random_below(4)) && random_below(2) && !m->device.uncalled) {
		virtq_notify(&m->device, true);
		m->armed = true;
	}
}

static void driver_step(struct ring *m)
{
	if (m->must_ask) {
		if (wants_kick(m))
			atomic_store(&m->kicked, true);
	} else if (m->sleeps) {
		m->sleeps = !atomic_exchange(&m->called, false);
	} else if (m->given != m->back && random_below(3) == 0) {
		unsigned after = 1 + random_below(m->given - m->back);

		m->target = m->back + after;
		m->sleeps = !want_call(m, after);
	} else if (random_below(2)) {
		give(m, 1 + random_below(3));
	} else {
		take_back(m);
		if (random_below(4) == 0)
			want_call(m, 0);
	}
}

/* lost() - somebody sleeps though there is work for him, and nobody is about to wake him */
static const char *lost(struct ring *m)
{
	if (m->asleep && !m->kicked && !m->must_ask && m->given != m->taken)
		return "a kick was lost";
	if (m->sleeps && !m->called && !m->device.nslots && !m->device.uncalled && (int32_t)(m->returned - m->target) >= 0)
		return "a call was lost";
	return NULL;
}

static void test_schedules(void **state)
{
	static const uint16_t split_sizes[] = { 1, 2, 4, 8 }, packed_sizes[] = { 1, 2, 3, 7, 8 };
	struct ring *m = aligned_alloc(64, (sizeof(*m) + 63) & ~63ul);
	uint64_t calls = 0;

	(void)state;
	memset(m, 0, sizeof(*m));
	for (unsigned mode = 0; mode < ARRAY_SIZE(modes); mode++) {
		print_message("  %s\n", modes[mode].what);
		for (unsigned i = 0; i < SCHEDULES; i++) {
			uint16_t size = modes[mode].packed ? packed_sizes[i % 5] : split_sizes[i % 4];

			if (modes[mode].packed)
				begin(m, mode, size, (uint16_t)random_below(size), random_below(2));
			else
				begin(m, mode, size, (uint16_t)(i % 3 ? -(int)random_below(30) : 0x7ff0 + (int)random_below(30)), true);
			for (unsigned s = 0; s < STEPS; s++) {
				if (random_below(2))
					driver_step(m);
				else
					device_step(m);
				if (lost(m))
					fail_msg("%s: %s in schedule %u, step %u, of a ring of %u", modes[mode].what, lost(m), i, s, size);
			}
			calls += m->returned;
		}
	}
	print_message("  %u schedules, %llu buffers\n", (unsigned)ARRAY_SIZE(modes) * SCHEDULES, (unsigned long long)calls);
	free(m);
}

/* ---- suppression: who does not want to be woken is not ---- */

static void test_suppression(void **state)
{
	struct ring *m = aligned_alloc(64, (sizeof(*m) + 63) & ~63ul);

	(void)state;
	memset(m, 0, sizeof(*m));
	for (unsigned mode = 0; mode < ARRAY_SIZE(modes); mode++) {
		unsigned called = 0, kicks = 0;

		begin(m, mode, 8, modes[mode].packed ? 3 : 65530, true);
		want_call(m, 0);
		for (unsigned i = 0; i < 100; i++) {		/* the device is awake, the driver does not care */
			give(m, 2);
			kicks += wants_kick(m);
			device_take(m, 8);
			device_return(m);
			virtq_call(&m->device, 0);
			called += atomic_exchange(&m->called, false);
			take_back(m);
		}
		print_message("  %s: %u kicks, %u calls of 100\n", modes[mode].what, kicks, called);
		assert_in_range(kicks, 0, 1);	/* where the index meets what stands there from the beginning */
		assert_int_equal(called, 0);
		for (unsigned i = 0; i < 40; i++) {		/* it wants to hear of the fifth: neither earlier nor later */
			give(m, 8);
			want_call(m, 5);
			for (unsigned k = 1; k <= 8; k++) {
				device_take(m, 1);
				device_return(m);
				virtq_call(&m->device, 0);
				if (modes[mode].event_idx)
					assert_int_equal(atomic_exchange(&m->called, false), k == 5);
			}
			take_back(m);
		}
	}
	free(m);
}

/* ---- two threads ---- */

static atomic_bool stop;
static const char *_Atomic wrong;

/* await() - Return: false when it was in vain */
static bool await(atomic_bool *flag, const char *what)
{
	uint64_t end = 0;

	for (unsigned i = 0; !atomic_exchange(flag, false); i++) {
		if (atomic_load(&stop))
			return false;
		if (i % 1024 != 1023)
			continue;
		sched_yield();
		end = end ? end : clock_now_ms() + LOST_MS;
		if (clock_now_ms() > end) {
			atomic_store(&wrong, what);
			atomic_store(&stop, true);
		}
	}
	return true;
}

static void *device_thread(void *arg)
{
	struct ring *m = arg;

	while (!atomic_load(&stop)) {
		if (device_take(m, 4)) {
			device_return(m);
			virtq_call(&m->device, 0);
			continue;
		}
		virtq_notify(&m->device, true);
		if (!virtq_has_more(&m->device))
			await(&m->kicked, "a kick was lost");
	}
	return NULL;
}

static void test_litmus(void **state)
{
	struct ring *m = aligned_alloc(64, (sizeof(*m) + 63) & ~63ul);

	(void)state;
	memset(m, 0, sizeof(*m));
	for (unsigned mode = 0; mode < ARRAY_SIZE(modes) && !wrong; mode++) {
		uint64_t end = clock_now_ms() + LITMUS_MS;
		pthread_t thread;

		begin(m, mode, 8, modes[mode].packed ? 3 : 65530, true);
		atomic_store(&stop, false);
		assert_int_equal(pthread_create(&thread, NULL, device_thread, m), 0);
		while (clock_now_ms() < end && !atomic_load(&stop)) {
			give(m, 1);
			if (wants_kick(m))
				atomic_store(&m->kicked, true);
			while (m->back != m->given && !atomic_load(&stop)) {
				if (!want_call(m, 1) && !await(&m->called, "a call was lost"))
					break;
				take_back(m);
			}
		}
		atomic_store(&stop, true);
		pthread_join(thread, NULL);
		print_message("  %s: %u round trips\n", modes[mode].what, m->back);
	}
	if (wrong)
		fail_msg("%s", wrong);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedules), cmocka_unit_test(test_suppression), cmocka_unit_test(test_litmus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
