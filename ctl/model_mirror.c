// SPDX-License-Identifier: GPL-2.0-or-later
/* A port that gets copies of other ports' frames, and nothing else. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/live_capture.h"
#include "switch/capture.h"

static const struct word directions[] = {
	{ "in", CAPTURE_IN }, { "out", CAPTURE_OUT }, { "both", CAPTURE_IN | CAPTURE_OUT }, { NULL, 0 },
};

static bool from_valid(const char *name)
{
	return name_valid(name) || !strcmp(name, GATEWAY_PORT) || !strcmp(name, HOST_PORT) || !strcmp(name, UPLINK_PORT);
}

/* read_from() - "all", or names with commas between them */
static int read_from(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	const char *text = field_string(ctx, field, parent, value, "all, or names of ports like web1,db1");
	struct mirror_from *from = to;

	if (!text)
		return -EINVAL;
	from->n = 0;
	from->all = !strcmp(text, "all");
	for (const char *end; !from->all; text = end + 1) {
		char *name = from->names[from->n];
		size_t size;

		end = text + strcspn(text, ",");
		size = MIN_OF((size_t)(end - text), (size_t)NAME_MAX_SIZE - 1);
		if (from->n == MIRROR_FROM_MAX - 1)
			return ctx_fail(ctx, parent, field->name, -EINVAL, "names more than %d ports; all is every port of the network",
					MIRROR_FROM_MAX - 1);
		memcpy(name, text, size);
		name[size] = '\0';
		if (!from_valid(name))
			return field_not_a(ctx, field, parent, name, "the name of a port");
		from->n++;
		if (!*end)
			break;
	}
	return 0;
}

static json_t *write_from(const struct field *field, const void *value)
{
	const struct mirror_from *from = value;
	char text[MIRROR_FROM_MAX * NAME_MAX_SIZE] = "all";
	size_t n = 0;

	(void)field;
	for (unsigned i = 0; i < from->n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? "," : "", from->names[i]);
	return json_string(text);
}

static const struct field_type field_from = { read_from, write_from };

static const struct field rows[] = {
	{ "from", &field_from, FIELD_AT(struct mirror_conf, from) },
	{ "direction", &field_word, FIELD_AT(struct mirror_conf, direction), .words = directions },
	{ "vlans", &field_vlans, FIELD_AT(struct mirror_conf, vlans) },
};

#define BIT(name) field_bit(rows, ARRAY_SIZE(rows), name)

bool mirror_looks_at(const struct mirror_conf *m, const char *name)
{
	for (unsigned i = 0; i < m->from.n; i++)
		if (!strcmp(m->from.names[i], name))
			return true;
	return m->from.all;
}

static int read_mirror(struct model_ctx *ctx, const struct net_conf *net, const struct layers *layers, struct port_conf *port)
{
	struct mirror_conf read = { .set = 0 };
	field_set given = 0;
	int rc;

	(void)net;
	for (unsigned i = 0; i < layers->n; i++) {
		if (layers->of[i] && !json_is_null(layers->of[i]) && !json_is_object(layers->of[i]))
			return ctx_fail(ctx, NULL, NULL, -EINVAL, "is not a mapping of from, direction and vlans");
		given |= fields_given(rows, ARRAY_SIZE(rows), layers->of[i]);
	}
	rc = layers_read(ctx, rows, ARRAY_SIZE(rows), layers, &read, &read.set);
	if (rc < 0 || !given)
		return rc;
	read.some_vlans = given & BIT("vlans");
	if (!(given & (BIT("from") | BIT("vlans"))))
		return ctx_fail(ctx, NULL, NULL, -EINVAL, "from is missing: all, or names of ports");
	if (!(given & BIT("from")))
		read.from.all = true;
	if (!read.direction)		/* each frame once */
		read.direction = read.from.all ? CAPTURE_IN : CAPTURE_IN | CAPTURE_OUT;
	port->mirror = malloc(sizeof(read));
	if (!port->mirror)
		return error_set(ctx->err, -ENOMEM, "out of memory");
	*port->mirror = read;
	return 0;
}

static json_t *write_mirror(const struct net_conf *net, const struct port_conf *port, unsigned flags)
{
	const struct mirror_conf *m = port->mirror;

	(void)net;
	if (!m)
		return json_object();
	return fields_write(rows, ARRAY_SIZE(rows), m,
			    flags & MODEL_EFFECTIVE ? BIT("from") | BIT("direction") | (m->some_vlans ? BIT("vlans") : 0) : m->set, 0);
}

static void free_mirror(struct port_conf *port)
{
	free(port->mirror);
	port->mirror = NULL;
}

const struct port_part mirror_part = { "mirror", false, read_mirror, write_mirror, free_mirror };

/* check_one() - not itself, and no other mirror, whose frames are copies already */
static int check_one(struct model_ctx *ctx, const struct net_conf *net, const struct port_conf *port)
{
	for (unsigned i = 0; i < port->mirror->from.n; i++) {
		const char *name = port->mirror->from.names[i];
		const struct port_conf *from = net_port(net, name);

		if (!strcmp(name, port->name))
			return ctx_fail(ctx, NULL, NULL, -EINVAL, "port %s: mirror: from: it would look at itself", port->name);
		if (from && from->mirror)
			return ctx_fail(ctx, NULL, NULL, -EINVAL, "port %s: mirror: from: %s is a mirror, too", port->name, name);
	}
	return 0;
}

int check_mirrors(struct model_ctx *ctx, const struct net_conf *net, const json_t *networks)
{
	struct ctx_mark mark = ctx_enter(ctx, networks, net->name, "network", net->name);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < net->nports; i++)
		if (net->ports[i].mirror)
			rc = check_one(ctx, net, &net->ports[i]);
	ctx_leave(ctx, mark);
	return rc;
}
