// SPDX-License-Identifier: GPL-2.0-or-later
/* What a network answers and relays as DNS: the table of `dns: {...}`, lists of names, and aliases of ports. */
#include "ctl/model_parts.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* ---- lists of names: in a model one text, with a comma behind each but the last ---- */

/* name_ok() - labels of 1 to 63 letters, digits, - and _ (RFC 1035 2.3.4, RFC 2181 11); without dots where only a label is wanted */
static bool name_ok(const char *text, size_t n, bool label_only)
{
	size_t label = 0;

	if (n == 0 || n >= DOMAIN_TEXT)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '.' ? label_only || label == 0 : !isalnum(c) && c != '-' && c != '_')
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0;
}

/* append() - one more, lower-case, unless it is there. Return: 0, -EEXIST or -ENOSPC */
static int append(char *list, size_t room, const char *name, size_t n)
{
	size_t used = strlen(list);

	if (model_list_has(list, name, n))
		return -EEXIST;
	if (used + n + 2 > room)
		return -ENOSPC;
	if (used)
		list[used++] = ',';
	for (size_t i = 0; i < n; i++)
		list[used++] = (char)tolower((unsigned char)name[i]);
	list[used] = '\0';
	return 0;
}

bool model_list_next(const char **list, const char **name, size_t *n)
{
	*name = *list;
	*n = strcspn(*list, ",");
	*list += *n + ((*list)[*n] == ',');
	return *n > 0;
}

bool model_list_has(const char *list, const char *name, size_t n)
{
	const char *one;
	size_t size;

	while (model_list_next(&list, &one, &size))
		if (size == n && !strncasecmp(one, name, n))
			return true;
	return false;
}

static int read_names(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	size_t n = json_is_array(value) ? json_array_size(value) : 1;
	char *list = to;

	list[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
		const char *text = field_string(ctx, field, parent, one, field->wants), *name;
		size_t size;

		if (!text)
			return -EINVAL;
		while (model_list_next(&text, &name, &size)) {
			if (!name_ok(name, size, field->max))
				return field_not_a(ctx, field, parent, name, field->wants);
			if (append(list, field->size, name, size) == -ENOSPC)
				return ctx_fail(ctx, parent, field->name, -EINVAL, "are more than fit into %zu bytes", field->size - 1);
		}
	}
	return 0;
}

static json_t *write_names(const struct field *field, const void *from)
{
	const char *list = from, *name;
	json_t *array = json_array();
	size_t n;

	(void)field;
	while (array && model_list_next(&list, &name, &n))
		json_array_append_new(array, json_stringn(name, n));
	return array;
}

const struct field_type field_names = { read_names, write_names };

/* ---- aliases of ports and reservations ---- */

/* alias_use - whose alias it is; sorted, so that equal ones meet */
struct alias_use {
	const char *name, *kind, *whose;
	size_t n;
};

static int by_alias(const void *a, const void *b)
{
	const struct alias_use *x = a, *y = b;
	int order = strncmp(x->name, y->name, x->n < y->n ? x->n : y->n);

	return order ? order : x->n < y->n ? -1 : x->n > y->n;
}

static const char *alias_taken(const struct net_conf *net, const struct alias_use *of)
{
	static const char *const own[] = { "host", "gateway" };
	char name[DOMAIN_TEXT];

	memcpy(name, of->name, of->n);
	name[of->n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!strcmp(own[i], name))
			return "the gateway's";
	if (net_port(net, name))
		return "a port's own";
	for (size_t i = 0; i < net->nrecords; i++)
		if (!strcmp(net->records[i].name, name))
			return "a record's";
	for (size_t i = 0; i < net->nreservations; i++)
		if (!strcasecmp(net->reservations[i].of.hostname, name))
			return "a reservation's host";
	return NULL;
}

static int check_uses(struct model_ctx *ctx, const struct net_conf *net, struct alias_use *uses, size_t n)
{
	qsort(uses, n, sizeof(*uses), by_alias);
	for (size_t i = 0; i < n; i++) {
		const char *whose = alias_taken(net, &uses[i]);

		if (whose)
			return ctx_fail(ctx, NULL, NULL, -EINVAL, "%s %s: aliases: %.*s is %s name", uses[i].kind, uses[i].whose, (int)uses[i].n, uses[i].name,
					whose);
		if (i && !by_alias(&uses[i - 1], &uses[i]))
			return ctx_fail(ctx, NULL, NULL, -EINVAL, "%s %s: aliases: %.*s is one of %s %s, too", uses[i].kind, uses[i].whose, (int)uses[i].n,
					uses[i].name, uses[i - 1].kind, uses[i - 1].whose);
	}
	return 0;
}

/* take_aliases() - Return: how many there are */
static size_t take_aliases(struct alias_use *uses, const char *list, const char *kind, const char *whose)
{
	size_t n = 0;

	for (; model_list_next(&list, &uses[n].name, &uses[n].n); n++) {
		uses[n].kind = kind;
		uses[n].whose = whose;
	}
	return n;
}

int check_aliases(struct model_ctx *ctx, const struct net_conf *net, const json_t *networks)
{
	struct ctx_mark mark = ctx_enter(ctx, networks, net->name, "network", net->name);
	size_t room = 0, n = 0;
	struct alias_use *uses;
	int rc = -ENOMEM;

	for (size_t i = 0; i < net->nports; i++)
		room += strlen(net->ports[i].aliases);
	for (size_t i = 0; i < net->nreservations; i++)
		room += strlen(net->reservations[i].aliases);
	uses = calloc(room + 1, sizeof(*uses));
	for (size_t i = 0; uses && i < net->nports; i++)
		n += take_aliases(uses + n, net->ports[i].aliases, "port", net->ports[i].name);
	for (size_t i = 0; uses && i < net->nreservations; i++)
		n += take_aliases(uses + n, net->reservations[i].aliases, "reservation", net->reservations[i].of.name);
	if (uses)
		rc = check_uses(ctx, net, uses, n);
	free(uses);
	ctx_leave(ctx, mark);
	return rc < 0 && !ctx->err->message[0] ? error_set(ctx->err, rc, "out of memory") : rc;
}

/* ---- the table ---- */

/* file_valid() - empty takes a setting back */
static bool file_valid(const char *text)
{
	return !text[0] || (text[0] == '/' && text[strlen(text) - 1] != '/');
}

#define ASKS (~(1u << NET_INTERNAL | 1u << NET_HOST_ONLY))	/* the modes that ask others for what they do not know */

const struct field dns_rows[] = {
	{ "enabled", &field_bool, FIELD_AT(struct net_conf, dns_enabled), .fallback = true },
	{ "upstreams", &field_endpoints, FIELD_AT(struct net_conf, upstreams), .kinds = ASKS },
	{ "cache_kb", &field_number, FIELD_AT(struct net_conf, relay.cache_kb), .max = 65536, .fallback = 1024, .kinds = ASKS },
	{ "queries", &field_number, FIELD_AT(struct net_conf, relay.queries), .min = 1, .max = 256, .fallback = 64, .kinds = ASKS },
	{ "case_random", &field_bool, FIELD_AT(struct net_conf, relay.case_random), .kinds = ASKS },
	{ "trust_ad", &field_bool, FIELD_AT(struct net_conf, relay.trust_ad), .kinds = ASKS },
	{ "validate", &field_bool, FIELD_AT(struct net_conf, relay.validate), .kinds = ASKS },
	{ "trust_anchor", &field_text, FIELD_AT(struct net_conf, relay.trust_anchor), .valid = file_valid, .wants = "the path of a file, from / on", .kinds = ASKS },
	{ "rebind_protect", &field_bool, FIELD_AT(struct net_conf, relay.rebind_protect), .kinds = ASKS },
	{ "rebind_allow", &field_names, FIELD_AT(struct net_conf, relay.rebind_allow), .wants = "a domain like corp.example", .kinds = ASKS },
	{ "domains", &field_domains, FIELD_AT(struct net_conf, dns_routes), .kinds = ASKS },
	{ "listen", &field_endpoints, FIELD_AT(struct net_conf, dns_listen) },
	{ "host", &field_bool, FIELD_AT(struct net_conf, dns_host), .kinds = ~(1u << NET_NAT) },
};

const size_t dns_nrows = ARRAY_SIZE(dns_rows);

bool dns_mode_has(enum net_mode mode, const char *key)
{
	for (size_t i = 0; i < dns_nrows; i++)
		if (!strcmp(dns_rows[i].name, key))
			return !dns_rows[i].kinds || dns_rows[i].kinds >> mode & 1;
	return true;
}
