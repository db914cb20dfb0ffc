// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "nat/forward_udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "nat/datagram.h"
#include "nat/forward_in.h"
#include "nat/nat_in.h"
#include "nat/udp.h"
#include "switch/packet.h"
#include "switch/snapshot.h"

enum { RECEIVE_BATCH = 64 };

/* parcel - a client's datagram on its way to the worker of its guest */
struct parcel {
	struct forward *forward;	/* counted */
	struct place place;
	struct client client;
	uint32_t size;
	uint8_t data[];			/* DATAGRAM_HEADERS, then the payload */
};

static const struct flow_kind client_kind;

/* ---- the table of clients ---- */

static struct flow **bucket(struct nat_shard *s, const struct forward *f, const struct client *c)
{
	uint64_t h = hash_bytes(&c->addr, c->addr_size, (uint64_t)(uintptr_t)&f->listeners[c->listener] ^ hash_seed());

	return &s->clients[h % ARRAY_SIZE(s->clients)];
}

static struct flow *find_client(struct nat_shard *s, const struct forward *f, const struct client *c)
{
	struct flow *flow = *bucket(s, f, c);

	while (flow && (flow->forward != f || flow->client.listener != c->listener || flow->client.addr_size != c->addr_size ||
			memcmp(&flow->client.addr, &c->addr, c->addr_size) != 0))
		flow = flow->next_client;
	return flow;
}

static struct listener *listener_of(const struct flow *flow)
{
	return &flow->forward->listeners[flow->client.listener];
}

static void fini(struct flow *flow)
{
	struct flow **at = bucket(flow->shard, flow->forward, &flow->client);

	while (*at != flow)
		at = &(*at)->next_client;
	*at = flow->next_client;
	flow->port->nclients--;
	atomic_fetch_sub_explicit(&listener_of(flow)->clients, 1, memory_order_relaxed);
}

/* drop_stalest() - the listener's client that has been idle longest, among those at the same guest's port */
static void drop_stalest(struct nat_port *port, const struct listener *l)
{
	struct flow *flow;

	TAILQ_FOREACH(flow, &port->lists[FLOW_UDP], list) {
		if (flow->forward && listener_of(flow) == l) {
			flow_free(flow);
			return;
		}
	}
}

static struct flow *new_client(struct nat_shard *s, struct forward *f, const struct place *place, const struct site *site,
			       const struct client *c)
{
	struct nat_port *port = shard_port(s, place->port);
	struct listener *l = &f->listeners[c->listener];
	struct flow_key key;
	struct flow *flow;

	if (!port || !forward_key(s, site, place, IPPROTO_UDP, &c->addr, &key))
		return NULL;
	if (atomic_load_explicit(&l->clients, memory_order_relaxed) >= FORWARD_CLIENTS)
		drop_stalest(port, l);
	flow = flow_new(s, port, &key, &client_kind, -1);
	if (!flow)
		return NULL;
	flow->forward = forward_get(f);
	flow->client = *c;
	flow->next_client = *bucket(s, f, c);
	*bucket(s, f, c) = flow;
	port->nclients++;
	atomic_fetch_add_explicit(&l->clients, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&f->active, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&f->hits, 1, memory_order_relaxed);
	return flow;
}

/* ---- client to guest ---- */

static uint64_t idle_ms(const struct nat_shard *s)
{
	uint32_t seconds = shard_conf(s)->udp_s;

	return 1000ull * (seconds ? seconds : UDP_IDLE_S);
}

/* still_fits() - does it lead where the forward leads now, under a name that the client may have there? */
static bool still_fits(const struct flow *flow, const struct place *place, const struct site *site)
{
	const struct flow_key *k = &flow->key;

	return k->port == place->port && addr_equal(k->guest, place->ip) && k->guest_port == place->to_port &&
	       (addr_equal(k->remote, segment_front(site->segment, place->ip)) ||
		(!place->gateway && addr_equal(k->remote, addr_from_sock(&flow->client.addr))));
}

/* flow_for() - the client's flow to where the forward leads now; one to an earlier guest is forgotten */
static struct flow *flow_for(struct nat_shard *s, struct forward *f, const struct place *place, const struct site *site,
			     const struct client *c)
{
	struct flow *flow = find_client(s, f, c);

	if (flow && !still_fits(flow, place, site)) {
		flow_free(flow);
		flow = NULL;
	}
	return flow ? flow : new_client(s, f, place, site, c);
}

/* to_guest() - @buffer: DATAGRAM_HEADERS of room, then @size bytes; on the guest's worker */
static void to_guest(struct worker *w, struct forward *f, const struct place *place, const struct client *c, uint8_t *buffer,
		     uint32_t size)
{
	struct nat_shard *s = nat_shard_of(f->nat, w);
	struct datagram d = { .buffer = buffer, .size = size };
	struct site site;
	struct flow *flow;
	struct frame frame;
	bool taken;

	if (atomic_load(&f->stopped) || !s || !shard_site(s, place->port, place->ip, &site))
		return;
	flow = flow_for(s, f, place, &site, c);
	if (!flow) {
		forward_refused(f);
		return;
	}
	flow->used_ms = shard_now(s);
	flow->bytes_in += size;
	flow_fresh(flow, FLOW_UDP);
	flow_due(flow, flow->used_ms + idle_ms(s));
	if (!forward_find_mac(s, &site, place->port, place->ip, flow->mac)) {
		atomic_fetch_add_explicit(&f->no_address, 1, memory_order_relaxed);
		return;				/* asked for: the client's next datagram finds it */
	}
	d.src = flow->key.remote;
	d.dst = flow->key.guest;
	d.sport = flow->key.remote_port;
	d.dport = flow->key.guest_port;
	d.mac = flow->mac;
	taken = datagram_frame(&site, &d, d.size, &frame) ? worker_emit(w, site.local_port, &frame, 1) == 1 :
						    datagram_send_fragments(s, &site, &d);
	if (!taken)
		counter_add(&s->counts.lost, 1);
}

static void on_parcel(struct worker *w, void *arg)
{
	struct parcel *parcel = arg;
	struct nat *nat = parcel->forward->nat;

	to_guest(w, parcel->forward, &parcel->place, &parcel->client, parcel->data, parcel->size);
	forward_put(parcel->forward);
	nat_release(nat);
	free(parcel);
}

static void send_parcel(struct forward *f, const struct place *place, const struct client *c, const uint8_t *buffer,
			uint32_t size)
{
	struct parcel *parcel = malloc(sizeof(*parcel) + DATAGRAM_HEADERS + size);

	if (!parcel)
		return;
	*parcel = (struct parcel){ .forward = forward_get(f), .place = *place, .client = *c, .size = size };
	memcpy(parcel->data + DATAGRAM_HEADERS, buffer + DATAGRAM_HEADERS, size);
	nat_hold(f->nat);
	if (worker_post(place->worker, on_parcel, parcel))
		return;
	nat_release(f->nat);
	forward_put(f);
	free(parcel);
}

/* note_local() - which of the host's addresses the client talked to */
static void note_local(struct msghdr *msg, struct client *c)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(h), sizeof(info));
			memcpy(&c->local.s6_addr[12], &info.ipi_addr, 4);
		} else if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(h), sizeof(info));
			c->local = info.ipi6_addr;
		}
	}
}

/* receive_one() - Return: false when the socket is empty */
static bool receive_one(struct listener *l, struct worker *w)
{
	struct forward *f = forward_of(l);
	uint8_t *buffer = worker_scratch(w);
	struct client c = { .listener = l->index };
	struct iovec iov = { buffer + DATAGRAM_HEADERS, DATAGRAM_MAX };
	union {
		char space[128];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {
		.msg_name = &c.addr, .msg_namelen = sizeof(c.addr), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(l->watch.fd, &msg, MSG_DONTWAIT);
	struct place place;

	if (n < 0)
		return errno != EAGAIN;		/* ECONNREFUSED: an earlier answer found nobody */
	c.addr_size = (uint8_t)msg.msg_namelen;
	note_local(&msg, &c);
	if (forward_place(l, w, &c.addr, &place) < 0)
		atomic_fetch_add_explicit(&f->no_address, 1, memory_order_relaxed);
	else if (place.worker == w)
		to_guest(w, f, &place, &c, buffer, (uint32_t)n);
	else
		send_parcel(f, &place, &c, buffer, (uint32_t)n);
	return true;
}

void forward_receive(struct worker *w, struct watch *watch, uint32_t events)
{
	struct listener *l = container_of(watch, struct listener, watch);

	(void)events;
	for (unsigned i = 0; i < RECEIVE_BATCH && receive_one(l, w); i++)
		;
}

/* ---- guest to client ---- */

/* put_local() - the answer comes from the address that the client talked to */
static void put_local(struct msghdr *msg, struct cmsghdr *h, const struct client *c)
{
	if (c->addr.any.sa_family == AF_INET6) {
		struct in6_pktinfo info = { .ipi6_addr = c->local };

		h->cmsg_level = IPPROTO_IPV6;
		h->cmsg_type = IPV6_PKTINFO;
		h->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(h), &info, sizeof(info));
		msg->msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		struct in_pktinfo info = { .ipi_ifindex = 0 };

		memcpy(&info.ipi_spec_dst, &c->local.s6_addr[12], 4);
		h->cmsg_level = IPPROTO_IP;
		h->cmsg_type = IP_PKTINFO;
		h->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(h), &info, sizeof(info));
		msg->msg_controllen = CMSG_SPACE(sizeof(info));
	}
}

enum verdict forward_udp_reply(struct flow *f, const struct packet *p)
{
	struct iovec iov = { (void *)(uintptr_t)packet_payload(p), packet_payload_len(p) };
	union {
		char space[64];
		struct cmsghdr align;
	} control = { { 0 } };
	struct msghdr msg = {
		.msg_name = &f->client.addr, .msg_namelen = f->client.addr_size, .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control,
	};

	if (atomic_load(&f->forward->stopped)) {
		flow_free(f);
		return VERDICT_DROP_NO_SESSION;
	}
	put_local(&msg, &control.align, &f->client);
	f->used_ms = shard_now(f->shard);
	flow_fresh(f, FLOW_UDP);
	if (sendmsg(listener_of(f)->watch.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && (errno == EAGAIN || errno == ENOBUFS))
		return VERDICT_DROP_BUSY;
	f->bytes_out += packet_payload_len(p);
	return VERDICT_CONSUMED_NAT;
}

bool forward_udp_outside(const struct flow *f, struct addr *host, uint16_t *port)
{
	const uint8_t *local = f->client.local.s6_addr;

	*host = f->client.addr.any.sa_family == AF_INET6 ? addr6(local) : addr4(get_u32(local + 12));
	*port = listener_of(f)->port;
	return !atomic_load(&f->forward->stopped);
}

/* ---- life ---- */

static void expired(struct flow *f, uint64_t now_ms)
{
	uint64_t due = f->used_ms + idle_ms(f->shard);

	if (now_ms < due && !atomic_load(&f->forward->stopped))
		flow_due(f, due);
	else
		flow_free(f);
}

static const char *state(const struct flow *f)
{
	(void)f;
	return "client";
}

static const struct flow_kind client_kind = {
	.class = FLOW_UDP, .expired = expired, .fini = fini, .state = state,
};
