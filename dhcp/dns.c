// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dns.h"

#include <errno.h>

#include "dhcp/dns_find.h"
#include "dhcp/dns_local.h"
#include "dhcp/dns_opt.h"
#include "dhcp/names_peer.h"

enum { TTL_S = 30, ALIASES_MAX = 8 };
enum { SOA_REFRESH_S = 3600, SOA_RETRY_S = 1200, SOA_EXPIRE_S = 604800 };	/* RFC 6303 3 */

/* One query on its way through. */
struct asking {
	const struct dns_zone *zone;
	const struct names *names;
	const struct dns_query *q;
	struct dns_name lower;		/* the name asked for */
	enum dns_local where;
	struct dns_name apex;		/* of the zone it lies in */
	struct dns_reply reply;
};

int dns_zone_init(struct dns_zone *zone, const char *domain, struct prefix4 subnet, bool relay)
{
	if (dns_name_from_text(&zone->origin, *domain ? domain : ".") < 0)
		return -EINVAL;
	dns_name_lower(&zone->origin);
	zone->subnet = subnet;
	zone->relay = relay;
	zone->ttl_s = TTL_S;
	return 0;
}

/* add_soa() - the record that tells how long a "no" may be remembered (RFC 2308 3); the zone's name ends the
 * question's
 */
static void add_soa(struct asking *a, bool authority)
{
	/* RFC 6303 3; the final zero of C is the root */
	static const uint8_t nobody[] = "\6nobody\7invalid";
	uint8_t rdata[64];
	struct writer w = writer_init(rdata, sizeof(rdata));

	write_u16(&w, (uint16_t)(0xc000 | (DNS_TO_QUESTION + a->q->name.size - a->apex.size)));
	write_bytes(&w, nobody, sizeof(nobody));
	write_u32(&w, 1);		/* serial: nobody transfers this zone */
	write_u32(&w, SOA_REFRESH_S);
	write_u32(&w, SOA_RETRY_S);
	write_u32(&w, SOA_EXPIRE_S);
	write_u32(&w, a->zone->ttl_s);
	dns_reply_record(&a->reply, authority, &a->apex, DNS_SOA, a->zone->ttl_s, rdata, w.pos);
}

/* add_ns() - RFC 6303 3: the zone's own name; it is here alone, and nobody is to look for more servers */
static enum dns_outcome add_ns(struct asking *a)
{
	uint8_t rdata[2];

	put_u16(rdata, (uint16_t)(0xc000 | (DNS_TO_QUESTION + a->q->name.size - a->apex.size)));
	dns_reply_record(&a->reply, false, &a->apex, DNS_NS, a->zone->ttl_s, rdata, sizeof(rdata));
	return DNS_OUT_ANSWER;
}

static enum dns_outcome say_no(struct asking *a, enum dns_rcode rcode)
{
	a->reply.rcode = rcode;
	add_soa(a, true);
	return rcode == DNS_NXDOMAIN ? DNS_OUT_NXDOMAIN : DNS_OUT_NODATA;
}

static enum dns_outcome add_one(struct asking *a, uint16_t type, const void *rdata, size_t size)
{
	dns_reply_record(&a->reply, false, NULL, type, a->zone->ttl_s, rdata, size);
	return DNS_OUT_ANSWER;
}

/* RFC 8482 4.2: ANY gets one small record, so that it amplifies nothing */
static enum dns_outcome answer_any(struct asking *a)
{
	static const uint8_t hinfo[] = "\7RFC8482";	/* and an empty string: the final zero of C */

	return add_one(a, DNS_HINFO, hinfo, sizeof(hinfo));
}

/* RFC 6761 6.3 */
static enum dns_outcome answer_localhost(struct asking *a)
{
	static const uint8_t ip4[4] = { 127, 0, 0, 1 }, ip6[16] = { [15] = 1 };

	if (a->q->type == DNS_A)
		return add_one(a, DNS_A, ip4, sizeof(ip4));
	if (a->q->type == DNS_AAAA)
		return add_one(a, DNS_AAAA, ip6, sizeof(ip6));
	return say_no(a, DNS_NOERROR);
}

static enum dns_outcome answer_loopback(struct asking *a)
{
	static const uint8_t name[] = "\11localhost";

	return a->q->type == DNS_PTR ? add_one(a, DNS_PTR, name, sizeof(name)) : say_no(a, DNS_NOERROR);
}

/* add_records() - those of the type asked for. Return: how many. */
static unsigned add_records(struct asking *a, const struct dns_name *owner, const struct dns_found *found)
{
	unsigned n = 0;

	for (unsigned i = 0; i < found->nrecords; i++) {
		const struct name_record *r = dns_found_at(found, i);

		if (r->type != a->q->type)
			continue;
		dns_reply_record(&a->reply, false, owner, r->type, a->zone->ttl_s, r->rdata, r->size);
		n++;
	}
	return n;
}

/* add_alias() - a CNAME record, if there is one, and what it leads to */
static bool add_alias(struct asking *a, const struct dns_name *owner, const struct dns_found *found,
		      struct dns_name *target)
{
	for (unsigned i = 0; i < found->nrecords; i++) {
		const struct name_record *r = dns_found_at(found, i);
		size_t pos = 0;

		if (r->type != DNS_CNAME || dns_name_read(target, r->rdata, r->size, &pos) < 0)
			continue;
		dns_reply_record(&a->reply, false, owner, r->type, a->zone->ttl_s, r->rdata, r->size);
		return true;
	}
	return false;
}

static bool is_local(const struct asking *a, const struct dns_name *lower)
{
	struct dns_name zone;

	return dns_local(lower, &a->zone->origin, a->zone->subnet, &zone) != DNS_LOCAL_NOT;
}

/* answer_found() - from the records of a name, along its aliases
 *
 * The answer to an alias that leads outside is the alias alone.
 */
static enum dns_outcome answer_found(struct asking *a, struct dns_found found)
{
	struct dns_name owner, lower;
	const struct dns_name *at = NULL;

	for (unsigned hops = 0; hops <= ALIASES_MAX; hops++) {
		if (add_records(a, at, &found))
			return DNS_OUT_ANSWER;
		if (!add_alias(a, at, &found, &owner))
			return at ? DNS_OUT_ANSWER : say_no(a, DNS_NOERROR);
		at = &owner;
		lower = owner;
		dns_name_lower(&lower);
		found = dns_find(a->names, &lower);
		if (!found.n)
			found = dns_find_wild(a->names, &lower);
		if (!found.n) {
			if (is_local(a, &lower))
				a->reply.rcode = DNS_NXDOMAIN;	/* RFC 2308 2.1 */
			return DNS_OUT_ANSWER;
		}
	}
	dns_reply_begin(&a->reply, a->q, a->reply.w.data, a->reply.w.room);
	a->reply.rcode = DNS_SERVFAIL;
	return DNS_OUT_SERVFAIL;
}

/* find_asked() - the records of the name asked for, if it is bare those of the guest. No wildcard stands for a bare name: the world has some. */
static struct dns_found find_asked(const struct asking *a)
{
	struct dns_found found = dns_find(a->names, &a->lower);
	struct dns_name full;

	if (found.n)
		return found;
	if (dns_name_labels(&a->lower) != 1)
		return dns_find_wild(a->names, &a->lower);
	return dns_name_join(&full, &a->lower, &a->zone->origin) < 0 ? found : dns_find(a->names, &full);
}

/* ask_peers() - for a name that is not there: is it one of theirs, below their domain or of an address of theirs? Then all else is theirs, too. */
static struct dns_found ask_peers(struct asking *a)
{
	const struct names_peers *peers = names_peers(a->names);

	for (unsigned i = 0; peers && i < peers->n; i++) {
		const struct names_peer *p = &peers->of[i];
		struct dns_found found = { .n = 0 };
		struct dns_name apex;

		if (dns_local(&a->lower, &p->zone->origin, p->zone->subnet, &apex) == DNS_LOCAL_BELOW)
			found = dns_find(p->names, &a->lower);
		if (!found.n)
			continue;
		a->names = p->names;
		a->where = DNS_LOCAL_BELOW;
		a->apex = apex;
		return found;
	}
	return (struct dns_found){ .n = 0 };
}

/* A validator asks for the keys and delegations of the world's top-level domains; no guest is called so. */
static bool asks_for_delegation(uint16_t type)
{
	return type == DNS_NS || type == DNS_SOA || type == DNS_DS || type == DNS_DNSKEY;
}

static enum dns_outcome answer_outside(struct asking *a)
{
	a->reply.flags &= (uint16_t)~DNS_FLAG_AA;
	if (a->zone->relay && a->q->flags & DNS_FLAG_RD)
		return DNS_OUT_RELAY;
	a->reply.rcode = DNS_REFUSED;
	return DNS_OUT_REFUSED;
}

static enum dns_outcome answer_missing(struct asking *a)
{
	switch (a->where) {
	case DNS_LOCAL_NOT:
		break;
	case DNS_LOCAL_APEX:
		if (a->q->type == DNS_SOA) {
			add_soa(a, false);
			return DNS_OUT_ANSWER;
		}
		return a->q->type == DNS_NS ? add_ns(a) : say_no(a, DNS_NOERROR);
	case DNS_LOCAL_PART:
		return say_no(a, DNS_NOERROR);
	case DNS_LOCAL_BELOW:
		return say_no(a, DNS_NXDOMAIN);
	case DNS_LOCAL_HOST:
		return answer_localhost(a);
	case DNS_LOCAL_LOOPBACK:
		return answer_loopback(a);
	}
	if (dns_name_labels(&a->lower) != 1 || asks_for_delegation(a->q->type))
		return answer_outside(a);
	dns_name_strip(&a->apex, &a->lower, 1);		/* a bare name nobody has */
	return say_no(a, DNS_NXDOMAIN);
}

static enum dns_outcome answer_query(struct asking *a)
{
	const struct dns_query *q = a->q;
	struct dns_found found;

	if (q->edns_version) {
		a->reply.rcode = DNS_BADVERS;
		return DNS_OUT_BADVERS;
	}
	if (q->class != DNS_CLASS_IN && q->class != DNS_CLASS_ANY)
		return answer_outside(a);
	a->reply.flags |= DNS_FLAG_AA;
	a->where = dns_local(&a->lower, &a->zone->origin, a->zone->subnet, &a->apex);
	found = find_asked(a);
	if (!found.n && (a->where == DNS_LOCAL_NOT || a->where == DNS_LOCAL_BELOW))
		found = ask_peers(a);
	if (!found.n && a->where == DNS_LOCAL_NOT)
		return answer_missing(a);
	if (q->type == DNS_AXFR || q->type == DNS_IXFR) {
		a->reply.rcode = DNS_REFUSED;
		return DNS_OUT_REFUSED;
	}
	if (!found.n || (!found.nrecords && a->where == DNS_LOCAL_APEX))
		return answer_missing(a);
	if (a->where == DNS_LOCAL_NOT)
		a->apex = a->lower;	/* a name of the user's, alone in its zone */
	if (a->where == DNS_LOCAL_APEX && (q->type == DNS_SOA || q->type == DNS_NS))
		return answer_missing(a);
	return q->type == DNS_ANY && found.nrecords ? answer_any(a) : answer_found(a, found);
}

int dns_answer(const struct dns_zone *zone, const struct names *names, const uint8_t *query, size_t size, bool stream,
	       uint8_t *reply, size_t room, enum dns_outcome *outcome)
{
	struct dns_query q;
	struct asking a = { .zone = zone, .names = names, .q = &q };

	*outcome = DNS_OUT_DROP;
	if (room < DNS_UDP_PLAIN)
		return -EMSGSIZE;
	switch (dns_query_parse(&q, query, size)) {
	case 0:
		break;
	case -ENOTSUP:
		*outcome = DNS_OUT_NOTIMP;
		return (int)dns_reply_error(&q, DNS_NOTIMP, reply, room);
	case -EPROTO:
		*outcome = DNS_OUT_FORMERR;
		return (int)dns_reply_error(&q, DNS_FORMERR, reply, room);
	default:
		return -EBADMSG;
	}
	q.stream = stream;
	a.lower = q.name;
	dns_name_lower(&a.lower);
	dns_reply_begin(&a.reply, &q, reply, room);
	*outcome = answer_query(&a);
	return *outcome == DNS_OUT_RELAY ? 0 : (int)dns_reply_end(&a.reply);
}

/* say() - an answer without a record */
static size_t say(enum dns_rcode rcode, const uint8_t *query, size_t size, uint8_t *reply, size_t room)
{
	struct dns_query q;
	struct dns_reply r;

	if (room < DNS_UDP_PLAIN || dns_query_parse(&q, query, size) < 0)
		return 0;
	dns_reply_begin(&r, &q, reply, room);
	r.rcode = rcode;
	if (rcode == DNS_SERVFAIL)
		r.ede = DNS_EDE_NO_RESOLVER;
	return dns_reply_end(&r);
}

size_t dns_servfail(const uint8_t *query, size_t size, uint8_t *reply, size_t room)
{
	return say(DNS_SERVFAIL, query, size, reply, room);
}

size_t dns_refused(const uint8_t *query, size_t size, uint8_t *reply, size_t room)
{
	return say(DNS_REFUSED, query, size, reply, room);
}

const char *dns_outcome_name(enum dns_outcome outcome)
{
	static const char *const names[DNS_OUT_COUNT] = {
		[DNS_OUT_ANSWER] = "answer", [DNS_OUT_NODATA] = "nodata", [DNS_OUT_NXDOMAIN] = "nxdomain",
		[DNS_OUT_REFUSED] = "refused", [DNS_OUT_RELAY] = "relay", [DNS_OUT_FORMERR] = "formerr",
		[DNS_OUT_NOTIMP] = "notimp", [DNS_OUT_BADVERS] = "badvers", [DNS_OUT_SERVFAIL] = "servfail",
		[DNS_OUT_DROP] = "drop",
	};

	return outcome < DNS_OUT_COUNT ? names[outcome] : "?";
}
