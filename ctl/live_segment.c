// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "base/clock.h"
#include "ctl/engine.h"
#include "dhcp/lease.h"
#include "dhcp/service.h"
#include "switch/station.h"
#include "switch/vlan.h"

/* A guest that is alone can have found nobody but itself at an address that it declines: that rests for a minute alone. */
enum { STATIONS = 4096, LEASE_CHECK_MAX_S = 3600, ALONE_DECLINE_S = 60 };

/* ---- DHCP ---- */

static void on_lease_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	live_segment_arm(arg);
}

/* live_segment_arm() - end what is due, and come back when the next lease ends */
void live_segment_arm(struct live_segment *seg)
{
	int64_t now = (int64_t)(clock_wall_ms() / 1000), next;
	struct timeval tv = { .tv_sec = LEASE_CHECK_MAX_S };

	if (!seg->leases)
		return;
	next = lease_expire(seg->leases, now);
	if (next != LEASE_NEVER && next - now < LEASE_CHECK_MAX_S)
		tv.tv_sec = next > now ? next - now : 1;
	if (seg->lease_timer)
		event_add(seg->lease_timer, &tv);
}

/* reserve_all() - of the network; on a segment of one port, its own: each of the others may have the same address pinned */
static void reserve_all(struct live_segment *seg)
{
	const struct net_conf *conf = seg->net->conf;

	lease_unreserve_all(seg->leases);
	for (size_t i = 0; i < conf->nreservations; i++) {
		const struct reservation_conf *r = &conf->reservations[i];
		int rc = 0;

		if (!seg->only || !strcmp(r->port, seg->only->name))
			rc = lease_reserve(seg->leases, r->port, r->ip);
		if (rc < 0)
			log_warn("net=%s port=%s event=reservation-failed reason=\"%s\"", seg->net->name, r->port, strerror(-rc));
	}
}

static void fill_dhcp(struct live_segment *seg, struct lease_conf *leases)
{
	const struct net_conf *conf = seg->net->conf;

	*leases = (struct lease_conf){
		.subnet = conf->subnet, .first = conf->pool_first, .last = conf->pool_last,
		.excluded = { conf->gateway, conf->dns }, .nexcluded = 2,
		.one_guest = seg->only, .decline_s = seg->only ? ALONE_DECLINE_S : 0,
	};
	seg->server.leases = seg->leases;
	seg->server.conf = (struct dhcp_conf){
		.subnet = conf->subnet, .server_ip = conf->gateway, .router = conf->has_router ? conf->gateway : 0,
		.dns = conf->dns_enabled ? conf->dns : 0, .mtu = (uint16_t)conf->mtu, .lease_s = conf->lease_s,
	};
	memcpy(seg->server.conf.domain, conf->domain, sizeof(seg->server.conf.domain));
}

static int start_dhcp(struct live_segment *seg)
{
	struct lease_conf conf;

	fill_dhcp(seg, &conf);
	seg->leases = lease_table_new(&conf, lease_changed, seg);
	seg->lease_timer = evtimer_new(seg->net->engine->base, on_lease_timer, seg);
	return seg->leases && seg->lease_timer ? 0 : -ENOMEM;
}

uint32_t live_segment_guest(const struct live_segment *seg)
{
	const struct reservation_conf *pinned;

	if (!seg->only || !seg->leases)
		return 0;
	pinned = net_reservation(seg->net->conf, seg->only->name);
	return pinned ? pinned->ip : seg->net->conf->pool_first;
}

/* ---- names ---- */

static int start_names(struct live_segment *seg)
{
	struct live_net *net = seg->net;

	seg->names = seg->only ? names_new_within(net->names) : net->names;
	if (!seg->names)
		return -ENOMEM;
	if (!net->conf->dns_enabled)
		return 0;
	seg->dns = dns_service_new(net->engine->requests, net->zone, seg->names);
	return seg->dns ? 0 : -ENOMEM;
}

/* ---- life ---- */

struct live_segment *live_segment_new(struct live_net *net, struct live_port *only)
{
	struct live_segment *seg = calloc(1, sizeof(*seg));
	int rc = 0;

	if (!seg)
		return NULL;
	seg->net = net;
	seg->only = only;
	seg->vid = only ? (uint16_t)(VID_ALONE_FIRST + only->id) : VID_DEFAULT;
	LIST_INSERT_HEAD(&net->segments, seg, link);
	seg->stations = stations_new(only ? MAX_STATIONS_PER_PORT : STATIONS);
	if (net->names)
		rc = start_names(seg);
	if (rc == 0 && net->dhcp)
		rc = start_dhcp(seg);
	if (rc < 0 || !seg->stations) {
		live_segment_free(seg);
		return NULL;
	}
	live_segment_configure(seg);
	return seg;
}

void live_segment_configure(struct live_segment *seg)
{
	struct lease_conf leases;

	if (!seg->leases)
		return;
	fill_dhcp(seg, &leases);
	lease_table_configure(seg->leases, &leases, (int64_t)(clock_wall_ms() / 1000));
	reserve_all(seg);
	live_segment_arm(seg);
}

void live_segment_leave(struct live_port *p)
{
	struct live_segment *seg = p->segment;

	seg->leaving = seg->only;
	if (seg->only && !p->net->replaced)
		lease_store_drop(seg);
	else if (seg->leases && !p->net->replaced)
		lease_port_gone(seg->leases, p->name, (int64_t)(clock_wall_ms() / 1000));
	if (seg->names)
		names_remove_host(seg->names, p->name);
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
	free(seg->dns);
	if (seg->names && seg->only)
		names_free(seg->names);
	stations_free(seg->stations);
	free(seg);
}
