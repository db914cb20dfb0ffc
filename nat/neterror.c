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

enum {
	ERRORS_AT_ONCE = 16, SHARED_AT_ONCE = 64, QUOTED_L4 = 8,
	PAYLOAD_MAX = ICMP_ERROR_ROOM,	/* more of it than of any error that we build */
};

/* report - what the kernel says about a datagram of the flow */
struct report {
	union sock_addr to;		/* where it was sent */
	struct addr offender;		/* who says so; none for this host */
	struct sock_extended_err error;
	uint8_t ttl;			/* with which the error came; 0: not known */
	uint32_t size;			/* of what it carried, as far as that was kept; of an echo and of TCP, with that header */
	uint32_t more;			/* of extensions, which stand behind it (RFC 4884) */
	uint8_t payload[PAYLOAD_MAX];
};

static void take_error(struct report *r, const struct cmsghdr *c, size_t offender_size)
{
	union sock_addr offender;

	if (c->cmsg_len < CMSG_LEN(sizeof(r->error) + offender_size))
		return;
	memcpy(&r->error, CMSG_DATA(c), sizeof(r->error));
	memcpy(&offender, CMSG_DATA(c) + sizeof(r->error), offender_size);
	r->offender = addr_from_sock(&offender);
}

static void take_control(struct report *r, const struct cmsghdr *c)
{
	int hops;

	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) {
		take_error(r, c, sizeof(struct sockaddr_in));
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR) {
		take_error(r, c, sizeof(struct sockaddr_in6));
	} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		   (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
		memcpy(&hops, CMSG_DATA(c), sizeof(hops));
		r->ttl = (uint8_t)hops;
	}
}

/* split() - what routers append to a quote is not of it */
static void split(struct report *r, bool whole)
{
	const struct sock_ee_data_rfc4884 *e = &r->error.ee_rfc4884;
	bool net = r->error.ee_origin == SO_EE_ORIGIN_ICMP || r->error.ee_origin == SO_EE_ORIGIN_ICMP6;

	r->more = 0;
	if (!net || !e->len || e->len > r->size)
		return;
	if (whole && !(e->flags & SO_EE_RFC4884_FLAG_INVALID) && r->size - e->len <= ICMP_MORE_MAX)
		r->more = r->size - e->len;
	r->size = e->len;
}

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
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		take_control(r, c);
	split(r, !(msg.msg_flags & MSG_TRUNC));
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

/* quote_udp(), quote_tcp(), quote_echo() - what is known of it behind the IP header, as the guest had sent it (RFC 5508 REQ-4)
 * Return: how many bytes there are
 */
static uint32_t quote_udp(uint8_t *to, const struct flow *f, const struct report *r)
{
	put_u16(to, f->key.guest_port);
	put_u16(to + 2, sock_addr_port(&r->to));
	put_u16(to + 4, (uint16_t)(UDP_HEADER + r->size));
	put_u16(to + 6, 0);
	memcpy(to + UDP_HEADER, r->payload, r->size);
	return UDP_HEADER + r->size;
}

static uint32_t quote_tcp(uint8_t *to, const struct flow *f)
{
	put_u16(to, f->key.guest_port);
	put_u16(to + 2, f->key.remote_port);
	put_u32(to + 4, f->tcp.rcv_nxt - 1);	/* errors are asked for while it is being opened: its SYN */
	return QUOTED_L4;
}

static uint32_t quote_echo(uint8_t *to, const struct flow *f, const struct report *r)
{
	uint32_t sum;

	memcpy(to, r->payload, r->size);
	/* RFC 1624: the checksum with the identifier of the socket taken out and the guest's put in */
	sum = (uint16_t)~get_u16(to + 2) + (uint32_t)(uint16_t)~get_u16(to + 4) + f->key.guest_port;
	put_u16(to + 4, f->key.guest_port);
	put_u16(to + 2, checksum_finish(sum));
	return r->size;
}

/* seen_as() - an address outside as the guest knows it */
static struct addr seen_as(const struct flow *f, const struct site *site, struct addr ip)
{
	return f->key.proto == PROTO_TCP ? ip : udp_seen_as(f, site, ip);
}

/* set_hops() - one less than those with which the error came: so many hops away is who sent it (NAT-32) */
static void set_hops(uint8_t *frame, const struct flow *f, uint8_t came)
{
	uint8_t *ip = frame + ETH_HEADER, hops = came > 1 ? (uint8_t)(came - 1) : 1;

	if (!came)
		return;
	if (!addr_is4(f->key.guest)) {
		ip[7] = hops;
		return;
	}
	ip[8] = hops;
	put_u16(ip + 10, 0);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, IP4_HEADER)));
}

/* quote() - what the guest had sent, as far as an error quotes it, at @sent; Return: as a packet */
static struct packet quote(uint8_t *sent, const struct flow *f, const struct site *site, const struct report *r)
{
	uint32_t head = build_headers(f->key.guest), size;
	uint8_t *l4 = sent + head;
	struct addr to = f->key.proto == PROTO_TCP ? f->key.remote : udp_seen_as(f, site, addr_from_sock(&r->to));

	if (f->key.proto == PROTO_TCP)
		size = quote_tcp(l4, f);
	else if (f->key.proto == PROTO_UDP)
		size = quote_udp(l4, f, r);
	else
		size = quote_echo(l4, f, r);
	build_ip(sent, f->mac, f->mac, f->key.guest, to, f->key.proto, 1, f->key.proto == PROTO_TCP ? (uint32_t)TCP_HEADER : size);
	return (struct packet){ .data = sent, .len = head + size, .src = f->key.guest, .l4 = (uint16_t)head };
}

/* send_report() - Return: was there something to tell the guest? */
static bool send_report(struct flow *f, const struct site *site, struct report *r, const struct packet *sending)
{
	const struct segment *seg = site->segment;
	uint8_t sent[ETH_HEADER + IP6_HEADER + UDP_HEADER + PAYLOAD_MAX], data[ICMP_ERROR_ROOM], type, code;
	struct addr from = segment_gateway(seg, f->key.guest);
	bool own = r->error.ee_origin == SO_EE_ORIGIN_LOCAL;
	struct frame frame;
	struct packet p;
	uint32_t mtu;

	if (own ? !sending : f->key.proto != PROTO_UDP && r->size < QUOTED_L4)
		return false;
	if (!translate(r, &type, &code, &mtu))
		return false;
	if (!limit_take(&f->port->answers, shard_now(f->shard)))
		return true;
	if (own || addr_is_none(r->offender) || addr_is_loopback(r->offender))
		r->ttl = 0;
	else
		from = seen_as(f, site, r->offender);
	p = own ? *sending : quote(sent, f, site, r);
	frame_init(&frame, data, build_icmp_extended(data, f->mac, seg->gateway_mac, from, type, code, mtu, &p, r->payload + r->size,
						     own ? 0 : r->more));
	set_hops(data, f, r->ttl);
	frame.vid = seg->vid;
	worker_emit(f->shard->worker, site->local_port, &frame, 1);
	return true;
}

/* The kernel looks at this when an error is read: so it is asked then, and until then no datagram has the trouble. */
void neterror_ask_hops(int fd, bool ip6)
{
	int on = 1;

	setsockopt(fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, &on, sizeof(on));
}

bool neterror_tell(struct flow *f, const struct packet *sending)
{
	struct site site;
	bool known = shard_site(f->shard, f->key.port, f->key.guest, &site), told = false;

	neterror_ask_hops(f->watch.fd, !addr_is4(f->key.guest));
	for (unsigned i = 0; i < ERRORS_AT_ONCE; i++) {
		struct report r = { 0 };

		if (!next_report(f->watch.fd, &r))
			break;
		told |= known && send_report(f, &site, &r, sending);
	}
	return told;
}

bool neterror_tell_shared(int fd, neterror_whose_fn *whose, void *arg, struct flow *sender, const struct packet *sending)
{
	bool told = false;

	for (unsigned i = 0; i < SHARED_AT_ONCE; i++) {
		struct report r = { 0 };
		struct site site;
		struct flow *f;
		bool own;

		if (!next_report(fd, &r))
			break;
		own = r.error.ee_origin == SO_EE_ORIGIN_LOCAL;
		f = own ? sender : whose(arg, addr_from_sock(&r.to), r.payload, r.size);
		if (f && shard_site(f->shard, f->key.port, f->key.guest, &site))
			told |= send_report(f, &site, &r, own ? sending : NULL) && own;
	}
	return told;
}

static void ask(int fd, bool ip6, int errors)
{
	setsockopt(fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_RECVERR : IP_RECVERR, &errors, sizeof(errors));
}

/* ask_appended() - for what routers append to a quote (RFC 4884); the kernel notes it when the error comes */
static void ask_appended(int fd, bool ip6)
{
	int on = 1;

	setsockopt(fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_RECVERR_RFC4884 : IP_RECVERR_RFC4884, &on, sizeof(on));
}

void neterror_ask(const struct flow *f, enum neterror_want want)
{
	bool ip6 = !addr_is4(f->key.guest);

	ask(f->watch.fd, ip6, want != NETERROR_NONE);
	if (want == NETERROR_WHOLE)
		ask_appended(f->watch.fd, ip6);
}

void neterror_ask_shared(int fd, bool ip6)
{
	ask(fd, ip6, true);
	ask_appended(fd, ip6);
	neterror_ask_hops(fd, ip6);
}
