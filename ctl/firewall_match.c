// SPDX-License-Identifier: GPL-2.0-or-later
/* One question of a rule about one packet. Whatever is not understood is answered PERHAPS. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/firewall.h"

enum { DEPTH = 8 };

/* value - of an expression for this packet */
struct value {
	enum { UNKNOWN, ABSENT, NUMBER, TEXT, ADDRESS } kind;	/* ABSENT: the packet has no such field, and nothing equals it */
	unsigned long number;
	const char *text;
	struct addr addr;
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* ---- the packet's side ---- */

static struct value number(unsigned long n)
{
	return (struct value){ .kind = NUMBER, .number = n };
}

static struct value name(const char *text)
{
	return text ? (struct value){ .kind = TEXT, .text = text } : (struct value){ .kind = UNKNOWN };
}

static struct value mark(const struct firewall_mark *m)
{
	return m->unknown ? (struct value){ .kind = UNKNOWN } : number(m->number);
}

static struct value meta_value(const char *key, const struct firewall_packet *p)
{
	bool four = addr_is4(p->dst);

	if (!strcmp(key, "iifname") || !strcmp(key, "iif"))
		return name(p->iif);
	if (!strcmp(key, "oifname") || !strcmp(key, "oif"))
		return name(p->oif);
	if (!strcmp(key, "l4proto"))
		return number(p->proto);
	if (!strcmp(key, "mark"))
		return mark(&p->mark);
	if (!strcmp(key, "nfproto"))
		return number(four ? 2 : 10);	/* NFPROTO_IPV4, NFPROTO_IPV6 */
	if (!strcmp(key, "protocol"))
		return number(four ? 0x0800 : 0x86dd);
	return (struct value){ .kind = UNKNOWN };
}

static struct value address(struct addr a)
{
	return addr_is_none(a) ? (struct value){ .kind = UNKNOWN } : (struct value){ .kind = ADDRESS, .addr = a };
}

static struct value ip_value(const char *field, bool mine, const struct firewall_packet *p)
{
	if (!mine)
		return (struct value){ .kind = ABSENT };
	if (!strcmp(field, "saddr"))
		return address(p->src);
	if (!strcmp(field, "daddr"))
		return address(p->dst);
	if (!strcmp(field, "protocol") || !strcmp(field, "nexthdr"))
		return number(p->proto);
	return (struct value){ .kind = UNKNOWN };
}

static struct value port_value(const char *field, bool mine, const struct firewall_packet *p)
{
	if (!mine)
		return (struct value){ .kind = ABSENT };
	if (!strcmp(field, "dport"))
		return number(p->dport);
	if (!strcmp(field, "sport") && p->sport)
		return number(p->sport);
	return (struct value){ .kind = UNKNOWN };
}

static struct value payload_value(const json_t *payload, const struct firewall_packet *p)
{
	const char *protocol = text_of(payload, "protocol"), *field = text_of(payload, "field");

	if (!strcmp(protocol, "ip") || !strcmp(protocol, "ip6"))
		return ip_value(field, addr_is4(p->dst) == !strcmp(protocol, "ip"), p);
	if (!strcmp(protocol, "tcp") || !strcmp(protocol, "udp"))
		return port_value(field, p->proto == (!strcmp(protocol, "tcp") ? IPPROTO_TCP : IPPROTO_UDP), p);
	if (!strcmp(protocol, "th"))
		return port_value(field, p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP, p);
	if (!strcmp(protocol, "icmp") || !strcmp(protocol, "icmpv6"))
		return (struct value){ .kind = p->proto == (!strcmp(protocol, "icmp") ? IPPROTO_ICMP : IPPROTO_ICMPV6) ? UNKNOWN : ABSENT };
	return (struct value){ .kind = UNKNOWN };
}

static struct value ct_value(const char *key, const struct firewall_packet *p)
{
	if (!strcmp(key, "state"))
		return name(p->answer ? "established" : "new");
	return !strcmp(key, "mark") ? mark(&p->ct_mark) : (struct value){ .kind = UNKNOWN };
}

static struct value value_of(const json_t *left, const struct firewall_packet *p, unsigned depth);

/* bits_of() - {"&": [A, B]}, and of more than two from the left */
static struct value bits_of(const char *op, const json_t *of, const struct firewall_packet *p, unsigned depth)
{
	struct value all = depth < DEPTH ? value_of(json_array_get(of, 0), p, depth + 1) : (struct value){ .kind = UNKNOWN };

	for (size_t i = 1; i < json_array_size(of) && all.kind == NUMBER; i++) {
		struct value v = value_of(json_array_get(of, i), p, depth + 1);

		if (v.kind != NUMBER)
			return (struct value){ .kind = UNKNOWN };
		all.number = *op == '&' ? all.number & v.number : *op == '|' ? all.number | v.number : all.number ^ v.number;
	}
	return all;
}

static struct value value_of(const json_t *left, const struct firewall_packet *p, unsigned depth)
{
	static const char *const bits[] = { "&", "|", "^" };
	const json_t *o;

	if (json_is_integer(left))
		return number((unsigned long)json_integer_value(left));
	if ((o = json_object_get(left, "meta")))
		return meta_value(text_of(o, "key"), p);
	if ((o = json_object_get(left, "payload")))
		return payload_value(o, p);
	if ((o = json_object_get(left, "ct")))
		return ct_value(text_of(o, "key"), p);
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if ((o = json_object_get(left, bits[i])))
			return bits_of(bits[i], o, p, depth);
	return (struct value){ .kind = UNKNOWN };
}

bool firewall_number(const json_t *expression, const struct firewall_packet *p, unsigned long *n)
{
	struct value v = value_of(expression, p, 0);

	*n = v.number;
	return v.kind == NUMBER;
}

/* ---- the rule's side ---- */

static enum firewall_answer yes_if(bool it_is)
{
	return it_is ? FIREWALL_YES : FIREWALL_NO;
}

/* number_of() - protocols and families by name, too, as older versions write them. Return: is it one? */
static bool number_of(const json_t *right, unsigned long *n)
{
	static const struct {
		const char *word;
		unsigned long n;
	} words[] = {
		{ "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "icmp", IPPROTO_ICMP }, { "ipv6-icmp", IPPROTO_ICMPV6 }, { "icmpv6", IPPROTO_ICMPV6 },
		{ "sctp", IPPROTO_SCTP }, { "esp", IPPROTO_ESP }, { "ah", IPPROTO_AH }, { "gre", IPPROTO_GRE }, { "ipv4", 2 }, { "ipv6", 10 },
		{ "ip", 0x0800 }, { "ip6", 0x86dd }, { "arp", 0x0806 },
	};
	const char *text = json_string_value(right);

	if (json_is_integer(right)) {
		*n = (unsigned long)json_integer_value(right);
		return true;
	}
	for (size_t i = 0; text && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].word, text)) {
			*n = words[i].n;
			return true;
		}
	return text && number_parse(text, 0, UINT32_MAX, n) == 0;
}

static enum firewall_answer in_prefix(const struct value *v, const json_t *prefix)
{
	json_int_t len = json_integer_value(json_object_get(prefix, "len"));
	struct addr a;

	if (v->kind != ADDRESS || addr_parse(text_of(prefix, "addr"), &a) < 0 || len < 0 || len > 128)
		return FIREWALL_PERHAPS;
	if (addr_is4(a) != addr_is4(v->addr))
		return FIREWALL_NO;
	if (addr_is4(a))
		return len > 32 ? FIREWALL_PERHAPS : yes_if(prefix4_has((struct prefix4){ addr_4(a), (uint8_t)len }, addr_4(v->addr)));
	return yes_if(addr_in((struct prefix6){ a, (uint8_t)len }, v->addr));
}

static enum firewall_answer in_range(const struct value *v, const json_t *range)
{
	const json_t *low = json_array_get(range, 0), *high = json_array_get(range, 1);
	unsigned long from, to;
	struct addr a, b;

	if (v->kind == NUMBER && number_of(low, &from) && number_of(high, &to))
		return yes_if(v->number >= from && v->number <= to);
	if (v->kind == ADDRESS && json_is_string(low) && json_is_string(high) && addr_parse(json_string_value(low), &a) == 0 &&
	    addr_parse(json_string_value(high), &b) == 0)
		return yes_if(memcmp(v->addr.bytes, a.bytes, ADDR_SIZE) >= 0 && memcmp(v->addr.bytes, b.bytes, ADDR_SIZE) <= 0);
	return FIREWALL_PERHAPS;
}

/* same_text() - an interface's name may end in '*' */
static enum firewall_answer same_text(const char *text, const char *pattern)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return yes_if(!strncmp(text, pattern, n - 1));
	return yes_if(!strcmp(text, pattern));
}

static enum firewall_answer is_scalar(const struct value *v, const json_t *right)
{
	unsigned long n;
	struct addr a;

	if (v->kind == NUMBER)
		return number_of(right, &n) ? yes_if(n == v->number) : FIREWALL_PERHAPS;
	if (!json_is_string(right))
		return FIREWALL_PERHAPS;
	if (v->kind == TEXT)
		return same_text(v->text, json_string_value(right));
	return addr_parse(json_string_value(right), &a) == 0 ? yes_if(addr_equal(a, v->addr)) : FIREWALL_PERHAPS;
}

static enum firewall_answer holds(const struct firewall_table *t, const struct value *v, const json_t *right, unsigned depth);

static enum firewall_answer in_list(const struct firewall_table *t, const struct value *v, const json_t *list, unsigned depth)
{
	enum firewall_answer all = FIREWALL_NO;
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		enum firewall_answer a = *t->looks ? holds(t, v, one, depth + 1) : FIREWALL_PERHAPS;

		if (!*t->looks)
			return a;
		--*t->looks;
		if (a == FIREWALL_YES)
			return a;
		all = a == FIREWALL_PERHAPS ? a : all;
	}
	return all;
}

/* in_set() - a set of the rule's table, by "@name" */
static enum firewall_answer in_set(const struct firewall_table *t, const struct value *v, const char *called, unsigned depth)
{
	char key[FIREWALL_KEY];
	const json_t *set = json_object_get(t->index, firewall_key("set", t, called, key));

	return json_is_string(json_object_get(set, "type")) ? in_list(t, v, json_object_get(set, "elem"), depth) : FIREWALL_PERHAPS;
}

static enum firewall_answer holds(const struct firewall_table *t, const struct value *v, const json_t *right, unsigned depth)
{
	const json_t *o;

	if (v->kind == ABSENT)
		return FIREWALL_NO;
	if (v->kind == UNKNOWN || depth > DEPTH)
		return FIREWALL_PERHAPS;
	if (json_is_array(right))
		return in_list(t, v, right, depth);
	if ((o = json_object_get(right, "set")))
		return json_is_array(o) ? in_list(t, v, o, depth) : holds(t, v, o, depth + 1);
	if ((o = json_object_get(right, "prefix")))
		return in_prefix(v, o);
	if ((o = json_object_get(right, "range")))
		return in_range(v, o);
	if ((o = json_object_get(right, "elem")))
		return holds(t, v, json_object_get(o, "val"), depth + 1);
	if (json_is_string(right) && json_string_value(right)[0] == '@')
		return in_set(t, v, json_string_value(right) + 1, depth);
	return is_scalar(v, right);
}

enum firewall_answer firewall_is(const struct firewall_table *t, const json_t *left, const json_t *right, const struct firewall_packet *p)
{
	struct value v = value_of(left, p, 0);

	return holds(t, &v, right, 0);
}

enum firewall_answer firewall_match(const struct firewall_table *t, const json_t *match, const struct firewall_packet *p)
{
	const char *op = text_of(match, "op");
	struct value v = value_of(json_object_get(match, "left"), p, 0);
	enum firewall_answer a;

	if (v.kind == ABSENT)
		return FIREWALL_NO;		/* a field that is not there is not unequal either: the rule ends there */
	a = holds(t, &v, json_object_get(match, "right"), 0);
	if (!strcmp(op, "==") || !strcmp(op, "in") || !*op)
		return a;
	if (!strcmp(op, "!=") && a != FIREWALL_PERHAPS)
		return yes_if(a == FIREWALL_NO);
	return FIREWALL_PERHAPS;
}
