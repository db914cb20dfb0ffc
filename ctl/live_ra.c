// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_ra.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "ctl/engine.h"
#include "nat/ra.h"
#include "switch/worker.h"

/* wanted - an advertisement on its way to the worker that sends it */
struct wanted {
	uint32_t net_id;
	bool bye;
};

static void on_worker(struct worker *w, void *arg)
{
	struct wanted *m = arg;

	ra_send(w, m->net_id, m->bye);
	free(m);
}

static void post(struct live_net *net, bool bye)
{
	struct wanted *m = malloc(sizeof(*m));

	if (!m)
		return;			/* the next one is not far */
	*m = (struct wanted){ net->net_id, bye };
	if (!worker_post(net->engine->workers[0], on_worker, m))
		free(m);
}

static void arm(struct live_net *net)
{
	uint32_t spread = RA_INTERVAL_MAX_S - RA_INTERVAL_MIN_S;
	struct timeval tv = { .tv_sec = RA_INTERVAL_MIN_S + hash_u64(clock_now_ms() << 16 ^ net->net_id, hash_seed()) % spread };

	if (net->ra_sent <= RA_INITIAL)
		tv.tv_sec = RA_INITIAL_S;
	evtimer_add(net->ra_timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct live_net *net = arg;

	(void)fd, (void)what;
	post(net, false);
	net->ra_sent += net->ra_sent <= RA_INITIAL;
	arm(net);
}

/* advertises() - has the network an IPv6 subnet, or one of its segments? */
static bool advertises(const struct net_conf *conf)
{
	bool any = conf->subnet6.len;

	for (size_t i = 0; i < conf->nsegments; i++)
		any |= conf->segments[i].net.subnet6.len;
	return any;
}

int live_ra_start(struct live_net *net)
{
	static const struct timeval soon = { 0 };

	if (!advertises(net->conf) || net->ra_timer)
		return 0;
	net->ra_timer = evtimer_new(net->engine->base, on_timer, net);
	if (!net->ra_timer)
		return -ENOMEM;
	evtimer_add(net->ra_timer, &soon);	/* when the network has been published */
	return 0;
}

void live_ra_soon(struct live_net *net)
{
	static const struct timeval soon = { 0 };	/* when the snapshot that is being made has been published */

	if (!net->ra_timer)
		return;
	net->ra_sent = 0;
	evtimer_add(net->ra_timer, &soon);
}

void live_ra_free(struct live_net *net)
{
	if (net->ra_timer)
		event_free(net->ra_timer);
}

void live_ra_bye(struct live_net *net)
{
	if (!net->ra_timer)
		return;
	post(net, true);
	worker_sync(net->engine->workers[0]);	/* sent before the snapshot changes */
}
