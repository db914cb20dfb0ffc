// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "switch/worker.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/inbox.h"
#include "switch/offload.h"
#include "switch/request.h"
#include "switch/snapshot.h"
#include "switch/worker_parts.h"

enum {
	EVENTS = 64, INBOX_CELLS = 1024, INBOX_BUDGET = 256, TIMER_BUDGET = 1024,
	BUSY_ROUNDS = 4, IDLE_ROUNDS = 64,	/* rounds over the active queues between two looks at everything else */
};

struct message {
	void (*fn)(struct worker *w, void *arg);
	void *arg;
};

/* A worker's private memory is one mapping: scratch, cut, linear, replies, and what is received last, before a page that nobody may touch. */
enum {
	PAGE = 4096, GUARD = PAGE, LINE = 64,
	REPLIES = 16 * 1024 + WORKER_REPLY,	/* most answers are a few lines; where they are not, fewer go at once */
	LINEAR = (FRAME_MAX + LINE - 1) / LINE * LINE,
	BEFORE_RX = (WORKER_SCRATCH + OFFLOAD_ROOM + LINEAR + REPLIES + PAGE - 1) / PAGE * PAGE,
	SPACE = BEFORE_RX + RX_SPACE + GUARD,
};
_Static_assert(RX_SPACE % PAGE == 0, "it ends where the guard begins");

/* ---- watches ---- */

int worker_watch(struct worker *w, struct watch *watch, uint32_t events)
{
	return poller_add(&w->poller, watch, events);
}

int worker_rewatch(struct worker *w, struct watch *watch, uint32_t events)
{
	return poller_change(&w->poller, watch, events);
}

void worker_unwatch(struct worker *w, struct watch *watch)
{
	poller_remove(&w->poller, watch);
}

void worker_forget(struct worker *w, struct watch *watch)
{
	poller_forget(&w->poller, watch);
}

void worker_post_surely(struct worker *w, void (*fn)(struct worker *, void *), void *arg)
{
	while (!worker_post(w, fn, arg))
		sched_yield();
}

/* ---- the loop ---- */

bool worker_post(struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg)
{
	struct message m = { fn, arg };

	return inbox_push(w->inbox, &m);
}

static void signal_sync(struct worker *w, void *arg)
{
	(void)w;
	sem_post(arg);
}

void worker_sync(struct worker *w)
{
	sem_t done;

	if (!w->started)
		return;
	sem_init(&done, 0, 0);
	worker_post_surely(w, signal_sync, &done);
	while (sem_wait(&done) < 0)
		;		/* EINTR */
	sem_destroy(&done);
}

static void on_inbox(struct worker *w, struct watch *watch, uint32_t events)
{
	(void)w, (void)watch, (void)events;	/* it woke us, which is all: the inbox is looked at each turn */
}

/* read_inbox() - Return: true when it was emptied */
static bool read_inbox(struct worker *w)
{
	struct message m;

	for (unsigned i = 0; i < INBOX_BUDGET; i++) {
		if (!inbox_pop(w->inbox, &m))
			return true;
		m.fn(w, m.arg);
	}
	return false;
}

uint8_t *worker_reply_room(struct worker *w)
{
	return w->replies.room + w->replies.used;
}

static void send_replies(struct worker *w)
{
	struct replies *r = &w->replies;
	unsigned n = r->n;

	r->n = r->used = 0;
	worker_emit(w, r->from, r->frames, n);
}

void worker_reply(struct worker *w, uint32_t from, uint32_t len, uint16_t vid)
{
	struct replies *r = &w->replies;
	uint8_t *data = worker_reply_room(w);

	if (r->n && r->from != from)
		send_replies(w);	/* what was built just now stays where it is */
	r->from = from;
	frame_init(&r->frames[r->n], data, len);
	r->frames[r->n++].vid = vid;
	r->used = (uint32_t)(data - r->room) + (len + LINE - 1) / LINE * LINE;
	if (r->n == BURST_MAX || r->used > REPLIES - WORKER_REPLY)
		send_replies(w);
}

/* ring() - the devices that were sent to; not for replies to go: somebody may be about to send */
static void ring(struct worker *w)
{
	for (unsigned i = 0; i < w->nsent; i++)
		port_sent(w->sent[i], w->index);
	w->nsent = 0;
}

static void end_round(struct worker *w)
{
	if (w->replies.n)
		send_replies(w);
	ring(w);
	if (w->left)
		requests_wake(w->left);
	w->left = NULL;
}

void worker_left(struct worker *w, struct requests *r)
{
	if (w->left && w->left != r)
		requests_wake(w->left);
	w->left = r;
}

/* how_long() - milliseconds that this turn may sleep */
static int how_long(struct worker *w, int timeout_ms)
{
	uint64_t due = timers_next(&w->timers), now;

	if (w->active || !inbox_doze(w->inbox))
		return 0;
	if (due == UINT64_MAX)
		return timeout_ms;
	now = clock_now_ms();
	if (due <= now)
		return 0;
	due -= now;
	return timeout_ms >= 0 && (uint64_t)timeout_ms < due ? timeout_ms : (int)MIN_OF(due, 3600000u);
}

void worker_sent(struct worker *w, struct port_queue *q)
{
	for (unsigned i = w->nsent; i-- > 0;)
		if (w->sent[i] == q)
			return;
	if (w->nsent == OUT_LISTS)
		ring(w);
	w->sent[w->nsent++] = q;
}

static void tell_time(struct worker *w)
{
	w->now_ns = clock_now_ns();
	w->now_ms = w->now_ns / 1000000;
}

void worker_turn(struct worker *w, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int wait_ms = how_long(w, timeout_ms), n;

	if (wait_ms)
		urcu_qsbr_thread_offline();
	n = epoll_wait(w->poller.epoll, events, EVENTS, wait_ms);
	if (wait_ms)
		urcu_qsbr_thread_online();
	tell_time(w);
	w->snapshot = rcu_dereference(*w->current);
	for (int i = 0; i < n; i++) {
		struct watch *watch = poller_find(&w->poller, &events[i]);

		if (watch)
			watch->ready(w, watch, events[i].events);
	}
	read_inbox(w);
	for (unsigned busy = 0, idle = 0; w->active && busy < BUSY_ROUNDS && idle < IDLE_ROUNDS;) {
		if (queues_poll(w))
			busy++;
		else
			idle++;
		end_round(w);
	}
	timers_run(&w->timers, w->now_ms, TIMER_BUDGET);
	end_round(w);
	urcu_qsbr_quiescent_state();
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	char name[16];

	snprintf(name, sizeof(name), "worker-%u", w->index);
	pthread_setname_np(pthread_self(), name);
	urcu_qsbr_register_thread();
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed))
		worker_turn(w, -1);
	urcu_qsbr_unregister_thread();
	return NULL;
}

/* ---- life ---- */

struct worker *worker_new(unsigned index, struct snapshot **current)
{
	struct worker *w = calloc(1, sizeof(*w));
	uint8_t *space;

	if (!w)
		return NULL;
	w->index = index;
	w->current = current;
	tell_time(w);
	timers_init(&w->timers, w);
	w->inbox = inbox_new(INBOX_CELLS, sizeof(struct message));
	space = mmap(NULL, SPACE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	w->scratch = space == MAP_FAILED ? NULL : space;
	if (poller_init(&w->poller) < 0 || !w->inbox || !w->scratch || mprotect(space + SPACE - GUARD, GUARD, PROT_NONE) < 0)
		goto fail;
	w->rx = (struct rx_space){ space + BEFORE_RX, RX_SPACE };
	w->cut = w->scratch + WORKER_SCRATCH;
	w->linear = w->cut + OFFLOAD_ROOM;
	w->replies.room = w->linear + LINEAR;
	w->inbox_watch = (struct watch){ .ready = on_inbox, .fd = inbox_fd(w->inbox) };
	if (worker_watch(w, &w->inbox_watch, EPOLLIN | EPOLLET) < 0)
		goto fail;
	return w;
fail:
	worker_free(w);
	return NULL;
}

int worker_start(struct worker *w)
{
	int rc = pthread_create(&w->thread, NULL, worker_main, w);

	if (rc)
		return -rc;
	w->started = true;
	return 0;
}

static void stop_now(struct worker *w, void *arg)
{
	(void)arg;
	atomic_store_explicit(&w->stop, true, memory_order_relaxed);
}

void worker_stop(struct worker *w)
{
	if (!w->started)
		return;
	worker_post_surely(w, stop_now, NULL);
	pthread_join(w->thread, NULL);
	w->started = false;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->scratch)
		munmap(w->scratch, SPACE);
	inbox_free(w->inbox);
	poller_fini(&w->poller);
	timers_fini(&w->timers);
	free(w);
}

unsigned worker_index(const struct worker *w)
{
	return w->index;
}

uint64_t worker_now_ms(const struct worker *w)
{
	return w->now_ms;
}

const struct snapshot *worker_snapshot(const struct worker *w)
{
	return w->snapshot;
}

struct timers *worker_timers(struct worker *w)
{
	return &w->timers;
}

uint8_t *worker_scratch(struct worker *w)
{
	return w->scratch;
}

uint8_t *worker_cut_space(struct worker *w)
{
	return w->cut;
}

uint8_t *worker_linear_space(struct worker *w)
{
	return w->linear;
}

unsigned worker_emit(struct worker *w, uint32_t from, struct frame *frames, unsigned n)
{
	const struct snapshot *snap = w->snapshot;

	for (unsigned i = 0; i < n; i++)
		frames[i].copies = 0;
	if (from >= snap->nports || !snap->ports[from].port)
		return 0;
	return forward_made(w, &w->outbox, snap, &snap->ports[from], frames, n);
}

bool worker_emit_to(struct worker *w, uint32_t from, uint32_t to, struct frame *frame)
{
	const struct snapshot *snap = w->snapshot;

	frame->copies = 0;
	if (from >= snap->nports || !snap->ports[from].port || to >= snap->nports || !snap->ports[to].port)
		return false;
	return forward_made_to(w, &w->outbox, &snap->ports[from], &snap->ports[to], frame);
}
