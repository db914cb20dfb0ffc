// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the host translates (STAGE_SOURCE): under which addresses a guest's frames reach it, by whatever way they find its port */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <urcu/urcu-qsbr.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/route6.h"
#include "switch/stage.h"
#include "tests/packet/hostway_bed.h"

static const uint8_t everybody[6] = { 255, 255, 255, 255, 255, 255 }, all_nodes[6] = { 0x33, 0x33, [5] = 1 };

static const struct {
	const char *what, *src, *dst;
	bool reaches;
} from_guest[] = {
	{ "a guest's own", "10.0.0.9", "198.51.100.2", true },
	{ "one of the subnet that another guest may have", "10.0.0.10", "198.51.100.2", true },
	{ "of another network", "10.0.1.9", "198.51.100.2", false },
	{ "of the outside, to the host", "198.51.100.2", "10.0.0.1", false },
	{ "the gateway's", "10.0.0.1", "198.51.100.2", false },
	{ "the subnet's own, RFC 1122 3.2.1.3", "10.0.0.0", "198.51.100.2", false },
	{ "everybody's there", "10.0.0.255", "198.51.100.2", false },
	{ "the host's loopback", "127.0.0.1", "10.0.0.1", false },
	{ "IPv4's link-local", "169.254.1.1", "198.51.100.2", false },
	{ "a group", "224.0.0.5", "10.0.0.1", false },
	{ "none yet", "0.0.0.0", "255.255.255.255", true },
	{ "a guest's own, IPv6", "fd01::9", "2001:db8::1", true },
	{ "of another network, IPv6", "fd03::9", "2001:db8::1", false },
	{ "of the outside, IPv6", "2001:db8::1", "fd01::1", false },
	{ "the gateway's, IPv6", "fd01::1", "2001:db8::1", false },
	{ "every router's, RFC 4291 2.6.1", "fd01::", "2001:db8::1", false },
	{ "link-local", "fe80::9", "fe80::1", true },
	{ "none yet, IPv6", "::", "ff02::1", true },
	{ "the host's loopback, IPv6", "::1", "fd01::1", false },
	{ "delegated to this guest", "fd02:0:0:7::1", "2001:db8::1", true },
	{ "delegated to a neighbour", "fd02:0:0:8::1", "2001:db8::1", false },
	{ "delegated to nobody", "fd02:0:0:9::1", "2001:db8::1", false },
};

static void delegate(struct routes6 *routes, uint8_t part, const struct rig_port *to)
{
	struct route6 route = { .to = { { .bytes = { 0xfd, 2, [7] = part } }, 64 }, .via = { .bytes = { 0xfe, 0x80, [15] = part } } };

	route.port = to->port.id;
	assert_int_equal(routes6_set(routes, &route), 0);
}

static struct routes6 *init(struct bed *b, bool translates)
{
	struct routes6 *routes = routes6_new();

	bed_init(b, true, true);
	b->segment->fronted = translates;
	b->segment->delegated = (struct prefix6){ { .bytes = { 0xfd, 2 } }, 48 };
	b->segment->routes = routes;
	b->host->stages_out = STAGE_SOURCE;
	delegate(routes, 7, b->guest);
	delegate(routes, 8, b->neighbour);
	bed_publish(b, true);
	return routes;
}

static void fini(struct bed *b, struct routes6 *routes)
{
	bed_fini(b);
	urcu_qsbr_barrier();
	routes6_free(routes);
}

/* says() - Return: did the host get it? */
static bool says(struct bed *b, const uint8_t *dst_mac, const char *src, const char *dst)
{
	uint8_t frame[200];

	rig_clear(b->rig);
	rig_offer(b->guest, frame, ip(frame, dst_mac, guest_mac, src, dst, 80));
	rig_run(b->rig);
	return b->host->nsent == 1;
}

static void test_to_gateway(void **state)
{
	struct bed b;
	struct routes6 *routes = init(&b, true);
	char link[ADDR_TEXT];
	uint64_t refused = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(from_guest); i++) {
		print_message("  %s\n", from_guest[i].what);
		assert_int_equal(says(&b, b.mac, from_guest[i].src, from_guest[i].dst), from_guest[i].reaches);
		refused += !from_guest[i].reaches;
		assert_int_equal(rig_verdict(b.guest, VERDICT_DROP_SPOOFED_SOURCE), refused);
	}
	print_message("  the gateway's, link-local\n");
	addr_format(b.segment->gateway6_link, link);
	assert_false(says(&b, b.mac, link, "fe80::1"));
	fini(&b, routes);
}

/* A flood is for others as well: they get their copies, the host has none. */
static void test_to_everybody(void **state)
{
	struct bed b;
	struct routes6 *routes = init(&b, true);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(from_guest); i++) {
		const uint8_t *dst_mac = strchr(from_guest[i].src, ':') ? all_nodes : everybody;

		assert_int_equal(says(&b, dst_mac, from_guest[i].src, from_guest[i].dst), from_guest[i].reaches);
		assert_int_equal(b.neighbour->nsent, 1);
	}
	assert_int_equal(rig_verdict(b.guest, VERDICT_DROP_SPOOFED_SOURCE), 0);
	fini(&b, routes);
}

/* Where the host does not translate, what it routes for whom is its administrator's to say, but for other networks whose gateway it is. */
static void test_routed(void **state)
{
	struct bed b;
	struct routes6 *routes = init(&b, false);
	struct rig_port *other = rig_port(b.rig, 1, rig_access(1));

	(void)state;
	bed_publish(&b, true);
	assert_true(says(&b, b.mac, "10.0.0.9", "198.51.100.2"));
	assert_true(says(&b, b.mac, "172.16.0.1", "198.51.100.2"));
	assert_true(says(&b, b.mac, "10.0.1.9", "198.51.100.2"));	/* its gateway is not the host */
	b.rig->snapshot->nets[1].segments[0].host = &b.rig->snapshot->ports[other->port.id];
	assert_false(says(&b, b.mac, "10.0.1.9", "198.51.100.2"));
	assert_int_equal(rig_verdict(b.guest, VERDICT_DROP_SPOOFED_SOURCE), 1);
	fini(&b, routes);
}

/* What is no IP is as it was. */
static void test_others(void **state)
{
	struct bed b;
	struct routes6 *routes = init(&b, true);
	uint8_t frame[200];

	(void)state;
	rig_clear(b.rig);
	rig_offer(b.guest, frame, rig_eth(frame, b.mac, guest_mac, -1, 0x88b5, 40));
	rig_offer(b.guest, frame, rig_eth(frame, b.mac, guest_mac, -1, ETHERTYPE_IP4, 10));
	rig_run(b.rig);
	assert_int_equal(b.host->nsent, 2);
	fini(&b, routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_gateway), cmocka_unit_test(test_to_everybody), cmocka_unit_test(test_routed),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
