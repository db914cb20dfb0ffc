// SPDX-License-Identifier: GPL-2.0-or-later
/* The canonical tree of a model: what was given, in the order of names, in one way of writing. */
#include "ctl/model_parts.h"

/* set_some() - add a group unless it is empty; takes @group */
static int set_some(json_t *object, const char *key, json_t *group)
{
	int rc = group ? 0 : -1;

	if (json_object_size(group) || json_array_size(group))
		rc = json_object_set(object, key, group);
	json_decref(group);
	return rc;
}

static json_t *ports_tree(const struct net_conf *net, unsigned flags)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < net->nports; i++) {
		const struct port_conf *port = &net->ports[i];

		if (port->kind == PORT_KIND_HOST || port->kind == PORT_KIND_UPLINK || (port->transient && !(flags & MODEL_TRANSIENT)))
			continue;
		json_object_set_new(object, port->name, port_export(net, port, flags));
	}
	return object;
}

static json_t *forwards_tree(const struct net_conf *net)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < net->nforwards; i++)
		json_object_set_new(object, net->forwards[i].id, forward_tree(&net->forwards[i]));
	return object;
}

static json_t *reservations_tree(const struct net_conf *net)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < net->nreservations; i++)
		json_object_set_new(object, net->reservations[i].of.name, reservation_tree(&net->reservations[i]));
	return object;
}

static json_t *records_tree(const struct net_conf *net)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < net->nrecords; i++)
		json_array_append_new(list, record_export(&net->records[i]));
	return list;
}

static json_t *net_tree(const struct net_conf *net, unsigned flags)
{
	json_t *object = net_export(net, flags);

	if (object && set_some(object, "ports", ports_tree(net, flags)) == 0 &&
	    set_some(object, "forwards", forwards_tree(net)) == 0 &&
	    set_some(object, "reservations", reservations_tree(net)) == 0 &&
	    set_some(object, "records", records_tree(net)) == 0)
		return object;
	json_decref(object);
	return NULL;
}

json_t *model_export(const struct model *model, unsigned flags)
{
	json_t *networks = json_object();

	for (size_t i = 0; networks && i < model->nnetworks; i++) {
		if (json_object_set_new(networks, model->networks[i].name, net_tree(&model->networks[i], flags)) < 0) {
			json_decref(networks);
			return NULL;
		}
	}
	return json_pack("{s:o}", "networks", networks);
}
