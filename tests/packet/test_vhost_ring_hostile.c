// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver that lies on its transmit ring: indices, heads, addresses, chains and lengths. FASTPATH 1.8, cases 1 to 5, 7, 8, 11, 12. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "tap/virtq.h"
#include "tests/packet/hostile_case.h"

static const struct driver_ring *ring(void)
{
	return driver_ring(at.b->evil.d, HOSTILE_TX);
}

/* ---- indices and heads ---- */

static void index_ahead(void)
{
	__atomic_store_n(&ring()->avail->idx, (uint16_t)(ring()->avail->idx + CASE_SIZE + 1), __ATOMIC_RELEASE);
}

static void index_back(void)
{
	__atomic_store_n(&ring()->avail->idx, (uint16_t)(ring()->avail->idx - 1), __ATOMIC_RELEASE);
}

static void head(uint16_t value, unsigned from, unsigned n)
{
	driver_hold(at.b->evil.d, HOSTILE_TX);
	for (unsigned i = 0; i < n; i++) {
		PUT({ at.frame, CASE_BUFFER, 0, NX });
		if (i >= from)
			ring()->avail->ring[i % CASE_SIZE] = value;
	}
	driver_publish(at.b->evil.d, HOSTILE_TX);
}

static void head_at_size(void) { head(CASE_SIZE, 0, 1); }
static void head_largest(void) { head(0xffff, 0, 1); }
static void head_behind_good_ones(void) { head(CASE_SIZE, 40, 41); }
static void head_repeated(void) { head(5, 0, CASE_SIZE); }

static void next_at_size(void) { PUT({ at.frame, 12, F_NEXT, CASE_SIZE }); }
static void next_largest(void) { PUT({ at.frame, 12, F_NEXT, 0xfffe }); }

/* ---- addresses ---- */

static void nowhere(void) { PUT({ at.end + (1 << 30), CASE_BUFFER, 0, NX }); }
static void address_0(void) { PUT({ 0, CASE_BUFFER, 0, NX }); }
static void in_the_hole(void) { PUT({ at.border, CASE_BUFFER, 0, NX }); }
static void frame_nowhere(void) { PUT({ at.frame, 12, F_NEXT, NX }, { at.end, CASE_FRAME, 0, NX }); }
static void no_bytes_nowhere(void) { PUT({ at.end + (1 << 30), 0, 0, NX }); }
static void no_bytes_far_away(void) { PUT({ ~0ull, 0, 0, NX }); }
static void no_bytes_between(void)
{
	PUT({ at.frame, 12, F_NEXT, NX }, { ~0ull, 0, F_NEXT, NX }, { at.frame + 12, CASE_FRAME, 0, NX });
}
static void wraps(void) { PUT({ ~0ull - 7, CASE_BUFFER, 0, NX }); }
static void wraps_to_good_bytes(void) { PUT({ -(uint64_t)CASE_BUFFER, 0xffffffff, 0, NX }); }
static void longest(void) { PUT({ at.frame, 0xffffffff, 0, NX }); }
static void last_bytes(void)
{
	case_frame(at.end - CASE_BUFFER, CASE_FRAME);
	PUT({ at.end - CASE_BUFFER, CASE_BUFFER, 0, NX });
}
static void one_byte_out(void) { PUT({ at.end - CASE_BUFFER + 1, CASE_BUFFER, 0, NX }); }
static void one_byte_out_of_two(void)
{
	PUT({ at.frame, 12, F_NEXT, NX }, { at.end - CASE_FRAME + 1, CASE_FRAME, 0, NX });
}

/* across() - a frame over the border of two regions that touch in the guest, and nowhere else */
static void across(uint32_t first)
{
	case_frame(at.border - first, CASE_FRAME);
	PUT({ at.border - first, CASE_BUFFER, 0, NX });
}
static void across_in_header(void) { across(5); }
static void across_behind_header(void) { across(12); }
static void across_in_frame(void) { across(60); }
static void into_the_hole(void) { PUT({ at.border - 60, CASE_BUFFER, 0, NX }); }
static void into_the_hole_late(void) { PUT({ at.frame, 12, F_NEXT, NX }, { at.border - 99, CASE_FRAME, 0, NX }); }

/* ---- chains ---- */

static void chain_of(unsigned n, uint16_t last_flags, uint16_t last_next)
{
	struct driver_desc d[2 * CASE_SIZE];

	for (unsigned i = 0; i < n; i++)
		d[i] = (struct driver_desc){ at.frame, 0, F_NEXT, NX };
	d[0] = (struct driver_desc){ at.frame, 12, F_NEXT, NX };
	d[n - 1] = (struct driver_desc){ at.frame + 12, CASE_FRAME, last_flags, last_next };
	case_put(HOSTILE_TX, d, n);
}

static void self_link(void) { PUT({ at.frame, 12, F_NEXT, 0 }); }
static void two_cycle(void) { PUT({ at.frame, 12, F_NEXT, NX }, { at.frame, 12, F_NEXT, 0 }); }
static void long_cycle(void) { chain_of(CASE_SIZE, F_NEXT, 0); }
static void longest_chain(void) { chain_of(CASE_SIZE, 0, NX); }
static void cycle_of_nothing(void) { PUT({ at.frame, 0, F_NEXT, NX }, { at.frame, 0, F_NEXT, 0 }); }
static void all_in_one_endless_chain(void) { chain_of(CASE_SIZE, F_NEXT, NX); }
static void cross_linked(void)
{
	driver_hold(at.b->evil.d, HOSTILE_TX);
	PUT({ at.frame, 12, F_NEXT, 1 }, { at.frame + 12, CASE_FRAME, 0, NX });
	PUT({ at.frame, 12, F_NEXT, 1 });
	PUT({ at.frame, 12, F_NEXT, 1 });
	driver_publish(at.b->evil.d, HOSTILE_TX);
}

/* ---- direction ---- */

static void writable(void) { PUT({ at.frame, CASE_BUFFER, F_WRITE, NX }); }
static void half_writable(void) { PUT({ at.frame, 12, F_NEXT, NX }, { at.frame + 12, CASE_FRAME, F_WRITE, NX }); }
static void empty_writable(void)
{
	PUT({ at.frame, 12, F_NEXT, NX }, { at.frame, 0, F_NEXT | F_WRITE, NX }, { at.frame + 12, CASE_FRAME, 0, NX });
}

/* ---- how header and frame are cut, and how long they are ---- */

/* pieces_of() - @n pieces of @each byte, and one of what is left */
static void pieces_of(unsigned n, uint32_t each, uint32_t total)
{
	struct driver_desc d[CASE_SIZE];

	for (unsigned i = 0; i < n; i++)
		d[i] = (struct driver_desc){ at.frame + i * each, each, F_NEXT, NX };
	d[n] = (struct driver_desc){ at.frame + n * each, total - n * each, 0, NX };
	case_put(HOSTILE_TX, d, n + 1);
}
static void header_in_bytes(void) { pieces_of(12, 1, CASE_BUFFER); }
static void header_and_frame_in_bytes(void) { pieces_of(CASE_SIZE - 1, 1, CASE_BUFFER); }
static void header_in_two(void) { pieces_of(1, 11, CASE_BUFFER); }
static void header_and_one_byte(void) { pieces_of(1, 13, CASE_BUFFER); }
static void header_in_two_regions(void)
{
	case_frame(at.border - 6, CASE_FRAME);
	PUT({ at.border - 6, 3, F_NEXT, NX }, { at.border - 3, 6, F_NEXT, NX }, { at.border + 3, CASE_FRAME + 3, 0, NX });
}
static void shorter_in_bytes(void) { pieces_of(10, 1, 11); }

static void lengths_below(uint32_t end, uint32_t from)
{
	driver_hold(at.b->evil.d, HOSTILE_TX);
	for (uint32_t len = from; len < end; len++)
		PUT({ at.frame, len, 0, NX });
	driver_publish(at.b->evil.d, HOSTILE_TX);
}
static void shorter_than_header(void) { lengths_below(12, 0); }
static void header_alone(void) { lengths_below(13, 12); }
static void runts(void) { lengths_below(26, 13); }
static void shortest(void) { PUT({ at.frame, 26, 0, NX }); }
static void runt_in_two(void) { PUT({ at.frame, 12, F_NEXT, NX }, { at.frame + 12, 13, 0, NX }); }

static void beyond_64k(void) { PUT({ at.big, 12 + 65536 + 22 + 1, 0, NX }); }
static void beyond_64k_in_two(void) { PUT({ at.big, 12, F_NEXT, NX }, { at.big, 100000, 0, NX }); }
static void more_than_mtu(void) { PUT({ at.big, 12 + HOSTILE_MTU + 14 + 1, 0, NX }); }
static void longest_frame(void) { PUT({ at.big, 12 + 65536 + 22, 0, NX }); }

static const struct hostile_case index_cases[] = {
	{ "index further ahead than the ring is long", ON_SPLIT, index_ahead, .fault = VIRTQ_BAD_INDEX },
	{ "index backwards", ON_SPLIT, index_back, .fault = VIRTQ_BAD_INDEX },
	{ "head at the size of the ring", ON_SPLIT, head_at_size, .fault = VIRTQ_BAD_HEAD },
	{ "head 65535", ON_SPLIT, head_largest, .fault = VIRTQ_BAD_HEAD },
	{ "head beyond, behind 40 good ones", ON_SPLIT, head_behind_good_ones, .fault = VIRTQ_BAD_HEAD },
	{ "the same head for all", ON_SPLIT | SCRIBBLES, head_repeated, NULL, VERDICT_FORWARDED, CASE_SIZE },
	{ "next at the size of the ring", ON_SPLIT, next_at_size, .fault = VIRTQ_BAD_HEAD },
	{ "next 65534", ON_SPLIT, next_largest, .fault = VIRTQ_BAD_HEAD },
};

static const struct hostile_case address_cases[] = {
	{ "an address outside of all regions", ON_BOTH, nowhere, .fault = VIRTQ_BAD_ADDRESS },
	{ "address 0", ON_BOTH, address_0, .fault = VIRTQ_BAD_ADDRESS },
	{ "in the hole between two regions", ON_BOTH | APART, in_the_hole, .fault = VIRTQ_BAD_ADDRESS },
	{ "the frame behind a good header", ON_BOTH, frame_nowhere, .fault = VIRTQ_BAD_ADDRESS },
	{ "no bytes at an address outside", ON_BOTH, no_bytes_nowhere, NULL, VERDICT_DROP_RUNT, 1 },
	{ "no bytes at the last address of all", ON_BOTH, no_bytes_far_away, NULL, VERDICT_DROP_RUNT, 1 },
	{ "no bytes there, inside a good frame", ON_BOTH, no_bytes_between, NULL, VERDICT_FORWARDED, 1 },
	{ "an address that wraps with its length", ON_BOTH, wraps, .fault = VIRTQ_BAD_ADDRESS },
	{ "one that wraps and covers good memory", ON_BOTH, wraps_to_good_bytes, .fault = VIRTQ_BAD_ADDRESS },
	{ "4 GiB from a good address on", ON_BOTH, longest, .fault = VIRTQ_BAD_ADDRESS },
	{ "the last bytes of memory", ON_BOTH, last_bytes, NULL, VERDICT_FORWARDED, 1 },
	{ "one byte behind them", ON_BOTH, one_byte_out, .fault = VIRTQ_BAD_ADDRESS },
	{ "the same in the second piece", ON_BOTH, one_byte_out_of_two, .fault = VIRTQ_BAD_ADDRESS },
	{ "over a border, in the header", ON_BOTH | ADJACENT, across_in_header, NULL, VERDICT_FORWARDED, 1 },
	{ "over a border, behind the header", ON_BOTH | ADJACENT, across_behind_header, NULL, VERDICT_FORWARDED, 1 },
	{ "over a border, in the frame", ON_BOTH | ADJACENT, across_in_frame, NULL, VERDICT_FORWARDED, 1 },
	{ "over a border into the hole", ON_BOTH | APART, into_the_hole, .fault = VIRTQ_BAD_ADDRESS },
	{ "the same, by one byte", ON_BOTH | APART, into_the_hole_late, .fault = VIRTQ_BAD_ADDRESS },
};

static const struct hostile_case chain_cases[] = {
	{ "a descriptor that names itself", ON_SPLIT, self_link, .fault = VIRTQ_LOOP },
	{ "two that name one another", ON_SPLIT, two_cycle, .fault = VIRTQ_LOOP },
	{ "a circle of the whole ring", ON_SPLIT, long_cycle, .fault = VIRTQ_LOOP },
	{ "a circle without bytes", ON_SPLIT, cycle_of_nothing, .fault = VIRTQ_LOOP },
	{ "a chain as long as the ring", ON_BOTH, longest_chain, NULL, VERDICT_FORWARDED, 1 },
	{ "a chain without end", ON_BOTH, all_in_one_endless_chain, .fault = VIRTQ_LOOP },
	{ "three chains with one tail", ON_SPLIT, cross_linked, NULL, VERDICT_FORWARDED, 3 },
	{ "a writable buffer to send", ON_BOTH, writable, .fault = VIRTQ_BAD_DIRECTION },
	{ "one whose frame is writable", ON_BOTH, half_writable, .fault = VIRTQ_BAD_DIRECTION },
	{ "one with an empty writable piece", ON_BOTH, empty_writable, .fault = VIRTQ_BAD_DIRECTION },
};

static const struct hostile_case length_cases[] = {
	{ "a header in twelve pieces", ON_BOTH, header_in_bytes, NULL, VERDICT_FORWARDED, 1 },
	{ "a header, and half the frame, in bytes", ON_BOTH, header_and_frame_in_bytes, NULL, VERDICT_FORWARDED, 1 },
	{ "eleven bytes, the rest", ON_BOTH, header_in_two, NULL, VERDICT_FORWARDED, 1 },
	{ "thirteen bytes, the rest", ON_BOTH, header_and_one_byte, NULL, VERDICT_FORWARDED, 1 },
	{ "a header in two regions", ON_BOTH | ADJACENT, header_in_two_regions, NULL, VERDICT_FORWARDED, 1 },
	{ "shorter than a header, in bytes", ON_BOTH, shorter_in_bytes, NULL, VERDICT_DROP_RUNT, 1 },
	{ "shorter than a header", ON_BOTH, shorter_than_header, NULL, VERDICT_DROP_RUNT, 12 },
	{ "a header alone", ON_BOTH, header_alone, NULL, VERDICT_DROP_RUNT, 1 },
	{ "frames of 1 to 13 bytes", ON_BOTH, runts, NULL, VERDICT_DROP_RUNT, 13 },
	{ "13 bytes in a piece of their own", ON_BOTH, runt_in_two, NULL, VERDICT_DROP_RUNT, 1 },
	{ "14 bytes", ON_BOTH, shortest, NULL, VERDICT_FORWARDED, 1 },
	{ "more than 64 KB", ON_BOTH, beyond_64k, NULL, VERDICT_DROP_VNET_HEADER, 1 },
	{ "more than 64 KB, in two", ON_BOTH, beyond_64k_in_two, NULL, VERDICT_DROP_VNET_HEADER, 1 },
	{ "the longest frame that there is", ON_BOTH, longest_frame, NULL, VERDICT_DROP_OVERSIZE, 1 },
	{ "one byte more than the network takes", ON_BOTH, more_than_mtu, NULL, VERDICT_DROP_OVERSIZE, 1 },
};

static void test_indices(void **state)
{
	(void)state;
	hostile_cases(index_cases, ARRAY_SIZE(index_cases), HOSTILE_BASIC);
}

static void test_addresses(void **state)
{
	(void)state;
	hostile_cases(address_cases, ARRAY_SIZE(address_cases), HOSTILE_BASIC);
}

static void test_chains(void **state)
{
	(void)state;
	hostile_cases(chain_cases, ARRAY_SIZE(chain_cases), HOSTILE_BASIC);
}

static void test_lengths(void **state)
{
	(void)state;
	hostile_cases(length_cases, ARRAY_SIZE(length_cases), HOSTILE_BASIC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_indices), cmocka_unit_test(test_addresses), cmocka_unit_test(test_chains),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
