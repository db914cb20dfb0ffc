/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/sock.h - the host sockets of guests' flows, all made in one place: none leaves by a way that its network must not take
 *
 * A network may be pinned to an interface (nat_conf.device). A socket for the outside is bound to it before it has an address, so that
 * the kernel sends by this interface or not at all, whatever the routes say and whenever it disappears. Without rights since Linux
 * 5.7. What goes to the host itself is not bound. On the shard's worker. Inside nat/ only.
 */
#ifndef NAT_SOCK_H
#define NAT_SOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct flow;
struct nat_shard;
struct packet;

enum { SOCK_DEVICE_GONE = UINT32_MAX };

/* sock_device() - index of the interface that the network is pinned to now; 0: it is not; SOCK_DEVICE_GONE */
uint32_t sock_device(struct nat_shard *s);

/* sock_open() - a socket that does not block
 * @like:	an address of the family
 * @outside:	it is to talk to others than this host
 * @device:	what it is bound to, or 0
 *
 * Return: a descriptor, or a negative errno: -ENODEV when the interface is gone.
 */
int sock_open(struct nat_shard *s, struct addr like, int type, int proto, bool outside, uint32_t *device);

/* manner - how a socket sends: set where a packet differs from the one before */
struct manner {
	uint8_t ttl;			/* 0: the host's own default */
	bool dont_fragment;
};

/* sock_follow() - have @fd send with the guest's TTL, one less where it is @routed, and its don't-fragment bit (RFC 1812 5.3.1) */
void sock_follow(int fd, struct manner *m, const struct packet *p, bool routed);

/* sock_stale() - is the flow's socket, made for the outside, bound to another interface than the network is pinned to now? */
bool sock_stale(const struct flow *f);

#endif
