/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/cache.h - what resolvers answered, for as long as they allow (RFC 1035 7.4, RFC 2181 8, RFC 2308)
 *
 * An answer is kept as it came, but for what its OPT record says to a neighbour (dhcp/dns_opt.h), and given again with its TTLs counted
 * down; name and id are the asker's to put in. "No such name" and "no such record" are kept if an SOA record says for how long, at most three
 * hours; what says that a name does not exist, and says it of that very name, holds for all types and for all names below it (RFC 8020); failures for three seconds (RFC 9520); anything else with the smallest TTL of its records, at most a week. Not kept are cut
 * answers, and what is meant for one asker.
 *
 * The memory is bounded; what was not asked for longest goes first. Hashed with this process's secret. One thread; no allocation but in
 * cache_put(), which keeps nothing where there is no memory.
 */
#ifndef DHCP_CACHE_H
#define DHCP_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcp/dns_message.h"

struct cache;

enum { CACHE_ANSWER_MAX = 16384 };	/* bytes of one answer; longer ones are not kept */

/* cache_key - all of a query that its answer depends on */
struct cache_key {
	uint16_t size;
	uint8_t bytes[DNS_NAME_MAX + 5];
};

/* cache_key_make() - Return: false if answers to this query are for its asker alone */
bool cache_key_make(struct cache_key *key, const struct dns_query *q);

/* cache_new() - a cache of at most @room bytes, all told; for cache_free(), or NULL */
struct cache *cache_new(size_t room);
void cache_free(struct cache *c);

/* cache_put() - keep an answer if it may be kept
 * @reply:	copied; its question is that of @key
 */
void cache_put(struct cache *c, const struct cache_key *key, const uint8_t *reply, size_t size, uint64_t now_ms);

/* cache_get() - the answer to this question
 * @reply:	room for CACHE_ANSWER_MAX bytes; id and question are those of whoever asked first
 *
 * Return: its bytes, or 0.
 */
size_t cache_get(struct cache *c, const struct cache_key *key, uint8_t *reply, uint64_t now_ms);

/* cache_get_above() - what says that a name above the one asked for does not exist, and so neither does this one (RFC 8020)
 * @top:	bytes of the name up to which that counts: what lies above is known by others
 * @reply:	as it was told of that name, its question included: for dns_retell()
 *
 * Return: its bytes, or 0.
 */
size_t cache_get_above(struct cache *c, const struct dns_query *q, size_t top, uint8_t *reply, uint64_t now_ms);

/* cache_left_s() - how long the answer to @key would still be given, in seconds begun; 0: there is none
 * cache_left_above_s() - likewise that of cache_get_above(). To look is not to ask: what was not asked for longest stays that. */
uint32_t cache_left_s(struct cache *c, const struct cache_key *key, uint64_t now_ms);
uint32_t cache_left_above_s(struct cache *c, const struct dns_query *q, size_t top, uint64_t now_ms);

/* cache_resize() - of at most @room bytes from now on */
void cache_resize(struct cache *c, size_t room);

/* cache_clear() - other resolvers may say other things */
void cache_clear(struct cache *c);

/* cache_used() - bytes, of at most those of cache_new(); cache_entries() - answers kept */
size_t cache_used(const struct cache *c);
unsigned cache_entries(const struct cache *c);

#endif
