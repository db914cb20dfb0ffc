// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* MAP_ANONYMOUS */
#include "switch/recorder.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/array.h"

_Static_assert(sizeof(struct record) == RECORD_SIZE, "a page holds a whole number of them");

static size_t memory_of(const struct recorder *r)
{
	return (size_t)r->nslots * r->nparts * sizeof(struct record);
}

struct recorder *recorder_new(uint32_t nslots, unsigned nworkers)
{
	struct recorder *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->nslots = nslots;
	r->nparts = nworkers;
	r->parts = alloc_zeroed(_Alignof(struct recorder_part), nworkers * sizeof(*r->parts));
	r->records = mmap(NULL, memory_of(r), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r->records == MAP_FAILED)
		r->records = NULL;
	if (r->parts && r->records)
		return r;
	recorder_free(r);
	return NULL;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	if (r->records)
		munmap(r->records, memory_of(r));
	free(r->parts);
	free(r);
}

static void free_rcu(struct rcu_head *head)
{
	recorder_free(container_of(head, struct recorder, rcu));
}

void recorder_release(struct recorder *r)
{
	if (r)
		urcu_qsbr_call_rcu(&r->rcu, free_rcu);
}

static struct record *slot(const struct recorder *r, unsigned part, uint64_t number)
{
	return &r->records[(size_t)part * r->nslots + number % r->nslots];
}

void recorder_put(struct recorder *r, unsigned worker, const struct wire *wire, const struct sighting *s)
{
	_Atomic uint64_t *written = &r->parts[worker].written;
	uint64_t number = atomic_load_explicit(written, memory_order_relaxed);
	struct record *to = slot(r, worker, number);

	to->s = *s;
	sighting_fill(&to->s, wire, RECORD_BYTES);
	wire_copy(wire, 0, to->s.kept, to->bytes);
	atomic_store_explicit(written, number + 1, memory_order_relaxed);
}

uint32_t recorder_copy(const struct recorder *r, unsigned part, struct record *to, uint32_t n)
{
	uint64_t end = atomic_load_explicit(&r->parts[part].written, memory_order_relaxed);

	n = MIN_OF(n, recorder_kept(r, part));
	for (uint32_t i = 0; i < n; i++)
		to[i] = *slot(r, part, end - n + i);
	return n;
}
