/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_clash.h - a network's subnet that the host knows as another place, too, since a VPN came up or the host moved (control thread)
 *
 * A network that runs is left as it is: where the engine is the gateway guests' addresses mean nothing to the host, and only that other place
 * is out of their reach; where the host is, its own packets go one way or the other. It is told of, with a subnet that is free.
 */
#ifndef CTL_LIVE_CLASH_H
#define CTL_LIVE_CLASH_H

#include <stdbool.h>

#include <jansson.h>

#include "base/text.h"

struct engine;
struct live_net;

/* live_clash_look() - tell by log and event when it begins, is with another route, and ends */
void live_clash_look(struct live_net *net);

/* live_clash_warning() - what there is to say, a new reference; NULL when there is no clash */
json_t *live_clash_warning(const struct live_net *net);

/* live_free_subnet() - as large as *@subnet, the next behind it that neither a network nor the host has; false: none is near */
bool live_free_subnet(const struct engine *e, struct prefix4 *subnet);

#endif
