// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_loop.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "switch/fdb.h"
#include "switch/forward.h"
#include "switch/loop.h"
#include "switch/request.h"
#include "switch/worker.h"

enum { WAIT_MS = 150, CLOSED_MS = 2000, CLOSED_MAX_MS = 300000, FORGIVEN_MS = 600000, SUSPECTS = 8 };

struct live_loop {
	atomic_bool told;		/* a request is on its way */
	struct event *timer;		/* until the probes under way have had time to come back, or a port is opened again */
	uint64_t round;
	uint64_t look_ms;		/* when; 0: no probe is under way */
	uint32_t suspects[SUSPECTS];	/* ports probed in this round */
	unsigned nsuspects;
};

/* ---- a worker sees a station move ---- */

void live_loop_moved(struct live_net *net, uint32_t port)
{
	struct request r;

	if (!net->loop || atomic_exchange(&net->loop->told, true))
		return;
	r.kind = REQUEST_LOOP;
	r.net_id = net->net_id;
	r.port = port;
	r.size = 0;
	if (request_post(net->engine->requests, &r) != VERDICT_FORWARDED)
		net->loop->told = false;
}

static void on_learnt(void *arg, uint32_t port, bool moved)
{
	if (moved)
		live_loop_moved(arg, port);
}

/* ---- probes ---- */

/* probe - on its way to the worker that sends it */
struct probe {
	uint32_t from, to;		/* ports */
	uint16_t vid;
	uint8_t mac[MAC_SIZE];
};

static void on_worker(struct worker *w, void *arg)
{
	struct probe *p = arg;
	uint8_t data[LOOP_PROBE_SIZE];
	struct frame f;

	loop_probe(data, p->mac);
	frame_init(&f, data, sizeof(data));
	f.vid = p->vid;
	worker_emit_to(w, p->from, p->to, &f);
	free(p);
}

/* probe_vid() - a VLAN that the port carries */
static uint16_t probe_vid(const struct port_conf *conf)
{
	uint16_t vid = 1;

	if (conf->vlan_mode != PORT_VLAN_TRUNK)
		return conf->pvid;
	while (!conf->native && vid < MODEL_VLANS - 1 && !port_carries(conf, vid))
		vid++;
	return conf->native ? conf->native : vid;
}

static void send_probe(const struct live_port *p, uint64_t round)
{
	struct probe *probe = malloc(sizeof(*probe));

	if (!probe)
		return;			/* the next station that moves is not far */
	*probe = (struct probe){ .from = p->net->local.id, .to = p->id, .vid = probe_vid(p->conf) };
	loop_mac(p->net->net_id, p->id, round, probe->mac);
	if (!worker_post(p->net->engine->workers[0], on_worker, probe))
		free(probe);
}

/* ---- closing and opening ---- */

bool live_loop_closed(const struct live_port *p)
{
	return p->loop.until_ms > clock_now_ms();
}

static bool is_own(const struct live_port *p)
{
	return p->conf->kind == PORT_KIND_HOST || p->conf->kind == PORT_KIND_UPLINK || !p->conf->guard.loop;
}

static void arm(struct live_net *net)
{
	uint64_t due = net->loop->look_ms ? net->loop->look_ms : UINT64_MAX, now = clock_now_ms();
	struct timeval tv;

	for (const struct live_port *p = net->ports; p; p = p->hh.next)
		if (p->loop.until_ms && p->loop.until_ms < due)
			due = p->loop.until_ms;
	if (due == UINT64_MAX)
		return;
	due = due > now ? due - now : 0;
	tv = (struct timeval){ .tv_sec = (time_t)(due / 1000), .tv_usec = (suseconds_t)(due % 1000 * 1000) };
	event_add(net->loop->timer, &tv);
}

static void tell(const struct live_port *p, const struct live_port *other, uint64_t ms)
{
	struct engine *e = p->net->engine;

	log_warn("net=%s port=%s event=loop with=%s closed_ms=%llu", p->net->name, p->name, other->name, (unsigned long long)ms);
	if (e->api)
		api_event(e->api, p->net->name, p->name,
			  json_pack("{s:s s:s s:I}", "event", "loop", "with", other->name, "closed_ms", (json_int_t)ms));
}

/* close_port() - for twice as long as the last time, if that is not long ago */
static void close_port(struct live_port *p, const struct live_port *other)
{
	uint64_t now = clock_now_ms();

	if (p->loop.until_ms)
		return;
	if (p->loop.last_ms + FORGIVEN_MS < now)
		p->loop.closed_ms = 0;
	p->loop.closed_ms = p->loop.closed_ms ? MIN_OF(2 * p->loop.closed_ms, (uint32_t)CLOSED_MAX_MS) : CLOSED_MS;
	p->loop.until_ms = now + p->loop.closed_ms;
	p->loop.last_ms = p->loop.until_ms;
	snprintf(p->reason, sizeof(p->reason), "a loop: what is sent to %s comes back here", other->name);
	tell(p, other, p->loop.closed_ms);
	fdb_flush_port(p->net->fdb, p->id);	/* others' addresses, which it only brought back */
}

/* look() - where did the probe to this port come back? Return: is a port closed for it? */
static bool look(struct live_net *net, uint32_t id)
{
	struct live_port *out = net->engine->by_id[id], *in;
	uint8_t mac[MAC_SIZE];
	int back;

	if (!out || out->net != net || !out->conf)
		return false;
	loop_mac(net->net_id, id, net->loop->round, mac);
	back = fdb_lookup(net->fdb, probe_vid(out->conf), mac, clock_now_ms());
	in = back >= 0 ? net->engine->by_id[back] : NULL;
	if (!in || in->net != net || (out->loop.until_ms && in != out))
		return false;		/* one of the two is enough */
	if (is_own(in) && is_own(out))
		return false;
	close_port(is_own(in) ? out : in, is_own(in) ? in : out);
	return true;
}

/* open_ports() - those whose time is over. Return: was there one? */
static bool open_ports(struct live_net *net)
{
	uint64_t now = clock_now_ms();
	bool some = false;

	for (struct live_port *p = net->ports; p; p = p->hh.next) {
		if (!p->loop.until_ms || p->loop.until_ms > now)
			continue;
		p->loop.until_ms = 0;
		p->reason[0] = '\0';
		log_info("net=%s port=%s event=loop-open", net->name, p->name);
		some = true;
	}
	return some;
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct live_net *net = arg;
	struct live_loop *l = net->loop;
	bool changed = open_ports(net);

	(void)fd, (void)what;
	if (l->look_ms && l->look_ms <= clock_now_ms()) {
		for (unsigned i = 0; i < l->nsuspects; i++)
			changed |= look(net, l->suspects[i]);
		l->look_ms = 0;
		l->nsuspects = 0;
		l->round++;
	}
	if (changed)
		apply_publish(net->engine);
	arm(net);
}

void live_loop_suspect(struct live_net *net, uint32_t port)
{
	struct live_loop *l = net->loop;
	const struct live_port *p = net->engine->by_id[port];

	if (!l)
		return;
	l->told = false;
	for (unsigned i = 0; i < l->nsuspects; i++)
		if (l->suspects[i] == port)
			return;
	if (!p || p->net != net || p == &net->local || !p->port || !p->conf->guard.loop || l->nsuspects == SUSPECTS)
		return;
	l->suspects[l->nsuspects++] = port;
	send_probe(p, l->round);
	if (!l->look_ms) {
		l->look_ms = clock_now_ms() + WAIT_MS;
		arm(net);
	}
}

int live_loop_start(struct live_net *net)
{
	if (net->conf->mode == NET_NAT || net->conf->wire)
		return 0;		/* no frame goes from guest to guest, or there is nobody else to guard */
	net->loop = calloc(1, sizeof(*net->loop));
	if (!net->loop)
		return -ENOMEM;
	net->loop->timer = evtimer_new(net->engine->base, on_time, net);
	if (!net->loop->timer)
		return -ENOMEM;
	if (net->conf->mode != NET_BRIDGED)	/* there live_wire.c listens, and tells */
		fdb_on_change(net->fdb, on_learnt, net);
	return 0;
}

void live_loop_free(struct live_net *net)
{
	if (net->loop && net->loop->timer)
		event_free(net->loop->timer);
	free(net->loop);
	net->loop = NULL;
}
