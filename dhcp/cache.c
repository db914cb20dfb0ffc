// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/array.h"
#include "base/hash.h"
#include "dhcp/dns_opt.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#undef HASH_FUNCTION		/* uthash's own has no secret */
#define HASH_FUNCTION(key, size, value) ((value) = (unsigned)hash_bytes(key, size, hash_seed()))

enum {
	TTL_MAX_S = 7 * 24 * 3600,
	NEGATIVE_MAX_S = 3 * 3600,	/* RFC 2308 5 */
	FAILURE_S = 3,			/* RFC 9520 3.2: at least one second, so that who asks and asks is not all that reaches the resolvers */
	SOA_MINIMUM_FROM_END = 4,	/* the last field of the record (RFC 1035 3.3.13) */
};

struct entry {
	UT_hash_handle hh;
	TAILQ_ENTRY(entry) link;	/* by when it was last asked for */
	uint64_t put_ms, until_ms;
	struct cache_key key;
	uint16_t size;
	uint8_t reply[];
};

TAILQ_HEAD(entries, entry);

struct cache {
	struct entry *table;
	struct entries order;		/* the first goes first */
	size_t room, used;
};

bool cache_key_make(struct cache_key *key, const struct dns_query *q)
{
	struct dns_name lower = q->name;
	uint8_t bits = (uint8_t)((q->edns ? 1 : 0) | (q->dnssec_ok ? 2 : 0));
	struct writer w = writer_init(key->bytes, sizeof(key->bytes));

	if (!q->bare || q->personal || q->class != DNS_CLASS_IN)
		return false;
	dns_name_lower(&lower);
	bits |= (uint8_t)((q->flags & DNS_FLAG_CD ? 4 : 0) | (q->flags & DNS_FLAG_AD ? 8 : 0) | (q->flags & DNS_FLAG_RD ? 16 : 0));
	write_u8(&w, bits);
	write_u16(&w, q->type);
	write_bytes(&w, lower.wire, lower.size);
	key->size = (uint16_t)w.pos;
	return true;
}

struct cache *cache_new(size_t room)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->room = room;
	TAILQ_INIT(&c->order);
	return c;
}

static size_t weight(const struct entry *e)
{
	return sizeof(*e) + e->size;
}

static void drop(struct cache *c, struct entry *e)
{
	HASH_DELETE(hh, c->table, e);
	TAILQ_REMOVE(&c->order, e, link);
	c->used -= weight(e);
	free(e);
}

void cache_clear(struct cache *c)
{
	while (!TAILQ_EMPTY(&c->order))
		drop(c, TAILQ_FIRST(&c->order));
}

void cache_resize(struct cache *c, size_t room)
{
	c->room = room;
	while (c->used > room)
		drop(c, TAILQ_FIRST(&c->order));
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	cache_clear(c);
	free(c);
}

/* An OPT record's TTL is none. One with the first bit set counts as zero (RFC 2181 8). */
static uint32_t ttl_of(const struct dns_rr *rr)
{
	return rr->ttl >> 31 ? 0 : MIN_OF(rr->ttl, (uint32_t)TTL_MAX_S);
}

/* records_at() - where the records behind the question begin, or 0 */
static size_t records_at(const uint8_t *reply, size_t size)
{
	size_t pos = DNS_HEADER_SIZE;

	if (size < DNS_HEADER_SIZE || get_u16(reply + 4) != 1 || dns_name_skip(reply, size, &pos) < 0 || size - pos < 4)
		return 0;
	return pos + 4;
}

/* lifetime() - how long an answer may be kept, in seconds; 0: not at all */
static uint32_t lifetime(const uint8_t *reply, size_t size)
{
	unsigned rcode = get_u16(reply + 2) & DNS_RCODE_MASK, answers = get_u16(reply + 6), authority = get_u16(reply + 8);
	unsigned n = answers + authority + get_u16(reply + 10);
	size_t pos = records_at(reply, size);
	bool negative = rcode == DNS_NXDOMAIN || !answers, soa = false;
	uint32_t least = UINT32_MAX;
	struct dns_rr rr;

	if (!pos || get_u16(reply + 2) & DNS_FLAG_TC)
		return 0;
	if (rcode == DNS_SERVFAIL || rcode == DNS_REFUSED)
		return FAILURE_S;
	if (rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		if (dns_rr_read(&rr, reply, size, &pos) < 0)
			return 0;
		if (rr.type == DNS_OPT)
			continue;
		least = MIN_OF(least, ttl_of(&rr));
		if (rr.type != DNS_SOA || i < answers || i >= answers + authority || rr.size < SOA_MINIMUM_FROM_END)
			continue;
		soa = true;
		least = MIN_OF(least, get_u32(reply + rr.data + rr.size - SOA_MINIMUM_FROM_END));
		least = MIN_OF(least, (uint32_t)NEGATIVE_MAX_S);
	}
	return least == UINT32_MAX || (negative && !soa) ? 0 : least;
}

static struct entry *find(struct cache *c, const struct cache_key *key)
{
	struct entry *e;

	HASH_FIND(hh, c->table, key->bytes, key->size, e);
	return e;
}

void cache_put(struct cache *c, const struct cache_key *key, const uint8_t *reply, size_t size, uint64_t now_ms)
{
	uint32_t keep_s = size <= CACHE_ANSWER_MAX && size >= DNS_HEADER_SIZE ? lifetime(reply, size) : 0;
	struct entry *e = find(c, key);

	if (e)
		drop(c, e);
	if (!keep_s || sizeof(*e) + size > c->room)
		return;
	while (c->used + sizeof(*e) + size > c->room)
		drop(c, TAILQ_FIRST(&c->order));
	e = malloc(sizeof(*e) + size);
	if (!e)
		return;
	memcpy(e->reply, reply, size);
	e->size = (uint16_t)dns_opt_own(e->reply, size);
	e->key = *key;
	e->put_ms = now_ms;
	e->until_ms = now_ms + keep_s * 1000ull;
	HASH_ADD_KEYPTR(hh, c->table, e->key.bytes, e->key.size, e);
	if (!e->hh.tbl) {
		free(e);
		return;
	}
	TAILQ_INSERT_TAIL(&c->order, e, link);
	c->used += weight(e);
}

/* count_down() - the TTLs of an answer that is @age_s old; it outlives none of them */
static void count_down(uint8_t *reply, size_t size, uint32_t age_s)
{
	unsigned n = get_u16(reply + 6) + get_u16(reply + 8) + get_u16(reply + 10);
	size_t pos = records_at(reply, size);
	struct dns_rr rr;

	while (n-- && dns_rr_read(&rr, reply, size, &pos) == 0)
		if (rr.type != DNS_OPT)
			put_u32(reply + rr.ttl_at, ttl_of(&rr) - MIN_OF(age_s, ttl_of(&rr)));
}

size_t cache_get(struct cache *c, const struct cache_key *key, uint8_t *reply, uint64_t now_ms)
{
	struct entry *e = find(c, key);

	if (!e)
		return 0;
	if (now_ms >= e->until_ms) {
		drop(c, e);
		return 0;
	}
	TAILQ_REMOVE(&c->order, e, link);
	TAILQ_INSERT_TAIL(&c->order, e, link);
	memcpy(reply, e->reply, e->size);
	count_down(reply, e->size, (uint32_t)((now_ms - e->put_ms) / 1000));
	return e->size;
}

size_t cache_used(const struct cache *c)
{
	return c->used;
}

unsigned cache_entries(const struct cache *c)
{
	return HASH_COUNT(c->table);
}
