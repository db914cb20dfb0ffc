/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/hostaddr.h - which addresses are this host's own?
 *
 * Asked of the kernel by plain system calls, each time anew, so that a change of the host is followed. Any thread.
 */
#ifndef NAT_HOSTADDR_H
#define NAT_HOSTADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct snapshot;

/* hostaddr_own() - the address with which the host would talk to the Internet; without a route there, the first
 * non-loopback address of an interface that is up. Addresses inside lanyard's own networks do not count.
 *
 * Return: an address of family AF_INET or AF_INET6 @family, or none.
 */
struct addr hostaddr_own(const struct snapshot *snapshot, int family);

/* hostaddr_is_local() - is @ip an address of this host? */
bool hostaddr_is_local(struct addr ip);

#endif
