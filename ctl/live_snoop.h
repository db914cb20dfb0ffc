/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_snoop.h - snooping of a running network: its table, and the gateway's queries
 *
 * Without somebody who asks from time to time hosts report once, and are forgotten. So where there is a gateway, it asks. Control thread. */
#ifndef CTL_LIVE_SNOOP_H
#define CTL_LIVE_SNOOP_H

struct live_net;
struct request;

/* live_snoop_configure() - as the settings say; before publishing. What a table knew that is not wanted any more stays at net->snoop_before
 *	until live_net_settle() frees it. live_snoop_free() - the network goes */
void live_snoop_configure(struct live_net *net);
void live_snoop_free(struct live_net *net);

/* live_snoop_left() - a REQUEST_GROUP_LEFT: ask who is still there */
void live_snoop_left(struct live_net *net, const struct request *r);

#endif
