// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "dhcp/resolvers.h"

static bool on_loopback(const struct resolver *r)
{
	struct sockaddr_in a;
	struct sockaddr_in6 a6;

	if (r->addr.ss_family == AF_INET) {
		memcpy(&a, &r->addr, sizeof(a));
		return ntohl(a.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	memcpy(&a6, &r->addr, sizeof(a6));
	return IN6_IS_ADDR_LOOPBACK(&a6.sin6_addr);
}

bool resolver_may(const struct resolver *r, const char *device)
{
	return !device[0] || (!on_loopback(r) && (!r->ifindex || r->ifindex == if_nametoindex(device)));
}

/* bind_way() - what comes back is heard from there alone, too. Loopback is reached by no other interface than its own. */
static int bind_way(int fd, const struct resolver *r, const char *device)
{
	int rc = 0;

	if (device[0])
		rc = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device));
	else if (r->ifindex && !on_loopback(r))
		rc = setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &r->ifindex, sizeof(r->ifindex));
	return rc < 0 ? -errno : 0;
}

int resolver_open(const struct resolver *r, const char *device, int type)
{
	int fd, rc;

	if (!resolver_may(r, device))
		return -ENETUNREACH;
	fd = socket(r->addr.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = bind_way(fd, r, device);
	if (rc == 0 && connect(fd, (const struct sockaddr *)&r->addr, r->size) < 0 && errno != EINPROGRESS)
		rc = -errno;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}
