/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/budget.h - what translation may take of the host in the whole process, and how much of it one guest
 *
 * Descriptors: a reserve stays free for everything else (ports, the API, the state store); a guest has at most half of the limit. The
 * host's ephemeral ports: a guest's own connections and mappings take at most half of them, of TCP and of UDP each. The last
 * descriptors are kept for guests that have few, so that some which take all they may leave the others their names and a
 * shell. A guest is the id of its port, whatever networks and workers its flows are on. Any thread.
 */
#ifndef NAT_BUDGET_H
#define NAT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* budget_kind - what a descriptor is for */
enum budget_kind {
	BUDGET_TCP, BUDGET_UDP,		/* with an ephemeral port */
	BUDGET_PLAIN,			/* without: a forward's client, an echo */
	BUDGET_KINDS,
};

/* budget_has() - would budget_take() succeed now?
 * budget_take() - one more descriptor for guest @port; @most: what its settings allow, 0 for no limit of their own
 * budget_put() - gives it back
 */
bool budget_has(uint32_t port, enum budget_kind kind, uint32_t most);
bool budget_take(uint32_t port, enum budget_kind kind, uint32_t most);
void budget_put(uint32_t port, enum budget_kind kind);

/* budget_flows() - count @n more (or less) flows of guest @port; Return: how many it has now, on all workers */
uint32_t budget_flows(uint32_t port, int n);

/* budget_listen() - @n descriptors more (or less, when negative) for listening sockets; Return: false when there are not so many */
bool budget_listen(int n);

/* budget_most() - how many descriptors translation and forwards may hold together; budget_reserve() - how many they leave;
 * budget_used() - descriptors taken now; budget_share() - the most that one guest may hold: half of the limit
 * budget_ports() - the most ephemeral ports of a kind that one guest may hold: half of net.ipv4.ip_local_port_range
 * budget_of() - descriptors that guest @port has now
 */
uint32_t budget_most(void);
uint32_t budget_reserve(void);
uint32_t budget_used(void);
uint32_t budget_share(void);
uint32_t budget_ports(void);
uint32_t budget_of(uint32_t port);

#endif
