// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/guesterror.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/answer.h"
#include "nat/forward_udp.h"
#include "nat/quoted.h"
#include "nat/rawicmp.h"
#include "nat/tcp.h"
#include "nat/udp.h"
#include "switch/build.h"
#include "switch/service.h"
#include "switch/snapshot.h"

enum {
	IP4_MESSAGE_MAX = 576,		/* RFC 1812 4.3.2.3: no more than this quotes what it can */
	TTL = 64, QUOTE_MAX = IP6_MTU_MIN - IP6_HEADER - ICMP_HEADER,
};

/* ---- whose it is ---- */

/* real() - the remote's own address, of a mapping that has talked to it; none: it has not */
static struct addr real(const struct flow *f, const struct arrival *a, struct addr seen)
{
	bool gateway = segment_is_gateway(a->segment, seen);
	struct addr ip = gateway ? f->udp.host_addr : seen;

	if (addr_is_none(ip) || (!gateway && addr_equal(ip, f->udp.host_addr)) || !filter_has(&f->udp.filter, ip))
		return (struct addr){ 0 };
	return ip;
}

/* find() - the flow by which the datagram came, a client's or a mapping */
static struct flow *find(const struct nat_shard *s, const struct nat_port *port, const struct arrival *a, const struct quoted *q)
{
	struct flow_key key = {
		.port = port->id, .guest = q->dst, .guest_port = q->dport, .remote = q->src, .remote_port = q->sport, .proto = PROTO_UDP,
	};
	struct flow *f = q->sport ? flow_find(s, &key) : NULL;

	if (f)
		return f;
	key.remote = (struct addr){ 0 };
	key.remote_port = 0;
	f = flow_find(s, &key);
	key.remote = q->src;
	if (!f && segment_is_gateway(a->segment, q->src))
		f = flow_find(s, &key);		/* the host's own socket, of a network that is pinned */
	return f && !addr_is_none(real(f, a, q->src)) ? f : NULL;
}

/* outside - how the datagram had come to the host */
struct outside {
	struct raw_way way;		/* back */
	uint16_t sport, dport;
};

/* way_to() - the host's address toward a mapping's remote: as the kernel chooses it for the mapping itself */
static bool way_to(const struct flow *f, struct raw_way *way)
{
	union sock_addr self;
	socklen_t size = sizeof(self);
	uint32_t device;
	int fd = sock_open(f->shard, f->key.guest, SOCK_DGRAM, 0, f->outside, &device);
	bool known;

	if (fd < 0)
		return false;
	known = connect(fd, &way->to.any, way->to.any.sa_family == AF_INET6 ? sizeof(way->to.in6) : sizeof(way->to.in4)) == 0 &&
		getsockname(fd, &self.any, &size) == 0;
	close(fd);
	way->from = known ? addr_from_sock(&self) : (struct addr){ 0 };
	way->device = device;
	return known;
}

static bool outside_of(const struct flow *f, const struct arrival *a, const struct quoted *q, struct outside *o)
{
	union sock_addr self;
	socklen_t size = sizeof(self);

	if (f->forward) {
		o->way.to = f->client.addr;
		o->way.device = 0;
		o->sport = sock_addr_port(&f->client.addr);
		return forward_udp_outside(f, &o->way.from, &o->dport);
	}
	addr_to_sock(real(f, a, q->src), q->sport, &o->way.to);
	o->sport = q->sport;
	if (!way_to(f, &o->way) || getsockname(f->watch.fd, &self.any, &size) < 0)
		return false;
	o->dport = sock_addr_port(&self);
	return true;
}

/* ---- what the remote hears ---- */

/* translate() - for a client of the other family than the guest's (RFC 7915 4.2, 5.2). Return: false when there is no such error there */
static bool translate(struct quoted_error *e, bool to6)
{
	if (e->mtu || (to6 && e->type == ICMP_UNREACHABLE && e->code == ICMP_UNREACHABLE_PROTOCOL))
		return false;
	if (to6)
		answer_as_icmp6(&e->type, &e->code);
	else if (e->type == ICMP6_TIME_EXCEEDED)
		e->type = ICMP_TIME_EXCEEDED;
	else
		*e = (struct quoted_error){ ICMP_UNREACHABLE, e->code == ICMP6_PORT_UNREACHABLE ? ICMP_UNREACHABLE_PORT :
					  e->code == ICMP6_PROHIBITED ? ICMP_ADMIN_PROHIBITED : ICMP_UNREACHABLE_HOST, 0 };
	return true;
}

/* put_ports() - those outside; the checksum is made anew where all that it covers is quoted, and else follows what is changed */
static void put_ports(uint8_t *udp, const struct quoted *q, uint32_t size, struct addr src, const struct outside *o)
{
	uint16_t length = get_u16(udp + 4), old = get_u16(udp + 6);
	uint64_t before = build_pseudo(q->src, q->dst, PROTO_UDP, length) + q->sport + q->dport;
	uint64_t after = build_pseudo(src, o->way.from, PROTO_UDP, length) + o->sport + o->dport;

	put_u16(udp, o->sport);
	put_u16(udp + 2, o->dport);
	if (!old)
		return;
	put_u16(udp + 6, 0);
	if (length == size)
		old = checksum_finish_udp(checksum_add(build_pseudo(src, o->way.from, PROTO_UDP, length), udp, size));
	else
		old = checksum_finish_udp((uint64_t)(uint16_t)~old + (uint16_t)~checksum_fold(before) + after);
	put_u16(udp + 6, old);
}

/* build() - the error in the client's family, of which the kernel makes the IP header; Return: its size */
static uint32_t build(uint8_t *to, const struct quoted_error *e, const struct quoted *q, const struct outside *o)
{
	struct addr src = addr_from_sock(&o->way.to);
	uint32_t length = get_u16(q->l4 + 4), header = addr_is4(src) ? IP4_HEADER : IP6_HEADER;
	uint32_t room = (addr_is4(src) ? IP4_MESSAGE_MAX - IP4_HEADER - ICMP_HEADER : QUOTE_MAX) - header;
	uint32_t size = MIN_OF(MIN_OF(q->size, length), room);
	uint8_t *ip = to + ICMP_HEADER, *udp = ip + header;

	memset(to, 0, ICMP_HEADER);
	to[0] = e->type;
	to[1] = e->code;
	if (addr_is4(src)) {
		put_u16(to + 6, (uint16_t)e->mtu);
		build_ip4(ip, addr_4(src), addr_4(o->way.from), PROTO_UDP, TTL, length);
	} else {
		put_u32(to + 4, e->mtu);
		build_ip6(ip, src, o->way.from, PROTO_UDP, TTL, length);
	}
	memcpy(udp, q->l4, size);
	put_ports(udp, q, size, src, o);
	size += ICMP_HEADER + header;
	if (addr_is4(src))
		put_u16(to + 2, checksum_finish(checksum_add(0, to, size)));
	return size;
}

/* send_out() - Return: 0 or negative errno */
static int send_out(struct worker *w, const struct packet *p, const struct outside *o, uint8_t *message, uint32_t size)
{
	struct iovec whole = { message, size };
	int rc = rawicmp_send(w, &o->way, p, &whole, 1);

	if (rc == 0 || rc == -EAGAIN)
		return rc;
	rawicmp_tell(w, addr_from_sock(&o->way.to), NULL, NULL);	/* it may be the error of what was sent before */
	return rawicmp_send(w, &o->way, p, &whole, 1);
}

/* about_udp() - to whoever had sent the datagram */
static enum verdict about_udp(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p, const struct quoted *q,
			      struct quoted_error e)
{
	struct flow *f = find(s, port, a, q);
	uint8_t message[ICMP_HEADER + QUOTE_MAX];
	struct outside o = { .sport = 0 };
	int rc;

	if (!f)
		return VERDICT_DROP_NO_SESSION;
	if (p->ttl <= 1)
		return VERDICT_DROP_TTL;
	if (!limit_take(&port->errors, shard_now(s)))
		return VERDICT_DROP_QUOTA;
	if (!outside_of(f, a, q, &o))
		return VERDICT_DROP_NO_ROUTE;
	if (!rawicmp_has(s->worker, o.way.from))
		return VERDICT_DROP_NO_PROTOCOL;
	if (addr_is4(o.way.from) != addr_is4(p->src) && !translate(&e, !addr_is4(o.way.from)))
		return VERDICT_DROP_NO_SESSION;
	rc = send_out(s->worker, p, &o, message, build(message, &e, q, &o));
	if (rc == 0)
		return VERDICT_CONSUMED_NAT;
	return rc == -EAGAIN || rc == -ENOBUFS ? VERDICT_DROP_BUSY : VERDICT_DROP_NO_ROUTE;
}

/* about_tcp() - to ourselves, who sent the segment */
static enum verdict about_tcp(struct nat_shard *s, const struct nat_port *port, const struct quoted *q, const struct quoted_error *e)
{
	struct flow_key key = {
		.port = port->id, .guest = q->dst, .guest_port = q->dport, .remote = q->src, .remote_port = q->sport, .proto = PROTO_TCP,
	};
	struct flow *f = flow_find(s, &key);

	return f && tcp_guest_error(f, get_u32(q->l4 + 4), e) ? VERDICT_CONSUMED_NAT : VERDICT_DROP_NO_SESSION;
}

enum verdict guesterror_input(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p)
{
	struct quoted_error e;
	struct quoted q;

	if (!quoted_parse(p, &q) || !quoted_error_of(p, &q, &e))
		return VERDICT_DROP_NO_SESSION;
	return q.proto == PROTO_TCP ? about_tcp(s, port, &q, &e) : about_udp(s, port, a, p, &q, e);
}
