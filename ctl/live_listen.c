// SPDX-License-Identifier: GPL-2.0-or-later
/* The listening sockets of a forward. A range may be thousands of ports: the keeper makes up to HOST_LISTEN_MAX by one request,
 * and what came together is one struct forward. Ports that somebody else has are asked for again, and come as another. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "nat/budget.h"
#include "nat/forward.h"
#include "switch/forward.h"
#include "switch/port.h"

_Static_assert(sizeof(((struct live_listen *)0)->have) * 8 >= HOST_LISTEN_MAX, "a bit for each port");

bool live_listen_new(struct live_forward *f)
{
	const struct forward_conf *conf = f->conf;
	unsigned each = (conf->count + HOST_LISTEN_MAX - 1u) / HOST_LISTEN_MAX, n = 0;

	f->listens = calloc(each * conf->nlisten, sizeof(*f->listens));
	if (!f->listens)
		return false;
	for (unsigned at = 0; at < conf->nlisten; at++)
		for (unsigned i = 0; i < each; i++) {
			unsigned skip = i * HOST_LISTEN_MAX;

			f->listens[n++] = (struct live_listen){
				.at = (uint8_t)at, .first = (uint16_t)(conf->port + skip),
				.count = (uint16_t)MIN_OF(conf->count - skip, (unsigned)HOST_LISTEN_MAX),
			};
		}
	f->nlistens = n;
	return true;
}

char *live_listen_name(const struct live_forward *f, const struct live_listen *l, char *to, size_t room)
{
	char text[ENDPOINT_TEXT];

	endpoint_format(&f->conf->listen[l->at], text);
	if (f->conf->count == 1)
		snprintf(to, room, "forward:%s/%s/%s", f->net->name, f->id, text);
	else
		snprintf(to, room, "forward:%s/%s/%s#%u", f->net->name, f->id, text, l->first);
	return to;
}

/* worker_for() - best the one that has the guest's port: its clients then need not be handed over */
static struct worker *worker_for(const struct live_forward *f, const struct forward_target *t)
{
	struct engine *e = f->net->engine;
	const struct live_port *p = t->port < PORT_IDS ? e->by_id[t->port] : NULL;

	if (p && p->port && p->served && p->port->nqueues && p->port->queues[0].worker < e->nworkers)
		return e->workers[p->port->queues[0].worker];
	return e->workers[f->conf->port % e->nworkers];
}

static bool has(const struct live_listen *l, unsigned i)
{
	return l->have[i / 8] >> (i % 8) & 1;
}

/* only_new() - close those of @fds that we have already; the others move together. Return: how many they are */
static unsigned only_new(const struct live_listen *l, int *fds, uint8_t *news)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->count; i++) {
		if (fds[i] >= 0 && has(l, i)) {
			close(fds[i]);
		} else if (fds[i] >= 0) {
			news[i / 8] |= (uint8_t)(1 << (i % 8));
			fds[n++] = fds[i];
		}
	}
	return n;
}

/* serve() - have @n sockets taken by a struct forward. Return: 0 or negative errno; @fds are taken in either case */
static int serve(struct live_forward *f, struct live_listen *l, const int *fds, unsigned n, const uint8_t *news)
{
	struct forward **more = realloc(l->forwards, (l->nforwards + 1u) * sizeof(*more));
	struct forward_target target = live_forward_target(f);
	struct forward *forward = NULL;
	int rc = -ENOMEM;

	if (more) {
		l->forwards = more;
		forward = forward_new_many(f->net->nat_state, f->conf->proto, fds, n, &target, worker_for(f, &target));
		rc = forward ? 0 : -errno;
	}
	if (!forward) {
		for (unsigned i = 0; i < n; i++)
			close(fds[i]);
		return rc;
	}
	l->forwards[l->nforwards++] = forward;
	l->there = (uint16_t)(l->there + n);
	for (unsigned i = 0; i < sizeof(l->have); i++)
		l->have[i] |= news[i];
	return 0;
}

int live_listen_open(struct live_forward *f, struct live_listen *l, struct error *err)
{
	const struct endpoint *at = &f->conf->listen[l->at];
	int fds[HOST_LISTEN_MAX], rc;
	uint8_t news[sizeof(l->have)] = { 0 };
	char name[HOST_NAME_SIZE];
	unsigned n;

	if (budget_used() + l->count - l->there > budget_most())
		return error_set(err, -EMFILE, "the limit of %u open files is reached", budget_most() + budget_reserve());
	rc = host_listen_many(f->net->engine->host, live_listen_name(f, l, name, sizeof(name)), at->v6 ? 6 : 4,
			      f->conf->proto == IPPROTO_TCP ? HOST_TCP : HOST_UDP, at->ip, l->first, l->count, f->net->conf->owner,
			      fds, err);
	if (rc < 0)
		return rc;
	n = only_new(l, fds, news);
	rc = n ? serve(f, l, fds, n, news) : 0;
	return rc < 0 ? error_set(err, rc, "%s", strerror(-rc)) : l->there;
}

void live_listen_close(struct live_forward *f, struct live_listen *l)
{
	char name[HOST_NAME_SIZE];

	for (unsigned i = 0; i < l->nforwards; i++)
		while (!forward_stop(l->forwards[i]))
			sched_yield();	/* a worker's inbox was full; it empties it every turn */
	if (l->there)
		host_drop(f->net->engine->host, live_listen_name(f, l, name, sizeof(name)));
	free(l->forwards);
	*l = (struct live_listen){ .at = l->at, .first = l->first, .count = l->count };
}
