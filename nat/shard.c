// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/shard.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nat/answer.h"
#include "nat/fragment.h"
#include "nat/hostaddr.h"
#include "nat/nat_in.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/snapshot.h"

enum { OWN_AGE_MS = 1000 };

static void work_again(struct worker *w, void *arg);

/* work() - acknowledge and send on every flow that packets of this turn belonged to
 *
 * Packets of one burst are thus answered once per flow instead of once per packet. Work that a flow puts off again
 * waits for the next turn, in which the guests' queues are looked at first.
 */
static void work(struct nat_shard *s)
{
	struct flow *f;

	for (uint32_t n = s->nwork; n && (f = TAILQ_FIRST(&s->work)) != NULL; n--) {
		TAILQ_REMOVE(&s->work, f, work);
		s->nwork--;
		f->working = false;
		f->kind->work(f);
	}
	if (TAILQ_EMPTY(&s->work))
		return;
	timer_cancel(worker_timers(s->worker), &s->turn);
	if (worker_post(s->worker, work_again, s))
		nat_hold(s->nat);
	else
		timer_set(worker_timers(s->worker), &s->turn, shard_now(s) + 1);
}

static void work_again(struct worker *w, void *arg)
{
	struct nat_shard *s = arg;

	(void)w;
	nat_release(s->nat);
	work(s);
}

static void on_turn(struct timer *timer, uint64_t now_ms, void *context)
{
	(void)now_ms, (void)context;
	work(container_of(timer, struct nat_shard, turn));
}

/* tell_late() - RFC 792: who sent the beginning of a packet hears that the rest is missing */
static void tell_late(struct nat_shard *s, uint32_t port_id, const uint8_t *data, uint32_t len)
{
	bool ip6 = get_u16(data + 12) == ETHERTYPE_IP6;
	const uint8_t *ip = data + ETH_HEADER;
	struct packet p = {
		.data = data, .len = len, .ethertype = get_u16(data + 12), .proto = ip[ip6 ? 6 : 9],
		.src = ip6 ? addr6(ip + 8) : addr4(get_u32(ip + 12)), .dst = ip6 ? addr6(ip + 24) : addr4(get_u32(ip + 16)),
		.l4 = ETH_HEADER + (ip6 ? IP6_HEADER : IP4_HEADER),
	};
	struct nat_port *port = shard_port(s, port_id);
	struct site site;

	if (packet_is_icmp(&p))		/* its type may be that of an error, about which nothing may be said */
		p.icmp_type = len > p.l4 ? data[p.l4] : 0;
	if (port && shard_site(s, port_id, p.src, &site) && segment_has(site.segment, p.src))
		answer_error(s->worker, &site, data + MAC_SIZE, &p, &port->answers, ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY);
}

static void on_late(struct timer *timer, uint64_t now_ms, void *context)
{
	struct nat_shard *s = container_of(timer, struct nat_shard, late);
	const uint8_t *data;
	uint32_t len;
	int64_t port;

	(void)context;
	while ((port = fragments_late(s->fragments, now_ms, &data, &len)) != FRAGMENT_NONE)
		if (data)
			tell_late(s, (uint32_t)port, data, len);
	shard_await_fragments(s);
}

void shard_await_fragments(struct nat_shard *s)
{
	uint64_t due = fragments_next_late(s->fragments);

	if (due != UINT64_MAX)
		timer_set(worker_timers(s->worker), &s->late, due);
}

struct fragments *shard_fragments(struct nat_shard *s)
{
	if (!s->fragments) {
		s->fragments = malloc(sizeof(*s->fragments));
		if (s->fragments)
			fragments_init(s->fragments);
	}
	return s->fragments;
}

struct nat_shard *shard_new(struct nat *nat, struct worker *w)
{
	struct nat_shard *s = calloc(1, sizeof(*s));
	uint16_t random = 0;

	if (!s)
		return NULL;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint16_t)worker_now_ms(w);
	s->nat = nat;
	s->worker = w;
	s->turn.expired = on_turn;
	s->late.expired = on_late;
	hold_init(&s->hold);
	s->next_port = random;
	TAILQ_INIT(&s->work);
	return s;
}

static void end_flows(struct nat_port *p)
{
	struct flow *f;

	for (unsigned i = 0; i < FLOW_CLASSES; i++)
		while ((f = TAILQ_FIRST(&p->lists[i])) != NULL)
			flow_abort(f);
}

void shard_stop(struct nat_shard *s)
{
	s->stopped = true;
	for (unsigned i = 0; i < ARRAY_SIZE(s->ports); i++)
		for (struct nat_port *p = s->ports[i]; p; p = p->next)
			end_flows(p);
	timer_cancel(worker_timers(s->worker), &s->turn);
	timer_cancel(worker_timers(s->worker), &s->late);
}

uint64_t shard_now(const struct nat_shard *s)
{
	return worker_now_ms(s->worker);
}

static const struct net_view *net_of(const struct nat_shard *s, uint32_t port_id)
{
	const struct snapshot *snap = worker_snapshot(s->worker);

	if (port_id >= snap->nports || !snap->ports[port_id].port)
		return NULL;
	return snap->ports[port_id].net;
}

uint32_t port_window(const struct port *port)
{
	enum { WINDOW_MIN = 64 * 1024, WINDOW_MAX = 1024 * 1024, OVERHEAD = 3 };
	uint32_t room = port->rx_room / OVERHEAD;

	return port->rx_room ? MIN_OF(MAX_OF(room, (uint32_t)WINDOW_MIN), (uint32_t)WINDOW_MAX) : WINDOW_MAX;
}

bool shard_site(const struct nat_shard *s, uint32_t port_id, struct addr guest, struct site *site)
{
	const struct net_view *net = net_of(s, port_id);
	const struct segment *segment;

	if (!net || net->net_id != shard_conf(s)->net_id || !net->nmembers || !net->members[0]->local)
		return false;
	segment = segment_with(&worker_snapshot(s->worker)->ports[port_id], guest);
	if (!segment || !segment->has_subnet)
		return false;
	*site = (struct site){ segment, net->members[0]->port->id, net->mtu,
			       port_window(worker_snapshot(s->worker)->ports[port_id].port) };
	return true;
}

struct addr shard_own(struct nat_shard *s, struct addr like)
{
	unsigned i = !addr_is4(like);
	uint64_t now = shard_now(s);

	if (!s->own[i].asked_ms || now - s->own[i].asked_ms >= OWN_AGE_MS) {
		s->own[i].addr = hostaddr_own(worker_snapshot(s->worker), addr_family(like));
		s->own[i].asked_ms = now;
	}
	return s->own[i].addr;
}

static struct nat_port **find_port(struct nat_shard *s, uint32_t id)
{
	struct nat_port **at = &s->ports[id % ARRAY_SIZE(s->ports)];

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

struct nat_port *shard_port(struct nat_shard *s, uint32_t id)
{
	struct nat_port **at = find_port(s, id), *p = *at;

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->id = id;
	for (unsigned i = 0; i < FLOW_CLASSES; i++)
		TAILQ_INIT(&p->lists[i]);
	*at = p;
	return p;
}

void shard_forget_port(struct nat_shard *s, uint32_t id)
{
	struct nat_port **at = find_port(s, id), *p = *at;

	if (!p)
		return;
	end_flows(p);
	if (s->fragments)
		fragments_forget(s->fragments, id);
	*at = p->next;
	free(p);
}
