// SPDX-License-Identifier: GPL-2.0-or-later
/* Segments: all that their headers must say, with checksums summed here word by word; and those that scapy makes. */
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

static uint8_t memory[OFFLOAD_ROOM] __attribute__((aligned(16)));

/* resolve() - for a port without offloads, in @room bytes of memory */
static unsigned resolve(struct frame *f, size_t room, struct frame **parts)
{
	uint8_t *space = memory;

	return offload_resolve(f, 0, &space, &room, parts);
}

/* check_segment() - number @i of @n with @size bytes of payload from @from on */
static void check_segment(const struct shape *s, const uint8_t *seg, unsigned from, unsigned size, unsigned i,
			  bool last)
{
	unsigned l4 = shape_l4(s), headers = shape_headers(s), l4_size = headers - l4 + size;
	const uint8_t *ip = seg + ETH_HEADER, *t = seg + l4;
	uint8_t proto = s->udp ? PROTO_UDP : PROTO_TCP;

	if (s->v6) {
		assert_int_equal(get_u16(ip + 4), l4_size);
	} else {
		assert_int_equal(get_u16(ip + 2), IP4_HEADER + l4_size);
		assert_int_equal(get_u16(ip + 4), 0x1234 + i);
		assert_int_equal(plain_sum(0, ip, IP4_HEADER), 0xffff);
	}
	assert_int_equal(plain_sum(plain_pseudo(seg, s->v6, proto, l4_size), t, l4_size), 0xffff);
	if (s->udp) {
		assert_int_equal(get_u16(t + 4), l4_size);
	} else {
		uint8_t flags = s->tcp_flags;

		if (i)
			flags &= (uint8_t)~0x80; /* CWR is for the first alone */
		if (!last)
			flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
		assert_int_equal(t[13], flags);
		assert_int_equal(get_u32(t + 4), 0x01020304 + from);
		assert_int_equal(get_u32(t + 8), 7);
	}
	for (unsigned j = 0; j < size; j++)
		assert_int_equal(seg[headers + j], (uint8_t)(from + j));
}

static void check_cut(const struct shape *s, uint16_t gso_size, uint8_t type, uint32_t head, uint32_t piece)
{
	static uint8_t bytes[FRAME_MAX], segment[FRAME_MAX];
	struct frame f, *parts;
	unsigned n, from = 0;
	struct offload o;

	frame_init(&f, bytes, shape_frame(bytes, s, &o));
	f.offload = o;
	f.offload.gso_type = type;
	f.offload.gso_size = gso_size;
	frame_split(&f, head, piece);
	assert_int_equal(offload_check(&f, 65535), VERDICT_FORWARDED);
	assert_int_equal(f.offload.csum_start, o.csum_start);
	assert_int_equal(f.offload.csum_offset, o.csum_offset);
	assert_int_equal(f.offload.hdr_len, s->payload > gso_size ? shape_headers(s) : 0);
	n = resolve(&f, sizeof(memory), &parts);
	assert_int_equal(n, s->payload ? (s->payload + gso_size - 1) / gso_size : 1);
	for (unsigned i = 0; i < n; i++) {
		unsigned size = MIN_OF(s->payload - from, (unsigned)gso_size);

		assert_int_equal(parts[i].len, shape_headers(s) + size);
		assert_in_range(parts[i].nbody, 0, FRAME_BODY_MAX);
		assert_int_equal(parts[i].offload.flags, 0);
		frame_linear(&parts[i], segment);
		check_segment(s, segment, from, size, i, i == n - 1);
		from += size;
	}
	assert_int_equal(from, s->payload);
}

static void test_cut(void **state)
{
	static const unsigned payloads[] = { 0, 1, 255, 256, 257, 512, 1448, 1449, 3000, 65000 };
	static const uint16_t sizes[] = { 256, 257, 1400, 1448 }, heads[] = { 62, 138, 192, 1000 };
	static const uint8_t flags[] = { TCP_ACK, TCP_ACK | TCP_PSH | TCP_FIN, TCP_ACK | 0x80 | 0x40 };
	static const unsigned options[] = { 0, 12, 40 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(payloads); i++) {
		for (unsigned j = 0; j < ARRAY_SIZE(sizes); j++) {
			for (unsigned k = 0; k < 2 * ARRAY_SIZE(flags); k++) {
				struct shape tcp = { .v6 = k % 2,
						     .tcp_flags = flags[k / 2],
						     .payload = payloads[i],
						     .options = options[k % ARRAY_SIZE(options)] };
				uint8_t type =
					(uint8_t)((k % 2 ? TCP6 : TCP4) | (flags[k / 2] & 0x80 ? ECN : 0));
				struct shape udp = { .udp = true, .v6 = k % 2, .payload = payloads[i] };

				check_cut(&tcp, sizes[j], type, 0, 0);
				check_cut(&tcp, sizes[j], type, 128, 4096);
				check_cut(&tcp, sizes[j], type, shape_headers(&tcp), 100);
				for (unsigned h = 0; h < ARRAY_SIZE(heads); h++)
					check_cut(&udp, sizes[j], UDP_L4, heads[h] + i % 3, 3000 + i);
				check_cut(&udp, sizes[j], UDP_L4, 0, 0);
				check_cut(&udp, sizes[j], UDP_L4, 128, 3999);
			}
		}
	}
}

/* The segments that scapy makes of the same stream. */
static void test_cut_as_scapy(void **state)
{
	static const struct {
		struct shape shape;
		uint8_t type;
		uint16_t ip[3], l4[3];
	} cases[] = {
		{ { .tcp_flags = TCP_ACK | TCP_PSH, .payload = 700 },
		  TCP4,
		  { 0x1363, 0x1362, 0x1429 },
		  { 0x003d, 0x3345, 0xb1bb } },
		{ { .udp = true, .payload = 700 },
		  UDP_L4,
		  { 0x1364, 0x1363, 0x142a },
		  { 0x551b, 0x894f, 0x09c2 } },
		{ { .v6 = true, .tcp_flags = TCP_ACK | TCP_PSH, .payload = 700 },
		  TCP6,
		  { 0 },
		  { 0x1a3b, 0x4d43, 0xcbb9 } },
		{ { .v6 = true, .udp = true, .payload = 700 }, UDP_L4, { 0 }, { 0x6f19, 0xa34d, 0x23c0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[1024];
		struct offload o;
		struct frame f, *parts;

		frame_init(&f, bytes, shape_frame(bytes, &cases[i].shape, &o));
		f.offload = o;
		f.offload.gso_type = cases[i].type;
		f.offload.gso_size = 300;
		assert_int_equal(offload_check(&f, MTU), VERDICT_FORWARDED);
		assert_int_equal(resolve(&f, sizeof(memory), &parts), 3);
		for (unsigned j = 0; j < 3; j++) {
			const uint8_t *seg = parts[j].head;

			if (!cases[i].shape.v6)
				assert_int_equal(get_u16(seg + 24), cases[i].ip[j]);
			assert_int_equal(get_u16(seg + o.csum_start + o.csum_offset), cases[i].l4[j]);
		}
	}
}

static void test_cut_no_room(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	struct shape s = { .tcp_flags = TCP_ACK, .payload = 3000 };
	struct frame f, *parts;
	struct offload o;
	size_t need = 0;

	(void)state;
	frame_init(&f, bytes, shape_frame(bytes, &s, &o));
	f.offload = o;
	f.offload.gso_type = TCP4;
	f.offload.gso_size = 1000;
	assert_int_equal(offload_check(&f, MTU), VERDICT_FORWARDED);
	while (resolve(&f, need, &parts) == 0)
		need++;
	assert_in_range(need, 3 * 54, 3 * 256);
	for (size_t room = 0; room < need; room++)
		assert_int_equal(resolve(&f, room, &parts), 0);
	assert_int_equal(resolve(&f, need, &parts), 3);
}

/* A segment has no more pieces than a frame may have: what the head has of the payload goes into the first segment's head, or is a
 * piece; a frame of which a segment would have one too many is not cut. */
static void test_many_pieces(void **state)
{
	static const struct {
		uint32_t head, piece, payload;
		uint16_t gso_size;
		unsigned n;
	} cases[] = {
		{ 192, 50, 1038, 1000, 2 }, { 192, 50, 138 + 18 * 50, 1000, 2 }, { 254, 4, 200 + 18 * 4, 150, 0 },
		{ 254, 4, 200 + 17 * 4, 150, 2 }, { 254, 4, 200 + 18 * 4, 200, 2 },
	};
	static uint8_t bytes[4096];
	struct frame f, *parts;
	struct offload o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct shape s = { .tcp_flags = TCP_ACK, .payload = cases[i].payload };

		frame_init(&f, bytes, shape_frame(bytes, &s, &o));
		f.offload = o;
		f.offload.gso_type = TCP4;
		f.offload.gso_size = cases[i].gso_size;
		frame_split(&f, cases[i].head, cases[i].piece);
		assert_int_equal(offload_check(&f, MTU), VERDICT_FORWARDED);
		assert_int_equal(resolve(&f, sizeof(memory), &parts), cases[i].n);
		for (unsigned j = 0; j < cases[i].n; j++)
			assert_in_range(parts[j].nbody, 0, FRAME_BODY_MAX);
	}
}

/* What was used is told, so that several frames share the memory; a frame that fits takes none. */
static void test_space(void **state)
{
	static uint8_t bytes[2][FRAME_MAX];
	uint8_t *space = memory, *before;
	size_t room = sizeof(memory);
	struct frame f[2], *parts[2];
	struct offload o;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct shape s = { .tcp_flags = TCP_ACK, .payload = 60000, .v6 = i == 1 };

		frame_init(&f[i], bytes[i], shape_frame(bytes[i], &s, &o));
		f[i].offload = o;
		f[i].offload.gso_type = i ? TCP6 : TCP4;
		f[i].offload.gso_size = 1400;
		assert_int_equal(offload_check(&f[i], MTU), VERDICT_FORWARDED);
		before = space;
		assert_int_equal(offload_resolve(&f[i], PORT_CSUM | PORT_TSO4 | PORT_TSO6, &space, &room, &parts[i]), 1);
		assert_ptr_equal(space, before);
		assert_ptr_equal(parts[i], &f[i]);
		assert_int_equal(offload_resolve(&f[i], PORT_CSUM | PORT_ECN | PORT_USO, &space, &room, &parts[i]), 43);
		assert_int_equal(space + room - memory, sizeof(memory));
		assert_int_equal((uintptr_t)space % 16, 0);
		assert_true((uint8_t *)parts[i] >= before && parts[i][42].head + 74 <= space);
	}
	assert_true((uint8_t *)parts[1] > parts[0][42].head);
}

/* The smallest segments of the longest frame are what OFFLOAD_SEGMENTS and OFFLOAD_ROOM were made for. */
static void test_cut_most(void **state)
{
	static const struct shape shapes[] = {
		{ .udp = true, .payload = FRAME_MAX - 42 },
		{ .tcp_flags = TCP_ACK, .payload = FRAME_MAX - 54 },
		{ .tcp_flags = TCP_ACK, .options = 40, .payload = FRAME_MAX - 94 },
		{ .v6 = true, .tcp_flags = TCP_ACK, .options = 40, .payload = FRAME_MAX - 114 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape *s = &shapes[i];

		check_cut(s, 256, s->udp ? UDP_L4 : s->v6 ? TCP6 : TCP4, 0, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut), cmocka_unit_test(test_cut_as_scapy), cmocka_unit_test(test_cut_no_room),
		cmocka_unit_test(test_cut_most), cmocka_unit_test(test_space), cmocka_unit_test(test_many_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
