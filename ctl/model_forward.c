// SPDX-License-Identifier: GPL-2.0-or-later
/* The settings of a forward: in a file `{listen: 8080, to: vm1:80}`, in the API with its parts apart. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

static const struct word protos[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { NULL, 0 } };

static const struct word sources[] = {
	{ "client", FORWARD_SOURCE_CLIENT }, { "gateway", FORWARD_SOURCE_GATEWAY }, { NULL, 0 },
};

/* raw - the fields as they were written, before the two shapes become one */
struct raw {
	const json_t *listen, *to;
	uint16_t port, count, to_port;
	uint8_t proto, source;
};

static const struct field rows[] = {
	{ "listen", &field_tree, FIELD_AT(struct raw, listen) },
	{ "port", &field_number, FIELD_AT(struct raw, port), .min = 1, .max = 65535 },
	{ "count", &field_number, FIELD_AT(struct raw, count), .min = 1, .max = 65535 },
	{ "proto", &field_word, FIELD_AT(struct raw, proto), .fallback = IPPROTO_TCP, .words = protos },
	{ "to", &field_tree, FIELD_AT(struct raw, to) },
	{ "to_port", &field_number, FIELD_AT(struct raw, to_port), .min = 1, .max = 65535 },
	{ "source", &field_word, FIELD_AT(struct raw, source), .fallback = FORWARD_SOURCE_CLIENT, .words = sources },
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

static char *ports_text(const struct forward_conf *forward, char text[PORT_RANGE_TEXT])
{
	return port_range_format((struct port_range){ forward->port, forward->count }, text);
}

/* set_ports() - on the host; every entry of a list that names ports names the same */
static int set_ports(struct model_ctx *ctx, const json_t *object, struct forward_conf *forward, struct port_range ports)
{
	char has[PORT_RANGE_TEXT], other[PORT_RANGE_TEXT];

	if (ports.first + ports.count > 65536)
		return ctx_fail(ctx, object, "count", -EINVAL, "%u ports from %u on end above 65535", ports.count, ports.first);
	if (forward->port && (forward->port != ports.first || forward->count != ports.count))
		return ctx_fail(ctx, object, "listen", -EINVAL,
				"a forward has one port, or one range of ports, not %s and %s", ports_text(forward, has),
				port_range_format(ports, other));
	forward->port = ports.first;
	forward->count = ports.count;
	return 0;
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

/* listen_parse() - "127.0.0.1", "127.0.0.1:8080", "[::1]:8000-8099"; @ports->first is 0 where there are none */
static int listen_parse(const char *text, struct endpoint *at, struct port_range *ports)
{
	const char *colon = strrchr(text, ':');
	char host[ENDPOINT_TEXT];

	*ports = (struct port_range){ 0, 0 };
	if (endpoint_parse(text, at) == 0) {
		if (at->port)
			*ports = (struct port_range){ at->port, 1 };
		return 0;
	}
	if (!colon || (size_t)(colon - text) >= sizeof(host) || port_range_parse(colon + 1, ports) < 0)
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	return endpoint_parse(host, at) == 0 && !at->port && (!at->v6 || host[0] == '[') ? 0 : -EINVAL;
}

/* add_listen() - one entry: 8080, "8080", "8000-8099", "127.0.0.1:8080", or an address where the port stands apart */
static int add_listen(struct model_ctx *ctx, const json_t *object, const json_t *entry, struct forward_conf *forward)
{
	const char *text = json_string_value(entry);
	struct port_range ports = { 0, 0 };
	struct endpoint at = { 0 };
	bool everywhere = false;
	int rc = 0;

	if (json_is_integer(entry)) {
		if (json_integer_value(entry) < 1 || json_integer_value(entry) > 65535)
			return ctx_fail(ctx, object, "listen", -EINVAL, "%lld is not in 1..65535",
					(long long)json_integer_value(entry));
		ports = (struct port_range){ (uint16_t)json_integer_value(entry), 1 };
		everywhere = true;
	} else if (text && port_range_parse(text, &ports) == 0) {
		everywhere = true;
	} else if (!text || listen_parse(text, &at, &ports) < 0) {
		return bad_listen(ctx, object, text ? text : "this");
	}
	if (!ports.first && !forward->port)
		return bad_listen(ctx, object, text);
	if (ports.first)
		rc = set_ports(ctx, object, forward, ports);
	if (rc < 0)
		return rc;
	forward->listen_given |= !everywhere;
	return everywhere ? add_loopback(ctx, object, forward) : add_address(ctx, object, forward, at);
}

static int compare_endpoints(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct endpoint));
}

static int read_listen(struct model_ctx *ctx, const json_t *object, const struct raw *raw, struct forward_conf *forward)
{
	int rc = 0;

	if (raw->port)
		rc = set_ports(ctx, object, forward, (struct port_range){ raw->port, raw->count ? raw->count : 1 });
	else if (raw->count)
		rc = ctx_fail(ctx, object, "count", -EINVAL, "stands beside port; listen says it as 8000-8099");
	if (rc < 0)
		return rc;
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

/* target_ports() - "80", or as many as on the host: "9000-9099" */
static int target_ports(struct model_ctx *ctx, const json_t *object, const char *text, struct forward_conf *forward)
{
	struct port_range ports;
	char outside[PORT_RANGE_TEXT];

	if (port_range_parse(text, &ports) < 0)
		return bad_target(ctx, object, json_string_value(json_object_get(object, "to")));
	if (ports.count != 1 && ports.count != forward->count)
		return ctx_fail(ctx, object, "to", -EINVAL, "%s are %u ports, but %s %s %u", shown(text), ports.count,
				ports_text(forward, outside), forward->count == 1 ? "is" : "are", forward->count);
	forward->to_port = ports.first;
	return 0;
}

static int check_to_port(struct model_ctx *ctx, const json_t *object, const struct forward_conf *forward)
{
	if (forward->to_port + forward->count <= 65536)
		return 0;
	return ctx_fail(ctx, object, "to", -EINVAL, "%u ports from %u on end above 65535", forward->count, forward->to_port);
}

static int check_to_ip(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, uint32_t ip, const char *text)
{
	if (net->mode == NET_NAT)
		return ctx_fail(ctx, object, "to", -EINVAL, "%s may be any guest of a nat network; name its port", text);
	if (!guest_address(net, ip))
		return ctx_fail(ctx, object, "to", -EINVAL, "%s is no guest's address in this network", text);
	return 0;
}

/* read_target() - "vm1:80", "10.77.0.5:80", or without its port where that stands apart or is the same as outside */
static int read_target(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, const struct raw *raw,
		       struct forward_conf *forward)
{
	const char *text = json_string_value(raw->to), *colon;
	char guest[NAME_MAX_SIZE] = "";
	int rc = 0;

	if (!text)
		return ctx_fail(ctx, object, "to", -EINVAL,
				raw->to ? "is not text like vm1:80" : "is missing: which guest and port?");
	colon = strchr(text, ':');
	if (colon && raw->to_port)
		return bad_target(ctx, object, text);
	if ((colon ? (size_t)(colon - text) : strlen(text)) >= sizeof(guest))
		return bad_target(ctx, object, text);
	memcpy(guest, text, colon ? (size_t)(colon - text) : strlen(text));
	forward->to_port = raw->to_port ? raw->to_port : forward->port;
	if (colon)
		rc = target_ports(ctx, object, colon + 1, forward);
	if (rc == 0)
		rc = check_to_port(ctx, object, forward);
	if (rc < 0)
		return rc;
	if (ip4_parse(guest, &forward->to_ip) == 0)
		return check_to_ip(ctx, net, object, forward->to_ip, guest);
	if (!name_valid(guest))
		return bad_target(ctx, object, text);
	strcpy(forward->to, guest);
	return 0;
}

/* id_of() - what a forward without a name is called */
static void id_of(const struct forward_conf *forward, char id[NAME_MAX_SIZE])
{
	char ports[PORT_RANGE_TEXT];

	snprintf(id, NAME_MAX_SIZE, "%s/%s", ports_text(forward, ports), proto_name(forward->proto));
}

/* check_id() - the key is a name, or the port and protocol which stand inside, too */
static int check_id(struct model_ctx *ctx, const json_t *object, const char *id, struct forward_conf *forward)
{
	const char *rest = id + port_range_span(id);
	char expected[NAME_MAX_SIZE];

	id_of(forward, expected);
	if (strchr(id, '/')) {
		if (strcmp(id, expected))
			return ctx_fail(ctx, object, NULL, -EINVAL, "its port and protocol are %s", expected);
		strcpy(forward->id, expected);
		return 0;
	}
	/* "8080", "8000-8099" and "8080-tcp" are how commands and paths say port and protocol */
	if (!name_valid(id) || (rest > id && (!*rest || !strcmp(rest, "-tcp") || !strcmp(rest, "-udp"))))
		return ctx_fail(ctx, object, NULL, -EINVAL, "neither a name (a-z, 0-9, -; not a mere port) nor PORT/PROTO");
	strcpy(forward->id, id);
	strcpy(forward->name, id);
	return 0;
}

int forward_read(struct model_ctx *ctx, const struct net_conf *net, const char *id, const json_t *object, void *to)
{
	struct forward_conf *forward = to;
	struct raw raw = { 0 };
	field_set set;
	int rc = fields_read(ctx, rows, ARRAY_SIZE(rows), object, &raw, &set);

	if (rc < 0)
		return rc;
	forward->proto = raw.proto;
	forward->source = raw.source;
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
	field_set set;

	if (fields_read(&ctx, rows, ARRAY_SIZE(rows), settings, &raw, &set) < 0 ||
	    read_listen(&ctx, settings, &raw, &forward) < 0)
		return -EINVAL;
	forward.proto = raw.proto;
	id_of(&forward, id);
	return 0;
}

static json_t *target(const struct forward_conf *forward)
{
	char ip[IP4_TEXT];

	return json_string(forward->to[0] ? forward->to : ip4_format(forward->to_ip, ip));
}

static json_t *listen_list(const struct forward_conf *forward, bool with_ports)
{
	char text[ENDPOINT_TEXT], ports[PORT_RANGE_TEXT];
	json_t *list = json_array();

	ports_text(forward, ports);
	for (unsigned i = 0; i < forward->nlisten; i++) {
		const struct endpoint *at = &forward->listen[i];

		endpoint_format(at, text);
		json_array_append_new(list, !with_ports ? json_string(text) :
						 json_sprintf(at->v6 ? "[%s]:%s" : "%s:%s", text, ports));
	}
	return list;
}

json_t *forward_export(const struct forward_conf *forward)
{
	json_t *object = json_pack("{s:o, s:i, s:s, s:o, s:i}", "listen", listen_list(forward, false), "port", forward->port,
				   "proto", proto_name(forward->proto), "to", target(forward), "to_port", forward->to_port);

	if (object && forward->count > 1)
		json_object_set_new(object, "count", json_integer(forward->count));
	if (object && forward->source != FORWARD_SOURCE_CLIENT)
		json_object_set_new(object, "source", json_string(word_of(sources, forward->source)));
	if (object && forward->name[0])
		json_object_set_new(object, "name", json_string(forward->name));
	return object;
}

/* listen_tree() - as short as it can be said: 8080, "8000-8099", "127.0.0.1:8080", or a list */
static json_t *listen_tree(const struct forward_conf *forward)
{
	json_t *list, *only;
	char text[PORT_RANGE_TEXT];

	if (!forward->listen_given)
		return forward->count == 1 ? json_integer(forward->port) : json_string(ports_text(forward, text));
	list = listen_list(forward, true);
	if (json_array_size(list) != 1)
		return list;
	only = json_incref(json_array_get(list, 0));
	json_decref(list);
	return only;
}

json_t *forward_tree(const struct forward_conf *forward)
{
	char text[PORT_RANGE_TEXT];
	json_t *to = target(forward), *object;

	port_range_format((struct port_range){ forward->to_port, forward->count }, text);
	object = json_pack("{s:o, s:o}", "listen", listen_tree(forward), "to",
			   json_sprintf("%s:%s", json_string_value(to), text));
	if (object && forward->proto != IPPROTO_TCP)
		json_object_set_new(object, "proto", json_string(proto_name(forward->proto)));
	if (object && forward->source != FORWARD_SOURCE_CLIENT)
		json_object_set_new(object, "source", json_string(word_of(sources, forward->source)));
	json_decref(to);
	return object;
}
