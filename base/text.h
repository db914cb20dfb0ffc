/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/text.h - the written forms of addresses, prefixes, names and durations
 *
 * IPv4 addresses are uint32_t in host order inside the program; MAC addresses are six bytes as on the wire.
 * Parsers take the whole string or nothing: they return 0, or -EINVAL and leave the result alone.
 * Formatters write a terminated string and return it. Any thread.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { MAC_SIZE = 6, MAC_TEXT = 18, IP4_TEXT = 16, PREFIX4_TEXT = 20, NAME_MAX_SIZE = 64, PORT_RANGE_TEXT = 12 };

/* prefix4 - an IPv4 network; host bits of addr are zero */
struct prefix4 {
	uint32_t addr;		/* host order */
	uint8_t len;		/* 0..32 */
};

int mac_parse(const char *text, uint8_t mac[MAC_SIZE]);
char *mac_format(const uint8_t mac[MAC_SIZE], char text[MAC_TEXT]);

/* mac_from_names() - the fixed, locally administered, unicast address of port @port on network @net */
void mac_from_names(const char *net, const char *port, uint8_t mac[MAC_SIZE]);

/* mac_word() - six bytes as one number, the first lowest */
static inline uint64_t mac_word(const uint8_t *mac)
{
	uint32_t low;
	uint16_t high;

	memcpy(&low, mac, sizeof(low));
	memcpy(&high, mac + sizeof(low), sizeof(high));
	return (uint64_t)le16toh(high) << 32 | le32toh(low);
}

static inline bool mac_is_group(const uint8_t *mac)
{
	return mac[0] & 1;
}

int ip4_parse(const char *text, uint32_t *ip);
char *ip4_format(uint32_t ip, char text[IP4_TEXT]);

/* ip4_range_parse() - "10.0.0.100-10.0.0.199"; first <= last or -EINVAL */
int ip4_range_parse(const char *text, uint32_t *first, uint32_t *last);

/* prefix4_parse() - "10.77.0.0/24"; host bits must be zero, or -EINVAL */
int prefix4_parse(const char *text, struct prefix4 *prefix);
char *prefix4_format(struct prefix4 prefix, char text[PREFIX4_TEXT]);

static inline uint32_t prefix4_mask(struct prefix4 p)
{
	return p.len ? 0xffffffffu << (32 - p.len) : 0;
}

static inline bool prefix4_has(struct prefix4 p, uint32_t ip)
{
	return (ip & prefix4_mask(p)) == p.addr;
}

static inline uint32_t prefix4_last(struct prefix4 p)
{
	return p.addr | ~prefix4_mask(p);
}

/* name_valid() - a network or port name: [a-z0-9]([a-z0-9-]{0,61}[a-z0-9])? */
bool name_valid(const char *name);

/* segment_name - a network's own segment, or one of its VLANs that has addresses: "lab" (VLAN 1), "lab:20" */
enum { SEGMENT_NAME_TEXT = NAME_MAX_SIZE + 5 };
struct segment_name {
	char net[NAME_MAX_SIZE];
	uint16_t vid;
};

int segment_name_parse(const char *text, struct segment_name *name);

/* duration_parse() - "90s", "10m", "1h", "7d", or "infinite" as UINT32_MAX; in seconds; a bare number is refused */
int duration_parse(const char *text, uint32_t *seconds);
char *duration_format(uint32_t seconds, char text[16]);

/* port_range - @count ports of TCP or UDP in a row */
struct port_range {
	uint16_t first, count;	/* both at least 1, and the last at most 65535 */
};

/* port_range_parse() - "8080" or "8000-8099"
 * port_range_span() - length of the text of such a range that @text begins with, or 0; whether its numbers fit is not looked at
 */
int port_range_parse(const char *text, struct port_range *range);
char *port_range_format(struct port_range range, char text[PORT_RANGE_TEXT]);
size_t port_range_span(const char *text);

/* number_parse() - a whole decimal number in min..max */
int number_parse(const char *text, unsigned long min, unsigned long max, unsigned long *value);

#endif
