// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_snoop.h"

#include <stdlib.h>

#include "ctl/engine.h"
#include "switch/port.h"
#include "switch/request.h"
#include "switch/snapshot.h"
#include "switch/snoop.h"
#include "switch/worker.h"

enum { FIRST_S = 1, EARLY_S = 31, EARLY = 3 };	/* RFC 3376 8.6, 8.7 */

/* ask - a query on its way to the worker that sends it */
struct ask {
	uint32_t net_id;
	uint16_t vid;			/* 0: on every segment */
	struct addr group;		/* none: about all */
};

static void send_on(struct worker *w, const struct segment *seg, const struct ask *a)
{
	const struct net_view *net = seg->net;
	uint8_t data[SNOOP_QUERY_MAX];
	struct frame f;

	if (!seg->has_subnet || !net->nmembers || !net->members[0]->local || (a->vid && seg->vid != a->vid))
		return;
	for (int ip6 = 0; ip6 < 2; ip6++) {
		if (!addr_is_none(a->group) && addr_is4(a->group) == ip6)
			continue;
		if (ip6 && !seg->has_subnet6)
			continue;
		frame_init(&f, data, snoop_query(data, seg, ip6, a->group));
		f.vid = seg->vid;
		worker_emit(w, net->members[0]->port->id, &f, 1);
	}
}

static void on_worker(struct worker *w, void *arg)
{
	const struct snapshot *snap = worker_snapshot(w);
	struct ask *a = arg;

	for (unsigned i = 0; i < snap->nnets; i++)
		for (unsigned j = 0; snap->nets[i].net_id == a->net_id && j < snap->nets[i].nsegments; j++)
			send_on(w, &snap->nets[i].segments[j], a);
	free(a);
}

static void post(struct live_net *net, uint16_t vid, struct addr group)
{
	struct ask *a = malloc(sizeof(*a));

	if (!a)
		return;			/* the next one is not far */
	*a = (struct ask){ net->net_id, vid, group };
	if (!worker_post(net->engine->workers[0], on_worker, a))
		free(a);
}

static void arm(struct live_net *net, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	event_add(net->query_timer, &tv);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct live_net *net = arg;

	(void)fd, (void)what;
	post(net, 0, (struct addr){ 0 });
	net->queries += net->queries < EARLY;
	arm(net, net->queries < EARLY ? EARLY_S : SNOOP_QUERY_S);
}

void live_snoop_left(struct live_net *net, const struct request *r)
{
	if (net->snoop)
		post(net, r->vid, r->dst);
}

/* start() - without memory the network goes on flooding */
static void start(struct live_net *net)
{
	net->snoop = snoop_new(net->conf->unregistered);
	net->queries = 0;
	net->query_timer = net->snoop && net->conf->has_subnet ? evtimer_new(net->engine->base, on_time, net) : NULL;
	if (!net->snoop)
		log_error("net=%s event=snooping-failed reason=\"out of memory\"", net->name);
	if (net->query_timer)
		arm(net, FIRST_S);
}

static void stop_asking(struct live_net *net)
{
	if (net->query_timer)
		event_free(net->query_timer);
	net->query_timer = NULL;
}

void live_snoop_configure(struct live_net *net)
{
	if (net->snoop)
		snoop_unregistered(net->snoop, net->conf->unregistered);
	if (net->snoop && !net->conf->snooping && !net->snoop_before) {
		stop_asking(net);
		net->snoop_before = net->snoop;
		net->snoop = NULL;
	} else if (!net->snoop && net->conf->snooping) {
		start(net);
	}
}

void live_snoop_free(struct live_net *net)
{
	stop_asking(net);
	snoop_free(net->snoop_before);
	snoop_free(net->snoop);
	net->snoop = net->snoop_before = NULL;
}
