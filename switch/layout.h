/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/layout.h - where the transport header of an untagged frame stands, as far as its first bytes tell
 *
 * For requests about checksums and segments (switch/offload.h), IPv4 and IPv6 alike; switch/packet.h parses for the gateway, and
 * refuses more. Sources: RFC 791, 8200, 9293, 768. Pure functions, any thread.
 */
#ifndef SWITCH_LAYOUT_H
#define SWITCH_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

enum { TCP_CHECKSUM = 16, UDP_CHECKSUM = 6 };	/* offsets from the transport header */

struct layout {
	bool v6;
	bool fragment;			/* of a datagram: its transport header is not whole, or not here */
	uint8_t proto;			/* what stands behind the IP header; of IPv6 that may be an extension header */
	uint16_t l4;			/* where it begins */
	uint16_t payload;		/* behind the TCP or UDP header; 0: neither, or not whole in these bytes */
};

/* layout_find() - @size bytes of the frame are at @head, at least an Ethernet header
 * Return: false when it is neither IPv4 nor IPv6, or its IP header is not whole in these bytes; then @l is not written.
 */
bool layout_find(const uint8_t *head, uint32_t size, struct layout *l);

/* layout_checksum() - offset of the checksum from the transport header of TCP or UDP */
static inline uint16_t layout_checksum(const struct layout *l)
{
	return l->proto == 6 ? TCP_CHECKSUM : UDP_CHECKSUM;
}

#endif
