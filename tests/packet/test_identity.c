// SPDX-License-Identifier: GPL-2.0-or-later
/* Promise 5 of DESIGN, over a million random frames: every frame ends in exactly one verdict, the one that a second, plain
 * account of the rules gives (rig_model.h); copies go to exactly the ports that it names and to no other; per port, received
 * plus made = sum of verdicts and queued = sent + tx drops. IDENTITY_FRAMES in the environment changes the number. */
#include "tests/packet/rig_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"

#ifdef __SANITIZE_THREAD__
enum { FRAMES = 50000 };		/* one thread: there is nothing to find but slowness */
#else
enum { FRAMES = 1000000 };
#endif
enum { EXPECTED = 4096, LONGEST = 2000, PORTS = 32, STATIONS = 16 };

/* expected - the model's answer for a frame that is on its way */
struct expected {
	uint32_t serial;
	const struct rig_port *in;
	struct model_fate fate;
	uint64_t offered;		/* ports that were offered a copy */
	unsigned taken;
	uint8_t bytes[LONGEST + 64];	/* as sent by the guest */
};

static struct {
	struct rig *rig;
	struct model model;
	struct expected expected[EXPECTED];
	uint64_t verdicts[PORTS][VERDICT_COUNT + 1];	/* by port of origin */
	uint64_t copies[PORTS], refused[PORTS];
	uint32_t last_serial[PORTS][PORTS];		/* from, to: order is kept */
	unsigned made;
} t;

static uint64_t random_state = 0x9e3779b97f4a7c15ull;

static uint32_t rnd(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % below;
}

/* ---- frames ---- */

static void random_mac(uint8_t mac[6], bool source)
{
	static const uint8_t odd[][6] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, { 0x01, 0x00, 0x5e, 0, 0, 251 }, { 0 },
		{ 0x01, 0x80, 0xc2, 0, 0, 0 }, { 0x01, 0x80, 0xc2, 0, 0, 0x0e }, { 0x01, 0x80, 0xc2, 0, 0, 0x10 },
		{ 0x01, 0x80, 0xc2, 0, 1, 0 }, { 0x06, 1, 2, 3, 4, 5 },
	};

	if (rnd(source ? 20 : 4) == 0) {
		memcpy(mac, odd[rnd(ARRAY_SIZE(odd))], 6);
	} else if (rnd(source ? 40 : 6) == 0) {
		rig_gateway_mac(rnd(2), rnd(2) ? 1 : 10, mac);
	} else {
		memset(mac, 0, 6);
		mac[0] = 2;
		mac[5] = (uint8_t)rnd(STATIONS);
	}
}

static uint16_t random_tci(void)
{
	static const uint16_t vids[] = { 0, 1, 10, 11, 12, 20, 30, 4094, 4095 };

	return (uint16_t)(rnd(16) << 12 | vids[rnd(ARRAY_SIZE(vids))]);
}

/* put_headers() - TCP or UDP over IPv4 or IPv6, now and then with a bit that does not fit */
static void put_headers(uint8_t *ip, bool v6, uint8_t proto)
{
	uint8_t *l4 = ip + (v6 ? 40 : 20);

	ip[0] = v6 ? 0x60 : 0x45;
	if (v6) {
		ip[6] = proto;
	} else {
		put_u16(ip + 6, rnd(20) ? 0x4000 : 0x2000);
		ip[9] = proto;
	}
	l4[12] = (uint8_t)(rnd(20) ? 0x50 : rnd(256));
}

static void random_offload(struct offload *o, uint32_t l4, uint8_t proto, bool v6)
{
	*o = (struct offload){ 0 };
	switch (rnd(8)) {
	case 0:				/* anything */
		*o = (struct offload){ (uint8_t)rnd(8), (uint8_t)rnd(256), (uint16_t)rnd(65536), (uint16_t)rnd(65536),
				       (uint16_t)rnd(2100), (uint16_t)rnd(64) };
		break;
	case 1:				/* GSO that fits, mostly */
		*o = (struct offload){ 1, proto == 17 ? 5 : v6 ? 4 : 1, 0, (uint16_t)(200 + rnd(1400)), (uint16_t)l4, 16 };
		o->gso_type |= rnd(8) ? 0 : 0x80;
		break;
	case 2:
		*o = (struct offload){ .flags = 1, .csum_start = (uint16_t)l4, .csum_offset = proto == 17 ? 6 : 16 };
		break;
	}
}

/* random_frame() - onto the wire of @p */
static void random_frame(struct rig_port *p)
{
	static const uint16_t types[] = { 0x0800, 0x0806, 0x86dd, 0x8808, 0x8100, 0x88a8, 0x1234, 60 };
	uint8_t bytes[LONGEST + 64], dst[6], src[6], proto = rnd(2) ? 6 : 17;
	int tci = rnd(3) ? -1 : random_tci();
	uint16_t type = types[rnd(4) ? rnd(3) : rnd(ARRAY_SIZE(types))];
	bool v6 = type == 0x86dd;
	uint32_t len = rnd(8) ? rnd(LONGEST + 1) : rnd(80), at = tci < 0 ? 14 : 18;
	struct rig_frame *f;

	random_mac(dst, false);
	random_mac(src, true);
	rig_eth(bytes, dst, src, tci, type, LONGEST);
	if (tci >= 0 && rnd(30) == 0)
		put_u16(bytes + 12, 0x88a8);
	if (type == 0x0800 || v6)
		put_headers(bytes + at, v6, proto);
	if (type == 0x0806)
		memcpy(bytes + at, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, (uint8_t)(1 + rnd(2)) }, 8);
	f = rig_offer(p, bytes, len);
	random_offload(&f->offload, at + (v6 ? 40 : 20), proto, v6);
	if (rnd(10) == 0) {
		f->tag_present = true;
		f->tci = random_tci();
	}
}

/* ---- what the switch did ---- */

static void on_received(struct rig_port *p, const struct rig_frame *f)
{
	struct expected *e = &t.expected[f->serial % EXPECTED];

	*e = (struct expected){ .serial = f->serial, .in = p };
	memcpy(e->bytes, f->data, f->len);
	e->fate = model_frame(&t.model, p, f);
}

static void check_bytes(const struct expected *e, const struct frame *f)
{
	uint8_t is[LONGEST + 64], want[LONGEST + 64];

	assert_int_equal(f->len, e->fate.len);
	frame_linear(f, is);
	memcpy(want, e->bytes, 12);
	memcpy(want + 12, e->bytes + (e->fate.was_tagged ? 16 : 12), f->len - 12);
	assert_memory_equal(is, want, f->len);
}

/* check_made() - an answer of the service of some segment: it stays in that network and VLAN */
static void check_made(const struct rig_port *p, const struct tx_frame *tx)
{
	const uint8_t *src = frame_src(tx->frame);

	assert_int_equal(src[0], 0x02);
	assert_int_equal(src[1], 0x67);
	assert_int_equal(src[3], p->net);
	assert_int_equal(get_u16(src + 4), tx->frame->vid);
	assert_true(model_member(p, tx->frame->vid));
	assert_int_equal(tx->tci, model_tci(p, tx->frame->vid, 0));
}

static bool on_sent(struct rig_port *p, const struct tx_frame *tx, unsigned i)
{
	uint32_t serial = rig_serial(p->rig, tx->frame), id = p->port.id;
	struct expected *e = &t.expected[serial % EXPECTED];
	bool takes = rnd(4) != 0;

	(void)i;
	t.copies[id]++;
	t.refused[id] += !takes;
	if (!serial) {
		t.made++;
		check_made(p, tx);
		return takes;
	}
	assert_int_equal(e->serial, serial);
	assert_true(e->fate.to >> id & 1);		/* this port, and not one of another network, VLAN or station */
	assert_false(e->offered >> id & 1);		/* and once */
	assert_true(serial > t.last_serial[e->in->port.id][id]);
	assert_int_equal(tx->tci, model_tci(p, e->fate.vid, e->fate.pcp_dei));
	check_bytes(e, tx->frame);
	t.last_serial[e->in->port.id][id] = serial;
	e->offered |= 1ull << id;
	e->taken += takes;
	return takes;
}

/* settle() - frames @from..@to have come to their end: did all destinations see them? */
static void settle(uint32_t from, uint32_t to)
{
	for (uint32_t serial = from; serial <= to; serial++) {
		const struct expected *e = &t.expected[serial % EXPECTED];
		enum verdict v = e->fate.verdict;

		assert_int_equal(e->serial, serial);
		assert_true(e->offered == e->fate.to);
		if (v == VERDICT_FORWARDED && !e->taken)
			v = VERDICT_DROP_TX;
		t.verdicts[e->in->port.id][v]++;
	}
}

/* ---- the test ---- */

static void add_port(unsigned net, struct vlan_conf vlan, bool link_up, uint32_t head_max)
{
	struct rig_port *p = rig_port(t.rig, net, vlan);

	p->link_up = link_up;
	p->head_max = head_max;
	p->piece_max = 100;
	p->forgets = true;
	p->received = on_received;
	p->takes = on_sent;
}

static void build(struct rig_service services[3])
{
	rig_service_init(&services[0], VERDICT_CONSUMED_ARP);
	rig_service_init(&services[1], VERDICT_COUNT);
	rig_service_init(&services[2], VERDICT_CONSUMED_NAT);
	services[0].answers = services[2].answers = true;
	t.rig = rig_new();
	t.model.rig = t.rig;
	rig_net(t.rig, 1500, true);
	rig_net(t.rig, 1280, true);
	rig_segment(t.rig, 0, 1, &services[0].service);
	rig_segment(t.rig, 0, 10, &services[1].service);
	rig_segment(t.rig, 1, 1, &services[2].service);
	for (unsigned net = 0; net < 2; net++) {
		add_port(net, rig_access(1), true, 0);
		add_port(net, rig_access(1), true, 128);
		add_port(net, rig_access(10), true, 0);
		add_port(net, rig_access(1), false, 0);
		add_port(net, rig_trunk(1, 10, 12), true, 128);
		add_port(net, rig_trunk(0, 1, 20), true, 0);
		add_port(net, rig_trunk(10, 1, 30), true, 0);
		add_port(net, rig_trunk(1, 1, 4094), true, 0);
	}
	rig_publish(t.rig);
}

static void set_link(void)
{
	struct rig_port *p = t.rig->ports[2 + rnd(t.rig->nids - 2)];

	p->link_up = rnd(5) != 0;
	rig_publish(t.rig);
}

static void run(uint32_t frames)
{
	for (uint32_t done = 0; done < frames;) {
		uint32_t n = 1 + rnd(300), first = t.rig->serial + 1;

		for (uint32_t i = 0; i < n; i++)
			random_frame(t.rig->ports[2 + rnd(t.rig->nids - 2)]);
		rig_run(t.rig);
		settle(first, t.rig->serial);
		done += n;
		if (rnd(40) == 0)
			set_link();
	}
}

static void check_port(const struct rig_port *p)
{
	struct port_stats s = rig_stats(&p->port);
	const uint64_t *want = t.verdicts[p->port.id];
	uint64_t received = 0, certain = 0, ended = 0;

	assert_true(rig_identities(&p->port));
	for (unsigned v = 0; v < VERDICT_COUNT; v++) {
		bool by_service = want[v] == 0;		/* a verdict that only services of a gateway give */

		if (!by_service)
			assert_int_equal(s.verdicts[v], want[v]);
		certain += want[v];
		ended += s.verdicts[v];
	}
	received = certain + want[VERDICT_COUNT];
	assert_int_equal(s.rx_frames, received);
	assert_int_equal(ended - certain, want[VERDICT_COUNT]);
	assert_int_equal(s.queued, t.copies[p->port.id]);
	assert_int_equal(s.tx_drops, t.refused[p->port.id]);
	assert_int_equal(s.made, 0);
}

static void check_local(const struct rig_net *net, uint64_t made)
{
	struct port_stats s = rig_stats(net->local);
	uint64_t served = 0;

	assert_true(rig_identities(net->local));
	for (unsigned v = 0; v < VERDICT_COUNT; v++)
		served += s.served[v];
	assert_int_equal(s.queued, served);
	assert_int_equal(s.rx_frames, 0);
	assert_int_equal(s.made, made);
	assert_true(made > 0);
}

static void print_verdicts(void)
{
	uint64_t all[VERDICT_COUNT] = { 0 };

	for (unsigned i = 0; i < t.rig->nids; i++)
		for (unsigned v = 0; t.rig->ports[i] && v < VERDICT_COUNT; v++)
			all[v] += rig_verdict(t.rig->ports[i], (enum verdict)v);
	for (unsigned v = 0; v < VERDICT_COUNT; v++)
		if (all[v])
			print_message("  %-18s %8llu\n", verdict_name((enum verdict)v), (unsigned long long)all[v]);
}

static void test_identity(void **state)
{
	static const enum verdict must_happen[] = {
		VERDICT_FORWARDED, VERDICT_FLOODED, VERDICT_CONSUMED_ARP, VERDICT_CONSUMED_NAT, VERDICT_DROP_RUNT,
		VERDICT_DROP_OVERSIZE, VERDICT_DROP_VNET_HEADER, VERDICT_DROP_VLAN, VERDICT_DROP_DOUBLE_TAG,
		VERDICT_DROP_SOURCE, VERDICT_DROP_SPOOFED_GATEWAY, VERDICT_DROP_RESERVED, VERDICT_DROP_HAIRPIN,
		VERDICT_DROP_NO_DESTINATION, VERDICT_DROP_LINK_DOWN, VERDICT_DROP_TX, VERDICT_DROP_NOT_IP,
		VERDICT_DROP_MALFORMED, VERDICT_DROP_CHECKSUM,
	};
	struct rig_service services[3];
	const char *number = getenv("IDENTITY_FRAMES");

	(void)state;
	build(services);
	run(number ? (uint32_t)strtoul(number, NULL, 10) : FRAMES);
	print_verdicts();
	for (unsigned i = 0; i < t.rig->nids; i++)
		if (t.rig->ports[i])
			check_port(t.rig->ports[i]);
	check_local(&t.rig->nets[0], services[0].made + services[1].made);
	check_local(&t.rig->nets[1], services[2].made);
	for (size_t v = 0; v < ARRAY_SIZE(must_happen); v++) {
		uint64_t n = 0;

		for (unsigned i = 0; i < t.rig->nids; i++)
			n += t.rig->ports[i] ? rig_verdict(t.rig->ports[i], must_happen[v]) : 0;
		assert_true(n > 0);
	}
	rig_free(t.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_identity) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
