// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/option_value, option_table, option_set: options as people write them, and as bytes. IDs are those of the conformance statements. */
#include "dhcp/option_set.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

/* Bytes of routes: RFC 3442, the table of its descriptors. */
static const struct {
	const char *line, *bytes;	/* bytes in hex; NULL: refused */
	const char *canonical;		/* NULL: as it was written */
} values[] = {
	{ "ntp-servers 10.0.0.1", "0a000001", NULL },
	{ "ntp-servers 10.0.0.1,10.0.0.2", "0a0000010a000002", "ntp-servers 10.0.0.1, 10.0.0.2" },
	{ "  force   ntp-servers\t10.0.0.1 ", "0a000001", "force ntp-servers 10.0.0.1" },
	{ "ntp-servers", NULL, NULL },
	{ "ntp-servers 10.0.0.256", NULL, NULL },
	{ "swap-server 10.0.0.1 10.0.0.2", NULL, NULL },
	{ "static-routes 10.0.0.1", NULL, NULL },
	{ "static-routes 10.0.0.1 10.0.0.2", "0a0000010a000002", "static-routes 10.0.0.1, 10.0.0.2" },
	{ "interface-mtu 1400", "0578", NULL },
	{ "interface-mtu 65536", NULL, NULL },
	{ "time-offset -3600", "fffff1f0", NULL },
	{ "time-offset -2147483649", NULL, NULL },
	{ "ip-forwarding true", "01", NULL },
	{ "ip-forwarding yes", NULL, NULL },
	{ "root-path /srv/a root, two", "2f7372762f6120726f6f742c2074776f", NULL },
	{ "root-path \x01", NULL, NULL },
	{ "path-mtu-plateau-table 68 1500", "004405dc", "path-mtu-plateau-table 68, 1500" },
	{ "domain-search a.example b.c", "0161076578616d706c6500" "0162016300", "domain-search a.example, b.c" },
	{ "domain-search a..b", NULL, NULL },
	{ "classless-static-routes 0.0.0.0/0 10.0.0.1", "000a000001", NULL },			/* DHCP-31 */
	{ "classless-static-routes 128.0.0.0/1 10.0.0.1", "01800a000001", NULL },
	{ "classless-static-routes 10.0.0.0/8 10.0.0.1", "080a0a000001", NULL },
	{ "classless-static-routes 10.128.0.0/9 10.0.0.1", "090a800a000001", NULL },
	{ "classless-static-routes 10.0.0.0/25 10.0.0.1", "190a0000000a000001", NULL },
	{ "classless-static-routes 10.1.2.3/32 10.0.0.1", "200a0102030a000001", NULL },
	{ "classless-static-routes 10.0.0.0/8", NULL, NULL },
	{ "classless-static-routes 10.0.0.1/8 10.0.0.1", NULL, NULL },
	{ "43 01-02-ff", "0102ff", "vendor-encapsulated-options 01:02:ff" },
	{ "43 1", NULL, NULL },
	{ "43 01::02", NULL, NULL },
	{ "43", NULL, NULL },
	{ "224 0102", "0102", "224 01:02" },
	{ "224:u16s 1 2", "00010002", "224:u16s 1, 2" },
	{ "224:text x", "78", NULL },
	{ "224:word x", NULL, NULL },
	{ "ntp-servers:hex 0a00", "0a00", "ntp-servers:hex 0a:00" },
	{ "never routers", "", NULL },
	{ "255 00", NULL, NULL }, { "0 00", NULL, NULL }, { "53 01", NULL, NULL }, { "51:u32 60", NULL, NULL }, { "82 00", NULL, NULL },
	{ "", NULL, NULL }, { "never", NULL, NULL }, { "force", NULL, NULL },
};

static const char *hex_of(const struct option_item *item, char text[OPTION_VALUE_TEXT])
{
	text[0] = '\0';
	for (unsigned i = 0; i < item->size; i++)
		sprintf(text + 2 * i, "%02x", item->data[i]);
	return text;
}

static void test_lines(void **state)
{
	char text[OPTION_LINE_TEXT], why[OPTION_WHY];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct option_set set = { .n = 0 }, again = { .n = 0 };
		int rc;

		print_message("  %s\n", values[i].line);
		why[0] = '\0';
		rc = option_set_add(&set, values[i].line, why);
		assert_int_equal(rc == 0, values[i].bytes != NULL);
		assert_int_equal(why[0] == '\0', rc == 0);
		if (rc < 0)
			continue;
		assert_string_equal(hex_of(&set.of[0], text), values[i].bytes);
		assert_string_equal(option_set_text(&set.of[0], text), values[i].canonical ? values[i].canonical : values[i].line);
		assert_int_equal(option_set_add(&again, text, why), 0);
		assert_true(option_set_equal(&set, &again));
		option_set_fini(&set);
		option_set_fini(&again);
	}
}

/* What is no value of its type is written in hex, so that it is read back as the same bytes. */
static const struct {
	enum option_type type;
	uint8_t data[12];
	size_t size;
	const char *text;
} odd[] = {
	{ VALUE_IPS, { 1, 2, 3 }, 3, "01:02:03" },
	{ VALUE_IP, { 1, 2, 3, 4, 5, 6, 7, 8 }, 8, "01:02:03:04:05:06:07:08" },
	{ VALUE_FLAG, { 2 }, 1, "02" },
	{ VALUE_TEXT, { ' ', 'x' }, 2, "20:78" },
	{ VALUE_TEXT, { 0xc3 }, 1, "c3" },
	{ VALUE_ROUTES, { 33, 1, 2, 3, 4, 5, 6, 7, 8 }, 9, "21:01:02:03:04:05:06:07:08" },
	{ VALUE_ROUTES, { 1, 0x81, 1, 2, 3, 4 }, 6, "01:81:01:02:03:04" },	/* host bits */
	{ VALUE_DOMAINS, { 1, 'a', 0xc0, 0 }, 4, "01:61:c0:00" },		/* compressed */
	{ VALUE_DOMAINS, { 3, 'a', ' ', 'b', 0 }, 5, "03:61:20:62:00" },
	{ VALUE_DOMAINS, { 1, 'a' }, 2, "01:61" },
};

static void test_odd_values(void **state)
{
	char text[OPTION_VALUE_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		assert_int_equal(option_value_format(odd[i].type, odd[i].data, odd[i].size, text), VALUE_HEX);
		assert_string_equal(text, odd[i].text);
	}
}

static void test_table(void **state)
{
	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		const struct option_kind *kind = option_coded((uint8_t)code);

		if (!kind)
			continue;
		assert_int_equal(kind->code, code);
		assert_ptr_equal(option_named(kind->name), kind);
		assert_true(option_settable((uint8_t)code));
	}
	assert_int_equal(option_named("ntp-servers")->code, 42);
	assert_int_equal(option_named("v6-only-preferred")->code, 108);
	assert_null(option_named("ntp"));
}

static void test_set(void **state)
{
	struct option_set set = { .n = 0 };
	char line[32], why[OPTION_WHY];

	(void)state;
	for (unsigned i = 0; i < OPTION_SET_MAX; i++) {
		snprintf(line, sizeof(line), "%u:u8 1", 254 - i);
		assert_int_equal(option_set_add(&set, line, why), 0);
	}
	assert_int_equal(option_set_add(&set, "100:u8 1", why), -ENOSPC);
	assert_int_equal(option_set_add(&set, "254:u8 1", why), -EEXIST);
	for (unsigned i = 0; i < OPTION_SET_MAX; i++)
		assert_int_equal(option_set_find(&set, (uint8_t)(254 - i))->code, 254 - i);
	assert_null(option_set_find(&set, 100));
	option_set_fini(&set);
	assert_null(option_set_find(&set, 254));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_odd_values),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
