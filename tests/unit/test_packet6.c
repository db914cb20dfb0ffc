// SPDX-License-Identifier: GPL-2.0-or-later
/* IPv6 and Neighbour Discovery parsed from good frames (written by scapy), and the ways in which a byte makes them bad. */
#include "switch/nd.h"

#include <linux/virtio_net.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/build.h"

#define ETH_IP6 "02000000000102000000000286dd"
#define FROM_TO "fd000000000000000000000000000005fd000000000000000000000000000009"
static const char tcp[] = ETH_IP6 "60000000001a0603" FROM_TO "03e80050010203040a0b0c0d601201f415520000020405b46869";
static const char udp[] = ETH_IP6 "60000000000d1140" FROM_TO "14e90035000dacd468656c6c6f";
static const char echo[] = ETH_IP6 "60000000000c3a40" FROM_TO "8000a688004d000370696e67";
static const char options[] = ETH_IP6 "60000000001d0040" FROM_TO "3c00050200000100" "1100010400000000" "14e90035000dacd468656c6c6f";
static const char fragment[] = ETH_IP6 "6000000000152c40" FROM_TO "1100000100000007" "14e90035000dacd468656c6c6f";
static const char routing[] = ETH_IP6 "6000000000252b40" FROM_TO "1102000100000000fd000000000000000000000000000007"
			      "14e90035000dacd668656c6c6f";
static const char ns[] = "3333ff00000102000000000286dd6000000000203afffd000000000000000000000000000005ff0200000000000000000001ff000001"
			 "87007d9400000000fd0000000000000000000000000000010101020000000002";
static const char probe[] = "3333ff00000102000000000286dd6000000000183aff00000000000000000000000000000000ff0200000000000000000001ff000001"
			    "87007da500000000fd000000000000000000000000000001";
static const char na[] = "02000000000102000000000286dd6000000000203afffd000000000000000000000000000005fd000000000000000000000000000001"
			 "88001c9460000000fd0000000000000000000000000000050201020000000002";
static const char rs[] = "33330000000202000000000286dd6000000000103afffe80000000000000000000fffe000002ff020000000000000000000000000002"
			 "85007b2a000000000101020000000002";

enum { ROOM = 256, NOTHING = -1 };

static uint32_t from_hex(uint8_t *to, const char *hex)
{
	uint32_t n = 0;

	for (; hex[0]; hex += 2)
		to[n++] = (uint8_t)strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16);
	return n;
}

static const struct offload none;

static void test_good(void **state)
{
	static const struct addr src = { .bytes = { 0xfd, [15] = 5 } }, dst = { .bytes = { 0xfd, [15] = 9 } };
	uint8_t bytes[ROOM];
	struct packet p;

	(void)state;
	assert_int_equal(packet_parse(bytes, from_hex(bytes, tcp), &none, &p), VERDICT_FORWARDED);
	assert_true(packet_is_ip6(&p) && addr_equal(p.src, src) && addr_equal(p.dst, dst));
	assert_int_equal(p.proto, PROTO_TCP);
	assert_int_equal(p.ttl, 3);
	assert_int_equal(p.seq, 0x01020304);
	assert_int_equal(p.l4, 54);
	assert_memory_equal(packet_payload(&p), "hi", 2);
	assert_int_equal(packet_parse(bytes, from_hex(bytes, options), &none, &p), VERDICT_FORWARDED);
	assert_int_equal(p.proto, PROTO_UDP);
	assert_int_equal(p.l4, 70);
	assert_int_equal(p.dport, 53);
	assert_memory_equal(packet_payload(&p), "hello", 5);
	assert_int_equal(packet_parse(bytes, from_hex(bytes, echo), &none, &p), VERDICT_FORWARDED);
	assert_true(packet_is_icmp(&p) && p.icmp_type == 128 && p.sport == 77);
}

static const struct {
	const char *what, *frame;
	struct {
		int at, value;		/* a byte changed; at 0: none */
	} change[3];
	int more;			/* bytes more (zeros) or fewer at the end */
	int verdict;
} cases[] = {
	{ "good UDP", udp, { { 0, 0 } }, 0, VERDICT_FORWARDED },
	{ "padding behind the packet", udp, { { 0, 0 } }, 20, VERDICT_FORWARDED },
	{ "version 4", udp, { { 14, 0x40 } }, 0, VERDICT_DROP_MALFORMED },
	{ "a byte short", udp, { { 0, 0 } }, -1, VERDICT_DROP_MALFORMED },
	{ "payload length beyond the frame", udp, { { 19, 14 } }, 0, VERDICT_DROP_MALFORMED },
	{ "payload length 65535", udp, { { 18, 255 }, { 19, 255 } }, 0, VERDICT_DROP_MALFORMED },
	{ "payload length 0, a jumbogram or a liar", udp, { { 19, 0 } }, 0, VERDICT_DROP_MALFORMED },
	{ "UDP without a checksum", udp, { { 60, 0 }, { 61, 0 } }, 0, VERDICT_DROP_CHECKSUM },
	{ "a damaged byte", udp, { { 64, 'L' } }, 0, VERDICT_DROP_CHECKSUM },
	{ "a damaged address", udp, { { 37, 6 } }, 0, VERDICT_DROP_CHECKSUM },
	{ "damaged ICMPv6", echo, { { 64, 'P' } }, 0, VERDICT_DROP_CHECKSUM },
	{ "ICMP of the other family is a protocol like any other", echo, { { 20, 1 } }, 0, VERDICT_FORWARDED },
	{ "ICMPv6 cut short", echo, { { 19, 7 } }, 0, VERDICT_DROP_MALFORMED },
	{ "hop limit 0 is for the gateway to judge", udp, { { 21, 0 } }, 0, VERDICT_FORWARDED },
	{ "no next header", udp, { { 20, 59 } }, 0, VERDICT_FORWARDED },
	{ "hop-by-hop options twice", options, { { 54, 0 } }, 0, VERDICT_DROP_MALFORMED },
	{ "options beyond the packet", options, { { 55, 4 } }, 0, VERDICT_DROP_MALFORMED },
	{ "options of 2 KB in a packet that has them", options, { { 55, 255 }, { 18, 8 }, { 56, 0 } }, 2048, VERDICT_DROP_IP_OPTIONS },
	{ "an option that is longer than its header", options, { { 65, 5 } }, 0, VERDICT_DROP_IP_OPTIONS },
	{ "a jumbo payload option", options, { { 56, 0xc2 }, { 57, 4 } }, 0, VERDICT_DROP_IP_OPTIONS },
	{ "an unknown option that may be passed over", options, { { 56, 0x1e } }, 0, VERDICT_FORWARDED },
	{ "one that may not", options, { { 56, 0x5e } }, 0, VERDICT_DROP_IP_OPTIONS },
	{ "a packet that ends in its options", options, { { 19, 8 } }, 0, VERDICT_DROP_MALFORMED },
	{ "a fragment", fragment, { { 0, 0 } }, 0, VERDICT_DROP_FRAGMENT },
	{ "a routing header", routing, { { 0, 0 } }, 0, VERDICT_DROP_IP_OPTIONS },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t *bytes = calloc(1, ROOM + 2048);
		uint32_t len = from_hex(bytes, cases[i].frame) + (uint32_t)cases[i].more;
		struct packet p = { .len = 4711 };

		print_message("  %s\n", cases[i].what);
		for (unsigned j = 0; j < ARRAY_SIZE(cases[i].change); j++)
			if (cases[i].change[j].at)
				bytes[cases[i].change[j].at] = (uint8_t)cases[i].change[j].value;
		assert_int_equal(packet_parse(bytes, len, &none, &p), cases[i].verdict);
		if (cases[i].verdict != VERDICT_FORWARDED)
			assert_int_equal(p.len, 4711);
		free(bytes);
	}
}

/* An IPv4 address in an IPv6 header would pass for the IPv4 address. */
static void test_mapped(void **state)
{
	static const uint8_t mapped[16] = { [10] = 255, 255, 10, 0, 0, 1 };
	uint8_t bytes[ROOM];
	uint32_t len = from_hex(bytes, udp);
	struct packet p;

	(void)state;
	for (unsigned at = 22; at <= 38; at += 16) {
		from_hex(bytes, udp);
		memcpy(bytes + at, mapped, sizeof(mapped));
		assert_int_equal(packet_parse(bytes, len, &none, &p), VERDICT_DROP_MARTIAN);
	}
}

static void test_prefixes(void **state)
{
	static const char *const frames[] = { tcp, udp, echo, options, fragment, routing, ns, na, rs };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		uint8_t bytes[ROOM];
		uint32_t all = from_hex(bytes, frames[i]);

		for (uint32_t len = 0; len < all; len++) {
			uint8_t *exact = malloc(len ? len : 1);
			struct packet p;

			memcpy(exact, bytes, len);
			assert_true(verdict_is_drop(packet_parse(exact, len, &none, &p)));
			free(exact);
		}
	}
}

/* ---- Neighbour Discovery ---- */

static const struct {
	const char *what, *frame;
	int at, value;			/* at 0: nothing is changed */
	int verdict;
	int link_at;			/* where the link-layer address stands */
} discoveries[] = {
	{ "a solicitation", ns, 0, 0, VERDICT_FORWARDED, 80 },
	{ "a probe", probe, 0, 0, VERDICT_FORWARDED, NOTHING },
	{ "an advertisement", na, 0, 0, VERDICT_FORWARDED, 80 },
	{ "for routers", rs, 0, 0, VERDICT_FORWARDED, 64 },
	{ "hop limit 254: it came from elsewhere", ns, 21, 254, VERDICT_DROP_MALFORMED, NOTHING },
	{ "the same of an advertisement", na, 21, 64, VERDICT_DROP_MALFORMED, NOTHING },
	{ "the same of a router solicitation", rs, 21, 1, VERDICT_DROP_MALFORMED, NOTHING },
	{ "code 1", rs, 55, 1, VERDICT_DROP_MALFORMED, NOTHING },
	{ "an option of length 0", ns, 79, 0, VERDICT_DROP_MALFORMED, NOTHING },
	{ "an option beyond the packet", ns, 79, 2, VERDICT_DROP_MALFORMED, NOTHING },
	{ "an option of length 0 for routers", rs, 63, 0, VERDICT_DROP_MALFORMED, NOTHING },
	{ "another option is passed over", ns, 78, 14, VERDICT_FORWARDED, NOTHING },
	{ "a group as target", ns, 62, 0xff, VERDICT_DROP_MALFORMED, NOTHING },
	{ "a group as target of an advertisement", na, 62, 0xff, VERDICT_DROP_MALFORMED, NOTHING },
	{ "a probe to one host", probe, 38, 0xfd, VERDICT_DROP_MALFORMED, NOTHING },
	{ "solicited, to a group", na, 38, 0xff, VERDICT_DROP_MALFORMED, NOTHING },
};

static void test_discovery(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(discoveries); i++) {
		uint8_t bytes[ROOM];
		uint32_t len = from_hex(bytes, discoveries[i].frame);
		struct packet p;
		struct nd nd;

		print_message("  %s\n", discoveries[i].what);
		if (discoveries[i].at)
			bytes[discoveries[i].at] = (uint8_t)discoveries[i].value;
		put_u16(bytes + 56, 0);
		put_u16(bytes + 56, checksum_finish(checksum_add(checksum_pseudo6(bytes + 22, bytes + 38, PROTO_ICMP6, len - 54),
								  bytes + 54, len - 54)));
		assert_int_equal(packet_parse(bytes, len, &none, &p), VERDICT_FORWARDED);
		assert_true(nd_is(&p));
		assert_int_equal(nd_parse(&p, &nd), discoveries[i].verdict);
		if (discoveries[i].verdict == VERDICT_FORWARDED)
			assert_ptr_equal(nd.link, discoveries[i].link_at == NOTHING ? NULL : bytes + discoveries[i].link_at);
	}
}

/* A probe may not name the prober's link-layer address, and who solicits routers without an address may not either. */
static void test_unspecified(void **state)
{
	static const char *const frames[] = { ns, rs };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		uint8_t bytes[ROOM];
		uint32_t len = from_hex(bytes, frames[i]);
		struct packet p;
		struct nd nd;

		memset(bytes + 22, 0, 16);
		put_u16(bytes + 56, 0);
		put_u16(bytes + 56, checksum_finish(checksum_add(checksum_pseudo6(bytes + 22, bytes + 38, PROTO_ICMP6, len - 54),
								  bytes + 54, len - 54)));
		assert_int_equal(packet_parse(bytes, len, &none, &p), VERDICT_FORWARDED);
		assert_int_equal(nd_parse(&p, &nd), VERDICT_DROP_MALFORMED);
	}
}

static void test_built(void **state)
{
	static const uint8_t gateway[6] = { 2, 0, 0, 0, 0, 1 }, guest[6] = { 2, 0, 0, 0, 0, 2 };
	struct addr one = { .bytes = { 0xfd, [15] = 1 } }, five = { .bytes = { 0xfd, [15] = 5 } }, nine = { .bytes = { 0xfd, [15] = 9 } };
	uint8_t want[ROOM], is[ICMP_ERROR_ROOM], asked[ROOM];
	struct packet p;

	(void)state;
	assert_int_equal(nd_build_advertisement(is, guest, gateway, five, one, ND_ROUTER | ND_SOLICITED | ND_OVERRIDE),
			 from_hex(want, "02000000000202000000000186dd6000000000203afffd000000000000000000000000000001fd00000000000000000000"
					"000000000588009c98e0000000fd0000000000000000000000000000010201020000000001"));
	assert_memory_equal(is, want, ND_NEIGHBOUR_SIZE);
	assert_int_equal(nd_build_solicitation(is, gateway, one, five),
			 from_hex(want, "3333ff00000502000000000186dd6000000000203afffd000000000000000000000000000001ff0200000000000000000001"
					"ff00000587007d9100000000fd0000000000000000000000000000050101020000000001"));
	assert_memory_equal(is, want, ND_NEIGHBOUR_SIZE);
	print_message("  an error quotes the whole packet\n");
	assert_int_equal(packet_parse(asked, from_hex(asked, udp), &none, &p), VERDICT_FORWARDED);
	assert_int_equal(build_icmp_error(is, guest, gateway, one, 1, 4, 0, &p),
			 from_hex(want, "02000000000202000000000186dd60000000003d3a40fd000000000000000000000000000001fd0000000000000000000000"
					"000000050104934d0000000060000000000d1140" FROM_TO "14e90035000dacd468656c6c6f"));
	assert_memory_equal(is, want, 14 + 40 + 61);
	assert_int_equal(build_udp_frame(is, gateway, guest, five, 5353, nine, 53, "hello", 5), from_hex(want, udp));
	assert_memory_equal(is, want, 67);
}

/* ... as far as every path takes it (RFC 4443 2.4c) */
static void test_long_error(void **state)
{
	struct addr one = { .bytes = { 0xfd, [15] = 1 } }, five = { .bytes = { 0xfd, [15] = 5 } };
	uint8_t *asked = calloc(1, 9000), is[ICMP_ERROR_ROOM] = { 0 };
	struct packet p;
	uint32_t len;

	(void)state;
	len = build_udp_frame(asked, is, is, five, 1, one, 2, is, ICMP_ERROR_ROOM);
	assert_int_equal(packet_parse(asked, len, &none, &p), VERDICT_FORWARDED);
	len = build_icmp_error(is, asked, asked, one, 2, 0, 1280, &p);
	assert_int_equal(len, ICMP_ERROR_ROOM);
	assert_int_equal(packet_parse(is, len, &none, &p), VERDICT_FORWARDED);
	assert_int_equal(get_u32(p.data + p.l4 + 4), 1280);
	free(asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	  cmocka_unit_test(test_bad),	      cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_prefixes),  cmocka_unit_test(test_discovery),   cmocka_unit_test(test_unspecified),
		cmocka_unit_test(test_built),	  cmocka_unit_test(test_long_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
