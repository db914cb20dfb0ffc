// SPDX-License-Identifier: GPL-2.0-or-later
/* The interface side of a TAP whose descriptor a VMM has. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/act_plug.h"
#include "ctl/act_guard.h"
#include "ctl/netns.h"
#include "ctl/netns_link.h"

enum { BROUGHT_UP = 0x100 };		/* in the reply's value, beside the medium: vmm_undo() takes it down */

/* tap_info - what the kernel tells about an interface */
struct tap_info {
	int ifindex;
	unsigned flags;			/* IFF_UP ... */
	bool is_tap;
	uint32_t owner;			/* uid; UINT32_MAX: nobody's */
	bool has_master;		/* of a bridge or a bond */
};

static void read_tun(struct nlattr *link_info, struct tap_info *to)
{
	struct nlattr *info[IFLA_INFO_MAX + 1], *tun[IFLA_TUN_MAX + 1];

	if (!link_info || nla_parse_nested(info, IFLA_INFO_MAX, link_info, NULL) < 0 || !info[IFLA_INFO_KIND] ||
	    nla_strcmp(info[IFLA_INFO_KIND], "tun") || !info[IFLA_INFO_DATA] ||
	    nla_parse_nested(tun, IFLA_TUN_MAX, info[IFLA_INFO_DATA], NULL) < 0)
		return;
	to->is_tap = tun[IFLA_TUN_TYPE] && nla_get_u8(tun[IFLA_TUN_TYPE]) == IFF_TAP;
	if (tun[IFLA_TUN_OWNER])
		to->owner = nla_get_u32(tun[IFLA_TUN_OWNER]);
}

static int on_link(struct nl_msg *msg, void *arg)
{
	const struct ifinfomsg *link = nlmsg_data(nlmsg_hdr(msg));
	struct nlattr *attrs[IFLA_MAX + 1];
	struct tap_info *to = arg;

	if (nlmsg_parse(nlmsg_hdr(msg), sizeof(*link), attrs, IFLA_MAX, NULL) < 0)
		return NL_SKIP;
	to->ifindex = link->ifi_index;
	to->flags = link->ifi_flags;
	to->has_master = attrs[IFLA_MASTER] != NULL;
	read_tun(attrs[IFLA_LINKINFO], to);
	return NL_OK;
}

/* ask() - about interface @ifindex. Return: 0 or negative errno */
static int ask(int ifindex, struct tap_info *to)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
	struct nl_sock *sk = nl_socket_alloc();
	int rc = sk ? nl_connect(sk, NETLINK_ROUTE) : -NLE_NOMEM;

	*to = (struct tap_info){ .owner = UINT32_MAX };
	if (rc == 0)
		rc = nl_send_simple(sk, RTM_GETLINK, 0, &link, sizeof(link));
	if (rc >= 0) {
		nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_link, to);
		rc = nl_recvmsgs_default(sk);
	}
	nl_socket_free(sk);
	return rc < 0 || !to->ifindex ? -ENODEV : 0;
}

/* check() - is it a TAP, free to be ours, and one that @uid may have? */
static int check(const char *ifname, uint32_t uid, const struct tap_info *tap, struct error *err)
{
	if (!tap->is_tap)
		return error_set(err, -EINVAL, "interface %s: is no TAP", ifname);
	if (tap->has_master)
		return error_set(err, -EBUSY, "interface %s: is part of a bridge", ifname);
	if (uid == 0 || tap->owner == uid)
		return 0;
	error_set(err, -EPERM, "interface %s: belongs to %s", ifname, tap->owner == UINT32_MAX ? "root" : "another user");
	error_hint(err, "once, as root: ip tuntap add %s mode tap vnet_hdr user %lu", ifname, (unsigned long)uid);
	return -EPERM;
}

/* open_on() - the guard first: from the moment that we hear the interface nobody else does */
static int open_on(const char *ifname, const struct tap_info *tap, struct host_reply *r, struct error *err)
{
	int rc = guard_set(tap->ifindex, err), fd;

	if (rc < 0)
		return rc;
	r->value = HOST_MEDIUM_PACKET;
	if (!(tap->flags & IFF_UP)) {
		rc = netns_set_link(ifname, NULL, 0, true, err);
		r->value |= BROUGHT_UP;
	}
	fd = rc < 0 ? rc : netns_packet_socket(ifname);
	if (fd >= 0)
		return fd;
	if (r->value & BROUGHT_UP)
		netns_set_link(ifname, NULL, 0, false, NULL);
	guard_clear(tap->ifindex);
	return rc < 0 ? rc : error_set(err, fd, "cannot open a packet socket: %s", strerror(-fd));
}

int vmm_open(const struct host_link *m, struct host_reply *r, struct error *err)
{
	int ifindex = (int)if_nametoindex(m->ifname), rc;
	struct tap_info tap;

	if (!ifindex || ask(ifindex, &tap) < 0)
		return error_set(err, -ENODEV, "interface %s: there is none; its VMM makes it, or: ip tuntap add %s mode tap", m->ifname,
				 m->ifname);
	rc = check(m->ifname, m->uid, &tap, err);
	if (rc < 0)
		return rc;
	rc = open_on(m->ifname, &tap, r, err);
	if (rc < 0)
		error_prefix(err, "interface %s", m->ifname);
	if (rc == -EPERM || rc == -EACCES)
		rights_hint(err, 1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW);
	return rc;
}

void vmm_undo(const struct act_about *h)
{
	struct sockaddr_ll at = { 0 };
	socklen_t size = sizeof(at);
	char ifname[IF_NAMESIZE];

	if (getsockname(h->fd, (struct sockaddr *)&at, &size) < 0 || at.sll_ifindex <= 0)
		return;			/* it was deleted, and the guard with it */
	if (h->value & BROUGHT_UP && if_indextoname((unsigned)at.sll_ifindex, ifname))
		netns_set_link(ifname, NULL, 0, false, NULL);
	guard_clear(at.sll_ifindex);
}
