// SPDX-License-Identifier: GPL-2.0-or-later
/* The names that rules are about: which addresses our own DNS answers gave for them, and which names a guest may ask for. */
#include "ctl/live_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "ctl/engine.h"
#include "dhcp/dns_message.h"
#include "switch/names_seen.h"
#include "switch/rule.h"

enum {
	LEAST_TTL_S = 30, MOST_TTL_S = 86400,	/* a guest may try again for a while with what it has; and nobody promises for days */
	HOPS = 8, ANSWERS_MAX = 128, NAMES = 4096,
};

/* policy_name - a domain of rules, "github.com" or "*.github.com" */
struct policy_name {
	char text[RULE_NAME + 2];
	struct rule rule;
	uint16_t number;
	bool used;
	UT_hash_handle hh;
};

struct net_policy {
	struct names_seen *seen;
	struct policy_name *names;	/* uthash by text */
	uint64_t records;		/* hash of those of ours that were put in */
};

/* ---- numbers ---- */

static struct net_policy *net_policy(struct live_net *net)
{
	if (!net->policy)
		net->policy = calloc(1, sizeof(*net->policy));
	if (net->policy && !net->policy->seen)
		net->policy->seen = names_seen_new();
	return net->policy && net->policy->seen ? net->policy : NULL;
}

static uint16_t free_number(const struct net_policy *np)
{
	for (uint16_t number = 1; number < NAMES; number++) {
		const struct policy_name *n = np->names;

		while (n && n->number != number)
			n = n->hh.next;
		if (!n)
			return number;
	}
	return 0;
}

uint16_t policy_names_number(struct live_net *net, const struct rule *rule)
{
	struct net_policy *np = net_policy(net);
	char text[sizeof(((struct policy_name *)0)->text)];
	struct policy_name *n = NULL;

	if (!np)
		return 0;
	snprintf(text, sizeof(text), "%s%s", rule->below ? "*." : "", rule->name);
	HASH_FIND_STR(np->names, text, n);
	if (!n) {
		n = calloc(1, sizeof(*n));
		if (!n)
			return 0;
		strcpy(n->text, text);
		n->rule = *rule;
		n->number = free_number(np);
		np->records = 0;
		HASH_ADD_STR(np->names, text, n);
	}
	n->used = true;
	return n->number;
}

struct names_seen *policy_names_seen(struct live_net *net)
{
	return net->policy ? net->policy->seen : NULL;
}

/* ---- addresses ---- */

/* is_inside() - addresses that mean something here and nothing outside: an answer from outside that has one leads back in (DNS rebinding) */
static bool is_inside(struct addr a)
{
	static const struct prefix4 inside4[] = {	/* RFC 6890 */
		{ 0x00000000, 8 }, { 0x0a000000, 8 }, { 0x64400000, 10 }, { 0x7f000000, 8 }, { 0xa9fe0000, 16 }, { 0xac100000, 12 },
		{ 0xc0000000, 24 }, { 0xc0a80000, 16 }, { 0xe0000000, 3 },
	};

	if (!addr_is4(a))
		return (a.bytes[0] & 0xfe) == 0xfc || (a.bytes[0] & 0xe0) != 0x20;	/* unique local; not global unicast */
	for (size_t i = 0; i < ARRAY_SIZE(inside4); i++)
		if (prefix4_has(inside4[i], addr_4(a)))
			return true;
	return false;
}

static bool is_ours(const struct engine *e, struct addr a)
{
	for (const struct live_net *net = e->nets; net; net = net->hh.next)
		if (addr_is4(a) ? net->conf->has_subnet && prefix4_has(net->conf->subnet, addr_4(a)) :
				  net->conf->subnet6.len && addr_in(net->conf->subnet6, a))
			return true;
	return false;
}

static void add_address(struct live_net *net, const char *name, struct addr a, uint64_t until_ms, uint64_t now_ms)
{
	for (const struct policy_name *n = net->policy->names; n; n = n->hh.next)
		if (n->number && rule_names(&n->rule, name))
			names_seen_add(net->policy->seen, n->number, a, until_ms, now_ms);
}

/* add_records() - what the user added is answered by workers, and never seen here: it is put in for good */
static void add_records(struct live_net *net)
{
	const struct net_conf *conf = net->conf;

	for (size_t i = 0; i < conf->nrecords; i++) {
		const struct record_conf *r = &conf->records[i];
		char name[2 * DOMAIN_TEXT];
		struct addr a;

		if ((r->type != RECORD_A && r->type != RECORD_AAAA) || addr_parse(r->value, &a) < 0)
			continue;
		if (!strcmp(r->name, "@"))
			snprintf(name, sizeof(name), "%s", conf->domain);
		else
			snprintf(name, sizeof(name), strchr(r->name, '.') ? "%s" : "%s.%s", r->name, conf->domain);
		add_address(net, name, a, UINT64_MAX, clock_now_ms());
	}
}

static uint64_t hash_records(const struct net_conf *conf)
{
	uint64_t hash = 1;

	for (size_t i = 0; i < conf->nrecords; i++) {
		hash = hash_bytes(conf->records[i].name, strlen(conf->records[i].name), hash);
		hash = hash_bytes(conf->records[i].value, strlen(conf->records[i].value), hash + conf->records[i].type);
	}
	return hash ? hash : 1;
}

void policy_names_settle(struct live_net *net)
{
	struct net_policy *np = net->policy;
	uint64_t records = hash_records(net->conf);
	struct policy_name *n, *tmp;

	if (!np)
		return;
	HASH_ITER(hh, np->names, n, tmp) {
		if (!n->used || np->records != records)
			names_seen_drop(np->seen, n->number);	/* answers will tell anew */
		if (!n->used) {
			HASH_DEL(np->names, n);
			free(n);
		} else {
			n->used = false;
		}
	}
	if (np->records != records)
		add_records(net);
	np->records = records;
}

void live_policy_net_free(struct live_net *net)
{
	struct policy_name *n, *tmp;

	if (!net->policy)
		return;
	HASH_ITER(hh, net->policy->names, n, tmp) {
		HASH_DEL(net->policy->names, n);
		free(n);
	}
	names_seen_free(net->policy->seen);
	free(net->policy);
	net->policy = NULL;
}

/* ---- questions ---- */

static void name_text(const struct dns_name *name, char text[DNS_NAME_TEXT])
{
	struct dns_name lower = *name;

	dns_name_lower(&lower);
	dns_name_to_text(&lower, text);
}

/* says() - 1: a rule lets the name be asked for, 0: one forbids it, -1: none says */
static int says(const struct policy_conf *policy, const char *name)
{
	for (unsigned i = 0; i < policy->nrules; i++) {
		const struct rule *r = &policy->rules[i];
		bool dns = !r->ports || (r->first <= DNS_PORT && DNS_PORT <= r->last);

		if (!(r->directions & RULE_EGRESS) || r->match == RULE_ETHERTYPE || r->match == RULE_ICMP)
			continue;
		if (r->peer == RULE_DOMAIN && rule_names(r, name) && (r->allow || (!r->ports && r->match == RULE_EVERYTHING)))
			return r->allow;
		if (r->allow && (r->peer == RULE_ANY || (r->peer == RULE_GATEWAY && dns)))
			return 1;
		if (!r->allow && r->peer == RULE_ANY && !r->ports && r->match == RULE_EVERYTHING)
			return 0;
	}
	return -1;
}

bool live_policy_asks(const struct live_port *p, const uint8_t *query, size_t size)
{
	const struct policy_conf *own = &p->conf->policy;
	char name[DNS_NAME_TEXT];
	struct dns_query q;
	int said;

	if (!own->deny && !own->nrules && !p->net->conf->defaults.policy.nrules)
		return true;
	if (dns_query_parse(&q, query, size) < 0)
		return false;
	name_text(&q.name, name);
	said = says(own, name);
	if (said < 0)
		said = says(&p->net->conf->defaults.policy, name);
	return said < 0 ? !(own->deny & RULE_EGRESS) : said || !(own->deny & RULE_EGRESS);
}

/* ---- answers ---- */

/* answer - one record of the answer section */
struct answer {
	struct dns_name owner;
	uint16_t type;
	uint32_t ttl_s;
	size_t rdata;
	uint16_t size;
};

/* read_answer() - the record at *pos. Return: false when it is cut short */
static bool read_answer(const uint8_t *data, size_t size, size_t *pos, struct answer *a)
{
	struct reader r;

	if (dns_name_read(&a->owner, data, size, pos) < 0)
		return false;
	r = reader_init(data, size);
	r.pos = *pos;
	a->type = read_u16(&r);
	read_u16(&r);			/* class */
	a->ttl_s = read_u32(&r);
	a->size = read_u16(&r);
	a->rdata = r.pos;
	read_bytes(&r, a->size);
	*pos = r.pos;
	return !r.overrun;
}

/* walk - an answer section, and the name that is being followed through it */
struct walk {
	const uint8_t *data;
	size_t size, first;
	unsigned n;
	struct dns_name at;
	uint32_t ttl_s;			/* the least of the aliases so far */
};

static void take_address(struct live_net *net, const char *name, const struct walk *w, const struct answer *a)
{
	uint64_t now = clock_now_ms();
	uint32_t ttl = MIN_OF(a->ttl_s, w->ttl_s);
	struct addr ip;

	if (a->type == DNS_A && a->size == 4)
		ip = addr4(get_u32(w->data + a->rdata));
	else if (a->type == DNS_AAAA && a->size == 16)
		ip = addr6(w->data + a->rdata);
	else
		return;
	ttl = MAX_OF((uint32_t)LEAST_TTL_S, MIN_OF(ttl, (uint32_t)MOST_TTL_S));
	if (!is_inside(ip) && !is_ours(net->engine, ip))
		add_address(net, name, ip, now + ttl * 1000ull, now);
}

/* follow() - take the addresses of w->at. Return: is it an alias? Then w->at is what it stands for */
static bool follow(struct live_net *net, const char *name, struct walk *w)
{
	struct dns_name next;
	bool alias = false;
	size_t pos = w->first;
	struct answer a;

	for (unsigned i = 0; i < w->n && read_answer(w->data, w->size, &pos, &a); i++) {
		size_t target = a.rdata;

		if (!dns_name_equal(&a.owner, &w->at))
			continue;
		if (a.type == DNS_CNAME && dns_name_read(&next, w->data, w->size, &target) == 0) {
			alias = true;
			w->ttl_s = MIN_OF(w->ttl_s, a.ttl_s);
		}
		take_address(net, name, w, &a);
	}
	if (alias)
		w->at = next;
	return alias;
}

void live_policy_answered(struct live_net *net, const uint8_t *reply, size_t size)
{
	struct walk w = { .data = reply, .size = size, .first = DNS_HEADER_SIZE, .ttl_s = UINT32_MAX };
	char name[DNS_NAME_TEXT];

	if (!net->policy || !net->policy->names || size < DNS_HEADER_SIZE || get_u16(reply + 4) != 1 || get_u16(reply + 2) & DNS_RCODE_MASK)
		return;
	if (dns_name_read(&w.at, reply, size, &w.first) < 0 || size - w.first < 4)
		return;
	w.first += 4;			/* type and class */
	w.n = MIN_OF(get_u16(reply + 6), (unsigned)ANSWERS_MAX);
	name_text(&w.at, name);
	for (unsigned hops = 0; hops < HOPS && follow(net, name, &w); hops++)
		;
}
