/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/route6.h - prefixes that are delegated to routers among the guests of a segment, and where these are
 *
 * Written by the control thread alone, which is registered with liburcu (QSBR); read by any worker, without a lock, from an array that is
 * replaced whole. The prefixes are apart from one another and none is longer than /64. A change costs a copy of all; that a guest renews is none.
 */
#ifndef SWITCH_ROUTE6_H
#define SWITCH_ROUTE6_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"

struct route6 {
	struct prefix6 to;
	uint32_t port;			/* id of the router's port */
	uint8_t mac[MAC_SIZE];		/* and its addresses behind it */
	struct addr via;
};

struct routes6;

/* routes6_new() - Return: for routes6_free(), once no worker sees it any more; or NULL */
struct routes6 *routes6_new(void);
void routes6_free(struct routes6 *routes);

/* routes6_set() - add one, or change where it leads; Return: 0 or -ENOMEM. routes6_remove() - if it is there. Control thread */
int routes6_set(struct routes6 *routes, const struct route6 *route);
void routes6_remove(struct routes6 *routes, struct prefix6 to);

/* routes6_find() - which prefix holds @a? Any worker; @routes may be NULL. Return: is there one? */
bool routes6_find(const struct routes6 *routes, struct addr a, struct route6 *found);

#endif
