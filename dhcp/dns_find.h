/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dns_find.h - what there is of a name: in a segment's own table, and in the one that it is within (dhcp/names.h)
 *
 * Any thread that is registered with liburcu; what was found holds until its next quiescent state. No allocation.
 */
#ifndef DHCP_DNS_FIND_H
#define DHCP_DNS_FIND_H

#include "dhcp/names.h"

struct dns_found {
	const struct name_set *sets[2];
	unsigned n;			/* tables that have the name, with records or not; 0: there is no such name */
	unsigned nrecords;
};

/* dns_find() - @names may be NULL; @lower is lower-case
 * dns_find_wild() - the wildcard in whose place a name that is not there stands: that below the nearest name above it that is
 * (RFC 4592 3.3.1)
 */
struct dns_found dns_find(const struct names *names, const struct dns_name *lower);
struct dns_found dns_find_wild(const struct names *names, const struct dns_name *lower);

/* dns_found_at() - the @i-th of f->nrecords */
const struct name_record *dns_found_at(const struct dns_found *f, unsigned i);

#endif
