/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dns_record.h - DNS records that a person writes: type and value as text, data as on the wire
 *
 * Any thread; no allocation.
 */
#ifndef DHCP_DNS_RECORD_H
#define DHCP_DNS_RECORD_H

#include "dhcp/dns_message.h"

enum { DNS_RDATA_MAX = 1024 };

struct dns_record {
	uint16_t type;
	uint16_t size;
	uint8_t rdata[DNS_RDATA_MAX];	/* names in it are not compressed */
};

/* dns_owner_parse() - the name of a record of a zone: "web", "_sip._udp" and "@" are in @origin, as are "*" and "*.web"; "web.example.com"
 * stands for itself
 */
int dns_owner_parse(struct dns_name *name, const char *text, const struct dns_name *origin);

/* dns_type_parse() - "A", "AAAA", "CNAME", "MX", "PTR", "SRV" or "TXT", in any case; -EINVAL for others */
int dns_type_parse(const char *text, uint16_t *type);

/* dns_type_name() - the same back, or NULL */
const char *dns_type_name(uint16_t type);

/* dns_record_parse() - a value: an address, a name, "10 mail" (MX), "0 5 5060 sip" (SRV) or any text (TXT)
 *
 * Names are read as by dns_owner_parse(). Return: 0, or -EINVAL.
 */
int dns_record_parse(struct dns_record *record, uint16_t type, const char *value, const struct dns_name *origin);

#endif
