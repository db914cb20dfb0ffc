// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/engine.h"
#include "switch/shape.h"

/* live_shaper - what ports share, by name */
struct live_shaper {
	char name[NAME_MAX_SIZE];
	struct rate_conf rates[2];	/* egress, ingress */
	struct shared_meter *meters[2];
	UT_hash_handle hh;
};

struct live_shape {
	struct shape *shape;		/* in force */
	struct rate_conf rates[2];	/* it was made of these */
	struct shared_meter *shared[2];	/* compared only */
};

/* ended - a shape that the next snapshot does without */
struct ended_shape {
	struct shape *shape;
	struct ended_shape *next;
};

/* end_later() - without memory it is kept for good rather than freed under somebody's eyes */
static void end_later(struct engine *e, struct shape *shape)
{
	struct ended_shape *ended = shape ? malloc(sizeof(*ended)) : NULL;

	if (!ended)
		return;
	*ended = (struct ended_shape){ shape, e->shapes_ended };
	e->shapes_ended = ended;
}

void live_shape_settle(struct engine *e)
{
	while (e->shapes_ended) {
		struct ended_shape *ended = e->shapes_ended;

		e->shapes_ended = ended->next;
		shape_end(ended->shape);
		free(ended);
	}
}

static bool same_rate(const struct rate_conf *a, const struct rate_conf *b)
{
	return a->average_bps == b->average_bps && a->peak_bps == b->peak_bps && a->burst_bytes == b->burst_bytes;
}

static void rates_of(struct rate_conf to[2], const struct shape_conf *from)
{
	to[0] = from->egress;
	to[1] = from->ingress;
}

/* ---- shared ---- */

static void drop_shaper(struct live_net *net, struct live_shaper *s)
{
	HASH_DEL(net->shapers, s);
	shared_meter_put(s->meters[0]);
	shared_meter_put(s->meters[1]);
	free(s);
}

static bool set_shaper(struct live_net *net, const struct shaper_conf *conf)
{
	struct live_shaper *s;
	struct rate_conf rates[2];

	rates_of(rates, &conf->shape);
	HASH_FIND_STR(net->shapers, conf->name, s);
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return false;
		snprintf(s->name, sizeof(s->name), "%s", conf->name);
		HASH_ADD_STR(net->shapers, name, s);
	}
	for (unsigned w = 0; w < 2; w++) {
		if (s->meters[w] && same_rate(&s->rates[w], &rates[w]))
			continue;
		shared_meter_put(s->meters[w]);		/* ports that have it keep it until they have the new one */
		s->meters[w] = shared_meter_new(&rates[w]);
		s->rates[w] = rates[w];
		if (!s->meters[w])
			return false;
	}
	return true;
}

static bool set_shapers(struct live_net *net)
{
	const struct net_conf *conf = net->conf;
	struct live_shaper *s, *tmp;
	bool ok = true;

	for (size_t i = 0; i < conf->nshapers; i++)
		ok &= set_shaper(net, &conf->shapers[i]);
	HASH_ITER(hh, net->shapers, s, tmp)
		if (!net_shaper(conf, s->name))
			drop_shaper(net, s);
	return ok;
}

/* ---- ports ---- */

static bool install(struct live_port *p, const struct rate_conf rates[2], struct shared_meter *shared[2])
{
	struct live_shape *ls = p->shape ? p->shape : calloc(1, sizeof(*ls));
	struct shape *next = ls ? shape_new(&rates[0], &rates[1], shared[0], shared[1], p->id) : NULL;

	p->shape = ls;
	if (!next)
		return false;
	end_later(p->net->engine, ls->shape);
	ls->shape = next;
	memcpy(ls->rates, rates, sizeof(ls->rates));
	memcpy(ls->shared, shared, sizeof(ls->shared));
	return true;
}

static bool set_port(struct live_port *p)
{
	struct shared_meter *shared[2] = { NULL, NULL };
	struct live_shaper *s = NULL;
	struct rate_conf rates[2];

	rates_of(rates, &p->conf->shape);
	if (p->conf->shaper[0])
		HASH_FIND_STR(p->net->shapers, p->conf->shaper, s);
	for (unsigned w = 0; s && w < 2; w++)
		if (s->rates[w].average_bps)
			shared[w] = s->meters[w];
	if (!rates[0].average_bps && !rates[1].average_bps && !shared[0] && !shared[1]) {
		live_shape_leave(p);
		return true;
	}
	if (p->shape && p->shape->shape && same_rate(&p->shape->rates[0], &rates[0]) && same_rate(&p->shape->rates[1], &rates[1]) &&
	    p->shape->shared[0] == shared[0] && p->shape->shared[1] == shared[1])
		return true;
	return install(p, rates, shared);
}

void live_shape_configure(struct live_net *net)
{
	bool ok = set_shapers(net);

	for (struct live_port *p = net->ports; p; p = p->hh.next)
		if (p->conf->kind != PORT_KIND_HOST && p->conf->kind != PORT_KIND_UPLINK)
			ok &= set_port(p);
	if (!ok)
		log_error("net=%s event=shape-failed reason=\"out of memory\"", net->name);
}

struct shape *live_shape_of(const struct live_port *p)
{
	return p->shape ? p->shape->shape : NULL;
}

void live_shape_leave(struct live_port *p)
{
	if (!p->shape)
		return;
	end_later(p->net->engine, p->shape->shape);
	free(p->shape);
	p->shape = NULL;
}

void live_shape_net_free(struct live_net *net)
{
	struct live_shaper *s, *tmp;

	HASH_ITER(hh, net->shapers, s, tmp)
		drop_shaper(net, s);
}
