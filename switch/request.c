// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/request.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/inbox.h"
#include "switch/forward.h"

enum { REQUESTS = 256, GONE = PORT_IDS };

/* gone - the end of a port has a place of its own: it is told once, and a flood of other guests' requests must not lose it */
struct gone {
	uint32_t port, net_id;
	int32_t rc;
};

struct requests {
	struct inbox *inbox;
	struct inbox *gone;			/* asked together with the inbox, whose descriptor wakes for both */
	_Atomic uint16_t waiting[PORT_IDS];	/* by port id */
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

enum verdict request_post(struct requests *r, const struct request *request)
{
	_Atomic uint16_t *waiting = &r->waiting[request->port % PORT_IDS];
	enum verdict v = VERDICT_FORWARDED;

	if (request->kind == REQUEST_PORT_GONE)
		return post_gone(r, request);
	if (atomic_fetch_add_explicit(waiting, 1, memory_order_relaxed) >= REQUESTS_PER_PORT)
		v = VERDICT_DROP_QUOTA;
	else if (!inbox_push(r->inbox, request))
		v = VERDICT_DROP_BUSY;
	if (v != VERDICT_FORWARDED)
		atomic_fetch_sub_explicit(waiting, 1, memory_order_relaxed);
	return v;
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
