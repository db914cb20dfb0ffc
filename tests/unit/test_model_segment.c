// SPDX-License-Identifier: GPL-2.0-or-later
/* Segments of a network: what they take from it, and what they cannot share with others. */
#include "tests/unit/model_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/changes.h"

#define LAB "networks:\n  lab:\n    subnet: 10.1.0.0/24\n"

static const struct {
	const char *what, *yaml, *message;
} refusals[] = {
	{ "VLAN 1", LAB "    segments: {1: {}}", "t:4: network lab: segment 1: VLAN 1 is the network's own: its settings are the network's" },
	{ "VLAN 4095", LAB "    segments: {4095: {}}", "t:4: network lab: segment 4095: not a VLAN in 2..4094" },
	{ "no number", LAB "    segments: {dmz: {}}", "t:4: network lab: segment dmz: not a VLAN in 2..4094" },
	{ "a number written strangely", LAB "    segments: {'020': {}}", "t:4: network lab: segment 020: not a VLAN in 2..4094" },
	{ "the network's subnet", LAB "    segments: {20: {subnet: 10.1.0.128/25}}",
	  "network lab:20: subnet: 10.1.0.128/25 overlaps that of network lab, 10.1.0.0/24" },
	{ "another segment's", LAB "    segments: {20: {subnet: 10.2.0.0/24}, 30: {subnet: 10.2.0.0/24}}",
	  "network lab:30: subnet: 10.2.0.0/24 overlaps that of network lab:20, 10.2.0.0/24" },
	{ "another network's", LAB "    segments: {20: {subnet: 10.2.0.0/24}}\n  two: {subnet: 10.2.0.0/16}",
	  "network lab:20: subnet: 10.2.0.0/24 overlaps that of network two, 10.2.0.0/16" },
	{ "a subnet no network can have", LAB "    segments: {20: {subnet: 127.0.0.0/24}}",
	  "network lab: segment 20: subnet: 127.0.0.0/24 lies in 127.0.0.0/8, which no network can have" },
	{ "the same IPv6 subnet", LAB "    subnet6: 'fd00::/64'\n    segments: {20: {subnet6: 'fd00::/64'}}",
	  "network lab:20: subnet6: fd00::/64 is that of network lab" },
	{ "prefixes of two networks whose gateway is the host, one in the other",
	  "networks: {a: {mode: host-only, subnet6: 'fd00::/64', dhcp6: {prefixes: 'fd01::/48'}},"
	  " b: {mode: routed, subnet: 10.9.0.0/24, subnet6: 'fd02::/64', dhcp6: {prefixes: 'fd01:0:0:4000::/50'}}}",
	  "network b: dhcp6: prefixes: fd01:0:0:4000::/50 overlaps what network a delegates" },
	{ "prefixes that hold the IPv6 subnet of another network",
	  LAB "    subnet6: 'fd00::/64'\n    dhcp6: {prefixes: 'fd01::/48'}\n  two: {subnet: 10.2.0.0/24, subnet6: 'fd01:0:0:7::/64'}",
	  "network lab: dhcp6: prefixes: fd01::/48 holds the IPv6 subnet of network two" },
	{ "and of a segment",
	  LAB "    subnet6: 'fd00::/64'\n    dhcp6: {prefixes: 'fd01::/48'}\n    segments: {20: {subnet: 10.2.0.0/24, subnet6: 'fd01::/64'}}",
	  "network lab: dhcp6: prefixes: fd01::/48 holds the IPv6 subnet of network lab:20" },
	{ "a gateway elsewhere", LAB "    segments: {20: {subnet: 10.2.0.0/24, gateway: 10.3.0.1}}",
	  "network lab: segment 20: gateway: is not an address of the subnet" },
	{ "a pool elsewhere", LAB "    segments: {20: {subnet: 10.2.0.0/24, dhcp: {pool: 10.3.0.1-10.3.0.2}}}",
	  "network lab: segment 20: dhcp: pool: is not inside the subnet" },
	{ "a name twice", LAB "    segments: {20: {name: dmz}, 30: {name: dmz}}", "network lab: segment 30: name: dmz is VLAN 20 already" },
	{ "mode nat", "networks:\n  lab:\n    mode: nat\n    segments: {20: {}}",
	  "network lab: segment 20: mode nat has no segments: they are for modes nat-network (nat: user) and internal" },
	{ "kernel NAT", "networks:\n  lab:\n    nat: kernel\n    segments: {20: {}}",
	  "network lab: segment 20: mode nat-network with nat: kernel has no segments: they are for modes nat-network (nat: user) and internal" },
	{ "an internal network's without a subnet", "networks:\n  lab:\n    mode: internal\n    subnet: 10.1.0.0/24\n    segments: {20: {}}",
	  "network lab: segment 20: subnet: is missing: a VLAN without addresses needs no segment" },
	{ "in a network without one", "networks:\n  lab:\n    mode: internal\n    segments: {20: {subnet: 10.2.0.0/24}}",
	  "network lab: segment 20: the network has no subnet; give it one, too" },
	{ "a reservation in none of them", LAB "    segments: {20: {subnet: 10.2.0.0/24}}\n    reservations: {a: 10.3.0.5}",
	  "network lab: reservation a: 10.3.0.5 is no guest's address in this network" },
	{ "a reservation of a segment's gateway", LAB "    segments: {20: {subnet: 10.2.0.0/24}}\n    reservations: {a: 10.2.0.1}",
	  "network lab: reservation a: 10.2.0.1 is no guest's address in this network" },
};

/* less_line() - the message without the file and line that it may begin with */
static const char *less_line(const char *message)
{
	return strncmp(message, "t:", 2) ? message : strchr(message, ' ') + 1;
}

static void test_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct error err = { 0 };

		print_message("  %s\n", refusals[i].what);
		assert_null(model_of_text(refusals[i].yaml, NULL, &err));
		assert_string_equal(less_line(err.message), less_line(refusals[i].message));
	}
}

static void test_what_follows(void **state)
{
	struct model *model = model_of(LAB "    mtu: 1400\n    segments: {20: {name: dmz, subnet: 10.2.0.0/24}, 300: {dhcp: {lease: 10m}}}\n"
					 "    reservations: {a: 10.2.0.7, b: 10.1.0.7}\n");
	const struct net_conf *net = model_net(model, "lab");
	const struct segment_conf *dmz = net_segment(net, "20"), *other = net_segment(net, "300");

	(void)state;
	assert_int_equal(net->nsegments, 2);
	assert_null(net_segment(net, "21"));
	assert_int_equal(dmz->vid, 20);
	assert_string_equal(dmz->name, "dmz");
	assert_int_equal(dmz->net.gateway, 0x0a020001);
	assert_int_equal(dmz->net.pool.of[0].first, 0x0a020002);
	assert_int_equal(dmz->net.mtu, 1400);
	assert_true(dmz->net.has_nat && dmz->net.dns_enabled && dmz->net.dhcp_enabled);
	assert_string_equal(dmz->net.domain, "lab.internal");
	assert_int_equal(dmz->net.subnet6.len, 64);
	assert_false(addr_equal(dmz->net.subnet6.addr, net->subnet6.addr));
	print_message("  one without a subnet is given a free one\n");
	assert_true(other->net.has_subnet);
	assert_int_equal(other->net.subnet.addr >> 22, 0x0a400000 >> 22);
	assert_int_equal(other->net.lease_s, 600);
	assert_ptr_equal(net_with(net, 0x0a020005), &dmz->net);
	assert_ptr_equal(net_with(net, 0x0a010005), net);
	assert_null(net_with(net, 0x0a030005));
	model_free(model);
}

static void test_export(void **state)
{
	struct model *model = model_of(LAB "    segments: {20: {name: dmz, dhcp: {enabled: false}}, 300: {subnet: 10.3.0.0/24}}"), *again = NULL;
	json_t *tree = model_export(model, 0), *seg;
	struct error err = { 0 };

	(void)state;
	seg = json_object_get(json_object_get(json_object_get(json_object_get(tree, "networks"), "lab"), "segments"), "20");
	assert_int_equal(json_object_size(seg), 3);	/* the subnet that was chosen stays */
	assert_int_equal(model_parse(tree, NULL, NULL, &again, &err), 0);
	assert_true(net_equal(model_net(model, "lab"), model_net(again, "lab")));
	assert_true(segment_equal(net_segment(model_net(model, "lab"), "20"), net_segment(model_net(again, "lab"), "20")));
	assert_false(segment_equal(net_segment(model_net(model, "lab"), "20"), net_segment(model_net(again, "lab"), "300")));
	json_decref(tree);
	model_free(model);
	model_free(again);
}

/* test_dhcp_of_the_network() - what a segment does not say is as in its network, but for what is of the network's own addresses */
static void test_dhcp_of_the_network(void **state)
{
	struct model *model = model_of(LAB "    dhcp:\n      enabled: false\n      pool: 10.1.0.100-10.1.0.199\n      lease: 10m\n      lease_max: 1h\n"
					   "      quota: 7\n      rate: 0\n      options: [ntp-servers 10.9.9.9]\n"
					   "      classes: {phones: {vendor: 'snom*', pool: 10.1.0.50-10.1.0.59, options: [tftp-server-name boot]}}\n"
					   "    segments:\n      20: {subnet: 10.2.0.0/24}\n"
					   "      30: {subnet: 10.3.0.0/24, dhcp: {lease: 5m, options: [], classes: {}}}\n");
	const struct net_conf *net = model_net(model, "lab"), *as = &net_segment(net, "20")->net, *own = &net_segment(net, "30")->net;
	json_t *all = model_export(model, 0), *seg = json_object_get(json_object_get(json_object_get(json_object_get(all, "networks"), "lab"), "segments"), "20");

	(void)state;
	assert_true(as->dhcp_enabled && !net->dhcp_enabled);
	assert_int_equal(as->pool.of[0].first >> 8, 0x0a0200);
	assert_int_equal(as->lease_s, 600);
	assert_int_equal(as->dhcp.max_s, 3600);
	assert_int_equal(as->lease_quota, 7);
	assert_int_equal(as->dhcp_rate, 0);
	assert_int_equal(as->dhcp.options.n, 1);
	assert_int_equal(as->dhcp.classes.n, 1);
	assert_int_equal(as->dhcp.classes.of[0].pool.n, 0);
	assert_int_equal(as->dhcp.classes.of[0].class.says.options.n, 1);
	assert_int_equal(net->dhcp.classes.of[0].pool.n, 1);
	assert_int_equal(own->lease_s, 300);
	assert_int_equal(own->dhcp.max_s, 3600);
	assert_int_equal(own->dhcp.options.n + own->dhcp.classes.n, 0);
	assert_null(json_object_get(seg, "dhcp"));		/* it was not said there */
	json_decref(all);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses), cmocka_unit_test(test_what_follows), cmocka_unit_test(test_export),
		cmocka_unit_test(test_dhcp_of_the_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
