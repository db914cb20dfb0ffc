/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/netns_nl.h - what the files behind ctl/netns_link.h share */
#ifndef CTL_NETNS_NL_H
#define CTL_NETNS_NL_H

#include <netlink/netlink.h>
#include <stdint.h>

struct error;
struct rtnl_addr;
struct rtnl_link;

/* netns_nl_errno() - libnl has error numbers of its own; these are the ones rtnetlink can cause. Return: 0 or negative errno
 * netns_nl_failed() - with words; Return: the same
 */
int netns_nl_errno(int nl);
int netns_nl_failed(struct error *err, const char *ifname, const char *what, int nl);

struct nl_sock *netns_nl_socket(struct error *err);	/* for nl_socket_free(); NULL with @err */

/* netns_nl_change() - apply @change, which is borrowed, to @ifname; Return: 0 or negative errno with @err, which says @what */
int netns_nl_change(const char *ifname, struct rtnl_link *change, const char *what, struct error *err);

void netns_set_broadcast(struct rtnl_addr *a, uint32_t ip, uint8_t len);	/* of @ip/@len, in host order, where there is one */

#endif
