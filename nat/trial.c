// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/trial.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nat/echo.h"
#include "nat/nat_in.h"
#include "nat/rawicmp.h"
#include "nat/shard.h"
#include "nat/sock.h"
#include "nat/tcp.h"
#include "nat/tcp_serve.h"
#include "switch/packet.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/trial.h"

/* begins() - would it begin something? A segment of a connection that is there has no trial: nobody knows its numbers */
static bool begins(const struct packet *p)
{
	if (p->proto == PROTO_TCP)
		return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
	return p->proto == PROTO_UDP || echo_is_request(p);
}

/* ask_host() - would the host send to way->dst? Routes, addresses and interfaces are looked up as for a flow of the guest's */
static void ask_host(struct nat_shard *s, const struct packet *p, bool outside, struct trial_way *way)
{
	union sock_addr at;
	socklen_t size = sizeof(at);
	uint32_t device;
	int fd = sock_open(s, way->dst, SOCK_DGRAM, 0, outside, &device);

	way->error = fd < 0 ? fd : 0;
	if (fd < 0)
		return;
	if (connect(fd, &at.any, addr_to_sock(way->dst, p->dport ? p->dport : 1, &at)) < 0)
		way->error = -errno;
	else if (getsockname(fd, &at.any, &size) == 0)
		way->src = addr_from_sock(&at);
	close(fd);
}

/* may_ping() - has lanyard the right to send @p by a ping socket, or by a raw one? */
static bool may_ping(struct nat_shard *s, const struct packet *p)
{
	uint32_t device;
	int fd = sock_open(s, p->src, SOCK_DGRAM, p->proto, true, &device);

	if (fd >= 0)
		close(fd);
	return !echo_is_forbidden(fd) || rawicmp_has(s->worker, p->src);
}

/* has_room() - as the flow's own opening asks */
static bool has_room(const struct nat_shard *s, const struct nat_port *port, const struct packet *p)
{
	if (p->proto != PROTO_TCP)
		return flow_has_room(s, port, FLOW_UDP);
	return port->half_open < tcp_half_open_max(s) && flow_has_room(s, port, FLOW_TCP);
}

/* is_known() - a flow is there, or of UDP and pings the guest's end of one */
static bool is_known(const struct nat_shard *s, const struct nat_port *port, const struct packet *p)
{
	struct flow_key key = { .port = port->id, .guest = p->src, .guest_port = p->sport, .proto = p->proto };

	if (p->proto == PROTO_TCP) {
		key.remote = p->dst;
		key.remote_port = p->dport;
	}
	return flow_find(s, &key);
}

enum verdict nat_trial(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p)
{
	bool outside = !segment_is_gateway(a->segment, p->dst), ports = p->proto == PROTO_TCP || p->proto == PROTO_UDP;
	struct trial_way *way = &a->trial->way;
	enum verdict v;

	if (!begins(p))
		return VERDICT_DROP_NO_SESSION;
	if (ports && (!p->sport || !p->dport))
		return VERDICT_DROP_MALFORMED;
	if (tcp_serve_is(s, a, p))
		return has_room(s, port, p) ? VERDICT_CONSUMED_DNS : VERDICT_DROP_QUOTA;
	v = nat_decide(s, port, a, p, &way->dst);
	if (v != VERDICT_CONSUMED_NAT)
		return v;
	way->asked = true;
	way->known = is_known(s, port, p);
	if (!way->known && !has_room(s, port, p))
		return VERDICT_DROP_QUOTA;
	if (!ports && !way->known && !may_ping(s, p))
		return VERDICT_DROP_NO_PROTOCOL;
	ask_host(s, p, outside, way);
	if (way->error == -ENODEV)
		return VERDICT_DROP_NO_ROUTE;
	return way->error ? VERDICT_CONSUMED_REFUSED : VERDICT_CONSUMED_NAT;
}
