// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* memfd_create() */
#include "ctl/live_dns_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_dns_listen.h"
#include "ctl/resolved_look.h"
#include "dhcp/dns.h"
#include "dhcp/dns_message.h"

#define RESOLV_CONF "/etc/resolv.conf"

enum { GATHER_MS = 200, AGAIN_S = 10, REFUSED_MS = 60000, LOOK_S = 1 };

struct live_dns_host {
	struct live_net *net;
	struct event *timer;
	struct event *look;		/* every LOOK_S seconds */
	struct resolved_seen seen;
	bool told;			/* the keeper has some of it */
	bool again;			/* and would not have the last word */
	uint64_t hash;			/* of what it has */
	bool stub;			/* the host's programs ask systemd-resolved */
	bool link;			/* which asks us */
	uint64_t refused_ms;		/* when it last would not; 0: it was not asked to */
	struct error why;
};

/* ---- what there is ---- */

/* guests - a list for the keeper */
struct guests {
	const struct dns_name *domain;
	struct host_guest *list;
	unsigned n;
	bool no_memory;
};

static void add(struct guests *g, const struct dns_name *name, const struct name_record *r)
{
	struct host_guest *more = g->list, *to;
	char text[DNS_NAME_TEXT];

	if (g->n == HOST_NAMES_MAX || (r->type != DNS_A && r->type != DNS_AAAA))
		return;
	dns_name_to_text(name, text);
	if (strlen(text) >= sizeof(to->name) || text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.")])
		return;			/* a wildcard, say, is no name of anybody */
	if (g->n % 64 == 0)
		more = realloc(g->list, (g->n + 64) * sizeof(*more));
	if (!more) {
		g->no_memory = true;
		return;
	}
	g->list = more;
	to = &more[g->n++];
	memset(to, 0, sizeof(*to));
	to->family = r->type == DNS_A ? 4 : 6;
	memcpy(to->addr, r->rdata, r->size < sizeof(to->addr) ? r->size : sizeof(to->addr));
	strcpy(to->name, text);
}

static void add_name(void *arg, const struct dns_name *name, const struct name_set *set)
{
	struct guests *g = arg;

	if (!dns_name_below(name, g->domain) || name->size == g->domain->size)
		return;
	for (unsigned i = 0; i < set->n; i++)
		add(g, name, &set->records[i]);
}

static int by_name(const void *a, const void *b)
{
	return memcmp(((const struct host_guest *)a)->name, ((const struct host_guest *)b)->name, sizeof(((struct host_guest *)0)->name));
}

/* collect() - Return: false without memory; @g->list is to be freed in any case */
static bool collect(const struct live_net *net, struct guests *g)
{
	const struct live_segment *seg;

	*g = (struct guests){ .domain = net->zone ? &net->zone->origin : NULL };
	if (!g->domain || !net->names)
		return true;
	names_each(net->names, add_name, g);
	LIST_FOREACH(seg, &net->segments, link)
		if (!seg->leaving && seg->names)
			names_each(seg->names, add_name, g);
	if (g->n)
		qsort(g->list, g->n, sizeof(*g->list), by_name);
	return !g->no_memory;
}

json_t *live_dns_host_names(struct engine *e, const char *name)
{
	const struct live_net *net = live_net_find(e, name);
	json_t *list = net ? json_array() : NULL;
	char ip[INET6_ADDRSTRLEN];
	struct guests g;

	if (!list)
		return NULL;
	if (!collect(net, &g)) {
		json_decref(list);
		list = NULL;
	}
	for (unsigned i = 0; list && i < g.n; i++) {
		inet_ntop(g.list[i].family == 4 ? AF_INET : AF_INET6, g.list[i].addr, ip, sizeof(ip));
		json_array_append_new(list, json_pack("{s:s s:s}", "name", g.list[i].name, "address", ip));
	}
	free(g.list);
	return list;
}

/* ---- telling ---- */

/* tell_keeper() - Return: bits of enum host_names_by, or negative errno */
static int tell_keeper(const struct live_net *net, const char *ifname, const struct host_guest *list, unsigned n, struct error *err)
{
	size_t size = n * sizeof(*list);
	int fd = memfd_create("names", MFD_CLOEXEC), rc;

	if (fd < 0 || (n && write(fd, list, size) != (ssize_t)size))
		rc = error_set(err, fd < 0 ? -errno : -ENOMEM, "out of memory");
	else
		rc = host_names(net->engine->host, net->name, net->conf->domain, ifname, fd, n, err);
	if (fd >= 0)
		close(fd);
	return rc;
}

static void later(struct live_dns_host *h, unsigned ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (h->timer && !evtimer_pending(h->timer, NULL))
		event_add(h->timer, &tv);
}

/* note() - what became of it, once for each reason */
static void note(struct live_dns_host *h, int rc, unsigned n, const struct error *err)
{
	if (rc < 0 && strcmp(err->message, h->why.message) != 0)
		log_warn("net=%s event=host-names-failed reason=\"%s\" hint=\"%s\"", h->net->name, err->message, err->hint);
	else if (rc >= 0)
		log_info("net=%s event=host-names n=%u by=%s", h->net->name, n, live_dns_host_by(h->net));
	h->why = rc < 0 ? *err : (struct error){ 0 };
}

/* learn() - which way it took, of @asked: both, or the file alone. Now there may be an answer to be had for resolved, or no longer */
static void learn(struct live_dns_host *h, unsigned by, bool asked)
{
	h->stub = by & HOST_NAMES_STUB;
	h->link = by & HOST_NAMES_LINK;
	if (asked && !h->link)
		h->refused_ms = clock_now_ms();
	live_dns_listen_configure(h->net);
}

static void tell(struct live_dns_host *h, const struct guests *g, bool link)
{
	struct error err = { 0 };
	int rc = tell_keeper(h->net, link ? net_port(h->net->conf, HOST_PORT)->ifname : "", g->list, g->n, &err);

	h->told |= rc >= 0;
	h->again = rc < 0;
	if (rc >= 0)
		learn(h, (unsigned)rc, link);
	note(h, rc, g->n, &err);
	if (rc < 0)
		later(h, AGAIN_S * 1000);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct live_dns_host *h = arg;
	struct endpoint at;
	struct guests g;
	uint64_t hash;
	bool link;

	(void)fd, (void)what;
	if (!collect(h->net, &g))
		later(h, AGAIN_S * 1000);
	link = live_dns_host_asks(h->net, &at) && live_dns_listen_serves(h->net, &at);
	hash = hash_bytes(g.list, g.n * sizeof(*g.list), link);
	if (!g.no_memory && (!h->told || h->again || hash != h->hash)) {
		h->hash = hash;
		tell(h, &g, link);
	}
	free(g.list);
}

void live_dns_host_changed(void *arg)
{
	struct live_net *net = arg;

	if (net->dns_host)
		later(net->dns_host, GATHER_MS);
}

bool live_dns_host_asks(const struct live_net *net, struct endpoint *at)
{
	const struct live_dns_host *h = net->dns_host;
	uint32_t ip_be = htonl(net->conf->gateway);

	*at = (struct endpoint){ .port = DNS_PORT };
	memcpy(at->ip, &ip_be, sizeof(ip_be));
	return h && h->stub && net->conf->has_host && (!h->refused_ms || clock_now_ms() - h->refused_ms > REFUSED_MS);
}

const char *live_dns_host_by(const struct live_net *net)
{
	const struct live_dns_host *h = net->dns_host;

	if (!h || !h->told || h->again)
		return NULL;
	return h->link ? "systemd-resolved" : "/etc/hosts";
}

/* ---- who comes and goes ---- */

/* on_look() - the way that was not to be had may be there now, and the one that was taken may be gone */
static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct live_dns_host *h = arg;

	(void)fd, (void)what;
	if (!resolved_look(RESOLV_CONF, RESOLVED_SOCKET, RESOLVED_PORT, &h->seen) || !h->told)
		return;
	h->again = true;
	h->refused_ms = 0;
	live_dns_listen_configure(h->net);
	live_dns_host_changed(h->net);
}

/* ---- settings ---- */

/* begin() - Return: NULL without memory */
static struct live_dns_host *begin(struct live_net *net)
{
	static const struct timeval every = { .tv_sec = LOOK_S };
	struct live_dns_host *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->net = net;
	h->timer = evtimer_new(net->engine->base, on_timer, h);
	h->look = event_new(net->engine->base, -1, EV_PERSIST, on_look, h);
	if (h->look)
		event_add(h->look, &every);
	resolved_look(RESOLV_CONF, RESOLVED_SOCKET, RESOLVED_PORT, &h->seen);
	return h;
}

/* end() - whether the keeper has something of it, an engine before this one may know */
static void end(struct live_net *net)
{
	struct live_dns_host *h = net->dns_host;
	struct error err = { 0 };

	if (h && tell_keeper(net, "", NULL, 0, &err) < 0)
		log_warn("net=%s event=host-names-stay reason=\"%s\"", net->name, err.message);
	if (h && h->timer)
		event_free(h->timer);
	if (h && h->look)
		event_free(h->look);
	free(h);
	net->dns_host = NULL;
}

void live_dns_host_configure(struct live_net *net)
{
	bool wanted = net->conf->dns_host && net->conf->dns_enabled && net->names;

	if (!wanted) {
		end(net);
		return;
	}
	if (!net->dns_host)
		net->dns_host = begin(net);
	if (net->dns_host)
		net->dns_host->refused_ms = 0;
	live_dns_host_changed(net);
}

void live_dns_host_stop(struct live_net *net)
{
	end(net);
}

/* is_wanted() - of "names:NET" */
static bool is_wanted(struct engine *e, const char *net)
{
	struct live_net *found = live_net_find(e, net);

	return found && found->dns_host;
}

void live_dns_host_settle(struct engine *e)
{
	static const char held[] = "names:";
	int fd = host_changes(e->host, NULL), none;
	struct host_change c;

	for (off_t at = 0; fd >= 0 && pread(fd, &c, sizeof(c), at) == sizeof(c); at += (off_t)sizeof(c)) {
		if (!host_change_check(&c) || c.kind != HOST_CHANGE_NAMES || is_wanted(e, c.name + strlen(held)))
			continue;
		none = memfd_create("names", MFD_CLOEXEC);
		if (none >= 0) {
			host_names(e->host, c.name + strlen(held), "none", "", none, 0, NULL);
			close(none);
		}
	}
	if (fd >= 0)
		close(fd);
}

void live_dns_host_warnings(const struct live_net *net, json_t *list)
{
	const struct live_dns_host *h = net->dns_host;

	if (h && h->why.message[0])
		json_array_append_new(list, json_sprintf("this host does not resolve guests' names: %s%s%s", h->why.message, h->why.hint[0] ? "; " : "", h->why.hint));
}
