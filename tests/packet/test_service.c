// SPDX-License-Identifier: GPL-2.0-or-later
/* The local port: what its services see, what becomes of their verdicts, and what they make. */
#include "switch/service.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/build.h"
#include "switch/nd.h"
#include "switch/request.h"
#include "switch/station.h"
#include "switch/worker.h"
#include "tests/packet/rig.h"

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t one[6] = { 2, 0, 0, 0, 0, 1 }, two[6] = { 2, 0, 0, 0, 0, 2 };

struct bed {
	struct rig *rig;
	struct rig_service service;
	struct segment *segment;
	struct rig_port *a, *b;
};

static void bed_init(struct bed *b, enum verdict verdict)
{
	b->rig = rig_new();
	rig_net(b->rig, 1500, true);
	rig_service_init(&b->service, verdict);
	b->segment = rig_segment(b->rig, 0, 1, &b->service.service);
	b->a = rig_port(b->rig, 0, rig_access(1));
	b->b = rig_port(b->rig, 0, rig_access(1));
	rig_publish(b->rig);
}

static uint32_t ask(uint8_t *to, const uint8_t *eth_src, const uint8_t *sha, uint32_t spa)
{
	static const uint8_t nobody[6];
	uint32_t len = build_arp(to, ARP_REQUEST, sha, spa, nobody, 0x0a000001, everybody);

	memcpy(to + 6, eth_src, 6);
	return len;
}

static void test_service(void **state)
{
	uint8_t bytes[2048];
	struct port_stats s;
	struct bed b;

	(void)state;
	bed_init(&b, VERDICT_CONSUMED_NAT);
	print_message("  a frame for the gateway goes to the services and nowhere else\n");
	rig_offer(b.a, bytes, build_udp_frame(bytes, b.segment->gateway_mac, one, addr4(0x0a000005), 1, addr4(0x08080808), 53, "hello", 5));
	rig_run(b.rig);
	assert_int_equal(b.service.seen, 1);
	assert_int_equal(b.service.last.dport, 53);
	assert_int_equal(b.b->nsent, 0);
	assert_int_equal(rig_verdict(b.a, VERDICT_CONSUMED_NAT), 1);
	print_message("  a broadcast goes to both, and is flooded whatever the service says\n");
	rig_offer(b.a, bytes, build_udp_frame(bytes, everybody, one, addr4(0), 68, addr4(0xffffffff), 67, "dhcp!", 5));
	rig_run(b.rig);
	assert_int_equal(b.service.seen, 2);
	assert_int_equal(b.b->nsent, 1);
	assert_int_equal(rig_verdict(b.a, VERDICT_FLOODED), 1);
	print_message("  what nobody claims has no way out\n");
	b.service.verdict = VERDICT_COUNT;
	rig_offer(b.a, bytes, build_udp_frame(bytes, b.segment->gateway_mac, one, addr4(0x0a000005), 1, addr4(0x08080808), 53, "hello", 5));
	rig_run(b.rig);
	assert_int_equal(rig_verdict(b.a, VERDICT_DROP_NO_ROUTE), 1);
	print_message("  what cannot be parsed is not shown to them\n");
	rig_offer(b.a, bytes, rig_eth(bytes, b.segment->gateway_mac, one, -1, 0x1234, 46));
	rig_run(b.rig);
	assert_int_equal(b.service.seen, 3);
	assert_int_equal(rig_verdict(b.a, VERDICT_DROP_NOT_IP), 1);
	s = rig_stats(b.rig->nets[0].local);
	assert_int_equal(s.queued, 4);
	assert_int_equal(s.served[VERDICT_CONSUMED_NAT], 2);
	assert_int_equal(s.served[VERDICT_DROP_NO_ROUTE], 1);
	assert_int_equal(s.served[VERDICT_DROP_NOT_IP], 1);
	assert_true(rig_identities(b.rig->nets[0].local) && rig_identities(&b.a->port));
	rig_free(b.rig);
}

/* A frame whose body lies in a guest's memory is copied whole before anything is decided on it. */
static void test_service_sees_whole_frames(void **state)
{
	uint8_t bytes[2048], payload[1200];
	struct bed b;

	(void)state;
	bed_init(&b, VERDICT_CONSUMED_NAT);
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	b.a->head_max = 64;
	b.a->piece_max = 100;
	rig_offer(b.a, bytes, build_udp_frame(bytes, b.segment->gateway_mac, one, addr4(0x0a000005), 1, addr4(0x08080808), 53, payload,
					      sizeof(payload)));
	rig_run(b.rig);
	assert_int_equal(b.service.seen, 1);	/* the UDP checksum was good */
	assert_int_equal(packet_payload_len(&b.service.last), sizeof(payload));
	rig_free(b.rig);
}

static const struct {
	const char *what;
	uint8_t sha[6];
	uint32_t spa;
	bool noted;
} senders[] = {
	{ "the sender of an ARP request is noted", { 2, 0, 0, 0, 0, 1 }, 0x0a000005, true },
	{ "not when Ethernet disagrees", { 2, 0, 0, 0, 0, 3 }, 0x0a000006, false },
	{ "not from another subnet", { 2, 0, 0, 0, 0, 1 }, 0x0a000105, false },
	{ "not as the gateway", { 2, 0, 0, 0, 0, 1 }, 0x0a000001, false },
	{ "not a probe", { 2, 0, 0, 0, 0, 1 }, 0, false },
};

static void test_stations(void **state)
{
	uint8_t bytes[128];
	struct bed b;

	(void)state;
	bed_init(&b, VERDICT_CONSUMED_ARP);
	for (size_t i = 0; i < ARRAY_SIZE(senders); i++) {
		struct station s;

		print_message("  %s\n", senders[i].what);
		rig_offer(b.a, bytes, ask(bytes, one, senders[i].sha, senders[i].spa));
		rig_run(b.rig);
		assert_int_equal(station_find(b.segment->stations, addr4(senders[i].spa), &s), senders[i].noted);
		if (senders[i].noted)
			assert_int_equal(s.port, b.a->port.id);
	}
	rig_free(b.rig);
}

static const struct {
	const char *what;
	uint8_t link[6];
	const char *src, *target;	/* a solicitation from src, or (src NULL) an advertisement of target */
	const char *noted;
} tellers[] = {
	{ "who asks from its address has it", { 2, 0, 0, 0, 0, 1 }, "fd00::5", "fd00::1", "fd00::5" },
	{ "who is advertised has it", { 2, 0, 0, 0, 0, 1 }, NULL, "fd00::6", "fd00::6" },
	{ "not when Ethernet disagrees", { 2, 0, 0, 0, 0, 3 }, "fd00::7", "fd00::1", NULL },
	{ "not a target that somebody else advertises", { 2, 0, 0, 0, 0, 3 }, NULL, "fd00::8", NULL },
	{ "not from another subnet", { 2, 0, 0, 0, 0, 1 }, "fd01::5", "fd00::1", NULL },
	{ "not a link-local one", { 2, 0, 0, 0, 0, 1 }, "fe80::5", "fd00::1", NULL },
	{ "not as the gateway", { 2, 0, 0, 0, 0, 1 }, NULL, "fd00::1", NULL },
	{ "not a probe", { 2, 0, 0, 0, 0, 1 }, "::", "fd00::9", NULL },
};

static void test_stations6(void **state)
{
	uint8_t bytes[128];
	struct bed b;

	(void)state;
	bed_init(&b, VERDICT_CONSUMED_ND);
	b.segment->has_subnet6 = true;
	assert_int_equal(prefix6_parse("fd00::/64", &b.segment->subnet6), 0);
	assert_int_equal(addr_parse("fd00::1", &b.segment->gateway6), 0);
	rig_publish(b.rig);
	for (size_t i = 0; i < ARRAY_SIZE(tellers); i++) {
		struct station s[MAX_STATIONS_PER_PORT];
		struct addr src, target;
		unsigned n;

		print_message("  %s\n", tellers[i].what);
		assert_int_equal(addr_parse(tellers[i].target, &target), 0);
		if (tellers[i].src) {
			assert_int_equal(addr_parse(tellers[i].src, &src), 0);
			n = nd_build_solicitation(bytes, tellers[i].link, src, target);
		} else {
			n = nd_build_advertisement(bytes, everybody, tellers[i].link, target, target, ND_OVERRIDE);
		}
		memcpy(bytes + 6, one, 6);
		rig_offer(b.a, bytes, n);
		rig_run(b.rig);
		n = stations_each(b.segment->stations, b.a->port.id, s, ARRAY_SIZE(s));
		assert_int_equal(n, tellers[i].noted != NULL);
		if (!n)
			continue;
		assert_int_equal(addr_parse(tellers[i].noted, &target), 0);
		assert_true(addr_equal(s[0].ip, target));
		assert_memory_equal(s[0].mac, one, 6);
		station_forget(b.segment->stations, target);
	}
	rig_free(b.rig);
}

static bool refuses_all(struct rig_port *p, const struct tx_frame *f, unsigned i)
{
	(void)p, (void)f, (void)i;
	return false;
}

static void test_made(void **state)
{
	uint8_t bytes[128];
	struct port_stats s;
	struct frame f;
	struct bed b;

	(void)state;
	bed_init(&b, VERDICT_CONSUMED_ARP);
	b.service.answers = true;
	print_message("  an answer goes to who asked\n");
	rig_offer(b.a, bytes, ask(bytes, one, one, 0x0a000005));
	rig_run(b.rig);
	assert_int_equal(b.service.taken, 1);
	assert_int_equal(b.a->nsent, 1);
	assert_memory_equal(b.a->sent[0].data, one, 6);
	assert_memory_equal(b.a->sent[0].data + 6, b.segment->gateway_mac, 6);
	print_message("  what is made for the gateway itself does not come round\n");
	rig_offer(b.a, bytes, ask(bytes, b.segment->gateway_mac, b.segment->gateway_mac, 0x0a000005));
	rig_run(b.rig);
	assert_int_equal(rig_verdict(b.a, VERDICT_DROP_SPOOFED_GATEWAY), 1);
	rig_eth(bytes, b.segment->gateway_mac, b.segment->gateway_mac, -1, 0x0800, 46);
	frame_init(&f, bytes, 60);
	f.vid = 1;
	assert_int_equal(worker_emit(b.rig->w, 0, &f, 1), 0);
	s = rig_stats(b.rig->nets[0].local);
	assert_int_equal(s.verdicts[VERDICT_DROP_HAIRPIN], 1);
	assert_int_equal(b.service.seen, 1);
	print_message("  a port that refuses it makes it dropped, and the service is told\n");
	b.a->takes = refuses_all;
	rig_offer(b.a, bytes, ask(bytes, one, one, 0x0a000005));
	rig_run(b.rig);
	assert_int_equal(b.service.made, 2);
	assert_int_equal(b.service.taken, 1);
	s = rig_stats(b.rig->nets[0].local);
	assert_int_equal(s.made, 3);
	assert_int_equal(s.verdicts[VERDICT_FORWARDED], 1);
	assert_int_equal(s.verdicts[VERDICT_DROP_TX], 1);
	rig_free(b.rig);
}

static unsigned largest_burst;

static bool takes_all(struct rig_port *p, const struct tx_frame *f, unsigned i)
{
	(void)p, (void)f;
	largest_burst = MAX_OF(largest_burst, i + 1);
	return true;
}

/* What answers the frames of a round goes out together, each to who asked, in his order. */
static void test_replies(void **state)
{
	enum { MANY = 150 };
	struct port_stats s;
	struct rig_port *other;
	uint8_t bytes[128];
	struct bed b;

	(void)state;
	bed_init(&b, VERDICT_CONSUMED_ARP);
	rig_net(b.rig, 1500, true);
	rig_segment(b.rig, 1, 1, &b.service.service);
	other = rig_port(b.rig, 1, rig_access(1));
	rig_publish(b.rig);
	b.service.answers = b.service.together = true;
	b.a->takes = takes_all;
	largest_burst = 0;
	for (uint32_t i = 0; i < MANY; i++)
		rig_offer(b.a, bytes, ask(bytes, one, one, 0x0a000005 + i));
	rig_offer(other, bytes, ask(bytes, two, two, 0x0a000105));
	rig_run(b.rig);
	assert_int_equal(b.service.made, MANY + 1);
	assert_int_equal(b.a->nsent, MANY);
	assert_int_equal(other->nsent, 1);
	assert_int_equal(b.b->nsent, MANY);	/* who was asked by all, and hears no answer */
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(get_u32(b.a->sent[i].data + ETH_HEADER + 24), 0x0a000005 + i);
	assert_int_equal(get_u32(other->sent[0].data + ETH_HEADER + 24), 0x0a000105);
	print_message("  of %u in one burst %u\n", MANY, largest_burst);
	assert_true(largest_burst > BURST_MAX / 2);
	s = rig_stats(b.rig->nets[0].local);
	assert_int_equal(s.made, MANY);
	assert_true(rig_identities(b.rig->nets[0].local));
	rig_free(b.rig);
}

/* They may be as long as they may be, and go before the memory for them ends. */
static void test_long_replies(void **state)
{
	enum { MANY = 20 };
	struct bed b;

	(void)state;
	bed_init(&b, VERDICT_COUNT);
	rig_publish(b.rig);
	for (unsigned i = 0; i < MANY; i++) {
		uint8_t *to = worker_reply_room(b.rig->w);

		memset(to, (int)i, WORKER_REPLY);
		rig_eth(to, i % 2 ? everybody : one, b.segment->gateway_mac, -1, 0x1234, WORKER_REPLY - ETH_HEADER);
		to[WORKER_REPLY - 1] = (uint8_t)i;
		worker_reply(b.rig->w, 0, WORKER_REPLY, 1);
	}
	rig_run(b.rig);
	assert_int_equal(b.a->nsent, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(b.a->sent[i].len, WORKER_REPLY);
		assert_int_equal(b.a->sent[i].data[WORKER_REPLY - 1], i);
	}
	rig_free(b.rig);
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* The control thread is woken for what services left it when the round is over, once. */
static void test_left(void **state)
{
	struct requests *requests = requests_new();
	struct request r = { .kind = REQUEST_DNS }, got;
	struct bed b;

	(void)state;
	bed_init(&b, VERDICT_COUNT);
	rig_publish(b.rig);
	worker_turn(b.rig->w, 0);
	assert_true(requests_sleep(requests));
	assert_int_equal(request_leave(requests, b.rig->w, &r), VERDICT_FORWARDED);
	assert_int_equal(request_leave(requests, b.rig->w, &r), VERDICT_FORWARDED);
	assert_false(readable(requests_fd(requests)));
	worker_turn(b.rig->w, 0);
	assert_true(readable(requests_fd(requests)));
	assert_true(request_take(requests, &got) && request_take(requests, &got) && !request_take(requests, &got));
	assert_true(requests_sleep(requests));
	worker_turn(b.rig->w, 0);
	assert_false(readable(requests_fd(requests)));
	rig_free(b.rig);
	requests_free(requests);
}

static const struct {
	const char *what;
	unsigned to;			/* 0: local, 1: a, 2: b, 3: a port of another network, 9: none */
	uint16_t vid;
	bool link_up, taken;
	enum verdict verdict;
} targets[] = {
	{ "to one port, whatever the address", 2, 1, true, true, VERDICT_FORWARDED },
	{ "not into a VLAN that it is no member of", 2, 2, true, false, VERDICT_DROP_NO_DESTINATION },
	{ "not to a port whose link is down", 2, 1, false, false, VERDICT_DROP_NO_DESTINATION },
	{ "not to another network", 3, 1, true, false, VERDICT_DROP_NO_DESTINATION },
	{ "not to itself", 0, 1, true, false, VERDICT_DROP_NO_DESTINATION },
};

static void test_emit_to(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		uint8_t bytes[128];
		struct frame f;
		struct port_stats s;
		struct rig_port *other;
		struct bed b;

		print_message("  %s\n", targets[i].what);
		bed_init(&b, VERDICT_COUNT);
		rig_net(b.rig, 1500, false);
		other = rig_port(b.rig, 1, rig_access(1));
		b.b->link_up = targets[i].link_up;
		rig_publish(b.rig);
		frame_init(&f, bytes, rig_eth(bytes, one, b.segment->gateway_mac, -1, 0x1234, 46));
		f.vid = targets[i].vid;
		assert_int_equal(worker_emit_to(b.rig->w, 0, targets[i].to, &f), targets[i].taken);
		assert_int_equal(b.b->nsent, targets[i].taken);
		assert_int_equal(f.copies, targets[i].taken);
		assert_int_equal(other->nsent, 0);
		s = rig_stats(b.rig->nets[0].local);
		assert_int_equal(s.made, 1);
		assert_int_equal(s.verdicts[targets[i].verdict], 1);
		assert_false(worker_emit_to(b.rig->w, 0, 4711, &f));	/* nobody's id: nothing is made */
		assert_false(worker_emit_to(b.rig->w, 4711, 1, &f));
		assert_int_equal(worker_emit(b.rig->w, 4711, &f, 1), 0);
		assert_true(rig_identities(b.rig->nets[0].local));
		rig_free(b.rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service),	 cmocka_unit_test(test_service_sees_whole_frames),
		cmocka_unit_test(test_stations), cmocka_unit_test(test_stations6), cmocka_unit_test(test_made),
		cmocka_unit_test(test_emit_to),	 cmocka_unit_test(test_replies),
		cmocka_unit_test(test_long_replies), cmocka_unit_test(test_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
