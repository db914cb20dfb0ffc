// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_mirror.h"

#include <string.h>

#include "ctl/engine.h"
#include "ctl/live_capture.h"
#include "switch/observe.h"
#include "switch/snapshot.h"
#include "switch/stage.h"

_Static_assert(sizeof(((struct mirror_conf *)0)->vlans) == sizeof(((struct observer *)0)->vlans), "both have a bit for each VLAN");

/* look() - have @mirror see what passes @view */
static bool look(const struct live_port *mirror, struct snapshot *s, struct port_view *view)
{
	const struct mirror_conf *m = mirror->conf->mirror;
	struct observer *o = observer_add(view);

	if (!o)
		return false;
	o->mirror = &s->ports[mirror->id];
	o->ways = m->direction;
	o->some_vlans = m->some_vlans;
	memcpy(o->vlans, m->vlans, sizeof(o->vlans));
	return true;
}

static bool fill_mirror(const struct live_port *mirror, struct snapshot *s)
{
	const struct live_net *net = mirror->net;
	const struct mirror_conf *m = mirror->conf->mirror;

	s->ports[mirror->id].stages_in |= STAGE_MIRROR;
	s->ports[mirror->id].stages_out |= STAGE_MIRROR;
	for (const struct live_port *p = net->ports; p; p = p->hh.next)
		if (p->port && !p->conf->mirror && mirror_looks_at(m, p->name) && !look(mirror, s, &s->ports[p->id]))
			return false;
	return !mirror_looks_at(m, GATEWAY_PORT) || look(mirror, s, &s->ports[net->local.id]);
}

bool live_mirrors_fill(struct engine *e, struct snapshot *s)
{
	for (const struct live_net *net = e->nets; net; net = net->hh.next)
		for (const struct live_port *p = net->ports; p; p = p->hh.next)
			if (p->port && p->conf->mirror && !fill_mirror(p, s))
				return false;
	return true;
}
