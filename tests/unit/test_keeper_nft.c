// SPDX-License-Identifier: GPL-2.0-or-later
/* ctl/act_nft.h: what is written for libnftables; whether the kernel takes it is for tests/net/45-kernel-nat.sh */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/act_nft.h"

static char *text;

static FILE *begin(void)
{
	static size_t size;

	free(text);
	text = NULL;
	return open_memstream(&text, &size);
}

static const struct {
	struct nft_member member;
	const char *text;
} members[] = {
	{ { .ifname = "ly-lab", .access = HOST_NAT_NONE },
	  "add element inet lanyard inside { \"ly-lab\" }\nadd element inet lanyard free { \"ly-lab\" }\n" },
	{ { .ifname = "ly-lab", .out = "wg0", .access = HOST_NAT_OWN },
	  "add element inet lanyard inside { \"ly-lab\" }\nadd element inet lanyard pinned { \"ly-lab\" . \"wg0\" }\n"
	  "add element inet lanyard host { \"ly-lab\" }\n" },
	{ { .ifname = "ly-lab", .access = HOST_NAT_LOOPBACK },
	  "add element inet lanyard inside { \"ly-lab\" }\nadd element inet lanyard free { \"ly-lab\" }\n"
	  "add element inet lanyard host { \"ly-lab\" }\nadd element inet lanyard local { \"ly-lab\" }\n" },
	{ { .ifname = "ly-lab", .access = HOST_NAT_NONE, .helpers = HOST_NAT_FTP | HOST_NAT_SIP },
	  "add element inet lanyard inside { \"ly-lab\" }\nadd element inet lanyard free { \"ly-lab\" }\n"
	  "add element inet lanyard ftp { \"ly-lab\" }\nadd element inet lanyard sip { \"ly-lab\" }\n" },
};

static void test_members(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		FILE *to = begin();

		nft_write_member(to, "add", &members[i].member);
		fclose(to);
		assert_string_equal(text, members[i].text);
	}
}

static const struct host_forward forwards[] = {
	{ .family = 4, .proto = HOST_TCP, .port = 8080, .to_port = 80, .to = { 10, 0, 0, 2 } },
	{ .family = 6, .proto = HOST_UDP, .port = 53, .to_port = 53, .to = { 0xfd, [15] = 2 }, .addr = { 0x20, 1, [15] = 1 } },
	{ .family = 4, .proto = HOST_UDP, .port = 53, .to_port = 5353, .to = { 10, 0, 0, 3 } },
	{ .family = 4, .proto = HOST_TCP, .port = 80, .to_port = 80, .to = { 10, 0, 0, 2 }, .addr = { 192, 0, 2, 1 } },
};

static void test_forwards(void **state)
{
	FILE *to = begin();

	(void)state;
	nft_write_forwards(to, "add", forwards, 4);
	nft_write_forwards(to, "delete", forwards, 2);
	nft_write_forwards(to, "add", NULL, 0);
	fclose(to);
	assert_string_equal(text,
		"add element inet lanyard to4 {\n6 . 8080 : 10.0.0.2 . 80,\n17 . 53 : 10.0.0.3 . 5353\n}\n"
		"add element inet lanyard at4 {\n192.0.2.1 . 6 . 80 : 10.0.0.2 . 80\n}\n"
		"add element inet lanyard at6 {\n2001::1 . 17 . 53 : fd00::2 . 53\n}\n"
		"delete element inet lanyard to4 {\n6 . 8080\n}\n"
		"delete element inet lanyard at6 {\n2001::1 . 17 . 53\n}\n");
}

/* The table is replaced as a whole, in the same transaction; with and without timeouts it has the same chains. */
static void test_table(void **state)
{
	static const char *const begins = "table inet lanyard\ndelete table inet lanyard\ntable inet lanyard {\n";

	(void)state;
	for (unsigned features = 0; features < 32; features++) {
		FILE *to = begin();

		nft_write_table(to, features, "\"ly-lab\", \"eth0\"");
		fclose(to);
		assert_memory_equal(text, begins, strlen(begins));
		assert_int_equal(strstr(text, "ct timeout tcp4") != NULL, !!(features & NFT_TIMEOUTS));
		assert_int_equal(strstr(text, "ct timeout set \"udp6\"") != NULL, !!(features & NFT_TIMEOUTS));
		assert_int_equal(strstr(text, "devices = { \"ly-lab\", \"eth0\" };") != NULL, !!(features & NFT_FLOWTABLE));
		assert_int_equal(strstr(text, "flow add @fast") != NULL, !!(features & NFT_FLOWTABLE));
		assert_int_equal(strstr(text, "iifname @ftp tcp dport 21 ct helper set \"ftp-tcp\"") != NULL, !!(features & HOST_NAT_FTP));
		assert_int_equal(strstr(text, "ct helper set \"tftp-udp\"") != NULL, !!(features & HOST_NAT_TFTP));
		assert_int_equal(strstr(text, "ct helper set \"sip-tcp\"") != NULL, !!(features & HOST_NAT_SIP));
		assert_non_null(strstr(text, "chain begin {"));
		assert_non_null(strstr(text, "hook forward"));
	}
}

static int end(void **state)
{
	(void)state;
	free(text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
