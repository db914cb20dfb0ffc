/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_nat.h - a network's gateway and user-mode NAT at run time (control thread) */
#ifndef CTL_LIVE_NAT_H
#define CTL_LIVE_NAT_H

#include <stdbool.h>

struct live_net;

/* live_nat_start() - the gateway always, or what is left of it where the host is the gateway; NAT where the mode has it. Return: 0 or -ENOMEM */
int live_nat_start(struct live_net *net);

/* live_nat_configure() - the settings of net->conf */
void live_nat_configure(struct live_net *net);

/* live_nat_host_changed() - the host's links, addresses or routes did; @addresses: connections end whose address has left it */
void live_nat_host_changed(struct live_net *net, bool addresses);

/* live_nat_tell_quotas() - log which ports were refused flows since the last time; every few seconds */
void live_nat_tell_quotas(struct live_net *net);

/* live_nat_stop() - end all flows; returns when all workers have done so, a turn or two later
 * live_nat_free() - after that and a grace period
 */
void live_nat_stop(struct live_net *net);
void live_nat_free(struct live_net *net);

#endif
