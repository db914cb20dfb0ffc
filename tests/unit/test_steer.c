// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/frame.h"
#include "switch/steer.h"

enum { PROTO_AT = 23, SRC_AT = 26, DST_AT = 30, PORTS_AT = 34, LEN = 60 };

/* flow() - an IPv4 frame from 10.0.0.@a, port @p, to 10.0.0.@b, port @q */
static struct frame flow(uint8_t *bytes, uint8_t proto, uint8_t a, uint16_t p, uint8_t b, uint16_t q)
{
	struct frame f;

	memset(bytes, 0, LEN);
	put_u16(bytes + 12, 0x0800);
	bytes[14] = 0x45;
	bytes[PROTO_AT] = proto;
	put_u32(bytes + SRC_AT, 0x0a000000u + a);
	put_u32(bytes + DST_AT, 0x0a000000u + b);
	put_u16(bytes + PORTS_AT, p);
	put_u16(bytes + PORTS_AT + 2, q);
	frame_init(&f, bytes, LEN);
	return f;
}

static void test_both_directions(void **state)
{
	uint8_t there[LEN], back[LEN];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		uint16_t p = (uint16_t)(i * 7919), q = (uint16_t)(i * 104729);
		struct frame f = flow(there, i % 2 ? 6 : 17, (uint8_t)i, p, 9, q), g = flow(back, i % 2 ? 6 : 17, 9, q, (uint8_t)i, p);

		assert_int_equal(flow_hash(&f), flow_hash(&g));
	}
}

/* A thousand connections to one server spread over four queues about evenly. */
static void test_spread(void **state)
{
	static struct steer s;
	uint8_t bytes[LEN];
	unsigned seen[4] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct frame f = flow(bytes, 6, 1, (uint16_t)(32768 + i), 2, 80);

		seen[steer_choose(&s, &f, 4)]++;
	}
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(seen[i], 180, 320);
}

/* What the guest sent on queue 3 is answered on queue 3, until it has fewer queues. */
static void test_follows(void **state)
{
	static struct steer s;
	uint8_t out[LEN], in[LEN];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct frame f = flow(out, 17, 1, (uint16_t)(1000 + i), 2, 53), g = flow(in, 17, 2, 53, 1, (uint16_t)(1000 + i));

		steer_learn(&s, 3, &f, 1);
		assert_int_equal(steer_choose(&s, &g, 4), 3);
		assert_in_range(steer_choose(&s, &g, 2), 0, 1);
	}
}

/* Cut anywhere, a frame is hashed without a look beyond its end (a sanitizer says so). */
static void test_short(void **state)
{
	static const uint16_t types[] = { 0x0800, 0x86dd, 0x0806 };
	uint8_t bytes[100];

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
		for (uint32_t len = ETH_HEADER; len < sizeof(bytes); len++) {
			struct frame f;
			uint8_t *end = bytes + sizeof(bytes) - len;

			memset(bytes, 0x4f, sizeof(bytes));
			put_u16(end + 12, types[t]);
			frame_init(&f, end, len);
			flow_hash(&f);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions), cmocka_unit_test(test_spread),
		cmocka_unit_test(test_follows), cmocka_unit_test(test_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
