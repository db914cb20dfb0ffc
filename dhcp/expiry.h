/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/expiry.h - leases in the order in which they end: a binary heap whose members know their place
 *
 * Each operation but expiry_top() takes logarithmic time. Control thread only.
 */
#ifndef DHCP_EXPIRY_H
#define DHCP_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* To be embedded in what ends. */
struct expiry {
	int64_t at_s;
	size_t place;			/* index + 1, or 0 when in no heap; the heap's */
};

struct expiry_heap {
	struct expiry **member;
	size_t n, room;
};

void expiry_fini(struct expiry_heap *h);

/* expiry_reserve() - make room for @n members, so that expiry_set() cannot fail. Return: 0 or -ENOMEM. */
int expiry_reserve(struct expiry_heap *h, size_t n);

/* expiry_set() - put @e at its place for @at_s, whether it was in the heap or not; room must have been reserved */
void expiry_set(struct expiry_heap *h, struct expiry *e, int64_t at_s);

/* expiry_remove() - take @e out, if it is in */
void expiry_remove(struct expiry_heap *h, struct expiry *e);

/* expiry_shifted() - the same moment by a clock that was set ahead by @by_s; an end that does not come, or is none, stays */
static inline int64_t expiry_shifted(int64_t at_s, int64_t by_s)
{
	return at_s == INT64_MAX || at_s == 0 ? at_s : at_s + by_s;
}

/* expiry_top() - the member that ends first, or NULL */
static inline struct expiry *expiry_top(const struct expiry_heap *h)
{
	return h->n ? h->member[0] : NULL;
}

#endif
