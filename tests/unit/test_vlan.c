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

/* ---- provider VLANs, translation, acceptable frames ---- */

enum { TRUNK = 1, SERVICE = 2, TUNNEL = 4, NATIVE_TAGGED = 8, TAGGED_ONLY = 16, UNTAGGED_ONLY = 32, MAP = 64 };

/* kind_of() - VLANs 10 to 12 and the native VLAN 10, or access to 10. MAP: 11 is 111 on the wire, and 12 is 11 there */
static struct vlan_conf kind_of(unsigned kind, struct vlan_map *map)
{
	struct vlan_conf conf = conf_of(kind & TRUNK ? "10-12/10" : "10");

	conf.service = kind & SERVICE;
	conf.tunnel = kind & TUNNEL;
	conf.native_tagged = kind & NATIVE_TAGGED;
	conf.tagged_only = kind & TAGGED_ONLY;
	conf.untagged_only = kind & UNTAGGED_ONLY;
	if (kind & MAP) {
		vlan_map_init(map);
		vlan_map_put(map, 111, 11);
		vlan_map_put(map, 11, 12);
		conf.map = map;
	}
	return conf;
}

static const struct {
	const char *what;
	unsigned kind;
	const char *in;
	int vid;			/* or minus the drop */
	uint8_t pcp_dei;
	uint32_t inner;
	const char *left;		/* what the frame is then */
} kinds[] = {
	{ "a tunnel takes untagged frames", TUNNEL, "0800", 10, 0, 0, "0800" },
	{ "and tagged ones with their tag", TUNNEL, "8100 a014 0800", 10, 10, 0x8100a014, "0800" },
	{ "a priority tag, too", TUNNEL, "8100 e000 0800", 10, 14, 0x8100e000, "0800" },
	{ "a tag that is of no VLAN", TUNNEL, "8100 0fff 0800", 10, 0, 0x81000fff, "0800" },
	{ "a service tag of the guest's own", TUNNEL, "88a8 0014 0800", 10, 0, 0x88a80014, "0800" },
	{ "of two tags the second stays in the frame", TUNNEL, "8100 0014 8100 0015 0800", 10, 0, 0x81000014, "8100 0015 0800" },
	{ "half a tag", TUNNEL, "8100 0014!", -VERDICT_DROP_RUNT, 0, 0, NULL },
	{ "a service tag on a provider's trunk", TRUNK | SERVICE, "88a8 600b 0800", 11, 6, 0, "0800" },
	{ "with a customer's behind it", TRUNK | SERVICE, "88a8 600b 8100 a014 0800", 11, 6, 0x8100a014, "0800" },
	{ "and one more behind that", TRUNK | SERVICE, "88a8 000b 8100 0014 8100 0015 0800", 11, 0, 0x81000014, "8100 0015 0800" },
	{ "two service tags", TRUNK | SERVICE, "88a8 000b 88a8 000c 0800", -VERDICT_DROP_DOUBLE_TAG, 0, 0, NULL },
	{ "half a customer's tag behind it", TRUNK | SERVICE, "88a8 000b 8100!", -VERDICT_DROP_RUNT, 0, 0, NULL },
	{ "a service tag beside the list", TRUNK | SERVICE, "88a8 000d 0800", -VERDICT_DROP_VLAN, 0, 0, NULL },
	{ "a service tag of VID 0", TRUNK | SERVICE, "88a8 4000 0800", 10, 4, 0, "0800" },
	{ "a customer's tag alone is carried", TRUNK | SERVICE, "8100 a00b 0800", 10, 0, 0x8100a00b, "0800" },
	{ "untagged", TRUNK | SERVICE, "0800", 10, 0, 0, "0800" },
	{ "a service tag on a customer's trunk", TRUNK, "88a8 000b 0800", -VERDICT_DROP_DOUBLE_TAG, 0, 0, NULL },
	{ "tagged frames only: a tag", TRUNK | TAGGED_ONLY, "8100 000b 0800", 11, 0, 0, "0800" },
	{ "tagged frames only: none", TRUNK | TAGGED_ONLY, "0800", -VERDICT_DROP_VLAN, 0, 0, NULL },
	{ "tagged frames only: a priority tag is none", TRUNK | TAGGED_ONLY, "8100 e000 0800", -VERDICT_DROP_VLAN, 0, 0, NULL },
	{ "untagged frames only: a tag", TRUNK | UNTAGGED_ONLY, "8100 000b 0800", -VERDICT_DROP_VLAN, 0, 0, NULL },
	{ "untagged frames only: none", TRUNK | UNTAGGED_ONLY, "0800", 10, 0, 0, "0800" },
	{ "untagged frames only: a priority tag", TRUNK | UNTAGGED_ONLY, "8100 e000 0800", 10, 14, 0, "0800" },
	{ "the native VLAN, tagged on the way out, takes untagged", TRUNK | NATIVE_TAGGED, "0800", 10, 0, 0, "0800" },
	{ "and tagged", TRUNK | NATIVE_TAGGED, "8100 000a 0800", 10, 0, 0, "0800" },
	{ "another number on the wire", TRUNK | MAP, "8100 c06f 0800", 11, 12, 0, "0800" },
	{ "one that is another VLAN's own", TRUNK | MAP, "8100 000b 0800", 12, 0, 0, "0800" },
	{ "the VLAN's own number means it no longer", TRUNK | MAP, "8100 000c 0800", -VERDICT_DROP_VLAN, 0, 0, NULL },
	{ "what is not translated stands for itself", TRUNK | MAP, "8100 000a 0800", 10, 0, 0, "0800" },
	{ "VID 4095 is nobody's there, either", TRUNK | MAP, "8100 0fff 0800", -VERDICT_DROP_VLAN, 0, 0, NULL },
};

static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct vlan_map map;
		struct vlan_conf conf = kind_of(kinds[i].kind, &map);
		uint8_t bytes[128], want[128];
		struct frame f;
		enum verdict v;

		print_message("  %s\n", kinds[i].what);
		frame_init(&f, bytes, put(bytes, kinds[i].in));
		v = vlan_classify(&conf, &f);
		assert_int_equal(kinds[i].vid < 0 ? (int)v : (int)f.vid, abs(kinds[i].vid));
		if (kinds[i].vid < 0)
			continue;
		assert_int_equal(v, VERDICT_FORWARDED);
		assert_int_equal(f.pcp_dei, kinds[i].pcp_dei);
		assert_int_equal(f.inner, kinds[i].inner);
		assert_int_equal(f.len, put(want, kinds[i].left));
		assert_memory_equal(f.head, want, f.len);
	}
}

static const struct {
	const char *what;
	unsigned kind;
	uint16_t vid;
	uint32_t inner;
	bool takes;
	uint16_t tci;
	bool service;
} leaves[] = {
	{ "a customer's tag out of a tunnel", TUNNEL, 10, 0x8100a014, true, 0, false },
	{ "nothing out of another VLAN's tunnel", TUNNEL, 11, 0x8100a014, false, 0, false },
	{ "both out of a provider's trunk", TRUNK | SERVICE, 11, 0x8100a014, true, 11, true },
	{ "untagged with a service tag", TRUNK | SERVICE, 11, 0, true, 11, true },
	{ "a customer's tag never out of an access port", 0, 10, 0x8100a014, false, 0, false },
	{ "nor out of a customer's trunk", TRUNK, 11, 0x8100a014, false, 0, false },
	{ "nor out of its native VLAN", TRUNK, 10, 0x8100a014, false, 0, false },
	{ "the native VLAN with a tag", TRUNK | NATIVE_TAGGED, 10, 0, true, 10, false },
	{ "a translated VLAN", TRUNK | MAP, 11, 0, true, 111, false },
	{ "one that has another's number", TRUNK | MAP, 12, 0, true, 11, false },
};

static void test_leaves(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		struct vlan_map map;
		struct vlan_conf conf = kind_of(leaves[i].kind, &map);
		struct frame f = { .vid = leaves[i].vid, .inner = leaves[i].inner };
		struct tx_frame tx;

		print_message("  %s\n", leaves[i].what);
		assert_int_equal(vlan_takes(&conf, &f), leaves[i].takes);
		if (!leaves[i].takes)
			continue;
		tx = vlan_tx(&conf, &f);
		assert_int_equal(tx.tci, leaves[i].tci);
		assert_int_equal(tx.inner, leaves[i].inner);
		assert_int_equal(tx.tci && tx.service, leaves[i].service);
		assert_true(!vlan_is_bare(&conf) || !tx_tags_size(&tx));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classify),
		cmocka_unit_test(test_csum_start_moves),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
