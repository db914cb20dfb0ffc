// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api_edit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/api_judge.h"
#include "ctl/api_settings.h"
#include "ctl/api_show.h"
#include "ctl/api_tree.h"
#include "ctl/changes.h"

static void edit_free(struct edit *edit)
{
	json_decref(edit->settings);
	json_decref(edit->changes);
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
	case EDIT_SEGMENT:
		return net_segment(net, edit->id);
	case EDIT_GROUP:
		return net_group(net, edit->id);
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
		return reservation_equal(a, b);
	case EDIT_SEGMENT:
		return segment_equal(a, b);
	case EDIT_GROUP:
		return group_equal(a, b);
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
	case EDIT_SEGMENT:
		return show_segment(net, object);
	case EDIT_GROUP:
		return show_group(net, object);
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
	else if (call_flag(edit->call, "dry_run"))
		call_answer(edit->call, 200, json_pack("{s:O}", "changes", edit->changes));
	else
		call_answer(edit->call, edit->made ? 201 : 200, show(edit));
	edit_free(edit);
}

/* keep_peers() - of a network or a segment, whose new settings say nothing of them */
static void keep_peers(json_t *value, const json_t *old)
{
	if (!json_object_get(value, "peers") && json_object_get(old, "peers"))
		json_object_set(value, "peers", json_object_get(old, "peers"));
}

/* keep_inside() - new settings of a network leave what is in it, whose it is, and a subnet that was chosen for it */
static void keep_inside(json_t *value, const json_t *old, const struct net_conf *net)
{
	static const char *const kept[] = { "owner", "groups", "segments", "ports", "forwards", "reservations", "records" };
	const char *text = json_string_value(json_object_get(value, "mode"));
	enum net_mode mode = NET_NAT_NETWORK;
	bool same = (!text || net_mode_parse(text, &mode) == 0) && mode == net->mode && (net->has_nat || mode == NET_HOST_ONLY);

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (json_object_get(old, kept[i]))
			json_object_set(value, kept[i], json_object_get(old, kept[i]));
	keep_peers(value, old);
	if (same && !json_object_get(value, "subnet") && json_object_get(old, "subnet"))
		json_object_set(value, "subnet", json_object_get(old, "subnet"));
}

/* long_form() - an object's settings as a mapping: of a reservation there may be its address alone; new reference */
static json_t *long_form(const json_t *old)
{
	return json_is_string(old) ? json_pack("{s:s}", "ip", json_string_value(old)) : json_deep_copy(old);
}

/* wished() - the object as it shall be; new reference */
static json_t *wished(struct edit *edit, const json_t *old, const struct net_conf *net, const void *object)
{
	json_t *value;

	if (edit->how == EDIT_PATCH) {
		value = edit->what == EDIT_FORWARD ? tree_split(object, edit->settings) : long_form(old);
		if (edit->what == EDIT_NETWORK)
			model_mode_over(value, edit->settings);
		if (edit->what == EDIT_PORT || edit->what == EDIT_GROUP)
			model_vlan_over(value, edit->settings);
		tree_merge(value, edit->settings);
		return value;
	}
	value = json_deep_copy(edit->settings);
	if (value && edit->what == EDIT_NETWORK && old)
		keep_inside(value, old, net);
	else if (value && edit->what == EDIT_SEGMENT && old)
		keep_peers(value, old);
	else if (value && edit->what == EDIT_NETWORK)
		json_object_set_new(value, "owner", json_integer(edit->call->who.uid));
	return value;
}

static int not_there(struct edit *edit, struct error *err)
{
	if (edit->what == EDIT_NETWORK)
		return error_set(err, -ENOENT, "there is no network %s", edit->net);
	return error_set(err, -ENOENT, "network %s has no %s %.200s", edit->net, edit_words[edit->what], edit->id);
}

/* follower() - a port that follows the group @name, or NULL */
static const struct port_conf *follower(const struct net_conf *net, const char *name)
{
	for (size_t i = 0; i < net->nports; i++)
		if (!strcmp(net->ports[i].group, name))
			return &net->ports[i];
	return NULL;
}

static int remove_object(struct edit *edit, json_t *tree, const char *id, const struct net_conf *net, struct error *err)
{
	const struct port_conf *port = net && edit->what == EDIT_GROUP ? follower(net, id) : NULL;
	size_t nports = net ? net->nports - net->nown : 0;

	if (edit->what == EDIT_NETWORK && nports && !call_flag(edit->call, "force")) {
		error_set(err, -EBUSY, "network %s has %zu port%s", net->name, nports, nports == 1 ? "" : "s");
		error_hint(err, "lanyard net rm %s --force", net->name);
		return -EBUSY;
	}
	if (port) {
		error_set(err, -EBUSY, "port %s follows group %s/%s", port->name, net->name, id);
		error_hint(err, "lanyard port set %s/%s --group ''", net->name, port->name);
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
	json_t *old = tree_get(tree, edit->what, edit->net, object ? id : edit->id);
	json_t *value = wished(edit, old, net, object);
	char before[API_SEGMENT_TEXT];

	snprintf(before, sizeof(before), "%s", id);
	if (value)
		id_after(edit, id, net, value, forward ? !forward->name[0] : strchr(edit->id, '/') != NULL);
	if (object && edit->what != EDIT_NETWORK && strcmp(before, edit->id)) {
		if (tree_get(tree, edit->what, edit->net, edit->id)) {
			json_decref(value);
			return error_set(err, -EEXIST, "network %s has a %s %s already", edit->net,
					 edit_words[edit->what], edit->id);
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
		return error_set(err, -EEXIST, "%s %s%s%.200s exists with other settings", edit_words[edit->what], edit->net,
				 edit->what == EDIT_NETWORK ? "" : "/", edit->what == EDIT_NETWORK ? "" : edit->id);
	json_object_update(tree, before);	/* as it was, in writing too */
	return 0;
}

/* foresee() - note what would change, or why it could not */
static int foresee(struct edit *edit, const struct model *candidate, struct error *err)
{
	struct engine *e = edit->call->api->conf.engine;
	int rc = live_check(e, candidate, err);

	if (rc < 0)
		return rc;
	edit->changes = changes_list(live_model(e), candidate);
	return edit->changes ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int make(struct edit *edit, json_t *tree, const char *id, const struct net_conf *net, const void *object,
		struct error *err)
{
	json_t *before = edit->how == EDIT_ADD && object ? json_deep_copy(tree) : NULL;
	struct model *candidate = NULL;
	int rc = edit->how == EDIT_REMOVE ? remove_object(edit, tree, id, net, err) :
					    place(edit, tree, id, net, object, err);

	if (rc == 0)
		rc = judge(edit->call, tree, NULL, &candidate, err);
	if (rc == 0)
		rc = compare(edit, candidate, object, tree, before, err);
	if (rc == 0 && call_flag(edit->call, "dry_run"))
		rc = foresee(edit, candidate, err);
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

/* dry_run() - the change, made in a copy of the tree that nobody keeps */
static void dry_run(struct edit *edit)
{
	json_t *tree = model_export(live_model(edit->call->api->conf.engine), MODEL_TRANSIENT | MODEL_OWNER);
	struct error err = { 0 };

	if (!tree)
		error_set(&err, -ENOMEM, "out of memory");
	else if (edit_run(edit, tree, &err) < 0 && !err.rc)
		error_set(&err, -EINVAL, "the change failed");
	json_decref(tree);
	on_done(edit, &err);
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
	settings_path(edit, id ? id : "");
	if (how != EDIT_REMOVE && settings_read(edit, &err) < 0) {
		call_fail(call, &err);
		edit_free(edit);
		return;
	}
	if (call_flag(call, "dry_run"))
		dry_run(edit);
	else
		live_change(call->api->conf.engine, edit_run, on_done, edit);
}
