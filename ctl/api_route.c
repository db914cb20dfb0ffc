// SPDX-License-Identifier: GPL-2.0-or-later
/* Which handler answers which method and path. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/api_capture.h"
#include "ctl/api_config.h"
#include "ctl/api_edit.h"
#include "ctl/api_judge.h"
#include "ctl/api_look.h"
#include "ctl/api_policy.h"
#include "ctl/api_show.h"
#include "ctl/api_stream.h"
#include "ctl/live_dns_host.h"
#include "ctl/live_hostif.h"
#include "ctl/live_lease.h"

static void fail(struct call *call, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void fail(struct call *call, int rc, const char *fmt, ...)
{
	char text[300];
	struct error err;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_set(&err, rc, "%s", text);
	call_fail(call, &err);
}

static struct engine *engine_of(const struct call *call)
{
	return call->api->conf.engine;
}

/* net_of() - the network of the path if the caller may see it; else NULL, and the call is answered */
static const struct net_conf *net_of(struct call *call)
{
	const struct net_conf *net = model_net(live_model(engine_of(call)), call->segments[1]);
	struct error err;

	if (!net)
		fail(call, -ENOENT, "there is no network %.100s", call->segments[1]);
	else if (judge_owner(call, net, &err) < 0)
		call_fail(call, &err);
	else
		return net;
	return NULL;
}

/* answer_list() - {"ports": [...]}; @list is taken */
static void answer_list(struct call *call, const char *key, json_t *list)
{
	call_answer(call, 200, list ? json_pack("{s:o}", key, list) : NULL);
}

static void get_networks(struct call *call)
{
	const struct model *model = live_model(engine_of(call));
	json_t *list = json_array();

	for (size_t i = 0; list && i < model->nnetworks; i++)
		if (may_see(&call->who, model->networks[i].owner))
			json_array_append_new(list, show_network(call->api, &model->networks[i]));
	answer_list(call, "networks", list);
}

static void get_network(struct call *call)
{
	const struct net_conf *net = net_of(call);

	if (net)
		call_answer(call, 200, show_network(call->api, net));
}

/* wait_seconds() - of ?wait=30 or ?wait=30s; 0 for none, -1 for nonsense */
static int wait_seconds(const struct call *call)
{
	const char *text = call_query(call, "wait");
	unsigned long number;
	uint32_t s;

	if (!text)
		return 0;
	if (number_parse(text, 0, WAIT_MAX_S, &number) == 0)
		return (int)number;
	return duration_parse(text, &s) == 0 && s <= WAIT_MAX_S ? (int)s : -1;
}

/* wait_what() - of ?for=lease or ?family=6; or -EINVAL */
static int wait_what(const struct call *call)
{
	const char *what = call_query(call, "for"), *family = call_query(call, "family");

	if (what)
		return wait_parse(what);
	return family && !strcmp(family, "6") ? WAIT_ADDRESS6 : WAIT_ADDRESS;
}

static void get_member(struct call *call, enum edit_what what, const char *singular)
{
	const struct net_conf *net = net_of(call);
	const char *id = call->segments[3];
	int wait = wait_seconds(call), wait_for = wait_what(call);
	json_t *shown;

	if (!net)
		return;
	shown = show_member(call->api, net, what, id);
	if (!shown) {
		fail(call, -ENOENT, "network %s has no %s %.150s", net->name, singular, id);
	} else if (what == EDIT_PORT && wait) {
		json_decref(shown);
		if (wait < 0)
			fail(call, -EINVAL, "wait: not a number of seconds in 0..%d", WAIT_MAX_S);
		else if (wait_for < 0)
			fail(call, -EINVAL, "for: not address, address6, lease, link or dns");
		else
			wait_begin(call, net->name, id, (unsigned)wait, (enum wait_for)wait_for);
	} else {
		call_answer(call, 200, shown);
	}
}

static const struct {
	const char *plural, *singular;
	enum edit_what what;
} members[] = {
	{ "ports", "port", EDIT_PORT }, { "forwards", "forward", EDIT_FORWARD },
	{ "reservations", "reservation", EDIT_RESERVATION }, { "records", "record", EDIT_RECORD },
	{ "segments", "segment", EDIT_SEGMENT }, { "groups", "group", EDIT_GROUP },
};

static void wrong_method(struct call *call)
{
	fail(call, -ENOSYS, "this method has no meaning here");
}

static const char *const lease_key = "leases";

static json_t *find_lease(struct call *call, const struct net_conf *net)
{
	json_t *list = live_leases(engine_of(call), net->name), *lease, *found = NULL;
	const char *port = call_query(call, "port");
	size_t i;

	json_array_foreach(list, i, lease) {
		const char *ip = json_string_value(json_object_get(lease, "ip")), *of = json_string_value(json_object_get(lease, "port"));

		if (!found && ip && !strcmp(ip, call->segments[3]) && (!port || (of && !strcmp(of, port))))
			found = json_incref(lease);
	}
	json_decref(list);
	return found;
}

static void on_freed(void *arg, const struct error *err)
{
	struct call *call = arg;

	if (err->rc < 0)
		call_fail(call, err);
	else
		call_answer(call, 200, json_object());
}

/* explain_lease() - what a guest would be given */
static void explain_lease(struct call *call, const struct net_conf *net)
{
	struct lease_query query = {
		.guest = call_query(call, "guest"), .vlan = call_query(call, "vlan"), .vendor = call_query(call, "vendor"),
		.user = call_query(call, "user"), .arch = call_query(call, "arch"), .circuit = call_query(call, "circuit"),
	};
	struct error err = { 0 };
	json_t *answer;

	if (!query.guest) {
		fail(call, -EINVAL, "guest: is missing: a port, MAC address or client-id");
		return;
	}
	answer = live_lease_explain(engine_of(call), net->name, &query, &err);
	if (answer)
		call_answer(call, 200, answer);
	else
		call_fail(call, &err);
}

/* leased_parse() - an address of either family, or a delegated prefix, of which the length does not matter */
static int leased_parse(const char *text, struct addr *a)
{
	char alone[ADDR_TEXT];
	size_t n = strcspn(text, "/");

	if (n >= sizeof(alone))
		return -EINVAL;
	memcpy(alone, text, n);
	alone[n] = '\0';
	return addr_parse(alone, a);
}

static void route_leases(struct call *call)
{
	const struct net_conf *net = net_of(call);
	json_t *lease;
	struct addr ip;

	if (!net)
		return;
	if (call->nsegments == 3) {
		if (call->method == EVHTTP_REQ_GET)
			answer_list(call, lease_key, live_leases(engine_of(call), net->name));
		else
			wrong_method(call);
	} else if (call->method == EVHTTP_REQ_GET && !strcmp(call->segments[3], "explain")) {
		explain_lease(call, net);
	} else if (leased_parse(call->segments[3], &ip) < 0) {
		fail(call, -EINVAL, "%.100s is not an address", call->segments[3]);
	} else if (call->method == EVHTTP_REQ_DELETE && addr_is4(ip)) {
		live_lease_free(engine_of(call), net->name, call_query(call, "port"), addr_4(ip), on_freed, call);
	} else if (call->method == EVHTTP_REQ_DELETE) {
		live_lease6_free(engine_of(call), net->name, call_query(call, "port"), ip, on_freed, call);
	} else if (call->method != EVHTTP_REQ_GET) {
		wrong_method(call);
	} else {
		lease = find_lease(call, net);
		if (lease)
			call_answer(call, 200, lease);
		else
			fail(call, -ENOENT, "network %s has no lease of %s", net->name, call->segments[3]);
	}
}

static void route_fdb(struct call *call)
{
	const struct net_conf *net = net_of(call);

	if (!net)
		return;
	if (call->method == EVHTTP_REQ_GET)
		answer_list(call, "fdb", live_fdb(engine_of(call), net->name));
	else
		wrong_method(call);
}

static void route_hosts(struct call *call)
{
	const struct net_conf *net = net_of(call);

	if (net && call->method == EVHTTP_REQ_GET)
		answer_list(call, "hosts", live_dns_host_names(engine_of(call), net->name));
	else if (net)
		wrong_method(call);
}

static void route_resolve(struct call *call)
{
	const struct net_conf *net = net_of(call);

	if (net)
		look_resolve(call, net);
}

static void route_policy(struct call *call)
{
	const struct net_conf *net = net_of(call);

	if (net)
		policy_route(call, net);
}

static void route_flows(struct call *call)
{
	const struct net_conf *net = net_of(call);

	if (net)
		look_flows(call, net);
}

/* route_object() - a change of one object; @id is NULL for a network */
static void route_object(struct call *call, enum edit_what what, const char *net, const char *id)
{
	switch (call->method) {
	case EVHTTP_REQ_PUT:
		edit_begin(call, what, EDIT_PUT, net, id);
		break;
	case EVHTTP_REQ_PATCH:
		edit_begin(call, what, EDIT_PATCH, net, id);
		break;
	case EVHTTP_REQ_DELETE:
		edit_begin(call, what, EDIT_REMOVE, net, id);
		break;
	default:
		wrong_method(call);
	}
}

static void route_member(struct call *call, size_t i)
{
	const char *name = call->segments[1], *id = call->segments[3];
	const struct net_conf *net;

	if (call->nsegments == 4) {
		if (call->method == EVHTTP_REQ_GET)
			get_member(call, members[i].what, members[i].singular);
		else
			route_object(call, members[i].what, name, id);
	} else if (call->method == EVHTTP_REQ_POST) {
		edit_begin(call, members[i].what, EDIT_ADD, name, NULL);
	} else if (call->method == EVHTTP_REQ_GET) {
		net = net_of(call);
		if (net)
			answer_list(call, members[i].plural, show_members(call->api, net, members[i].what));
	} else {
		wrong_method(call);
	}
}

static void no_such_path(struct call *call)
{
	fail(call, -ENOENT, "there is nothing at /v1/%.60s%s", call->segments[0], call->nsegments > 1 ? "/..." : "");
}

static void route_networks(struct call *call)
{
	if (call->nsegments == 1 && call->method == EVHTTP_REQ_GET)
		get_networks(call);
	else if (call->nsegments == 1 && call->method == EVHTTP_REQ_POST)
		edit_begin(call, EDIT_NETWORK, EDIT_ADD, NULL, NULL);
	else if (call->nsegments == 1)
		wrong_method(call);
	else if (strlen(call->segments[1]) >= NAME_MAX_SIZE)
		fail(call, -ENOENT, "there is no network %.100s", call->segments[1]);
	else if (call->nsegments == 2 && call->method == EVHTTP_REQ_GET)
		get_network(call);
	else if (call->nsegments == 2)
		route_object(call, EDIT_NETWORK, call->segments[1], NULL);
	else if (!strcmp(call->segments[2], lease_key) && call->nsegments <= 4)
		route_leases(call);
	else if (!strcmp(call->segments[2], "flows") && call->nsegments == 3)
		route_flows(call);
	else if (!strcmp(call->segments[2], "fdb") && call->nsegments == 3)
		route_fdb(call);
	else if (!strcmp(call->segments[2], "hosts") && call->nsegments == 3)
		route_hosts(call);
	else if (!strcmp(call->segments[2], "resolve") && call->nsegments == 3)
		route_resolve(call);
	else if (!strcmp(call->segments[2], "policy") && call->nsegments == 3)
		route_policy(call);
	else if (call->nsegments <= 4) {
		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			if (!strcmp(call->segments[2], members[i].plural)) {
				route_member(call, i);
				return;
			}
		no_such_path(call);
	} else {
		no_such_path(call);
	}
}

static void route_config(struct call *call)
{
	if (call->method == EVHTTP_REQ_GET)
		config_get(call);
	else if (call->method == EVHTTP_REQ_PUT)
		config_put(call);
	else
		wrong_method(call);
}

static void route_daemon(struct call *call)
{
	if (call->method == EVHTTP_REQ_GET)
		call_answer(call, 200, live_daemon(engine_of(call)));
	else
		wrong_method(call);
}

static void route_host_changes(struct call *call)
{
	struct error err = { 0 };
	json_t *list;

	if (call->method != EVHTTP_REQ_GET) {
		wrong_method(call);
	} else if (!call->who.admin) {
		fail(call, -EACCES, "what was changed on the host is for its administrators to see");
	} else {
		list = live_hostif_changes(engine_of(call), &err);
		if (list)
			answer_list(call, "changes", list);
		else
			call_fail(call, &err);
	}
}

static void route_events(struct call *call)
{
	if (call->method == EVHTTP_REQ_GET)
		stream_begin(call);
	else
		wrong_method(call);
}

static void route_capture(struct call *call)
{
	if (call->method == EVHTTP_REQ_GET)
		capture_begin(call);
	else
		wrong_method(call);
}

void api_route(struct call *call)
{
	static const struct {
		const char *name;
		void (*route)(struct call *call);
	} tops[] = { { "capture", route_capture }, { "config", route_config }, { "daemon", route_daemon }, { "events", route_events },
		{ "explain", look_explain },
		{ "host-changes", route_host_changes }, { "metrics", look_metrics } };

	if (!strcmp(call->segments[0], "networks")) {
		route_networks(call);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(tops); i++)
		if (call->nsegments == 1 && !strcmp(call->segments[0], tops[i].name)) {
			tops[i].route(call);
			return;
		}
	no_such_path(call);
}
