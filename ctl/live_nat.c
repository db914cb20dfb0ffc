// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_nat.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/engine.h"
#include "ctl/live_kernel.h"
#include "nat/budget.h"
#include "nat/gateway.h"
#include "nat/host_gateway.h"
#include "nat/nat.h"
#include "switch/verdict.h"

enum { POLL_US = 200, TRIES = 100, PLACE_KB = 64 };

/* access_of() - where the host is the gateway what reaches it does so without us, but for its loopback over IPv6 (switch/hostway.h) */
static enum host_access access_of(const struct net_conf *conf)
{
	static const enum host_access access[] = {
		[HOST_ACCESS_NONE] = HOST_NONE, [HOST_ACCESS_OWN] = HOST_OWN, [HOST_ACCESS_LOOPBACK] = HOST_LOOPBACK,
	};

	if (!conf->has_nat || (conf->has_host && conf->host_access != HOST_ACCESS_LOOPBACK))
		return HOST_NONE;
	return access[conf->host_access];
}

static struct nat_conf conf_of(const struct live_net *net)
{
	struct nat_conf conf = {
		.net_id = net->net_id, .uplink = net->conf->has_nat && !net->conf->has_host,
		.filter_any = net->conf->filtering == NAT_FILTER_ANY,
		.host_access = access_of(net->conf),
	};

	conf.resolver = net->conf->dns_enabled ? net->engine->requests : NULL;
	strcpy(conf.device, net->conf->uplink);
	conf.flows_max = net->conf->limits.flows;
	conf.sockets_max = net->conf->limits.sockets;
	conf.half_open_max = net->conf->limits.half_open;
	conf.held_max = net->conf->limits.memory_kb / PLACE_KB;
	return conf;
}

/* needs_nat() - where the host has the gateway's addresses: for DNS over TCP, and with kernel NAT for forwards on loopback addresses */
static bool needs_nat(const struct net_conf *conf)
{
	return !conf->has_host || conf->has_nat || conf->dns_enabled;
}

int live_nat_start(struct live_net *net)
{
	struct engine *e = net->engine;
	struct nat_conf conf = conf_of(net);

	if (net->conf->has_host) {
		net->host_gateway = host_gateway_new();
		net->gateway = net->host_gateway ? host_gateway_service(net->host_gateway) : NULL;
	} else {
		net->gateway_state = gateway_new();
		net->gateway = net->gateway_state ? gateway_service(net->gateway_state) : NULL;
	}
	if (!net->gateway || !needs_nat(net->conf))
		return net->gateway ? 0 : -ENOMEM;
	net->nat_state = nat_new(&conf, e->workers, e->nworkers);
	if (!net->nat_state)
		return -ENOMEM;
	net->nat = nat_service(net->nat_state);
	return 0;
}

void live_nat_configure(struct live_net *net)
{
	struct nat_conf conf = conf_of(net);
	int rc = net->nat_state ? nat_set_conf(net->nat_state, &conf) : 0;

	if (net->nat_state)
		live_nat_host_changed(net, false);	/* it may be pinned to another interface now */
	if (rc < 0)
		log_error("net=%s event=nat-not-configured reason=\"%s\"", net->name, strerror(-rc));
}

void live_nat_host_changed(struct live_net *net, bool addresses)
{
	for (unsigned i = 0; net->nat_state && i < TRIES && !nat_host_changed(net->nat_state, addresses); i++)
		usleep(POLL_US);	/* as below */
}

/* over_quota() - frames of the port that were refused since it was last looked at, because it had all it may have */
static uint64_t over_quota(struct live_port *p)
{
	uint64_t now, before = p->quota_told;
	struct port_stats sum;

	live_port_sum(p, &sum);
	now = counter_get(&sum.verdicts[VERDICT_DROP_QUOTA]);
	p->quota_told = now;
	return now - before;
}

void live_nat_tell_quotas(struct live_net *net)
{
	for (struct live_port *p = net->ports; p; p = p->hh.next) {
		uint64_t n = over_quota(p);

		if (n)
			log_warn("net=%s port=%s event=over-quota refused=%llu sockets=%u", net->name, p->name, (unsigned long long)n,
				 budget_of(p->id));
	}
}

void live_nat_stop(struct live_net *net)
{
	if (!net->nat_state)
		return;
	while (!nat_stop(net->nat_state))
		usleep(POLL_US);	/* a worker's inbox was full; it empties it every turn */
	while (!nat_stopped(net->nat_state))
		usleep(POLL_US);
}

void live_nat_free(struct live_net *net)
{
	live_kernel_free(net);
	nat_free(net->nat_state);
	gateway_free(net->gateway_state);
	host_gateway_free(net->host_gateway);
}
