// SPDX-License-Identifier: GPL-2.0-or-later
/* Provider VLANs, translated trunks and wires from port to port: who gets a frame, with which tags, and that nobody hops. */
#include "switch/vlan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/fdb.h"
#include "tests/packet/rig.h"

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t one[6] = { 2, 0, 0, 0, 0, 1 }, two[6] = { 2, 0, 0, 0, 0, 2 };

/* tagged() - a frame with tags in front of its type: words of two bytes, "88a8 0064 8100 000a"; Return: its length */
static uint32_t tagged(uint8_t *to, const uint8_t dst[6], const uint8_t src[6], const char *tags, uint16_t type, uint32_t payload)
{
	uint32_t n = 12;

	memcpy(to, dst, 6);
	memcpy(to + 6, src, 6);
	for (char *at = (char *)(uintptr_t)tags; *at;) {
		put_u16(to + n, (uint16_t)strtoul(at, &at, 16));
		n += 2;
		while (*at == ' ')
			at++;
	}
	put_u16(to + n, type);
	for (uint32_t i = 0; i < payload; i++)
		to[n + 2 + i] = (uint8_t)i;
	return n + 2 + payload;
}

/* ---- provider VLANs ---- */

enum { TUNNEL100, OTHER100, TUNNEL101, ACCESS100, CUSTOMERS, PROVIDERS, TRANSLATED, PORTS };

#define NO UINT64_MAX
#define BARE 0
#define C(tci) (0x81000000ull | (tci))
#define S(tci) (0x88a80000ull | (tci))
#define IN(tci) ((uint64_t)(0x81000000u | (tci)) << 32)	/* behind the tag, or where there is none in its place */

static const struct {
	const char *what;
	unsigned from;
	const char *tags;
	uint64_t out[PORTS];
} cases[] = {
	{ "untagged into a tunnel", TUNNEL100, "", { NO, BARE, NO, BARE, C(100), S(100), C(10) } },
	{ "a customer's tag stays in tunnels", TUNNEL100, "8100 a014", { NO, IN(0xa014), NO, NO, NO, S(0xa064) | IN(0xa014), NO } },
	{ "a customer's tag of the tunnel's own number", TUNNEL100, "8100 0064", { NO, IN(100), NO, NO, NO, S(100) | IN(100), NO } },
	{ "out of the provider's trunk", PROVIDERS, "88a8 0064 8100 0014", { IN(20), IN(20), NO, NO, NO, NO, NO } },
	{ "into the other tunnel", PROVIDERS, "88a8 0065 8100 0064", { NO, NO, IN(100), NO, NO, NO, NO } },
	{ "a service tag alone", PROVIDERS, "88a8 6064", { BARE, BARE, NO, BARE, C(0x6064), NO, C(0x600a) } },
	{ "two service tags", PROVIDERS, "88a8 0064 88a8 0065", { NO, NO, NO, NO, NO, NO, NO } },
	{ "no service tag, and no native VLAN", PROVIDERS, "8100 0064", { NO, NO, NO, NO, NO, NO, NO } },
	{ "two tags into an access port", ACCESS100, "8100 0064 8100 0065", { NO, NO, NO, NO, NO, NO, NO } },
	{ "a service tag into an access port", ACCESS100, "88a8 0064", { NO, NO, NO, NO, NO, NO, NO } },
	{ "two tags into a customer's trunk", CUSTOMERS, "8100 0064 8100 0065", { NO, NO, NO, NO, NO, NO, NO } },
	{ "one into it", CUSTOMERS, "8100 0064", { BARE, BARE, NO, BARE, NO, S(100), C(10) } },
	{ "translated on the way in", TRANSLATED, "8100 000a", { BARE, BARE, NO, BARE, C(100), S(100), NO } },
	{ "the VLAN's own number there", TRANSLATED, "8100 0064", { NO, NO, NO, NO, NO, NO, NO } },
};

struct provider {
	struct vlan_map map;
	struct rig *rig;
	struct rig_port *p[PORTS];
};

static void provider_init(struct provider *l)
{
	struct vlan_conf tunnel = rig_access(100), other = rig_access(101), customers = rig_trunk(0, 100, 101), providers = customers;
	struct vlan_conf translated = rig_trunk(0, 100, 100);

	tunnel.tunnel = other.tunnel = true;
	providers.service = true;
	translated.map = &l->map;
	vlan_map_init(translated.map);
	vlan_map_put(translated.map, 10, 100);
	l->rig = rig_new();
	rig_net(l->rig, 1500, true);
	l->p[TUNNEL100] = rig_port(l->rig, 0, tunnel);
	l->p[OTHER100] = rig_port(l->rig, 0, tunnel);
	l->p[TUNNEL101] = rig_port(l->rig, 0, other);
	l->p[ACCESS100] = rig_port(l->rig, 0, rig_access(100));
	l->p[CUSTOMERS] = rig_port(l->rig, 0, customers);
	l->p[PROVIDERS] = rig_port(l->rig, 0, providers);
	l->p[TRANSLATED] = rig_port(l->rig, 0, translated);
	rig_publish(l->rig);
}

static void check_out(const struct rig_port *p, uint64_t want)
{
	uint64_t tags;

	assert_int_equal(p->nsent, want != NO);
	if (want == NO)
		return;
	tags = p->sent[0].tag_present ? (p->sent[0].service ? S(p->sent[0].tci) : C(p->sent[0].tci)) : 0;
	assert_int_equal(tags | (uint64_t)p->sent[0].inner << 32, want);
	assert_int_equal(p->sent[0].len, ETH_HEADER + 46);
	assert_int_equal(get_u16(p->sent[0].data + 12), 0x1234);
}

static void test_provider(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[128];
		struct provider l;

		print_message("  %s\n", cases[i].what);
		provider_init(&l);
		rig_offer(l.p[cases[i].from], bytes, tagged(bytes, everybody, one, cases[i].tags, 0x1234, 46));
		rig_run(l.rig);
		for (unsigned j = 0; j < PORTS; j++) {
			check_out(l.p[j], cases[i].out[j]);
			assert_true(rig_identities(&l.p[j]->port));
		}
		rig_free(l.rig);
	}
}

/* A known station behind an access port: what has a customer's tag does not reach it by that knowledge, either. */
static void test_known(void **state)
{
	uint8_t bytes[128];
	struct provider l;

	(void)state;
	provider_init(&l);
	rig_offer(l.p[ACCESS100], bytes, tagged(bytes, everybody, two, "", 0x1234, 46));
	rig_run(l.rig);
	rig_clear(l.rig);
	rig_offer(l.p[TUNNEL100], bytes, tagged(bytes, two, one, "8100 0014", 0x1234, 46));
	rig_offer(l.p[TUNNEL100], bytes, tagged(bytes, two, one, "", 0x1234, 46));
	rig_run(l.rig);
	check_out(l.p[ACCESS100], BARE);
	check_out(l.p[OTHER100], IN(20));
	rig_free(l.rig);
}

/* Tags do not count towards what a frame may have (802.1Q G.2.2): 1500 bytes behind them pass, 1501 do not. */
static void test_sizes(void **state)
{
	static const char *const tags[] = { "", "8100 0014" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(tags); i++)
		for (uint32_t payload = 1499; payload <= 1502; payload++) {
			uint8_t bytes[1600];
			struct provider l;

			provider_init(&l);
			rig_offer(l.p[TUNNEL100], bytes, tagged(bytes, everybody, one, tags[i], 0x1234, payload));
			rig_run(l.rig);
			assert_int_equal(l.p[OTHER100]->nsent, payload <= 1500);
			assert_int_equal(rig_verdict(l.p[TUNNEL100], VERDICT_DROP_OVERSIZE), payload > 1500);
			rig_free(l.rig);
		}
}

/* ---- addresses that a switch keeps to itself, and wires ---- */

static void reserved_address(uint8_t to[6], unsigned last)
{
	memcpy(to, (uint8_t[]){ 0x01, 0x80, 0xc2, 0, 0, (uint8_t)last }, 6);
}

static void test_reserved(void **state)
{
	(void)state;
	for (unsigned last = 0; last < 0x30; last++) {
		struct rig *rig = rig_new();
		struct rig_port *in, *out;
		uint8_t bytes[128], dst[6];

		rig_net(rig, 1500, true);
		in = rig_port(rig, 0, rig_access(1));
		out = rig_port(rig, 0, rig_access(1));
		rig_publish(rig);
		reserved_address(dst, last);
		rig_offer(in, bytes, tagged(bytes, dst, one, "", 0x88cc, 46));
		rig_run(rig);
		assert_int_equal(out->nsent, last >= 0x10);	/* 802.1Q-2018 table 8-1: the sixteen, and no others */
		assert_int_equal(rig_verdict(in, VERDICT_DROP_RESERVED), last < 0x10);
		rig_free(rig);
	}
}

static const struct {
	const char *what, *tags;
	uint8_t dst[6], src[6];
	uint16_t type;
} held_back[] = {
	{ "spanning tree", "", { 1, 0x80, 0xc2, 0, 0, 0 }, { 2, 0, 0, 0, 0, 1 }, 0x0026 },
	{ "pause", "", { 1, 0x80, 0xc2, 0, 0, 1 }, { 2, 0, 0, 0, 0, 1 }, 0x8808 },
	{ "LACP", "", { 1, 0x80, 0xc2, 0, 0, 2 }, { 2, 0, 0, 0, 0, 1 }, 0x8809 },
	{ "802.1X", "", { 1, 0x80, 0xc2, 0, 0, 3 }, { 2, 0, 0, 0, 0, 1 }, 0x888e },
	{ "LLDP", "", { 1, 0x80, 0xc2, 0, 0, 14 }, { 2, 0, 0, 0, 0, 1 }, 0x88cc },
	{ "a tag", "8100 a00a", { 2, 0, 0, 0, 0, 2 }, { 2, 0, 0, 0, 0, 1 }, 0x0800 },
	{ "a tag of no VLAN", "8100 ffff", { 2, 0, 0, 0, 0, 2 }, { 2, 0, 0, 0, 0, 1 }, 0x0800 },
	{ "two tags", "88a8 0064 8100 000a", { 2, 0, 0, 0, 0, 2 }, { 2, 0, 0, 0, 0, 1 }, 0x0800 },
	{ "a group as the source", "", { 2, 0, 0, 0, 0, 2 }, { 3, 0, 0, 0, 0, 1 }, 0x0800 },
	{ "nobody as the source", "", { 2, 0, 0, 0, 0, 2 }, { 0 }, 0x0800 },
	{ "a station that seems to be here", "", { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 1 }, 0x0800 },
};

/* as_sent() - the frame as it leaves, tags and all. Return: its length */
static uint32_t as_sent(const struct rig_frame *f, uint8_t *to)
{
	struct frame frame;
	struct tx_frame tx = { .frame = &frame, .tci = f->tci, .service = f->service, .inner = f->inner };
	struct iovec iov[FRAME_BODY_MAX + 3];
	uint8_t tags[TAGS_MAX];
	uint32_t len = 0;
	unsigned n;

	frame_init(&frame, f->data, f->len);
	n = frame_iov(&frame, tags, tx_tags(&tx, tags), iov);
	for (unsigned i = 0; i < n; len += (uint32_t)iov[i++].iov_len)
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
	return len;
}

static void test_wire(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(held_back) + 16; i++) {
		struct vlan_conf end = rig_access(1);
		struct rig *rig = rig_new();
		struct rig_port *in, *out;
		uint8_t bytes[128], got[160], dst[6];
		size_t k = i < ARRAY_SIZE(held_back) ? i : 0;
		uint32_t len;

		end.tunnel = true;
		rig_net(rig, 1500, false);
		rig->nets[0].wire = true;
		in = rig_port(rig, 0, end);
		out = rig_port(rig, 0, end);
		rig_publish(rig);
		memcpy(dst, held_back[k].dst, 6);
		if (i >= ARRAY_SIZE(held_back))
			reserved_address(dst, (unsigned)(i - ARRAY_SIZE(held_back)));
		else
			print_message("  %s\n", held_back[i].what);
		len = tagged(bytes, dst, held_back[k].src, held_back[k].tags, held_back[k].type, 46);
		for (unsigned turn = 0; turn < 2; turn++) {	/* the second time it would be known, if anything were learnt */
			rig_offer(in, bytes, len);
			rig_run(rig);
		}
		assert_int_equal(out->nsent, 2);
		assert_int_equal(in->nsent, 0);
		assert_int_equal(as_sent(&out->sent[1], got), len);
		assert_memory_equal(got, bytes, len);
		assert_true(rig_identities(&in->port) && rig_identities(&out->port));
		rig_free(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_provider), cmocka_unit_test(test_known), cmocka_unit_test(test_sizes), cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
