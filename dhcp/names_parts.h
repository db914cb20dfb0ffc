/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/names_parts.h - the table of a segment's names, as its own parts see it: dhcp/names.c and dhcp/names_host.c. Control thread.
 *
 * Names are lower-case here. Records that are passed are borrowed and copied.
 */
#ifndef DHCP_NAMES_PARTS_H
#define DHCP_NAMES_PARTS_H

#include "dhcp/names.h"

const struct dns_name *names_origin(const struct names *t);

/* names_store() - let readers see these records under this name, instead of what was there; 0, -ENOSPC or -ENOMEM
 * names_keep() - copy its records that are not of this type and source to @to, which has room for NAMES_RECORDS_MAX. Return: how many
 * names_replace() - those of this type and source by one, or (@rdata NULL) by none
 */
int names_store(struct names *t, const struct dns_name *name, const struct name_record *records, unsigned n);
unsigned names_keep(const struct names *t, const struct dns_name *name, uint16_t type, bool host, struct name_record *to);
int names_replace(struct names *t, const struct dns_name *name, uint16_t type, bool host, const uint8_t *rdata, size_t size);

#endif
