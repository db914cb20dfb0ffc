/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_resolve.h - what a guest would be told about a name, and why (control thread)
 *
 * The question goes the way of the guest's own: dns_answer() for the network's names, the guest's rules, relay_query() for all others, whose cache
 * and choice of resolvers are looked at before. What is asked outside is really asked, counted and kept.
 */
#ifndef CTL_LIVE_RESOLVE_H
#define CTL_LIVE_RESOLVE_H

#include <jansson.h>

struct engine;
struct error;

/* live_resolve_fn - called exactly once, perhaps before live_resolve() returns: an object for the API, taken, or NULL and @err */
typedef void live_resolve_fn(void *arg, json_t *answer, const struct error *err);

/* live_resolve() - @name, of which type ("A"), as guest @port or (NULL) as any guest of the network's first segment would */
void live_resolve(struct engine *e, const char *net, const char *port, const char *name, const char *type, live_resolve_fn *done, void *arg);

#endif
