// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "switch/steer.h"
#include "switch/worker.h"

/* Two workers that send to one port meet here. A burst takes microseconds, so a short spin nearly always gets
 * the lock; when it does not, the frames are dropped and counted: no worker ever waits for another. */
enum { LOCK_TRIES = 2000 };

static inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

int port_init(struct port *port, const struct port_ops *ops, unsigned nqueues, unsigned nworkers)
{
	port->stats = aligned_alloc(64, nworkers * sizeof(*port->stats));
	port->queues = aligned_alloc(64, nqueues * sizeof(*port->queues));
	port->steer = nqueues > 1 ? calloc(1, sizeof(*port->steer)) : NULL;
	if (!port->stats || !port->queues || (nqueues > 1 && !port->steer)) {
		free(port->stats);
		free(port->queues);
		free(port->steer);
		return -ENOMEM;
	}
	memset(port->stats, 0, nworkers * sizeof(*port->stats));
	memset(port->queues, 0, nqueues * sizeof(*port->queues));
	port->ops = ops;
	port->nstats = nworkers;
	port->nqueues = nqueues;
	atomic_init(&port->ntx, nqueues);
	for (unsigned i = 0; i < nqueues; i++) {
		port->queues[i].port = port;
		port->queues[i].index = (uint16_t)i;
		port->queues[i].fd = -1;
		atomic_flag_clear(&port->queues[i].tx_lock);
	}
	return 0;
}

void port_fini(struct port *port)
{
	for (unsigned i = 0; i < port->nqueues; i++)
		if (port->queues[i].fd >= 0)
			close(port->queues[i].fd);
	free(port->queues);
	free(port->stats);
	free(port->steer);
	port->steer = NULL;
	port->queues = NULL;
	port->stats = NULL;
	port->nqueues = 0;
}

static bool lock(struct port_queue *q)
{
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (!atomic_flag_test_and_set_explicit(&q->tx_lock, memory_order_acquire))
			return true;
		cpu_relax();
	}
	return false;
}

static void count_dropped(struct port_stats *s, const struct tx_frame *frames, unsigned n, uint64_t taken)
{
	unsigned dropped = 0;

	for (unsigned i = 0; i < n; i++) {
		if (taken >> i & 1)
			continue;
		frames[i].frame->copies--;
		counter_add(&s->tx_bytes, -(uint64_t)frames[i].frame->len);
		dropped++;
	}
	counter_add(&s->tx_frames, -(uint64_t)dropped);
	counter_add(&s->tx_drops, dropped);
}

static void count(struct port *port, unsigned worker_index, const struct tx_frame *frames, unsigned n, uint64_t taken,
		  uint64_t segments)
{
	struct port_stats *s = &port->stats[worker_index];
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++)
		bytes += frames[i].frame->len;
	counter_add(&s->queued, n);
	counter_add(&s->tx_frames, n);
	counter_add(&s->tx_bytes, bytes);
	if (__builtin_expect(taken != UINT64_MAX >> (64 - n), 0))
		count_dropped(s, frames, n, taken);
	if (segments)
		counter_add(&s->segments, segments);
}

static uint64_t queue_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n, uint64_t *segments)
{
	uint64_t taken;

	if (!lock(q))
		return 0;
	taken = q->port->ops->tx(q, w, frames, n, segments);
	atomic_flag_clear_explicit(&q->tx_lock, memory_order_release);
	if (q->port->ops->sent)
		worker_sent(w, q);
	return taken;
}

/* steered_tx() - each queue's frames in one burst, in their order. Return: as port_tx() */
static uint64_t steered_tx(struct port *port, struct worker *w, const struct tx_frame *frames, unsigned n, unsigned nqueues,
			   uint64_t *segments)
{
	uint8_t queue[BURST_MAX], place[BURST_MAX];
	struct tx_frame mine[BURST_MAX];
	uint64_t taken = 0;

	for (unsigned i = 0; i < n; i++)
		queue[i] = (uint8_t)steer_choose(port->steer, frames[i].frame, nqueues);
	for (unsigned q = 0; q < nqueues; q++) {
		uint64_t bits;
		unsigned m = 0;

		for (unsigned i = 0; i < n; i++) {
			mine[m] = frames[i];
			place[m] = (uint8_t)i;
			m += queue[i] == q;
		}
		bits = m ? queue_tx(&port->queues[q], w, mine, m, segments) : 0;
		for (; bits; bits &= bits - 1)
			taken |= 1ull << place[__builtin_ctzll(bits)];
	}
	return taken;
}

uint64_t port_tx(struct port *port, struct worker *w, unsigned worker_index, const struct tx_frame *frames, unsigned n)
{
	unsigned nqueues = atomic_load_explicit(&port->ntx, memory_order_relaxed);
	uint64_t taken, segments = 0;

	if (nqueues > 1)
		taken = steered_tx(port, w, frames, n, nqueues, &segments);
	else
		taken = queue_tx(&port->queues[0], w, frames, n, &segments);
	count(port, worker_index, frames, n, taken, segments);
	return taken;
}

uint64_t port_tx_none(struct port *port, unsigned worker_index, const struct tx_frame *frames, unsigned n)
{
	count(port, worker_index, frames, n, 0, 0);
	return 0;
}

void port_sent(struct port_queue *q, unsigned worker_index)
{
	if (!lock(q))
		return;
	q->port->ops->sent(q, worker_index);
	atomic_flag_clear_explicit(&q->tx_lock, memory_order_release);
}

/* When the lock is not to be had, somebody is in tx(), which sends what was kept back first. */
void port_writable(struct port_queue *q)
{
	if (!q->port->ops->writable || !lock(q))
		return;
	q->port->ops->writable(q);
	atomic_flag_clear_explicit(&q->tx_lock, memory_order_release);
}
