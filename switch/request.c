// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/request.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/inbox.h"
#include "base/pace.h"
#include "switch/forward.h"
#include "switch/worker.h"

enum { GONE = PORT_IDS };

/* gone - the end of a port has a place of its own: it is told once, and a flood of other guests' requests must not lose it */
struct gone {
	uint32_t port, net_id;
	int32_t rc;
};

struct requests {
	struct inbox *inbox;
	struct inbox *gone;			/* asked together with the inbox, whose descriptor wakes for both */
	_Atomic uint32_t all;			/* waiting in inbox */
	_Atomic uint16_t waiting[PORT_IDS];	/* of them, by port id */
	_Atomic uint64_t paid_ns[PORT_IDS];	/* when all that the port posted would have come at its rate */
};

struct requests *requests_new(void)
{
	struct requests *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->inbox = inbox_new(REQUESTS, sizeof(struct request));
	r->gone = inbox_new(GONE, sizeof(struct gone));
	if (!r->inbox || !r->gone) {
		requests_free(r);
		return NULL;
	}
	return r;
}

void requests_free(struct requests *r)
{
	if (!r)
		return;
	inbox_free(r->inbox);
	inbox_free(r->gone);
	free(r);
}

static enum verdict post_gone(struct requests *r, const struct request *request)
{
	struct gone gone = { request->port, request->net_id, request->rc };

	if (!inbox_push(r->gone, &gone))
		return VERDICT_DROP_BUSY;
	inbox_wake(r->inbox);
	return VERDICT_FORWARDED;
}

/* post() - without waking anybody */
static enum verdict post(struct requests *r, const struct request *request)
{
	_Atomic uint16_t *waiting = &r->waiting[request->port % PORT_IDS];
	enum verdict v = VERDICT_FORWARDED;
	uint32_t all, own;

	all = atomic_fetch_add_explicit(&r->all, 1, memory_order_relaxed);
	own = atomic_fetch_add_explicit(waiting, 1, memory_order_relaxed);
	if (all < REQUESTS && own >= REQUESTS - all)
		v = VERDICT_DROP_QUOTA;
	else if (all >= REQUESTS || !inbox_put(r->inbox, request))
		v = VERDICT_DROP_BUSY;
	if (v != VERDICT_FORWARDED) {
		atomic_fetch_sub_explicit(waiting, 1, memory_order_relaxed);
		atomic_fetch_sub_explicit(&r->all, 1, memory_order_relaxed);
	}
	return v;
}

enum verdict request_post(struct requests *r, const struct request *request)
{
	enum verdict v;

	if (request->kind == REQUEST_PORT_GONE)
		return post_gone(r, request);
	v = post(r, request);
	if (v == VERDICT_FORWARDED)
		requests_wake(r);
	return v;
}

enum verdict request_leave(struct requests *r, struct worker *w, const struct request *request)
{
	enum verdict v = post(r, request);

	if (v == VERDICT_FORWARDED)
		worker_left(w, r);
	return v;
}

void requests_wake(struct requests *r)
{
	inbox_wake(r->inbox);
}

bool request_in_time(struct requests *r, uint32_t port, uint32_t per_s, uint64_t now_ms)
{
	enum { SECOND = 1000000000 };
	_Atomic uint64_t *at = &r->paid_ns[port % PORT_IDS];
	uint64_t now = now_ms * 1000000, paid = atomic_load_explicit(at, memory_order_relaxed), next;

	if (!per_s)
		return true;
	do {
		next = pace_next(paid, now, SECOND / per_s, SECOND);
		if (!next)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(at, &paid, next, memory_order_relaxed, memory_order_relaxed));
	return true;
}

bool request_take(struct requests *r, struct request *request)
{
	struct gone gone;

	if (inbox_pop(r->gone, &gone)) {
		*request = (struct request){ .kind = REQUEST_PORT_GONE, .port = gone.port, .net_id = gone.net_id, .rc = gone.rc };
		return true;
	}
	if (!inbox_pop(r->inbox, request))
		return false;
	atomic_fetch_sub_explicit(&r->waiting[request->port % PORT_IDS], 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&r->all, 1, memory_order_relaxed);
	return true;
}

int requests_fd(const struct requests *r)
{
	return inbox_fd(r->inbox);
}

bool requests_sleep(struct requests *r)
{
	return inbox_sleep(r->inbox) && inbox_sleep(r->gone);	/* in this order: see inbox_wake() */
}
