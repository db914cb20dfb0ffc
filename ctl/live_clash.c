// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_clash.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/host_routes.h"

/* try_from() - the first that is free of @tries behind @from, each beside the last */
static bool try_from(const struct engine *e, struct prefix4 *subnet, uint32_t from, unsigned tries)
{
	struct prefix4 p = { from & prefix4_mask(*subnet), subnet->len };
	bool is_free = false;

	for (unsigned i = 0; i < tries && !is_free; i++) {
		p.addr += (uint32_t)1 << (32 - p.len);
		is_free = host_routes_free(p);
		for (size_t j = 0; j < e->model->nnetworks && is_free; j++) {
			const struct net_conf *net = &e->model->networks[j];

			is_free = !net->has_subnet || !(prefix4_has(net->subnet, p.addr) || prefix4_has(p, net->subnet.addr));
		}
	}
	if (is_free)
		*subnet = p;
	return is_free;
}

/* Near by, or else at the beginning of another of the three private ranges (RFC 1918): VPNs like to take all of one. */
bool live_free_subnet(const struct engine *e, struct prefix4 *subnet)
{
	static const struct prefix4 ranges[] = { { 0x0a000000, 8 }, { 0xac100000, 12 }, { 0xc0a80000, 16 } };
	enum { NEAR = 64, AFAR = 16 };

	if (try_from(e, subnet, subnet->addr, NEAR))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (subnet->len > ranges[i].len && !prefix4_has(ranges[i], subnet->addr) && try_from(e, subnet, ranges[i].addr, AFAR))
			return true;
	return false;
}

static bool find(const struct live_net *net, struct host_route *route)
{
	const struct net_conf *conf = net->conf;

	return conf->has_subnet && (conf->has_host || conf->has_nat) &&
	       host_routes_find(conf->subnet, conf->has_host ? net_port(conf, HOST_PORT)->ifname : NULL, route);
}

/* advice() - the command that ends it; empty when no subnet is to be had */
static void advice(const struct live_net *net, char *text, size_t room)
{
	struct prefix4 other = net->conf->subnet;
	char free_one[PREFIX4_TEXT];

	text[0] = '\0';
	if (live_free_subnet(net->engine, &other))
		snprintf(text, room, "lanyard net set %s --subnet %s", net->name, prefix4_format(other, free_one));
}

json_t *live_clash_warning(const struct live_net *net)
{
	char ours[PREFIX4_TEXT], theirs[PREFIX4_TEXT], command[160];
	const char *means = net->conf->has_host ? "the two are not to be told apart" :
			    net->conf->mode == NET_NAT ? "guests reach their gateway there, not that network" :
			    "guests reach each other there, not that network";
	struct host_route route;

	if (!find(net, &route))
		return NULL;
	advice(net, command, sizeof(command));
	return json_sprintf("%s overlaps %s, which this host now has %s %s: %s%s%s", prefix4_format(net->conf->subnet, ours),
			    prefix4_format(route.prefix, theirs), route.ifname[0] ? "on" : "a route for", route.ifname, means,
			    command[0] ? "; another one: " : "", command);
}

static void tell(const struct live_net *net, const struct host_route *route)
{
	char theirs[PREFIX4_TEXT] = "", ours[PREFIX4_TEXT], command[160] = "";
	const char *state = route ? "begun" : "over";

	if (route) {
		prefix4_format(route->prefix, theirs);
		advice(net, command, sizeof(command));
	}
	prefix4_format(net->conf->subnet, ours);
	log_warn("net=%s event=subnet-clash state=%s subnet=%s route=%s interface=%s hint=\"%s\"", net->name, state, ours, theirs,
		 route ? route->ifname : "", command);
	if (net->engine->api)
		api_event(net->engine->api, net->name, NULL, json_pack("{s:s s:s s:s s:s s:s s:s}", "event", "subnet-clash", "state", state, "subnet", ours,
								       "route", theirs, "interface", route ? route->ifname : "", "hint", command));
}

void live_clash_look(struct live_net *net)
{
	struct host_route route = { .ifname = "" };
	bool clash = find(net, &route);

	if (clash == net->clash && (!clash || (route.prefix.addr == net->clash_route.addr && route.prefix.len == net->clash_route.len)))
		return;
	net->clash = clash;
	net->clash_route = route.prefix;
	tell(net, clash ? &route : NULL);
}
