// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/steer.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/text.h"
#include "switch/packet.h"

enum { IP6_SRC = 8, IP6_DST = 24, PORTS = 4, IP4_FRAGMENT = 0x3fff };

static uint64_t sum64(const uint8_t *p, unsigned words)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < words; i++)
		sum += (uint64_t)get_u32(p + 4 * i) << (8 * i);
	return sum;
}

/* ports() - both, in either order the same; fragments have none behind the first, so none counts */
static uint64_t ports(const uint8_t *l4, uint32_t room, uint8_t proto)
{
	if ((proto != PROTO_TCP && proto != PROTO_UDP) || room < PORTS)
		return 0;
	return (uint64_t)(get_u16(l4) ^ get_u16(l4 + 2)) << 32 | (uint32_t)(get_u16(l4) + get_u16(l4 + 2));
}

uint32_t flow_hash(const struct frame *f)
{
	const uint8_t *ip = f->head + ETH_HEADER;
	uint32_t room = f->head_len - ETH_HEADER;
	uint16_t type = get_u16(f->head + 12);
	uint64_t key;

	if (type == ETHERTYPE_IP4 && room >= IP4_HEADER) {
		uint32_t header = (ip[0] & 15u) * 4;

		key = sum64(ip + 12, 1) + sum64(ip + 16, 1) + ip[9];
		if (!(get_u16(ip + 6) & IP4_FRAGMENT) && header <= room)
			key ^= ports(ip + header, room - header, ip[9]);
	} else if (type == ETHERTYPE_IP6 && room >= IP6_HEADER) {
		key = sum64(ip + IP6_SRC, 4) + sum64(ip + IP6_DST, 4) + ip[6];
		key ^= ports(ip + IP6_HEADER, room - IP6_HEADER, ip[6]);
	} else {
		key = mac_word(f->head) ^ mac_word(f->head + 6);
	}
	return (uint32_t)hash_u64(key, 0);
}

void steer_learn(struct steer *s, unsigned index, const struct frame *frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		_Atomic uint8_t *to;

		if (frames[i].head_len < ETH_HEADER)
			continue;
		to = &s->queue[flow_hash(&frames[i]) % STEER_FLOWS];
		if (atomic_load_explicit(to, memory_order_relaxed) != index + 1)
			atomic_store_explicit(to, (uint8_t)(index + 1), memory_order_relaxed);
	}
}

unsigned steer_choose(const struct steer *s, const struct frame *f, unsigned nqueues)
{
	uint32_t hash = flow_hash(f);
	unsigned known = atomic_load_explicit(&s->queue[hash % STEER_FLOWS], memory_order_relaxed);

	return known && known <= nqueues ? known - 1 : hash / STEER_FLOWS % nqueues;
}
