// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/hash.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mac_parse(const char *text, uint8_t mac[MAC_SIZE])
{
	uint8_t m[MAC_SIZE];

	if (strlen(text) != MAC_TEXT - 1)
		return -EINVAL;
	for (int i = 0; i < MAC_SIZE; i++) {
		int hi = hex_digit(text[3 * i]), lo = hex_digit(text[3 * i + 1]);
		char sep = text[3 * i + 2];

		if (hi < 0 || lo < 0 || (i < MAC_SIZE - 1 && sep != ':' && sep != '-'))
			return -EINVAL;
		m[i] = (uint8_t)(hi << 4 | lo);
	}
	memcpy(mac, m, MAC_SIZE);
	return 0;
}

char *mac_format(const uint8_t mac[MAC_SIZE], char text[MAC_TEXT])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return text;
}

/* The seed is a constant: the address must be the same on every host and in every year. */
void mac_from_names(const char *net, const char *port, uint8_t mac[MAC_SIZE])
{
	char both[2 * NAME_MAX_SIZE + 2];
	uint64_t h;
	int n = snprintf(both, sizeof(both), "%s/%s", net, port);

	h = hash_bytes(both, (size_t)n < sizeof(both) ? (size_t)n : sizeof(both) - 1, 0x6c616e79617264ull);
	put_u16(mac, (uint16_t)(h >> 32));
	put_u32(mac + 2, (uint32_t)h);
	mac[0] = (mac[0] & 0xfc) | 0x02;	/* IEEE 802c: locally administered, individual */
}

int ip4_parse(const char *text, uint32_t *ip)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		return -EINVAL;
	*ip = ntohl(a.s_addr);
	return 0;
}

char *ip4_format(uint32_t ip, char text[IP4_TEXT])
{
	snprintf(text, IP4_TEXT, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
	return text;
}

/* split_at() - copy what stands before @sep to @left, and return what stands behind it, or NULL */
static const char *split_at(const char *text, char sep, char *left, size_t room)
{
	const char *p = strchr(text, sep);

	if (!p || (size_t)(p - text) >= room)
		return NULL;
	memcpy(left, text, (size_t)(p - text));
	left[p - text] = '\0';
	return p + 1;
}

int ip4_range_parse(const char *text, uint32_t *first, uint32_t *last)
{
	char left[IP4_TEXT];
	const char *right = split_at(text, '-', left, sizeof(left));
	uint32_t a, b;

	if (!right || ip4_parse(left, &a) < 0 || ip4_parse(right, &b) < 0 || a > b)
		return -EINVAL;
	*first = a;
	*last = b;
	return 0;
}

int prefix4_parse(const char *text, struct prefix4 *prefix)
{
	char left[IP4_TEXT];
	const char *right = split_at(text, '/', left, sizeof(left));
	unsigned long len;
	struct prefix4 p;

	if (!right || ip4_parse(left, &p.addr) < 0 || number_parse(right, 0, 32, &len) < 0)
		return -EINVAL;
	p.len = (uint8_t)len;
	if (p.addr & ~prefix4_mask(p))
		return -EINVAL;
	*prefix = p;
	return 0;
}

char *prefix4_format(struct prefix4 prefix, char text[PREFIX4_TEXT])
{
	char ip[IP4_TEXT];

	snprintf(text, PREFIX4_TEXT, "%s/%u", ip4_format(prefix.addr, ip), prefix.len);
	return text;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool name_valid(const char *name)
{
	size_t n = strlen(name);

	if (n < 1 || n > 63 || !name_char(name[0]) || !name_char(name[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!name_char(name[i]) && name[i] != '-')
			return false;
	return true;
}

int segment_name_parse(const char *text, struct segment_name *name)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	struct segment_name s = { .vid = 1 };
	unsigned long vid;

	if (n >= sizeof(s.net))
		return -EINVAL;
	memcpy(s.net, text, n);
	if (!name_valid(s.net))
		return -EINVAL;
	if (colon) {				/* one spelling of each: VLAN 1 is said by the network's name alone */
		if (colon[1] == '0' || number_parse(colon + 1, 2, 4094, &vid) < 0)
			return -EINVAL;
		s.vid = (uint16_t)vid;
	}
	*name = s;
	return 0;
}

static const struct {
	char unit;
	uint32_t seconds;
} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

int duration_parse(const char *text, uint32_t *seconds)
{
	char number[12];
	size_t n = strlen(text);
	unsigned long v;

	if (!strcmp(text, "infinite")) {
		*seconds = UINT32_MAX;
		return 0;
	}
	if (n < 2 || n > sizeof(number))
		return -EINVAL;
	memcpy(number, text, n - 1);
	number[n - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (units[i].unit != text[n - 1])
			continue;
		if (number_parse(number, 0, (UINT32_MAX - 1) / units[i].seconds, &v) < 0)
			return -EINVAL;
		*seconds = (uint32_t)v * units[i].seconds;
		return 0;
	}
	return -EINVAL;
}

char *duration_format(uint32_t seconds, char text[16])
{
	size_t i = 0;

	if (seconds == UINT32_MAX)
		return strcpy(text, "infinite");
	while (seconds == 0 ? units[i].seconds != 1 : seconds % units[i].seconds != 0)
		i++;
	snprintf(text, 16, "%u%c", seconds / units[i].seconds, units[i].unit);
	return text;
}

int number_parse(const char *text, unsigned long min, unsigned long max, unsigned long *value)
{
	char *end;
	unsigned long v;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || v < min || v > max)
		return -EINVAL;
	*value = v;
	return 0;
}

size_t port_range_span(const char *text)
{
	size_t n = strspn(text, "0123456789"), more = n && text[n] == '-' ? strspn(text + n + 1, "0123456789") : 0;

	return more ? n + 1 + more : n;
}

int port_range_parse(const char *text, struct port_range *range)
{
	size_t n = strcspn(text, "-");
	unsigned long first, last;
	char left[8];

	if (n >= sizeof(left))
		return -EINVAL;
	memcpy(left, text, n);
	left[n] = '\0';
	if (number_parse(left, 1, 65535, &first) < 0 || number_parse(text[n] ? text + n + 1 : left, first, 65535, &last) < 0)
		return -EINVAL;
	*range = (struct port_range){ (uint16_t)first, (uint16_t)(last - first + 1) };
	return 0;
}

char *port_range_format(struct port_range r, char text[PORT_RANGE_TEXT])
{
	if (r.count == 1)
		snprintf(text, PORT_RANGE_TEXT, "%u", r.first);
	else
		snprintf(text, PORT_RANGE_TEXT, "%u-%u", r.first, (uint16_t)(r.first + r.count - 1u));
	return text;
}
