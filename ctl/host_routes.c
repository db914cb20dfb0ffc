// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/host_routes.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool overlap(struct prefix4 a, struct prefix4 b)
{
	return a.len <= b.len ? prefix4_has(a, b.addr) : prefix4_has(b, a.addr);
}

static uint8_t mask_length(uint32_t mask)
{
	return (uint8_t)__builtin_popcount(mask);
}

/* /proc/net/route: interface, destination, gateway, flags, refcnt, use, metric, mask ...; numbers as they lie in memory */
bool host_routes_free(struct prefix4 prefix)
{
	FILE *f = fopen("/proc/net/route", "re");
	bool is_free = true;
	char line[256];

	if (!f)
		return true;	/* without /proc there is nothing to compare with */
	while (is_free && fgets(line, sizeof(line), f)) {
		unsigned dest, mask;

		if (sscanf(line, "%*s %x %*x %*x %*d %*d %*d %x", &dest, &mask) != 2 || !mask)
			continue;	/* the title, or the default route */
		is_free = !overlap(prefix, (struct prefix4){ .addr = ntohl(dest) & ntohl(mask), .len = mask_length(mask) });
	}
	fclose(f);
	return is_free;
}
