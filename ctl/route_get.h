/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/route_get.h - what the host would do with one packet, said by its kernel (RTM_GETROUTE, as `ip route get` asks); any thread */
#ifndef CTL_ROUTE_GET_H
#define CTL_ROUTE_GET_H

#include <stdbool.h>

#include "base/addr.h"

struct route_got {
	bool local;			/* the packet is for the host itself */
	char ifname[16];		/* it leaves by; empty: not said */
	struct addr via;		/* the next router, or none */
};

/* route_get() - of a packet from @src to @dst that came in by interface @iif, or (NULL) is the host's own, of any address where @src is none
 * @oif:	it leaves by this interface alone; "": by any
 *
 * Return: 0; -ENODEV when there is no such interface; or why the kernel would not pass it on, as a negative errno: -ENETUNREACH,
 *	-EHOSTUNREACH (also where the interface does not forward), -EACCES, -EINVAL, -EXDEV (a source that it would not believe)
 */
int route_get(struct addr src, struct addr dst, const char *iif, const char *oif, struct route_got *got);

#endif
