// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_ra.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "ctl/engine.h"
#include "nat/ra.h"
#include "switch/vlan.h"
#include "switch/worker.h"

/* wanted - an advertisement on its way to the worker that sends it */
struct wanted {
	uint32_t net_id;
	enum ra_kind kind;
};

static void on_worker(struct worker *w, void *arg)
{
	struct wanted *m = arg;

	ra_send(w, m->net_id, m->kind);
	free(m);
}

static void post(struct live_net *net, enum ra_kind kind)
{
	struct wanted *m = malloc(sizeof(*m));

	if (!m)
		return;			/* the next one is not far */
	*m = (struct wanted){ net->net_id, kind };
	if (!worker_post(net->engine->workers[0], on_worker, m))
		free(m);
}

static void arm(struct live_net *net)
{
	struct timeval tv = { .tv_sec = ra_wait_s(net->ra_sent, hash_u64(clock_now_ms() << 16 ^ net->net_id, hash_seed())) };

	evtimer_add(net->ra_timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct live_net *net = arg;

	(void)fd, (void)what;
	net->ra_sent_ms = clock_now_ms();
	live_ra_note(net);
	post(net, RA_USUAL);
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
	uint32_t delay_ms = ra_delay_ms(clock_now_ms() - net->ra_sent_ms);
	struct timeval soon = { .tv_sec = delay_ms / 1000, .tv_usec = delay_ms % 1000 * 1000 };	/* in any case not before this is published */

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

/* part() - the last word, sent before the snapshot changes */
static void part(struct live_net *net, enum ra_kind kind)
{
	if (!net->ra_timer)
		return;
	post(net, kind);
	worker_sync(net->engine->workers[0]);
}

void live_ra_bye(struct live_net *net)
{
	part(net, RA_BYE);
}

void live_ra_stop(struct live_net *net)
{
	part(net, RA_STOP);
}

/* ---- prefixes of before ---- */

uint16_t live_ra_vid(const struct live_segment *seg)
{
	return seg->only ? VID_DEFAULT : seg->vid;
}

void live_ra_keep(struct live_net *net, struct live_ra_old one)
{
	struct live_ra_old *to = &net->ra_old[0];

	for (unsigned i = 0; i < LIVE_RA_OLD; i++) {
		struct live_ra_old *at = &net->ra_old[i];

		if (at->vid == one.vid && addr_equal(at->prefix.addr, one.prefix.addr)) {
			to = at;
			break;
		}
		if (at->until_ms < to->until_ms)
			to = at;
	}
	*to = one;
}

void live_ra_retire(struct live_net *net, const struct live_segment *seg)
{
	struct live_ra_old old = { live_ra_vid(seg), seg->conf->subnet6, clock_now_ms() + 1000 * RA_VALID_S };

	if (!old.prefix.len)
		return;
	live_ra_keep(net, old);
	live_ra_over(net, &old);
}

void live_ra_inherit(struct live_net *net, const struct live_net *from)
{
	const struct live_segment *seg;

	for (unsigned i = 0; i < LIVE_RA_OLD; i++)
		if (from->ra_old[i].until_ms)
			live_ra_keep(net, from->ra_old[i]);
	LIST_FOREACH(seg, &from->segments, link)
		live_ra_retire(net, seg);
}

/* fill_old() - but not what it has again */
static void fill_old(struct segment *to, const struct live_segment *from)
{
	const struct live_net *net = from->net;

	for (unsigned i = 0; i < LIVE_RA_OLD && to->nold < SEGMENT_OLD_PREFIXES; i++) {
		const struct live_ra_old *old = &net->ra_old[i];

		if (old->vid != live_ra_vid(from) || old->until_ms <= clock_now_ms() || addr_equal(old->prefix.addr, to->subnet6.addr))
			continue;
		to->old[to->nold].prefix = old->prefix;
		to->old[to->nold++].until_ms = old->until_ms;
	}
}

void live_ra_fill(struct segment *to, const struct live_segment *from)
{
	const struct net_conf *conf = from->conf;

	to->managed = conf->ip6.mode == DHCP6_STATEFUL;
	to->dhcp6 = conf->ip6.mode != DHCP6_OFF || conf->ip6.prefixes.len;
	to->delegated = conf->ip6.prefixes;
	to->routes = to->delegated.len ? from->routes6 : NULL;
	to->pref64 = conf->ip6.pref64;
	if (to->managed) {
		to->pool6_first = be64toh(conf->ip6.pool[0].halves[1]);
		to->pool6_last = be64toh(conf->ip6.pool[1].halves[1]);
	}
	to->domain = conf->domain[0] ? strdup(conf->domain) : NULL;	/* without memory guests hear of it later */
	to->captive_portal = conf->ip6.captive_portal[0] ? strdup(conf->ip6.captive_portal) : NULL;
	fill_old(to, from);
}
