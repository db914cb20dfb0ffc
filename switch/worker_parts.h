/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/worker_parts.h - what worker.c and worker_queue.c share; for nobody else */
#ifndef SWITCH_WORKER_PARTS_H
#define SWITCH_WORKER_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "switch/forward.h"
#include "switch/poller.h"
#include "switch/port.h"
#include "switch/share.h"
#include "switch/worker.h"

struct queue;

/* replies - frames that services made in this round, all of one local port, and the memory they are in */
struct replies {
	uint8_t *room;
	uint32_t used, from;
	unsigned n;
	struct frame frames[BURST_MAX];
};

struct worker {
	unsigned index;
	struct snapshot **current;
	const struct snapshot *snapshot;	/* of this turn */
	uint64_t now_ns, now_ms;		/* of this turn */
	struct poller poller;
	struct inbox *inbox;
	struct watch inbox_watch;
	struct timers timers;
	struct queue *active;			/* queues that are polled */
	struct sharing sharing;			/* of the time among them */
	struct rx_space rx;
	uint8_t *scratch, *cut, *linear;	/* parts of one mapping with rx.data, which ends before a guard page */
	struct outbox outbox;
	struct port_queue *sent[OUT_LISTS];	/* queues to call port_sent() for; only within a turn */
	unsigned nsent;
	struct replies replies;
	struct requests *left;			/* whoever reads them is to be woken */
	struct frame frames[BURST_MAX];		/* of the burst on its way */
	pthread_t thread;
	bool started;
	atomic_bool stop;
	atomic_uint nqueues;			/* owned; written by the control thread */
};

/* queues_poll() - a few bursts from each active queue. Return: was there any frame? */
bool queues_poll(struct worker *w);

/* worker_post_surely() - as worker_post(), but wait for a place; control thread: a worker empties its inbox every turn */
void worker_post_surely(struct worker *w, void (*fn)(struct worker *, void *), void *arg);

#endif
