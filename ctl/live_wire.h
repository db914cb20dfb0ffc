/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_wire.h - a bridged network's uplink, and the host beside it (control thread)
 *
 * What the keeper's filters and the NIC have to know of the guests follows from the network's FDB: which addresses the host is to send to us
 * instead of to the wire, and which ones the NIC is to listen for. A worker that learns a station says so; a list is made of the whole
 * table then, at most some hundred times a second, and once a minute to find those that have gone. One port has its share of places, so that
 * a guest that makes up addresses takes none from the others; the host reaches what has no place only by what it floods.
 */
#ifndef CTL_LIVE_WIRE_H
#define CTL_LIVE_WIRE_H

#include <stdbool.h>

#include <jansson.h>

struct live_net;
struct net_conf;

/* live_wire_start() - of a network in mode bridged, before it serves. Return: 0 or -ENOMEM
 * live_wire_free() - after it left the snapshot; one without is accepted, as in the following
 */
int live_wire_start(struct live_net *net);
void live_wire_free(struct live_net *net);

void live_wire_renew(struct live_net *net);		/* a port or the settings are new: tell keeper and NIC everything once more, soon */
void live_wire_learnt(struct live_net *net);		/* REQUEST_WIRE; NULL is accepted */
void live_wire_host_changed(struct live_net *net);	/* a link of the host's may have */

/* live_wire_warnings() - append what does not work, and why */
void live_wire_warnings(const struct live_net *net, json_t *list);

/* live_wire_does_without() - is @rc, of the host's port, a reason for the network to be without it? */
bool live_wire_does_without(const struct net_conf *net, int rc);

#endif
