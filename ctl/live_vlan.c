// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_vlan.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/engine.h"
#include "switch/vlan.h"

static bool fill_map(struct vlan_conf *to, const struct port_conf *conf)
{
	if (!conf->ntranslate)
		return true;
	to->map = malloc(sizeof(*to->map));
	if (!to->map)
		return false;
	vlan_map_init(to->map);
	for (unsigned i = 0; i < conf->ntranslate; i++)
		vlan_map_put(to->map, conf->translate[i].wire, conf->translate[i].vid);
	return true;
}

bool live_vlan_fill(struct vlan_conf *to, const struct live_port *p)
{
	const struct port_conf *conf = p->conf;

	if (conf->vlan_mode != PORT_VLAN_TRUNK) {
		to->pvid = p->segment->only ? p->segment->vid : conf->pvid;
		to->tunnel = conf->vlan_mode == PORT_VLAN_TUNNEL || p->net->conf->wire;
		return true;
	}
	to->trunk = true;
	to->pvid = conf->native;
	to->native_tagged = conf->native_tagged;
	to->service = conf->tags == PORT_TAGS_SERVICE;
	to->tagged_only = conf->frames == PORT_FRAMES_TAGGED;
	to->untagged_only = conf->frames == PORT_FRAMES_UNTAGGED;
	memcpy(to->tagged, conf->trunk, sizeof(to->tagged));
	return fill_map(to, conf);
}
