// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/class.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "dhcp/option_value.h"

/* glob() - one pass: after a mismatch the last star takes one byte more */
static bool glob(const char *pattern, const uint8_t *data, size_t size)
{
	const char *star = NULL;
	size_t i = 0, from = 0;

	while (i < size) {
		if (*pattern == '*') {
			star = pattern++;
			from = i;
		} else if (*pattern && (uint8_t)*pattern == data[i]) {
			pattern++;
			i++;
		} else if (star) {
			pattern = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

static bool is_hex(const char *pattern)
{
	return !strncmp(pattern, "0x", 2);
}

static int hex_parse(const char *pattern, uint8_t *data)
{
	return option_value_parse(VALUE_HEX, pattern + 2, data, DHCP_PATTERN_MAX);
}

bool pattern_matches(const char *pattern, const uint8_t *data, size_t size)
{
	uint8_t bytes[DHCP_PATTERN_MAX];
	int n;

	if (!is_hex(pattern))
		return glob(pattern, data, size);
	n = hex_parse(pattern, bytes);
	return n > 0 && (size_t)n == size && !memcmp(bytes, data, size);
}

bool pattern_valid(const char *pattern)
{
	uint8_t bytes[DHCP_PATTERN_MAX];

	return pattern[0] && strlen(pattern) < DHCP_PATTERN_MAX && (!is_hex(pattern) || hex_parse(pattern, bytes) > 0);
}

/* option_matches() - an empty pattern asks for nothing; any other one for the option to be there */
static bool option_matches(const char *pattern, const uint8_t *data, size_t size)
{
	return !pattern[0] || (data && pattern_matches(pattern, data, size));
}

static bool said_matches(const char *pattern, const struct guest_said *said)
{
	return !pattern[0] || said_any(said, pattern_matches, pattern);
}

static bool mac_matches(const struct dhcp_match *match, const uint8_t *mac)
{
	for (unsigned i = 0; match->by_mac && i < MAC_SIZE; i++)
		if ((mac[i] ^ match->mac[i]) & match->mac_mask[i])
			return false;
	return true;
}

/* arch_matches() - a client may name several architectures (RFC 4578 2.1) */
static bool arch_matches(const struct dhcp_match *match, const uint8_t *data, size_t size)
{
	for (size_t at = 0; data && at + 2 <= size; at += 2)
		for (unsigned i = 0; i < match->narch; i++)
			if (get_u16(data + at) == match->arch[i])
				return true;
	return !match->narch;
}

bool class_matches(const struct dhcp_match *match, const struct guest_traits *t)
{
	const struct guest_id *who = &t->id;

	return mac_matches(match, who->mac) && option_matches(match->port, (const uint8_t *)who->port, strlen(who->port)) &&
	       said_matches(match->vendor, &t->vendor) && said_matches(match->user, &t->user) &&
	       option_matches(match->circuit, who->circuit, who->circuit_size) && arch_matches(match, t->arch, t->arch_size);
}

/* hex_byte() - two digits. Return: the byte, or -1. */
static int hex_byte(const char *text)
{
	char pair[3] = { text[0], text[0] ? text[1] : '\0', '\0' };
	uint8_t byte;

	return option_value_parse(VALUE_HEX, pair, &byte, 1) == 1 ? byte : -1;
}

int mac_pattern_parse(const char *text, uint8_t mac[MAC_SIZE], uint8_t mask[MAC_SIZE])
{
	uint8_t bytes[MAC_SIZE] = { 0 }, set[MAC_SIZE] = { 0 };
	unsigned i = 0;

	for (;; i++) {
		int byte = i < MAC_SIZE && *text != '*' ? hex_byte(text) : 0;

		if (i == MAC_SIZE || byte < 0)
			return -EINVAL;
		bytes[i] = (uint8_t)byte;
		set[i] = *text == '*' ? 0 : 0xff;
		text += set[i] ? 2 : 1;
		if (!*text)
			break;
		if (*text++ != ':')
			return -EINVAL;
	}
	if (i < MAC_SIZE - 1 && set[i])
		return -EINVAL;		/* too short, and no star for the rest */
	memcpy(mac, bytes, MAC_SIZE);
	memcpy(mask, set, MAC_SIZE);
	return 0;
}

const char *mac_pattern_format(const uint8_t mac[MAC_SIZE], const uint8_t mask[MAC_SIZE], char text[MAC_TEXT])
{
	unsigned n = MAC_SIZE;
	char *to = text;

	while (n > 1 && !mask[n - 1] && !mask[n - 2])
		n--;			/* one star for all at the end */
	for (unsigned i = 0; i < n; i++)
		to += mask[i] ? sprintf(to, "%s%02x", i ? ":" : "", mac[i]) : sprintf(to, "%s*", i ? ":" : "");
	return text;
}
