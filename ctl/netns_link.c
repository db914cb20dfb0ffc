// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/netns_link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/route/link.h>

#include "base/error.h"
#include "ctl/netns_nl.h"

/* netns_nl_errno() - libnl has error numbers of its own; these are the ones rtnetlink can cause */
int netns_nl_errno(int nl)
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

int netns_nl_failed(struct error *err, const char *ifname, const char *what, int nl)
{
	return error_set(err, netns_nl_errno(nl), "interface %s: cannot %s: %s", ifname, what, nl_geterror(nl));
}

struct nl_sock *netns_nl_socket(struct error *err)
{
	struct nl_sock *sk = nl_socket_alloc();
	int rc = sk ? nl_connect(sk, NETLINK_ROUTE) : -NLE_NOMEM;

	if (rc == 0)
		return sk;
	error_set(err, netns_nl_errno(rc), "cannot reach the kernel's routing tables: %s", nl_geterror(rc));
	nl_socket_free(sk);
	return NULL;
}

int netns_nl_change(const char *ifname, struct rtnl_link *change, const char *what, struct error *err)
{
	struct nl_sock *sk = netns_nl_socket(err);
	struct rtnl_link *link = NULL;
	int rc;

	if (!sk)
		return err ? err->rc : -EIO;
	rc = rtnl_link_get_kernel(sk, 0, ifname, &link);
	if (rc == 0)
		rc = rtnl_link_change(sk, link, change, 0);
	rtnl_link_put(link);
	nl_socket_free(sk);
	return rc < 0 ? netns_nl_failed(err, ifname, what, rc) : 0;
}

static int set_mac(const char *ifname, const uint8_t *mac, struct error *err)
{
	struct rtnl_link *change = rtnl_link_alloc();
	struct nl_addr *addr = nl_addr_build(AF_LLC, mac, MAC_SIZE);
	int rc = -ENOMEM;

	if (change && addr) {
		rtnl_link_set_addr(change, addr);
		rc = netns_nl_change(ifname, change, "set the MAC address", err);
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
	rc = netns_nl_change(ifname, change, up ? "bring it up" : "take it down", err);
	rtnl_link_put(change);
	return rc;
}

int netns_del_link(const char *ifname)
{
	struct nl_sock *sk = netns_nl_socket(NULL);
	struct rtnl_link *link = rtnl_link_alloc();
	int rc = -NLE_NOMEM;

	if (sk && link) {
		rtnl_link_set_name(link, ifname);
		rc = rtnl_link_delete(sk, link);
	}
	rtnl_link_put(link);
	nl_socket_free(sk);
	return netns_nl_errno(rc);
}
