// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "tests/unit/offload_frame.h"

static const struct {
	const char *what;
	uint32_t len, head, piece;
	uint16_t tci;
	bool service;
	uint32_t inner;
} cases[] = {
	{ "all in one piece", 100, 0, 0, 0, false, 0 },		{ "with a tag", 100, 0, 0, 0xa007, false, 0 },
	{ "nothing but a header", 14, 0, 0, 0, false, 0 },	{ "the same with a tag", 14, 0, 0, 0x2001, false, 0 },
	{ "a head and a body", 1000, 64, 4096, 0, false, 0 },	{ "the same with a tag", 1000, 64, 4096, 1, false, 0 },
	{ "in as many pieces as there may be", 1000, 14, 55, 4094, false, 0 },
	{ "a service tag", 100, 64, 64, 0x6064, true, 0 },	{ "with a customer's behind it", 100, 64, 64, 0x6064, true, 0x8100a00a },
	{ "a customer's alone, of VID 0", 100, 0, 0, 0, false, 0x81000000 },
	{ "one that looks like a service tag", 1000, 14, 55, 0, false, 0x88a80007 },
};

static void test_linear_and_iov(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[1024], flat[1024], sent[1032], tags[TAGS_MAX], want[1032];
		struct iovec iov[FRAME_BODY_MAX + 3];
		struct tx_frame tx = { .tci = cases[i].tci, .service = cases[i].service, .inner = cases[i].inner };
		uint32_t extra = tx_tags_size(&tx), size = 0;
		struct frame f;
		unsigned n;

		print_message("  %s\n", cases[i].what);
		for (uint32_t j = 0; j < cases[i].len; j++)
			bytes[j] = (uint8_t)(j * 11);
		frame_init(&f, bytes, cases[i].len);
		frame_split(&f, cases[i].head, cases[i].piece);
		frame_linear(&f, flat);
		assert_memory_equal(flat, bytes, f.len);
		assert_int_equal(extra, (cases[i].tci ? 4 : 0) + (cases[i].inner ? 4 : 0));
		assert_int_equal(tx_tags(&tx, tags), extra);
		n = frame_iov(&f, tags, extra, iov);
		assert_in_range(n, 1, ARRAY_SIZE(iov));
		for (unsigned j = 0; j < n; size += (uint32_t)iov[j++].iov_len)
			memcpy(sent + size, iov[j].iov_base, iov[j].iov_len);
		memcpy(want, bytes, 12);
		memcpy(want + 12, cases[i].service ? (uint8_t[]){ 0x88, 0xa8 } : (uint8_t[]){ 0x81, 0x00 }, 2);
		put_u16(want + 14, cases[i].tci);
		if (cases[i].inner)
			put_u32(want + 8 + extra, cases[i].inner);
		memcpy(want + 12 + extra, bytes + 12, f.len - 12);
		assert_int_equal(size, f.len + extra);
		assert_memory_equal(sent, want, size);
		assert_ptr_equal(frame_dst(&f), bytes);
		assert_ptr_equal(frame_src(&f), bytes + 6);
	}
}

/* A frame starts without what the one before in its place had. */
static void test_init(void **state)
{
	uint8_t bytes[60];
	struct frame f;

	(void)state;
	memset(&f, 0xee, sizeof(f));
	frame_init(&f, bytes, sizeof(bytes));
	assert_ptr_equal(f.head, bytes);
	assert_int_equal(f.len, 60);
	assert_int_equal(f.head_len, 60);
	assert_int_equal(f.nbody, 0);
	assert_int_equal(f.offload.flags | f.offload.gso_type | f.vid | f.pcp_dei | f.copies, 0);
	assert_false(f.tag_present);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_linear_and_iov), cmocka_unit_test(test_init) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
