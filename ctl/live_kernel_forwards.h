/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_kernel_forwards.h - the forwards that the kernel's table is to lead, of a network with `nat: kernel` (control thread)
 *
 * Those whose socket is there and whose guest's address is known; what is for the host's loopback stays with the sockets (ctl/live_kernel.h).
 */
#ifndef CTL_LIVE_KERNEL_FORWARDS_H
#define CTL_LIVE_KERNEL_FORWARDS_H

#include <stdbool.h>
#include <stddef.h>

struct host_forward;
struct live_net;

struct kernel_forwards {
	struct host_forward *list;	/* for free() */
	size_t n, room;
	bool failed;			/* out of memory */
};

/* kernel_forwards_of() - as the network is now
 * @grace:	a forward that was in the table before, to a guest not heard of yet, is among them with no address: it is to stay as it is
 */
struct kernel_forwards kernel_forwards_of(const struct live_net *net, bool grace);
bool kernel_forwards_same(const struct kernel_forwards *a, const struct kernel_forwards *b);

#endif
