// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/hostaddr.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/own_addr.h"
#include "switch/snapshot.h"

static bool is_usable(const void *snapshot, struct addr a)
{
	return !addr_is_none(a) && !addr_equal(a, addr4(0)) && !addr_is_loopback(a) && !(addr_is_link_local(a) && !addr_is4(a)) &&
	       !segment_for_addr(snapshot, a, NULL);
}

struct addr hostaddr_own(const struct snapshot *snapshot, int family)
{
	return own_addr_find(family, is_usable, snapshot);
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
