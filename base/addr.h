/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/addr.h - an IP address of either family in sixteen bytes
 *
 * In network order, as in an IPv6 header; an IPv4 address is ::ffff:a.b.c.d (RFC 4291 2.5.5.2), and all zeros (::) is no address. A packet
 * with such a mapped address in an IPv6 header is refused where it is parsed, so one form never stands for two things. Any thread.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <endian.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { ADDR_TEXT = 46, ADDR_SIZE = 16, PREFIX6_TEXT = 50 };

struct addr {
	union {
		uint8_t bytes[ADDR_SIZE];
		uint32_t words[4];		/* network order */
		uint64_t halves[2];		/* network order */
	};
};

/* prefix6 - an IPv6 network; host bits of addr are zero */
struct prefix6 {
	struct addr addr;
	uint8_t len;			/* 0..128 */
};

/* sock_addr - either family for the socket calls */
union sock_addr {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/* addr4() - from an IPv4 address in host order; addr_4() - back; only of what addr_is4() */
static inline struct addr addr4(uint32_t ip)
{
	return (struct addr){ .words = { 0, 0, htobe32(0xffff), htobe32(ip) } };
}

static inline uint32_t addr_4(struct addr a)
{
	return be32toh(a.words[3]);
}

static inline bool addr_is4(struct addr a)
{
	return a.halves[0] == 0 && a.words[2] == htobe32(0xffff);
}

/* addr6() - sixteen bytes as they stand in an IPv6 header */
static inline struct addr addr6(const void *bytes)
{
	struct addr a;

	memcpy(a.bytes, bytes, sizeof(a.bytes));
	return a;
}

static inline bool addr_equal(struct addr a, struct addr b)
{
	return a.halves[0] == b.halves[0] && a.halves[1] == b.halves[1];
}

/* addr_is_none() - all zeros: no address, or IPv6's unspecified one */
static inline bool addr_is_none(struct addr a)
{
	return (a.halves[0] | a.halves[1]) == 0;
}

/* Scopes of either family (RFC 1122 3.2.1.3, RFC 4291 2.4) */
static inline bool addr_is_multicast(struct addr a)
{
	return addr_is4(a) ? addr_4(a) >> 28 == 14 : a.bytes[0] == 0xff;
}

static inline bool addr_is_loopback(struct addr a)
{
	return addr_is4(a) ? addr_4(a) >> 24 == 127 : a.halves[0] == 0 && a.halves[1] == htobe64(1);
}

static inline bool addr_is_link_local(struct addr a)
{
	return addr_is4(a) ? addr_4(a) >> 16 == 0xa9fe : a.bytes[0] == 0xfe && (a.bytes[1] & 0xc0) == 0x80;
}

/* addr_hash() - under a secret @seed: one wide multiplication, of which neither factor is known to who chooses the address */
static inline uint64_t addr_hash(struct addr a, uint64_t seed)
{
	unsigned __int128 m = (unsigned __int128)(a.halves[0] ^ seed) * (a.halves[1] ^ (seed * 0x9e3779b97f4a7c15ull | 1));

	return (uint64_t)m ^ (uint64_t)(m >> 64) ^ a.halves[1];
}

/* addr_in() - does the prefix hold @a? The mapped form of an IPv4 address is in none but ::/0 and ::ffff:0:0/96. */
bool addr_in(struct prefix6 prefix, struct addr a);

/* addr_parse() - either family's usual form; the mapped and scoped forms are refused. Return: 0 or -EINVAL, nothing written
 * addr_format() - IPv4 as dotted quad, IPv6 after RFC 5952 */
int addr_parse(const char *text, struct addr *a);
char *addr_format(struct addr a, char text[ADDR_TEXT]);

/* prefix6_of() - the network of that length that @a is in */
struct prefix6 prefix6_of(struct addr a, uint8_t len);

/* prefix6_parse() - "fd00:1::/64"; host bits must be zero, or -EINVAL */
int prefix6_parse(const char *text, struct prefix6 *prefix);
char *prefix6_format(struct prefix6 prefix, char text[PREFIX6_TEXT]);

/* addr_link_local() - fe80::/64 with the interface identifier of a MAC address (RFC 2464 5) */
struct addr addr_link_local(const uint8_t mac[6]);

/* addr_to_sock() - for the socket calls, in the family of @a; Return: its size
 * addr_from_sock() - back; a mapped address becomes IPv4; none for other families */
static inline socklen_t addr_to_sock(struct addr a, uint16_t port, union sock_addr *to)
{
	if (addr_is4(a)) {
		to->in4 = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_port = htobe16(port), .sin_addr.s_addr = a.words[3],
		};
		return sizeof(to->in4);
	}
	to->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htobe16(port) };
	memcpy(&to->in6.sin6_addr, a.bytes, sizeof(a.bytes));
	return sizeof(to->in6);
}

static inline struct addr addr_from_sock(const union sock_addr *from)
{
	if (from->any.sa_family == AF_INET)
		return addr4(be32toh(from->in4.sin_addr.s_addr));
	if (from->any.sa_family == AF_INET6)
		return addr6(&from->in6.sin6_addr);
	return (struct addr){ 0 };
}

/* sock_addr_port() - host order; sin_port and sin6_port lie at the same place */
static inline uint16_t sock_addr_port(const union sock_addr *a)
{
	return be16toh(a->in4.sin_port);
}

/* addr_family() - AF_INET or AF_INET6 */
static inline int addr_family(struct addr a)
{
	return addr_is4(a) ? AF_INET : AF_INET6;
}

#endif
