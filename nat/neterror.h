/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/neterror.h - what the network says about a guest's datagrams, pings and SYNs comes back to it as the ICMP error it was
 *
 * From the error queue of the flow's socket (ip(7), IP_RECVERR): unreachable, time exceeded (so traceroute shows the real path), too big. An
 * error neither ends a mapping nor keeps it (RFC 4787 REQ-12, RFC 5508 REQ-6). Of TCP only the SYN is reported: a connection that is open
 * survives ICMP (RFC 5382 REQ-10), and its path MTU is the host's own business. Inside nat/ only; the shard's worker.
 */
#ifndef NAT_NETERROR_H
#define NAT_NETERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct flow;
struct packet;

enum neterror_want {
	NETERROR_NONE,
	NETERROR_PLAIN,
	NETERROR_WHOLE,			/* with what routers append to the quote (RFC 4884), for who traces a route */
};

/* neterror_ask() - have errors about what the flow's socket sends put into its queue, or no longer */
void neterror_ask(const struct flow *f, enum neterror_want want);

/* neterror_ask_hops() - have the kernel say how many hops what comes had left: errors, and all else from then on */
void neterror_ask_hops(int fd, bool ip6);

/* neterror_tell() - drain the queue, a bounded number at a time; tells the guest within its limit of ICMP errors
 * @sending:	the guest's packet that could not be sent just now, or NULL: of it the host's own errors are
 * Return: was there an error for the guest? */
bool neterror_tell(struct flow *f, const struct packet *sending);

/* neterror_whose_fn() - the flow that sent to @to what begins with the @size bytes at @data, or NULL */
typedef struct flow *neterror_whose_fn(void *arg, struct addr to, const uint8_t *data, uint32_t size);

/* neterror_ask_shared(), neterror_tell_shared() - the same for a socket of several flows
 * @sender:	whose packet @sending is; both may be NULL
 * Return: was there an error of the host's own about @sending? */
void neterror_ask_shared(int fd, bool ip6);
bool neterror_tell_shared(int fd, neterror_whose_fn *whose, void *arg, struct flow *sender, const struct packet *sending);

#endif
