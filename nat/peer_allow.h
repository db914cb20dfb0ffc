/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/peer_allow.h - does a peering allow this packet? What may be opened says the configuration; answers and errors need what was opened
 *
 * Inside nat/ only; any worker.
 */
#ifndef NAT_PEER_ALLOW_H
#define NAT_PEER_ALLOW_H

#include <stdbool.h>
#include <stdint.h>

struct packet;
struct peer;

enum { PEER_NO_PORT = UINT32_MAX };

/* peer_allow() - @p goes from a guest at port @from to one at port @to of the other segment, PEER_NO_PORT where that is not known
 * Notes what it opens: call it once for a packet that is about to be sent. peer_would_allow() notes nothing.
 */
bool peer_allow(const struct peer *peer, const struct packet *p, uint32_t from, uint32_t to, uint64_t now_ms);
bool peer_would_allow(const struct peer *peer, const struct packet *p);

#endif
