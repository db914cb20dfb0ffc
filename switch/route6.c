// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/route6.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "base/array.h"

/* list - by address */
struct list {
	struct rcu_head rcu;
	unsigned n;
	struct route6 of[];
};

struct routes6 {
	struct list *list;		/* RCU; NULL: there are none */
};

static void free_rcu(struct rcu_head *head)
{
	free(container_of(head, struct list, rcu));
}

struct routes6 *routes6_new(void)
{
	return calloc(1, sizeof(struct routes6));
}

void routes6_free(struct routes6 *r)
{
	if (r)
		free(r->list);
	free(r);
}

/* place_of() - how many begin before or at @a */
static unsigned place_of(const struct list *l, struct addr a)
{
	unsigned low = 0, high = l ? l->n : 0;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (memcmp(l->of[mid].to.addr.bytes, a.bytes, ADDR_SIZE) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* replace() - what workers may still see goes when they have moved on */
static void replace(struct routes6 *r, struct list *next)
{
	struct list *old = rcu_xchg_pointer(&r->list, next);

	if (old)
		urcu_qsbr_call_rcu(&old->rcu, free_rcu);
}

static bool same(const struct route6 *a, const struct route6 *b)
{
	return a->to.len == b->to.len && a->port == b->port && !memcmp(a->mac, b->mac, MAC_SIZE) && addr_equal(a->via, b->via);
}

int routes6_set(struct routes6 *r, const struct route6 *route)
{
	const struct list *old = r->list;
	unsigned n = old ? old->n : 0, at = place_of(old, route->to.addr);
	bool known = at && addr_equal(old->of[at - 1].to.addr, route->to.addr);
	struct list *next;

	if (known && same(&old->of[at - 1], route))
		return 0;
	next = malloc(sizeof(*next) + (n + 1) * sizeof(next->of[0]));
	if (!next)
		return -ENOMEM;
	at -= known;
	if (at)
		memcpy(next->of, old->of, at * sizeof(next->of[0]));
	next->of[at] = *route;
	if (n > at + known)
		memcpy(next->of + at + 1, old->of + at + known, (n - at - known) * sizeof(next->of[0]));
	next->n = n + !known;
	replace(r, next);
	return 0;
}

void routes6_remove(struct routes6 *r, struct prefix6 to)
{
	const struct list *old = r->list;
	unsigned at = place_of(old, to.addr);
	struct list *next;

	if (!at || !addr_equal(old->of[at - 1].to.addr, to.addr))
		return;
	next = old->n > 1 ? malloc(sizeof(*next) + (old->n - 1) * sizeof(next->of[0])) : NULL;
	if (old->n > 1 && !next) {
		r->list->of[at - 1].port = UINT32_MAX;	/* without memory for the rest it leads nowhere */
		return;
	}
	if (next) {
		memcpy(next->of, old->of, (at - 1) * sizeof(next->of[0]));
		memcpy(next->of + at - 1, old->of + at, (old->n - at) * sizeof(next->of[0]));
		next->n = old->n - 1;
	}
	replace(r, next);
}

bool routes6_find(const struct routes6 *r, struct addr a, struct route6 *found)
{
	const struct list *l = r ? rcu_dereference(r->list) : NULL;
	unsigned at = place_of(l, a);

	if (!at || !addr_in(l->of[at - 1].to, a))
		return false;
	*found = l->of[at - 1];
	return true;
}
