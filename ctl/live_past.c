// SPDX-License-Identifier: GPL-2.0-or-later
/* What flight recorders have kept, as a capture file (ctl/live_recorder.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/capture_file.h"
#include "ctl/engine.h"
#include "ctl/live_capture.h"
#include "ctl/live_recorder.h"
#include "switch/recorder.h"
#include "switch/worker.h"

/* part - what one worker kept of one port */
struct part {
	const struct recorder *recorder;
	unsigned index;
	bool past;			/* nobody writes to it: no worker is asked */
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

static int add_part(struct past *past, const struct recorder *r, bool gone, unsigned index, int interface)
{
	struct part *p;

	if (past->nparts == past->room) {
		past->room = past->room ? 2 * past->room : 64;
		p = realloc(past->parts, past->room * sizeof(*p));
		if (!p)
			return -ENOMEM;
		past->parts = p;
	}
	past->parts[past->nparts] = (struct part){ .recorder = r, .index = index, .past = gone, .interface = interface, .n = recorder_kept(r, index) };
	past->nrecords += past->parts[past->nparts++].n;
	return past->nrecords > RECORDS_SHOWN_MAX ? -EFBIG : 0;
}

static int add_recorder(struct past *past, const struct recorder *r, bool gone, const char *net, const char *port, const char *about)
{
	int interface = capture_file_interface(past->file, net, port, about), rc = interface < 0 ? -ENOMEM : 0;

	for (unsigned i = 0; rc == 0 && i < r->nparts; i++)
		if (recorder_kept(r, i))
			rc = add_part(past, r, gone, i, interface);
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
		rc = add_recorder(past, net->local.recorder, false, net->name, GATEWAY_PORT, "gateway and services");
	for (const struct live_port *p = net->ports; rc == 0 && p; p = p->hh.next)
		if (p->recorder && is_asked(conf, p->name))
			rc = add_recorder(past, p->recorder, false, net->name, p->name, port_kind_name(p->conf->kind));
	LIST_FOREACH(k, &past->e->recorders_kept, link)
		if (rc == 0 && k->until_ms && !strcmp(k->of.net, net->name) && k->of.uid == net->owner && is_asked(conf, k->of.port))
			rc = add_recorder(past, k->recorder, k->past, k->of.net, k->of.port, k->past ? "of the engine before" : "removed");
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
		if (p->past)
			p->n = recorder_copy(p->recorder, p->index, p->to, p->n);
		while (!p->past && !worker_post(past->e->workers[p->index], copy_part, p))
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

	if (!record_is_sane(r) || (conf->ways && !(conf->ways & r->s.way)))
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
