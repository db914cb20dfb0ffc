// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/flow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/hash.h"
#include "nat/budget.h"
#include "nat/forward.h"
#include "nat/fragment.h"
#include "nat/hostport.h"
#include "nat/shard.h"
#include "nat/tcp.h"

enum { CHUNK_FLOWS = 32, FIRST_BUCKETS = 64, FLOWS_DEFAULT = 65536 };

struct chunk {
	struct chunk *next;
	struct flow flows[CHUNK_FLOWS];
};

/* ---- table ---- */

static uint64_t key_hash(const struct flow_key *k)
{
	uint64_t b = (uint64_t)k->guest_port << 48 | (uint64_t)k->remote_port << 32 | (k->port ^ (uint32_t)k->proto << 24);

	return hash_u64(b, addr_hash(k->remote, addr_hash(k->guest, hash_seed())));
}

static bool key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return a->port == b->port && addr_equal(a->guest, b->guest) && addr_equal(a->remote, b->remote) &&
	       a->guest_port == b->guest_port && a->remote_port == b->remote_port && a->proto == b->proto;
}

static struct flow **bucket(const struct nat_shard *s, const struct flow_key *key)
{
	return &s->buckets[key_hash(key) & (s->nbuckets - 1)];
}

struct flow *flow_find(const struct nat_shard *s, const struct flow_key *key)
{
	struct flow *f = s->nbuckets ? *bucket(s, key) : NULL;

	while (f && !key_equal(&f->key, key))
		f = f->next;
	return f;
}

/* more_buckets() - keep chains short. Without memory they grow, as long as there are any. */
static bool more_buckets(struct nat_shard *s)
{
	uint32_t n = s->nbuckets ? 2 * s->nbuckets : FIRST_BUCKETS, old_n = s->nbuckets;
	struct flow **old = s->buckets, **buckets = calloc(n, sizeof(*buckets));

	if (!buckets)
		return old_n > 0;
	s->buckets = buckets;
	s->nbuckets = n;
	for (uint32_t i = 0; i < old_n; i++) {
		for (struct flow *f = old[i], *next; f; f = next) {
			next = f->next;
			f->next = *bucket(s, &f->key);
			*bucket(s, &f->key) = f;
		}
	}
	free(old);
	return true;
}

static void unhash(struct flow *f)
{
	struct flow **at = bucket(f->shard, &f->key);

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
}

static struct flow *take_memory(struct nat_shard *s)
{
	struct chunk *c;
	struct flow *f;

	if (!s->free) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return NULL;
		c->next = s->chunks;
		s->chunks = c;
		for (unsigned i = 0; i < CHUNK_FLOWS; i++) {
			c->flows[i].next = s->free;
			s->free = &c->flows[i];
		}
	}
	f = s->free;
	s->free = f->next;
	memset(f, 0, sizeof(*f));
	return f;
}

void shard_free(struct nat_shard *s)
{
	if (!s)
		return;
	for (struct chunk *c = s->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(s->ports); i++) {
		for (struct nat_port *p = s->ports[i], *next; p; p = next) {
			next = p->next;
			free(p);
		}
	}
	free(s->buckets);
	hold_fini(&s->hold);
	free(s->batch);
	if (s->fragments)
		fragments_fini(s->fragments);
	free(s->fragments);
	free(s);
}

/* ---- life of a flow ---- */

/* has_room() - may the port have one more flow, and unless @kind is BUDGET_KINDS a socket of that kind? */
static bool has_room(const struct nat_shard *s, const struct nat_port *port, enum budget_kind kind)
{
	uint32_t most = shard_conf(s)->flows_max;

	return budget_flows(port->id, 0) < (most ? most : (uint32_t)FLOWS_DEFAULT) &&
	       (kind == BUDGET_KINDS || budget_has(port->id, kind, shard_conf(s)->sockets_max));
}

bool flow_has_room(const struct nat_shard *s, const struct nat_port *port, enum flow_class class)
{
	enum budget_kind kind = class == FLOW_TCP ? BUDGET_TCP : BUDGET_UDP;

	if (has_room(s, port, kind) || (class == FLOW_UDP && !TAILQ_EMPTY(&port->lists[FLOW_UDP])))
		return true;
	return !TAILQ_EMPTY(&port->lists[FLOW_CLOSED]) && budget_has(port->id, kind, shard_conf(s)->sockets_max);
}

static bool make_room(struct nat_shard *s, struct nat_port *port, enum flow_class class, enum budget_kind kind)
{
	if (has_room(s, port, kind))
		return true;
	if (!TAILQ_EMPTY(&port->lists[FLOW_CLOSED]))
		flow_free(TAILQ_FIRST(&port->lists[FLOW_CLOSED]));
	if (class == FLOW_UDP && !has_room(s, port, kind) && !TAILQ_EMPTY(&port->lists[FLOW_UDP]))
		flow_free(TAILQ_FIRST(&port->lists[FLOW_UDP]));
	if (has_room(s, port, kind))
		return true;
	counter_add(&s->counts.over_quota, 1);
	return false;
}

bool flow_room(struct nat_shard *s, struct nat_port *port, enum flow_class class)
{
	return make_room(s, port, class, class == FLOW_TCP ? BUDGET_TCP : BUDGET_UDP);
}

static void on_due(struct timer *timer, uint64_t now_ms, void *context)
{
	struct flow *f = container_of(timer, struct flow, timer);

	(void)context;
	f->kind->expired(f, now_ms);
}

static void link_flow(struct nat_shard *s, struct nat_port *port, struct flow *f)
{
	f->next = *bucket(s, &f->key);
	*bucket(s, &f->key) = f;
	f->class = (uint8_t)f->kind->class;
	TAILQ_INSERT_TAIL(&port->lists[f->class], f, list);
	budget_flows(port->id, 1);
	f->opened_ms = shard_now(s);
	s->nflows++;
	counter_add(&s->counts.flows, 1);
	counter_add(&s->counts.opened, 1);
}

/* new_flow() - @charge: what its socket is for; BUDGET_KINDS: it has none */
static struct flow *new_flow(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, const struct flow_kind *kind,
			     int fd, enum budget_kind charge)
{
	struct flow *f;

	if (s->stopped || !make_room(s, port, kind->class, charge))
		return NULL;
	if (s->nflows >= s->nbuckets && !more_buckets(s))
		return NULL;
	if (fd >= 0 && !budget_take(port->id, charge, shard_conf(s)->sockets_max))
		return NULL;
	f = take_memory(s);
	if (!f) {
		if (fd >= 0)
			budget_put(port->id, charge);
		return NULL;
	}
	f->charge = (uint8_t)charge;
	f->kind = kind;
	f->key = *key;
	f->shard = s;
	f->port = port;
	f->watch = (struct watch){ .ready = kind->ready, .fd = fd };
	f->timer.expired = on_due;
	f->used_ms = shard_now(s);
	link_flow(s, port, f);
	return f;
}

struct flow *flow_new(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, const struct flow_kind *kind,
		      int fd)
{
	enum budget_kind charge = key->proto == IPPROTO_TCP ? BUDGET_TCP : key->proto == IPPROTO_UDP ? BUDGET_UDP : BUDGET_PLAIN;

	return new_flow(s, port, key, kind, fd, fd < 0 ? BUDGET_KINDS : charge);
}

struct flow *flow_new_called(struct nat_shard *s, struct nat_port *port, const struct flow_key *key,
			     const struct flow_kind *kind, int fd)
{
	return new_flow(s, port, key, kind, fd, BUDGET_PLAIN);
}

void flow_close(struct flow *f)
{
	if (f->watch.fd < 0)
		return;
	if (f->watch.events)
		worker_forget(f->shard->worker, &f->watch);
	close(f->watch.fd);
	budget_put(f->port->id, f->charge);
	f->watch.fd = -1;
	f->watch.events = 0;
}

void flow_release(struct flow *f)
{
	budget_put(f->port->id, f->charge);
	f->watch.fd = -1;
}

void flow_free(struct flow *f)
{
	struct nat_shard *s = f->shard;

	if (f->kind->fini)
		f->kind->fini(f);
	flow_close(f);
	hostport_put(&f->key, f->host_port);
	timer_cancel(worker_timers(s->worker), &f->timer);
	if (f->working) {
		TAILQ_REMOVE(&s->work, f, work);
		s->nwork--;
	}
	unhash(f);
	TAILQ_REMOVE(&f->port->lists[f->class], f, list);
	budget_flows(f->port->id, -1);
	s->nflows--;
	counter_add(&s->counts.flows, (uint64_t)-1);
	forward_put_flow(f->forward);
	f->next = s->free;
	s->free = f;
}

void flow_abort(struct flow *f)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (f->watch.fd >= 0 && f->key.proto == IPPROTO_TCP && !tcp_has_unread(&f->tcp))
		setsockopt(f->watch.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	flow_free(f);
}

void flow_fresh(struct flow *f, enum flow_class class)
{
	TAILQ_REMOVE(&f->port->lists[f->class], f, list);
	f->class = (uint8_t)class;
	TAILQ_INSERT_TAIL(&f->port->lists[class], f, list);
}

/* ---- time ---- */

void flow_defer(struct flow *f)
{
	struct nat_shard *s = f->shard;

	if (f->working)
		return;
	f->working = true;
	TAILQ_INSERT_TAIL(&s->work, f, work);
	s->nwork++;
	if (!timer_pending(&s->turn))
		timer_set(worker_timers(s->worker), &s->turn, shard_now(s));
}

void flow_due(struct flow *f, uint64_t due_ms)
{
	if (!timer_pending(&f->timer) || due_ms < f->timer.due_ms)
		timer_set(worker_timers(f->shard->worker), &f->timer, due_ms);
}
