// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/capture_file.h"
#include "ctl/engine.h"
#include "ctl/live_capture.h"
#include "switch/observe.h"
#include "switch/recorder.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

/* kept_recorder - of a port that was removed, or (until 0) one that may still be in the old snapshot */
struct kept_recorder {
	LIST_ENTRY(kept_recorder) link;
	struct recorder *recorder;
	char net[NAME_MAX_SIZE], port[NAME_MAX_SIZE];
	uid_t owner;
	uint64_t until_ms;
};

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

/* renew() - as configured */
static void renew(struct engine *e, struct live_port *p)
{
	enum recorder_keep keep = keep_of(p);
	uint32_t nslots = keep == RECORDER_ALL ? RECORDS_OF_ALL : keep == RECORDER_DROPS ? RECORDS_OF_DROPS : 0;

	if (p->recorder && p->recorder->nslots != nslots)
		retire(e, p);
	if (!p->recorder && nslots)
		p->recorder = recorder_new(nslots, e->nworkers);
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
	snprintf(k->net, sizeof(k->net), "%s", p->net->name);
	snprintf(k->port, sizeof(k->port), "%s", p->name);
	k->owner = p->net->owner;
	k->until_ms = clock_now_ms() + RECORDER_KEPT_MS;
	LIST_FOREACH(k, &e->recorders_kept, link) {
		oldest = k;
		n++;
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

/* ---- what was kept ---- */

/* part - what one worker kept of one port */
struct part {
	const struct recorder *recorder;
	unsigned index;
	int interface;
	struct record *to;		/* room for n */
	uint32_t n;
};

/* past - an answer that is being put together */
struct past {
	struct engine *e;
	struct capture_file *file;
	struct part *parts;
	unsigned nparts, room;
	uint32_t nrecords;
};

static int add_part(struct past *past, const struct recorder *r, unsigned index, int interface)
{
	struct part *p;

	if (past->nparts == past->room) {
		past->room = past->room ? 2 * past->room : 64;
		p = realloc(past->parts, past->room * sizeof(*p));
		if (!p)
			return -ENOMEM;
		past->parts = p;
	}
	past->parts[past->nparts] = (struct part){ .recorder = r, .index = index, .interface = interface, .n = recorder_kept(r, index) };
	past->nrecords += past->parts[past->nparts++].n;
	return past->nrecords > RECORDS_SHOWN_MAX ? -EFBIG : 0;
}

static int add_recorder(struct past *past, const struct recorder *r, const char *net, const char *port, const char *about)
{
	int interface = capture_file_interface(past->file, net, port, about), rc = interface < 0 ? -ENOMEM : 0;

	for (unsigned i = 0; rc == 0 && i < r->nparts; i++)
		if (recorder_kept(r, i))
			rc = add_part(past, r, i, interface);
	return rc;
}

static bool is_asked(const struct capture_conf *conf, const char *port)
{
	return !conf->port[0] || !strcmp(conf->port, port);
}

static int add_all(struct past *past, const struct capture_conf *conf)
{
	struct live_net *net = live_net_find(past->e, conf->net);
	struct kept_recorder *k;
	int rc = 0;

	if (net->local.recorder && is_asked(conf, GATEWAY_PORT))
		rc = add_recorder(past, net->local.recorder, net->name, GATEWAY_PORT, "gateway and services");
	for (const struct live_port *p = net->ports; rc == 0 && p; p = p->hh.next)
		if (p->recorder && is_asked(conf, p->name))
			rc = add_recorder(past, p->recorder, net->name, p->name, port_kind_name(p->conf->kind));
	LIST_FOREACH(k, &past->e->recorders_kept, link)
		if (rc == 0 && k->until_ms && !strcmp(k->net, net->name) && k->owner == net->owner && is_asked(conf, k->port))
			rc = add_recorder(past, k->recorder, k->net, k->port, "removed");
	return rc;
}

static void copy_part(struct worker *w, void *arg)
{
	struct part *p = arg;

	(void)w;
	p->n = recorder_copy(p->recorder, p->index, p->to, p->n);
}

/* copy_all() - by the workers, each its own */
static void copy_all(struct past *past, struct record *records)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < past->nparts; i++) {
		struct part *p = &past->parts[i];

		p->to = records + at;
		at += p->n;
		while (!worker_post(past->e->workers[p->index], copy_part, p))
			worker_sync(past->e->workers[p->index]);
	}
	for (unsigned i = 0; i < past->e->nworkers; i++)
		worker_sync(past->e->workers[i]);
}

/* shown - one record of the answer */
struct shown {
	const struct record *record;
	int interface;
};

static int by_time(const void *a, const void *b)
{
	uint64_t x = ((const struct shown *)a)->record->s.wall_ns, y = ((const struct shown *)b)->record->s.wall_ns;

	return x < y ? -1 : x > y;
}

static bool is_meant(const struct record *r, const struct capture_conf *conf, const struct filter *filter)
{
	struct frame frame = { .head = (uint8_t *)(uintptr_t)r->bytes, .head_len = r->s.kept, .len = r->s.kept };
	struct wire wire = { .frame = &frame, .len = r->s.len };
	struct filter_memo memo = { 0 };

	if (conf->ways && !(conf->ways & r->s.way))
		return false;
	return !filter || filter_run(filter, &wire, &memo);
}

static unsigned choose(const struct past *past, const struct capture_conf *conf, const struct filter *filter, struct shown *to)
{
	unsigned n = 0;

	for (unsigned i = 0; i < past->nparts; i++)
		for (uint32_t k = 0; k < past->parts[i].n; k++)
			if (is_meant(&past->parts[i].to[k], conf, filter))
				to[n++] = (struct shown){ &past->parts[i].to[k], past->parts[i].interface };
	qsort(to, n, sizeof(*to), by_time);
	return n;
}

/* write_all() - into the file, and that to the sink */
static int write_all(struct past *past, const struct capture_conf *conf, const struct filter *filter, const struct capture_sink *sink)
{
	struct record *records = malloc((past->nrecords + 1) * sizeof(*records));
	struct shown *shown = malloc((past->nrecords + 1) * sizeof(*shown));
	int rc = records && shown ? 0 : -ENOMEM;
	const void *bytes;
	size_t size;
	unsigned n;

	if (rc == 0) {
		copy_all(past, records);
		n = choose(past, conf, filter, shown);
		for (unsigned i = conf->count && conf->count < n ? n - (unsigned)conf->count : 0; rc == 0 && i < n; i++)
			rc = capture_file_put_at(past->file, shown[i].interface, &shown[i].record->s, 0) ? 0 : -ENOMEM;
	}
	bytes = capture_file_bytes(past->file, &size);
	if (rc == 0)
		sink->write(sink->arg, bytes, size);
	free(shown);
	free(records);
	return rc;
}

int live_past(struct engine *e, const struct capture_conf *conf, const struct capture_sink *sink, struct error *err)
{
	struct past past = { .e = e };
	struct filter *filter;
	int rc = live_capture_filter(e, conf, &filter, err);

	if (rc < 0)
		return rc;
	past.file = capture_file_new(e, RECORD_BYTES);
	rc = past.file ? add_all(&past, conf) : -ENOMEM;
	if (rc == 0)
		rc = write_all(&past, conf, filter, sink);
	if (rc < 0)
		error_set(err, rc, rc == -EFBIG ? "more than %d frames are kept there: say which port" : "out of memory", RECORDS_SHOWN_MAX);
	capture_file_free(past.file);
	free(past.parts);
	filter_free(filter);
	return rc;
}
