// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests behind one MAC address: what leaves names nobody but the uplink, what comes finds its guest, and the host's own stays the host's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/build.h"
#include "switch/nd.h"
#include "switch/packet.h"
#include "tap/onemac.h"

enum { GUEST = 0x0a090032, OTHER = 0x0a090033, LAN = 0x0a090002, HOST = 0x0a090001, BOOTP = ETH_HEADER + IP4_HEADER + UDP_HEADER };

static const uint8_t nic[6] = { 2, 0, 0, 0, 0, 1 }, lan[6] = { 2, 0, 0, 0, 0, 2 }, guest[6] = { 2, 0, 0, 0, 0, 0x32 },
		     other[6] = { 2, 0, 0, 0, 0, 0x33 }, everybody[6] = { 255, 255, 255, 255, 255, 255 };

struct bed {
	struct onemac *m;
	uint8_t f[2048];
	uint32_t n;
};

static struct addr text(const char *t)
{
	struct addr a;

	assert_int_equal(addr_parse(t, &a), 0);
	return a;
}

static int setup(void **state)
{
	static struct bed b;
	struct addr host[2] = { addr4(HOST), text("fd00:9::1") };

	b.m = onemac_new();
	assert_non_null(b.m);
	onemac_host(b.m, nic, host, 2);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	onemac_free(((struct bed *)*state)->m);
	return 0;
}

static bool out(struct bed *b)
{
	return onemac_out(b->m, b->f, b->n < ONEMAC_HEAD ? b->n : ONEMAC_HEAD, false, 1000);
}

static bool in(struct bed *b)
{
	return onemac_in(b->m, b->f, b->n < ONEMAC_HEAD ? b->n : ONEMAC_HEAD);
}

/* good() - the frame is whole: checksums, too */
static void good(const struct bed *b)
{
	struct offload none = { 0 };
	struct packet p;

	assert_int_equal(packet_parse(b->f, b->n, &none, &p), VERDICT_FORWARDED);
}

static void udp(struct bed *b, const uint8_t *dst, const uint8_t *src, struct addr from, struct addr to, uint16_t port)
{
	static const uint8_t body[300];

	b->n = build_udp_frame(b->f, dst, src, from, 68, to, port, body, sizeof(body));
}

/* relabelled() - it is the NIC's, and no guest's address is anywhere in it */
static void relabelled(const struct bed *b)
{
	assert_memory_equal(b->f + 6, nic, 6);
	for (uint32_t i = 0; i + 6 <= b->n; i++) {
		assert_memory_not_equal(b->f + i, guest, 6);
		assert_memory_not_equal(b->f + i, other, 6);
	}
}

static void test_arp(void **state)
{
	struct bed *b = *state;

	b->n = build_arp(b->f, ARP_REQUEST, guest, GUEST, everybody, LAN, everybody);
	assert_true(out(b));
	relabelled(b);
	good(b);
	b->n = build_arp(b->f, ARP_REPLY, lan, LAN, nic, GUEST, nic);
	assert_true(in(b));
	assert_memory_equal(b->f, guest, 6);
	assert_memory_equal(b->f + ETH_HEADER + 18, guest, 6);
	b->n = build_arp(b->f, ARP_REPLY, lan, LAN, nic, HOST, nic);
	assert_false(in(b));
	b->n = build_arp(b->f, ARP_REQUEST, lan, LAN, everybody, GUEST, everybody);
	assert_true(in(b));		/* as it is: it is for all */
	assert_memory_equal(b->f, everybody, 6);
}

static void test_ip4(void **state)
{
	struct bed *b = *state;

	udp(b, lan, guest, addr4(GUEST), addr4(LAN), 53);
	assert_true(out(b));
	relabelled(b);
	good(b);
	udp(b, nic, lan, addr4(LAN), addr4(GUEST), 53);
	assert_true(in(b));
	assert_memory_equal(b->f, guest, 6);
	assert_memory_equal(b->f + 6, lan, 6);
	good(b);
	udp(b, nic, lan, addr4(LAN), addr4(OTHER), 53);
	assert_false(in(b));
	udp(b, lan, other, addr4(GUEST), addr4(LAN), 53);	/* it has moved */
	assert_true(out(b));
	udp(b, nic, lan, addr4(LAN), addr4(GUEST), 53);
	assert_true(in(b));
	assert_memory_equal(b->f, other, 6);
}

static void test_dhcp(void **state)
{
	struct bed *b = *state;

	udp(b, everybody, guest, addr4(0), addr4(UINT32_MAX), 67);
	memcpy(b->f + BOOTP + 28, lan, 6);	/* chaddr: stays as it is, whatever it is */
	put_u16(b->f + BOOTP - 2, 0);
	put_u16(b->f + BOOTP - 2, checksum_finish_udp(checksum_add(checksum_pseudo4(b->f + 26, b->f + 30, 17, b->n - 34), b->f + 34, b->n - 34)));
	assert_true(out(b));
	assert_memory_equal(b->f + 6, nic, 6);
	assert_int_equal(get_u16(b->f + BOOTP + 10), 0x8000);
	assert_memory_equal(b->f + BOOTP + 28, lan, 6);
	good(b);
	udp(b, everybody, guest, addr4(0), addr4(UINT32_MAX), 67);
	put_u16(b->f + BOOTP - 2, 0);
	assert_true(out(b));
	assert_int_equal(get_u16(b->f + BOOTP - 2), 0);		/* none before, none now */
	udp(b, lan, guest, addr4(GUEST), addr4(LAN), 67);	/* a guest that is known: an answer that is not a broadcast */
	assert_true(out(b));
	udp(b, nic, lan, addr4(LAN), addr4(OTHER), 68);
	memcpy(b->f + BOOTP + 28, guest, 6);
	assert_true(in(b));
	assert_memory_equal(b->f, guest, 6);
	udp(b, nic, lan, addr4(LAN), addr4(OTHER), 68);
	memcpy(b->f + BOOTP + 28, nic, 6);
	assert_false(in(b));		/* the host's own client */
}

static void test_nd(void **state)
{
	struct addr a = text("fe80::32"), l = text("fe80::2"), g = text("fd00:9::32");
	struct bed *b = *state;

	b->n = nd_build_solicitation(b->f, guest, a, l);
	assert_true(out(b));
	relabelled(b);
	good(b);
	b->n = nd_build_advertisement(b->f, lan, guest, l, g, ND_OVERRIDE);
	memcpy(b->f, lan, 6);
	memcpy(b->f + 6, guest, 6);
	assert_true(out(b));
	relabelled(b);
	good(b);
	udp(b, nic, lan, l, a, 546);
	assert_true(in(b));
	assert_memory_equal(b->f, guest, 6);
	udp(b, nic, lan, l, g, 546);		/* learnt from the advertisement's target */
	assert_true(in(b));
	assert_memory_equal(b->f, guest, 6);
	udp(b, nic, lan, l, text("fd00:9::33"), 546);
	assert_false(in(b));
}

/* A promise of a checksum is not touched: whoever completes it sums what is there then. */
static void test_partial(void **state)
{
	struct bed *b = *state;
	uint16_t before;

	b->n = nd_build_solicitation(b->f, guest, text("fe80::32"), text("fe80::2"));
	before = get_u16(b->f + ETH_HEADER + IP6_HEADER + 2);
	assert_true(onemac_out(b->m, b->f, b->n, true, 1000));
	assert_int_equal(get_u16(b->f + ETH_HEADER + IP6_HEADER + 2), before);
	relabelled(b);
}

static void test_hosts(void **state)
{
	struct addr more = addr4(GUEST);
	struct bed *b = *state;

	b->n = build_arp(b->f, ARP_REPLY, guest, HOST, lan, LAN, lan);
	assert_false(out(b));
	udp(b, lan, guest, addr4(HOST), addr4(LAN), 53);
	assert_false(out(b));
	udp(b, lan, guest, text("fd00:9::1"), text("fd00:9::2"), 53);
	assert_false(out(b));
	b->n = nd_build_advertisement(b->f, guest, guest, text("fe80::2"), text("fd00:9::1"), ND_OVERRIDE);
	assert_false(out(b));
	udp(b, nic, lan, addr4(LAN), addr4(HOST), 53);
	assert_false(in(b));
	udp(b, lan, guest, addr4(GUEST), addr4(LAN), 53);
	assert_true(out(b));
	onemac_host(b->m, nic, &more, 1);	/* the host has that one, now */
	udp(b, nic, lan, addr4(LAN), addr4(GUEST), 53);
	assert_false(in(b));
}

static void test_strangers(void **state)
{
	struct onemac *nobody = onemac_new();
	struct bed *b = *state;

	udp(b, lan, guest, addr4(GUEST), addr4(LAN), 53);
	assert_true(out(b));
	udp(b, everybody, nic, addr4(LAN), addr4(GUEST), 53);
	assert_false(in(b));		/* ours, come back */
	udp(b, lan, other, addr4(LAN), addr4(GUEST), 53);
	assert_false(in(b));		/* for another station */
	memset(b->f + 12, 0x88, 2);
	memcpy(b->f, nic, 6);
	assert_false(in(b));		/* neither ARP nor IP */
	udp(b, lan, guest, addr4(GUEST), addr4(LAN), 53);
	assert_false(onemac_out(nobody, b->f, ONEMAC_HEAD, false, 1));	/* whose is the medium? */
	assert_false(onemac_in(nobody, b->f, ONEMAC_HEAD));
	onemac_free(nobody);
	b->n = 13;
	assert_false(in(b));
	assert_false(out(b));
}

/* Every cut of a good frame, and every byte of it turned: nothing is read or written behind what is there. */
static void test_hostile(void **state)
{
	uint8_t copy[ONEMAC_HEAD + 8];
	struct bed *b = *state;

	for (unsigned kind = 0; kind < 3; kind++) {
		if (kind == 0)
			b->n = build_arp(b->f, ARP_REQUEST, guest, GUEST, everybody, LAN, everybody);
		else if (kind == 1)
			udp(b, everybody, guest, addr4(0), addr4(UINT32_MAX), 67);
		else
			b->n = nd_build_solicitation(b->f, guest, text("fe80::32"), text("fe80::2"));
		for (uint32_t n = 0; n <= ONEMAC_HEAD; n++)
			for (uint32_t at = 0; at < n; at++) {
				memset(copy, 0x11, sizeof(copy));
				memcpy(copy, b->f, n);
				copy[at] ^= (uint8_t)(n * 7 + at);
				onemac_out(b->m, copy, n, at & 1, n);
				onemac_in(b->m, copy, n);
				for (uint32_t i = n; i < sizeof(copy); i++)
					assert_int_equal(copy[i], 0x11);
			}
	}
}

/* A guest with a million addresses: who spoke last before it is found still, if it has no neighbours of its kind in the table. */
static void test_many(void **state)
{
	struct bed *b = *state;
	unsigned kept = 0;

	for (uint32_t i = 0; i < 32; i++) {
		udp(b, lan, guest, addr4(0x0b000000 + i), addr4(LAN), 53);
		assert_true(out(b));
	}
	for (uint32_t i = 0; i < 100000; i++) {
		udp(b, lan, other, addr4(0x0c000000 + i), addr4(LAN), 53);
		assert_true(out(b));
	}
	for (uint32_t i = 0; i < 32; i++) {
		udp(b, nic, lan, addr4(LAN), addr4(0x0b000000 + i), 53);
		kept += in(b);
	}
	assert_int_equal(kept, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_arp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ip4, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dhcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partial, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hosts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
