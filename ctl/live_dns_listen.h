/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_dns_listen.h - where programs of the host may ask for guests' names (control thread)
 *
 * Addresses that the settings name; and the host's own address of the network while its systemd-resolved asks there (ctl/live_dns_host.h),
 * for this host alone. The sockets are the keeper's, under "dns:NET/ADDRESS:PORT/udp" and "/tcp". Where
 * somebody else has one it is tried again until it is free, and the network says so meanwhile.
 */
#ifndef CTL_LIVE_DNS_LISTEN_H
#define CTL_LIVE_DNS_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct endpoint;
struct engine;
struct live_net;

/* live_dns_listen_configure() - listen where net->conf says
 * live_dns_listen_stop() - nowhere any more: the network goes */
void live_dns_listen_configure(struct live_net *net);
void live_dns_listen_stop(struct live_net *net);

/* live_dns_listen_serves() - is there an answer to be had at @at? Once there is, live_dns_host_changed() is told. */
bool live_dns_listen_serves(const struct live_net *net, const struct endpoint *at);

/* live_dns_listen_warnings() - append what is missing, and why */
void live_dns_listen_warnings(const struct live_net *net, json_t *list);

/* live_dns_listen_holds() - is what the keeper has under this name one of these sockets? */
bool live_dns_listen_holds(struct engine *e, const char *name);

/* live_dns_listen_pauses() - how often a connection there had to wait because this process could have no more descriptors */
uint64_t live_dns_listen_pauses(const struct live_net *net);

/* live_dns_answer() - what the network's guests could learn of its own names, as dns_listen_fn; @net: a struct live_net */
int live_dns_answer(void *net, const uint8_t *query, size_t size, bool stream, uint8_t *reply, size_t room);

#endif
