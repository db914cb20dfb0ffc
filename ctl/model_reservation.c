// SPDX-License-Identifier: GPL-2.0-or-later
/* Reservations: what is set aside for one guest, who is known by its port, MAC address, client identifier or a relay's circuit. */
#include "ctl/model_dhcp.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "dhcp/option_value.h"

/* Each way of knowing a guest is a row of its own; all write to the same two members. */
static void take_key(struct dhcp_reservation *r, enum guest_key key, const void *id, size_t size)
{
	r->key = (uint8_t)key;
	r->id_size = (uint8_t)size;
	memcpy(r->id, id, size);
}

static int read_mac_key(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	uint8_t mac[MAC_SIZE];
	int rc = field_mac.read(ctx, field, parent, value, mac);

	if (rc == 0)
		take_key(to, GUEST_MAC, mac, sizeof(mac));
	return rc;
}

static json_t *write_mac_key(const struct field *field, const void *from)
{
	return field_mac.write(field, ((const struct dhcp_reservation *)from)->id);
}

static int read_hex_key(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	static const char wants[] = "1 to 130 bytes in hex like 01:52:54:00:12:34:56";
	const char *text = field_string(ctx, field, parent, value, wants);
	uint8_t id[GUEST_KEY_MAX];
	int n = text ? option_value_parse(VALUE_HEX, text, id, sizeof(id)) : 0;

	if (!text)
		return -EINVAL;
	if (n < 0)
		return field_not_a(ctx, field, parent, text, wants);
	take_key(to, GUEST_CLIENT_ID, id, (size_t)n);
	return 0;
}

static json_t *write_hex_key(const struct field *field, const void *from)
{
	const struct dhcp_reservation *r = from;
	char text[OPTION_VALUE_TEXT];

	(void)field;
	option_value_format(VALUE_HEX, r->id, r->id_size, text);
	return json_string(text);
}

/* circuit - text as relays show it, or all bytes in hex after 0x */
static int read_circuit_key(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	static const char wants[] = "1 to 130 letters, or bytes in hex after 0x";
	const char *text = field_string(ctx, field, parent, value, wants);
	bool hex = text && !strncmp(text, "0x", 2);
	uint8_t id[GUEST_KEY_MAX];
	int n;

	if (!text)
		return -EINVAL;
	n = option_value_parse(hex ? VALUE_HEX : VALUE_TEXT, hex ? text + 2 : text, id, sizeof(id));
	if (n < 0)
		return field_not_a(ctx, field, parent, text, wants);
	take_key(to, GUEST_CIRCUIT, id, (size_t)n);
	return 0;
}

static json_t *write_circuit_key(const struct field *field, const void *from)
{
	const struct dhcp_reservation *r = from;
	char text[OPTION_VALUE_TEXT];

	(void)field;
	if (option_value_format(VALUE_TEXT, r->id, r->id_size, text) == VALUE_TEXT && strncmp(text, "0x", 2))
		return json_string(text);
	option_value_format(VALUE_HEX, r->id, r->id_size, text);
	return json_sprintf("0x%s", text);
}

/* read_pinned() - of IPv6 the address follows from that of IPv4 (dhcp/lease6.h), and who writes one is told so */
static int read_pinned(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	const char *text = json_string_value(value);
	struct addr a;

	if (text && addr_parse(text, &a) == 0 && !addr_is4(a))
		return ctx_fail(ctx, parent, field->name, -EINVAL,
				"%s is an IPv6 address; that of a guest with a reserved IPv4 address ends with the same four bytes", shown(text));
	return field_ip4.read(ctx, field, parent, value, to);
}

static json_t *write_pinned(const struct field *field, const void *from)
{
	return field_ip4.write(field, from);
}

static const struct field_type field_pinned = { read_pinned, write_pinned };
static const struct field_type field_mac_key = { read_mac_key, write_mac_key };
static const struct field_type field_hex_key = { read_hex_key, write_hex_key };
static const struct field_type field_circuit_key = { read_circuit_key, write_circuit_key };

static const struct field rows[] = {
	{ "ip", &field_pinned, FIELD_AT(struct reservation_conf, of.ip) },
	{ "mac", &field_mac_key, FIELD_AT(struct reservation_conf, of) },
	{ "client_id", &field_hex_key, FIELD_AT(struct reservation_conf, of) },
	{ "circuit", &field_circuit_key, FIELD_AT(struct reservation_conf, of) },
	{ "hostname", &field_text, FIELD_AT(struct reservation_conf, of.hostname), .valid = name_valid, .wants = "a name: a-z, 0-9 and - inside" },
	{ "aliases", &field_names, FIELD_AT(struct reservation_conf, aliases), .max = true, .wants = "a name without dots" },
	SAYS_ROWS(struct reservation_conf, of.says),
};

#define BIT(name) field_bit(rows, ARRAY_SIZE(rows), name)

static int check_key(struct model_ctx *ctx, const json_t *object, const struct reservation_conf *r)
{
	field_set keys = r->set & (BIT("mac") | BIT("client_id") | BIT("circuit"));

	if (keys & (keys - 1))
		return ctx_fail(ctx, object, NULL, -EINVAL, "is for a guest of one mac, client_id or circuit, and names more of them");
	if (r->aliases[0] && r->of.key != GUEST_PORT && !r->of.hostname[0])
		return ctx_fail(ctx, object, "aliases", -EINVAL, "lead to its hostname, and it says none");
	return 0;
}

static int check_ip(struct model_ctx *ctx, const struct net_conf *net, const json_t *value, const struct reservation_conf *r)
{
	char text[IP4_TEXT];

	if (!net->has_subnet)
		return ctx_fail(ctx, value, NULL, -EINVAL, "the network has no subnet");
	if (r->of.ip && !guest_address(net, r->of.ip))
		return ctx_fail(ctx, value, NULL, -EINVAL, "%s is no guest's address in this network", ip4_format(r->of.ip, text));
	return 0;
}

int reservation_read(struct model_ctx *ctx, const struct net_conf *net, const char *name, const json_t *value, void *to)
{
	struct reservation_conf *r = to;
	const char *text = json_string_value(value);
	int rc = 0;

	if (!name_valid(name))
		return ctx_fail(ctx, value, NULL, -EINVAL, "not a port's name");
	strcpy(r->of.name, name);
	r->of.key = GUEST_PORT;
	r->set = BIT("ip");
	if (json_is_object(value))
		rc = fields_read(ctx, rows, ARRAY_SIZE(rows), value, r, &r->set);
	else if (!text || ip4_parse(text, &r->of.ip) < 0)
		rc = ctx_fail(ctx, value, NULL, -EINVAL, "%s is not an IPv4 address", text ? shown(text) : "this");
	if (rc == 0 && !r->set)
		rc = ctx_fail(ctx, value, NULL, -EINVAL, "says nothing");
	if (rc == 0)
		rc = check_key(ctx, value, r);
	return rc < 0 ? rc : check_ip(ctx, net, value, r);
}

json_t *reservation_tree(const struct reservation_conf *r)
{
	char ip[IP4_TEXT];

	if (r->set == BIT("ip"))
		return json_string(ip4_format(r->of.ip, ip));
	return fields_write(rows, ARRAY_SIZE(rows), r, r->set, 0);
}

json_t *reservation_export(const struct reservation_conf *r)
{
	json_t *object = json_pack("{s:s}", "port", r->of.name), *rest = fields_write(rows, ARRAY_SIZE(rows), r, r->set, 0);

	json_object_update(object, rest);
	json_decref(rest);
	return object;
}

const struct reservation_conf *net_port_reservation(const struct net_conf *net, const char *port)
{
	const struct reservation_conf *r = net_reservation(net, port);

	return r && r->of.key == GUEST_PORT && r->of.ip ? r : NULL;
}

const char *reservation_host(const struct reservation_conf *r)
{
	return r->of.hostname[0] ? r->of.hostname : r->of.name;
}
