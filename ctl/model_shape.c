// SPDX-License-Identifier: GPL-2.0-or-later
/* How fast: the rates of a port, a group or a network's ports, and those that several ports share (shapers). */
#include "ctl/model_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

static int read_rate(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	const char *why = "a rate is none or like 10mbit", *text = field_string(ctx, field, parent, value, "a rate like 10mbit peak 20mbit burst 64kB");

	if (!text)
		return -EINVAL;
	return rate_parse(text, to, &why) < 0 ? ctx_fail(ctx, parent, field->name, -EINVAL, "%s: %s", shown(text), why) : 0;
}

static json_t *write_rate(const struct field *field, const void *from)
{
	char text[RATE_TEXT];

	(void)field;
	return json_string(rate_format(from, text));
}

static const struct field_type field_rate = { read_rate, write_rate };

static const struct field rows[] = {
	{ "egress", &field_rate, FIELD_AT(struct shape_conf, egress) },
	{ "ingress", &field_rate, FIELD_AT(struct shape_conf, ingress) },
};

#define BIT(name) field_bit(rows, ARRAY_SIZE(rows), name)

static field_set limited(const struct shape_conf *s)
{
	return (s->egress.average_bps ? BIT("egress") : 0) | (s->ingress.average_bps ? BIT("ingress") : 0);
}

static int read_shape(struct model_ctx *ctx, const struct net_conf *net, const struct layers *layers, struct port_conf *port)
{
	(void)net;
	for (unsigned i = 0; i < layers->n; i++)
		if (layers->of[i] && !json_is_object(layers->of[i]))
			return ctx_fail(ctx, NULL, NULL, -EINVAL, "is not a mapping of egress and ingress");
	return layers_read(ctx, rows, ARRAY_SIZE(rows), layers, &port->shape, &port->shape.set);
}

static json_t *write_shape(const struct net_conf *net, const struct port_conf *port, unsigned flags)
{
	(void)net;
	return fields_write(rows, ARRAY_SIZE(rows), &port->shape, flags & MODEL_EFFECTIVE ? limited(&port->shape) : port->shape.set, 0);
}

const struct port_part shape_part = { "shape", true, read_shape, write_shape, NULL };

int shaper_read(struct model_ctx *ctx, const struct net_conf *net, const char *name, const json_t *object, void *to)
{
	struct shaper_conf *shaper = to;

	(void)net;
	if (!name_valid(name))
		return ctx_fail(ctx, object, NULL, -EINVAL, "not a name: use a-z, 0-9 and - inside, at most 63 letters");
	strcpy(shaper->name, name);
	return fields_read(ctx, rows, ARRAY_SIZE(rows), object, &shaper->shape, &shaper->shape.set);
}

int shapers_write(json_t *object, const struct net_conf *net)
{
	json_t *all = net->nshapers ? json_object() : NULL;

	for (size_t i = 0; all && i < net->nshapers; i++) {
		const struct shape_conf *s = &net->shapers[i].shape;

		json_object_set_new(all, net->shapers[i].name, fields_write(rows, ARRAY_SIZE(rows), s, s->set, 0));
	}
	return net->nshapers ? json_object_set_new(object, "shapers", all) : 0;
}

int shaper_check(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, const struct port_conf *port)
{
	if (!port->shaper[0] || net_shaper(net, port->shaper))
		return 0;
	return ctx_fail(ctx, object, "shaper", -EINVAL, "the network has no shaper %s", port->shaper);
}
