// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "nat/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "nat/answer.h"
#include "nat/datagram.h"
#include "nat/forward_udp.h"
#include "nat/hostport.h"
#include "nat/nat_in.h"
#include "nat/neterror.h"
#include "nat/sock.h"
#include "nat/udp_batch.h"
#include "switch/packet.h"
#include "switch/service.h"
#include "switch/snapshot.h"

/* Datagrams are received into scratch, each into a slot of full size; pages that nothing was written to cost nothing. A flow that gets
 * many at once is given them in trains of one size (UDP_GRO), which go on to its guest as one frame (USO). */
enum {
	SLOT = DATAGRAM_HEADERS + 65536 + 2, SLOTS = 15,
	BATCHES = 4,			/* per readiness; more waits for the next turn */
	TRAINS_FROM = 4,		/* datagrams at once that make it worth asking for trains */
	GSO_SEGMENTS = 64,		/* UDP_MAX_SEGMENTS of older kernels */
};

_Static_assert(SLOTS * SLOT <= WORKER_SCRATCH, "one batch fits the scratch");

static const struct flow_kind udp_kind;

/* ---- guest to remote ---- */

static uint64_t idle_ms(const struct flow *f)
{
	const struct nat_conf *conf = shard_conf(f->shard);

	if (f->udp.only_dns)
		return 1000ull * (conf->udp_dns_s ? conf->udp_dns_s : UDP_DNS_IDLE_S);
	return 1000ull * (conf->udp_s ? conf->udp_s : UDP_IDLE_S);
}

static struct flow *new_mapping(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, enum verdict *v)
{
	bool outside = addr_is_none(key->remote);
	uint32_t device;
	struct flow *f;
	int fd;

	*v = VERDICT_DROP_QUOTA;
	if (!flow_room(s, port, FLOW_UDP))
		return NULL;
	*v = VERDICT_DROP_NO_MEMORY;
	fd = sock_open(s, key->guest, SOCK_DGRAM, 0, outside, &device);
	if (fd < 0)
		return NULL;
	f = flow_new(s, port, key, &udp_kind, fd);
	if (!f) {
		close(fd);
		return NULL;
	}
	f->outside = outside;
	f->device = device;
	if (worker_watch(s->worker, &f->watch, EPOLLIN) < 0) {
		f->watch.events = 0;
		flow_free(f);
		return NULL;
	}
	udp_ready_socket(f);
	f->host_port = hostport_bind(fd, shard_conf(s)->net_id, key);
	f->udp.only_dns = true;
	f->udp.batch = 1;
	return f;
}

/* renew() - a socket bound as the network is now, on the same port outside if that is free there. Return: false when the flow is gone */
static bool renew(struct flow *f)
{
	struct worker *w = f->shard->worker;
	union sock_addr at;
	socklen_t size = sizeof(at);
	uint32_t device;
	int fd = sock_open(f->shard, f->key.guest, SOCK_DGRAM, 0, true, &device);

	if (fd < 0 || getsockname(f->watch.fd, &at.any, &size) < 0) {
		if (fd >= 0)
			close(fd);
		flow_free(f);
		return false;
	}
	udp_batch_flush_of(f);
	worker_unwatch(w, &f->watch);
	close(f->watch.fd);
	f->watch.fd = fd;
	f->watch.events = 0;
	f->device = device;
	f->udp.manner = (struct manner){ 0 };
	f->udp.trains = false;
	udp_ready_socket(f);
	if (sock_addr_port(&at))
		(void)!bind(fd, &at.any, size);
	if (worker_watch(w, &f->watch, EPOLLIN) == 0)
		return true;
	f->watch.events = 0;
	flow_free(f);
	return false;
}

void udp_ready_socket(struct flow *f)
{
	int on = 1, fd = f->watch.fd;

	neterror_ask(f, NETERROR_WHOLE);
	if (addr_is4(f->key.guest))
		return;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
}

/* send_all() - the payload of @p, which the guest may have sent as many datagrams in one frame (USO) */
static int send_all(struct flow *f, const struct arrival *a, const struct packet *p, const union sock_addr *to)
{
	const uint8_t *data = packet_payload(p);
	uint32_t left = packet_payload_len(p);
	uint16_t each = a->frame->offload.gso_type ? a->frame->offload.gso_size : 0;
	int rc;

	do {
		uint32_t size = each ? MIN_OF(left, (uint32_t)each * GSO_SEGMENTS) : left;

		rc = udp_send(f->watch.fd, to, data, size, each);
		data += size;
		left -= size;
	} while (left && rc == 0);
	return rc;
}

enum verdict udp_send_failed(struct flow *f, const struct arrival *a, const struct packet *p, int rc)
{
	uint8_t code;

	switch (-rc) {
	case EAGAIN:
	case ENOBUFS:
		return VERDICT_DROP_BUSY;
	case ENETUNREACH:
	case ENETDOWN:
	case ENODEV:
		code = ICMP_UNREACHABLE_NET;
		break;
	case EACCES:
	case EPERM:
		code = ICMP_ADMIN_PROHIBITED;
		break;
	case EMSGSIZE:			/* the error queue knew the MTU, and the guest has been told */
		return VERDICT_CONSUMED_REFUSED;
	default:
		code = ICMP_UNREACHABLE_HOST;
	}
	answer_icmp(f->shard->worker, a, p, &f->port->answers, ICMP_UNREACHABLE, code);
	return VERDICT_CONSUMED_REFUSED;
}

static enum verdict send_out(struct flow *f, const struct arrival *a, const struct packet *p, struct addr dst)
{
	bool to_gateway = segment_is_gateway(a->segment, p->dst);
	struct udp *u = &f->udp;
	union sock_addr to;
	int rc;

	addr_to_sock(dst, p->dport, &to);
	if (to_gateway)
		u->host_addr = dst;
	else if (addr_equal(u->host_addr, dst))
		u->host_addr = (struct addr){ 0 };	/* the guest now talks to it directly */
	u->only_dns = u->only_dns && p->dport == DNS_PORT;
	filter_add(&u->filter, dst);
	if (a->frame->offload.gso_type)
		udp_batch_flush_of(f);
	else if (udp_batch_put(f, p, dst, !to_gateway))
		return VERDICT_CONSUMED_NAT;
	sock_follow(f->watch.fd, &u->manner, p, !to_gateway);
	rc = send_all(f, a, p, &to);
	if (rc < 0 && rc != -EAGAIN) {
		neterror_tell(f, p);
		if (rc != -EMSGSIZE)		/* a send reports the error of an earlier one, and does nothing: again */
			rc = send_all(f, a, p, &to);
	}
	return rc < 0 ? udp_send_failed(f, a, p, rc) : VERDICT_CONSUMED_NAT;
}

static struct flow_key key_of(const struct nat_port *port, const struct packet *p)
{
	return (struct flow_key){
		.port = port->id, .guest = p->src, .guest_port = p->sport, .proto = IPPROTO_UDP,
	};
}

/* to_client() - does it answer a forward's client? */
static struct flow *to_client(struct nat_shard *s, const struct nat_port *port, const struct flow_key *endpoint, const struct packet *p)
{
	struct flow_key key = *endpoint;

	if (!port->nclients)
		return NULL;
	key.remote = p->dst;
	key.remote_port = p->dport;
	return flow_find(s, &key);
}

enum verdict udp_input(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p)
{
	struct flow_key key = key_of(port, p);
	struct flow *f = to_client(s, port, &key, p);
	enum verdict v;
	struct addr dst;

	if (f)
		return forward_udp_reply(f, p);
	if (!p->sport || !p->dport)
		return VERDICT_DROP_MALFORMED;
	v = nat_decide(s, port, a, p, &dst);
	if (v != VERDICT_CONSUMED_NAT)
		return v;
	if (shard_conf(s)->device[0] && segment_is_gateway(a->segment, p->dst))
		key.remote = p->dst;		/* the host is reached by a socket of its own, which is not bound */
	f = flow_find(s, &key);
	if (f && sock_stale(f) && !renew(f))
		return VERDICT_DROP_NO_ROUTE;
	if (!f)
		f = new_mapping(s, port, &key, &v);
	if (!f)
		return v;
	f->used_ms = shard_now(s);
	memcpy(f->mac, p->data + MAC_SIZE, MAC_SIZE);
	flow_fresh(f, FLOW_UDP);
	f->udp.last = p->dst;
	f->udp.last_port = p->dport;
	v = send_out(f, a, p, dst);
	f->bytes_out += v == VERDICT_CONSUMED_NAT ? packet_payload_len(p) : 0;
	flow_due(f, f->used_ms + idle_ms(f));
	return v;
}

/* ---- remote to guest ---- */

struct addr udp_seen_as(const struct flow *f, const struct site *site, struct addr ip)
{
	return addr_equal(ip, f->udp.host_addr) ? segment_gateway(site->segment, f->key.guest) : ip;
}

struct batch {
	struct mmsghdr msgs[SLOTS];
	struct iovec iov[SLOTS];
	union sock_addr from[SLOTS];
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control[SLOTS];
	struct frame frames[SLOTS];
	unsigned nframes;
};

static int receive(struct flow *f, struct batch *b, uint8_t *scratch)
{
	for (unsigned i = 0; i < f->udp.batch; i++) {
		b->iov[i] = (struct iovec){ scratch + i * SLOT + DATAGRAM_HEADERS, SLOT - DATAGRAM_HEADERS };
		b->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &b->from[i], .msg_namelen = sizeof(b->from[i]), .msg_iov = &b->iov[i], .msg_iovlen = 1,
			.msg_control = f->udp.trains ? &b->control[i] : NULL, .msg_controllen = f->udp.trains ? sizeof(b->control[i]) : 0,
		};
	}
	return recvmmsg(f->watch.fd, b->msgs, f->udp.batch, MSG_DONTWAIT, NULL);
}

/* train_size() - bytes of each datagram in what was received, but for the last; @size when it is one */
static uint32_t train_size(struct msghdr *msg, uint32_t size)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		int each;

		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&each, CMSG_DATA(c), sizeof(each));
		return each > 0 ? MIN_OF((uint32_t)each, size) : size;
	}
	return size;
}

/* in_fragments() - datagrams that do not fit the guest's MTU, at once: what was received before them goes first */
static void in_fragments(struct nat_shard *s, const struct site *site, const struct datagram *d, uint32_t each)
{
	uint32_t at = 0;

	do {
		struct datagram one = *d;
		struct frame frame;
		bool taken;

		one.buffer += at;		/* its headers take the place of what was sent just now */
		one.size = MIN_OF(each, d->size - at);
		if (datagram_frame(site, &one, one.size, &frame))
			taken = worker_emit(s->worker, site->local_port, &frame, 1) == 1;
		else
			taken = datagram_send_fragments(s, site, &one);
		counter_add(&s->counts.lost, !taken);
		at += each;
	} while (at < d->size);
}

static void send_in(struct nat_shard *s, const struct site *site, struct batch *b)
{
	unsigned taken = b->nframes ? worker_emit(s->worker, site->local_port, b->frames, b->nframes) : 0;

	counter_add(&s->counts.lost, b->nframes - taken);
	b->nframes = 0;
}

/* take() - the @n messages received, to the guest */
static void take(struct flow *f, const struct site *site, struct batch *b, uint8_t *scratch, unsigned n)
{
	struct nat_shard *s = f->shard;
	bool any = shard_conf(s)->filter_any;

	b->nframes = 0;
	for (unsigned i = 0; i < n; i++) {
		struct addr ip = addr_from_sock(&b->from[i]);
		uint32_t each = train_size(&b->msgs[i].msg_hdr, b->msgs[i].msg_len);
		struct datagram d = {
			.src = udp_seen_as(f, site, ip), .dst = f->key.guest, .sport = sock_addr_port(&b->from[i]),
			.dport = f->key.guest_port, .mac = f->mac, .buffer = scratch + i * SLOT, .size = b->msgs[i].msg_len,
		};

		if ((!any && !filter_has(&f->udp.filter, ip)) || addr_is_loopback(d.src)) {
			counter_add(&s->counts.filtered, 1);
			continue;
		}
		f->bytes_in += d.size;
		if (datagram_frame(site, &d, each, &b->frames[b->nframes])) {
			b->nframes++;
		} else {
			send_in(s, site, b);
			in_fragments(s, site, &d, each);
		}
	}
	send_in(s, site, b);
}

/* want_trains() - the flow got many datagrams at once */
static void want_trains(struct flow *f)
{
	int on = 1;

	f->udp.trains = setsockopt(f->watch.fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) == 0;
}

static void on_ready(struct worker *w, struct watch *watch, uint32_t events)
{
	struct flow *f = container_of(watch, struct flow, watch);
	struct batch b;
	struct site site;

	if (events & EPOLLERR)
		neterror_tell(f, NULL);
	if (!shard_site(f->shard, f->key.port, f->key.guest, &site)) {
		flow_free(f);
		return;
	}
	for (unsigned i = 0; i < BATCHES; i++) {
		unsigned asked = f->udp.batch;
		int n = receive(f, &b, worker_scratch(w));

		if (n <= 0)
			break;
		take(f, &site, &b, worker_scratch(w), (unsigned)n);
		if ((unsigned)n == asked)
			f->udp.batch = (uint8_t)MIN_OF(asked * 2, (unsigned)SLOTS);
		if (n >= TRAINS_FROM && !f->udp.trains)
			want_trains(f);
		if ((unsigned)n < asked)
			break;
	}
}

/* ---- life ---- */

static void expired(struct flow *f, uint64_t now_ms)
{
	uint64_t due = f->used_ms + idle_ms(f);

	if (now_ms < due) {
		flow_due(f, due);
		return;
	}
	counter_add(&f->shard->counts.expired, 1);
	flow_free(f);
}

static void work(struct flow *f)
{
	udp_batch_flush_of(f);
}

static void fini(struct flow *f)
{
	udp_batch_flush_of(f);
	filter_fini(&f->udp.filter);
}

static const char *state(const struct flow *f)
{
	return f->udp.only_dns ? "dns" : "mapped";
}

static const struct flow_kind udp_kind = {
	.class = FLOW_UDP, .ready = on_ready, .expired = expired, .work = work, .fini = fini, .state = state,
};
