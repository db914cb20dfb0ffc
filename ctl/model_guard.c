// SPDX-License-Identifier: GPL-2.0-or-later
/* What a port, a group or a network's ports may send, and which frames of others they are shown. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

/* when - a guard that is auto is on where the network itself does what is guarded. */
static int read_when(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	static const struct word words[] = {
		{ "auto", GUARD_WHEN_AUTO }, { "true", GUARD_WHEN_ON }, { "false", GUARD_WHEN_OFF }, { NULL, 0 },
	};
	const char *text = json_is_boolean(value) ? json_is_true(value) ? "true" : "false" : json_string_value(value);

	for (const struct word *w = words; text && w->text; w++) {
		if (!strcmp(w->text, text)) {
			*(uint8_t *)to = (uint8_t)w->value;
			return 0;
		}
	}
	return ctx_fail(ctx, parent, field->name, -EINVAL, "is neither true, false nor auto");
}

static json_t *write_when(const struct field *field, const void *from)
{
	uint8_t when = *(const uint8_t *)from;

	(void)field;
	return when == GUARD_WHEN_AUTO ? json_string("auto") : json_boolean(when == GUARD_WHEN_ON);
}

static const struct field_type field_when = { read_when, write_when };

/* addresses - a list of both families; naddresses stands behind it */
static int read_addresses(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	struct guard_list *list = to;
	const json_t *item;
	size_t i;

	if (!json_is_array(value))
		return ctx_fail(ctx, parent, field->name, -EINVAL, "is not a list of addresses");
	if (json_array_size(value) > GUARD_LISTED_MAX)
		return ctx_fail(ctx, parent, field->name, -EINVAL, "more than %d", GUARD_LISTED_MAX);
	list->n = 0;
	json_array_foreach((json_t *)value, i, item) {
		const char *text = field_string(ctx, field, parent, item, "an address");

		if (!text)
			return -EINVAL;
		if (addr_parse(text, &list->of[i]) < 0 || addr_is_multicast(list->of[i]) || addr_is_none(list->of[i]))
			return field_not_a(ctx, field, parent, text, "the address of one host");
		list->n++;
	}
	return 0;
}

static json_t *write_addresses(const struct field *field, const void *from)
{
	const struct guard_list *list = from;
	json_t *array = json_array();
	char text[ADDR_TEXT];

	(void)field;
	for (unsigned i = 0; array && i < list->n; i++)
		json_array_append_new(array, json_string(addr_format(list->of[i], text)));
	return array;
}

static const struct field_type field_addresses = { read_addresses, write_addresses };

static int read_macs(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	struct mac_list *list = to;
	const json_t *item;
	size_t i;

	if (!json_is_array(value))
		return ctx_fail(ctx, parent, field->name, -EINVAL, "is not a list of MAC addresses");
	if (json_array_size(value) > GUARD_LISTED_MAX)
		return ctx_fail(ctx, parent, field->name, -EINVAL, "more than %d", GUARD_LISTED_MAX);
	list->n = 0;
	json_array_foreach((json_t *)value, i, item) {
		int rc = field_mac.read(ctx, field, parent, item, list->of[i]);

		if (rc < 0)
			return rc;
		list->n++;
	}
	return 0;
}

static json_t *write_macs(const struct field *field, const void *from)
{
	const struct mac_list *list = from;
	json_t *array = json_array();

	for (unsigned i = 0; array && i < list->n; i++)
		json_array_append_new(array, field_mac.write(field, list->of[i]));
	return array;
}

static const struct field_type field_macs = { read_macs, write_macs };

enum { RATE_MAX = 100000000 };		/* frames/s */

static const struct field rows[] = {
	{ "own_mac", &field_bool, FIELD_AT(struct guards_conf, own_mac) },
	{ "own_ip", &field_bool, FIELD_AT(struct guards_conf, own_ip) },
	{ "addresses", &field_addresses, FIELD_AT(struct guards_conf, addresses) },
	{ "macs", &field_macs, FIELD_AT(struct guards_conf, macs) },
	{ "dhcp", &field_when, FIELD_AT(struct guards_conf, dhcp) },
	{ "router", &field_when, FIELD_AT(struct guards_conf, router) },
	{ "isolated", &field_bool, FIELD_AT(struct guards_conf, isolated) },
	{ "promiscuous", &field_bool, FIELD_AT(struct guards_conf, promiscuous) },
	{ "loop", &field_bool, FIELD_AT(struct guards_conf, loop), .fallback = true },
	{ "max_macs", &field_number, FIELD_AT(struct guards_conf, max_macs), .max = 65536 },
	{ "broadcast", &field_number, FIELD_AT(struct guards_conf, broadcast), .max = RATE_MAX },
	{ "multicast", &field_number, FIELD_AT(struct guards_conf, multicast), .max = RATE_MAX },
	{ "unknown", &field_number, FIELD_AT(struct guards_conf, unknown), .max = RATE_MAX },
};

#define BIT(name) field_bit(rows, ARRAY_SIZE(rows), name)

static int read_guard(struct model_ctx *ctx, const struct net_conf *net, const struct layers *layers, struct port_conf *port)
{
	struct guards_conf *g = &port->guard;
	int rc;

	for (unsigned i = 0; i < layers->n; i++)
		if (layers->of[i] && !json_is_object(layers->of[i]))
			return ctx_fail(ctx, NULL, NULL, -EINVAL, "is not a mapping like {own_ip: true}");
	rc = layers_read(ctx, rows, ARRAY_SIZE(rows), layers, g, &g->set);
	if (rc == 0 && net->mode == NET_NAT && g->isolated)
		return ctx_fail(ctx, layers_own(layers), "isolated", -EINVAL, "in mode nat each port is alone with the gateway anyway");
	return rc;
}

static json_t *write_guard(const struct net_conf *net, const struct port_conf *port, unsigned flags)
{
	field_set set = flags & MODEL_EFFECTIVE ? FIELDS_ALL : port->guard.set;

	(void)net;
	if (port->kind == PORT_KIND_HOST || port->kind == PORT_KIND_UPLINK)
		set = 0;		/* the network's own; they are not guarded */
	if (!port->guard.addresses.n)
		set &= ~BIT("addresses");
	if (!port->guard.macs.n)
		set &= ~BIT("macs");
	return fields_write(rows, ARRAY_SIZE(rows), &port->guard, set, 0);
}

const struct port_part guard_part = { "guard", true, read_guard, write_guard, NULL };
