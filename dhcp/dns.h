/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dns.h - the DNS responder of one segment: a query in, an answer out, or the word that it is to be relayed
 *
 * Names of the segment are answered with authority from its name table and the one that it is within: by their full name, and guests
 * also by their bare one. What lies in a local zone (dns_local.h) and is not there does not exist, and nobody else is
 * asked. A name that exists but lacks the type asked for is answered as such (NODATA), never as missing.
 * Names of peers (names_peer.h) are answered as if they were the segment's. Everything else is relayed.
 *
 * Pure but for the name table's grace periods: any thread that is registered with liburcu (QSBR). No allocation.
 */
#ifndef DHCP_DNS_H
#define DHCP_DNS_H

#include "base/text.h"
#include "dhcp/names.h"

struct dns_zone {
	struct dns_name origin;		/* domain of the segment, lower-case; the root for none */
	struct prefix4 subnet;		/* its addresses, for the reverse zone; length 0 for none */
	bool relay;			/* false: nothing is asked outside (internal networks) */
	uint32_t ttl_s;			/* of our answers */
};

enum dns_outcome {
	DNS_OUT_ANSWER,			/* records */
	DNS_OUT_NODATA,
	DNS_OUT_NXDOMAIN,
	DNS_OUT_REFUSED,		/* not ours, and not to be relayed */
	DNS_OUT_RELAY,			/* to be relayed */
	DNS_OUT_FORMERR,
	DNS_OUT_NOTIMP,
	DNS_OUT_BADVERS,
	DNS_OUT_SERVFAIL,		/* aliases that lead in a circle */
	DNS_OUT_DROP,			/* no query at all */
	DNS_OUT_COUNT,
};

/* dns_zone_init() - a zone for these settings
 * @domain:	"lab.internal", or "" for none
 *
 * Return: 0, or -EINVAL when @domain is no domain name.
 */
int dns_zone_init(struct dns_zone *zone, const char *domain, struct prefix4 subnet, bool relay);

/* dns_answer() - take one query from a guest
 * @stream:	it came over TCP: the answer may be of any size that there is room for
 * @reply:	for the answer; @room at least 512
 *
 * Return: bytes to send; 0 when the query is to be relayed; negative when it is to be dropped.
 */
int dns_answer(const struct dns_zone *zone, const struct names *names, const uint8_t *query, size_t size, bool stream,
	       uint8_t *reply, size_t room, enum dns_outcome *outcome);

/* dns_servfail() - the answer to a query that could not be relayed, for the guest
 * Return: bytes, or 0 when @query is none.
 */
size_t dns_servfail(const uint8_t *query, size_t size, uint8_t *reply, size_t room);

/* dns_refused() - that to one that is not to be relayed. Return: likewise */
size_t dns_refused(const uint8_t *query, size_t size, uint8_t *reply, size_t room);

/* dns_outcome_name() - "answer", "nxdomain" ...; for counters and logs */
const char *dns_outcome_name(enum dns_outcome outcome);

#endif
