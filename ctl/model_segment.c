// SPDX-License-Identifier: GPL-2.0-or-later
/* Segments: VLANs of a network that have addresses, a gateway, DHCP and DNS of their own, beside those of VLAN 1, which are the network's. */
#include "ctl/model_dhcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static bool label_valid(const char *text)
{
	return !text[0] || name_valid(text);
}

static const struct field rows[] = {
	{ "name", &field_text, FIELD_AT(struct segment_conf, name), .valid = label_valid, .wants = "a name: a-z, 0-9 and - inside" },
	{ "subnet", &field_prefix4, FIELD_AT(struct segment_conf, net.subnet) },
	{ "gateway", &field_ip4, FIELD_AT(struct segment_conf, net.gateway) },
	{ "subnet6", &field_prefix6, FIELD_AT(struct segment_conf, net.subnet6) },
	{ .name = "dhcp", .type = &field_members },
	{ .name = "dhcp6", .type = &field_members },
	{ .name = "ra", .type = &field_members },
	{ .name = "peers", .type = &field_members },
};

#define BIT(name) field_bit(rows, ARRAY_SIZE(rows), name)

/* check_place() - can this network have segments, and one of this number? */
static int check_place(struct model_ctx *ctx, const struct net_conf *net, const char *id, struct segment_conf *seg)
{
	unsigned long vid;

	if (number_parse(id, 1, 4094, &vid) < 0 || id[0] == '0')
		return ctx_fail(ctx, NULL, NULL, -EINVAL, "not a VLAN in 2..4094");
	if (vid == 1)
		return ctx_fail(ctx, NULL, NULL, -EINVAL, "VLAN 1 is the network's own: its settings are the network's");
	if (net->mode != NET_INTERNAL && (net->mode != NET_NAT_NETWORK || net->nat != NAT_KIND_USER))
		return ctx_fail(ctx, NULL, NULL, -EINVAL, "mode %s%s has no segments: they are for modes nat-network (nat: user) and internal",
				net_mode_name(net->mode), net->mode == NET_NAT_NETWORK ? " with nat: kernel" : "");
	strcpy(seg->id, id);
	seg->vid = (uint16_t)vid;
	return 0;
}

/* inherit() - what a segment has in common with its network */
static void inherit(struct segment_conf *seg, const struct net_conf *net)
{
	seg->net = (struct net_conf){
		.owner = net->owner, .mode = net->mode, .nat = net->nat, .has_nat = net->has_nat, .has_router = net->has_router, .mtu = net->mtu,
	};
	snprintf(seg->net.name, sizeof(seg->net.name), "%.63s:%u", net->name, seg->vid % 10000u);
}

/* without_pools() - classes as a segment may have them: the ranges are of the network's own addresses. Return: a new reference, or NULL. */
static json_t *without_pools(const json_t *classes)
{
	json_t *copy = classes ? json_deep_copy(classes) : NULL, *class;
	const char *name;

	json_object_foreach(copy, name, class)
		json_object_del(class, "pool");
	return copy;
}

/* dhcp_of_network() - what holds for a segment where its own `dhcp` does not say it: all but what belongs to the network's own addresses
 * Return: a new reference, or NULL when there is nothing, or no memory.
 */
static json_t *dhcp_of_network(const struct model_ctx *ctx, const json_t *own)
{
	static const char *const only_there[] = { "enabled", "pool", "classes" };
	const json_t *all = json_object_get(ctx->network, "dhcp"), *value;
	json_t *below = json_is_object(all) ? json_copy((json_t *)all) : NULL, *classes = without_pools(json_object_get(all, "classes"));
	const char *key;

	for (size_t i = 0; i < ARRAY_SIZE(only_there); i++)
		json_object_del(below, only_there[i]);
	if (below && classes)
		json_object_set(below, "classes", classes);
	json_object_foreach((json_t *)own, key, value)
		json_object_del(below, key);
	json_decref(classes);
	return below;
}

static int read_dhcp(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	json_t *below = dhcp_of_network(ctx, json_object_get(object, "dhcp"));
	int rc = mapping_read_over(ctx, below, object, "dhcp", dhcp_rows, dhcp_nrows, net, &net->dhcp_set);

	json_decref(below);
	return rc;
}

int segment_read(struct model_ctx *ctx, const struct net_conf *net, const char *id, const json_t *object, void *to)
{
	struct segment_conf *seg = to;
	int rc = check_place(ctx, net, id, seg);

	if (rc < 0)
		return rc;
	inherit(seg, net);
	rc = fields_read(ctx, rows, ARRAY_SIZE(rows), object, seg, &seg->set);
	if (rc == 0)
		rc = read_dhcp(ctx, object, &seg->net);
	if (rc == 0)
		rc = ip6_read(ctx, object, &seg->net);
	if (rc < 0)
		return rc;
	seg->net.has_subnet = seg->set & BIT("subnet");
	if (!seg->net.has_subnet && net->mode == NET_INTERNAL)
		return ctx_fail(ctx, object, "subnet", -EINVAL, "is missing: a VLAN without addresses needs no segment");
	return 0;
}

/* same_name() - the first segment before @at that is called the same, or NULL */
static const struct segment_conf *same_name(const struct net_conf *net, const struct segment_conf *at)
{
	for (const struct segment_conf *s = net->segments; at->name[0] && s < at; s++)
		if (!strcmp(s->name, at->name))
			return s;
	return NULL;
}

static int complete_one(struct model_ctx *ctx, const json_t *object, const struct net_conf *net, struct segment_conf *seg)
{
	if (!net->has_subnet)
		return ctx_fail(ctx, NULL, NULL, -EINVAL, "the network has no subnet; give it one, too");
	if (same_name(net, seg))
		return ctx_fail(ctx, object, "name", -EINVAL, "%s is VLAN %s already", seg->name, same_name(net, seg)->id);
	seg->set |= BIT("subnet");	/* one that was chosen stays */
	seg->net.dns_enabled = net->dns_enabled;
	seg->net.boot = net->boot;
	strcpy(seg->net.domain, net->domain);
	return addressing_complete(ctx, object, &seg->net, seg->set & BIT("gateway"), seg->set & BIT("subnet6"));
}

int segments_complete(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	const json_t *all = json_object_get(object, "segments");
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < net->nsegments; i++) {
		struct segment_conf *seg = &net->segments[i];
		struct ctx_mark mark = ctx_enter(ctx, all, seg->id, "segment", seg->id);

		rc = complete_one(ctx, json_object_get(all, seg->id), net, seg);
		ctx_leave(ctx, mark);
	}
	return rc;
}

json_t *segment_export(const struct segment_conf *seg, unsigned flags)
{
	field_set set = flags & MODEL_EFFECTIVE ? FIELDS_ALL : seg->set, dhcp = dhcp_shown(&seg->net, flags);
	json_t *object = fields_write(rows, ARRAY_SIZE(rows), seg, seg->name[0] ? set : set & ~BIT("name"), 0), *inside;

	inside = object ? fields_write(dhcp_rows, dhcp_nrows, &seg->net, dhcp, 0) : NULL;
	if (json_object_size(inside))
		json_object_set(object, "dhcp", inside);
	json_decref(inside);
	inside = object ? peers_tree(&seg->net) : NULL;
	if (json_object_size(inside))
		json_object_set(object, "peers", inside);
	json_decref(inside);
	if (object && ip6_write(object, &seg->net, flags) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

int segments_write(json_t *object, const struct net_conf *net, unsigned flags)
{
	json_t *all = net->nsegments ? json_object() : NULL;

	for (size_t i = 0; all && i < net->nsegments; i++)
		if (json_object_set_new(all, net->segments[i].id, segment_export(&net->segments[i], flags)) < 0) {
			json_decref(all);
			return -ENOMEM;
		}
	return net->nsegments ? json_object_set_new(object, "segments", all) : 0;
}

const struct net_conf *net_with(const struct net_conf *net, uint32_t ip)
{
	if (net->has_subnet && prefix4_has(net->subnet, ip))
		return net;
	for (size_t i = 0; i < net->nsegments; i++)
		if (prefix4_has(net->segments[i].net.subnet, ip))
			return &net->segments[i].net;
	return NULL;
}
