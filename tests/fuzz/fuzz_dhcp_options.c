// SPDX-License-Identifier: GPL-2.0-or-later
/* covers: dhcp/option_value.c dhcp/option_set.c dhcp/option_table.c dhcp/class.c dhcp/traits.c dhcp/relay_info.c */
/* max_len: 2048 */
/* What people write about DHCP, and what guests send to be compared with it. The input is lines: options, or after '~' a pattern and the
 * rest of the input as bytes, after '^' an option of DHCPv6, after '@' a MAC address with stars, after '#' a number of a type and bytes to be written as text. What is
 * taken must come back as the same; what is written must be read back as the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/class.h"
#include "dhcp/option_set.h"
#include "dhcp/relay_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what) do { if (!(what)) abort(); } while (0)

static void try_line(struct option_set *set, const char *line)
{
	struct option_set one = { .family = set->family }, again = one;
	char text[OPTION_LINE_TEXT], why[OPTION_WHY] = "";

	option_set_add(set, line, why);
	if (option_set_add(&one, line, why) == 0) {
		option_set_text(&one, &one.of[0], text);
		MUST(option_set_add(&again, text, why) == 0);
		MUST(option_set_equal(&one, &again));
		MUST(option_set_find(&one, one.of[0].code));
	}
	option_set_fini(&one);
	option_set_fini(&again);
}

static void try_mac(const char *text)
{
	uint8_t mac[MAC_SIZE], mask[MAC_SIZE], mac2[MAC_SIZE], mask2[MAC_SIZE];
	char back[MAC_TEXT];

	if (mac_pattern_parse(text, mac, mask) < 0)
		return;
	mac_pattern_format(mac, mask, back);
	MUST(mac_pattern_parse(back, mac2, mask2) == 0 && !memcmp(mac, mac2, MAC_SIZE) && !memcmp(mask, mask2, MAC_SIZE));
}

static void try_value(uint8_t type, const uint8_t *data, size_t size)
{
	static char text[OPTION_VALUE_TEXT];
	uint8_t back[OPTION_VALUE_MAX];
	enum option_type as = option_value_format((enum option_type)(type % VALUE_TYPE_COUNT), data, size, text);
	size_t n = MIN_OF(size, (size_t)OPTION_VALUE_MAX);

	if (!n)
		return;
	MUST(option_value_parse(as, text, back, sizeof(back)) == (int)n);
	MUST(!memcmp(back, data, n));
}

/* try_class() - by each pattern that a class can have, with an architecture and without */
static void try_class(const struct guest_traits *t, const char *pattern)
{
	struct dhcp_match match = { .by_mac = true, .mac = { 2 }, .mac_mask = { 255 }, .arch = { 7 }, .narch = 1 };

	for (unsigned field = 0; field < 4; field++) {
		char *to[] = { match.vendor, match.user, match.circuit, match.port };

		if (pattern_valid(pattern))
			strcpy(to[field], pattern);
		class_matches(&match, t);
		match.narch = 0;
		to[field][0] = '\0';
		class_matches(&match, t);
	}
}

/* try_guest() - the rest as what a guest says of itself, in a relayed message */
static void try_guest(const char *pattern, const uint8_t *data, size_t size)
{
	static const uint8_t mac[MAC_SIZE] = { 2, 0, 0, 0, 0, 1 };
	static struct dhcp_message m;
	struct guest_id who = { .port = "web1", .mac = mac };
	struct guest_traits traits;
	struct dhcp6_message m6;
	uint8_t packet[DHCP_FIXED_SIZE + 4 + 3 + 512] = { BOOTP_REQUEST, HTYPE_ETHERNET, 6, [24] = 10 };
	size_t n = MIN_OF(size, (size_t)512);

	MUST(!pattern_valid(pattern) || pattern_matches("*", data, size));
	pattern_matches(pattern, data, size);
	put_u32(packet + DHCP_FIXED_SIZE, DHCP_COOKIE);
	memcpy(packet + DHCP_FIXED_SIZE + 4, "\x35\1\1", 3);
	if (n)
		memcpy(packet + DHCP_FIXED_SIZE + 7, data, n);
	relay_link_of(packet, DHCP_FIXED_SIZE + 7 + n);
	if (dhcp6_message_parse(&m6, data, n) == 0) {
		traits6(&traits, &who, &m6);
		try_class(&traits, pattern);
	}
	if (message_parse(&m, packet, DHCP_FIXED_SIZE + 7 + n) < 0)
		return;
	MUST(relay_link(&m) != 0);
	who.circuit = relay_sub_option(&m, RELAY_CIRCUIT, &who.circuit_size);
	traits4(&traits, &who, &m);
	try_class(&traits, pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct option_set set = { .family = OPTIONS4 }, set6 = { .family = OPTIONS6 };
	char line[600];
	size_t at = 0;

	while (at < size) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t n = end ? (size_t)(end - data) - at : size - at, kept = MIN_OF(n, sizeof(line) - 1);

		memcpy(line, data + at, kept);
		line[kept] = '\0';
		if (line[0] == '~')
			try_guest(line + 1, data + at + n, size - at - n);
		else if (line[0] == '^')
			try_line(&set6, line + 1);
		else if (line[0] == '@')
			try_mac(line + 1);
		else if (line[0] == '#' && n >= 2)
			try_value(data[at + 1], data + at + 2, n - 2);
		else
			try_line(&set, line);
		at += n + 1;
	}
	option_set_fini(&set);
	option_set_fini(&set6);
	return 0;
}
