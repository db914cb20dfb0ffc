// SPDX-License-Identifier: GPL-2.0-or-later
/* What a file says of DHCP: pools, options, classes and reservations, and how it is written back. */
#include "tests/unit/model_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/changes.h"

#define LAB "networks:\n  lab:\n    subnet: 10.1.0.0/24\n"

static const struct {
	const char *what, *yaml, *message;
} refusals[] = {
	{ "a pool that is none", LAB "    dhcp: {pool: 10.1.0.9}", "t:4: network lab: dhcp: pool: 10.1.0.9 is not a range like 10.77.0.100-10.77.0.199" },
	{ "no range", LAB "    dhcp: {pool: []}", "t:4: network lab: dhcp: pool: has no range" },
	{ "ranges over one another", LAB "    dhcp: {pool: [10.1.0.10-10.1.0.19, 10.1.0.19-10.1.0.20]}",
	  "t:4: network lab: dhcp: pool: two ranges have the same addresses: of the network and of the network" },
	{ "over a class's", LAB "    dhcp: {pool: 10.1.0.10-10.1.0.19, classes: {phone: {port: '*', pool: 10.1.0.5-10.1.0.10}}}",
	  "t:4: network lab: dhcp: pool: two ranges have the same addresses: of phone and of the network" },
	{ "a class's pool elsewhere", LAB "    dhcp: {pool: 10.1.0.10-10.1.0.19, classes: {phone: {port: '*', pool: 10.2.0.5-10.2.0.10}}}",
	  "t:4: network lab: dhcp: pool: of class phone is not inside the subnet" },
	{ "options that are no list", LAB "    dhcp: {options: ntp}", "t:4: network lab: dhcp: options: is not a list of options" },
	{ "an option nobody knows", LAB "    dhcp: {options: [ntp 10.0.0.1]}",
	  "t:4: network lab: dhcp: options: ntp 10.0.0.1: there is no option ntp; its number, 1..254, would do" },
	{ "an option of the server's", LAB "    dhcp: {options: ['54 01:02:03:04']}",
	  "t:4: network lab: dhcp: options: 54 01:02:03:04: option 54 is the server's own to say" },
	{ "a wrong value", LAB "    dhcp: {options: [ntp-servers noon]}",
	  "t:4: network lab: dhcp: options: ntp-servers noon: noon is not IPv4 addresses" },
	{ "an option twice", LAB "    dhcp: {options: [ntp-servers 10.0.0.1, '42 0a000001']}",
	  "t:4: network lab: dhcp: options: 42 0a000001: 0a000001 is not IPv4 addresses" },
	{ "an option twice, by name and number", LAB "    dhcp: {options: [ntp-servers 10.0.0.1, '42:hex 0a000001']}",
	  "t:4: network lab: dhcp: options: 42:hex 0a000001: option 42 is there twice" },
	{ "a value for what is never sent", LAB "    dhcp: {options: [never routers 10.1.0.1]}",
	  "t:4: network lab: dhcp: options: never routers 10.1.0.1: an option that is never sent has no value" },
	{ "a class of nobody", LAB "    dhcp: {classes: {phone: {lease: 1h}}}",
	  "t:4: network lab: dhcp: class phone: says of no guest that it belongs to it: by mac, vendor, user, circuit, port or arch" },
	{ "a MAC that is none", LAB "    dhcp: {classes: {phone: {mac: '52:54'}}}",
	  "t:4: network lab: dhcp: class phone: mac: 52:54 is not a MAC address like 52:54:00:*" },
	{ "bytes that are none", LAB "    dhcp: {classes: {phone: {circuit: '0x1'}}}",
	  "t:4: network lab: dhcp: class phone: circuit: 0x1 is not a pattern like PXEClient*" },
	{ "a reservation of two keys", LAB "    reservations: {a: {ip: 10.1.0.9, mac: '02:00:00:00:00:01', circuit: eth0}}",
	  "t:4: network lab: reservation a: is for a guest of one mac, client_id or circuit, and names more of them" },
	{ "a reservation of nothing", LAB "    reservations: {a: {}}", "t:4: network lab: reservation a: says nothing" },
	{ "an address for two", LAB "    reservations: {a: 10.1.0.9, b: {ip: 10.1.0.9, client_id: 'ff:01'}}",
	  "t:4: network lab: reservation b: 10.1.0.9 is used by reservation a already" },
	{ "two for one guest", LAB "    reservations: {a: {ip: 10.1.0.9, client_id: 'ff:01'}, b: {ip: 10.1.0.8, client_id: 'ff01'}}",
	  "t:4: network lab: reservation b: ff01 is used by reservation a already" },
	{ "an option of the other family", LAB "    subnet6: fd00:1::/64\n    dhcp6: {options: [routers 10.0.0.1]}",
	  "t:5: network lab: dhcp6: options: routers 10.0.0.1: there is no option routers; its number, 1..65535, would do" },
	{ "an exchange's own", LAB "    reservations: {a: {options6: ['1 00']}}",
	  "t:4: network lab: reservation a: options6: 1 00: option 1 is the server's own to say" },
	{ "an IPv6 address", LAB "    reservations: {a: {ip: 'fd00::5'}}", "t:4: network lab: reservation a: ip: fd00::5 is an IPv6 address;"
	  " that of a guest with a reserved IPv4 address ends with the same four bytes" },
	{ "an option that is misspelt", LAB "    dhcp: {options: [ntp-server 10.0.0.1]}",
	  "t:4: network lab: dhcp: options: ntp-server 10.0.0.1: there is no option ntp-server; did you mean ntp-servers?" },
	{ "a name for two", LAB "    reservations: {a: {ip: 10.1.0.9, hostname: desk}, b: {ip: 10.1.0.8, hostname: desk}}",
	  "t:4: network lab: reservation b: desk in 10.1.0.0/24 is used by reservation a already" },
	{ "another name for two", LAB "    reservations: {a: {ip: 10.1.0.9, aliases: [fax]}, b: {ip: 10.1.0.8, aliases: [fax]}}",
	  "t:2: network lab: reservation b: aliases: fax is one of reservation a, too" },
	{ "another name of nobody", LAB "    reservations: {a: {ip: 10.1.0.9, mac: '02:00:00:00:00:01', aliases: [fax]}}",
	  "t:4: network lab: reservation a: aliases: lead to its hostname, and it says none" },
};

static void test_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct error err = { 0 };

		print_message("  %s\n", refusals[i].what);
		assert_null(model_of_text(refusals[i].yaml, NULL, &err));
		assert_string_equal(err.message, refusals[i].message);
	}
}

static const char whole[] = LAB
	"    subnet6: fd00:1::/64\n"
	"    dhcp:\n"
	"      pool: [10.1.0.150-10.1.0.199, 10.1.0.100-10.1.0.119]\n"
	"      lease_max: 2d\n"
	"      rapid_commit: true\n"
	"      options: [force 43 01ff, domain-search a.example b.example, never routers, '224:ips 10.0.0.1,10.0.0.2', '225 0102']\n"
	"      classes:\n"
	"        phones: {mac: '00:04:f2:*:*:*', vendor: 'Polycom*', pool: 10.1.0.200-10.1.0.209, lease: 8h, options: [tftp-server-name boot.lab], options6: ['31 fd00::7']}\n"
	"        pxe: {arch: 7, next_server: 10.1.0.2, boot_file: grub.efi}\n"
	"        strangers: {circuit: '0x0004', refuse: true}\n"
	"    dhcp6: {options: [never domain-list, force sntp-servers fd00::7]}\n"
	"    reservations:\n"
	"      web1: 10.1.0.20\n"
	"      desk: {ip: 10.1.0.21, client_id: '01020304', hostname: desk-7, options6: ['400:u8 1'], options: ['classless-static-routes 10.8.0.0/16 10.1.0.9']}\n"
	"      far: {circuit: '0x3078', ip: 10.1.0.22}\n"
	"      lamp: {mac: '02:00:00:00:00:07', lease: infinite}\n";

static const char canonical[] = "{\"networks\":{\"lab\":{\"subnet\":\"10.1.0.0/24\",\"subnet6\":\"fd00:1::/64\",\"dhcp\":{"
	"\"pool\":[\"10.1.0.100-10.1.0.119\",\"10.1.0.150-10.1.0.199\"],\"lease_max\":\"2d\",\"rapid_commit\":true,"
	"\"options\":[\"never routers\",\"force vendor-encapsulated-options 01:ff\",\"domain-search a.example, b.example\","
	"\"224:ips 10.0.0.1, 10.0.0.2\",\"225 01:02\"],"
	"\"classes\":{\"phones\":{\"mac\":\"00:04:f2:*\",\"vendor\":\"Polycom*\",\"pool\":\"10.1.0.200-10.1.0.209\","
	"\"options\":[\"tftp-server-name boot.lab\"],\"options6\":[\"sntp-servers fd00::7\"],\"lease\":\"8h\"},"
	"\"pxe\":{\"arch\":[7],\"next_server\":\"10.1.0.2\",\"boot_file\":\"grub.efi\"},"
	"\"strangers\":{\"circuit\":\"0x0004\",\"refuse\":true}}},"
	"\"dhcp6\":{\"options\":[\"never domain-list\",\"force sntp-servers fd00::7\"]},"
	"\"reservations\":{\"desk\":{\"ip\":\"10.1.0.21\",\"client_id\":\"01:02:03:04\",\"hostname\":\"desk-7\","
	"\"options\":[\"classless-static-routes 10.8.0.0/16 10.1.0.9\"],\"options6\":[\"400:u8 1\"]},"
	"\"far\":{\"ip\":\"10.1.0.22\",\"circuit\":\"0x30:78\"},"
	"\"lamp\":{\"mac\":\"02:00:00:00:00:07\",\"lease\":\"infinite\"},\"web1\":\"10.1.0.20\"}}}}";

static void test_round_trip(void **state)
{
	struct model *m = model_of(whole), *again = NULL;
	const struct net_conf *net = model_net(m, "lab");
	json_t *tree = model_export(m, 0);
	char *text = json_dumps(tree, JSON_COMPACT);
	struct error err = { 0 };

	(void)state;
	assert_string_equal(text, canonical);
	assert_int_equal(model_parse(tree, NULL, NULL, &again, &err), 0);
	assert_true(net_equal(net, model_net(again, "lab")));
	assert_int_equal(net->dhcp.classes.n, 3);
	assert_int_equal(net->pool.of[0].first, 0x0a010064);
	assert_null(net_port_reservation(net, "lamp"));		/* it is one MAC's, and not a port's of that name */
	assert_non_null(net_port_reservation(net, "web1"));
	free(text);
	json_decref(tree);
	model_free(again);
	model_free(m);
}

static void count(void *arg, const struct change *change)
{
	unsigned *n = arg;

	n[change->what]++;
}

static void test_changes(void **state)
{
	static const char *const others[] = {
		LAB "    dhcp: {options: [ntp-servers 10.0.0.2]}", LAB "    dhcp: {options: [force ntp-servers 10.0.0.1]}",
		LAB "    dhcp: {options: ['ntp-servers:hex 0a000001']}", LAB,
	};
	struct model *a = model_of(LAB "    dhcp: {options: [ntp-servers 10.0.0.1]}");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct model *b = model_of(others[i]);
		unsigned n[8] = { 0 };

		changes_each(a, b, count, n);
		assert_int_equal(n[CHANGE_NETWORK], 1);
		model_free(b);
	}
	model_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
