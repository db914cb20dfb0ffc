// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/live_clock.h"
#include "ctl/live_dns.h"
#include "ctl/live_dns_host.h"
#include "dhcp/lease.h"
#include "dhcp/service.h"
#include "switch/route6.h"
#include "switch/station.h"
#include "switch/vlan.h"

/* A guest that is alone can have found nobody but itself at an address that it declines: that rests for a minute alone. */
enum { STATIONS = 4096, LEASE_CHECK_MAX_S = 3600, ALONE_DECLINE_S = 60 };

/* ---- DHCP ---- */

static void on_lease_timer(evutil_socket_t fd, short what, void *arg)
{
	struct live_segment *seg = arg;

	(void)fd, (void)what;
	live_clock_look(seg->net->engine);
	live_segment_arm(seg);
}

/* live_segment_arm() - end what is due, and come back when the next lease ends */
void live_segment_arm(struct live_segment *seg)
{
	int64_t now = (int64_t)(clock_wall_ms() / 1000), next;
	struct timeval tv = { .tv_sec = LEASE_CHECK_MAX_S };

	if (!seg->lease_timer)
		return;
	next = seg->leases ? lease_expire(seg->leases, now) : LEASE_NEVER;
	if (seg->leases6)
		next = MIN_OF(next, lease6_expire(seg->leases6, now));
	if (next != LEASE_NEVER && next - now < LEASE_CHECK_MAX_S)
		tv.tv_sec = next > now ? next - now : 1;
	event_add(seg->lease_timer, &tv);
}

/* reserve_all() - those without an address or inside the subnet; on a segment of one port not those of other ports: each of them may have
 * the same address pinned. Their names are made again when the tables know them, too.
 */
static void reserve_all(struct live_segment *seg)
{
	const struct net_conf *net = seg->net->conf;
	struct dhcp_reservation *of = calloc(net->nreservations ? net->nreservations : 1, sizeof(*of));
	size_t n = 0;

	lease_names_forget(seg);
	lease6_names_forget(seg);
	seg->nnamed = 0;
	for (size_t i = 0; of && i < net->nreservations; i++) {
		const struct dhcp_reservation *r = &net->reservations[i].of;

		if ((!r->ip || prefix4_has(seg->conf->subnet, r->ip)) &&
		    (!seg->only || r->key != GUEST_PORT || !strcmp(r->name, seg->only->name)))
			of[n++] = *r;
		seg->nnamed += r->hostname[0] != '\0';
	}
	reservations_free(seg->reservations);
	free(seg->reserved);
	seg->reserved = of;
	seg->nreserved = n;
	seg->reservations = of ? reservations_new(of, n) : NULL;
	if (!seg->reservations)
		log_warn("net=%s event=reservations-failed reason=\"out of memory\"", seg->net->name);
}

/* classify() - the classes of the model, each with the number of its pool: 0, everybody's, where it has none of its own */
static void classify(struct live_segment *seg)
{
	const struct class_list *list = &seg->conf->dhcp.classes;
	struct dhcp_class *of = calloc(list->n ? list->n : 1, sizeof(*of));

	for (size_t i = 0; of && i < list->n; i++) {
		of[i] = list->of[i].class;
		of[i].pool = list->of[i].pool.n ? (unsigned)i + 1 : 0;
	}
	free(seg->classes);
	seg->classes = of;
	if (!of)
		log_warn("net=%s event=classes-failed reason=\"out of memory\"", seg->net->name);
}

static int by_first(const void *a, const void *b)
{
	const struct lease_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void add_pool(struct lease_conf *leases, const struct pool_conf *pool, unsigned number)
{
	for (unsigned i = 0; i < pool->n && leases->nranges < LEASE_RANGES_MAX; i++)
		leases->ranges[leases->nranges++] = (struct lease_range){ pool->of[i].first, pool->of[i].last, number };
}

static void fill_pools(const struct net_conf *conf, struct lease_conf *leases)
{
	add_pool(leases, &conf->pool, 0);
	for (size_t i = 0; i < conf->dhcp.classes.n; i++)
		add_pool(leases, &conf->dhcp.classes.of[i].pool, (unsigned)i + 1);
	qsort(leases->ranges, leases->nranges, sizeof(leases->ranges[0]), by_first);
}

static void fill_dhcp(struct live_segment *seg, struct lease_conf *leases)
{
	const struct net_conf *conf = seg->conf;

	*leases = (struct lease_conf){
		.subnet = conf->subnet, .reservations = seg->reservations, .excluded = { conf->gateway, conf->dns }, .nexcluded = 2,
		.quota = conf->lease_quota, .declines = conf->lease_declines,
		.taken = seg->only ? NULL : live_conflict_taken, .taken_arg = seg, .one_guest = seg->only, .decline_s = conf->dhcp.probation_s ? conf->dhcp.probation_s : seg->only ? ALONE_DECLINE_S : 0,
	};
	fill_pools(conf, leases);
	seg->server.leases = seg->leases;
	seg->server.conf = (struct dhcp_conf){
		.subnet = conf->subnet, .server_ip = conf->gateway, .router = conf->has_router ? conf->gateway : 0,
		.dns = conf->dns_enabled ? conf->dns : 0, .mtu = (uint16_t)conf->mtu, .lease_s = conf->lease_s,
		.lease_min_s = conf->dhcp.min_s, .lease_max_s = conf->dhcp.max_s, .rapid_commit = conf->dhcp.rapid_commit,
		.bootp = conf->dhcp.bootp, .boot = net_boot(conf), .says.options = conf->dhcp.options, .reservations = seg->reservations,
		.classes = seg->classes, .nclasses = seg->classes ? (unsigned)conf->dhcp.classes.n : 0,
	};
	memcpy(seg->server.conf.domain, conf->domain, sizeof(seg->server.conf.domain));
}

static int start_dhcp(struct live_segment *seg)
{
	struct lease_conf conf;

	fill_dhcp(seg, &conf);
	seg->leases = lease_table_new(&conf, lease_changed, seg);
	return seg->leases ? 0 : -ENOMEM;
}

uint32_t live_segment_guest(const struct live_segment *seg)
{
	const struct reservation_conf *pinned;

	if (!seg->only || !seg->leases)
		return 0;
	pinned = net_port_reservation(seg->net->conf, seg->only->name);
	return pinned ? pinned->of.ip : seg->conf->pool.of[0].first;
}

/* ---- names ---- */

static int start_names(struct live_segment *seg)
{
	struct live_net *net = seg->net;

	seg->names = names_new_within(net->names, seg->only);
	if (seg->names)
		names_on_change(seg->names, live_dns_host_changed, net);
	if (!seg->names)
		return -ENOMEM;
	live_dns_name_host(seg);
	if (!net->conf->dns_enabled)
		return 0;
	seg->zone = malloc(sizeof(*seg->zone));
	if (!seg->zone)
		return -ENOMEM;
	*seg->zone = *net->zone;
	seg->zone->subnet = seg->conf->subnet;
	seg->dns = dns_service_new(net->engine->requests, seg->zone, seg->names);
	return seg->dns ? 0 : -ENOMEM;
}

/* ---- life ---- */

struct live_segment *live_segment_new(struct live_net *net, struct live_port *only, uint16_t vid, const struct net_conf *conf)
{
	struct live_segment *seg = calloc(1, sizeof(*seg));
	int rc = 0;

	if (!seg)
		return NULL;
	seg->net = net;
	seg->only = only;
	seg->vid = vid;
	seg->conf = conf;
	LIST_INSERT_HEAD(&net->segments, seg, link);
	seg->stations = stations_new(only ? MAX_STATIONS_PER_PORT : STATIONS);
	if (net->names)
		rc = start_names(seg);
	if (rc == 0 && net->dhcp)
		seg->lease_timer = evtimer_new(net->engine->base, on_lease_timer, seg);
	if (rc == 0 && net->dhcp && conf->dhcp_enabled)
		rc = start_dhcp(seg);
	if (rc == 0 && net->dhcp && conf->subnet6.len)
		rc = live_segment6_start(seg);
	if (rc < 0 || !seg->stations || (net->dhcp && !seg->lease_timer)) {
		live_segment_free(seg);
		return NULL;
	}
	live_segment_configure(seg);
	return seg;
}

void live_segment_configure(struct live_segment *seg)
{
	struct lease_conf leases;
	bool had = seg->nnamed;

	if (seg->leases || seg->leases6) {
		reserve_all(seg);
		classify(seg);
	}
	if (seg->leases6)
		live_segment6_configure(seg);
	if (seg->leases) {
		fill_dhcp(seg, &leases);
		lease_table_configure(seg->leases, &leases, (int64_t)(clock_wall_ms() / 1000));
	}
	lease_names_again(seg);
	lease6_names_again(seg, had);
	live_segment_arm(seg);
}

void live_segments_wait(const struct live_port *p)
{
	while (p && !(p->segment && p->segment->only))
		p = p->next_leaving;
	if (p)
		urcu_qsbr_synchronize_rcu();
}

void live_segment_free(struct live_segment *seg)
{
	if (!seg)
		return;
	LIST_REMOVE(seg, link);
	if (seg->lease_timer)
		event_free(seg->lease_timer);
	lease_table_free(seg->leases);
	lease6_table_free(seg->leases6);
	routes6_free(seg->routes6);
	reservations_free(seg->reservations);
	free(seg->reserved);
	free(seg->classes);
	free(seg->dns);
	if (seg->names)
		names_free(seg->names);
	free(seg->zone);
	stations_free(seg->stations);
	free(seg);
}
