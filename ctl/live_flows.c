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
#include "ctl/live_policy.h"
#include "nat/nat.h"
#include "switch/connection.h"
#include "switch/forward.h"
#include "switch/packet.h"
#include "switch/port_policy.h"
#include "switch/station.h"
#include "switch/worker.h"

enum { SHOWN = 4096, SHOWN_OF_PORT = 1024 };

/* listing - the answer as it grows */
struct listing {
	struct live_net *net;
	const char *port;		/* its flows alone, or NULL */
	json_t *rows;
	uint64_t more;			/* that found no place */
};

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

/* peer_name() - of a guest of the same segment, else as DNS answers called it; or null */
static json_t *peer_name(const struct listing *l, const struct live_port *p, struct addr a)
{
	const char *name = answers_name(l->net->answers, a);
	const struct live_port *other = NULL;
	const struct live_segment *seg;
	struct station st;

	LIST_FOREACH(seg, &l->net->segments, link)
		if (!other && !addr_is_none(a) && (!seg->only || seg->only == p) && station_find(seg->stations, a, &st) && st.port < PORT_IDS)
			other = l->net->engine->by_id[st.port];
	if (other)
		return json_sprintf("%s/%s", l->net->name, other->name);
	return name ? json_string(name) : json_null();
}

static bool wanted(struct listing *l, const struct live_port *p)
{
	if (!p || p->net != l->net || (l->port && strcmp(l->port, p->name)))
		return false;
	if (json_array_size(l->rows) < SHOWN)
		return true;
	l->more++;
	return false;
}

/* ---- NAT ---- */

/* look - one worker's flows, copied by itself */
struct look {
	struct nat *nat;
	unsigned n;			/* how many there are */
	struct nat_flow flows[SHOWN];
};

static void on_worker(struct worker *w, void *arg)
{
	struct look *look = arg;

	look->n = nat_flows(look->nat, w, look->flows, SHOWN);
}

static void add_nat(struct listing *l, const struct nat_flow *f)
{
	const struct live_port *p = f->port < PORT_IDS ? l->net->engine->by_id[f->port] : NULL;

	if (!wanted(l, p))
		return;
	json_array_append_new(l->rows, json_pack("{s:s s:s s:s s:o s:o s:o s:s s:I s:I s:I s:I}", "port", p->name, "by",
						 f->forwarded ? "forward" : "nat", "proto", proto_word(f->proto), "guest",
						 endpoint(f->guest, f->guest_port), "remote", endpoint(f->remote, f->remote_port), "remote_name",
						 peer_name(l, p, f->remote), "state", f->state, "age", (json_int_t)f->age_s, "idle",
						 (json_int_t)f->idle_s, "bytes_out", (json_int_t)f->bytes_out, "bytes_in",
						 (json_int_t)f->bytes_in));
}

static void list_nat(struct listing *l, struct look *look)
{
	struct engine *e = l->net->engine;

	look->nat = l->net->nat_state;
	for (unsigned i = 0; i < e->nworkers; i++) {
		look->n = 0;
		while (!worker_post(e->workers[i], on_worker, look))
			worker_sync(e->workers[i]);	/* its inbox was full; it empties it every turn */
		worker_sync(e->workers[i]);
		for (unsigned k = 0; k < MIN_OF(look->n, (unsigned)SHOWN); k++)
			add_nat(l, &look->flows[k]);
		l->more += look->n > SHOWN ? look->n - SHOWN : 0;
	}
}

/* ---- guests among one another ---- */

static void add_connection(struct listing *l, const struct live_port *p, const struct connection_seen *c)
{
	const struct connection_key *k = &c->key;
	json_t *name;

	if (k->kind != CONNECTION_FLOW || !wanted(l, p))
		return;
	name = peer_name(l, p, k->peer);
	if (!json_is_string(name) || !strchr(json_string_value(name), '/')) {
		json_decref(name);		/* beyond the segment: the NAT has it, or the host */
		return;
	}
	json_array_append_new(l->rows, json_pack("{s:s s:s s:s s:o s:o s:o s:s s:s}", "port", p->name, "by", "switch", "proto",
						 proto_word(k->proto), "guest", endpoint(k->guest, k->guest_port), "remote",
						 endpoint(k->peer, k->peer_port), "remote_name", name, "state",
						 c->answered ? "open" : "opening", "began", c->by_guest ? "guest" : "remote"));
}

static void list_connections(struct listing *l, struct live_port *p, struct connection_seen *seen)
{
	const struct port_policy *policy = live_policy_of(p);
	unsigned n = policy && policy->connections ? connections_each(policy->connections, clock_now_ms(), seen, SHOWN_OF_PORT) : 0;

	for (unsigned i = 0; i < MIN_OF(n, (unsigned)SHOWN_OF_PORT); i++)
		add_connection(l, p, &seen[i]);
	l->more += n > SHOWN_OF_PORT ? n - SHOWN_OF_PORT : 0;
}

json_t *live_flows(struct engine *e, const char *net, const char *port)
{
	struct listing l = { .net = live_net_find(e, net), .port = port };
	struct connection_seen *seen = calloc(SHOWN_OF_PORT, sizeof(*seen));
	struct look *look = calloc(1, sizeof(*look));

	l.rows = l.net && look && seen ? json_array() : NULL;
	if (l.rows && l.net->nat_state)
		list_nat(&l, look);
	for (struct live_port *p = l.rows ? l.net->ports : NULL; p; p = p->hh.next)
		if (!port || !strcmp(port, p->name))
			list_connections(&l, p, seen);
	free(look);
	free(seen);
	return l.rows ? json_pack("{s:o s:I}", "flows", l.rows, "more", (json_int_t)l.more) : NULL;
}
