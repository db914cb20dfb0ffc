// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/validation.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "dhcp/dns_message.h"
#include "dhcp/dns_opt.h"

enum { RESTART_S = 1, DOMAINS_TEXT = 80000, AT_ONCE = 64 };

struct ask {
	TAILQ_ENTRY(ask) link;		/* by when its time is over */
	uint32_t number;
	uint64_t until_ms;
	validation_fn *fn;
	void *arg;
	uint16_t type;
	struct dns_name name;
};

TAILQ_HEAD(asks, ask);

/* served - a question of the validator that is with the resolvers. It outlives whoever asked, and both of them the other way round. */
struct served {
	LIST_ENTRY(served) link;
	struct validation *v;		/* NULL: nobody waits for it any more */
	uint32_t number;
};

struct validation {
	struct event_base *base;
	struct upstream *upstream;
	validation_start_fn *start;
	void *start_arg;
	char *anchors;			/* NULL: not configured yet */
	int fd;				/* -1: no validator runs */
	unsigned generation;		/* of the resolvers that it knows of */
	struct event *readable, *restart, *late;
	struct asks asks;
	unsigned nasks;
	uint32_t last;			/* number given */
	LIST_HEAD(, served) served;
	char trouble[VALIDATOR_WHY];	/* empty: none */
	struct validation_stats stats;
};

static uint8_t message[VALIDATOR_MESSAGE_MAX];		/* one thread; what was built is sent before anything else is */

/* ---- questions ---- */

static void finish(struct validation *v, struct ask *a, const struct validator_verdict *verdict)
{
	validation_fn *fn = a->fn;
	void *arg = a->arg;

	TAILQ_REMOVE(&v->asks, a, link);
	v->nasks--;
	free(a);
	fn(arg, verdict);
}

/* finish_all() - those that wait now: a callback may ask again, and has failed at once then */
static void finish_all(struct validation *v)
{
	for (unsigned n = v->nasks; n && !TAILQ_EMPTY(&v->asks); n--) {
		v->stats.failed++;
		finish(v, TAILQ_FIRST(&v->asks), NULL);
	}
}

/* wait_for_first() - the time of the one that came first is over first */
static void wait_for_first(struct validation *v)
{
	const struct ask *a = TAILQ_FIRST(&v->asks);
	uint64_t now = clock_now_ms(), ms = a && a->until_ms > now ? a->until_ms - now : 0;
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	if (a)
		evtimer_add(v->late, &tv);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	static const struct validator_verdict nobody = { .state = VALIDATOR_FAILED, .why = "the time for it was over" };
	struct validation *v = arg;
	struct ask *a;

	(void)fd, (void)what;
	while ((a = TAILQ_FIRST(&v->asks)) && clock_now_ms() >= a->until_ms) {
		v->stats.failed++;
		finish(v, a, &nobody);
	}
	wait_for_first(v);
}

static int send_ask(struct validation *v, struct ask *a)
{
	size_t n;

	a->number = ++v->last;
	n = validator_write_ask(message, a->number, a->type, &a->name);
	return send(v->fd, message, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n ? 0 : -errno;
}

int validation_ask(struct validation *v, const struct dns_query *q, validation_fn *fn, void *arg)
{
	struct ask *a;

	if (v->nasks >= VALIDATION_ASKS_MAX)
		return -ENOBUFS;
	if (v->fd < 0) {
		v->stats.failed++;
		fn(arg, NULL);
		return 0;
	}
	a = malloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct ask){ .fn = fn, .arg = arg, .type = q->type, .name = q->name, .until_ms = clock_now_ms() + VALIDATION_PATIENCE_MS };
	if (send_ask(v, a) < 0) {
		free(a);
		return -ENOBUFS;
	}
	TAILQ_INSERT_TAIL(&v->asks, a, link);
	v->nasks++;
	if (TAILQ_FIRST(&v->asks) == a)
		wait_for_first(v);
	return 0;
}

/* ---- what the validator says ---- */

static void count(struct validation *v, enum validator_state state)
{
	uint64_t *const counts[VALIDATOR_STATES] = { &v->stats.insecure, &v->stats.bogus, &v->stats.secure, &v->stats.failed };

	++*counts[state];
}

static int take_verdict(struct validation *v, const struct validator_message *m)
{
	struct validator_verdict verdict;
	struct ask *a;

	if (validator_read_verdict(m, &verdict) < 0)
		return -EPROTO;
	TAILQ_FOREACH(a, &v->asks, link)
		if (a->number == m->number)
			break;
	if (!a)
		return 0;		/* its time was over, or it is asked anew */
	count(v, verdict.state);
	if (verdict.state == VALIDATOR_SECURE)
		v->trouble[0] = '\0';
	finish(v, a, &verdict);
	return 0;
}

static void on_resolved(void *arg, const uint8_t *reply, size_t size)
{
	struct served *s = arg;
	struct validation *v = s->v;
	size_t n;

	if (v) {
		LIST_REMOVE(s, link);
		n = validator_write(message, VALIDATOR_ANSWER, s->number, reply, reply ? size : 0);
		if (n && v->fd >= 0)
			(void)!send(v->fd, message, n, MSG_DONTWAIT | MSG_NOSIGNAL);	/* one that is lost is asked for again */
	}
	free(s);
}

/* take_query() - the names that it needs: keys and delegations besides what guests ask. Signatures are large: all of an answer is wanted. */
static int take_query(struct validation *v, const struct validator_message *m)
{
	struct served *s = m->size <= UPSTREAM_QUERY_MAX ? malloc(sizeof(*s)) : NULL;
	uint8_t query[UPSTREAM_QUERY_MAX];

	if (!s)
		return m->size <= UPSTREAM_QUERY_MAX ? 0 : -EPROTO;
	*s = (struct served){ .v = v, .number = m->number };
	LIST_INSERT_HEAD(&v->served, s, link);
	memcpy(query, m->body, m->size);
	if (upstream_query(v->upstream, UPSTREAM_OWNER_SELF, query, dns_opt_own(query, m->size), true, on_resolved, s) < 0) {
		LIST_REMOVE(s, link);
		free(s);
	}
	return 0;
}

static void take_ready(struct validation *v, const struct validator_message *m)
{
	validator_text(v->trouble, m->body, m->size);
	if (v->trouble[0])
		log_warn("event=dnssec-unusable reason=\"%s\"", v->trouble);
}

static int take(struct validation *v, size_t size)
{
	static uint8_t copy[VALIDATOR_MESSAGE_MAX];		/* answering builds others */
	struct validator_message m;

	memcpy(copy, message, size);
	if (validator_read(&m, copy, size) < 0)
		return -EPROTO;
	switch (m.kind) {
	case VALIDATOR_VERDICT:
		return take_verdict(v, &m);
	case VALIDATOR_QUERY:
		return take_query(v, &m);
	case VALIDATOR_READY:
		take_ready(v, &m);
		return 0;
	default:
		return -EPROTO;
	}
}

/* ---- its life ---- */

/* forget_served() - answers that still come are for nobody */
static void forget_served(struct validation *v)
{
	struct served *s;

	while ((s = LIST_FIRST(&v->served))) {
		LIST_REMOVE(s, link);
		s->v = NULL;
	}
}

static void hang_up(struct validation *v)
{
	if (v->readable)
		event_free(v->readable);
	v->readable = NULL;
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
	forget_served(v);
}

static void restart_later(struct validation *v)
{
	const struct timeval tv = { .tv_sec = RESTART_S };

	evtimer_add(v->restart, &tv);
}

static void lost(struct validation *v)
{
	hang_up(v);
	v->stats.restarts++;
	snprintf(v->trouble, sizeof(v->trouble), "the validator ended; it is started again");
	log_warn("event=validator-ended restarts=%llu", (unsigned long long)v->stats.restarts);
	restart_later(v);
	finish_all(v);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct validation *v = arg;

	(void)what;
	for (unsigned i = 0; i < AT_ONCE && v->fd == fd; i++) {
		ssize_t n = recv(fd, message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0 || (size_t)n > sizeof(message) || take(v, (size_t)n) < 0) {
			lost(v);
			return;
		}
	}
}

struct text {
	char *at;
	size_t size, room;
};

static void add_domain(void *arg, const struct dns_name *domain)
{
	char name[DNS_NAME_TEXT];
	struct text *t = arg;
	int n = domain->size > 1 ? snprintf(t->at + t->size, t->room - t->size, "insecure %s\n", dns_name_to_text(domain, name)) : 0;

	if (n > 0 && (size_t)n < t->room - t->size)
		t->size += (size_t)n;
	t->at[t->size] = '\0';
}

/* settings() - for the validator, to be freed; NULL without memory */
static char *settings(const struct validation *v)
{
	struct text t = { .room = strlen(v->anchors) + DOMAINS_TEXT };

	t.at = malloc(t.room);
	if (!t.at)
		return NULL;
	t.size = (size_t)sprintf(t.at, "%s", v->anchors);
	upstream_each_domain(v->upstream, add_domain, &t);
	return t.at;
}

static int send_settings(struct validation *v)
{
	char *text = settings(v);
	size_t n = text ? validator_write(message, VALIDATOR_SETTINGS, 0, text, strlen(text)) : 0;
	int rc = n && send(v->fd, message, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n ? 0 : -EIO;

	free(text);
	return rc;
}

/* run() - have one that knows these settings. Return: 0 or negative errno */
static int run(struct validation *v)
{
	if (v->fd < 0) {
		v->fd = v->start(v->start_arg);
		if (v->fd < 0)
			return v->fd;
		v->readable = event_new(v->base, v->fd, EV_READ | EV_PERSIST, on_readable, v);
		if (!v->readable || event_add(v->readable, NULL) < 0)
			return -ENOMEM;
	}
	forget_served(v);
	v->generation = upstream_generation(v->upstream);
	return send_settings(v);
}

static void begin_anew(struct validation *v)
{
	struct ask *a;
	int rc = v->anchors ? run(v) : 0;

	if (rc < 0) {
		hang_up(v);
		snprintf(v->trouble, sizeof(v->trouble), "the validator cannot be started: %s", strerror(-rc));
		restart_later(v);
		finish_all(v);
		return;
	}
	v->trouble[0] = '\0';
	TAILQ_FOREACH(a, &v->asks, link)
		(void)send_ask(v, a);		/* one that is lost has its time over */
}

void validation_follow(struct validation *v)
{
	if (v->fd >= 0 && upstream_generation(v->upstream) != v->generation)
		begin_anew(v);
}

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	begin_anew(arg);
}

/* rest() - until there are keys */
static void rest(struct validation *v)
{
	free(v->anchors);
	v->anchors = NULL;
	hang_up(v);
	event_del(v->restart);
	finish_all(v);
}

int validation_configure(struct validation *v, const char *anchors)
{
	char *copy = anchors ? strdup(anchors) : NULL;

	if (anchors && !copy)
		return -ENOMEM;
	if (!copy) {
		rest(v);
		return 0;
	}
	if (v->anchors && !strcmp(v->anchors, copy)) {
		free(copy);
		return 0;
	}
	free(v->anchors);
	v->anchors = copy;
	begin_anew(v);
	return 0;
}

struct validation *validation_new(struct event_base *base, struct upstream *upstream, validation_start_fn *start, void *arg)
{
	struct validation *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	*v = (struct validation){ .base = base, .upstream = upstream, .start = start, .start_arg = arg, .fd = -1 };
	TAILQ_INIT(&v->asks);
	LIST_INIT(&v->served);
	v->restart = evtimer_new(base, on_restart, v);
	v->late = evtimer_new(base, on_late, v);
	if (v->restart && v->late)
		return v;
	validation_free(v);
	errno = ENOMEM;
	return NULL;
}

void validation_free(struct validation *v)
{
	if (!v)
		return;
	hang_up(v);
	finish_all(v);
	if (v->restart)
		event_free(v->restart);
	if (v->late)
		event_free(v->late);
	free(v->anchors);
	free(v);
}

const char *validation_trouble(const struct validation *v)
{
	return v->trouble[0] ? v->trouble : NULL;
}

const struct validation_stats *validation_stats(const struct validation *v)
{
	return &v->stats;
}
