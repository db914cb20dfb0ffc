/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/checksum.h - the Internet checksum (RFC 1071) of headers and payloads
 *
 * A sum is kept as an unfolded 64-bit number of 16-bit words in network order. Sums of pieces may be
 * added as long as each piece but the last has an even size. Any thread.
 */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* checksum_add() - @sum plus the words of @size bytes at @data; an odd last byte is padded with zero */
uint64_t checksum_add(uint64_t sum, const void *data, size_t size);

/* checksum_fold() - sixteen bits of one's complement sum, not inverted */
uint16_t checksum_fold(uint64_t sum);

/* checksum_add_at() - the same for bytes that begin at an odd offset of what is summed, where @odd: pieces of any size add up */
static inline uint64_t checksum_add_at(uint64_t sum, bool odd, const void *data, size_t size)
{
	return odd ? sum + __builtin_bswap16(checksum_fold(checksum_add(0, data, size))) : checksum_add(sum, data, size);
}

/* checksum_pseudo4() - sum of the IPv4 pseudo header (RFC 9293 3.1, RFC 768)
 * @src, @dst:	four bytes each as they stand in the packet
 * @l4_size:	bytes of transport header and payload
 */
uint64_t checksum_pseudo4(const uint8_t *src, const uint8_t *dst, uint8_t proto, uint32_t l4_size);

/* checksum_pseudo6() - the same for IPv6 (RFC 8200 8.1); addresses are sixteen bytes */
uint64_t checksum_pseudo6(const uint8_t *src, const uint8_t *dst, uint8_t proto, uint32_t l4_size);

/* checksum_finish() - the value to store (host order): the folded sum inverted */
static inline uint16_t checksum_finish(uint64_t sum)
{
	return (uint16_t)~checksum_fold(sum);
}

/* checksum_finish_udp() - the same, with 0 sent as 0xffff because 0 means "none" (RFC 768) */
static inline uint16_t checksum_finish_udp(uint64_t sum)
{
	uint16_t v = checksum_finish(sum);

	return v ? v : 0xffff;
}

#endif
