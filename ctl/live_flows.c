// SPDX-License-Identifier: GPL-2.0-or-later
/* Who talks to whom (ctl/live.h): flows of the user-mode NAT, and of guests among one another where a port has rules, which remember them.
 * The kernel's NAT and what nobody keeps a state of are not here. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/answers.h"
#include "ctl/engine.h"
#include "ctl/flow_rows.h"
#include "ctl/live_denied.h"
#include "ctl/live_policy.h"
#include "nat/nat.h"
#include "switch/connection.h"
#include "switch/forward.h"
#include "switch/packet.h"
#include "switch/port_policy.h"
#include "switch/station.h"
#include "switch/worker.h"

enum { SHOWN_OF_PORT = 1024 };

/* ---- rows ---- */

static const char *proto_word(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case PROTO_ICMP:
	case PROTO_ICMP6:
		return "icmp";
	default:
		return "other";
	}
}

/* endpoint() - "10.77.0.2:80", "[2001:db8::1]:80", and without a port the address alone */
static json_t *endpoint(struct addr a, uint16_t port)
{
	char ip[ADDR_TEXT];

	if (addr_is_none(a))
		return json_null();
	if (!port)
		return json_string(addr_format(a, ip));
	return json_sprintf(addr_is4(a) ? "%s:%u" : "[%s]:%u", addr_format(a, ip), port);
}

const struct live_port *flow_guest(const struct live_port *p, struct addr a)
{
	const struct live_segment *seg;
	struct station st;

	if (!addr_is_none(a))
		LIST_FOREACH(seg, &p->net->segments, link)
			if ((!seg->only || seg->only == p) && seg->stations && station_find(seg->stations, a, &st) && st.port < PORT_IDS)
				return p->net->engine->by_id[st.port];
	return NULL;
}

const char *flow_peer_name(const struct live_port *p, struct addr a, char text[FLOW_NAME])
{
	const struct live_port *other = flow_guest(p, a);

	if (!other)
		return answers_name(p->net->answers, a);
	snprintf(text, FLOW_NAME, "%s/%s", p->net->name, other->name);
	return text;
}

static bool wanted(struct flow_rows *l, const struct live_port *p)
{
	if (!p || p->net != l->net || (l->port && strcmp(l->port, p->name)))
		return false;
	if (json_array_size(l->rows) < FLOWS_SHOWN)
		return true;
	l->more++;
	return false;
}

json_t *flow_rows_add(struct flow_rows *l, const struct flow_row *r)
{
	char name[FLOW_NAME];
	json_t *row;

	if (!wanted(l, r->port))
		return NULL;
	row = json_pack("{s:s s:s s:s s:o s:o s:s? s:s}", "port", r->port->name, "by", r->by, "proto", proto_word(r->proto), "guest",
			endpoint(r->guest, r->guest_port), "remote", endpoint(r->remote, r->remote_port), "remote_name",
			flow_peer_name(r->port, r->remote, name), "state", r->state);
	return row && json_array_append_new(l->rows, row) == 0 ? row : NULL;
}

/* ---- NAT ---- */

/* look - one worker's flows, copied by itself */
struct look {
	struct nat *nat;
	unsigned n;			/* how many there are */
	struct nat_flow flows[FLOWS_SHOWN];
};

static void on_worker(struct worker *w, void *arg)
{
	struct look *look = arg;

	look->n = nat_flows(look->nat, w, look->flows, FLOWS_SHOWN);
}

static void add_nat(struct flow_rows *l, const struct nat_flow *f)
{
	json_t *row = flow_rows_add(l, &(struct flow_row){
		.port = f->port < PORT_IDS ? l->net->engine->by_id[f->port] : NULL, .by = f->forwarded ? "forward" : "nat", .state = f->state,
		.proto = f->proto, .guest = f->guest, .guest_port = f->guest_port, .remote = f->remote, .remote_port = f->remote_port,
	});
	json_t *figures = row ? json_pack("{s:I s:I s:I s:I}", "age", (json_int_t)f->age_s, "idle", (json_int_t)f->idle_s, "bytes_out",
					  (json_int_t)f->bytes_out, "bytes_in", (json_int_t)f->bytes_in) : NULL;

	if (figures)
		json_object_update(row, figures);
	json_decref(figures);
}

static void list_nat(struct flow_rows *l, struct look *look)
{
	struct engine *e = l->net->engine;

	look->nat = l->net->nat_state;
	for (unsigned i = 0; i < e->nworkers; i++) {
		look->n = 0;
		while (!worker_post(e->workers[i], on_worker, look))
			worker_sync(e->workers[i]);	/* its inbox was full; it empties it every turn */
		worker_sync(e->workers[i]);
		for (unsigned k = 0; k < MIN_OF(look->n, (unsigned)FLOWS_SHOWN); k++)
			add_nat(l, &look->flows[k]);
		l->more += look->n > FLOWS_SHOWN ? look->n - FLOWS_SHOWN : 0;
	}
}

/* ---- guests among one another ---- */

static void add_connection(struct flow_rows *l, const struct live_port *p, const struct connection_seen *c)
{
	const struct connection_key *k = &c->key;
	json_t *row;

	if (k->kind != CONNECTION_FLOW || !flow_guest(p, k->peer))
		return;			/* beyond the segment: the NAT has it, or the host */
	row = flow_rows_add(l, &(struct flow_row){
		.port = p, .by = "switch", .state = c->answered ? "open" : "opening", .proto = k->proto, .guest = k->guest,
		.guest_port = k->guest_port, .remote = k->peer, .remote_port = k->peer_port,
	});
	if (row)
		json_object_set_new(row, "began", json_string(c->by_guest ? "guest" : "remote"));
}

static void list_connections(struct flow_rows *l, struct live_port *p, struct connection_seen *seen)
{
	const struct port_policy *policy = live_policy_of(p);
	unsigned n = policy && policy->connections ? connections_each(policy->connections, clock_now_ms(), seen, SHOWN_OF_PORT) : 0;

	for (unsigned i = 0; i < MIN_OF(n, (unsigned)SHOWN_OF_PORT); i++)
		add_connection(l, p, &seen[i]);
	l->more += n > SHOWN_OF_PORT ? n - SHOWN_OF_PORT : 0;
}

json_t *live_flows(struct engine *e, const char *net, const char *port)
{
	struct flow_rows l = { .net = live_net_find(e, net), .port = port };
	struct connection_seen *seen = calloc(SHOWN_OF_PORT, sizeof(*seen));
	struct look *look = calloc(1, sizeof(*look));

	l.rows = l.net && look && seen ? json_array() : NULL;
	if (l.rows && l.net->nat_state)
		list_nat(&l, look);
	if (l.rows && l.net->conf->has_nat && l.net->conf->has_host)
		flow_rows_kernel(&l);
	for (struct live_port *p = l.rows ? l.net->ports : NULL; p; p = p->hh.next)
		if (!port || !strcmp(port, p->name))
			list_connections(&l, p, seen);
	for (struct live_port *p = l.rows ? l.net->ports : NULL; p; p = p->hh.next)
		live_denied_list(p, &l);
	free(look);
	free(seen);
	return l.rows ? json_pack("{s:o s:I}", "flows", l.rows, "more", (json_int_t)l.more) : NULL;
}
