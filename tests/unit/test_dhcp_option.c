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
struct value {
	const char *line, *bytes;	/* bytes in hex; NULL: refused */
	const char *canonical;		/* NULL: as it was written */
};

static const struct value values[] = {
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

/* Of DHCPv6: RFC 5970 3.1 and 3.2, RFC 5908 4, RFC 4075 4, RFC 8415 21.23. */
static const struct value values6[] = {
	{ "dns-servers fd00::1 fd00::2", "fd000000000000000000000000000001fd000000000000000000000000000002", "dns-servers fd00::1, fd00::2" },
	{ "dns-servers 10.0.0.1", NULL, NULL },
	{ "sntp-servers fd00::7", "fd000000000000000000000000000007", NULL },
	{ "domain-list a.example", "0161076578616d706c6500", NULL },
	{ "information-refresh-time 600", "00000258", NULL },
	{ "boot-file-url http://boot.lab/a.efi", "687474703a2f2f626f6f742e6c61622f612e656669", NULL },
	{ "boot-file-parameters ro x=1", "0002726f0003783d31", "boot-file-parameters ro, x=1" },
	{ "boot-file-parameters \x02", NULL, NULL },
	{ "ntp-servers fd00::7", "00010010fd000000000000000000000000000007", NULL },
	{ "ntp-servers FF02::101 t.lab", "00020010ff02000000000000000000000000010100030007017403" "6c616200", "ntp-servers ff02::101, t.lab" },
	{ "ntp-servers 10.0.0.1:", NULL, NULL },
	{ "force 17 0000013701", "0000013701", "force vendor-specific 00:00:01:37:01" },
	{ "65535:ip6 fd00::1", "fd000000000000000000000000000001", NULL },
	{ "300:ip6 fd00::1 fd00::2", NULL, NULL },
	{ "never dns-servers", "", NULL },
	{ "routers 10.0.0.1", NULL, NULL }, { "65536 00", NULL, NULL }, { "0 00", NULL, NULL }, { "3 00", NULL, NULL },
	{ "client-fqdn 00", NULL, NULL }, { "61:u16 7", NULL, NULL }, { "135:u16 7", NULL, NULL },
};

static const char *hex_of(const struct option_item *item, char text[OPTION_VALUE_TEXT])
{
	text[0] = '\0';
	for (unsigned i = 0; i < item->size; i++)
		sprintf(text + 2 * i, "%02x", item->data[i]);
	return text;
}

static void check_lines(enum option_family family, const struct value *v, size_t n)
{
	char text[OPTION_LINE_TEXT], why[OPTION_WHY];

	for (size_t i = 0; i < n; i++) {
		struct option_set set = { .family = (uint8_t)family }, again = set;
		int rc;

		print_message("  %s\n", v[i].line);
		why[0] = '\0';
		rc = option_set_add(&set, v[i].line, why);
		assert_int_equal(rc == 0, v[i].bytes != NULL);
		assert_int_equal(why[0] == '\0', rc == 0);
		if (rc < 0)
			continue;
		assert_string_equal(hex_of(&set.of[0], text), v[i].bytes);
		assert_string_equal(option_set_text(&set, &set.of[0], text), v[i].canonical ? v[i].canonical : v[i].line);
		assert_int_equal(option_set_add(&again, text, why), 0);
		assert_true(option_set_equal(&set, &again));
		option_set_fini(&set);
		option_set_fini(&again);
	}
}

static void test_lines(void **state)
{
	(void)state;
	check_lines(OPTIONS4, values, ARRAY_SIZE(values));
	check_lines(OPTIONS6, values6, ARRAY_SIZE(values6));
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
	{ VALUE_IP6, { 0xfd, 1 }, 2, "fd:01" },
	{ VALUE_STRINGS, { 0, 3, 'a', ',', 'b' }, 5, "00:03:61:2c:62" },
	{ VALUE_STRINGS, { 0, 3, 'a' }, 3, "00:03:61" },
	{ VALUE_NTP, { 0, 3, 0, 4, 1, 'a', 0 }, 7, "00:03:00:04:01:61:00" },	/* longer than the name in it */
	{ VALUE_NTP, { 0, 4, 0, 0 }, 4, "00:04:00:00" },
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
	for (enum option_family family = OPTIONS4; family <= OPTIONS6; family++) {
		size_t n;
		const struct option_kind *kinds = option_kinds(family, &n);

		for (size_t i = 0; i < n; i++) {
			assert_true(!i || kinds[i - 1].code < kinds[i].code);
			assert_ptr_equal(option_coded(family, kinds[i].code), &kinds[i]);
			assert_ptr_equal(option_named(family, kinds[i].name), &kinds[i]);
			assert_true(option_settable(family, kinds[i].code) == !(family == OPTIONS6 && kinds[i].code == 39));
			assert_in_range(kinds[i].code, 1, option_last(family));
		}
	}
	assert_int_equal(option_named(OPTIONS6, "ntp-servers")->code, 56);
	assert_int_equal(option_named(OPTIONS4, "ntp-servers")->code, 42);
	assert_int_equal(option_named(OPTIONS4, "v6-only-preferred")->code, 108);
	assert_null(option_named(OPTIONS4, "ntp"));
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
		assert_int_equal(option_set_find(&set, (uint16_t)(254 - i))->code, 254 - i);
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
