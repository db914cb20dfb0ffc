// SPDX-License-Identifier: GPL-2.0-or-later
/* Which addresses may be given, and which of them nobody has. */
#include "dhcp/lease_table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "dhcp/reservation.h"

enum { RETURNED_MAX = 65536 };

bool table_may_lease(const struct lease_table *t, uint32_t ip)
{
	const struct lease_conf *c = &t->conf;

	if (!ip || !prefix4_has(c->subnet, ip))
		return false;
	if (c->subnet.len <= 30 && (ip == c->subnet.addr || ip == prefix4_last(c->subnet)))
		return false;		/* RFC 3021: a /31 has neither network nor broadcast address */
	for (unsigned i = 0; i < c->nexcluded; i++)
		if (c->excluded[i] == ip)
			return false;
	return true;
}

bool table_reserved(const struct lease_table *t, uint32_t ip)
{
	return reservations_at(t->conf.reservations, ip) != NULL;
}

/* range_of() - the range that holds @ip, or NULL */
static const struct lease_range *range_of(const struct lease_conf *c, uint32_t ip)
{
	unsigned low = 0, high = c->nranges;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (ip > c->ranges[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->nranges && ip >= c->ranges[low].first ? &c->ranges[low] : NULL;
}

int table_pool(const struct lease_table *t, uint32_t ip)
{
	const struct lease_range *range = range_of(&t->conf, ip);

	return range && table_may_lease(t, ip) && !table_reserved(t, ip) ? (int)range->pool : -1;
}

void table_return(struct lease_table *t, uint32_t ip)
{
	const struct lease_range *range = range_of(&t->conf, ip);
	struct lease_pool *p = range ? &t->pools[range->pool] : NULL;

	if (!p)
		return;
	if (p->nreturned == p->returned_room) {
		size_t room = p->returned_room ? 2 * p->returned_room : 16;
		uint32_t *more = room <= RETURNED_MAX ? realloc(p->returned, room * sizeof(*more)) : NULL;

		if (!more)
			return;		/* it waits for the next lease_table_configure() */
		p->returned = more;
		p->returned_room = room;
	}
	p->returned[p->nreturned++] = ip;
}

/* free_of() - is this one of the pool's that nobody has? */
static bool free_of(const struct lease_table *t, unsigned pool, uint32_t ip)
{
	return table_pool(t, ip) == (int)pool && !table_find(t, ip);
}

/* never_given() - from the pool's ranges, one after the other */
static uint32_t never_given(struct lease_table *t, unsigned pool)
{
	struct lease_pool *p = &t->pools[pool];

	for (; p->range < t->conf.nranges; p->range++, p->next = 0) {
		const struct lease_range *range = &t->conf.ranges[p->range];

		if (range->pool != pool)
			continue;
		for (p->next = MAX_OF(p->next, (uint64_t)range->first); p->next <= range->last; p->next++)
			if (free_of(t, pool, (uint32_t)p->next))
				return (uint32_t)p->next;
	}
	return 0;
}

uint32_t table_fresh(struct lease_table *t, unsigned pool)
{
	struct lease_pool *p = pool < t->npools ? &t->pools[pool] : NULL;
	uint32_t ip = p ? never_given(t, pool) : 0;

	if (!p || ip)
		return ip;
	for (; p->nreturned; p->nreturned--)
		if (free_of(t, pool, p->returned[p->nreturned - 1]))
			return p->returned[p->nreturned - 1];
	return 0;
}

static struct lease_pool *pools_new(unsigned n)
{
	struct lease_pool *pools = calloc(n, sizeof(*pools));

	for (unsigned i = 0; pools && i < n; i++)
		TAILQ_INIT(&pools[i].idle);
	return pools;
}

void table_free_pools(struct lease_table *t)
{
	for (unsigned i = 0; i < t->npools; i++)
		free(t->pools[i].returned);
	free(t->pools);
	t->pools = NULL;
	t->npools = 0;
}

/* settle() - a lease that was idle under other settings; it is in pool 0's list for a moment when it is in none */
static void settle(struct lease_table *t, struct lease *l)
{
	struct lease_port *port = l->owner.port;
	int pool = table_pool(t, l->ip);

	l->pool = (uint16_t)MAX_OF(pool, 0);
	TAILQ_INSERT_TAIL(&t->pools[l->pool].idle, l, idle);
	if (pool >= 0)
		return;
	table_remove(t, l);
	table_port_tidy(t, port);
}

int table_set_conf(struct lease_table *t, const struct lease_conf *conf)
{
	struct lease_list idle = TAILQ_HEAD_INITIALIZER(idle);
	struct lease_pool *pools;
	struct lease *l;
	unsigned n = 1;

	for (unsigned i = 0; i < conf->nranges; i++)
		n = MAX_OF(n, conf->ranges[i].pool + 1);
	pools = pools_new(n);
	if (!pools)
		return -ENOMEM;
	for (unsigned i = 0; i < t->npools; i++)
		TAILQ_CONCAT(&idle, &t->pools[i].idle, idle);
	table_free_pools(t);
	t->pools = pools;
	t->npools = n;
	t->conf = *conf;
	while ((l = TAILQ_FIRST(&idle))) {
		TAILQ_REMOVE(&idle, l, idle);
		settle(t, l);
	}
	return 0;
}
