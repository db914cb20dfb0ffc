// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/checksum.h"

#include <endian.h>
#include <string.h>

#include "base/bytes.h"

/* One's complement addition does not care about byte order inside a word (RFC 1071 2.B), so the loop adds
 * native 32-bit words and the result is turned round once. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t native = 0;

	for (; size >= 32; size -= 32, p += 32) {
		uint32_t w[8];

		memcpy(w, p, sizeof(w));
		native += (uint64_t)w[0] + w[1] + w[2] + w[3];
		native += (uint64_t)w[4] + w[5] + w[6] + w[7];
	}
	for (; size >= 2; size -= 2, p += 2) {
		uint16_t w;

		memcpy(&w, p, sizeof(w));
		native += w;
	}
	if (size) {
		uint16_t w = 0;

		memcpy(&w, p, 1);
		native += w;
	}
	return sum + be16toh(checksum_fold(native));
}

static uint64_t pseudo(const uint8_t *src, const uint8_t *dst, size_t addr_size, uint8_t proto, uint32_t l4_size)
{
	uint64_t sum = (uint64_t)(l4_size >> 16) + (l4_size & 0xffff) + proto;

	for (size_t i = 0; i < addr_size; i += 2)
		sum += (uint64_t)get_u16(src + i) + get_u16(dst + i);
	return sum;
}

uint64_t checksum_pseudo4(const uint8_t *src, const uint8_t *dst, uint8_t proto, uint32_t l4_size)
{
	return pseudo(src, dst, 4, proto, l4_size);
}

uint64_t checksum_pseudo6(const uint8_t *src, const uint8_t *dst, uint8_t proto, uint32_t l4_size)
{
	return pseudo(src, dst, 16, proto, l4_size);
}

uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}
