// SPDX-License-Identifier: GPL-2.0-or-later
/* covers: ctl/model.c ctl/model_fields.c ctl/model_types.c ctl/model_port.c ctl/model_forward.c ctl/model_names.c ctl/model_net.c ctl/model_check.c ctl/model_export.c ctl/model_host.c ctl/model_peer.c ctl/model_vlan.c ctl/model_segment.c ctl/model_group.c ctl/model_subnets.c ctl/model_addressing.c ctl/model_port_parts.c ctl/changes.c */
/* max_len: 8192 */
/* A body of a client: what is taken is exported and read back to an equal model, in each way of exporting. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/api_call.h"
#include "ctl/changes.h"
#include "ctl/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool subnet_free(void *arg, struct prefix4 prefix)
{
	(void)arg;
	return prefix.addr >> 8 & 1;
}

static const struct model_env env = { .owner = 7, .transient = true, .subnet_free = subnet_free };

/* same() - two models that must not differ, in effect or in writing */
static void note(void *arg, const struct change *change)
{
	(void)change;
	*(bool *)arg = true;
}

static void must_be_same(const struct model *a, const struct model *b, bool written)
{
	bool differs = false;

	if (written)
		changes_written(a, b, note, &differs);
	else
		changes_each(a, b, note, &differs);
	if (differs)
		abort();
}

static void round_trip(const struct model *model)
{
	static const unsigned flags[] = { MODEL_OWNER | MODEL_TRANSIENT, MODEL_OWNER | MODEL_TRANSIENT | MODEL_EFFECTIVE };
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		json_t *tree = model_export(model, flags[i]);
		struct model *again = NULL;

		if (!tree || model_parse(tree, NULL, &env, &again, &err) < 0)
			abort();
		must_be_same(model, again, !(flags[i] & MODEL_EFFECTIVE));
		model_free(again);
		json_decref(tree);
	}
}

/* differ() - what is told of a change of every network */
static void differ(const struct model *model)
{
	json_t *tree = model_export(model, MODEL_OWNER | MODEL_TRANSIENT), *networks = json_object_get(tree, "networks"), *net;
	struct model *other = NULL;
	struct error err = { 0 };
	const char *name;

	json_object_foreach(networks, name, net)
		json_object_set_new(net, "mtu", json_integer(1400));
	if (model_parse(tree, NULL, &env, &other, &err) == 0)
		json_decref(changes_list(model, other));
	model_free(other);
	json_decref(tree);
}

/* The ids that the API makes from settings are those of the model. */
static void look_at_forward(const struct forward_conf *forward)
{
	json_t *tree = forward_tree(forward);
	char id[NAME_MAX_SIZE];

	if (!tree || model_forward_id(tree, id) < 0 || (!forward->name[0] && strcmp(id, forward->id)))
		abort();
	json_decref(tree);
}

static void look_at_record(const struct net_conf *net, const struct record_conf *record)
{
	json_t *tree = record_export(record);
	char name[DOMAIN_TEXT];
	enum record_type type;

	if (net_record(net, record->name, record->type) != record)
		abort();
	if (!tree || model_record_id(net, tree, name, &type) < 0 || type != record->type || strcmp(name, record->name))
		abort();
	json_decref(tree);
}

/* look() - each object is found by its name, and can be shown */
static void look(const struct model *model)
{
	for (size_t i = 0; i < model->nnetworks; i++) {
		const struct net_conf *net = &model->networks[i];

		if (model_net(model, net->name) != net)
			abort();
		json_decref(net_defaults(net));
		for (size_t j = 0; j < net->nports; j++)
			if (net_port(net, net->ports[j].name) != &net->ports[j])
				abort();
		for (size_t j = 0; j < net->nforwards; j++)
			if (net_forward(net, net->forwards[j].id) != &net->forwards[j])
				abort();
		for (size_t j = 0; j < net->nreservations; j++) {
			if (net_reservation(net, net->reservations[j].of.name) != &net->reservations[j])
				abort();
			json_decref(reservation_export(&net->reservations[j]));
		}
		for (size_t j = 0; j < net->nforwards; j++)
			look_at_forward(&net->forwards[j]);
		for (size_t j = 0; j < net->nrecords; j++)
			look_at_record(net, &net->records[j]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	struct model *model = NULL;
	json_t *tree = json_read((const char *)data, size, &err), *list;

	if (!tree)
		return 0;
	if (model_parse(tree, NULL, &env, &model, &err) == 0) {
		look(model);
		differ(model);
		round_trip(model);
		list = changes_list(NULL, model);
		json_decref(list);
		list = changes_list(model, NULL);
		json_decref(list);
	} else if (!err.message[0] || !err.code[0]) {
		abort();
	}
	model_free(model);
	json_decref(tree);
	return 0;
}
