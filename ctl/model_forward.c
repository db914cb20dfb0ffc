// SPDX-License-Identifier: GPL-2.0-or-later
/* The settings of a forward: in a file `{listen: 8080, to: vm1:80}`, in the API with its parts apart. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

static const struct word protos[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { NULL, 0 } };

/* raw - the fields as they were written, before the two shapes become one */
struct raw {
	const json_t *listen, *to;
	uint16_t port, to_port;
	uint8_t proto;
};

static const struct field rows[] = {
	{ "listen", &field_tree, FIELD_AT(struct raw, listen) },
	{ "port", &field_number, FIELD_AT(struct raw, port), .min = 1, .max = 65535 },
	{ "proto", &field_word, FIELD_AT(struct raw, proto), .fallback = IPPROTO_TCP, .words = protos },
	{ "to", &field_tree, FIELD_AT(struct raw, to) },
	{ "to_port", &field_number, FIELD_AT(struct raw, to_port), .min = 1, .max = 65535 },
};

const char *proto_name(uint8_t proto)
{
	return word_of(protos, proto);
}

static int bad_listen(struct model_ctx *ctx, const json_t *object, const char *text)
{
	return ctx_fail(ctx, object, "listen", -EINVAL,
			"%s is not a port like 8080 or an address with one like 127.0.0.1:8080", shown(text));
}

static int add_address(struct model_ctx *ctx, const json_t *object, struct forward_conf *forward, struct endpoint address)
{
	address.port = 0;
	for (unsigned i = 0; i < forward->nlisten; i++)
		if (!memcmp(&forward->listen[i], &address, sizeof(address)))
			return 0;
	if (forward->nlisten == FORWARD_LISTEN_MAX)
		return ctx_fail(ctx, object, "listen", -EINVAL, "more than %d addresses", FORWARD_LISTEN_MAX);
	forward->listen[forward->nlisten++] = address;
	return 0;
}

static int add_loopback(struct model_ctx *ctx, const json_t *object, struct forward_conf *forward)
{
	static const struct endpoint v4 = { .v6 = 0, .ip = { 127, 0, 0, 1 } }, v6 = { .v6 = 1, .ip = { [15] = 1 } };
	int rc = add_address(ctx, object, forward, v4);

	return rc < 0 ? rc : add_address(ctx, object, forward, v6);
}

/* add_listen() - one entry: 8080, "8080", "127.0.0.1:8080", "[::1]:8080", or an address where the port stands apart */
static int add_listen(struct model_ctx *ctx, const json_t *object, const json_t *entry, struct forward_conf *forward)
{
	const char *text = json_string_value(entry);
	struct endpoint e = { 0 };
	unsigned long number;
	uint16_t port = 0;

	if (json_is_integer(entry)) {
		if (json_integer_value(entry) < 1 || json_integer_value(entry) > 65535)
			return ctx_fail(ctx, object, "listen", -EINVAL, "%lld is not in 1..65535",
					(long long)json_integer_value(entry));
		port = (uint16_t)json_integer_value(entry);
	} else if (text && number_parse(text, 1, 65535, &number) == 0) {
		port = (uint16_t)number;
	} else if (!text || endpoint_parse(text, &e) < 0) {
		return bad_listen(ctx, object, text ? text : "this");
	} else {
		port = e.port;
		forward->listen_given = true;
	}
	if (!port && !forward->port)
		return bad_listen(ctx, object, text);
	if (port && forward->port && port != forward->port)
		return ctx_fail(ctx, object, "listen", -EINVAL, "a forward has one port, not %u and %u", forward->port,
				port);
	if (port)
		forward->port = port;
	return text && endpoint_parse(text, &e) == 0 ? add_address(ctx, object, forward, e) :
						       add_loopback(ctx, object, forward);
}

static int compare_endpoints(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct endpoint));
}

static int read_listen(struct model_ctx *ctx, const json_t *object, const struct raw *raw, struct forward_conf *forward)
{
	int rc = 0;

	forward->port = raw->port;
	if (json_is_array(raw->listen) && json_array_size(raw->listen) == 0)
		return ctx_fail(ctx, object, "listen", -EINVAL, "is an empty list");
	if (json_is_array(raw->listen))
		for (size_t i = 0; rc == 0 && i < json_array_size(raw->listen); i++)
			rc = add_listen(ctx, object, json_array_get(raw->listen, i), forward);
	else if (raw->listen)
		rc = add_listen(ctx, object, raw->listen, forward);
	else if (forward->port)
		rc = add_loopback(ctx, object, forward);
	else
		rc = ctx_fail(ctx, object, "listen", -EINVAL, "is missing: which port of the host?");
	qsort(forward->listen, forward->nlisten, sizeof(forward->listen[0]), compare_endpoints);
	return rc;
}

static int bad_target(struct model_ctx *ctx, const json_t *object, const char *text)
{
	return ctx_fail(ctx, object, "to", -EINVAL, "%s is not a guest and a port like vm1:80", shown(text));
}

/* read_target() - "vm1:80", "10.77.0.5:80", or without its port where that stands apart or is the same as outside */
static int read_target(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, const struct raw *raw,
		       struct forward_conf *forward)
{
	const char *text = json_string_value(raw->to), *colon;
	unsigned long number = raw->to_port ? raw->to_port : forward->port;
	char guest[NAME_MAX_SIZE] = "";

	if (!text)
		return ctx_fail(ctx, object, "to", -EINVAL,
				raw->to ? "is not text like vm1:80" : "is missing: which guest and port?");
	colon = strchr(text, ':');
	if (colon && (raw->to_port || number_parse(colon + 1, 1, 65535, &number) < 0))
		return bad_target(ctx, object, text);
	if ((colon ? (size_t)(colon - text) : strlen(text)) >= sizeof(guest))
		return bad_target(ctx, object, text);
	memcpy(guest, text, colon ? (size_t)(colon - text) : strlen(text));
	forward->to_port = (uint16_t)number;
	if (ip4_parse(guest, &forward->to_ip) == 0)
		return guest_address(net, forward->to_ip) ? 0 :
			ctx_fail(ctx, object, "to", -EINVAL, "%s is no guest's address in this network", guest);
	if (!name_valid(guest))
		return bad_target(ctx, object, text);
	strcpy(forward->to, guest);
	return 0;
}

/* check_id() - the key is a name, or the port and protocol which stand inside, too */
static int check_id(struct model_ctx *ctx, const json_t *object, const char *id, struct forward_conf *forward)
{
	char expected[16], path[16];
	unsigned long number;
	size_t digits = strspn(id, "0123456789");

	snprintf(expected, sizeof(expected), "%u/%s", forward->port, proto_name(forward->proto));
	snprintf(path, sizeof(path), "%s", id[digits] == '-' ? id + digits : "");
	if (strchr(id, '/')) {
		if (strcmp(id, expected))
			return ctx_fail(ctx, object, NULL, -EINVAL, "its port and protocol are %s", expected);
		strcpy(forward->id, expected);
		return 0;
	}
	/* "8080" and "8080-tcp" are how commands and paths say port and protocol */
	if (!name_valid(id) || number_parse(id, 0, ~0ul, &number) == 0 || !strcmp(path, "-tcp") || !strcmp(path, "-udp"))
		return ctx_fail(ctx, object, NULL, -EINVAL, "neither a name (a-z, 0-9, -; not a mere port) nor PORT/PROTO");
	strcpy(forward->id, id);
	strcpy(forward->name, id);
	return 0;
}

int forward_read(struct model_ctx *ctx, const struct net_conf *net, const char *id, const json_t *object, void *to)
{
	struct forward_conf *forward = to;
	struct raw raw = { 0 };
	uint32_t set;
	int rc = fields_read(ctx, rows, ARRAY_SIZE(rows), object, &raw, &set);

	if (rc < 0)
		return rc;
	forward->proto = raw.proto;
	rc = read_listen(ctx, object, &raw, forward);
	if (rc < 0)
		return rc;
	rc = check_id(ctx, object, id, forward);
	return rc < 0 ? rc : read_target(ctx, net, object, &raw, forward);
}

int model_forward_id(const json_t *settings, char id[NAME_MAX_SIZE])
{
	struct model_ctx ctx = { 0 };
	struct forward_conf forward = { 0 };
	struct raw raw = { 0 };
	uint32_t set;

	if (fields_read(&ctx, rows, ARRAY_SIZE(rows), settings, &raw, &set) < 0 ||
	    read_listen(&ctx, settings, &raw, &forward) < 0)
		return -EINVAL;
	snprintf(id, NAME_MAX_SIZE, "%u/%s", forward.port, proto_name(raw.proto));
	return 0;
}

static json_t *target(const struct forward_conf *forward)
{
	char ip[IP4_TEXT];

	return json_string(forward->to[0] ? forward->to : ip4_format(forward->to_ip, ip));
}

static json_t *listen_list(const struct forward_conf *forward, uint16_t port)
{
	json_t *list = json_array();
	char text[ENDPOINT_TEXT];

	for (unsigned i = 0; i < forward->nlisten; i++) {
		struct endpoint e = forward->listen[i];

		e.port = port;
		json_array_append_new(list, json_string(endpoint_format(&e, text)));
	}
	return list;
}

json_t *forward_export(const struct forward_conf *forward)
{
	json_t *object = json_pack("{s:o, s:i, s:s, s:o, s:i}", "listen", listen_list(forward, 0), "port", forward->port,
				   "proto", proto_name(forward->proto), "to", target(forward), "to_port", forward->to_port);

	if (object && forward->name[0])
		json_object_set_new(object, "name", json_string(forward->name));
	return object;
}

json_t *forward_tree(const struct forward_conf *forward)
{
	json_t *to = target(forward), *listen = NULL, *object;

	if (!forward->listen_given)
		listen = json_integer(forward->port);
	else
		listen = listen_list(forward, forward->port);
	if (json_array_size(listen) == 1) {
		json_t *only = json_incref(json_array_get(listen, 0));

		json_decref(listen);
		listen = only;
	}
	object = json_pack("{s:o, s:o}", "listen", listen, "to",
			   json_sprintf("%s:%u", json_string_value(to), forward->to_port));
	if (object && forward->proto != IPPROTO_TCP)
		json_object_set_new(object, "proto", json_string(proto_name(forward->proto)));
	json_decref(to);
	return object;
}
