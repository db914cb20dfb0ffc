/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/told.h - what a frame would have those who get it believe: whose addresses are whose, who routes, who hands out addresses
 *
 * Read from a frame's first bytes, which are private (switch/frame.h); nothing behind them is looked at. Pure, any thread.
 * Sources: RFC 826; RFC 2131 4.1; RFC 8200 4; RFC 4861 4; RFC 8415 7.2, 7.3; RFC 7113 3 and RFC 6980 5 on what hides behind
 * extension headers and fragments.
 */
#ifndef SWITCH_TOLD_H
#define SWITCH_TOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct frame;

enum told_kind {
	TOLD_NOTHING,			/* not IP, or IP that tells nobody anything but its own source */
	TOLD_ARP,
	TOLD_NEIGHBOUR,			/* a neighbour solicitation or advertisement, or a router solicitation */
	TOLD_ROUTER,			/* a router advertisement or redirect */
	TOLD_DHCP_CLIENT,		/* to a server's port, and no answer */
	TOLD_DHCP_SERVER,		/* an answer of a server of either family, or what else is for a client's port */
	TOLD_ICMP6,			/* other ICMPv6 */
	TOLD_GROUPS,			/* IGMP */
	TOLD_HIDDEN,			/* IPv6 whose headers do not end in the bytes that can be seen, or discovery in fragments */
};

struct told {
	enum told_kind kind;
	struct addr src;		/* of the packet; ARP: the sender; none: it is not IP, or an unspecified one */
	struct addr claim;		/* the address that receivers take to be the sender's, beside src; none: no other */
	bool ip;			/* src means something */
	bool foreign_link;		/* a link-layer address is told that is not the frame's own source */
};

/* told_parse() - what @f says; a frame that is cut short tells nothing */
void told_parse(const struct frame *f, struct told *t);

#endif
