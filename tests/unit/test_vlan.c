// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/vlan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/frame.h"

static const uint8_t addresses[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };

/* conf_of() - "10" access; "10-12,20" a trunk; "10-12/1" with native VLAN 1 */
static struct vlan_conf conf_of(const char *text)
{
	struct vlan_conf conf = { 0 };
	char *at;
	unsigned long first = strtoul(text, &at, 10), last;

	if (!*at) {
		conf.pvid = (uint16_t)first;
		return conf;
	}
	conf.trunk = true;
	for (;;) {
		last = *at == '-' ? strtoul(at + 1, &at, 10) : first;
		for (; first <= last; first++)
			vlan_list(&conf, (uint16_t)first);
		if (*at != ',')
			break;
		first = strtoul(at + 1, &at, 10);
	}
	conf.pvid = *at == '/' ? (uint16_t)strtoul(at + 1, NULL, 10) : 0;
	return conf;
}

/* put() - words of two bytes behind the addresses: "8100 000a 0800" and 46 bytes of payload; "!" at the end: nothing more */
static uint32_t put(uint8_t *to, const char *words)
{
	uint32_t n = 12;
	char *at = (char *)words;

	memcpy(to, addresses, sizeof(addresses));
	while (*at && *at != '!') {
		put_u16(to + n, (uint16_t)strtoul(at, &at, 16));
		n += 2;
		while (*at == ' ')
			at++;
	}
	if (*at == '!')
		return n;
	memset(to + n, 0x5a, 46);
	return n + 46;
}

static const struct {
	const char *what, *conf, *in; /* in: EtherType and tags as words */
	int meta;		      /* a tag that the kernel took out, or -1 */
	int vid;		      /* expected VID, or minus the drop reason */
	int pcp_dei;
} cases[] = {
	{ "access port takes untagged as PVID", "10", "0800", -1, 10, 0 },
	{ "access port refuses a foreign tag", "10", "8100 0014 0800", -1, -VERDICT_DROP_VLAN, 0 },
	{ "access port refuses its own VLAN tagged", "10", "8100 000a 0800", -1, -VERDICT_DROP_VLAN, 0 },
	{ "priority tag means PVID, and its priority stays", "10", "8100 e000 0800", -1, 10, 14 },
	{ "DEI is kept", "10", "8100 1000 0800", -1, 10, 1 },
	{ "trunk takes a listed tag", "10-12", "8100 000b 0800", -1, 11, 0 },
	{ "with its priority", "10-12", "8100 b00b 0800", -1, 11, 11 },
	{ "trunk refuses a tag beside its list", "10-12", "8100 000d 0800", -1, -VERDICT_DROP_VLAN, 0 },
	{ "trunk without native drops untagged", "20-29", "0800", -1, -VERDICT_DROP_VLAN, 0 },
	{ "trunk without native drops priority tags", "20-29", "8100 2000 0800", -1, -VERDICT_DROP_VLAN, 0 },
	{ "native VLAN takes untagged", "20-29/1", "0800", -1, 1, 0 },
	{ "native VLAN takes priority tags", "20-29/1", "8100 a000 0800", -1, 1, 10 },
	{ "native VLAN that is not listed refuses its tag", "20-29/1", "8100 0001 0800", -1, -VERDICT_DROP_VLAN,
	  0 },
	{ "native VLAN that is listed takes its tag", "20-29/20", "8100 0014 0800", -1, 20, 0 },
	{ "VID 4094 is the last", "1-4094", "8100 0ffe 0800", -1, 4094, 0 },
	{ "VID 4095 is reserved, whatever the list", "1-4095", "8100 0fff 0800", -1, -VERDICT_DROP_VLAN, 0 },
	{ "VID 4095 on an access port", "1", "8100 0fff 0800", -1, -VERDICT_DROP_VLAN, 0 },
	{ "a second tag is refused", "10-12", "8100 000b 8100 000c 0800", -1, -VERDICT_DROP_DOUBLE_TAG, 0 },
	{ "a tag behind a priority tag too", "10", "8100 0000 8100 0014 0800", -1, -VERDICT_DROP_DOUBLE_TAG,
	  0 },
	{ "a service tag behind a tag", "10-12", "8100 000b 88a8 000c 0800", -1, -VERDICT_DROP_DOUBLE_TAG, 0 },
	{ "a service tag in front", "10-12", "88a8 000b 0800", -1, -VERDICT_DROP_DOUBLE_TAG, 0 },
	{ "a service tag in front of a tag", "10-12", "88a8 000b 8100 000c 0800", -1, -VERDICT_DROP_DOUBLE_TAG,
	  0 },
	{ "a tag cut short", "10-12", "8100 000b!", -1, -VERDICT_DROP_RUNT, 0 },
	{ "a tag with nothing but its type", "10-12", "8100!", -1, -VERDICT_DROP_RUNT, 0 },
	{ "a tag in front of a type and no more", "10-12", "8100 000b 0800!", -1, 11, 0 },
	{ "untagged and no more", "10", "0800!", -1, 10, 0 },
	{ "a tag in the metadata", "10-12", "0800", 0x600b, 11, 6 },
	{ "the same beside the list", "10-12", "0800", 0x000d, -VERDICT_DROP_VLAN, 0 },
	{ "the same on an access port", "10", "0800", 0x000a, -VERDICT_DROP_VLAN, 0 },
	{ "a priority tag in the metadata", "10", "0800", 0x4000, 10, 4 },
	{ "VID 4095 in the metadata", "1-4095", "0800", 0x0fff, -VERDICT_DROP_VLAN, 0 },
	{ "a tag in the metadata and one in the frame", "10-12", "8100 000b 0800", 0x000b,
	  -VERDICT_DROP_DOUBLE_TAG, 0 },
	{ "a priority tag there and a tag in the frame", "10-12", "8100 000b 0800", 0, -VERDICT_DROP_DOUBLE_TAG,
	  0 },
};

/* check_untagged() - the frame is what it was, less its tag */
static void check_untagged(const struct frame *f, const char *words)
{
	uint8_t want[128];
	bool tagged = !strncmp(words, "8100", 4);
	uint32_t len = put(want, tagged ? words + 10 : words);

	assert_int_equal(f->len, len);
	assert_int_equal(f->head_len, len);
	assert_memory_equal(f->head, want, len);
	assert_false(f->tag_present);
}

static void test_classify(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vlan_conf conf = conf_of(cases[i].conf);
		uint8_t bytes[128];
		struct frame f;
		enum verdict v;

		print_message("  %s\n", cases[i].what);
		frame_init(&f, bytes, put(bytes, cases[i].in));
		f.tag_present = cases[i].meta >= 0;
		f.vid = f.tag_present ? cases[i].meta & 0xfff : 0;
		f.pcp_dei = f.tag_present ? (uint8_t)(cases[i].meta >> 12) : 0;
		v = vlan_classify(&conf, &f);
		if (cases[i].vid < 0) {
			assert_int_equal(v, -cases[i].vid);
			continue;
		}
		assert_int_equal(v, VERDICT_FORWARDED);
		assert_int_equal(f.vid, cases[i].vid);
		assert_int_equal(f.pcp_dei, cases[i].pcp_dei);
		check_untagged(&f, cases[i].in);
	}
}

/* The tag goes, and the place where summing begins moves with the bytes. */
static void test_csum_start_moves(void **state)
{
	static const struct {
		const char *in;
		uint16_t before, after;
	} starts[] = {
		{ "8100 000b 0800", 38, 34 },
		{ "8100 000b 0800", 4, 0 },
		{ "8100 000b 0800", 3, 3 },
		{ "0800", 34, 34 },
	};
	struct vlan_conf conf = conf_of("10-12/1");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		uint8_t bytes[128];
		struct frame f;

		frame_init(&f, bytes, put(bytes, starts[i].in));
		f.offload.csum_start = starts[i].before;
		assert_int_equal(vlan_classify(&conf, &f), VERDICT_FORWARDED);
		assert_int_equal(f.offload.csum_start, starts[i].after);
	}
}

static const struct {
	const char *what, *conf;
	uint16_t vid;
	uint8_t pcp_dei;
	bool member;
	uint16_t tci;
} exits[] = {
	{ "an access port sends without a tag", "10", 10, 6, true, 0 },
	{ "another VLAN's frames do not leave there", "10", 11, 0, false, 0 },
	{ "a trunk puts the tag in", "10-12", 11, 0, true, 11 },
	{ "with the priority", "10-12", 11, 15, true, 0xf00b },
	{ "a VLAN beside the list stays inside", "10-12", 13, 0, false, 0 },
	{ "the native VLAN leaves untagged", "10-12/1", 1, 7, true, 0 },
	{ "even if it is listed", "10-12/10", 10, 0, true, 0 },
	{ "no native VLAN, no VLAN 0", "10-12", 1, 0, false, 0 },
	{ "the last VLAN of the last word", "4094,64", 4094, 0, true, 4094 },
	{ "the first of the second word", "4094,64", 64, 0, true, 64 },
	{ "and its neighbour", "4094,64", 63, 0, false, 0 },
};

static void test_exit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(exits); i++) {
		struct vlan_conf conf = conf_of(exits[i].conf);
		struct frame f = { .vid = exits[i].vid, .pcp_dei = exits[i].pcp_dei };

		print_message("  %s\n", exits[i].what);
		assert_int_equal(vlan_member(&conf, exits[i].vid), exits[i].member);
		if (exits[i].member)
			assert_int_equal(vlan_tci(&conf, f.vid, f.pcp_dei), exits[i].tci);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classify),
		cmocka_unit_test(test_csum_start_moves),
		cmocka_unit_test(test_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
