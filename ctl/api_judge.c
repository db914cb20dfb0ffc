// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api_judge.h"

#include <errno.h>

#include "ctl/changes.h"

enum { LOW_PORTS = 1024 };	/* ports below need a right that an ordinary user lacks */

struct verdict {
	const struct call *call;
	struct error *err;
	int rc;			/* the first refusal, or 0 */
};

int judge_owner(const struct call *call, const struct net_conf *net, struct error *err)
{
	if (may_see(&call->who, net->owner))
		return 0;
	return error_set(err, -EACCES, "network %s belongs to another user", net->name);
}

static int judge_port(const struct port_conf *port, const struct net_conf *net, struct error *err)
{
	if (port->kind == PORT_KIND_ATTACHED)
		return 0;
	error_set(err, -EACCES, "network %s: port %s: kind %s is opened with the daemon's rights, which you do not have",
		  net->name, port->name, port_kind_name(port->kind));
	error_hint(err, "lanyard run %s/%s -- COMMAND", net->name, port->name);
	return -EACCES;
}

/* judge_host() - the host's end of a network is made with the daemon's rights */
static int judge_host(const struct net_conf *net, struct error *err)
{
	if (!net->has_host && net->mode != NET_BRIDGED)
		return 0;
	return error_set(err, -EACCES, "network %s: mode %s makes an interface of the host's with the daemon's rights, which you do not have",
			 net->name, net_mode_name(net->mode));
}

static int judge_forward(const struct forward_conf *forward, const struct net_conf *net, struct error *err)
{
	if (forward->port >= LOW_PORTS)
		return 0;
	return error_set(err, -EACCES,
			 "network %s: forward %s: port %u is below %d, which needs rights that you do not have", net->name,
			 forward->id, forward->port, LOW_PORTS);
}

static void judge_change(void *arg, const struct change *c)
{
	struct verdict *v = arg;

	if (v->rc == 0 && c->old_net)
		v->rc = judge_owner(v->call, c->old_net, v->err);
	if (v->rc == 0 && c->new_net)
		v->rc = judge_owner(v->call, c->new_net, v->err);
	if (v->rc == 0 && c->what == CHANGE_NETWORK && c->new_net)
		v->rc = judge_host(c->new_net, v->err);
	if (v->rc == 0 && c->what == CHANGE_PORT && c->new)
		v->rc = judge_port(c->new, c->new_net, v->err);
	if (v->rc == 0 && c->what == CHANGE_FORWARD && c->new)
		v->rc = judge_forward(c->new, c->new_net, v->err);
}

int judge(const struct call *call, const json_t *tree, const struct line_map *lines, struct model **candidate,
	  struct error *err)
{
	struct engine *engine = call->api->conf.engine;
	struct verdict v = { call, err, 0 };
	struct model *model;
	int rc = model_parse(tree, lines, live_env(engine), &model, err);

	if (rc < 0)
		return rc;
	if (!call->who.admin)
		changes_each(live_model(engine), model, judge_change, &v);
	if (v.rc == 0)
		*candidate = model;
	else
		model_free(model);
	return v.rc;
}
