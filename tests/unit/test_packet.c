// SPDX-License-Identifier: GPL-2.0-or-later
/* Headers parsed from good frames (written by scapy), and every way in which one byte or one length makes them bad. */
#include "switch/packet.h"

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

#define ETH_IP4 "0200000000010200000000020800"
static const char tcp[] = ETH_IP4 "4500002e000100000306a3bc0a0000050a000009"
				  "03e80050010203040a0b0c0d601201f4fb530000020405b46869";
static const char udp[] = ETH_IP4 "4500002100010000401166be0a0000050a000009"
				  "14e90035000d92d668656c6c6f";
static const char icmp[] = ETH_IP4 "4500002000010000400166cf0a0000050a000009"
				   "080018df004d000370696e67";
static const char arp[] = "0200000000010200000000020806"
			  "00010800060400010200000000020a0000050000000000000a000001";

enum { ROOM = 256 };

static uint32_t from_hex(uint8_t *to, const char *hex)
{
	uint32_t n = 0;

	for (; hex[0]; hex += 2)
		to[n++] = (uint8_t)strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16);
	return n;
}

static void test_tcp(void **state)
{
	static const struct offload none;
	uint8_t bytes[ROOM];
	struct packet p;

	(void)state;
	assert_int_equal(packet_parse(bytes, from_hex(bytes, tcp), &none, &p), VERDICT_FORWARDED);
	assert_ptr_equal(p.data, bytes);
	assert_int_equal(p.ethertype, ETHERTYPE_IP4);
	assert_int_equal(p.proto, PROTO_TCP);
	assert_int_equal(p.ttl, 3);
	assert_int_equal(addr_4(p.src), 0x0a000005);
	assert_int_equal(addr_4(p.dst), 0x0a000009);
	assert_int_equal(p.sport, 1000);
	assert_int_equal(p.dport, 80);
	assert_int_equal(p.seq, 0x01020304);
	assert_int_equal(p.ack, 0x0a0b0c0d);
	assert_int_equal(p.tcp_flags, TCP_SYN | TCP_ACK);
	assert_int_equal(p.tcp_window, 500);
	assert_int_equal(p.l4, 34);
	assert_int_equal(p.payload, 58);	/* behind an option of four bytes */
	assert_int_equal(packet_payload_len(&p), 2);
	assert_memory_equal(packet_payload(&p), "hi", 2);
}

static void test_udp_icmp_arp(void **state)
{
	static const struct offload none;
	uint8_t bytes[ROOM];
	struct packet p;

	(void)state;
	assert_int_equal(packet_parse(bytes, from_hex(bytes, udp), &none, &p), VERDICT_FORWARDED);
	assert_int_equal(p.proto, PROTO_UDP);
	assert_int_equal(p.sport, 5353);
	assert_int_equal(p.dport, 53);
	assert_int_equal(packet_payload_len(&p), 5);
	assert_memory_equal(packet_payload(&p), "hello", 5);
	print_message("  UDP may end before the datagram does\n");
	bytes[39] = UDP_HEADER + 2;
	put_u16(bytes + 40, 0);
	assert_int_equal(packet_parse(bytes, 47, &none, &p), VERDICT_FORWARDED);
	assert_int_equal(packet_payload_len(&p), 2);
	assert_int_equal(p.len, 44);
	assert_int_equal(packet_parse(bytes, from_hex(bytes, icmp), &none, &p), VERDICT_FORWARDED);
	assert_int_equal(p.proto, PROTO_ICMP);
	assert_int_equal(p.icmp_type, 8);
	assert_int_equal(p.icmp_code, 0);
	assert_int_equal(p.sport, 77);
	assert_memory_equal(packet_payload(&p), "ping", 4);
	assert_int_equal(packet_parse(bytes, from_hex(bytes, arp), &none, &p), VERDICT_FORWARDED);
	assert_int_equal(p.ethertype, ETHERTYPE_ARP4);
	assert_int_equal(p.proto, 0);
	assert_int_equal(p.arp_op, ARP_REQUEST);
	assert_int_equal(addr_4(p.src), 0x0a000005);
	assert_int_equal(addr_4(p.dst), 0x0a000001);
}

static const struct {
	const char *what, *frame;
	struct {
		int at, value;		/* a byte changed; at 0: none */
	} change[2];
	int more;			/* bytes more (zeros) or fewer at the end */
	bool resum;			/* the IPv4 header's checksum is made right again */
	int verdict;
} cases[] = {
	{ "good TCP", tcp, { { 0, 0 } }, 0, false, VERDICT_FORWARDED },
	{ "good UDP", udp, { { 0, 0 } }, 0, false, VERDICT_FORWARDED },
	{ "padding behind the datagram", tcp, { { 0, 0 } }, 20, false, VERDICT_FORWARDED },
	{ "padding behind ARP", arp, { { 0, 0 } }, 18, false, VERDICT_FORWARDED },
	{ "not IP", tcp, { { 12, 0x86 }, { 13, 0xde } }, 0, false, VERDICT_DROP_NOT_IP },
	{ "IPv4 behind the type of IPv6", tcp, { { 12, 0x86 }, { 13, 0xdd } }, 0, false, VERDICT_DROP_MALFORMED },
	{ "a length in the place of a type", tcp, { { 12, 0 }, { 13, 46 } }, 0, false, VERDICT_DROP_NOT_IP },
	{ "a frame of 13 bytes", tcp, { { 0, 0 } }, -47, false, VERDICT_DROP_RUNT },
	{ "no IP header at all", tcp, { { 0, 0 } }, -46, false, VERDICT_DROP_MALFORMED },
	{ "half an IP header", tcp, { { 0, 0 } }, -27, false, VERDICT_DROP_MALFORMED },
	{ "version 6 in an IPv4 frame", tcp, { { 14, 0x65 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "version 0", tcp, { { 14, 0x05 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "IHL 4", tcp, { { 14, 0x44 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "IHL 0", tcp, { { 14, 0x40 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "IHL 15 in a longer datagram means options", tcp, { { 14, 0x4f }, { 17, 60 } }, 14, true, VERDICT_DROP_IP_OPTIONS },
	{ "IHL 15 beyond the datagram", tcp, { { 14, 0x4f } }, 40, true, VERDICT_DROP_MALFORMED },
	{ "IHL 6 means options", tcp, { { 14, 0x46 } }, 0, true, VERDICT_DROP_IP_OPTIONS },
	{ "total length beyond the frame", tcp, { { 17, 47 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "total length 65535", tcp, { { 16, 255 }, { 17, 255 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "total length shorter than the header", tcp, { { 17, 19 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "total length 0", tcp, { { 17, 0 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "a frame cut at its end", tcp, { { 0, 0 } }, -1, false, VERDICT_DROP_MALFORMED },
	{ "a wrong header checksum", tcp, { { 22, 64 } }, 0, false, VERDICT_DROP_CHECKSUM },
	{ "first of several fragments", tcp, { { 20, 0x20 } }, 0, true, VERDICT_DROP_FRAGMENT },
	{ "a later fragment", tcp, { { 21, 1 } }, 0, true, VERDICT_DROP_FRAGMENT },
	{ "the last possible fragment", tcp, { { 20, 0x1f }, { 21, 0xff } }, 0, true, VERDICT_DROP_FRAGMENT },
	{ "do not fragment is no fragment", tcp, { { 20, 0x40 } }, 0, true, VERDICT_FORWARDED },
	{ "nor is the reserved bit", tcp, { { 20, 0x80 } }, 0, true, VERDICT_FORWARDED },
	{ "TTL 0 is for the gateway to judge", tcp, { { 22, 0 } }, 0, true, VERDICT_FORWARDED },
	{ "TCP header of 4 words", tcp, { { 46, 0x40 } }, 0, false, VERDICT_DROP_MALFORMED },
	{ "of 0", tcp, { { 46, 0 } }, 0, false, VERDICT_DROP_MALFORMED },
	{ "of 15, beyond the datagram", tcp, { { 46, 0xf0 } }, 0, false, VERDICT_DROP_MALFORMED },
	{ "a datagram cut in the TCP header", tcp, { { 17, 39 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "a TCP header and no byte more is cut here", tcp, { { 17, 40 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "damaged TCP payload", tcp, { { 58, 'H' } }, 0, false, VERDICT_DROP_CHECKSUM },
	{ "damaged TCP header", tcp, { { 35, 0 } }, 0, false, VERDICT_DROP_CHECKSUM },
	{ "another source than was summed", tcp, { { 29, 6 } }, 0, true, VERDICT_DROP_CHECKSUM },
	{ "UDP length 7", udp, { { 39, 7 } }, 0, false, VERDICT_DROP_MALFORMED },
	{ "UDP length 0", udp, { { 39, 0 } }, 0, false, VERDICT_DROP_MALFORMED },
	{ "UDP length beyond the datagram", udp, { { 39, 14 } }, 0, false, VERDICT_DROP_MALFORMED },
	{ "UDP length shorter than was summed", udp, { { 39, 12 } }, 0, false, VERDICT_DROP_CHECKSUM },
	{ "a datagram cut in the UDP header", udp, { { 17, 27 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "UDP without a checksum", udp, { { 40, 0 }, { 41, 0 } }, 0, false, VERDICT_FORWARDED },
	{ "UDP without a checksum, cut shorter", udp, { { 40, 0 }, { 41, 0 } }, -1, false, VERDICT_DROP_MALFORMED },
	{ "damaged UDP payload", udp, { { 42, 'H' } }, 0, false, VERDICT_DROP_CHECKSUM },
	{ "a datagram cut in the ICMP header", icmp, { { 17, 27 } }, 0, true, VERDICT_DROP_MALFORMED },
	{ "damaged ICMP payload", icmp, { { 45, 'G' } }, 0, false, VERDICT_DROP_CHECKSUM },
	{ "a protocol that is none of ours", icmp, { { 23, 89 } }, 0, true, VERDICT_FORWARDED },
	{ "the same without a byte of payload", icmp, { { 23, 89 }, { 17, 20 } }, 0, true, VERDICT_FORWARDED },
	{ "ARP cut short", arp, { { 0, 0 } }, -1, false, VERDICT_DROP_MALFORMED },
	{ "ARP of other hardware", arp, { { 15, 6 } }, 0, false, VERDICT_DROP_MALFORMED },
	{ "ARP of another protocol", arp, { { 16, 0x86 } }, 0, false, VERDICT_DROP_MALFORMED },
	{ "ARP with long hardware addresses", arp, { { 18, 8 } }, 0, false, VERDICT_DROP_MALFORMED },
	{ "ARP with long protocol addresses", arp, { { 19, 16 } }, 0, false, VERDICT_DROP_MALFORMED },
};

static void test_bad(void **state)
{
	static const struct offload none;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[ROOM] = { 0 };
		uint32_t len = from_hex(bytes, cases[i].frame) + (uint32_t)cases[i].more;
		struct packet p = { .len = 4711 };

		print_message("  %s\n", cases[i].what);
		for (int j = 0; j < 2; j++)
			if (cases[i].change[j].at)
				bytes[cases[i].change[j].at] = (uint8_t)cases[i].change[j].value;
		if (cases[i].resum) {
			put_u16(bytes + 24, 0);
			put_u16(bytes + 24, checksum_finish(checksum_add(0, bytes + 14, (bytes[14] & 15) * 4u)));
		}
		assert_int_equal(packet_parse(bytes, len, &none, &p), cases[i].verdict);
		if (cases[i].verdict != VERDICT_FORWARDED)
			assert_int_equal(p.len, 4711);	/* the result is written only on success */
		else
			assert_in_range(p.len, ETH_HEADER, len);
	}
}

/* No prefix of a good frame reads beyond it (the address sanitizer watches) or parses. */
static void test_prefixes(void **state)
{
	static const char *const frames[] = { tcp, udp, icmp, arp };
	static const struct offload none;

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

/* A checksum that is promised (NEEDS_CSUM) is not looked at; the header's is. */
static void test_promised(void **state)
{
	struct offload promised = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	uint8_t bytes[ROOM];
	uint32_t len = from_hex(bytes, tcp);
	struct packet p;

	(void)state;
	put_u16(bytes + 50, 0x1111);
	assert_int_equal(packet_parse(bytes, len, &promised, &p), VERDICT_FORWARDED);
	promised.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	assert_int_equal(packet_parse(bytes, len, &promised, &p), VERDICT_DROP_CHECKSUM);
	promised.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	bytes[22]++;
	assert_int_equal(packet_parse(bytes, len, &promised, &p), VERDICT_DROP_CHECKSUM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),	 cmocka_unit_test(test_udp_icmp_arp), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_prefixes), cmocka_unit_test(test_promised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
