// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/hash.h"
#include "dhcp/cache.h"
#include "dhcp/dns.h"
#include "dhcp/dns_opt.h"
#include "dhcp/dns_retell.h"
#include "dhcp/upstream_owner.h"
#include "dhcp/validation.h"

#undef HASH_FUNCTION		/* uthash's own has no secret */
#define HASH_FUNCTION(key, size, value) ((value) = (unsigned)hash_bytes(key, size, hash_seed()))

/* One who waits for an answer. */
struct waiter {
	STAILQ_ENTRY(waiter) link;
	struct owner *owner;
	upstream_fn *fn;
	void *arg;
	struct dns_query q;
	uint8_t question[DNS_NAME_MAX + 4];	/* as it was written */
};

STAILQ_HEAD(waiters, waiter);

/* flight - a question on its way to the resolvers, and all who wait for its answer */
struct flight {
	struct relay *relay;
	UT_hash_handle hh;		/* where others may join it */
	bool shared;
	bool judged;			/* the answer comes from the validation: AD is its word */
	unsigned generation;		/* of the resolvers that were asked first */
	struct cache_key key, joint;	/* of the answer; and of those who may ask together, see flight_key() */
	struct waiters waiters;
};

struct relay {
	struct upstream *upstream;
	struct cache *cache;
	struct relay_conf conf;
	struct flight *flights;		/* those that may be joined, by key */
	struct owner *owners;
	unsigned nwaiting;
	unsigned generation;		/* of the resolvers whose answers are kept */
	struct relay_stats stats;
};

struct relay *relay_new(struct upstream *upstream, size_t cache_bytes)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->upstream = upstream;
	r->conf = (struct relay_conf){ .cache_bytes = cache_bytes, .share = UPSTREAM_OWNER_MAX };
	r->cache = cache_new(cache_bytes);
	if (!r->cache) {
		free(r);
		return NULL;
	}
	return r;
}

/* part() - what is on its way stays so, for who waits, and nobody joins: it was asked otherwise */
static void part(struct relay *r)
{
	struct flight *f, *next;

	HASH_ITER(hh, r->flights, f, next) {
		HASH_DELETE(hh, r->flights, f);
		f->shared = false;
	}
}

void relay_configure(struct relay *r, const struct relay_conf *conf)
{
	if ((conf->rebind.protect && (!r->conf.rebind.protect || strcmp(r->conf.rebind.allow, conf->rebind.allow))) ||
	    conf->trust_ad != r->conf.trust_ad || conf->validate != r->conf.validate)
		cache_clear(r->cache);		/* an answer that was let through may be one that leads inside now, or is not to be believed */
	if (conf->validate != r->conf.validate)
		part(r);
	cache_resize(r->cache, conf->cache_bytes);
	r->conf = *conf;
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	cache_free(r->cache);
	free(r);
}

/* follow() - other resolvers may say other things */
static void follow(struct relay *r)
{
	unsigned generation = upstream_generation(r->upstream);

	if (generation == r->generation)
		return;
	cache_clear(r->cache);
	r->generation = generation;
	if (r->conf.validation)
		validation_follow(r->conf.validation);
}

const struct relay_stats *relay_stats(const struct relay *r)
{
	return &r->stats;
}

/* give_cut() - the answer is larger than the asker takes: just that */
static void give_cut(struct relay *r, const struct waiter *w, const uint8_t *answer)
{
	uint8_t cut[DNS_UDP_MAX];
	struct dns_reply reply;

	r->stats.cut++;
	dns_reply_begin(&reply, &w->q, cut, sizeof(cut));
	reply.rcode = get_u16(answer + 2) & DNS_RCODE_MASK;
	reply.truncated = true;
	w->fn(w->arg, cut, dns_reply_end(&reply));
}

/* give() - the answer, for this one; from within its callback other answers may be given */
static void give(struct relay *r, const struct waiter *w, const uint8_t *answer, size_t size)
{
	static uint8_t reply[UPSTREAM_REPLY_MAX];	/* one thread; what a callback does not keep is not looked at after it */

	if (!answer) {
		w->fn(w->arg, NULL, 0);
	} else if (size > dns_reply_limit(&w->q)) {
		give_cut(r, w, answer);
	} else {
		memcpy(reply, answer, size);
		put_u16(reply, w->q.id);
		memcpy(reply + DNS_HEADER_SIZE, w->question, w->q.question_size);
		w->fn(w->arg, reply, size);
	}
}

static void waiter_free(struct relay *r, struct waiter *w)
{
	w->owner->npending--;
	owner_put(&r->owners, w->owner);
	r->nwaiting--;
	free(w);
}

static struct waiter *waiter_new(struct relay *r, struct owner *o, const struct waiter *like)
{
	struct waiter *w = malloc(sizeof(*w));

	if (!w)
		return NULL;
	*w = *like;
	w->owner = o;
	o->npending++;
	r->nwaiting++;
	return w;
}

static void flight_free(struct flight *f)
{
	if (f->shared)
		HASH_DELETE(hh, f->relay->flights, f);
	free(f);
}

/* say() - an answer without a record, and why */
static size_t say(const struct dns_query *q, enum dns_rcode rcode, enum dns_ede ede, uint8_t *reply)
{
	struct dns_reply to;

	dns_reply_begin(&to, q, reply, UPSTREAM_REPLY_MAX);
	to.rcode = rcode;
	to.ede = ede;
	return dns_reply_end(&to);
}

/* blocked() - the answer in the place of one that leads inside: the name has no such record */
static size_t blocked(struct relay *r, const struct dns_query *q, uint8_t *reply)
{
	r->stats.inside++;
	return say(q, DNS_NOERROR, DNS_EDE_BLOCKED, reply);
}

/* make_own() - the answer as it is passed on to all who wait; Return: its bytes */
static size_t make_own(struct relay *r, const struct flight *f, const uint8_t *answer, size_t size, uint8_t *own)
{
	const struct waiter *first = STAILQ_FIRST(&f->waiters);

	if (rebind_offends(&r->conf.rebind, &first->q.name, answer, size))
		return blocked(r, &first->q, own);
	memcpy(own, answer, size);
	if (!f->judged && !r->conf.trust_ad)
		put_u16(own + 2, get_u16(own + 2) & (uint16_t)~DNS_FLAG_AD);
	return dns_opt_own(own, size);
}

/* on_answer() - the flight is over before the first who waited hears of it: what is asked then is asked anew */
static void on_answer(void *arg, const uint8_t *answer, size_t size)
{
	struct flight *f = arg;
	struct relay *r = f->relay;
	struct waiters waiters = STAILQ_HEAD_INITIALIZER(waiters);
	uint8_t own[UPSTREAM_REPLY_MAX];	/* not static: who hears of it may ask again, and is answered from within */
	struct waiter *w;

	if (answer) {
		size = make_own(r, f, answer, size, own);
		answer = own;
		if (f->shared && f->generation == r->generation)
			cache_put(r->cache, &f->key, answer, size, clock_now_ms());
	}
	STAILQ_CONCAT(&waiters, &f->waiters);
	flight_free(f);
	while ((w = STAILQ_FIRST(&waiters))) {
		struct waiter last = *w;

		STAILQ_REMOVE_HEAD(&waiters, link);
		waiter_free(r, w);
		give(r, &last, answer, size);
	}
}

/* judged() - the answer that goes with a verdict. Return: its bytes */
static size_t judged(const struct dns_query *q, const struct validator_verdict *verdict, uint8_t *reply)
{
	bool tell = verdict && verdict->state == VALIDATOR_SECURE && (q->dnssec_ok || q->flags & DNS_FLAG_AD);	/* RFC 6840 5.7 */
	size_t n;

	if (!verdict)
		return say(q, DNS_SERVFAIL, DNS_EDE_NOT_READY, reply);
	if (verdict->state == VALIDATOR_BOGUS || verdict->state == VALIDATOR_FAILED)
		return say(q, DNS_SERVFAIL, verdict->state == VALIDATOR_BOGUS ? DNS_EDE_BOGUS : DNS_EDE_NO_RESOLVER, reply);
	n = dns_retell(q, verdict->answer, verdict->size, q->dnssec_ok, reply, UPSTREAM_REPLY_MAX);
	if (n && tell)
		put_u16(reply + 2, get_u16(reply + 2) | DNS_FLAG_AD);
	return n ? n : say(q, DNS_SERVFAIL, DNS_EDE_NO_RESOLVER, reply);
}

static void on_verdict(void *arg, const struct validator_verdict *verdict)
{
	uint8_t reply[UPSTREAM_REPLY_MAX];		/* not static: see on_answer() */
	struct flight *f = arg;
	const struct waiter *first = STAILQ_FIRST(&f->waiters);

	if (verdict && verdict->state == VALIDATOR_BOGUS && f->relay->conf.on_bogus)
		f->relay->conf.on_bogus(f->relay->conf.arg, &first->q.name, verdict->why);
	on_answer(f, reply, judged(&first->q, verdict, reply));
}

/* flight_key() - what may be asked together: for those who take all of an answer it is another one */
static void flight_key(struct cache_key *to, const struct cache_key *key, bool stream)
{
	*to = *key;
	to->bytes[0] |= stream ? 0x80 : 0;
}

static struct flight *flight_find(struct relay *r, const struct cache_key *key, bool stream)
{
	struct cache_key joint;
	struct flight *f;

	flight_key(&joint, key, stream);
	HASH_FIND(hh, r->flights, joint.bytes, joint.size, f);
	return f;
}

/* flight_new() - @key is NULL if nobody may join it */
static struct flight *flight_new(struct relay *r, const struct cache_key *key, bool stream)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->relay = r;
	f->generation = r->generation;
	STAILQ_INIT(&f->waiters);
	if (!key)
		return f;
	f->key = *key;
	flight_key(&f->joint, key, stream);
	HASH_ADD_KEYPTR(hh, r->flights, f->joint.bytes, f->joint.size, f);
	f->shared = f->hh.tbl;
	return f;
}

static int have_judged(struct relay *r, const struct dns_query *q, struct flight *f)
{
	if (r->conf.validation)
		return validation_ask(r->conf.validation, q, on_verdict, f);
	on_verdict(f, NULL);
	return 0;
}

/* take_off() - the first who asks this. Return: as upstream_query() */
static int take_off(struct relay *r, const struct cache_key *key, struct waiter *w, uint64_t owner, const uint8_t *data, size_t size)
{
	struct flight *f = flight_new(r, key, w->q.stream);
	uint8_t own[UPSTREAM_QUERY_MAX];
	int rc;

	if (!f)
		return -ENOMEM;
	STAILQ_INSERT_TAIL(&f->waiters, w, link);
	f->judged = r->conf.validate && !(w->q.flags & DNS_FLAG_CD) && w->q.class == DNS_CLASS_IN;
	memcpy(own, data, size);
	if (f->judged)
		rc = have_judged(r, &w->q, f);
	else
		rc = upstream_query(r->upstream, owner, own, dns_opt_own(own, size), w->q.stream, on_answer, f);
	if (rc < 0)
		flight_free(f);
	return rc;
}

/* ask() - join the others, or be the first */
static int ask(struct relay *r, const struct cache_key *key, struct waiter *like, uint64_t owner, const uint8_t *data, size_t size)
{
	struct flight *f = key ? flight_find(r, key, like->q.stream) : NULL;
	struct owner *o = owner_get(&r->owners, owner);
	struct waiter *w;
	int rc = -ENOMEM;

	if (!o)
		return rc;
	w = o->npending < r->conf.share && r->nwaiting < RELAY_WAITING_MAX ? waiter_new(r, o, like) : NULL;
	if (!w) {
		r->stats.refused++;
		rc = o->npending < r->conf.share ? -ENOBUFS : -EDQUOT;
		owner_put(&r->owners, o);
		return rc;
	}
	if (f) {
		r->stats.joined++;
		STAILQ_INSERT_TAIL(&f->waiters, w, link);
		return 0;
	}
	rc = take_off(r, key, w, owner, data, size);
	if (rc < 0)
		waiter_free(r, w);
	return rc;
}

/* kept() - an answer from the cache, of this name or of one above it that does not exist. Return: its bytes, or 0 */
static size_t kept(struct relay *r, const struct cache_key *key, const struct dns_query *q, uint8_t answer[CACHE_ANSWER_MAX])
{
	static uint8_t above[CACHE_ANSWER_MAX];
	uint64_t now_ms = clock_now_ms();
	size_t size = cache_get(r->cache, key, answer, now_ms);

	if (size)
		return size;
	size = cache_get_above(r->cache, q, upstream_domain(r->upstream, &q->name), above, now_ms);
	return size ? dns_retell(q, above, size, true, answer, CACHE_ANSWER_MAX) : 0;
}

bool relay_look(struct relay *r, const uint8_t *data, size_t size, struct relay_kept *to)
{
	uint64_t now_ms = clock_now_ms();
	struct cache_key key;
	struct dns_query q;

	if (dns_query_parse(&q, data, size) < 0 || !cache_key_make(&key, &q))
		return false;
	follow(r);
	*to = (struct relay_kept){ .left_s = cache_left_s(r->cache, &key, now_ms) };
	if (to->left_s)
		return true;
	to->left_s = cache_left_above_s(r->cache, &q, upstream_domain(r->upstream, &q.name), now_ms);
	to->above = true;
	return to->left_s;
}

int relay_query(struct relay *r, uint64_t owner, const uint8_t *data, size_t size, bool stream, upstream_fn *fn, void *arg)
{
	static uint8_t answer[CACHE_ANSWER_MAX];	/* give() copies it first */
	struct waiter like = { .fn = fn, .arg = arg };
	struct cache_key key;
	bool shared;
	size_t hit;

	if (size > UPSTREAM_QUERY_MAX || dns_query_parse(&like.q, data, size) < 0)
		return -EBADMSG;
	like.q.stream = stream;
	memcpy(like.question, data + DNS_HEADER_SIZE, like.q.question_size);
	follow(r);
	shared = cache_key_make(&key, &like.q);
	hit = shared ? kept(r, &key, &like.q, answer) : 0;
	if (hit) {
		r->stats.hits++;
		give(r, &like, answer, hit);
		return 0;
	}
	return ask(r, shared ? &key : NULL, &like, owner, data, size);
}
