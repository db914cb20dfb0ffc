/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_host.h - networks follow their host: its links, addresses, routes and resolvers (control thread)
 *
 * Within a tenth of a second of a change what was remembered of the host is forgotten, DNS queries that wait are asked again, and
 * forwards without their address try for it. A second later, when an address that was only renewed is there again, TCP
 * connections whose address has left the host are reset, so that guests make new ones.
 */
#ifndef CTL_LIVE_HOST_H
#define CTL_LIVE_HOST_H

#include <jansson.h>

struct engine;
struct live_net;

/* live_host_start() - Return: 0 or -ENOMEM; on a host that lets nobody watch, connections end by the kernel's timeouts */
int live_host_start(struct engine *e);

/* live_host_warnings() - what of the host's state keeps the network from working as set up, as texts; new reference or NULL */
json_t *live_host_warnings(const struct live_net *net);

#endif
