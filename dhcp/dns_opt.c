// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dns_opt.h"

#include "base/array.h"
#include "dhcp/dns_message.h"

enum { COOKIE = 10, KEEPALIVE = 11, PADDING = 12, EDE = 15, OPTION_HEAD = 4, CLASS_BEFORE_TTL = 2, LENGTH_AFTER_TTL = 4 };

static bool is_neighbours(uint16_t code)
{
	return code == COOKIE || code == KEEPALIVE || code == PADDING;
}

/* keep_options() - those that may pass, moved to the front; Return: their bytes */
static size_t keep_options(uint8_t *data, size_t size)
{
	size_t kept = 0;

	for (size_t at = 0, n; at + OPTION_HEAD <= size; at += n) {
		n = OPTION_HEAD + get_u16(data + at + 2);
		if (n > size - at)
			break;
		if (is_neighbours(get_u16(data + at)))
			continue;
		memmove(data + kept, data + at, n);
		kept += n;
	}
	return kept;
}

/* find_opt() - Return: is there one? *@end: where it ends */
static bool find_opt(const uint8_t *message, size_t size, struct dns_rr *rr, size_t *end)
{
	unsigned n = get_u16(message + 6) + get_u16(message + 8) + get_u16(message + 10);
	size_t pos = DNS_HEADER_SIZE;

	if (get_u16(message + 4) != 1 || dns_name_skip(message, size, &pos) < 0 || size - pos < 4)
		return false;
	for (pos += 4; n && dns_rr_read(rr, message, size, &pos) == 0; n--) {
		*end = pos;
		if (rr->type == DNS_OPT)
			return true;
	}
	return false;
}

/* What follows the record may point to names behind it, so it is not moved: padding takes the place of what was there. */
size_t dns_opt_own(uint8_t *message, size_t size)
{
	size_t end, kept, left;
	struct dns_rr rr;

	if (size < DNS_HEADER_SIZE || !find_opt(message, size, &rr, &end))
		return size;
	put_u16(message + rr.ttl_at - CLASS_BEFORE_TTL, MIN_OF(rr.class, (uint16_t)DNS_UDP_MAX));
	kept = keep_options(message + rr.data, rr.size);
	left = rr.size - kept;
	if (end == size) {
		put_u16(message + rr.ttl_at + LENGTH_AFTER_TTL, (uint16_t)kept);
		return size - left;
	}
	memset(message + rr.data + kept, 0, left);
	if (left >= OPTION_HEAD) {
		put_u16(message + rr.data + kept, PADDING);
		put_u16(message + rr.data + kept + 2, (uint16_t)(left - OPTION_HEAD));
	}
	return size;
}

int dns_opt_ede(const uint8_t *message, size_t size)
{
	struct dns_rr rr;
	size_t end;

	if (size < DNS_HEADER_SIZE || !find_opt(message, size, &rr, &end))
		return DNS_EDE_NONE;
	for (size_t at = rr.data, n; at + OPTION_HEAD <= end; at += n) {
		n = OPTION_HEAD + get_u16(message + at + 2);
		if (n > end - at)
			break;
		if (get_u16(message + at) == EDE && n >= OPTION_HEAD + 2)
			return get_u16(message + at + OPTION_HEAD);
	}
	return DNS_EDE_NONE;
}
