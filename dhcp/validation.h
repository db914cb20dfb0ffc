/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/validation.h - DNSSEC for one network: what resolvers answer is believed only as far as it is signed (RFC 4033 to 4035)
 *
 * The signatures are judged by a process of its own, the validator (dhcp/validator_wire.h), which asks by way of the network's upstream, so that
 * its questions go wherever the network's go. Domains of which other resolvers were named (split DNS) are not signed for the world and count
 * as unsigned. While there is no validator every question has failed: an answer that nobody judged is never given.
 *
 * A validator that ends is started again, a second later at the earliest. One libevent base, its thread.
 */
#ifndef DHCP_VALIDATION_H
#define DHCP_VALIDATION_H

#include <stdbool.h>
#include <stdint.h>

#include "dhcp/upstream.h"
#include "dhcp/validator_wire.h"

struct dns_query;
struct validation;

enum { VALIDATION_ASKS_MAX = 2048, VALIDATION_PATIENCE_MS = 4500 };	/* a guest gives up itself after five seconds */

/* validation_start_fn - Return: a socket to a new validator, which is taken; or negative errno */
typedef int validation_start_fn(void *arg);

/* validation_fn - @verdict is borrowed for the call; NULL: validation_free() ended it, or nobody can judge now */
typedef void validation_fn(void *arg, const struct validator_verdict *verdict);

/* validation_new() - ask by @upstream (borrowed). Nothing runs before validation_configure().
 * Return: for validation_free(), or NULL with ENOMEM.
 */
struct validation *validation_new(struct event_base *base, struct upstream *upstream, validation_start_fn *start, void *arg);

/* validation_free() - before upstream_free(); what waits is told NULL */
void validation_free(struct validation *v);

/* validation_configure() - trust these, and begin anew: lines "anchor RECORD"; NULL: nothing is to be trusted, and every question has failed
 * Return: 0 or -ENOMEM with nothing changed.
 */
int validation_configure(struct validation *v, const char *anchors);

/* validation_follow() - are the resolvers others by now? Then what they said before is forgotten, and what is being asked is asked again. */
void validation_follow(struct validation *v);

/* validation_ask() - what is true of this question?
 * @fn:		called exactly once, later or from within this call, if this returns 0
 *
 * Return: 0, or -ENOBUFS, -ENOMEM.
 */
int validation_ask(struct validation *v, const struct dns_query *q, validation_fn *fn, void *arg);

/* validation_trouble() - why nothing is validated now, or NULL */
const char *validation_trouble(const struct validation *v);

struct validation_stats {
	uint64_t secure, insecure, bogus, failed;
	uint64_t restarts;		/* of a validator that ended */
};

const struct validation_stats *validation_stats(const struct validation *v);

#endif
