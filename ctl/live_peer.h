/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_peer.h - peered segments at run time (control thread): what nat/peer.h needs, and what guests are told of the way */
#ifndef CTL_LIVE_PEER_H
#define CTL_LIVE_PEER_H

struct engine;
struct live_net;
struct snapshot;

/* live_peers_configure() - the model in force is another one: what its peerings need, and the routes that DHCP tells */
void live_peers_configure(struct engine *e);

/* live_peers_fill() - into a snapshot whose networks are complete; without memory a peering is missing, and that is logged */
void live_peers_fill(struct engine *e, struct snapshot *snapshot);

/* live_peers_settle() - a snapshot was published: what only earlier ones had is freed when nobody sees it */
void live_peers_settle(struct engine *e);

/* live_peer_free() - a network's share, after it left the published snapshot and a grace period */
void live_peer_free(struct live_net *net);

#endif
