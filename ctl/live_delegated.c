// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* memfd_create() */
#include "ctl/live_delegated.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_hostif.h"
#include "dhcp/lease6.h"

enum { GATHER_US = 10000, AGAIN_S = 10 };

struct live_delegated {
	struct live_net *net;
	struct event *timer;
	bool told;			/* the keeper has what @hash is of */
	uint64_t hash;
	char why[HOST_TEXT_SIZE];	/* it could not be done; empty: it could */
};

/* ---- what there is ---- */

/* ways - a list for the keeper */
struct ways {
	const struct net_conf *conf;
	struct host_way *list;
	uint32_t n, room;
};

/* leads() - a guest may say anything of where it is; an address that is not on the link is no way */
static bool leads(const struct net_conf *conf, struct addr via)
{
	return (addr_is_link_local(via) || addr_in(conf->subnet6, via)) && !addr_equal(via, conf->gateway6);
}

static void add(void *arg, const struct lease6_record *r)
{
	struct ways *w = arg;
	struct host_way *to;

	if (r->state != LEASE_BOUND || r->place.len == 128 || w->n == w->room || !leads(w->conf, r->via) || !addr_in(w->conf->ip6.prefixes, r->place.addr))
		return;
	to = &w->list[w->n++];
	memcpy(to->prefix, r->place.addr.bytes, sizeof(to->prefix));
	memcpy(to->via, r->via.bytes, sizeof(to->via));
	to->len = r->place.len;
}

static int by_prefix(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct host_way));
}

/* collect() - Return: false without memory; the list is the caller's to free */
static bool collect(const struct live_net *net, struct ways *w)
{
	const struct lease6_table *leases = net->segment ? net->segment->leases6 : NULL;
	size_t n = leases ? lease6_count(leases) : 0;

	*w = (struct ways){ .conf = net->conf, .room = n < HOST_WAYS_MAX ? (uint32_t)n : HOST_WAYS_MAX };
	w->list = calloc(w->room + 1u, sizeof(*w->list));
	if (!w->list)
		return false;
	if (leases)
		lease6_each(leases, add, w);
	if (w->n)
		qsort(w->list, w->n, sizeof(*w->list), by_prefix);
	return true;
}

/* ---- telling ---- */

static int tell_keeper(const struct live_net *net, const struct ways *w, char refused[HOST_TEXT_SIZE], struct error *err)
{
	size_t size = w->n * sizeof(*w->list);
	int fd = memfd_create("ways", MFD_CLOEXEC), rc;
	char held[HOST_NAME_SIZE];

	if (fd < 0 || (size && write(fd, w->list, size) != (ssize_t)size))
		rc = error_set(err, -ENOMEM, "out of memory");
	else
		rc = host_delegated(net->engine->host, live_hostif_held(net->conf, held), fd, w->n, refused, err);
	if (fd >= 0)
		close(fd);
	return rc;
}

static void later(struct live_delegated *d, time_t s, suseconds_t us)
{
	struct timeval tv = { .tv_sec = s, .tv_usec = us };

	if (d->timer && !evtimer_pending(d->timer, NULL))
		event_add(d->timer, &tv);
}

/* note() - what became of it, once for each reason */
static void note(struct live_delegated *d, const char *why)
{
	if (*why && strcmp(why, d->why) != 0)
		log_warn("net=%s event=delegated-not-routed reason=\"%s\"", d->net->name, why);
	snprintf(d->why, sizeof(d->why), "%.*s", (int)sizeof(d->why) - 1, why);
}

static void tell(struct live_delegated *d, const struct ways *w)
{
	uint64_t hash = hash_bytes(w->list, w->n * sizeof(*w->list), 0);
	char refused[HOST_TEXT_SIZE] = "";
	struct error err = { 0 };
	int rc;

	if (d->told && hash == d->hash)
		return;
	rc = tell_keeper(d->net, w, refused, &err);
	d->told = rc == 0;
	d->hash = hash;
	note(d, rc < 0 ? err.message : refused);
	if (rc == 0)
		log_info("net=%s event=delegated-routed n=%u", d->net->name, w->n);
	else
		later(d, AGAIN_S, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct live_delegated *d = arg;
	struct ways w;

	(void)fd, (void)what;
	if (!collect(d->net, &w)) {
		later(d, AGAIN_S, 0);
		return;
	}
	tell(d, &w);
	free(w.list);
}

void live_delegated_changed(struct live_net *net)
{
	if (net->delegated)
		later(net->delegated, 0, GATHER_US);
}

void live_delegated_again(struct live_net *net)
{
	if (!net || !net->delegated)
		return;
	net->delegated->told = false;
	live_delegated_changed(net);
}

/* ---- settings ---- */

void live_delegated_configure(struct live_net *net)
{
	struct live_delegated *d = net->delegated;

	if (!net->conf->has_host || !net->conf->ip6.prefixes.len) {
		live_delegated_free(net);
		return;
	}
	if (d && net->engine->hostif_changed)
		d->told = false;
	if (!d)
		d = net->delegated = calloc(1, sizeof(*d));
	if (d && !d->timer) {
		d->net = net;
		d->timer = evtimer_new(net->engine->base, on_timer, d);
	}
	if (!d || !d->timer)
		log_error("net=%s event=delegated-not-routed reason=\"out of memory\"", net->name);
	else
		live_delegated_changed(net);
}

void live_delegated_free(struct live_net *net)
{
	if (net->delegated && net->delegated->timer)
		event_free(net->delegated->timer);
	free(net->delegated);
	net->delegated = NULL;
}

void live_delegated_warnings(const struct live_net *net, json_t *list)
{
	if (net->delegated && net->delegated->why[0])
		json_array_append_new(list, json_sprintf("this host does not route to all that is delegated: %s", net->delegated->why));
}
