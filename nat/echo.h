/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/echo.h - a guest's ping to the outside (RFC 5508 3)
 *
 * A flow for each inside address and identifier. It has a ping socket of its own (icmp(7)), whose identifier outside the kernel chooses, and
 * which needs no right where the sysctl net.ipv4.ping_group_range allows the daemon's group; else an identifier of the worker's raw
 * socket (nat/rawicmp.h); where there is none either, the guest is told that it is prohibited.
 * Inside nat/ only; the shard's worker.
 */
#ifndef NAT_ECHO_H
#define NAT_ECHO_H

#include <sys/types.h>

#include "nat/shard.h"
#include "switch/packet.h"
#include "switch/verdict.h"

struct arrival;

enum { ECHO_IDLE_S = 60, ECHO_HEADROOM = ETH_HEADER + IP6_HEADER };		/* RFC 5508 REQ-2 */

/* echo_is_request() - a ping, and no other message?
 * echo_is_forbidden() - does sock_open() say by @rc that ping sockets are not for us, whatever becomes of the interface?
 */
bool echo_is_request(const struct packet *p);
bool echo_is_forbidden(int rc);

/* echo_input() - an ICMP packet from a guest to somebody else than the gateway */
enum verdict echo_input(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p);

/* came - from whom, by which interface, and with how many hops left for the last one, to the guest */
struct came {
	struct addr from;
	uint32_t device;		/* 0: not known */
	uint8_t ttl;
};

/* echo_receive() - one message at @to, at most @room bytes of it; Return: its size, or negative */
ssize_t echo_receive(int fd, uint8_t *to, uint32_t room, struct came *came);

/* echo_deliver() - the reply of @size bytes at @icmp, to the guest if it has talked to who sent it
 * @icmp:	behind ECHO_HEADROOM bytes of room; written to
 * Return: false when the guest's port is gone, and with it @f.
 */
bool echo_deliver(struct flow *f, uint8_t *icmp, uint32_t size, const struct came *came);

#endif
