// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* MAP_ANONYMOUS */
#include "switch/recorder.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/array.h"

_Static_assert(sizeof(struct record) == RECORD_SIZE, "a page holds a whole number of them");

enum { PAGE = 4096, PARTS_PAGE = PAGE / sizeof(struct recorder_part) };

static size_t parts_size(unsigned nworkers)
{
	return (size_t)(nworkers + PARTS_PAGE - 1) / PARTS_PAGE * PAGE;
}

size_t recorder_size(uint32_t nslots, unsigned nworkers)
{
	return parts_size(nworkers) + ((size_t)nslots * nworkers * sizeof(struct record) + PAGE - 1) / PAGE * PAGE;
}

static struct recorder *recorder_map(int fd, uint64_t at, int prot, int flags, uint32_t nslots, unsigned nworkers)
{
	struct recorder *r = calloc(1, sizeof(*r));
	void *memory = r ? mmap(NULL, recorder_size(nslots, nworkers), prot, flags | MAP_NORESERVE, fd, (off_t)at) : MAP_FAILED;

	if (memory == MAP_FAILED) {
		free(r);
		return NULL;
	}
	r->parts = memory;
	r->records = (struct record *)(void *)((uint8_t *)memory + parts_size(nworkers));
	r->nslots = nslots;
	r->nparts = nworkers;
	r->at = at;
	return r;
}

struct recorder *recorder_new(uint32_t nslots, unsigned nworkers)
{
	return recorder_map(-1, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, nslots, nworkers);
}

struct recorder *recorder_at(int fd, uint64_t at, int prot, uint32_t nslots, unsigned nworkers)
{
	return recorder_map(fd, at, prot, MAP_SHARED, nslots, nworkers);
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	munmap(r->parts, recorder_size(r->nslots, r->nparts));
	if (r->gone)
		r->gone(r->arg, r);
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
	atomic_store_explicit(written, number + 1, memory_order_release);	/* a process that dies leaves whole records */
}

uint32_t recorder_copy(const struct recorder *r, unsigned part, struct record *to, uint32_t n)
{
	uint64_t end = atomic_load_explicit(&r->parts[part].written, memory_order_relaxed);

	n = MIN_OF(n, recorder_kept(r, part));
	for (uint32_t i = 0; i < n; i++)
		to[i] = *slot(r, part, end - n + i);
	return n;
}
