/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/names_peer.h - the names of segments whose guests may be reached from this one, for its DNS
 *
 * Only names that are there are answered so: a peer's guests and records below its domain, and addresses back to names. All that is not
 * there goes the way that it would go without. The control thread makes a list and hands it over whole; workers read it as they do names.
 */
#ifndef DHCP_NAMES_PEER_H
#define DHCP_NAMES_PEER_H

#include <urcu/urcu-qsbr.h>

#include "base/text.h"
#include "dhcp/dns_name.h"

struct dns_zone;
struct names;

enum { NAMES_PEERS_MAX = 32 };

struct names_peers {
	struct rcu_head rcu;
	unsigned n;
	struct names_peer {
		const struct dns_zone *zone;	/* borrowed, with the names: whoever frees them hands over another list first */
		const struct names *names;
	} of[NAMES_PEERS_MAX];
};

/* names_set_peers() - in the place of the list that there was; taken; NULL: none. Control thread
 * names_peers() - or NULL; holds until the reader's next quiescent state
 */
void names_set_peers(struct names *t, struct names_peers *peers);
const struct names_peers *names_peers(const struct names *t);

#endif
