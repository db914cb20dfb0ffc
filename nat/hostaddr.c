// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/hostaddr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "switch/snapshot.h"

enum { SOMEWHERE = 0xc6336401, DISCARD = 9, INTERFACES = 64 };	/* 198.51.100.1 (RFC 5737): routed as any other */

static struct sockaddr_in address(uint32_t ip, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip),
	};
}

static bool usable(uint32_t ip, const struct snapshot *snapshot)
{
	return ip && ip >> 24 != 127 && !segment_for_ip(snapshot, ip, NULL);
}

/* by_route() - connecting a datagram socket sends nothing, but the kernel picks the source address */
static uint32_t by_route(int fd)
{
	struct sockaddr_in to = address(SOMEWHERE, DISCARD), from;
	socklen_t size = sizeof(from);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || getsockname(fd, (struct sockaddr *)&from, &size) < 0)
		return 0;
	return ntohl(from.sin_addr.s_addr);
}

static uint32_t by_interface(int fd, const struct snapshot *snapshot)
{
	struct ifreq list[INTERFACES];
	struct ifconf conf = { .ifc_len = sizeof(list), .ifc_req = list };

	if (ioctl(fd, SIOCGIFCONF, &conf) < 0)
		return 0;
	for (unsigned i = 0; i < (unsigned)conf.ifc_len / sizeof(list[0]); i++) {
		struct sockaddr_in a;
		uint32_t ip;

		memcpy(&a, &list[i].ifr_addr, sizeof(a));
		ip = ntohl(a.sin_addr.s_addr);
		if (a.sin_family == AF_INET && usable(ip, snapshot) && ioctl(fd, SIOCGIFFLAGS, &list[i]) == 0 &&
		    (list[i].ifr_flags & IFF_UP))
			return ip;
	}
	return 0;
}

uint32_t hostaddr_own(const struct snapshot *snapshot)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t ip;

	if (fd < 0)
		return 0;
	ip = by_route(fd);
	if (!usable(ip, snapshot))
		ip = by_interface(fd, snapshot);
	close(fd);
	return ip;
}

bool hostaddr_is_local(uint32_t ip)
{
	struct sockaddr_in a = address(ip, 0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool local;

	if (fd < 0)
		return true;		/* not knowing, refuse */
	local = bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
	close(fd);
	return local;
}
