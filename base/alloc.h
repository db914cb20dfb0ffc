/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/alloc.h - memory for types that ask for more alignment than malloc() gives
 *
 * A structure that holds something aligned to a cache line is itself aligned so, and the compiler relies on it (it stores
 * 32 bytes at once where the processor can); calloc() promises 16.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdlib.h>
#include <string.h>

/* alloc_zeroed() - for free(); @size is a multiple of @align, as a type's is. Return: NULL when there is none */
static inline void *alloc_zeroed(size_t align, size_t size)
{
	void *p = aligned_alloc(align, size);

	return p ? memset(p, 0, size) : NULL;
}

#endif
