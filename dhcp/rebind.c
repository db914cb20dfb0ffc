// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/rebind.h"

#include <string.h>

#include "base/array.h"
#include "dhcp/dns_message.h"

enum { SVCB = 64, HTTPS = 65, IPV4_HINT = 4, IPV6_HINT = 6, IP4_SIZE = 4 };

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static const struct prefix4 inside4[] = {
	{ IP(0, 0, 0, 0), 8 }, { IP(10, 0, 0, 0), 8 }, { IP(100, 64, 0, 0), 10 }, { IP(127, 0, 0, 0), 8 }, { IP(169, 254, 0, 0), 16 },
	{ IP(172, 16, 0, 0), 12 }, { IP(192, 168, 0, 0), 16 },
};

static bool is_inside4(const struct rebind *r, uint32_t ip)
{
	for (size_t i = 0; i < ARRAY_SIZE(inside4); i++)
		if (prefix4_has(inside4[i], ip))
			return true;
	return r->own.len && prefix4_has(r->own, ip);
}

/* is_translated() - 64:ff9b::/96 */
static bool is_translated(struct addr a)
{
	return a.words[0] == htobe32(0x0064ff9b) && a.words[1] == 0 && a.words[2] == 0;
}

bool rebind_is_inside(const struct rebind *r, struct addr a)
{
	if (addr_is4(a) || is_translated(a))
		return is_inside4(r, be32toh(a.words[3]));
	return addr_is_none(a) || addr_is_loopback(a) || addr_is_link_local(a) || (a.bytes[0] & 0xfe) == 0xfc ||
	       (r->own6.len && addr_in(r->own6, a));
}

/* Who knows what the guest makes of what we cannot read: it counts as leading inside. */

/* any_inside() - of a row of addresses of @each bytes */
static bool any_inside(const struct rebind *r, const uint8_t *data, size_t size, size_t each)
{
	for (size_t at = 0; at + each <= size; at += each)
		if (rebind_is_inside(r, each == IP4_SIZE ? addr4(get_u32(data + at)) : addr6(data + at)))
			return true;
	return size % each != 0;
}

/* hints_inside() - the parameters of a service, behind its priority and the target's name, which is not compressed (RFC 9460 2.2) */
static bool hints_inside(const struct rebind *r, const uint8_t *data, size_t size)
{
	size_t pos = 2;
	struct reader in;

	if (size < pos || dns_name_skip(data, size, &pos) < 0)
		return true;
	in = reader_init(data + pos, size - pos);
	while (reader_left(&in)) {
		uint16_t key = read_u16(&in), n = read_u16(&in);
		const uint8_t *value = read_bytes(&in, n);

		if (value && (key == IPV4_HINT || key == IPV6_HINT) && any_inside(r, value, n, key == IPV4_HINT ? IP4_SIZE : ADDR_SIZE))
			return true;
	}
	return in.overrun;
}

static bool record_inside(const struct rebind *r, const struct dns_rr *rr, const uint8_t *data)
{
	switch (rr->type) {
	case DNS_A:
		return any_inside(r, data, rr->size, IP4_SIZE);
	case DNS_AAAA:
		return any_inside(r, data, rr->size, ADDR_SIZE);
	case SVCB:
	case HTTPS:
		return hints_inside(r, data, rr->size);
	default:
		return false;
	}
}

/* is_allowed() - names are put together only where there is something to allow, which is rare */
static bool is_allowed(const struct rebind *r, const struct dns_name *name)
{
	struct dns_name lower = *name, domain;
	char text[DNS_NAME_MAX];

	dns_name_lower(&lower);
	for (const char *at = r->allow; *at; at += *at == ',') {
		size_t n = strcspn(at, ",");

		if (n < sizeof(text)) {
			memcpy(text, at, n);
			text[n] = '\0';
			if (dns_name_from_text(&domain, text) < 0)
				domain.size = 0;
			dns_name_lower(&domain);
			if (domain.size && dns_name_below(&lower, &domain))
				return true;
		}
		at += n;
	}
	return false;
}

bool rebind_offends(const struct rebind *r, const struct dns_name *name, const uint8_t *answer, size_t size)
{
	size_t pos = DNS_HEADER_SIZE;
	struct dns_rr rr;

	if (!r->protect || size < DNS_HEADER_SIZE || dns_name_skip(answer, size, &pos) < 0 || size - pos < 4)
		return false;		/* it is nobody's answer */
	pos += 4;
	for (unsigned n = get_u16(answer + 6) + get_u16(answer + 8) + get_u16(answer + 10); n; n--) {
		bool whole = dns_rr_read(&rr, answer, size, &pos) == 0;

		if (!whole || record_inside(r, &rr, answer + rr.data))
			return !is_allowed(r, name);
	}
	return false;
}
