// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "nat/neterror.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/errqueue.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/answer.h"
#include "nat/udp.h"
#include "switch/build.h"
#include "switch/snapshot.h"

enum { ERRORS_AT_ONCE = 16, QUOTED_L4 = 8 };

/* report - what the kernel says about a datagram of the flow */
struct report {
	union sock_addr to;		/* where it was sent */
	struct addr offender;		/* who says so; none for this host */
	struct sock_extended_err error;
	uint8_t payload[64];		/* what it carried, as far as it was kept; of an echo, with its ICMP header */
	uint32_t size;
};

static bool next_report(int fd, struct report *r)
{
	union {
		char space[512];
		struct cmsghdr align;
	} control;
	struct iovec iov = { r->payload, sizeof(r->payload) };
	struct msghdr msg = {
		.msg_name = &r->to, .msg_namelen = sizeof(r->to), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return false;
	r->size = (uint32_t)n;
	r->error.ee_origin = SO_EE_ORIGIN_NONE;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		bool ip6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
		size_t size = ip6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
		union sock_addr offender;

		if ((!ip6 && (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)) ||
		    c->cmsg_len < CMSG_LEN(sizeof(r->error) + size))
			continue;
		memcpy(&r->error, CMSG_DATA(c), sizeof(r->error));
		memcpy(&offender, CMSG_DATA(c) + sizeof(r->error), size);
		r->offender = addr_from_sock(&offender);
	}
	return true;
}

/* translate() - the ICMP error that the guest is to see. Return: false when there is none for it */
static bool translate(struct report *r, uint8_t *type, uint8_t *code, uint32_t *mtu)
{
	const struct sock_extended_err *e = &r->error;

	*mtu = 0;
	if (r->to.any.sa_family == AF_INET6) {
		bool local = e->ee_errno == EMSGSIZE && e->ee_origin == SO_EE_ORIGIN_LOCAL;

		*type = local ? ICMP6_TOO_BIG : e->ee_type;
		*code = local ? 0 : e->ee_code;
		*mtu = *type == ICMP6_TOO_BIG ? e->ee_info : 0;
		return local || (e->ee_origin == SO_EE_ORIGIN_ICMP6 && *type >= ICMP6_UNREACHABLE && *type <= ICMP6_TIME_EXCEEDED);
	}
	if (e->ee_errno == EMSGSIZE) {
		*type = ICMP_UNREACHABLE;
		*code = ICMP_FRAGMENTATION_NEEDED;
		*mtu = MIN_OF(e->ee_info, 65535u);
		return e->ee_origin == SO_EE_ORIGIN_LOCAL || e->ee_origin == SO_EE_ORIGIN_ICMP;
	}
	*type = e->ee_type;
	*code = e->ee_code;
	return e->ee_origin == SO_EE_ORIGIN_ICMP && (*type == ICMP_UNREACHABLE || *type == ICMP_TIME_EXCEEDED);
}

/* quote_udp(), quote_echo() - the first bytes behind the IP header, as the guest had sent them (RFC 5508 REQ-4) */
static void quote_udp(uint8_t *to, const struct flow *f, const struct report *r)
{
	put_u16(to, f->key.guest_port);
	put_u16(to + 2, sock_addr_port(&r->to));
	put_u16(to + 4, (uint16_t)(UDP_HEADER + r->size));
}

static void quote_echo(uint8_t *to, const struct flow *f, const struct report *r)
{
	uint32_t sum;

	memcpy(to, r->payload, QUOTED_L4);
	/* RFC 1624: the checksum with the identifier of the socket taken out and the guest's put in */
	sum = (uint16_t)~get_u16(to + 2) + (uint32_t)(uint16_t)~get_u16(to + 4) + f->key.guest_port;
	put_u16(to + 4, f->key.guest_port);
	put_u16(to + 2, checksum_finish(sum));
}

/* send_report() - the error with the headers as the guest had sent them (RFC 5508 REQ-4) */
static void send_report(struct flow *f, const struct site *site, struct report *r)
{
	const struct segment *seg = site->segment;
	uint8_t sent[ETH_HEADER + IP6_HEADER + QUOTED_L4] = { 0 }, data[ICMP_ERROR_ROOM], type, code, *l4;
	struct addr from = segment_gateway(seg, f->key.guest);
	uint32_t head = build_headers(f->key.guest), mtu;
	struct packet p = { .data = sent, .len = head + QUOTED_L4, .src = f->key.guest, .l4 = (uint16_t)head };
	bool udp = f->key.proto == PROTO_UDP;
	struct frame frame;

	if ((!udp && r->size < QUOTED_L4) || !translate(r, &type, &code, &mtu) || !limit_take(&f->port->answers, shard_now(f->shard)))
		return;
	if (r->error.ee_origin != SO_EE_ORIGIN_LOCAL && !addr_is_none(r->offender) && !addr_is_loopback(r->offender))
		from = udp_seen_as(f, site, r->offender);
	l4 = build_ip(sent, f->mac, f->mac, f->key.guest, udp_seen_as(f, site, addr_from_sock(&r->to)), f->key.proto, 1,
		      (udp ? UDP_HEADER : 0) + r->size);
	if (udp)
		quote_udp(l4, f, r);
	else
		quote_echo(l4, f, r);
	frame_init(&frame, data, build_icmp_error(data, f->mac, seg->gateway_mac, from, type, code, mtu, &p));
	frame.vid = seg->vid;
	worker_emit(f->shard->worker, site->local_port, &frame, 1);
}

void neterror_tell(struct flow *f)
{
	struct site site;
	bool known = shard_site(f->shard, f->key.port, &site);

	for (unsigned i = 0; i < ERRORS_AT_ONCE; i++) {
		struct report r = { 0 };

		if (!next_report(f->watch.fd, &r))
			break;
		if (known)
			send_report(f, &site, &r);
	}
}
