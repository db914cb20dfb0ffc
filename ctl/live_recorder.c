// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_capture.h"
#include "ctl/recorder_file.h"
#include "switch/observe.h"
#include "switch/recorder.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

#define NOW "recorders"
#define BEFORE "recorders:before"

/* ---- of the engine before ---- */

static void keep_past(void *arg, const struct recorder_owner *owner, struct recorder *r)
{
	struct kept_recorder *k = calloc(1, sizeof(*k));
	struct engine *e = arg;

	if (!k) {
		recorder_free(r);
		return;
	}
	*k = (struct kept_recorder){ .recorder = r, .of = *owner, .until_ms = clock_now_ms() + RECORDERS_PAST_MS, .past = true };
	LIST_INSERT_HEAD(&e->recorders_kept, k, link);
}

/* hold() - have the keeper keep @fd for the next engine, in place of what it has under @name. Return: does it? */
static bool hold(struct engine *e, const char *name, int fd)
{
	struct error err = { 0 };

	if (host_replace(e->host, name, fd, &err) >= 0)
		return true;
	log_warn("event=recorders-not-held reason=\"%s\"", err.message);
	return false;
}

/* read_past() - of the last engine, or where that had kept nothing of the one before; engines that die at their start hide nothing */
static void read_past(struct engine *e)
{
	int last = host_recall(e->host, NOW, NULL), before = host_recall(e->host, BEFORE, NULL);
	bool has = last >= 0 && recorder_file_has(last);

	recorder_file_read(has ? last : before, keep_past, e);
	if (has)
		hold(e, BEFORE, last);
	if (last >= 0)
		close(last);
	if (before >= 0)
		close(before);
}

void live_recorders_start(struct engine *e)
{
	read_past(e);
	e->recorder_file = recorder_file_new();
	if (e->recorder_file && hold(e, NOW, recorder_file_fd(e->recorder_file)))
		return;
	recorder_file_free(e->recorder_file);	/* what is kept ends with this process, then */
	e->recorder_file = NULL;
}

bool live_recorders_hold(const char *name)
{
	return !strcmp(name, NOW) || !strcmp(name, BEFORE);
}

/* ---- in the snapshot ---- */

static enum recorder_keep keep_of(const struct live_port *p)
{
	const struct port_conf *conf = p == &p->net->local ? &p->net->conf->defaults : p->conf;

	return (enum recorder_keep)conf->recorder;
}

/* retire() - @p has no use for its recorder now; it goes with the snapshot that is published next. Return: NULL if there is none */
static struct kept_recorder *retire(struct engine *e, struct live_port *p)
{
	struct kept_recorder *k = p->recorder ? calloc(1, sizeof(*k)) : NULL;

	if (k) {			/* else it is lost: better than freed while a worker writes to it */
		k->recorder = p->recorder;
		LIST_INSERT_HEAD(&e->recorders_kept, k, link);
	}
	p->recorder = NULL;
	return k;
}

static struct recorder_owner owner_of(const struct live_port *p)
{
	struct recorder_owner of = { .uid = p->net->owner };

	snprintf(of.net, sizeof(of.net), "%s", p->net->name);
	snprintf(of.port, sizeof(of.port), "%s", p == &p->net->local ? GATEWAY_PORT : p->name);
	return of;
}

/* make() - in the file that the keeper holds; without one, or room there, for as long as this process lives */
static struct recorder *make(const struct live_port *p, uint32_t nslots)
{
	struct recorder_owner of = owner_of(p);
	struct engine *e = p->net->engine;
	struct recorder *r = e->recorder_file ? recorder_file_take(e->recorder_file, &of, nslots, e->nworkers) : NULL;

	return r ? r : recorder_new(nslots, e->nworkers);
}

/* renew() - as configured */
static void renew(struct engine *e, struct live_port *p)
{
	enum recorder_keep keep = keep_of(p);
	uint32_t nslots = keep == RECORDER_ALL ? RECORDS_OF_ALL : keep == RECORDER_DROPS ? RECORDS_OF_DROPS : 0;

	if (p->recorder && p->recorder->nslots != nslots)
		retire(e, p);
	if (!p->recorder && nslots)
		p->recorder = make(p, nslots);
}

static void fill(struct live_port *p, struct port_view *view)
{
	struct observer *all;

	if (!p->recorder)
		return;
	if (keep_of(p) != RECORDER_ALL) {
		view->recorder = p->recorder;
		return;
	}
	all = observer_add(view);
	if (!all)
		return;
	all->recorder = p->recorder;
	all->ways = CAPTURE_IN | CAPTURE_OUT;
}

void live_recorders_fill(struct engine *e, struct snapshot *s)
{
	for (unsigned i = 0; i < s->nports; i++) {
		struct live_port *p = s->ports[i].port ? e->by_id[i] : NULL;

		if (!p)
			continue;
		renew(e, p);
		fill(p, &s->ports[i]);
	}
}

static void forget(struct kept_recorder *k)
{
	LIST_REMOVE(k, link);
	recorder_release(k->recorder);
	free(k);
}

void live_recorders_settle(struct engine *e)
{
	struct kept_recorder *k, *next;

	for (k = LIST_FIRST(&e->recorders_kept); k; k = next) {
		next = LIST_NEXT(k, link);
		if (!k->until_ms)
			forget(k);
	}
}

/* ---- after their port ---- */

void live_recorder_keep(struct live_port *p)
{
	struct engine *e = p->net->engine;
	struct kept_recorder *k = retire(e, p), *oldest = NULL;
	unsigned n = 0;

	if (!k)
		return;
	k->of = owner_of(p);
	k->until_ms = clock_now_ms() + RECORDER_KEPT_MS;
	LIST_FOREACH(k, &e->recorders_kept, link) {
		oldest = k->past ? oldest : k;
		n += !k->past;
	}
	if (n > RECORDERS_KEPT_MAX)
		forget(oldest);
}

void live_recorders_sweep(struct engine *e)
{
	struct kept_recorder *k, *next;
	uint64_t now = clock_now_ms();

	for (k = LIST_FIRST(&e->recorders_kept); k; k = next) {
		next = LIST_NEXT(k, link);
		if (k->until_ms && k->until_ms <= now)
			forget(k);
	}
}
