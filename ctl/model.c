// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/model_dhcp.h"

/* members - one kind of thing that a network has many of, written as a mapping by name */
struct members {
	const char *key, *what;
	size_t size, max;
	size_t list, count;	/* offsets in struct net_conf */
	bool mapping;		/* is each a mapping, too? */
	int (*read)(struct model_ctx *ctx, const struct net_conf *net, const char *name, const json_t *object, void *to);
};

static const struct members members[] = {
	{ "groups", "group", sizeof(struct group_conf), MODEL_GROUPS_MAX, offsetof(struct net_conf, groups),
	  offsetof(struct net_conf, ngroups), true, group_read },
	{ "shapers", "shaper", sizeof(struct shaper_conf), MODEL_SHAPERS_MAX, offsetof(struct net_conf, shapers),
	  offsetof(struct net_conf, nshapers), true, shaper_read },
	{ "ports", "port", sizeof(struct port_conf), MODEL_PORTS_MAX, offsetof(struct net_conf, ports),
	  offsetof(struct net_conf, nports), true, port_read },
	{ "forwards", "forward", sizeof(struct forward_conf), MODEL_FORWARDS_MAX, offsetof(struct net_conf, forwards),
	  offsetof(struct net_conf, nforwards), true, forward_read },
	{ "reservations", "reservation", sizeof(struct reservation_conf), MODEL_PORTS_MAX,
	  offsetof(struct net_conf, reservations), offsetof(struct net_conf, nreservations), false, reservation_read },
};

static const struct members peers = {	/* of a network and of each of its segments */
	"peers", "peer", sizeof(struct peer_conf), PEERS_MAX, offsetof(struct net_conf, peers), offsetof(struct net_conf, npeers), true, peer_read,
};

static const struct members segments = {
	"segments", "segment", sizeof(struct segment_conf), MODEL_SEGMENTS_MAX, offsetof(struct net_conf, segments),
	offsetof(struct net_conf, nsegments), true, segment_read,
};

/* Networks, segments, groups, ports, forwards, reservations and peers all begin with their name. */
static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int by_record(const void *a, const void *b)
{
	const struct record_conf *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (int)x->type - (int)y->type;
}

static void *array_new(struct model_ctx *ctx, size_t n, size_t size)
{
	void *list = calloc(n ? n : 1, size);

	if (!list)
		error_set(ctx->err, -ENOMEM, "out of memory");
	return list;
}

static bool written(const json_t *value)
{
	return value && !json_is_null(value);
}

static int read_member(struct model_ctx *ctx, const struct members *m, const struct net_conf *net, const json_t *parent,
		       const char *name, const json_t *value, void *to)
{
	struct ctx_mark mark = ctx_enter(ctx, parent, name, m->what, name);
	int rc;

	if (m->mapping && written(value) && !json_is_object(value))
		rc = ctx_fail(ctx, NULL, NULL, -EINVAL, "is not a mapping");
	else
		rc = m->read(ctx, net, name, value, to);
	ctx_leave(ctx, mark);
	return rc;
}

static int read_members(struct model_ctx *ctx, const struct members *m, const json_t *object, struct net_conf *net)
{
	const json_t *all = json_object_get(object, m->key);
	void **list = (void **)((char *)net + m->list);
	size_t *count = (size_t *)((char *)net + m->count);
	const char *name;
	json_t *value;

	if (written(all) && !json_is_object(all))
		return ctx_fail(ctx, object, m->key, -EINVAL, "is not a mapping");
	if (json_object_size(all) > m->max)
		return ctx_fail(ctx, object, m->key, -EINVAL, "more than %zu", m->max);
	*list = array_new(ctx, json_object_size(all) + OWN_PORTS_MAX, m->size);
	if (!*list)
		return -ENOMEM;
	json_object_foreach((json_t *)all, name, value) {
		int rc = read_member(ctx, m, net, all, name, value, (char *)*list + *count * m->size);

		if (rc < 0)
			return rc;
		(*count)++;
	}
	qsort(*list, *count, m->size, by_name);
	return 0;
}

static int read_one_record(struct model_ctx *ctx, const json_t *all, size_t i, struct net_conf *net)
{
	const json_t *object = json_array_get(all, i), *name = json_object_get(object, "name");
	char at[24];
	struct ctx_mark mark;
	int rc;

	snprintf(at, sizeof(at), "#%zu", i);
	mark = ctx_enter(ctx, all, at, "record", json_is_string(name) ? json_string_value(name) : at);
	rc = json_is_object(object) ? record_read(ctx, net, object, &net->records[i]) :
				      ctx_fail(ctx, NULL, NULL, -EINVAL, "is not a mapping");
	ctx_leave(ctx, mark);
	return rc;
}

static int read_records(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	const json_t *all = json_object_get(object, "records");

	if (written(all) && !json_is_array(all))
		return ctx_fail(ctx, object, "records", -EINVAL, "is not a list");
	if (json_array_size(all) > MODEL_RECORDS_MAX)
		return ctx_fail(ctx, object, "records", -EINVAL, "more than %d", MODEL_RECORDS_MAX);
	net->records = array_new(ctx, json_array_size(all), sizeof(*net->records));
	if (!net->records)
		return -ENOMEM;
	for (; net->nrecords < json_array_size(all); net->nrecords++) {
		int rc = read_one_record(ctx, all, net->nrecords, net);

		if (rc < 0)
			return rc;
	}
	qsort(net->records, net->nrecords, sizeof(*net->records), by_record);
	return 0;
}

static int read_peers(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	const json_t *all = json_object_get(object, "segments");
	int rc = read_members(ctx, &peers, object, net);

	for (size_t i = 0; rc == 0 && i < net->nsegments; i++) {
		struct segment_conf *seg = &net->segments[i];
		struct ctx_mark mark = ctx_enter(ctx, all, seg->id, "segment", seg->id);

		rc = read_members(ctx, &peers, json_object_get(all, seg->id), &seg->net);
		ctx_leave(ctx, mark);
	}
	return rc;
}

/* read_inside() - what is in a network, once its subnet is known */
static int read_inside(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	int rc = net_complete(ctx, object, net);

	if (rc == 0)
		rc = segments_complete(ctx, object, net);
	if (rc == 0 && !net->has_nat && json_object_size(json_object_get(object, "forwards")))
		rc = ctx_fail(ctx, object, "forwards", -EINVAL, "mode %s has no forwards: %s", net_mode_name(net->mode),
			      net->has_router ? "guests are reached at their own addresses" : "nothing outside reaches a guest");
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(members); i++)
		rc = read_members(ctx, &members[i], object, net);
	if (rc == 0)
		rc = read_peers(ctx, object, net);
	if (rc == 0 && net->wire && net->nports > 2)
		rc = ctx_fail(ctx, object, "wire", -EINVAL, "a wire has two ends, and here are %zu ports", net->nports);
	if (rc == 0)
		own_ports_add(net);
	return rc < 0 ? rc : read_records(ctx, object, net);
}

static int read_settings(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	int rc;

	if (!name_valid(net->name))
		return ctx_fail(ctx, NULL, NULL, -EINVAL, "not a name: use a-z, 0-9 and - inside, at most 63 letters");
	if (written(object) && !json_is_object(object))
		return ctx_fail(ctx, NULL, NULL, -EINVAL, "is not a mapping");
	rc = net_read(ctx, object, net);
	return rc < 0 ? rc : read_members(ctx, &segments, object, net);
}

typedef int net_step_fn(struct model_ctx *ctx, const json_t *object, struct net_conf *net);

static int each_net(struct model_ctx *ctx, struct model *model, const json_t *networks, net_step_fn *step)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < model->nnetworks; i++) {
		struct net_conf *net = &model->networks[i];
		struct ctx_mark mark = ctx_enter(ctx, networks, net->name, "network", net->name);

		ctx->network = json_object_get(networks, net->name);
		rc = step(ctx, json_object_get(networks, net->name), net);
		ctx_leave(ctx, mark);
	}
	return rc;
}

/* collect() - a network for each key, with its name and nothing else */
static int collect(struct model_ctx *ctx, struct model *model, const json_t *networks)
{
	const char *name;
	json_t *value;

	model->networks = array_new(ctx, json_object_size(networks), sizeof(*model->networks));
	if (!model->networks)
		return -ENOMEM;
	json_object_foreach((json_t *)networks, name, value) {
		struct net_conf *net = &model->networks[model->nnetworks++];

		if (strlen(name) >= sizeof(net->name))
			return ctx_fail(ctx, networks, name, -EINVAL, "this name is longer than 63 letters");
		strcpy(net->name, name);
	}
	qsort(model->networks, model->nnetworks, sizeof(*model->networks), by_name);
	return 0;
}

static int read_networks(struct model_ctx *ctx, struct model *model, const json_t *networks)
{
	int rc = collect(ctx, model, networks);

	if (rc == 0)
		rc = each_net(ctx, model, networks, read_settings);
	if (rc == 0)
		rc = subnet_choose(ctx, model, networks);
	if (rc == 0)
		rc = each_net(ctx, model, networks, read_inside);
	return rc < 0 ? rc : model_check(ctx, model, networks);
}

static int check_top(struct model_ctx *ctx, const json_t *tree)
{
	const json_t *networks = json_object_get(tree, "networks");
	const char *key;
	json_t *value;

	if (!json_is_object(tree))
		return ctx_fail(ctx, NULL, NULL, -EINVAL, "not a mapping with networks: at its top");
	json_object_foreach((json_t *)tree, key, value)
		if (strcmp(key, "networks"))
			return ctx_fail(ctx, tree, key, -EINVAL, "unknown field; the one at the top is networks");
	if (written(networks) && !json_is_object(networks))
		return ctx_fail(ctx, tree, "networks", -EINVAL, "is not a mapping");
	if (json_object_size(networks) > MODEL_NETWORKS_MAX)
		return ctx_fail(ctx, tree, "networks", -EINVAL, "more than %d", MODEL_NETWORKS_MAX);
	return 0;
}

int model_parse(const json_t *tree, const struct line_map *lines, const struct model_env *env, struct model **out,
		struct error *err)
{
	struct model_ctx ctx = { .lines = lines, .env = env, .err = err, .line = lines ? 1 : 0 };
	struct model *model;
	int rc = check_top(&ctx, tree);

	if (rc < 0)
		return rc;
	model = array_new(&ctx, 1, sizeof(*model));
	if (!model)
		return -ENOMEM;
	rc = read_networks(&ctx, model, json_object_get(tree, "networks"));
	if (rc < 0)
		model_free(model);
	else
		*out = model;
	return rc;
}

static void net_free(struct net_conf *net)
{
	for (size_t i = 0; i < net->nports; i++)
		port_parts_free(&net->ports[i]);
	for (size_t i = 0; i < net->ngroups; i++)
		port_parts_free(&net->groups[i].settings);
	for (size_t i = 0; i < net->nsegments; i++)
		dhcp_free(&net->segments[i].net);
	for (size_t i = 0; i < net->nreservations; i++)
		settings_free(&net->reservations[i].of.says);
	dhcp_free(net);
	for (size_t i = 0; i < net->nsegments; i++)
		free(net->segments[i].net.peers);
	port_parts_free(&net->defaults);
	free(net->ports);
	free(net->groups);
	free(net->segments);
	free(net->shapers);
	free(net->forwards);
	free(net->reservations);
	free(net->records);
	free(net->peers);
	free(net->boot);
}

void model_free(struct model *model)
{
	for (size_t i = 0; model && i < model->nnetworks; i++) {
		net_free(&model->networks[i]);
	}
	if (model)
		free(model->networks);
	free(model);
}

const struct net_conf *model_net(const struct model *model, const char *name)
{
	return model ? bsearch(name, model->networks, model->nnetworks, sizeof(*model->networks), by_name) : NULL;
}

const struct port_conf *net_port(const struct net_conf *net, const char *name)
{
	return net ? bsearch(name, net->ports, net->nports, sizeof(*net->ports), by_name) : NULL;
}

const struct forward_conf *net_forward(const struct net_conf *net, const char *id)
{
	return net ? bsearch(id, net->forwards, net->nforwards, sizeof(*net->forwards), by_name) : NULL;
}

const struct shaper_conf *net_shaper(const struct net_conf *net, const char *name)
{
	return net ? bsearch(name, net->shapers, net->nshapers, sizeof(*net->shapers), by_name) : NULL;
}

const struct segment_conf *net_segment(const struct net_conf *net, const char *id)
{
	return net ? bsearch(id, net->segments, net->nsegments, sizeof(*net->segments), by_name) : NULL;
}

const struct group_conf *net_group(const struct net_conf *net, const char *name)
{
	return net ? bsearch(name, net->groups, net->ngroups, sizeof(*net->groups), by_name) : NULL;
}

const struct reservation_conf *net_reservation(const struct net_conf *net, const char *name)
{
	return net ? bsearch(name, net->reservations, net->nreservations, sizeof(*net->reservations), by_name) : NULL;
}

const struct record_conf *net_record(const struct net_conf *net, const char *name, enum record_type type)
{
	struct record_conf key = { .type = type };

	if (!net || strlen(name) >= sizeof(key.name))
		return NULL;
	strcpy(key.name, name);
	return bsearch(&key, net->records, net->nrecords, sizeof(*net->records), by_record);
}
