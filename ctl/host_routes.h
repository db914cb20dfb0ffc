/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/host_routes.h - which IPv4 networks does the host know already? Asked of the kernel (rtnetlink), every table; nothing is changed. */
#ifndef CTL_HOST_ROUTES_H
#define CTL_HOST_ROUTES_H

#include <stdbool.h>

#include "base/text.h"

/* host_route - an address or route of the host */
struct host_route {
	struct prefix4 prefix;
	char ifname[16];		/* it leads to; empty: to none */
};

/* host_routes_find() - does one, the default route and those of interface @except (or NULL) apart, overlap @prefix? Then *found is
 * the narrowest of those that do */
bool host_routes_find(struct prefix4 prefix, const char *except, struct host_route *found);

/* host_routes_default() - the interface of the IPv4 default route that is preferred; false: there is none */
bool host_routes_default(char ifname[16]);

/* host_routes_free() - does none? */
bool host_routes_free(struct prefix4 prefix);

#endif
