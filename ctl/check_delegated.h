/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_delegated.h - the first probe guest as a router that has a prefix delegated, by DHCPv6 (RFC 8415 18.2.1, with Rapid Commit)
 *
 * Behind it is one address, the prefix's first, for which it answers itself. One thread.
 */
#ifndef CTL_CHECK_DELEGATED_H
#define CTL_CHECK_DELEGATED_H

#include <stdbool.h>

struct check;
struct check_guest;
struct packet;

/* check_delegated_wait() - ask until there is one, or its time is over; then g->behind is that address
 * check_delegated_input() - Return: was the packet for that?
 * check_delegated_release() - give it back
 */
void check_delegated_wait(struct check *c, struct check_guest *g);
bool check_delegated_input(struct check_guest *g, const struct packet *p);
void check_delegated_release(struct check_guest *g);

#endif
