// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api_edit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/api_judge.h"
#include "ctl/api_show.h"
#include "ctl/api_tree.h"
#include "ctl/changes.h"

/* edit - one change from its request to its answer */
struct edit {
	struct call *call;
	enum edit_what what;
	enum edit_how how;
	char net[NAME_MAX_SIZE];
	char id[API_SEGMENT_TEXT];	/* as the path says; from edit_run() on as the tree does */
	json_t *settings;		/* owned; without the name */
	bool made;			/* there was none before */
};

static const char *const whats[] = { "network", "port", "forward", "reservation", "record" };

static void edit_free(struct edit *edit)
{
	json_decref(edit->settings);
	free(edit);
}

/* current() - the object in force, and its id in the tree; NULL when there is none */
static const void *current(struct edit *edit, const struct net_conf *net, const char **id)
{
	const struct forward_conf *forward;
	const struct record_conf *record;

	*id = edit->id;
	switch (edit->what) {
	case EDIT_NETWORK:
		return net;
	case EDIT_PORT:
		return net_port(net, edit->id);
	case EDIT_RESERVATION:
		return net_reservation(net, edit->id);
	case EDIT_FORWARD:
		forward = forward_named(net, edit->id);
		if (forward)
			*id = forward->id;
		return forward;
	case EDIT_RECORD:
		record = record_named(net, edit->id);
		if (record)
			snprintf(edit->id, sizeof(edit->id), "%s-%s", record->name, record_type_name(record->type));
		return record;
	}
	return NULL;
}

static bool same(enum edit_what what, const void *a, const void *b)
{
	const struct reservation_conf *x = a, *y = b;

	switch (what) {
	case EDIT_NETWORK:
		return net_equal(a, b);
	case EDIT_PORT:
		return port_equal(a, b);
	case EDIT_FORWARD:
		return forward_equal(a, b);
	case EDIT_RECORD:
		return record_equal(a, b);
	case EDIT_RESERVATION:
		return x->ip == y->ip;
	}
	return false;
}

static json_t *show(struct edit *edit)
{
	struct api *api = edit->call->api;
	const struct net_conf *net = model_net(live_model(api->conf.engine), edit->net);
	const char *id;
	const void *object = current(edit, net, &id);

	if (!object)
		return json_object();	/* removed, by this change or the next */
	switch (edit->what) {
	case EDIT_NETWORK:
		return show_network(api, net);
	case EDIT_PORT:
		return show_port(api, net, object);
	case EDIT_FORWARD:
		return show_forward(api, net, object);
	case EDIT_RESERVATION:
		return show_reservation(object);
	case EDIT_RECORD:
		return show_record(object);
	}
	return NULL;
}

static void on_done(void *arg, const struct error *err)
{
	struct edit *edit = arg;

	if (!edit->call->api)
		call_drop(edit->call);
	else if (err->rc < 0)
		call_fail(edit->call, err);
	else
		call_answer(edit->call, edit->made ? 201 : 200, show(edit));
	edit_free(edit);
}

/* keep_inside() - new settings of a network leave what is in it, whose it is, and a subnet that was chosen for it */
static void keep_inside(json_t *value, const json_t *old, const struct net_conf *net)
{
	static const char *const kept[] = { "owner", "ports", "forwards", "reservations", "records" };
	const char *mode = json_string_value(json_object_get(value, "mode"));

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (json_object_get(old, kept[i]))
			json_object_set(value, kept[i], json_object_get(old, kept[i]));
	if (net->has_nat && (!mode || !strcmp(mode, "nat-network") || !strcmp(mode, "natnetwork")) &&
	    !json_object_get(value, "subnet") && json_object_get(old, "subnet"))
		json_object_set(value, "subnet", json_object_get(old, "subnet"));
}

/* patch_vlan() - a port that becomes a trunk is no access port any more, and the reverse */
static void patch_vlan(json_t *value, const json_t *patch)
{
	if (json_object_get(patch, "trunk") && !json_object_get(patch, "vlan"))
		json_object_del(value, "vlan");
	if (json_object_get(patch, "vlan") && !json_object_get(patch, "trunk")) {
		json_object_del(value, "trunk");
		json_object_del(value, "native");
	}
}

/* wished() - the object as it shall be; new reference */
static json_t *wished(struct edit *edit, const json_t *old, const struct net_conf *net, const void *object)
{
	json_t *value;

	if (edit->what == EDIT_RESERVATION) {
		value = json_object_get(edit->settings, "ip");
		return json_incref(value ? value : json_null());
	}
	if (edit->how == EDIT_PATCH) {
		value = edit->what == EDIT_FORWARD ? tree_split(object, edit->settings) : json_deep_copy(old);
		if (edit->what == EDIT_PORT)
			patch_vlan(value, edit->settings);
		tree_merge(value, edit->settings);
		return value;
	}
	value = json_deep_copy(edit->settings);
	if (value && edit->what == EDIT_NETWORK && old)
		keep_inside(value, old, net);
	else if (value && edit->what == EDIT_NETWORK)
		json_object_set_new(value, "owner", json_integer(edit->call->who.uid));
	return value;
}

static int not_there(struct edit *edit, struct error *err)
{
	if (edit->what == EDIT_NETWORK)
		return error_set(err, -ENOENT, "there is no network %s", edit->net);
	return error_set(err, -ENOENT, "network %s has no %s %.200s", edit->net, whats[edit->what], edit->id);
}

static int remove_object(struct edit *edit, json_t *tree, const char *id, const struct net_conf *net, struct error *err)
{
	if (edit->what == EDIT_NETWORK && net->nports && !call_flag(edit->call, "force")) {
		error_set(err, -EBUSY, "network %s has %zu port%s", net->name, net->nports, net->nports == 1 ? "" : "s");
		error_hint(err, "lanyard net rm %s --force", net->name);
		return -EBUSY;
	}
	tree_remove(tree, edit->what, edit->net, id);
	return 0;
}

/* id_after() - a forward without a name, and a record, are called after their settings, which may have changed */
static void id_after(struct edit *edit, const char *id, const struct net_conf *net, const json_t *value, bool nameless)
{
	char text[DOMAIN_TEXT], forward[NAME_MAX_SIZE];
	enum record_type type;

	if (edit->what == EDIT_RECORD && model_record_id(net, value, text, &type) == 0)
		snprintf(edit->id, sizeof(edit->id), "%s-%s", text, record_type_name(type));
	else if (edit->what == EDIT_FORWARD && nameless && model_forward_id(value, forward) == 0)
		snprintf(edit->id, sizeof(edit->id), "%s", forward);
	else if (id != edit->id)
		snprintf(edit->id, sizeof(edit->id), "%s", id);
}

static int place(struct edit *edit, json_t *tree, const char *id, const struct net_conf *net, const void *object,
		 struct error *err)
{
	const struct forward_conf *forward = edit->what == EDIT_FORWARD ? object : NULL;
	json_t *old = tree_get(tree, edit->what, edit->net, object ? id : edit->id), *value = wished(edit, old, net, object);
	char before[API_SEGMENT_TEXT];

	snprintf(before, sizeof(before), "%s", id);
	if (value)
		id_after(edit, id, net, value, forward ? !forward->name[0] : strchr(edit->id, '/') != NULL);
	if (object && edit->what != EDIT_NETWORK && strcmp(before, edit->id)) {
		if (tree_get(tree, edit->what, edit->net, edit->id)) {
			json_decref(value);
			return error_set(err, -EEXIST, "network %s has a %s %s already", edit->net, whats[edit->what], edit->id);
		}
		tree_remove(tree, edit->what, edit->net, before);
	}
	return tree_put(tree, edit->what, edit->net, edit->id, value) < 0 ? error_set(err, -ENOMEM, "out of memory") : 0;
}

/* compare() - an object that is to be added and exists is fine as long as it is the same */
static int compare(struct edit *edit, const struct model *candidate, const void *object, json_t *tree, json_t *before,
		   struct error *err)
{
	const char *id;
	const void *other = current(edit, model_net(candidate, edit->net), &id);

	if (edit->how != EDIT_ADD || !object)
		return 0;
	if (!other || !same(edit->what, object, other))
		return error_set(err, -EEXIST, "%s %s%s%.200s exists with other settings", whats[edit->what], edit->net,
				 edit->what == EDIT_NETWORK ? "" : "/", edit->what == EDIT_NETWORK ? "" : edit->id);
	json_object_update(tree, before);	/* as it was, in writing too */
	return 0;
}

static int make(struct edit *edit, json_t *tree, const char *id, const struct net_conf *net, const void *object,
		struct error *err)
{
	json_t *before = edit->how == EDIT_ADD && object ? json_deep_copy(tree) : NULL;
	struct model *candidate = NULL;
	int rc = edit->how == EDIT_REMOVE ? remove_object(edit, tree, id, net, err) : place(edit, tree, id, net, object, err);

	if (rc == 0)
		rc = judge(edit->call, tree, NULL, &candidate, err);
	if (rc == 0)
		rc = compare(edit, candidate, object, tree, before, err);
	model_free(candidate);
	json_decref(before);
	edit->made = !object;
	return rc;
}

static int edit_run(void *arg, json_t *tree, struct error *err)
{
	struct edit *edit = arg;
	struct api *api = edit->call->api;
	const struct net_conf *net = api ? model_net(live_model(api->conf.engine), edit->net) : NULL;
	const void *object;
	const char *id;
	int rc = 0;

	if (!api)
		return error_set(err, -ECANCELED, "the daemon ends");
	if (!net && edit->what != EDIT_NETWORK)
		return error_set(err, -ENOENT, "there is no network %s", edit->net);
	if (net)
		rc = judge_owner(edit->call, net, err);
	if (rc < 0)
		return rc;
	object = current(edit, net, &id);
	if (!object && (edit->how == EDIT_PATCH || edit->how == EDIT_REMOVE))
		return not_there(edit, err);
	return make(edit, tree, id, net, object, err);
}

/* path_id() - in a path a forward's id is written with a dash: 8080-tcp */
static void path_id(struct edit *edit, const char *id)
{
	size_t digits = strspn(id, "0123456789");

	snprintf(edit->id, sizeof(edit->id), "%s", id);
	if (edit->what == EDIT_FORWARD && digits && (!strcmp(id + digits, "-tcp") || !strcmp(id + digits, "-udp")))
		edit->id[digits] = '/';
}

static int set_name(struct edit *edit, char *to, size_t room, const char *key, struct error *err)
{
	const json_t *name = json_object_get(edit->settings, key);

	if (!name && to[0])
		return 0;
	if (!json_is_string(name))
		return error_set(err, -EINVAL, "%s: %s is missing", whats[edit->what], key);
	if (strlen(json_string_value(name)) >= room)
		return error_set(err, -EINVAL, "%s: %s is longer than 63 letters", whats[edit->what], key);
	if (to[0] && strcmp(to, json_string_value(name)))
		return error_set(err, -EINVAL, "%s %s: %s cannot be changed; make a new one", whats[edit->what], to, key);
	strcpy(to, json_string_value(name));
	json_object_del(edit->settings, key);
	return 0;
}

/* set_forward_name() - a forward may go without */
static int set_forward_name(struct edit *edit, struct error *err)
{
	const char *name = json_string_value(json_object_get(edit->settings, "name"));
	char id[NAME_MAX_SIZE];

	if (name && !*name)
		json_object_del(edit->settings, "name");
	if (json_object_get(edit->settings, "name"))
		return edit->how == EDIT_ADD || !strchr(edit->id, '/') ?
			       set_name(edit, edit->id, NAME_MAX_SIZE, "name", err) :
			       error_set(err, -EINVAL, "forward %s: name cannot be changed; make a new one", edit->id);
	if (edit->how == EDIT_ADD)	/* settings without an id are refused with the reason when they are parsed */
		snprintf(edit->id, sizeof(edit->id), "%s", model_forward_id(edit->settings, id) == 0 ? id : "new");
	return 0;
}

/* set_record_id() - name and type may come with the path or with the settings, which keep them */
static int set_record_id(struct edit *edit, struct error *err)
{
	const char *dash = strrchr(edit->id, '-'), *name, *type;

	if (edit->id[0] && dash && !json_object_get(edit->settings, "name"))
		json_object_set_new(edit->settings, "name", json_stringn(edit->id, (size_t)(dash - edit->id)));
	if (edit->id[0] && dash && !json_object_get(edit->settings, "type"))
		json_object_set_new(edit->settings, "type", json_string(dash + 1));
	name = json_string_value(json_object_get(edit->settings, "name"));
	type = json_string_value(json_object_get(edit->settings, "type"));
	if (!name)
		return error_set(err, -EINVAL, "record: name is missing");
	if (!edit->id[0])
		snprintf(edit->id, sizeof(edit->id), "%.255s-%.10s", name, type ? type : "A");
	return 0;
}

/* set_reservation_port() - what is left is the address */
static int set_reservation_port(struct edit *edit, struct error *err)
{
	int rc = set_name(edit, edit->id, NAME_MAX_SIZE, "port", err);

	if (rc == 0 && (json_object_size(edit->settings) != 1 || !json_object_get(edit->settings, "ip")))
		rc = error_set(err, -EINVAL, "reservation %s: its fields are port and ip", edit->id);
	return rc;
}

static int read_name(struct edit *edit, struct error *err)
{
	switch (edit->what) {
	case EDIT_NETWORK:
		return set_name(edit, edit->net, sizeof(edit->net), "name", err);
	case EDIT_PORT:
		return set_name(edit, edit->id, NAME_MAX_SIZE, "name", err);
	case EDIT_RESERVATION:
		return set_reservation_port(edit, err);
	case EDIT_FORWARD:
		return set_forward_name(edit, err);
	case EDIT_RECORD:
		return set_record_id(edit, err);
	}
	return -EINVAL;
}

/* read_settings() - the body, the name taken out of it, and nothing in it that is not a setting */
static int read_settings(struct edit *edit, struct error *err)
{
	static const char *const others[] = { "owner", "ports", "forwards", "reservations", "records", "transient" };

	edit->settings = call_body(edit->call, err);
	if (!edit->settings)
		return err->rc;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (json_object_get(edit->settings, others[i]))
			return error_set(err, -EINVAL, "%s: %s: unknown field", whats[edit->what], others[i]);
	return read_name(edit, err);
}

void edit_begin(struct call *call, enum edit_what what, enum edit_how how, const char *net, const char *id)
{
	struct edit *edit = calloc(1, sizeof(*edit));
	struct error err = { 0 };

	if (!edit) {
		call_answer(call, 503, NULL);
		return;
	}
	edit->call = call;
	edit->what = what;
	edit->how = how;
	snprintf(edit->net, sizeof(edit->net), "%s", net ? net : "");
	path_id(edit, id ? id : "");
	if (how != EDIT_REMOVE && read_settings(edit, &err) < 0) {
		call_fail(call, &err);
		edit_free(edit);
		return;
	}
	live_change(call->api->conf.engine, edit_run, on_done, edit);
}
