// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/tcp_serve.h"

#include <sys/socket.h>
#include <unistd.h>

#include "nat/nat.h"
#include "nat/shard.h"
#include "switch/port.h"
#include "switch/request.h"
#include "switch/service.h"
#include "switch/snapshot.h"

enum { PORT_DNS = 53 };

bool tcp_serve_is(const struct nat_shard *s, const struct arrival *a, const struct packet *p)
{
	return p->proto == PROTO_TCP && p->dport == PORT_DNS && shard_conf(s)->resolver && segment_is_gateway(a->segment, p->dst);
}

int tcp_serve_open(const struct nat_shard *s, const struct arrival *a, const struct packet *p, enum verdict *v)
{
	struct request r = { .kind = REQUEST_DNS_STREAM, .vid = a->segment->vid, .net_id = a->segment->net->net_id, .port = a->from->port->id,
			     .src = p->src, .sport = p->sport, .dst = p->dst };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
		*v = VERDICT_DROP_NO_MEMORY;
		return -1;
	}
	r.rc = ends[1];
	*v = request_post(shard_conf(s)->resolver, &r);
	if (*v == VERDICT_FORWARDED)
		return ends[0];
	close(ends[0]);
	close(ends[1]);
	return -1;
}
