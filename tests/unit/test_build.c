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
	      "4500003800004000400126c00a0000010a00000503045589000005784500002100010000401160b70a0000050808080814e90035000d8ccf");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp), cmocka_unit_test(test_udp_zero), cmocka_unit_test(test_arp),
		cmocka_unit_test(test_icmp_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
