// SPDX-License-Identifier: GPL-2.0-or-later
/* Guards: what a guest tells that is not its to tell ends at its own port, under a name of its own; what is its own passes. */
#include "switch/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/build.h"
#include "switch/nd.h"
#include "switch/stage.h"
#include "switch/storm.h"
#include "tests/packet/rig.h"

enum { ALL = GUARD_GATEWAY | GUARD_OWN_MAC | GUARD_OWN_IP | GUARD_DHCP | GUARD_ROUTER, FRAME_ROOM = 600 };
enum { GATEWAY4 = 0x0a000001, MINE4 = 0x0a000005, LISTED4 = 0x0a000006, OTHERS4 = 0x0a000007 };

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t mine[6] = { 2, 0, 0, 0, 0, 1 }, other[6] = { 2, 0, 0, 0, 0, 2 }, third_mac[6] = { 2, 0, 0, 0, 0, 3 }, zero[6];

static struct addr address6(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* lan - two ports on VLAN 1 with gateways of both families; the first is guarded */
struct lan {
	struct rig *rig;
	struct rig_service service;
	struct rig_port *p[2];
};

static struct guard *guard_for(uint32_t flags, uint32_t max_macs)
{
	struct guard_conf conf = { .flags = flags, .max_macs = max_macs, .fixed = { addr4(LISTED4) }, .nfixed = 1 };
	struct guard *g;

	memcpy(conf.macs[conf.nmacs++], mine, 6);
	memcpy(conf.macs[conf.nmacs++], third_mac, 6);
	conf.fixed[conf.nfixed++] = address6("fd00:9::1");
	g = guard_new(&conf);
	assert_non_null(g);
	guard_lease(g, (uint32_t[]){ MINE4 }, 1);
	return g;
}

static void lan_init(struct lan *l, uint32_t flags, uint32_t max_macs)
{
	struct segment *s;

	l->rig = rig_new();
	rig_net(l->rig, 1500, true);
	rig_service_init(&l->service, VERDICT_COUNT);
	s = rig_segment(l->rig, 0, 1, &l->service.service);
	s->has_subnet6 = true;
	s->subnet6 = (struct prefix6){ address6("fd00::"), 64 };
	s->gateway6 = address6("fd00::1");
	s->gateway6_link = address6("fe80::1");
	for (unsigned i = 0; i < ARRAY_SIZE(l->p); i++)
		l->p[i] = rig_port(l->rig, 0, rig_access(1));
	l->p[0]->head_max = FRAME_HEAD_MAX;	/* as from a ring */
	l->p[0]->piece_max = 4096;
	l->p[0]->guard = guard_for(flags, max_macs);
	l->p[0]->stages_in = STAGE_GUARD;
	rig_publish(l->rig);
}

static uint64_t drops(const struct rig_port *p, enum verdict v)
{
	return v == VERDICT_FORWARDED ? rig_verdict(p, VERDICT_FORWARDED) + rig_verdict(p, VERDICT_FLOODED) : rig_verdict(p, v);
}

/* check() - the frame from port @i ends in @want, or FORWARDED: reaches the other port */
static void check(struct lan *l, unsigned i, const uint8_t *frame, uint32_t len, enum verdict want)
{
	uint64_t before = drops(l->p[i], want);

	rig_clear(l->rig);
	rig_offer(l->p[i], frame, len);
	rig_run(l->rig);
	assert_int_equal(drops(l->p[i], want), before + 1);
	assert_int_equal(l->p[!i]->nsent, want == VERDICT_FORWARDED);
	assert_true(rig_identities(&l->p[i]->port));
}

/* ---- frames ---- */

static uint32_t udp(uint8_t *to, struct addr src, uint16_t sport, struct addr dst, uint16_t dport, uint8_t op)
{
	uint8_t payload[240] = { op };

	return build_udp_frame(to, everybody, mine, src, sport, dst, dport, payload, sizeof(payload));
}

/* dhcp() - a client's message, for the client @mac, by way of the relay @via */
static uint32_t dhcp(uint8_t *to, uint32_t src, const uint8_t *mac, uint32_t via)
{
	uint32_t len = udp(to, addr4(src), 68, addr4(0xffffffff), 67, 1);
	uint8_t *message = to + len - 240;

	message[1] = 1;
	message[2] = 6;
	put_u32(message + 24, via);
	memcpy(message + 28, mac, 6);
	return len;
}

/* cut_discover() - only the first fragment of a client's message, of @size bytes of payload */
static uint32_t cut_discover(uint8_t *to, uint32_t size)
{
	(void)dhcp(to, 0, mine, 0);
	put_u16(to + 16, (uint16_t)(20 + size));
	put_u16(to + 20, 0x2000);
	put_u16(to + 24, 0);
	put_u16(to + 24, checksum_finish(checksum_add(0, to + 14, 20)));
	return ETH_HEADER + 20 + size;
}

static uint32_t arp(uint8_t *to, uint16_t op, const uint8_t *sha, uint32_t spa, uint32_t tpa)
{
	uint32_t len = build_arp(to, op, sha, spa, zero, tpa, everybody);

	memcpy(to + 6, mine, 6);
	return len;
}

/* icmp6() - behind extension headers @chain of @size bytes, of which the first is a @next; the last byte of each names its follower */
static uint32_t icmp6(uint8_t *to, struct addr src, uint8_t next, const uint8_t *chain, uint32_t size, uint8_t type)
{
	uint8_t *p = build_ip(to, everybody, mine, src, address6("ff02::1"), next, 255, size + 24);

	if (size)
		memcpy(p, chain, size);
	memset(p + size, 0, 24);
	p[size] = type;
	return build_headers(src) + size + 24;
}

struct frame_case {
	const char *what;
	uint32_t (*build)(uint8_t *to);
	enum verdict with, without;	/* all guards, and none but the gateway's */
};

#define FRAME(name, expression) static uint32_t name(uint8_t *to) { return expression; }

FRAME(own_arp, arp(to, ARP_REQUEST, mine, MINE4, OTHERS4))
FRAME(listed_arp, arp(to, ARP_REQUEST, mine, LISTED4, OTHERS4))
FRAME(probe_arp, arp(to, ARP_REQUEST, mine, 0, MINE4))
FRAME(others_arp, arp(to, ARP_REPLY, mine, OTHERS4, MINE4))
FRAME(gratuitous_arp, arp(to, ARP_REQUEST, mine, OTHERS4, OTHERS4))
FRAME(gateway_arp, arp(to, ARP_REPLY, mine, GATEWAY4, MINE4))
FRAME(gateway_announced, arp(to, ARP_REQUEST, mine, GATEWAY4, GATEWAY4))
FRAME(foreign_arp, arp(to, ARP_REPLY, other, MINE4, OTHERS4))
FRAME(own_udp, udp(to, addr4(MINE4), 1000, addr4(OTHERS4), 1000, 0))
FRAME(others_udp, udp(to, addr4(OTHERS4), 1000, addr4(MINE4), 1000, 0))
FRAME(nobodys_udp, udp(to, addr4(0), 1000, addr4(MINE4), 1000, 0))
FRAME(outside_udp, udp(to, addr4(0x08080808), 1000, addr4(MINE4), 1000, 0))
FRAME(discover, dhcp(to, 0, mine, 0))
FRAME(renewal, dhcp(to, MINE4, mine, 0))
FRAME(discover_for_another, dhcp(to, 0, other, 0))
FRAME(discover_relayed, dhcp(to, MINE4, mine, MINE4))
FRAME(discover_cut, cut_discover(to, 32))
FRAME(solicit_relayed, udp(to, address6("fe80::5"), 547, address6("ff02::1:2"), 547, 12))
FRAME(offer, udp(to, addr4(MINE4), 67, addr4(0xffffffff), 68, 2))
FRAME(offer_elsewhence, udp(to, addr4(MINE4), 5000, addr4(OTHERS4), 68, 2))
FRAME(offer_to_relay, udp(to, addr4(MINE4), 67, addr4(OTHERS4), 67, 2))
FRAME(own_udp6, udp(to, address6("fd00::5"), 1000, address6("fd00::9"), 1000, 0))
FRAME(listed_udp6, udp(to, address6("fd00:9::1"), 1000, address6("fd00::9"), 1000, 0))
FRAME(outside_udp6, udp(to, address6("2001:db8::5"), 1000, address6("fd00::9"), 1000, 0))
FRAME(mapped_udp6, udp(to, address6("fd00::5"), 1000, address6("fd00::9"), 1000, 0))
FRAME(gateway_udp6, udp(to, address6("fd00::1"), 1000, address6("fd00::9"), 1000, 0))
FRAME(reply6, udp(to, address6("fe80::5"), 547, address6("fe80::9"), 546, 7))
FRAME(advertise6, udp(to, address6("fe80::5"), 547, address6("ff02::1:2"), 547, 2))
FRAME(solicit6, udp(to, address6("fe80::5"), 546, address6("ff02::1:2"), 547, 1))
FRAME(advertisement, icmp6(to, address6("fe80::5"), PROTO_ICMP6, NULL, 0, ND_ROUTER_ADVERTISEMENT))
FRAME(gateways_advertisement, icmp6(to, address6("fe80::1"), PROTO_ICMP6, NULL, 0, ND_ROUTER_ADVERTISEMENT))
FRAME(redirect, icmp6(to, address6("fe80::5"), PROTO_ICMP6, NULL, 0, ND_REDIRECT))
FRAME(solicitation, icmp6(to, address6("::"), PROTO_ICMP6, NULL, 0, ND_ROUTER_SOLICITATION))
FRAME(listener_report, icmp6(to, address6("::"), PROTO_ICMP6, NULL, 0, 143))
FRAME(ping6, icmp6(to, address6("fe80::5"), PROTO_ICMP6, NULL, 0, 128))

static const uint8_t options[8] = { PROTO_ICMP6, 0, 1, 4 };
static const uint8_t two_options[16] = { 60, 0, 1, 4, [8] = PROTO_ICMP6, 0, 1, 4 };
static const uint8_t long_options[256] = { PROTO_ICMP6, 31, 1, 252 };
static const uint8_t first_fragment[8] = { PROTO_ICMP6, 0, 0, 1, 1, 2, 3, 4 };
static const uint8_t later_fragment[8] = { PROTO_ICMP6, 0, 0, 8, 1, 2, 3, 4 };
static const uint8_t hidden_fragment[16] = { 60, 0, 0, 1, 1, 2, 3, 4, PROTO_ICMP6, 31 };

FRAME(behind_options, icmp6(to, address6("fe80::5"), 60, options, 8, ND_ROUTER_ADVERTISEMENT))
FRAME(behind_two, icmp6(to, address6("fe80::5"), 0, two_options, 16, ND_ROUTER_ADVERTISEMENT))
FRAME(behind_many, icmp6(to, address6("fe80::5"), 60, long_options, 256, ND_ROUTER_ADVERTISEMENT))
FRAME(in_fragments, icmp6(to, address6("fe80::5"), 44, first_fragment, 8, ND_ROUTER_ADVERTISEMENT))
FRAME(later, icmp6(to, address6("fe80::5"), 44, later_fragment, 8, ND_ROUTER_ADVERTISEMENT))
FRAME(hidden, icmp6(to, address6("fe80::5"), 44, hidden_fragment, 16, ND_ROUTER_ADVERTISEMENT))
FRAME(neighbour_in_fragments, icmp6(to, address6("fe80::5"), 44, first_fragment, 8, ND_NEIGHBOUR_ADVERTISEMENT))
FRAME(pass_options, icmp6(to, address6("fe80::5"), 60, options, 8, 128))

FRAME(own_neighbour, nd_build_advertisement(to, everybody, mine, address6("ff02::1"), address6("fe80::5"), 0))
FRAME(gateway_neighbour, nd_build_advertisement(to, everybody, mine, address6("ff02::1"), address6("fd00::1"), ND_OVERRIDE))
FRAME(own_question, nd_build_solicitation(to, mine, address6("fe80::5"), address6("fe80::1")))
FRAME(gateways_question, nd_build_solicitation(to, mine, address6("fe80::1"), address6("fe80::9")))

/* The outer source is the guest's own, the target inside is not (CVE-2023-5366). */
static uint32_t inner_target(uint8_t *to, const char *target, const uint8_t *link)
{
	struct addr inside = address6(target);
	uint32_t len = own_neighbour(to);

	memcpy(to + ETH_HEADER + IP6_HEADER + 8, inside.bytes, ADDR_SIZE);
	memcpy(to + ETH_HEADER + IP6_HEADER + 26, link, 6);
	return len;
}

FRAME(inner_gateway, inner_target(to, "fe80::1", mine))
FRAME(inner_outside, inner_target(to, "2001:db8::1", mine))
FRAME(foreign_link, inner_target(to, "fe80::5", other))

static uint32_t forged_source(uint8_t *to)
{
	uint32_t len = own_udp(to);

	memcpy(to + 6, other, 6);
	return len;
}

static uint32_t listed_source(uint8_t *to)
{
	uint32_t len = own_udp(to);

	memcpy(to + 6, third_mac, 6);
	return len;
}

static uint32_t mapped(uint8_t *to)
{
	uint32_t len = mapped_udp6(to);
	struct addr src = addr4(MINE4);

	memcpy(to + ETH_HEADER + 8, src.bytes, ADDR_SIZE);
	return len;
}

static uint32_t unknown_type(uint8_t *to)
{
	return rig_eth(to, everybody, mine, -1, 0x1234, 46);
}

#define OK VERDICT_FORWARDED
#define DROP(name) VERDICT_DROP_##name

static const struct frame_case cases[] = {
	{ "ARP of its own address", own_arp, OK, OK },
	{ "ARP of a listed address", listed_arp, OK, OK },
	{ "an ARP probe", probe_arp, OK, OK },
	{ "an ARP reply for another guest", others_arp, DROP(FORGED_IP), OK },
	{ "an ARP announcement of another guest's", gratuitous_arp, DROP(FORGED_IP), OK },
	{ "an ARP reply for the gateway", gateway_arp, DROP(GATEWAY_CLAIM), DROP(GATEWAY_CLAIM) },
	{ "an ARP announcement of the gateway's", gateway_announced, DROP(GATEWAY_CLAIM), DROP(GATEWAY_CLAIM) },
	{ "ARP that tells another MAC address inside", foreign_arp, DROP(FORGED_MAC), OK },
	{ "UDP from its own address", own_udp, OK, OK },
	{ "UDP from another guest's", others_udp, DROP(FORGED_IP), OK },
	{ "UDP from nobody's", nobodys_udp, DROP(FORGED_IP), OK },
	{ "UDP from outside the subnet", outside_udp, DROP(FORGED_IP), OK },
	{ "UDP from another MAC address", forged_source, DROP(FORGED_MAC), OK },
	{ "UDP from a listed MAC address", listed_source, OK, OK },
	{ "a DHCP request from 0.0.0.0", discover, OK, OK },
	{ "a DHCP renewal", renewal, OK, OK },
	{ "a DHCP request for another MAC address", discover_for_another, DROP(FORGED_MAC), OK },
	{ "one that it relays", discover_relayed, DROP(FORGED_MAC), OK },
	{ "one that is cut before it says for whom", discover_cut, DROP(FORGED_MAC), OK },
	{ "a DHCPv6 request that it relays", solicit_relayed, DROP(FORGED_MAC), OK },
	{ "a DHCP offer", offer, DROP(ROGUE_DHCP), OK },
	{ "a DHCP offer from another port", offer_elsewhence, DROP(ROGUE_DHCP), OK },
	{ "a DHCP offer to a relay", offer_to_relay, DROP(ROGUE_DHCP), OK },
	{ "IPv6 from an address of the prefix", own_udp6, OK, OK },
	{ "IPv6 from a listed address", listed_udp6, OK, OK },
	{ "IPv6 from outside the prefix", outside_udp6, DROP(FORGED_IP), OK },
	{ "IPv6 from an IPv4 address", mapped, DROP(FORGED_IP), OK },
	{ "IPv6 from the gateway's address", gateway_udp6, DROP(FORGED_IP), OK },
	{ "a DHCPv6 reply", reply6, DROP(ROGUE_DHCP), OK },
	{ "a DHCPv6 advertise to servers", advertise6, DROP(ROGUE_DHCP), OK },
	{ "a DHCPv6 solicit", solicit6, OK, OK },
	{ "a router advertisement", advertisement, DROP(ROGUE_ROUTER), OK },
	{ "one from the gateway's address", gateways_advertisement, DROP(ROGUE_ROUTER), DROP(GATEWAY_CLAIM) },
	{ "a redirect", redirect, DROP(ROGUE_ROUTER), OK },
	{ "a router solicitation from ::", solicitation, OK, OK },
	{ "a listener report from ::", listener_report, OK, OK },
	{ "a ping", ping6, OK, OK },
	{ "a router advertisement behind destination options", behind_options, DROP(ROGUE_ROUTER), OK },
	{ "behind hop-by-hop and destination options", behind_two, DROP(ROGUE_ROUTER), OK },
	{ "behind more than can be seen", behind_many, DROP(HIDDEN_HEADER), DROP(HIDDEN_HEADER) },
	{ "in a first fragment", in_fragments, DROP(ROGUE_ROUTER), OK },
	{ "in a fragment without the first", later, OK, OK },
	{ "in a first fragment that ends before it", hidden, DROP(HIDDEN_HEADER), DROP(HIDDEN_HEADER) },
	{ "a neighbour advertisement in fragments", neighbour_in_fragments, DROP(HIDDEN_HEADER), DROP(HIDDEN_HEADER) },
	{ "a ping behind options", pass_options, OK, OK },
	{ "a neighbour advertisement of its own", own_neighbour, OK, OK },
	{ "of the gateway's global address", gateway_neighbour, DROP(GATEWAY_CLAIM), DROP(GATEWAY_CLAIM) },
	{ "of the gateway's link-local address, inside", inner_gateway, DROP(GATEWAY_CLAIM), DROP(GATEWAY_CLAIM) },
	{ "of an address outside, inside", inner_outside, DROP(FORGED_IP), OK },
	{ "of another MAC address, inside", foreign_link, DROP(FORGED_MAC), OK },
	{ "a neighbour solicitation", own_question, OK, OK },
	{ "one from the gateway's address", gateways_question, DROP(GATEWAY_CLAIM), DROP(GATEWAY_CLAIM) },
	{ "neither ARP nor IP", unknown_type, OK, OK },
};

/* Each frame alone, and each behind a frame that is good: what passed a moment ago says nothing about another. */
static void test_frames(void **state)
{
	uint8_t frame[FRAME_ROOM], good[FRAME_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t len;
		struct lan l;

		print_message("  %s\n", cases[i].what);
		len = cases[i].build(frame);
		lan_init(&l, ALL, 0);
		check(&l, 0, frame, len, cases[i].with);
		rig_clear(l.rig);
		rig_offer(l.p[0], good, own_udp(good));
		rig_offer(l.p[0], good, own_udp6(good));
		rig_offer(l.p[0], frame, len);
		rig_run(l.rig);
		assert_int_equal(l.p[1]->nsent, 2 + (cases[i].with == OK));
		rig_free(l.rig);
		lan_init(&l, GUARD_GATEWAY, 0);
		check(&l, 0, frame, len, cases[i].without);
		rig_free(l.rig);
	}
}

/* A packet cut anywhere is never read beyond its end; what it tells is less, not more. */
static void test_cut_short(void **state)
{
	uint8_t frame[FRAME_ROOM];
	struct lan l;

	(void)state;
	lan_init(&l, ALL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (uint32_t len = cases[i].build(frame); len >= ETH_HEADER; len--) {
			uint8_t *exact = test_malloc(len);

			memcpy(exact, frame, len);
			rig_offer(l.p[0], exact, len);
			rig_run(l.rig);
			test_free(exact);
		}
	assert_true(rig_identities(&l.p[0]->port));
	rig_free(l.rig);
}

/* An IPv6 address belongs to who used it first, until that one is silent for longer than the table remembers. */
static void test_first_come(void **state)
{
	uint8_t frame[FRAME_ROOM];
	struct lan l;
	uint32_t len = own_udp6(frame);

	(void)state;
	lan_init(&l, GUARD_OWN_IP, 0);
	l.p[1]->guard = guard_for(GUARD_OWN_IP, 0);
	l.p[1]->stages_in = STAGE_GUARD;
	rig_publish(l.rig);
	check(&l, 0, frame, len, VERDICT_FORWARDED);
	memcpy(frame + 6, other, 6);
	check(&l, 1, frame, len, VERDICT_DROP_FORGED_IP);
	memcpy(frame + 6, mine, 6);
	check(&l, 0, frame, len, VERDICT_FORWARDED);
	rig_free(l.rig);
}

/* A lease that ends is nobody's address any more, from the next frame on. */
static void test_lease(void **state)
{
	uint8_t frame[FRAME_ROOM];
	uint32_t len = own_udp(frame);
	struct lan l;

	(void)state;
	lan_init(&l, GUARD_OWN_IP, 0);
	check(&l, 0, frame, len, VERDICT_FORWARDED);
	guard_lease(l.p[0]->guard, (uint32_t[]){ OTHERS4 }, 1);
	check(&l, 0, frame, len, VERDICT_DROP_FORGED_IP);
	guard_lease(l.p[0]->guard, (uint32_t[]){ OTHERS4, MINE4 }, 2);
	check(&l, 0, frame, len, VERDICT_FORWARDED);
	rig_free(l.rig);
}

static void test_mac_limit(void **state)
{
	uint8_t frame[FRAME_ROOM], mac[6] = { 2, 0, 0, 0, 1, 0 };
	struct lan l;

	(void)state;
	lan_init(&l, 0, 3);
	for (unsigned i = 0; i < 10; i++) {
		mac[5] = (uint8_t)i;
		check(&l, 0, frame, rig_eth(frame, everybody, mac, -1, 0x1234, 46), i < 3 ? VERDICT_FORWARDED : VERDICT_DROP_MAC_LIMIT);
	}
	mac[5] = 1;
	check(&l, 0, frame, rig_eth(frame, everybody, mac, -1, 0x1234, 46), VERDICT_FORWARDED);
	rig_free(l.rig);
}

/* Of so many a second, a tenth may come at once; an ordinary frame is none of them. */
static void test_storm(void **state)
{
	static const struct {
		const char *what;
		uint8_t dst[6];
		enum storm_sort sort;
	} sorts[] = {
		{ "broadcast", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, STORM_BROADCAST },
		{ "multicast", { 0x01, 0, 0x5e, 1, 2, 3 }, STORM_MULTICAST },
		{ "unknown unicast", { 2, 0, 0, 0, 0, 99 }, STORM_UNKNOWN },
	};
	uint8_t frame[FRAME_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sorts); i++) {
		struct guard_conf conf = { .flags = GUARD_GATEWAY };
		struct lan l;

		print_message("  %s\n", sorts[i].what);
		conf.storm[sorts[i].sort] = 100;
		lan_init(&l, 0, 0);
		guard_release(l.p[0]->guard);
		l.p[0]->guard = guard_new(&conf);
		rig_publish(l.rig);
		for (unsigned k = 0; k < 50; k++)
			rig_offer(l.p[0], frame, rig_eth(frame, sorts[i].dst, mine, -1, 0x1234, 46));
		rig_run(l.rig);
		assert_in_range(l.p[1]->nsent, 10, 20);	/* less than 100 ms have passed */
		assert_int_equal(rig_verdict(l.p[0], VERDICT_DROP_STORM), 50 - l.p[1]->nsent);
		for (size_t other_sort = 0; other_sort < ARRAY_SIZE(sorts); other_sort++)
			if (other_sort != i)
				check(&l, 0, frame, rig_eth(frame, sorts[other_sort].dst, mine, -1, 0x1234, 46), VERDICT_FORWARDED);
		rig_free(l.rig);
	}
}

/* Rates over a long time, on a clock of the test's own. */
static void test_storm_rate(void **state)
{
	static const uint32_t rates[] = { 1, 7, 1000, 250000, 100000000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		uint64_t step = 1000000000u / rates[i] / 3 + 1, now = 5000000000u, passed = 0, tried = 60000;
		storm s = 0;

		for (uint64_t k = 0; k < tried; k++, now += step)
			passed += storm_take(&s, rates[i], now, true);
		assert_in_range(passed, (now - 5000000000u) / (1000000000u / rates[i]) - 1,
				(now - 5000000000u) / (1000000000u / rates[i]) + 2 + rates[i] / 10);
		assert_true(storm_take(&s, rates[i], now + 1000000000u, false));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames), cmocka_unit_test(test_cut_short), cmocka_unit_test(test_first_come),
		cmocka_unit_test(test_lease), cmocka_unit_test(test_mac_limit), cmocka_unit_test(test_storm), cmocka_unit_test(test_storm_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
