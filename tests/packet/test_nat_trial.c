// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* Trials of the NAT (nat/trial.h): what is said of a packet is what becomes of it under random settings, full quotas among them; and
 * saying it sends nothing, opens nothing and keeps nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/array.h"
#include "switch/trial.h"
#include "tests/packet/nat_bed.h"

enum { WORLDS = 60, PACKETS = 40 };

static const uint32_t places[] = {
	BED_GATEWAY, BED_GATEWAY, 0x7f000001, 0xa9fea9fe, 0xe0000001, 0xffffffff, 0, BED_GUEST2, 0x0a090005, 0xc6336402, 0xcb007101, 0x0a0000ff,
};

/* ask - one packet, made anew for each time that it is put in */
struct ask {
	uint32_t src, dst;
	uint8_t proto, ttl, flags;
	uint16_t sport, dport;
};

static uint32_t build(uint8_t *to, const struct ask *q)
{
	uint32_t size = q->proto == PROTO_TCP ? TCP_HEADER : ICMP_HEADER;
	uint8_t *l4;

	if (q->proto == PROTO_UDP) {
		size = build_udp_frame(to, bed_gateway_mac, bed_guest_mac, addr4(q->src), q->sport, addr4(q->dst), q->dport, "hello", 5);
		build_ip4(to + ETH_HEADER, q->src, q->dst, PROTO_UDP, q->ttl, UDP_HEADER + 5);
		return size;
	}
	l4 = build_ip(to, bed_gateway_mac, bed_guest_mac, addr4(q->src), addr4(q->dst), q->proto, q->ttl, size);
	memset(l4, 0, size);
	if (q->proto == PROTO_TCP) {
		put_u16(l4, q->sport);
		put_u16(l4 + 2, q->dport);
		put_u32(l4 + 4, 77);
		l4[12] = TCP_HEADER / 4 << 4;
		l4[13] = q->flags;
		put_u16(l4 + 14, 65535);
		put_u16(l4 + 16, checksum_finish(checksum_add(build_pseudo(addr4(q->src), addr4(q->dst), PROTO_TCP, size), l4, size)));
	} else {
		l4[0] = q->flags;
		put_u16(l4 + 4, q->sport);
		put_u16(l4 + 2, checksum_finish(checksum_add(0, l4, size)));
	}
	return (uint32_t)(l4 - to) + size;
}

static struct ask random_ask(struct bed *bed, uint16_t tcp, uint16_t udp)
{
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP };
	struct ask q = {
		.src = bed_random(bed) % 12 ? BED_GUEST : bed_random(bed) % 2 ? BED_GATEWAY : 0x0a000000, .dst = places[bed_random(bed) % ARRAY_SIZE(places)],
		.proto = protos[bed_random(bed) % 3], .ttl = bed_random(bed) % 8 ? 64 : 1, .sport = (uint16_t)(4000 + bed_random(bed) % 6),
	};

	q.dport = q.proto == PROTO_TCP ? tcp : udp;
	q.flags = q.proto == PROTO_TCP ? TCP_SYN : 8;
	if (bed_random(bed) % 16 == 0)
		q.dport = 0;
	return q;
}

static struct nat_conf random_conf(uint64_t n)
{
	return (struct nat_conf){
		.host_access = (enum host_access)(n % 3), .uplink = n / 3 % 4 != 0, .flows_max = n / 12 % 3 == 0 ? 3 : 0,
		.sockets_max = n / 12 % 3 == 1 ? 2 : 0, .half_open_max = n / 36 % 2 ? 1 : 0,
		.device = "",
	};
}

static enum verdict say(struct bed *bed, const struct ask *q, struct trial *t)
{
	uint64_t flows, now;
	struct nat_counts counts;
	unsigned open = bed_descriptors();
	uint8_t data[256];
	enum verdict v;

	nat_count(bed->nat, &counts);
	flows = counts.flows + counts.opened + counts.expired + counts.over_quota;
	*t = (struct trial){ .nports = 0 };
	bed->trial = t;
	v = bed_input(bed, data, build(data, q));
	bed->trial = NULL;
	nat_count(bed->nat, &counts);
	now = counts.flows + counts.opened + counts.expired + counts.over_quota;
	assert_int_equal(now, flows);
	assert_int_equal(bed->queued, 0);
	assert_int_equal(bed_descriptors(), open);
	return v;
}

/* is_late() - a datagram of a flow that is there may leave with others at the end of the turn; what the host says of it is told then */
static bool is_late(const struct ask *q, const struct trial *t, enum verdict done)
{
	return q->proto == PROTO_UDP && t->way.known && t->way.error && done == VERDICT_CONSUMED_NAT;
}

static void test_said_and_done(void **state)
{
	unsigned verdicts[VERDICT_COUNT] = { 0 }, kinds = 0, ways = 0;

	(void)state;
	for (unsigned n = 0; n < WORLDS; n++) {
		struct nat_conf conf = random_conf(n);
		uint16_t tcp, udp;
		struct bed bed;
		int fds[2];

		bed_init(&bed, &conf, 1);
		bed.random += n;
		fds[0] = bed_listen(SOCK_STREAM, &tcp);
		fds[1] = bed_listen(SOCK_DGRAM, &udp);
		for (unsigned i = 0; i < PACKETS; i++) {
			struct ask q = random_ask(&bed, tcp, udp);
			struct trial t;
			uint8_t data[256];
			enum verdict said = say(&bed, &q, &t), done = bed_input(&bed, data, build(data, &q));

			if (said != done && is_late(&q, &t, done))
				done = said;
			if (said != done)
				print_message("  world %u, %u: proto %u to %08x: said %s, and it was %s\n", n, i, q.proto, q.dst, verdict_name(said),
					      verdict_name(done));
			assert_int_equal(said, done);
			verdicts[done]++;
			ways += t.way.asked && !t.way.error;
			bed_flush(&bed);
		}
		close(fds[0]);
		close(fds[1]);
		bed_fini(&bed);
	}
	for (unsigned v = 0; v < VERDICT_COUNT; v++) {
		if (verdicts[v])
			print_message("  %7u %s\n", verdicts[v], verdict_name(v));
		kinds += verdicts[v] > 0;
	}
	assert_true(kinds >= 8 && ways > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_said_and_done) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
