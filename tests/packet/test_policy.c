// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules of a port in the frame path: whole conversations step by step, as tables of packets. A guest (web) has the rules, peers and the
 * gateway have none. */
#include "switch/port_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/build.h"
#include "switch/connection.h"
#include "switch/names_seen.h"
#include "switch/request.h"
#include "switch/stage.h"
#include "tests/packet/rig.h"

enum { SYN = 2, ACK = 16, FIN = 1, RST = 4, FRAME_ROOM = 256, RULES = 8 };

static const uint8_t web_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 2 };

struct bed {
	struct rig *rig;
	struct rig_service service;
	struct segment *segment;
	struct rig_port *web, *peer;
	struct port_policy policy;
	struct rule rules[RULES];
	struct rule_hits hits[RULES], none[2];
	struct requests *requests;
	uint32_t number;
};

/* set_rules() - texts, ended by NULL */
static void set_rules(struct bed *b, unsigned deny, const char *const *texts)
{
	struct rule_hits *defaults[2] = { &b->none[0], &b->none[1] };
	struct rules_source source[RULES];
	unsigned n = 0;
	const char *why;

	for (; texts && texts[n]; n++) {
		assert_int_equal(rule_parse(texts[n], &b->rules[n], &why), 0);
		source[n] = (struct rules_source){ &b->rules[n], &b->hits[n], 1, (int32_t)b->peer->port.id };
	}
	rules_free(b->policy.rules);
	b->policy.rules = rules_new(source, n, ++b->number, deny, defaults);
	assert_non_null(b->policy.rules);
}

static void learn(struct bed *b, struct rig_port *p, const uint8_t mac[6])
{
	uint8_t frame[64];

	rig_offer(p, frame, rig_eth(frame, mac, mac, -1, 0x1234, 46));
	rig_run(b->rig);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	b->rig = rig_new();
	rig_net(b->rig, 1500, true);
	rig_service_init(&b->service, VERDICT_CONSUMED_NAT);
	b->segment = rig_segment(b->rig, 0, 1, &b->service.service);
	b->segment->has_subnet6 = true;
	assert_int_equal(prefix6_parse("fd00::/64", &b->segment->subnet6), 0);
	b->web = rig_port(b->rig, 0, rig_access(1));
	b->peer = rig_port(b->rig, 0, rig_access(1));
	b->requests = requests_new();
	b->policy.connections = connections_new();
	b->policy.requests = b->requests;
	b->web->policy = &b->policy;
	set_rules(b, 0, NULL);
	rig_publish(b->rig);
	learn(b, b->web, web_mac);
	learn(b, b->peer, peer_mac);
	b->web->stages_in = b->web->stages_out = STAGE_POLICY;
	rig_publish(b->rig);
	rig_clear(b->rig);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	assert_true(rig_identities(&b->web->port));
	assert_true(rig_identities(&b->peer->port));
	rig_free(b->rig);
	rules_free(b->policy.rules);
	connections_free(b->policy.connections);
	requests_free(b->requests);
	free(b);
	return 0;
}

/* ---- packets ---- */

/* step - one packet, and whether it is to arrive */
struct step {
	char from;			/* 'w' from the guest with rules to the peer, 'p' back, 'g' from the guest to the gateway's address */
	uint8_t proto, flags;		/* TCP flags, or ICMP type */
	uint16_t sport, dport;
	bool passes;
	uint16_t fragment;		/* flags and offset as in an IP header */
	bool v6;
};

#define S(from, proto, flags, sport, dport, passes) { from, proto, flags, sport, dport, passes, 0, false }

static struct addr address(char who, bool v6)
{
	struct addr a;

	assert_int_equal(addr_parse(v6 ? (who == 'w' ? "fd00::2" : "fd00::3") : who == 'w' ? "10.0.0.2" : who == 'p' ? "10.0.0.3" : "192.0.2.7", &a), 0);
	return a;
}

static uint32_t make(const struct bed *b, const struct step *s, uint8_t *frame)
{
	struct addr src = address(s->from == 'p' ? 'p' : 'w', s->v6), dst = address(s->from == 'p' ? 'w' : s->from == 'g' ? 'g' : 'p', s->v6);
	const uint8_t *to = s->from == 'p' ? web_mac : s->from == 'g' ? b->segment->gateway_mac : peer_mac;
	uint8_t *p = build_ip(frame, to, s->from == 'p' ? peer_mac : web_mac, src, dst, s->proto, 64, 40);

	memset(p, 0, 40);
	if (s->proto == PROTO_ICMP || s->proto == PROTO_ICMP6) {
		p[0] = s->flags;
		put_u16(p + 4, s->sport);
	} else {
		put_u16(p, s->sport);
		put_u16(p + 2, s->dport);
		put_u16(p + 4, 40);
	}
	if (s->proto == PROTO_TCP) {
		p[12] = 5 << 4;
		p[13] = s->flags;
	}
	if (s->fragment) {
		put_u16(frame + ETH_HEADER + 6, s->fragment);
		put_u16(frame + ETH_HEADER + 4, 77);
	}
	return (uint32_t)(p + 40 - frame);
}

static bool arrives(struct bed *b, const struct step *s)
{
	struct rig_port *from = s->from == 'p' ? b->peer : b->web, *to = s->from == 'p' ? b->web : b->peer;
	uint8_t frame[FRAME_ROOM];
	uint64_t denied = rig_verdict(from, VERDICT_DROP_POLICY) + rig_verdict(from, VERDICT_DROP_FRAGMENT) +
			  rig_verdict(from, VERDICT_DROP_MALFORMED);
	bool there;

	rig_clear(b->rig);
	b->service.seen = 0;
	rig_offer(from, frame, make(b, s, frame));
	rig_run(b->rig);
	there = rig_verdict(from, VERDICT_DROP_POLICY) + rig_verdict(from, VERDICT_DROP_FRAGMENT) + rig_verdict(from, VERDICT_DROP_MALFORMED) ==
		denied;
	if (s->from != 'g')
		assert_int_equal(to->nsent, there);
	return there;
}

struct scene {
	const char *what;
	unsigned deny;
	const char *rules[4];
	struct step steps[8];		/* ended by one from nobody */
};

static const struct scene scenes[] = {
	{ "no rules: everything", 0, { NULL }, { S('w', 6, SYN, 1000, 80, true), S('p', 6, SYN, 1000, 80, true), S('p', 6, ACK, 7, 8, true) } },
	{ "deny: nothing either way", RULE_BOTH, { NULL }, { S('w', 6, SYN, 1000, 80, false), S('p', 6, SYN, 1000, 80, false),
	  S('w', 17, 0, 5, 6, false), S('p', 1, 8, 9, 9, false), S('g', 6, SYN, 1, 443, false) } },
	{ "a TCP connection whole", RULE_BOTH, { "allow egress 10.0.0.3:80/tcp" }, { S('w', 6, SYN, 1000, 80, true), S('p', 6, SYN | ACK, 80, 1000, true),
	  S('w', 6, ACK, 1000, 80, true), S('p', 6, ACK, 80, 1000, true), S('w', 6, FIN | ACK, 1000, 80, true), S('p', 6, FIN | ACK, 80, 1000, true),
	  S('w', 6, ACK, 1000, 80, true) } },
	{ "a stray ACK opens nothing", RULE_BOTH, { "allow egress 10.0.0.3:80/tcp" }, { S('w', 6, ACK, 1000, 80, true), S('p', 6, ACK, 80, 1000, false),
	  S('p', 6, SYN | ACK, 80, 1000, false) } },
	{ "a SYN opens for SYN-ACK and reset alone", RULE_BOTH, { "allow egress 10.0.0.3:80/tcp" }, { S('w', 6, SYN, 1000, 80, true),
	  S('p', 6, ACK, 80, 1000, false), S('p', 6, SYN, 80, 1000, false), S('p', 6, RST, 80, 1000, false), S('p', 6, RST | ACK, 80, 1000, true) } },
	{ "other ports of the same peer", RULE_BOTH, { "allow egress 10.0.0.3:80/tcp" }, { S('w', 6, SYN, 1000, 81, false), S('w', 17, 0, 1000, 80, false),
	  S('w', 6, SYN, 1000, 80, true), S('p', 6, SYN | ACK, 81, 1000, false) } },
	{ "a datagram and its answer", RULE_BOTH, { "allow egress 10.0.0.0/24:53" }, { S('w', 17, 0, 1000, 53, true), S('p', 17, 0, 53, 1000, true),
	  S('p', 17, 0, 53, 1001, false), S('p', 17, 0, 54, 1000, false) } },
	{ "ping, one way", RULE_BOTH, { "allow egress any/icmp" }, { S('w', 1, 8, 9, 9, true), S('p', 1, 0, 9, 9, true), S('p', 1, 8, 9, 9, true), S('p', 1, 8, 7, 7, false),
	  S('p', 1, 0, 7, 7, false) } },
	{ "from others to a port of the guest", RULE_BOTH, { "allow ingress 10.0.0.3:22/tcp" }, { S('p', 6, SYN, 1000, 22, true),
	  S('w', 6, SYN | ACK, 22, 1000, true), S('p', 6, ACK, 1000, 22, true), S('w', 6, SYN, 2000, 22, false) } },
	{ "a guest by its name, and nobody else", RULE_BOTH, { "allow egress web2:80" }, { S('w', 6, SYN, 1000, 80, false) } },
	{ "the first rule decides", 0, { "deny egress 10.0.0.3:80", "allow egress any", "deny egress 10.0.0.3" }, { S('w', 6, SYN, 1, 80, false), S('w', 6, SYN, 1, 81, true) } },
	{ "an outside address at the gateway alone", RULE_BOTH, { "allow egress 192.0.2.0/24" }, { S('g', 6, SYN, 1, 443, true), S('w', 6, SYN, 1, 443, false) } },
	{ "fragments follow the first", RULE_BOTH, { "allow egress 10.0.0.3:53/udp" }, { { 'w', 17, 0, 0, 0, false, 0x2003, false }, { 'w', 17, 0, 1000, 53, true, 0x2000, false },
	  { 'w', 17, 0, 0, 0, true, 0x2005, false }, { 'w', 17, 0, 0, 0, true, 5, false }, { 'p', 17, 0, 0, 0, false, 5, false } } },
	{ "a fragment that would write over the ports", 0, { NULL }, { { 'w', 17, 0, 1000, 53, true, 0x2000, false }, { 'w', 17, 0, 0, 0, false, 1, false } } },
	{ "IPv6 as well", RULE_BOTH, { "allow egress [fd00::/64]:80/tcp" }, { { 'w', 6, SYN, 1, 80, true, 0, true }, { 'p', 6, SYN | ACK, 80, 1, true, 0, true },
	  { 'p', 6, SYN, 80, 2, false, 0, true }, { 'w', 6, SYN, 1, 81, false, 0, true } } },
	{ "IPv4's any is not IPv6's", RULE_BOTH, { "allow egress 0.0.0.0/0" }, { S('w', 6, SYN, 1, 80, true), { 'w', 6, SYN, 1, 80, false, 0, true } } },
};

static void play(struct bed *b, const struct scene *s)
{
	print_message("  %s\n", s->what);
	set_rules(b, s->deny, s->rules);
	for (const struct step *step = s->steps; step->from; step++) {
		if (arrives(b, step) == step->passes)
			continue;
		print_error("step %u\n", (unsigned)(step - s->steps) + 1);
		assert_int_equal(!step->passes, step->passes);
	}
}

static void test_scenes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		setup(state);
		play(*state, &scenes[i]);
		if (i + 1 < ARRAY_SIZE(scenes))
			teardown(state);
	}
}

/* A rule that goes ends what it let begin; one that stays leaves it, whatever else changes. */
static void test_live(void **state)
{
	struct bed *b = *state;
	static const char *const one[] = { "allow egress 10.0.0.3:80/tcp", NULL }, *const other[] = { "deny egress any:81", "allow egress 10.0.0.3:80", NULL };
	const struct step syn = S('w', 6, SYN, 1000, 80, true), answer = S('p', 6, SYN | ACK, 80, 1000, true), ack = S('w', 6, ACK, 1000, 80, true),
			  back = S('p', 6, ACK, 80, 1000, true);

	set_rules(b, RULE_BOTH, one);
	assert_true(arrives(b, &syn) && arrives(b, &answer) && arrives(b, &ack));
	set_rules(b, RULE_BOTH, other);
	assert_true(arrives(b, &back));		/* asked about from its other end */
	assert_true(arrives(b, &ack));
	set_rules(b, RULE_BOTH, NULL);
	assert_false(arrives(b, &back));
	assert_false(arrives(b, &ack));
	set_rules(b, RULE_BOTH, one);
	assert_false(arrives(b, &back));	/* it has ended */
}

static void test_counts_and_tells(void **state)
{
	struct bed *b = *state;
	static const char *const rules[] = { "allow egress 10.0.0.3:80/tcp", "deny egress 10.0.0.3:81", NULL };
	const struct step yes = S('w', 6, SYN, 1000, 80, true), no = S('w', 6, SYN, 1000, 81, false), none = S('w', 6, SYN, 1000, 82, false);
	struct policy_denial d;
	struct request r;
	unsigned told = 0;

	set_rules(b, RULE_EGRESS, rules);
	b->hits[0].n = b->hits[1].n = b->none[0].n = 0;
	for (unsigned i = 0; i < 50; i++) {
		struct step again = no;

		again.sport = (uint16_t)(2000 + i);
		arrives(b, &again);
	}
	arrives(b, &yes);
	arrives(b, &none);
	assert_int_equal(b->hits[0].n, 1);
	assert_int_equal(b->hits[1].n, 50);
	assert_int_equal(b->none[0].n, 1);
	while (request_take(b->requests, &r)) {
		assert_int_equal(r.kind, REQUEST_DENIED);
		memcpy(&d, r.data, sizeof(d));
		assert_int_equal(d.direction, RULE_EGRESS);
		assert_true(addr_equal(r.dst, address('p', false)));
		told++;
	}
	assert_in_range(told, 1, 20);		/* a few a second, whatever the guest does */
	assert_true(told + atomic_load(&b->policy.untold) <= 51);
}

/* An error about a packet of a flow is the flow's; one about somebody else's is judged alone. */
static void test_icmp_error(void **state)
{
	struct bed *b = *state;
	static const char *const rules[] = { "allow egress 10.0.0.3:53/udp", NULL };
	const struct step ask = S('w', 17, 0, 1000, 53, true);
	uint8_t frame[FRAME_ROOM], quoted[FRAME_ROOM];

	set_rules(b, RULE_BOTH, rules);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *p;

		make(b, &ask, quoted);
		p = build_ip(frame, web_mac, peer_mac, address('p', false), address('w', false), PROTO_ICMP, 64, 8 + 28);
		memset(p, 0, 8);
		p[0] = 3;
		p[1] = 3;
		memcpy(p + 8, quoted + ETH_HEADER, 28);
		rig_clear(b->rig);
		rig_offer(b->peer, frame, (uint32_t)(p + 36 - frame));
		rig_run(b->rig);
		assert_int_equal(b->web->nsent, i);
		if (i == 0)
			assert_true(arrives(b, &ask));
	}
}

/* What why is told leaves no trace. */
static void test_trial(void **state)
{
	struct bed *b = *state;
	static const char *const rules[] = { "allow egress 10.0.0.3:80/tcp", NULL };
	const struct step syn = S('w', 6, SYN, 1000, 80, true), answer = S('p', 6, SYN | ACK, 80, 1000, false);
	struct policy_case c = { .direction = RULE_EGRESS, .segment = b->segment, .now_ms = 1, .trial = true };
	struct policy_reason why;
	uint8_t bytes[FRAME_ROOM];
	struct frame f;

	set_rules(b, RULE_BOTH, rules);
	b->hits[0].n = 0;
	frame_init(&f, bytes, make(b, &syn, bytes));
	f.vid = 1;
	c.frame = &f;
	assert_int_equal(port_policy_judge(&b->policy, &c, &why), VERDICT_FORWARDED);
	assert_int_equal(why.rule, 0);
	assert_int_equal(b->hits[0].n, 0);
	assert_false(arrives(b, &answer));
	assert_int_equal(connections_count(b->policy.connections, 1), 0);
}

/* A flood of what nobody answers displaces itself, and not what is open or what the guest began. */
static void test_flood(void **state)
{
	struct bed *b = *state;
	struct connection_packet open = { .key = { .guest = addr4(1), .peer = addr4(2), .guest_port = 1, .peer_port = 80, .vid = 1, .proto = 6 } };
	struct connections *t = b->policy.connections;
	struct connection_packet p = open;
	bool by_guest;

	open.by_guest = true;
	open.tcp_flags = SYN;
	assert_true(connection_open(t, &open, 1, 1000));
	p.by_guest = false;
	for (uint32_t i = 0; i < 1000000; i++) {
		p.key.peer = addr4(1000 + i);
		p.tcp_flags = SYN;
		connection_open(t, &p, 1, 1000);
	}
	assert_int_equal(connection_look(t, &open, 1, 1001, &by_guest), CONNECTION_PASS);
	assert_true(by_guest);
	assert_in_range(connections_count(t, 1001), CONNECTION_PLACES / 2, CONNECTION_PLACES);
	p.by_guest = true;			/* and the guest finds room among them */
	for (uint32_t i = 0; i < 20000; i++) {
		p.key.peer = addr4(0x40000000 + i);
		assert_true(connection_open(t, &p, 1, 1001));
	}
}

/* Fifty thousand flows at once (NEEDS) find their places. */
static void test_many(void **state)
{
	struct bed *b = *state;
	struct connection_packet p = { .key = { .guest = addr4(1), .peer_port = 53, .vid = 1, .proto = 17 }, .by_guest = true };
	unsigned lost = 0;
	bool by_guest;

	for (uint32_t i = 0; i < 50000; i++) {
		p.key.peer = addr4(i / 50);
		p.key.guest_port = (uint16_t)(i % 50);
		assert_true(connection_open(b->policy.connections, &p, 1, 1000));
	}
	for (uint32_t i = 0; i < 50000; i++) {
		p.key.peer = addr4(i / 50);
		p.key.guest_port = (uint16_t)(i % 50);
		lost += connection_look(b->policy.connections, &p, 1, 1000, &by_guest) != CONNECTION_PASS;
	}
	assert_in_range(lost, 0, 50);
	assert_int_equal(connections_count(b->policy.connections, 1000 + 120000), 0);	/* RFC 4787 REQ-5: two minutes */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_scenes, teardown),
		cmocka_unit_test_setup_teardown(test_live, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counts_and_tells, setup, teardown),
		cmocka_unit_test_setup_teardown(test_icmp_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trial, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
