// SPDX-License-Identifier: GPL-2.0-or-later
/* Data that waits: sorted, bounded for each flow and each guest, and whatever some guests do the next one finds places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "nat/hold.h"

enum { ALL = HOLD_PLACES - 1 };

/* fill() - flows of one guest that each hold all they get. Return: places had */
static unsigned fill(struct hold *h, uint16_t *heads, unsigned nflows, uint16_t *share, uint32_t most)
{
	static const uint8_t data[100];

	for (unsigned f = 0; f < nflows; f++)
		for (uint32_t i = 0; i < 2 * HOLD_PER_FLOW; i++)
			hold_put(h, &heads[f], share, most, 1000 + 200 * i, data, sizeof(data), false);
	return *share;
}

static void drop(struct hold *h, uint16_t *heads, unsigned nflows)
{
	for (unsigned f = 0; f < nflows; f++)
		hold_drop_all(h, &heads[f]);
}

static void test_shares(void **state)
{
	uint16_t heads[3][8] = { { 0 } }, share[3] = { 0 };
	struct hold h;

	(void)state;
	hold_init(&h);
	assert_int_equal(fill(&h, heads[0], 1, &share[0], 0), HOLD_PER_FLOW);		/* a flow */
	assert_int_equal(fill(&h, heads[0], 8, &share[0], 0), (ALL + 1) / 2);		/* a guest alone: half */
	assert_int_equal(fill(&h, heads[1], 8, &share[1], 0), (ALL - (ALL + 1) / 2 + 1) / 2);	/* the next: half of the rest */
	assert_true(fill(&h, heads[2], 8, &share[2], 0) >= 30);
	assert_int_equal(h.used, share[0] + share[1] + share[2]);
	for (unsigned i = 0; i < 3; i++)
		drop(&h, heads[i], 8);
	assert_int_equal(share[0] + share[1] + share[2], 0);
	assert_int_equal(h.used, 0);
	assert_int_equal(fill(&h, heads[0], 8, &share[0], 5), 5);			/* what its settings allow */
	drop(&h, heads[0], 8);
	hold_fini(&h);
}

static void test_order(void **state)
{
	static const char *const pieces[] = { "cc", "aa", "bb", "dd" };
	static const uint32_t seqs[] = { UINT32_MAX + 5u, UINT32_MAX - 1, UINT32_MAX + 3u, 6 };
	uint16_t head = HOLD_NONE, share = 0;
	struct hold h;
	char all[16] = "";

	(void)state;
	hold_init(&h);
	for (unsigned i = 0; i < 4; i++)
		assert_true(hold_put(&h, &head, &share, 0, seqs[i], (const uint8_t *)pieces[i], 2, false));
	assert_true(hold_put(&h, &head, &share, 0, seqs[1], (const uint8_t *)"aa", 2, false));	/* the same again takes no place */
	assert_int_equal(share, 4);
	while (head != HOLD_NONE) {
		strncat(all, (const char *)hold_data(&h, head), h.held[head].size);
		hold_drop_first(&h, &head);
	}
	assert_string_equal(all, "aabbccdd");
	assert_int_equal(share, 0);
	hold_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_shares), cmocka_unit_test(test_order) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
