// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_dns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/engine.h"
#include "ctl/guest_in.h"
#include "ctl/host_client.h"
#include "ctl/live_dns_host.h"
#include "ctl/live_dns_listen.h"
#include "ctl/live_dns_validate.h"
#include "ctl/live_records.h"
#include "dhcp/relay.h"
#include "dhcp/service.h"
#include "dhcp/upstream.h"

enum { UPSTREAM_LINGER_S = 10 };	/* a relayed query ends within four seconds */

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLVED_TELLS "/run/systemd/resolve/resolv.conf"	/* systemd-resolved writes it anew whenever its resolvers or domains change */

void live_dns_name_host(struct live_segment *seg)
{
	const struct dns_name *origin = &seg->net->zone->origin;
	char ip[ADDR_TEXT];
	struct dns_name owner;
	struct dns_record record;

	if (dns_owner_parse(&owner, "host", origin) < 0)
		return;
	if (dns_record_parse(&record, RECORD_A, ip4_format(seg->conf->gateway, ip), origin) == 0)
		names_add(seg->names, &owner, &record);
	if (seg->conf->subnet6.len && dns_record_parse(&record, RECORD_AAAA, addr_format(seg->conf->gateway6, ip), origin) == 0)
		names_add(seg->names, &owner, &record);
}

/* open_resolv() - by the keeper: /etc and what it leads to is closed to us, see ctl/confine.h */
static int open_resolv(void *host, const char *path)
{
	(void)path;
	return host_open_resolv(host);
}

static int start_relay(struct live_net *net)
{
	net->upstream = upstream_new(net->engine->base, RESOLV_CONF);
	if (!net->upstream)
		return -ENOMEM;
	upstream_set_watched(net->upstream, RESOLVED_TELLS);
	upstream_set_open(net->upstream, open_resolv, net->engine->host);
	net->relay = relay_new(net->upstream, RELAY_CACHE_BYTES);
	return net->relay ? 0 : -ENOMEM;
}

int live_dns_start(struct live_net *net)
{
	const struct net_conf *conf = net->conf;

	net->zone = calloc(1, sizeof(*net->zone));
	if (!net->zone || dns_zone_init(net->zone, conf->domain, conf->subnet, conf->has_router) < 0)
		return -ENOMEM;
	net->names = names_new(&net->zone->origin);
	if (!net->names)
		return -ENOMEM;
	names_on_change(net->names, live_dns_host_changed, net);
	if (!conf->dns_enabled)
		return 0;
	return conf->has_router ? start_relay(net) : 0;
}

/* ---- settings ---- */

static void configure_upstreams(struct live_net *net)
{
	const struct net_conf *conf = net->conf;
	char texts[UPSTREAMS_MAX][RESOLVER_TEXT];
	const char *list[UPSTREAMS_MAX];

	for (unsigned i = 0; i < conf->nupstreams; i++)
		list[i] = endpoint_resolver(&conf->upstreams[i], texts[i]);
	if (upstream_set_resolvers(net->upstream, list, conf->nupstreams) < 0 || upstream_set_routes(net->upstream, conf->dns_routes) < 0)
		log_warn("net=%s event=resolvers-refused", net->name);
}

static void configure_relay(struct live_net *net)
{
	const struct net_conf *conf = net->conf;
	struct relay_conf relay = {
		.cache_bytes = (size_t)conf->relay.cache_kb * 1024, .share = conf->relay.queries, .trust_ad = conf->relay.trust_ad,
		.rebind = { .protect = conf->relay.rebind_protect, .own = conf->subnet, .own6 = conf->subnet6 },
	};

	strcpy(relay.rebind.allow, conf->relay.rebind_allow);
	live_dns_validate_configure(net, &relay);
	relay_configure(net->relay, &relay);
	live_dns_validate_end(net);
	upstream_set_share(net->upstream, conf->relay.queries);
	upstream_set_case_random(net->upstream, conf->relay.case_random);
}

void live_dns_configure(struct live_net *net)
{
	if (!net->names)
		return;
	live_records_configure(net);
	if (net->upstream) {
		upstream_set_device(net->upstream, net->conf->has_nat ? net->conf->uplink : "");
		configure_upstreams(net);
		configure_relay(net);
	}
	live_dns_host_configure(net);
	live_dns_listen_configure(net);
}

/* ---- the end ---- */

struct ending {
	struct upstream *upstream;
	struct relay *relay;
};

static void end_relay(evutil_socket_t fd, short what, void *arg)
{
	struct ending *e = arg;

	(void)fd, (void)what;
	upstream_free(e->upstream);
	relay_free(e->relay);
	free(e);
}

const char *live_dns_guest(const struct live_port *p, char name[DNS_NAME_TEXT])
{
	const struct name_set *set;
	struct dns_name owner;

	if (!p->segment || !p->segment->names || !p->segment->zone || dns_owner_parse(&owner, p->name, &p->segment->zone->origin) < 0)
		return NULL;
	dns_name_lower(&owner);
	set = names_find(p->segment->names, &owner);
	for (unsigned i = 0; set && i < set->n; i++)
		if (set->records[i].host)
			return dns_name_to_text(&owner, name);
	return NULL;
}

/* Without memory for the little that it takes to free it, it stays. */
void live_dns_stop(struct live_net *net)
{
	struct timeval linger = { .tv_sec = UPSTREAM_LINGER_S };
	struct ending *e = net->upstream ? malloc(sizeof(*e)) : NULL;

	guest_dns_end(net);
	live_dns_host_stop(net);
	live_dns_listen_stop(net);
	if (e) {
		*e = (struct ending){ net->upstream, net->relay };
		event_base_once(net->engine->base, -1, EV_TIMEOUT, end_relay, e, &linger);
	}
	free(net->records);
	names_free(net->names);
	free(net->zone);
}
