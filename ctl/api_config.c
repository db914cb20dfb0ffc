// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctl/api_judge.h"
#include "ctl/changes.h"
#include "ctl/yaml.h"

/* apply - one PUT, from the file to the answer */
struct apply {
	struct call *call;
	json_t *file;			/* owned */
	struct line_map *lines;		/* owned; NULL for JSON */
	json_t *changes;		/* owned; what it makes different */
};

static bool wants_yaml(const struct call *call)
{
	const char *format = call_query(call, "format"), *accept = call_header(call, "Accept");

	return format ? !strcmp(format, "yaml") : accept && strstr(accept, "yaml") != NULL;
}

/* seen() - the model as @who may see it; networks of others name their owner */
static json_t *seen(const struct model *model, const struct who *who)
{
	json_t *tree = model_export(model, 0), *networks = json_object_get(tree, "networks");

	for (size_t i = 0; tree && i < model->nnetworks; i++) {
		const struct net_conf *net = &model->networks[i];

		if (!may_see(who, net->owner))
			json_object_del(networks, net->name);
		else if (net->owner != who->uid)
			json_object_set_new(json_object_get(networks, net->name), "owner", json_integer(net->owner));
	}
	return tree;
}

void config_get(struct call *call)
{
	json_t *tree = seen(live_model(call->api->conf.engine), &call->who);
	char *text;

	if (!wants_yaml(call)) {
		call_answer(call, 200, tree);
		return;
	}
	text = tree ? yaml_dump(tree) : NULL;
	if (text)
		call_text(call, "application/yaml", text);
	else
		call_answer(call, 503, NULL);
	free(text);
	json_decref(tree);
}

static void apply_free(struct apply *apply)
{
	json_decref(apply->file);
	json_decref(apply->changes);
	line_map_free(apply->lines);
	free(apply);
}

/* keep_guests() - ports made by attaching, which no file can name, stay unless the file has one of that name */
static void keep_guests(json_t *net, const struct net_conf *old)
{
	json_t *ports = json_object_get(net, "ports");

	for (size_t i = 0; i < old->nports; i++) {
		const struct port_conf *port = &old->ports[i];

		if (!port->transient || port->kind == PORT_KIND_HOST || port->kind == PORT_KIND_UPLINK || json_object_get(ports, port->name))
			continue;
		if (!json_is_object(ports)) {
			json_object_set_new(net, "ports", json_object());
			ports = json_object_get(net, "ports");
		}
		json_object_set_new(ports, port->name, port_export(old, port, 0));
	}
}

/* complete() - what a network of the file takes over from the one it replaces, or from its maker */
static void complete(const struct call *call, json_t *net, const struct net_conf *old)
{
	const char *text = json_string_value(json_object_get(net, "mode"));
	enum net_mode mode = NET_NAT_NETWORK;
	char subnet[PREFIX4_TEXT];

	if (!json_object_get(net, "owner"))
		json_object_set_new(net, "owner", json_integer(old ? old->owner : call->who.uid));
	if (!old)
		return;
	if (text && net_mode_parse(text, &mode) < 0)
		return;
	if ((old->has_nat || old->has_host) && !json_object_get(net, "subnet") && mode != NET_INTERNAL && mode != NET_BRIDGED)
		json_object_set_new(net, "subnet", json_string(prefix4_format(old->subnet, subnet)));
	keep_guests(net, old);
}

/* take_networks() - the file's networks in place of those the caller may see
 *
 * The nodes of the file are used themselves, not copies, so that their lines are known.
 */
static int take_networks(const struct apply *apply, json_t *tree, const struct model *model, struct error *err)
{
	json_t *networks = json_object_get(tree, "networks"), *wanted = json_object_get(apply->file, "networks"), *net;
	json_t *kept = json_is_object(wanted) ? wanted : json_object();
	const char *name;
	void *next;

	for (size_t i = 0; i < model->nnetworks; i++) {
		const struct net_conf *old = &model->networks[i];
		bool mine = may_see(&apply->call->who, old->owner);

		if (!mine && json_object_get(kept, old->name))
			return judge_owner(apply->call, old, err);
		if (!mine)
			json_object_set(kept, old->name, json_object_get(networks, old->name));
	}
	json_object_foreach_safe(kept, next, name, net) {
		const struct net_conf *old = model_net(model, name);

		if (old && !may_see(&apply->call->who, old->owner))
			continue;
		if (json_is_null(net)) {
			json_object_set_new(kept, name, json_object());
			net = json_object_get(kept, name);
		}
		complete(apply->call, net, old);
	}
	json_object_set(tree, "networks", kept);
	if (kept != wanted)
		json_decref(kept);
	return 0;
}

/* check_alone() - the file by itself: every error in it is named before it is mixed with what is there */
static int check_alone(const struct apply *apply, struct error *err)
{
	struct model_env env = *live_env(apply->call->api->conf.engine);
	struct model *model = NULL;
	int rc;

	env.transient = false;
	env.owner = apply->call->who.uid;
	rc = model_parse(apply->file, apply->lines, &env, &model, err);
	model_free(model);
	return rc;
}

static int apply_run(void *arg, json_t *tree, struct error *err)
{
	struct apply *apply = arg;
	struct api *api = apply->call->api;
	struct model *candidate = NULL;
	int rc;

	if (!api)
		return error_set(err, -ECANCELED, "the daemon ends");
	rc = check_alone(apply, err);
	if (rc == 0)
		rc = take_networks(apply, tree, live_model(api->conf.engine), err);
	if (rc == 0)
		rc = judge(apply->call, tree, apply->lines, &candidate, err);
	if (rc == 0 && call_flag(apply->call, "dry_run"))
		rc = live_check(api->conf.engine, candidate, err);
	if (rc == 0)
		apply->changes = changes_list(live_model(api->conf.engine), candidate);
	model_free(candidate);
	return rc;
}

static void on_done(void *arg, const struct error *err)
{
	struct apply *apply = arg;

	if (!apply->call->api)
		call_drop(apply->call);
	else if (err->rc < 0)
		call_fail(apply->call, err);
	else
		call_answer(apply->call, 200, json_pack("{s:O}", "changes", apply->changes));
	apply_free(apply);
}

/* dry_run() - the same edit on a copy */
static void dry_run(struct apply *apply)
{
	json_t *tree = model_export(live_model(apply->call->api->conf.engine), MODEL_TRANSIENT | MODEL_OWNER);
	struct error err = { 0 };

	if (!tree)
		error_set(&err, -ENOMEM, "out of memory");
	else
		apply_run(apply, tree, &err);
	json_decref(tree);
	on_done(apply, &err);
}

static json_t *read_file(struct call *call, struct line_map **lines, struct error *err)
{
	const char *type = call_header(call, "Content-Type"), *name = call_query(call, "file"), *text;
	char shown[128];
	size_t size;

	if (!type || !strstr(type, "yaml"))
		return call_body(call, err);
	if (!name || !*name)
		name = "configuration";
	text = call_raw(call, &size);
	return yaml_parse(text, size, log_clean(shown, sizeof(shown), name, strlen(name)), lines, err);
}

void config_put(struct call *call)
{
	struct apply *apply = calloc(1, sizeof(*apply));
	struct error err = { 0 };

	if (!apply) {
		call_answer(call, 503, NULL);
		return;
	}
	apply->call = call;
	apply->file = read_file(call, &apply->lines, &err);
	if (!apply->file) {
		call_fail(call, &err);
		apply_free(apply);
	} else if (call_flag(call, "dry_run")) {
		dry_run(apply);
	} else {
		live_change(call->api->conf.engine, apply_run, on_done, apply);
	}
}
