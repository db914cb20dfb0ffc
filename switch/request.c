// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/request.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/inbox.h"
#include "switch/forward.h"

enum { REQUESTS = 256 };

struct requests {
	struct inbox *inbox;
	_Atomic uint16_t waiting[PORT_IDS];	/* by port id */
};

struct requests *requests_new(void)
{
	struct requests *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->inbox = inbox_new(REQUESTS, sizeof(struct request));
	if (!r->inbox) {
		free(r);
		return NULL;
	}
	return r;
}

void requests_free(struct requests *r)
{
	if (!r)
		return;
	inbox_free(r->inbox);
	free(r);
}

/* A port that is gone is told even when its guest's flood fills the port's share. */
enum verdict request_post(struct requests *r, const struct request *request)
{
	_Atomic uint16_t *waiting = &r->waiting[request->port % PORT_IDS];
	uint16_t n = atomic_fetch_add_explicit(waiting, 1, memory_order_relaxed);
	enum verdict v = VERDICT_FORWARDED;

	if (n >= REQUESTS_PER_PORT && request->kind != REQUEST_PORT_GONE)
		v = VERDICT_DROP_QUOTA;
	else if (!inbox_push(r->inbox, request))
		v = VERDICT_DROP_BUSY;
	if (v != VERDICT_FORWARDED)
		atomic_fetch_sub_explicit(waiting, 1, memory_order_relaxed);
	return v;
}

bool request_take(struct requests *r, struct request *request)
{
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
	return inbox_sleep(r->inbox);
}
