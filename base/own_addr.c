// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/own_addr.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DISCARD = 9 };

/* somewhere() - 198.51.100.1 (RFC 5737), 2001:db8::1 would be refused by some, so 2000::1: routed as any other */
static struct addr somewhere(int family)
{
	return family == AF_INET ? addr4(0xc6336401) : (struct addr){ .bytes = { [0] = 0x20, [15] = 1 } };
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

struct addr own_addr_of_interface(int family, own_addr_fits_fn *fits, const void *arg)
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
		if (fits(arg, a))
			found = a;
	}
	freeifaddrs(list);
	return found;
}

struct addr own_addr_find(int family, own_addr_fits_fn *fits, const void *arg)
{
	struct addr a = by_route(family);

	return !addr_is_none(a) && fits(arg, a) ? a : own_addr_of_interface(family, fits, arg);
}
