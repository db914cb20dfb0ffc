// SPDX-License-Identifier: GPL-2.0-or-later
/* What machines that boot from the network are told, by what they say of themselves: as real firmware sends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "dhcp/boot.h"
#include "dhcp/lease.h"
#include "dhcp/message_build.h"
#include "dhcp/server.h"
#include "dhcp/traits.h"

enum { US = 0x0a4d0001, ELSEWHERE = 0x0a4d0009, BROKEN_SIZE = 3 };

#define URL "http://10.77.0.1/ipxe.efi"
#define LONG "http://boot.example/a-path-that-is-longer-than-the-field-of-the-header-which-takes-at-most-one-hundred-and-twenty-seven-letters/and-then/ipxe.efi"

static const struct boot_conf conf = {
	.file = "other.0", .ipxe = "menu.ipxe",
	.of = { [BOOT_BIOS] = "bios.kpxe", [BOOT_EFI_X64] = "x64.efi", [BOOT_EFI_ARM64] = "arm64.efi", [BOOT_HTTP_X64] = URL },
};

/* who - what a client says; NULL and -1: nothing */
struct who {
	const char *vendor, *user;
	int arch;
};

static void make_message(struct dhcp_message *m, const struct who *who, enum dhcp_type type)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0, 0, 0, 1 };
	static const uint8_t asked[] = { 1, 3, OPTION_BOOT_SERVER, OPTION_BOOT_FILE };
	struct message_header h = { .op = BOOTP_REQUEST, .htype = HTYPE_ETHERNET, .hlen = 6, .chaddr = mac };
	struct option_list list;
	uint8_t data[600];
	int size;

	option_list_init(&list);
	option_add_u8(&list, OPTION_TYPE, true, (uint8_t)type);
	option_add_u16(&list, OPTION_MAX_SIZE, false, 1472);
	option_add(&list, OPTION_PARAMETERS, false, asked, sizeof(asked));
	if (who->vendor)
		option_add(&list, OPTION_VENDOR_CLASS, false, who->vendor, strlen(who->vendor));
	if (who->user)
		option_add(&list, OPTION_USER_CLASS, false, who->user, strlen(who->user));
	if (who->arch >= 0)
		option_add_u16(&list, OPTION_ARCH, false, (uint16_t)who->arch);
	size = message_build(&h, &list, data, sizeof(data));
	assert_true(size > 0);
	assert_int_equal(message_parse(m, data, (size_t)size), 0);
}

static const struct {
	const char *what;
	struct who who;
	const char *file;	/* NULL: it is told nothing */
} cases[] = {
	{ "a PC's option ROM",			{ "PXEClient:Arch:00000:UNDI:002001", NULL, 0 }, "bios.kpxe" },
	{ "UEFI on x64",			{ "PXEClient:Arch:00007:UNDI:003016", NULL, 7 }, "x64.efi" },
	{ "the same with the other number",	{ "PXEClient:Arch:00009:UNDI:003016", NULL, 9 }, "x64.efi" },
	{ "UEFI on ARM",			{ "PXEClient:Arch:00011:UNDI:003000", NULL, 11 }, "arm64.efi" },
	{ "one for which there is no file",	{ "PXEClient:Arch:00010:UNDI:003000", NULL, 10 }, "other.0" },
	{ "one that nobody knows",		{ "PXEClient:Arch:00200:UNDI:003000", NULL, 200 }, "other.0" },
	{ "U-Boot, which does not say",		{ "U-Boot.armv8", NULL, -1 }, "other.0" },
	{ "a machine that boots from its disk",	{ NULL, NULL, -1 }, "other.0" },
	{ "iPXE on a PC",			{ "PXEClient:Arch:00000:UNDI:002001", "iPXE", 0 }, "menu.ipxe" },
	{ "iPXE, its class with a length",	{ "PXEClient:Arch:00007:UNDI:003010", "\004iPXE", 7 }, "menu.ipxe" },
	{ "iPXE that came by HTTP",		{ "HTTPClient:Arch:00016:UNDI:003016", "iPXE", 16 }, "menu.ipxe" },
	{ "HTTP on x64",			{ "HTTPClient:Arch:00016:UNDI:003016", NULL, 16 }, URL },
	{ "HTTP where there is a file alone",	{ "HTTPClient:Arch:00019:UNDI:003016", NULL, 19 }, NULL },
};

static const struct guest_traits *traits_of(const struct dhcp_message *m)
{
	static struct guest_traits t;

	traits4(&t, &(struct guest_id){ .port = "vm1" }, m);
	return &t;
}

static void test_choice(void **state)
{
	struct dhcp_message m;
	struct boot_choice choice;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		make_message(&m, &cases[i].who, DHCP_DISCOVER);
		assert_int_equal(boot_choose(&conf, US, traits_of(&m), &choice), cases[i].file != NULL);
		if (!cases[i].file)
			continue;
		assert_string_equal(choice.file, cases[i].file);
		assert_int_equal(choice.server, US);
	}
}

/* kinds that are said in order of preference, and bytes that are none */
static void test_kinds(void **state)
{
	static const uint8_t several[] = { 0, 200, 0, 11, 0, 7 }, broken[BROKEN_SIZE] = { 0, 200, 0 };
	struct dhcp_message m;

	(void)state;
	make_message(&m, &(struct who){ .arch = 7 }, DHCP_DISCOVER);
	assert_int_equal(boot_kind_of(traits_of(&m)), BOOT_EFI_X64);
	memcpy(m.bytes + m.index[OPTION_ARCH].at, several, 2);
	assert_int_equal(boot_kind_of(traits_of(&m)), BOOT_OTHER);
	m.index[OPTION_ARCH].at = 0;
	memcpy(m.bytes, several, sizeof(several));
	m.index[OPTION_ARCH].size = sizeof(several);
	assert_int_equal(boot_kind_of(traits_of(&m)), BOOT_EFI_ARM64);
	memcpy(m.bytes, broken, sizeof(broken));
	m.index[OPTION_ARCH].size = sizeof(broken);
	assert_int_equal(boot_kind_of(traits_of(&m)), BOOT_OTHER);
}

/* ---- in an answer ---- */

struct bed {
	struct dhcp_server server;
	struct lease_table *leases;
};

static void bed_open(struct bed *b, const struct boot_conf *boot)
{
	struct prefix4 subnet = { 0x0a4d0000, 24 };
	struct lease_conf leases = { .subnet = subnet, .ranges = { { US + 99, US + 198, 0 } }, .nranges = 1 };

	b->leases = lease_table_new(&leases, NULL, NULL);
	assert_non_null(b->leases);
	b->server = (struct dhcp_server){
		.conf = { .subnet = subnet, .server_ip = US, .router = US, .mtu = 1500, .lease_s = 3600, .boot = boot }, .leases = b->leases,
	};
}

/* ask() - one message, and the answer to it */
static void ask(struct bed *b, const struct who *who, enum dhcp_type type, struct dhcp_message *answer)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0, 0, 0, 1 };
	static const uint8_t asked[] = { OPTION_BOOT_SERVER, OPTION_BOOT_FILE };
	struct message_header h = { .op = BOOTP_REQUEST, .htype = HTYPE_ETHERNET, .hlen = 6, .chaddr = mac };
	struct dhcp_request from = { .port = "vm1", .store_ok = true };
	struct dhcp_result result;
	struct option_list list;
	uint8_t data[600], reply[1500];
	size_t size;

	option_list_init(&list);
	option_add_u8(&list, OPTION_TYPE, true, (uint8_t)type);
	option_add_u16(&list, OPTION_MAX_SIZE, false, 1472);
	option_add(&list, OPTION_PARAMETERS, false, asked, sizeof(asked));
	if (type == DHCP_REQUEST)
		option_add_u32(&list, OPTION_REQUESTED_IP, true, US + 500);	/* another network's: refused */
	if (who->vendor)
		option_add(&list, OPTION_VENDOR_CLASS, false, who->vendor, strlen(who->vendor));
	if (who->arch >= 0)
		option_add_u16(&list, OPTION_ARCH, false, (uint16_t)who->arch);
	size = dhcp_server_input(&b->server, &from, data, (size_t)message_build(&h, &list, data, sizeof(data)), 1000, reply, sizeof(reply), &result);
	assert_true(size > 0);
	assert_int_equal(message_parse(answer, reply, size), 0);
}

static void has_text(const struct dhcp_message *m, uint8_t code, const char *text)
{
	size_t size = 0;
	const uint8_t *p = message_option(m, code, &size);

	assert_int_equal(p != NULL, text != NULL);
	if (!text)
		return;
	assert_int_equal(size, strlen(text));
	assert_memory_equal(p, text, size);
}

static void test_answer(void **state)
{
	struct who pc = { "PXEClient:Arch:00000:UNDI:002001", NULL, 0 }, http = { "HTTPClient:Arch:00016:UNDI:003016", NULL, 16 };
	struct boot_conf longer = { .server = ELSEWHERE, .of = { [BOOT_HTTP_X64] = LONG } };
	struct dhcp_message m;
	struct bed b;

	(void)state;
	bed_open(&b, &conf);
	ask(&b, &pc, DHCP_DISCOVER, &m);
	assert_int_equal(m.type, DHCP_OFFER);
	assert_int_equal(m.siaddr, US);
	has_text(&m, OPTION_BOOT_FILE, "bios.kpxe");
	has_text(&m, OPTION_BOOT_SERVER, "10.77.0.1");
	has_text(&m, OPTION_VENDOR_CLASS, NULL);
	ask(&b, &http, DHCP_DISCOVER, &m);
	has_text(&m, OPTION_BOOT_FILE, URL);
	has_text(&m, OPTION_VENDOR_CLASS, "HTTPClient");

	b.server.conf.boot = &longer;
	ask(&b, &http, DHCP_DISCOVER, &m);
	has_text(&m, OPTION_BOOT_FILE, LONG);
	has_text(&m, OPTION_BOOT_SERVER, "10.77.0.9");
	assert_int_equal(m.siaddr, ELSEWHERE);
	ask(&b, &pc, DHCP_DISCOVER, &m);	/* nothing for it */
	assert_int_equal(m.siaddr, 0);
	has_text(&m, OPTION_BOOT_FILE, NULL);

	ask(&b, &http, DHCP_REQUEST, &m);
	assert_int_equal(m.type, DHCP_NAK);
	assert_int_equal(m.siaddr, 0);
	has_text(&m, OPTION_VENDOR_CLASS, NULL);
	lease_table_free(b.leases);
}

/* What is said of one guest, or of a class, is heard before what is said of machines. */
static void test_said(void **state)
{
	struct who http = { "HTTPClient:Arch:00016:UNDI:003016", NULL, 16 };
	struct dhcp_class class = { .name = "firmware", .match = { .vendor = "HTTPClient*" }, .says.boot.file = "http://10.77.0.1/mine.efi" };
	struct dhcp_message m;
	struct bed b;

	(void)state;
	bed_open(&b, &conf);
	b.server.conf.classes = &class;
	b.server.conf.nclasses = 1;
	ask(&b, &http, DHCP_DISCOVER, &m);
	has_text(&m, OPTION_BOOT_FILE, "http://10.77.0.1/mine.efi");
	has_text(&m, OPTION_VENDOR_CLASS, "HTTPClient");
	assert_int_equal(m.siaddr, US);
	lease_table_free(b.leases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice), cmocka_unit_test(test_kinds), cmocka_unit_test(test_answer), cmocka_unit_test(test_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
