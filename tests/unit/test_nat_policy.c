// SPDX-License-Identifier: GPL-2.0-or-later
/* Which destinations a guest may reach, as a table; the expected values are DESIGN's contract of modes and RFC 1812. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/array.h"
#include "nat/filter.h"
#include "nat/limit.h"
#include "nat/policy.h"
#include "switch/snapshot.h"

static const struct {
	const char *what, *src, *dst;
	enum host_access host;
	bool no_uplink, no_own, dst_is_host, loopback_forward, uplink_gone;
	enum policy_act act;
	enum verdict verdict;
	const char *to;
} cases[] = {
	{ "outside", "10.0.0.15", "203.0.113.5", HOST_OWN, .act = POLICY_PASS, .verdict = VERDICT_CONSUMED_NAT, .to = "203.0.113.5" },
	{ "host's LAN address", "10.0.0.15", "192.168.1.2", HOST_OWN, .dst_is_host = true, .act = POLICY_PASS,
	  .verdict = VERDICT_CONSUMED_NAT, .to = "192.168.1.2" },
	{ "host's LAN address, host closed", "10.0.0.15", "192.168.1.2", HOST_NONE, .dst_is_host = true, .act = POLICY_PROHIBITED,
	  .verdict = VERDICT_CONSUMED_REFUSED },
	{ "LAN neighbour, host closed", "10.0.0.15", "192.168.1.3", HOST_NONE, .act = POLICY_PASS, .verdict = VERDICT_CONSUMED_NAT,
	  .to = "192.168.1.3" },
	{ "gateway: none", "10.0.0.15", "10.0.0.1", HOST_NONE, .act = POLICY_CLOSED, .verdict = VERDICT_CONSUMED_REFUSED },
	{ "gateway: own", "10.0.0.15", "10.0.0.1", HOST_OWN, .act = POLICY_PASS, .verdict = VERDICT_CONSUMED_NAT, .to = "192.168.1.2" },
	{ "gateway: own, but host has none", "10.0.0.15", "10.0.0.1", HOST_OWN, .no_own = true, .act = POLICY_CLOSED,
	  .verdict = VERDICT_CONSUMED_REFUSED },
	{ "gateway: loopback", "10.0.0.15", "10.0.0.1", HOST_LOOPBACK, .act = POLICY_PASS, .verdict = VERDICT_CONSUMED_NAT,
	  .to = "127.0.0.1" },
	{ "gateway: loopback, port of a forward", "10.0.0.15", "10.0.0.1", HOST_LOOPBACK, .loopback_forward = true,
	  .act = POLICY_CLOSED, .verdict = VERDICT_CONSUMED_REFUSED },
	{ "gateway: own, on a network without a way out", "10.0.0.15", "10.0.0.1", HOST_OWN, .no_uplink = true, .act = POLICY_PASS,
	  .verdict = VERDICT_CONSUMED_NAT, .to = "192.168.1.2" },
	{ "outside without a way out", "10.0.0.15", "203.0.113.5", HOST_OWN, .no_uplink = true, .act = POLICY_PROHIBITED,
	  .verdict = VERDICT_DROP_NO_ROUTE },
	{ "outside, the network's own uplink gone", "10.0.0.15", "203.0.113.5", HOST_OWN, .uplink_gone = true, .act = POLICY_PROHIBITED,
	  .verdict = VERDICT_DROP_NO_ROUTE },
	{ "gateway: own, the network's own uplink gone", "10.0.0.15", "10.0.0.1", HOST_OWN, .uplink_gone = true, .act = POLICY_PASS,
	  .verdict = VERDICT_CONSUMED_NAT, .to = "192.168.1.2" },
	{ "loopback", "10.0.0.15", "127.0.0.1", HOST_LOOPBACK, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "loopback elsewhere in 127/8", "10.0.0.15", "127.200.3.4", HOST_LOOPBACK, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "this network", "10.0.0.15", "0.0.0.0", HOST_LOOPBACK, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "0/8", "10.0.0.15", "0.1.2.3", HOST_OWN, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "metadata service", "10.0.0.15", "169.254.169.254", HOST_OWN, .act = POLICY_PROHIBITED, .verdict = VERDICT_DROP_MARTIAN },
	{ "link-local", "10.0.0.15", "169.254.1.1", HOST_OWN, .act = POLICY_PROHIBITED, .verdict = VERDICT_DROP_MARTIAN },
	{ "multicast", "10.0.0.15", "224.0.0.251", HOST_OWN, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "class E", "10.0.0.15", "240.0.0.1", HOST_OWN, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "limited broadcast", "10.0.0.15", "255.255.255.255", HOST_OWN, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "neighbour by way of the gateway", "10.0.0.15", "10.0.0.16", HOST_OWN, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "subnet broadcast", "10.0.0.15", "10.0.0.255", HOST_OWN, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "guest of another network", "10.0.0.15", "10.9.0.20", HOST_OWN, .act = POLICY_PROHIBITED, .verdict = VERDICT_DROP_OTHER_NETWORK },
	{ "gateway of another network", "10.0.0.15", "10.9.0.1", HOST_LOOPBACK, .act = POLICY_PROHIBITED,
	  .verdict = VERDICT_DROP_OTHER_NETWORK },
	{ "another network, no way out", "10.0.0.15", "10.9.0.1", HOST_NONE, .no_uplink = true, .act = POLICY_PROHIBITED,
	  .verdict = VERDICT_DROP_OTHER_NETWORK },
	{ "source outside the subnet", "192.168.7.7", "203.0.113.5", HOST_OWN, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "the address for DNS alone", "10.0.0.15", "10.0.0.3", HOST_LOOPBACK, .act = POLICY_CLOSED,
	  .verdict = VERDICT_CONSUMED_REFUSED },
	{ "source is the address for DNS", "10.0.0.3", "203.0.113.5", HOST_OWN, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "source is the gateway", "10.0.0.1", "203.0.113.5", HOST_OWN, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "source is the network's address", "10.0.0.0", "203.0.113.5", HOST_OWN, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "source is the broadcast address", "10.0.0.255", "203.0.113.5", HOST_OWN, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
	{ "source is loopback", "127.0.0.1", "10.0.0.1", HOST_LOOPBACK, .act = POLICY_DROP, .verdict = VERDICT_DROP_MARTIAN },
};

static uint32_t ip(const char *text)
{
	uint32_t v = 0;

	assert_int_equal(ip4_parse(text, &v), 0);
	return v;
}

static void segment(struct snapshot *snap, unsigned i, const char *subnet)
{
	struct net_view *net = &snap->nets[i];

	net->net_id = i + 1;
	net->segments = calloc(1, sizeof(*net->segments));
	net->nsegments = 1;
	net->segments[0] = (struct segment){
		.net = net, .vid = 1, .has_subnet = true, .subnet = { ip(subnet), 24 }, .gateway = ip(subnet) + 1,
		.dns = ip(subnet) + 3,
	};
}

static void test_policy(void **state)
{
	struct snapshot *snap = snapshot_new(0, 2);

	(void)state;
	segment(snap, 0, "10.0.0.0");
	segment(snap, 1, "10.9.0.0");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_query q = {
			.snapshot = snap, .segment = &snap->nets[0].segments[0], .host_access = cases[i].host,
			.uplink = !cases[i].no_uplink, .uplink_gone = cases[i].uplink_gone, .src = addr4(ip(cases[i].src)), .dst = addr4(ip(cases[i].dst)),
			.own = cases[i].no_own ? (struct addr){ { { 0 } } } : addr4(ip("192.168.1.2")), .dst_is_host = cases[i].dst_is_host,
			.dst_is_loopback_forward = cases[i].loopback_forward,
		};
		struct policy p = policy_decide(&q);

		print_message("  %s\n", cases[i].what);
		assert_int_equal(p.act, cases[i].act);
		assert_int_equal(p.verdict, cases[i].verdict);
		if (cases[i].to)
			assert_int_equal(addr_4(p.dst), ip(cases[i].to));
	}
	snapshot_free(snap);
}

static void test_filter(void **state)
{
	struct filter f = { 0 };
	unsigned kept = 0;

	(void)state;
	assert_false(filter_has(&f, addr4(1)));
	for (uint32_t i = 1; i <= FILTER_INLINE; i++)
		filter_add(&f, addr4(i));
	filter_add(&f, addr4(3));
	assert_int_equal(f.n, FILTER_INLINE);
	for (uint32_t i = 1; i <= 1000; i++) {
		filter_add(&f, addr4(i * 7));
		assert_true(filter_has(&f, addr4(i * 7)));
	}
	for (uint32_t i = 1; i <= 1000; i++)
		kept += filter_has(&f, addr4(i * 7));
	assert_true(kept >= 995);		/* below its bound it forgets next to nothing */
	for (uint32_t i = 1; i <= 200000; i++)
		filter_add(&f, addr4(i));
	assert_true(f.room <= 2 * FILTER_MAX);
	assert_true(filter_has(&f, addr4(200000)));
	filter_fini(&f);
	assert_false(filter_has(&f, addr4(200000)));
}

static void test_limit(void **state)
{
	struct limit l = { 0 };
	unsigned allowed = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		allowed += limit_take(&l, 5000);
	assert_int_equal(allowed, LIMIT_BURST);
	for (uint64_t t = 5001; t <= 6000; t++)
		allowed += limit_take(&l, t);
	assert_in_range(allowed, LIMIT_BURST + LIMIT_PER_SECOND - 2, LIMIT_BURST + LIMIT_PER_SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy), cmocka_unit_test(test_filter), cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
