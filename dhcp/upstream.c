// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/upstream.h"

#include <errno.h>
#include <event2/event.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/array.h"
#include "base/clock.h"
#include "dhcp/dns.h"
#include "dhcp/dns_message.h"
#include "dhcp/resolvers.h"
#include "dhcp/upstream_owner.h"
#include "dhcp/upstream_try.h"

enum {
	TRIES_MAX = 4,			/* one a second: a guest gives up itself after five */
	TRY_MS = 1000,			/* unless set otherwise */
	PREFER_MS = 30000,		/* how long a resolver that had to step in is asked first */
};

struct pending {
	struct upstream *u;
	struct owner *owner;
	upstream_fn *fn;
	void *arg;
	struct event *timer;
	struct dns_query q;
	struct try_question question;
	unsigned generation;		/* of the resolver list that the tries speak of */
	unsigned start;			/* place in it of the first one asked */
	unsigned ntries;
	unsigned failed;		/* bit per resolver that said it cannot help */
	struct try try[TRIES_MAX];
	TAILQ_ENTRY(pending) link;
	size_t size;
	uint8_t data[];			/* the guest's query */
};

TAILQ_HEAD(pending_list, pending);

struct upstream {
	struct event_base *base;
	struct resolvers resolvers;
	char device[IFNAMSIZ];		/* what queries go out by, or "" */
	struct timeval patience;	/* how long one try may take */
	unsigned first;			/* resolver to ask first */
	uint64_t first_until_ms;
	struct pending_list pending;
	unsigned npending;
	struct owner *owners;
	struct upstream_stats stats;
};

struct upstream *upstream_new(struct event_base *base, const char *resolv_path)
{
	struct upstream *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->base = base;
	upstream_set_patience(u, TRY_MS);
	TAILQ_INIT(&u->pending);
	resolvers_init(&u->resolvers, resolv_path);
	return u;
}

void upstream_set_open(struct upstream *u, int (*open)(void *arg, const char *path), void *arg)
{
	u->resolvers.open = open;
	u->resolvers.open_arg = arg;
}

int upstream_set_resolvers(struct upstream *u, const char *const *addresses, unsigned n)
{
	return resolvers_set(&u->resolvers, addresses, n);
}

void upstream_set_device(struct upstream *u, const char *ifname)
{
	if (strcmp(u->device, ifname))
		u->resolvers.generation++;	/* the same addresses may be others by there */
	snprintf(u->device, sizeof(u->device), "%s", ifname);
}

void upstream_set_patience(struct upstream *u, unsigned ms)
{
	u->patience = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

unsigned upstream_pending(const struct upstream *u)
{
	return u->npending;
}

const struct upstream_stats *upstream_stats(const struct upstream *u)
{
	return &u->stats;
}

static void pending_free(struct pending *p)
{
	struct upstream *u = p->u;

	for (unsigned i = 0; i < p->ntries; i++)
		try_close(&p->try[i]);
	if (p->timer)
		event_free(p->timer);
	TAILQ_REMOVE(&u->pending, p, link);
	u->npending--;
	p->owner->npending--;
	owner_put(&u->owners, p->owner);
	free(p);
}

/* finish() - hand the answer over, if there is one; @p is gone then, so that the callback finds its place free
 * again
 */
static void finish(struct pending *p, const uint8_t *reply, size_t size)
{
	upstream_fn *fn = p->fn;
	void *arg = p->arg;

	pending_free(p);
	fn(arg, reply, size);
}

void upstream_free(struct upstream *u)
{
	if (!u)
		return;
	while (!TAILQ_EMPTY(&u->pending))
		finish(TAILQ_FIRST(&u->pending), NULL, 0);
	free(u);
}

void upstream_cancel(struct upstream *u, uint64_t owner)
{
	struct pending *p, *next;

	for (p = TAILQ_FIRST(&u->pending); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->owner->key == owner)
			finish(p, NULL, 0);
	}
}

static void fail(struct pending *p)
{
	uint8_t reply[DNS_UDP_MAX];
	size_t size = dns_servfail(p->data, p->size, reply, sizeof(reply));

	p->u->stats.failures++;
	finish(p, reply, size);
}

/* next_resolver() - whom to ask now, or -1 when every one has said that it cannot help */
static int next_resolver(const struct pending *p)
{
	const struct upstream *u = p->u;
	unsigned n = u->resolvers.n;

	for (unsigned i = 0; i < n; i++) {
		unsigned at = (p->start + p->ntries + i) % n;

		if (!(p->failed & 1u << at))
			return (int)at;
	}
	return -1;
}

/* ask() - send to the next resolver that may help, and give it a second; when there is none left, @p is over */
static void ask(struct pending *p)
{
	const struct timeval *patience = &p->u->patience;

	while (p->ntries < TRIES_MAX) {
		int at = next_resolver(p);
		struct try *t = &p->try[p->ntries];

		if (at < 0)
			break;
		*t = (struct try){ .arg = p, .fd = -1, .resolver = (unsigned)at, .to = p->u->resolvers.list[at] };
		p->ntries++;
		if (try_send(t, &p->question) == 0 && evtimer_add(p->timer, patience) == 0)
			return;
		try_close(t);
		p->failed |= 1u << at;
	}
	fail(p);
}

/* step_aside() - this resolver did not answer: others begin with the next one for a while */
static void step_aside(struct upstream *u, const struct try *t)
{
	const struct pending *p = t->arg;

	if (p->generation != u->resolvers.generation || t->resolver != u->first || u->resolvers.n < 2)
		return;
	u->first = (u->first + 1) % u->resolvers.n;
	u->first_until_ms = clock_now_ms() + PREFER_MS;
}

static void update_resolvers(struct upstream *u)
{
	uint64_t now_ms = clock_now_ms();
	unsigned generation = u->resolvers.generation;

	resolvers_update(&u->resolvers, now_ms);
	if (generation != u->resolvers.generation || now_ms >= u->first_until_ms)
		u->first = 0;
}

/* The list may have changed since the query began; then places in it mean nothing any more, and it begins anew. */
static void follow_list(struct pending *p)
{
	update_resolvers(p->u);
	if (p->generation == p->u->resolvers.generation)
		return;
	p->generation = p->u->resolvers.generation;
	p->start = p->u->first;
	p->failed = 0;
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct pending *p = arg;

	(void)fd;
	(void)what;
	step_aside(p->u, &p->try[p->ntries - 1]);
	if (p->ntries == TRIES_MAX) {
		fail(p);
		return;
	}
	follow_list(p);
	ask(p);
}

static void on_failed(struct try *t)
{
	struct pending *p = t->arg;

	step_aside(p->u, t);
	try_close(t);
	if (p->generation == p->u->resolvers.generation)
		p->failed |= 1u << t->resolver;
	follow_list(p);
	/* An older try that fails while a newer one has its second changes nothing. */
	if (t == &p->try[p->ntries - 1])
		ask(p);
}

/* cannot_help() - a resolver that fails or refuses, while another may know more */
static bool cannot_help(const struct pending *p, const uint8_t *reply)
{
	unsigned rcode = get_u16(reply + 2) & DNS_RCODE_MASK;
	unsigned left = p->u->resolvers.n - (unsigned)__builtin_popcount(p->failed);

	return (rcode == DNS_SERVFAIL || rcode == DNS_REFUSED || rcode == DNS_NOTIMP) && left > 1 &&
	       p->ntries < TRIES_MAX;
}

static void on_answered(struct try *t, const uint8_t *reply, size_t size)
{
	struct pending *p = t->arg;

	if (cannot_help(p, reply)) {
		on_failed(t);
		return;
	}
	p->u->stats.answers++;
	finish(p, reply, size);
}

static struct pending *pending_new(struct upstream *u, struct owner *o, const struct dns_query *q,
				   const uint8_t *data, size_t size, bool whole)
{
	struct pending *p = calloc(1, sizeof(*p) + size);

	if (!p)
		return NULL;
	p->timer = evtimer_new(u->base, on_timeout, p);
	if (!p->timer) {
		free(p);
		return NULL;
	}
	p->u = u;
	p->owner = o;
	p->q = *q;
	p->generation = u->resolvers.generation;
	p->start = u->first;
	p->size = size;
	memcpy(p->data, data, size);
	p->question = (struct try_question){
		.base = u->base, .data = p->data, .size = size, .q = &p->q, .whole = whole, .device = u->device,
		.mismatches = &u->stats.mismatches, .answered = on_answered, .failed = on_failed,
	};
	TAILQ_INSERT_TAIL(&u->pending, p, link);
	u->npending++;
	o->npending++;
	return p;
}

/* What was said of resolvers under the old routes counts no more; a query that waits is asked once more, by the new ones. */
void upstream_host_changed(struct upstream *u)
{
	struct pending *p = TAILQ_FIRST(&u->pending), *next;

	resolvers_hurry(&u->resolvers);
	u->resolvers.generation++;	/* the same addresses may be others by the new routes */
	update_resolvers(u);
	u->first = 0;
	for (unsigned n = u->npending; p && n; n--, p = next) {	/* no further: callbacks may add queries at the end */
		next = TAILQ_NEXT(p, link);
		follow_list(p);
		p->failed = 0;
		if (p->ntries < TRIES_MAX)
			ask(p);
	}
}

bool upstream_is_mute(struct upstream *u)
{
	bool any = false;

	update_resolvers(u);
	for (unsigned i = 0; i < u->resolvers.n; i++)
		any |= resolver_may(&u->resolvers.list[i], u->device);
	return u->resolvers.n && !any;
}

unsigned upstream_generation(struct upstream *u)
{
	update_resolvers(u);
	return u->resolvers.generation;
}

int upstream_query(struct upstream *u, uint64_t owner, const uint8_t *data, size_t size, bool whole, upstream_fn *fn, void *arg)
{
	struct dns_query q;
	struct pending *p;
	struct owner *o;

	if (size > UPSTREAM_QUERY_MAX || dns_query_parse(&q, data, size) < 0)
		return -EBADMSG;
	if (u->npending >= UPSTREAM_PENDING_MAX) {
		u->stats.refused++;
		return -ENOBUFS;
	}
	o = owner_get(&u->owners, owner);
	if (!o)
		return -ENOMEM;
	if (o->npending >= UPSTREAM_OWNER_MAX) {
		u->stats.refused++;
		return -EDQUOT;
	}
	update_resolvers(u);
	p = pending_new(u, o, &q, data, size, whole);
	if (!p) {
		owner_put(&u->owners, o);
		return -ENOMEM;
	}
	p->fn = fn;
	p->arg = arg;
	u->stats.queries++;
	ask(p);
	return 0;
}
