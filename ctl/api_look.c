// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api_look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/api_judge.h"
#include "ctl/live_resolve.h"
#include "ctl/metrics.h"

static bool is_get(struct call *call)
{
	struct error err;

	if (call->method == EVHTTP_REQ_GET)
		return true;
	error_set(&err, -ENOSYS, "this method has no meaning here");
	call_fail(call, &err);
	return false;
}

void look_metrics(struct call *call)
{
	char *text;

	if (!is_get(call))
		return;
	text = live_metrics(call->api->conf.engine, call->who.uid, call->who.admin);
	if (text)
		call_text(call, METRICS_TYPE, text);
	else
		call_answer(call, 503, NULL);
	free(text);
}

void look_flows(struct call *call, const struct net_conf *net)
{
	const char *port = call_query(call, "port");
	struct error err;

	if (!is_get(call))
		return;
	if (!port || net_port(net, port)) {
		call_answer(call, 200, live_flows(call->api->conf.engine, net->name, port));
		return;
	}
	error_set(&err, -ENOENT, "network %s has no port %.150s", net->name, port);
	call_fail(call, &err);
}

static void on_answered(void *arg, json_t *answer, const struct error *err)
{
	struct call *call = arg;

	if (err->rc < 0)
		call_fail(call, err);
	else
		call_answer(call, 200, answer);
}

void look_resolve(struct call *call, const struct net_conf *net)
{
	const char *type = call_query(call, "type"), *vid = call_query(call, "vid");
	struct resolve_asked q = { net->name, call_query(call, "port"), 0, call_query(call, "name"), type ? type : "A" };
	unsigned long number = 0;
	struct error err;

	if (!is_get(call))
		return;
	if (!q.name || (vid && number_parse(vid, 1, 4094, &number) < 0)) {
		error_set(&err, -EINVAL, q.name ? "resolve: vid is a number of 1 to 4094" : "resolve: name=NAME is needed");
		call_fail(call, &err);
		return;
	}
	q.vid = (uint16_t)number;
	live_resolve(call->api->conf.engine, &q, on_answered, call);
}

/* asked_net() - of "NET/NAME" the network, if the caller may see it; else NULL with @err */
static const struct net_conf *asked_net(const struct call *call, const char *port, const char *slash, struct error *err)
{
	const struct net_conf *net;
	char name[NAME_MAX_SIZE];

	snprintf(name, sizeof(name), "%.*s", (int)MIN_OF(slash - port, (ptrdiff_t)NAME_MAX_SIZE), port);
	net = model_net(live_model(call->api->conf.engine), name);
	if (!net)
		error_set(err, -ENOENT, "there is no network %.100s", name);
	else if (judge_owner(call, net, err) < 0)
		net = NULL;
	return net;
}

void look_explain(struct call *call)
{
	const char *port = call_query(call, "port"), *to = call_query(call, "to"), *slash = port ? strchr(port, '/') : NULL;
	const struct net_conf *net = NULL;
	struct error err;

	if (!is_get(call))
		return;
	if (!slash || !to)
		error_set(&err, -EINVAL, "explain: port=NET/NAME and to=DESTINATION are needed");
	else
		net = asked_net(call, port, slash, &err);
	if (net)
		live_explain(call->api->conf.engine, net->name, slash + 1, to, on_answered, call);
	else
		call_fail(call, &err);
}
