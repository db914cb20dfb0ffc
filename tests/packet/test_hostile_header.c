// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest's virtio-net header is a stranger's word: what does not fit the frame is dropped, what is harmless is put right, and neither
 * another guest nor a TAP ever sees it as it was given. Through offload_check(), and from ring to ring, TAP and stream. */
#include "switch/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "switch/packet.h"
#include "tests/packet/matrix_bed.h"
#include "tests/unit/far_end.h"
#include "tests/unit/offload_frame.h"

enum {
	MTU = 1500, PATIENCE_MS = 5000, ALL = PORT_CSUM | PORT_TSO4 | PORT_TSO6 | PORT_ECN | PORT_USO,
	OK = VERDICT_FORWARDED, BAD = VERDICT_DROP_VNET_HEADER, BIG = VERDICT_DROP_OVERSIZE, UFO = 3, TUNNEL4 = 0x20, TUNNEL6 = 0x40,
	CWR = 0x80,
};

/* the frames */
static const struct shape T4 = { .tcp_flags = TCP_ACK, .payload = 3000 }, S4 = { .tcp_flags = TCP_ACK, .payload = 100 },
	T6 = { .v6 = true, .tcp_flags = TCP_ACK, .payload = 3000 }, S6 = { .v6 = true, .tcp_flags = TCP_ACK, .payload = 100 },
	C4 = { .tcp_flags = TCP_ACK | CWR, .payload = 3000 }, U4 = { .udp = true, .payload = 3000 }, V4 = { .udp = true, .payload = 100 },
	U6 = { .udp = true, .v6 = true, .payload = 3000 };

static const struct {
	const char *what;
	const struct shape *shape;
	uint16_t header[6];		/* flags, gso_type, hdr_len, gso_size, csum_start, csum_offset */
	int verdict;
	struct offload want;		/* where the frame is forwarded */
	int at, value;			/* a byte of the frame is changed, where at is not 0 */
	uint32_t cut;			/* the frame is cut to this length, or 0 */
} rows[] = {
	/* flags */
	{ "all flags", &S4, { 0xff, 0, 0, 0, 34, 16 }, OK, .want = { CSUM, 0, 0, 0, 34, 16 } },
	{ "all flags but one", &S4, { 0xfe, 0, 54, 1400, 34, 16 }, OK, .want = { 0 } },
	{ "data valid, and numbers", &S4, { 2, 0, 0xffff, 0xffff, 0xffff, 0xffff }, OK, .want = { 0 } },
	{ "receive segment coalescing", &S4, { 4, 0, 0, 0, 3, 4 }, OK, .want = { 0 } },
	{ "no flags, and numbers", &S4, { 0, 0, 0xffff, 0xffff, 0xffff, 0xffff }, OK, .want = { 0 } },
	{ "sizes without a type", &S4, { CSUM, 0, 54, 1400, 34, 16 }, OK, .want = { CSUM, 0, 0, 0, 34, 16 } },
	/* where the checksum goes */
	{ "behind the frame", &S4, { CSUM, 0, 0, 0, 154, 0 }, .verdict = BAD },
	{ "the last byte beyond it", &S4, { CSUM, 0, 0, 0, 54, 99 }, .verdict = BAD },
	{ "the last two bytes", &S4, { CSUM, 0, 0, 0, 54, 98 }, OK, .want = { CSUM, 0, 0, 0, 54, 98 } },
	{ "far away", &S4, { CSUM, 0, 0, 0, 65535, 65535 }, .verdict = BAD },
	{ "a sum that wraps to a good place", &S4, { CSUM, 0, 0, 0, 34, 65518 }, .verdict = BAD },
	{ "another that does", &S4, { CSUM, 0, 0, 0, 65532, 54 }, .verdict = BAD },
	{ "at an odd byte of the header", &S4, { CSUM, 0, 0, 0, 35, 17 }, .verdict = BAD },
	{ "at an odd byte of what is carried", &S4, { CSUM, 0, 0, 0, 55, 17 }, OK, .want = { CSUM, 0, 0, 0, 55, 17 } },
	{ "over the destination address", &S4, { CSUM, 0, 0, 0, 0, 0 }, .verdict = BAD },
	{ "over the EtherType", &S4, { CSUM, 0, 0, 0, 12, 0 }, .verdict = BAD },
	{ "over the IP source", &S4, { CSUM, 0, 0, 0, 14, 12 }, .verdict = BAD },
	{ "over the IPv6 source", &S6, { CSUM, 0, 0, 0, 14, 8 }, .verdict = BAD },
	{ "over the port", &S4, { CSUM, 0, 0, 0, 34, 2 }, .verdict = BAD },
	{ "over TCP's flags", &S6, { CSUM, 0, 0, 0, 54, 12 }, .verdict = BAD },
	{ "UDP's place in TCP", &S4, { CSUM, 0, 0, 0, 34, 6 }, .verdict = BAD },
	{ "TCP's place in UDP", &V4, { CSUM, 0, 0, 0, 34, 16 }, .verdict = BAD },
	{ "of a fragment", &S4, { CSUM, 0, 0, 0, 34, 16 }, BAD, .at = 20, .value = 0x20 },
	{ "of an IPv6 fragment", &S6, { CSUM, 0, 0, 0, 62, 16 }, .verdict = BAD, .at = 20, .value = 44 },
	{ "behind IPv6 options", &S6, { CSUM, 0, 0, 0, 62, 16 }, OK, .want = { CSUM, 0, 0, 0, 62, 16 }, .at = 20, .value = 60 },
	{ "of an IP header of four words", &S4, { CSUM, 0, 0, 0, 34, 16 }, BAD, .at = 14, .value = 0x44 },
	{ "of a TCP header cut short", &S4, { CSUM, 0, 0, 0, 34, 16 }, BAD, .cut = 53 },
	{ "of ARP", &S4, { CSUM, 0, 0, 0, 34, 16 }, BAD, .at = 13, .value = 6 },
	{ "of a frame of 14 bytes", &S4, { CSUM, 0, 0, 0, 34, 16 }, BAD, .cut = 14 },
	/* sizes of segments */
	{ "segments of 0", &T4, { CSUM, TCP4, 54, 0, 34, 16 }, .verdict = BAD },
	{ "of 1", &T4, { CSUM, TCP4, 54, 1, 34, 16 }, .verdict = BAD },
	{ "of 1, a datagram each", &U4, { CSUM, UDP_L4, 42, 1, 34, 6 }, .verdict = BAD },
	{ "more than 256", &T4, { CSUM, TCP4, 54, 11, 34, 16 }, .verdict = BAD },
	{ "of 65535", &T4, { CSUM, TCP4, 54, 65535, 34, 16 }, .verdict = BIG },
	{ "of one byte too many", &T4, { CSUM, TCP4, 54, 1461, 34, 16 }, .verdict = BIG },
	{ "of one byte too many for IPv6", &T6, { CSUM, TCP6, 74, 1441, 54, 16 }, .verdict = BIG },
	{ "just fitting", &T6, { CSUM, TCP6, 74, 1440, 54, 16 }, OK, .want = { CSUM, TCP6, 74, 1440, 54, 16 } },
	{ "longer than the frame", &S4, { CSUM, TCP4, 54, 1400, 34, 16 }, OK, .want = { CSUM, 0, 0, 0, 34, 16 } },
	{ "one, of nothing", &S4, { CSUM, TCP4, 54, 1400, 34, 16 }, OK, .want = { CSUM, 0, 0, 0, 34, 16 }, .cut = 54 },
	/* the length of headers, and where the sum goes, are what they are */
	{ "headers of 0", &T4, { CSUM, TCP4, 0, 1400, 34, 16 }, OK, .want = { CSUM, TCP4, 54, 1400, 34, 16 } },
	{ "headers longer than the frame", &T4, { CSUM, TCP4, 65535, 1400, 34, 16 }, OK, .want = { CSUM, TCP4, 54, 1400, 34, 16 } },
	{ "a checksum elsewhere", &T4, { CSUM, TCP4, 54, 1400, 65535, 65535 }, OK, .want = { CSUM, TCP4, 54, 1400, 34, 16 } },
	{ "a checksum over the addresses", &T6, { CSUM, TCP6, 74, 1400, 0, 0 }, OK, .want = { CSUM, TCP6, 74, 1400, 54, 16 } },
	/* the type is not what the frame is */
	{ "IPv6 said of IPv4", &T4, { CSUM, TCP6, 54, 1400, 34, 16 }, .verdict = BAD },
	{ "IPv4 said of IPv6", &T6, { CSUM, TCP4, 74, 1400, 54, 16 }, .verdict = BAD },
	{ "UDP said of TCP", &T4, { CSUM, UDP_L4, 54, 1400, 34, 16 }, .verdict = BAD },
	{ "TCP said of UDP", &U4, { CSUM, TCP4, 42, 1400, 34, 6 }, .verdict = BAD },
	{ "TCP said of ICMP", &T4, { CSUM, TCP4, 54, 1400, 34, 16 }, BAD, .at = 23, .value = 1 },
	{ "TCP said of ARP", &T4, { CSUM, TCP4, 54, 1400, 34, 16 }, BAD, .at = 13, .value = 6 },
	{ "of a fragment", &T4, { CSUM, TCP4, 54, 1400, 34, 16 }, BAD, .at = 21, .value = 1 },
	{ "behind an extension header", &T6, { CSUM, TCP6, 74, 1400, 54, 16 }, BAD, .at = 20, .value = 0 },
	{ "of IP version 0", &T4, { CSUM, TCP4, 54, 1400, 34, 16 }, BAD, .at = 14, .value = 0x05 },
	{ "IPv4 in an IPv6 frame", &T6, { CSUM, TCP6, 74, 1400, 54, 16 }, BAD, .at = 14, .value = 0x45 },
	{ "a TCP header of four words", &T4, { CSUM, TCP4, 54, 1400, 34, 16 }, BAD, .at = 46, .value = 0x40 },
	{ "a TCP header beyond the frame", &T4, { CSUM, TCP4, 54, 1400, 34, 16 }, BAD, .at = 46, .value = 0xf0, .cut = 93 },
	{ "headers cut short", &T4, { CSUM, TCP4, 54, 1400, 34, 16 }, BAD, .cut = 40 },
	{ "nothing but Ethernet", &T4, { CSUM, TCP4, 54, 1400, 34, 16 }, BAD, .cut = 14 },
	{ "no checksum asked for", &T4, { 0, TCP4, 54, 1400, 34, 16 }, .verdict = BAD },
	{ "data valid instead", &T4, { 2, TCP4, 54, 1400, 34, 16 }, .verdict = BAD },
	/* types that nobody negotiated */
	{ "UDP fragments", &U4, { CSUM, UFO, 42, 1400, 34, 6 }, .verdict = BAD },
	{ "UDP fragments with ECN", &U4, { CSUM, UFO | ECN, 42, 1400, 34, 6 }, .verdict = BAD },
	{ "UDP with ECN", &U4, { CSUM, UDP_L4 | ECN, 42, 1400, 34, 6 }, .verdict = BAD },
	{ "ECN of nothing", &T4, { CSUM, ECN, 54, 1400, 34, 16 }, .verdict = BAD },
	{ "type 2", &T4, { CSUM, 2, 54, 1400, 34, 16 }, .verdict = BAD },
	{ "type 6", &T4, { CSUM, 6, 54, 1400, 34, 16 }, .verdict = BAD },
	{ "type 127", &T4, { CSUM, 0x7f, 54, 1400, 34, 16 }, .verdict = BAD },
	{ "type 255", &T4, { CSUM, 0xff, 54, 1400, 34, 16 }, .verdict = BAD },
	{ "inside UDP over IPv4", &T4, { CSUM, TCP4 | TUNNEL4, 54, 1400, 34, 16 }, .verdict = BAD },
	{ "inside UDP over IPv6", &T4, { CSUM, TCP4 | TUNNEL6, 54, 1400, 34, 16 }, .verdict = BAD },
	{ "inside both", &U6, { 9, UDP_L4 | TUNNEL4 | TUNNEL6, 62, 1400, 54, 6 }, .verdict = BAD },
	{ "a tunnel's checksum", &S4, { 9, 0, 0, 0, 34, 16 }, OK, .want = { CSUM, 0, 0, 0, 34, 16 } },
	/* ECN is in the header, whatever is said */
	{ "ECN, and no window was reduced", &T4, { CSUM, TCP4 | ECN, 54, 1400, 34, 16 }, OK, .want = { CSUM, TCP4, 54, 1400, 34, 16 } },
	{ "a window was reduced, and no word of ECN", &C4, { CSUM, TCP4, 54, 1400, 34, 16 }, OK, .want = { CSUM, TCP4 | ECN, 54, 1400, 34, 16 } },
	/* and the honest */
	{ "TCP over IPv4", &T4, { CSUM, TCP4, 54, 1400, 34, 16 }, OK, .want = { CSUM, TCP4, 54, 1400, 34, 16 } },
	{ "UDP over IPv6", &U6, { CSUM, UDP_L4, 62, 1400, 54, 6 }, OK, .want = { CSUM, UDP_L4, 62, 1400, 54, 6 } },
};

static uint8_t bytes[FRAME_MAX];

static uint32_t make_frame(unsigned row)
{
	struct offload ignored;
	uint32_t len = shape_frame(bytes, rows[row].shape, &ignored);

	if (rows[row].at)
		bytes[rows[row].at] = (uint8_t)rows[row].value;
	return rows[row].cut ? rows[row].cut : len;
}

static void make_header(unsigned row, uint8_t h[VNET_HEADER])
{
	h[0] = (uint8_t)rows[row].header[0];
	h[1] = (uint8_t)rows[row].header[1];
	for (unsigned i = 2; i < 6; i++) {
		h[2 * i - 2] = (uint8_t)rows[row].header[i];
		h[2 * i - 1] = (uint8_t)(rows[row].header[i] >> 8);
	}
	h[10] = h[11] = 0xee;		/* num_buffers means nothing from a driver */
}

static void test_check(void **state)
{
	static const uint32_t heads[] = { 0, OFFLOAD_HEAD, 138 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(heads); i++) {
		unsigned row = i / ARRAY_SIZE(heads);
		uint8_t header[VNET_HEADER], out[VNET_HEADER], want[VNET_HEADER];
		struct frame f;

		make_header(row, header);
		frame_init(&f, bytes, make_frame(row));
		frame_split(&f, heads[i % ARRAY_SIZE(heads)], 1000);
		offload_read(&f.offload, header);
		if (offload_check(&f, MTU) != (enum verdict)rows[row].verdict &&
		    !(f.head_len < 154 && rows[row].want.csum_offset == 98))	/* its field lies behind this head */
			fail_msg("%s", rows[row].what);
		if (rows[row].verdict != OK || f.head_len < 154)
			continue;
		offload_write(&f.offload, 0, out, sizeof(out));
		offload_write(&rows[row].want, 0, want, sizeof(want));
		if (memcmp(out, want, sizeof(out)))
			fail_msg("%s", rows[row].what);
	}
}

/* ---- from ring to ring, TAP and stream ---- */

/* In the order in which they get their copies: the stream's completes a checksum, for all that come after. */
enum { FROM, GUEST, TAP };
static struct matrix_bed *b;
static struct matrix_end *stream;
static bool tap;

static int setup(void **state)
{
	static const struct matrix_vhost all = { .guest = ALL, .host = ALL }, merging = { .guest = ALL, .host = ALL, .mergeable = true };

	(void)state;
	b = matrix_bed_new();
	matrix_vhost(&b->ends[b->n], &all);
	matrix_bed_add(b);
	matrix_vhost(&b->ends[b->n], &merging);
	matrix_bed_add(b);
	if (tap) {
		matrix_tap(&b->ends[b->n], "ht0", ALL);
		matrix_bed_add(b);
	}
	matrix_stream(&b->ends[b->n]);
	stream = matrix_bed_add(b);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	matrix_bed_free(b);
	return 0;
}

static void next_seen(struct matrix_end *e, struct matrix_seen *seen, const char *what)
{
	uint64_t end = clock_now_ms() + PATIENCE_MS;

	while (!e->recv(e, seen))
		if (clock_now_ms() > end)
			fail_msg("%s: nothing came to %s", what, e->name);
}

/* check_guest() - the frame as it was and all bytes of the header as they shall be */
static void check_guest(unsigned row, uint32_t len)
{
	static struct matrix_seen seen;
	uint8_t want[VNET_HEADER];

	next_seen(&b->ends[GUEST], &seen, rows[row].what);
	offload_write(&rows[row].want, 0, want, sizeof(want));
	want[10] = (uint8_t)seen.buffers;
	if (seen.len != len || memcmp(seen.data, bytes, len) || memcmp(seen.header, want, sizeof(want)))
		fail_msg("%s: the guest sees something else", rows[row].what);
}

/* payload_of() - bytes behind TCP's or UDP's header */
static uint32_t payload_of(const struct shape *s, uint32_t len)
{
	return len - shape_headers(s);
}

/* check_pieces() - a medium without headers: in order, all of the payload, in frames that fit the network */
static void check_pieces(unsigned row, struct matrix_end *e, uint32_t len)
{
	static struct matrix_seen seen;
	uint32_t payload = 0;

	do {
		next_seen(e, &seen, rows[row].what);
		if (seen.len > MTU + ETH_HEADER || seen.offload.flags & CSUM)
			fail_msg("%s: an unfinished frame at %s", rows[row].what, e->name);
		payload += seen.len - MIN_OF(seen.len, shape_headers(rows[row].shape));
	} while (rows[row].want.gso_type && payload < payload_of(rows[row].shape, len));
	if (!rows[row].want.gso_type && seen.len != len)
		fail_msg("%s: another frame at %s", rows[row].what, e->name);
}

static void check_tap(unsigned row, uint32_t len)
{
	const struct offload *want = &rows[row].want;
	static struct matrix_seen seen;

	if (!tap)
		return;
	if (want->gso_type == UDP_L4 && !(b->ends[TAP].port->offloads & PORT_USO)) {
		check_pieces(row, &b->ends[TAP], len);
		return;
	}
	next_seen(&b->ends[TAP], &seen, rows[row].what);
	if (seen.len != len || seen.offload.gso_type != want->gso_type || seen.offload.gso_size != want->gso_size ||
	    seen.offload.flags != want->flags || seen.offload.csum_start != want->csum_start ||
	    seen.offload.csum_offset != want->csum_offset)
		fail_msg("%s: the TAP's kernel sees something else: %u bytes, request %u %u size %u, sum at %u and %u", rows[row].what,
			 seen.len, seen.offload.flags, seen.offload.gso_type, seen.offload.gso_size, seen.offload.csum_start,
			 seen.offload.csum_offset);
}

static void test_end_to_end(void **state)
{
	struct matrix_end *ends[4] = { &b->ends[0], &b->ends[1], &b->ends[2], &b->ends[3] };
	static const bool access[4];
	static struct matrix_seen seen;

	(void)state;
	matrix_bed_join(b, MTU, ends, access, b->n);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t before = matrix_bed_received(ends[FROM]), bad = matrix_bed_verdicts(ends[FROM], (enum verdict)rows[i].verdict);
		uint8_t header[VNET_HEADER];
		uint32_t len = make_frame(i);

		make_header(i, header);
		assert_true(matrix_vhost_raw(ends[FROM], bytes, len, header));
		assert_true(matrix_bed_settle(b, ends[FROM], before, 1));
		if (rows[i].verdict == OK) {
			check_guest(i, len);
			check_tap(i, len);
			check_pieces(i, stream, len);
		} else if (matrix_bed_verdicts(ends[FROM], (enum verdict)rows[i].verdict) != bad + 1) {
			fail_msg("%s: it was not dropped for that", rows[i].what);
		}
		for (unsigned j = GUEST; j < b->n; j++)
			if (ends[j]->recv(ends[j], &seen))
				fail_msg("%s: something came to %s", rows[i].what, ends[j]->name);
		assert_null(ends[FROM]->fault(ends[FROM]));
	}
}

/* A guest asks for what it did not negotiate. */
static void test_not_negotiated(void **state)
{
	static const struct {
		uint32_t host;
		const struct shape *shape;
		uint16_t header[6];
	} asks[] = {
		{ 0, &S4, { CSUM, 0, 0, 0, 34, 16 } },
		{ PORT_CSUM, &T4, { CSUM, TCP4, 54, 1400, 34, 16 } },
		{ PORT_CSUM | PORT_TSO6, &T4, { CSUM, TCP4, 54, 1400, 34, 16 } },
		{ PORT_CSUM | PORT_TSO4, &T6, { CSUM, TCP6, 74, 1400, 54, 16 } },
		{ PORT_CSUM | PORT_TSO4, &T4, { CSUM, TCP4 | ECN, 54, 1400, 34, 16 } },
		{ ALL & ~PORT_USO, &U4, { CSUM, UDP_L4, 42, 1400, 34, 6 } },
	};
	static const bool access[2];
	static struct matrix_seen seen;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(asks); i++) {
		struct matrix_vhost conf = { .host = asks[i].host, .packed = i % 2 };
		struct matrix_end *ends[2] = { &b->ends[b->n], &b->ends[GUEST] };
		struct offload ignored;
		uint8_t header[VNET_HEADER] = { (uint8_t)asks[i].header[0], (uint8_t)asks[i].header[1] };
		uint32_t len = shape_frame(bytes, asks[i].shape, &ignored);

		for (unsigned j = 2; j < 6; j++)
			memcpy(header + 2 * j - 2, &asks[i].header[j], 2);
		matrix_vhost(ends[0], &conf);
		matrix_bed_add(b);
		matrix_bed_join(b, MTU, ends, access, 2);
		matrix_vhost_raw(ends[0], bytes, len, header);
		assert_true(matrix_bed_settle(b, ends[0], 0, 1));
		assert_int_equal(matrix_bed_verdicts(ends[0], VERDICT_DROP_VNET_HEADER), 1);
		assert_false(ends[1]->recv(ends[1], &seen));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check), cmocka_unit_test(test_end_to_end), cmocka_unit_test(test_not_negotiated),
	};
	const char *why = wire_namespace();

	tap = !why && access("/dev/net/tun", R_OK | W_OK) == 0;
	if (!tap)
		print_message("without a TAP: %s\n", why ? why : "/dev/net/tun is closed to this user");
	return cmocka_run_group_tests(tests, setup, teardown);
}
