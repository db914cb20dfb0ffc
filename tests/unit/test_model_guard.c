// SPDX-License-Identifier: GPL-2.0-or-later
/* Guards in the model: whose setting holds, what is refused, and that what is written is read again. */
#include "tests/unit/model_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/changes.h"

static const char whole[] =
	"networks:\n"
	"  lab:\n"
	"    subnet: 10.9.0.0/24\n"
	"    guard: {own_ip: true, broadcast: 500, dhcp: false}\n"
	"    groups:\n"
	"      web: {guard: {isolated: true, broadcast: 100}}\n"
	"    ports:\n"
	"      a: {kind: attached}\n"
	"      b: {kind: attached, group: web}\n"
	"      c: {kind: attached, group: web, guard: {isolated: false, own_ip: false, dhcp: auto, max_macs: 3, promiscuous: true, loop: false,\n"
	"          own_mac: true, router: true, multicast: 7, unknown: 8, addresses: [10.9.0.7, 'fd00::7'], macs: ['02:00:00:00:00:07']}}\n";

static void check_ports(const struct model *model)
{
	const struct net_conf *net = model_net(model, "lab");
	const struct guards_conf *a = &net_port(net, "a")->guard, *b = &net_port(net, "b")->guard, *c = &net_port(net, "c")->guard;

	assert_true(a->own_ip && !a->isolated && a->broadcast == 500 && a->dhcp == GUARD_WHEN_OFF && a->router == GUARD_WHEN_AUTO);
	assert_true(b->own_ip && b->isolated && b->broadcast == 100 && b->dhcp == GUARD_WHEN_OFF);
	assert_true(!c->own_ip && !c->isolated && c->broadcast == 100 && c->dhcp == GUARD_WHEN_AUTO && c->router == GUARD_WHEN_ON);
	assert_true(a->loop && !c->loop && c->own_mac && c->promiscuous && c->max_macs == 3 && c->multicast == 7 && c->unknown == 8);
	assert_int_equal(c->addresses.n, 2);
	assert_true(addr_equal(c->addresses.of[0], addr4(0x0a090007)));
	assert_int_equal(c->macs.n, 1);
	assert_int_equal(c->macs.of[0][5], 7);
}

static void test_layers(void **state)
{
	struct error err = { 0 };
	struct model *model = model_of_text(whole, NULL, &err), *again = NULL;
	json_t *tree;

	(void)state;
	if (!model)
		print_message("    %s\n", err.message);
	assert_non_null(model);
	check_ports(model);
	print_message("  written and read again\n");
	tree = model_export(model, 0);
	assert_int_equal(model_parse(tree, NULL, NULL, &again, &err), 0);
	check_ports(again);
	json_decref(tree);
	print_message("  a port whose guard differs is another\n");
	assert_true(port_equal(net_port(model_net(model, "lab"), "c"), net_port(model_net(again, "lab"), "c")));
	((struct port_conf *)(uintptr_t)net_port(model_net(again, "lab"), "c"))->guard.own_ip = true;
	assert_false(port_equal(net_port(model_net(model, "lab"), "c"), net_port(model_net(again, "lab"), "c")));
	model_free(again);
	model_free(model);
}

static const struct {
	const char *guard, *says;
} refused[] = {
	{ "yes", "is not a mapping" },
	{ "{own_ip: 1}", "own_ip: is neither true nor false" },
	{ "{own-ip: true}", "did you mean own_ip?" },
	{ "{dhcp: maybe}", "dhcp: is neither true, false nor auto" },
	{ "{max_macs: -1}", "max_macs: -1 is not in 0..65536" },
	{ "{broadcast: many}", "broadcast: is not a whole number" },
	{ "{addresses: 10.0.0.1}", "addresses: is not a list of addresses" },
	{ "{addresses: [web]}", "web is not the address of one host" },
	{ "{addresses: [224.0.0.1]}", "224.0.0.1 is not the address of one host" },
	{ "{addresses: ['::']}", "is not the address of one host" },
	{ "{macs: ['03:00:00:00:00:01']}", "is not the address of one station" },
	{ "{macs: 02:00:00:00:00:01}", "macs: is not a list of MAC addresses" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct error err = { 0 };
		char yaml[400];

		print_message("  %s\n", refused[i].guard);
		snprintf(yaml, sizeof(yaml), "networks:\n  lab:\n    ports:\n      a: {kind: attached, guard: %s}\n", refused[i].guard);
		assert_null(model_of_text(yaml, NULL, &err));
		if (!strstr(err.message, refused[i].says))
			print_message("    %s\n", err.message);
		assert_non_null(strstr(err.message, refused[i].says));
		assert_non_null(strstr(err.message, "port a"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_layers), cmocka_unit_test(test_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
