// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/layout.h"

#include "base/bytes.h"
#include "switch/packet.h"

enum { IP4_ANY_FRAGMENT = 0x3fff, PROTO_IP6_FRAGMENT = 44 };

static bool find_ip(const uint8_t *head, uint32_t size, struct layout *l)
{
	const uint8_t *ip = head + ETH_HEADER;
	uint16_t ethertype = get_u16(head + 12);

	if (ethertype == ETHERTYPE_IP4 && size >= ETH_HEADER + IP4_HEADER && ip[0] >> 4 == 4) {
		*l = (struct layout){ .proto = ip[9], .l4 = (uint16_t)(ETH_HEADER + (ip[0] & 15) * 4) };
		l->fragment = get_u16(ip + 6) & IP4_ANY_FRAGMENT;
		return l->l4 >= ETH_HEADER + IP4_HEADER && l->l4 <= size;
	}
	if (ethertype == ETHERTYPE_IP6 && size >= ETH_HEADER + IP6_HEADER && ip[0] >> 4 == 6) {
		*l = (struct layout){ .v6 = true, .proto = ip[6], .l4 = ETH_HEADER + IP6_HEADER };
		l->fragment = ip[6] == PROTO_IP6_FRAGMENT;
		return true;
	}
	return false;
}

/* behind_l4() - where the payload of TCP or UDP begins, or 0 */
static uint16_t behind_l4(const uint8_t *head, uint32_t size, const struct layout *l)
{
	uint32_t header = UDP_HEADER;

	if (l->fragment)
		return 0;
	if (l->proto == PROTO_TCP && size >= l->l4 + (uint32_t)TCP_HEADER) {
		header = (uint32_t)(head[l->l4 + 12] >> 4) * 4;
		if (header < TCP_HEADER)
			return 0;
	} else if (l->proto != PROTO_UDP) {
		return 0;
	}
	return l->l4 + header <= size ? (uint16_t)(l->l4 + header) : 0;
}

bool layout_find(const uint8_t *head, uint32_t size, struct layout *out)
{
	struct layout l;

	if (!find_ip(head, size, &l))
		return false;
	l.payload = behind_l4(head, size, &l);
	*out = l;
	return true;
}
