// SPDX-License-Identifier: GPL-2.0-or-later
/* Where transport headers stand. Each head ends where memory ends, so that one byte read beyond it is a crash. */
#include "switch/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"

enum { TCP = 6, UDP = 17, GRE = 47, HOP_BY_HOP = 0, FRAGMENT = 44 };

static const struct {
	const char *what;
	uint16_t ethertype;
	uint8_t first, proto;		/* of the IP header: version and length, and what follows */
	uint16_t fragment;		/* IPv4's flags and offset */
	uint8_t words;			/* of the TCP header */
	uint32_t size;			/* of the head */
	bool found;
	uint16_t l4, payload;
	bool is_fragment;
} cases[] = {
	{ "TCP", 0x0800, 0x45, TCP, 0x4000, 5, 54, true, 34, 54, false },
	{ "its options", 0x0800, 0x45, TCP, 0, 15, 94, true, 34, 94, false },
	{ "its options, not whole", 0x0800, 0x45, TCP, 0, 15, 93, true, 34, 0, false },
	{ "not whole", 0x0800, 0x45, TCP, 0, 5, 53, true, 34, 0, false },
	{ "not there", 0x0800, 0x45, TCP, 0, 5, 34, true, 34, 0, false },
	{ "a header of four words", 0x0800, 0x45, TCP, 0, 4, 54, true, 34, 0, false },
	{ "behind IPv4 options", 0x0800, 0x4f, TCP, 0, 15, 134, true, 74, 134, false },
	{ "IPv4 options not whole", 0x0800, 0x4f, TCP, 0, 5, 73, false, 0, 0, false },
	{ "IPv4 not whole", 0x0800, 0x45, TCP, 0, 5, 33, false, 0, 0, false },
	{ "one byte of IPv4", 0x0800, 0x45, TCP, 0, 5, 15, false, 0, 0, false },
	{ "nothing of IPv4", 0x0800, 0x45, TCP, 0, 5, 14, false, 0, 0, false },
	{ "an IP header of four words", 0x0800, 0x44, GRE, 0, 5, 100, false, 0, 0, false },
	{ "of none", 0x0800, 0x40, GRE, 0, 5, 100, false, 0, 0, false },
	{ "IPv6 said to be IPv4", 0x0800, 0x65, TCP, 0, 5, 100, false, 0, 0, false },
	{ "UDP", 0x0800, 0x45, UDP, 0, 0, 42, true, 34, 42, false },
	{ "UDP, not whole", 0x0800, 0x45, UDP, 0, 0, 41, true, 34, 0, false },
	{ "GRE", 0x0800, 0x45, GRE, 0, 5, 100, true, 34, 0, false },
	{ "a first fragment", 0x0800, 0x45, TCP, 0x2000, 5, 100, true, 34, 0, true },
	{ "a later one", 0x0800, 0x45, UDP, 0x0001, 5, 100, true, 34, 0, true },
	{ "of something else", 0x0800, 0x45, GRE, 0x2000, 5, 100, true, 34, 0, true },
	{ "TCP over IPv6", 0x86dd, 0x60, TCP, 0, 5, 74, true, 54, 74, false },
	{ "not whole", 0x86dd, 0x60, TCP, 0, 5, 73, true, 54, 0, false },
	{ "UDP over IPv6", 0x86dd, 0x6f, UDP, 0, 0, 62, true, 54, 62, false },
	{ "IPv6 not whole", 0x86dd, 0x60, TCP, 0, 5, 53, false, 0, 0, false },
	{ "nothing of IPv6", 0x86dd, 0x60, TCP, 0, 5, 14, false, 0, 0, false },
	{ "IPv4 said to be IPv6", 0x86dd, 0x45, TCP, 0, 5, 100, false, 0, 0, false },
	{ "an extension header", 0x86dd, 0x60, HOP_BY_HOP, 0, 5, 100, true, 54, 0, false },
	{ "a fragment of IPv6", 0x86dd, 0x60, FRAGMENT, 0, 5, 100, true, 54, 0, true },
	{ "ARP", 0x0806, 0x45, TCP, 0, 5, 100, false, 0, 0, false },
	{ "a tag", 0x8100, 0x45, TCP, 0, 5, 100, false, 0, 0, false },
};

/* put() - as much of the frame as goes into @size bytes */
static void put(uint8_t *to, unsigned i)
{
	uint8_t whole[256] = { 0 };
	bool v6 = cases[i].ethertype == 0x86dd;
	unsigned l4 = v6 ? 54 : 14 + (cases[i].first & 15) * 4u;

	put_u16(whole + 12, cases[i].ethertype);
	whole[l4 + 12] = (uint8_t)(cases[i].words << 4);
	whole[14] = cases[i].first;
	if (v6)
		whole[20] = cases[i].proto;
	else
		put_u16(whole + 20, cases[i].fragment);
	if (!v6)
		whole[23] = cases[i].proto;
	memcpy(to, whole, cases[i].size);
}

static void test_find(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(mprotect(map + page, page, PROT_NONE), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t *head = map + page - cases[i].size;
		struct layout l;

		print_message("  %s\n", cases[i].what);
		memset(&l, 0xee, sizeof(l));
		put(head, i);
		assert_int_equal(layout_find(head, cases[i].size, &l), cases[i].found);
		if (!cases[i].found) {
			assert_int_equal(l.proto, 0xee);	/* not written */
			continue;
		}
		assert_int_equal(l.v6, cases[i].ethertype == 0x86dd);
		assert_int_equal(l.proto, cases[i].proto);
		assert_int_equal(l.l4, cases[i].l4);
		assert_int_equal(l.payload, cases[i].payload);
		assert_int_equal(l.fragment, cases[i].is_fragment);
	}
	munmap(map, 2 * page);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_find) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
