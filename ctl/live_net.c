// SPDX-License-Identifier: GPL-2.0-or-later
/* A network at run time: its tables, its gateway and its services. live_net_free() is called only when the network has
 * left the published snapshot and every worker has moved on (apply_commit()). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/answers.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/live_boot.h"
#include "ctl/live_delegated.h"
#include "ctl/live_dns.h"
#include "ctl/live_hostif.h"
#include "ctl/live_loop.h"
#include "ctl/live_nat.h"
#include "ctl/live_policy.h"
#include "ctl/live_shape.h"
#include "ctl/live_peer.h"
#include "ctl/live_ra.h"
#include "ctl/live_snoop.h"
#include "ctl/live_wire.h"
#include "dhcp/service.h"
#include "switch/fdb.h"
#include "switch/recorder.h"
#include "switch/forward.h"
#include "switch/local.h"
#include "switch/port.h"
#include "switch/snoop.h"
#include "switch/vlan.h"

enum {
	FDB_AGE_MS = 300000,		/* 802.1Q-2018 table 8-9: the default ageing time */
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
	int rc;

	if (!conf->has_subnet)
		return 0;
	mac_from_names(net->name, "@gateway", net->gateway_mac);	/* no port can have that name */
	net->dhcp = dhcp_service_new(net->engine->requests);
	net->tftp = tftp_service_new(net->engine->requests);
	rc = net->dhcp && net->tftp ? live_dns_start(net) : -ENOMEM;
	if (rc == 0)
		rc = live_nat_start(net);
	if (rc == 0)
		rc = live_ra_start(net);
	return rc;
}

/* start_segment() - VLAN 1; where each port is to be alone it brings its own */
static int start_segment(struct live_net *net)
{
	if (net->conf->mode == NET_NAT)
		return 0;
	net->segment = live_segment_new(net, NULL, VID_DEFAULT, net->conf);
	return net->segment ? 0 : -ENOMEM;
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
	snprintf(net->name, sizeof(net->name), "%.63s", conf->name);
	net->engine = e;
	net->conf = conf;
	net->net_id = ++e->next_net_id;
	net->owner = conf->owner;
	net->fdb = fdb_new(conf->stations, PORT_IDS, FDB_AGE_MS);
	LIST_INIT(&net->segments);
	if (!net->fdb || live_loop_start(net) < 0 || start_local(net) < 0 || start_services(net) < 0 || start_segment(net) < 0 ||
	    (conf->mode == NET_BRIDGED && live_wire_start(net) < 0)) {
		log_error("net=%s event=network-failed reason=\"out of memory\"", net->name);
		live_net_free(net);
		return NULL;
	}
	HASH_ADD_STR(e->nets, name, net);
	live_net_configure(net, conf);
	tell(net, "network-added");
	return net;
}

/* resize() - another table in the place of the one that workers see; what they learn there meanwhile is taken over in live_net_settle().
 * Without memory the network goes on with the one it has. */
static void resize(struct live_net *net, uint32_t nstations)
{
	struct fdb *next = net->fdb_before ? NULL : fdb_new(nstations, PORT_IDS, FDB_AGE_MS);

	if (!next) {
		log_error("net=%s event=stations-failed reason=\"out of memory\"", net->name);
		return;
	}
	fdb_take_over(next, net->fdb, clock_now_ms());
	net->fdb_before = net->fdb;
	net->fdb = next;
}

void live_net_settle(struct engine *e)
{
	bool waited = false;

	for (struct live_net *net = e->nets; net; net = net->hh.next) {
		if (!net->fdb_before && !net->snoop_before)
			continue;
		if (!waited)
			urcu_qsbr_synchronize_rcu();	/* a turn of the workers at most */
		waited = true;
		if (net->fdb_before)
			fdb_catch_up(net->fdb, net->fdb_before, clock_now_ms());
		fdb_free(net->fdb_before);
		snoop_free(net->snoop_before);
		net->fdb_before = NULL;
		net->snoop_before = NULL;
	}
}

void live_net_configure(struct live_net *net, const struct net_conf *conf)
{
	uint32_t before = net->conf->stations;

	net->conf = conf;
	if (conf->stations != before)
		resize(net, conf->stations);
	live_snoop_configure(net);
	live_segments_configure(net);
	live_boot_configure(net);
	live_hostif_configured(net);
	live_delegated_configure(net);
	live_dns_configure(net);
	live_nat_configure(net);
	live_wire_renew(net);
}

void live_net_free(struct live_net *net)
{
	live_loop_free(net);
	live_snoop_free(net);
	live_wire_free(net);
	live_ra_free(net);
	live_delegated_free(net);
	live_nat_free(net);
	live_peer_free(net);
	live_segments_free(net);
	live_policy_net_free(net);
	live_shape_net_free(net);
	lease_store_forget(net);
	lease6_store_forget(net);
	live_dns_stop(net);
	live_boot_free(net);
	free(net->dhcp);
	free(net->tftp);
	if (net->local.port) {
		net->engine->by_id[net->local.id] = NULL;
		net->local.port->ops->free(net->local.port);
	}
	recorder_free(net->local.recorder);
	fdb_free(net->fdb_before);
	fdb_free(net->fdb);
	fdb_free(net->owners);
	answers_free(net->answers);
	tell(net, "network-removed");
	free(net);
}
