// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCPv6: what is set by network, class and reservation, and files to boot, as they come in answers (DH6-10; RFC 5970, RFC 8415 21). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "dhcp/boot.h"
#include "dhcp/dhcp6_explain.h"
#include "tests/packet/dhcp6_client.h"

enum { HOUR = 3600, NOW = 1000000, ROOM = 1452 };

#define SUBNET ((struct prefix6){ { .bytes = { 0xfd, 0, 0, 0x77 } }, 64 })

static const struct addr agents = { .bytes = { 0xff, 2, [13] = 1, 0, 2 } };

static const struct boot_conf boot = {
	.tftp = "/srv/boot", .file = "/other.0", .of = { [BOOT_EFI_X64] = "x64.efi", [BOOT_HTTP_X64] = "http://boot.lab/x64.efi" },
	.ipxe = "https://boot.lab/menu.ipxe",
};

struct bench {
	struct dhcp6_server s;
	struct lease6_conf leases;
	struct dhcp_class classes[3];
	struct dhcp_reservation reserved[2];
	struct reservations *index;
	struct dhcp6_result r;
	struct heard h;
	uint8_t reply[ROOM];
	size_t size, room;
};

static void put(struct option_set *set, const char *line)
{
	char why[OPTION_WHY] = "";

	set->family = OPTIONS6;
	if (option_set_add(set, line, why) < 0)
		fail_msg("%s: %s", line, why);
}

static void on_ended(void *arg, const struct lease6_record *r)
{
	(void)arg, (void)r;
}

static void set_all(struct bench *b)
{
	struct dhcp_reservation *desk = &b->reserved[0], *old = &b->reserved[1];

	put(&b->s.conf.says.options6, "sntp-servers fd00::7");
	put(&b->s.conf.says.options6, "force 17 0000013701");
	put(&b->s.conf.says.options6, "never captive-portal");
	put(&b->s.conf.says.options6, "information-refresh-time 600");
	put(&b->s.conf.says.options6, "boot-file-parameters ro");
	b->classes[0] = (struct dhcp_class){ .name = "phones", .match = { .user = "phone*" }, .says.lease_s = 60 };
	put(&b->classes[0].says.options6, "sntp-servers fd00::8");
	b->classes[1] = (struct dhcp_class){ .name = "strangers", .match = { .by_mac = true, .mac = { 6 }, .mac_mask = { 0xff } }, .says.refuse = true };
	b->classes[2] = (struct dhcp_class){ .name = "arm", .match = { .arch = { 11 }, .narch = 1, .vendor = "PXEClient*" }, .says.boot.file = "tftp://[fd00::9]/arm.efi" };
	*desk = (struct dhcp_reservation){ .name = "desk", .key = GUEST_CLIENT_ID, .id = { 0, 4, 1 }, .id_size = 3, .says.boot.file = "desk.efi" };
	put(&desk->says.options6, "dns-servers fd00::5");
	put(&desk->says.options6, "400:ip6 fd00::400");
	*old = (struct dhcp_reservation){ .name = "old", .key = GUEST_CLIENT_ID, .id = { 0, 4, 2 }, .id_size = 3, .says.boot = { .file = "a", .server = 0x0a000009 } };
}

static int setup(void **state)
{
	static struct bench bench;
	struct bench *b = &bench;

	memset(b, 0, sizeof(*b));
	b->leases = (struct lease6_conf){ .subnet = SUBNET, .first = 0x1000, .last = 0x10ff, .gateway = { .bytes = { 0xfd, 0, 0, 0x77, [15] = 1 } } };
	set_all(b);
	b->index = reservations_new(b->reserved, ARRAY_SIZE(b->reserved));
	b->leases.reservations = b->index;
	b->s.leases = lease6_table_new(&b->leases, on_ended, b);
	b->s.conf.subnet = SUBNET;
	b->s.conf.dns = b->s.conf.gateway = b->leases.gateway;
	strcpy(b->s.conf.domain, "lab");
	strcpy(b->s.conf.captive_portal, "https://p.lab/");
	b->s.conf.lease_s = HOUR;
	b->s.conf.boot = &boot;
	b->s.conf.classes = b->classes;
	b->s.conf.nclasses = ARRAY_SIZE(b->classes);
	b->s.conf.reservations = b->index;
	dhcp6_server_duid(&b->s.conf, (const uint8_t[]){ 2, 0, 0, 0, 0, 1 });
	b->room = ROOM;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	option_set_fini(&b->s.conf.says.options6);
	for (size_t i = 0; i < ARRAY_SIZE(b->classes); i++)
		option_set_fini(&b->classes[i].says.options6);
	for (size_t i = 0; i < ARRAY_SIZE(b->reserved); i++)
		option_set_fini(&b->reserved[i].says.options6);
	lease6_table_free(b->s.leases);
	reservations_free(b->index);
	return 0;
}

/* guest - what it says of itself; arch 0: nothing, +1 otherwise, for 0 is an architecture */
struct guest {
	uint8_t type, id, mac;
	const char *vendor, *user;
	unsigned arch;
	uint16_t ask[8];		/* ended by 0 */
	bool cut;			/* a user class, and one that is cut */
};

static void write_part(struct writer *w, uint16_t code, const char *text)
{
	size_t at = open6(w, code);

	if (code == OPTION6_VENDOR_CLASS)
		write_u32(w, 343);
	write_u16(w, (uint16_t)strlen(text));
	write_bytes(w, text, strlen(text));
	close6(w, at);
}

static void tell(struct bench *b, const struct guest *g)
{
	struct said s = { .type = g->type ? g->type : DHCP6_SOLICIT, .duid = { 0, 4, g->id }, .duid_size = 3 };
	struct dhcp6_request from = {
		.port = "web1", .src_mac = { g->mac ? g->mac : 2, [5] = 1 }, .src = { .bytes = { 0xfe, 0x80, [15] = 9 } }, .dst = agents, .sport = 546,
		.store_ok = true,
	};
	uint8_t data[1500];
	struct writer w = writer_init(data, sizeof(data));

	memcpy(s.ask, g->ask, sizeof(s.ask));
	if (s.type == DHCP6_SOLICIT)
		s.ia[0].type = OPTION6_IA_NA;
	w.pos = write_said(&s, data, sizeof(data));
	if (g->vendor)
		write_part(&w, OPTION6_VENDOR_CLASS, g->vendor);
	if (g->user)
		write_part(&w, OPTION6_USER_CLASS, g->user);
	if (g->cut)
		option6(&w, OPTION6_USER_CLASS, "\0\7phone-7\0\5x", 12);
	if (g->arch)
		option6(&w, OPTION6_ARCH, (const uint8_t[]){ 0, (uint8_t)(g->arch - 1) }, 2);
	b->size = dhcp6_server_input(&b->s, &from, data, w.pos, NOW, b->reply, b->room, &b->r);
	assert_true(!b->size || hear(&b->h, b->reply, b->size));
}

/* settings() - those of the answer as they come: "23=fd00:77::1 24=lab" */
static const char *settings(const struct bench *b)
{
	static char text[2048];
	char value[OPTION_VALUE_TEXT];
	struct reader r = reader_init(b->reply, b->size);

	text[0] = '\0';
	(void)read_bytes(&r, 4);
	while (reader_left(&r)) {
		uint16_t code = read_u16(&r), n = read_u16(&r);
		const struct option_kind *kind = option_coded(OPTIONS6, code);
		const uint8_t *data = read_bytes(&r, n);

		if (!option_settable(OPTIONS6, code))
			continue;
		option_value_format(kind ? kind->type : VALUE_HEX, data, n, value);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u=%.300s", text[0] ? " " : "", code, value);
	}
	return text;
}

#define OWN " 17=00:00:01:37:01"		/* what is forced upon everybody */
#define PXE "PXEClient:Arch:00007:UNDI:003000"
#define HTTP "HTTPClient:Arch:00016:UNDI:003000"
#define HTTP_ECHO "16=00:00:01:57:00:0a:48:54:54:50:43:6c:69:65:6e:74"

static const struct {
	const char *what;
	struct guest guest;
	const char *told;
} cases[] = {
	{ "who has no list is told all that is set", { .id = 9 }, "17=00:00:01:37:01 31=fd00::7 60=ro 23=fd00:77::1 24=lab" },
	{ "who asks is told in his order, each once", { .id = 9, .ask = { 24, 31, 24, 23, 31 } }, "24=lab 31=fd00::7 23=fd00:77::1" OWN },
	{ "never", { .id = 9, .ask = { 103 } }, "17=00:00:01:37:01" },
	{ "a class, by one of its user classes", { .id = 9, .user = "phone-7", .ask = { 31 } }, "31=fd00::8" OWN },
	{ "user classes that end amid one", { .id = 9, .cut = true, .ask = { 31 } }, "31=fd00::7" OWN },
	{ "a reservation by DUID", { .id = 1, .ask = { 23, 400, 401 } }, "23=fd00::5 400=fd:00:00:00:00:00:00:00:00:00:00:00:00:00:04:00" OWN },
	{ "refresh time is for who has nothing to renew", { .id = 9, .ask = { 32 } }, "17=00:00:01:37:01" },
	{ "and is told him", { .type = DHCP6_INFORMATION_REQUEST, .id = 9, .ask = { 32 } }, "32=600" OWN },
	{ "PXE of UEFI", { .id = 9, .vendor = PXE, .arch = 8, .ask = { 59, 60 } }, "59=tftp://[fd00:77::1]/x64.efi 60=ro" OWN },
	{ "of a machine that has no file of its own", { .id = 9, .vendor = PXE, .arch = 7, .ask = { 59 } }, "59=tftp://[fd00:77::1]/other.0" OWN },
	{ "one that a class sends elsewhere", { .id = 9, .vendor = PXE, .arch = 12, .ask = { 59 } }, "59=tftp://[fd00::9]/arm.efi" OWN },
	{ "HTTP: with the class that it looks for", { .id = 9, .vendor = HTTP, .arch = 17, .ask = { 59 } }, "59=http://boot.lab/x64.efi " HTTP_ECHO OWN },
	{ "once", { .id = 9, .vendor = HTTP, .arch = 17, .ask = { 16, 59 } }, HTTP_ECHO " 59=http://boot.lab/x64.efi" OWN },
	{ "HTTP, where there is a file alone", { .id = 9, .vendor = HTTP, .arch = 20, .ask = { 59, 16 } }, "17=00:00:01:37:01" },
	{ "iPXE that came by HTTP", { .id = 9, .vendor = HTTP, .user = "iPXE", .arch = 17, .ask = { 59 } }, "59=https://boot.lab/menu.ipxe" OWN },
	{ "a reservation's file", { .id = 1, .ask = { 59 } }, "59=tftp://[fd00:77::1]/desk.efi" OWN },
	{ "which is nothing for HTTP", { .id = 1, .vendor = HTTP, .arch = 17, .ask = { 59 } }, "17=00:00:01:37:01" },
	{ "one of a server that has an IPv4 address alone", { .id = 2, .ask = { 59 } }, "17=00:00:01:37:01" },
};

static void test_DH6_10_who_is_told_what(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		tell(b, &cases[i].guest);
		assert_string_equal(settings(b), cases[i].told);
	}
}

static void test_DH6_10_times_and_refusals(void **state)
{
	struct bench *b = *state;

	tell(b, &(struct guest){ .id = 9, .user = "phone-7" });
	assert_int_equal(b->h.ia[0].item[0].valid, 60);
	tell(b, &(struct guest){ .id = 9 });
	assert_int_equal(b->h.ia[0].item[0].valid, HOUR);
	tell(b, &(struct guest){ .id = 9, .mac = 6 });
	assert_int_equal(b->r.outcome, DHCP6_OUT_DENIED);
	assert_int_equal(b->size, 0);
	tell(b, &(struct guest){ .type = DHCP6_INFORMATION_REQUEST, .id = 9, .mac = 6 });
	assert_int_equal(b->r.outcome, DHCP6_OUT_DENIED);
	assert_string_equal(dhcp6_outcome_name(b->r.outcome), "denied");
}

/* What has no room is left out, and what comes after it and has room is not. */
static void test_DH6_10_no_room(void **state)
{
	struct bench *b = *state;
	char line[2 * 600 + 8] = "500 ";

	for (unsigned i = 0; i < 600; i++)
		strcat(line, "ab");
	put(&b->s.conf.says.options6, line);
	b->room = 600;
	tell(b, &(struct guest){ .id = 9, .ask = { 500, 23 } });
	assert_string_equal(settings(b), "23=fd00:77::1" OWN);
	b->room = 60;
	tell(b, &(struct guest){ .id = 9, .ask = { 500, 23 } });
	assert_int_equal(b->size, 0);		/* not even for its IA */
}

static void test_explained(void **state)
{
	static const uint8_t duid[] = { 0, 4, 1 }, mac[] = { 2, 0, 0, 0, 0, 1 }, stranger[] = { 6, 0, 0, 0, 0, 1 };
	struct dhcp6_question q = { .port = "web1", .mac = mac, .duid = duid, .duid_size = sizeof(duid), .iaid = 7, .user = "phone-1", .vendor = HTTP, .by_arch = true, .arch = 16 };
	static struct dhcp6_explained e;
	const struct dhcp_layer *by = NULL;
	struct bench *b = *state;
	size_t size;

	assert_int_equal(dhcp6_explain(&b->s, &q, NOW, &e), 0);
	assert_int_equal(e.profile.n, 3);
	assert_string_equal(e.profile.layer[1].name, "phones");
	assert_true(e.lease_s == 60 && e.lease_by == &e.profile.layer[1]);
	assert_non_null(dhcp6_message_option(e.answer, e.size, 400, &size));
	assert_non_null(profile_option(&e.profile, 400, &by));
	assert_string_equal(by->what, "reservation");
	q.mac = stranger;
	assert_int_equal(dhcp6_explain(&b->s, &q, NOW, &e), 0);
	assert_int_equal(e.outcome, DHCP6_OUT_DENIED);
	assert_string_equal(e.profile.refused->name, "strangers");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_DH6_10_who_is_told_what), TEST(test_DH6_10_times_and_refusals), TEST(test_DH6_10_no_room), TEST(test_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
