/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_dns_host.h - guests' names that programs of the host find, where the settings ask for that (control thread)
 *
 * The network's addresses by name, the user's own records of addresses among them, go to the keeper (HOST_NAMES) shortly after they changed; by
 * it they are in the host's hosts(5) file, whatever resolves names there, and nothing that the host resolved before is asked elsewhere.
 *
 * Where the host's programs ask systemd-resolved, and the network has an interface of the host, resolved asks this network instead, at the host's
 * address there, for its domain and reverse zones alone: then there is nothing in the file. Whether it can is seen when it is tried; the file
 * has the names until it does, and again when it does not any more. Whether resolved comes or goes is looked at each second.
 */
#ifndef CTL_LIVE_DNS_HOST_H
#define CTL_LIVE_DNS_HOST_H

#include <stdbool.h>

#include <jansson.h>

struct endpoint;
struct engine;
struct live_net;

/* live_dns_host_configure() - as net->conf says; live_dns_host_changed() - a name of it did: void * is a struct live_net
 * live_dns_host_stop() - the network goes, and its names with it
 */
void live_dns_host_configure(struct live_net *net);
void live_dns_host_changed(void *net);
void live_dns_host_stop(struct live_net *net);

/* live_dns_host_asks() - should there be answers for the host at an address of its own? Then @at is it */
bool live_dns_host_asks(const struct live_net *net, struct endpoint *at);

/* live_dns_host_by() - "systemd-resolved", or "/etc/hosts"; NULL: the host does not find them */
const char *live_dns_host_by(const struct live_net *net);

/* live_dns_host_settle() - at the start: take back what an engine before this one had told of networks that want it no more */
void live_dns_host_settle(struct engine *e);

/* live_dns_host_names() - names of a network with an address, asked for or not: [{name, address}]; NULL: out of memory */
json_t *live_dns_host_names(struct engine *e, const char *net);

/* live_dns_host_warnings() - append why the host does not find them */
void live_dns_host_warnings(const struct live_net *net, json_t *list);

#endif
