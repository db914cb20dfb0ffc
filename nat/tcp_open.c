// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "nat/answer.h"
#include "nat/forward.h"
#include "nat/hostport.h"
#include "nat/nat_in.h"
#include "nat/neterror.h"
#include "nat/sock.h"
#include "nat/tcp_serve.h"
#include "nat/tcp_wire.h"
#include "switch/build.h"
#include "switch/service.h"
#include "switch/snapshot.h"

enum { HALF_OPEN_DEFAULT = 256, TRACED_TTL = 32, WATCHED = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI };

/* first_seq() - unpredictable to others, rising over time for the same addresses and ports (RFC 6528 3) */
static uint32_t first_seq(const struct flow *f)
{
	const struct flow_key *k = &f->key;
	uint64_t h = addr_hash(k->remote, addr_hash(k->guest, hash_seed()));

	h = hash_u64((uint64_t)k->guest_port << 48 | (uint64_t)k->remote_port << 32 | k->port, h);
	return (uint32_t)h + (uint32_t)(shard_now(f->shard) * 250);
}

static void begin_seq(struct flow *f)
{
	struct tcp *t = &f->tcp;

	t->snd_una = t->recover = first_seq(f);
	t->snd_nxt = t->snd_max = t->head = t->peek = t->snd_una + 1;
}

static void half_open(struct flow *f, bool is)
{
	if (f->tcp.half_open != is)
		*tcp_half_open(f) += is ? 1 : -1u;
	f->tcp.half_open = is;
}

static void agree(struct flow *f, const struct tcp_options *o, const struct site *site)
{
	uint32_t most = site->mtu + ETH_HEADER - build_headers(f->key.guest) - TCP_HEADER;

	f->tcp.mss = (uint16_t)MIN_OF((uint32_t)o->mss, most);
	f->tcp.snd_scale = o->scale >= 0 ? (uint8_t)o->scale : 0;
	f->tcp.rcv_scale = o->scale >= 0 ? TCP_SCALE : 0;
	f->tcp.window_max = site->window;
}

/* ready_socket() - what every connected socket is set to; a connection that ends soon does without the rest (to_socket(), peek()) */
static void ready_socket(struct flow *f)
{
	int on = 1;

	setsockopt(f->watch.fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
	f->tcp.peek_offset = !shard_conf(f->shard)->no_peek_offset;
	if (f->tcp.pair)
		tcp_ask_space(f);	/* what it has says nothing of others */
	else
		tcp_expect_space(f);
}

/* ---- a guest connects ---- */

uint32_t tcp_half_open_max(const struct nat_shard *s)
{
	uint32_t n = shard_conf(s)->half_open_max;

	return n ? n : HALF_OPEN_DEFAULT;
}

/* flow_with() - a flow whose socket is watched; NULL without memory, and @fd is closed */
static struct flow *flow_with(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, int fd)
{
	struct flow *f = flow_new(s, port, key, &tcp_kind, fd);

	if (!f) {
		close(fd);
		return NULL;
	}
	if (worker_watch(s->worker, &f->watch, WATCHED | EPOLLET) < 0) {
		f->watch.events = 0;
		flow_free(f);
		return NULL;
	}
	return f;
}

static bool has_room(struct nat_shard *s, struct nat_port *port)
{
	return port->half_open < tcp_half_open_max(s) && flow_room(s, port, FLOW_TCP);
}

/* new_flow() - with a socket that is not yet connected; NULL with the verdict for the guest's frame */
static struct flow *new_flow(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, bool outside, enum verdict *v)
{
	struct flow *f;
	uint32_t device = 0;
	int fd;

	*v = VERDICT_DROP_QUOTA;
	if (!has_room(s, port))
		return NULL;
	*v = VERDICT_DROP_NO_MEMORY;
	fd = sock_open(s, key->guest, SOCK_STREAM, 0, outside, &device);
	if (fd == -ENODEV)
		*v = VERDICT_DROP_NO_ROUTE;
	f = fd >= 0 ? flow_with(s, port, key, fd) : NULL;
	if (f) {
		f->outside = outside;
		f->device = device;
	}
	return f;
}

/* unreachable() - an ICMP error about the SYN, which is gone: its headers are made again */
static void unreachable(struct flow *f, const struct site *site, uint8_t code)
{
	uint32_t l4 = build_headers(f->key.guest);
	uint8_t syn[TCP_OUT_HEADERS] = { 0 }, *t = build_ip(syn, f->mac, f->mac, f->key.guest, f->key.remote, PROTO_TCP, 64, TCP_HEADER);
	struct packet p = {
		.data = syn, .len = l4 + TCP_HEADER, .ethertype = get_u16(syn + 12), .proto = PROTO_TCP, .src = f->key.guest,
		.dst = f->key.remote, .l4 = (uint16_t)l4,
	};

	put_u16(t, f->key.guest_port);
	put_u16(t + 2, f->key.remote_port);
	put_u32(t + 4, f->tcp.rcv_nxt - 1);
	t[12] = TCP_HEADER / 4 << 4;
	t[13] = TCP_SYN;
	answer_error(f->shard->worker, site, f->mac, &p, &f->port->answers, ICMP_UNREACHABLE, code);
}

/* refuse() - tell the guest why its connection cannot be, as the network would, and forget it
 * ETIMEDOUT is silence outside and so it is inside.
 */
static enum verdict refuse(struct flow *f, int error)
{
	enum verdict v = VERDICT_CONSUMED_REFUSED;
	struct site site;

	if (error == EADDRNOTAVAIL || error == ENOBUFS || error == ENOMEM)
		v = VERDICT_DROP_NO_MEMORY;		/* the guest will try again */
	else if (!neterror_tell(f, NULL) && error != ETIMEDOUT && shard_site(f->shard, f->key.port, f->key.guest, &site)) {
		if (error == ENETUNREACH || error == ENETDOWN || error == ENODEV)
			unreachable(f, &site, ICMP_UNREACHABLE_NET);
		else if (error == EHOSTUNREACH || error == EHOSTDOWN)
			unreachable(f, &site, ICMP_UNREACHABLE_HOST);
		else if (error == EACCES || error == EPERM)
			unreachable(f, &site, ICMP_ADMIN_PROHIBITED);
		else
			tcp_send_control(f, &site, TCP_RST | TCP_ACK, 0);
	}
	flow_free(f);
	return v;
}

static void answer(struct flow *f)
{
	struct tcp *t = &f->tcp;
	struct site site;

	if (!shard_site(f->shard, f->key.port, f->key.guest, &site)) {
		flow_abort(f);
		return;
	}
	t->phase = TCP_PHASE_ANSWERED;
	neterror_ask(f, NETERROR_NONE);
	ready_socket(f);
	t->rto_ms = shard_now(f->shard) + TCP_SYN_RTO_MS;
	tcp_send_control(f, &site, TCP_SYN | TCP_ACK, t->snd_una);
	tcp_arm(f);
}

void tcp_connected(struct flow *f, uint32_t events)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (events & (EPOLLERR | EPOLLHUP) && getsockopt(f->watch.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error)
		refuse(f, error);
	else
		answer(f);
}

/* follow() - a SYN that is to come to its end on the way does so (traceroute -T); other connections have the host's TTL */
static void follow(const struct flow *f, const struct packet *p)
{
	int ttl = p->ttl - 1;
	bool ip6 = packet_is_ip6(p);

	if (!f->outside)
		return;
	neterror_ask(f, p->ttl <= TRACED_TTL ? NETERROR_WHOLE : NETERROR_PLAIN);
	if (p->ttl <= TRACED_TTL)
		setsockopt(f->watch.fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof(ttl));
}

/* start_connect() - the remote hears that its SYN-ACK came along with the guest's first data, if that comes at once, and else when the guest has
 * acknowledged ours (tcp_confirm()): a packet less, and no connection out there that the guest does not have. The kernel, asked to wait as
 * for a client's data, sends the ACK of itself after 200 ms at most. */
static int start_connect(struct flow *f, struct addr dst)
{
	union sock_addr to;
	int on = 1;

	f->tcp.unconfirmed = setsockopt(f->watch.fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof(on)) == 0;
	return connect(f->watch.fd, &to.any, addr_to_sock(dst, f->key.remote_port, &to)) == 0 ? 0 : -errno;
}

/* renew() - another socket, whose port the kernel chooses: on the endpoint's own port the same remote was talked to a moment ago, and
 * the host still keeps that connection (RFC 9293 3.6.1). Return: false when there is none, and the old one stays */
static bool renew(struct flow *f)
{
	struct worker *w = f->shard->worker;
	uint32_t device;
	int fd = sock_open(f->shard, f->key.guest, SOCK_STREAM, 0, f->outside, &device);

	if (fd < 0)
		return false;
	worker_unwatch(w, &f->watch);
	close(f->watch.fd);
	hostport_put(&f->key, f->host_port);
	f->host_port = 0;
	f->watch.fd = fd;
	f->watch.events = 0;
	f->device = device;
	return worker_watch(w, &f->watch, WATCHED | EPOLLET) == 0;
}

/* refuse_over_quota() - a guest that has all the flows it may have is told; too many half-open ones pass, and it will try again */
static void refuse_over_quota(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p, enum verdict v)
{
	if (v == VERDICT_DROP_QUOTA && port->half_open < tcp_half_open_max(s) && limit_take(&port->answers, shard_now(s)))
		answer_reset(s->worker, a, p);
}

/* greet() - what is known of the guest's end from its SYN */
static void greet(struct flow *f, const struct arrival *a, const struct packet *p)
{
	struct tcp_options options = tcp_wire_options(p);
	struct site site = answer_site(a);

	memcpy(f->mac, p->data + MAC_SIZE, MAC_SIZE);
	begin_seq(f);
	agree(f, &options, &site);
	f->tcp.rcv_nxt = f->tcp.rcv_adv = p->seq + 1;
	f->tcp.snd_wnd = p->tcp_window;
	half_open(f, true);
}

/* begin_served() - to whom it wants it has got already */
static enum verdict begin_served(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p,
				 const struct flow_key *key)
{
	enum verdict v = VERDICT_DROP_QUOTA;
	int fd = has_room(s, port) ? tcp_serve_open(s, a, p, &v) : -1;
	struct flow *f = fd >= 0 ? flow_with(s, port, key, fd) : NULL;

	if (!f) {
		refuse_over_quota(s, port, a, p, v);
		return fd >= 0 ? VERDICT_DROP_NO_MEMORY : v;
	}
	f->tcp.pair = f->tcp.no_delay = true;
	greet(f, a, p);
	answer(f);
	return VERDICT_CONSUMED_DNS;
}

/* begin_outside() - from a socket of the host to @dst */
static enum verdict begin_outside(struct flow *f, const struct packet *p, struct addr dst)
{
	int rc;

	follow(f, p);
	f->host_port = hostport_bind(f->watch.fd, shard_conf(f->shard)->net_id, &f->key);
	rc = start_connect(f, dst);
	if (rc == -EADDRNOTAVAIL && f->host_port && renew(f)) {
		follow(f, p);
		rc = start_connect(f, dst);
	}
	if (rc == 0)
		answer(f);
	else if (rc != -EINPROGRESS)
		return refuse(f, -rc);
	else
		tcp_arm(f);
	return VERDICT_CONSUMED_NAT;
}

enum verdict tcp_begin(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p,
		       const struct flow_key *key)
{
	struct flow *f;
	struct addr dst;
	enum verdict v;

	if (!p->sport || !p->dport)
		return VERDICT_DROP_MALFORMED;
	if (tcp_serve_is(s, a, p))
		return begin_served(s, port, a, p, key);
	v = nat_decide(s, port, a, p, &dst);
	if (v != VERDICT_CONSUMED_NAT)
		return v;
	f = new_flow(s, port, key, !segment_is_gateway(a->segment, p->dst), &v);
	if (v == VERDICT_DROP_NO_ROUTE)
		answer_icmp(s->worker, a, p, &port->answers, ICMP_UNREACHABLE, ICMP_UNREACHABLE_NET);
	if (!f) {
		refuse_over_quota(s, port, a, p, v);
		return v;
	}
	greet(f, a, p);
	return begin_outside(f, p, dst);
}

/* ---- a forward's client connects ---- */

/* call() - SYN to the guest; where its MAC address is not known, ask for it by ARP meanwhile */
static bool call(struct flow *f)
{
	struct site site;

	if (!shard_site(f->shard, f->key.port, f->key.guest, &site))
		return false;
	if (forward_find_mac(f->shard, &site, f->key.port, f->key.guest, f->mac))
		tcp_send_control(f, &site, TCP_SYN, f->tcp.snd_una);
	return true;
}

int tcp_call(struct nat_shard *s, struct nat_port *port, struct forward *forward, const struct flow_key *key, int fd)
{
	struct flow *f;
	struct site site;

	if (!shard_site(s, port->id, key->guest, &site))
		return -ENETDOWN;
	if (port->calling >= tcp_half_open_max(s))
		return -ENOBUFS;
	f = flow_new_called(s, port, key, &tcp_kind, fd);
	if (!f)
		return -ENOBUFS;
	if (worker_watch(s->worker, &f->watch, WATCHED | EPOLLET) < 0) {
		f->watch.events = 0;
		flow_release(f);
		flow_free(f);
		return -ENOMEM;
	}
	f->forward = forward;
	f->tcp.called = true;
	f->tcp.phase = TCP_PHASE_CALLING;
	begin_seq(f);
	agree(f, &(struct tcp_options){ .mss = TCP_OUT_MSS_DEFAULT, .scale = 0 }, &site);
	half_open(f, true);
	ready_socket(f);
	f->tcp.progress_ms = shard_now(s);
	f->tcp.rto_ms = f->tcp.progress_ms + TCP_SYN_RTO_MS;
	call(f);
	tcp_arm(f);
	return 0;
}

void tcp_call_again(struct flow *f)
{
	struct tcp *t = &f->tcp;
	uint64_t now = shard_now(f->shard), end = t->progress_ms + TCP_CALL_MS;

	if (now >= end || !call(f)) {
		counter_add(&f->shard->counts.expired, 1);
		tcp_call_refused(f);
		return;
	}
	t->retries++;
	t->rto_ms = MIN_OF(now + ((uint64_t)TCP_SYN_RTO_MS << t->retries), end);
	tcp_arm(f);
}

void tcp_call_refused(struct flow *f)
{
	forward_refused(f->forward);
	flow_abort(f);
}

void tcp_crossed(struct flow *f, const struct packet *p)
{
	struct tcp_options options = tcp_wire_options(p);
	struct tcp *t = &f->tcp;
	struct site site;

	if (!shard_site(f->shard, f->key.port, f->key.guest, &site))
		return;
	agree(f, &options, &site);
	t->rcv_nxt = t->rcv_adv = p->seq + 1;
	t->retries = 0;
	t->phase = TCP_PHASE_ANSWERED;
	t->rto_ms = shard_now(f->shard) + TCP_SYN_RTO_MS;
	tcp_send_control(f, &site, TCP_SYN | TCP_ACK, t->snd_una);
	tcp_arm(f);
}

/* ---- both ---- */

void tcp_confirm(struct flow *f)
{
	int on = 1;

	if (!f->tcp.wrote && !f->tcp.confirm_next) {
		f->tcp.confirm_next = true;
		flow_defer(f);
		return;
	}
	if (!f->tcp.wrote)
		setsockopt(f->watch.fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	f->tcp.unconfirmed = false;
}

void tcp_opened(struct flow *f, const struct packet *p)
{
	struct tcp *t = &f->tcp;
	struct tcp_options options = tcp_wire_options(p);
	struct site site;

	if (t->phase == TCP_PHASE_CALLING && shard_site(f->shard, f->key.port, f->key.guest, &site))
		agree(f, &options, &site);
	half_open(f, false);
	t->snd_wnd = (uint32_t)p->tcp_window << (p->tcp_flags & TCP_SYN ? 0 : t->snd_scale);
	t->snd_wl1 = p->seq;
	t->snd_una = t->snd_nxt;
	t->retries = 0;
	t->rto_ms = 0;
	t->phase = TCP_PHASE_OPEN;
	flow_defer(f);
}
