// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCPv6 messages of guests: decided on, stored, answered. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/guest_in.h"
#include "ctl/live_kernel.h"
#include "dhcp/dhcp6_server.h"
#include "switch/packet.h"
#include "switch/request.h"

enum { REPLY_MAX = 1500 };

/* pending_reply - an answer that leaves when what it gives is durable; of one that may leave before, only its records */
struct pending_reply {
	struct engine *engine;
	uint32_t net_id, port;
	uint16_t vid, dst_port;
	char name[NAME_MAX_SIZE];	/* of the port */
	uint8_t mac[MAC_SIZE];
	struct addr dst;
	unsigned nrecords;
	struct lease6_record records[DHCP6_IAS_MAX];
	size_t size;
	uint8_t reply[REPLY_MAX];
};

static void send_reply(struct live_net *net, uint32_t port, uint16_t vid, const uint8_t *mac, struct addr dst, uint16_t dst_port,
		       const uint8_t *reply, size_t size)
{
	guest_send_udp(net, port, vid, mac, addr_link_local(net->gateway_mac), DHCP6_SERVER_PORT, dst, dst_port, reply, size);
}

static void tell(struct live_net *net, const struct lease6_record *r)
{
	char place[PREFIX6_TEXT], mac[MAC_TEXT];

	if (r->state == LEASE_BOUND && net->engine->api)
		api_event(net->engine->api, net->name, r->port,
			  json_pack("{s:s s:s s:s}", "event", "lease", "ip", lease6_text(r->place, place), "mac", mac_format(r->mac, mac)));
}

/* follow_all() - Return: does all hold that the answer says? An administrator may have taken away meanwhile what a guest was given. */
static bool follow_all(struct live_segment *seg, const struct pending_reply *a)
{
	bool holds = true;

	for (unsigned i = 0; i < a->nrecords; i++) {
		const struct lease6_record *r = &a->records[i];

		if (!lease6_committed(seg->leases6, r) && r->state == LEASE_BOUND) {
			holds = false;
			continue;
		}
		lease6_follow(seg, r);
		tell(seg->net, r);
	}
	live_kernel_later(seg->net);
	return holds;
}

static void on_durable(void *arg, const struct error *err)
{
	struct pending_reply *a = arg;
	struct live_net *net = live_net_by_id(a->engine, a->net_id);
	struct live_port *p = a->engine->by_id[a->port];
	struct live_segment *seg;

	a->engine->acks--;
	if (p && p->acks)
		p->acks--;
	guest_stored(a->engine, err);
	seg = guest_segment(net, p, a->name, a->vid);
	if (seg && seg->leases6 && guest_follows(err, a->records[0].state) && follow_all(seg, a) && a->size)
		send_reply(net, a->port, a->vid, a->mac, a->dst, a->dst_port, a->reply, a->size);
	free(a);
}

/* store_then_send() - without memory the guest asks again */
static void store_then_send(struct live_segment *seg, struct live_port *p, const struct request *r, const struct dhcp6_result *result,
			    const uint8_t *reply, size_t size)
{
	struct pending_reply *a = malloc(sizeof(*a));

	if (!a)
		return;
	p->acks++;
	seg->net->engine->acks++;
	*a = (struct pending_reply){
		.engine = seg->net->engine, .net_id = seg->net->net_id, .port = r->port, .vid = r->vid, .dst_port = result->dst_port,
		.dst = result->dst, .nrecords = result->nrecords, .size = result->durable_first ? size : 0,
	};
	memcpy(a->name, p->name, sizeof(a->name));
	memcpy(a->mac, r->src_mac, MAC_SIZE);
	memcpy(a->records, result->records, result->nrecords * sizeof(*a->records));
	memcpy(a->reply, reply, a->size);
	lease6_store_put(seg, a->records, a->nrecords, on_durable, a);
}

static void note_outcome(struct live_net *net, const struct live_port *p, const struct dhcp6_result *result)
{
	net->dhcp6_outcomes[result->outcome]++;
	if (result->exhausted && log_allowed(&net->log_limit, clock_now_ms()))
		log_warn("net=%s port=%s event=dhcp6-exhausted", net->name, p->name);
}

void guest_dhcp6(struct live_net *net, const struct request *r)
{
	struct live_port *p = net->engine->by_id[r->port];
	struct live_segment *seg = p && p->net == net ? live_segment_at(p, r->vid) : NULL;
	struct dhcp6_request from = { .src = r->src, .dst = r->dst, .sport = r->sport };
	struct dhcp6_result result = { 0 };
	uint8_t reply[REPLY_MAX];
	size_t size, room = MIN_OF(net->conf->mtu - IP6_HEADER - UDP_HEADER, sizeof(reply));

	if (!seg || !seg->leases6 || p->acks >= ACKS - net->engine->acks)
		return;
	from.port = p->name;
	from.store_ok = guest_may_store(net->engine);
	memcpy(from.src_mac, r->src_mac, MAC_SIZE);
	size = dhcp6_server_input(&seg->server6, &from, r->data, r->size, (int64_t)(clock_wall_ms() / 1000), reply, room, &result);
	note_outcome(net, p, &result);
	live_segment_arm(seg);
	if (size && !result.durable_first)
		send_reply(net, r->port, r->vid, r->src_mac, result.dst, result.dst_port, reply, size);
	if (result.nrecords)
		store_then_send(seg, p, r, &result, reply, size);
}
