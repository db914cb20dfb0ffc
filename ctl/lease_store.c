// SPDX-License-Identifier: GPL-2.0-or-later
/* Leases in the durable store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/guest_in.h"
#include "ctl/live_guard.h"
#include "ctl/state.h"
#include "dhcp/expiry.h"
#include "dhcp/lease.h"
#include "switch/station.h"

/* lease_waiting - mode nat: the lease of a port that is not there, but may attach again */
struct lease_waiting {
	struct lease_waiting *next;
	struct lease_record record;
};

uint64_t lease_stored_as(const struct live_segment *seg, const char *port)
{
	if (seg && !seg->only)
		return seg->vid;
	return (hash_bytes(port, strlen(port), 0x7365676d656e74ull) & INT64_MAX) | (uint64_t)1 << 62;
}

static void to_state(struct state_lease *to, const struct live_segment *seg, const struct lease_record *from)
{
	memset(to, 0, sizeof(*to));
	memcpy(to->net, seg->net->name, sizeof(to->net));
	to->segment = lease_stored_as(seg, from->port);
	to->ip = from->ip;
	memcpy(to->port, from->port, sizeof(to->port));
	memcpy(to->mac, from->mac, MAC_SIZE);
	to->state = from->state;
	to->client_id_len = from->client_id_size;
	memcpy(to->client_id, from->client_id, from->client_id_size);
	to->circuit_len = from->circuit_size;
	memcpy(to->circuit, from->circuit, from->circuit_size);
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
	to->circuit_size = from->circuit_len;
	memcpy(to->circuit, from->circuit, from->circuit_len);
}

void lease_store_put(struct live_segment *seg, const struct lease_record *record, state_done_fn *done, void *arg)
{
	struct state_lease row;

	to_state(&row, seg, record);
	state_put_lease(seg->net->engine->state, &row, done, arg);
}

static void drop_row(void *arg, const struct lease_record *record)
{
	struct live_segment *seg = arg;

	state_remove_lease(seg->net->engine->state, seg->net->name, lease_stored_as(seg, record->port), record->ip, NULL, NULL);
}

void lease_store_drop(struct live_segment *seg)
{
	if (seg->leases)
		lease_each(seg->leases, drop_row, seg);
}

static void note_store(void *arg, const struct error *err)
{
	guest_stored(arg, err);
}

static void put_again(void *arg, const struct lease_record *record)
{
	struct live_segment *seg = arg;

	lease_store_put(seg, record, note_store, seg->net->engine);
}

void lease_store_again(struct live_segment *seg)
{
	if (seg->leases)
		lease_each(seg->leases, put_again, seg);
	lease6_store_again(seg);
}

/* A lease ended, was displaced or taken away: the store learns of it without hurry. */
void lease_changed(void *arg, const struct lease_record *record)
{
	struct live_segment *seg = arg;
	struct live_net *net = seg->net;
	struct live_port *p;
	char ip[IP4_TEXT];

	lease_store_put(seg, record, note_store, net->engine);
	if (record->state != LEASE_BOUND) {
		station_forget(seg->stations, addr4(record->ip));
		lease_names_end(seg, record);
		HASH_FIND_STR(net->ports, record->port, p);
		if (p)
			live_guard_leases(p);
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

/* segment_of_row() - the one that a lease belongs to now; NULL: that of a port which is not there */
static struct live_segment *segment_of_row(const struct live_net *net, const struct state_lease *row)
{
	struct live_segment *seg;
	struct live_port *p;

	LIST_FOREACH(seg, &net->segments, link)
		if (!seg->only && !seg->leaving && seg->vid == row->segment)
			return seg;
	if (net->segment)
		return net->segment;
	HASH_FIND_STR(net->ports, row->port, p);
	return p ? p->segment : NULL;
}

/* keep_waiting() - a transient port's client may be about to attach again. Return: is there a reason to keep the lease? */
static bool keep_waiting(struct live_net *net, const struct lease_record *r)
{
	struct lease_waiting *w = NULL;

	if (r->state == LEASE_BOUND && r->expires_wall_s > (int64_t)(clock_wall_ms() / 1000))
		w = malloc(sizeof(*w));
	if (!w)
		return false;
	*w = (struct lease_waiting){ net->waiting, *r };
	net->waiting = w;
	return true;
}

/* place_record() - into the table of its segment. Return: does it fit? */
static bool place_record(struct live_net *net, struct live_segment *seg, const struct lease_record *r)
{
	if (!seg)
		return keep_waiting(net, r);
	/* as above: a lease that is bound waits for a transient port as for any */
	if (!seg->leases || lease_load(seg->leases, r, r->state == LEASE_BOUND || net_port(net->conf, r->port)) < 0)
		return false;
	lease_names(seg, r);
	return true;
}

/* load_row() - one that was stored for another segment is moved, and one that does not fit there forgotten */
static void load_row(struct engine *e, const struct state_lease *row)
{
	struct live_net *net = live_net_find(e, row->net);
	struct live_segment *seg = net ? segment_of_row(net, row) : NULL;
	struct lease_record r;
	struct state_lease moved;
	bool fits;

	if (!net)
		return;
	from_state(&r, row);
	fits = place_record(net, seg, &r);
	if (row->segment == lease_stored_as(seg, r.port) && (fits || seg))
		return;
	state_remove_lease(e->state, row->net, row->segment, row->ip, NULL, NULL);
	moved = *row;
	moved.segment = lease_stored_as(seg, r.port);
	if (fits)
		state_put_lease(e->state, &moved, note_store, e);
}

void lease_store_recall(struct live_segment *seg)
{
	struct lease_waiting **at = &seg->net->waiting, *w;

	while ((w = *at)) {
		if (strcmp(w->record.port, seg->only->name) != 0) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		if (seg->leases)
			lease_load(seg->leases, &w->record, true);
		free(w);
	}
}

void lease_store_shift(struct live_net *net, int64_t by_s)
{
	for (struct lease_waiting *w = net->waiting; w; w = w->next)
		w->record.expires_wall_s = expiry_shifted(w->record.expires_wall_s, by_s);
}

void lease_store_forget(struct live_net *net)
{
	for (struct lease_waiting *w = net->waiting, *next; w; w = next) {
		next = w->next;
		free(w);
	}
}

/* load_rows() - into the tables of their segments; what does not fit any more is forgotten */
static void load_rows(struct engine *e, struct rows *rows)
{
	if (rows->n)
		qsort(rows->rows, rows->n, sizeof(*rows->rows), by_end);
	for (size_t i = 0; i < rows->n; i++)
		load_row(e, &rows->rows[i]);
	free(rows->rows);
}

/* inheritance - the rows of one network */
struct inheritance {
	struct rows rows;
	const struct live_segment *from;
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
	struct inheritance in = { .from = NULL };

	LIST_FOREACH(in.from, &from->segments, link)
		if (in.from->leases)
			lease_each(in.from->leases, collect_record, &in);
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
