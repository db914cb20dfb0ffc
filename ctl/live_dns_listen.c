// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_dns_listen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_dns_host.h"
#include "dhcp/dns.h"
#include "dhcp/dns_listen.h"
#include "dhcp/dns_message.h"

enum { RETRY_S = 1, PLACES_MAX = DNS_LISTEN_MAX + 1 };

/* place - one address */
struct place {
	struct endpoint at;		/* with its port */
	bool own;			/* of the host alone: for systemd-resolved, see ctl/live_dns_host.h */
	struct dns_listen *serves;	/* NULL: it could not be had */
	struct error why;
};

struct live_dns_listens {
	struct live_net *net;
	struct place places[PLACES_MAX];
	unsigned n;
	struct event *retry;
};

/* ---- answers ---- */

/* better() - names of one network may stand on several segments: an answer counts more than a name without one, and that more than none */
static bool better(enum dns_outcome a, enum dns_outcome b)
{
	static const enum dns_outcome order[] = { DNS_OUT_ANSWER, DNS_OUT_NODATA };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (a == order[i] || b == order[i])
			return b != order[i];
	return false;
}

int live_dns_answer(void *arg, const uint8_t *query, size_t size, bool stream, uint8_t *reply, size_t room)
{
	static uint8_t other[DNS_TCP_MAX];	/* one thread */
	const struct live_net *net = arg;
	enum dns_outcome best = DNS_OUT_RELAY, outcome;
	const struct live_segment *seg;
	int n = 0, found;

	LIST_FOREACH(seg, &net->segments, link) {
		if (seg->leaving || !seg->names || !seg->zone)
			continue;
		found = dns_answer(seg->zone, seg->names, query, size, stream, other, MIN_OF(room, sizeof(other)), &outcome);
		if (n && !better(outcome, best))
			continue;
		n = found;
		best = outcome;
		if (n > 0)
			memcpy(reply, other, (size_t)n);
	}
	return n;
}

/* ---- sockets ---- */

static char *held_name(const struct live_net *net, const struct endpoint *at, enum host_proto proto, char to[HOST_NAME_SIZE])
{
	char text[ENDPOINT_TEXT];

	snprintf(to, HOST_NAME_SIZE, "dns:%s/%s/%s", net->name, endpoint_format(at, text), proto == HOST_TCP ? "tcp" : "udp");
	return to;
}

static void drop(const struct live_net *net, const struct endpoint *at)
{
	char name[HOST_NAME_SIZE];

	host_drop(net->engine->host, held_name(net, at, HOST_UDP, name));
	host_drop(net->engine->host, held_name(net, at, HOST_TCP, name));
}

/* keep_own() - what this host sends to an address of its own comes by the interface that has it; who is not on the network has no way there */
static int keep_own(const struct live_net *net, const struct place *p, int fd, struct error *err)
{
	const char *ifname = p->own ? net_port(net->conf, HOST_PORT)->ifname : NULL;

	if (!p->own || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname, (socklen_t)strlen(ifname) + 1) == 0)
		return fd;
	error_set(err, -errno, "cannot listen for this host alone: %s", strerror(errno));
	close(fd);
	return err->rc;
}

static int open_socket(const struct live_net *net, const struct place *p, enum host_proto proto, struct error *err)
{
	const struct endpoint *at = &p->at;
	char name[HOST_NAME_SIZE];
	int fd = host_listen(net->engine->host, held_name(net, at, proto, name), at->v6 ? 6 : 4, proto, at->ip, at->port, net->conf->owner, NULL, err);

	return fd < 0 ? fd : keep_own(net, p, fd, err);
}

static void tell(const struct live_net *net, const struct place *p)
{
	char text[ENDPOINT_TEXT];

	if (p->serves)
		log_info("net=%s event=dns-listens at=%s", net->name, endpoint_format(&p->at, text));
	else
		log_warn("net=%s event=dns-waits at=%s reason=\"%s\"", net->name, endpoint_format(&p->at, text), p->why.message);
}

/* open_place() - both sockets or none. Return: does it serve? */
static bool open_place(struct live_net *net, struct place *p)
{
	struct error err = { 0 };
	int udp = open_socket(net, p, HOST_UDP, &err);
	int tcp = udp < 0 ? udp : open_socket(net, p, HOST_TCP, &err);
	bool news;

	if (udp >= 0 && tcp >= 0) {
		p->serves = dns_listen_new(net->engine->base, udp, tcp, live_dns_answer, net);
		if (!p->serves)
			error_set(&err, -ENOMEM, "out of memory");
	} else if (udp >= 0) {
		close(udp);
	}
	if (!p->serves)
		drop(net, &p->at);
	news = p->serves || strcmp(err.message, p->why.message) != 0;
	p->why = err;
	if (news)
		tell(net, p);
	if (p->serves)
		live_dns_host_changed(net);
	return p->serves;
}

static void close_place(struct live_net *net, struct place *p)
{
	if (!p->serves)
		return;
	dns_listen_free(p->serves);
	drop(net, &p->at);
}

static void open_missing(struct live_dns_listens *l)
{
	struct timeval tv = { .tv_sec = RETRY_S };
	bool all = true;

	for (unsigned i = 0; i < l->n; i++)
		all &= l->places[i].serves || open_place(l->net, &l->places[i]);
	if (all || !l->retry)
		return;
	event_add(l->retry, &tv);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	open_missing(arg);
}

/* ---- settings ---- */

static struct place *find(struct place *places, unsigned n, const struct endpoint *at)
{
	for (unsigned i = 0; i < n; i++)
		if (!memcmp(&places[i].at, at, sizeof(*at)))
			return &places[i];
	return NULL;
}

static unsigned wanted(const struct live_net *net, struct place places[PLACES_MAX])
{
	static const uint8_t none[16];
	const struct net_conf *conf = net->conf;
	struct endpoint host;
	unsigned n = 0;

	while (conf->dns_enabled && n < DNS_LISTEN_MAX && memcmp(conf->dns_listen[n].ip, none, sizeof(none))) {
		places[n] = (struct place){ .at = conf->dns_listen[n] };
		if (!places[n].at.port)
			places[n].at.port = DNS_PORT;
		n++;
	}
	if (live_dns_host_asks(net, &host) && !find(places, n, &host))
		places[n++] = (struct place){ .at = host, .own = true };
	return n;
}

/* find_same() - the one that is meant by @p */
static struct place *find_same(struct place *places, unsigned n, const struct place *p)
{
	struct place *found = find(places, n, &p->at);

	return found && found->own == p->own ? found : NULL;
}

static struct live_dns_listens *listens_new(struct live_net *net)
{
	struct live_dns_listens *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->net = net;
	l->retry = evtimer_new(net->engine->base, on_retry, l);
	return l;
}

void live_dns_listen_configure(struct live_net *net)
{
	struct place next[PLACES_MAX], *is;
	unsigned n = wanted(net, next);
	struct live_dns_listens *l = net->dns_listens;

	if (!l && n)
		l = net->dns_listens = listens_new(net);
	if (!l)
		return;
	for (unsigned i = 0; i < l->n; i++)
		if (!find_same(next, n, &l->places[i]))
			close_place(net, &l->places[i]);
	for (unsigned i = 0; i < n; i++) {
		is = find_same(l->places, l->n, &next[i]);
		if (is)
			next[i] = *is;
	}
	memcpy(l->places, next, n * sizeof(*next));
	l->n = n;
	open_missing(l);
}

void live_dns_listen_stop(struct live_net *net)
{
	struct live_dns_listens *l = net->dns_listens;

	for (unsigned i = 0; l && i < l->n; i++)
		close_place(net, &l->places[i]);
	if (l && l->retry)
		event_free(l->retry);
	free(l);
	net->dns_listens = NULL;
}

/* ---- what there is ---- */

bool live_dns_listen_serves(const struct live_net *net, const struct endpoint *at)
{
	struct live_dns_listens *l = net->dns_listens;
	const struct place *p = l ? find(l->places, l->n, at) : NULL;

	return p && p->serves;
}

void live_dns_listen_warnings(const struct live_net *net, json_t *list)
{
	const struct live_dns_listens *l = net->dns_listens;

	for (unsigned i = 0; l && i < l->n; i++)
		if (!l->places[i].serves && !l->places[i].own)	/* without that one the hosts file does */
			json_array_append_new(list, json_sprintf("names of guests are not answered there: %s", l->places[i].why.message));
}

uint64_t live_dns_listen_pauses(const struct live_net *net)
{
	const struct live_dns_listens *l = net->dns_listens;
	uint64_t n = 0;

	for (unsigned i = 0; l && i < l->n; i++)
		n += l->places[i].serves ? dns_listen_pauses(l->places[i].serves) : 0;
	return n;
}

bool live_dns_listen_holds(struct engine *e, const char *name)
{
	char own[HOST_NAME_SIZE];

	for (struct live_net *net = e->nets; net; net = net->hh.next)
		for (unsigned i = 0; net->dns_listens && i < net->dns_listens->n; i++) {
			const struct place *p = &net->dns_listens->places[i];

			if (p->serves && (!strcmp(held_name(net, &p->at, HOST_UDP, own), name) || !strcmp(held_name(net, &p->at, HOST_TCP, own), name)))
				return true;
		}
	return false;
}
