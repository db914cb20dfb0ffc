// SPDX-License-Identifier: GPL-2.0-or-later
/* Which VLANs a port is of: one without tags, several with tags, or one that carries what the guest tags itself. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define BIT(name) field_bit(port_rows, port_nrows, name)

/* The settings that make a port one of three kinds, and those that only a trunk has. */
static const char *const kinds[] = { "vlan", "trunk", "tunnel" };
static const char *const of_trunks[] = { "native", "native_tagged", "frames", "tags", "translate" };

void model_vlan_over(json_t *settings, const json_t *own)
{
	const char *kind = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (json_object_get(own, kinds[i]) && !json_is_null(json_object_get(own, kinds[i])))
			kind = kinds[i];
	for (size_t i = 0; kind && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i], kind))
			json_object_del(settings, kinds[i]);
	for (size_t i = 0; kind && strcmp(kind, "trunk") && i < ARRAY_SIZE(of_trunks); i++)
		json_object_del(settings, of_trunks[i]);
}

/* ---- translate: { WIRE: VLAN } ---- */

static int by_wire(const void *a, const void *b)
{
	return ((const struct vlan_pair *)a)->wire - ((const struct vlan_pair *)b)->wire;
}

static int read_pair(struct model_ctx *ctx, const json_t *object, const char *key, const json_t *value, struct vlan_pair *pair)
{
	unsigned long wire;

	if (number_parse(key, 1, 4094, &wire) < 0)
		return ctx_fail(ctx, object, key, -EINVAL, "is not a VLAN in 1..4094");
	if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > 4094)
		return ctx_fail(ctx, object, key, -EINVAL, "the VLAN that it stands for is not in 1..4094");
	*pair = (struct vlan_pair){ (uint16_t)wire, (uint16_t)json_integer_value(value) };
	return 0;
}

static int read_pairs(struct model_ctx *ctx, const json_t *object, struct port_conf *to)
{
	const char *key;
	json_t *value;

	to->translate = calloc(json_object_size(object), sizeof(*to->translate));
	if (!to->translate)
		return error_set(ctx->err, -ENOMEM, "out of memory");
	json_object_foreach((json_t *)object, key, value) {
		int rc = read_pair(ctx, object, key, value, &to->translate[to->ntranslate]);

		if (rc < 0)
			return rc;
		to->ntranslate++;
	}
	qsort(to->translate, to->ntranslate, sizeof(*to->translate), by_wire);
	return 0;
}

/* read_translate() - the port's own, or that of its group: they are not mixed */
static int read_translate(struct model_ctx *ctx, const struct net_conf *net, const struct layers *layers, struct port_conf *to)
{
	const json_t *object = NULL;

	(void)net;
	for (unsigned i = 0; i < layers->n; i++)
		if (layers->of[i] && !json_is_null(layers->of[i]))
			object = layers->of[i];
	if (object && !json_is_object(object))
		return ctx_fail(ctx, NULL, NULL, -EINVAL, "is not a mapping of VLANs on the wire to VLANs of the network");
	to->translate_given = json_object_size(layers_own(layers)) > 0;
	return json_object_size(object) ? read_pairs(ctx, object, to) : 0;
}

static json_t *write_translate(const struct net_conf *net, const struct port_conf *port, unsigned flags)
{
	json_t *object = json_object();
	char wire[8];

	(void)net;
	if (!(flags & MODEL_EFFECTIVE) && !port->translate_given)
		return object;
	for (unsigned i = 0; object && i < port->ntranslate; i++) {
		snprintf(wire, sizeof(wire), "%u", port->translate[i].wire);
		json_object_set_new(object, wire, json_integer(port->translate[i].vid));
	}
	return object;
}

static void free_translate(struct port_conf *port)
{
	free(port->translate);
}

const struct port_part vlan_translate_part = { "translate", false, read_translate, write_translate, free_translate };

/* ---- all together ---- */

/* wire_of() - the number that VLAN @vid has on the port's wire */
static unsigned wire_of(const struct port_conf *port, unsigned vid)
{
	for (unsigned i = 0; i < port->ntranslate; i++)
		if (port->translate[i].vid == vid)
			return port->translate[i].wire;
	return vid;
}

/* check_translate() - a number on the wire means one VLAN, and a VLAN has one number there */
static int check_translate(struct model_ctx *ctx, const json_t *object, struct port_conf *port)
{
	uint64_t taken[MODEL_VLANS / 64] = { 0 }, seen[MODEL_VLANS / 64] = { 0 };

	for (unsigned i = 0; i < port->ntranslate; i++) {
		unsigned vid = port->translate[i].vid;

		if (seen[vid / 64] >> vid % 64 & 1)
			return ctx_fail(ctx, object, "translate", -EINVAL, "VLAN %u has two numbers on the wire", vid);
		seen[vid / 64] |= 1ull << vid % 64;
		port->trunk[vid / 64] |= 1ull << vid % 64;
	}
	for (unsigned vid = 1; port->ntranslate && vid < MODEL_VLANS - 1; vid++) {
		unsigned wire = port_carries(port, (uint16_t)vid) ? wire_of(port, vid) : 0;

		if (wire && taken[wire / 64] >> wire % 64 & 1)
			return ctx_fail(ctx, object, "translate", -EINVAL, "%u on the wire would be two VLANs", wire);
		taken[wire / 64] |= 1ull << wire % 64;
	}
	return 0;
}

/* check_trunk() - a trunk's own settings against one another */
static int check_trunk(struct model_ctx *ctx, const json_t *object, struct port_conf *port)
{
	if (port->frames == PORT_FRAMES_UNTAGGED && !port->native)
		return ctx_fail(ctx, object, "frames", -EINVAL, "untagged frames have no VLAN on this trunk; give native, too");
	if (port->frames == PORT_FRAMES_UNTAGGED && port->native_tagged)
		return ctx_fail(ctx, object, "native_tagged", -EINVAL, "the other end would have to send what is not taken here");
	port->pvid = 0;
	return check_translate(ctx, object, port);
}

/* no_vlans() - where VLANs mean nothing. Return: why, or NULL */
static const char *no_vlans(const struct net_conf *net)
{
	if (net->mode == NET_NAT)
		return "in mode nat each port is alone with the gateway: there are no VLANs";
	return net->wire ? "a wire carries every tag as it is: there are no VLANs" : NULL;
}

/* given_vlan() - the first setting about VLANs that was given, or NULL */
static const char *given_vlan(field_set given)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (given & BIT(kinds[i]))
			return kinds[i];
	for (size_t i = 0; i < ARRAY_SIZE(of_trunks); i++)
		if (given & BIT(of_trunks[i]))
			return of_trunks[i];
	return NULL;
}

int vlan_check(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, field_set given, struct port_conf *port)
{
	bool trunk = given & BIT("trunk"), tunnel = given & BIT("tunnel"), vlan = given & BIT("vlan");
	const char *why = no_vlans(net);

	if (why && given_vlan(given))
		return ctx_fail(ctx, object, given_vlan(given), -EINVAL, "%s", why);
	if (vlan && (trunk || tunnel))
		return ctx_fail(ctx, object, "vlan", -EINVAL, "a port has vlan (access) or %s, not both", trunk ? "trunk" : "tunnel");
	if (trunk && tunnel)
		return ctx_fail(ctx, object, "tunnel", -EINVAL, "a port has trunk or tunnel, not both");
	for (size_t i = 0; !trunk && i < ARRAY_SIZE(of_trunks); i++)
		if (given & BIT(of_trunks[i]))
			return ctx_fail(ctx, object, of_trunks[i], -EINVAL, "is a setting of a trunk; give trunk, too");
	port->vlan_mode = trunk ? PORT_VLAN_TRUNK : tunnel ? PORT_VLAN_TUNNEL : PORT_VLAN_ACCESS;
	if (tunnel)
		port->pvid = port->tunnel;
	return trunk ? check_trunk(ctx, object, port) : 0;
}
