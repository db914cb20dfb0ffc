// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dns_local.h"

#include <string.h>

#include "base/array.h"
#include "base/bytes.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

enum { OCTETS = 4, NIBBLES = 32 };

/* IPv4 networks whose reverse zones are ours to answer; a zone is cut at whole octets. */
static const struct prefix4 networks[] = {
	{ IP(10, 0, 0, 0), 8 },		{ IP(172, 16, 0, 0), 12 },	{ IP(192, 168, 0, 0), 16 },	/* RFC 6303 4.1 */
	{ IP(0, 0, 0, 0), 8 },		{ IP(127, 0, 0, 0), 8 },	{ IP(169, 254, 0, 0), 16 },	/* 4.2 */
	{ IP(192, 0, 2, 0), 24 },	{ IP(198, 51, 100, 0), 24 },	{ IP(203, 0, 113, 0), 24 },
	{ IP(255, 255, 255, 255), 32 },	{ IP(100, 64, 0, 0), 10 },					/* RFC 7793 */
};

/* IPv6 ones, as nibbles from the top: RFC 6303 4.3 to 4.6 */
static const char *const networks6[] = {
	"fd", "fc", "fe8", "fe9", "fea", "feb", "20010db8",
	"00000000000000000000000000000000", "00000000000000000000000000000001",
};

/* Top-level names that mean nothing, or something else, to the DNS of the world. */
static const char *const tops[] = { "localhost", "invalid", "test", "onion", "alt", "internal", "local" };

/* label_at() - the @i-th label of @name counted from the right, of @n; its size is the first byte */
static const uint8_t *label_at(const struct dns_name *name, unsigned n, unsigned i)
{
	size_t at = 0;

	for (unsigned skip = n - 1 - i; skip; skip--)
		at += 1u + name->wire[at];
	return name->wire + at;
}

static bool label_is(const uint8_t *label, const char *text)
{
	return label[0] == strlen(text) && !memcmp(label + 1, text, label[0]);
}

/* octet_of() - 0..255 as it is written without leading zeros, or -1 */
static int octet_of(const uint8_t *label)
{
	int v = 0;

	if (label[0] < 1 || label[0] > 3 || (label[0] > 1 && label[1] == '0'))
		return -1;
	for (unsigned i = 1; i <= label[0]; i++) {
		if (label[i] < '0' || label[i] > '9')
			return -1;
		v = 10 * v + label[i] - '0';
	}
	return v <= 255 ? v : -1;
}

static bool in_network(struct prefix4 net, uint32_t ip, unsigned octets, unsigned *cut)
{
	*cut = (net.len + 7u) / 8u;
	return octets >= *cut && prefix4_has(net, ip);
}

static bool find_network(struct prefix4 subnet, uint32_t ip, unsigned octets, unsigned *cut)
{
	if (subnet.len && in_network(subnet, ip, octets, cut))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++)
		if (in_network(networks[i], ip, octets, cut))
			return true;
	return false;
}

/* reverse4() - a name of @n labels below in-addr.arpa */
static enum dns_local reverse4(const struct dns_name *name, unsigned n, struct prefix4 subnet,
			       struct dns_name *zone)
{
	unsigned octets, cut;
	uint32_t ip = 0;

	for (octets = 0; octets < OCTETS && octets + 2 < n; octets++) {
		int v = octet_of(label_at(name, n, octets + 2));

		if (v < 0)
			break;
		ip |= (uint32_t)v << (24 - 8 * octets);
	}
	if (!find_network(subnet, ip, octets, &cut))
		return DNS_LOCAL_NOT;
	dns_name_strip(zone, name, n - 2 - cut);
	if (n == 2 + OCTETS && octets == OCTETS && ip == IP(127, 0, 0, 1))
		return DNS_LOCAL_LOOPBACK;
	if (n == 2 + cut)
		return DNS_LOCAL_APEX;
	return n == 2 + octets && octets < OCTETS ? DNS_LOCAL_PART : DNS_LOCAL_BELOW;
}

static enum dns_local reverse6(const struct dns_name *name, unsigned n, struct dns_name *zone)
{
	char nibbles[NIBBLES + 1] = "";
	unsigned k;

	for (k = 0; k < NIBBLES && k + 2 < n; k++) {
		const uint8_t *label = label_at(name, n, k + 2);

		if (label[0] != 1)
			break;
		nibbles[k] = (char)label[1];
	}
	for (size_t i = 0; i < ARRAY_SIZE(networks6); i++) {
		unsigned cut = (unsigned)strlen(networks6[i]);

		if (k < cut || memcmp(nibbles, networks6[i], cut))
			continue;
		dns_name_strip(zone, name, n - 2 - cut);
		if (n == 2 + cut)
			return DNS_LOCAL_APEX;
		return n == 2 + k && k < NIBBLES ? DNS_LOCAL_PART : DNS_LOCAL_BELOW;
	}
	return DNS_LOCAL_NOT;
}

static enum dns_local below_arpa(const struct dns_name *name, unsigned n, struct prefix4 subnet,
				 struct dns_name *zone)
{
	const uint8_t *second;

	if (n < 2)
		return DNS_LOCAL_NOT;
	second = label_at(name, n, 1);
	if (label_is(second, "in-addr"))
		return reverse4(name, n, subnet, zone);
	if (label_is(second, "ip6"))
		return reverse6(name, n, zone);
	if (!label_is(second, "home") && !label_is(second, "resolver"))
		return DNS_LOCAL_NOT;
	dns_name_strip(zone, name, n - 2);
	return n == 2 ? DNS_LOCAL_APEX : DNS_LOCAL_BELOW;
}

enum dns_local dns_local(const struct dns_name *lower, const struct dns_name *origin, struct prefix4 subnet,
			 struct dns_name *zone)
{
	unsigned n = dns_name_labels(lower);
	const uint8_t *top;

	if (n && origin->size > 1 && dns_name_below(lower, origin)) {
		*zone = *origin;
		return lower->size == origin->size ? DNS_LOCAL_APEX : DNS_LOCAL_BELOW;
	}
	if (!n)
		return DNS_LOCAL_NOT;
	top = label_at(lower, n, 0);
	if (label_is(top, "arpa"))
		return below_arpa(lower, n, subnet, zone);
	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		if (!label_is(top, tops[i]))
			continue;
		dns_name_strip(zone, lower, n - 1);
		if (!i)
			return DNS_LOCAL_HOST;
		return n == 1 ? DNS_LOCAL_APEX : DNS_LOCAL_BELOW;
	}
	return DNS_LOCAL_NOT;
}
