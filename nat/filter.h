/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/filter.h - the remote addresses that a UDP mapping has talked to (address-dependent filtering, RFC 4787 5)
 *
 * A few lie in the structure; more in a table that grows up to FILTER_MAX and then forgets others for new ones. One thread.
 */
#ifndef NAT_FILTER_H
#define NAT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum { FILTER_INLINE = 4, FILTER_MAX = 2048 };

struct filter {
	uint32_t n;			/* addresses held */
	uint32_t room;			/* of table, a power of two; 0 while they lie in few */
	union {
		struct addr few[FILTER_INLINE];
		struct addr *table;	/* open addressing, none is free */
	};
};

/* filter_add() - @ip (not none) was talked to. Without memory it displaces another one. */
void filter_add(struct filter *f, struct addr ip);
bool filter_has(const struct filter *f, struct addr ip);
void filter_fini(struct filter *f);

#endif
