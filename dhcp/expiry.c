// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/expiry.h"

#include <errno.h>
#include <stdlib.h>

void expiry_fini(struct expiry_heap *h)
{
	free(h->member);
	*h = (struct expiry_heap){ .member = NULL };
}

int expiry_reserve(struct expiry_heap *h, size_t n)
{
	size_t room = h->room ? h->room : 32;
	struct expiry **member;

	if (n <= h->room)
		return 0;
	while (room < n)
		room *= 2;
	member = realloc(h->member, room * sizeof(*member));
	if (!member)
		return -ENOMEM;
	h->member = member;
	h->room = room;
	return 0;
}

static void put(struct expiry_heap *h, size_t i, struct expiry *e)
{
	h->member[i] = e;
	e->place = i + 1;
}

static void move_up(struct expiry_heap *h, size_t i)
{
	struct expiry *e = h->member[i];

	for (; i && h->member[(i - 1) / 2]->at_s > e->at_s; i = (i - 1) / 2)
		put(h, i, h->member[(i - 1) / 2]);
	put(h, i, e);
}

static void move_down(struct expiry_heap *h, size_t i)
{
	struct expiry *e = h->member[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < h->n && h->member[child + 1]->at_s < h->member[child]->at_s)
			child++;
		if (child >= h->n || h->member[child]->at_s >= e->at_s)
			break;
		put(h, i, h->member[child]);
		i = child;
	}
	put(h, i, e);
}

void expiry_set(struct expiry_heap *h, struct expiry *e, int64_t at_s)
{
	e->at_s = at_s;
	if (!e->place)
		put(h, h->n++, e);
	move_up(h, e->place - 1);
	move_down(h, e->place - 1);
}

void expiry_remove(struct expiry_heap *h, struct expiry *e)
{
	size_t i = e->place;
	struct expiry *last;

	if (!i)
		return;
	last = h->member[--h->n];
	e->place = 0;
	if (last == e)
		return;
	put(h, i - 1, last);
	move_up(h, i - 1);
	move_down(h, last->place - 1);
}
