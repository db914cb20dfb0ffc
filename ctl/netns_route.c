// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses and routes as `lanyard run` gives them to its namespace. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include "base/error.h"
#include "base/text.h"
#include "ctl/netns_link.h"
#include "ctl/netns_nl.h"

/* address_new() - NULL when memory is short */
static struct rtnl_addr *address_new(int ifindex, uint32_t ip, uint8_t len)
{
	struct rtnl_addr *a = rtnl_addr_alloc();
	uint32_t ip_be = htonl(ip);
	struct nl_addr *local = nl_addr_build(AF_INET, &ip_be, sizeof(ip_be));

	if (a && local) {
		rtnl_addr_set_ifindex(a, ifindex);
		nl_addr_set_prefixlen(local, len);
		rtnl_addr_set_local(a, local);
	} else {
		rtnl_addr_put(a);
		a = NULL;
	}
	nl_addr_put(local);
	return a;
}

int netns_add_address(const char *ifname, uint32_t ip, uint8_t len, uint32_t valid_s, struct error *err)
{
	struct nl_sock *sk = netns_nl_socket(err);
	struct rtnl_addr *a = address_new((int)if_nametoindex(ifname), ip, len);
	int rc = -NLE_NOMEM;

	if (sk && a) {
		netns_set_broadcast(a, ip, len);
		if (valid_s != UINT32_MAX) {
			rtnl_addr_set_valid_lifetime(a, valid_s);
			rtnl_addr_set_preferred_lifetime(a, valid_s);
		}
		rc = rtnl_addr_add(sk, a, NLM_F_REPLACE);
	}
	rtnl_addr_put(a);
	nl_socket_free(sk);
	return rc < 0 ? netns_nl_failed(err, ifname, "add the address", rc) : 0;
}

int netns_del_address(const char *ifname, uint32_t ip, uint8_t len, struct error *err)
{
	struct nl_sock *sk = netns_nl_socket(err);
	struct rtnl_addr *a = address_new((int)if_nametoindex(ifname), ip, len);
	int rc = sk && a ? rtnl_addr_delete(sk, a, 0) : -NLE_NOMEM;

	rtnl_addr_put(a);
	nl_socket_free(sk);
	return rc < 0 ? netns_nl_failed(err, ifname, "remove the address", rc) : 0;
}

/* route_new() - @to by @gateway; NULL when memory is short */
static struct rtnl_route *route_new(int ifindex, struct prefix4 to, uint32_t gateway)
{
	uint32_t to_be = htonl(to.addr), gw_be = htonl(gateway);
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *dst = nl_addr_build(AF_INET, &to_be, sizeof(to_be));
	struct nl_addr *via = nl_addr_build(AF_INET, &gw_be, sizeof(gw_be));

	if (route && hop && dst && via) {
		nl_addr_set_prefixlen(dst, to.len);
		rtnl_route_set_family(route, AF_INET);
		rtnl_route_set_dst(route, dst);
		rtnl_route_nh_set_ifindex(hop, ifindex);
		rtnl_route_nh_set_gateway(hop, via);
		rtnl_route_add_nexthop(route, hop);	/* takes hop */
	} else {
		rtnl_route_put(route);
		if (hop)
			rtnl_route_nh_free(hop);
		route = NULL;
	}
	nl_addr_put(dst);
	nl_addr_put(via);
	return route;
}

int netns_route(const char *ifname, struct prefix4 to, uint32_t gateway, struct error *err)
{
	struct nl_sock *sk = netns_nl_socket(err);
	struct rtnl_route *route = route_new((int)if_nametoindex(ifname), to, gateway);
	int rc = sk && route ? rtnl_route_add(sk, route, NLM_F_CREATE | NLM_F_REPLACE) : -NLE_NOMEM;

	rtnl_route_put(route);
	nl_socket_free(sk);
	return rc < 0 ? netns_nl_failed(err, ifname, to.len ? "set a route" : "set the default route", rc) : 0;
}

void netns_del_route(const char *ifname, struct prefix4 to, uint32_t gateway)
{
	struct nl_sock *sk = netns_nl_socket(NULL);
	struct rtnl_route *route = route_new((int)if_nametoindex(ifname), to, gateway);

	if (sk && route)
		rtnl_route_delete(sk, route, 0);
	rtnl_route_put(route);
	nl_socket_free(sk);
}

int netns_default_route(const char *ifname, uint32_t gateway, struct error *err)
{
	return netns_route(ifname, (struct prefix4){ .len = 0 }, gateway, err);
}
