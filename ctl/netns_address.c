// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ctl/netns_link.h"
#include "ctl/netns_nl.h"

void netns_set_broadcast(struct rtnl_addr *a, uint32_t ip, uint8_t len)
{
	uint32_t all_be = htonl(prefix4_last((struct prefix4){ .addr = ip, .len = len }));
	struct nl_addr *all = nl_addr_build(AF_INET, &all_be, sizeof(all_be));

	if (all && len < 31)		/* RFC 3021: a /31 has no broadcast address */
		rtnl_addr_set_broadcast(a, all);
	nl_addr_put(all);
}

/* parsed_address() - NULL when it is none, or memory is short */
static struct rtnl_addr *parsed_address(unsigned ifindex, const char *text)
{
	struct rtnl_addr *a = rtnl_addr_alloc();
	struct nl_addr *local = NULL;
	int rc = a ? nl_addr_parse(text, AF_UNSPEC, &local) : -NLE_NOMEM;

	if (rc == 0) {
		rtnl_addr_set_ifindex(a, (int)ifindex);
		rc = rtnl_addr_set_local(a, local);
		if (nl_addr_get_family(local) == AF_INET6)
			rtnl_addr_set_flags(a, IFA_F_NODAD);
		else
			netns_set_broadcast(a, ntohl(*(uint32_t *)nl_addr_get_binary_addr(local)), (uint8_t)nl_addr_get_prefixlen(local));
	}
	nl_addr_put(local);
	if (rc == 0)
		return a;
	rtnl_addr_put(a);
	return NULL;
}

int netns_address(const char *ifname, const char *address, bool put, struct error *err)
{
	unsigned ifindex = if_nametoindex(ifname);		/* that this failed is not yet that the interface is gone: errno says so */
	struct rtnl_addr *a = ifindex ? parsed_address(ifindex, address) : NULL;
	struct nl_sock *sk = a ? netns_nl_socket(err) : NULL;
	int rc = -NLE_NOMEM;

	if (!ifindex)
		return error_set(err, -errno, "interface %s: %s", ifname, strerror(errno));
	if (sk)
		rc = put ? rtnl_addr_add(sk, a, NLM_F_REPLACE) : rtnl_addr_delete(sk, a, 0);
	rtnl_addr_put(a);
	nl_socket_free(sk);
	return rc < 0 ? netns_nl_failed(err, ifname, put ? "add the address" : "remove the address", rc) : 0;
}
