// SPDX-License-Identifier: GPL-2.0-or-later
/* The framed stream has no vnet header: large frames leave it as segments, whole and in step. */
#include "tap/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "tests/unit/offload_frame.h"
#include "tests/unit/stream_end.h"

/* gso() - a frame that asks for segments, with its body in pieces */
static uint32_t gso(struct frame *f, uint8_t *bytes, const struct shape *s, uint16_t size)
{
	struct offload o;

	frame_init(f, bytes, shape_frame(bytes, s, &o));
	f->offload = o;
	f->offload.gso_type = s->udp ? UDP_L4 : s->v6 ? TCP6 : TCP4;
	f->offload.gso_size = size;
	frame_split(f, 128, 4096);
	assert_int_equal(offload_check(f, 1500), VERDICT_FORWARDED);
	return f->len;
}

static void test_gso_is_cut(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	struct shape s = { .tcp_flags = TCP_ACK | TCP_PSH, .payload = 10000 };
	uint64_t segments = 0;
	uint32_t len, from = 0;
	const uint8_t *p;
	struct frame f;
	unsigned n = 0;

	(void)state;
	gso(&f, bytes, &s, 1448);
	assert_int_equal(t.port->ops->tx(&t.port->queues[0], t.w, &(struct tx_frame){ .frame = &f, .tci = 0x6007 }, 1, &segments), 1);
	assert_int_equal(segments, 7);
	peer_reads(STREAM_ROOM);
	for (; (p = next_sent(&len)); n++) {
		uint8_t untagged[2048];

		assert_int_equal(get_u16(p + 14), 0x6007);
		memcpy(untagged, p, 12);
		memcpy(untagged + 12, p + 16, len - 16);
		len -= VLAN_TAG;
		assert_int_equal(len, shape_headers(&s) + MIN_OF(1448u, s.payload - from));
		assert_int_equal(plain_sum(plain_pseudo(untagged, false, PROTO_TCP, len - 34), untagged + 34, len - 34), 0xffff);
		assert_int_equal(untagged[len - 1], (uint8_t)(from + len - shape_headers(&s) - 1));
		from += len - shape_headers(&s);
	}
	assert_int_equal(n, 7);
	assert_int_equal(from, s.payload);
}

static void test_checksum_is_completed(void **state)
{
	uint8_t bytes[256];
	struct shape s = { .udp = true, .payload = 100 };
	uint64_t segments = 0;
	uint32_t len;
	const uint8_t *p;
	struct offload o;
	struct frame f;

	(void)state;
	frame_init(&f, bytes, shape_frame(bytes, &s, &o));
	f.offload = o;
	assert_int_equal(t.port->ops->tx(&t.port->queues[0], t.w, &(struct tx_frame){ .frame = &f }, 1, &segments), 1);
	assert_int_equal(segments, 0);
	peer_reads(STREAM_ROOM);
	p = next_sent(&len);
	assert_non_null(p);
	assert_int_equal(get_u16(p + 40), 0x4b03);	/* scapy's */
}

/* Bursts of the longest frames, cut into the smallest segments, to a peer that reads slowly: still in step. */
static void test_gso_slow_reader(void **state)
{
	enum { ROUNDS = 60, EACH = 4 };
	static uint8_t bytes[EACH][FRAME_MAX];
	struct shape s = { .udp = true, .payload = 65000 };
	uint64_t segments = 0, kept = 0;
	const uint8_t *p;
	uint32_t len, n = 0, of_frame = 0;

	(void)state;
	for (unsigned r = 0; r < ROUNDS; r++) {
		struct frame f[EACH];
		struct tx_frame tx[EACH];

		for (unsigned i = 0; i < EACH; i++) {
			gso(&f[i], bytes[i], &s, 256);
			tx[i] = (struct tx_frame){ .frame = &f[i], .tci = 5 };
		}
		kept += (unsigned)__builtin_popcountll(t.port->ops->tx(&t.port->queues[0], t.w, tx, EACH, &segments));
		peer_reads(30000 + r * 999);
		port_writable(&t.port->queues[0]);
	}
	for (unsigned i = 0; i < 10000 && (peer_reads(STREAM_ROOM) || i < 2); i++)
		port_writable(&t.port->queues[0]);
	for (; (p = next_sent(&len)); n++) {
		assert_int_equal(p[VLAN_TAG + 42], (uint8_t)(of_frame * 256));
		assert_int_equal(len, VLAN_TAG + 42 + MIN_OF(256u, s.payload - of_frame * 256));
		of_frame = (of_frame + 1) % 254;
	}
	assert_int_equal(of_frame, 0);		/* whole frames, nothing but */
	assert_int_equal(n, kept * 254);
	assert_int_equal(t.at, t.nbytes);
	assert_in_range(kept, 1, ROUNDS * EACH - 1);
}

/* A frame that cannot be cut is dropped; those around it go. */
static void test_uncuttable(void **state)
{
	uint8_t good[64], bad[64];
	struct frame f[3];
	struct tx_frame tx[3] = { { .frame = &f[0] }, { .frame = &f[1] }, { .frame = &f[2] } };
	uint32_t len;

	(void)state;
	numbered(&f[0], good, 60, 1);
	numbered(&f[1], bad, 60, 2);
	f[2] = f[0];
	f[1].offload = (struct offload){ CSUM, TCP4, 54, 1000, 34, 16 };	/* no TCP in it */
	assert_int_equal(port_tx(t.port, t.w, 0, tx, 3), 5);
	peer_reads(STREAM_ROOM);
	assert_non_null(next_sent(&len));
	assert_non_null(next_sent(&len));
	assert_null(next_sent(&len));
	assert_int_equal(t.at, t.nbytes);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_gso_is_cut), T(test_checksum_is_completed), T(test_gso_slow_reader), T(test_uncuttable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
