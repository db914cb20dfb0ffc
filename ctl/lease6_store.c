// SPDX-License-Identifier: GPL-2.0-or-later
/* Bindings of IPv6 addresses and prefixes, and what follows them: the durable store, names, stations, the guard of their port. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/guest_in.h"
#include "ctl/live_delegated.h"
#include "ctl/live_guard.h"
#include "ctl/state.h"
#include "dhcp/expiry.h"
#include "dhcp/lease6.h"
#include "switch/route6.h"
#include "switch/station.h"

/* lease6_waiting - mode nat: what the guest has of a port that is not there, but may attach again */
struct lease6_waiting {
	struct lease6_waiting *next;
	struct lease6_record record;
};

char *lease6_text(struct prefix6 place, char text[PREFIX6_TEXT])
{
	return place.len == 128 ? addr_format(place.addr, text) : prefix6_format(place, text);
}

/* ---- what follows ---- */

static void follow_address(struct live_segment *seg, struct live_port *p, const struct lease6_record *r)
{
	struct station s = { .ip = r->place.addr, .source = STATION_DHCP, .seen_ms = clock_now_ms() };

	if (r->state != LEASE_BOUND || !p) {
		station_forget(seg->stations, r->place.addr);
	} else {
		s.port = p->id;
		memcpy(s.mac, r->mac, MAC_SIZE);
		station_note(seg->stations, &s, true);
	}
	lease6_names(seg, r, r->state == LEASE_BOUND && p);
	if (p && seg->names)
		guest_names6(seg, p);
	if (p)
		live_guard_leases(p);
}

/* follow_prefix() - the gateway knows the way to what is behind a guest, and so does a host that is one; without memory it learns it when
 * the guest renews */
static void follow_prefix(struct live_segment *seg, const struct live_port *p, const struct lease6_record *r)
{
	struct route6 route = { .to = r->place };

	live_delegated_changed(seg->net);
	if (r->state != LEASE_BOUND || !p) {
		routes6_remove(seg->routes6, r->place);
		return;
	}
	route.port = p->id;
	route.via = r->via;
	memcpy(route.mac, r->mac, MAC_SIZE);
	routes6_set(seg->routes6, &route);
}

void lease6_follow(struct live_segment *seg, const struct lease6_record *r)
{
	struct live_port *p;

	HASH_FIND_STR(seg->net->ports, r->port, p);
	if (r->place.len == 128)
		follow_address(seg, p, r);
	else
		follow_prefix(seg, p, r);
}

/* ---- the store ---- */

static void note_store(void *arg, const struct error *err)
{
	guest_stored(arg, err);
}

void lease6_store_put(struct live_segment *seg, const struct lease6_record *records, unsigned n, void (*done)(void *arg, const struct error *err),
		      void *arg)
{
	state_put_leases6(seg->net->engine->state, seg->net->name, lease_stored_as(seg, records->port), records, n, done, arg);
}

/* forget() - a row that is of no use any more */
static void forget(struct engine *e, const char *net, uint64_t segment, const struct lease6_record *r)
{
	struct lease6_record over = *r;

	over.state = LEASE_RELEASED;
	state_put_leases6(e->state, net, segment, &over, 1, NULL, NULL);
}

static void put_again(void *arg, const struct lease6_record *record)
{
	struct live_segment *seg = arg;

	lease6_store_put(seg, record, 1, note_store, seg->net->engine);
}

void lease6_store_again(struct live_segment *seg)
{
	if (seg->leases6)
		lease6_each(seg->leases6, put_again, seg);
}

static void drop_one(void *arg, const struct lease6_record *r)
{
	struct live_segment *seg = arg;

	forget(seg->net->engine, seg->net->name, lease_stored_as(seg, r->port), r);
}

void lease6_store_drop(struct live_segment *seg)
{
	if (seg->leases6)
		lease6_each(seg->leases6, drop_one, seg);
}

/* A binding ended or was taken away: the store learns of it without hurry. */
void lease6_changed(void *arg, const struct lease6_record *record)
{
	struct live_segment *seg = arg;
	struct engine *e = seg->net->engine;
	char place[PREFIX6_TEXT];

	lease6_store_put(seg, record, 1, note_store, e);
	lease6_follow(seg, record);
	if (e->api)
		api_event(e->api, seg->net->name, record->port,
			  json_pack("{s:s s:s}", "event", "lease-ended", "ip", lease6_text(record->place, place)));
}

/* ---- the start ---- */

/* lease6_rows - what the store knows, or another network of the same name before */
struct row {
	char net[NAME_MAX_SIZE];
	uint64_t segment;
	struct lease6_record record;
};

struct lease6_rows {
	struct row *rows;
	size_t n, room;
};

static void collect(void *arg, const char *net, uint64_t segment, const struct lease6_record *record)
{
	struct lease6_rows *r = arg;

	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 64;
		struct row *rows = realloc(r->rows, room * sizeof(*rows));

		if (!rows)
			return;		/* such a guest keeps what it has when it renews */
		r->rows = rows;
		r->room = room;
	}
	r->rows[r->n] = (struct row){ .segment = segment, .record = *record };
	snprintf(r->rows[r->n++].net, sizeof(r->rows->net), "%s", net);
}

/* segment_of_row() - where a row belongs now, or NULL */
static struct live_segment *segment_of_row(const struct live_net *net, const struct row *row)
{
	struct live_segment *seg;

	LIST_FOREACH(seg, &net->segments, link)
		if (seg->leases6 && !seg->leaving && lease_stored_as(seg, row->record.port) == row->segment &&
		    (!seg->only || !strcmp(seg->only->name, row->record.port)))
			return seg;
	return NULL;
}

/* keep_waiting() - until the port comes that the segment is to be for; without memory its guest finds the same address by itself */
static void keep_waiting(struct live_net *net, const struct lease6_record *r)
{
	struct lease6_waiting *w = malloc(sizeof(*w));

	if (!w)
		return;
	*w = (struct lease6_waiting){ net->waiting6, *r };
	net->waiting6 = w;
}

static void load_row(struct engine *e, const struct row *row)
{
	struct live_net *net = live_net_find(e, row->net);
	struct live_segment *seg = net ? segment_of_row(net, row) : NULL;
	bool over = row->record.expires_wall_s <= (int64_t)(clock_wall_ms() / 1000);

	if (seg && !over && lease6_load(seg->leases6, &row->record) == 0)
		lease6_follow(seg, &row->record);
	else if (seg || over || !net || net->segment)
		forget(e, row->net, row->segment, &row->record);
	else
		keep_waiting(net, &row->record);
}

/* ---- a port that is there again ---- */

static void take_waiting(struct live_segment *seg)
{
	struct lease6_waiting **at = &seg->net->waiting6, *w;

	while ((w = *at)) {
		if (strcmp(w->record.port, seg->only->name) != 0) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		if (seg->leases6)
			lease6_load(seg->leases6, &w->record);
		free(w);
	}
}

static void follow(void *seg, const struct lease6_record *r)
{
	if (r->state == LEASE_BOUND)
		lease6_follow(seg, r);
}

void lease6_store_recall(struct live_port *p)
{
	struct live_segment *seg;

	if (p->segment->only)
		take_waiting(p->segment);
	LIST_FOREACH(seg, &p->net->segments, link)
		if ((!seg->only || seg == p->segment) && seg->leases6 && !seg->leaving)
			lease6_each_of(seg->leases6, p->name, follow, seg);
}

void lease6_store_shift(struct live_net *net, int64_t by_s)
{
	for (struct lease6_waiting *w = net->waiting6; w; w = w->next)
		w->record.expires_wall_s = expiry_shifted(w->record.expires_wall_s, by_s);
}

void lease6_store_forget(struct live_net *net)
{
	for (struct lease6_waiting *w = net->waiting6, *next; w; w = next) {
		next = w->next;
		free(w);
	}
}

/* ---- what was stored ---- */

struct lease6_rows *lease6_store_read(struct engine *e)
{
	struct lease6_rows *rows = calloc(1, sizeof(*rows));
	struct error err = { 0 };

	if (rows && state_load_leases6(e->state, collect, rows, &err) < 0)
		log_error("event=leases-not-loaded reason=\"%s\"", err.message);
	return rows;
}

void lease6_store_place(struct engine *e, struct lease6_rows *rows)
{
	for (size_t i = 0; rows && i < rows->n; i++)
		load_row(e, &rows->rows[i]);
	if (rows)
		free(rows->rows);
	free(rows);
}

struct inheritance {
	struct lease6_rows rows;
	const struct live_segment *from;
};

static void collect_record(void *arg, const struct lease6_record *record)
{
	struct inheritance *in = arg;

	collect(&in->rows, in->from->net->name, lease_stored_as(in->from, record->port), record);
}

void lease6_inherit(struct live_net *net, const struct live_net *from)
{
	struct inheritance in = { .from = NULL };

	LIST_FOREACH(in.from, &from->segments, link)
		if (in.from->leases6)
			lease6_each(in.from->leases6, collect_record, &in);
	for (size_t i = 0; i < in.rows.n; i++)
		load_row(net->engine, &in.rows.rows[i]);
	free(in.rows.rows);
}
