// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/local.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/nd.h"
#include "switch/port.h"
#include "switch/request.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/station.h"
#include "switch/worker.h"

/* tell_station() - a name and a waiting client may depend on it; when the inbox is full it is seen in the table later */
static void tell_station(const struct segment *seg, const struct station *s)
{
	struct request r = { .kind = REQUEST_STATION, .net_id = seg->net->net_id, .vid = seg->vid, .port = s->port, .src = s->ip };

	memcpy(r.src_mac, s->mac, MAC_SIZE);
	request_post(seg->requests, &r);
}

/* note() - an address of a guest, which ARP or ND says is at @link; only what the Ethernet source agrees with is believed */
static void note(struct worker *w, const struct arrival *a, const struct packet *p, struct addr ip, const uint8_t *link)
{
	const struct segment *seg = a->segment;
	struct station s = { .ip = ip, .port = a->from->port->id, .source = STATION_ARP, .seen_ms = worker_now_ms(w) };

	if (!seg->stations || memcmp(link, p->data + MAC_SIZE, MAC_SIZE) != 0)
		return;
	if (seg->has_subnet && (!segment_has(seg, ip) || segment_is_gateway(seg, ip)))
		return;
	memcpy(s.mac, link, MAC_SIZE);
	if (station_note(seg->stations, &s, false) && seg->requests)
		tell_station(seg, &s);
}

/* note_arp() - the sender (RFC 826); 0.0.0.0 is a probe (RFC 5227 2.1.1) */
static void note_arp(struct worker *w, const struct arrival *a, const struct packet *p)
{
	if (addr_4(p->src))
		note(w, a, p, p->src, p->data + ETH_HEADER + 8);
}

/* note_nd() - who asks from an address has it, and who is said to have it; the unspecified address probes (RFC 4862 5.4.2), and link-local
 * ones are nobody's but their neighbours' to know */
static void note_nd(struct worker *w, const struct arrival *a, const struct packet *p)
{
	struct nd nd;
	struct addr ip;

	if (!a->segment->has_subnet6 || nd_parse(p, &nd) != VERDICT_FORWARDED || !nd.link)
		return;
	ip = nd.type == ND_NEIGHBOUR_ADVERTISEMENT ? nd.target : p->src;
	if (!addr_is_none(ip) && !addr_is_link_local(ip))
		note(w, a, p, ip, nd.link);
}

/* contiguous() - the frame's bytes in one piece: as they are, or copied whole to private memory */
static const uint8_t *contiguous(struct worker *w, const struct frame *f)
{
	uint8_t *to;

	if (!f->nbody)
		return f->head;
	to = worker_linear_space(w);
	frame_linear(f, to);
	return to;
}

static enum verdict offer(struct worker *w, const struct arrival *a, const struct packet *p, bool unicast)
{
	const struct segment *seg = a->segment;
	enum verdict v;

	if (a->trial)
		;			/* who has an address is not said by a packet that nobody sent */
	else if (p->ethertype == ETHERTYPE_ARP4)
		note_arp(w, a, p);
	else if (nd_is(p))
		note_nd(w, a, p);
	for (unsigned i = 0; i < seg->nservices; i++)
		if (seg->services[i]->ops->input(seg->services[i], w, a, p, &v))
			return v;
	return unicast ? VERDICT_DROP_NO_ROUTE : VERDICT_FLOODED;
}

/* assemble() - a fragment, which may make its packet whole; neighbour discovery is never fragmented (RFC 6980 5) */
static enum verdict assemble(struct worker *w, const struct arrival *a, const uint8_t *data)
{
	const struct segment *seg = a->segment;
	enum verdict v = VERDICT_DROP_FRAGMENT;
	const uint8_t *whole = NULL;
	uint32_t len = a->frame->len;
	struct arrival b = *a;
	struct frame frame;
	struct packet p;

	for (unsigned i = 0; i < seg->nservices && !whole; i++)
		if (seg->services[i]->ops->assemble)
			whole = seg->services[i]->ops->assemble(seg->services[i], w, a, data, &len, &v);
	if (!whole)
		return v;
	frame_init(&frame, (uint8_t *)(uintptr_t)whole, len);
	frame.vid = a->frame->vid;
	b.frame = &frame;
	v = packet_parse(whole, len, &frame.offload, &p);
	if (v != VERDICT_FORWARDED)
		return v;
	p.assembled = true;
	return nd_is(&p) ? VERDICT_DROP_FRAGMENT : offer(w, &b, &p, true);
}

enum verdict local_input(struct worker *w, const struct arrival *a, bool unicast)
{
	const uint8_t *data = contiguous(w, a->frame);
	struct packet p;
	enum verdict v = packet_parse(data, a->frame->len, &a->frame->offload, &p);

	if (v == VERDICT_FORWARDED)
		return offer(w, a, &p, unicast);
	return v == VERDICT_DROP_FRAGMENT && unicast && !a->trial ? assemble(w, a, data) : v;
}

static int local_rx(struct port_queue *q, struct rx_space *space, struct frame *frames, unsigned n)
{
	(void)q, (void)space, (void)frames, (void)n;
	return 0;
}

static uint64_t local_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n, uint64_t *segments)
{
	(void)q, (void)w, (void)frames, (void)n, (void)segments;
	return 0;	/* forwarding hands frames to local_input(), never here */
}

static void local_free(struct port *port)
{
	port_fini(port);
	free(port);
}

static const struct port_ops local_ops = { .kind = "gateway", .rx = local_rx, .tx = local_tx, .free = local_free };

struct port *local_new(unsigned nworkers)
{
	struct port *port = calloc(1, sizeof(*port));

	if (port && port_init(port, &local_ops, 1, nworkers) < 0) {
		free(port);
		return NULL;
	}
	return port;
}

static void free_rcu(struct rcu_head *head)
{
	struct port *port = container_of(head, struct port, rcu);

	port->ops->free(port);
}

void port_release(struct port *port)
{
	if (port)
		urcu_qsbr_call_rcu(&port->rcu, free_rcu);
}
