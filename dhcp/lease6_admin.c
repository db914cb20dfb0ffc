// SPDX-License-Identifier: GPL-2.0-or-later
/* What of lease6.h guests do not cause: settings, start-up, and questions about bindings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp/lease6_table.h"

enum { QUOTA = 64, MAX_LEASES = 65536, DECLINE_S = 86400 };

static void conf_take(struct lease6_table *t, const struct lease6_conf *c)
{
	t->conf = *c;
	t->conf.quota = c->quota ? c->quota : QUOTA;
	t->conf.max_leases = c->max_leases ? c->max_leases : MAX_LEASES;
	t->conf.decline_s = c->decline_s ? c->decline_s : DECLINE_S;
}

struct lease6_table *lease6_table_new(const struct lease6_conf *conf, lease6_changed_fn *changed, void *arg)
{
	struct lease6_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->changed = changed;
	t->arg = arg;
	conf_take(t, conf);
	return t;
}

void lease6_table_shift(struct lease6_table *t, int64_t by_s)
{
	for (struct lease6 *l = t->by_place; l; l = l->hh_place.next) {
		l->expiry.at_s = expiry_shifted(l->expiry.at_s, by_s);
		l->durable_s = expiry_shifted(l->durable_s, by_s);
	}
}

void lease6_table_free(struct lease6_table *t)
{
	struct lease6_port *p, *next;

	if (!t)
		return;
	HASH_ITER(hh, t->ports, p, next) {
		while (!LIST_EMPTY(&p->leases))
			table6_remove(t, LIST_FIRST(&p->leases));
		table6_port_tidy(t, p);
	}
	expiry_fini(&t->heap);
	free(t);
}

void lease6_table_configure(struct lease6_table *t, const struct lease6_conf *conf, int64_t now_s)
{
	struct lease6 *l, *next;
	struct lease6_record record;

	conf_take(t, conf);
	HASH_ITER(hh_place, t->by_place, l, next)
		if (!lease6_is_ours(t, l->place) && lease6_free(t, l->place.addr, now_s, &record) == 0 && t->changed)
			t->changed(t->arg, &record);
}

int lease6_load(struct lease6_table *t, const struct lease6_record *r)
{
	struct lease6_guest who = {
		.port = r->port, .mac = r->mac, .duid = r->duid, .duid_size = r->duid_size, .iaid = r->iaid, .prefix = r->place.len < 128,
		.via = r->via, .hostname = r->hostname,
	};
	struct lease6_port *p;
	struct lease6 *l;

	if (r->state != LEASE_BOUND && r->state != LEASE_DECLINED)
		return 0;
	if (!lease6_is_ours(t, r->place))
		return -ERANGE;
	if (table6_find(t, r->place.addr))
		return -EEXIST;
	p = table6_port_get(t, r->port);
	if (!p)
		return -ENOMEM;
	l = table6_find_guest(t, p, &who) ? NULL : table6_add(t, p, &who, r->place, r->expires_wall_s);
	if (l) {
		table6_say(l, &who);
		l->durable_s = r->expires_wall_s;
		if (r->state == LEASE_DECLINED)
			table6_decline(t, l, r->expires_wall_s);
	}
	table6_port_tidy(t, p);
	return l ? 0 : -EEXIST;
}

void lease6_each(const struct lease6_table *t, lease6_changed_fn *fn, void *arg)
{
	struct lease6_record record;
	const struct lease6 *l;

	for (l = t->by_place; l; l = l->hh_place.next) {
		table6_record(l, &record);
		fn(arg, &record);
	}
}

void lease6_each_of(const struct lease6_table *t, const char *port, lease6_changed_fn *fn, void *arg)
{
	const struct lease6_port *p = table6_port(t, port);
	struct lease6_record record;
	const struct lease6 *l;

	if (!p)
		return;
	LIST_FOREACH(l, &p->leases, of_port) {
		table6_record(l, &record);
		fn(arg, &record);
	}
}

int lease6_find(const struct lease6_table *t, struct addr a, struct lease6_record *record)
{
	const struct lease6 *l = table6_find(t, a);

	if (l)
		table6_record(l, record);
	return l ? 0 : -ENOENT;
}

size_t lease6_count(const struct lease6_table *t)
{
	return t->nleases;
}
