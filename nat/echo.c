// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/echo.h"

#include <errno.h>
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
#include "nat/sock.h"
#include "nat/udp.h"
#include "switch/build.h"
#include "switch/service.h"
#include "switch/snapshot.h"

enum { TTL_UNKNOWN = 65, REPLIES_AT_ONCE = 16, HEADERS = ETH_HEADER + IP6_HEADER, REPLY_MAX = 65535 - IP4_HEADER };

static const struct flow_kind echo_kind;

static enum verdict prohibited(struct nat_port *port, struct worker *w, const struct arrival *a, const struct packet *p)
{
	answer_icmp(w, a, p, &port->answers, ICMP_UNREACHABLE, ICMP_ADMIN_PROHIBITED);
	return VERDICT_DROP_NO_PROTOCOL;
}

/* ---- guest to remote ---- */

static struct flow *new_echo(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, int fd, uint32_t device)
{
	struct flow *f = flow_new(s, port, key, &echo_kind, fd);

	if (!f) {
		close(fd);
		return NULL;
	}
	f->outside = true;
	f->device = device;
	if (worker_watch(s->worker, &f->watch, EPOLLIN) < 0) {
		f->watch.events = 0;
		flow_free(f);
		return NULL;
	}
	udp_ready_socket(f);
	return f;
}

static enum verdict send_out(struct flow *f, const struct arrival *a, const struct packet *p, struct addr dst)
{
	union sock_addr to;
	socklen_t room = addr_to_sock(dst, 0, &to);
	const uint8_t *icmp = p->data + p->l4;
	size_t size = p->len - p->l4;
	int error;

	filter_add(&f->udp.filter, dst);
	udp_follow(f, p, true);
	if (sendto(f->watch.fd, icmp, size, MSG_DONTWAIT, &to.any, room) >= 0)
		return VERDICT_CONSUMED_NAT;
	error = errno;
	neterror_tell(f, p);
	if (error == EMSGSIZE)		/* the guest has been told */
		return udp_send_failed(f, a, p, -error);
	if (sendto(f->watch.fd, icmp, size, MSG_DONTWAIT, &to.any, room) < 0)
		return udp_send_failed(f, a, p, -errno);
	return VERDICT_CONSUMED_NAT;
}

enum verdict echo_input(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p)
{
	struct flow_key key = { .port = port->id, .guest = p->src, .guest_port = p->sport, .proto = p->proto };
	struct flow *f;
	enum verdict v;
	struct addr dst;
	uint32_t device;
	int fd;

	if (p->icmp_type != (packet_is_ip6(p) ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST) || p->icmp_code != 0)
		return VERDICT_DROP_NO_SESSION;
	v = nat_decide(s, port, a, p, &dst);
	if (v != VERDICT_CONSUMED_NAT)
		return v;
	f = flow_find(s, &key);
	if (f && sock_stale(f)) {
		flow_free(f);
		f = NULL;
	}
	if (!f) {
		if (!flow_room(s, port, FLOW_UDP))
			return VERDICT_DROP_QUOTA;
		fd = sock_open(s, p->src, SOCK_DGRAM, p->proto, true, &device);
		if (fd == -EACCES || fd == -EPERM || fd == -EPROTONOSUPPORT)
			return prohibited(port, s->worker, a, p);
		f = fd < 0 ? NULL : new_echo(s, port, &key, fd, device);
	}
	if (!f)
		return VERDICT_DROP_NO_MEMORY;
	f->used_ms = shard_now(s);
	memcpy(f->mac, p->data + MAC_SIZE, MAC_SIZE);
	flow_fresh(f, FLOW_UDP);
	v = send_out(f, a, p, dst);
	flow_due(f, f->used_ms + ECHO_IDLE_S * 1000);
	return v;
}

/* ---- remote to guest ---- */

/* came - from whom, and with how many hops left for the last one, to the guest */
struct came {
	struct addr from;
	uint8_t ttl;
};

/* reply() - the @size bytes of ICMP at @data + HEADERS, with the guest's identifier */
static void reply(struct flow *f, const struct site *site, uint8_t *data, uint32_t size, const struct came *came)
{
	struct addr from = came->from;
	uint32_t head = build_headers(f->key.guest);
	uint8_t *icmp = build_ip(data + HEADERS - head, f->mac, site->segment->gateway_mac, from, f->key.guest, f->key.proto,
				 came->ttl, size);
	uint64_t sum = addr_is4(f->key.guest) ? 0 : build_pseudo(from, f->key.guest, PROTO_ICMP6, size);

	put_u16(icmp + 4, f->key.guest_port);
	put_u16(icmp + 2, 0);
	put_u16(icmp + 2, checksum_finish(checksum_add(sum, icmp, size)));
	if (!cut_send(f->shard->worker, site, icmp - head, head + size))
		counter_add(&f->shard->counts.lost, 1);
}

/* receive() - one reply at @to, at most @room bytes of it; Return: its size, or negative */
static ssize_t receive(int fd, uint8_t *to, uint32_t room, struct came *came)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	union sock_addr from;
	struct iovec iov = { to, room };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_TRUNC);
	struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	int ttl = TTL_UNKNOWN;

	if (n < 0)
		return n;
	if (c && c->cmsg_len == CMSG_LEN(sizeof(ttl)))
		memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));	/* the only one asked for */
	*came = (struct came){ addr_from_sock(&from), (uint8_t)(ttl > 1 ? ttl - 1 : 1) };
	return n;
}

static void on_ready(struct worker *w, struct watch *watch, uint32_t events)
{
	struct flow *f = container_of(watch, struct flow, watch);
	uint8_t *data = worker_scratch(w);
	struct site site;

	if (events & EPOLLERR)
		neterror_tell(f, NULL);
	if (!shard_site(f->shard, f->key.port, &site)) {
		flow_free(f);
		return;
	}
	for (unsigned i = 0; i < REPLIES_AT_ONCE; i++) {
		struct came came;
		ssize_t n = receive(watch->fd, data + HEADERS, REPLY_MAX, &came);

		if (n < 0)
			break;
		if (n < ICMP_HEADER || n > REPLY_MAX)
			counter_add(&f->shard->counts.lost, 1);
		else if (!filter_has(&f->udp.filter, came.from))
			counter_add(&f->shard->counts.filtered, 1);
		else
			reply(f, &site, data, (uint32_t)n, &came);
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
