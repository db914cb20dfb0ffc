/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/ring.h - messages of any size from one thread to another, in one bounded piece of memory
 *
 * One thread writes, one reads, neither waits: what does not fit is refused. A message lies in one piece; where the end of the memory is
 * too near it begins anew at the start. The memory is taken by mmap() and costs nothing until it is written to.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	uint8_t *data;
	uint32_t size;				/* a power of two */
	_Atomic uint32_t written __attribute__((aligned(64)));	/* bytes ever; the writer's */
	uint32_t seen_read;			/* what the writer saw last of the other */
	_Atomic uint32_t read __attribute__((aligned(64)));	/* bytes ever; the reader's */
};

/* ring_init() - @size bytes, a power of two from 4 KiB to 1 GiB; 0 or -ENOMEM */
int ring_init(struct ring *r, uint32_t size);
void ring_fini(struct ring *r);

/* ring_reserve() - room for a message of up to @size bytes, aligned to 8; the writer
 * Nothing is visible before ring_commit(), which says how many bytes it became. Return: NULL when there is no room.
 */
void *ring_reserve(struct ring *r, uint32_t size);
void ring_commit(struct ring *r, uint32_t size);

/* ring_peek() - the oldest message, in place until ring_pop(); the reader. Return: NULL when there is none */
const void *ring_peek(struct ring *r, uint32_t *size);
void ring_pop(struct ring *r);

#endif
