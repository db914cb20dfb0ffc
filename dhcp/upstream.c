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
	TRIES_MAX = RESOLVERS_MAX,
	TRY_MS = 1000,			/* unless set otherwise */
	TRIES_LONG = 4,			/* so many fit into the time of a query: a guest gives up itself after five seconds */
	PREFER_MS = 30000,		/* how long a resolver that had to step in is asked first */
};

struct pending {
	struct upstream *u;
	struct owner *owner;
	upstream_fn *fn;
	void *arg;
	struct event *timer;
	uint64_t until_ms;		/* it has failed then */
	struct dns_query q;
	struct dns_name name;		/* lower-case */
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
	unsigned patience_ms;		/* how long one try may take */
	struct pending_list pending;
	unsigned npending;
	unsigned share;			/* of one owner */
	bool case_random;
	struct owner *owners;
	struct upstream_stats stats;
};

struct upstream *upstream_new(struct event_base *base, const char *resolv_path)
{
	struct upstream *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->base = base;
	u->share = UPSTREAM_OWNER_MAX;
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

void upstream_set_watched(struct upstream *u, const char *path)
{
	u->resolvers.watched = path;
}

int upstream_set_resolvers(struct upstream *u, const char *const *addresses, unsigned n)
{
	return resolvers_set(&u->resolvers, addresses, n);
}

int upstream_set_routes(struct upstream *u, const char *text)
{
	return resolvers_set_routes(&u->resolvers, text);
}

void upstream_set_device(struct upstream *u, const char *ifname)
{
	if (strcmp(u->device, ifname))
		u->resolvers.generation++;	/* the same addresses may be others by there */
	snprintf(u->device, sizeof(u->device), "%s", ifname);
}

void upstream_set_patience(struct upstream *u, unsigned ms)
{
	u->patience_ms = ms;
}

void upstream_set_share(struct upstream *u, unsigned n)
{
	u->share = MIN_OF(n, (unsigned)UPSTREAM_PENDING_MAX / 2);
}

void upstream_set_case_random(struct upstream *u, bool on)
{
	u->case_random = on;
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
	resolvers_fini(&u->resolvers);
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

/* set_of() - who may be asked; as of now, for what was a moment ago may be freed */
static struct resolver_set *set_of(const struct pending *p)
{
	return resolvers_for(&p->u->resolvers, &p->name);
}

/* next_resolver() - whom to ask now, or -1 when every one has said that it cannot help */
static int next_resolver(const struct pending *p)
{
	unsigned n = set_of(p)->n;

	for (unsigned i = 0; i < n; i++) {
		unsigned at = (p->start + p->ntries + i) % n;

		if (!(p->failed & 1u << at))
			return (int)at;
	}
	return -1;
}

/* start_clock() - as long as somebody has not been asked yet, a try gets less than half the time: who is dead costs little, and a late answer
 * is one still (DNS-19). Return: 0 or -1 */
static int start_clock(const struct pending *p)
{
	uint64_t now_ms = clock_now_ms();
	uint64_t ms = p->ntries < set_of(p)->n ? p->u->patience_ms * 2 / 5 : p->u->patience_ms;
	struct timeval tv;

	ms = now_ms >= p->until_ms ? 0 : MIN_OF(ms, p->until_ms - now_ms);
	tv = (struct timeval){ .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	return evtimer_add(p->timer, &tv);
}

/* ask() - send to the next resolver that may help, and give it its time; when there is none left, @p is over */
static void ask(struct pending *p)
{
	while (p->ntries < TRIES_MAX) {
		int at = next_resolver(p);
		struct try *t = &p->try[p->ntries];

		if (at < 0)
			break;
		*t = (struct try){ .arg = p, .fd = -1, .resolver = (unsigned)at, .to = set_of(p)->list[at] };
		p->ntries++;
		if (try_send(t, &p->question) == 0 && start_clock(p) == 0)
			return;
		try_close(t);
		p->failed |= 1u << at;
	}
	fail(p);
}

/* step_aside() - this resolver did not answer: others begin with the next one for a while */
static void step_aside(const struct try *t)
{
	const struct pending *p = t->arg;
	struct resolver_set *set = set_of(p);

	if (p->generation != p->u->resolvers.generation || t->resolver != set->first || set->n < 2)
		return;
	set->first = (set->first + 1) % set->n;
	set->first_until_ms = clock_now_ms() + PREFER_MS;
}

static void update_resolvers(struct upstream *u)
{
	resolvers_update(&u->resolvers, clock_now_ms());
}

/* begin_with() - the first of the list again, once those that had to step in have done so long enough */
static unsigned begin_with(const struct pending *p)
{
	struct resolver_set *set = set_of(p);

	if (clock_now_ms() >= set->first_until_ms)
		set->first = 0;
	return set->first;
}

/* The list may have changed since the query began; then places in it mean nothing any more, and it begins anew. */
static void follow_list(struct pending *p)
{
	update_resolvers(p->u);
	if (p->generation == p->u->resolvers.generation)
		return;
	p->generation = p->u->resolvers.generation;
	p->start = begin_with(p);
	p->failed = 0;
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct pending *p = arg;

	(void)fd;
	(void)what;
	step_aside(&p->try[p->ntries - 1]);
	if (p->ntries == TRIES_MAX || clock_now_ms() >= p->until_ms) {
		fail(p);
		return;
	}
	follow_list(p);
	ask(p);
}

static void on_failed(struct try *t)
{
	struct pending *p = t->arg;

	step_aside(t);
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
	unsigned left = set_of(p)->n - (unsigned)__builtin_popcount(p->failed);

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
	p->name = q->name;
	dns_name_lower(&p->name);
	p->generation = u->resolvers.generation;
	p->start = begin_with(p);
	p->until_ms = clock_now_ms() + TRIES_LONG * u->patience_ms;
	p->size = size;
	memcpy(p->data, data, size);
	p->question = (struct try_question){
		.base = u->base, .data = p->data, .size = size, .q = &p->q, .whole = whole, .device = u->device,
		.case_random = u->case_random, .mismatches = &u->stats.mismatches, .answered = on_answered, .failed = on_failed,
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
	for (unsigned n = u->npending; p && n; n--, p = next) {	/* no further: callbacks may add queries at the end */
		next = TAILQ_NEXT(p, link);
		follow_list(p);
		p->failed = 0;
		if (p->ntries < TRIES_LONG)
			ask(p);
	}
}

bool upstream_is_mute(struct upstream *u)
{
	bool any = false;

	update_resolvers(u);
	for (unsigned i = 0; i < u->resolvers.set.n; i++)
		any |= resolver_may(&u->resolvers.set.list[i], u->device);
	return u->resolvers.set.n && !any;
}

unsigned upstream_generation(struct upstream *u)
{
	update_resolvers(u);
	return u->resolvers.generation;
}

size_t upstream_domain(struct upstream *u, const struct dns_name *name)
{
	struct dns_name lower = *name;

	dns_name_lower(&lower);
	return resolvers_domain(&u->resolvers, &lower);
}

void upstream_describe(struct upstream *u, const struct dns_name *name, char *to, size_t room)
{
	struct dns_name lower = *name;
	struct resolver_set *set;
	char text[RESOLVER_TEXT_MAX];
	size_t n = 0;

	dns_name_lower(&lower);
	update_resolvers(u);
	set = resolvers_for(&u->resolvers, &lower);
	to[0] = '\0';
	for (unsigned i = 0; i < set->n && n < room; i++)
		n += (size_t)snprintf(to + n, room - n, "%s%s", i ? ", " : "", resolver_format(&set->list[(set->first + i) % set->n], text));
}

void upstream_each_domain(struct upstream *u, void (*fn)(void *arg, const struct dns_name *domain), void *arg)
{
	update_resolvers(u);
	resolvers_each_domain(&u->resolvers, fn, arg);
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
	if (o->npending >= (owner == UPSTREAM_OWNER_SELF ? UPSTREAM_PENDING_MAX / 2 : u->share)) {
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
