// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCPv6 of a segment: the settings of its server and of its table. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/engine.h"
#include "dhcp/lease6.h"
#include "switch/forward.h"
#include "switch/route6.h"
#include "switch/station.h"

enum { ALONE_DECLINE_S = 60 };		/* as of IPv4: who is alone has found nobody but itself */

/* is_used() - what Neighbour Discovery told: somebody has this address, and it is not who asks */
static bool is_used(void *arg, struct addr a, const char *port, const uint8_t *mac)
{
	const struct live_segment *seg = arg;
	const struct live_port *p;
	struct station s;

	if (!station_find(seg->stations, a, &s) || s.source == STATION_DHCP)
		return false;
	p = s.port < PORT_IDS ? seg->net->engine->by_id[s.port] : NULL;
	return p && (strcmp(p->name, port) != 0 || memcmp(s.mac, mac, MAC_SIZE) != 0);
}

static void fill_table(const struct live_segment *seg, struct lease6_conf *to)
{
	const struct net_conf *conf = seg->conf;

	*to = (struct lease6_conf){
		.subnet = conf->subnet6, .delegated = conf->ip6.prefixes, .delegated_len = (uint8_t)conf->ip6.prefix_length,
		.gateway = conf->gateway6, .reservations = seg->reservations, .alone = live_segment_guest(seg), .quota = conf->lease_quota, .decline_s = seg->only ? ALONE_DECLINE_S : 0, .is_used = is_used,
	};
	if (conf->ip6.mode == DHCP6_STATEFUL) {
		to->first = be64toh(conf->ip6.pool[0].halves[1]);
		to->last = be64toh(conf->ip6.pool[1].halves[1]);
	}
}

static void fill_server(struct live_segment *seg)
{
	const struct net_conf *conf = seg->conf;
	struct dhcp6_conf *to = &seg->server6.conf;

	*to = (struct dhcp6_conf){
		.subnet = conf->subnet6, .lease_s = conf->lease_s, .gateway = conf->gateway6, .says.options6 = conf->ip6.options, .boot = net_boot(conf),
		.reservations = seg->reservations, .classes = seg->classes, .nclasses = seg->classes ? (unsigned)conf->dhcp.classes.n : 0,
	};
	dhcp6_server_duid(to, seg->net->gateway_mac);
	if (conf->dns_enabled)
		to->dns = conf->gateway6;
	memcpy(to->domain, conf->domain, sizeof(to->domain));
	memcpy(to->captive_portal, conf->ip6.captive_portal, sizeof(to->captive_portal));
	for (size_t i = 0; i < ARRAY_SIZE(conf->ip6.ntp) && conf->ip6.ntp[i].v6; i++)
		to->ntp[to->nntp++] = addr6(conf->ip6.ntp[i].ip);
	seg->server6.leases = seg->leases6;
}

int live_segment6_start(struct live_segment *seg)
{
	struct lease6_conf conf;

	fill_table(seg, &conf);
	seg->leases6 = lease6_table_new(&conf, lease6_changed, seg);
	seg->routes6 = routes6_new();
	return seg->leases6 && seg->routes6 ? 0 : -ENOMEM;
}

void live_segment6_configure(struct live_segment *seg)
{
	struct lease6_conf conf;

	fill_table(seg, &conf);
	lease6_table_configure(seg->leases6, &conf, (int64_t)(clock_wall_ms() / 1000));
	fill_server(seg);
}
