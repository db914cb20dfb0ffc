/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_lease.h - how a probe guest gets its addresses: by DHCP as any guest, or a free one of the subnet where nobody leases */
#ifndef CTL_CHECK_LEASE_H
#define CTL_CHECK_LEASE_H

#include <stdbool.h>
#include <stdint.h>

struct addr;
struct check;
struct check_guest;
struct packet;

/* check_lease_wait() - begin as a guest that boots, and wait: for an address where @expected, else just until silence is sure. A guest that has
 * offers all the same is told so in g->offered. */
void check_lease_wait(struct check *c, struct check_guest *g, bool expected);

/* check_lease_pick() - an address of the subnet that nobody has: neither the API nor ARP knows it. Return: false when none was found. */
bool check_lease_pick(struct check *c, struct check_guest *g);

/* check_lease_release() - give the address back */
void check_lease_release(struct check *c, struct check_guest *g);

/* check_lease_tick(), check_lease_input() - see to what is due, and to what came; of a packet, Return: was it for the DHCP client? */
void check_lease_tick(struct check_guest *g, uint64_t now_ms);
bool check_lease_input(struct check_guest *g, const struct packet *p);

/* check_lease_resolve() - the Ethernet address of a neighbour, by ARP, asked of @likely alone at first. Return: NULL when nobody answers. */
const uint8_t *check_lease_resolve(struct check *c, struct check_guest *g, uint32_t ip, const uint8_t *likely);

#endif
