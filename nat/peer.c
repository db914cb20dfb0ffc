// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/answer.h"
#include "nat/cut.h"
#include "nat/fragment.h"
#include "nat/limit.h"
#include "nat/neighbour.h"
#include "nat/peer_allow.h"
#include "nat/peer_wait.h"
#include "nat/shard.h"
#include "switch/build.h"
#include "switch/nd.h"
#include "switch/offload.h"
#include "switch/port.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/station.h"
#include "switch/trial.h"
#include "switch/worker.h"

enum { IP4_DONT_FRAGMENT = 0x4000, IP4_TTL_AT = ETH_HEADER + 8, IP4_SUM_AT = ETH_HEADER + 10, IP6_HOPS_AT = ETH_HEADER + 7 };

struct peer_service {
	struct service service;
	struct peer_wait *wait;
	struct limit answers[MAX_WORKERS], questions[MAX_WORKERS];	/* each its worker's own */
	struct fragments *fragments[MAX_WORKERS];	/* likewise, made with the first one that comes; all NULL where another service has them */
};

/* passage - one packet on its way across */
struct passage {
	struct peer_service *peers;
	struct worker *w;
	const struct arrival *a;
	const struct packet *p;
	const struct peer *peer;
	struct limit *answers;
};

/* ---- may it? ---- */

static enum verdict refuse(const struct passage *t, enum verdict v)
{
	answer_icmp(t->w, t->a, t->p, t->answers, ICMP_UNREACHABLE, ICMP_ADMIN_PROHIBITED);
	return v;
}

/* ip_length() - of the frame without what padding stands behind the packet */
static uint32_t ip_length(const struct packet *p)
{
	return ETH_HEADER + (packet_is_ip6(p) ? IP6_HEADER + get_u16(p->data + ETH_HEADER + 4) : get_u16(p->data + ETH_HEADER + 2));
}

/* widest() - bytes of layer 3 in the largest frame that it will be on a wire */
static uint32_t widest(const struct passage *t)
{
	const struct offload *o = &t->a->frame->offload;

	return (o->gso_type ? o->hdr_len + o->gso_size : ip_length(t->p)) - ETH_HEADER;
}

/* must_be_cut() - too large, and it is the gateway's to cut: IPv4 whose sender allows it, and what came in fragments itself */
static bool must_be_cut(const struct passage *t)
{
	bool allowed = !packet_is_ip6(t->p) && !(get_u16(t->p->data + ETH_HEADER + 6) & IP4_DONT_FRAGMENT);

	return widest(t) > t->peer->mtu && !t->a->frame->offload.gso_type && (allowed || t->p->assembled);
}

/* ---- the frame on the other side ---- */

/* one_hop() - the headers at @head for the other side; the MAC address of who gets it follows */
static void one_hop(uint8_t *head, const struct segment *to, bool ip6)
{
	memcpy(head + MAC_SIZE, to->gateway_mac, MAC_SIZE);
	if (ip6) {
		head[IP6_HOPS_AT]--;
		return;
	}
	head[IP4_TTL_AT]--;			/* RFC 1624 3, eqn. 3: HC' = ~(~HC + ~m + m') */
	put_u16(head + IP4_SUM_AT, checksum_finish((uint16_t)~get_u16(head + IP4_SUM_AT) + 0xfeffu));
}

/* forgotten() - frames that were to be made and never were, because nobody was there to have them */
static void forgotten(const struct passage *t, unsigned n)
{
	const struct snapshot *snap = worker_snapshot(t->w);
	struct port_stats *s;

	if (!n || t->peer->local_port >= snap->nports || !snap->ports[t->peer->local_port].port)
		return;
	s = &snap->ports[t->peer->local_port].port->stats[worker_index(t->w)];
	counter_add(&s->made, n);
	counter_add(&s->verdicts[VERDICT_DROP_NO_NEIGHBOUR], n);
}

/* ask() - nothing was heard of the guest: the frame may wait for it, or its sender is told that nobody is there */
static enum verdict ask(const struct passage *t, const struct frame *f)
{
	const struct segment *to = t->peer->to;
	struct peer_wait_said said;
	struct limit *limit = &t->peers->questions[worker_index(t->w)];

	if (!t->peer->wait)
		return VERDICT_DROP_NO_MEMORY;
	said = peer_wait_put(t->peer->wait, t->p->dst, t->a->from->port->id, f, !must_be_cut(t), worker_now_ms(t->w));
	forgotten(t, said.forgotten);
	if (said.nobody) {
		answer_icmp(t->w, t->a, t->p, t->answers, ICMP_UNREACHABLE, ICMP_UNREACHABLE_HOST);
		return VERDICT_DROP_NO_NEIGHBOUR;
	}
	if (said.ask && limit_take(limit, worker_now_ms(t->w)))
		neighbour_ask(t->w, to, t->peer->local_port, t->p->dst);
	return said.kept ? VERDICT_CONSUMED_PEER : VERDICT_DROP_NO_NEIGHBOUR;
}

/* send_waiting() - frames for @dst that were kept until now */
static void send_waiting(struct worker *w, struct peer_wait *wait, uint32_t local_port, const struct segment *to, struct addr dst, const uint8_t *mac)
{
	struct peer_waiting one;

	for (unsigned i = 0; i < PEER_WAIT_PLACES && !peer_wait_is_empty(wait) && peer_wait_take(wait, dst, to->vid, &one); i++) {
		struct frame f;

		frame_init(&f, one.data, one.len);
		f.offload = one.offload;
		f.vid = to->vid;
		memcpy(one.data, mac, MAC_SIZE);
		worker_emit(w, local_port, &f, 1);
	}
}

/* send_cut() - in fragments, from a copy */
static enum verdict send_cut(const struct passage *t, const uint8_t *mac)
{
	struct site site = { .segment = t->peer->to, .local_port = t->peer->local_port, .mtu = t->peer->mtu };
	uint32_t len = ip_length(t->p);
	uint8_t *data = worker_scratch(t->w);

	memcpy(data, t->p->data, len);
	if (t->a->frame->offload.flags) {		/* a checksum that was left to others is due before the cut */
		struct frame f;

		frame_init(&f, data, len);
		f.offload = t->a->frame->offload;
		offload_complete(&f);
	}
	one_hop(data, t->peer->to, packet_is_ip6(t->p));
	memcpy(data, mac, MAC_SIZE);
	cut_send(t->w, &site, data, len);
	return VERDICT_CONSUMED_PEER;
}

/* send_on() - headers of its own, the rest borrowed; @mac: NULL when nothing was heard of the guest */
static enum verdict send_on(const struct passage *t, const uint8_t *mac)
{
	uint32_t len = ip_length(t->p), head = MIN_OF(len, (uint32_t)OFFLOAD_HEAD);
	struct iovec body = { (void *)(uintptr_t)(t->p->data + head), len - head };
	uint8_t bytes[OFFLOAD_HEAD];
	struct frame f;

	memcpy(bytes, t->p->data, head);
	one_hop(bytes, t->peer->to, packet_is_ip6(t->p));
	frame_init(&f, bytes, head);
	f.offload = t->a->frame->offload;
	f.vid = t->peer->to->vid;
	f.len = len;
	if (len > head) {
		f.body = &body;
		f.nbody = 1;
	}
	if (!mac)
		return ask(t, &f);
	memcpy(bytes, mac, MAC_SIZE);
	if (t->a->trial) {
		forward_trial_made(t->w, t->peer->local_port, &f, t->a->trial);
		return VERDICT_CONSUMED_PEER;
	}
	if (t->peer->wait)
		send_waiting(t->w, t->peer->wait, t->peer->local_port, t->peer->to, t->p->dst, mac);
	worker_emit(t->w, t->peer->local_port, &f, 1);
	return VERDICT_CONSUMED_PEER;
}

static bool allowed(const struct passage *t, uint32_t to)
{
	if (t->a->trial)
		return peer_would_allow(t->peer, t->p);
	return peer_allow(t->peer, t->p, t->a->from->port->id, to, worker_now_ms(t->w));
}

static enum verdict pass(const struct passage *t)
{
	const struct packet *p = t->p;
	struct station st;
	bool known;

	if (!segment_is_guests(t->a->segment, p->src))
		return VERDICT_DROP_MARTIAN;
	if (!segment_is_guests(t->peer->to, p->dst))
		return refuse(t, VERDICT_DROP_OTHER_NETWORK);
	known = t->peer->to->stations && station_find(t->peer->to->stations, p->dst, &st);
	if (!allowed(t, known ? st.port : PEER_NO_PORT))
		return refuse(t, VERDICT_DROP_PEER);
	if (p->ttl <= 1) {
		answer_icmp(t->w, t->a, p, t->answers, ICMP_TIME_EXCEEDED, 0);	/* RFC 1812 5.3.1 */
		return VERDICT_DROP_TTL;
	}
	if (t->a->trial)
		return known ? send_on(t, st.mac) : VERDICT_DROP_NO_NEIGHBOUR;
	if (must_be_cut(t) && known)
		return send_cut(t, st.mac);
	if (widest(t) > t->peer->mtu && !must_be_cut(t)) {
		answer_too_big(t->w, t->a, p, t->answers, t->peer->mtu);
		return VERDICT_DROP_OVERSIZE;
	}
	return send_on(t, known ? st.mac : NULL);
}

/* ---- the service ---- */

/* heard() - ARP and ND tell where guests of this network live: what waited for that can go */
static void heard(struct peer_service *peers, struct worker *w, const struct arrival *a, const struct packet *p)
{
	struct addr ip = p->src;
	struct station st;
	struct nd nd;

	if (peer_wait_is_empty(peers->wait))
		return;
	if (nd_is(p) && nd_parse(p, &nd) == VERDICT_FORWARDED && nd.type == ND_NEIGHBOUR_ADVERTISEMENT)
		ip = nd.target;
	if (a->segment->stations && station_find(a->segment->stations, ip, &st))
		send_waiting(w, peers->wait, a->local_port, a->segment, ip, st.mac);
}

static bool input(struct service *service, struct worker *w, const struct arrival *a, const struct packet *p, enum verdict *verdict)
{
	struct peer_service *peers = container_of(service, struct peer_service, service);
	struct passage t = { peers, w, a, p, NULL, &peers->answers[worker_index(w)] };

	if (p->ethertype == ETHERTYPE_ARP4 || nd_is(p)) {
		if (!a->trial)
			heard(peers, w, a, p);
		return false;
	}
	if (memcmp(p->data, a->segment->gateway_mac, MAC_SIZE) != 0 || a->from == a->segment->host)
		return false;
	t.peer = peer_for(a->segment, p->dst);
	if (!t.peer)
		return false;
	*verdict = pass(&t);
	return true;
}

/* assemble() - late ones are found when the next fragment comes; a guest is told nothing of them */
static const uint8_t *assemble(struct service *service, struct worker *w, const struct arrival *a, const uint8_t *data, uint32_t *len,
			       enum verdict *verdict)
{
	struct peer_service *peers = container_of(service, struct peer_service, service);
	struct fragments **fs = &peers->fragments[worker_index(w)];
	const uint8_t *late;
	uint32_t size;

	*verdict = VERDICT_DROP_FRAGMENT;
	if (!a->segment->npeers)
		return NULL;
	if (!*fs && (*fs = malloc(sizeof(**fs))))
		fragments_init(*fs);
	*verdict = VERDICT_DROP_NO_MEMORY;
	if (!*fs)
		return NULL;
	while (fragments_late(*fs, worker_now_ms(w), &late, &size) != FRAGMENT_NONE)
		;
	return fragments_take(*fs, a->from->port->id, worker_now_ms(w), data, *len, len, verdict);
}

struct peer_service *peer_service_new(bool with_assemble)
{
	static const struct service_ops plain = { .name = "peer", .input = input };
	static const struct service_ops whole = { .name = "peer", .input = input, .assemble = assemble };
	struct peer_service *peers = calloc(1, sizeof(*peers));

	if (!peers || !(peers->wait = peer_wait_new())) {
		free(peers);
		return NULL;
	}
	peers->service.ops = with_assemble ? &whole : &plain;
	return peers;
}

void peer_service_free(struct peer_service *peers)
{
	if (!peers)
		return;
	for (unsigned i = 0; i < MAX_WORKERS; i++)
		if (peers->fragments[i]) {
			fragments_fini(peers->fragments[i]);
			free(peers->fragments[i]);
		}
	peer_wait_free(peers->wait);
	free(peers);
}

struct service *peer_service(struct peer_service *peers)
{
	return &peers->service;
}

struct peer_wait *peer_service_wait(struct peer_service *peers)
{
	return peers->wait;
}
