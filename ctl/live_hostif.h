/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_hostif.h - the host's end of a network in modes host-only and routed (control thread)
 *
 * The interface is the keeper's, under the name "host:NET": it stays when the engine is started again, and settings of it that change are
 * changed on the interface that is there. Its TAP is the device of the network's port HOST_PORT.
 */
#ifndef CTL_LIVE_HOSTIF_H
#define CTL_LIVE_HOSTIF_H

#include <stdbool.h>

#include <jansson.h>

#include "ctl/host.h"

#define HOSTIF_HELD "host:"		/* its name with the keeper, before the network's */

struct engine;
struct error;
struct live_net;
struct net_conf;
struct opened;

/* live_hostif_open() - have it made, or changed to what @net says
 * Return: its descriptor, also in @to; or negative errno: the subnet is the host's already, no right to, ... */
int live_hostif_open(struct engine *e, const struct net_conf *net, struct opened *to, struct error *err);

/* live_hostif_prepare() - change the one that is there, before the model is; live_hostif_restore() - the model stays as it was */
int live_hostif_prepare(struct engine *e, const struct net_conf *net, struct error *err);
void live_hostif_restore(struct engine *e);

/* live_hostif_configured() - the interface is as net->conf says, on this host as it is now
 * live_hostif_follow() - the host's links or routes changed: what by its name is the network's uplink may be another interface now, of which
 * nothing is forwarded yet, and the default route may lead elsewhere
 * live_hostif_refresh() - make it again as it is to be on this host now. live_hostif_held() - the keeper's name for it, in @to */
void live_hostif_configured(struct live_net *net);
void live_hostif_follow(struct live_net *net);
void live_hostif_refresh(struct engine *e, const struct net_conf *net);
const char *live_hostif_held(const struct net_conf *net, char to[HOST_NAME_SIZE]);

/* live_hostif_changes() - of live_changes.c: the journal: [{"network":"lab","kind":"sysctl","target":...}], the oldest change first; new reference or NULL */
json_t *live_hostif_changes(struct engine *e, struct error *err);

#endif
