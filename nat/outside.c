// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/outside.h"

#include <sys/socket.h>

#include "base/bytes.h"
#include "nat/forward_in.h"
#include "nat/shard.h"
#include "switch/capture.h"
#include "switch/heading.h"
#include "switch/packet.h"

/* find() - a connection, a forward's client, or the mapping that all remotes share */
static struct flow *find(const struct nat_shard *s, const struct flow_key *key)
{
	struct flow_key endpoint = *key;
	struct flow *f = flow_find(s, key);

	if (f || key->proto == IPPROTO_TCP)
		return f;
	endpoint.remote = (struct addr){ 0 };
	endpoint.remote_port = 0;
	return flow_find(s, &endpoint);
}

/* put_own() - what the kernel says of the flow's own socket; that of a connection stays what it is */
static void put_own(struct flow *f, struct outside *to)
{
	union sock_addr at = { .any.sa_family = AF_UNSPEC };
	bool lasts = f->key.proto == IPPROTO_TCP;
	socklen_t size = sizeof(at);

	if (lasts && !addr_is_none(f->tcp.own)) {
		to->local = f->tcp.own;
		to->local_port = f->tcp.own_port;
	} else if (getsockname(f->watch.fd, &at.any, &size) == 0) {
		to->local = addr_from_sock(&at);
		to->local_port = sock_addr_port(&at);
	}
	if (lasts) {
		f->tcp.own = to->local;
		f->tcp.own_port = to->local_port;
	}
}

/* put_peer() - who is outside has the address that the guest knows; the host, and a forward's client, need not */
static void put_peer(const struct flow *f, struct outside *to)
{
	union sock_addr at = { .any.sa_family = AF_UNSPEC };
	socklen_t size = sizeof(at);

	if (!f->outside && getpeername(f->watch.fd, &at.any, &size) == 0) {
		to->remote = addr_from_sock(&at);
		to->remote_port = sock_addr_port(&at);
	}
}

/* put_client() - a forward's, who has no socket of his own */
static void put_client(const struct flow *f, struct outside *to)
{
	to->remote = addr_from_sock(&f->client.addr);
	to->remote_port = sock_addr_port(&f->client.addr);
	to->local = addr_is4(to->remote) ? addr4(get_u32(&f->client.local.s6_addr[12])) : addr6(&f->client.local);
	to->local_port = f->forward->listeners[f->client.listener].port;
}

static void put_flow(struct flow *f, struct outside *to)
{
	if (f->key.proto == IPPROTO_UDP && !addr_is_none(f->key.remote)) {
		put_client(f, to);
	} else if (f->watch.fd >= 0) {
		put_own(f, to);
		put_peer(f, to);
	} else if (f->key.proto != IPPROTO_TCP) {
		to->local_port = f->udp.raw_id;
	}
}

bool shard_outside(const struct nat_shard *s, uint32_t guest, const struct heading *h, bool to_guest, struct outside *to)
{
	struct flow_key key = {
		.port = guest, .proto = h->proto, .guest = to_guest ? h->dst : h->src, .remote = to_guest ? h->src : h->dst,
		.guest_port = to_guest ? h->dport : h->sport, .remote_port = to_guest ? h->sport : h->dport,
	};
	struct flow *f;

	if (h->fragment == FRAGMENT_LATER)
		return false;
	if (h->proto == PROTO_ICMP || h->proto == PROTO_ICMP6)
		key.remote_port = 0;		/* an identifier is the guest's alone */
	f = find(s, &key);
	if (!f)
		return false;
	*to = (struct outside){ .proto = key.proto, .remote = key.remote, .remote_port = key.remote_port };
	put_flow(f, to);
	return true;
}
