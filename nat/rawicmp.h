/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/rawicmp.h - a worker's raw ICMP and ICMPv6 sockets, where the daemon has the right to them
 *
 * One of each family for a worker, shared by all its shards: guests' echoes leave by them where the host gives no ping sockets, and the
 * errors that guests send (nat/guesterror.h). Each worker has a share of the identifiers, so that none outside stands for two
 * guests; one that is taken belongs to one flow. Nothing is received, nor looked at, while no flow has one. Which address
 * they send from is the kernel's decision, or checked by it to be the host's own: the sockets never make their own IP header.
 *
 * Inside nat/ only, the worker; but for rawicmp_give().
 */
#ifndef NAT_RAWICMP_H
#define NAT_RAWICMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/addr.h"

struct flow;
struct packet;
struct worker;

/* rawicmp_give() - the sockets of the worker with this index (taken; -1: none of that family), in place of those it had
 * @share, @shares:	its identifiers are those that modulo @shares, a power of two, are @share
 *
 * Control thread, while no NAT runs. The sockets do not block, and receive echo replies alone.
 */
void rawicmp_give(unsigned worker, unsigned share, unsigned shares, int fd4, int fd6);

/* rawicmp_has() - is there one of the family of @like? */
bool rawicmp_has(const struct worker *w, struct addr like);

/* rawicmp_join() - give an echo flow without a socket an identifier (f->udp.raw_id) that others cannot guess
 * Return: 0; -EACCES: there is no socket; -EDQUOT: the guest's port has half of all; -ENOMEM.
 * rawicmp_leave() - and take it back; one that has none is let pass
 */
int rawicmp_join(struct flow *f);
void rawicmp_leave(struct flow *f);

/* raw_way - from where to where */
struct raw_way {
	struct addr from;		/* the host's own, or none: as the kernel chooses */
	union sock_addr to;
	uint32_t device;		/* index of the interface that it must leave by, or 0 */
};

/* rawicmp_send() - an ICMP message in up to 2 parts, routed: with the TTL and the don't-fragment bit of the guest's packet @p
 * Its checksum stands where it belongs, but for IPv6, where the kernel puts it. Return: 0 or negative errno.
 */
int rawicmp_send(struct worker *w, const struct raw_way *way, const struct packet *p, const struct iovec *parts, unsigned n);

/* rawicmp_tell() - as neterror_tell_shared(), for the socket of the family of @like: after a send has failed */
bool rawicmp_tell(struct worker *w, struct addr like, struct flow *sender, const struct packet *sending);

#endif
