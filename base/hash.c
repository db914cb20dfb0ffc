// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/hash.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"

static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_init(void)
{
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))	/* only before Linux 3.17 */
		seed = clock_ns_of(CLOCK_MONOTONIC) ^ (uint64_t)getpid() << 32;
}

uint64_t hash_seed(void)
{
	pthread_once(&seed_once, seed_init);
	return seed;
}

uint64_t hash_bytes(const void *data, size_t size, uint64_t with)
{
	const uint8_t *p = data;
	uint64_t h = hash_u64(size, with);

	for (; size >= 8; size -= 8, p += 8) {
		uint64_t w;

		memcpy(&w, p, sizeof(w));
		h = hash_u64(h ^ le64toh(w), with);
	}
	if (size) {
		uint64_t w = 0;

		memcpy(&w, p, size);
		h = hash_u64(h ^ le64toh(w), with);
	}
	return h;
}
