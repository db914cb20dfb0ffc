// SPDX-License-Identifier: GPL-2.0-or-later
/* A network at run time: its tables, its gateway and its services. live_net_free() is called only when the network has
 * left the published snapshot and every worker has moved on (apply_commit()). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/live_dns.h"
#include "ctl/live_nat.h"
#include "ctl/live_ra.h"
#include "dhcp/lease.h"
#include "dhcp/service.h"
#include "switch/fdb.h"
#include "switch/forward.h"
#include "switch/local.h"
#include "switch/port.h"
#include "switch/station.h"

enum {
	FDB_ENTRIES = 16384,
	FDB_AGE_MS = 300000,		/* 802.1Q-2018 table 8-9: the default ageing time */
	STATIONS = 4096,
	LEASE_CHECK_MAX_S = 3600,
};

struct live_net *live_net_find(struct engine *e, const char *name)
{
	struct live_net *net;

	HASH_FIND_STR(e->nets, name, net);
	return net;
}

struct live_net *live_net_by_id(struct engine *e, uint32_t net_id)
{
	struct live_net *net = e->nets;

	while (net && net->net_id != net_id)
		net = net->hh.next;
	return net;
}

/* ---- DHCP ---- */

static void on_lease_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	live_net_arm_leases(arg);
}

/* live_net_arm_leases() - end what is due, and come back when the next lease ends */
void live_net_arm_leases(struct live_net *net)
{
	int64_t now = (int64_t)(clock_wall_ms() / 1000), next;
	struct timeval tv = { .tv_sec = LEASE_CHECK_MAX_S };

	if (!net->leases)
		return;
	next = lease_expire(net->leases, now);
	if (next != LEASE_NEVER && next - now < LEASE_CHECK_MAX_S)
		tv.tv_sec = next > now ? next - now : 1;
	if (net->lease_timer)
		event_add(net->lease_timer, &tv);
}

static void reserve_all(struct live_net *net)
{
	const struct net_conf *conf = net->conf;

	lease_unreserve_all(net->leases);
	for (size_t i = 0; i < conf->nreservations; i++) {
		const struct reservation_conf *r = &conf->reservations[i];
		int rc = lease_reserve(net->leases, r->port, r->ip);

		if (rc < 0)
			log_warn("net=%s port=%s event=reservation-failed reason=\"%s\"", net->name, r->port, strerror(-rc));
	}
}

static void fill_dhcp(struct live_net *net, struct lease_conf *leases)
{
	const struct net_conf *conf = net->conf;

	*leases = (struct lease_conf){
		.subnet = conf->subnet, .first = conf->pool_first, .last = conf->pool_last,
		.excluded = { conf->gateway }, .nexcluded = 1,
	};
	net->server.leases = net->leases;
	net->server.conf = (struct dhcp_conf){
		.subnet = conf->subnet, .server_ip = conf->gateway, .router = conf->has_router ? conf->gateway : 0,
		.dns = conf->dns_enabled ? conf->gateway : 0, .mtu = (uint16_t)conf->mtu, .lease_s = conf->lease_s,
	};
	memcpy(net->server.conf.domain, conf->domain, sizeof(net->server.conf.domain));
}

static int start_dhcp(struct live_net *net)
{
	struct lease_conf conf;

	fill_dhcp(net, &conf);
	net->leases = lease_table_new(&conf, lease_changed, net);
	net->server.leases = net->leases;
	net->dhcp = net->leases ? dhcp_service_new(net->engine->requests) : NULL;
	net->lease_timer = evtimer_new(net->engine->base, on_lease_timer, net);
	return net->dhcp && net->lease_timer ? 0 : -errno;
}

/* ---- life ---- */

static int start_local(struct live_net *net)
{
	struct engine *e = net->engine;
	static const struct port_conf local_conf = { .name = "@gateway", .link_up = true };

	net->local.net = net;
	net->local.conf = &local_conf;
	net->local.listener = -1;
	net->local.port = local_new(e->nworkers);
	for (net->local.id = 0; net->local.id < PORT_IDS && e->by_id[net->local.id]; net->local.id++)
		;
	if (!net->local.port || net->local.id == PORT_IDS)
		return -ENOMEM;
	net->local.port->id = net->local.id;
	e->by_id[net->local.id] = &net->local;
	return 0;
}

static int start_services(struct live_net *net)
{
	const struct net_conf *conf = net->conf;
	int rc = 0;

	if (!conf->has_subnet)
		return 0;
	mac_from_names(net->name, "@gateway", net->gateway_mac);	/* no port can have that name */
	if (conf->dhcp_enabled)
		rc = start_dhcp(net);
	if (rc == 0)
		rc = live_dns_start(net);
	if (rc == 0)
		rc = live_nat_start(net);
	if (rc == 0)
		rc = live_ra_start(net);
	return rc;
}

static void tell(const struct live_net *net, const char *event)
{
	log_info("net=%s event=%s", net->name, event);
	if (net->engine->api)
		api_event(net->engine->api, net->name, NULL, json_pack("{s:s s:i}", "event", event, "owner", (int)net->owner));
}

struct live_net *live_net_new(struct engine *e, const struct net_conf *conf)
{
	struct live_net *net = alloc_zeroed(_Alignof(struct live_net), sizeof(*net));

	if (!net)
		return NULL;
	snprintf(net->name, sizeof(net->name), "%s", conf->name);
	net->engine = e;
	net->conf = conf;
	net->net_id = ++e->next_net_id;
	net->owner = conf->owner;
	net->fdb = fdb_new(FDB_ENTRIES, PORT_IDS, FDB_AGE_MS);
	net->stations = stations_new(STATIONS);
	if (!net->fdb || !net->stations || start_local(net) < 0 || start_services(net) < 0) {
		log_error("net=%s event=network-failed reason=\"out of memory\"", net->name);
		live_net_free(net);
		return NULL;
	}
	HASH_ADD_STR(e->nets, name, net);
	live_net_configure(net, conf);
	tell(net, "network-added");
	return net;
}

void live_net_configure(struct live_net *net, const struct net_conf *conf)
{
	struct lease_conf leases;

	net->conf = conf;
	if (net->leases) {
		fill_dhcp(net, &leases);
		lease_table_configure(net->leases, &leases, (int64_t)(clock_wall_ms() / 1000));
		reserve_all(net);
		live_net_arm_leases(net);
	}
	live_dns_configure(net);
	live_nat_configure(net);
}

void live_net_free(struct live_net *net)
{
	live_ra_free(net);
	live_nat_free(net);
	live_dns_stop(net);
	if (net->lease_timer)
		event_free(net->lease_timer);
	lease_table_free(net->leases);
	free(net->dhcp);
	if (net->local.port) {
		net->engine->by_id[net->local.id] = NULL;
		net->local.port->ops->free(net->local.port);
	}
	fdb_free(net->fdb);
	stations_free(net->stations);
	tell(net, "network-removed");
	free(net);
}
