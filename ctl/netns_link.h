/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/netns_link.h - interfaces, addresses and routes of the calling thread's network namespace (rtnetlink)
 *
 * Each call opens its own netlink socket, so that it acts on the namespace the thread is in at that moment.
 * Addresses are IPv4 in host order. Errors are a negative errno with @err filled in; -ENODEV where the
 * interface is not there.
 */
#ifndef CTL_NETNS_LINK_H
#define CTL_NETNS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct error;

/* netns_set_link() - change an interface
 * @mac:	six bytes, or NULL to leave it
 * @mtu:	bytes, or 0 to leave it
 */
int netns_set_link(const char *ifname, const uint8_t *mac, unsigned mtu, bool up, struct error *err);

/* netns_add_veth() - a pair of interfaces of this namespace; success when just this pair is there already
 *
 * @peer never takes part in the namespace: no ARP, no IPv6, and an MTU that lets everything through. It is up.
 */
int netns_add_veth(const char *ifname, const char *peer, struct error *err);

/* netns_add_address() - put @ip/@len on the interface, or prolong it
 * @valid_s:	seconds until the kernel takes it away, UINT32_MAX for ever
 */
int netns_add_address(const char *ifname, uint32_t ip, uint8_t len, uint32_t valid_s, struct error *err);
int netns_del_address(const char *ifname, uint32_t ip, uint8_t len, struct error *err);

/* netns_address() - put "192.0.2.1/24" or "2001:db8::1/64" on the interface, an IPv6 one usable at once, or (@put false) take it off */
int netns_address(const char *ifname, const char *address, bool put, struct error *err);

/* netns_del_link() - Return: 0, or a negative errno */
int netns_del_link(const char *ifname);

/* netns_default_route() - make @gateway on @ifname the way out, in place of one that is there */
int netns_default_route(const char *ifname, uint32_t gateway, struct error *err);

/* netns_route() - the same for one destination; netns_del_route() - takes it away again, or does nothing */
int netns_route(const char *ifname, struct prefix4 to, uint32_t gateway, struct error *err);
void netns_del_route(const char *ifname, struct prefix4 to, uint32_t gateway);

#endif
