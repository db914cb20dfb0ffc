// SPDX-License-Identifier: GPL-2.0-or-later
/* Mode nat in the model: addresses that every guest may have, and what makes no sense where each is alone. */
#include "tests/unit/model_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static const struct net_conf *net_of(struct model **model, const char *yaml, const struct model_env *env)
{
	struct error err = { 0 };

	*model = model_of_text(yaml, env, &err);
	if (!*model)
		print_message("    %s\n", err.message);
	assert_non_null(*model);
	return model_net(*model, "lab");
}

static const struct {
	const char *what, *settings;
	uint32_t gateway, dns, first, last;
} layouts[] = {
	{ "by default", "", IP(10, 0, 2, 2), IP(10, 0, 2, 3), IP(10, 0, 2, 15), IP(10, 0, 2, 15) },
	{ "another subnet", ", subnet: 172.20.0.0/16", IP(172, 20, 0, 2), IP(172, 20, 0, 3), IP(172, 20, 0, 15), IP(172, 20, 0, 15) },
	{ "the smallest", ", subnet: 10.9.0.0/29", IP(10, 9, 0, 2), IP(10, 9, 0, 3), IP(10, 9, 0, 6), IP(10, 9, 0, 6) },
	{ "a gateway where guests would be", ", subnet: 10.9.0.0/24, gateway: 10.9.0.14", IP(10, 9, 0, 14), IP(10, 9, 0, 15),
	  IP(10, 9, 0, 13), IP(10, 9, 0, 13) },
	{ "a gateway at the end", ", subnet: 10.9.0.0/29, gateway: 10.9.0.6", IP(10, 9, 0, 6), IP(10, 9, 0, 5), IP(10, 9, 0, 4),
	  IP(10, 9, 0, 4) },
	{ "a pool", ", dhcp: {pool: 10.0.2.100-10.0.2.110}", IP(10, 0, 2, 2), IP(10, 0, 2, 3), IP(10, 0, 2, 100), IP(10, 0, 2, 110) },
};

static void test_layout(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		char yaml[256];
		struct model *model;
		const struct net_conf *net;

		print_message("  %s\n", layouts[i].what);
		snprintf(yaml, sizeof(yaml), "networks: {lab: {mode: nat%s}}", layouts[i].settings);
		net = net_of(&model, yaml, NULL);
		assert_true(net->has_nat && net->has_subnet && net->dhcp_enabled && net->dns_enabled && net->subnet6.len == 64);
		assert_int_equal(net->gateway, layouts[i].gateway);
		assert_int_equal(net->dns, layouts[i].dns);
		assert_int_equal(net->pool.of[0].first, layouts[i].first);
		assert_int_equal(net->pool.of[0].last, layouts[i].last);
		model_free(model);
	}
}

static bool not_there(void *arg, struct prefix4 prefix)
{
	(void)arg;
	return prefix.addr != IP(10, 0, 2, 0);
}

static bool nowhere(void *arg, struct prefix4 prefix)
{
	(void)arg, (void)prefix;
	return false;
}

/* Where a network of another mode or the host has 10.0.2.0/24, the next; another nat network is in nobody's way. */
static void test_default_subnet(void **state)
{
	const struct model_env host = { .subnet_free = not_there }, vpn = { .subnet_free = nowhere };
	struct model *model;

	(void)state;
	assert_int_equal(net_of(&model, "networks: {lab: {mode: nat}, two: {mode: nat}}", NULL)->subnet.addr, IP(10, 0, 2, 0));
	assert_int_equal(model_net(model, "two")->subnet.addr, IP(10, 0, 2, 0));
	assert_false(addr_equal(model_net(model, "lab")->subnet6.addr, model_net(model, "two")->subnet6.addr));
	model_free(model);
	assert_int_equal(net_of(&model, "networks: {lab: {mode: nat}, two: {subnet: 10.0.2.0/24}}", NULL)->subnet.addr, IP(10, 0, 3, 0));
	model_free(model);
	assert_int_equal(net_of(&model, "networks: {lab: {mode: nat}}", &host)->subnet.addr, IP(10, 0, 3, 0));
	model_free(model);
	assert_int_equal(net_of(&model, "networks: {lab: {mode: nat}}", &vpn)->subnet.addr, IP(10, 0, 2, 0));
	model_free(model);
}

static const char *const accepted[] = {
	"networks: {lab: {mode: nat, subnet: 10.0.0.0/8}, b: {mode: nat, subnet: 10.0.2.0/24}, c: {mode: nat, subnet: 10.0.2.128/25}}",
	"networks: {lab: {mode: nat, ports: {a: {kind: stream, mac: '02:00:00:00:00:01'}, b: {kind: stream, mac: '02:00:00:00:00:01'}}}}",
	"networks: {lab: {mode: nat, ports: {a: {kind: stream}}, reservations: {a: 10.0.2.99, b: 10.0.2.99}}}",
	"networks: {lab: {mode: nat, forwards: {one: {listen: 8080, to: 'a:80'}, two: {listen: 8081, to: 'b:80'}}}}",
	"networks: {lab: {nat: kernel, nat_helpers: [ftp, sip]}, b: {nat: kernel, nat_helpers: tftp}, c: {nat_helpers: ['']}}",
	"networks: {lab: {mode: nat, filtering: any, host_access: loopback, uplink: wg0, limits: {flows: 100}}}",
};

static void test_accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
		struct model *model, *again;
		struct error err = { 0 };
		json_t *tree, *other;

		print_message("  %s\n", accepted[i]);
		net_of(&model, accepted[i], NULL);
		tree = model_export(model, MODEL_EFFECTIVE | MODEL_OWNER);
		assert_int_equal(model_parse(tree, NULL, NULL, &again, &err), 0);
		other = model_export(again, MODEL_EFFECTIVE | MODEL_OWNER);
		assert_true(json_equal(tree, other));
		json_decref(other);
		json_decref(tree);
		model_free(again);
		model_free(model);
	}
}

static const struct {
	const char *yaml, *message;
} refused[] = {
	{ "networks: {lab: {mode: nat, subnet: 10.0.0.0/8}, b: {mode: nat, subnet: 10.1.0.0/24}, c: {subnet: 10.5.0.0/24}}",
	  "t:1: network c: subnet: 10.5.0.0/24 overlaps that of network lab, 10.0.0.0/8" },
	{ "networks: {lab: {subnet: 10.0.2.0/24}, b: {mode: nat, subnet: 10.0.2.0/24}}",
	  "t:1: network lab: subnet: 10.0.2.0/24 overlaps that of network b, 10.0.2.0/24" },
	{ "networks: {lab: {mode: nat, ports: {a: {kind: stream, vlan: 10}}}}",
	  "t:1: network lab: port a: vlan: in mode nat each port is alone with the gateway: there are no VLANs" },
	{ "networks: {lab: {mode: nat, ports: {a: {kind: stream, trunk: '10-20'}}}}",
	  "t:1: network lab: port a: trunk: in mode nat each port is alone with the gateway: there are no VLANs" },
	{ "networks: {lab: {mode: nat, forwards: {web: {listen: 8080, to: '10.0.2.15:80'}}}}",
	  "t:1: network lab: forward web: to: 10.0.2.15 may be any guest of a nat network; name its port" },
	{ "networks: {lab: {mode: nat, reservations: {a: 10.0.2.3}}}", NULL },
	{ "networks: {lab: {mode: nat, dhcp: {pool: 10.0.2.3-10.0.2.9}}}",
	  "t:1: network lab: dhcp: pool: holds the address for DNS, the one behind the gateway's" },
};

static void test_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct error err = { 0 };
		struct model *model = model_of_text(refused[i].yaml, NULL, &err);

		print_message("  %s\n", refused[i].message ? refused[i].message : err.message);
		assert_null(model);
		if (refused[i].message)
			assert_string_equal(err.message, refused[i].message);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_default_subnet),
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
