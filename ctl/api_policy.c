// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api_policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/api_judge.h"
#include "ctl/live_policy.h"
#include "switch/rule.h"

/* rule_edit - one rule that is to come or to go */
struct rule_edit {
	struct call *call;
	char net[NAME_MAX_SIZE], port[NAME_MAX_SIZE], group[NAME_MAX_SIZE];	/* both empty: the network's own */
	char rule[RULE_TEXT];		/* canonical; or empty: the one at @position */
	size_t position;		/* from 1; 0: at the end */
	bool remove, made;
};

static void on_done(void *arg, const struct error *err)
{
	struct rule_edit *e = arg;

	if (!e->call->api)
		call_drop(e->call);
	else if (err->rc < 0)
		call_fail(e->call, err);
	else
		call_answer(e->call, e->made ? 201 : 200, json_pack("{s:s s:s s:s s:s s:I}", "network", e->net, "port", e->port, "group", e->group,
								    "rule", e->rule, "position", (json_int_t)e->position));
	free(e);
}

/* effective() - the rules that hold for the object now, as a list of its own: those of a port's group stay when one is added */
static json_t *effective(const struct port_conf *settings)
{
	json_t *list = json_array();
	char text[RULE_TEXT];

	for (unsigned i = 0; list && i < settings->policy.nrules; i++)
		json_array_append_new(list, json_string(rule_format(&settings->policy.rules[i], text)));
	return list;
}

/* policy_in() - the mapping `policy` of the object, made when there is none; borrowed */
static json_t *policy_in(json_t *object)
{
	json_t *policy = json_object_get(object, "policy");

	if (!policy && json_object_set_new(object, "policy", json_object()) == 0)
		policy = json_object_get(object, "policy");
	return policy;
}

static size_t find(const json_t *list, const char *rule)
{
	const json_t *value;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, value)
		if (!strcmp(json_string_value(value), rule))
			return i;
	return json_array_size(list);
}

static int remove_rule(struct rule_edit *e, json_t *list, struct error *err)
{
	size_t at = e->rule[0] ? find(list, e->rule) : e->position - 1;

	if (at >= json_array_size(list)) {
		error_set(err, -ENOENT, "%s%s%s%s has no such rule", e->net, e->port[0] ? "/" : e->group[0] ? ", group " : "", e->port, e->group);
		error_hint(err, "lanyard policy ls %s%s%s", e->net, e->port[0] ? "/" : "", e->port);
		return -ENOENT;
	}
	snprintf(e->rule, sizeof(e->rule), "%s", json_string_value(json_array_get(list, at)));
	e->position = at + 1;
	json_array_remove(list, at);
	return 0;
}

static int add_rule(struct rule_edit *e, json_t *list, struct error *err)
{
	size_t at = find(list, e->rule);

	if (at < json_array_size(list) && (!e->position || e->position == at + 1)) {
		e->position = at + 1;
		return 0;		/* already so */
	}
	if (at < json_array_size(list))
		json_array_remove(list, at);
	else
		e->made = true;
	if (!e->position || e->position > json_array_size(list))
		e->position = json_array_size(list) + 1;
	if (json_array_insert_new(list, e->position - 1, json_string(e->rule)) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	return 0;
}

/* settings_with() - whose rules they are, and in @tree the *object that is to have them; NULL: there is no such one */
static const struct port_conf *settings_with(const struct rule_edit *e, json_t *tree, const struct net_conf *net, json_t **object)
{
	const struct group_conf *group = e->group[0] ? net_group(net, e->group) : NULL;

	*object = json_object_get(json_object_get(tree, "networks"), e->net);
	if (e->group[0])
		*object = json_object_get(json_object_get(*object, "groups"), e->group);
	else if (e->port[0])
		*object = json_object_get(json_object_get(*object, "ports"), e->port);
	return !*object ? NULL : e->group[0] ? (group ? &group->settings : NULL) : e->port[0] ? net_port(net, e->port) : &net->defaults;
}

static int change(struct rule_edit *e, json_t *tree, const struct net_conf *net, struct error *err)
{
	json_t *object, *policy, *list;
	const struct port_conf *settings = settings_with(e, tree, net, &object);
	int rc;

	if (!settings)
		return error_set(err, -ENOENT, "network %s has no %s %s", e->net, e->group[0] ? "group" : "port", e->group[0] ? e->group : e->port);
	policy = policy_in(object);
	list = effective(settings);
	rc = !policy || !list ? error_set(err, -ENOMEM, "out of memory") : e->remove ? remove_rule(e, list, err) : add_rule(e, list, err);
	if (rc == 0 && json_object_set(policy, "rules", list) < 0)
		rc = error_set(err, -ENOMEM, "out of memory");
	json_decref(list);
	return rc;
}

static int edit_run(void *arg, json_t *tree, struct error *err)
{
	struct rule_edit *e = arg;
	struct api *api = e->call->api;
	const struct net_conf *net = api ? model_net(live_model(api->conf.engine), e->net) : NULL;
	struct model *candidate = NULL;
	int rc;

	if (!api)
		return error_set(err, -ECANCELED, "the daemon ends");
	if (!net)
		return error_set(err, -ENOENT, "there is no network %s", e->net);
	rc = judge_owner(e->call, net, err);
	if (rc == 0)
		rc = change(e, tree, net, err);
	if (rc == 0)
		rc = judge(e->call, tree, NULL, &candidate, err);
	model_free(candidate);
	return rc;
}

/* take_words() - what is asked for, from texts that may be NULL */
static int take_words(struct rule_edit *e, const char *port, const char *group, const char *rule, struct error *err)
{
	const char *why;
	struct rule r;

	if ((port && strlen(port) >= sizeof(e->port)) || (group && strlen(group) >= sizeof(e->group)))
		return error_set(err, -ENOENT, "network %s has no such %s", e->net, group ? "group" : "port");
	if (port && *port && group && *group)
		return error_set(err, -EINVAL, "policy: a port's, or a group's?");
	snprintf(e->port, sizeof(e->port), "%s", port ? port : "");
	snprintf(e->group, sizeof(e->group), "%s", group ? group : "");
	if (!rule)
		return e->remove && e->position ? 0 : error_set(err, -EINVAL, "policy: rule is missing");
	if (rule_parse(rule, &r, &why) < 0)
		return error_set(err, -EINVAL, "policy: %.100s: %s", rule, why);
	rule_format(&r, e->rule);
	return 0;
}

static int take_body(struct rule_edit *e, struct error *err)
{
	json_t *body = call_body(e->call, err);
	json_int_t position = json_integer_value(json_object_get(body, "position"));
	int rc;

	if (!body)
		return err->rc;
	e->position = position > 0 && position < 100000 ? (size_t)position : 0;
	rc = take_words(e, json_string_value(json_object_get(body, "port")), json_string_value(json_object_get(body, "group")),
			json_string_value(json_object_get(body, "rule")), err);
	json_decref(body);
	return rc;
}

static int take_query(struct rule_edit *e, struct error *err)
{
	const char *text = call_query(e->call, "position");
	unsigned long position = 0;

	if (text && number_parse(text, 1, 100000, &position) < 0)
		return error_set(err, -EINVAL, "policy: position is a number from 1 on");
	e->position = position;
	return take_words(e, call_query(e->call, "port"), call_query(e->call, "group"), call_query(e->call, "rule"), err);
}

static void begin(struct call *call, const struct net_conf *net)
{
	struct rule_edit *e = calloc(1, sizeof(*e));
	struct error err = { 0 };
	int rc;

	if (!e) {
		call_answer(call, 503, NULL);
		return;
	}
	e->call = call;
	e->remove = call->method == EVHTTP_REQ_DELETE;
	snprintf(e->net, sizeof(e->net), "%.63s", net->name);
	rc = e->remove ? take_query(e, &err) : take_body(e, &err);
	if (rc < 0) {
		call_fail(call, &err);
		free(e);
		return;
	}
	live_change(call->api->conf.engine, edit_run, on_done, e);
}

void policy_route(struct call *call, const struct net_conf *net)
{
	struct error err = { 0 };
	json_t *list;

	if (call->method == EVHTTP_REQ_GET) {
		list = live_policy_rules(call->api->conf.engine, net->name, call_query(call, "port"));
		call_answer(call, 200, list ? json_pack("{s:o}", "policy", list) : NULL);
	} else if (call->method == EVHTTP_REQ_POST || call->method == EVHTTP_REQ_DELETE) {
		begin(call, net);
	} else {
		error_set(&err, -ENOSYS, "this method has no meaning here");
		call_fail(call, &err);
	}
}
