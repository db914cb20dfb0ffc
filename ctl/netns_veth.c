// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <net/if.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/veth.h>

#include "base/error.h"
#include "ctl/netns_link.h"
#include "ctl/netns_nl.h"

/* Both ends of a veth pair check a frame against the MTU of the receiver; the far end must never be the limit. */
enum { PEER_MTU = 65535 };

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
	rc = netns_nl_change(peer_name, change, "bring it up", err);
	rtnl_link_put(change);
	return rc;
}

/* no_link_local() - keep IPv6 from inventing an address; a kernel without IPv6 has nothing to refuse */
static void no_link_local(const char *peer_name)
{
	struct rtnl_link *change = rtnl_link_alloc();

	if (change && rtnl_link_inet6_set_addr_gen_mode(change, IN6_ADDR_GEN_MODE_NONE) == 0)
		netns_nl_change(peer_name, change, "turn IPv6 off", NULL);
	rtnl_link_put(change);
}

int netns_add_veth(const char *ifname, const char *peer, struct error *err)
{
	struct nl_sock *sk = netns_nl_socket(err);
	int rc;

	if (!sk)
		return err ? err->rc : -EIO;
	rc = make_veth(sk, ifname, peer);
	if (rc == -NLE_EXIST && is_pair(sk, ifname, peer))
		rc = 0;
	nl_socket_free(sk);
	if (rc < 0)
		return netns_nl_failed(err, ifname, "make a veth pair", rc);
	no_link_local(peer);
	return quiet_peer(peer, err);
}
