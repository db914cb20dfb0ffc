// SPDX-License-Identifier: GPL-2.0-or-later
/* The policy of a port, a group or a network: a default, and a list of rules. A port's own rules, or else its group's, are asked before
 * those of the network, which hold for each of its ports. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "switch/rules.h"

static const struct word defaults[] = {
	{ "allow", 0 }, { "deny", RULE_BOTH }, { "deny-egress", RULE_EGRESS }, { "deny-ingress", RULE_INGRESS }, { NULL, 0 },
};

static const struct field rows[] = {
	{ "default", &field_word, FIELD_AT(struct policy_conf, deny), .words = defaults },
	{ .name = "rules", .type = &field_members },
};

#define BIT(name) field_bit(rows, ARRAY_SIZE(rows), name)

static int read_rule(struct model_ctx *ctx, const json_t *policy, size_t i, const json_t *value, struct rule *to)
{
	const char *why = "a rule is a text like \"allow egress github.com:443/tcp\"", *text = json_string_value(value);

	if (!text || rule_parse(text, to, &why) < 0)
		return ctx_fail(ctx, policy, "rules", -EINVAL, "#%zu%s%s: %s", i + 1, text ? " " : "", text ? shown(text) : "", why);
	return 0;
}

/* refuse_twice() - a rule that stands twice never decides the second time */
static int refuse_twice(struct model_ctx *ctx, const json_t *policy, const struct policy_conf *p)
{
	char a[RULE_TEXT], b[RULE_TEXT];

	for (unsigned i = 0; i < p->nrules; i++)
		for (unsigned k = 0; k < i; k++)
			if (!strcmp(rule_format(&p->rules[i], a), rule_format(&p->rules[k], b)))
				return ctx_fail(ctx, policy, "rules", -EINVAL, "#%u is the same as #%u: %s", i + 1, k + 1, shown(a));
	return 0;
}

static int read_rules(struct model_ctx *ctx, const json_t *policy, struct policy_conf *to)
{
	const json_t *list = json_object_get(policy, "rules"), *value;
	size_t i;

	if (!json_is_array(list))
		return ctx_fail(ctx, policy, "rules", -EINVAL, "is not a list");
	if (json_array_size(list) > RULES_MAX)
		return ctx_fail(ctx, policy, "rules", -EINVAL, "more than %d", RULES_MAX);
	to->rules = calloc(json_array_size(list) + 1, sizeof(*to->rules));
	if (!to->rules)
		return error_set(ctx->err, -ENOMEM, "out of memory");
	json_array_foreach((json_t *)list, i, value) {
		int rc = read_rule(ctx, policy, i, value, &to->rules[i]);

		if (rc < 0)
			return rc;
		to->nrules++;
	}
	return refuse_twice(ctx, policy, to);
}

/* last_with_rules() - whose rules hold: the port's own or its group's; the network's are asked after these, and are its own to keep */
static const json_t *last_with_rules(const struct layers *layers)
{
	for (unsigned i = layers->n; i-- > (layers->n > 1);)
		if (json_object_get(layers->of[i], "rules"))
			return layers->of[i];
	return NULL;
}

static int read_policy(struct model_ctx *ctx, const struct net_conf *net, const struct layers *layers, struct port_conf *port)
{
	const json_t *with_rules;
	int rc;

	(void)net;
	for (unsigned i = 0; i < layers->n; i++)
		if (layers->of[i] && !json_is_object(layers->of[i]))
			return ctx_fail(ctx, NULL, NULL, -EINVAL, "is not a mapping of default and rules");
	rc = layers_read(ctx, rows, ARRAY_SIZE(rows), layers, &port->policy, &port->policy.set);
	with_rules = rc == 0 ? last_with_rules(layers) : NULL;
	return with_rules ? read_rules(ctx, with_rules, &port->policy) : rc;
}

static json_t *rules_write(const struct policy_conf *p)
{
	json_t *list = json_array();
	char text[RULE_TEXT];

	for (unsigned i = 0; list && i < p->nrules; i++)
		json_array_append_new(list, json_string(rule_format(&p->rules[i], text)));
	return list;
}

static json_t *write_policy(const struct net_conf *net, const struct port_conf *port, unsigned flags)
{
	const struct policy_conf *p = &port->policy;
	bool effective = flags & MODEL_EFFECTIVE;
	field_set set = effective ? (p->deny ? BIT("default") : 0) | (p->nrules ? BIT("rules") : 0) : p->set;
	json_t *object = fields_write(rows, ARRAY_SIZE(rows), p, set, 0);

	(void)net;
	if (object && set & BIT("rules"))
		json_object_set_new(object, "rules", rules_write(p));
	return object;
}

bool policy_has_own_rules(const struct policy_conf *p)
{
	return p->set & BIT("rules");
}

static void free_policy(struct port_conf *port)
{
	free(port->policy.rules);
	port->policy.rules = NULL;
	port->policy.nrules = 0;
}

const struct port_part policy_part = { "policy", true, read_policy, write_policy, free_policy };
