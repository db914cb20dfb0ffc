// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames that the gateway makes, byte by byte as scapy writes them; and our own parser takes each of them. */
#include "switch/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"

static const uint8_t one[6] = { 2, 0, 0, 0, 0, 1 }, two[6] = { 2, 0, 0, 0, 0, 2 }, zero[6];
static const struct offload none;

static uint32_t from_hex(uint8_t *to, const char *hex)
{
	uint32_t n = 0;

	for (; hex[0]; hex += 2)
		to[n++] = (uint8_t)strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16);
	return n;
}

static void check(const uint8_t *is, uint32_t len, const char *hex)
{
	uint8_t want[256];
	struct packet p;

	assert_int_equal(len, from_hex(want, hex));
	assert_memory_equal(is, want, len);
	assert_int_equal(packet_parse(is, len, &none, &p), VERDICT_FORWARDED);
}

static void test_udp(void **state)
{
	uint8_t to[256];

	(void)state;
	check(to, build_udp_frame(to, one, two, addr4(0x0a000001), 53, addr4(0x0a000005), 5353, "hello", 5),
	      "0200000000010200000000020800"
	      "4500002100004000401126c70a0000010a000005003514e9000d92de68656c6c6f");
	print_message("  all sizes have good checksums\n");
	for (uint32_t size = 0; size < 1400; size++) {
		uint8_t bytes[1500], payload[1400];
		struct packet p;
		uint32_t len;

		memset(payload, (int)size, sizeof(payload));
		len = build_udp_frame(bytes, one, two, addr4(0x0a000001), 53, addr4(0x0a000005), (uint16_t)size, payload, size);
		assert_int_equal(packet_parse(bytes, len, &none, &p), VERDICT_FORWARDED);
		assert_int_equal(packet_payload_len(&p), size);
	}
}

/* RFC 768: a checksum that comes out as 0 is sent as 0xffff, since 0 says that there is none */
static void test_udp_zero(void **state)
{
	uint8_t to[64], payload[2] = { 0, 0 };
	struct packet p;

	(void)state;
	build_udp_frame(to, one, two, addr4(0x0a000001), 53, addr4(0x0a000005), 5353, payload, 2);
	memcpy(payload, to + 40, 2);
	assert_int_equal(packet_parse(to, build_udp_frame(to, one, two, addr4(0x0a000001), 53, addr4(0x0a000005), 5353, payload, 2), &none, &p),
			 VERDICT_FORWARDED);
	assert_int_equal(get_u16(to + 40), 0xffff);
}

static void test_arp(void **state)
{
	uint8_t to[64];

	(void)state;
	check(to, build_arp(to, ARP_REQUEST, two, 0x0a000005, zero, 0x0a000001, one),
	      "0200000000010200000000020806"
	      "00010800060400010200000000020a0000050000000000000a000001");
}

static void test_icmp_error(void **state)
{
	static const char asked[] = "0200000000010200000000020800"
				    "4500002100010000401160b70a0000050808080814e90035000d8ccf68656c6c6f";
	uint8_t bytes[256], to[256];
	struct packet p;
	uint32_t len = from_hex(bytes, asked);

	(void)state;
	assert_int_equal(packet_parse(bytes, len, &none, &p), VERDICT_FORWARDED);
	check(to, build_icmp_error(to, one, two, addr4(0x0a000001), 3, 4, 1400, &p),
	      "0200000000010200000000020800"
	      "4500003d00004000400126bb0a0000010a000005030411b7000005784500002100010000401160b70a0000050808080814e90035000d8ccf68656c6c6f");
	print_message("  of a packet with less than eight bytes behind its header it quotes what there is\n");
	len = (uint32_t)(build_ip4(build_eth(bytes, one, two, ETHERTYPE_IP4), 0x0a000005, 0x08080808, 89, 9, 3) + 3 - bytes);
	memcpy(bytes + len - 3, "abc", 3);
	assert_int_equal(packet_parse(bytes, len, &none, &p), VERDICT_FORWARDED);
	len = build_icmp_error(to, one, two, addr4(0x0a000001), 3, 2, 0, &p);
	assert_int_equal(len, ETH_HEADER + IP4_HEADER + ICMP_HEADER + IP4_HEADER + 3);
	assert_memory_equal(to + len - 3, "abc", 3);
	assert_int_equal(packet_parse(to, len, &none, &p), VERDICT_FORWARDED);
	assert_int_equal(p.icmp_code, 2);
}

/* RFC 1812 4.3.2.3: as much as fits 576 bytes; RFC 4884: 128 bytes at least, in whole words, where something is appended */
static void test_icmp_quotes(void **state)
{
	static const char asked[] = "0200000000010200000000020800"
				    "4500002100010000401160b70a0000050808080814e90035000d8ccf68656c6c6f";
	static const uint8_t more[] = { 0x20, 0, 0x9d, 0xef, 0, 8, 1, 1, 0, 6, 0x41, 1 };	/* an MPLS label (RFC 4950) */
	static uint8_t large[1500], payload[1400];
	uint8_t bytes[256], to[ICMP_ERROR_ROOM], want[ETH_HEADER + 168] = { 0 };
	struct packet p;
	uint32_t len = from_hex(bytes, asked);

	(void)state;
	assert_int_equal(packet_parse(bytes, len, &none, &p), VERDICT_FORWARDED);
	from_hex(want, "0200000000010200000000020800450000a800004000400126500a0000010a0000050b000f13002000004500002100010000401160b7"
		       "0a0000050808080814e90035000d8ccf68656c6c6f");
	memcpy(want + sizeof(want) - sizeof(more), more, sizeof(more));
	assert_int_equal(build_icmp_extended(to, one, two, addr4(0x0a000001), 11, 0, 0, &p, more, sizeof(more)), sizeof(want));
	assert_memory_equal(to, want, sizeof(want));
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		struct addr a = ip6 ? (struct addr){ .bytes = { 0xfd, [15] = 1 } } : addr4(0x0a000001);
		struct addr b = ip6 ? (struct addr){ .bytes = { 0xfd, [15] = 5 } } : addr4(0x0a000005);
		uint32_t most = ETH_HEADER + (ip6 ? 1280 : 576), words;

		len = build_udp_frame(large, one, two, b, 1, a, 2, payload, sizeof(payload));
		assert_int_equal(packet_parse(large, len, &none, &p), VERDICT_FORWARDED);
		assert_int_equal(build_icmp_error(to, one, two, a, ip6 ? 3 : 11, 0, 0, &p), most);
		len = build_icmp_extended(to, one, two, a, ip6 ? 3 : 11, 0, 0, &p, more, sizeof(more));
		words = to[build_headers(a) + (ip6 ? 4 : 5)] * (ip6 ? 8 : 4);
		assert_true(len <= most && len > most - 8);
		assert_int_equal(len, build_headers(a) + ICMP_HEADER + words + sizeof(more));
		assert_memory_equal(to + len - sizeof(more), more, sizeof(more));
		assert_int_equal(packet_parse(to, len, &none, &p), VERDICT_FORWARDED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp), cmocka_unit_test(test_udp_zero), cmocka_unit_test(test_arp),
		cmocka_unit_test(test_icmp_error), cmocka_unit_test(test_icmp_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
