// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/hostaddr.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "switch/snapshot.h"

enum { DISCARD = 9 };

/* somewhere() - 198.51.100.1 (RFC 5737), 2001:db8::1 would be refused by some, so 2000::1: routed as any other */
static struct addr somewhere(int family)
{
	return family == AF_INET ? addr4(0xc6336401) : (struct addr){ .bytes = { [0] = 0x20, [15] = 1 } };
}

static bool usable(struct addr a, const struct snapshot *snapshot)
{
	return !addr_is_none(a) && !addr_equal(a, addr4(0)) && !addr_is_loopback(a) && !(addr_is_link_local(a) && !addr_is4(a)) &&
	       !segment_for_addr(snapshot, a, NULL);
}

/* by_route() - connecting a datagram socket sends nothing, but the kernel picks the source address */
static struct addr by_route(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union sock_addr to, from;
	socklen_t size = addr_to_sock(somewhere(family), DISCARD, &to), room = sizeof(from);
	struct addr a = { 0 };

	if (fd < 0)
		return a;
	if (connect(fd, &to.any, size) == 0 && getsockname(fd, &from.any, &room) == 0)
		a = addr_from_sock(&from);
	close(fd);
	return a;
}

static struct addr by_interface(int family, const struct snapshot *snapshot)
{
	struct addr found = { 0 };
	struct ifaddrs *list;

	if (getifaddrs(&list) < 0)
		return found;
	for (const struct ifaddrs *i = list; i && addr_is_none(found); i = i->ifa_next) {
		struct addr a;

		if (!i->ifa_addr || i->ifa_addr->sa_family != family || !(i->ifa_flags & IFF_UP))
			continue;
		a = addr_from_sock((const union sock_addr *)i->ifa_addr);
		if (usable(a, snapshot))
			found = a;
	}
	freeifaddrs(list);
	return found;
}

struct addr hostaddr_own(const struct snapshot *snapshot, int family)
{
	struct addr a = by_route(family);

	return usable(a, snapshot) ? a : by_interface(family, snapshot);
}

bool hostaddr_is_local(struct addr a)
{
	int fd = socket(addr_family(a), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union sock_addr at;
	bool local;

	if (fd < 0)
		return addr_is4(a);	/* not knowing, refuse; a host without IPv6 has no such address */
	local = bind(fd, &at.any, addr_to_sock(a, 0, &at)) == 0;
	close(fd);
	return local;
}
