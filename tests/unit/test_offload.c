// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests of guests: which are refused, and checksums completed. Expected checksums are scapy's. */
#include "switch/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "tests/unit/offload_frame.h"

enum { MTU = 1500 };

/* The sum goes into the head, however the frame is cut into pieces, and nothing else changes. */
static void test_complete(void **state)
{
	static const struct {
		struct shape shape;
		uint16_t checksum;
	} cases[] = {
		{ { .tcp_flags = TCP_PSH | TCP_ACK, .payload = 100 }, 0xf554 },
		{ { .udp = true, .payload = 100 }, 0x4b03 },
		{ { .v6 = true, .tcp_flags = TCP_PSH | TCP_ACK, .payload = 100 }, 0x0f53 },
		{ { .v6 = true, .udp = true, .payload = 100 }, 0x6501 },
	};
	static const struct { uint32_t head, piece; } splits[] = { { 0, 0 }, { 80, 7 }, { 81, 7 }, { 75, 100 }, { 95, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(splits); i++) {
		uint8_t bytes[256], before[256];
		struct offload o;
		struct frame f;
		uint32_t len = shape_frame(bytes, &cases[i / ARRAY_SIZE(splits)].shape, &o);

		memcpy(before, bytes, len);
		frame_init(&f, bytes, len);
		frame_split(&f, splits[i % ARRAY_SIZE(splits)].head, splits[i % ARRAY_SIZE(splits)].piece);
		offload_complete(&f);		/* nothing was asked for */
		assert_memory_equal(before, bytes, len);
		f.offload = o;
		offload_complete(&f);
		assert_int_equal(f.offload.flags, 0);
		assert_int_equal(get_u16(bytes + o.csum_start + o.csum_offset), cases[i / ARRAY_SIZE(splits)].checksum);
		memcpy(before + o.csum_start + o.csum_offset, bytes + o.csum_start + o.csum_offset, 2);
		assert_memory_equal(before, bytes, len);
		offload_complete(&f);		/* and once is enough */
		assert_memory_equal(before, bytes, len);
	}
}

/* RFC 768: a UDP checksum that comes out as 0 is sent as 0xffff */
static void test_udp_zero(void **state)
{
	uint8_t bytes[256];
	struct frame f;
	struct shape s = { .udp = true, .payload = 2 };
	struct offload o;

	(void)state;
	frame_init(&f, bytes, shape_frame(bytes, &s, &o));
	f.offload = o;
	put_u16(bytes + f.len - 2, 0);
	put_u16(bytes + f.len - 2, (uint16_t)~plain_sum(0, bytes + o.csum_start, UDP_HEADER + 2));
	offload_complete(&f);
	assert_int_equal(get_u16(bytes + o.csum_start + 6), 0xffff);
}

static void test_wire_form(void **state)
{
	static const uint8_t wire[VNET_HEADER] = { 1, 0x81, 54, 0, 0xb4, 5, 34, 0, 16, 0, 0, 0 };
	uint8_t out[VNET_HEADER];
	struct offload o;

	(void)state;
	offload_read(&o, wire);
	assert_int_equal(o.flags, CSUM);
	assert_int_equal(o.gso_type, TCP4 | ECN);
	assert_int_equal(o.hdr_len, 54);
	assert_int_equal(o.gso_size, 1460);
	assert_int_equal(o.csum_start, 34);
	assert_int_equal(o.csum_offset, 16);
	offload_write(&o, 0, out, sizeof(out));
	assert_memory_equal(out, wire, sizeof(out));
	print_message("  a header that asks for nothing says nothing\n");
	offload_read(&o, (const uint8_t[VNET_HEADER]){ 0xfe, 0, 54, 0, 0xb4, 5, 34, 0, 16, 0, 7, 7 });
	assert_memory_equal(&o, &(struct offload){ 0 }, sizeof(o));
	offload_read(&o, wire);
	print_message("  a tag in the frame moves headers and sum by four\n");
	offload_write(&o, VLAN_TAG, out, sizeof(out));
	assert_int_equal(out[2], 58);
	assert_int_equal(out[6], 38);
	assert_int_equal(out[8], 16);
	o.flags = 0;
	memset(out, 0xee, sizeof(out));
	offload_write(&o, 0, out, VNET_HEADER_LEGACY);
	for (unsigned i = 0; i < VNET_HEADER; i++)
		assert_int_equal(out[i], i < VNET_HEADER_LEGACY ? 0 : 0xee);
}

static const struct {
	const char *what;
	struct offload o;
	uint32_t need; /* enum port_offload that suffices, and nothing less does */
} fits[] = {
	{ "nothing asked", { 0 }, 0 },
	{ "a checksum", { .flags = CSUM }, PORT_CSUM },
	{ "TCP over IPv4", { .flags = CSUM, .gso_type = TCP4 }, PORT_CSUM | PORT_TSO4 },
	{ "TCP over IPv6", { .flags = CSUM, .gso_type = TCP6 }, PORT_CSUM | PORT_TSO6 },
	{ "with ECN", { .flags = CSUM, .gso_type = TCP6 | ECN }, PORT_CSUM | PORT_TSO6 | PORT_ECN },
	{ "UDP", { .flags = CSUM, .gso_type = UDP_L4 }, PORT_CSUM | PORT_USO },
};

static void test_fits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fits); i++) {
		print_message("  %s\n", fits[i].what);
		for (uint32_t has = 0; has < 32; has++)
			assert_int_equal(offload_fits(&fits[i].o, has), (has & fits[i].need) == fits[i].need);
	}
}

/* ---- what is refused ---- */

enum { GOOD = VERDICT_FORWARDED, BAD = VERDICT_DROP_VNET_HEADER, BIG = VERDICT_DROP_OVERSIZE };

/* twist - one wrong thing in an otherwise good frame of 3000 bytes of TCP over IPv4 */
static const struct {
	const char *what;
	struct offload o; /* csum_start and csum_offset count only where GSO is not asked */
	int at, value;	  /* a byte changed, or -1 */
	uint32_t len;	  /* or 0 for all */
	uint32_t head;	  /* private bytes, or 0 for all */
	int verdict;
} twists[] = {
	{ "good", { CSUM, TCP4, 54, 1400, 34, 16 }, -1, 0, 0, 0, GOOD },
	{ "ECN is fine", { CSUM, TCP4 | ECN, 54, 1400, 34, 16 }, -1, 0, 0, 0, GOOD },
	{ "a lie about headers does no harm", { CSUM, TCP4, 65535, 1400, 34, 16 }, -1, 0, 0, 0, GOOD },
	{ "nor does one of 0", { CSUM, TCP4, 0, 1400, 34, 16 }, -1, 0, 0, 0, GOOD },
	{ "nor one about the sum", { CSUM, TCP4, 54, 1400, 65535, 65535 }, -1, 0, 0, 0, GOOD },
	{ "headers in private memory suffice", { CSUM, TCP4, 54, 1400, 34, 16 }, -1, 0, 0, 54, GOOD },
	{ "headers beyond it do not", { CSUM, TCP4, 54, 1400, 34, 16 }, -1, 0, 0, 53, BAD },
	{ "other flags beside", { 0xff, TCP4, 54, 1400, 34, 16 }, -1, 0, 0, 0, GOOD },
	{ "no checksum with it", { 0, TCP4, 54, 1400, 34, 16 }, -1, 0, 0, 0, BAD },
	{ "data valid instead", { 2, TCP4, 54, 1400, 34, 16 }, -1, 0, 0, 0, BAD },
	{ "segments of 0", { CSUM, TCP4, 54, 0, 34, 16 }, -1, 0, 0, 0, BAD },
	{ "of 1", { CSUM, TCP4, 54, 1, 34, 16 }, -1, 0, 0, 0, BAD },
	{ "of 7", { CSUM, TCP4, 54, 7, 34, 16 }, -1, 0, 1000, 0, BAD },
	{ "of 8, as a small window makes them", { CSUM, TCP4, 54, 8, 34, 16 }, -1, 0, 1000, 0, GOOD },
	{ "256 of them", { CSUM, TCP4, 54, 11, 34, 16 }, -1, 0, 54 + 256 * 11, 0, GOOD },
	{ "and one more", { CSUM, TCP4, 54, 11, 34, 16 }, -1, 0, 54 + 256 * 11 + 1, 0, BAD },
	{ "as long as the MTU allows", { CSUM, TCP4, 54, 1460, 34, 16 }, -1, 0, 0, 0, GOOD },
	{ "one byte longer", { CSUM, TCP4, 54, 1461, 34, 16 }, -1, 0, 0, 0, BIG },
	{ "of 65535", { CSUM, TCP4, 54, 65535, 34, 16 }, -1, 0, 0, 0, BIG },
	{ "IPv6 said", { CSUM, TCP6, 54, 1400, 34, 16 }, -1, 0, 0, 0, BAD },
	{ "UDP said", { CSUM, UDP_L4, 54, 1400, 34, 16 }, -1, 0, 0, 0, BAD },
	{ "UDP fragments, which we do not take", { CSUM, 3, 54, 1400, 34, 6 }, 23, 17, 0, 0, BAD },
	{ "UDP with ECN", { CSUM, UDP_L4 | ECN, 54, 1400, 34, 6 }, 23, 17, 0, 0, BAD },
	{ "UDP it is", { CSUM, UDP_L4, 54, 1400, 34, 6 }, 23, 17, 0, 0, GOOD },
	{ "an unknown type", { CSUM, 0x7f, 54, 1400, 34, 16 }, -1, 0, 0, 0, BAD },
	{ "ECN of nothing", { CSUM, ECN, 54, 1400, 34, 16 }, -1, 0, 0, 0, BAD },
	{ "neither IPv4 nor IPv6", { CSUM, TCP4, 54, 1400, 34, 16 }, 12, 9, 0, 0, BAD },
	{ "IP version 5", { CSUM, TCP4, 54, 1400, 34, 16 }, 14, 0x55, 0, 0, BAD },
	{ "an IP header of four words", { CSUM, TCP4, 54, 1400, 34, 16 }, 14, 0x44, 0, 0, BAD },
	{ "a fragment", { CSUM, TCP4, 54, 1400, 34, 16 }, 20, 0x20, 0, 0, BAD },
	{ "a later fragment", { CSUM, TCP4, 54, 1400, 34, 16 }, 21, 1, 0, 0, BAD },
	{ "neither TCP nor UDP", { CSUM, TCP4, 54, 1400, 34, 16 }, 23, 1, 0, 0, BAD },
	{ "a TCP header of four words", { CSUM, TCP4, 54, 1400, 34, 16 }, 46, 0x40, 0, 0, BAD },
	{ "a frame cut in the TCP header", { CSUM, TCP4, 54, 1400, 34, 16 }, -1, 0, 53, 0, BAD },
	{ "cut in its options", { CSUM, TCP4, 54, 1400, 34, 16 }, 46, 0xf0, 93, 0, BAD },
	{ "cut in the IP header", { CSUM, TCP4, 54, 1400, 34, 16 }, -1, 0, 33, 0, BAD },
	{ "nothing but Ethernet", { CSUM, TCP4, 54, 1400, 34, 16 }, -1, 0, 14, 0, BAD },
	{ "no GSO, and too long", { CSUM, 0, 0, 0, 34, 16 }, -1, 0, 1515, 0, BIG },
	{ "no GSO, and just long enough", { CSUM, 0, 0, 0, 34, 16 }, -1, 0, 1514, 0, GOOD },
	{ "longer than any frame", { CSUM, TCP4, 54, 1400, 34, 16 }, -1, 0, FRAME_MAX + 1, 54, BAD },
	{ "other flags beside a checksum", { 0xff, 0, 0, 0, 34, 16 }, -1, 0, 100, 0, GOOD },
	{ "sizes without segments", { CSUM, 0, 54, 1400, 34, 16 }, -1, 0, 100, 0, GOOD },
	{ "the sum begins in the addresses", { CSUM, 0, 0, 0, 13, 16 }, -1, 0, 100, 0, BAD },
	{ "the sum goes to the IP header", { CSUM, 0, 0, 0, 14, 10 }, -1, 0, 100, 0, BAD },
	{ "to the source address", { CSUM, 0, 0, 0, 14, 12 }, -1, 0, 100, 0, BAD },
	{ "to the ports", { CSUM, 0, 0, 0, 34, 0 }, -1, 0, 100, 0, BAD },
	{ "to where UDP has it", { CSUM, 0, 0, 0, 34, 6 }, -1, 0, 100, 0, BAD },
	{ "and UDP it is", { CSUM, 0, 0, 0, 34, 6 }, 23, 17, 100, 0, GOOD },
	{ "it begins in the TCP header", { CSUM, 0, 0, 0, 36, 16 }, -1, 0, 100, 0, BAD },
	{ "at its last byte", { CSUM, 0, 0, 0, 53, 10 }, -1, 0, 100, 0, BAD },
	{ "behind it: a tunnel's", { CSUM, 0, 0, 0, 54, 16 }, -1, 0, 100, 0, GOOD },
	{ "at an odd place", { CSUM, 0, 0, 0, 55, 17 }, -1, 0, 100, 0, GOOD },
	{ "the sum goes to the last bytes", { CSUM, 0, 0, 0, 54, 44 }, -1, 0, 100, 0, GOOD },
	{ "one byte beyond", { CSUM, 0, 0, 0, 54, 45 }, -1, 0, 100, 0, BAD },
	{ "beyond the private bytes", { CSUM, 0, 0, 0, 54, 16 }, -1, 0, 100, 71, BAD },
	{ "within them", { CSUM, 0, 0, 0, 54, 16 }, -1, 0, 100, 72, GOOD },
	{ "begins behind the end", { CSUM, 0, 0, 0, 100, 0 }, -1, 0, 100, 0, BAD },
	{ "far out", { CSUM, 0, 0, 0, 65535, 65535 }, -1, 0, 100, 0, BAD },
	{ "wraps at 16 bits", { CSUM, 0, 0, 0, 34, 65518 }, -1, 0, 100, 0, BAD },
	{ "of a fragment", { CSUM, 0, 0, 0, 34, 16 }, 20, 0x20, 100, 0, BAD },
	{ "of a TCP header of four words", { CSUM, 0, 0, 0, 34, 16 }, 46, 0x40, 100, 0, BAD },
	{ "of ICMP", { CSUM, 0, 0, 0, 34, 2 }, 23, 1, 100, 0, GOOD },
	{ "of ICMP, to its identifier", { CSUM, 0, 0, 0, 34, 4 }, 23, 1, 100, 0, BAD },
	{ "behind GRE", { CSUM, 0, 0, 0, 58, 16 }, 23, 47, 100, 0, GOOD },
	{ "in front of it", { CSUM, 0, 0, 0, 33, 16 }, 23, 47, 100, 0, BAD },
	{ "of ARP", { CSUM, 0, 0, 0, 34, 16 }, 13, 6, 100, 0, BAD },
	{ "of MPLS", { CSUM, 0, 0, 0, 38, 16 }, 12, 0x88, 100, 0, GOOD },
	{ "of MPLS, in its label", { CSUM, 0, 0, 0, 14, 2 }, 12, 0x88, 100, 0, BAD },
	{ "no request, whatever the rest says", { 0, 0, 9, 9, 65535, 65535 }, -1, 0, 100, 0, GOOD },
	{ "data valid alone", { 2, 0, 9, 9, 65535, 65535 }, -1, 0, 100, 0, GOOD },
};

static void test_check(void **state)
{
	struct shape s = { .tcp_flags = TCP_ACK, .payload = 3000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(twists); i++) {
		uint8_t bytes[4096];
		struct offload o;
		struct frame f;

		print_message("  %s\n", twists[i].what);
		frame_init(&f, bytes, shape_frame(bytes, &s, &o));
		if (twists[i].at >= 0)
			bytes[twists[i].at] = (uint8_t)twists[i].value;
		if (twists[i].len)
			f.head_len = f.len = twists[i].len;	/* nobody looks beyond the head */
		frame_split(&f, twists[i].head, 1000);
		f.offload = twists[i].o;
		assert_int_equal(offload_check(&f, MTU), twists[i].verdict);
		if (twists[i].verdict != VERDICT_FORWARDED)
			continue;
		assert_int_equal(f.offload.flags, twists[i].o.flags & CSUM);
		assert_true(f.offload.gso_type || !f.offload.flags || (!f.offload.gso_size && !f.offload.hdr_len));
	}
}

/* Of a fragment nobody knows where the upper header is, whatever it is of. */
static void test_fragment_of_icmp(void **state)
{
	struct shape s = { .tcp_flags = TCP_ACK, .payload = 100 };
	uint8_t bytes[4096];
	struct offload o;
	struct frame f;

	(void)state;
	for (unsigned later = 0; later < 2; later++) {
		frame_init(&f, bytes, shape_frame(bytes, &s, &o));
		bytes[20] = later ? 0 : 0x20;
		bytes[21] = later ? 1 : 0;
		bytes[23] = 1;
		f.offload = (struct offload){ CSUM, 0, 0, 0, 34, 2 };
		assert_int_equal(offload_check(&f, MTU), BAD);
	}
}

/* A sum whose place is not in the private bytes is not written: nothing else of the frame is ours. */
static void test_complete_elsewhere(void **state)
{
	struct shape s = { .tcp_flags = TCP_ACK, .payload = 100 };
	uint8_t bytes[4096], before[4096];
	struct frame f;

	(void)state;
	for (uint32_t head = 14; head <= 51; head++) {
		struct offload o;

		frame_init(&f, bytes, shape_frame(bytes, &s, &o));
		memcpy(before, bytes, f.len);
		f.offload = (struct offload){ CSUM, 0, 0, 0, 34, 16 };
		f.head_len = head;
		offload_complete(&f);
		assert_memory_equal(bytes, before, f.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete), cmocka_unit_test(test_udp_zero), cmocka_unit_test(test_wire_form),
		cmocka_unit_test(test_fits),   cmocka_unit_test(test_check), cmocka_unit_test(test_fragment_of_icmp),
		cmocka_unit_test(test_complete_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
