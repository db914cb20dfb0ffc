/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/hostway.h - where the host itself is the gateway: which frames are its own, which the services', which nobody's
 *
 * In modes host-only and routed, and with kernel NAT, the gateway's addresses are on an interface of the host, which is a port of the
 * network (segment->host), and the gateway's MAC address is that interface's. The host answers ARP and Neighbour Discovery for them and everything that is
 * sent there, but for DHCP, DNS and TFTP, which the segment's services answer. What the mode does not allow goes to the services, too, which say so:
 * whether the host forwards for other reasons of its own makes no difference to who reaches whom.
 *
 * Decided from a frame's first bytes. Any worker.
 */
#ifndef SWITCH_HOSTWAY_H
#define SWITCH_HOSTWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "switch/verdict.h"

struct frame;
struct port_view;
struct segment;
struct snapshot;

/* hostway_is_hosts() - a guest's frame for the gateway's MAC address: the host's (true), or the services'? */
bool hostway_is_hosts(const struct segment *seg, const struct snapshot *snap, const struct frame *f);

/* hostway_tells_address() - is it ARP, or a neighbour's solicitation or advertisement? */
bool hostway_tells_address(const struct frame *f);

/* hostway_is_loopback6() - is TCP or UDP to @port of the gateway's IPv6 address for the host's loopback? The kernel leads no IPv6 packet there, as
 * it does IPv4 (route_localnet), so that the NAT makes a connection of its own. From HOSTWAY_HAIRPIN on the ports are the host's: by them
 * the kernel knows connections between guests of one network, which it hides behind that address. Packets in fragments are all the NAT's, which drops
 * those for the host's ports when they are whole.
 */
enum { HOSTWAY_HAIRPIN = 61000 };
bool hostway_is_loopback6(const struct segment *seg, struct addr dst, uint16_t port);

/* hostway_refusal() - why a guest may not reach @dst by way of the host; VERDICT_FORWARDED: it may */
enum verdict hostway_refusal(const struct segment *seg, const struct snapshot *snap, struct addr dst);

/* hostway_from_guest() - VERDICT_FORWARDED, or why the host is not given what a guest on @from says. Connections that its kernel has let pass
 * are known to it by addresses alone, so nobody may speak under those of another network of ours; where the host translates each speaks for itself, and
 * for what it has been delegated, alone. What lies behind a guest of a routed network is the administrator's to say. */
enum verdict hostway_from_guest(const struct snapshot *snap, const struct port_view *from, const struct segment *seg, const struct frame *f);

/* hostway_from_host() - VERDICT_FORWARDED, or why what the host sends is not let in: where it does not route, it speaks for itself alone */
enum verdict hostway_from_host(const struct segment *seg, const struct frame *f);

#endif
