/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dns_local.h - the names that are answered here and never asked elsewhere
 *
 * The segment's own domain and addresses; private, link-local and documentation addresses (RFC 6303, RFC 7793);
 * and special names (RFC 6761, 6762, 7686, 8375, 9462, 9476, and `internal`, which is set aside for private
 * use). Pure; any thread.
 */
#ifndef DHCP_DNS_LOCAL_H
#define DHCP_DNS_LOCAL_H

#include "base/text.h"
#include "dhcp/dns_name.h"

/* What a name that lies in a local zone is there. */
enum dns_local {
	DNS_LOCAL_NOT,		/* it is not in one: somebody else knows */
	DNS_LOCAL_APEX,		/* the zone itself */
	DNS_LOCAL_BELOW,	/* below it; exists only if there are records */
	DNS_LOCAL_PART,		/* part of an address in a reverse zone: exists, without records */
	DNS_LOCAL_HOST,		/* localhost or a name below it */
	DNS_LOCAL_LOOPBACK,	/* the reverse name of 127.0.0.1 */
};

/* dns_local() - is this name answered here?
 * @lower:	lower-case
 * @origin:	the segment's domain, lower-case
 * @subnet:	its addresses
 * @zone:	set to the zone's name unless the answer is DNS_LOCAL_NOT
 */
enum dns_local dns_local(const struct dns_name *lower, const struct dns_name *origin, struct prefix4 subnet,
			 struct dns_name *zone);

#endif
