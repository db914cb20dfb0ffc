// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/subnets.h"

#include <stdlib.h>

#include "switch/snapshot.h"

typedef unsigned __int128 place;		/* an address as a number: both families on one line, IPv4 in its mapped form */

struct range {
	place first, last;
	place reach;			/* the furthest end of this range and all before it: where walking back may stop */
	const struct segment *segment;
};

struct subnets {
	unsigned n;
	struct range ranges[];
};

static place place_of(struct addr a)
{
	return (place)be64toh(a.halves[0]) << 64 | be64toh(a.halves[1]);
}

static struct range range_of(const struct segment *seg, place first, unsigned host_bits)
{
	place span = host_bits < 128 ? ((place)1 << host_bits) - 1 : ~(place)0;

	return (struct range){ .first = first, .last = first | span, .segment = seg };
}

static int by_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->first != y->first ? (x->first < y->first ? -1 : 1) : 0;
}

/* collect() - of the segments of one port in a network just the first: the others have the same addresses */
static void collect(struct subnets *t, const struct net_view *net)
{
	for (unsigned i = 0; i < net->nsegments; i++) {
		const struct segment *seg = &net->segments[i];

		if (seg->has_subnet)
			t->ranges[t->n++] = range_of(seg, place_of(addr4(seg->subnet.addr)), 32u - seg->subnet.len);
		if (seg->has_subnet6)
			t->ranges[t->n++] = range_of(seg, place_of(seg->subnet6.addr), 128u - seg->subnet6.len);
		if (seg->delegated.len)
			t->ranges[t->n++] = range_of(seg, place_of(seg->delegated.addr), 128u - seg->delegated.len);
		if (seg->only)
			break;
	}
}

struct subnets *subnets_new(const struct snapshot *s)
{
	struct subnets *t;
	size_t most = 0;

	for (unsigned i = 0; i < s->nnets; i++)
		most += 3 * (size_t)s->nets[i].nsegments;
	t = malloc(sizeof(*t) + most * sizeof(t->ranges[0]));
	if (!t)
		return NULL;
	t->n = 0;
	for (unsigned i = 0; i < s->nnets; i++)
		collect(t, &s->nets[i]);
	qsort(t->ranges, t->n, sizeof(t->ranges[0]), by_first);
	for (unsigned i = 0; i < t->n; i++) {
		t->ranges[i].reach = t->ranges[i].last;
		if (i && t->ranges[i - 1].reach > t->ranges[i].reach)
			t->ranges[i].reach = t->ranges[i - 1].reach;
	}
	return t;
}

void subnets_free(struct subnets *t)
{
	free(t);
}

const struct segment *subnets_find(const struct subnets *t, struct addr a, const struct segment *except)
{
	place at = place_of(a);
	unsigned low = 0, high = t->n;

	while (low < high) {		/* low: how many begin at @at or before */
		unsigned middle = low + (high - low) / 2;

		if (t->ranges[middle].first <= at)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low && t->ranges[low - 1].reach >= at; low--) {
		const struct range *r = &t->ranges[low - 1];

		if (r->last >= at && !segment_same(r->segment, except))
			return r->segment;
	}
	return NULL;
}
