/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/hostport.h - the port of the host behind which a guest's endpoint is seen outside
 *
 * One inside endpoint has one port, whoever it talks to, and no two share one (RFC 4787 REQ-1, RFC 5382 REQ-1 and REQ-7): UDP by having one
 * socket, TCP by binding all connections of an endpoint to the same port. It is the guest's own number where that lies in the host's
 * range of ephemeral ports and is free, else one of the same parity (RFC 4787 REQ-4) that others cannot guess (RFC 6056). Ports outside the
 * range are left to the host's programs; when no port can be had, the kernel chooses one for the socket alone.
 *
 * One table for the process; any thread. Inside nat/ only.
 */
#ifndef NAT_HOSTPORT_H
#define NAT_HOSTPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct flow_key;

/* hostport_bind() - bind socket @fd, new and of @key's family, to the port of the endpoint @key
 * Return: the port, to be given back with hostport_put(); 0 when the kernel is to choose.
 */
uint16_t hostport_bind(int fd, uint32_t net_id, const struct flow_key *key);

/* hostport_put() - 0 is let pass */
void hostport_put(const struct flow_key *key, uint16_t port);

/* hostport_is_ours() - is there an endpoint behind this port, in the family of @like? Guests may reach it by hairpin (RFC 4787 REQ-9). */
bool hostport_is_ours(uint8_t proto, struct addr like, uint16_t port);

#endif
