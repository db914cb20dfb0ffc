/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_resolve.h - what a guest would be told about a name, and why (control thread)
 *
 * The question goes the way of the guest's own: dns_answer() for the network's names, the guest's rules, relay_query() for all others, whose cache
 * and choice of resolvers are looked at before. What is asked outside is really asked, counted and kept.
 */
#ifndef CTL_LIVE_RESOLVE_H
#define CTL_LIVE_RESOLVE_H

#include <stdint.h>

#include <jansson.h>

struct engine;
struct error;

/* live_resolve_fn - called exactly once, perhaps before live_resolve() returns: an object for the API, taken, or NULL and @err */
typedef void live_resolve_fn(void *arg, json_t *answer, const struct error *err);

/* resolve_asked - which name, and who asks: texts are borrowed for the call */
struct resolve_asked {
	const char *net;
	const char *port;		/* the guest there; or NULL: any */
	uint16_t vid;			/* of that VLAN; 0: of the guest's, or of the network's own segment, or else of the first that has DNS */
	const char *name, *type;	/* "A" */
};

void live_resolve(struct engine *e, const struct resolve_asked *q, live_resolve_fn *done, void *arg);

#endif
