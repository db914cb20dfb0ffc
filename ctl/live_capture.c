// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/capture_file.h"
#include "ctl/capture_filter.h"
#include "ctl/engine.h"
#include "ctl/live_mirror.h"
#include "ctl/live_recorder.h"
#include "ctl/pcapng.h"
#include "switch/capture.h"
#include "switch/observe.h"
#include "switch/snapshot.h"
#include "switch/station.h"

/* The reader sleeps on the capture's descriptor, which the workers write to; while frames come it looks again by a timer, so that a busy
 * port costs the workers no call each burst and the reader no waking each frame. */
enum { AGAIN_MS = 2, AT_ONCE = 4096 };		/* frames before other events have their turn */

struct live_capture {
	LIST_ENTRY(live_capture) link;
	struct engine *engine;
	struct capture_conf conf;
	struct capture_sink sink;
	struct capture *capture;
	struct capture_file *file;
	struct event *wake, *again;
	uid_t owner;			/* of the network, when it began */
	uint64_t left;			/* frames until it ends; 0: no end */
	uint64_t lost;			/* since the last that is in the file */
	bool over;			/* what it looks at is gone */
};

/* ---- what it looks at ---- */

static bool is_looked_at(const struct live_capture *c, const struct live_port *p)
{
	const char *name = p == &p->net->local ? GATEWAY_PORT : p->name;

	return !strcmp(c->conf.net, p->net->name) && (!c->conf.port[0] || !strcmp(c->conf.port, name));
}

/* has_subject() - is there still what it looks at, and the caller's to look at? */
static bool has_subject(const struct live_capture *c)
{
	const struct net_conf *net = model_net(c->engine->model, c->conf.net);

	if (!net || net->owner != c->owner)
		return false;
	return !c->conf.port[0] || !strcmp(c->conf.port, GATEWAY_PORT) || net_port(net, c->conf.port);
}

static bool fill_port(struct engine *e, const struct live_port *p, struct port_view *view)
{
	struct live_capture *c;

	LIST_FOREACH(c, &e->captures, link) {
		struct observer *o;

		if (c->over || !is_looked_at(c, p))
			continue;
		o = observer_add(view);
		if (!o)
			return false;
		o->capture = c->capture;
		o->ways = (uint8_t)c->conf.ways;
	}
	return true;
}

bool live_observers_fill(struct engine *e, struct snapshot *s)
{
	for (unsigned i = 0; !LIST_EMPTY(&e->captures) && i < s->nports; i++)
		if (s->ports[i].port && e->by_id[i] && !fill_port(e, e->by_id[i], &s->ports[i]))
			return false;
	live_recorders_fill(e, s);
	return live_mirrors_fill(e, s);
}

/* ---- from the rings into the file ---- */

static void hand_over(struct live_capture *c)
{
	size_t size;
	const void *bytes = capture_file_bytes(c->file, &size);

	if (size)
		c->sink.write(c->sink.arg, bytes, size);
	capture_file_taken(c->file);
}

static void finish(struct live_capture *c)
{
	struct capture_sink sink = c->sink;

	capture_file_end(c->file, c->lost);
	hand_over(c);
	live_capture_free(c);
	sink.end(sink.arg);
}

/* take() - one frame; a client that does not read loses it, and is told with the next */
static void take(struct live_capture *c, const struct sighting *s)
{
	size_t size;

	c->lost += s->lost;
	capture_file_bytes(c->file, &size);
	if (size + s->kept + PCAPNG_SLACK > c->sink.room(c->sink.arg) || !capture_file_put(c->file, s, c->lost)) {
		c->lost++;
		return;
	}
	c->lost = 0;
	if (c->left && --c->left == 0)
		c->over = true;
}

/* drain() - Return: was there anything? */
static bool drain(struct live_capture *c)
{
	const struct sighting *s;
	unsigned part, n = 0;

	for (; n < AT_ONCE && !c->over && (s = capture_peek(c->capture, &part)); n++) {
		take(c, s);
		capture_pop(c->capture, part);
	}
	return n > 0;
}

static void on_frames(evutil_socket_t fd, short what, void *arg)
{
	struct live_capture *c = arg;
	bool any = drain(c);

	(void)fd, (void)what;
	if (c->over) {
		finish(c);
		return;
	}
	hand_over(c);
	if (any || !capture_sleep(c->capture)) {
		event_add(c->again, &(struct timeval){ .tv_usec = AGAIN_MS * 1000 });
		event_del(c->wake);
	} else {
		event_add(c->wake, NULL);
	}
}

/* ---- life ---- */

/* has_room() - for one more of this user */
static int has_room(struct engine *e, const struct capture_conf *conf, struct error *err)
{
	unsigned all = 0, own = 0;
	struct live_capture *c;

	LIST_FOREACH(c, &e->captures, link) {
		all++;
		own += c->conf.uid == conf->uid;
	}
	if (all < CAPTURES_MAX && (conf->admin || own < CAPTURES_OF_UID_MAX))
		return 0;
	return error_set(err, -EBUSY, all < CAPTURES_MAX ? "%u captures of yours run already" : "%u captures run already",
			 all < CAPTURES_MAX ? own : all);
}

/* guest_text() - capture_guest_fn() of the network that @arg names */
static bool guest_text(void *arg, const char *name, char text[ADDR_TEXT])
{
	const struct live_net *net = arg;
	struct live_port *p;
	struct station s;

	HASH_FIND_STR(net->ports, name, p);
	if (!p || !p->segment->stations || !station_of_port(p->segment->stations, p->id, &s))
		return false;
	addr_format(s.ip, text);
	return true;
}

int live_capture_filter(struct engine *e, const struct capture_conf *conf, struct filter **out, struct error *err)
{
	return capture_filter(conf->filter ? conf->filter : "", guest_text, live_net_find(e, conf->net), out, err);
}

static struct capture *make_capture(struct engine *e, const struct capture_conf *conf, struct error *err)
{
	uint32_t snaplen = conf->snaplen ? conf->snaplen : CAPTURE_SNAPLEN_MAX;
	struct capture *capture;
	struct filter *filter;

	if (live_capture_filter(e, conf, &filter, err) < 0)
		return NULL;
	capture = capture_new(filter, snaplen, e->nworkers);
	if (!capture)
		error_set(err, -ENOMEM, "out of memory");
	return capture;
}

static bool open_file(struct live_capture *c)
{
	struct live_net *net = live_net_find(c->engine, c->conf.net);

	c->file = capture_file_new(c->engine, c->capture->snaplen);
	if (!c->file)
		return false;
	if (is_looked_at(c, &net->local))
		capture_file_port(c->file, &net->local);
	for (const struct live_port *p = net->ports; p; p = p->hh.next)
		if (is_looked_at(c, p))
			capture_file_port(c->file, p);
	return true;
}

struct live_capture *live_capture_new(struct engine *e, const struct capture_conf *conf, const struct capture_sink *sink, struct error *err)
{
	const struct net_conf *net = model_net(e->model, conf->net);
	struct live_capture *c = has_room(e, conf, err) == 0 ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		return NULL;
	c->owner = net->owner;
	c->engine = e;
	c->conf = *conf;
	c->conf.filter = NULL;
	c->sink = *sink;
	c->left = conf->count;
	if (!c->conf.ways)
		c->conf.ways = conf->port[0] ? CAPTURE_IN | CAPTURE_OUT : CAPTURE_IN;
	LIST_INSERT_HEAD(&e->captures, c, link);
	c->capture = make_capture(e, conf, err);
	if (!c->capture) {
		live_capture_free(c);
		return NULL;
	}
	c->wake = event_new(e->base, c->capture->fd, EV_READ | EV_PERSIST, on_frames, c);
	c->again = evtimer_new(e->base, on_frames, c);
	if (!c->wake || !c->again || !open_file(c) || !apply_publish(e)) {
		error_set(err, -ENOMEM, "out of memory");
		live_capture_free(c);
		return NULL;
	}
	event_add(c->again, &(struct timeval){ 0 });
	return c;
}

void live_capture_free(struct live_capture *c)
{
	struct engine *e = c->engine;

	if (c->wake)
		event_free(c->wake);
	if (c->again)
		event_free(c->again);
	capture_file_free(c->file);
	LIST_REMOVE(c, link);
	if (c->capture) {
		c->wake = c->again = NULL;
		c->file = NULL;
		LIST_INSERT_HEAD(&e->captures_leaving, c, link);
		apply_publish(e);		/* without memory the next one lets go of it */
	} else {
		free(c);
	}
}

void live_captures_settle(struct engine *e)
{
	struct live_capture *c;

	live_recorders_settle(e);
	while ((c = LIST_FIRST(&e->captures_leaving))) {
		LIST_REMOVE(c, link);
		capture_release(c->capture);
		free(c);
	}
	LIST_FOREACH(c, &e->captures, link) {
		if (c->over || has_subject(c))
			continue;
		c->over = true;
		event_active(c->again, EV_TIMEOUT, 1);
	}
}
