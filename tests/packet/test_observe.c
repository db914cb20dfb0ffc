// SPDX-License-Identifier: GPL-2.0-or-later
/* Who looks at a port sees its frames as they stand on the wire there, each once, with its verdict; and changes nothing. */
#include "switch/observe.h"

#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/capture.h"
#include "switch/recorder.h"
#include "switch/stage.h"
#include "tests/packet/rig.h"

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t one[6] = { 2, 0, 0, 0, 0, 1 }, two[6] = { 2, 0, 0, 0, 0, 2 }, nobody[6] = { 0 };

enum { ACCESS, OTHER, TRUNK, MIRROR, PORTS, LOCAL, UNTAGGED = -1, PAYLOAD = 100, ROOM = 2048 };

struct lan {
	struct rig *rig;
	struct rig_service service;
	struct rig_port *p[PORTS];
	struct capture *captures[2];
	struct {
		unsigned port;		/* whose frames; LOCAL: those of the services */
		unsigned capture;	/* or, where mirror is set, for the port MIRROR */
		bool mirror;
		uint8_t ways;
		uint16_t vlan;		/* only this; 0: all */
	} looks[4];
	unsigned nlooks;
};

/* complete() - the observers of l->looks */
static void complete(struct rig *rig, struct snapshot *s)
{
	struct lan *l = rig->arg;

	for (unsigned i = 0; i < l->nlooks; i++) {
		const struct port *port = l->looks[i].port == LOCAL ? rig->nets[0].local : &l->p[l->looks[i].port]->port;
		struct port_view *v = &s->ports[port->id];
		struct observer *o;

		o = observer_add(v);
		assert_non_null(o);
		o->ways = l->looks[i].ways;
		o->some_vlans = l->looks[i].vlan;
		o->vlans[l->looks[i].vlan / 64] = 1ull << l->looks[i].vlan % 64;
		if (l->looks[i].mirror)
			o->mirror = &s->ports[l->p[MIRROR]->port.id];
		else
			o->capture = l->captures[l->looks[i].capture];
	}
}

static struct filter *compile(const char *text)
{
	pcap_t *p = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program program;
	struct filter *f;

	assert_int_equal(pcap_compile(p, &program, text, 1, PCAP_NETMASK_UNKNOWN), 0);
	f = filter_new(program.bf_insns, program.bf_len);
	pcap_freecode(&program);
	pcap_close(p);
	return f;
}

static int setup(void **state)
{
	struct lan *l = calloc(1, sizeof(*l));
	struct vlan_conf trunk = rig_trunk(0, 10, 20);

	vlan_list(&trunk, 1);
	l->rig = rig_new();
	l->rig->arg = l;
	l->rig->complete = complete;
	rig_net(l->rig, 1500, true);
	rig_service_init(&l->service, VERDICT_CONSUMED_ARP);
	l->service.answers = true;
	rig_segment(l->rig, 0, 1, &l->service.service);
	l->p[ACCESS] = rig_port(l->rig, 0, rig_access(1));
	l->p[OTHER] = rig_port(l->rig, 0, rig_access(1));
	l->p[TRUNK] = rig_port(l->rig, 0, trunk);
	l->p[MIRROR] = rig_port(l->rig, 0, rig_access(4000));
	for (unsigned i = 0; i < ARRAY_SIZE(l->captures); i++)
		l->captures[i] = capture_new(NULL, CAPTURE_SNAPLEN_MAX, 1);
	rig_publish(l->rig);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct lan *l = *state;

	for (unsigned i = 0; i < PORTS; i++)
		assert_true(rig_identities(&l->p[i]->port));
	rig_free(l->rig);
	for (unsigned i = 0; i < ARRAY_SIZE(l->captures); i++)
		capture_free(l->captures[i]);
	free(l);
	return 0;
}

static void look(struct lan *l, unsigned port, unsigned capture, uint8_t ways)
{
	l->looks[l->nlooks].port = port;
	l->looks[l->nlooks].capture = capture;
	l->looks[l->nlooks++].ways = ways;
	rig_publish(l->rig);
}

static void offer(struct lan *l, unsigned from, const uint8_t *dst, const uint8_t *src, int tci, uint16_t type)
{
	uint8_t bytes[ROOM];

	rig_offer(l->p[from], bytes, rig_eth(bytes, dst, src, tci, type, PAYLOAD));
	rig_run(l->rig);
}

/* learn() - every station is known */
static void learn(struct lan *l)
{
	offer(l, ACCESS, everybody, one, UNTAGGED, 0x1234);
	offer(l, TRUNK, everybody, two, 1, 0x1234);
	rig_clear(l->rig);
}

/* next() - what was captured next, taken out */
static struct sighting next(struct capture *c, uint8_t *bytes)
{
	unsigned part;
	const struct sighting *s = capture_peek(c, &part);
	struct sighting copy;

	assert_non_null(s);
	copy = *s;
	memcpy(bytes, s + 1, s->kept);
	capture_pop(c, part);
	return copy;
}

static void assert_empty(struct capture *c)
{
	unsigned part;

	assert_null(capture_peek(c, &part));
}

/* ---- captures ---- */

static const struct {
	const char *what;
	unsigned from;
	const uint8_t *dst, *src;
	int tci;
	uint16_t type;
	enum verdict verdict;
	unsigned sent_to;		/* PORTS: to nobody in particular */
	int sent_tci;
} cases[] = {
	{ "known unicast", ACCESS, two, one, UNTAGGED, 0x0800, VERDICT_FORWARDED, TRUNK, 1 },
	{ "known unicast with a tag", TRUNK, one, two, 0xa001, 0x0800, VERDICT_FORWARDED, ACCESS, UNTAGGED },
	{ "a flood", ACCESS, everybody, one, UNTAGGED, 0x1234, VERDICT_FLOODED, OTHER, UNTAGGED },
	{ "a priority tag", ACCESS, two, one, 0x6000, 0x0800, VERDICT_FORWARDED, TRUNK, 0x6001 },
	{ "dropped for its tag, which is shown", ACCESS, two, one, 77, 0x0800, VERDICT_DROP_VLAN, PORTS, 0 },
	{ "dropped for a source of zeros", ACCESS, two, nobody, UNTAGGED, 0x0800, VERDICT_DROP_SOURCE, PORTS, 0 },
	{ "dropped for its group", ACCESS, (const uint8_t[]){ 1, 0x80, 0xc2, 0, 0, 3 }, one, UNTAGGED, 0x88cc, VERDICT_DROP_RESERVED, PORTS, 0 },
	{ "for itself", ACCESS, one, one, UNTAGGED, 0x0800, VERDICT_DROP_HAIRPIN, PORTS, 0 },
};

static void check_seen(const struct sighting *s, const struct rig_port *p, unsigned way, const uint8_t *is, const uint8_t *want, uint32_t len)
{
	assert_int_equal(s->port, p->port.id);
	assert_int_equal(s->way, way);
	assert_int_equal(s->len, len);
	assert_int_equal(s->kept, len);
	assert_memory_equal(is, want, len);
}

static void test_capture(void **state)
{
	struct lan *l = *state;
	uint8_t want[ROOM], is[ROOM];

	learn(l);
	for (unsigned i = 0; i < MIRROR; i++)
		look(l, i, 0, CAPTURE_IN | CAPTURE_OUT);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sighting s;
		unsigned outs = 0;
		uint32_t len;

		print_message("  %s\n", cases[i].what);
		offer(l, cases[i].from, cases[i].dst, cases[i].src, cases[i].tci, cases[i].type);
		while (cases[i].sent_to < PORTS) {	/* copies are seen as they leave, the frame when all is known */
			s = next(l->captures[0], is);
			if (s.way == CAPTURE_IN)
				break;
			if (s.port == l->p[cases[i].sent_to]->port.id) {
				len = rig_eth(want, cases[i].dst, cases[i].src, cases[i].sent_tci, cases[i].type, PAYLOAD);
				check_seen(&s, l->p[cases[i].sent_to], CAPTURE_OUT, is, want, len);
				assert_int_equal(s.verdict, VERDICT_FORWARDED);
				outs++;
			}
		}
		if (cases[i].sent_to == PORTS)
			s = next(l->captures[0], is);
		assert_int_equal(outs, cases[i].sent_to < PORTS);
		len = rig_eth(want, cases[i].dst, cases[i].src, cases[i].tci, cases[i].type, PAYLOAD);
		check_seen(&s, l->p[cases[i].from], CAPTURE_IN, is, want, len);
		assert_int_equal(s.verdict, cases[i].verdict);
		assert_empty(l->captures[0]);
	}
}

static bool takes_nothing(struct rig_port *p, const struct tx_frame *f, unsigned i)
{
	(void)p, (void)f, (void)i;
	return false;
}

static void test_not_taken(void **state)
{
	struct lan *l = *state;
	uint8_t is[ROOM];
	struct sighting s;

	learn(l);
	look(l, ACCESS, 0, CAPTURE_IN);
	look(l, TRUNK, 0, CAPTURE_OUT);
	l->p[TRUNK]->takes = takes_nothing;
	offer(l, ACCESS, two, one, UNTAGGED, 0x0800);
	s = next(l->captures[0], is);
	assert_int_equal(s.way, CAPTURE_OUT);
	assert_int_equal(s.verdict, VERDICT_DROP_TX);
	s = next(l->captures[0], is);
	assert_int_equal(s.way, CAPTURE_IN);
	assert_int_equal(s.verdict, VERDICT_DROP_TX);
}

/* The services: a question for them is seen at the port and at theirs, and so is their answer. */
static void test_services(void **state)
{
	static const struct { unsigned port; uint8_t way, verdict; } want[] = {
		{ ACCESS, CAPTURE_OUT, VERDICT_FORWARDED },		/* the answer leaves while the question is still being worked on */
		{ LOCAL, CAPTURE_IN, VERDICT_FORWARDED },
		{ LOCAL, CAPTURE_OUT, VERDICT_CONSUMED_ARP },
		{ ACCESS, CAPTURE_IN, VERDICT_CONSUMED_ARP },
	};
	struct lan *l = *state;
	uint8_t bytes[ROOM], gateway[6], is[ROOM];

	learn(l);
	look(l, ACCESS, 0, CAPTURE_IN | CAPTURE_OUT);
	look(l, LOCAL, 0, CAPTURE_IN | CAPTURE_OUT);
	rig_gateway_mac(0, 1, gateway);
	rig_eth(bytes, gateway, one, UNTAGGED, 0x0806, 46);
	memcpy(bytes + 14, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 9, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1 }, 28);
	rig_offer(l->p[ACCESS], bytes, 60);
	rig_run(l->rig);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct sighting s = next(l->captures[0], is);
		const struct port *port = want[i].port == LOCAL ? l->rig->nets[0].local : &l->p[want[i].port]->port;

		assert_int_equal(s.port, port->id);
		assert_int_equal(s.way, want[i].way);
		assert_int_equal(s.verdict, want[i].verdict);
	}
	assert_empty(l->captures[0]);
}

static void test_filter_and_snaplen(void **state)
{
	struct lan *l = *state;
	uint8_t is[ROOM], want[ROOM];
	struct sighting s;

	capture_free(l->captures[1]);
	l->captures[1] = capture_new(compile("vlan 10 and ether proto 0x88b5"), 40, 1);
	learn(l);
	look(l, TRUNK, 1, CAPTURE_IN);
	offer(l, TRUNK, one, two, 10, 0x88b6);
	offer(l, TRUNK, one, two, 1, 0x88b5);
	assert_empty(l->captures[1]);
	l->p[TRUNK]->head_max = 30;		/* the rest of the frame is a body */
	l->p[TRUNK]->piece_max = 7;
	offer(l, TRUNK, one, two, 10, 0x88b5);
	s = next(l->captures[1], is);
	assert_int_equal(s.len, rig_eth(want, one, two, 10, 0x88b5, PAYLOAD));
	assert_int_equal(s.kept, 40);
	assert_memory_equal(is, want, 40);
	assert_empty(l->captures[1]);
}

/* A reader that does not come: what finds no room is counted, and told with the next that does. */
static void test_lost(void **state)
{
	struct lan *l = *state;
	uint8_t is[ROOM];
	unsigned kept = 0, sent = 0;
	struct sighting s;

	learn(l);
	look(l, ACCESS, 0, CAPTURE_IN);
	while (!capture_lost(l->captures[0])) {
		uint8_t bytes[ROOM];

		for (unsigned i = 0; i < 1000; i++, sent++)
			rig_offer(l->p[ACCESS], bytes, rig_eth(bytes, two, one, UNTAGGED, 0x0800, 1400));
		rig_run(l->rig);
		rig_clear(l->rig);
	}
	for (unsigned part; capture_peek(l->captures[0], &part); kept++)
		assert_int_equal(next(l->captures[0], is).lost, 0);
	assert_int_equal(kept + capture_lost(l->captures[0]), sent);
	offer(l, ACCESS, two, one, UNTAGGED, 0x0800);
	s = next(l->captures[0], is);
	assert_int_equal(s.lost, sent - kept);
}

/* ---- mirrors ---- */

static void mirror(struct lan *l, unsigned port, uint8_t ways, uint16_t vlan)
{
	l->looks[l->nlooks].port = port;
	l->looks[l->nlooks].mirror = true;
	l->looks[l->nlooks].ways = ways;
	l->looks[l->nlooks++].vlan = vlan;
	rig_publish(l->rig);
}

static const struct {
	const char *what;
	unsigned from;
	const uint8_t *dst;
	int tci;
	unsigned copies;		/* of the mirror, which looks at ACCESS both ways and at what is in VLAN 10 of TRUNK */
	int copy_tci;
} mirrored[] = {
	{ "what the port sends", ACCESS, two, UNTAGGED, 1, UNTAGGED },
	{ "what it is sent", TRUNK, one, 1, 1, UNTAGGED },
	{ "what it sends and is dropped, as it was", ACCESS, two, 77, 1, 77 },
	{ "in the VLAN", TRUNK, everybody, 10, 1, 10 },
	{ "in the VLAN, with priority", TRUNK, two, 0xe00a, 1, 0xe00a },
	{ "in another VLAN", TRUNK, everybody, 11, 0, 0 },
};

static void test_mirror(void **state)
{
	struct lan *l = *state;
	struct port_stats stats;
	uint64_t copies = 0;

	learn(l);
	mirror(l, ACCESS, CAPTURE_IN | CAPTURE_OUT, 0);
	mirror(l, TRUNK, CAPTURE_IN, 10);
	look(l, MIRROR, 0, CAPTURE_IN | CAPTURE_OUT);
	for (size_t i = 0; i < ARRAY_SIZE(mirrored); i++) {
		struct rig_port *m = l->p[MIRROR];
		uint8_t want[ROOM], is[ROOM];

		print_message("  %s\n", mirrored[i].what);
		rig_clear(l->rig);
		offer(l, mirrored[i].from, mirrored[i].dst, mirrored[i].from == ACCESS ? one : two, mirrored[i].tci, 0x0800);
		assert_int_equal(m->nsent, mirrored[i].copies);
		copies += m->nsent;
		if (!m->nsent)
			continue;
		assert_int_equal(m->sent[0].tci, mirrored[i].copy_tci == UNTAGGED ? 0 : mirrored[i].copy_tci);
		rig_eth(want, mirrored[i].dst, mirrored[i].from == ACCESS ? one : two, UNTAGGED, 0x0800, PAYLOAD);
		assert_memory_equal(m->sent[0].data, want, m->sent[0].len);
		assert_int_equal(next(l->captures[0], is).way, CAPTURE_OUT);	/* who looks at the mirror sees its copies */
		assert_empty(l->captures[0]);
	}
	stats = rig_stats(&l->p[MIRROR]->port);
	assert_int_equal(stats.mirrored, copies);
	assert_int_equal(stats.queued, copies);
}

/* A request for offloads that was refused is not passed on, and what is no frame neither. */
static void test_mirror_of_nonsense(void **state)
{
	struct lan *l = *state;
	uint8_t bytes[ROOM];
	uint32_t len = rig_eth(bytes, two, one, UNTAGGED, 0x0800, PAYLOAD);

	learn(l);
	mirror(l, ACCESS, CAPTURE_IN, 0);
	rig_offer(l->p[ACCESS], bytes, len)->offload = (struct offload){ .flags = 1, .gso_type = 77, .csum_start = 60000 };
	rig_run(l->rig);
	assert_int_equal(rig_verdict(l->p[ACCESS], VERDICT_DROP_VNET_HEADER), 1);
	assert_int_equal(l->p[MIRROR]->nsent, 1);
	assert_int_equal(l->p[MIRROR]->sent[0].offload.flags | l->p[MIRROR]->sent[0].offload.gso_type, 0);
	rig_offer(l->p[ACCESS], bytes, 13);
	rig_run(l->rig);
	assert_int_equal(l->p[MIRROR]->nsent, 1);
}

/* A mirror of a mirror would go round: no copy is copied again, whatever the snapshot says. */
static void test_mirror_of_mirror(void **state)
{
	struct lan *l = *state;

	learn(l);
	mirror(l, ACCESS, CAPTURE_IN, 0);
	mirror(l, MIRROR, CAPTURE_IN | CAPTURE_OUT, 0);
	offer(l, ACCESS, two, one, UNTAGGED, 0x0800);
	assert_int_equal(l->p[MIRROR]->nsent, 1);
}

/* ---- recorders ---- */

static struct recorder *recorder;

static void with_recorder(struct rig *rig, struct snapshot *s)
{
	struct lan *l = rig->arg;
	struct observer *all;

	complete(rig, s);
	s->ports[l->p[ACCESS]->port.id].recorder = recorder;
	if (!l->nlooks)
		return;
	s->ports[l->p[ACCESS]->port.id].recorder = NULL;	/* the test wants all of them */
	all = observer_add(&s->ports[l->p[ACCESS]->port.id]);
	assert_non_null(all);
	all->recorder = recorder;
	all->ways = CAPTURE_IN | CAPTURE_OUT;
}

static void ask_gateway(struct lan *l)
{
	uint8_t bytes[ROOM], gateway[6];

	rig_gateway_mac(0, 1, gateway);
	rig_eth(bytes, gateway, one, UNTAGGED, 0x0806, 46);
	memcpy(bytes + 14, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 9, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1 }, 28);
	rig_offer(l->p[ACCESS], bytes, 60);
	rig_run(l->rig);
}

/* What was dropped, and what was said to the services and by them; not what just passed. */
static void test_recorder(void **state)
{
	struct lan *l = *state;
	struct record got[RECORDS_OF_DROPS];
	uint8_t want[ROOM];

	recorder = recorder_new(RECORDS_OF_DROPS, 1);
	l->rig->complete = with_recorder;
	rig_publish(l->rig);
	learn(l);
	offer(l, ACCESS, two, one, UNTAGGED, 0x0800);
	offer(l, TRUNK, one, two, 1, 0x0800);
	assert_int_equal(recorder_kept(recorder, 0), 0);
	offer(l, ACCESS, two, one, 77, 0x0800);
	ask_gateway(l);
	assert_int_equal(recorder_copy(recorder, 0, got, RECORDS_OF_DROPS), 3);
	assert_int_equal(got[0].s.verdict, VERDICT_DROP_VLAN);
	assert_int_equal(got[0].s.len, rig_eth(want, two, one, 77, 0x0800, PAYLOAD));
	assert_memory_equal(got[0].bytes, want, got[0].s.kept);
	assert_int_equal(got[1].s.way, CAPTURE_OUT);
	assert_int_equal(got[2].s.verdict, VERDICT_CONSUMED_ARP);
	for (unsigned i = 0; i < 200; i++) {		/* the oldest goes, and of a burst a few are enough */
		uint8_t bytes[ROOM];

		rig_offer(l->p[ACCESS], bytes, rig_eth(bytes, two, one, 80 + (int)i, 0x0800, PAYLOAD));
		if (i % 50 == 49)
			rig_run(l->rig);
	}
	assert_int_equal(recorder_copy(recorder, 0, got, RECORDS_OF_DROPS), 3 + 4 * RECORDS_OF_BURST);
	for (unsigned i = 0; i < 100; i++)
		offer(l, ACCESS, two, one, 100 + (int)i, 0x0800);
	assert_int_equal(recorder_copy(recorder, 0, got, RECORDS_OF_DROPS), RECORDS_OF_DROPS);
	assert_int_equal(get_u16(got[RECORDS_OF_DROPS - 1].bytes + 14), 199);
	assert_int_equal(get_u16(got[0].bytes + 14), 200 - RECORDS_OF_DROPS);
	assert_int_equal(recorder_copy(recorder, 0, got, 1), 1);
	assert_int_equal(get_u16(got[0].bytes + 14), 199);
	l->rig->complete = NULL;
	rig_publish(l->rig);
	recorder_free(recorder);
}

static void test_recorder_of_all(void **state)
{
	struct record got[RECORDS_OF_DROPS];
	struct lan *l = *state;

	recorder = recorder_new(RECORDS_OF_ALL, 1);
	learn(l);
	l->rig->complete = with_recorder;
	look(l, OTHER, 0, CAPTURE_IN);
	offer(l, ACCESS, two, one, UNTAGGED, 0x0800);
	offer(l, TRUNK, one, two, 1, 0x0800);
	assert_int_equal(recorder_copy(recorder, 0, got, RECORDS_OF_DROPS), 2);
	assert_int_equal(got[0].s.way, CAPTURE_IN);
	assert_int_equal(got[0].s.verdict, VERDICT_FORWARDED);
	assert_int_equal(got[1].s.way, CAPTURE_OUT);
	l->rig->complete = NULL;
	rig_publish(l->rig);
	recorder_free(recorder);
}

/* What gets copies takes part in nothing else: no frame is sent to it, and what it sends is dropped and not learnt. */
static void test_no_neighbour(void **state)
{
	struct lan *l = *state;

	l->p[OTHER]->stages_in = l->p[OTHER]->stages_out = STAGE_MIRROR;
	rig_publish(l->rig);
	offer(l, OTHER, everybody, two, UNTAGGED, 0x1234);
	assert_int_equal(rig_verdict(l->p[OTHER], VERDICT_DROP_MIRROR), 1);
	assert_int_equal(l->p[ACCESS]->nsent, 0);
	offer(l, ACCESS, everybody, one, UNTAGGED, 0x1234);
	offer(l, ACCESS, two, one, UNTAGGED, 0x1234);
	assert_int_equal(l->p[OTHER]->nsent, 0);
	assert_int_equal(l->p[TRUNK]->nsent, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_neighbour, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recorder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recorder_of_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capture, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_services, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter_and_snaplen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mirror, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mirror_of_nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mirror_of_mirror, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
