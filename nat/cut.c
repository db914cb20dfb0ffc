// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/cut.h"

#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/hash.h"
#include "nat/shard.h"
#include "switch/build.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum {
	MORE_FRAGMENTS = 0x2000, MORE_FRAGMENTS6 = 1, NEXT_FRAGMENT = 44, FRAGMENT_HEADER6 = 8,
	HEAD_MAX = ETH_HEADER + IP6_HEADER + FRAGMENT_HEADER6, AT_ONCE = 32,
};

/* cut - a packet on its way in fragments */
struct cut {
	const uint8_t *data;		/* the whole frame */
	uint32_t head;			/* its headers, up to what is cut */
	uint32_t total, at;		/* bytes behind them */
	uint32_t id;
	uint16_t vid;
	bool ip6;
};

/* new_id() - one that who does not see the others cannot guess (RFC 7739 5.3): counted from a secret place for each pair of addresses */
static uint32_t new_id(const struct cut *c)
{
	static _Thread_local uint32_t count;
	const uint8_t *ip = c->data + ETH_HEADER;
	uint64_t place = c->ip6 ? hash_bytes(ip + 8, 2 * ADDR_SIZE, hash_seed()) : hash_bytes(ip + 12, 8, hash_seed());

	if (!count)
		count = (uint32_t)hash_u64((uintptr_t)&count, hash_seed());
	return (uint32_t)place + count++;
}

/* head4(), head6() - headers of the fragment with @size bytes from c->at; Return: their size */
static uint32_t head4(uint8_t *to, const struct cut *c, uint32_t size)
{
	bool last = c->at + size == c->total;
	uint8_t *ip = to + ETH_HEADER;

	memcpy(to, c->data, c->head);
	put_u16(ip + 2, (uint16_t)(IP4_HEADER + size));
	put_u16(ip + 4, (uint16_t)c->id);
	put_u16(ip + 6, (uint16_t)(c->at / 8 | (last ? 0 : MORE_FRAGMENTS)));
	put_u16(ip + 10, 0);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, IP4_HEADER)));
	return c->head;
}

static uint32_t head6(uint8_t *to, const struct cut *c, uint32_t size)
{
	bool last = c->at + size == c->total;
	uint8_t *ip = to + ETH_HEADER, *f = to + c->head;

	memcpy(to, c->data, c->head);
	put_u16(ip + 4, (uint16_t)(FRAGMENT_HEADER6 + size));
	f[0] = ip[6];
	ip[6] = NEXT_FRAGMENT;
	f[1] = 0;
	put_u16(f + 2, (uint16_t)(c->at | (last ? 0 : MORE_FRAGMENTS6)));
	put_u32(f + 4, c->id);
	return c->head + FRAGMENT_HEADER6;
}

/* fragment() - @size bytes from c->at behind headers of their own at @head */
static void fragment(struct frame *frame, struct iovec *body, uint8_t *head, const struct cut *c, uint32_t size)
{
	frame_init(frame, head, c->ip6 ? head6(head, c, size) : head4(head, c, size));
	*body = (struct iovec){ (void *)(uintptr_t)(c->data + c->head + c->at), size };
	frame->body = body;
	frame->nbody = 1;
	frame->len += size;
	frame->vid = c->vid;
}

static bool send_cut(struct worker *w, const struct site *site, struct cut *c)
{
	uint32_t extra = c->ip6 ? IP6_HEADER + FRAGMENT_HEADER6 : IP4_HEADER, each = (site->mtu - extra) & ~7u;
	struct frame frames[AT_ONCE];
	struct iovec bodies[AT_ONCE];
	uint8_t heads[AT_ONCE][HEAD_MAX];
	bool taken = true;

	while (c->at < c->total && taken) {
		unsigned n = 0;

		for (; c->at < c->total && n < AT_ONCE; n++) {
			uint32_t size = MIN_OF(each, c->total - c->at);

			fragment(&frames[n], &bodies[n], heads[n], c, size);
			c->at += size;
		}
		taken = worker_emit(w, site->local_port, frames, n) == n;
	}
	return taken;
}

bool cut_send(struct worker *w, const struct site *site, uint8_t *data, uint32_t len)
{
	struct cut c = { .data = data, .ip6 = get_u16(data + 12) == ETHERTYPE_IP6, .vid = site->segment->vid };
	struct frame frame;

	if (len <= ETH_HEADER + site->mtu) {
		frame_init(&frame, data, len);
		frame.vid = c.vid;
		return worker_emit(w, site->local_port, &frame, 1) == 1;
	}
	c.head = ETH_HEADER + (c.ip6 ? IP6_HEADER : IP4_HEADER);
	c.total = len - c.head;
	c.id = new_id(&c);
	return send_cut(w, site, &c);
}
