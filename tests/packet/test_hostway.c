// SPDX-License-Identifier: GPL-2.0-or-later
/* The host as a member of a network (switch/hostway.h): which of a guest's frames for the gateway's MAC address become the host's, which the
 * services', which nobody's; and what of the host's own comes in. One table per direction, for both modes.
 */
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
#include "base/checksum.h"
#include "switch/nd.h"
#include "switch/route6.h"
#include "tests/packet/hostway_bed.h"

static const uint8_t everybody[6] = { 255, 255, 255, 255, 255, 255 };

/* What a guest sends to the gateway's MAC address: by destination, in modes host-only and routed. 'h': the host gets it, 's': the services do,
 * '-': refused for no route, 'o': for another network; 'H': the host, but with loopback6 the NAT, which is a service. */
static const struct {
	const char *what, *src, *dst;
	uint16_t port;
	char host_only, routed;
} from_guest[] = {
	{ "the host", "10.0.0.9", "10.0.0.1", 80, 'h', 'h' },
	{ "DNS", "10.0.0.9", "10.0.0.1", 53, 's', 's' },
	{ "DHCP", "10.0.0.9", "10.0.0.1", 67, 's', 's' },
	{ "TFTP", "10.0.0.9", "10.0.0.1", 69, 's', 's' },
	{ "the host, over IPv6", "fd01::9", "fd01::1", 80, 'H', 'H' },
	{ "the last port that is the loopback's", "fd01::9", "fd01::1", 60999, 'H', 'H' },
	{ "the first that is not", "fd01::9", "fd01::1", 61000, 'h', 'h' },
	{ "DNS over IPv6", "fd01::9", "fd01::1", 53, 's', 's' },
	{ "a neighbour that it could reach itself", "10.0.0.9", "10.0.0.10", 53, 'h', 'h' },
	{ "outside", "10.0.0.9", "198.51.100.2", 80, '-', 'h' },
	{ "DNS elsewhere", "10.0.0.9", "198.51.100.2", 53, '-', 'h' },
	{ "outside, IPv6", "fd01::9", "2001:db8::1", 80, '-', 'h' },
	{ "another network", "10.0.0.9", "10.0.1.5", 80, 'o', 'o' },
	{ "link-local", "fe80::9", "fe80::1", 80, 'h', 'h' },	/* somebody's, not the gateway's */
	{ "IPv4's link-local, where there is no such neighbour", "10.0.0.9", "169.254.169.254", 80, '-', 'h' },
	{ "a group", "10.0.0.9", "224.0.0.251", 5353, 'h', 'h' },
	{ "everybody", "0.0.0.0", "255.255.255.255", 67, 'h', 'h' },
};

static void check_guest(struct bed *b, size_t i, char wanted, bool services)
{
	uint8_t frame[200];
	uint32_t len = ip(frame, b->mac, guest_mac, from_guest[i].src, from_guest[i].dst, from_guest[i].port);
	unsigned seen = b->service.seen;
	uint64_t none = rig_verdict(b->guest, VERDICT_DROP_NO_ROUTE), other = rig_verdict(b->guest, VERDICT_DROP_OTHER_NETWORK);

	print_message("  %s\n", from_guest[i].what);
	rig_clear(b->rig);
	rig_offer(b->guest, frame, len);
	rig_run(b->rig);
	assert_int_equal(b->host->nsent, wanted == 'h');
	assert_int_equal(b->neighbour->nsent, 0);
	if (services) {
		assert_int_equal(b->service.seen - seen, wanted != 'h');
		return;
	}
	assert_int_equal(rig_verdict(b->guest, VERDICT_DROP_OTHER_NETWORK) - other, wanted == 'o');
	if (wanted != 's')
		assert_int_equal(rig_verdict(b->guest, VERDICT_DROP_NO_ROUTE) - none, wanted == '-');
	assert_int_equal(b->guest->nsent, wanted == '-' || wanted == 'o' || wanted == 's');	/* an ICMP error says so */
}

static char without_nat(char wanted)
{
	return wanted == 'H' ? 'h' : wanted;
}

static void test_from_guest(void **state)
{
	(void)state;
	for (int mode = 0; mode < 4; mode++) {
		struct bed b;

		bed_init(&b, mode & 1, mode & 2);
		for (size_t i = 0; i < ARRAY_SIZE(from_guest); i++)
			check_guest(&b, i, without_nat(mode & 1 ? from_guest[i].routed : from_guest[i].host_only), mode & 2);
		bed_fini(&b);
	}
}

/* The host's loopback over IPv6: TCP and UDP to the gateway are the NAT's, all else is as it was. */
static void test_loopback6(void **state)
{
	struct bed b;

	(void)state;
	bed_init(&b, true, true);
	b.segment->loopback6 = true;
	bed_publish(&b, true);
	for (size_t i = 0; i < ARRAY_SIZE(from_guest); i++)
		check_guest(&b, i, from_guest[i].routed == 'H' ? 's' : from_guest[i].routed, true);
	bed_fini(&b);
	bed_init(&b, true, false);	/* what is the NAT's, the host's gateway leaves to it */
	b.segment->loopback6 = true;
	bed_publish(&b, true);
	for (size_t i = 0; i < ARRAY_SIZE(from_guest); i++) {
		uint8_t frame[200];
		uint32_t len = ip(frame, b.mac, guest_mac, from_guest[i].src, from_guest[i].dst, from_guest[i].port);

		if (from_guest[i].routed != 'H')
			continue;
		rig_clear(b.rig);
		rig_offer(b.guest, frame, len);
		rig_run(b.rig);
		assert_int_equal(b.guest->nsent + b.host->nsent, 0);	/* there is no NAT here: nobody claims it */
	}
	bed_fini(&b);
}

/* Frames of other protocols are between the two as on any wire; so are those that are too short to tell. */
static void test_other_frames(void **state)
{
	struct bed b;
	uint8_t frame[200];

	(void)state;
	bed_init(&b, false, true);
	rig_offer(b.guest, frame, rig_eth(frame, b.mac, guest_mac, -1, 0x88b5, 40));
	rig_offer(b.guest, frame, rig_eth(frame, b.mac, guest_mac, -1, ETHERTYPE_IP4, 10));
	rig_offer(b.guest, frame, rig_eth(frame, b.mac, guest_mac, -1, ETHERTYPE_ARP4, 28));
	rig_run(b.rig);
	assert_int_equal(b.host->nsent, 3);
	assert_int_equal(b.service.seen, 0);
	bed_fini(&b);
}

/* tcp() - the first segment of a connection over IPv4, to this port */
static uint32_t tcp(uint8_t *to, const uint8_t *dst_mac, const char *dst, uint16_t port)
{
	static const uint8_t rest[] = { 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0 };	/* behind ports and sequence: SYN */
	uint8_t *l4 = to + ETH_HEADER + IP4_HEADER;
	struct addr s, d;
	uint64_t sum;
	uint32_t len;

	assert_int_equal(addr_parse("10.0.0.9", &s), 0);
	assert_int_equal(addr_parse(dst, &d), 0);
	len = build_udp_frame(to, dst_mac, guest_mac, s, 999, d, port, rest, sizeof(rest));
	to[ETH_HEADER + 9] = PROTO_TCP;
	put_u16(to + ETH_HEADER + 10, (uint16_t)(get_u16(to + ETH_HEADER + 10) + PROTO_UDP - PROTO_TCP));
	put_u16(l4 + 6, 0);
	sum = checksum_pseudo4(to + ETH_HEADER + 12, to + ETH_HEADER + 16, PROTO_TCP, len - ETH_HEADER - IP4_HEADER);
	put_u16(l4 + 16, (uint16_t)~checksum_fold(checksum_add(sum, l4, len - ETH_HEADER - IP4_HEADER)));
	return len;
}

/* DNS-02: connections for DNS are the services', as long as the gateway answers DNS at all; all others are the host's. */
static void test_dns_02_over_tcp(void **state)
{
	uint8_t frame[200];
	struct bed b;

	(void)state;
	bed_init(&b, false, true);
	rig_offer(b.guest, frame, tcp(frame, b.mac, "10.0.0.1", 53));
	rig_run(b.rig);
	assert_int_equal(b.host->nsent, 0);
	assert_int_equal(b.service.seen, 1);
	rig_offer(b.guest, frame, tcp(frame, b.mac, "10.0.0.1", 67));
	rig_offer(b.guest, frame, tcp(frame, b.mac, "10.0.0.1", 69));
	rig_offer(b.guest, frame, tcp(frame, b.mac, "10.0.0.1", 5353));
	rig_run(b.rig);
	assert_int_equal(b.host->nsent, 3);
	assert_int_equal(b.service.seen, 1);
	bed_fini(&b);
}

/* What is delegated to a guest is reached by way of the switch. A router that has not been heard of for long is asked for, and nothing goes to
 * others meanwhile; what nobody was delegated is refused, to the host it does not go (RFC 7084 4.3, WPD-5). */
static void test_delegated(void **state)
{
	static const uint8_t router_mac[6] = { 2, 0, 0, 0, 0, 7 };
	struct route6 route = { .to = { { .bytes = { 0xfd, 2, [7] = 7 } }, 64 }, .via = { .bytes = { 0xfe, 0x80, [15] = 7 } } };
	struct routes6 *routes = routes6_new();
	uint8_t frame[200], asked[6];
	struct rig_port *other;
	struct bed b;

	(void)state;
	bed_init(&b, true, false);
	other = rig_port(b.rig, 0, rig_access(1));
	b.segment->delegated = (struct prefix6){ { .bytes = { 0xfd, 2 } }, 48 };
	b.segment->routes = routes;
	route.port = b.neighbour->port.id;
	memcpy(route.mac, router_mac, MAC_SIZE);
	assert_int_equal(routes6_set(routes, &route), 0);
	bed_publish(&b, true);
	rig_offer(b.guest, frame, ip(frame, b.mac, guest_mac, "fd01::9", "fd02:0:0:7::77", 999));
	rig_run(b.rig);
	assert_int_equal(rig_verdict(b.guest, VERDICT_DROP_NO_NEIGHBOUR), 1);
	nd_link_multicast(nd_solicited_node(route.via), asked);
	assert_int_equal(b.neighbour->nsent, 1);
	assert_memory_equal(b.neighbour->sent[0].data, asked, MAC_SIZE);
	rig_clear(b.rig);
	rig_offer(b.neighbour, frame, rig_eth(frame, b.mac, router_mac, -1, 0x88b5, 40));
	rig_run(b.rig);
	rig_clear(b.rig);
	rig_offer(b.guest, frame, ip(frame, b.mac, guest_mac, "fd01::9", "fd02:0:0:7::77", 999));
	rig_run(b.rig);
	assert_int_equal(rig_verdict(b.guest, VERDICT_CONSUMED_PEER), 1);
	assert_int_equal(b.neighbour->nsent, 1);
	assert_memory_equal(b.neighbour->sent[0].data, router_mac, MAC_SIZE);
	assert_int_equal(other->nsent + b.host->nsent, 0);
	rig_clear(b.rig);
	rig_offer(b.guest, frame, ip(frame, b.mac, guest_mac, "fd01::9", "fd02:0:0:8::1", 999));
	rig_run(b.rig);
	assert_int_equal(rig_verdict(b.guest, VERDICT_DROP_NO_ROUTE), 1);
	assert_int_equal(b.host->nsent + b.neighbour->nsent, 0);
	assert_int_equal(b.guest->nsent, 1);
	bed_fini(&b);
	urcu_qsbr_barrier();
	routes6_free(routes);
}

/* A fragment of a datagram for port 53 is nobody's query: it belongs to the host, which puts fragments together. */
static void test_fragment(void **state)
{
	struct bed b;
	uint8_t frame[200];
	uint32_t len;

	(void)state;
	bed_init(&b, false, true);
	len = ip(frame, b.mac, guest_mac, "10.0.0.9", "10.0.0.1", 53);
	put_u16(frame + ETH_HEADER + 6, 0x2000);
	rig_offer(b.guest, frame, len);
	rig_run(b.rig);
	assert_int_equal(b.host->nsent, 1);
	bed_fini(&b);
}

/* With kernel NAT the address as which a guest sees the host's own clients is the services', and nothing but an address elsewhere. */
static void test_front(void **state)
{
	static const char *const ends[][2] = { { "10.0.0.9", "192.0.0.8" }, { "fd01::9", "64:ff9b:1::c000:8" } };
	uint8_t frame[200];

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct bed b;
		bool fronted = i & 1;

		bed_init(&b, true, true);
		b.segment->fronted = fronted;
		bed_publish(&b, true);
		rig_offer(b.guest, frame, ip(frame, b.mac, guest_mac, ends[i / 2][0], ends[i / 2][1], 80));
		rig_run(b.rig);
		assert_int_equal(b.host->nsent, !fronted);
		assert_int_equal(b.service.seen, fronted);
		bed_fini(&b);
	}
}

/* What a guest tells of its own address is for the host, and for the segment that has to know it. */
static void test_addresses_told(void **state)
{
	struct bed b;
	uint8_t frame[ND_NEIGHBOUR_SIZE];
	struct addr s;
	uint32_t len;

	(void)state;
	bed_init(&b, true, true);
	rig_offer(b.guest, frame, build_arp(frame, ARP_REPLY, guest_mac, GUEST, b.mac, HOST, b.mac));
	rig_run(b.rig);
	assert_int_equal(b.host->nsent, 1);
	assert_int_equal(b.service.seen, 1);
	assert_int_equal(addr_parse("fd01::9", &s), 0);
	len = nd_build_solicitation(frame, guest_mac, s, b.segment->gateway6);
	memcpy(frame, b.mac, sizeof(b.mac));
	rig_offer(b.guest, frame, len);
	rig_run(b.rig);
	assert_int_equal(b.host->nsent, 2);
	assert_int_equal(b.service.seen, 2);
	bed_fini(&b);
}

static const struct {
	const char *what, *src, *dst;
	bool host_only;			/* does it come in there? Where the host routes, everything does */
} from_host[] = {
	{ "from its address", "10.0.0.1", "10.0.0.9", true },
	{ "from another of the subnet", "10.0.0.200", "10.0.0.9", true },
	{ "from its address, IPv6", "fd01::1", "fd01::9", true },
	{ "link-local", "fe80::1", "fe80::9", true },
	{ "from none yet", "0.0.0.0", "255.255.255.255", true },
	{ "from none, IPv6", "::", "ff02::16", true },
	{ "routed from outside", "198.51.100.2", "10.0.0.9", false },
	{ "routed from outside, IPv6", "2001:db8::1", "fd01::9", false },
	{ "from the host's address elsewhere", "198.51.100.1", "10.0.0.9", false },
};

static void test_from_host(void **state)
{
	(void)state;
	for (int routed = 0; routed < 2; routed++) {
		struct bed b;
		uint8_t frame[200];

		bed_init(&b, routed, true);
		rig_offer(b.guest, frame, rig_eth(frame, everybody, guest_mac, -1, 0x88b5, 40));	/* the switch knows the guest */
		rig_run(b.rig);
		for (size_t i = 0; i < ARRAY_SIZE(from_host); i++) {
			bool in = routed || from_host[i].host_only;

			print_message("  %s\n", from_host[i].what);
			rig_clear(b.rig);
			rig_offer(b.host, frame, ip(frame, guest_mac, b.mac, from_host[i].src, from_host[i].dst, 80));
			rig_run(b.rig);
			assert_int_equal(b.guest->nsent, in);
			assert_int_equal(b.neighbour->nsent, 0);
		}
		/* One whose frames the host passes on, from a device that it has bridged with the interface, is no other. */
		rig_clear(b.rig);
		rig_offer(b.host, frame, ip(frame, guest_mac, (const uint8_t[6]){ 2, 7 }, "198.51.100.2", "10.0.0.9", 80));
		rig_run(b.rig);
		assert_int_equal(b.guest->nsent, routed);
		bed_fini(&b);
	}
}

/* The gateway's MAC address is the host's, and no guest's, whether the host's interface is there or not. */
static void test_gateways_address(void **state)
{
	struct bed b;
	uint8_t frame[200];
	uint32_t len;

	(void)state;
	bed_init(&b, false, false);
	len = ip(frame, guest_mac, b.mac, "10.0.0.1", "10.0.0.9", 80);
	rig_offer(b.neighbour, frame, len);
	rig_run(b.rig);
	assert_int_equal(rig_verdict(b.neighbour, VERDICT_DROP_SPOOFED_GATEWAY), 1);
	rig_offer(b.host, frame, len);
	rig_run(b.rig);
	assert_int_equal(rig_verdict(b.host, VERDICT_DROP_SPOOFED_GATEWAY), 0);
	bed_publish(&b, false);
	rig_offer(b.neighbour, frame, len);
	rig_clear(b.rig);
	rig_offer(b.guest, frame, ip(frame, b.mac, guest_mac, "10.0.0.9", "10.0.0.1", 80));
	rig_run(b.rig);
	assert_int_equal(rig_verdict(b.neighbour, VERDICT_DROP_SPOOFED_GATEWAY), 2);
	assert_int_equal(rig_verdict(b.guest, VERDICT_DROP_NO_ROUTE), 1);
	assert_int_equal(b.guest->nsent, 1);		/* host unreachable */
	bed_fini(&b);
}

/* Many frames of one turn: what is for the host and what is for the services do not take each other's way. */
static void test_mixed_burst(void **state)
{
	struct bed b;
	uint8_t frame[200];

	(void)state;
	bed_init(&b, false, true);
	for (int i = 0; i < 3; i++) {
		rig_offer(b.guest, frame, ip(frame, b.mac, guest_mac, "10.0.0.9", "10.0.0.1", 80));
		rig_offer(b.guest, frame, ip(frame, b.mac, guest_mac, "10.0.0.9", "10.0.0.1", 53));
		rig_offer(b.guest, frame, rig_eth(frame, (const uint8_t[6]){ 2, 9, 9, 9, 9, 9 }, guest_mac, -1, 0x88b5, 40));
	}
	rig_run(b.rig);
	assert_int_equal(b.host->nsent, 3 + 3);		/* an unknown station's frames go everywhere */
	assert_int_equal(b.neighbour->nsent, 3);
	assert_int_equal(b.service.seen, 3);
	bed_fini(&b);
}

/* Routers are asked for by guests, and the services tell them; the host asks nobody. ARP is the host's business. */
static void test_discovery(void **state)
{
	struct bed b;
	uint8_t frame[200], all_routers[6];
	struct addr link = addr_link_local(guest_mac), routers = { .bytes = { 0xff, 2, [15] = 2 } };
	uint32_t len;
	uint8_t *icmp;

	(void)state;
	bed_init(&b, false, false);
	nd_link_multicast(routers, all_routers);
	icmp = build_ip(frame, all_routers, guest_mac, link, routers, PROTO_ICMP6, 255, 8);
	memset(icmp, 0, 8);
	icmp[0] = ND_ROUTER_SOLICITATION;
	put_u16(icmp + 2, checksum_finish(checksum_add(build_pseudo(link, routers, PROTO_ICMP6, 8), icmp, 8)));
	len = (uint32_t)(icmp - frame) + 8;
	rig_offer(b.guest, frame, len);
	rig_run(b.rig);
	assert_int_equal(b.guest->nsent, 1);
	assert_int_equal(b.guest->sent[0].data[ETH_HEADER + 40], ND_ROUTER_ADVERTISEMENT);
	assert_int_equal(get_u16(b.guest->sent[0].data + ETH_HEADER + 40 + 6), 0);	/* no way out */
	assert_int_equal(b.host->nsent, 1);
	rig_clear(b.rig);
	rig_offer(b.guest, frame, build_arp(frame, ARP_REQUEST, guest_mac, GUEST, everybody, HOST, everybody));
	rig_run(b.rig);
	assert_int_equal(b.guest->nsent, 0);
	assert_int_equal(b.host->nsent, 1);
	bed_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_guest), cmocka_unit_test(test_loopback6), cmocka_unit_test(test_other_frames), cmocka_unit_test(test_dns_02_over_tcp),
		cmocka_unit_test(test_delegated), cmocka_unit_test(test_fragment),
		cmocka_unit_test(test_front), cmocka_unit_test(test_addresses_told),
		cmocka_unit_test(test_from_host), cmocka_unit_test(test_gateways_address), cmocka_unit_test(test_mixed_burst),
		cmocka_unit_test(test_discovery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
