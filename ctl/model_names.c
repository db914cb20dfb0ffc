// SPDX-License-Identifier: GPL-2.0-or-later
/* Records: names of the network's own in the DNS. */
#include "ctl/model_parts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

static const struct word types[] = {
	{ "A", RECORD_A }, { "AAAA", RECORD_AAAA }, { "CNAME", RECORD_CNAME }, { "PTR", RECORD_PTR }, { "MX", RECORD_MX },
	{ "TXT", RECORD_TXT }, { "SRV", RECORD_SRV }, { NULL, 0 },
};

struct raw {
	char name[DOMAIN_TEXT];
	enum record_type type;
	char value[RECORD_VALUE_TEXT];
};

static const struct field rows[] = {
	{ "name", &field_text, FIELD_AT(struct raw, name) },
	{ "type", &field_word, FIELD_AT(struct raw, type), .fallback = RECORD_A, .words = types },
	{ "value", &field_text, FIELD_AT(struct raw, value) },
};

const char *record_type_name(enum record_type type)
{
	return word_of(types, type);
}

/* dns_name() - check and lower a domain name: labels of 1..63 letters, digits, - and _ (RFC 1035 2.3.4, RFC 2181 11) */
static int dns_name(const char *text, char *to)
{
	size_t n = strlen(text), label = 0;

	if (n == 0 || n >= DOMAIN_TEXT || text[0] == '.')
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '.' ? label == 0 : !isalnum(c) && c != '-' && c != '_')
			return -EINVAL;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return -EINVAL;
		to[i] = (char)tolower(c);
	}
	to[n] = '\0';
	return 0;
}

/* wild_name() - the same, and "*" may be the first label (RFC 4592) */
static int wild_name(const char *text, char *to)
{
	if (!strcmp(text, "*"))
		return strcpy(to, text), 0;
	if (strncmp(text, "*.", 2))
		return dns_name(text, to);
	memcpy(to, text, 2);
	return strlen(text) < DOMAIN_TEXT ? dns_name(text + 2, to + 2) : -EINVAL;
}

/* below_domain() - one label is, also behind "*.", and the name of a service, whose last label begins with a low line (RFC 2782) */
static bool below_domain(const char *name)
{
	const char *last = strrchr(strncmp(name, "*.", 2) ? name : name + 2, '.');

	return !last || last[1] == '_';
}

/* own_name() - the record's own name: below the network's domain, or "@" for the domain, or whole with dots in it
 *
 * Canonical is the shortest of these ways.
 */
static int own_name(const struct net_conf *net, const struct raw *raw, char *to)
{
	char name[DOMAIN_TEXT];
	size_t n, d = strlen(net->domain);
	uint32_t ip;

	if (!strcmp(raw->name, "@"))
		return strcpy(to, "@"), 0;
	if (wild_name(raw->name, name) < 0)
		return -EINVAL;
	n = strlen(name);
	if (name[n - 1] == '.' && strchr(name, '.') < name + n - 1)
		name[--n] = '\0';
	if (raw->type == RECORD_PTR && ip4_parse(name, &ip) == 0) {	/* as people say it; RFC 1035 3.5 */
		sprintf(to, "%u.%u.%u.%u.in-addr.arpa", ip & 255, ip >> 8 & 255, ip >> 16 & 255, ip >> 24);
		return 0;
	}
	if (!strcmp(name, net->domain))
		strcpy(name, "@");
	else if (n > d + 1 && !strcmp(name + n - d, net->domain) && name[n - d - 1] == '.') {
		name[n - d - 1] = '\0';
		if (!below_domain(name))
			name[n - d - 1] = '.';
	}
	strcpy(to, name);
	return 0;
}

int record_type_parse(const char *text, enum record_type *type)
{
	for (const struct word *w = types; w->text; w++)
		if (!strcmp(w->text, text)) {
			*type = (enum record_type)w->value;
			return 0;
		}
	return -EINVAL;
}

int model_record_id(const struct net_conf *net, const json_t *settings, char name[DOMAIN_TEXT], enum record_type *type)
{
	const char *text = json_string_value(json_object_get(settings, "name"));
	const char *word = json_string_value(json_object_get(settings, "type"));
	struct raw raw = { .type = RECORD_A };

	if (!text || strlen(text) >= sizeof(raw.name) || (word && record_type_parse(word, &raw.type) < 0))
		return -EINVAL;
	strcpy(raw.name, text);
	*type = raw.type;
	return own_name(net, &raw, name);
}

/* numbers_then_name() - "10 mail" of an MX, "0 5 5060 sip" of an SRV (RFC 2782) in canonical form */
static int numbers_then_name(const char *text, unsigned count, char *to)
{
	unsigned long number;
	char word[DOMAIN_TEXT];
	int used;

	to[0] = '\0';
	for (; count; count--) {
		if (sscanf(text, "%6s%n", word, &used) != 1 || number_parse(word, 0, 65535, &number) < 0)
			return -EINVAL;
		text += used;
		sprintf(to + strlen(to), "%lu ", number);
	}
	if (sscanf(text, " %253s%n", word, &used) != 1 || text[used])
		return -EINVAL;
	return dns_name(word, to + strlen(to));
}

static int text_value(const char *text, char *to)
{
	for (const char *p = text; *p; p++)
		if (!isprint((unsigned char)*p))
			return -EINVAL;
	strcpy(to, text);
	return 0;
}

static int canonical_value(const struct raw *raw, char *to)
{
	struct in6_addr ip6;
	uint32_t ip;

	switch (raw->type) {
	case RECORD_A:
		return ip4_parse(raw->value, &ip) < 0 ? -EINVAL : (ip4_format(ip, to), 0);
	case RECORD_AAAA:
		if (inet_pton(AF_INET6, raw->value, &ip6) != 1)
			return -EINVAL;
		inet_ntop(AF_INET6, &ip6, to, RECORD_VALUE_TEXT);
		return 0;
	case RECORD_MX:
		return numbers_then_name(raw->value, 1, to);
	case RECORD_SRV:
		return numbers_then_name(raw->value, 3, to);
	case RECORD_TXT:
		return text_value(raw->value, to);
	case RECORD_CNAME:
	case RECORD_PTR:
		break;
	}
	return dns_name(raw->value, to);
}

int record_read(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, struct record_conf *record)
{
	struct raw raw = { 0 };
	field_set set;
	int rc = fields_read(ctx, rows, ARRAY_SIZE(rows), object, &raw, &set);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!(set >> i & 1) && strcmp(rows[i].name, "type"))
			return ctx_fail(ctx, object, rows[i].name, -EINVAL, "is missing");
	if (own_name(net, &raw, record->name) < 0)
		return ctx_fail(ctx, object, "name", -EINVAL, "%s is not a domain name", shown(raw.name));
	if (canonical_value(&raw, record->value) < 0)
		return ctx_fail(ctx, object, "value", -EINVAL, "%s is not what %s holds", shown(raw.value),
				record_type_name(raw.type));
	record->type = raw.type;
	return 0;
}

json_t *record_export(const struct record_conf *record)
{
	return json_pack("{s:s, s:s, s:s}", "name", record->name, "type", record_type_name(record->type), "value",
			 record->value);
}
