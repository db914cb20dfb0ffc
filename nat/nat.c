// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/nat.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "nat/answer.h"
#include "nat/delegated.h"
#include "nat/echo.h"
#include "nat/forward.h"
#include "nat/fragment.h"
#include "nat/guesterror.h"
#include "nat/hostaddr.h"
#include "nat/hostport.h"
#include "nat/nat_in.h"
#include "nat/outside.h"
#include "nat/review.h"
#include "nat/shard.h"
#include "nat/sock.h"
#include "nat/tcp.h"
#include "nat/trial.h"
#include "nat/udp.h"
#include "switch/port.h"
#include "switch/packet.h"
#include "switch/service.h"
#include "switch/snapshot.h"

/* live_conf - the settings, replaced as a whole; old ones go after a grace period */
struct live_conf {
	struct rcu_head rcu;
	struct nat_conf conf;
};

struct nat {
	struct service service;
	struct live_conf *live;		/* RCU; written by the control thread */
	struct worker *const *workers;
	unsigned nworkers;
	uint64_t stop_posted;		/* control thread: bit per worker */
	atomic_uint stopped;		/* workers that have stopped */
	atomic_uint held;		/* forwards, and messages between workers */
	/* By worker. Written by that worker alone, and only once: NULL to shard; read by nat_count() too. */
	_Atomic(struct nat_shard *) shards[MAX_WORKERS];
};

_Static_assert(MAX_WORKERS <= 64, "stop_posted has a bit per worker");

/* ---- settings and shards ---- */

const struct nat_conf *nat_conf_of(const struct nat *nat)
{
	return &rcu_dereference(nat->live)->conf;
}

const struct nat_conf *shard_conf(const struct nat_shard *s)
{
	return nat_conf_of(s->nat);
}

struct worker *nat_worker(const struct nat *nat, unsigned index)
{
	return index < nat->nworkers ? nat->workers[index] : NULL;
}

struct nat_shard *nat_shard_of(struct nat *nat, struct worker *w)
{
	struct nat_shard *s = atomic_load_explicit(&nat->shards[worker_index(w)], memory_order_relaxed);

	if (!s) {
		s = shard_new(nat, w);
		atomic_store_explicit(&nat->shards[worker_index(w)], s, memory_order_release);
	}
	return s && !s->stopped ? s : NULL;
}

/* ---- policy ---- */

static void refused(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p,
		    const struct policy *policy)
{
	switch (policy->act) {
	case POLICY_PASS:
	case POLICY_DROP:
		break;
	case POLICY_PROHIBITED:
		answer_icmp(s->worker, a, p, &port->answers, ICMP_UNREACHABLE, policy->icmp_code);
		break;
	case POLICY_CLOSED:
		if (p->proto == PROTO_TCP)
			answer_reset(s->worker, a, p);
		else
			answer_icmp(s->worker, a, p, &port->answers, ICMP_UNREACHABLE, ICMP_UNREACHABLE_PORT);
	}
}

/* ask_policy() - for a destination outside, what was said within the last second under the same settings is said again */
static struct policy ask_policy(struct nat_shard *s, const struct arrival *a, const struct packet *p)
{
	const struct nat_conf *conf = shard_conf(s);
	struct decision *known = &s->decisions[addr_hash(p->dst, hash_seed()) % ARRAY_SIZE(s->decisions)];
	struct policy_query q = {
		.snapshot = worker_snapshot(s->worker), .segment = a->segment, .host_access = conf->host_access,
		.uplink = conf->uplink, .src = p->src, .dst = p->dst,
		.src_is_behind = a->segment->routes && delegated_source(a->segment, a->from->port->id, p->src),
	};

	if (segment_is_gateway(a->segment, p->dst)) {
		if (conf->host_access == HOST_OWN)
			q.own = shard_own(s, p->dst);
		q.dst_is_loopback_forward = forward_is_loopback(p->proto, p->dport);
		return policy_decide(&q);
	}
	q.uplink_gone = sock_device(s) == SOCK_DEVICE_GONE;
	if (conf->host_access == HOST_NONE && (p->proto == PROTO_TCP || p->proto == PROTO_UDP) &&
	    (forward_is_everywhere(p->proto, p->dport) || hostport_is_ours(p->proto, p->dst, p->dport)))
		return policy_decide(&q);	/* on the host nothing but a guest is behind this port */
	if (addr_equal(known->dst, p->dst) && addr_equal(known->src, p->src) && known->generation == q.snapshot->generation && known->conf == conf &&
	    shard_now(s) - known->at_ms < DECISION_AGE_MS)
		return known->policy;
	q.dst_is_host = conf->host_access == HOST_NONE && conf->uplink && hostaddr_is_local(p->dst);
	*known = (struct decision){ p->src, p->dst, q.snapshot->generation, conf, shard_now(s), policy_decide(&q) };
	return known->policy;
}

enum verdict nat_decide(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p,
			struct addr *dst)
{
	struct policy policy = ask_policy(s, a, p);

	if (policy.act != POLICY_PASS) {
		refused(s, port, a, p, &policy);
		return policy.verdict;
	}
	if (p->ttl <= 1 && !segment_is_gateway(a->segment, p->dst)) {
		answer_icmp(s->worker, a, p, &port->answers, ICMP_TIME_EXCEEDED, 0);	/* RFC 1812 5.3.1 */
		return VERDICT_DROP_TTL;
	}
	*dst = policy.dst;
	return VERDICT_CONSUMED_NAT;
}

/* ---- the service ---- */

static enum verdict translate(struct nat *nat, struct worker *w, const struct arrival *a, const struct packet *p)
{
	struct nat_shard *s = nat_shard_of(nat, w);
	struct nat_port *port = s ? shard_port(s, a->from->port->id) : NULL;

	if (!port)
		return VERDICT_DROP_NO_MEMORY;
	if (!addr_is4(p->src) && addr_is_link_local(p->src) && a->segment != segment_home(a->from))
		return VERDICT_DROP_MARTIAN;	/* a flow knows its guest's VLAN by the address, and this one may be in several */
	if (a->trial)
		return nat_trial(s, port, a, p);
	if (p->proto == PROTO_TCP)
		return tcp_input(s, port, a, p);
	if (p->proto == PROTO_UDP)
		return udp_input(s, port, a, p);
	if (packet_is_icmp_error(p))
		return guesterror_input(s, port, a, p);
	return echo_input(s, port, a, p);
}

static bool input(struct service *service, struct worker *w, const struct arrival *a, const struct packet *p,
		  enum verdict *verdict)
{
	struct nat *nat = container_of(service, struct nat, service);

	if (p->ethertype != ETHERTYPE_IP4 && !(packet_is_ip6(p) && a->segment->has_subnet6))
		return false;
	if (memcmp(p->data, a->segment->gateway_mac, MAC_SIZE) != 0)
		return false;
	if (p->proto != PROTO_TCP && p->proto != PROTO_UDP && !packet_is_icmp(p))
		return false;
	if (packet_is_icmp(p) && segment_is_gateway(a->segment, p->dst) && !packet_is_icmp_error(p))
		return false;			/* the gateway's own */
	*verdict = translate(nat, w, a, p);
	return true;
}

/* assemble() - also for the services before: a large packet to the gateway comes in fragments as well */
static const uint8_t *assemble(struct service *service, struct worker *w, const struct arrival *a, const uint8_t *data, uint32_t *len,
			       enum verdict *verdict)
{
	struct nat_shard *s = nat_shard_of(container_of(service, struct nat, service), w);
	struct fragments *fs = s ? shard_fragments(s) : NULL;
	const uint8_t *whole;

	*verdict = VERDICT_DROP_NO_MEMORY;
	if (!fs)
		return NULL;
	whole = fragments_take(fs, a->from->port->id, shard_now(s), data, *len, len, verdict);
	if (!timer_pending(&s->late))
		shard_await_fragments(s);
	return whole;
}

static bool outside(struct service *service, struct worker *w, uint32_t guest, const struct heading *h, bool to_guest, struct outside *to)
{
	struct nat_shard *s = nat_shard_of(container_of(service, struct nat, service), w);

	return s && shard_outside(s, guest, h, to_guest, to);
}

static const struct service_ops nat_ops = { .name = "nat", .input = input, .assemble = assemble, .outside = outside };

/* ---- life ---- */

struct nat *nat_new(const struct nat_conf *conf, struct worker *const *workers, unsigned nworkers)
{
	struct nat *nat = calloc(1, sizeof(*nat));
	struct live_conf *live = calloc(1, sizeof(*live));

	if (!nat || !live || nworkers > MAX_WORKERS) {
		free(nat);
		free(live);
		errno = nworkers > MAX_WORKERS ? EINVAL : ENOMEM;
		return NULL;
	}
	live->conf = *conf;
	nat->service.ops = &nat_ops;
	nat->live = live;
	nat->workers = workers;
	nat->nworkers = nworkers;
	return nat;
}

struct service *nat_service(struct nat *nat)
{
	return &nat->service;
}

static void free_conf(struct rcu_head *head)
{
	free(container_of(head, struct live_conf, rcu));
}

int nat_set_conf(struct nat *nat, const struct nat_conf *conf)
{
	struct live_conf *live = calloc(1, sizeof(*live)), *old = nat->live;

	if (!live)
		return -ENOMEM;
	live->conf = *conf;
	live->conf.net_id = old->conf.net_id;
	rcu_assign_pointer(nat->live, live);
	urcu_qsbr_call_rcu(&old->rcu, free_conf);
	return 0;
}

struct host_change {
	struct nat *nat;
	bool addresses;
};

static void on_host_changed(struct worker *w, void *arg)
{
	struct host_change *m = arg;
	struct nat_shard *s = atomic_load_explicit(&m->nat->shards[worker_index(w)], memory_order_relaxed);

	if (s) {
		review_forget(s);
		review_start(s, m->addresses);
	}
	free(m);
}

bool nat_host_changed(struct nat *nat, bool addresses)
{
	for (unsigned i = 0; i < nat->nworkers; i++) {
		struct host_change *m = malloc(sizeof(*m));

		if (!m)
			return false;
		*m = (struct host_change){ nat, addresses };
		if (!worker_post(nat->workers[i], on_host_changed, m)) {
			free(m);
			return false;
		}
	}
	return true;
}

struct forget {
	struct nat *nat;
	uint32_t port;
};

static void on_forget(struct worker *w, void *arg)
{
	struct forget *m = arg;
	struct nat_shard *s = atomic_load_explicit(&m->nat->shards[worker_index(w)], memory_order_relaxed);

	if (s)
		shard_forget_port(s, m->port);
	free(m);
}

bool nat_forget_port(struct nat *nat, uint32_t port_id)
{
	for (unsigned i = 0; i < nat->nworkers; i++) {
		struct forget *m = malloc(sizeof(*m));

		if (!m)
			return false;
		*m = (struct forget){ nat, port_id };
		if (!worker_post(nat->workers[i], on_forget, m)) {
			free(m);
			return false;
		}
	}
	return true;
}

static void on_stop(struct worker *w, void *arg)
{
	struct nat *nat = arg;
	struct nat_shard *s = atomic_load_explicit(&nat->shards[worker_index(w)], memory_order_relaxed);

	if (!s) {
		s = shard_new(nat, w);		/* so that no late packet makes one that runs */
		atomic_store_explicit(&nat->shards[worker_index(w)], s, memory_order_release);
	}
	if (s)
		shard_stop(s);
	atomic_fetch_add(&nat->stopped, 1);
}

bool nat_stop(struct nat *nat)
{
	bool all = true;

	for (unsigned i = 0; i < nat->nworkers; i++) {
		if (nat->stop_posted >> i & 1)
			continue;
		if (worker_post(nat->workers[i], on_stop, nat))
			nat->stop_posted |= 1ull << i;
		else
			all = false;
	}
	return all;
}

bool nat_stopped(const struct nat *nat)
{
	return atomic_load(&nat->stopped) == nat->nworkers && atomic_load(&nat->held) == 0;
}

void nat_hold(struct nat *nat)
{
	atomic_fetch_add(&nat->held, 1);
}

void nat_release(struct nat *nat)
{
	atomic_fetch_sub(&nat->held, 1);
}

void nat_free(struct nat *nat)
{
	if (!nat)
		return;
	for (unsigned i = 0; i < nat->nworkers; i++)
		shard_free(atomic_load(&nat->shards[i]));
	free(nat->live);
	free(nat);
}

/* ---- what there is ---- */

static void show(const struct flow *f, struct nat_flow *to)
{
	bool mapping = f->key.proto == IPPROTO_UDP && addr_is_none(f->key.remote);
	uint64_t now = shard_now(f->shard);

	*to = (struct nat_flow){
		.proto = f->key.proto, .port = f->key.port, .guest = f->key.guest,
		.remote = mapping ? f->udp.last : f->key.remote, .guest_port = f->key.guest_port,
		.remote_port = mapping ? f->udp.last_port : f->key.remote_port, .state = f->kind->state(f),
		.forwarded = f->forward != NULL, .idle_s = (uint32_t)((now - MIN_OF(now, f->used_ms)) / 1000),
		.age_s = (uint32_t)((now - f->opened_ms) / 1000), .bytes_out = f->bytes_out, .bytes_in = f->bytes_in,
	};
}

unsigned nat_flows(struct nat *nat, struct worker *w, struct nat_flow *to, unsigned n)
{
	struct nat_shard *s = atomic_load_explicit(&nat->shards[worker_index(w)], memory_order_relaxed);
	unsigned count = 0;

	for (uint32_t i = 0; s && i < s->nbuckets; i++)
		for (const struct flow *f = s->buckets[i]; f; f = f->next, count++)
			if (count < n)
				show(f, &to[count]);
	return count;
}

void nat_count(const struct nat *nat, struct nat_counts *sum)
{
	*sum = (struct nat_counts){ 0 };
	for (unsigned i = 0; i < nat->nworkers; i++) {
		const struct nat_shard *s = atomic_load_explicit(&nat->shards[i], memory_order_acquire);

		if (!s)
			continue;
		sum->flows += counter_get(&s->counts.flows);
		sum->opened += counter_get(&s->counts.opened);
		sum->expired += counter_get(&s->counts.expired);
		sum->resets += counter_get(&s->counts.resets);
		sum->retransmits += counter_get(&s->counts.retransmits);
		sum->filtered += counter_get(&s->counts.filtered);
		sum->lost += counter_get(&s->counts.lost);
		sum->over_quota += counter_get(&s->counts.over_quota);
	}
}
