// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/message: what a DHCPv4 message says, and how one is written. IDs are those of the conformance statements. */
#include "dhcp/message_build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"

enum { OPTIONS_AT = DHCP_FIXED_SIZE + 4, SNAME_AT = 44, FILE_AT = 108 };

static const uint8_t guest_mac[6] = { 2, 0, 0, 0, 0, 1 };

/* packet() - a request with these option bytes. Return: its size. */
static size_t packet(uint8_t *data, const void *options, size_t size)
{
	memset(data, 0, OPTIONS_AT);
	data[0] = BOOTP_REQUEST;
	data[1] = HTYPE_ETHERNET;
	data[2] = 6;
	put_u32(data + 4, 0x12345678);
	memcpy(data + 28, guest_mac, 6);
	put_u32(data + DHCP_FIXED_SIZE, DHCP_COOKIE);
	memcpy(data + OPTIONS_AT, options, size);
	return OPTIONS_AT + size;
}

static int parse(struct dhcp_message *m, const char *options, size_t size)
{
	uint8_t data[MESSAGE_SIZE_MAX];

	return message_parse(m, data, packet(data, options, size));
}

#define O(s) s, sizeof(s) - 1

static const struct {
	const char *what;
	const char *options;
	size_t size;
	int rc;
} malformed[] = {
	{ "DHCP-30 length past the end",	O("\x35\x01\x01\x0c\x20zz"),		-EBADMSG },
	{ "DHCP-30 code as the last byte",	O("\x35\x01\x01\x0c"),			-EBADMSG },
	{ "DHCP-30 missing END is tolerated",	O("\x35\x01\x01"),			0 },
	{ "DHCP-30 type of no bytes",		O("\x35\x00\xff"),			-EBADMSG },
	{ "DHCP-30 type of two bytes",		O("\x35\x02\x01\x01\xff"),		-EBADMSG },
	{ "DHCP-30 two types",			O("\x35\x01\x01\x35\x01\x03\xff"),	-EBADMSG },
	{ "DHCP-30 type 0",			O("\x35\x01\x00\xff"),			-EBADMSG },
	{ "DHCP-30 type 9",			O("\x35\x01\x09\xff"),			-EBADMSG },
	{ "DHCP-30 requested address of 3 bytes", O("\x35\x01\x01\x32\x03\x01\x02\x03\xff"), -EBADMSG },
	{ "DHCP-30 server id of 5 bytes",	O("\x35\x01\x01\x36\x05\x01\x02\x03\x04\x05\xff"), -EBADMSG },
	{ "DHCP-30 a run of PAD",		O("\0\0\0\0\0\0\0\x35\x01\x01\0\0\0\xff\0\0"), 0 },
	{ "DHCP-30 empty 12, 61, 81 and 82",	O("\x35\x01\x01\x0c\x00\x3d\x00\x51\x00\x52\x00\xff"), 0 },
	{ "DHCP-30 nothing behind END counts",	O("\x35\x01\x01\xff\x0c\xff"),		0 },
	{ "no options: BOOTP",			O(""),					-EPROTO },
	{ "options without a type: BOOTP",	O("\x0c\x01" "a\xff"),			-EPROTO },
	{ "a lease time of 3 bytes is ignored",	O("\x35\x01\x01\x33\x03\x00\x00\x01\xff"), 0 },
};

static void test_dhcp_30_malformed_options(void **state)
{
	struct dhcp_message m;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		print_message("  %s\n", malformed[i].what);
		assert_int_equal(parse(&m, malformed[i].options, malformed[i].size), malformed[i].rc);
		if (!malformed[i].rc) {
			assert_int_equal(m.type, DHCP_DISCOVER);
			assert_false(m.has_lease);
			assert_string_equal(m.hostname, "");
		}
	}
}

static void test_fixed_header(void **state)
{
	uint8_t data[MESSAGE_SIZE_MAX + 1] = { 0 };
	struct dhcp_message m;
	size_t size = packet(data, "\x35\x01\x03\xff", 4);

	(void)state;
	data[3] = 2;
	put_u16(data + 8, 7);
	put_u16(data + 10, 0x8000);
	put_u32(data + 12, 0x0a4d0001);
	put_u32(data + 24, 0x0a4d0009);
	data[34] = 0xee;		/* chaddr behind hlen */
	assert_int_equal(message_parse(&m, data, size), 0);
	assert_int_equal(m.xid, 0x12345678);
	assert_int_equal(m.hops, 2);
	assert_int_equal(m.secs, 7);
	assert_int_equal(m.flags, DHCP_FLAG_BROADCAST);
	assert_int_equal(m.ciaddr, 0x0a4d0001);
	assert_int_equal(m.giaddr, 0x0a4d0009);
	assert_memory_equal(m.chaddr, guest_mac, 6);
	assert_int_equal(m.chaddr[6], 0);
	for (size_t n = 0; n < OPTIONS_AT; n++)		/* each truncation */
		assert_true(message_parse(&m, data, n) < 0);
	data[2] = 17;
	assert_int_equal(message_parse(&m, data, size), -EBADMSG);	/* DHCP-23 */
	data[2] = 16;
	assert_int_equal(message_parse(&m, data, size), 0);
	put_u32(data + DHCP_FIXED_SIZE, 0);
	assert_int_equal(message_parse(&m, data, size), -EPROTO);	/* DHCP-24 */
	assert_int_equal(message_parse(&m, data, MESSAGE_SIZE_MAX + 1), -EBADMSG);
}

static void test_typed_fields(void **state)
{
	static const char options[] =
		"\x35\x01\x03\x32\x04\x0a\x4d\x00\x32\x36\x04\x0a\x4d\x00\x01\x33\x04\x00\x00\x0e\x10"
		"\x39\x02\x05\xdc\x37\x03\x01\x03\x06\x0c\x05"
		"Web1\0\x3d\x03\x01\x02\x03\xff";
	struct dhcp_message m;
	const uint8_t *p;
	size_t size;

	(void)state;
	assert_int_equal(parse(&m, O(options)), 0);
	assert_int_equal(m.type, DHCP_REQUEST);
	assert_int_equal(m.requested_ip, 0x0a4d0032);
	assert_int_equal(m.server_id, 0x0a4d0001);
	assert_true(m.has_lease);
	assert_int_equal(m.lease_s, 3600);
	assert_int_equal(m.max_size, 1500);
	assert_string_equal(m.hostname, "web1");
	p = message_option(&m, OPTION_CLIENT_ID, &size);
	assert_int_equal(size, 3);
	assert_memory_equal(p, "\1\2\3", 3);
	assert_null(message_option(&m, OPTION_RELAY_INFO, &size));
	assert_int_equal(message_option_u32(&m, OPTION_ROUTER), 0);
}

/* RFC 2131 4.1: options, then file, then sname; RFC 3396: the pieces make one option in that order */
static void test_dhcp_28_overload_and_dhcp_29_pieces(void **state)
{
	static const char options[] = "\x3d\x02" "ab\x34\x01\x03\x35\x01\x01\xff";
	uint8_t data[MESSAGE_SIZE_MAX];
	struct dhcp_message m;
	size_t n = packet(data, O(options)), size;
	const uint8_t *p;

	(void)state;
	memcpy(data + FILE_AT, "\x3d\x02" "cd\x34\x01\x00\xff", 8);	/* overload in `file` means nothing */
	memcpy(data + SNAME_AT, "\x3d\x02" "ef\xff", 5);
	assert_int_equal(message_parse(&m, data, n), 0);
	p = message_option(&m, OPTION_CLIENT_ID, &size);
	assert_int_equal(size, 6);
	assert_memory_equal(p, "abcdef", 6);
	data[OPTIONS_AT + 6] = 2;					/* sname alone */
	assert_int_equal(message_parse(&m, data, n), 0);
	p = message_option(&m, OPTION_CLIENT_ID, &size);
	assert_int_equal(size, 4);
	assert_memory_equal(p, "abef", 4);
	data[OPTIONS_AT + 6] = 0;
	assert_int_equal(message_parse(&m, data, n), 0);
	message_option(&m, OPTION_CLIENT_ID, &size);
	assert_int_equal(size, 2);
	data[OPTIONS_AT + 6] = 1;
	data[FILE_AT + 1] = 127;					/* runs past `file` */
	assert_int_equal(message_parse(&m, data, n), -EBADMSG);
}

static void test_dhcp_29_long_option(void **state)
{
	uint8_t data[MESSAGE_SIZE_MAX], options[600] = { 0x35, 1, 1 };
	struct dhcp_message m;
	size_t at = 3, size;
	const uint8_t *p;

	(void)state;
	for (unsigned piece = 0; piece < 2; piece++) {
		options[at++] = 82;
		options[at++] = 255;
		memset(options + at, 'A' + (int)piece, 255);
		at += 255;
	}
	options[at++] = 255;
	assert_int_equal(message_parse(&m, data, packet(data, options, at)), 0);
	p = message_option(&m, OPTION_RELAY_INFO, &size);
	assert_int_equal(size, 510);
	assert_int_equal(p[254], 'A');
	assert_int_equal(p[255], 'B');
}

static const struct {
	const char *from, *to;
} hostnames[] = {
	{ "web1", "web1" }, { "WEB1.example.com", "web1" }, { "my_host", "my-host" }, { "-a-", "a" }, { "...", "" },
	{ "\x1b[31m", "31m" }, { "a\"b", "a-b" }, { "", "" }, { "{{x}}", "x" },
	{ "\xc3\xa9", "" },
	{ "0123456789012345678901234567890123456789012345678901234567890123456789",
	  "012345678901234567890123456789012345678901234567890123456789012" },
};

static void test_sec_17_hostname(void **state)
{
	char to[NAME_MAX_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostnames); i++) {
		message_clean_hostname(to, (const uint8_t *)hostnames[i].from, strlen(hostnames[i].from));
		assert_string_equal(to, hostnames[i].to);
		assert_true(!to[0] || name_valid(to));
	}
}

static const struct message_header head = {
	.op = BOOTP_REPLY,
	.htype = HTYPE_ETHERNET,
	.hlen = 6,
	.xid = 0x12345678,
	.yiaddr = 0x0a4d0032,
	.chaddr = guest_mac,
};

static void test_dhcp_25_at_least_300_bytes(void **state)
{
	uint8_t data[1500];
	struct option_list list;
	struct dhcp_message m;
	int n;

	(void)state;
	memset(data, 0xaa, sizeof(data));
	option_list_init(&list);
	option_add_u8(&list, OPTION_TYPE, true, DHCP_OFFER);
	n = message_build(&head, &list, data, 548);
	assert_int_equal(n, 300);
	for (size_t i = OPTIONS_AT + 4; i < 300; i++)
		assert_int_equal(data[i], 0);		/* SEC-14: padding says nothing */
	assert_int_equal(message_parse(&m, data, 300), 0);
	assert_int_equal(m.op, BOOTP_REPLY);
	assert_int_equal(m.yiaddr, 0x0a4d0032);
	assert_memory_equal(m.chaddr, guest_mac, 6);
	assert_int_equal(message_build(&head, &list, data, 299), -EMSGSIZE);
}

/* What does not fit is left out whole; what must be there has its place, wherever it stands in the list. */
static void test_dhcp_27_options_that_do_not_fit(void **state)
{
	uint8_t data[1500], blob[255];
	struct option_list list;
	struct dhcp_message m;
	size_t size;
	int n;

	(void)state;
	memset(blob, 7, sizeof(blob));
	option_list_init(&list);
	option_add_u8(&list, OPTION_TYPE, true, DHCP_ACK);
	option_add(&list, 200, false, blob, 255);
	option_add(&list, 201, false, blob, 255);	/* does not fit behind it */
	option_add(&list, 202, false, blob, 10);	/* does */
	option_add(&list, OPTION_CLIENT_ID, true, blob, 20);
	n = message_build(&head, &list, data, 548);
	assert_true(n > 0 && n <= 548);
	assert_int_equal(message_parse(&m, data, (size_t)n), 0);
	assert_non_null(message_option(&m, 200, &size));
	assert_int_equal(size, 255);
	assert_null(message_option(&m, 201, &size));
	assert_non_null(message_option(&m, 202, &size));
	assert_non_null(message_option(&m, OPTION_CLIENT_ID, &size));
	assert_int_equal(size, 20);
	option_add(&list, OPTION_RELAY_INFO, true, blob, 255);
	option_add(&list, 203, true, blob, 200);
	assert_int_equal(message_build(&head, &list, data, 548), -EMSGSIZE);
}

static void test_dhcp_29_split_on_send(void **state)
{
	uint8_t data[1500], blob[600];
	struct option_list list;
	struct dhcp_message m;
	const uint8_t *p;
	size_t size;
	int n;

	(void)state;
	for (size_t i = 0; i < sizeof(blob); i++)
		blob[i] = (uint8_t)i;
	option_list_init(&list);
	option_add_u8(&list, OPTION_TYPE, true, DHCP_ACK);
	option_add(&list, OPTION_SEARCH, false, blob, sizeof(blob));
	n = message_build(&head, &list, data, 1472);
	assert_true(n > 0);
	assert_int_equal(data[OPTIONS_AT + 3], OPTION_SEARCH);
	assert_int_equal(data[OPTIONS_AT + 4], 255);
	assert_int_equal(data[OPTIONS_AT + 5 + 255], OPTION_SEARCH);
	assert_int_equal(message_parse(&m, data, (size_t)n), 0);
	p = message_option(&m, OPTION_SEARCH, &size);
	assert_int_equal(size, sizeof(blob));
	assert_memory_equal(p, blob, size);
	for (uint8_t code = 200; code < 203; code++)
		option_add(&list, code, false, blob, sizeof(blob));	/* more than a message holds */
	assert_true(list.overrun);
	option_add(&list, OPTION_CLIENT_ID, true, blob, sizeof(blob));
	assert_int_equal(list.item[list.n - 1].code, OPTION_CLIENT_ID);	/* what must be there still is */
}

static const struct {
	uint16_t asked, mtu;
	size_t limit;
} limits[] = {
	{ 0, 1500, 548 }, { 576, 1500, 548 }, { 590, 1500, 562 }, { 1500, 1500, 1472 }, { 9000, 1500, 1472 }, { 9000, 0, 8972 },
};

static void test_dhcp_27_limit(void **state)
{
	struct dhcp_message m;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		m.max_size = limits[i].asked;
		assert_int_equal(message_reply_limit(&m, limits[i].mtu), limits[i].limit);
	}
	assert_int_equal(parse(&m, O("\x35\x01\x01\x39\x02\x00\x40\xff")), 0);
	assert_int_equal(m.max_size, 0);		/* below 576 is not honoured */
}

static void test_client(void **state)
{
	struct message_client c = { .xid = 99, .secs = 3, .broadcast = true, .hostname = "box1" };
	uint8_t data[576];
	struct dhcp_message m;
	size_t size;
	int n;

	(void)state;
	memcpy(c.mac, guest_mac, 6);
	n = message_build_client(DHCP_DISCOVER, &c, data, sizeof(data));
	assert_int_equal(message_parse(&m, data, (size_t)n), 0);
	assert_int_equal(m.type, DHCP_DISCOVER);
	assert_int_equal(m.op, BOOTP_REQUEST);
	assert_int_equal(m.xid, 99);
	assert_int_equal(m.flags, DHCP_FLAG_BROADCAST);
	assert_string_equal(m.hostname, "box1");
	assert_non_null(message_option(&m, OPTION_PARAMETERS, &size));
	c.server_id = 0x0a4d0001;
	c.requested_ip = 0x0a4d0032;
	n = message_build_client(DHCP_REQUEST, &c, data, sizeof(data));
	assert_int_equal(message_parse(&m, data, (size_t)n), 0);
	assert_int_equal(m.requested_ip, 0x0a4d0032);
	assert_int_equal(m.server_id, 0x0a4d0001);
	c.requested_ip = 0;
	c.ciaddr = 0x0a4d0032;
	n = message_build_client(DHCP_RELEASE, &c, data, sizeof(data));
	assert_int_equal(message_parse(&m, data, (size_t)n), 0);
	assert_int_equal(m.type, DHCP_RELEASE);
	assert_int_equal(m.ciaddr, 0x0a4d0032);
	assert_null(message_option(&m, OPTION_PARAMETERS, &size));
	assert_int_equal(message_build_client(DHCP_REQUEST, &c, data, 200), -EMSGSIZE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dhcp_30_malformed_options),
		cmocka_unit_test(test_fixed_header),
		cmocka_unit_test(test_typed_fields),
		cmocka_unit_test(test_dhcp_28_overload_and_dhcp_29_pieces),
		cmocka_unit_test(test_dhcp_29_long_option),
		cmocka_unit_test(test_sec_17_hostname),
		cmocka_unit_test(test_dhcp_25_at_least_300_bytes),
		cmocka_unit_test(test_dhcp_27_options_that_do_not_fit),
		cmocka_unit_test(test_dhcp_29_split_on_send),
		cmocka_unit_test(test_dhcp_27_limit),
		cmocka_unit_test(test_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
