// SPDX-License-Identifier: GPL-2.0-or-later
/* Peers: segments, of this network or another, whose guests those of a segment reach. One of the two names the other; with a list it says
 * what its own guests may open there, without one both sides may open everything. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

static const struct {
	const char *name;
	uint8_t proto;
} protos[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "icmp", IPPROTO_ICMP } };

/* rule_parse() - "tcp/80", "udp/5000-5009", "tcp", "icmp" */
static int rule_parse(const char *text, struct peer_rule *rule)
{
	size_t n = strcspn(text, "/");
	struct port_range range;

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		if (strlen(protos[i].name) != n || strncmp(text, protos[i].name, n) != 0)
			continue;
		*rule = (struct peer_rule){ .proto = protos[i].proto, .first = 0, .last = UINT16_MAX };
		if (!text[n])
			return 0;
		if (rule->proto == IPPROTO_ICMP || port_range_parse(text + n + 1, &range) < 0)
			return -EINVAL;
		rule->first = range.first;
		rule->last = (uint16_t)(range.first + range.count - 1);
		return 0;
	}
	return -EINVAL;
}

static json_t *rule_text(const struct peer_rule *rule)
{
	const char *name = "?";

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		if (protos[i].proto == rule->proto)
			name = protos[i].name;
	if (rule->first == 0)
		return json_string(name);
	if (rule->first == rule->last)
		return json_sprintf("%s/%u", name, rule->first);
	return json_sprintf("%s/%u-%u", name, rule->first, rule->last);
}

static int read_rules(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	struct peer_rules *rules = to;
	size_t i;
	json_t *entry;

	if (!json_is_array(value) || !json_array_size(value))
		return ctx_fail(ctx, parent, field->name, -EINVAL, "is not a list like [tcp/80, udp/53, icmp]; without it everything is allowed");
	if (json_array_size(value) > PEER_RULES_MAX)
		return ctx_fail(ctx, parent, field->name, -EINVAL, "has more than %d entries", PEER_RULES_MAX);
	rules->n = 0;
	json_array_foreach(value, i, entry) {
		const char *text = json_string_value(entry);

		if (!text || rule_parse(text, &rules->rule[i]) < 0)
			return ctx_fail(ctx, parent, field->name, -EINVAL, "%s is not tcp, udp, tcp/80, udp/5000-5009 or icmp",
					text ? shown(text) : "this");
		rules->n++;
	}
	return 0;
}

static json_t *write_rules(const struct field *field, const void *from)
{
	const struct peer_rules *rules = from;
	json_t *list = json_array();

	(void)field;
	for (unsigned i = 0; list && i < rules->n; i++)
		json_array_append_new(list, rule_text(&rules->rule[i]));
	return list;
}

static const struct field_type field_rules = { read_rules, write_rules };

static const struct field rows[] = {
	{ "allow", &field_rules, FIELD_AT(struct peer_conf, allow) },
};

/* no_peering() - why this network, or segment, can have no peers, or NULL */
static const char *no_peering(const struct net_conf *net)
{
	if (net->mode == NET_BRIDGED)
		return "a bridged network's guests are on the LAN, and reached as everybody there";
	if (net->mode == NET_NAT)
		return "in mode nat each guest is alone with its gateway, and others may have the same addresses";
	return net->has_subnet ? NULL : "the network has no subnet, and so no gateway";
}

int peer_read(struct model_ctx *ctx, const struct net_conf *net, const char *name, const json_t *object, void *to)
{
	const char *why = no_peering(net);
	struct peer_conf *peer = to;
	struct segment_name ignored;
	field_set set;
	int rc;

	if (segment_name_parse(name, &ignored) < 0)
		return ctx_fail(ctx, object, NULL, -EINVAL, "not a network's name, or with a VLAN of it: lab:20; VLAN 1 is said by the network's name alone");
	if (!strcmp(name, net->name))
		return ctx_fail(ctx, object, NULL, -EINVAL, "a %s is no peer of itself", strchr(name, ':') ? "segment" : "network");
	if (why) {
		ctx_fail(ctx, object, NULL, -EINVAL, "%s", why);
		if (net->mode == NET_NAT)
			error_hint(ctx->err, "lanyard net set %s --mode nat-network", net->name);
		return -EINVAL;
	}
	strcpy(peer->name, name);
	rc = fields_read(ctx, rows, ARRAY_SIZE(rows), object, peer, &set);
	peer->allow.all = set == 0;
	return rc;
}

static json_t *peer_tree(const struct peer_conf *peer)
{
	return fields_write(rows, ARRAY_SIZE(rows), peer, peer->allow.all ? 0 : FIELDS_ALL, 0);
}

json_t *peers_tree(const struct net_conf *net)
{
	json_t *all = json_object();

	for (size_t i = 0; all && i < net->npeers; i++)
		json_object_set_new(all, net->peers[i].name, peer_tree(&net->peers[i]));
	return all;
}

static int check_peer(struct model_ctx *ctx, const struct model *model, const struct net_conf *net, const struct peer_conf *peer, const json_t *at)
{
	const struct net_conf *other = model_segment(model, peer->name);
	const char *why;

	if (!other || other->owner != net->owner)	/* whose it is, is nobody else's to know */
		return ctx_fail(ctx, at, peer->name, -ENOENT, "there is no such %s of the same owner", strchr(peer->name, ':') ? "segment" : "network");
	why = no_peering(other);
	if (!why)
		return 0;
	ctx_fail(ctx, at, peer->name, -EINVAL, "%s", why);
	if (other->mode == NET_NAT)
		error_hint(ctx->err, "lanyard net set %s --mode nat-network", other->name);
	return -EINVAL;
}

/* peerings_with() - of all segments of @other and itself, how many is @net joined with, whichever of the two says so? */
static unsigned peerings_with(const struct net_conf *net, const struct net_conf *other)
{
	struct peer_rules out;
	unsigned n = peering_of(net, other, &out);

	for (size_t i = 0; i < other->nsegments; i++)
		n += peering_of(net, &other->segments[i].net, &out);
	return n;
}

static int check_number(struct model_ctx *ctx, const struct model *model, const struct net_conf *net, const json_t *at)
{
	unsigned n = 0;

	(void)at;
	for (size_t i = 0; i < model->nnetworks; i++)
		n += peerings_with(net, &model->networks[i]);
	return n > PEERS_MAX ? ctx_fail(ctx, NULL, NULL, -EINVAL, "%u peers are more than %d", n, PEERS_MAX) : 0;
}

static int check_each(struct model_ctx *ctx, const struct model *model, const struct net_conf *net, const json_t *at)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < net->npeers; i++)
		rc = check_peer(ctx, model, net, &net->peers[i], json_object_get(at, "peers"));
	return rc;
}

/* peers_step - a look at one segment's peers; @at: its settings */
typedef int peers_step(struct model_ctx *ctx, const struct model *model, const struct net_conf *net, const json_t *at);

/* each_segment() - @step for the network's own and each other one */
static int each_segment(struct model_ctx *ctx, const struct model *model, const struct net_conf *net, const json_t *at, peers_step *step)
{
	const json_t *all = json_object_get(at, "segments");
	int rc = step(ctx, model, net, at);

	for (size_t i = 0; rc == 0 && i < net->nsegments; i++) {
		const struct segment_conf *seg = &net->segments[i];
		struct ctx_mark mark = ctx_enter(ctx, all, seg->id, "segment", seg->id);

		rc = step(ctx, model, &seg->net, json_object_get(all, seg->id));
		ctx_leave(ctx, mark);
	}
	return rc;
}

static bool has_peers(const struct net_conf *net)
{
	bool any = net->npeers > 0;

	for (size_t i = 0; i < net->nsegments; i++)
		any |= net->segments[i].net.npeers > 0;
	return any;
}

int check_peers(struct model_ctx *ctx, const struct model *model, const json_t *networks)
{
	static peers_step *const steps[] = { check_each, check_number };
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < model->nnetworks; i++)
		any |= has_peers(&model->networks[i]);
	for (size_t k = 0; any && k < ARRAY_SIZE(steps); k++)
		for (size_t i = 0; rc == 0 && i < model->nnetworks; i++) {
			const struct net_conf *net = &model->networks[i];
			struct ctx_mark mark = ctx_enter(ctx, networks, net->name, "network", net->name);

			rc = each_segment(ctx, model, net, json_object_get(networks, net->name), steps[k]);
			ctx_leave(ctx, mark);
		}
	return rc;
}

const struct net_conf *model_segment(const struct model *model, const char *text)
{
	const struct net_conf *net;
	const struct segment_conf *seg;
	struct segment_name name;

	if (segment_name_parse(text, &name) < 0)
		return NULL;
	net = model_net(model, name.net);
	if (name.vid == 1)
		return net;
	seg = net_segment(net, strchr(text, ':') + 1);
	return seg ? &seg->net : NULL;
}

static const struct peer_conf *peer_named(const struct net_conf *net, const char *name)
{
	for (size_t i = 0; i < net->npeers; i++)
		if (!strcmp(net->peers[i].name, name))
			return &net->peers[i];
	return NULL;
}

bool peering_of(const struct net_conf *from, const struct net_conf *to, struct peer_rules *out)
{
	const struct peer_conf *there = from->npeers ? peer_named(from, to->name) : NULL, *back = to->npeers ? peer_named(to, from->name) : NULL;

	*out = (struct peer_rules){ .n = 0 };
	if (there)
		*out = there->allow;
	if (back && back->allow.all)
		out->all = true;
	return there || back;
}
