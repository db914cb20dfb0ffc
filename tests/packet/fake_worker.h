/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/fake_worker.h - switch/worker.h on a clock that the test moves, with real descriptors
 *
 * To be included by one file of a test: it defines the functions of switch/worker.h, so that the linker leaves the real worker
 * out. Emitted frames go to the test's taker; several workers may be made, all on the test's thread.
 */
#ifndef TESTS_FAKE_WORKER_H
#define TESTS_FAKE_WORKER_H

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "switch/frame.h"
#include "switch/request.h"
#include "switch/worker.h"

enum { FAKE_WATCHES = 32768, FAKE_POSTS = 1024 };

struct fake_post {
	void (*fn)(struct worker *w, void *arg);
	void *arg;
};

struct worker {
	unsigned index;
	int epoll;
	uint64_t now_ms;
	const struct snapshot *snapshot;
	struct timers timers;
	uint8_t *scratch;
	struct watch *watches[FAKE_WATCHES];
	uint32_t generations[FAKE_WATCHES];
	uint32_t nwatches;		/* slots ever used */
	uint32_t watched;		/* watches now */
	struct fake_post posts[FAKE_POSTS];
	unsigned nposts;
	bool full;			/* refuse posts */
	/* take() - a frame was emitted; Return: was it taken? */
	bool (*take)(void *context, struct worker *w, uint32_t from, const struct frame *frame);
	void *context;
};

struct worker *worker_new(unsigned index, struct snapshot **current)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->index = index;
	w->snapshot = *current;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->now_ms = 1000000;
	w->scratch = malloc(WORKER_SCRATCH);
	timers_init(&w->timers, w);
	return w;
}

void worker_free(struct worker *w)
{
	close(w->epoll);
	free(w->scratch);
	timers_fini(&w->timers);
	free(w);
}

/* fake_turn() - what is ready, what was posted, what is due. Return: how much of that there was */
static unsigned fake_turn(struct worker *w, int wait_ms)
{
	struct epoll_event events[64];
	int n = epoll_wait(w->epoll, events, 64, wait_ms);
	unsigned did = 0;

	for (int i = 0; i < n; i++) {
		uint32_t slot = (uint32_t)events[i].data.u64;

		if (!w->watches[slot] || w->generations[slot] != events[i].data.u64 >> 32)
			continue;
		w->watches[slot]->ready(w, w->watches[slot], events[i].events);
		did++;
	}
	for (unsigned i = 0; i < w->nposts; i++, did++)
		w->posts[i].fn(w, w->posts[i].arg);
	w->nposts = 0;
	if (timers_next(&w->timers) <= w->now_ms) {
		timers_run(&w->timers, w->now_ms, 1024);
		did++;
	}
	return did;
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

/* Tests look at frames before any port does. */
uint8_t *worker_cut_space(struct worker *w)
{
	(void)w;
	abort();
}

uint8_t *worker_linear_space(struct worker *w)
{
	(void)w;
	abort();
}

bool worker_post(struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg)
{
	if (w->full || w->nposts == FAKE_POSTS)
		return false;
	w->posts[w->nposts++] = (struct fake_post){ fn, arg };
	return true;
}

void worker_left(struct worker *w, struct requests *r)
{
	(void)w;
	requests_wake(r);
}

static int fake_epoll(struct worker *w, int op, struct watch *watch, uint32_t events)
{
	struct epoll_event ev = {
		.events = events, .data.u64 = (uint64_t)w->generations[watch->slot] << 32 | watch->slot,
	};

	watch->events = events;
	return epoll_ctl(w->epoll, op, watch->fd, &ev);
}

int worker_watch(struct worker *w, struct watch *watch, uint32_t events)
{
	uint32_t slot = 0;

	while (slot < w->nwatches && w->watches[slot])
		slot++;
	if (slot == FAKE_WATCHES)
		abort();
	if (slot == w->nwatches)
		w->nwatches++;
	w->watches[slot] = watch;
	watch->slot = slot;
	w->watched++;
	if (fake_epoll(w, EPOLL_CTL_ADD, watch, events) < 0)
		abort();
	return 0;
}

int worker_rewatch(struct worker *w, struct watch *watch, uint32_t events)
{
	return watch->events == events ? 0 : fake_epoll(w, EPOLL_CTL_MOD, watch, events);
}

void worker_forget(struct worker *w, struct watch *watch)
{
	if (w->watches[watch->slot] != watch)
		abort();
	w->watches[watch->slot] = NULL;
	w->generations[watch->slot]++;
	w->watched--;
}

void worker_unwatch(struct worker *w, struct watch *watch)
{
	if (w->watches[watch->slot] != watch)
		abort();
	if (epoll_ctl(w->epoll, EPOLL_CTL_DEL, watch->fd, NULL) < 0)
		abort();
	worker_forget(w, watch);
}

unsigned worker_emit(struct worker *w, uint32_t from, struct frame *frames, unsigned n)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < n; i++) {
		frames[i].copies = w->take && w->take(w->context, w, from, &frames[i]);
		taken += frames[i].copies;
	}
	return taken;
}

#endif
