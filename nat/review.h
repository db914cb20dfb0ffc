/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/review.h - after a change of the host: which flows of a shard can go on? On its worker; inside nat/ only. */
#ifndef NAT_REVIEW_H
#define NAT_REVIEW_H

#include <stdbool.h>

struct nat_shard;

/* review_forget() - what was remembered of the host is asked anew */
void review_forget(struct nat_shard *s);

/* review_start() - look at every flow, some of them now and more in each turn to come
 *
 * A TCP connection ends whose socket is bound to an interface that is not its network's any more, and with @addresses one whose own
 * address has left the host. The guest sees a reset, and may connect anew at once. Where the way there has moved to another
 * interface and the address stays, most connections are dead and a few are not: such a one ends when it hears nothing for ten
 * seconds. UDP and pings need none of this: their sockets have no address of their own, and one that is bound to another interface
 * is replaced with the next datagram.
 */
void review_start(struct nat_shard *s, bool addresses);

#endif
