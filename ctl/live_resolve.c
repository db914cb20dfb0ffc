// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_resolve.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "ctl/engine.h"
#include "ctl/live_policy.h"
#include "dhcp/dns.h"
#include "dhcp/dns_opt.h"
#include "dhcp/dns_record.h"
#include "dhcp/relay.h"

enum { ANSWER_MAX = 65535, OWNER_NOBODY = 0xffffff };

/* asking - one question, until it is answered */
struct asking {
	struct engine *e;
	json_t *answer, *steps;
	live_resolve_fn *done;
	void *arg;
};

/* ---- the question ---- */

/* put_query() - as a guest's resolver asks that knows EDNS and wants to hear of validation (AD). Return: bytes */
static size_t put_query(uint8_t to[512], const struct dns_name *name, uint16_t type)
{
	struct writer w = writer_init(to, 512);

	write_u16(&w, 0x6c79);
	write_u16(&w, DNS_FLAG_RD | DNS_FLAG_AD);
	write_bytes(&w, "\0\1\0\0\0\0\0\1", 8);
	write_bytes(&w, name->wire, name->size);
	write_u16(&w, type);
	write_u16(&w, DNS_CLASS_IN);
	write_bytes(&w, "\0\0\x29\4\xd0\0\0\0\0\0\0", 11);
	return w.pos;
}

static int parse_type(const char *text, uint16_t *type)
{
	unsigned long n;

	if (dns_type_parse(text, type) == 0)
		return 0;
	if (strncasecmp(text, "TYPE", 4) || number_parse(text + 4, 1, UINT16_MAX, &n) < 0)		/* RFC 3597 5 */
		return -EINVAL;
	*type = (uint16_t)n;
	return 0;
}

/* ---- the words ---- */

static void step(struct asking *a, const char *what, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void step(struct asking *a, const char *what, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(a->steps, json_pack("{s:s s:s}", "step", what, "text", text));
}

/* value_text() - a record's data: of the types that people write as they write them, of others in hex (RFC 3597 5) */
static void value_text(char *to, size_t room, const struct dns_rr *rr, const uint8_t *reply, size_t size)
{
	char name[DNS_NAME_TEXT], ip[ADDR_TEXT];
	size_t pos = rr->data, n = 0;
	struct dns_name target;

	if (rr->type == DNS_A && rr->size == 4)
		snprintf(to, room, "%s", ip4_format(get_u32(reply + rr->data), ip));
	else if (rr->type == DNS_AAAA && rr->size == ADDR_SIZE)
		snprintf(to, room, "%s", addr_format(addr6(reply + rr->data), ip));
	else if ((rr->type == DNS_CNAME || rr->type == DNS_PTR || rr->type == DNS_NS) && dns_name_read(&target, reply, size, &pos) == 0)
		snprintf(to, room, "%s", dns_name_to_text(&target, name));
	else
		for (n = (size_t)snprintf(to, room, "\\# %u ", rr->size); n + 3 < room && pos < rr->data + rr->size; pos++)
			n += (size_t)snprintf(to + n, room - n, "%02x", reply[pos]);
}

static void add_record(json_t *list, const struct dns_name *owner, const struct dns_rr *rr, const uint8_t *reply, size_t size)
{
	char name[DNS_NAME_TEXT], value[1024], number[16];
	const char *type = dns_type_name(rr->type);

	snprintf(number, sizeof(number), "TYPE%u", rr->type);
	value_text(value, sizeof(value), rr, reply, size);
	json_array_append_new(list, json_pack("{s:s s:i s:s s:s}", "name", dns_name_to_text(owner, name), "ttl", (int)rr->ttl, "type", type ? type : number,
					      "value", value));
}

static const char *rcode_name(unsigned rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED" };

	return rcode < sizeof(names) / sizeof(names[0]) ? names[rcode] : "other";
}

/* read_answer() - into a->answer: code, records, and what the flags and the extended error say */
static void read_answer(struct asking *a, const uint8_t *reply, size_t size)
{
	unsigned flags = get_u16(reply + 2), n = get_u16(reply + 6);
	json_t *list = json_array();
	size_t pos = DNS_HEADER_SIZE, at;
	struct dns_name owner;
	struct dns_rr rr;

	json_object_set_new(a->answer, "rcode", json_string(rcode_name(flags & DNS_RCODE_MASK)));
	json_object_set_new(a->answer, "authenticated", json_boolean(flags & DNS_FLAG_AD));
	json_object_set_new(a->answer, "records", list);
	if (dns_name_skip(reply, size, &pos) < 0)
		return;
	for (pos += 4; n; n--) {
		at = pos;
		if (dns_name_read(&owner, reply, size, &at) < 0 || dns_rr_read(&rr, reply, size, &pos) < 0)
			return;
		add_record(list, &owner, &rr, reply, size);
	}
}

static void finish(struct asking *a, const struct error *err)
{
	static const struct error none;

	json_object_set_new(a->answer, "steps", a->steps);
	if (err)
		json_decref(a->answer);
	a->done(a->arg, err ? NULL : a->answer, err ? err : &none);
	free(a);
}

static void fail(live_resolve_fn *done, void *arg, int rc, const char *fmt, const char *what)
{
	struct error err;

	error_set(&err, rc, fmt, what);
	done(arg, NULL, &err);
}

/* ---- the way ---- */

static void tell_why(struct asking *a, const uint8_t *reply, size_t size)
{
	switch (dns_opt_ede(reply, size)) {
	case DNS_EDE_BOGUS:
		step(a, "validation", "bogus: it is not signed as it must be");
		break;
	case DNS_EDE_NOT_READY:
		step(a, "validation", "nobody can judge now: lanyard net show");
		break;
	case DNS_EDE_BLOCKED:
		step(a, "rebinding", "it leads to private addresses, so its records are left out");
		break;
	case DNS_EDE_NO_RESOLVER:
		step(a, "resolvers", "none answered");
		break;
	case DNS_EDE_NONE:
	default:
		break;
	}
}

static void on_relayed(void *arg, const uint8_t *reply, size_t size)
{
	struct asking *a = arg;
	struct error err;

	if (size < DNS_HEADER_SIZE) {
		error_set(&err, -ENOENT, "the network has just gone");
		finish(a, &err);
		return;
	}
	tell_why(a, reply, size);
	if (get_u16(reply + 2) & DNS_FLAG_AD)
		step(a, "validation", "it is signed as it must be (AD)");
	read_answer(a, reply, size);
	finish(a, NULL);
}

/* tell_way() - the cache, and whom such names are asked of */
static void tell_way(struct asking *a, const struct live_net *net, const struct dns_name *name, const uint8_t *query, size_t size)
{
	size_t domain = upstream_domain(net->upstream, name);
	char text[400], zone[DNS_NAME_TEXT];
	struct relay_kept kept;
	bool is_kept = relay_look(net->relay, query, size, &kept);
	struct dns_name d;

	if (is_kept)
		step(a, "cache", kept.above ? "a name above it does not exist, and so neither does it; kept for %u s more" : "kept for %u s more", kept.left_s);
	else
		step(a, "cache", "not kept, or not for who asks with EDNS");
	d = *name;
	while (d.size > domain)
		dns_name_strip(&d, &d, 1);
	upstream_describe(net->upstream, name, text, sizeof(text));
	step(a, "resolvers", "for %s%s: %s", d.size > 1 ? "names in " : "all names", d.size > 1 ? dns_name_to_text(&d, zone) : "", text[0] ? text : "none is known");
	if (net->conf->relay.validate && !is_kept)
		step(a, "validation", "what they say is judged by its signatures%s", d.size > 1 ? "; names of this domain count as unsigned" : "");
}

static void relay(struct asking *a, struct live_net *net, const struct live_port *p, const struct dns_name *name, const uint8_t *query, size_t size)
{
	struct error err;
	int rc;

	step(a, "names", "no name of the network's own");
	if (p && !live_policy_asks(p, query, size)) {
		step(a, "policy", "the guest's rules name nothing for which it may ask so");
		json_object_set_new(a->answer, "rcode", json_string("REFUSED"));
		finish(a, NULL);
		return;
	}
	tell_way(a, net, name, query, size);
	rc = relay_query(net->relay, p ? p->id : OWNER_NOBODY, query, size, true, on_relayed, a);
	if (rc == 0)
		return;
	error_set(&err, rc, "the query is not relayed: %s", strerror(-rc));
	finish(a, &err);
}

static bool answers(const struct live_segment *seg)
{
	return seg && seg->names && seg->zone;
}

/* segment_asked() - the guest's; else the one of VLAN @vid, or with 0 the first that answers, which is the network's own where that has addresses */
static const struct live_segment *segment_asked(const struct live_net *net, const struct live_port *p, uint16_t vid)
{
	const struct live_segment *seg, *first = NULL;

	if (p)
		return answers(p->segment) && (!vid || p->segment->vid == vid) ? p->segment : NULL;
	LIST_FOREACH(seg, &net->segments, link)
		if (!seg->leaving && answers(seg) && (!vid || seg->vid == vid) && (!first || seg->vid < first->vid))
			first = seg;
	return first;
}

static void resolve(struct asking *a, struct live_net *net, const struct live_port *p, const struct live_segment *seg, const struct dns_name *name, uint16_t type)
{
	static uint8_t reply[ANSWER_MAX];		/* one thread */
	uint8_t query[512];
	size_t size = put_query(query, name, type);
	enum dns_outcome outcome;
	int n = dns_answer(seg->zone, seg->names, query, size, true, reply, sizeof(reply), &outcome);

	if (outcome == DNS_OUT_RELAY && net->relay) {
		relay(a, net, p, name, query, size);
		return;
	}
	if (outcome == DNS_OUT_REFUSED || outcome == DNS_OUT_RELAY)
		step(a, "names", "no name of the network's own, and it asks nobody else");
	else
		step(a, "names", "the network answers itself: %s", outcome == DNS_OUT_ANSWER ? "there are records" : outcome == DNS_OUT_NODATA ? "the name is there, without such a record" :
		     outcome == DNS_OUT_NXDOMAIN ? "there is no such name" : dns_outcome_name(outcome));
	if (n > 0)
		read_answer(a, reply, (size_t)n);
	finish(a, NULL);
}

/* tell_who() - for whom all of it is: names and addresses are another segment's in another one */
static void tell_who(struct asking *a, const struct live_port *p, const struct live_segment *seg)
{
	json_object_set_new(a->answer, "vid", json_integer(seg->vid));
	step(a, "guest", "%s, in VLAN %u", p ? p->name : "any", seg->vid);
}

/* fail_unknown() - there is no DNS where it was asked for */
static void fail_unknown(live_resolve_fn *done, void *arg, const char *net, const struct live_port *p, uint16_t vid)
{
	struct error err;

	if (p && vid)
		error_set(&err, -EINVAL, "port %s is not in VLAN %u, or has no DNS there", p->name, vid);
	else if (vid)
		error_set(&err, -ENOENT, "network %.100s has no DNS in VLAN %u", net, vid);
	else
		error_set(&err, -ENOENT, "network %.100s has no DNS", net);
	done(arg, NULL, &err);
}

void live_resolve(struct engine *e, const struct resolve_asked *q, live_resolve_fn *done, void *arg)
{
	struct live_net *net = live_net_find(e, q->net);
	const struct live_segment *seg;
	struct live_port *p = NULL;
	struct dns_name name;
	struct asking *a;
	uint16_t type;

	if (net && q->port)
		HASH_FIND_STR(net->ports, q->port, p);
	if (!net || (q->port && !p)) {
		fail(done, arg, -ENOENT, net ? "there is no port %.100s" : "there is no network %.100s", net ? q->port : q->net);
		return;
	}
	seg = segment_asked(net, p, q->vid);
	if (!seg || !net->conf->dns_enabled) {
		fail_unknown(done, arg, q->net, p, q->vid);
		return;
	}
	if (dns_name_from_text(&name, q->name) < 0 || parse_type(q->type, &type) < 0) {
		fail(done, arg, -EINVAL, "%.200s is no domain name, or its type none like A, AAAA, TXT or TYPE65", q->name);
		return;
	}
	a = calloc(1, sizeof(*a));
	if (a)
		*a = (struct asking){ e, json_pack("{s:s s:s s:s s:s*}", "network", q->net, "name", q->name, "type", q->type, "port", q->port), json_array(), done, arg };
	if (!a || !a->answer || !a->steps) {
		if (a)
			json_decref(a->answer), json_decref(a->steps);
		free(a);
		fail(done, arg, -ENOMEM, "%s", "out of memory");
		return;
	}
	tell_who(a, p, seg);
	resolve(a, net, p, seg, &name, type);
}
