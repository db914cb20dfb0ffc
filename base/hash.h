/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/hash.h - a fast hash of small keys, seeded per process so that a guest cannot aim for collisions */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* hash_seed() - this process's secret, from getrandom() on first use; any thread */
uint64_t hash_seed(void);

/* hash_u64() - mix one 64-bit key with @seed (two multiply-xorshift rounds, after MurmurHash3's finalizer) */
static inline uint64_t hash_u64(uint64_t key, uint64_t seed)
{
	key ^= seed;
	key ^= key >> 33;
	key *= 0xff51afd7ed558ccdull;
	key ^= key >> 33;
	key *= 0xc4ceb9fe1a85ec53ull;
	key ^= key >> 33;
	return key;
}

/* hash_bytes() - hash of @size bytes under @seed; the same on every machine */
uint64_t hash_bytes(const void *data, size_t size, uint64_t seed);

#endif
