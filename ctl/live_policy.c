// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "ctl/engine.h"
#include "switch/connection.h"
#include "switch/packet.h"
#include "switch/port_policy.h"
#include "switch/request.h"

/* counter - of one rule, by its text: it goes on counting when others change */
struct counter_of {
	char text[RULE_TEXT];
	struct rule_hits hits;
	bool used;			/* by the program in force */
	UT_hash_handle hh;
};

/* retired - what the next snapshot does without */
struct retired {
	struct port_policy *policy;
	struct connections *connections;
	void *memory;
	struct rcu_head rcu;
	struct retired *next;
};

struct live_policy {
	struct port_policy *policy;	/* NULL: the port has no rules now */
	struct connections *connections;
	struct counter_of *counters;	/* uthash by text */
	struct rule_hits defaults[2];
	uint64_t made_of;		/* hash of all that the program was compiled from */
	char (*texts)[RULE_TEXT];	/* of the program, by index */
	unsigned ntexts, nown;		/* the port's own come first */
};

static uint32_t next_number;		/* of a program; never used again within what flows live */

/* ---- the end of things ---- */

static void free_retired(struct rcu_head *head)
{
	struct retired *r = container_of(head, struct retired, rcu);

	if (r->policy)
		rules_free(r->policy->rules);
	free(r->policy);
	connections_free(r->connections);
	free(r->memory);
	free(r);
}

/* retire() - without memory it is kept for good rather than freed under somebody's eyes */
static void retire(struct engine *e, struct port_policy *policy, struct connections *connections, void *memory)
{
	struct retired *r = policy || connections || memory ? calloc(1, sizeof(*r)) : NULL;

	if (!r)
		return;
	*r = (struct retired){ .policy = policy, .connections = connections, .memory = memory, .next = e->policies_retired };
	e->policies_retired = r;
}

void live_policy_settle(struct engine *e)
{
	while (e->policies_retired) {
		struct retired *r = e->policies_retired;

		e->policies_retired = r->next;
		urcu_qsbr_call_rcu(&r->rcu, free_retired);
	}
}

/* ---- compiling ---- */

/* compilation - the rules of a port and its network, on their way into a program */
struct compilation {
	struct live_port *port;
	struct rules_source list[2 * RULES_MAX];
	char (*texts)[RULE_TEXT];
	unsigned n;
	uint64_t made_of;
};

static int32_t guest_id(const struct live_net *net, const char *name)
{
	const struct live_port *p;

	HASH_FIND_STR(net->ports, name, p);
	return p ? (int32_t)p->id : RULES_NO_GUEST;
}

static void add_rules(struct compilation *c, const struct policy_conf *conf)
{
	struct live_net *net = c->port->net;

	for (unsigned i = 0; i < conf->nrules && c->n < ARRAY_SIZE(c->list); i++, c->n++) {
		const struct rule *rule = &conf->rules[i];
		struct rules_source *s = &c->list[c->n];

		*s = (struct rules_source){ .rule = rule, .guest = RULES_NO_GUEST };
		if (rule->peer == RULE_GUEST)
			s->guest = guest_id(net, rule->name);
		if (rule->peer == RULE_DOMAIN)
			s->name = policy_names_number(net, rule);
		rule_format(rule, c->texts[c->n]);
		c->made_of = hash_bytes(c->texts[c->n], strlen(c->texts[c->n]), c->made_of);
		c->made_of = hash_u64((uint64_t)(uint32_t)s->guest << 16 | s->name, c->made_of);
	}
}

/* counter_for() - also of a rule that was there before, with what it has counted */
static struct rule_hits *counter_for(struct live_policy *lp, const char *text)
{
	struct counter_of *c;

	HASH_FIND_STR(lp->counters, text, c);
	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return NULL;
		snprintf(c->text, sizeof(c->text), "%s", text);
		HASH_ADD_STR(lp->counters, text, c);
	}
	c->used = true;
	return &c->hits;
}

static void drop_counters(struct engine *e, struct live_policy *lp)
{
	struct counter_of *c, *tmp;

	HASH_ITER(hh, lp->counters, c, tmp) {
		if (!c->used) {
			HASH_DEL(lp->counters, c);
			retire(e, NULL, NULL, c);
		}
	}
}

static struct port_policy *compile(struct live_policy *lp, struct compilation *c, unsigned deny)
{
	struct rule_hits *defaults[2] = { &lp->defaults[0], &lp->defaults[1] };
	struct port_policy *policy = calloc(1, sizeof(*policy));
	struct counter_of *old;

	if (!policy)
		return NULL;
	for (old = lp->counters; old; old = old->hh.next)
		old->used = false;
	for (unsigned i = 0; i < c->n; i++)
		c->list[i].hits = counter_for(lp, c->texts[i]);
	policy->rules = rules_new(c->list, c->n, ++next_number, deny, defaults);
	policy->connections = lp->connections;
	policy->names = policy_names_seen(c->port->net);
	policy->requests = c->port->net->engine->requests;
	policy->net_id = c->port->net->net_id;
	if (!policy->rules) {
		free(policy);
		return NULL;
	}
	return policy;
}

static struct live_policy *live_policy_new(void)
{
	struct live_policy *lp = calloc(1, sizeof(*lp));

	if (lp)
		lp->connections = connections_new();
	if (lp && lp->connections)
		return lp;
	free(lp);
	return NULL;
}

/* install() - a new program in the place of the old one; without memory the old one stays, and it is said */
static void install(struct live_port *p, struct compilation *c, unsigned nown)
{
	struct live_policy *lp = p->policy ? p->policy : live_policy_new();
	struct port_policy *next = lp ? compile(lp, c, p->conf->policy.deny) : NULL;

	p->policy = lp;
	if (!next) {
		log_error("net=%s port=%s event=policy-failed reason=\"out of memory\"", p->net->name, p->name);
		return;
	}
	retire(p->net->engine, lp->policy, NULL, NULL);
	drop_counters(p->net->engine, lp);
	lp->policy = next;
	lp->made_of = c->made_of;
	free(lp->texts);
	lp->texts = c->texts;
	c->texts = NULL;
	lp->ntexts = c->n;
	lp->nown = nown;
}

static void configure_port(struct live_port *p)
{
	const struct policy_conf *own = &p->conf->policy, *all = &p->net->conf->defaults.policy;
	struct compilation *c;
	unsigned nown;

	if (!own->deny && !own->nrules && !all->nrules) {
		live_policy_leave(p);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (c)
		c->texts = calloc(own->nrules + all->nrules + 1, RULE_TEXT);
	if (!c || !c->texts) {
		log_error("net=%s port=%s event=policy-failed reason=\"out of memory\"", p->net->name, p->name);
		free(c);
		return;
	}
	c->port = p;
	c->made_of = own->deny + 1u;
	add_rules(c, own);
	nown = c->n;
	add_rules(c, all);
	if (!p->policy || !p->policy->policy || p->policy->made_of != c->made_of)
		install(p, c, nown);
	free(c->texts);
	free(c);
}

void live_policy_configure(struct live_net *net)
{
	for (struct live_port *p = net->ports; p; p = p->hh.next)
		if (p->conf->kind != PORT_KIND_HOST && p->conf->kind != PORT_KIND_UPLINK)
			configure_port(p);
	policy_names_settle(net);
}

struct port_policy *live_policy_of(const struct live_port *p)
{
	return p->policy ? p->policy->policy : NULL;
}

void live_policy_leave(struct live_port *p)
{
	struct live_policy *lp = p->policy;
	struct counter_of *c, *tmp;

	if (!lp)
		return;
	p->policy = NULL;
	HASH_ITER(hh, lp->counters, c, tmp) {
		HASH_DEL(lp->counters, c);
		retire(p->net->engine, NULL, NULL, c);
	}
	free(lp->texts);
	retire(p->net->engine, lp->policy, lp->connections, lp);	/* the counters of the defaults are in it */
}

const char *live_policy_text(const struct live_port *p, const struct policy_denial *d)
{
	if (d->rule >= 0 && p->policy && p->policy->policy && rules_number(p->policy->policy->rules) == d->rules &&
	    (unsigned)d->rule < p->policy->ntexts)
		return p->policy->texts[d->rule];
	return d->rule >= 0 ? "a rule that is gone" : "default";
}

/* ---- for people ---- */

static json_t *rule_json(const char *port, unsigned position, const char *text, const char *of, uint64_t hits)
{
	return json_pack("{s:s s:i s:s s:s s:I}", "port", port, "position", (int)position, "rule", text, "of", of, "hits",
			 (json_int_t)hits);
}

static const char *default_text(unsigned way, const struct policy_conf *policy)
{
	static const char *const texts[2][2] = {
		{ "default: allow egress", "default: deny egress" }, { "default: allow ingress", "default: deny ingress" },
	};

	return texts[way][policy->deny >> way & 1];
}

static void list_port(json_t *list, const struct live_port *p)
{
	const char *own = policy_has_own_rules(&p->conf->policy) ? "port" : "group";
	const struct live_policy *lp = p->policy;

	for (unsigned i = 0; i < lp->ntexts; i++) {
		const struct counter_of *c;

		HASH_FIND_STR(lp->counters, lp->texts[i], c);
		json_array_append_new(list, rule_json(p->name, i < lp->nown ? i + 1 : i - lp->nown + 1, lp->texts[i], i < lp->nown ? own : "network",
						      c ? atomic_load_explicit(&c->hits.n, memory_order_relaxed) : 0));
	}
	for (unsigned w = 0; w < 2; w++)
		json_array_append_new(list, rule_json(p->name, 0, default_text(w, &p->conf->policy), "default",
						      atomic_load_explicit(&lp->defaults[w].n, memory_order_relaxed)));
}

/* list_own() - the network's rules, which no port has yet: they are in force for the first that comes */
static void list_own(json_t *list, const struct policy_conf *own)
{
	char text[RULE_TEXT];

	for (unsigned i = 0; i < own->nrules; i++)
		json_array_append_new(list, rule_json("", i + 1, rule_format(&own->rules[i], text), "network", 0));
	for (unsigned w = 0; w < 2 && (own->nrules || own->deny); w++)
		json_array_append_new(list, rule_json("", 0, default_text(w, own), "default", 0));
}

json_t *live_policy_rules(struct engine *e, const char *name, const char *port)
{
	const struct live_net *net = live_net_find(e, name);
	json_t *list = net ? json_array() : NULL;

	for (const struct live_port *p = list ? net->ports : NULL; p; p = p->hh.next)
		if (p->policy && p->policy->policy && (!port || !strcmp(port, p->name)))
			list_port(list, p);
	if (list && !port && !json_array_size(list))
		list_own(list, &net->conf->defaults.policy);
	return list;
}
