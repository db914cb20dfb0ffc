/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dns_opt.h - the OPT record of a message that is passed on (RFC 6891): it speaks of two neighbours, and we are one of them
 *
 * Pure; any thread.
 */
#ifndef DHCP_DNS_OPT_H
#define DHCP_DNS_OPT_H

#include <stddef.h>
#include <stdint.h>

/* RFC 8914: why there is no better answer */
enum dns_ede { DNS_EDE_NONE = -1, DNS_EDE_BOGUS = 6, DNS_EDE_NOT_READY = 14, DNS_EDE_BLOCKED = 15, DNS_EDE_NO_RESOLVER = 22 };

/* dns_opt_ede() - the first extended error of an answer, or DNS_EDE_NONE */
int dns_opt_ede(const uint8_t *message, size_t size);

/* dns_opt_own() - make the OPT record our own: its size is at most DNS_UDP_MAX (RFC 9715), and what concerns only the two who exchange it
 * is left out: cookies, keep-alives and padding (RFC 7873, 7828, 7830)
 * @message:	a query or an answer; one that cannot be read stays as it is
 *
 * Return: its bytes, which are not more than @size.
 */
size_t dns_opt_own(uint8_t *message, size_t size);

#endif
