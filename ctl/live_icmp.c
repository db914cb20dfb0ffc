// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_icmp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "nat/rawicmp.h"

enum { SHARES_MIN = 8 };	/* most of the host's own pings have an identifier that wakes no worker */

/* open_raw() - a pair for each worker; a host without IPv6 has none for it. Return: is there one of IPv4 for each? */
static bool open_raw(struct engine *e)
{
	unsigned shares = SHARES_MIN;

	while (shares < e->nworkers)
		shares *= 2;
	for (unsigned i = 0; i < e->nworkers; i++) {
		int fd4 = host_open_icmp(e->host, 4, i, shares);

		if (fd4 < 0)
			return false;
		rawicmp_give(i, i, shares, fd4, host_open_icmp(e->host, 6, i, shares));
	}
	return true;
}

/* warn_of_ping() - once, where the host's administrator looks; guests hear that it is prohibited */
static void warn_of_ping(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (fd >= 0)
		close(fd);
	else
		log_warn("event=no-ping-sockets reason=\"%s\" hint=\"sysctl -w net.ipv4.ping_group_range='0 2147483647'\"", strerror(errno));
}

void live_icmp_start(struct engine *e)
{
	if (open_raw(e))
		log_info("event=raw-icmp workers=%u", e->nworkers);
	else
		warn_of_ping();
}
