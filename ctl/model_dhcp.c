// SPDX-License-Identifier: GPL-2.0-or-later
/* `dhcp: {...}` of a network or segment: pools, times, options, classes of guests. */
#include "ctl/model_dhcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "dhcp/lease.h"

/* ---- pools ---- */

static int read_range(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, struct pool_conf *pool)
{
	const char *text = json_string_value(value);
	struct address_range *r = &pool->of[pool->n];

	if (pool->n == POOL_RANGES_MAX)
		return ctx_fail(ctx, parent, field->name, -EINVAL, "more than %d ranges", POOL_RANGES_MAX);
	if (!text || ip4_range_parse(text, &r->first, &r->last) < 0)
		return ctx_fail(ctx, parent, field->name, -EINVAL, "%s is not a range like 10.77.0.100-10.77.0.199",
				text ? shown(text) : "this");
	pool->n++;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const struct address_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static int read_pool(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	size_t n = json_is_array(value) ? json_array_size(value) : 1;
	struct pool_conf *pool = to;

	pool->n = 0;
	for (size_t i = 0; i < n; i++)
		if (read_range(ctx, field, parent, json_is_array(value) ? json_array_get(value, i) : value, pool) < 0)
			return -EINVAL;
	qsort(pool->of, pool->n, sizeof(pool->of[0]), by_first);
	return n ? 0 : ctx_fail(ctx, parent, field->name, -EINVAL, "has no range");
}

static json_t *write_range(const struct address_range *r)
{
	char first[IP4_TEXT], last[IP4_TEXT];

	return json_sprintf("%s-%s", ip4_format(r->first, first), ip4_format(r->last, last));
}

/* write_pool() - one range is a text, several are a list of them */
static json_t *write_pool(const struct field *field, const void *from)
{
	const struct pool_conf *pool = from;
	json_t *list;

	(void)field;
	if (pool->n == 1)
		return write_range(&pool->of[0]);
	list = json_array();
	for (unsigned i = 0; list && i < pool->n; i++)
		json_array_append_new(list, write_range(&pool->of[i]));
	return list;
}

const struct field_type field_pool = { read_pool, write_pool };

/* ---- options ---- */

static int read_options(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	struct option_set *set = to;
	char why[OPTION_WHY] = "is not a text like \"ntp-servers 10.0.0.1\"";

	set->family = (uint8_t)field->max;
	if (!json_is_array(value))
		return ctx_fail(ctx, parent, field->name, -EINVAL, "is not a list of options");
	for (size_t i = 0; i < json_array_size(value); i++) {
		const char *line = json_string_value(json_array_get(value, i));
		int rc = line ? 0 : -EINVAL;

		if (line && line[0])	/* an empty one alone takes all of them back */
			rc = option_set_add(set, line, why);
		if (rc < 0)
			return ctx_fail(ctx, parent, field->name, rc == -ENOMEM ? rc : -EINVAL, "%s: %s", line ? shown(line) : "one",
					shown(why));
	}
	return 0;
}

static json_t *write_options(const struct field *field, const void *from)
{
	const struct option_set *set = from;
	char text[OPTION_LINE_TEXT];
	json_t *list = json_array();

	(void)field;
	for (unsigned i = 0; list && i < set->n; i++)
		json_array_append_new(list, json_string(option_set_text(set, &set->of[i], text)));
	return list;
}

const struct field_type field_options = { read_options, write_options };

void settings_free(struct dhcp_settings *says)
{
	option_set_fini(&says->options);
	option_set_fini(&says->options6);
}

/* ---- the mapping ---- */

const struct field dhcp_rows[] = {
	{ "enabled", &field_bool, FIELD_AT(struct net_conf, dhcp_enabled), .fallback = true },
	{ "pool", &field_pool, FIELD_AT(struct net_conf, pool) },
	{ "lease", &field_duration, FIELD_AT(struct net_conf, lease_s), .min = 5, .max = UINT32_MAX, .fallback = 3600 },
	{ "lease_min", &field_duration, FIELD_AT(struct net_conf, dhcp.min_s), .min = 5, .max = UINT32_MAX },
	{ "lease_max", &field_duration, FIELD_AT(struct net_conf, dhcp.max_s), .min = 5, .max = UINT32_MAX },
	{ "probation", &field_duration, FIELD_AT(struct net_conf, dhcp.probation_s), .min = 1, .max = UINT32_MAX - 1 },
	{ "rapid_commit", &field_bool, FIELD_AT(struct net_conf, dhcp.rapid_commit) },
	{ "bootp", &field_bool, FIELD_AT(struct net_conf, dhcp.bootp) },
	{ "quota", &field_number, FIELD_AT(struct net_conf, lease_quota), .min = 1, .max = 65536, .fallback = 64 },
	{ "declines", &field_number, FIELD_AT(struct net_conf, lease_declines), .min = 1, .max = 65536, .fallback = 8 },
	{ "rate", &field_number, FIELD_AT(struct net_conf, dhcp_rate), .min = 0, .max = 1000000, .fallback = 1000 },
	{ "options", &field_options, FIELD_AT(struct net_conf, dhcp.options), .max = OPTIONS4 },
	{ "classes", &field_classes, FIELD_AT(struct net_conf, dhcp.classes) },
};
const size_t dhcp_nrows = ARRAY_SIZE(dhcp_rows);

field_set dhcp_shown(const struct net_conf *net, unsigned flags)
{
	const struct {
		const char *row;
		bool said;		/* what is said nowhere has no value to show */
	} silent[] = {
		{ "lease_min", net->dhcp.min_s }, { "lease_max", net->dhcp.max_s }, { "probation", net->dhcp.probation_s },
		{ "options", net->dhcp.options.n }, { "classes", net->dhcp.classes.n },
	};
	field_set set = FIELDS_ALL;

	if (!(flags & MODEL_EFFECTIVE))
		return net->dhcp_set;
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		if (!silent[i].said)
			set &= ~field_bit(dhcp_rows, dhcp_nrows, silent[i].row);
	return set;
}

void dhcp_free(struct net_conf *net)
{
	option_set_fini(&net->dhcp.options);
	option_set_fini(&net->ip6.options);
	classes_free(&net->dhcp.classes);
}

/* ---- ranges of all pools ---- */

/* claim - a range, and whose it is; class NULL: the network's */
struct claim {
	struct address_range range;
	const struct class_conf *class;
	bool whole;			/* the network's, of which nobody said anything */
};

static unsigned claim(struct claim *to, unsigned n, const struct pool_conf *pool, const struct class_conf *class)
{
	for (unsigned i = 0; i < pool->n && n < LEASE_RANGES_MAX + 1; i++)
		to[n++] = (struct claim){ .range = pool->of[i], .class = class };
	return n;
}

static const char *whose(const struct claim *c)
{
	return c->class ? c->class->class.name : c->whole ? "the network, which has all unless a pool of its own is set" : "the network";
}

static int check_range(struct model_ctx *ctx, const json_t *object, const struct net_conf *net, const struct claim *c)
{
	char text[192];
	const char *why = NULL;

	if (c->range.first <= net->subnet.addr || c->range.last >= prefix4_last(net->subnet))
		why = "is not inside the subnet";
	else if (c->range.first <= net->gateway && net->gateway <= c->range.last)
		why = "holds the gateway's address";
	else if (c->range.first <= net->dns && net->dns <= c->range.last)
		why = "holds the address for DNS, the one behind the gateway's";
	if (!why)
		return 0;
	snprintf(text, sizeof(text), "%s%s%s%s", c->class ? "of class " : "", c->class ? whose(c) : "", c->class ? " " : "", why);
	return mapping_fail(ctx, object, "dhcp", "pool", text);
}

int pools_check(struct model_ctx *ctx, const json_t *object, const struct net_conf *net)
{
	struct claim all[LEASE_RANGES_MAX + 1];
	unsigned n = claim(all, 0, &net->pool, NULL);
	char text[192];

	all[0].whole = !(net->dhcp_set & field_bit(dhcp_rows, dhcp_nrows, "pool"));
	for (size_t i = 0; i < net->dhcp.classes.n; i++)
		n = claim(all, n, &net->dhcp.classes.of[i].pool, &net->dhcp.classes.of[i]);
	if (n > LEASE_RANGES_MAX)
		return mapping_fail(ctx, object, "dhcp", "pool", "more ranges than a network can have, with those of its classes");
	for (unsigned i = 0; i < n; i++)
		if (check_range(ctx, object, net, &all[i]) < 0)
			return -EINVAL;
	qsort(all, n, sizeof(all[0]), by_first);
	for (unsigned i = 1; i < n; i++) {
		if (all[i].range.first > all[i - 1].range.last)
			continue;
		snprintf(text, sizeof(text), "two ranges have the same addresses: of %s and of %s", whose(&all[i - 1]), whose(&all[i]));
		return mapping_fail(ctx, object, "dhcp", "pool", text);
	}
	return 0;
}
