// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* TCP segments one by one, as no well-behaved guest would send them: what each does, and what it must not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/array.h"
#include "tests/packet/made_segment.h"

/* NAT-24, RFC 5961: a reset, a SYN or data of somebody who does not know the numbers changes nothing */
static void test_nat_24_blind(void **state)
{
	static const struct {
		const char *what;
		uint8_t flags;
		uint32_t seq_off, ack_off;
		unsigned answers;
	} cases[] = {
		{ "RST one byte beyond what is next", TCP_RST, 1, 0, 1 },
		{ "RST inside the window", TCP_RST, 5000, 0, 1 },
		{ "RST just below", TCP_RST, (uint32_t)-1, 0, 0 },
		{ "RST far above", TCP_RST, 1u << 30, 0, 0 },
		{ "RST at the other side of the circle", TCP_RST, 1u << 31, 0, 0 },
		{ "SYN inside the window", TCP_SYN, 100, 0, 1 },
		{ "SYN of the first number", TCP_SYN, (uint32_t)-1, 0, 1 },
		{ "FIN far above", TCP_FIN | TCP_ACK, 1u << 29, 0, 1 },
		{ "FIN inside the window", TCP_FIN | TCP_ACK, 20000, 0, 1 },
		{ "ACK of what was never sent", TCP_ACK, 0, 1, 1 },
		{ "ACK of long ago", TCP_ACK, 0, 0x80000001, 1 },
		{ "no ACK at all", 0, 0, 0, 1 },
		{ "every flag", 0x3f, 0, 0, 0 },
		{ "FIN without ACK", TCP_FIN, 0, 0, 1 },
	};
	static struct conversation c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct said s;

		print_message("  %s\n", cases[i].what);
		begin(&c);
		if (cases[i].flags == 0x3f) {		/* holds RST: exactly at the next byte it would be believed */
			give(&c, &(struct made){ .flags = 0x3f, .seq = c.g.snd_nxt + 3, .ack = c.g.rcv_nxt, .window = 8000 });
			s = answers(&c);
			assert_int_equal(s.n, 1);
		} else {
			give(&c, &(struct made){ .flags = cases[i].flags, .seq = c.g.snd_nxt + cases[i].seq_off,
						 .ack = c.g.rcv_nxt + cases[i].ack_off, .window = 8000 });
			s = answers(&c);
			assert_int_equal(s.n, cases[i].answers);
		}
		if (s.n) {
			assert_int_equal(s.flags & (TCP_ACK | TCP_RST), TCP_ACK);
			assert_int_equal(s.ack, c.g.snd_nxt);
			assert_int_equal(s.seq, c.g.rcv_nxt);
		}
		assert_int_equal(conversation_flows(&c), 1);
		data(&c, 0, "still here");
		assert_got(&c, "still here");
		assert_false(c.r.error || c.r.eof);
		conversation_end(&c);
	}
}

/* Overlapping segments: each byte is passed once, and what was passed first stands. */
static void test_overlaps(void **state)
{
	static struct conversation c;

	(void)state;
	begin(&c);
	data(&c, 0, "abcdef");
	data(&c, 0, "XXXXXX");			/* all old */
	data(&c, 3, "XXXghi");			/* half old */
	data(&c, 15, "pqrstu");			/* beyond a gap */
	data(&c, 12, "mnoYYY");			/* and one that overlaps it */
	data(&c, 20, "uvw");
	data(&c, 9, "jklZZZ");			/* fills the gap and overlaps what waits */
	c.g.snd_una = c.g.snd_nxt = c.g.iss + 1 + 23;
	CONVERSE_UNTIL(&c, c.r.in_size >= 23);
	answers(&c);
	assert_int_equal(c.r.in_size, 23);
	assert_memory_equal(c.r.in, "abcdefghijkl", 12);
	assert_memory_equal(c.r.in + 18, "stuvw", 5);
	conversation_end(&c);
}

/* Segments at random places, each with the right bytes: all are passed in order, whatever overtakes what. */
static void test_wild_order(void **state)
{
	static struct conversation c;
	uint8_t *pattern = conversation_pattern(200000);
	uint32_t done = 0;

	(void)state;
	begin(&c);
	for (unsigned i = 0; i < 20000 && done < 200000; i++) {
		uint32_t at = done + bed_random(&c.bed) % 6000, size = 1 + bed_random(&c.bed) % 1400;
		struct said s;

		if (bed_random(&c.bed) % 4 == 0)
			at = done - (done < 700 ? done : bed_random(&c.bed) % 700);
		if (at + size > 200000)
			size = at < 200000 ? 200000 - at : 0;
		if (!size)
			continue;
		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1 + at, .ack = c.g.rcv_nxt, .window = 8000,
					 .data = pattern + at, .size = size });
		s = answers_now(&c);
		if (s.n)
			done = s.ack - c.g.iss - 1;
		assert_true(done <= 200000);
	}
	c.g.snd_una = c.g.snd_nxt = c.g.iss + 1 + 200000;
	CONVERSE_UNTIL(&c, c.r.in_size == 200000);
	assert_memory_equal(c.r.in, pattern, 200000);
	free(pattern);
	conversation_end(&c);
}

/* Wild numbers and flags by the thousand: nothing of it reaches the remote but what is next in order. */
static void test_wild_numbers(void **state)
{
	static struct conversation c;
	uint8_t junk[64];

	(void)state;
	memset(junk, 0xee, sizeof(junk));
	begin(&c);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t off = bed_random(&c.bed) << 8 ^ bed_random(&c.bed);
		uint8_t flags = (uint8_t)(bed_random(&c.bed) & 0x3f & ~TCP_RST);

		if (off < 1 << 20)
			off += 1 << 24;
		give(&c, &(struct made){ .flags = flags, .seq = c.g.snd_nxt + (i & 1 ? off : -off), .ack = bed_random(&c.bed) * 77777u,
					 .window = (uint16_t)bed_random(&c.bed), .data = junk, .size = i % 64 });
		if (i % 100 == 0)
			answers(&c);
	}
	answers(&c);
	assert_int_equal(conversation_flows(&c), 1);
	assert_int_equal(c.r.in_size, 0);
	assert_false(c.r.eof || c.r.error);
	data(&c, 0, "sane");
	assert_got(&c, "sane");
	conversation_end(&c);
}

/* Options: 40 bytes of any kind, and broken ones, are passed over; the segment counts as it is. */
static void test_options(void **state)
{
	static const struct {
		const char *what;
		uint8_t options[40], n;
	} cases[] = {
		{ "forty bytes of NOP", { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 40 },
		{ "length zero", { 8, 0, 8, 0 }, 4 },
		{ "length one", { 253, 1, 0, 0 }, 4 },
		{ "longer than the header", { 5, 40, 0, 0 }, 4 },
		{ "kind at the very end", { 1, 1, 1, 2 }, 4 },
		{ "MSS of the wrong size", { 2, 3, 5, 0 }, 4 },
		{ "end at once", { 0, 0xff, 0xff, 0xff }, 4 },
		{ "SACK of nonsense", { 5, 34, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 1, 1 }, 36 },
	};
	static struct conversation c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		conversation_begin(&c, &conversation_conf);
		give(&c, &(struct made){ .flags = TCP_SYN, .seq = c.g.iss, .window = 8000, .options = cases[i].options, .noptions = cases[i].n });
		CONVERSE_UNTIL(&c, c.g.connected && c.r.fd >= 0);
		answers(&c);
		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1, .ack = c.g.rcv_nxt, .window = 8000, .options = cases[i].options,
					 .noptions = cases[i].n, .data = "through", .size = 7 });
		assert_got(&c, "through");
		conversation_end(&c);
	}
}

/* A data offset that points out of the segment, or into the header. */
static void test_bad_checksum_and_offset(void **state)
{
	static struct conversation c;

	(void)state;
	begin(&c);
	for (uint16_t spoil = 1; spoil; spoil = (uint16_t)(spoil << 1))
		assert_int_equal(give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.snd_nxt, .ack = c.g.rcv_nxt, .window = 1,
							  .data = "spoilt", .size = 6, .spoil = spoil }), VERDICT_DROP_CHECKSUM);
	assert_int_equal(answers(&c).n, 0);
	assert_int_equal(c.r.in_size, 0);
	data(&c, 0, "whole");
	assert_got(&c, "whole");
	conversation_end(&c);
}

/* Keepalives: with one byte of garbage or none, below what is next; answered, and nothing is passed (RFC 9293 3.8.4) */
static void test_keepalive(void **state)
{
	static struct conversation c;

	(void)state;
	begin(&c);
	data(&c, 0, "x");
	assert_got(&c, "x");
	for (uint32_t size = 0; size < 2; size++) {
		struct said s;

		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1, .ack = c.g.rcv_nxt, .window = 8000, .data = "?", .size = size });
		s = answers(&c);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.ack, c.g.iss + 2);
		assert_int_equal(c.r.in_size, 1);
	}
	for (int i = 0; i < 20; i++) {	/* and they keep the connection beyond its idle time (RFC 5382 REQ-5) */
		bed_skip(&c.bed, 3600000, 3600000);
		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1, .ack = c.g.rcv_nxt, .window = 8000 });
	}
	answers(&c);
	assert_int_equal(conversation_flows(&c), 1);
	conversation_end(&c);
}

/* The ACK of a short segment waits for the answer, a few milliseconds and not longer; then ACKs do not wait for a while. */
static void test_ack_waits(void **state)
{
	static struct conversation c;
	struct said s;

	(void)state;
	begin(&c);
	for (int slow = 0; slow < 2; slow++) {
		data(&c, (uint32_t)slow, "x");
		s = answers_now(&c);
		assert_int_equal(s.n, slow);
		bed_skip(&c.bed, 10, 1);
		s = slow ? s : answers_now(&c);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.ack, c.g.iss + 2 + (uint32_t)slow);
		bed_skip(&c.bed, 100, 1);
		assert_int_equal(answers_now(&c).n, 0);
	}
	assert_got(&c, "xx");
	conversation_end(&c);
}

/* The guest's window is closed: it is asked, less and less often, and one that opens is used at once. */
static void test_probes_to_guest(void **state)
{
	static struct conversation c;
	unsigned probes = 0;
	struct said s;

	(void)state;
	begin(&c);
	give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.snd_nxt, .ack = c.g.rcv_nxt, .window = 0 });
	answers(&c);
	c.r.out = (const uint8_t *)"waiting";
	c.r.out_size = 7;
	for (unsigned i = 0; i < 600; i++) {	/* ten minutes */
		bed_skip(&c.bed, 1000, 100);
		s = answers_now(&c);
		assert_int_equal(s.size, 0);
		probes += s.n;
		if (s.n) {
			assert_int_equal(s.seq, c.g.rcv_nxt - 1);
			give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.snd_nxt, .ack = c.g.rcv_nxt, .window = 0 });
		}
	}
	assert_in_range(probes, 10, 40);
	assert_int_equal(conversation_flows(&c), 1);
	give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.snd_nxt, .ack = c.g.rcv_nxt, .window = 5 << 4 });
	s = answers(&c);
	assert_true(s.size > 0);
	conversation_end(&c);
}

/* The remote does not read: the guest's probes are answered with a window of nothing, and bytes are not lost. */
static void test_probes_of_guest(void **state)
{
	static struct conversation c;
	uint8_t *pattern = conversation_pattern(8 << 20);
	struct said s = { 0 };
	uint32_t at = 0;

	(void)state;
	begin(&c);
	c.r.hold = true;
	while (at < 8 << 20) {
		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1 + at, .ack = c.g.rcv_nxt, .window = 8000, .data = pattern + at, .size = 1400 });
		s = answers_now(&c);
		at = s.n ? s.ack - c.g.iss - 1 : at;
		if (s.n && !s.window)
			break;
	}
	assert_true(s.n && !s.window && at < 8 << 20);
	for (int i = 0; i < 100; i++) {
		bed_skip(&c.bed, 5000, 1000);
		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1 + at, .ack = c.g.rcv_nxt, .window = 8000, .data = pattern + at, .size = 1 });
		s = answers(&c);
		if (!s.n) {		/* the host's buffer has grown: taken, and the ACK waits for an answer */
			bed_advance(&c.bed, 20);
			s = answers(&c);
		}
		assert_true(s.n >= 1);
		at = s.ack - c.g.iss - 1;
	}
	c.r.hold = false;
	for (int i = 0; i < 1000 && c.r.in_size < at; i++)
		answers(&c);
	assert_int_equal(c.r.in_size, at);
	assert_memory_equal(c.r.in, pattern, at);
	free(pattern);
	conversation_end(&c);
}

/* Urgent data stays in the stream, both ways (RFC 6093 6: as with SO_OOBINLINE). */
static void test_urgent(void **state)
{
	static struct conversation c;

	(void)state;
	begin(&c);
	give(&c, &(struct made){ .flags = TCP_ACK | URG, .seq = c.g.snd_nxt, .ack = c.g.rcv_nxt, .window = 8000, .data = "urgent", .size = 6 });
	c.g.snd_una = c.g.snd_nxt = c.g.snd_nxt + 6;
	assert_got(&c, "urgent");
	assert_int_equal(send(c.r.fd, "before", 6, 0), 6);
	assert_int_equal(send(c.r.fd, "!", 1, MSG_OOB), 1);
	assert_int_equal(send(c.r.fd, "after", 5, 0), 5);
	CONVERSE_UNTIL(&c, c.g.in_size == 12);
	assert_memory_equal(c.g.in, "before!after", 12);
	conversation_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nat_24_blind),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_wild_order),
		cmocka_unit_test(test_wild_numbers),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_checksum_and_offset),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_ack_waits),
		cmocka_unit_test(test_probes_to_guest),
		cmocka_unit_test(test_probes_of_guest),
		cmocka_unit_test(test_urgent),
	};

	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
