/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/relay.h - queries that are not ours to answer: from the cache, else asked of the resolvers, once for all who ask the same
 *
 * In front of dhcp/upstream.h, for one network. Every asker gets the answer with its own id and the question as it wrote it; an answer larger
 * than it takes by datagram is cut to its question, with TC set, and then it asks over TCP.
 *
 * What concerns only two neighbours is not passed on: the options of an OPT record that say so (dhcp/dns_opt.h), and, unless it is trusted,
 * that a resolver calls its answer authenticated (RFC 6840 5.8). An answer that leads inside (dhcp/rebind.h) is one without records.
 *
 * Where answers are validated (dhcp/validation.h), what is asked without CD is asked by way of it: what is bogus is a failure, what is secure has
 * AD for who wants to know, and signatures are for who asks for them. A guest that checks for itself sets CD and gets what there is.
 *
 * What is kept is forgotten when the resolvers are others. Each owner has a share of queries waiting at most, whether it is the first to
 * ask or joins. One libevent base, its thread.
 */
#ifndef DHCP_RELAY_H
#define DHCP_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcp/rebind.h"
#include "dhcp/upstream.h"

struct dns_name;
struct relay;
struct validation;

enum { RELAY_CACHE_BYTES = 1 << 20, RELAY_WAITING_MAX = 2048 };

/* relay_new() - ask by @upstream, which is borrowed and outlives the relay's last query: free it first
 * @cache_bytes:	of memory for answers; 0: none is kept
 *
 * Return: for relay_free(), or NULL with ENOMEM.
 */
struct relay *relay_new(struct upstream *upstream, size_t cache_bytes);

/* relay_conf - what may change while it runs; relay_configure() - from the next query on; what is kept may be forgotten */
struct relay_conf {
	size_t cache_bytes;
	unsigned share;			/* queries of one owner that wait; UPSTREAM_OWNER_MAX at first */
	bool trust_ad;			/* pass on AD */
	bool validate;			/* what nobody judged is not passed on, but to who asks for that: */
	struct validation *validation;	/* borrowed; NULL: nobody can judge now */
	void (*on_bogus)(void *arg, const struct dns_name *name, const char *why);	/* an answer that is not signed as it must be; or NULL */
	void *arg;
	struct rebind rebind;
};

void relay_configure(struct relay *r, const struct relay_conf *conf);

/* relay_free() - after validation_free() and upstream_free(), which end what waits */
void relay_free(struct relay *r);

/* relay_query() - as upstream_query(), and @fn may be called from within
 * @stream:	the asker takes answers of any size: it asked over TCP
 */
int relay_query(struct relay *r, uint64_t owner, const uint8_t *data, size_t size, bool stream, upstream_fn *fn, void *arg);

/* relay_look() - is the answer to this query kept, of its name or of one above it that does not exist? */
struct relay_kept {
	bool above;
	unsigned left_s;		/* how long it would still be given */
};

bool relay_look(struct relay *r, const uint8_t *data, size_t size, struct relay_kept *kept);

/* How often what happened. */
struct relay_stats {
	uint64_t hits;			/* answered from the cache */
	uint64_t joined;		/* asked what was being asked already */
	uint64_t cut;			/* answers larger than their asker takes */
	uint64_t refused;		/* queries over a limit */
	uint64_t inside;		/* answers that led inside */
};

const struct relay_stats *relay_stats(const struct relay *r);

#endif
