// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "dhcp/tftp.h"
#include "switch/build.h"
#include "switch/port.h"
#include "switch/route6.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

/* of DHCP and of TFTP */
struct dhcp_service {
	struct service service;
	struct requests *requests;
};

/* to_request() - what the control thread needs of a UDP packet */
static bool to_request(struct request *r, enum request_kind kind, const struct arrival *a, const struct packet *p)
{
	uint32_t size = packet_payload_len(p);

	if (size > sizeof(r->data))
		return false;
	r->kind = (uint8_t)kind;
	memcpy(r->src_mac, p->data + 6, MAC_SIZE);
	r->broadcast = mac_is_group(p->data);
	r->vid = a->segment->vid;
	r->sport = p->sport;
	r->net_id = a->segment->net->net_id;
	r->port = a->from->port->id;
	r->src = p->src;
	r->dst = p->dst;
	r->rc = 0;
	r->size = size;
	memcpy(r->data, packet_payload(p), size);
	return true;
}

static enum verdict hand_over(struct requests *requests, struct worker *w, enum request_kind kind, const struct arrival *a,
			      const struct packet *p, enum verdict consumed)
{
	struct request r;
	enum verdict v;

	if (!to_request(&r, kind, a, p))
		return VERDICT_DROP_MALFORMED;
	if (a->trial)
		return consumed;
	v = request_leave(requests, w, &r);
	return v == VERDICT_FORWARDED ? consumed : v;
}

/* hand_dhcp() - a message of either family, if the port may send another */
static enum verdict hand_dhcp(struct dhcp_service *d, struct worker *w, const struct arrival *a, const struct packet *p)
{
	if (!a->trial && !request_in_time(d->requests, a->from->port->id, a->segment->dhcp_rate, worker_now_ms(w)))
		return VERDICT_DROP_QUOTA;
	return hand_over(d->requests, w, REQUEST_DHCP, a, p, VERDICT_CONSUMED_DHCP);
}

/* RFC 8415 7.1, 7.2: to port 547 and the group of servers and relays; by relays to that of servers, or to us */
static bool dhcp6_input(struct dhcp_service *d, struct worker *w, const struct arrival *a, const struct packet *p, enum verdict *verdict)
{
	static const struct addr agents = { .bytes = { 0xff, 2, [13] = 1, 0, 2 } }, servers = { .bytes = { 0xff, 5, [13] = 1, 0, 3 } };
	const struct segment *seg = a->segment;

	if (!seg->dhcp6 || p->proto != PROTO_UDP || p->dport != PORT_DHCP6_SERVER ||
	    (!addr_equal(p->dst, agents) && !addr_equal(p->dst, servers) && !segment_is_gateway(seg, p->dst)))
		return false;
	if (segment_is_gateway(seg, p->src) || (!addr_is_link_local(p->src) && !segment_has(seg, p->src)))
		*verdict = VERDICT_DROP_MARTIAN;
	else
		*verdict = hand_dhcp(d, w, a, p);
	return true;
}

/* RFC 2131 4.1: to port 67, broadcast by a guest without an address, unicast by one that renews or by a relay */
static bool dhcp_input(struct service *s, struct worker *w, const struct arrival *a, const struct packet *p,
		       enum verdict *verdict)
{
	struct dhcp_service *d = container_of(s, struct dhcp_service, service);
	uint32_t dst = addr_4(p->dst);

	if (p->ethertype == ETHERTYPE_IP6)
		return dhcp6_input(d, w, a, p, verdict);
	if (!a->segment->dhcp || p->ethertype != ETHERTYPE_IP4 || p->proto != PROTO_UDP || p->dport != PORT_DHCP_SERVER ||
	    (dst != UINT32_MAX && dst != a->segment->gateway && dst != prefix4_last(a->segment->subnet)))
		return false;
	*verdict = hand_dhcp(d, w, a, p);
	return true;
}

static struct service *handing_over(const struct service_ops *ops, struct requests *requests)
{
	struct dhcp_service *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->service.ops = ops;
	d->requests = requests;
	return &d->service;
}

struct service *dhcp_service_new(struct requests *requests)
{
	static const struct service_ops ops = { .name = "dhcp", .input = dhcp_input };

	return handing_over(&ops, requests);
}

/* from_here() - from a guest: in the subnet, link-local, or behind a router among the guests, and not the gateway itself */
static bool from_here(const struct arrival *a, struct addr src)
{
	const struct segment *seg = a->segment;
	struct route6 route;

	if (segment_has(seg, src) || (!addr_is4(src) && addr_is_link_local(src)))
		return !segment_is_gateway(seg, src);
	return routes6_find(seg->routes, src, &route) && route.port == a->from->port->id;
}

/* ---- TFTP ---- */

static bool tftp_service_input(struct service *s, struct worker *w, const struct arrival *a, const struct packet *p, enum verdict *verdict)
{
	struct dhcp_service *d = container_of(s, struct dhcp_service, service);

	if (p->proto != PROTO_UDP || p->dport != PORT_TFTP || !segment_is_gateway(a->segment, p->dst))
		return false;
	*verdict = VERDICT_DROP_MARTIAN;
	if (from_here(a, p->src) && p->sport)
		*verdict = hand_over(d->requests, w, REQUEST_TFTP, a, p, VERDICT_CONSUMED_TFTP);
	return true;
}

struct service *tftp_service_new(struct requests *requests)
{
	static const struct service_ops ops = { .name = "tftp", .input = tftp_service_input };

	return handing_over(&ops, requests);
}

/* ---- DNS ---- */

enum { REPLY_MAX = 4096 };
_Static_assert(WORKER_REPLY >= ETH_HEADER + IP6_HEADER + UDP_HEADER + REPLY_MAX, "an answer is built in one piece");

struct dns_service {
	struct service service;
	struct requests *requests;
	const struct dns_zone *zone;
	struct names *names;
};

static void send_reply(struct worker *w, const struct arrival *a, const struct packet *p, const uint8_t *reply, uint32_t size)
{
	const struct segment *seg = a->segment;
	uint8_t *room = worker_reply_room(w);

	worker_reply(w, a->local_port, build_udp_frame(room, p->data + 6, seg->gateway_mac, p->dst, PORT_DNS, p->src, p->sport, reply, size),
		     seg->vid);
}

/* A query from outside the segment's subnet is no guest's (DNS-16), and one from port 53 of another server would loop (DNS-05). */
static bool dns_input(struct service *s, struct worker *w, const struct arrival *a, const struct packet *p,
		      enum verdict *verdict)
{
	struct dns_service *d = container_of(s, struct dns_service, service);
	const struct segment *seg = a->segment;
	uint8_t reply[REPLY_MAX];
	enum dns_outcome outcome;
	uint32_t mtu_room = seg->net->mtu + ETH_HEADER - build_headers(p->src) - UDP_HEADER;
	int size;

	if (p->proto != PROTO_UDP || p->dport != PORT_DNS || !segment_is_gateway(seg, p->dst))
		return false;
	*verdict = VERDICT_DROP_MARTIAN;
	if (!from_here(a, p->src) || p->sport == 0)
		return true;
	size = dns_answer(d->zone, d->names, packet_payload(p), packet_payload_len(p), false, reply, MIN_OF(mtu_room, REPLY_MAX),
			  &outcome);
	*verdict = size < 0 ? VERDICT_DROP_MALFORMED : VERDICT_CONSUMED_DNS;
	if (size > 0 && !a->trial)
		send_reply(w, a, p, reply, (uint32_t)size);
	else if (size == 0)
		*verdict = hand_over(d->requests, w, REQUEST_DNS, a, p, VERDICT_CONSUMED_DNS);
	return true;
}

struct service *dns_service_new(struct requests *requests, const struct dns_zone *zone, struct names *names)
{
	static const struct service_ops ops = { .name = "dns", .input = dns_input };
	struct dns_service *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->service.ops = &ops;
	d->requests = requests;
	d->zone = zone;
	d->names = names;
	return &d->service;
}
