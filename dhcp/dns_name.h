/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dns_name.h - domain names: written, on the wire, and compared
 *
 * A name is kept as on the wire without compression (RFC 1035 3.1): labels with their length before them, and a
 * zero. Names are compared without regard to the case of ASCII letters (RFC 4343); a name made lower-case once
 * compares as bytes. Any thread; no allocation.
 */
#ifndef DHCP_DNS_NAME_H
#define DHCP_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum { DNS_NAME_MAX = 255, DNS_LABEL_MAX = 63, DNS_NAME_TEXT = 1024 };

struct dns_name {
	uint8_t size;			/* bytes of wire, the final zero included; 1 is the root */
	uint8_t wire[DNS_NAME_MAX];
};

/* dns_name_from_text() - "web1.lab.internal", with or without a final dot; "." is the root
 *
 * Labels of visible ASCII but '.' and '\\'. Return: 0, or -EINVAL for an empty or too long label or name.
 */
int dns_name_from_text(struct dns_name *name, const char *text);

/* dns_name_to_text() - without a final dot; bytes that are not visible, '.' and '\\' in a label become \DDD
 * (RFC 1035 5.1)
 */
const char *dns_name_to_text(const struct dns_name *name, char text[DNS_NAME_TEXT]);

/* dns_name_read() - a name of a message, compressed or not
 * @pos:	where it begins; moved behind it
 *
 * Each pointer must lead to before the name or part that holds it, and not into the header, so that reading
 * ends (RFC 9267 2).
 * Return: 0, or -EBADMSG.
 */
int dns_name_read(struct dns_name *name, const uint8_t *message, size_t size, size_t *pos);

/* dns_name_skip() - move @pos behind a name without following pointers. Return: 0, or -EBADMSG. */
int dns_name_skip(const uint8_t *message, size_t size, size_t *pos);

/* dns_lower() - one byte of a name without its case; bytes other than A to Z, lengths among them, stay */
static inline uint8_t dns_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

void dns_name_lower(struct dns_name *name);

/* dns_name_equal() - the same but for case? */
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);

/* dns_name_below() - is @name @zone itself or a name below it? Both lower-case. */
bool dns_name_below(const struct dns_name *name, const struct dns_name *zone);

/* dns_name_labels() - labels without the root: 0 for the root itself */
unsigned dns_name_labels(const struct dns_name *name);

/* dns_name_strip() - @name without its first @n labels; @n is at most dns_name_labels() */
void dns_name_strip(struct dns_name *to, const struct dns_name *name, unsigned n);

/* dns_name_join() - @name put before @zone, both as they are. Return: 0, or -EINVAL when too long. */
int dns_name_join(struct dns_name *to, const struct dns_name *name, const struct dns_name *zone);

/* dns_name_reverse4() - "4.3.2.1.in-addr.arpa" of an address in host order */
void dns_name_reverse4(struct dns_name *name, uint32_t ip);

/* dns_name_reverse() - the same of either family; of IPv6 its 32 nibbles below ip6.arpa (RFC 3596 2.5) */
void dns_name_reverse(struct dns_name *name, struct addr a);

#endif
