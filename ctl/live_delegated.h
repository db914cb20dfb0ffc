/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_delegated.h - the host's ways to prefixes that were delegated to guests (control thread)
 *
 * For networks whose gateway is the host: guests of the segment reach each other's prefixes by way of the switch (nat/delegated.h) there,
 * too, but what the host sends, and what it passes on from outside, goes by its routes. Those follow the leases, a moment later, all
 * at once: the keeper is told the whole list (HOST_DELEGATED), and changes what is different. A lease is routed while its guest is away.
 */
#ifndef CTL_LIVE_DELEGATED_H
#define CTL_LIVE_DELEGATED_H

#include <jansson.h>

struct live_net;

/* live_delegated_configure() - as net->conf says; live_delegated_changed() - a lease of a prefix did
 * live_delegated_again() - the interface was made anew, and its routes went; @net may be NULL */
void live_delegated_configure(struct live_net *net);
void live_delegated_changed(struct live_net *net);
void live_delegated_again(struct live_net *net);
void live_delegated_free(struct live_net *net);

/* live_delegated_warnings() - append why the host does not route to one of them */
void live_delegated_warnings(const struct live_net *net, json_t *list);

#endif
