// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/loop.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "switch/build.h"
#include "switch/frame.h"

enum { ETHERTYPE_EXPERIMENTAL = 0x88b5 };

static const char text[] = "lanyard loop probe";

void loop_mac(uint32_t net_id, uint32_t port, uint64_t round, uint8_t mac[MAC_SIZE])
{
	uint64_t of = hash_u64(hash_u64((uint64_t)net_id << 32 | port, hash_seed()) + round, ~hash_seed());

	memcpy(mac, &of, MAC_SIZE);
	mac[0] = (uint8_t)((mac[0] & ~1) | 2);
}

void loop_probe(uint8_t *to, const uint8_t mac[MAC_SIZE])
{
	static const uint8_t everybody[MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint8_t *payload = build_eth(to, everybody, mac, ETHERTYPE_EXPERIMENTAL);

	memset(payload, 0, LOOP_PROBE_SIZE - ETH_HEADER);
	memcpy(payload, text, sizeof(text));
}

bool loop_is_probe(const struct frame *f)
{
	return f->len == LOOP_PROBE_SIZE && f->head_len >= ETH_HEADER + sizeof(text) && get_u16(f->head + 12) == ETHERTYPE_EXPERIMENTAL &&
	       !memcmp(f->head + ETH_HEADER, text, sizeof(text));
}
