// SPDX-License-Identifier: GPL-2.0-or-later
/* Domains whose names are asked of resolvers of their own: {corp.example: [10.0.0.53]}, or as a list ["corp.example=10.0.0.53"]. The model
 * has them as dhcp/resolvers.h reads them: lines "route DOMAIN ADDRESS". */
#include "ctl/model_fields.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "dhcp/dns_name.h"

#define WANTS "an address like 10.0.0.53 or [2001:db8::53]:53"

char *endpoint_resolver(const struct endpoint *endpoint, char text[RESOLVER_TEXT])
{
	struct endpoint at = *endpoint;
	char address[ENDPOINT_TEXT];

	at.port = 0;
	endpoint_format(&at, address);
	snprintf(text, RESOLVER_TEXT, endpoint->port ? "%.50s#%u" : "%.50s", address, endpoint->port);
	return text;
}

static bool domain_ok(const char *domain)
{
	struct dns_name name;

	return strlen(domain) < DOMAIN_TEXT && !strpbrk(domain, " \t\r\n#;=") && dns_name_from_text(&name, domain) == 0;
}

static int add_line(struct model_ctx *ctx, const struct field *field, const json_t *parent, const char *domain, const char *address, char *to)
{
	size_t used = strlen(to);
	struct endpoint at;
	char text[RESOLVER_TEXT];
	int n;

	if (!domain_ok(domain))
		return field_not_a(ctx, field, parent, domain, "a domain like corp.example");
	if (endpoint_parse(address, &at) < 0 || !memcmp(at.ip, (uint8_t[16]){ 0 }, sizeof(at.ip)))
		return field_not_a(ctx, field, parent, address, WANTS);
	n = snprintf(to + used, field->size - used, "route %s %s\n", domain, endpoint_resolver(&at, text));
	if ((size_t)n < field->size - used)
		return 0;
	return ctx_fail(ctx, parent, field->name, -EINVAL, "are more than fit into %zu bytes", field->size - 1);
}

/* read_addresses() - one, or a list */
static int read_addresses(struct model_ctx *ctx, const struct field *field, const json_t *parent, const char *domain, const json_t *value,
			  char *to)
{
	size_t n = json_is_array(value) ? json_array_size(value) : 1;
	int rc = n ? 0 : ctx_fail(ctx, parent, field->name, -EINVAL, "%s has no resolver", shown(domain));

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const char *text = field_string(ctx, field, parent, json_is_array(value) ? json_array_get(value, i) : value, WANTS);

		rc = text ? add_line(ctx, field, parent, domain, text, to) : -EINVAL;
	}
	return rc;
}

/* read_pair() - "DOMAIN=ADDRESS"; an empty one stands for no domain */
static int read_pair(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, char *to)
{
	const char *text = field_string(ctx, field, parent, value, "DOMAIN=ADDRESS"), *equals;
	char domain[DOMAIN_TEXT];

	if (!text || !*text)
		return text ? 0 : -EINVAL;
	equals = strchr(text, '=');
	if (!equals || (size_t)(equals - text) >= sizeof(domain))
		return field_not_a(ctx, field, parent, text, "DOMAIN=ADDRESS");
	memcpy(domain, text, (size_t)(equals - text));
	domain[equals - text] = '\0';
	return add_line(ctx, field, parent, domain, equals + 1, to);
}

static int read_domains(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	size_t n = json_is_array(value) ? json_array_size(value) : 1;
	const char *domain;
	json_t *servers;
	int rc = 0;

	((char *)to)[0] = '\0';
	if (json_is_object(value)) {
		json_object_foreach((json_t *)value, domain, servers)
			if (rc == 0)
				rc = read_addresses(ctx, field, parent, domain, servers, to);
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = read_pair(ctx, field, parent, json_is_array(value) ? json_array_get(value, i) : value, to);
	return rc;
}

static json_t *write_domains(const struct field *field, const void *from)
{
	const char *text = from;
	json_t *object = json_object(), *list;
	char domain[DOMAIN_TEXT], address[RESOLVER_TEXT], plain[ENDPOINT_TEXT];

	(void)field;
	for (; object && sscanf(text, "route %253s %63s", domain, address) == 2; text += strcspn(text, "\n") + 1) {
		char *hash = strchr(address, '#');

		if (hash)
			*hash = '\0';
		snprintf(plain, sizeof(plain), !hash ? "%.48s" : strchr(address, ':') ? "[%.48s]:%s" : "%.48s:%s", address, hash ? hash + 1 : "");
		list = json_object_get(object, domain);
		if (!list) {
			list = json_array();
			json_object_set_new(object, domain, list);
		}
		json_array_append_new(list, json_string(plain));
	}
	return object;
}

const struct field_type field_domains = { read_domains, write_domains };
