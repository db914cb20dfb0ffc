// SPDX-License-Identifier: GPL-2.0-or-later
/* Compiled rules beside a second, simple model of what the words mean; and what passes under a default that denies. */
#include "switch/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "switch/names_seen.h"
#include "switch/packet.h"
#include "switch/snapshot.h"
#include "switch/station.h"

enum { ROUNDS = 3000, PACKETS = 40, RULES = 12, NAMES = 3, NOW = 5000 };

static uint64_t seed = 1;

static unsigned dice(unsigned n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % n;
}

static const char *const addresses[] = {
	"10.77.0.1", "10.77.0.2", "10.77.0.3", "10.77.0.255", "192.0.2.1", "192.0.2.200", "198.51.100.7", "255.255.255.255", "224.0.0.251",
	"fd00::1", "fd00::2", "fe80::1", "2001:db8::1", "2001:db8:0:1::9", "ff02::1",
};
static const char *const peers[] = {
	"any", "any", "gateway", "10.77.0.0/24", "10.77.0.2", "192.0.2.0/25", "192.0.2.0/24", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::/64",
	"fd00::/64", "web1", "web2", "a.example", "*.b.example", "c.example", "fe80::1", "198.51.100.0/30",
};
static const char *const protocols[] = { "", "", "/tcp", "/udp", "/icmp", "/ip47", "/sctp" };

struct world {
	struct net_view net;
	struct segment segment;
	struct names_seen *names;
};

static void world_init(struct world *w)
{
	static const char *const at[] = { "10.77.0.2", "10.77.0.3", "fd00::2" };

	memset(w, 0, sizeof(*w));
	w->segment = (struct segment){
		.net = &w->net, .vid = 1, .has_subnet = true, .subnet = { 0x0a4d0000, 24 }, .gateway = 0x0a4d0001, .has_subnet6 = true,
		.stations = stations_new(16), .resolver = true,
	};
	assert_int_equal(prefix6_parse("fd00::/64", &w->segment.subnet6), 0);
	addr_parse("fd00::1", &w->segment.gateway6);
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
		struct station s = { .port = i % 2 + 1, .source = STATION_ARP, .seen_ms = NOW };

		addr_parse(at[i], &s.ip);
		station_note(w->segment.stations, &s, true);
	}
	w->names = names_seen_new();
	for (unsigned i = 0; i < NAMES; i++) {
		struct addr a;

		addr_parse(addresses[4 + i * 4], &a);
		names_seen_add(w->names, (uint16_t)(i + 1), a, i == 2 ? NOW : 2 * NOW, 1);	/* that of the third has just ended */
	}
}

static void world_fini(struct world *w)
{
	stations_free(w->segment.stations);
	names_seen_free(w->names);
}

/* ---- the second model: bit by bit, from what the words mean ---- */

static bool bits_equal(struct addr a, struct addr b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if ((a.bytes[i / 8] ^ b.bytes[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

static bool near(const struct world *w, struct addr a)
{
	return segment_has(&w->segment, a) || addr_is_multicast(a) || addr_is_link_local(a) || addr_equal(a, addr4(0xffffffff));
}

static bool model_peer(const struct world *w, const struct rule *r, struct addr peer, bool to_gateway)
{
	struct station s;

	if (r->peer == RULE_ANY)
		return true;
	if (!to_gateway && !near(w, peer))
		return false;
	if (r->peer == RULE_GATEWAY)
		return segment_is_gateway(&w->segment, peer);
	if (r->peer == RULE_PREFIX)
		return addr_is4(peer) == (addr_is4(r->prefix.addr) && r->prefix.len >= 96) && bits_equal(peer, r->prefix.addr, r->prefix.len);
	if (r->peer == RULE_GUEST)
		return station_find(w->segment.stations, peer, &s) && s.port == (uint32_t)(r->name[3] - '0');
	return names_seen_has(w->names, (uint16_t)(r->name[0] - 'a' + 1), peer, NOW);
}

static bool model_means(const struct world *w, const struct rule *r, const struct rules_query *q)
{
	const struct heading *h = q->heading;
	bool transport = h->proto == 6 || h->proto == 17 || h->proto == 132;

	if (!(r->directions & q->direction))
		return false;
	if (r->match == RULE_IP && h->proto != r->proto)
		return false;
	if (r->match == RULE_ICMP && h->proto != (addr_is4(h->src) ? 1 : 58))
		return false;
	if (r->ports && (!transport || h->dport < r->first || h->dport > r->last))
		return false;
	return model_peer(w, r, q->direction == RULE_EGRESS ? h->dst : h->src, q->to_gateway);
}

static int model_ask(const struct world *w, const struct rule *list, unsigned n, unsigned deny, const struct rules_query *q, bool *allow)
{
	for (unsigned i = 0; i < n; i++) {
		bool default_like = !list[i].allow && list[i].peer == RULE_ANY && list[i].match == RULE_EVERYTHING && !list[i].ports;

		if (model_means(w, &list[i], q) && !(default_like && rules_basic(q))) {
			*allow = list[i].allow;
			return (int)i;
		}
	}
	*allow = !(deny & q->direction) || rules_basic(q);
	return deny & q->direction && *allow ? RULES_BASIC : RULES_DEFAULT;
}

/* ---- random rules, random packets ---- */

static void random_rule(struct rule *r)
{
	static const char *const ports[] = { "", "", "", ":53", ":80", ":1-1023" };
	char text[RULE_TEXT];
	const char *why;

	do {
		static const char *const ways[] = { "egress", "ingress", "both" };
		const char *peer = peers[dice(ARRAY_SIZE(peers))], *port = ports[dice(ARRAY_SIZE(ports))];
		bool v6 = strchr(peer, ':');

		snprintf(text, sizeof(text), "%s %s %s%s%s%s%s", dice(2) ? "allow" : "deny", ways[dice(3)], v6 ? "[" : "", peer, v6 ? "]" : "", port,
			 protocols[dice(ARRAY_SIZE(protocols))]);
	} while (rule_parse(text, r, &why) < 0);
}

static void random_heading(struct heading *h)
{
	static const uint8_t protos[] = { 1, 6, 17, 58, 47, 132 };
	static const uint16_t ports[] = { 53, 67, 68, 80, 546, 547, 1023, 1024, 40000 };

	memset(h, 0, sizeof(*h));
	h->ip = true;
	do {
		addr_parse(addresses[dice(ARRAY_SIZE(addresses))], &h->src);
		addr_parse(addresses[dice(ARRAY_SIZE(addresses))], &h->dst);
	} while (addr_is4(h->src) != addr_is4(h->dst));
	h->ethertype = addr_is4(h->src) ? ETHERTYPE_IP4 : ETHERTYPE_IP6;
	h->proto = protos[dice(sizeof(protos))];
	h->ttl = dice(2) ? 255 : 1;
	h->icmp_type = (uint8_t)(128 + dice(10));
	if (heading_has_ports(h)) {
		h->sport = ports[dice(ARRAY_SIZE(ports))];
		h->dport = ports[dice(ARRAY_SIZE(ports))];
	}
}

static void ask_both(struct world *w, const struct rules *rules, const struct rule *list, unsigned n, unsigned deny)
{
	struct heading h;
	struct rules_query q = { .heading = &h, .segment = &w->segment, .names = w->names, .now_ms = NOW };
	bool allow = false, wanted = true;

	random_heading(&h);
	q.direction = dice(2) ? RULE_EGRESS : RULE_INGRESS;
	q.to_gateway = dice(2);
	assert_int_equal(rules_ask(rules, &q, &allow), model_ask(w, list, n, deny, &q, &wanted));
	assert_int_equal(allow, wanted);
}

static void test_second_model(void **state)
{
	struct rule_hits hits[RULES], none[2], *defaults[2] = { &none[0], &none[1] };
	struct rules_source source[RULES];
	struct rule list[RULES];
	struct world w;

	(void)state;
	world_init(&w);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned n = dice(RULES + 1), deny = dice(4);
		struct rules *rules;

		for (unsigned i = 0; i < n; i++) {
			random_rule(&list[i]);
			source[i] = (struct rules_source){ &list[i], &hits[i], (uint16_t)(list[i].name[0] - 'a' + 1), RULES_NO_GUEST };
			if (list[i].peer == RULE_GUEST)
				source[i].guest = list[i].name[3] - '0';
		}
		rules = rules_new(source, n, round, deny, defaults);
		assert_non_null(rules);
		for (unsigned i = 0; i < PACKETS; i++)
			ask_both(&w, rules, list, n, deny);
		rules_free(rules);
	}
	world_fini(&w);
}

static const struct {
	const char *what, *src, *dst;
	enum rule_direction direction;
	uint8_t proto, ttl, icmp;
	uint16_t sport, dport;
	bool passes;
} basics[] = {
	{ "a discover", "0.0.0.0", "255.255.255.255", RULE_EGRESS, 17, 64, 0, 68, 67, true },
	{ "a renewal", "10.77.0.2", "10.77.0.1", RULE_EGRESS, 17, 64, 0, 68, 67, true },
	{ "DHCP to somebody else", "10.77.0.2", "192.0.2.1", RULE_EGRESS, 17, 64, 0, 68, 67, false },
	{ "an offer", "10.77.0.1", "10.77.0.2", RULE_INGRESS, 17, 64, 0, 67, 68, true },
	{ "DNS with the gateway", "10.77.0.2", "10.77.0.1", RULE_EGRESS, 17, 64, 0, 40000, 53, true },
	{ "DNS with the gateway by TCP", "10.77.0.2", "10.77.0.1", RULE_EGRESS, 6, 64, 0, 40000, 53, true },
	{ "DNS with the gateway by IPv6", "fd00::2", "fd00::1", RULE_EGRESS, 17, 64, 0, 40000, 53, true },
	{ "another resolver", "10.77.0.2", "192.0.2.1", RULE_EGRESS, 17, 64, 0, 40000, 53, false },
	{ "from port 53, unasked", "10.77.0.1", "10.77.0.2", RULE_INGRESS, 17, 64, 0, 53, 40000, false },
	{ "a solicitation", "fd00::2", "ff02::1", RULE_EGRESS, 58, 255, 135, 0, 0, true },
	{ "a solicitation from afar", "fd00::2", "2001:db8::1", RULE_EGRESS, 58, 254, 135, 0, 0, false },
	{ "a redirect", "fe80::1", "fd00::2", RULE_INGRESS, 58, 255, 137, 0, 0, false },
	{ "a listener's report", "fe80::2", "ff02::16", RULE_EGRESS, 58, 1, 143, 0, 0, true },
	{ "an echo request", "10.77.0.2", "10.77.0.1", RULE_EGRESS, 1, 64, 8, 0, 0, false },
	{ "a metadata service", "10.77.0.2", "169.254.169.254", RULE_EGRESS, 6, 64, 0, 40000, 80, false },
};

static void test_basics(void **state)
{
	struct rule_hits none[2], *defaults[2] = { &none[0], &none[1] };
	struct rules *rules = rules_new(NULL, 0, 1, RULE_BOTH, defaults);
	struct world w;

	(void)state;
	world_init(&w);
	for (size_t i = 0; i < ARRAY_SIZE(basics); i++) {
		struct heading h = { .ip = true, .proto = basics[i].proto, .ttl = basics[i].ttl, .icmp_type = basics[i].icmp };
		struct rules_query q = { .heading = &h, .direction = basics[i].direction, .segment = &w.segment, .to_gateway = true };
		bool allow;

		print_message("  %s\n", basics[i].what);
		h.sport = basics[i].sport;
		h.dport = basics[i].dport;
		addr_parse(basics[i].src, &h.src);
		addr_parse(basics[i].dst, &h.dst);
		assert_int_equal(rules_ask(rules, &q, &allow), basics[i].passes ? RULES_BASIC : RULES_DEFAULT);
		assert_int_equal(allow, basics[i].passes);
	}
	rules_free(rules);
	world_fini(&w);
}

static void test_seen(void **state)
{
	struct names_seen *t = names_seen_new();

	(void)state;
	assert_false(names_seen_has(t, 1, addr4(1), 0));
	names_seen_add(t, 1, addr4(1), 100, 0);
	names_seen_add(t, 1, addr4(1), 50, 0);		/* the later end holds */
	assert_true(names_seen_has(t, 1, addr4(1), 99));
	assert_false(names_seen_has(t, 1, addr4(1), 100));
	assert_false(names_seen_has(t, 2, addr4(1), 0));
	names_seen_drop(t, 1);
	assert_false(names_seen_has(t, 1, addr4(1), 0));
	for (uint32_t i = 0; i < 100000; i++)		/* more than there is room for: bounded, and the last is there */
		names_seen_add(t, 3, addr4(i), 1000 + i, 0);
	assert_true(names_seen_has(t, 3, addr4(99999), 0));
	assert_in_range(names_seen_count(t, 3, 0), 1000, NAMES_SEEN_MAX + 16);
	names_seen_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_model), cmocka_unit_test(test_basics), cmocka_unit_test(test_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
