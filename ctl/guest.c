// SPDX-License-Identifier: GPL-2.0-or-later
/* What workers hand to the control thread: DHCP messages to decide on, DNS queries to relay, peers that are gone. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/guest_in.h"
#include "ctl/live_boot.h"
#include "ctl/live_denied.h"
#include "ctl/live_clock.h"
#include "ctl/live_kernel.h"
#include "ctl/live_loop.h"
#include "ctl/live_snoop.h"
#include "ctl/live_wire.h"
#include "dhcp/relay_info.h"
#include "dhcp/server.h"
#include "dhcp/service.h"
#include "switch/build.h"
#include "switch/forward.h"
#include "switch/port.h"
#include "switch/request.h"
#include "switch/station.h"
#include "switch/worker.h"

enum { REPLY_MAX = 1500, BUDGET = 256, STORE_RETRY_MS = 1000 };

/* ---- frames from the control thread ---- */

/* reply - a frame for one port, on its way to the worker that owns the port's queue */
struct reply {
	uint32_t from, to;		/* port ids */
	uint16_t vid;
	uint32_t len;
	uint8_t data[];
};

static void emit_reply(struct worker *w, void *arg)
{
	struct reply *r = arg;
	struct frame f;

	frame_init(&f, r->data, r->len);
	f.vid = r->vid;
	worker_emit_to(w, r->from, r->to, &f);
	free(r);
}

void guest_send_udp(struct live_net *net, uint32_t port, uint16_t vid, const uint8_t *mac, struct addr src, uint16_t sport, struct addr dst,
		    uint16_t dport, const uint8_t *data, size_t size)
{
	struct engine *e = net->engine;
	struct live_port *p = e->by_id[port];
	struct reply *r;

	if (!p || !p->port)
		return;
	r = malloc(sizeof(*r) + build_headers(dst) + UDP_HEADER + size);
	if (!r)
		return;
	*r = (struct reply){ .from = net->local.id, .to = port, .vid = vid };
	r->len = build_udp_frame(r->data, mac, net->gateway_mac, src, sport, dst, dport, data, (uint32_t)size);
	if (!worker_post(e->workers[p->port->queues[0].worker], emit_reply, r))
		free(r);
}

/* ---- DHCP ---- */

/* pending_ack - a reply that leaves when its lease is durable */
struct pending_ack {
	struct engine *engine;
	uint32_t net_id, port;
	uint16_t vid, lease_vid;	/* where it goes; of the segment of the lease, another one for what a relay passed on */
	uint32_t from;
	struct dhcp_result result;
	size_t size;
	uint8_t reply[];
};

/* send_dhcp() - @from: our address where the guest or relay is, host order */
static void send_dhcp(struct live_net *net, uint32_t port, uint16_t vid, uint32_t from, const struct dhcp_result *r, const uint8_t *reply,
		      size_t size)
{
	guest_send_udp(net, port, vid, r->dst_mac, addr4(from), PORT_DHCP_SERVER, addr4(r->dst_ip), r->dst_port, reply, size);
}

static void tell_lease(struct live_net *net, const struct lease_record *r)
{
	char ip[IP4_TEXT], mac[MAC_TEXT];

	if (r->state == LEASE_BOUND && api_listened(net->engine->api))
		api_event(net->engine->api, net->name, r->port,
			  json_pack("{s:s s:s s:s}", "event", "lease", "ip", ip4_format(r->ip, ip), "mac",
				    mac_format(r->mac, mac)));
}

/* It may have gone with its port, and another may have the id meanwhile. */
struct live_segment *guest_segment(struct live_net *net, const struct live_port *p, const char *port, uint16_t vid)
{
	return net && p && p->net == net && !strcmp(p->name, port) ? live_segment_at(p, vid) : NULL;
}

void guest_stored(struct engine *e, const struct error *err)
{
	bool ok = err->rc == 0, news = ok != e->store_ok;

	e->store_ok = ok;
	if (news && !ok)
		log_error("event=store-failed reason=\"%s\" effect=\"leases go on as stored, and there are no new ones\"", err->message);
	else if (news)
		log_info("event=store-recovered");
	if (news && e->api)
		api_event(e->api, NULL, NULL, ok ? json_pack("{s:s}", "event", "store-recovered") :
						   json_pack("{s:s s:s}", "event", "store-failed", "reason", err->message));
}

bool guest_follows(const struct error *err, uint8_t state)
{
	return err->rc == 0 || state != LEASE_BOUND;
}

/* follows() - and an administrator may have taken away meanwhile what a guest was given */
static bool follows(struct live_segment *seg, const struct error *err, const struct lease_record *record)
{
	if (!guest_follows(err, record->state))
		return false;
	return record->state != LEASE_BOUND || lease_committed(seg->leases, record);
}

static void on_durable(void *arg, const struct error *err)
{
	struct pending_ack *a = arg;
	struct engine *e = a->engine;
	struct live_net *net = live_net_by_id(e, a->net_id);
	struct live_port *p = e->by_id[a->port];
	struct live_segment *seg;

	e->acks--;
	if (p && p->acks)
		p->acks--;
	guest_stored(e, err);
	seg = guest_segment(net, p, a->result.record.port, a->lease_vid);
	if (seg && seg->leases && follows(seg, err, &a->result.record)) {
		lease_names(seg, &a->result.record);
		live_kernel_later(seg->net);
		tell_lease(net, &a->result.record);
		if (a->size)
			send_dhcp(net, a->port, a->vid, a->from, &a->result, a->reply, a->size);
	}
	free(a);
}

static void note_outcome(struct live_net *net, const struct request *r, const struct dhcp_result *result)
{
	const struct live_port *p = net->engine->by_id[r->port];

	net->dhcp_outcomes[result->outcome]++;
	if (result->outcome != DHCP_OUT_EXHAUSTED && result->outcome != DHCP_OUT_QUOTA && result->outcome != DHCP_OUT_DECLINE)
		return;
	if (log_allowed(&net->log_limit, clock_now_ms()))
		log_warn("net=%s port=%s event=dhcp-%s", net->name, p ? p->name : "-", dhcp_outcome_name(result->outcome));
}

/* store_then_send() - the reply waits for the disk; without memory the guest asks again */
static void store_then_send(struct live_segment *seg, const struct request *r, uint32_t from, const struct dhcp_result *result,
			    const uint8_t *reply, size_t size)
{
	struct pending_ack *a = malloc(sizeof(*a) + size);
	struct live_net *net = seg->net;

	if (!a)
		return;
	net->engine->by_id[r->port]->acks++;
	net->engine->acks++;
	a->engine = net->engine;
	a->net_id = net->net_id;
	a->port = r->port;
	a->vid = r->vid;
	a->lease_vid = seg->vid;
	a->from = from;
	a->result = *result;
	a->size = result->durable_first ? size : 0;
	memcpy(a->reply, reply, size);
	lease_store_put(seg, &result->record, on_durable, a);
}

/* After a failed write the store is tried again once a second, with whoever asks then (DHCP-49). */
bool guest_may_store(struct engine *e)
{
	uint64_t now = clock_now_ms();

	if (!e->store_ok && now - e->store_tried_ms < STORE_RETRY_MS)
		return false;
	e->store_tried_ms = now;
	return true;
}

/* may_relay() - guests have what their own segments lend; who is trusted with those of others is told by a setting */
static bool may_relay(const struct live_port *p, const struct live_segment *seg)
{
	return p->conf->relay || live_segment_on(seg, p->conf);
}

/* segment_meant() - where the guest is that @r is of: a relay says so by an address of another segment's subnet, else it is @here. Which
 * nobody's is, or may not be asked for from there, is counted by the server here.
 */
static struct live_segment *segment_meant(const struct live_port *p, struct live_segment *here, const struct request *r)
{
	uint32_t link = here->only ? 0 : relay_link_of(r->data, r->size);
	struct live_segment *seg;

	if (link && !prefix4_has(here->conf->subnet, link))
		LIST_FOREACH(seg, &here->net->segments, link)
			if (seg->leases && !seg->leaving && prefix4_has(seg->conf->subnet, link))
				return may_relay(p, seg) ? seg : here;
	return here;
}

static void on_dhcp(struct live_net *net, const struct request *r)
{
	struct live_port *p = net->engine->by_id[r->port];
	struct live_segment *here = p && p->net == net ? live_segment_at(p, r->vid) : NULL, *seg;
	struct dhcp_request from = { .src_ip = addr_4(r->src), .store_ok = guest_may_store(net->engine) };
	struct dhcp_result result = { 0 };
	uint8_t reply[REPLY_MAX];
	size_t size, room = net->conf->mtu - IP4_HEADER - UDP_HEADER;

	if (!here || !here->leases)
		return;			/* its port or its segment went while the request waited */
	if (p->acks >= ACKS - net->engine->acks) {
		net->dhcp_outcomes[DHCP_OUT_QUOTA]++;
		return;
	}
	seg = segment_meant(p, here, r);
	from.port = p->name;
	memcpy(from.src_mac, r->src_mac, MAC_SIZE);
	size = dhcp_server_input(&seg->server, &from, r->data, r->size, (int64_t)(clock_wall_ms() / 1000), reply,
				 room < sizeof(reply) ? room : sizeof(reply), &result);
	note_outcome(net, r, &result);
	live_segment_arm(seg);
	if (size && !result.durable_first)
		send_dhcp(net, r->port, r->vid, here->conf->gateway, &result, reply, size);
	if (result.has_record)
		store_then_send(seg, r, here->conf->gateway, &result, reply, size);
}

/* ---- stations ---- */

/* Those that were given to it first; others a guest makes itself, and tells nobody when it drops one: of these, what was seen of late.
 * Last stand those that lead back to what a reservation calls the one guest among many. */
void guest_names6(const struct live_segment *seg, const struct live_port *p)
{
	struct station seen[MAX_STATIONS_PER_PORT];
	struct addr list[NAMES_HOST6_MAX];
	struct addr named[NAMES_HOST6_MAX];
	unsigned n = MIN_OF(stations_each(seg->stations, p->id, seen, ARRAY_SIZE(seen)), (unsigned)ARRAY_SIZE(seen)), nlist = 0, nnamed = 0;

	for (unsigned i = 0; i < 2 * n && nlist + nnamed < ARRAY_SIZE(list); i++) {
		bool given = seen[i % n].source == STATION_DHCP;

		if (addr_is4(seen[i % n].ip) || given != (i < n))
			continue;
		if (given && lease6_named(seg, seen[i % n].ip))
			named[nnamed++] = seen[i % n].ip;
		else
			list[nlist++] = seen[i % n].ip;
	}
	memcpy(list + nlist, named, nnamed * sizeof(*named));
	names_set_host6(seg->names, p->name, list, nlist + nnamed, nlist);
}

/* An address that was set by hand: the port has no lease, so its name follows what ARP told. */
static void on_station(struct live_net *net, const struct request *r)
{
	const struct live_port *p = net->engine->by_id[r->port];
	const struct live_segment *seg;
	struct lease_record lease;
	char ip[ADDR_TEXT];

	seg = p && p->net == net ? live_segment_at(p, r->vid) : NULL;
	if (!seg)
		return;
	live_kernel_later(net);
	if (seg->names && !addr_is4(r->src))
		guest_names6(seg, p);
	else if (seg->names && (!seg->leases || lease_find_port(seg->leases, p->name, &lease) < 0))
		names_set_host(seg->names, p->name, addr_4(r->src));
	if (net->engine->api)
		api_event(net->engine->api, net->name, p->name,
			  json_pack("{s:s s:s}", "event", "station", "ip", addr_format(r->src, ip)));
}

/* ---- all of them ---- */

static void take(struct engine *e, const struct request *r)
{
	struct live_net *net = live_net_by_id(e, r->net_id);

	if (r->kind == REQUEST_DNS_STREAM)
		guest_dns_stream(e, r);
	else if (r->kind == REQUEST_PORT_GONE)
		live_port_gone(e, r->port, r->net_id, r->rc);
	else if (r->kind == REQUEST_WIRE)
		live_wire_learnt(net);
	else if (!net || r->port >= PORT_IDS)
		return;			/* the network went while the request waited */
	else if (r->kind == REQUEST_DHCP && addr_is4(r->dst))
		on_dhcp(net, r);
	else if (r->kind == REQUEST_DHCP)
		guest_dhcp6(net, r);
	else if (r->kind == REQUEST_TFTP)
		live_boot_request(net, r);
	else if (r->kind == REQUEST_DNS)
		guest_dns(net, r);
	else if (r->kind == REQUEST_GROUP_LEFT)
		live_snoop_left(net, r);
	else if (r->kind == REQUEST_LOOP)
		live_loop_suspect(net, r->port);
	else if (r->kind == REQUEST_DENIED)
		live_denied(net, r);
	else
		on_station(net, r);
}

void guest_requests(evutil_socket_t fd, short what, void *arg)
{
	struct engine *e = arg;
	struct request r;

	(void)fd, (void)what;
	live_clock_look(e);
	for (unsigned i = 0; i < BUDGET; i++) {
		if (!request_take(e->requests, &r)) {
			if (requests_sleep(e->requests))
				return;
			continue;
		}
		take(e, &r);
	}
	event_active(e->requests_event, EV_READ, 0);	/* there is more; everybody else has a turn first */
}
