// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

/* The example of RFC 1071, section 3. */
static void test_rfc1071(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(checksum_fold(checksum_add(0, bytes, sizeof(bytes))), 0xddf2);
	assert_int_equal(checksum_finish(checksum_add(0, bytes, sizeof(bytes))), 0x220d);
}

/* plain() - one word at a time */
static uint16_t plain(const uint8_t *p, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++) {
		sum += i % 2 ? p[i] : p[i] * 256u;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

/* same() - one's complement has two zeros, and which of them comes out does not matter before the end */
static bool same(uint16_t a, uint16_t b)
{
	return a % 0xffff == b % 0xffff;
}

static void test_plain(void **state)
{
	uint8_t bytes[4096];

	(void)state;
	srandom(1);
	for (unsigned round = 0; round < 5000; round++) {
		size_t at = (size_t)random() % 64, size = (size_t)random() % (round < 2500 ? 100 : 4000);
		int fill = (int)(random() % 4);

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = fill == 0 ? 0xff : fill == 1 ? 0 : (uint8_t)random();
		assert_true(same(checksum_fold(checksum_add(0, bytes + at, size)), plain(bytes + at, size)));
	}
}

/* Sums of pieces add up, where all but the last are even. */
static void test_pieces(void **state)
{
	uint8_t bytes[1000];
	uint16_t all;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37);
	all = checksum_fold(checksum_add(0, bytes, 999));
	for (size_t cut = 0; cut < 999; cut += 2) {
		uint64_t sum = checksum_add(0, bytes, cut);

		assert_int_equal(checksum_fold(checksum_add(sum, bytes + cut, 999 - cut)), all);
	}
}

static void test_long(void **state)
{
	size_t size = 1 << 20;
	uint8_t *bytes = malloc(size);
	uint64_t sum = 0;

	(void)state;
	memset(bytes, 0xff, size);
	for (unsigned i = 0; i < 64; i++)
		sum = checksum_add(sum, bytes, size);
	assert_int_equal(checksum_fold(sum), 0xffff);
	assert_int_equal(checksum_finish(sum), 0);
	assert_int_equal(checksum_finish_udp(sum), 0xffff);
	free(bytes);
}

/* A TCP and a UDP header that scapy wrote, over IPv4 and IPv6, sum to all ones with their pseudo headers. */
static void test_pseudo(void **state)
{
	static const uint8_t a4[4] = { 10, 0, 0, 5 }, b4[4] = { 10, 0, 0, 9 };
	static const uint8_t udp4[] = { 0x14, 0xe9, 0, 0x35, 0, 0x0d, 0x92, 0xd6, 'h', 'e', 'l', 'l', 'o' };
	static const uint8_t a6[16] = { 0xfd, [15] = 5 }, b6[16] = { 0xfd, [15] = 9 };
	uint8_t udp6[108] = { 0x03, 0xe8, 0, 0x50, 0, 0x6c, 0x65, 0x01 };

	(void)state;
	assert_int_equal(checksum_fold(checksum_add(checksum_pseudo4(a4, b4, 17, sizeof(udp4)), udp4, sizeof(udp4))), 0xffff);
	for (unsigned i = 0; i < 100; i++)
		udp6[8 + i] = (uint8_t)i;
	assert_int_equal(checksum_fold(checksum_add(checksum_pseudo6(a6, b6, 17, sizeof(udp6)), udp6, sizeof(udp6))), 0xffff);
	print_message("  a length of 32 bits counts with both its halves\n");
	assert_int_equal(checksum_fold(checksum_pseudo6(a6, a6, 6, 0x20001)),
			 checksum_fold(checksum_pseudo6(a6, a6, 6, 3)));
}

static void test_fold(void **state)
{
	static const struct {
		uint64_t sum;
		uint16_t folded;
	} cases[] = {
		{ 0, 0 }, { 0xffff, 0xffff }, { 0x10000, 1 }, { 0x1ffff, 1 }, { 0xffffffff, 0xffff },
		{ 0x1fffffffe, 0xffff }, { 0xffffffffffffffff, 0xffff }, { 0x0001000100010001, 4 },
		{ 0xfffffffe00000001, 0xffff },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_true(same(checksum_fold(cases[i].sum), cases[i].folded));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc1071), cmocka_unit_test(test_plain),  cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_long),	cmocka_unit_test(test_pseudo), cmocka_unit_test(test_fold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
