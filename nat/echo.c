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
#include "nat/nat_in.h"
#include "nat/neterror.h"
#include "nat/udp.h"
#include "switch/build.h"
#include "switch/service.h"
#include "switch/snapshot.h"

enum { TTL = 64, REPLIES_AT_ONCE = 16, HEADERS = ETH_HEADER + IP4_HEADER };

static const struct flow_kind echo_kind;

static enum verdict prohibited(struct nat_port *port, struct worker *w, const struct arrival *a, const struct packet *p)
{
	answer_icmp(w, a, p, &port->answers, ICMP_UNREACHABLE, ICMP_ADMIN_PROHIBITED);
	return VERDICT_DROP_NO_PROTOCOL;
}

/* ---- guest to remote ---- */

static struct flow *new_echo(struct nat_shard *s, struct nat_port *port, const struct flow_key *key, int fd)
{
	struct flow *f = flow_new(s, port, key, &echo_kind, fd);
	int on = 1;

	if (!f) {
		close(fd);
		return NULL;
	}
	if (worker_watch(s->worker, &f->watch, EPOLLIN) < 0) {
		f->watch.events = 0;
		flow_free(f);
		return NULL;
	}
	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	return f;
}

static enum verdict send_out(struct flow *f, const struct arrival *a, const struct packet *p, uint32_t dst)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(dst) };
	const uint8_t *icmp = p->data + p->l4;
	size_t size = p->len - p->l4;

	filter_add(&f->udp.filter, dst);
	udp_follow(f, p, true);
	if (sendto(f->watch.fd, icmp, size, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) >= 0)
		return VERDICT_CONSUMED_NAT;
	neterror_tell(f);
	if (errno == EMSGSIZE || sendto(f->watch.fd, icmp, size, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0)
		return udp_send_failed(f, a, p, -errno);
	return VERDICT_CONSUMED_NAT;
}

enum verdict echo_input(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p)
{
	struct flow_key key = { .port = port->id, .guest = p->src, .guest_port = p->sport, .proto = IPPROTO_ICMP };
	struct flow *f;
	enum verdict v;
	uint32_t dst;
	int fd;

	if (p->icmp_type != ICMP_ECHO_REQUEST || p->icmp_code != 0)
		return VERDICT_DROP_NO_SESSION;
	v = nat_decide(s, port, a, p, &dst);
	if (v != VERDICT_CONSUMED_NAT)
		return v;
	f = flow_find(s, &key);
	if (!f) {
		if (!flow_room(s, port, FLOW_UDP))
			return VERDICT_DROP_QUOTA;
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
		if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EPROTONOSUPPORT))
			return prohibited(port, s->worker, a, p);
		f = fd < 0 ? NULL : new_echo(s, port, &key, fd);
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

/* reply() - the @size bytes of ICMP at @data + HEADERS, with the guest's identifier */
static void reply(struct flow *f, const struct site *site, uint8_t *data, uint32_t size, uint32_t from)
{
	uint8_t *icmp = build_ip4(build_eth(data, f->mac, site->segment->gateway_mac, ETHERTYPE_IP4), from, f->key.guest, PROTO_ICMP,
				  TTL, size);
	struct frame frame;

	put_u16(icmp + 4, f->key.guest_port);
	put_u16(icmp + 2, 0);
	put_u16(icmp + 2, checksum_finish(checksum_add(0, icmp, size)));
	frame_init(&frame, data, HEADERS + size);
	frame.vid = site->segment->vid;
	if (!worker_emit(f->shard->worker, site->local_port, &frame, 1))
		counter_add(&f->shard->counts.lost, 1);
}

static void on_ready(struct worker *w, struct watch *watch, uint32_t events)
{
	struct flow *f = container_of(watch, struct flow, watch);
	uint8_t *data = worker_scratch(w);
	struct site site;

	if (events & EPOLLERR)
		neterror_tell(f);
	if (!shard_site(f->shard, f->key.port, &site)) {
		flow_free(f);
		return;
	}
	for (unsigned i = 0; i < REPLIES_AT_ONCE; i++) {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(watch->fd, data + HEADERS, site.mtu - IP4_HEADER, MSG_DONTWAIT | MSG_TRUNC,
				     (struct sockaddr *)&from, &size);

		if (n < 0)
			break;
		if (n < ICMP_HEADER || (uint32_t)n > site.mtu - IP4_HEADER)
			counter_add(&f->shard->counts.lost, 1);
		else if (!filter_has(&f->udp.filter, ntohl(from.sin_addr.s_addr)))
			counter_add(&f->shard->counts.filtered, 1);
		else
			reply(f, &site, data, (uint32_t)n, ntohl(from.sin_addr.s_addr));
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
