/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/tcp_serve.h - TCP connections of guests that the daemon itself serves: DNS at the gateway (DNS-02)
 *
 * Such a flow is one like any other, but its socket is one end of a pair, and the control thread has the other. So there is no second TCP,
 * nothing listens on the host, and it is there on networks without a way out, too. Worker; see nat/tcp.h.
 */
#ifndef NAT_TCP_SERVE_H
#define NAT_TCP_SERVE_H

#include <stdbool.h>

#include "switch/verdict.h"

struct arrival;
struct nat_shard;
struct packet;

/* tcp_serve_is() - is the packet for what is served here? Pure. */
bool tcp_serve_is(const struct nat_shard *s, const struct arrival *a, const struct packet *p);

/* tcp_serve_open() - a pair; the one end goes to the control thread with a REQUEST_DNS_STREAM
 * Return: the other; or -1 with the verdict of the guest's frame.
 */
int tcp_serve_open(const struct nat_shard *s, const struct arrival *a, const struct packet *p, enum verdict *v);

#endif
