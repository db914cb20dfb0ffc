// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "nat/forward_in.h"
#include "nat/nat_in.h"
#include "switch/build.h"
#include "switch/nd.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/station.h"

enum { DYNAMIC_FIRST = 49152, DYNAMIC_COUNT = 65536 - DYNAMIC_FIRST };

/* ---- ports of 127.0.0.1 that belong to forwards; written by the control thread and the stopping worker ---- */

static _Atomic uint8_t loopback_ports[2][65536];

static void note_loopback(const struct forward *f, int change)
{
	if (f->loopback)
		atomic_fetch_add_explicit(&loopback_ports[f->proto == IPPROTO_UDP][f->port], (uint8_t)change,
					  memory_order_relaxed);
}

bool forward_is_loopback(uint8_t proto, uint16_t port)
{
	return atomic_load_explicit(&loopback_ports[proto == IPPROTO_UDP][port], memory_order_relaxed) > 0;
}

/* ---- references ---- */

struct forward *forward_get(struct forward *f)
{
	atomic_fetch_add(&f->refs, 1);
	return f;
}

void forward_put(struct forward *f)
{
	if (!f || atomic_fetch_sub(&f->refs, 1) > 1)
		return;
	free(f->target);
	free(f);
}

void forward_put_flow(struct forward *f)
{
	if (!f)
		return;
	atomic_fetch_sub_explicit(&f->active, 1, memory_order_relaxed);
	forward_put(f);
}

void forward_refused(struct forward *f)
{
	atomic_fetch_add_explicit(&f->refused, 1, memory_order_relaxed);
}

void forward_count(const struct forward *f, struct forward_counts *counts)
{
	*counts = (struct forward_counts){
		.hits = atomic_load_explicit(&f->hits, memory_order_relaxed),
		.active = atomic_load_explicit(&f->active, memory_order_relaxed),
		.refused = atomic_load_explicit(&f->refused, memory_order_relaxed),
		.no_address = atomic_load_explicit(&f->no_address, memory_order_relaxed),
	};
}

/* ---- where the target is ---- */

/* ask() - who has @ip? By ARP or by Neighbour Discovery */
static void ask(struct worker *w, const struct site *site, struct addr ip)
{
	static const uint8_t nobody[MAC_SIZE], everybody[MAC_SIZE] = { 255, 255, 255, 255, 255, 255 };
	const struct segment *seg = site->segment;
	uint8_t data[ND_NEIGHBOUR_SIZE];
	struct frame frame;
	uint32_t len;

	if (addr_is4(ip))
		len = build_arp(data, ARP_REQUEST, seg->gateway_mac, seg->gateway, nobody, addr_4(ip), everybody);
	else
		len = nd_build_solicitation(data, seg->gateway_mac, segment_gateway(seg, ip), ip);
	frame_init(&frame, data, len);
	frame.vid = seg->vid;
	worker_emit(w, site->local_port, &frame, 1);
}

bool forward_find_mac(struct nat_shard *s, const struct site *site, uint32_t port_id, struct addr ip, uint8_t mac[6])
{
	struct station st;

	if (site->segment->stations && station_find(site->segment->stations, ip, &st) && st.port == port_id) {
		memcpy(mac, st.mac, MAC_SIZE);
		return true;
	}
	ask(s->worker, site, ip);
	return false;
}

/* segment_site() - the NAT's segment, when no port of it is known yet */
static bool segment_site(const struct nat *nat, const struct snapshot *snap, struct site *site)
{
	const struct nat_conf *conf = nat_conf_of(nat);

	for (unsigned i = 0; i < snap->nnets; i++) {
		const struct net_view *net = &snap->nets[i];
		const struct segment *seg = net->net_id == conf->net_id ? segment_of(net, conf->vid) : NULL;

		if (seg && seg->has_subnet && seg->stations && net->nmembers && net->members[0]->local) {
			*site = (struct site){ .segment = seg, .local_port = net->members[0]->port->id, .mtu = net->mtu };
			return true;
		}
	}
	return false;
}

/* find() - port and address of the target, from what the segment's stations know */
static int find(struct worker *w, const struct site *site, const struct forward_target *t, struct place *place)
{
	struct station st = { .port = t->port, .ip = t->ip };

	if (t->port != FORWARD_BY_IP) {
		if (addr_is_none(t->ip) && !station_of_port(site->segment->stations, t->port, &st))
			return -ENOENT;
	} else if (!segment_has(site->segment, t->ip)) {
		return -ENOENT;
	} else if (!station_find(site->segment->stations, t->ip, &st)) {
		ask(w, site, t->ip);
		return -EAGAIN;
	}
	*place = (struct place){ .port = st.port, .ip = st.ip, .to_port = t->to_port };
	return 0;
}

int forward_place(struct forward *f, struct worker *w, struct place *place)
{
	const struct snapshot *snap = worker_snapshot(w);
	struct site site;
	int rc;

	if (!segment_site(f->nat, snap, &site))
		return -ENOENT;
	rc = find(w, &site, &rcu_dereference(f->target)->target, place);
	if (rc < 0)
		return rc;
	if (place->port >= snap->nports || !snap->ports[place->port].port ||
	    snap->ports[place->port].net != site.segment->net || segment_is_gateway(site.segment, place->ip))
		return -ENOENT;
	place->worker = nat_worker(f->nat, snap->ports[place->port].port->queues[0].worker);
	return place->worker ? 0 : -ENOENT;
}

bool forward_key(struct nat_shard *s, const struct site *site, const struct place *place, uint8_t proto,
		 struct flow_key *key)
{
	*key = (struct flow_key){
		.port = place->port, .guest = place->ip, .guest_port = place->to_port,
		.remote = segment_gateway(site->segment, place->ip), .proto = proto,
	};
	for (unsigned i = 0; i < DYNAMIC_COUNT; i++) {
		key->remote_port = (uint16_t)(DYNAMIC_FIRST + s->next_port++ % DYNAMIC_COUNT);
		if (!flow_find(s, key))
			return true;
	}
	return false;
}

/* ---- life ---- */

static void on_start(struct worker *w, void *arg)
{
	struct forward *f = arg;

	if (worker_watch(w, &f->watch, EPOLLIN) < 0)
		f->watch.events = 0;		/* no memory: a forward that takes nobody, until it is made anew */
	forward_put(f);
}

static void close_rcu(struct rcu_head *head)
{
	struct forward *f = container_of(head, struct forward, rcu);

	close(f->watch.fd);
	forward_put(f);
}

static void on_stop(struct worker *w, void *arg)
{
	struct forward *f = arg;

	atomic_store(&f->stopped, true);
	timer_cancel(worker_timers(w), &f->timer);
	if (f->watch.events || f->paused)
		worker_unwatch(w, &f->watch);
	note_loopback(f, -1);
	forward_tcp_stop(f);
	nat_release(f->nat);
	urcu_qsbr_call_rcu(&f->rcu, close_rcu);
}

bool forward_stop(struct forward *f)
{
	return worker_post(f->worker, on_stop, f);
}

/* look_at_socket() - its port, and what has to be set on it */
static int look_at_socket(struct forward *f, int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} at = { .any.sa_family = AF_UNSPEC };
	socklen_t size = sizeof(at);
	int on = 1, flags = fcntl(fd, F_GETFL);

	if (getsockname(fd, &at.any, &size) < 0 || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	if (at.any.sa_family != AF_INET && at.any.sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	f->port = ntohs(at.any.sa_family == AF_INET ? at.in.sin_port : at.in6.sin6_port);
	f->loopback = at.any.sa_family == AF_INET && ntohl(at.in.sin_addr.s_addr) >> 24 == 127;
	if (f->proto == IPPROTO_UDP && at.any.sa_family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else if (f->proto == IPPROTO_UDP)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	return 0;
}

static struct live_target *new_target(const struct forward_target *target)
{
	struct live_target *t = calloc(1, sizeof(*t));

	if (t)
		t->target = *target;
	return t;
}

struct forward *forward_new(struct nat *nat, uint8_t proto, int fd, const struct forward_target *target, struct worker *w)
{
	struct forward *f = calloc(1, sizeof(*f));
	int rc = -ENOMEM;

	if (!f)
		return NULL;
	TAILQ_INIT(&f->waiting);
	f->nat = nat;
	f->worker = w;
	f->proto = proto;
	f->refs = 2;				/* until it is stopped, and for on_start() */
	f->watch = (struct watch){ .ready = proto == IPPROTO_TCP ? forward_accept : forward_receive, .fd = fd };
	f->timer.expired = forward_tcp_timer;
	f->target = new_target(target);
	if (f->target)
		rc = look_at_socket(f, fd);
	if (rc == 0) {
		nat_hold(nat);
		note_loopback(f, 1);
		if (worker_post(w, on_start, f))
			return f;
		note_loopback(f, -1);
		nat_release(nat);
		rc = -EAGAIN;
	}
	free(f->target);
	free(f);
	errno = -rc;
	return NULL;
}

static void free_target(struct rcu_head *head)
{
	free(container_of(head, struct live_target, rcu));
}

int forward_retarget(struct forward *f, const struct forward_target *target)
{
	struct live_target *t = new_target(target), *old = f->target;

	if (!t)
		return -ENOMEM;
	rcu_assign_pointer(f->target, t);
	urcu_qsbr_call_rcu(&old->rcu, free_target);
	return 0;
}
