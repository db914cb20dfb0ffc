// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/netns_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include "base/error.h"
#include "base/text.h"

/* Both ends of a veth pair check a frame against the MTU of the receiver; the far end must never be the limit. */
enum { PEER_MTU = 65535 };

/* errno_of() - libnl has error numbers of its own; these are the ones rtnetlink can cause */
static int errno_of(int nl)
{
	switch (-nl) {
	case NLE_SUCCESS:	return 0;
	case NLE_EXIST:		return -EEXIST;
	case NLE_OBJ_NOTFOUND:
	case NLE_NODEV:		return -ENODEV;
	case NLE_NOADDR:	return -EADDRNOTAVAIL;
	case NLE_PERM:		return -EPERM;
	case NLE_NOACCESS:	return -EACCES;
	case NLE_NOMEM:		return -ENOMEM;
	case NLE_BUSY:		return -EBUSY;
	case NLE_OPNOTSUPP:	return -EOPNOTSUPP;
	default:		return -EINVAL;
	}
}

static int set_error(struct error *err, const char *ifname, const char *what, int nl)
{
	return error_set(err, errno_of(nl), "interface %s: cannot %s: %s", ifname, what, nl_geterror(nl));
}

static struct nl_sock *route_socket(struct error *err)
{
	struct nl_sock *sk = nl_socket_alloc();
	int rc = sk ? nl_connect(sk, NETLINK_ROUTE) : -NLE_NOMEM;

	if (rc == 0)
		return sk;
	error_set(err, errno_of(rc), "cannot reach the kernel's routing tables: %s", nl_geterror(rc));
	nl_socket_free(sk);
	return NULL;
}

/* change_link() - apply @change, which is borrowed, to @ifname */
static int change_link(const char *ifname, struct rtnl_link *change, const char *what, struct error *err)
{
	struct nl_sock *sk = route_socket(err);
	struct rtnl_link *link = NULL;
	int rc;

	if (!sk)
		return err ? err->rc : -EIO;
	rc = rtnl_link_get_kernel(sk, 0, ifname, &link);
	if (rc == 0)
		rc = rtnl_link_change(sk, link, change, 0);
	rtnl_link_put(link);
	nl_socket_free(sk);
	return rc < 0 ? set_error(err, ifname, what, rc) : 0;
}

static int set_mac(const char *ifname, const uint8_t *mac, struct error *err)
{
	struct rtnl_link *change = rtnl_link_alloc();
	struct nl_addr *addr = nl_addr_build(AF_LLC, mac, MAC_SIZE);
	int rc = -ENOMEM;

	if (change && addr) {
		rtnl_link_set_addr(change, addr);
		rc = change_link(ifname, change, "set the MAC address", err);
	}
	nl_addr_put(addr);
	rtnl_link_put(change);
	return rc;
}

int netns_set_link(const char *ifname, const uint8_t *mac, unsigned mtu, bool up, struct error *err)
{
	struct rtnl_link *change;
	int rc = mac ? set_mac(ifname, mac, err) : 0;

	if (rc < 0)
		return rc;
	change = rtnl_link_alloc();
	if (!change)
		return error_set(err, -ENOMEM, "interface %s: out of memory", ifname);
	if (mtu)
		rtnl_link_set_mtu(change, mtu);
	if (up)
		rtnl_link_set_flags(change, IFF_UP);
	else
		rtnl_link_unset_flags(change, IFF_UP);
	rc = change_link(ifname, change, up ? "bring it up" : "take it down", err);
	rtnl_link_put(change);
	return rc;
}

/* make_veth() - 0, or a negative libnl error */
static int make_veth(struct nl_sock *sk, const char *ifname, const char *peer_name)
{
	struct rtnl_link *link = rtnl_link_veth_alloc();
	struct rtnl_link *peer = link ? rtnl_link_veth_get_peer(link) : NULL;
	int rc = -NLE_NOMEM;

	if (peer) {
		rtnl_link_set_name(link, ifname);
		rtnl_link_set_name(peer, peer_name);
		rtnl_link_set_mtu(peer, PEER_MTU);
		rtnl_link_put(peer);
		rc = rtnl_link_add(sk, link, NLM_F_CREATE | NLM_F_EXCL);
	}
	rtnl_link_put(link);
	return rc;
}

/* is_pair() - are these two the ends of one veth pair? The kernel names the other end as the "link" of each. */
static bool is_pair(struct nl_sock *sk, const char *ifname, const char *peer_name)
{
	struct rtnl_link *link = NULL, *peer = NULL;
	bool yes = false;

	if (rtnl_link_get_kernel(sk, 0, ifname, &link) == 0 && rtnl_link_get_kernel(sk, 0, peer_name, &peer) == 0)
		yes = rtnl_link_is_veth(link) && rtnl_link_get_link(link) == rtnl_link_get_ifindex(peer);
	rtnl_link_put(link);
	rtnl_link_put(peer);
	return yes;
}

/* quiet_peer() - the far end carries frames and has no address of any family, so the stack answers nothing there */
static int quiet_peer(const char *peer_name, struct error *err)
{
	struct rtnl_link *change = rtnl_link_alloc();
	int rc;

	if (!change)
		return error_set(err, -ENOMEM, "interface %s: out of memory", peer_name);
	rtnl_link_set_flags(change, IFF_NOARP | IFF_UP);
	rtnl_link_set_mtu(change, PEER_MTU);
	rc = change_link(peer_name, change, "bring it up", err);
	rtnl_link_put(change);
	return rc;
}

/* no_link_local() - keep IPv6 from inventing an address; a kernel without IPv6 has nothing to refuse */
static void no_link_local(const char *peer_name)
{
	struct rtnl_link *change = rtnl_link_alloc();

	if (change && rtnl_link_inet6_set_addr_gen_mode(change, IN6_ADDR_GEN_MODE_NONE) == 0)
		change_link(peer_name, change, "turn IPv6 off", NULL);
	rtnl_link_put(change);
}

int netns_add_veth(const char *ifname, const char *peer, struct error *err)
{
	struct nl_sock *sk = route_socket(err);
	int rc;

	if (!sk)
		return err ? err->rc : -EIO;
	rc = make_veth(sk, ifname, peer);
	if (rc == -NLE_EXIST && is_pair(sk, ifname, peer))
		rc = 0;
	nl_socket_free(sk);
	if (rc < 0)
		return set_error(err, ifname, "make a veth pair", rc);
	no_link_local(peer);
	return quiet_peer(peer, err);
}

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

static void set_broadcast(struct rtnl_addr *a, uint32_t ip, uint8_t len)
{
	uint32_t all_be = htonl(prefix4_last((struct prefix4){ .addr = ip, .len = len }));
	struct nl_addr *all = nl_addr_build(AF_INET, &all_be, sizeof(all_be));

	if (all && len < 31)		/* RFC 3021: a /31 has no broadcast address */
		rtnl_addr_set_broadcast(a, all);
	nl_addr_put(all);
}

int netns_add_address(const char *ifname, uint32_t ip, uint8_t len, uint32_t valid_s, struct error *err)
{
	struct nl_sock *sk = route_socket(err);
	struct rtnl_addr *a = address_new((int)if_nametoindex(ifname), ip, len);
	int rc = -NLE_NOMEM;

	if (sk && a) {
		set_broadcast(a, ip, len);
		if (valid_s != UINT32_MAX) {
			rtnl_addr_set_valid_lifetime(a, valid_s);
			rtnl_addr_set_preferred_lifetime(a, valid_s);
		}
		rc = rtnl_addr_add(sk, a, NLM_F_REPLACE);
	}
	rtnl_addr_put(a);
	nl_socket_free(sk);
	return rc < 0 ? set_error(err, ifname, "add the address", rc) : 0;
}

int netns_del_address(const char *ifname, uint32_t ip, uint8_t len, struct error *err)
{
	struct nl_sock *sk = route_socket(err);
	struct rtnl_addr *a = address_new((int)if_nametoindex(ifname), ip, len);
	int rc = sk && a ? rtnl_addr_delete(sk, a, 0) : -NLE_NOMEM;

	rtnl_addr_put(a);
	nl_socket_free(sk);
	return rc < 0 ? set_error(err, ifname, "remove the address", rc) : 0;
}

/* parsed_address() - NULL when it is none, or memory is short */
static struct rtnl_addr *parsed_address(const char *ifname, const char *text)
{
	struct rtnl_addr *a = rtnl_addr_alloc();
	struct nl_addr *local = NULL;
	int rc = a ? nl_addr_parse(text, AF_UNSPEC, &local) : -NLE_NOMEM;

	if (rc == 0) {
		rtnl_addr_set_ifindex(a, (int)if_nametoindex(ifname));
		rc = rtnl_addr_set_local(a, local);
		if (nl_addr_get_family(local) == AF_INET6)
			rtnl_addr_set_flags(a, IFA_F_NODAD);
		else
			set_broadcast(a, ntohl(*(uint32_t *)nl_addr_get_binary_addr(local)), (uint8_t)nl_addr_get_prefixlen(local));
	}
	nl_addr_put(local);
	if (rc == 0)
		return a;
	rtnl_addr_put(a);
	return NULL;
}

int netns_address(const char *ifname, const char *address, bool put, struct error *err)
{
	struct rtnl_addr *a = parsed_address(ifname, address);
	struct nl_sock *sk = a ? route_socket(err) : NULL;
	int rc = -NLE_NOMEM;

	if (sk)
		rc = put ? rtnl_addr_add(sk, a, NLM_F_REPLACE) : rtnl_addr_delete(sk, a, 0);
	rtnl_addr_put(a);
	nl_socket_free(sk);
	return rc < 0 ? set_error(err, ifname, put ? "add the address" : "remove the address", rc) : 0;
}

int netns_del_link(const char *ifname)
{
	struct nl_sock *sk = route_socket(NULL);
	struct rtnl_link *link = rtnl_link_alloc();
	int rc = -NLE_NOMEM;

	if (sk && link) {
		rtnl_link_set_name(link, ifname);
		rc = rtnl_link_delete(sk, link);
	}
	rtnl_link_put(link);
	nl_socket_free(sk);
	return errno_of(rc);
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
	struct nl_sock *sk = route_socket(err);
	struct rtnl_route *route = route_new((int)if_nametoindex(ifname), to, gateway);
	int rc = sk && route ? rtnl_route_add(sk, route, NLM_F_CREATE | NLM_F_REPLACE) : -NLE_NOMEM;

	rtnl_route_put(route);
	nl_socket_free(sk);
	return rc < 0 ? set_error(err, ifname, to.len ? "set a route" : "set the default route", rc) : 0;
}

void netns_del_route(const char *ifname, struct prefix4 to, uint32_t gateway)
{
	struct nl_sock *sk = route_socket(NULL);
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
