// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* struct in6_pktinfo */
#include "nat/echo.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/answer.h"
#include "nat/cut.h"
#include "nat/nat_in.h"
#include "nat/neterror.h"
#include "nat/rawicmp.h"
#include "nat/sock.h"
#include "nat/udp.h"
#include "switch/build.h"
#include "switch/service.h"
#include "switch/snapshot.h"

enum { TTL_UNKNOWN = 64, REPLIES_AT_ONCE = 16, REPLY_MAX = 65535 - IP4_HEADER };

static const struct flow_kind echo_kind;

static enum verdict prohibited(struct nat_port *port, struct worker *w, const struct arrival *a, const struct packet *p)
{
	answer_icmp(w, a, p, &port->answers, ICMP_UNREACHABLE, ICMP_ADMIN_PROHIBITED);
	return VERDICT_DROP_NO_PROTOCOL;
}

/* ---- guest to remote ---- */

static struct flow *with_socket(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, int fd, uint32_t device)
{
	struct flow *f = flow_new(s, port, key, &echo_kind, fd);

	if (!f) {
		close(fd);
		return NULL;
	}
	f->device = device;
	if (worker_watch(s->worker, &f->watch, EPOLLIN) < 0) {
		f->watch.events = 0;
		flow_free(f);
		return NULL;
	}
	udp_ready_socket(f);
	neterror_ask_hops(fd, !addr_is4(key->guest));
	return f;
}

/* by_raw() - a flow with an identifier of the worker's raw socket */
static struct flow *by_raw(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, enum verdict *v)
{
	struct flow *f = flow_new(s, port, key, &echo_kind, -1);
	int rc = f ? rawicmp_join(f) : -ENOMEM;

	if (f)
		f->device = sock_device(s);
	if (rc == 0)
		return f;
	if (rc == -EDQUOT) {
		counter_add(&s->counts.over_quota, 1);
		*v = VERDICT_DROP_QUOTA;
	}
	if (f)
		flow_free(f);
	return NULL;
}

bool echo_is_forbidden(int rc)
{
	return rc == -EACCES || rc == -EPERM || rc == -EPROTONOSUPPORT;
}

bool echo_is_request(const struct packet *p)
{
	return packet_is_icmp(p) && p->icmp_type == (packet_is_ip6(p) ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST) && p->icmp_code == 0;
}

/* new_echo() - NULL: *v is what becomes of the packet */
static struct flow *new_echo(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, const struct arrival *a,
			     const struct packet *p, enum verdict *v)
{
	struct flow *f = NULL;
	uint32_t device;
	int fd;

	*v = VERDICT_DROP_QUOTA;
	if (!flow_room(s, port, FLOW_UDP))
		return NULL;
	*v = VERDICT_DROP_NO_MEMORY;
	fd = sock_open(s, key->guest, SOCK_DGRAM, key->proto, true, &device);
	if (fd >= 0)
		f = with_socket(s, port, key, fd, device);
	else if (!echo_is_forbidden(fd))
		return NULL;
	else if (rawicmp_has(s->worker, key->guest))
		f = by_raw(s, port, key, v);
	else
		*v = prohibited(port, s->worker, a, p);
	if (f)
		f->outside = true;
	return f;
}

/* send_raw() - with the flow's own identifier; the kernel sees to the checksum of ICMPv6 */
static int send_raw(struct flow *f, const struct packet *p, struct addr dst)
{
	uint8_t head[ICMP_HEADER];
	struct iovec parts[] = { { head, sizeof(head) }, { (void *)(uintptr_t)packet_payload(p), packet_payload_len(p) } };
	struct raw_way way = { .device = f->device };

	addr_to_sock(dst, 0, &way.to);
	memcpy(head, p->data + p->l4, sizeof(head));
	put_u16(head + 4, f->udp.raw_id);
	put_u16(head + 2, 0);
	if (addr_is4(dst))
		put_u16(head + 2, checksum_finish(checksum_add(checksum_add(0, head, sizeof(head)), parts[1].iov_base, parts[1].iov_len)));
	return rawicmp_send(f->shard->worker, &way, p, parts, ARRAY_SIZE(parts));
}

/* send_once() - Return: 0 or negative errno */
static int send_once(struct flow *f, const struct packet *p, struct addr dst)
{
	union sock_addr to;
	socklen_t size = addr_to_sock(dst, 0, &to);

	if (f->udp.raw_id)
		return send_raw(f, p, dst);
	sock_follow(f->watch.fd, &f->udp.manner, p, true);
	return sendto(f->watch.fd, p->data + p->l4, p->len - p->l4, MSG_DONTWAIT, &to.any, size) < 0 ? -errno : 0;
}

static enum verdict send_out(struct flow *f, const struct arrival *a, const struct packet *p, struct addr dst)
{
	bool told;
	int rc;

	filter_add(&f->udp.filter, dst);
	rc = send_once(f, p, dst);
	if (rc == 0)
		return VERDICT_CONSUMED_NAT;
	told = f->udp.raw_id ? rawicmp_tell(f->shard->worker, dst, f, p) : neterror_tell(f, p);
	if (rc != -EMSGSIZE || !told)	/* it may be the error of an earlier one, and this one has not been sent */
		rc = send_once(f, p, dst);
	return rc < 0 ? udp_send_failed(f, a, p, rc) : VERDICT_CONSUMED_NAT;
}

enum verdict echo_input(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p)
{
	struct flow_key key = { .port = port->id, .guest = p->src, .guest_port = p->sport, .proto = p->proto };
	struct flow *f;
	enum verdict v;
	struct addr dst;

	if (!echo_is_request(p))
		return VERDICT_DROP_NO_SESSION;
	v = nat_decide(s, port, a, p, &dst);
	if (v != VERDICT_CONSUMED_NAT)
		return v;
	f = flow_find(s, &key);
	if (f && sock_stale(f)) {
		flow_free(f);
		f = NULL;
	}
	if (!f)
		f = new_echo(s, port, &key, a, p, &v);
	if (!f)
		return v;
	f->used_ms = shard_now(s);
	memcpy(f->mac, p->data + MAC_SIZE, MAC_SIZE);
	flow_fresh(f, FLOW_UDP);
	v = send_out(f, a, p, dst);
	flow_due(f, f->used_ms + ECHO_IDLE_S * 1000);
	return v;
}

/* ---- remote to guest ---- */

/* reply() - the message with the guest's identifier */
static void reply(struct flow *f, const struct site *site, uint8_t *icmp, uint32_t size, const struct came *came)
{
	struct addr from = came->from, guest = f->key.guest;
	uint32_t head = build_headers(guest);
	uint64_t sum = addr_is4(guest) ? 0 : build_pseudo(from, guest, PROTO_ICMP6, size);

	build_ip(icmp - head, f->mac, site->segment->gateway_mac, from, guest, f->key.proto, came->ttl, size);
	put_u16(icmp + 4, f->key.guest_port);
	put_u16(icmp + 2, 0);
	put_u16(icmp + 2, checksum_finish(checksum_add(sum, icmp, size)));
	if (!cut_send(f->shard->worker, site, icmp - head, head + size))
		counter_add(&f->shard->counts.lost, 1);
}

bool echo_deliver(struct flow *f, uint8_t *icmp, uint32_t size, const struct came *came)
{
	struct site site;

	if (!shard_site(f->shard, f->key.port, f->key.guest, &site)) {
		flow_free(f);
		return false;
	}
	if (size < ICMP_HEADER || size > REPLY_MAX)
		counter_add(&f->shard->counts.lost, 1);
	else if (!filter_has(&f->udp.filter, came->from))
		counter_add(&f->shard->counts.filtered, 1);
	else
		reply(f, &site, icmp, size, came);
	return true;
}

static void note(struct came *came, const struct cmsghdr *c)
{
	int ttl;

	if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
		memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
		came->ttl = (uint8_t)(ttl > 1 ? ttl - 1 : 1);
	} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		came->device = (uint32_t)((const struct in_pktinfo *)(const void *)CMSG_DATA(c))->ipi_ifindex;
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		came->device = ((const struct in6_pktinfo *)(const void *)CMSG_DATA(c))->ipi6_ifindex;
	}
}

ssize_t echo_receive(int fd, uint8_t *to, uint32_t room, struct came *came)
{
	union {
		char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control;
	union sock_addr from;
	struct iovec iov = { to, room };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0)
		return n;
	*came = (struct came){ .from = addr_from_sock(&from), .ttl = TTL_UNKNOWN };
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		note(came, c);
	return n;
}

static void on_ready(struct worker *w, struct watch *watch, uint32_t events)
{
	struct flow *f = container_of(watch, struct flow, watch);
	uint8_t *icmp = worker_scratch(w) + ECHO_HEADROOM;

	if (events & EPOLLERR)
		neterror_tell(f, NULL);
	for (unsigned i = 0; i < REPLIES_AT_ONCE; i++) {
		struct came came;
		ssize_t n = echo_receive(watch->fd, icmp, REPLY_MAX, &came);

		if (n < 0 || !echo_deliver(f, icmp, (uint32_t)n, &came))
			break;
	}
}

/* ---- life ---- */

static void expired(struct flow *f, uint64_t now_ms)
{
	uint64_t due = f->used_ms + ECHO_IDLE_S * 1000;

	if (now_ms < due) {
		flow_due(f, due);
		return;
	}
	counter_add(&f->shard->counts.expired, 1);
	flow_free(f);
}

static void fini(struct flow *f)
{
	rawicmp_leave(f);
	filter_fini(&f->udp.filter);
}

static const char *state(const struct flow *f)
{
	(void)f;
	return "echo";
}

static const struct flow_kind echo_kind = {
	.class = FLOW_UDP, .ready = on_ready, .expired = expired, .fini = fini, .state = state,
};
