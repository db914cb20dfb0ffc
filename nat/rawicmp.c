// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* struct in6_pktinfo */
#include "nat/rawicmp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/hash.h"
#include "nat/answer.h"
#include "nat/echo.h"
#include "nat/neterror.h"
#include "nat/shard.h"
#include "nat/sock.h"
#include "switch/packet.h"

enum { IDENTIFIERS = 65536, TRIES = 64, WALK = 256, REPLIES_AT_ONCE = 64, IP_MAX = 65535 };

struct raw_socket {
	struct watch watch;		/* watched while there are flows */
	struct manner manner;
	uint32_t share, shares;		/* shares 0: there is no socket */
	uint32_t nflows;
	uint64_t drawn;			/* identifiers, ever */
	struct flow **flows;		/* by identifier / shares; made on first use */
};

static struct raw_socket sockets[MAX_WORKERS][2];	/* each its worker's own */

static struct raw_socket *socket_of(const struct worker *w, struct addr like)
{
	struct raw_socket *r = &sockets[worker_index(w)][!addr_is4(like)];

	return r->shares ? r : NULL;
}

bool rawicmp_has(const struct worker *w, struct addr like)
{
	return socket_of(w, like) != NULL;
}

/* ---- identifiers ---- */

/* draw() - the place of one that is free, or 0: its identifier is not used where it would be 0 */
static uint32_t draw(struct raw_socket *r)
{
	uint32_t n = IDENTIFIERS / r->shares, at = 0;

	for (unsigned i = 0; i < TRIES; i++) {
		at = (uint32_t)(hash_u64(r->drawn++, hash_seed()) % n);
		if (at && !r->flows[at])
			return at;
	}
	for (unsigned i = 0; i < WALK; i++) {	/* few are left, and chance may miss them: those behind the last */
		at = (at + 1) % n;
		if (at && !r->flows[at])
			return at;
	}
	return 0;
}

int rawicmp_join(struct flow *f)
{
	bool ip6 = !addr_is4(f->key.guest);
	struct raw_socket *r = socket_of(f->shard->worker, f->key.guest);
	uint32_t at;

	if (!r)
		return -EACCES;
	if (f->port->nraw[ip6] >= IDENTIFIERS / r->shares / 2)
		return -EDQUOT;
	if (!r->flows)
		r->flows = calloc(IDENTIFIERS / r->shares, sizeof(struct flow *));
	at = r->flows ? draw(r) : 0;
	if (!at)
		return -ENOMEM;
	if (!r->nflows && worker_watch(f->shard->worker, &r->watch, EPOLLIN) < 0) {
		r->watch.events = 0;
		return -ENOMEM;
	}
	r->nflows++;
	f->port->nraw[ip6]++;
	r->flows[at] = f;
	f->udp.raw_id = (uint16_t)(at * r->shares + r->share);
	return 0;
}

void rawicmp_leave(struct flow *f)
{
	struct raw_socket *r = socket_of(f->shard->worker, f->key.guest);

	if (!f->udp.raw_id)
		return;
	r->flows[f->udp.raw_id / r->shares] = NULL;
	f->udp.raw_id = 0;
	f->port->nraw[!addr_is4(f->key.guest)]--;
	if (--r->nflows == 0) {
		worker_unwatch(f->shard->worker, &r->watch);
		r->watch.events = 0;
	}
}

/* flow_of() - the flow with the identifier of the echo at @icmp, if it has talked to @remote */
static struct flow *flow_of(const struct raw_socket *r, struct addr remote, const uint8_t *icmp)
{
	uint32_t id = get_u16(icmp + 4);
	struct flow *f = r->nflows && id % r->shares == r->share ? r->flows[id / r->shares] : NULL;

	return f && filter_has(&f->udp.filter, remote) ? f : NULL;
}

/* ---- guest to remote ---- */

/* put_way() - the control message that names the address and the interface to send by */
static void put_way(struct msghdr *msg, struct cmsghdr *c, const struct raw_way *way)
{
	if (way->to.any.sa_family == AF_INET6) {
		struct in6_pktinfo info = { .ipi6_ifindex = way->device };

		memcpy(&info.ipi6_addr, way->from.bytes, sizeof(info.ipi6_addr));
		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(info)), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		msg->msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		struct in_pktinfo info = { .ipi_ifindex = (int)way->device, .ipi_spec_dst.s_addr = way->from.words[3] };

		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(info)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		msg->msg_controllen = CMSG_SPACE(sizeof(info));
	}
}

int rawicmp_send(struct worker *w, const struct raw_way *way, const struct packet *p, const struct iovec *parts, unsigned n)
{
	struct raw_socket *r = socket_of(w, addr_from_sock(&way->to));
	union sock_addr to = way->to;
	union {
		char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct msghdr msg = {
		.msg_name = &to, .msg_namelen = to.any.sa_family == AF_INET6 ? sizeof(to.in6) : sizeof(to.in4),
		.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = n,
	};

	if (!r)
		return -EACCES;
	to.in4.sin_port = 0;		/* for a raw socket it would be the protocol */
	if (way->device || !addr_is_none(way->from)) {
		msg.msg_control = &control;
		put_way(&msg, &control.align, way);
	}
	sock_follow(r->watch.fd, &r->manner, p, true);
	return sendmsg(r->watch.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* whose() - neterror_whose_fn */
static struct flow *whose(void *arg, struct addr to, const uint8_t *icmp, uint32_t size)
{
	bool request = size >= ICMP_HEADER && icmp[0] == (addr_is4(to) ? ICMP_ECHO_REQUEST : ICMP6_ECHO_REQUEST);

	return request ? flow_of(arg, to, icmp) : NULL;
}

bool rawicmp_tell(struct worker *w, struct addr like, struct flow *sender, const struct packet *sending)
{
	struct raw_socket *r = socket_of(w, like);

	return r && neterror_tell_shared(r->watch.fd, whose, r, sender, sending);
}

/* ---- remote to guest ---- */

/* skip_ip4() - the ICMP message in an IPv4 packet, whose checksum the kernel has not looked at yet; NULL: it is none
 * Of ICMPv6 the kernel shows the message alone, and checks it. */
static uint8_t *skip_ip4(uint8_t *ip, uint32_t *size)
{
	uint32_t header = *size ? (uint32_t)(ip[0] & 15) * 4 : 0;

	if (header < IP4_HEADER || header + ICMP_HEADER > *size)
		return NULL;
	*size -= header;
	return checksum_fold(checksum_add(0, ip + header, *size)) == 0xffff ? ip + header : NULL;
}

static void take(struct raw_socket *r, uint8_t *data, uint32_t size, const struct came *came)
{
	bool ip4 = addr_is4(came->from);
	uint8_t *icmp = ip4 ? skip_ip4(data, &size) : data;
	struct flow *f;

	if (!icmp || size < ICMP_HEADER || icmp[0] != (ip4 ? ICMP_ECHO_REPLY : ICMP6_ECHO_REPLY))
		return;
	f = flow_of(r, came->from, icmp);	/* else it is the host's own, or comes too late */
	if (f && (!f->device || f->device == came->device))
		echo_deliver(f, icmp, size, came);
}

static void on_ready(struct worker *w, struct watch *watch, uint32_t events)
{
	struct raw_socket *r = container_of(watch, struct raw_socket, watch);
	uint8_t *data = worker_scratch(w) + ECHO_HEADROOM;

	if (events & EPOLLERR)
		neterror_tell_shared(watch->fd, whose, r, NULL, NULL);
	for (unsigned i = 0; i < REPLIES_AT_ONCE; i++) {
		struct came came;
		ssize_t n = echo_receive(watch->fd, data, IP_MAX, &came);

		if (n < 0)
			break;
		if (n <= IP_MAX)
			take(r, data, (uint32_t)n, &came);
	}
}

/* ---- life ---- */

static void give(struct raw_socket *r, unsigned share, unsigned shares, int fd, bool ip6)
{
	int on = 1;

	if (r->shares)
		close(r->watch.fd);
	free(r->flows);
	*r = (struct raw_socket){ .watch = { .ready = on_ready, .fd = fd }, .share = share, .shares = fd < 0 ? 0 : shares };
	if (fd < 0)
		return;
	neterror_ask_shared(fd, ip6);
	setsockopt(fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &on, sizeof(on));
}

void rawicmp_give(unsigned worker, unsigned share, unsigned shares, int fd4, int fd6)
{
	give(&sockets[worker][0], share, shares, fd4, false);
	give(&sockets[worker][1], share, shares, fd6, true);
}
