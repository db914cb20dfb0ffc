// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests' DNS that the workers do not answer themselves: queries to relay, and whole conversations over TCP. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/answers.h"
#include "ctl/engine.h"
#include "ctl/guest_in.h"
#include "ctl/live_policy.h"
#include "dhcp/dns.h"
#include "dhcp/dns_message.h"
#include "dhcp/dns_stream.h"
#include "dhcp/relay.h"
#include "dhcp/service.h"
#include "switch/build.h"
#include "switch/forward.h"
#include "switch/port.h"
#include "switch/request.h"

enum { STREAMS_PER_PORT = 16, STREAMS_MAX = 512 };

/* relay() - by the network's resolvers; -ENOENT where it has none */
static int relay(struct live_net *net, uint32_t port, const uint8_t *query, size_t size, bool stream, upstream_fn *fn, void *arg)
{
	return net->relay ? relay_query(net->relay, port, query, size, stream, fn, arg) : -ENOENT;
}

/* ---- one query ---- */

/* asker - whom a relayed answer is for */
struct asker {
	struct engine *engine;
	uint32_t net_id, port;
	struct addr src, dst;
	uint16_t vid, sport;
	uint8_t mac[MAC_SIZE];
};

/* note_answer() - before the guest can act on it: for rules about names, and for who asks what guests talk to, who without memory for that is
 * told addresses alone */
static void note_answer(struct live_net *net, const uint8_t *reply, size_t size)
{
	live_policy_answered(net, reply, size);
	if (!net->answers)
		net->answers = answers_new();
	if (net->answers)
		answers_note(net->answers, reply, size);
}

static void on_relayed(void *arg, const uint8_t *reply, size_t size)
{
	struct asker *a = arg;
	struct live_net *net = live_net_by_id(a->engine, a->net_id);

	if (net && size)
		note_answer(net, reply, size);
	if (net && size && size <= net->conf->mtu + ETH_HEADER - build_headers(a->dst) - UDP_HEADER)
		guest_send_udp(net, a->port, a->vid, a->mac, a->dst, PORT_DNS, a->src, a->sport, reply, size);
	free(a);
}

static void refuse(struct live_net *net, const struct request *r)
{
	uint8_t reply[DNS_UDP_PLAIN];
	size_t size = dns_refused(r->data, r->size, reply, sizeof(reply));

	if (size)
		guest_send_udp(net, r->port, r->vid, r->src_mac, r->dst, PORT_DNS, r->src, r->sport, reply, size);
}

void guest_dns(struct live_net *net, const struct request *r)
{
	const struct live_port *p = net->engine->by_id[r->port];
	struct asker *a;

	if (p && p->net == net && p != &net->local && !live_policy_asks(p, r->data, r->size)) {
		refuse(net, r);
		return;
	}
	a = malloc(sizeof(*a));
	if (!a)
		return;
	*a = (struct asker){
		.engine = net->engine, .net_id = net->net_id, .port = r->port, .src = r->src, .dst = r->dst,
		.vid = r->vid, .sport = r->sport,
	};
	memcpy(a->mac, r->src_mac, MAC_SIZE);
	if (relay(net, r->port, r->data, r->size, false, on_relayed, a) < 0)
		free(a);		/* over its share, or no query: dropped, and counted there */
}

/* ---- connections ---- */

/* conversation - a guest's TCP connection; the port may be another's when a query comes, so it is looked at each time */
struct conversation {
	struct live_net *net;
	uint32_t port, plug;
	struct dns_stream *stream;
	LIST_ENTRY(conversation) link;	/* net->conversations */
};

static const struct live_port *port_of(const struct conversation *c)
{
	const struct live_port *p = c->net->engine->by_id[c->port];

	return p && p->net == c->net && p->port && p->port->plug == c->plug ? p : NULL;
}

static int answer(void *arg, const uint8_t *query, size_t size, uint8_t *reply)
{
	struct conversation *c = arg;
	const struct live_port *p = port_of(c);
	enum dns_outcome outcome;
	int n;

	if (!p || !p->segment || !p->segment->names)
		return -ENOENT;
	n = dns_answer(c->net->zone, p->segment->names, query, size, true, reply, DNS_STREAM_MESSAGE_MAX, &outcome);
	return n || live_policy_asks(p, query, size) ? n : (int)dns_refused(query, size, reply, DNS_STREAM_MESSAGE_MAX);
}

/* heard - a query of a conversation; the network may go while it waits, and then it is the stream that knows of nothing any more */
struct heard {
	struct engine *engine;
	uint32_t net_id;
	upstream_fn *fn;
	void *arg;
};

static void on_heard(void *arg, const uint8_t *reply, size_t size)
{
	struct heard *h = arg;
	struct live_net *net = live_net_by_id(h->engine, h->net_id);

	if (net && size)
		note_answer(net, reply, size);
	h->fn(h->arg, reply, size);
	free(h);
}

static int relay_stream(void *arg, const uint8_t *query, size_t size, upstream_fn *fn, void *fn_arg)
{
	struct conversation *c = arg;
	struct heard *h = malloc(sizeof(*h));
	int rc;

	if (!h)
		return -ENOMEM;
	*h = (struct heard){ c->net->engine, c->net->net_id, fn, fn_arg };
	rc = relay(c->net, c->port, query, size, true, on_heard, h);
	if (rc < 0)
		free(h);
	return rc;
}

static void on_closed(void *arg)
{
	struct conversation *c = arg;

	LIST_REMOVE(c, link);
	c->net->engine->nconversations--;
	free(c);
}

/* has_room() - a few for each guest, so that nobody takes them all */
static bool has_room(const struct live_net *net, uint32_t port)
{
	const struct conversation *c;
	unsigned n = 0;

	LIST_FOREACH(c, &net->conversations, link)
		n += c->port == port;
	return n < STREAMS_PER_PORT && net->engine->nconversations < STREAMS_MAX;
}

/* begin() - Return: false without memory, and the descriptor is still the caller's */
static bool begin(struct live_net *net, const struct live_port *p, int fd)
{
	static const struct dns_stream_ops ops = { .answer = answer, .relay = relay_stream, .closed = on_closed };
	struct conversation *c = malloc(sizeof(*c));

	if (!c)
		return false;
	*c = (struct conversation){ .net = net, .port = p->id, .plug = p->port->plug };
	LIST_INSERT_HEAD(&net->conversations, c, link);
	net->engine->nconversations++;
	c->stream = dns_stream_new(net->engine->base, fd, &ops, c);
	if (!c->stream)
		on_closed(c);
	return true;
}

void guest_dns_stream(struct engine *e, const struct request *r)
{
	struct live_net *net = live_net_by_id(e, r->net_id);
	const struct live_port *p = r->port < PORT_IDS ? e->by_id[r->port] : NULL;

	if (!net || !p || p->net != net || !p->port || !has_room(net, r->port) || !begin(net, p, r->rc))
		close(r->rc);
}

void guest_dns_end(struct live_net *net)
{
	struct conversation *c;

	while ((c = LIST_FIRST(&net->conversations))) {
		dns_stream_close(c->stream);
		on_closed(c);
	}
}
