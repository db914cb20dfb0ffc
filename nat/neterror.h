/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/neterror.h - what the network says about a guest's datagrams and pings comes back to it as the ICMP error it was
 *
 * From the error queue of the flow's socket (ip(7), IP_RECVERR): unreachable, time exceeded (so traceroute shows the real path), too big. An
 * error neither ends a mapping nor keeps it (RFC 4787 REQ-12, RFC 5508 REQ-6). Inside nat/ only; the shard's worker.
 */
#ifndef NAT_NETERROR_H
#define NAT_NETERROR_H

struct flow;

/* neterror_tell() - drain the queue, a bounded number at a time; tells the guest within its limit of ICMP errors */
void neterror_tell(struct flow *f);

#endif
