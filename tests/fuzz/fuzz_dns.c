// SPDX-License-Identifier: GPL-2.0-or-later
/* covers: dhcp/dns_name.c dhcp/dns_message.c dhcp/dns.c dhcp/dns_local.c dhcp/dns_record.c dhcp/resolvers.c dhcp/resolver_text.c dhcp/names.c dhcp/names_host.c dhcp/cache.c dhcp/dns_find.c dhcp/dns_opt.c dhcp/rebind.c */
/* max_len: 2048 */
/* Everything of DNS that comes from outside; the first byte says what the rest is: a guest's query, a
 * resolver's reply to a fixed query, a resolv.conf, or a record that a user writes. Answers are read back and
 * measured.
 */
#include <stdlib.h>
#include <strings.h>
#include <urcu/urcu-qsbr.h>

#include "base/array.h"
#include "dhcp/cache.h"
#include "dhcp/dns.h"
#include "dhcp/dns_opt.h"
#include "dhcp/rebind.h"
#include "dhcp/resolvers.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what) do { if (!(what)) abort(); } while (0)

static struct dns_zone zone, inner;
static struct names *names, *own;	/* own: a segment's, within those of its network */

static void add(const char *owner, uint16_t type, const char *value)
{
	struct dns_record record;
	struct dns_name n;

	MUST(dns_owner_parse(&n, owner, &zone.origin) == 0);
	MUST(dns_record_parse(&record, type, value, &zone.origin) == 0);
	MUST(names_add(names, &n, &record) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct prefix4 subnet = { 0x0a4d0000, 24 };

	(void)argc;
	(void)argv;
	urcu_qsbr_register_thread();
	MUST(dns_zone_init(&zone, "lab.internal", subnet, true) == 0);
	MUST(dns_zone_init(&inner, "lab.internal", subnet, false) == 0);
	names = names_new(&zone.origin);
	MUST(names);
	names_set_host(names, "web1", 0x0a4d0032);
	add("www", DNS_CNAME, "web1");
	add("a", DNS_CNAME, "b");
	add("b", DNS_CNAME, "a");
	add("away", DNS_CNAME, "www.example.com");
	add("@", DNS_MX, "10 mail");
	add("x.y", DNS_TXT, "text");
	add("six", DNS_AAAA, "fd00::1");
	add("*.web", DNS_A, "10.77.0.50");
	for (unsigned i = 0; i < 60; i++) {
		char value[20];

		add("many", DNS_A, ip4_format(0x0a4d0100 + i, value));
	}
	own = names_new_within(names, true);
	MUST(own);
	names_set_host(own, "six", 0x0a4d000f);
	names_set_host(own, "vm1", 0x0a4d000f);
	return 0;
}

/* check_answer() - can it be read, and is it no larger than it may be? */
static void check_answer(const uint8_t *query, size_t size, const uint8_t *reply, size_t reply_size)
{
	char text[DNS_NAME_TEXT];
	struct dns_query q;
	struct dns_name name;
	size_t pos = DNS_HEADER_SIZE, limit;

	MUST(reply_size >= DNS_HEADER_SIZE && reply_size <= DNS_UDP_MAX);
	MUST(!memcmp(query, reply, 2) && reply[2] & 0x80);
	if (reply_size == DNS_HEADER_SIZE)
		return;
	MUST(dns_query_parse(&q, query, size) == 0);
	limit = dns_reply_limit(&q);
	MUST(reply_size <= limit);
	MUST(dns_question_match(query, &q, reply, reply_size));
	MUST(!memcmp(query + DNS_HEADER_SIZE, reply + DNS_HEADER_SIZE, q.question_size));
	pos += q.question_size;
	for (unsigned n = get_u16(reply + 6) + get_u16(reply + 8) + get_u16(reply + 10); n; n--) {
		MUST(dns_name_read(&name, reply, reply_size, &pos) == 0);
		MUST(pos + 10 <= reply_size);
		pos += 10u + get_u16(reply + pos + 8);
		MUST(pos <= reply_size);
	}
	MUST(pos == reply_size);
	dns_name_to_text(&q.name, text);
}

static struct addr fd00(uint32_t last)
{
	return (struct addr){ .words = { htobe32(0xfd00004d), 0, 0, htobe32(last) } };
}

/* neighbours() - what concerns two neighbours alone goes; what is left can be read as far as before, and nothing more goes from it */
static void neighbours(const uint8_t *data, size_t size)
{
	static uint8_t own[2048], again[2048];
	size_t n, m;

	MUST(size <= sizeof(own));
	memcpy(own, data, size);
	n = dns_opt_own(own, size);
	MUST(n <= size && (!size || n));
	memcpy(again, own, n);
	m = dns_opt_own(again, n);
	MUST(m <= n && !memcmp(again, own, MIN_OF(size, (size_t)DNS_HEADER_SIZE)));
	MUST(dns_opt_ede(data, size) == dns_opt_ede(own, n));
}

static void query(const struct dns_zone *z, const uint8_t *data, size_t size)
{
	static uint8_t reply[1500];
	enum dns_outcome outcome;
	int n = dns_answer(z, z->relay ? names : own, data, size, false, reply, sizeof(reply), &outcome);

	neighbours(data, size);
	MUST(outcome < DNS_OUT_COUNT && dns_outcome_name(outcome));
	MUST((n == 0) == (outcome == DNS_OUT_RELAY));
	MUST(z->relay || n);
	if (n > 0)
		check_answer(data, size, reply, (size_t)n);
	n = (int)dns_servfail(data, size, reply, sizeof(reply));
	if (n)
		check_answer(data, size, reply, (size_t)n);
}

/* keep() - what is given from the cache can be read to its end, is no older than it may be, and takes no more room than there is */
static void keep(const struct dns_query *q, const uint8_t *reply, size_t size)
{
	static struct cache *cache;
	static uint8_t got[CACHE_ANSWER_MAX];
	static uint64_t now_ms;
	struct dns_query other = *q, below = *q;
	struct cache_key key;
	size_t n;

	MUST(dns_name_from_text(&below.name, "a.b.www.example.com") == 0);

	if (!cache)
		MUST(cache = cache_new(4096));
	MUST(cache_key_make(&key, q));
	now_ms += 1000;
	cache_put(cache, &key, reply, size, now_ms);
	MUST(cache_used(cache) <= 4096);
	for (unsigned age_s = 0; age_s < 3; age_s++) {
		n = cache_get(cache, &key, got, now_ms + age_s * 1000);
		MUST(n <= size);
		if (n)
			MUST(dns_question_match(reply, q, got, n) == dns_question_match(reply, q, reply, size));
		MUST(!n == !cache_left_s(cache, &key, now_ms + age_s * 1000));
		n = cache_get_above(cache, &below, 1, got, now_ms + age_s * 1000);
		MUST(!n || (get_u16(got + 2) & DNS_RCODE_MASK) == DNS_NXDOMAIN);
		MUST(!n == !cache_left_above_s(cache, &below, 1, now_ms + age_s * 1000));
		MUST(!cache_get_above(cache, &below, below.name.size, got, now_ms));
	}
	if (size > 1 && reply[1] & 1) {		/* others push it out */
		other.type = (uint16_t)(reply[0] << 8 | reply[1]);
		MUST(cache_key_make(&key, &other));
		cache_put(cache, &key, reply, size, now_ms);
	}
	if (now_ms % 64000 == 0)
		cache_clear(cache);
}

/* leads_inside() - whatever the answer is: without protection, and below a domain that may, it does not offend */
static void leads_inside(const struct dns_query *q, const uint8_t *reply, size_t size)
{
	struct rebind r = { .protect = true, .allow = "corp.example,org", .own = zone.subnet, .own6 = { .addr = fd00(0), .len = 64 } };
	struct rebind off = r, allowed = r;
	bool offends = rebind_offends(&r, &q->name, reply, size);

	off.protect = false;
	strcpy(allowed.allow, "corp.example,Example.COM");
	MUST(!rebind_offends(&off, &q->name, reply, size));
	MUST(!rebind_offends(&allowed, &q->name, reply, size));
	MUST(offends == rebind_offends(&r, &q->name, reply, size));
}

static void reply_from_upstream(const uint8_t *data, size_t size)
{
	static const uint8_t asked[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1";
	struct dns_query q;
	struct dns_name name;
	size_t pos = 0;

	MUST(dns_query_parse(&q, asked, sizeof(asked) - 1) == 0);
	neighbours(data, size);
	leads_inside(&q, data, size);
	if (dns_question_match(asked, &q, data, size))
		keep(&q, data, size);
	while (pos < size && dns_name_read(&name, data, size, &pos) == 0)
		dns_name_lower(&name);
	for (pos = 0; pos < size && dns_name_skip(data, size, &pos) == 0;)
		continue;
}

/* text_of() - the rest of the input as a string, in memory of its own so that a read past its end is seen */
static char *text_of(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

static void on_domain(void *arg, const struct dns_name *domain)
{
	unsigned *n = arg;

	MUST(domain->size);
	++*n;
}

/* written() - as it is read: the same again */
static void written(const struct resolver *r)
{
	char text[RESOLVER_TEXT_MAX];
	struct resolver again;

	MUST(resolver_parse(&again, resolver_format(r, text)) == 0);
	MUST(again.size == r->size && again.ifindex == r->ifindex && !memcmp(&again.addr, &r->addr, r->size));
}

static void resolv_conf(const uint8_t *data, size_t size)
{
	static struct resolvers r;
	char *text = text_of(data, size);
	unsigned ndomains = 0;
	struct dns_name name;

	resolvers_init(&r, "/dev/null");
	resolvers_parse(&r, text);
	MUST(r.set.n <= RESOLVERS_MAX && r.nroutes <= RESOLVER_ROUTES_MAX);
	for (unsigned i = 0; i < r.set.n; i++)
		written(&r.set.list[i]);
	resolvers_set_routes(&r, text);
	resolvers_each_domain(&r, on_domain, &ndomains);
	MUST(ndomains == r.nroutes + r.ngiven);
	if (dns_name_from_text(&name, "www.corp.example") == 0)
		MUST(resolvers_for(&r, &name)->n <= RESOLVERS_MAX && resolvers_domain(&r, &name) <= name.size);
	resolvers_set(&r, (const char *const[]){ text }, 1);
	MUST(r.set.n <= RESOLVERS_MAX);
	resolvers_set(&r, NULL, 0);
	resolvers_update(&r, 1);
	resolvers_fini(&r);
	free(text);
}

static unsigned ntold, nseen;

static void on_change(void *arg)
{
	(void)arg;
	ntold++;
}

static void on_name(void *arg, const struct dns_name *name, const struct name_set *set)
{
	(void)arg;
	MUST(set->n && name->size);
	nseen++;
}

/* all_told() - each name is shown once, and each change was told */
static void all_told(void)
{
	nseen = 0;
	names_each(names, on_name, NULL);
	MUST(nseen == names_count(names) && ntold);
}

/* a_table_goes() - with a name in it; once is enough */
static void a_table_goes(void)
{
	static bool gone;
	struct names *t = gone ? NULL : names_new_within(names, false);

	gone = true;
	if (t)
		names_set_host(t, "web", 0x0a4d0007);
	names_free(t);
}

/* host() - a guest comes, moves and goes */
static void host(const char *label)
{
	struct addr two[] = { fd00(1), fd00(2) };
	unsigned before = names_count(names), with4;
	bool users = names_has_users(names, label);

	names_on_change(names, on_change, NULL);
	if (names_set_host(names, label, 0x0a4d0099) < 0)
		return;
	MUST(names_set_host(names, label, 0x0a4d0099) == 0);
	with4 = names_count(names);
	all_told();
	a_table_goes();
	MUST(names_set_host6(names, label, two, 2, 2) == 0);
	MUST(names_set_host6(names, label, two, 2, 2) == 0);
	MUST(names_count(names) == with4 + 2);
	MUST(names_set_host6(names, label, two + 1, 1, 1) == 0);
	MUST(names_count(names) == with4 + 1);
	MUST(names_add_host6(names, label, two[0]) == 0 && names_add_host6(names, label, two[1]) == 0);
	MUST(names_count(names) == with4 + 2);
	names_remove_host6_at(names, label, two[0]);
	names_remove_host6_at(names, label, two[0]);
	MUST(names_count(names) == with4 + 1);
	MUST(names_set_host(names, label, 0x0a4d0098) == 0);
	names_remove_host_at(names, label, 0x0a4d0099);
	names_remove_host_at(names, label, 0x0a4d0098);
	MUST(names_has_users(names, label) == users);
	names_remove_host(names, label);
	MUST(names_count(names) == before);
}

/* user_record() - type, owner and value on a line each; what is taken can be asked for and is gone when removed */
static void user_record(const uint8_t *data, size_t size)
{
	char *type_text = text_of(data, size), *owner_text = strchr(type_text, '\n'),
	     *value = owner_text ? strchr(owner_text + 1, '\n') : NULL;
	static struct dns_record record;
	struct dns_name owner, lower;
	uint16_t type;

	if (value) {
		*owner_text++ = '\0';
		*value++ = '\0';
		if (dns_type_parse(type_text, &type) == 0 &&
		    dns_owner_parse(&owner, owner_text, &zone.origin) == 0 &&
		    dns_record_parse(&record, type, value, &zone.origin) == 0) {
			unsigned before = names_count(names);

			MUST(dns_type_name(type));
			lower = owner;
			dns_name_lower(&lower);
			if (!names_find(names, &lower) && names_add(names, &owner, &record) == 0) {
				MUST(names_find(names, &lower)->n == 1);
				MUST(names_remove(names, &owner, type) == 0);
				MUST(names_count(names) == before);
			}
		}
		if (strncasecmp(owner_text, "web1", 4))		/* the one that is there already */
			host(owner_text);
	}
	free(type_text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned turn;

	if (!size)
		return 0;
	switch (data[0] % 5) {
	case 0:
		query(&zone, data + 1, size - 1);
		break;
	case 1:
		query(&inner, data + 1, size - 1);
		break;
	case 2:
		reply_from_upstream(data + 1, size - 1);
		break;
	case 3:
		resolv_conf(data + 1, size - 1);
		break;
	case 4:
		user_record(data + 1, size - 1);
		break;
	}
	if (turn++ % 256 == 0)
		urcu_qsbr_quiescent_state();	/* what was replaced may go */
	return 0;
}
