// SPDX-License-Identifier: GPL-2.0-or-later
/* Leases and what follows them: the durable store, the guest's name, and where its address lives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/state.h"
#include "dhcp/lease.h"
#include "dhcp/names.h"
#include "switch/station.h"
#include "switch/vlan.h"

static void to_state(struct state_lease *to, const struct live_net *net, const struct lease_record *from)
{
	memset(to, 0, sizeof(*to));
	memcpy(to->net, net->name, sizeof(to->net));
	to->vid = VID_DEFAULT;
	to->ip = from->ip;
	memcpy(to->port, from->port, sizeof(to->port));
	memcpy(to->mac, from->mac, MAC_SIZE);
	to->state = from->state;
	to->client_id_len = from->client_id_size;
	memcpy(to->client_id, from->client_id, from->client_id_size);
	memcpy(to->hostname, from->hostname, sizeof(to->hostname));
	to->expires_s = from->expires_wall_s;
}

static void from_state(struct lease_record *to, const struct state_lease *from)
{
	memset(to, 0, sizeof(*to));
	memcpy(to->port, from->port, sizeof(to->port));
	memcpy(to->mac, from->mac, MAC_SIZE);
	to->state = from->state;
	to->client_id_size = from->client_id_len;
	to->ip = from->ip;
	to->expires_wall_s = from->expires_s;
	memcpy(to->hostname, from->hostname, sizeof(to->hostname));
	memcpy(to->client_id, from->client_id, from->client_id_len);
}

void lease_names(struct live_net *net, const struct lease_record *r)
{
	struct live_port *p;
	struct station s = { .ip = addr4(r->ip), .source = STATION_DHCP, .seen_ms = clock_now_ms() };

	HASH_FIND_STR(net->ports, r->port, p);
	if (r->state != LEASE_BOUND || !p) {
		struct lease_record other;

		station_forget(net->stations, addr4(r->ip));
		names_remove_host_at(net->names, r->port, r->ip);
		if (lease_find_port(net->leases, r->port, &other) == 0)
			names_set_host(net->names, r->port, other.ip);	/* it may hold several */
		return;
	}
	s.port = p->id;
	memcpy(s.mac, r->mac, MAC_SIZE);
	station_note(net->stations, &s, true);
	names_set_host(net->names, r->port, r->ip);
}

void lease_store_put(struct live_net *net, const struct lease_record *record, state_done_fn *done, void *arg)
{
	struct state_lease row;

	to_state(&row, net, record);
	state_put_lease(net->engine->state, &row, done, arg);
}

static void note_store(void *arg, const struct error *err)
{
	struct engine *e = arg;

	if (err->rc < 0 && e->store_ok)
		log_error("event=store-failed reason=\"%s\"", err->message);
	else if (err->rc == 0 && !e->store_ok)
		log_info("event=store-recovered");
	e->store_ok = err->rc == 0;
}

/* A lease ended, was displaced or taken away: the store learns of it without hurry. */
void lease_changed(void *arg, const struct lease_record *record)
{
	struct live_net *net = arg;
	char ip[IP4_TEXT];

	lease_store_put(net, record, note_store, net->engine);
	if (record->state != LEASE_BOUND) {
		station_forget(net->stations, addr4(record->ip));
		names_remove_host_at(net->names, record->port, record->ip);
	}
	if (net->engine->api)
		api_event(net->engine->api, net->name, record->port,
			  json_pack("{s:s s:s}", "event", "lease-ended", "ip", ip4_format(record->ip, ip)));
}

/* rows - leases as loaded, in the order of their ends (lease_load() wants it so) */
struct rows {
	struct state_lease *rows;
	size_t n, room;
};

static void collect(void *arg, const struct state_lease *lease)
{
	struct rows *r = arg;

	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 64;
		struct state_lease *rows = realloc(r->rows, room * sizeof(*rows));

		if (!rows)
			return;		/* such a guest is adopted when it renews */
		r->rows = rows;
		r->room = room;
	}
	r->rows[r->n++] = *lease;
}

static int by_end(const void *a, const void *b)
{
	const struct state_lease *x = a, *y = b;

	return x->expires_s < y->expires_s ? -1 : x->expires_s > y->expires_s;
}

/* load_rows() - into the tables of their networks; what does not fit any more is forgotten */
static void load_rows(struct engine *e, struct rows *rows)
{
	if (rows->n)
		qsort(rows->rows, rows->n, sizeof(*rows->rows), by_end);
	for (size_t i = 0; i < rows->n; i++) {
		struct live_net *net = live_net_find(e, rows->rows[i].net);
		struct lease_record r;

		if (!net || !net->leases)
			continue;
		from_state(&r, &rows->rows[i]);
		/* a transient port's client is about to attach again: a lease that is bound waits for it as that of a port */
		if (lease_load(net->leases, &r, r.state == LEASE_BOUND || net_port(net->conf, r.port)) == 0)
			lease_names(net, &r);
	}
	free(rows->rows);
}

/* inheritance - the rows of one network */
struct inheritance {
	struct rows rows;
	const struct live_net *from;
};

static void collect_record(void *arg, const struct lease_record *record)
{
	struct inheritance *in = arg;
	struct state_lease row;

	to_state(&row, in->from, record);
	collect(&in->rows, &row);
}

void lease_inherit(struct live_net *net, const struct live_net *from)
{
	struct inheritance in = { .from = from };

	if (!net->leases || !from->leases)
		return;
	lease_each(from->leases, collect_record, &in);
	load_rows(net->engine, &in.rows);
}

void lease_store_load(struct engine *e)
{
	struct rows rows = { 0 };
	struct error err = { 0 };

	if (state_load_leases(e->state, collect, &rows, &err) < 0)
		log_error("event=leases-not-loaded reason=\"%s\"", err.message);
	load_rows(e, &rows);
}
