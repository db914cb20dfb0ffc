// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/firewall.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ctl/host.h"

enum { JUMPS = 16, RULES_MAX_ASKED = 100000, LOOKS_MAX = 500000 };

/* What may become of a packet, as a set of bits: more than one where nobody knows. */
enum outcome { GOES_ON = 1, RETURNS = 2, ACCEPTED = 4, DROPPED = 8 };

/* inquiry - one question on its way through the chains of a hook */
struct inquiry {
	const json_t *all, *index;
	struct firewall_packet *p;
	struct firewall_table table;		/* of the chain that is being followed */
	unsigned asked;				/* rules; a ruleset may jump in many ways */
	unsigned looks;				/* at elements of sets that are left */
	unsigned doubts;			/* things on the way to this rule that may have led elsewhere */
	char *text;
	char depends[FIREWALL_DOUBT];		/* on what the verdict, or "" */
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* blame() - who drops it, if nobody was found to yet */
static void blame(struct inquiry *q, const char *chain, const char *how)
{
	if (!q->text[0])
		snprintf(q->text, FIREWALL_TEXT, "chain %.60s of table %.10s %.60s, by %s", chain, q->table.family, q->table.name, how);
}

static unsigned follow(struct inquiry *q, const char *chain, unsigned depth);

/* anything() - it was not found out */
static unsigned anything(struct inquiry *q, const char *chain, const char *why)
{
	blame(q, chain, why);
	return GOES_ON | ACCEPTED | DROPPED;
}

/* goes_to() - into another chain; where that comes back, the caller goes on */
static unsigned goes_to(struct inquiry *q, const char *target, bool comes_back, unsigned depth)
{
	unsigned to = depth < JUMPS ? follow(q, target, depth + 1) : anything(q, target, "more jumps than are followed");

	if (to & (GOES_ON | RETURNS))
		to = (to & ~(unsigned)(GOES_ON | RETURNS)) | (comes_back ? GOES_ON : RETURNS);
	return to;
}

/* verdict_of() - what a statement says of the packet; 0: it is no verdict */
static unsigned verdict_of(struct inquiry *q, const char *chain, const json_t *statement, unsigned depth)
{
	const json_t *o;

	if (json_object_get(statement, "accept") || json_object_get(statement, "queue"))
		return ACCEPTED;
	if (json_object_get(statement, "drop") || json_object_get(statement, "reject")) {
		blame(q, chain, "a rule");
		return DROPPED;
	}
	if (json_object_get(statement, "return"))
		return RETURNS;
	if ((o = json_object_get(statement, "jump")))
		return goes_to(q, text_of(o, "target"), true, depth);
	if ((o = json_object_get(statement, "goto")))
		return goes_to(q, text_of(o, "target"), false, depth);
	return 0;
}

/* verdict_map() - the verdicts of those entries that the packet may be one of */
static unsigned verdict_map(struct inquiry *q, const char *chain, const json_t *vmap, unsigned depth)
{
	const json_t *data = json_object_get(json_object_get(vmap, "data"), "set"), *pair;
	unsigned may = 0;
	size_t i;

	if (!json_is_array(data))
		return anything(q, chain, "a map of verdicts");
	json_array_foreach(data, i, pair) {
		enum firewall_answer a = firewall_is(&q->table, json_object_get(vmap, "key"), json_array_get(pair, 0), q->p);

		q->doubts += a == FIREWALL_PERHAPS;
		if (a != FIREWALL_NO)
			may |= verdict_of(q, chain, json_array_get(pair, 1), depth);
		q->doubts -= a == FIREWALL_PERHAPS;
		if (a == FIREWALL_YES)
			return may;
	}
	return may | GOES_ON;
}

/* is_plain() - a statement that neither asks nor decides */
static bool is_plain(const json_t *s)
{
	static const char *const words[] = { "counter", "log", "mangle", "ct helper", "ct timeout", "masquerade", "snat", "dnat", "redirect", "notrack",
					     "flow", "comment", "meta", "tproxy", "dup", "ct expectation", "map" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (json_object_get(s, words[i]))
			return true;
	return false;
}

/* ends_it() - translation is a verdict, too: the chain is left by it */
static bool ends_it(const json_t *s)
{
	return json_object_get(s, "masquerade") || json_object_get(s, "snat") || json_object_get(s, "dnat") || json_object_get(s, "redirect");
}

/* set_mark() - "meta mark set 7"; whether it came by here must be sure */
static void set_mark(struct inquiry *q, const json_t *mangle, bool perhaps)
{
	const json_t *key = json_object_get(mangle, "key"), *of;
	unsigned long n;
	bool known = firewall_number(json_object_get(mangle, "value"), q->p, &n) && !perhaps && !q->doubts;
	struct firewall_mark to = { known ? (uint32_t)n : 0, !known };

	if ((of = json_object_get(key, "meta")) && !strcmp(text_of(of, "key"), "mark"))
		q->p->mark = to;
	else if ((of = json_object_get(key, "ct")) && !strcmp(text_of(of, "key"), "mark"))
		q->p->ct_mark = to;
}

/* is_foreign() - an extension of xtables that need not be a question: it may decide */
static bool is_foreign(const json_t *s)
{
	return json_object_get(s, "xt") && strcmp(text_of(json_object_get(s, "xt"), "type"), "match");
}

/* decides() - does the statement end the rule? Return: a set of outcomes, or 0 */
static unsigned decides(struct inquiry *q, const char *chain, const json_t *s, unsigned depth)
{
	const json_t *vmap = json_object_get(s, "vmap");

	if (vmap)
		return verdict_map(q, chain, vmap, depth);
	if (is_foreign(s))
		return anything(q, chain, "a rule of iptables that cannot be read");
	return ends_it(s) ? (unsigned)ACCEPTED : verdict_of(q, chain, s, depth);
}

/* ask() - does the packet go on behind this statement? */
static enum firewall_answer ask(struct inquiry *q, const json_t *s)
{
	const json_t *match = json_object_get(s, "match");

	if (match)
		return firewall_match(&q->table, match, q->p);
	return is_plain(s) ? FIREWALL_YES : FIREWALL_PERHAPS;
}

/* ask_rule() - Return: a set of outcomes */
static unsigned ask_rule(struct inquiry *q, const char *chain, const json_t *rule, unsigned depth)
{
	const json_t *doubtful = NULL, *s;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, s) {
		enum firewall_answer a;
		unsigned to;

		q->doubts += doubtful != NULL;
		to = decides(q, chain, s, depth);
		q->doubts -= doubtful != NULL;
		if (to && doubtful && !q->depends[0])
			firewall_doubt(doubtful, q->depends);
		if (to)
			return to | (doubtful ? GOES_ON : 0u);
		a = ask(q, s);
		if (a == FIREWALL_NO)
			return GOES_ON;
		doubtful = a == FIREWALL_PERHAPS && !doubtful ? s : doubtful;
		set_mark(q, json_object_get(s, "mangle"), doubtful);
	}
	return GOES_ON;
}

/* ---- what is where ---- */

const char *firewall_key(const char *what, const struct firewall_table *t, const char *name, char key[FIREWALL_KEY])
{
	snprintf(key, FIREWALL_KEY, "%s %s %s %s", what, t->family, t->name, name);
	return key;
}

/* note() - one object of the ruleset. Return: 0, or -1 without memory */
static int note(json_t *index, const json_t *one)
{
	json_t *rule = json_object_get(one, "rule"), *set = json_object_get(one, "set"), *o = rule ? rule : set, *list;
	struct firewall_table t = { .index = index, .family = text_of(o, "family"), .name = text_of(o, "table") };
	char key[FIREWALL_KEY];

	if (!o)
		return 0;
	firewall_key(rule ? "chain" : "set", &t, text_of(o, rule ? "chain" : "name"), key);
	list = json_object_get(index, key);
	if (!rule)
		return list ? 0 : json_object_set(index, key, set);
	if (!list && json_object_set_new(index, key, list = json_array()) < 0)
		return -1;
	return json_array_append(list, rule);
}

/* index_of() - hosts of many services have tens of thousands of rules and chains, and who follows a jump is not to look through them all.
 * Return: to be released, or NULL without memory */
static json_t *index_of(const json_t *all)
{
	json_t *index = json_object();
	const json_t *one;
	size_t i;

	json_array_foreach(all, i, one)
		if (index && note(index, one) < 0) {
			json_decref(index);
			index = NULL;
		}
	return index;
}

/* follow() - the rules of a chain, as long as the packet may go on. Return: a set of outcomes; GOES_ON: it came to the end */
static unsigned follow(struct inquiry *q, const char *chain, unsigned depth)
{
	unsigned may = 0, to;
	char key[FIREWALL_KEY];
	const json_t *rule;
	size_t i;

	json_array_foreach(json_object_get(q->index, firewall_key("chain", &q->table, chain, key)), i, rule) {
		if (++q->asked > RULES_MAX_ASKED) {
			may |= anything(q, chain, "more rules than are looked at");
			break;
		}
		q->doubts += may != 0;		/* it may have left before it came here */
		to = ask_rule(q, chain, rule, depth);
		q->doubts -= may != 0;
		may |= to & ~(unsigned)GOES_ON;
		if (!(to & GOES_ON))
			return may;
	}
	return may | GOES_ON;
}

/* ---- the chains of a hook ---- */

static bool is_of(const json_t *chain, const char *hook, const struct firewall_packet *p)
{
	const char *family = text_of(chain, "family");

	if (strcmp(text_of(chain, "hook"), hook) || !(!strcmp(family, "inet") || !strcmp(family, addr_is4(p->dst) ? "ip" : "ip6")))
		return false;
	return strcmp(family, HOST_NAT_FAMILY) || strcmp(text_of(chain, "table"), HOST_NAT_TABLE);
}

/* next_chain() - that of the lowest priority, of those alike the first in the ruleset, behind the one with @prio that is before *place */
static const json_t *next_chain(const struct inquiry *q, const char *hook, json_int_t *prio, size_t *place)
{
	const json_t *one, *best = NULL;
	json_int_t best_prio = 0;
	size_t i, best_at = 0;

	json_array_foreach(q->all, i, one) {
		const json_t *chain = json_object_get(one, "chain");
		json_int_t at = json_integer_value(json_object_get(chain, "prio"));

		if (!chain || !is_of(chain, hook, q->p) || at < *prio || (at == *prio && i < *place) || (best && at >= best_prio))
			continue;
		best = chain;
		best_prio = at;
		best_at = i;
	}
	*prio = best_prio;
	*place = best_at + 1;
	return best;
}

static unsigned ask_chain(struct inquiry *q, const json_t *chain)
{
	const char *name = text_of(chain, "name");
	unsigned to;

	q->table = (struct firewall_table){ q->index, text_of(chain, "family"), text_of(chain, "table"), &q->looks };
	q->depends[0] = '\0';
	to = follow(q, name, 0);
	if (to & (GOES_ON | RETURNS) && !strcmp(text_of(chain, "policy"), "drop")) {
		blame(q, name, "its policy");
		to |= DROPPED;
	} else if (to & (GOES_ON | RETURNS)) {
		to |= ACCEPTED;
	}
	return to & (ACCEPTED | DROPPED);
}

enum firewall_verdict firewall_ask(const json_t *ruleset, enum firewall_hook hook, struct firewall_packet *p, char text[FIREWALL_TEXT])
{
	static const char *const hooks[] = { "prerouting", "input", "forward", "output", "postrouting" };
	char perhaps[FIREWALL_TEXT] = "";
	json_t *all = json_object_get(ruleset, "nftables"), *index = index_of(all);
	struct inquiry q = { .all = all, .index = index, .p = p, .text = text, .looks = LOOKS_MAX };
	json_int_t prio = INT_MIN;
	const json_t *chain;
	size_t place = 0;

	text[0] = '\0';
	if (!index) {
		snprintf(text, FIREWALL_TEXT, "out of memory");
		return FIREWALL_UNSURE;
	}
	while ((chain = next_chain(&q, hooks[hook], &prio, &place))) {
		unsigned to = ask_chain(&q, chain);

		if (to == DROPPED) {
			json_decref(index);
			return FIREWALL_BLOCK;
		}
		if (to & DROPPED && !perhaps[0])
			snprintf(perhaps, sizeof(perhaps), "%.200s%s%s", text, q.depends[0] ? "; that depends on " : "", q.depends);
		text[0] = '\0';
	}
	json_decref(index);
	memcpy(text, perhaps, sizeof(perhaps));
	return perhaps[0] ? FIREWALL_UNSURE : FIREWALL_PASS;
}
