// SPDX-License-Identifier: GPL-2.0-or-later
/* Below which domains guests' names may stand in the host's hosts file. An engine that somebody else steers would choose one that the host's
 * programs trust: without the administrator's word it is one of those that are nobody's in the public DNS. */
#include <string.h>

#include "ctl/act_guests.h"

static const char reserved[] = "internal,home.arpa,test,example,invalid";	/* ICANN 2024-07-29, RFC 8375, RFC 2606 */

/* is_below() - is @domain the one of @n bytes at @above, or below it? */
static bool is_below(const char *domain, const char *above, size_t n)
{
	size_t size = strlen(domain);

	return n && size >= n && !memcmp(domain + size - n, above, n) && (size == n || domain[size - n - 1] == '.');
}

static bool is_below_one(const char *domain, const char *list)
{
	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (is_below(domain, list, strcspn(list, ",")))
			return true;
	}
	return false;
}

bool domains_allow(const char *allowed, const char *domain)
{
	return is_below_one(domain, reserved) || is_below_one(domain, allowed);
}
