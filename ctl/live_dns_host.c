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

#include "base/hash.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "dhcp/dns.h"

enum { GATHER_MS = 200, AGAIN_S = 10 };

struct live_dns_host {
	struct live_net *net;
	struct event *timer;
	bool told;			/* the keeper has some of it */
	bool again;			/* and would not have the last word */
	uint64_t hash;			/* of what it has */
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

static int tell_keeper(const struct live_net *net, const struct host_guest *list, unsigned n, struct error *err)
{
	size_t size = n * sizeof(*list);
	int fd = memfd_create("names", MFD_CLOEXEC), rc;

	if (fd < 0 || (n && write(fd, list, size) != (ssize_t)size))
		rc = error_set(err, fd < 0 ? -errno : -ENOMEM, "out of memory");
	else
		rc = host_names(net->engine->host, net->name, net->conf->domain, fd, n, err);
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
	else if (rc == 0)
		log_info("net=%s event=host-names n=%u", h->net->name, n);
	h->why = rc < 0 ? *err : (struct error){ 0 };
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct live_dns_host *h = arg;
	struct error err = { 0 };
	struct guests g;
	uint64_t hash;
	int rc;

	(void)fd, (void)what;
	if (!collect(h->net, &g))
		later(h, AGAIN_S * 1000);
	hash = hash_bytes(g.list, g.n * sizeof(*g.list), 0);
	if (!g.no_memory && (!h->told || h->again || hash != h->hash)) {
		rc = tell_keeper(h->net, g.list, g.n, &err);
		h->hash = hash;
		h->told |= rc == 0;
		h->again = rc < 0;
		note(h, rc, g.n, &err);
		if (rc < 0)
			later(h, AGAIN_S * 1000);
	}
	free(g.list);
}

void live_dns_host_changed(void *arg)
{
	struct live_net *net = arg;

	if (net->dns_host)
		later(net->dns_host, GATHER_MS);
}

/* ---- settings ---- */

/* end() - whether the keeper has something of it, an engine before this one may know */
static void end(struct live_net *net)
{
	struct live_dns_host *h = net->dns_host;
	struct error err = { 0 };

	if (h && tell_keeper(net, NULL, 0, &err) < 0)
		log_warn("net=%s event=host-names-stay reason=\"%s\"", net->name, err.message);
	if (h && h->timer)
		event_free(h->timer);
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
		net->dns_host = calloc(1, sizeof(*net->dns_host));
	if (net->dns_host && !net->dns_host->timer) {
		net->dns_host->net = net;
		net->dns_host->timer = evtimer_new(net->engine->base, on_timer, net->dns_host);
	}
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
			host_names(e->host, c.name + strlen(held), "none", none, 0, NULL);
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
