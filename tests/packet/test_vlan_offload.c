// SPDX-License-Identifier: GPL-2.0-or-later
/* Large segments and checksums left to others, with a customer's tag through tunnels, on a provider's trunk and translated, on networks of
 * 1500 and of 9000 bytes: the request comes out as it came in, counted from the untagged frame, and what is cut from it is whole. */
#include "switch/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/build.h"
#include "switch/packet.h"
#include "tests/packet/rig.h"
#include "tests/unit/offload_frame.h"

enum { TUNNEL, FAR, ACCESS, CUSTOMERS, PROVIDERS, TRANSLATED, PORTS, MAC_PAIR = 12 };

struct lan {
	struct vlan_map map;
	struct rig *rig;
	struct rig_port *p[PORTS];
};

static void lan_init(struct lan *l, uint32_t mtu)
{
	struct vlan_conf tunnel = rig_access(100), customers = rig_trunk(0, 100, 101), providers = customers, translated = rig_trunk(0, 100, 100);

	tunnel.tunnel = true;
	providers.service = true;
	translated.map = &l->map;
	vlan_map_init(&l->map);
	vlan_map_put(&l->map, 10, 100);
	l->rig = rig_new();
	rig_net(l->rig, mtu, true);
	l->p[TUNNEL] = rig_port(l->rig, 0, tunnel);
	l->p[FAR] = rig_port(l->rig, 0, tunnel);
	l->p[ACCESS] = rig_port(l->rig, 0, rig_access(100));
	l->p[CUSTOMERS] = rig_port(l->rig, 0, customers);
	l->p[PROVIDERS] = rig_port(l->rig, 0, providers);
	l->p[TRANSLATED] = rig_port(l->rig, 0, translated);
	for (unsigned i = 0; i < PORTS; i++) {
		l->p[i]->head_max = OFFLOAD_HEAD;	/* as from a ring: the rest lies in the guest's pages */
		l->p[i]->piece_max = 4096;
	}
	rig_publish(l->rig);
}

/* Where a frame comes in with tags, and where it goes, each with the tags that it is to have there. */
static const struct {
	const char *what;
	unsigned from;
	uint8_t tags[8];
	unsigned ntags, to;
	uint16_t tci;
	bool service;
	uint32_t inner;
} ways[] = {
	{ "an untagged one through a tunnel", TUNNEL, { 0 }, 0, FAR, 0, false, 0 },
	{ "a customer's through a tunnel", TUNNEL, { 0x81, 0, 0xa0, 20 }, 1, FAR, 0, false, 0x8100a014 },
	{ "into the provider's trunk", TUNNEL, { 0x81, 0, 0xa0, 20 }, 1, PROVIDERS, 0xa064, true, 0x8100a014 },
	{ "out of it", PROVIDERS, { 0x88, 0xa8, 0, 100, 0x81, 0, 0, 20 }, 2, FAR, 0, false, 0x81000014 },
	{ "a service tag alone, to an access port", PROVIDERS, { 0x88, 0xa8, 0, 100 }, 1, ACCESS, 0, false, 0 },
	{ "a trunk's, translated", CUSTOMERS, { 0x81, 0, 0, 100 }, 1, TRANSLATED, 10, false, 0 },
	{ "and back", TRANSLATED, { 0x81, 0, 0, 10 }, 1, CUSTOMERS, 100, false, 0 },
	{ "from a trunk to an access port", CUSTOMERS, { 0x81, 0, 0, 100 }, 1, ACCESS, 0, false, 0 },
};

static const struct {
	struct shape shape;
	uint8_t gso;
} kinds[] = {
	{ { .payload = 60000 }, TCP4 }, { { .v6 = true, .payload = 60000 }, TCP6 }, { { .udp = true, .payload = 60000 }, UDP_L4 },
	{ { .v6 = true, .udp = true, .payload = 60000 }, UDP_L4 }, { { .payload = 1000 }, 0 }, { { .v6 = true, .udp = true, .payload = 1000 }, 0 },
	{ { .options = 12, .payload = 60000 }, TCP4 },
};

/* insert() - @way's tags into the frame; the request counts them, as Linux does */
static uint32_t insert(uint8_t *frame, uint32_t len, size_t way, struct offload *o)
{
	uint32_t size = ways[way].ntags * VLAN_TAG;

	memmove(frame + MAC_PAIR + size, frame + MAC_PAIR, len - MAC_PAIR);
	memcpy(frame + MAC_PAIR, ways[way].tags, size);
	o->csum_start = (uint16_t)(o->csum_start + size);
	o->hdr_len = (uint16_t)(o->hdr_len + (o->gso_type ? size : 0));
	return len + size;
}

/* check_cut() - what a port without offloads would be sent: whole packets of at most the MTU with good sums, and all of the payload */
static void check_cut(const struct rig_frame *sent, const struct shape *s, uint32_t mtu)
{
	static uint8_t memory[OFFLOAD_ROOM + 16] __attribute__((aligned(16))), flat[FRAME_MAX];
	uint8_t *space = memory;
	size_t room = OFFLOAD_ROOM;
	struct frame whole, *parts;
	unsigned headers = shape_headers(s), n;
	uint32_t total = 0;

	frame_init(&whole, sent->data, sent->len);
	whole.offload = sent->offload;
	frame_split(&whole, OFFLOAD_HEAD, 4096);
	n = offload_resolve(&whole, 0, &space, &room, &parts);
	assert_true(n > 0);
	for (unsigned i = 0; i < n; i++) {
		uint32_t l4 = shape_l4(s), size = parts[i].len - l4;

		assert_true(parts[i].len <= mtu + ETH_HEADER && parts[i].len > headers);
		frame_linear(&parts[i], flat);
		assert_int_equal(parts[i].offload.gso_type | parts[i].offload.flags, 0);
		assert_int_equal((uint16_t)~plain_sum(plain_pseudo(flat, s->v6, s->udp ? PROTO_UDP : PROTO_TCP, size), flat + l4, size) & 0xffff, 0);
		for (uint32_t k = headers; k < parts[i].len; k++, total++)
			assert_int_equal(flat[k], (uint8_t)total);
	}
	assert_int_equal(total, s->payload);
}

static void check_way(size_t way, size_t kind, uint32_t mtu)
{
	static uint8_t bytes[FRAME_MAX], plain[FRAME_MAX];
	const struct shape *s = &kinds[kind].shape;
	struct offload o, asked;
	const struct rig_frame *f;
	struct rig_port *to;
	uint32_t len, whole;
	struct lan l;

	lan_init(&l, mtu);
	whole = shape_frame(plain, s, &o);
	o.gso_type = kinds[kind].gso;
	o.gso_size = (uint16_t)(kinds[kind].gso ? mtu - (shape_headers(s) - ETH_HEADER) : 0);
	o.hdr_len = (uint16_t)(kinds[kind].gso ? shape_headers(s) : 0);
	asked = o;
	memcpy(bytes, plain, whole);
	len = insert(bytes, whole, way, &o);
	rig_offer(l.p[ways[way].from], bytes, len)->offload = o;
	rig_run(l.rig);
	to = l.p[ways[way].to];
	assert_int_equal(to->nsent, 1);
	f = &to->sent[0];
	assert_int_equal(f->tag_present ? f->tci : 0, ways[way].tci);
	assert_int_equal(f->tag_present && f->service, ways[way].service);
	assert_int_equal(f->inner, ways[way].inner);
	assert_int_equal(f->len, whole);
	assert_memory_equal(f->data, plain, whole);
	assert_int_equal(f->offload.csum_start, asked.csum_start);
	assert_int_equal(f->offload.csum_offset, asked.csum_offset);
	assert_int_equal(f->offload.gso_type, asked.gso_type);
	assert_int_equal(f->offload.gso_size, asked.gso_size);
	assert_int_equal(f->offload.hdr_len, asked.hdr_len);
	check_cut(f, s, mtu);
	assert_true(rig_identities(&l.p[ways[way].from]->port));
	rig_free(l.rig);
}

static void test_ways(void **state)
{
	(void)state;
	for (size_t way = 0; way < ARRAY_SIZE(ways); way++) {
		print_message("  %s\n", ways[way].what);
		for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
			check_way(way, kind, 1500);
			check_way(way, kind, 9000);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ways) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
