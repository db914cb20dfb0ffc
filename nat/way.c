// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/way.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "nat/hostaddr.h"

enum { HURRY_MS = 10000, PROBE_S = 3 };

void way_init(struct way *w)
{
	if (getifaddrs(&w->addresses) < 0)
		w->addresses = NULL;
	w->probes[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	w->probes[1] = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

void way_fini(struct way *w)
{
	if (w->addresses)
		freeifaddrs(w->addresses);
	for (unsigned i = 0; i < 2; i++)
		if (w->probes[i] >= 0)
			close(w->probes[i]);
}

/* find() - NULL for no address: the list has addresses of links too, which are none to us */
static const struct ifaddrs *find(const struct way *w, struct addr a)
{
	const struct ifaddrs *i;

	for (i = addr_is_none(a) ? NULL : w->addresses; i; i = i->ifa_next)
		if (i->ifa_addr && addr_equal(addr_from_sock((const union sock_addr *)i->ifa_addr), a))
			break;
	return i;
}

/* source_for() - the address that a new socket would speak to @to from; none when nothing leads there */
static struct addr source_for(const struct way *w, const union sock_addr *to, socklen_t size)
{
	int fd = w->probes[to->any.sa_family == AF_INET6];
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	union sock_addr from;
	socklen_t room = sizeof(from);
	struct addr a = { 0 };

	if (fd >= 0 && connect(fd, &to->any, size) == 0 && getsockname(fd, &from.any, &room) == 0)
		a = addr_from_sock(&from);
	connect(fd, &none, sizeof(none));	/* else the next one would begin with this address */
	return a;
}

enum way_state way_of(const struct way *w, int fd)
{
	const struct ifaddrs *own, *other;
	union sock_addr at, to;
	socklen_t at_size = sizeof(at), to_size = sizeof(to);
	struct addr a;

	if (getsockname(fd, &at.any, &at_size) < 0)
		return WAY_OPEN;
	a = addr_from_sock(&at);
	if (addr_is_none(a) || addr_equal(a, addr4(0)) || addr_is_loopback(a) || addr_is_link_local(a))
		return WAY_OPEN;
	own = find(w, a);
	if (!own)			/* "ip route add local" makes whole networks the host's own */
		return hostaddr_is_local(a) ? WAY_OPEN : WAY_GONE;
	if (!(own->ifa_flags & IFF_UP))
		return WAY_GONE;
	if (own->ifa_flags & IFF_LOOPBACK || getpeername(fd, &to.any, &to_size) < 0)
		return WAY_OPEN;
	other = find(w, source_for(w, &to, to_size));
	return other && strcmp(own->ifa_name, other->ifa_name) != 0 ? WAY_MOVED : WAY_OPEN;
}

void way_hurry(int fd, bool on)
{
	unsigned patience = on ? HURRY_MS : 0;
	int probe = PROBE_S, enabled = on;

	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &probe, sizeof(probe));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &probe, sizeof(probe));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &enabled, sizeof(enabled));
}
