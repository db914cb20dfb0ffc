// SPDX-License-Identifier: GPL-2.0-or-later
/* Indirect descriptor tables that lie (FASTPATH 1.8, case 6), and chains made to cost much (cases 5 and 11). */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "tap/virtq.h"
#include "tests/packet/hostile_case.h"

enum { DESC = 16 };

/* table_of() - available: the first @n entries of the table, with other flags besides INDIRECT */
static void table_of(uint32_t bytes, uint16_t flags) { PUT({ at.table, bytes, (uint16_t)(F_INDIRECT | flags), NX }); }

/* good_table() - header and frame in two entries */
static void good_table(void)
{
	case_table(0, at.frame, 12, F_NEXT, 1);
	case_table(1, at.frame + 12, CASE_FRAME, 0, 0);
}

/* packed tables have no NEXT: all entries are used, in order */
static uint16_t more(void) { return at.packed ? 0 : F_NEXT; }

static void two(void) { good_table(); case_table(0, at.frame, 12, more(), 1); table_of(2 * DESC, 0); }
static void two_writable(void) { good_table(); case_table(0, at.frame, 12, more(), 1); table_of(2 * DESC, F_WRITE); }
static void behind_direct(void)
{
	case_table(0, at.frame + 12, CASE_FRAME, 0, 0);
	PUT({ at.frame, 12, F_NEXT, NX }, { at.table, DESC, F_INDIRECT, NX });
}
static void not_whole(void) { good_table(); table_of(2 * DESC - 1, 0); }
static void empty(void) { good_table(); table_of(0, 0); }
static void half_an_entry(void) { table_of(DESC / 2, 0); }
static void too_large(void) { good_table(); table_of(32769 * DESC, 0); }
static void largest(void) { good_table(); table_of(0xfffffff0, 0); }
static void chained(void)
{
	good_table();
	PUT({ at.table, 2 * DESC, F_INDIRECT | F_NEXT, NX }, { at.frame, 12, 0, NX });
}
static void nested(void) { case_table(0, at.table, DESC, F_INDIRECT, 0); table_of(DESC, 0); }
static void nested_late(void)
{
	case_table(0, at.frame, 12, more(), 1);
	case_table(1, at.table, DESC, F_INDIRECT, 0);
	table_of(2 * DESC, 0);
}
static void nowhere(void) { PUT({ at.end, 2 * DESC, F_INDIRECT, NX }); }
static void wraps(void) { PUT({ ~0ull - 15, 2 * DESC, F_INDIRECT, NX }); }
static void entry_nowhere(void) { case_table(0, at.end, CASE_BUFFER, 0, 0); table_of(DESC, 0); }
static void names_itself(void) { case_table(0, at.frame, 12, F_NEXT, 0); table_of(DESC, 0); }
static void two_cycle(void) { good_table(); case_table(1, at.frame, 12, F_NEXT, 0); table_of(2 * DESC, 0); }
static void next_at_end(void) { case_table(0, at.frame, 12, F_NEXT, 2); table_of(2 * DESC, 0); }
static void next_largest(void) { case_table(0, at.frame, 12, F_NEXT, 0xffff); table_of(2 * DESC, 0); }
static void entry_writable(void) { good_table(); case_table(0, at.frame, 12, (uint16_t)(more() | F_WRITE), 1); table_of(2 * DESC, 0); }

/* a frame made of its own table: an unknown destination, and an odd source that may be */
static void inside_itself(void)
{
	case_table(0, at.frame, 12, more(), 1);
	case_table(1, at.table, 64, 0, 0);
	table_of(2 * DESC, 0);
}

/* two_at() - an honest table at @gpa, or its first entry, where no more of it is in memory */
static void two_at(uint64_t gpa, bool whole)
{
	uint64_t was = at.table;

	at.table = gpa;
	if (whole)
		good_table();
	case_table(0, at.frame, 12, more(), 1);
	table_of(2 * DESC, 0);
	at.table = was;
}
static void over_border_at_entry(void) { two_at(at.border - DESC, true); }
static void over_border_in_entry(void) { two_at(at.border - DESC - 8, true); }
static void into_the_hole(void) { two_at(at.border - DESC - 8, false); }
static void half_nowhere(void) { two_at(at.end - DESC, false); }

/* ---- chains that cost ---- */

static void filled_table(unsigned n, uint32_t each)
{
	for (unsigned i = 0; i < n; i++)
		case_table(i, at.big, each, (uint16_t)(i + 1 < n ? more() : 0), (uint16_t)(i + 1));
	table_of(n * DESC, 0);
}
static void as_long_as_the_ring(void) { filled_table(CASE_SIZE, 24); }
static void longer_than_the_ring(void) { filled_table(CASE_SIZE + 2, 0); }
static void many_bytes(void) { filled_table(CASE_SIZE, CASE_BIG); }

static const struct hostile_case cases[] = {
	{ "an honest table", ON_BOTH, two, NULL, VERDICT_FORWARDED, 1 },
	{ "a table said to be writable", ON_BOTH, two_writable, NULL, VERDICT_FORWARDED, 1 },
	{ "a table behind a direct descriptor", ON_SPLIT, behind_direct, NULL, VERDICT_FORWARDED, 1 },
	{ "the same in a packed ring", ON_PACKED, behind_direct, .fault = VIRTQ_BAD_INDIRECT },
	{ "a length that is not of whole entries", ON_BOTH, not_whole, .fault = VIRTQ_BAD_INDIRECT },
	{ "an empty table", ON_BOTH, empty, .fault = VIRTQ_BAD_INDIRECT },
	{ "half an entry", ON_BOTH, half_an_entry, .fault = VIRTQ_BAD_INDIRECT },
	{ "32769 entries", ON_BOTH, too_large, .fault = VIRTQ_BAD_INDIRECT },
	{ "4 GiB of entries", ON_BOTH, largest, .fault = VIRTQ_BAD_INDIRECT },
	{ "something chained behind it", ON_BOTH, chained, .fault = VIRTQ_BAD_INDIRECT },
	{ "a table in a table", ON_BOTH, nested, .fault = VIRTQ_BAD_INDIRECT },
	{ "a table in a table, behind a good entry", ON_BOTH, nested_late, .fault = VIRTQ_BAD_INDIRECT },
	{ "a table outside of memory", ON_BOTH, nowhere, .fault = VIRTQ_BAD_ADDRESS },
	{ "half of it outside", ON_BOTH, half_nowhere, .fault = VIRTQ_BAD_ADDRESS },
	{ "a table that wraps", ON_BOTH, wraps, .fault = VIRTQ_BAD_ADDRESS },
	{ "an entry that points outside", ON_BOTH, entry_nowhere, .fault = VIRTQ_BAD_ADDRESS },
	{ "an entry that names itself", ON_SPLIT, names_itself, .fault = VIRTQ_LOOP },
	{ "two that name one another", ON_SPLIT, two_cycle, .fault = VIRTQ_LOOP },
	{ "next at the end of the table", ON_SPLIT, next_at_end, .fault = VIRTQ_BAD_HEAD },
	{ "next 65535", ON_SPLIT, next_largest, .fault = VIRTQ_BAD_HEAD },
	{ "an entry that is writable", ON_SPLIT, entry_writable, .fault = VIRTQ_BAD_DIRECTION },
	{ "one of a packed ring, as DPDK has them", ON_PACKED, entry_writable, NULL, VERDICT_FORWARDED, 1 },
	{ "a table that is its own frame", ON_BOTH, inside_itself, NULL, VERDICT_FLOODED, 1 },
	{ "over a border, between entries", ON_BOTH | ADJACENT, over_border_at_entry, NULL, VERDICT_FORWARDED, 1 },
	{ "over a border, in an entry", ON_BOTH | ADJACENT, over_border_in_entry, NULL, VERDICT_FORWARDED, 1 },
	{ "over a border into the hole", ON_BOTH | APART, into_the_hole, .fault = VIRTQ_BAD_ADDRESS },
	{ "as many entries as the ring has", ON_BOTH, as_long_as_the_ring, NULL, VERDICT_DROP_OVERSIZE, 1 },
	{ "more entries than the ring has", ON_BOTH, longer_than_the_ring, .fault = VIRTQ_LOOP },
	{ "12 MiB in a frame", ON_BOTH, many_bytes, NULL, VERDICT_DROP_VNET_HEADER, 1 },
};

static void test_tables(void **state)
{
	(void)state;
	hostile_cases(cases, ARRAY_SIZE(cases), HOSTILE_BASIC);
}

/* Pieces whose sum is 4 GiB and a short frame: it is a long frame all the same. */
static bool it_ended(struct hostile_bed *b)
{
	return counter_get(&b->evil.port->stats[0].rx_frames) > 0 || vhost_fault(b->evil.port);
}

static void test_more_than_4_gib(void **state)
{
	enum { N = 1024, EACH = 4 << 20 };

	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		struct driver_conf conf = { .features = HOSTILE_BASIC, .size = N, .spare = 3 * EACH };

		conf.features |= packed ? BIT(VIRTIO_F_RING_PACKED) : 0;
		at.b = hostile_bed_new(&conf, false);
		at.packed = packed;
		at.table = driver_alloc(at.b->evil.d, N * DESC, DESC);
		at.big = driver_alloc(at.b->evil.d, 2 * EACH, DESC);
		case_frame(at.big, CASE_FRAME);
		for (unsigned i = 0; i < N; i++)
			case_table(i, at.big, i ? EACH : EACH + CASE_BUFFER, i + 1 < N ? more() : 0, (uint16_t)(i + 1));
		table_of(N * DESC, 0);
		hostile_kick(&at.b->evil);
		assert_true(hostile_until(at.b, it_ended));
		assert_null(vhost_fault(at.b->evil.port));
		assert_int_equal(hostile_verdict(&at.b->evil, VERDICT_DROP_VNET_HEADER), 1);
		hostile_neighbours(at.b, 10);
		assert_int_equal(at.b->came, 0);
		hostile_bed_free(at.b);
	}
}

static const struct hostile_case not_agreed[] = {
	{ "a table that was not agreed upon", ON_BOTH, two, .fault = VIRTQ_BAD_INDIRECT },
};

static void test_not_agreed(void **state)
{
	(void)state;
	hostile_cases(not_agreed, ARRAY_SIZE(not_agreed), BIT(VIRTIO_F_VERSION_1));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_tables), cmocka_unit_test(test_more_than_4_gib),
					    cmocka_unit_test(test_not_agreed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
