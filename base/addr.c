// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

static struct addr masked(struct addr a, unsigned len)
{
	for (unsigned i = 0; i < ADDR_SIZE; i++, len -= len < 8 ? len : 8)
		a.bytes[i] &= len < 8 ? (uint8_t)(0xff00 >> len) : 0xff;
	return a;
}

bool addr_in(struct prefix6 prefix, struct addr a)
{
	return addr_equal(masked(a, prefix.len), prefix.addr);
}

struct prefix6 prefix6_of(struct addr a, uint8_t len)
{
	return (struct prefix6){ masked(a, len), len };
}

int addr_parse(const char *text, struct addr *a)
{
	struct addr parsed;
	uint32_t ip;

	if (ip4_parse(text, &ip) == 0) {
		*a = addr4(ip);
		return 0;
	}
	if (inet_pton(AF_INET6, text, parsed.bytes) != 1 || addr_is4(parsed))
		return -EINVAL;
	*a = parsed;
	return 0;
}

char *addr_format(struct addr a, char text[ADDR_TEXT])
{
	if (addr_is4(a))
		return ip4_format(addr_4(a), text);
	inet_ntop(AF_INET6, a.bytes, text, ADDR_TEXT);
	return text;
}

int prefix6_parse(const char *text, struct prefix6 *prefix)
{
	const char *slash = strchr(text, '/');
	char head[ADDR_TEXT];
	struct addr a;
	unsigned long len;

	if (!slash || (size_t)(slash - text) >= sizeof(head))
		return -EINVAL;
	memcpy(head, text, (size_t)(slash - text));
	head[slash - text] = '\0';
	if (addr_parse(head, &a) < 0 || addr_is4(a) || number_parse(slash + 1, 0, 128, &len) < 0)
		return -EINVAL;
	if (!addr_equal(masked(a, (unsigned)len), a))
		return -EINVAL;
	*prefix = (struct prefix6){ a, (uint8_t)len };
	return 0;
}

char *prefix6_format(struct prefix6 prefix, char text[PREFIX6_TEXT])
{
	char ip[ADDR_TEXT];

	snprintf(text, PREFIX6_TEXT, "%s/%u", addr_format(prefix.addr, ip), prefix.len);
	return text;
}

struct addr addr_link_local(const uint8_t mac[6])
{
	/* RFC 4291 appendix A: the universal/local bit is inverted, ff:fe stands in the middle */
	return (struct addr){ .bytes = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4],
					 mac[5] } };
}
