/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_dns.h - a network's names at run time: zone, records, and whom queries are relayed to (control thread) */
#ifndef CTL_LIVE_DNS_H
#define CTL_LIVE_DNS_H

#include "dhcp/dns_name.h"

struct live_net;
struct live_port;
struct live_segment;

/* live_dns_start() - zone and names always, resolvers where dns is enabled; its segments answer. Return: 0 or -ENOMEM */
int live_dns_start(struct live_net *net);

/* live_dns_name_host() - the name below the gateway's own: where guests of the segment find their host (DESIGN, host_access) */
void live_dns_name_host(struct live_segment *seg);

/* live_dns_configure() - the records and resolvers of net->conf */
void live_dns_configure(struct live_net *net);

/* live_dns_guest() - the name at which a guest's address is found now, as text in @name; NULL: none is */
const char *live_dns_guest(const struct live_port *p, char name[DNS_NAME_TEXT]);

/* live_dns_stop() - after the network left the published snapshot */
void live_dns_stop(struct live_net *net);

#endif
