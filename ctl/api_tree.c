// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api_tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const groups[] = {
	[EDIT_PORT] = "ports", [EDIT_FORWARD] = "forwards", [EDIT_RESERVATION] = "reservations", [EDIT_RECORD] = "records",
	[EDIT_SEGMENT] = "segments", [EDIT_GROUP] = "groups",
};

static json_t *group_of(json_t *tree, enum edit_what what, const char *net)
{
	return json_object_get(json_object_get(json_object_get(tree, "networks"), net), groups[what]);
}

/* record_at() - the index of NAME-TYPE, or the list's size */
static size_t record_at(const json_t *list, const char *id)
{
	size_t i;
	json_t *record;
	char other[320];

	json_array_foreach((json_t *)list, i, record) {
		snprintf(other, sizeof(other), "%s-%s", json_string_value(json_object_get(record, "name")),
			 json_string_value(json_object_get(record, "type")));
		if (!strcmp(other, id))
			return i;
	}
	return json_array_size(list);
}

json_t *tree_get(json_t *tree, enum edit_what what, const char *net, const char *id)
{
	json_t *group;

	if (what == EDIT_NETWORK)
		return json_object_get(json_object_get(tree, "networks"), net);
	group = group_of(tree, what, net);
	return what == EDIT_RECORD ? json_array_get(group, record_at(group, id)) : json_object_get(group, id);
}

int tree_put(json_t *tree, enum edit_what what, const char *net, const char *id, json_t *value)
{
	json_t *networks = json_object_get(tree, "networks"), *group;
	int rc;

	if (what == EDIT_NETWORK)
		return json_object_set_new(networks, net, value) < 0 ? -ENOMEM : 0;
	group = group_of(tree, what, net);
	if (!group) {
		json_object_set_new(json_object_get(networks, net), groups[what],
				    what == EDIT_RECORD ? json_array() : json_object());
		group = group_of(tree, what, net);
	}
	if (what != EDIT_RECORD)
		rc = json_object_set_new(group, id, value);
	else if (record_at(group, id) < json_array_size(group))
		rc = json_array_set_new(group, record_at(group, id), value);
	else
		rc = json_array_append_new(group, value);
	return rc < 0 ? -ENOMEM : 0;
}

/* is_within() - is "lab" or "lab:20" the network @net, or of it, and with @id just its VLAN of that number? */
static bool is_within(const char *peer, const char *net, const char *id)
{
	size_t n = strlen(net);

	if (strncmp(peer, net, n) != 0)
		return false;
	return id ? peer[n] == ':' && !strcmp(peer + n + 1, id) : !peer[n] || peer[n] == ':';
}

/* drop_peers() - of a network or a segment */
static void drop_peers(json_t *object, const char *net, const char *id)
{
	json_t *peers = json_object_get(object, "peers"), *ignored;
	const char *name;
	void *next;

	json_object_foreach_safe(peers, next, name, ignored)
		if (is_within(name, net, id))
			json_object_del(peers, name);
	if (peers && !json_object_size(peers))
		json_object_del(object, "peers");
}

/* forget_peer() - who named what is gone does not any more: it would be an error, and nobody's wish. @id: a segment of @net, or NULL for all */
static void forget_peer(json_t *networks, const char *net, const char *id)
{
	const char *name, *vid;
	json_t *other, *segment;

	json_object_foreach(networks, name, other) {
		drop_peers(other, net, id);
		json_object_foreach(json_object_get(other, "segments"), vid, segment)
			drop_peers(segment, net, id);
	}
}

void tree_remove(json_t *tree, enum edit_what what, const char *net, const char *id)
{
	json_t *group;

	if (what == EDIT_NETWORK) {
		json_object_del(json_object_get(tree, "networks"), net);
		forget_peer(json_object_get(tree, "networks"), net, NULL);
		return;
	}
	if (what == EDIT_SEGMENT)
		forget_peer(json_object_get(tree, "networks"), net, id);
	group = group_of(tree, what, net);
	if (what == EDIT_RECORD)
		json_array_remove(group, record_at(group, id));
	else
		json_object_del(group, id);
}

/* merge_object() - into @old, or a new one: a null that takes away what was never there is no value */
static void merge_object(json_t *object, const char *key, json_t *old, const json_t *value)
{
	json_t *to = old ? json_incref(old) : json_object();

	if (to)
		tree_merge(to, value);
	json_object_set_new(object, key, to);
}

void tree_merge(json_t *object, const json_t *patch)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)patch, key, value) {
		json_t *old = json_object_get(object, key);

		if (json_is_null(value))
			json_object_del(object, key);
		else if (!json_is_object(value))
			json_object_set(object, key, value);
		else
			merge_object(object, key, json_is_object(old) ? old : NULL, value);
	}
}

/* names_port() - does this listen entry bring its port with it: 8080, "8000-8099", "10.0.0.1:8080"? */
static bool names_port(const json_t *entry)
{
	const char *text = json_string_value(entry);
	struct endpoint e;

	return json_is_integer(entry) || (text && (endpoint_parse(text, &e) < 0 || e.port));
}

json_t *tree_split(const struct forward_conf *forward, const json_t *patch)
{
	const json_t *listen = json_object_get(patch, "listen"), *to = json_object_get(patch, "to");
	json_t *object = forward_export(forward);

	json_object_del(object, "name");
	if (names_port(json_is_array(listen) ? json_array_get(listen, 0) : listen)) {
		json_object_del(object, "port");
		json_object_del(object, "count");
	}
	if (json_is_string(to) && strchr(json_string_value(to), ':'))
		json_object_del(object, "to_port");
	return object;
}
