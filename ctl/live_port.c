// SPDX-License-Identifier: GPL-2.0-or-later
/* A configured port at run time. Its device may come and go (a QEMU that is started again, a namespace that
 * is deleted) while the port, its id, its lease and its forwards stay. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_dgram.h"
#include "ctl/live_look.h"
#include "ctl/live_stream.h"
#include "ctl/live_tap.h"
#include "ctl/live_vhost.h"
#include "ctl/live_wire.h"
#include "dhcp/lease.h"
#include "switch/fdb.h"
#include "switch/forward.h"
#include "switch/port.h"
#include "switch/request.h"
#include "switch/vlan.h"
#include "tap/dgram.h"
#include "tap/packet.h"
#include "tap/stream.h"
#include "tap/wireless.h"

/* Each try asks the keeper, which starts a process for it. */
enum { RETRY_MS = 250, QUICK_RETRIES = 40, SLOW_RETRY_MS = 1000 };

const char *live_state_name(enum live_state state)
{
	static const char *const names[] = { "up", "down", "pending", "failed" };

	return names[state];
}

/* has_peer() - does the other side come and go by itself? */
static bool has_peer(const struct port_conf *conf)
{
	return conf->kind == PORT_KIND_STREAM || conf->kind == PORT_KIND_VHOST_USER;
}

static bool is_dgram(const struct port_conf *conf)
{
	return conf->kind == PORT_KIND_DGRAM || conf->kind == PORT_KIND_UDP;
}

/* ---- the port object ---- */

static void on_notify(struct port *port, int rc)
{
	struct request r = { .kind = REQUEST_PORT_GONE, .port = port->id, .net_id = port->plug, .rc = rc };

	request_post(port->owner, &r);
}

static struct port *make_port(struct live_port *p, int fd, const char *medium)
{
	unsigned nworkers = p->net->engine->nworkers;

	if (!strcmp(medium, "tap"))
		return live_tap_new(p, fd);
	if (!strcmp(medium, "dgram") || !strcmp(medium, "udp"))
		return dgram_new(fd, nworkers);
	if (!strcmp(medium, "one-mac"))
		return wireless_new(fd, nworkers);
	return strcmp(medium, "packet") ? stream_new(fd, nworkers) : packet_new(fd, nworkers);
}

static void tell(struct live_port *p, const char *event)
{
	struct engine *e = p->net->engine;

	if (log_allowed(&p->log_limit, clock_now_ms()))
		log_info("net=%s port=%s event=%s state=%s medium=%s reason=\"%s\"", p->net->name, p->name, event,
			 live_state_name(p->state), p->medium ? p->medium : "-", p->reason);
	if (e->api)
		api_event(e->api, p->net->name, p->name,
			  json_pack("{s:s s:s}", "event", event, "state", live_state_name(p->state)));
}

int live_port_attach(struct live_port *p, int fd, const char *medium, struct error *err)
{
	struct port *port = make_port(p, fd, medium);

	if (!port)
		return error_set(err, -errno, "port %s/%s: this descriptor cannot be a %s: %s", p->net->name, p->name, medium,
				 strerror(errno));
	live_port_plug(p, port, medium);
	p->state = p->conf->link_up ? LIVE_UP : LIVE_DOWN;
	p->reason[0] = '\0';
	tell(p, "link");
	return 0;
}

void live_port_plug(struct live_port *p, struct port *port, const char *medium)
{
	port->id = p->id;
	port->plug = ++p->net->engine->next_plug;
	port->notify = on_notify;
	port->owner = p->net->engine->requests;
	p->port = port;
	p->served = false;
	p->retries = 0;
	p->medium = medium;
	live_port_carrier(p);
	if (p->conf->kind == PORT_KIND_HOST || p->conf->kind == PORT_KIND_UPLINK)
		live_wire_renew(p->net);
	if (!strcmp(medium, "packet") || !strcmp(medium, "one-mac") || !strcmp(medium, "tap") || !strcmp(medium, "dgram"))
		live_look(p->net->engine);	/* without memory they go on unwatched */
}

void live_port_state(struct live_port *p, enum live_state state, const char *reason)
{
	if (state == p->state && !strcmp(reason, p->reason))
		return;
	p->state = state;
	snprintf(p->reason, sizeof(p->reason), "%s", reason);
	tell(p, "link");
}

void live_port_unplug(struct live_port *p)
{
	struct engine *e = p->net->engine;
	struct live_port *gone;

	if (!p->port)
		return;
	gone = alloc_zeroed(_Alignof(struct live_port), sizeof(*gone));	/* a husk that carries the object until nobody sees it */
	if (gone) {
		struct port_stats sum, both[2];

		stats_sum(p->port->stats, p->port->nstats, &sum);
		both[0] = sum;
		both[1] = p->past;
		stats_sum(both, 2, &p->past);
		gone->port = p->port;
		gone->served = p->served;
		gone->id = UINT32_MAX;
		gone->next_leaving = e->leaving;
		e->leaving = gone;
	}
	p->port = NULL;
	p->served = false;
}

/* ---- life ---- */

/* take_id() - ids are used in turn, so that one is not soon somebody else's */
static uint32_t take_id(struct engine *e)
{
	for (unsigned i = 0; i < PORT_IDS; i++) {
		uint32_t id = e->next_id++ % PORT_IDS;

		if (!e->by_id[id])
			return id;
	}
	return UINT32_MAX;
}

/* recall_lease() - a guest that was here before the engine was started again still has its address and name */
static void recall_lease(struct live_port *p)
{
	struct live_segment *seg;
	struct lease_record r;

	if (p->segment->only)
		lease_store_recall(p->segment);
	LIST_FOREACH(seg, &p->net->segments, link)
		if ((!seg->only || seg == p->segment) && seg->leases && lease_find_port(seg->leases, p->name, &r) == 0)
			lease_names(seg, &r);
	lease6_store_recall(p);
}

struct live_port *live_port_new(struct live_net *net, const struct port_conf *conf)
{
	struct live_port *p = alloc_zeroed(_Alignof(struct live_port), sizeof(*p));
	uint32_t id = take_id(net->engine);

	if (p) {
		snprintf(p->name, sizeof(p->name), "%s", conf->name);
		p->id = id;
		p->segment = id == UINT32_MAX ? NULL : net->segment ? live_segment_home(net, conf) :
				     live_segment_new(net, p, (uint16_t)(VID_ALONE_FIRST + id), net->conf);
	}
	if (!p || !p->segment) {
		log_error("net=%s port=%s event=port-failed reason=\"out of memory or ids\"", net->name, conf->name);
		free(p);
		return NULL;
	}
	p->net = net;
	p->conf = conf;
	p->listener = -1;
	p->state = LIVE_PENDING;
	net->engine->by_id[id] = p;
	fdb_flush_port(net->fdb, id);
	HASH_ADD_STR(net->ports, name, p);
	recall_lease(p);
	tell(p, "port-added");
	return p;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct live_port *p = arg;

	(void)fd, (void)what;
	event_free(p->event);
	p->event = NULL;
	live_port_start(p, NULL);
	if (p->port)
		apply_publish(p->net->engine);
}

void live_port_retry(struct live_port *p, enum live_state state, const char *reason)
{
	unsigned ms = p->retries++ < QUICK_RETRIES ? RETRY_MS : SLOW_RETRY_MS;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	live_port_state(p, state, reason);
	if (p->event)
		event_free(p->event);
	p->event = evtimer_new(p->net->engine->base, on_retry, p);
	if (p->event)
		event_add(p->event, &tv);
}

void live_port_start(struct live_port *p, struct opened *opened)
{
	struct engine *e = p->net->engine;
	struct error err = { 0 };
	struct opened now;

	if (!opened) {
		if (live_port_open(e, p->net->conf, p->conf, &now, &err) < 0) {
			live_port_retry(p, LIVE_FAILED, err.message);
			return;
		}
		opened = &now;
	}
	memcpy(p->held, opened->held, sizeof(p->held));
	if (has_peer(p->conf)) {
		live_stream_start(p, opened->fd);
	} else if (is_dgram(p->conf)) {
		live_dgram_start(p, opened->fd);
	} else if (opened->fd < 0) {
		p->state = LIVE_PENDING;
		snprintf(p->reason, sizeof(p->reason), "waits for its descriptor on attach.sock");
	} else if (live_port_attach(p, opened->fd, opened->medium, &err) < 0) {
		close(opened->fd);
		p->state = LIVE_FAILED;
		snprintf(p->reason, sizeof(p->reason), "%s", err.message);
	}
	if (opened != &now)
		opened_free(e, opened, false);
}

void live_port_keep(struct live_port *p)
{
	struct engine *e = p->net->engine;
	struct opened *o;
	int fd;

	if (!p->port || p->conf->kind == PORT_KIND_STREAM || opened_find(e, p->net->name, p->name))
		return;
	o = calloc(1, sizeof(*o));
	if (!o)
		return;
	snprintf(o->net, sizeof(o->net), "%s", p->net->name);
	snprintf(o->port, sizeof(o->port), "%s", p->name);
	fd = p->vhost ? live_vhost_leave(p) : port_fd(p->port);
	o->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	o->medium = p->medium;
	memcpy(o->held, p->held, sizeof(o->held));
	p->held[0] = '\0';
	p->nheld = 0;			/* found again under the same names */
	LIST_INSERT_HEAD(&e->opened, o, link);
}

/* end_event() - a timer, the listener's, or that of a socket which is being connected and has no other owner */
static void end_event(struct live_port *p)
{
	int fd = p->event ? event_get_fd(p->event) : -1;

	if (p->event)
		event_free(p->event);
	p->event = NULL;
	if (fd >= 0 && fd != p->listener)
		close(fd);
}

/* drop_held() - the keeper need not keep its descriptors any more */
static void drop_held(struct live_port *p)
{
	live_tap_drop_more(p);
	if (p->held[0])
		host_drop(p->net->engine->host, p->held);
	p->held[0] = '\0';
}

void live_port_remove(struct live_port *p)
{
	struct live_net *net = p->net;
	struct engine *e = net->engine;
	const struct opened *next = opened_find(e, net->name, p->name);	/* of the port that takes its place */

	end_event(p);
	live_vhost_free(p);
	live_dgram_stop(p);
	if (p->listener >= 0)
		close(p->listener);
	if (!(next && !strcmp(next->held, p->held)))
		drop_held(p);
	live_segment_leave(p);
	p->state = LIVE_DOWN;
	snprintf(p->reason, sizeof(p->reason), "removed");
	p->exclusive = p->port && (p->conf->kind == PORT_KIND_TAP || p->conf->kind == PORT_KIND_UDP);
	tell(p, "port-removed");
	HASH_DEL(net->ports, p);
	p->next_leaving = e->leaving;
	e->leaving = p;
	for (struct live_forward *f = net->forwards; f; f = f->hh.next)
		live_forward_retarget(f);
}

void live_port_gone(struct engine *e, uint32_t id, uint32_t plug, int rc)
{
	struct live_port *p = id < PORT_IDS ? e->by_id[id] : NULL;
	char reason[sizeof(p->reason)];

	if (!p || !p->port || p == &p->net->local || p->port->plug != plug)
		return;			/* it was removed meanwhile, or another is there now, and a gateway may have its id */
	if (p->vhost) {
		live_vhost_look(p);	/* a driver's fault: the front-end is still there */
		return;
	}
	snprintf(reason, sizeof(reason), "%s", rc == -EPIPE || rc == -ECONNRESET || rc == -ECONNREFUSED ? "the peer has closed" : strerror(-rc));
	live_port_unplug(p);
	live_dgram_stop(p);
	if (p->conf->kind != PORT_KIND_STREAM && !is_dgram(p->conf))
		drop_held(p);	/* the device is dead: the next try opens another */
	live_port_retry(p, p->conf->kind == PORT_KIND_STREAM || is_dgram(p->conf) ? LIVE_PENDING : LIVE_FAILED, reason);
	apply_publish(e);
}
