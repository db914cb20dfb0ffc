// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* join() - @first and what each of @more adds; takes all, any may be NULL */
static json_t *join(json_t *first, json_t *more, json_t *still_more)
{
	if (first && more)
		json_object_update(first, more);
	if (first && still_more)
		json_object_update(first, still_more);
	json_decref(more);
	json_decref(still_more);
	return first;
}

json_t *show_network(struct api *api, const struct net_conf *net)
{
	json_t *head = json_pack("{s:s}", "name", net->name);
	json_t *tail = json_pack("{s:I, s:I, s:o}", "owner", (json_int_t)net->owner, "ports", (json_int_t)(net->nports - net->nown),
				 "defaults", net_defaults(net));

	return join(join(head, net_export(net, MODEL_EFFECTIVE), tail), live_network(api->conf.engine, net->name), NULL);
}

json_t *show_port(struct api *api, const struct net_conf *net, const struct port_conf *port)
{
	json_t *head = json_pack("{s:s, s:s}", "name", port->name, "network", net->name);
	json_t *live = live_port(api->conf.engine, net->name, port->name);

	return join(head, port_export(net, port, MODEL_EFFECTIVE), live);
}

json_t *show_forward(struct api *api, const struct net_conf *net, const struct forward_conf *forward)
{
	json_t *head = json_pack("{s:s, s:s}", "id", forward->id, "network", net->name);

	return join(head, forward_export(forward), live_forward(api->conf.engine, net->name, forward->id));
}

json_t *show_reservation(const struct reservation_conf *reservation)
{
	return reservation_export(reservation);
}

json_t *show_segment(const struct net_conf *net, const struct segment_conf *segment)
{
	return join(json_pack("{s:i, s:s}", "vid", (int)segment->vid, "network", net->name), segment_export(segment, MODEL_EFFECTIVE), NULL);
}

json_t *show_group(const struct net_conf *net, const struct group_conf *group)
{
	return join(json_pack("{s:s, s:s}", "name", group->name, "network", net->name), group_export(net, group, 0), NULL);
}

json_t *show_record(const struct record_conf *record)
{
	json_t *id = json_sprintf("%s-%s", record->name, record_type_name(record->type));

	return join(id ? json_pack("{s:o}", "id", id) : NULL, record_export(record), NULL);
}

/* only_at() - the forward whose port and protocol are "8080/tcp", if there is just one */
static const struct forward_conf *only_at(const struct net_conf *net, const char *id)
{
	const struct forward_conf *found = NULL;
	char other[NAME_MAX_SIZE], ports[PORT_RANGE_TEXT];

	for (size_t i = 0; i < net->nforwards; i++) {
		const struct forward_conf *f = &net->forwards[i];

		snprintf(other, sizeof(other), "%s/%s", port_range_format((struct port_range){ f->port, f->count }, ports),
			 proto_name(f->proto));
		if (strcmp(other, id))
			continue;
		if (found)
			return NULL;	/* which of the two was meant? */
		found = f;
	}
	return found;
}

const struct forward_conf *forward_named(const struct net_conf *net, const char *text)
{
	const struct forward_conf *found = net_forward(net, text);
	char id[NAME_MAX_SIZE];
	size_t digits = port_range_span(text);

	if (found || !net || !digits || strlen(text) >= sizeof(id) || (text[digits] != '-' && text[digits] != '/'))
		return found;
	strcpy(id, text);
	id[digits] = '/';
	found = net_forward(net, id);
	return found ? found : only_at(net, id);
}

const struct record_conf *record_named(const struct net_conf *net, const char *text)
{
	const char *dash = strrchr(text, '-');
	char name[DOMAIN_TEXT], canonical[DOMAIN_TEXT];
	enum record_type type;
	json_t *settings;
	int rc;

	if (!net || !dash || (size_t)(dash - text) >= sizeof(name))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(dash - text), text);
	settings = json_pack("{s:s, s:s}", "name", name, "type", dash + 1);
	rc = settings ? model_record_id(net, settings, canonical, &type) : -1;
	json_decref(settings);
	return rc < 0 ? NULL : net_record(net, canonical, type);
}

json_t *show_members(struct api *api, const struct net_conf *net, enum edit_what what)
{
	json_t *list = json_array();

	for (size_t i = 0; list && what == EDIT_PORT && i < net->nports; i++)
		json_array_append_new(list, show_port(api, net, &net->ports[i]));
	for (size_t i = 0; list && what == EDIT_FORWARD && i < net->nforwards; i++)
		json_array_append_new(list, show_forward(api, net, &net->forwards[i]));
	for (size_t i = 0; list && what == EDIT_RESERVATION && i < net->nreservations; i++)
		json_array_append_new(list, show_reservation(&net->reservations[i]));
	for (size_t i = 0; list && what == EDIT_RECORD && i < net->nrecords; i++)
		json_array_append_new(list, show_record(&net->records[i]));
	for (size_t i = 0; list && what == EDIT_SEGMENT && i < net->nsegments; i++)
		json_array_append_new(list, show_segment(net, &net->segments[i]));
	for (size_t i = 0; list && what == EDIT_GROUP && i < net->ngroups; i++)
		json_array_append_new(list, show_group(net, &net->groups[i]));
	return list;
}

json_t *show_member(struct api *api, const struct net_conf *net, enum edit_what what, const char *id)
{
	const struct port_conf *port = what == EDIT_PORT ? net_port(net, id) : NULL;
	const struct forward_conf *forward = what == EDIT_FORWARD ? forward_named(net, id) : NULL;
	const struct reservation_conf *reservation = what == EDIT_RESERVATION ? net_reservation(net, id) : NULL;
	const struct record_conf *record = what == EDIT_RECORD ? record_named(net, id) : NULL;
	const struct segment_conf *segment = what == EDIT_SEGMENT ? net_segment(net, id) : NULL;
	const struct group_conf *group = what == EDIT_GROUP ? net_group(net, id) : NULL;

	return port ? show_port(api, net, port) : forward ? show_forward(api, net, forward) :
	       reservation ? show_reservation(reservation) : record ? show_record(record) : segment ? show_segment(net, segment) :
	       group ? show_group(net, group) : NULL;
}
