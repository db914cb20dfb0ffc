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
	ANY_TYPE = 0x20,		/* a bit of a key: it is of the name, whatever the type */
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
	unsigned nmissing;		/* names that do not exist */
	size_t room, used;
};

static void make_key(struct cache_key *key, uint8_t bits, uint16_t type, const struct dns_name *lower)
{
	struct writer w = writer_init(key->bytes, sizeof(key->bytes));

	write_u8(&w, bits);
	write_u16(&w, type);
	write_bytes(&w, lower->wire, lower->size);
	key->size = (uint16_t)w.pos;
}

/* bits_of() - how it is asked, which answers may depend on */
static uint8_t bits_of(const struct dns_query *q)
{
	uint8_t bits = (uint8_t)((q->edns ? 1 : 0) | (q->dnssec_ok ? 2 : 0));

	return (uint8_t)(bits | (q->flags & DNS_FLAG_CD ? 4 : 0) | (q->flags & DNS_FLAG_AD ? 8 : 0) | (q->flags & DNS_FLAG_RD ? 16 : 0));
}

bool cache_key_make(struct cache_key *key, const struct dns_query *q)
{
	struct dns_name lower = q->name;

	if (!q->bare || q->personal || q->class != DNS_CLASS_IN)
		return false;
	dns_name_lower(&lower);
	make_key(key, bits_of(q), q->type, &lower);
	return true;
}

/* for_all_types() - the key of the name itself */
static struct cache_key for_all_types(const struct cache_key *key)
{
	struct cache_key all = *key;

	all.bytes[0] |= ANY_TYPE;
	all.bytes[1] = all.bytes[2] = 0;
	return all;
}

static bool of_all_types(const struct cache_key *key)
{
	return key->bytes[0] & ANY_TYPE;
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
	c->nmissing -= of_all_types(&e->key);
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

/* denies() - does it say that the very name asked for does not exist? At the end of aliases it is another one that does not; and who is asked
 * for a delegation may speak of the world, and know hosts of his own all the same. */
static bool denies(const struct cache_key *key, const uint8_t *reply)
{
	uint16_t type = get_u16(key->bytes + 1);

	return (get_u16(reply + 2) & DNS_RCODE_MASK) == DNS_NXDOMAIN && !get_u16(reply + 6) && type != DNS_DS && type != DNS_NS && type != DNS_SOA &&
	       type != DNS_DNSKEY;
}

/* forget() - what a newer answer takes the place of */
static void forget(struct cache *c, const struct cache_key *key)
{
	struct entry *e = find(c, key);

	if (e)
		drop(c, e);
}

/* insert() - where there is room for it. Return: false without memory */
static bool insert(struct cache *c, struct entry *e)
{
	while (c->used + weight(e) > c->room)
		drop(c, TAILQ_FIRST(&c->order));
	HASH_ADD_KEYPTR(hh, c->table, e->key.bytes, e->key.size, e);
	if (!e->hh.tbl)
		return false;
	TAILQ_INSERT_TAIL(&c->order, e, link);
	c->used += weight(e);
	c->nmissing += of_all_types(&e->key);
	return true;
}

void cache_put(struct cache *c, const struct cache_key *key, const uint8_t *reply, size_t size, uint64_t now_ms)
{
	uint32_t keep_s = size <= CACHE_ANSWER_MAX && size >= DNS_HEADER_SIZE ? lifetime(reply, size) : 0;
	struct cache_key all = for_all_types(key);
	struct entry *e;

	forget(c, key);
	forget(c, &all);
	if (!keep_s || sizeof(*e) + size > c->room)
		return;
	e = malloc(sizeof(*e) + size);
	if (!e)
		return;
	memcpy(e->reply, reply, size);
	e->size = (uint16_t)dns_opt_own(e->reply, size);
	e->key = denies(key, reply) ? all : *key;
	e->put_ms = now_ms;
	e->until_ms = now_ms + keep_s * 1000ull;
	if (!insert(c, e))
		free(e);
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

/* get() - a copy of what is kept under this very key */
static size_t get(struct cache *c, const struct cache_key *key, uint8_t *reply, uint64_t now_ms)
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

size_t cache_get(struct cache *c, const struct cache_key *key, uint8_t *reply, uint64_t now_ms)
{
	struct cache_key all = for_all_types(key);
	size_t size = get(c, key, reply, now_ms);

	return size || !c->nmissing ? size : get(c, &all, reply, now_ms);
}

static uint32_t left_s(struct cache *c, const struct cache_key *key, uint64_t now_ms)
{
	const struct entry *e = find(c, key);

	return e && now_ms < e->until_ms ? (uint32_t)((e->until_ms - now_ms + 999) / 1000) : 0;
}

uint32_t cache_left_s(struct cache *c, const struct cache_key *key, uint64_t now_ms)
{
	struct cache_key all = for_all_types(key);
	uint32_t left = left_s(c, key, now_ms);

	return left ? left : left_s(c, &all, now_ms);
}

/* above() - the key of the next name up, as long as that is not above @top. Return: is there one? */
static bool above(struct cache_key *key, struct dns_name *name, const struct dns_query *q, size_t top)
{
	if (name->size <= top || name->size == 1)
		return false;
	dns_name_strip(name, name, 1);
	make_key(key, bits_of(q) | ANY_TYPE, 0, name);
	return name->size >= top;
}

uint32_t cache_left_above_s(struct cache *c, const struct dns_query *q, size_t top, uint64_t now_ms)
{
	struct dns_name up = q->name;
	struct cache_key key;
	uint32_t left = 0;

	dns_name_lower(&up);
	while (c->nmissing && !left && above(&key, &up, q, top))
		left = left_s(c, &key, now_ms);
	return left;
}

size_t cache_get_above(struct cache *c, const struct dns_query *q, size_t top, uint8_t *reply, uint64_t now_ms)
{
	struct dns_name up = q->name;
	struct cache_key key;
	size_t size = 0;

	dns_name_lower(&up);
	while (c->nmissing && !size && above(&key, &up, q, top))
		size = get(c, &key, reply, now_ms);
	return size;
}

size_t cache_used(const struct cache *c)
{
	return c->used;
}

unsigned cache_entries(const struct cache *c)
{
	return HASH_COUNT(c->table);
}
