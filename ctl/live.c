// SPDX-License-Identifier: GPL-2.0-or-later
/* What the API is told about running objects (ctl/live.h). */
#include "ctl/live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_boot.h"
#include "ctl/live_dns.h"
#include "ctl/live_dns_host.h"
#include "ctl/live_host.h"
#include "ctl/state.h"
#include "ctl/version.h"
#include "dhcp/lease.h"
#include "nat/forward.h"
#include "nat/nat.h"
#include "switch/fdb.h"
#include "switch/forward.h"
#include "switch/port.h"
#include "switch/station.h"
#include "switch/vlan.h"

enum { FDB_SHOWN = 65536, STATIONS_SHOWN = MAX_STATIONS_PER_PORT };

const struct model *live_model(struct engine *e)
{
	return e->model;
}

static struct live_port *find_port(struct engine *e, const char *net_name, const char *name)
{
	struct live_net *net = live_net_find(e, net_name);
	struct live_port *p = NULL;

	if (net)
		HASH_FIND_STR(net->ports, name, p);
	return p;
}

static json_t *dhcp_counts(const struct live_net *net)
{
	json_t *counts = json_object();

	for (int i = 0; i < DHCP_OUT_COUNT; i++)
		if (net->dhcp_outcomes[i])
			json_object_set_new(counts, dhcp_outcome_name((enum dhcp_outcome)i),
					    json_integer((json_int_t)net->dhcp_outcomes[i]));
	return counts;
}

static json_t *dhcp6_counts(const struct live_net *net)
{
	json_t *counts = json_object();

	for (int i = 0; i < DHCP6_OUT_COUNT; i++)
		if (net->dhcp6_outcomes[i])
			json_object_set_new(counts, dhcp6_outcome_name((enum dhcp6_outcome)i),
					    json_integer((json_int_t)net->dhcp6_outcomes[i]));
	return counts;
}

static json_t *nat_counts(const struct live_net *net)
{
	struct nat_counts c;

	nat_count(net->nat_state, &c);
	return json_pack("{s:I s:I s:I s:I s:I s:I s:I}", "flows", (json_int_t)c.flows, "opened", (json_int_t)c.opened, "expired",
			 (json_int_t)c.expired, "resets", (json_int_t)c.resets, "retransmits", (json_int_t)c.retransmits,
			 "filtered", (json_int_t)c.filtered, "lost", (json_int_t)c.lost);
}

json_t *live_network(struct engine *e, const char *name)
{
	struct live_net *net = live_net_find(e, name);
	json_t *o = net ? json_object() : NULL;
	char mac[MAC_TEXT], ip[ADDR_TEXT];

	if (!o)
		return NULL;
	json_object_set_new(o, "warnings", live_host_warnings(net));
	if (net->conf->has_subnet) {
		json_object_set_new(o, "gateway_mac", json_string(mac_format(net->gateway_mac, mac)));
		if (net->nat_state)
			json_object_set_new(o, "nat_flows", nat_counts(net));
	}
	if (net_port(net->conf, HOST_PORT))
		json_object_set_new(o, "interface", json_string(net_port(net->conf, HOST_PORT)->ifname));
	if (live_dns_host_by(net))
		json_object_set_new(o, "host_names_by", json_string(live_dns_host_by(net)));
	if (net->conf->dns_enabled)
		json_object_set_new(o, "dns_address", json_string(ip4_format(net->conf->dns, ip)));
	if (net->conf->subnet6.len) {
		json_object_set_new(o, "gateway6", json_string(addr_format(net->conf->gateway6, ip)));
		json_object_set_new(o, "gateway6_link", json_string(addr_format(addr_link_local(net->gateway_mac), ip)));
	}
	if (net->dhcp) {
		json_object_set_new(o, "dhcp_messages", dhcp_counts(net));
		json_object_set_new(o, "dhcp6_messages", dhcp6_counts(net));
	}
	if (net->dhcp)
		json_object_set_new(o, "address_conflicts", json_integer((json_int_t)net->conflicts));
	if (net->boot)
		json_object_set_new(o, "tftp", live_boot_show(net));
	return o;
}

/* ---- ports ---- */

/* by_use() - the address that people mean comes first: IPv4, leased, seen last */
static int by_use(const void *a, const void *b)
{
	return station_better(b, a) - station_better(a, b);
}

static json_t *addresses(struct live_port *p)
{
	struct station list[STATIONS_SHOWN];
	const struct live_segment *seg;
	unsigned n = 0;
	json_t *array = json_array();
	uint64_t now = clock_now_ms();

	LIST_FOREACH(seg, &p->net->segments, link)
		if (!seg->only || seg->only == p)
			n += MIN_OF(stations_each(seg->stations, p->id, list + n, STATIONS_SHOWN - n), STATIONS_SHOWN - n);
	qsort(list, n, sizeof(*list), by_use);
	for (unsigned i = 0; i < n; i++) {
		char ip[ADDR_TEXT], mac[MAC_TEXT];
		json_int_t age = (json_int_t)((now - MIN_OF(now, list[i].seen_ms)) / 1000);

		json_array_append_new(array, json_pack("{s:s s:s s:s s:I}", "ip", addr_format(list[i].ip, ip), "mac",
						       mac_format(list[i].mac, mac), "source",
						       list[i].source == STATION_DHCP ? "dhcp" :
						       addr_is4(list[i].ip) ? "arp" : "nd", "age", age));
	}
	return array;
}

void live_port_sum(const struct live_port *p, struct port_stats *sum)
{
	struct port_stats both[2] = { p->past };

	if (p->port)
		stats_sum(p->port->stats, p->port->nstats, &both[1]);
	stats_sum(both, 2, sum);
}

static void put_count(json_t *o, const char *key, const counter *c)
{
	json_object_set_new(o, key, json_integer((json_int_t)counter_get(c)));
}

static json_t *stats_json(const struct port_stats *s)
{
	json_t *o = json_object();

	put_count(o, "rx_frames", &s->rx_frames);
	put_count(o, "rx_bytes", &s->rx_bytes);
	put_count(o, "queued", &s->queued);
	put_count(o, "tx_frames", &s->tx_frames);
	put_count(o, "tx_bytes", &s->tx_bytes);
	put_count(o, "tx_drops", &s->tx_drops);
	put_count(o, "segments", &s->segments);
	put_count(o, "mirrored", &s->mirrored);
	return o;
}

static json_t *verdicts_json(const struct port_stats *s)
{
	json_t *o = json_object();

	for (int v = 0; v < VERDICT_COUNT; v++)
		if (counter_get(&s->verdicts[v]))
			put_count(o, verdict_name((enum verdict)v), &s->verdicts[v]);
	return o;
}

json_t *live_port(struct engine *e, const char *net, const char *name)
{
	struct live_port *p = find_port(e, net, name);
	json_t *o = p ? json_object() : NULL;
	char dns[DNS_NAME_TEXT];
	struct port_stats sum;

	if (!o)
		return NULL;
	live_port_sum(p, &sum);
	json_object_set_new(o, "state", json_string(live_state_name(p->state)));
	json_object_set_new(o, "reason", json_string(p->reason));
	json_object_set_new(o, "medium", p->medium ? json_string(p->medium) : json_null());
	json_object_set_new(o, "transient", json_boolean(p->conf->transient));
	json_object_set_new(o, "addresses", addresses(p));
	json_object_set_new(o, "dns_name", live_dns_guest(p, dns) ? json_string(dns) : json_null());
	json_object_set_new(o, "stats", stats_json(&sum));
	json_object_set_new(o, "verdicts", verdicts_json(&sum));
	return o;
}

/* ---- forwards ---- */

static void add_counts(struct forward_counts *sum, const struct forward *forward)
{
	struct forward_counts c;

	forward_count(forward, &c);
	sum->hits += c.hits;
	sum->active += c.active;
	sum->refused += c.refused;
	sum->no_address += c.no_address;
}

void live_forward_sum(const struct live_forward *f, struct forward_counts *sum)
{
	*sum = (struct forward_counts){ 0 };
	for (unsigned i = 0; i < f->nlistens; i++)
		for (unsigned k = 0; k < f->listens[i].nforwards; k++)
			add_counts(sum, f->listens[i].forwards[k]);
}

json_t *live_forward(struct engine *e, const char *net_name, const char *id)
{
	struct live_net *net = live_net_find(e, net_name);
	struct live_forward *f = NULL;
	struct forward_counts sum;

	if (net)
		HASH_FIND_STR(net->forwards, id, f);
	if (!f)
		return NULL;
	live_forward_sum(f, &sum);
	return json_pack("{s:s s:s s:s s:I s:I s:I s:I}", "state", f->reason ? "pending" : "up", "reason",
			 f->reason ? f->reason : "", "hint", f->hint ? f->hint : "", "hits", (json_int_t)sum.hits, "active", (json_int_t)sum.active, "refused", (json_int_t)sum.refused,
			 "no_address", (json_int_t)sum.no_address);
}

/* ---- leases ---- */

static const char *lease_state_name(unsigned state)
{
	static const char *const names[] = { "offered", "bound", "expired", "released", "declined" };

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

static json_t *when_json(int64_t wall_s)
{
	char text[32];
	time_t t = (time_t)wall_s;
	struct tm tm;

	if (wall_s == LEASE_NEVER || !gmtime_r(&t, &tm))
		return json_string("never");
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

json_t *live_lease_tree(const struct live_lease *l)
{
	char mac[MAC_TEXT], id[2 * LEASE_CLIENT_ID_MAX + 1] = "";
	json_t *o = json_object();

	for (unsigned i = 0; i < l->id_size; i++)
		snprintf(id + 2 * i, 3, "%02x", l->id[i]);
	json_object_set_new(o, "ip", json_string(l->ip));
	json_object_set_new(o, "mac", json_string(mac_format(l->mac, mac)));
	json_object_set_new(o, "port", json_string(l->port));
	json_object_set_new(o, "hostname", json_string(l->hostname));
	json_object_set_new(o, "client_id", json_string(id));
	json_object_set_new(o, "state", json_string(lease_state_name(l->state)));
	json_object_set_new(o, "expires", when_json(l->expires_wall_s));
	if (!l->seg->only)
		json_object_set_new(o, "vid", json_integer(l->seg->vid));
	return o;
}

struct lease_list {
	json_t *array;
	const struct live_segment *seg;
};

static void add_lease(void *arg, const struct lease_record *r)
{
	const struct lease_list *list = arg;
	char ip[IP4_TEXT];
	struct live_lease l = {
		.seg = list->seg, .ip = ip4_format(r->ip, ip), .mac = r->mac, .port = r->port, .hostname = r->hostname, .id = r->client_id,
		.id_size = r->client_id_size, .state = r->state, .expires_wall_s = r->expires_wall_s,
	};

	json_array_append_new(list->array, live_lease_tree(&l));
}

json_t *live_leases(struct engine *e, const char *name)
{
	struct live_net *net = live_net_find(e, name);
	json_t *array = net ? json_array() : NULL;
	struct live_segment *seg;

	if (!array)
		return NULL;
	LIST_FOREACH(seg, &net->segments, link) {
		if (seg->leases && !seg->leaving)
			lease_each(seg->leases, add_lease, &(struct lease_list){ array, seg });
		if (seg->leases6 && !seg->leaving)
			live_leases6(seg, array);
	}
	return array;
}

/* lease_segment() - the one segment on which @port (NULL: anybody) has a lease of @ip; NULL: none, or *@several do */
static struct live_segment *lease_segment(struct live_net *net, const char *port, uint32_t ip, bool *several)
{
	struct live_segment *seg, *found = NULL;
	struct lease_record r;

	*several = false;
	LIST_FOREACH(seg, &net->segments, link) {
		if (!seg->leases || seg->leaving || lease_find(seg->leases, ip, &r) < 0 || (port && strcmp(r.port, port)))
			continue;
		*several = found;
		if (found)
			return NULL;
		found = seg;
	}
	return found;
}

void live_lease_free(struct engine *e, const char *name, const char *port, uint32_t ip, live_done_fn *done, void *arg)
{
	struct live_net *net = live_net_find(e, name);
	bool several = false;
	struct live_segment *seg = net ? lease_segment(net, port, ip, &several) : NULL;
	struct error err = { 0 };
	struct lease_record r;
	char text[IP4_TEXT];

	if (!seg || lease_free(seg->leases, ip, (int64_t)(clock_wall_ms() / 1000), &r) < 0) {
		if (several)
			error_set(&err, -EINVAL, "network %s: several guests have %s; say whose lease", name, ip4_format(ip, text));
		else
			error_set(&err, -ENOENT, "network %s: no lease of %s", name, ip4_format(ip, text));
		if (several)
			error_hint(&err, "lanyard lease rm %.63s/NAME", name);
		done(arg, &err);
		return;
	}
	lease_names(seg, &r);
	lease_store_put(seg, &r, done, arg);
}

/* ---- FDB and daemon ---- */

json_t *live_fdb(struct engine *e, const char *name)
{
	struct live_net *net = live_net_find(e, name);
	json_t *array = net ? json_array() : NULL;
	struct fdb_entry *list = array ? malloc(FDB_SHOWN * sizeof(*list)) : NULL;
	unsigned n = list ? fdb_each(net->fdb, clock_now_ms(), list, FDB_SHOWN) : 0;

	for (unsigned i = 0; i < MIN_OF(n, (unsigned)FDB_SHOWN); i++) {
		const struct live_port *p = list[i].port < PORT_IDS ? e->by_id[list[i].port] : NULL;
		char mac[MAC_TEXT];

		json_array_append_new(array, json_pack("{s:s s:i s:s s:s s:I s:i}", "mac", mac_format(list[i].mac, mac), "vid",
						       list[i].vid < VID_ALONE_FIRST ? list[i].vid : VID_DEFAULT, "port", p ? p->name : "", "origin",
						       list[i].origin == FDB_STATIC ? "static" : "learned", "age",
						       (json_int_t)list[i].age_s, "moves", list[i].moves));
	}
	free(list);
	return array;
}

json_t *live_daemon(struct engine *e)
{
	return json_pack("{s:s s:i s:i s:i s:i s:I s:i s:i s:o*}", "version", LANYARD_VERSION, "pid", (int)getppid(), "engine_pid",
			 (int)getpid(), "engine_restarts", e->restarts, "workers", (int)e->nworkers, "uptime",
			 (json_int_t)((clock_now_ms() - e->started_ms) / 1000), "api_version", 1, "uid", (int)e->uid,
			 "engine", live_confined(e));
}

void live_client(struct engine *e, int fd, uid_t uid)
{
	host_client(e->host, fd, uid);
}
