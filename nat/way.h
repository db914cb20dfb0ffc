/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/way.h - does a connected socket still have its way through the host? Asked of the kernel; any thread. Inside nat/ only. */
#ifndef NAT_WAY_H
#define NAT_WAY_H

#include <stdbool.h>

enum way_state {
	WAY_OPEN,			/* for all we know: also where no route leads there at all now, for one may come back */
	WAY_MOVED,			/* its packets leave by another interface than the one that has its address, as after a VPN came up */
	WAY_GONE,			/* its own address has left the host, or the interface that has it is down */
};

/* way - what was looked up once for many sockets */
struct way {
	struct ifaddrs *addresses;
	int probes[2];			/* datagram sockets for IPv4 and IPv6 that never send */
};

void way_init(struct way *w);
void way_fini(struct way *w);

enum way_state way_of(const struct way *w, int fd);

/* way_hurry() - have the kernel end the connection when it has heard nothing from the other side for ten seconds; or no more */
void way_hurry(int fd, bool on);

#endif
