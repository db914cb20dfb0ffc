// SPDX-License-Identifier: GPL-2.0-or-later
/* Trials (switch/trial.h): what is said of a frame is what becomes of it, over random worlds and random frames; and saying it changes
 * nothing. TRIAL_FRAMES in the environment changes the number. */
#include "switch/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nat/gateway.h"
#include "switch/build.h"
#include "switch/connection.h"
#include "switch/fdb.h"
#include "switch/forward.h"
#include "switch/guard.h"
#include "switch/packet.h"
#include "switch/port_policy.h"
#include "switch/rules.h"
#include "switch/stage.h"
#include "tests/packet/rig.h"

enum { FRAMES = 20000, WORLD_FRAMES = 250, PORTS = 12, STATIONS = 10, RULES_OF_PORT = 4 };

/* world - two networks of one rig; of the first VLAN 1 has the real gateway, VLAN 10 a service that says one thing */
struct world {
	struct rig *rig;
	struct gateway *gateway;
	struct rig_service service;
	struct rig_port *ports[PORTS];
	struct port_policy policies[PORTS];	/* of those that have rules */
	struct outbox *out;
	unsigned verdicts[VERDICT_COUNT];
};

static uint64_t random_state = 0x2545f4914f6cdd1dull;

static uint32_t rnd(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % below;
}

static void station_mac(unsigned i, uint8_t mac[6])
{
	memcpy(mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)i }, 6);
}

/* ---- guards and rules ---- */

static struct rule_hits hits[RULES_OF_PORT + 2];

/* random_policy() - some of these, and a default that denies now and then */
static void random_policy(struct port_policy *p)
{
	static const char *const texts[] = {
		"deny egress 10.0.0.3", "allow egress 10.0.0.0/29:9/udp", "deny egress any/icmp", "allow ingress 10.0.0.2/icmp",
		"deny ingress 10.0.0.5", "allow egress 198.51.100.2/tcp", "deny egress gateway", "allow ingress any",
	};
	static struct rule parsed[ARRAY_SIZE(texts)];
	struct rules_source list[RULES_OF_PORT];
	struct rule_hits *defaults[2] = { &hits[RULES_OF_PORT], &hits[RULES_OF_PORT + 1] };
	const char *why;

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(rule_parse(texts[i], &parsed[i], &why), 0);
	for (unsigned i = 0; i < RULES_OF_PORT; i++)
		list[i] = (struct rules_source){ .rule = &parsed[rnd(ARRAY_SIZE(texts))], .hits = &hits[i], .guest = RULES_NO_GUEST };
	p->rules = rules_new(list, RULES_OF_PORT, 1, rnd(4), defaults);
	p->connections = connections_new();
	assert_non_null(p->rules);
	assert_non_null(p->connections);
}

static struct guard *random_guard(unsigned i)
{
	struct guard_conf conf = { .flags = rnd(32), .max_macs = rnd(2) ? 0 : 1 + rnd(4), .nmacs = 1, .nfixed = 2 };

	station_mac(i % STATIONS, conf.macs[0]);
	conf.fixed[0] = addr4(0x0a000000 + rnd(8));
	conf.fixed[1] = addr4(0x0a000000 + rnd(8));
	return guard_new(&conf);
}

static void random_stages(struct world *x, unsigned i)
{
	struct rig_port *p = x->ports[i];

	p->stages_out = rnd(3) ? 0 : STAGE_ISOLATED;
	if (rnd(3) == 0) {
		p->guard = random_guard(i);
		assert_non_null(p->guard);
		p->stages_in |= STAGE_GUARD;
	}
	if (rnd(4) == 0) {
		random_policy(&x->policies[i]);
		p->stages_in |= STAGE_POLICY;
		p->stages_out |= STAGE_POLICY;
	}
}

/* complete() - the rules, which the rig does not know */
static void complete(struct rig *rig, struct snapshot *snap)
{
	struct world *x = rig->arg;

	for (unsigned i = 0; i < PORTS; i++)
		if (x->policies[i].rules)
			snap->ports[x->ports[i]->port.id].policy = &x->policies[i];
}

/* random_port() - access, trunk with or without a native VLAN, alone, the host's end; some isolated, some with their link down */
static struct rig_port *random_port(struct world *x, bool alone)
{
	struct segment *segment;
	struct rig_port *p;

	switch (alone ? 2 : rnd(6)) {
	case 0:
		p = rig_port(x->rig, 0, rig_trunk((uint16_t)(rnd(2) ? 1 : 0), 10, 12));
		break;
	case 1:
		p = rig_port(x->rig, 1, rig_access(1));
		break;
	case 2:
		p = alone ? rig_port_alone(x->rig, 0, gateway_service(x->gateway), &segment) : rig_port(x->rig, 0, rig_access(11));
		break;
	default:
		p = rig_port(x->rig, 0, rig_access(rnd(3) ? 1 : 10));
	}
	p->link_up = rnd(10) != 0;
	return p;
}

static void world_init(struct world *x)
{
	memset(x, 0, sizeof(*x));
	x->rig = rig_new();
	x->gateway = gateway_new();
	x->out = calloc(1, sizeof(*x->out));
	assert_non_null(x->out);
	rig_service_init(&x->service, rnd(2) ? VERDICT_CONSUMED_NAT : VERDICT_DROP_OTHER_NETWORK);
	rig_net(x->rig, 1500, true);
	rig_net(x->rig, 1500, rnd(2));
	rig_segment(x->rig, 0, 1, gateway_service(x->gateway));
	if (rnd(2))
		rig_segment(x->rig, 0, 10, &x->service.service);
	for (unsigned i = 0; i < PORTS; i++)
		x->ports[i] = random_port(x, i == 3);
	for (unsigned i = 0; i < PORTS; i++)
		random_stages(x, i);
	x->rig->complete = complete;
	x->rig->arg = x;
	rig_publish(x->rig);
	if (rnd(3) == 0 && x->ports[0]->net == 0 && !x->ports[0]->alone)	/* the host is a member */
		x->rig->snapshot->nets[0].segments[0].host = &x->rig->snapshot->ports[x->ports[0]->port.id];
}

static void world_fini(struct world *x)
{
	x->rig->complete = NULL;	/* the rig publishes again as its ports go */
	rig_free(x->rig);
	gateway_free(x->gateway);
	for (unsigned i = 0; i < PORTS; i++) {
		rules_free(x->policies[i].rules);
		connections_free(x->policies[i].connections);
	}
	free(x->out);
}

/* ---- frames ---- */

static void random_macs(const struct world *x, uint8_t dst[6], uint8_t src[6])
{
	static const uint8_t odd[][6] = {
		{ 255, 255, 255, 255, 255, 255 }, { 0x01, 0, 0x5e, 0, 0, 251 }, { 0x01, 0x80, 0xc2, 0, 0, 0x0e }, { 0 }, { 0x33, 0x33, 0, 0, 0, 1 },
	};

	(void)x;
	station_mac(rnd(STATIONS), dst);
	station_mac(rnd(STATIONS), src);
	if (rnd(3) == 0)
		rig_gateway_mac(0, rnd(4) ? 1 : 10, dst);
	else if (rnd(4) == 0)
		memcpy(dst, odd[rnd(ARRAY_SIZE(odd))], 6);
	if (rnd(30) == 0)
		rig_gateway_mac(0, 1, src);
	else if (rnd(40) == 0)
		memcpy(src, odd[rnd(ARRAY_SIZE(odd))], 6);
}

/* random_frame() - ARP, a ping, UDP or TCP to somebody near or far, or something else; Return: its length */
static uint32_t random_frame(const struct world *x, uint8_t *to)
{
	struct addr src = addr4(0x0a000000 + rnd(8)), dst = addr4(rnd(3) ? 0x0a000000 + rnd(8) : 0xc6336402);
	uint8_t bytes[256] = { 0 }, macs[2][6], *l4;
	static const uint8_t protos[] = { PROTO_ICMP, PROTO_UDP, PROTO_TCP, 132 };
	uint8_t proto = protos[rnd(ARRAY_SIZE(protos))];
	uint32_t len, at = 12;

	random_macs(x, macs[0], macs[1]);
	switch (rnd(4)) {
	case 0:
		len = build_arp(bytes, (uint16_t)(1 + rnd(2)), macs[1], addr_4(src), macs[0], addr_4(dst), macs[0]);
		memcpy(bytes + 6, macs[1], 6);
		break;
	case 1:
		len = rig_eth(bytes, macs[0], macs[1], -1, rnd(2) ? 0x1234 : ETHERTYPE_MAC_CONTROL, rnd(20) ? 46 : 0);
		break;
	default:
		l4 = build_ip(bytes, macs[0], macs[1], src, dst, proto, (uint8_t)(rnd(8) ? 64 : 1), 40);
		if (proto == PROTO_UDP) {
			build_udp(l4, src, 1000, dst, 9, 32);
		} else if (proto == PROTO_ICMP) {
			l4[0] = rnd(3) ? 8 : 0;
			put_u16(l4 + 2, l4[0] ? 0xf7ff : 0xffff);
		}
		len = (uint32_t)(l4 - bytes) + 40;
	}
	if (rnd(4) == 0) {			/* a tag, of a VLAN that is there or not */
		memmove(bytes + at + 4, bytes + at, len - at);
		put_u16(bytes + at, ETHERTYPE_CTAG);
		put_u16(bytes + at + 2, (uint16_t)(rnd(3) ? 10 + rnd(4) : rnd(2)));
		len += 4;
	}
	memcpy(to, bytes, len);
	return rnd(50) ? len : rnd(20);
}

/* ---- trial and truth ---- */

/* tally - everything that counters say of everybody */
struct tally {
	struct port_stats ports[PORTS + 2];
	unsigned seen;
	uint64_t hits[ARRAY_SIZE(hits)];
};

static void tally(const struct world *x, struct tally *to)
{
	memset(to, 0, sizeof(*to));
	for (unsigned i = 0; i < PORTS; i++)
		to->ports[i] = rig_stats(&x->ports[i]->port);
	for (unsigned i = 0; i < 2; i++)
		if (x->rig->nets[i].local)
			to->ports[PORTS + i] = rig_stats(x->rig->nets[i].local);
	to->seen = x->service.seen;
	for (unsigned i = 0; i < ARRAY_SIZE(hits); i++)
		to->hits[i] = atomic_load(&hits[i].n);
}

/* try_it() - twice, for a trial that leaves a trace would show in the second */
static struct trial try_it(struct world *x, const struct rig_port *in, const uint8_t *data, uint32_t len)
{
	const struct port_view *view = &x->rig->snapshot->ports[in->port.id];
	static struct tally before, after;
	struct trial t[2];

	tally(x, &before);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t bytes[256];
		struct frame f;

		memcpy(bytes, data, len);
		frame_init(&f, bytes, len);
		forward_trial(x->rig->w, x->out, x->rig->snapshot, view, &f, &t[i]);
	}
	tally(x, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_memory_equal(&t[0], &t[1], sizeof(t[0]));
	for (unsigned i = 0; i < PORTS; i++)
		assert_int_equal(x->ports[i]->nsent, 0);
	return t[0];
}

static bool is_named(const struct trial *t, uint32_t id)
{
	for (unsigned i = 0; i < t->nports && i < TRIAL_PORTS; i++)
		if (t->ports[i] == id)
			return true;
	return false;
}

/* frames_of() - copies of the offered frame itself that the port was given; the rest somebody made as an answer */
static unsigned frames_of(const struct rig_port *p, uint32_t serial)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->nsent; i++)
		n += p->sent[i].serial == serial;
	return n;
}

static void check_truth(struct world *x, struct rig_port *in, const struct trial *t, const uint8_t *data, uint32_t len)
{
	struct port_stats before = rig_stats(&in->port), after;
	unsigned copies = 0;
	uint32_t serial;

	rig_offer(in, data, len);
	serial = x->rig->serial;
	rig_run(x->rig);
	after = rig_stats(&in->port);
	for (unsigned v = 0; v < VERDICT_COUNT; v++)
		if (counter_get(&after.verdicts[v]) != counter_get(&before.verdicts[v])) {
			if (v != t->verdict)
				print_message("  said %s, and it was %s\n", verdict_name(t->verdict), verdict_name(v));
			assert_int_equal(v, t->verdict);
			x->verdicts[v]++;
		}
	for (unsigned i = 0; i < PORTS; i++) {
		unsigned n = frames_of(x->ports[i], serial);

		assert_int_equal(n, is_named(t, x->ports[i]->port.id));
		copies += n;
	}
	assert_int_equal(copies, t->nports);
	rig_clear(x->rig);
}

static void test_trial_and_truth(void **state)
{
	const char *wanted = getenv("TRIAL_FRAMES");
	unsigned frames = wanted ? (unsigned)atoi(wanted) : FRAMES, verdicts[VERDICT_COUNT] = { 0 }, kinds = 0;
	static struct world x;

	(void)state;
	for (unsigned n = 0; n < frames; n += WORLD_FRAMES) {
		world_init(&x);
		for (unsigned i = 0; i < WORLD_FRAMES; i++) {
			struct rig_port *in = x.ports[rnd(PORTS)];
			uint8_t data[256];
			uint32_t len = random_frame(&x, data);
			struct trial t = try_it(&x, in, data, len);

			check_truth(&x, in, &t, data, len);
		}
		for (unsigned v = 0; v < VERDICT_COUNT; v++)
			verdicts[v] += x.verdicts[v];
		world_fini(&x);
	}
	for (unsigned v = 0; v < VERDICT_COUNT; v++) {
		if (verdicts[v])
			print_message("  %7u %s\n", verdicts[v], verdict_name(v));
		kinds += verdicts[v] > 0;
	}
	assert_true(kinds >= 20);		/* the worlds are rich enough to tell */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_trial_and_truth) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
