/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/rebind.h - answers from outside that lead inside: protection against DNS rebinding (DNS-35)
 *
 * Somebody's web page has a guest's browser ask again for the page's own name, and says this time that it is at an address of the network, the
 * host or its LAN. An answer with such an address is one that nobody outside has a reason to give, but for domains that are said to have
 * one. Looked at are addresses, and those that SVCB and HTTPS records hint at (RFC 9460 7.3). Pure; any thread.
 */
#ifndef DHCP_REBIND_H
#define DHCP_REBIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "dhcp/dns_name.h"

struct rebind {
	bool protect;
	char allow[512];		/* domains with commas between them, in any case */
	struct prefix4 own;		/* the network's addresses, whether private or not; length 0: none */
	struct prefix6 own6;
};

/* rebind_is_inside() - private (RFC 1918, RFC 4193), shared (RFC 6598), of this host or link or of no host, the network's own; also
 * an IPv4 address of that sort within an IPv6 one (RFC 6052)
 */
bool rebind_is_inside(const struct rebind *r, struct addr a);

/* rebind_offends() - does the answer to this name lead inside, and may it not? */
bool rebind_offends(const struct rebind *r, const struct dns_name *name, const uint8_t *answer, size_t size);

#endif
