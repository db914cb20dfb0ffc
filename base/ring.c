// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* MAP_ANONYMOUS */
#include "base/ring.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

/* In front of each message stands its size; SKIP there means that the rest up to the end of the memory is unused. `written` and `read`
 * count on beyond the size and wrap with 2^32, so that their difference is what is in use. */
enum { HEADER = 8, ALIGN = 8 };
static const uint32_t SKIP = UINT32_MAX;

static uint32_t taken_by(uint32_t size)
{
	return HEADER + ((size + ALIGN - 1) & ~(uint32_t)(ALIGN - 1));
}

static uint32_t *header_at(struct ring *r, uint32_t place)
{
	return (uint32_t *)(void *)(r->data + (place & (r->size - 1)));
}

int ring_init(struct ring *r, uint32_t size)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert(size >= 4096 && !(size & (size - 1)) && size <= 1u << 30);
	if (data == MAP_FAILED)
		return -ENOMEM;
	*r = (struct ring){ .data = data, .size = size };
	return 0;
}

void ring_fini(struct ring *r)
{
	if (r->data)
		munmap(r->data, r->size);
	r->data = NULL;
}

static bool has_room(struct ring *r, uint32_t from, uint32_t wanted)
{
	if (from - r->seen_read + (uint64_t)wanted <= r->size)
		return true;
	r->seen_read = atomic_load_explicit(&r->read, memory_order_acquire);	/* the reader is done with what was there */
	return from - r->seen_read + (uint64_t)wanted <= r->size;
}

void *ring_reserve(struct ring *r, uint32_t size)
{
	uint32_t at = atomic_load_explicit(&r->written, memory_order_relaxed), wanted, left;

	if (size > r->size - HEADER - ALIGN)
		return NULL;
	wanted = taken_by(size);
	left = r->size - (at & (r->size - 1));
	if (left >= wanted)
		return has_room(r, at, wanted) ? (uint8_t *)header_at(r, at) + HEADER : NULL;
	if (!has_room(r, at, left + wanted))
		return NULL;
	*header_at(r, at) = SKIP;
	atomic_store_explicit(&r->written, at + left, memory_order_release);
	return (uint8_t *)header_at(r, at + left) + HEADER;
}

void ring_commit(struct ring *r, uint32_t size)
{
	uint32_t at = atomic_load_explicit(&r->written, memory_order_relaxed);

	*header_at(r, at) = size;
	atomic_store_explicit(&r->written, at + taken_by(size), memory_order_release);	/* the message before its announcement */
}

const void *ring_peek(struct ring *r, uint32_t *size)
{
	uint32_t at = atomic_load_explicit(&r->read, memory_order_relaxed);
	uint32_t end = atomic_load_explicit(&r->written, memory_order_acquire);

	if (at != end && *header_at(r, at) == SKIP) {
		at += r->size - (at & (r->size - 1));
		atomic_store_explicit(&r->read, at, memory_order_release);
	}
	if (at == end)
		return NULL;
	*size = *header_at(r, at);
	return (uint8_t *)header_at(r, at) + HEADER;
}

void ring_pop(struct ring *r)
{
	uint32_t at = atomic_load_explicit(&r->read, memory_order_relaxed);

	atomic_store_explicit(&r->read, at + taken_by(*header_at(r, at)), memory_order_release);
}
