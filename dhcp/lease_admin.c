// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/lease.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp/lease_table.h"

/* What of lease.h guests do not cause: settings, start-up, reservations, ports that go, and questions about
 * leases.
 */

enum { QUOTA = 64, DECLINES = 8, MAX_LEASES = 65536, OFFER_S = 30, DECLINE_S = 86400, CONFLICT_S = 600 };

static int conf_check(const struct lease_conf *c)
{
	if (!c->nranges || c->nranges > LEASE_RANGES_MAX || c->nexcluded > LEASE_EXCLUDED_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < c->nranges; i++) {
		const struct lease_range *r = &c->ranges[i];

		if (r->first > r->last || !prefix4_has(c->subnet, r->first) || !prefix4_has(c->subnet, r->last) ||
		    r->pool >= LEASE_RANGES_MAX || (i && r->first <= r[-1].last))
			return -EINVAL;
	}
	return 0;
}

static int conf_take(struct lease_table *t, const struct lease_conf *c)
{
	struct lease_conf conf = *c;

	conf.quota = c->quota ? c->quota : QUOTA;
	conf.declines = c->declines ? c->declines : DECLINES;
	conf.max_leases = c->max_leases ? c->max_leases : MAX_LEASES;
	conf.offer_s = c->offer_s ? c->offer_s : OFFER_S;
	conf.decline_s = c->decline_s ? c->decline_s : DECLINE_S;
	conf.conflict_s = c->conflict_s ? c->conflict_s : CONFLICT_S;
	return table_set_conf(t, &conf);
}

struct lease_table *lease_table_new(const struct lease_conf *conf, lease_changed_fn *changed, void *arg)
{
	int rc = conf_check(conf);
	struct lease_table *t = rc < 0 ? NULL : calloc(1, sizeof(*t));

	if (!t) {
		errno = rc < 0 ? -rc : ENOMEM;
		return NULL;
	}
	t->changed = changed;
	t->arg = arg;
	if (conf_take(t, conf) == 0)
		return t;
	free(t);
	errno = ENOMEM;
	return NULL;
}

/* The order of the ends stays, and with it the heap. */
void lease_table_shift(struct lease_table *t, int64_t by_s)
{
	for (struct lease *l = table_next(t, NULL); l; l = table_next(t, l)) {
		l->expiry.at_s = expiry_shifted(l->expiry.at_s, by_s);
		l->durable_s = expiry_shifted(l->durable_s, by_s);
	}
}

void lease_table_free(struct lease_table *t)
{
	struct lease_port *p, *next;

	if (!t)
		return;
	HASH_ITER(hh, t->ports, p, next) {
		while (!TAILQ_EMPTY(&p->leases))
			table_remove(t, TAILQ_FIRST(&p->leases));
		table_port_tidy(t, p);
	}
	hash_index_fini(&t->by_ip);
	hash_index_fini(&t->by_owner);
	hash_index_fini(&t->by_mac);
	expiry_fini(&t->heap);
	table_free_pools(t);
	free(t);
}

int lease_table_configure(struct lease_table *t, const struct lease_conf *conf, int64_t now_s)
{
	struct lease *l, *next;
	int rc = conf_check(conf);

	if (rc == 0)
		rc = conf_take(t, conf);
	if (rc < 0) {
		t->conf.reservations = NULL;	/* those of before may be gone when this returns */
		return rc;
	}
	for (l = table_next(t, NULL); l; l = next) {
		struct lease_port *p = l->owner.port;

		next = table_next(t, l);
		if (table_may_lease(t, l->ip))
			continue;
		lease_end(t, l, LEASE_RELEASED, now_s);
		table_port_tidy(t, p);
	}
	return 0;
}

static int load_lease(struct lease_table *t, struct lease_port *p, const struct lease_record *r)
{
	struct lease_guest who = {
		.client_id = r->client_id, .client_id_size = r->client_id_size, .circuit = r->circuit, .circuit_size = r->circuit_size,
		.hostname = r->hostname,
	};
	bool live = r->state == LEASE_BOUND || r->state == LEASE_DECLINED;
	struct lease *l;

	if (!live && (table_pool(t, r->ip) < 0 || table_find_guest(t, p, r->mac)))
		return 0;		/* a memory that serves nobody */
	l = table_find_guest(t, p, r->mac);
	if (l && r->state == LEASE_BOUND)
		table_remove(t, l);	/* the guest moved here from there */
	l = table_add(t, r->ip, p, r->mac, r->expires_wall_s);
	if (!l)
		return -ENOMEM;
	l->was_bound = true;
	table_say(l, &who);
	table_set(t, l, r->state, r->expires_wall_s, false);
	if (r->state == LEASE_BOUND)
		l->durable_s = r->expires_wall_s;
	return 0;
}

int lease_load(struct lease_table *t, const struct lease_record *r, bool port_exists)
{
	struct lease_port *p;
	int rc;

	if (r->state == LEASE_OFFERED || r->state > LEASE_DECLINED)
		return 0;
	if (!table_may_lease(t, r->ip))
		return -ERANGE;
	if (table_find(t, r->ip))
		return -EEXIST;
	p = table_port_get(t, r->port);
	if (!p)
		return -ENOMEM;
	rc = load_lease(t, p, r);
	if (!port_exists)
		table_port_set_gone(t, p, true);
	table_port_tidy(t, p);
	return rc;
}

void lease_port_gone(struct lease_table *t, const char *port, int64_t now_s)
{
	struct lease_port *p = table_port(t, port);
	struct lease *l, *next;

	if (!p)
		return;
	for (l = TAILQ_FIRST(&p->leases); l; l = next) {
		next = TAILQ_NEXT(l, of_port);
		if (l->state == LEASE_BOUND || l->state == LEASE_OFFERED)
			lease_end(t, l, LEASE_RELEASED, now_s);
	}
	table_port_set_gone(t, p, true);
	table_port_tidy(t, p);
}

int lease_free(struct lease_table *t, uint32_t ip, int64_t now_s, struct lease_record *record)
{
	struct lease *l = table_find(t, ip);
	struct lease_port *p;

	if (!l)
		return -ENOENT;
	p = l->owner.port;
	table_record(l, record);
	record->state = LEASE_RELEASED;
	record->expires_wall_s = now_s;
	if (l->state == LEASE_BOUND || l->state == LEASE_OFFERED)
		lease_retire(t, l, LEASE_RELEASED, now_s);
	else
		table_remove(t, l);
	table_port_tidy(t, p);
	return 0;
}

int lease_find(const struct lease_table *t, uint32_t ip, struct lease_record *record)
{
	const struct lease *l = table_find(t, ip);

	if (!l)
		return -ENOENT;
	table_record(l, record);
	return 0;
}

int lease_find_port(const struct lease_table *t, const char *port, struct lease_record *record)
{
	const struct lease_port *p = table_port(t, port);
	const struct lease *l, *best = NULL;

	if (!p)
		return -ENOENT;
	TAILQ_FOREACH(l, &p->leases, of_port)
		if (l->state == LEASE_BOUND && (!best || l->expiry.at_s > best->expiry.at_s))
			best = l;
	if (!best)
		return -ENOENT;
	table_record(best, record);
	return 0;
}

void lease_each(const struct lease_table *t, lease_changed_fn *fn, void *arg)
{
	struct lease_record record;
	const struct lease *l;

	for (l = table_next(t, NULL); l; l = table_next(t, l)) {
		table_record(l, &record);
		fn(arg, &record);
	}
}

size_t lease_count_active(const struct lease_table *t)
{
	return t->heap.n;
}

size_t lease_count(const struct lease_table *t)
{
	return t->nleases;
}
