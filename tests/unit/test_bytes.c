// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

static const uint8_t nine[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void test_read(void **state)
{
	struct reader r = reader_init(nine, sizeof(nine));
	uint8_t two[2];

	(void)state;
	assert_int_equal(read_u8(&r), 1);
	assert_int_equal(read_u16(&r), 0x0203);
	assert_int_equal(read_u32(&r), 0x04050607);
	assert_int_equal(reader_left(&r), 2);
	read_copy(&r, two, 2);
	assert_memory_equal(two, nine + 7, 2);
	assert_int_equal(reader_left(&r), 0);
	assert_false(r.overrun);
	assert_ptr_equal(read_bytes(&r, 0), nine + 9);	/* nothing more is asked for */
	assert_false(r.overrun);
}

/* From the first overrun on there are zeros, even where a smaller value would fit. */
static void test_overrun(void **state)
{
	static const size_t sizes[] = { 1, 2, 4, 10, SIZE_MAX };

	(void)state;
	for (size_t size = 0; size < sizeof(nine); size++) {
		uint8_t *exact = malloc(size ? size : 1), copy[4] = { 9, 9, 9, 9 };

		memcpy(exact, nine, size);
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct reader r = reader_init(exact, size);

			if (sizes[i] <= size)
				continue;
			assert_null(read_bytes(&r, sizes[i]));
			assert_true(r.overrun);
			assert_int_equal(reader_left(&r), 0);
			assert_int_equal(read_u8(&r) | read_u16(&r) | read_u32(&r), 0);
			read_copy(&r, copy, sizeof(copy));
			assert_int_equal(get_u32(copy), 0);
			assert_int_equal(r.pos, 0);
		}
		free(exact);
	}
}

static void test_write(void **state)
{
	uint8_t room[12], small[5] = { 0xee, 0xee, 0xee, 0xee, 0xee };
	struct writer w = writer_init(room, sizeof(room));

	(void)state;
	memset(room, 0xee, sizeof(room));
	write_u8(&w, 1);
	write_u16(&w, 0x0203);
	write_u32(&w, 0x04050607);
	write_bytes(&w, nine + 7, 2);
	write_zeros(&w, 2);
	assert_int_equal(w.pos, 11);
	assert_memory_equal(room, nine, 9);
	assert_int_equal(room[9] | room[10], 0);
	assert_int_equal(room[11], 0xee);
	write_bytes(&w, NULL, 0);
	assert_false(w.overrun);
	print_message("  what does not fit is not written, and nothing after it\n");
	w = writer_init(small, 4);
	write_u16(&w, 0x0102);
	write_u32(&w, 0x03040506);
	write_u8(&w, 7);
	assert_true(w.overrun);
	assert_int_equal(w.pos, 2);
	assert_null(write_space(&w, 1));
	write_zeros(&w, 1);
	assert_int_equal(get_u16(small), 0x0102);
	assert_int_equal(small[2] & small[3] & small[4], 0xee);
}

static void test_unaligned(void **state)
{
	uint8_t b[8] = { 0 };

	(void)state;
	for (unsigned at = 0; at < 4; at++) {
		put_u16(b + at, 0xfedc);
		assert_int_equal(get_u16(b + at), 0xfedc);
		put_u32(b + at, 0xfedcba98);
		assert_int_equal(get_u32(b + at), 0xfedcba98);
		assert_int_equal(b[at], 0xfe);
		assert_int_equal(b[at + 3], 0x98);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read), cmocka_unit_test(test_overrun), cmocka_unit_test(test_write),
		cmocka_unit_test(test_unaligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
