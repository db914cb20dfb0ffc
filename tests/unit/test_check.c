// SPDX-License-Identifier: GPL-2.0-or-later
/* Probe guests of `lanyard check` on a network that this test makes, and breaks, itself: a promise kept is found kept, and each that is
 * broken is flagged in its row. The network is a thread between the guests' socket pairs; its gateway answers DNS. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <poll.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "ctl/check.h"
#include "ctl/check_probe.h"
#include "dhcp/dns_message.h"
#include "switch/build.h"

enum { GATEWAY = 0x0a4d0001, SUBNET = 0x0a4d0000, OTHER = 0x0a4e0005, PEER = 0x0a4f0005, ROOM = 2048 };

/* how the network is broken; all false: as a nat-network promises */
struct breakage {
	bool no_unicast, no_way_back, no_broadcast, no_multicast;
	bool leaks;			/* to the other network */
	bool parted, no_tcp_across;	/* from the peer */
	bool dns_silent, dns_refuses;
	bool dhcp_silent, dhcp_rogue, no_router;
};

struct yard {
	struct check check;
	struct breakage broken;
	int theirs[CHECK_GUESTS], stop[2];
	pthread_t thread;
};

static const uint8_t gateway_mac[MAC_SIZE] = { 2, 0, 0, 0, 0, 1 };

/* --- the network ------------------------------------------------------------------------------------------- */

static void pass_on(const struct yard *y, unsigned to, const uint8_t *frame, uint32_t size)
{
	uint8_t data[4 + ROOM];

	put_u32(data, size);
	memcpy(data + 4, frame, size);
	assert_true(send(y->theirs[to], data, 4 + size, 0) == (ssize_t)(4 + size));
}

/* answer_dns() - as a server of names would, as far as a probe looks */
static void answer_dns(const struct yard *y, unsigned from, const struct packet *p)
{
	uint8_t reply[ROOM], frame[ROOM];
	uint32_t size = packet_payload_len(p);

	memcpy(reply, packet_payload(p), size);
	put_u16(reply + 2, DNS_FLAG_QR | (y->broken.dns_refuses ? DNS_REFUSED : DNS_NOERROR));
	put_u16(reply + 6, y->broken.dns_refuses ? 0 : 1);
	pass_on(y, from, frame, build_udp_frame(frame, p->data + MAC_SIZE, gateway_mac, p->dst, p->dport, p->src, p->sport, reply, size));
}

static bool is_mine(const struct yard *y, unsigned i, const uint8_t *mac)
{
	return !memcmp(y->check.guests[i].mac, mac, MAC_SIZE);
}

/* may_cross() - from one network into another */
static bool may_cross(const struct breakage *b, unsigned from, unsigned to, uint8_t proto)
{
	if (from == CHECK_B1 || to == CHECK_B1)
		return b->leaks && from != CHECK_B1;
	return (from == CHECK_P1) != (to == CHECK_P1) && !b->parted && !(b->no_tcp_across && proto == PROTO_TCP);
}

static void to_gateway(const struct yard *y, unsigned from, const uint8_t *frame, uint32_t size)
{
	struct offload none = { 0 };
	uint8_t copy[ROOM];
	struct packet p;

	if (packet_parse(frame, size, &none, &p) != VERDICT_FORWARDED)
		return;
	if (p.proto == PROTO_UDP && p.dport == DNS_PORT && !y->broken.dns_silent)
		answer_dns(y, from, &p);
	for (unsigned to = 0; to < CHECK_GUESTS; to++)
		if (to != from && addr_equal(p.dst, y->check.guests[to].ip) && may_cross(&y->broken, from, to, p.proto)) {
			memcpy(copy, frame, size);
			memcpy(copy, y->check.guests[to].mac, MAC_SIZE);
			memcpy(copy + MAC_SIZE, gateway_mac, MAC_SIZE);
			pass_on(y, to, copy, size);
		}
}

static void switch_frame(const struct yard *y, unsigned from, const uint8_t *frame, uint32_t size)
{
	const struct breakage *b = &y->broken;
	bool all = frame[0] == 0xff;

	if (!memcmp(frame, gateway_mac, MAC_SIZE)) {
		to_gateway(y, from, frame, size);
		return;
	}
	for (unsigned to = 0; to <= CHECK_A2 && from <= CHECK_A2; to++) {
		if (to == from || (!mac_is_group(frame) && !is_mine(y, to, frame)))
			continue;
		if (mac_is_group(frame) ? (all ? b->no_broadcast : b->no_multicast) : b->no_unicast || (b->no_way_back && from == CHECK_A2))
			continue;
		pass_on(y, to, frame, size);
	}
}

static void *run_yard(void *arg)
{
	struct yard *y = arg;

	for (;;) {
		struct pollfd fds[CHECK_GUESTS + 1] = { [CHECK_GUESTS] = { .fd = y->stop[0], .events = POLLIN } };
		uint8_t frame[ROOM], length[4];

		for (unsigned i = 0; i < CHECK_GUESTS; i++)
			fds[i] = (struct pollfd){ .fd = y->theirs[i], .events = POLLIN };
		poll(fds, ARRAY_SIZE(fds), -1);
		if (fds[CHECK_GUESTS].revents)
			return NULL;
		for (unsigned i = 0; i < CHECK_GUESTS; i++)
			if (fds[i].revents && recv(y->theirs[i], length, 4, MSG_WAITALL) == 4 && get_u32(length) <= ROOM &&
			    recv(y->theirs[i], frame, get_u32(length), MSG_WAITALL) > 0)
				switch_frame(y, i, frame, get_u32(length));
	}
}

/* --- the check ----------------------------------------------------------------------------------------------- */

static void plug(struct yard *y, unsigned i, uint32_t ip)
{
	struct check_guest *g = &y->check.guests[i];
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	g->fd = pair[0];
	y->theirs[i] = pair[1];
	g->theirs = g->attach.fd = -1;
	g->attach.state = ATTACH_THERE;
	g->attach.next_ms = UINT64_MAX;
	memcpy(g->mac, (uint8_t[]){ 2, 0, 0, 0, 1, (uint8_t)i }, MAC_SIZE);
	g->ip = addr4(ip);
	g->len = 24;
	g->has_via = true;
	memcpy(g->via, gateway_mac, MAC_SIZE);
	snprintf(g->place, sizeof(g->place), i == CHECK_B1 ? "other" : i == CHECK_P1 ? "lab:20" : "lab");
	g->offered = !y->broken.dhcp_silent;
	g->server = y->broken.dhcp_rogue ? GATEWAY + 77 : GATEWAY;
	g->offer_router = !y->broken.no_router;
}

static void yard_open(struct yard *y, const struct breakage *broken)
{
	memset(y, 0, sizeof(*y));
	y->broken = *broken;
	y->check.net = (struct check_net){
		.subnet = { SUBNET, 24 }, .gateway = addr4(GATEWAY), .domain = "lab.internal",
		.terms = { .mode = CHECK_NAT_NETWORK, .access = CHECK_ACCESS_OWN, .dhcp = true, .dns = true, .addressed = true, .peered = true },
	};
	y->check.host.sniffer = -1;
	y->check.next_port = TRIAL_PORTS;
	y->check.yes_ms = 400;
	y->check.no_ms = 60;
	for (unsigned i = 0; i < CHECK_GUESTS; i++)
		plug(y, i, i == CHECK_B1 ? OTHER : i == CHECK_P1 ? PEER : SUBNET + 5 + i);
	assert_int_equal(pipe(y->stop), 0);
	assert_int_equal(pthread_create(&y->thread, NULL, run_yard, y), 0);
}

static void yard_close(struct yard *y)
{
	assert_int_equal(write(y->stop[1], "", 1), 1);
	pthread_join(y->thread, NULL);
	for (unsigned i = 0; i < CHECK_GUESTS; i++) {
		close(y->check.guests[i].fd);
		close(y->theirs[i]);
	}
	close(y->stop[0]);
	close(y->stop[1]);
}

static const unsigned probed[] = { 6, 7, 15, 16, 17, 18, 24 };

static const struct {
	const char *what;
	struct breakage broken;
	unsigned row;			/* the one that differs; 0: none */
	const char *seen;
} cases[] = {
	{ "as promised", { 0 }, 0, "" },
	{ "no unicast", { .no_unicast = true }, 6, "no" },
	{ "no way back", { .no_way_back = true }, 6, "frame yes, frame back no, UDP no" },
	{ "no broadcast", { .no_broadcast = true }, 7, "broadcast no, multicast yes" },
	{ "no multicast", { .no_multicast = true }, 7, "broadcast yes, multicast no" },
	{ "the other network is reached", { .leaks = true }, 15, "frame no, UDP yes, TCP yes" },
	{ "the peer is not", { .parted = true }, 24, "no" },
	{ "the peer is, but for TCP", { .no_tcp_across = true }, 24, "UDP yes, TCP no, UDP back yes" },
	{ "nobody answers DHCP", { .dhcp_silent = true }, 16, "no" },
	{ "somebody else does", { .dhcp_rogue = true }, 16, "no" },
	{ "no router", { .no_router = true }, 17, "no" },
	{ "nobody answers DNS", { .dns_silent = true }, 18, "no" },
	{ "a name is not known", { .dns_refuses = true }, 18, "no" },
};

static void test_broken(void **state)
{
	static struct yard y;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		yard_open(&y, &cases[i].broken);
		for (size_t n = 0; n < ARRAY_SIZE(probed); n++) {
			struct check_result r = { .row = &check_rows[probed[n] - 1] };
			char seen[RESULT_TEXT];

			r.want = check_want(r.row, &y.check.net.terms);
			probe_row(&y.check, &r);
			result_seen(&r, seen, sizeof(seen));
			assert_int_equal(result_as_expected(&r), probed[n] != cases[i].row);
			if (probed[n] == cases[i].row)
				assert_string_equal(seen, cases[i].seen);
		}
		yard_close(&y);
	}
}

/* --- one guest ------------------------------------------------------------------------------------------------ */

/* What a probe guest says to who talks to it: for its own address only, and to no stranger. */
static void test_answers(void **state)
{
	static const uint8_t other[MAC_SIZE] = { 2, 0, 0, 0, 9, 9 }, none[MAC_SIZE];
	static struct yard y;
	struct check_guest *a1 = &y.check.guests[CHECK_A1];
	uint8_t frame[ROOM], got[4 + ROOM];

	(void)state;
	memset(&y, 0, sizeof(y));
	plug(&y, CHECK_A1, SUBNET + 5);
	check_input(&y.check, a1, frame, build_arp(frame, ARP_REQUEST, other, SUBNET + 9, none, SUBNET + 5, a1->mac));
	assert_int_equal(recv(y.theirs[CHECK_A1], got, sizeof(got), MSG_DONTWAIT), 4 + 42);
	assert_memory_equal(got + 4, other, MAC_SIZE);
	assert_int_equal(get_u16(got + 4 + 20), ARP_REPLY);
	check_input(&y.check, a1, frame, build_arp(frame, ARP_REQUEST, other, SUBNET + 9, none, SUBNET + 6, a1->mac));
	check_input(&y.check, a1, frame, build_udp_frame(frame, a1->mac, other, addr4(SUBNET + 9), 7, addr4(SUBNET + 5), 7, "hello", 5));
	check_input(&y.check, a1, frame, build_arp(frame, ARP_REPLY, other, SUBNET + 9, a1->mac, SUBNET + 5, a1->mac));
	assert_int_equal(recv(y.theirs[CHECK_A1], got, sizeof(got), MSG_DONTWAIT), -1);
	assert_memory_equal(guest_neighbour(a1, SUBNET + 9), other, MAC_SIZE);
	assert_null(guest_neighbour(a1, SUBNET + 10));
	for (uint32_t i = 0; i < 200; i++)	/* nobody fills its memory */
		check_input(&y.check, a1, frame, build_arp(frame, ARP_REPLY, other, SUBNET + 20 + i, a1->mac, SUBNET + 5, a1->mac));
	assert_int_equal(a1->nneighbours, GUEST_NEIGHBOURS);
	close(a1->fd);
	close(y.theirs[CHECK_A1]);
}

/* short_error() - an ICMP error that quotes @quoted bytes and ends with its buffer, to the first guest */
static void short_error(struct yard *y, uint32_t quoted)
{
	uint32_t size = ETH_HEADER + IP4_HEADER + ICMP_HEADER + quoted;
	const struct check_guest *a1 = &y->check.guests[CHECK_A1];
	uint8_t *frame = malloc(size), *icmp;

	assert_non_null(frame);
	icmp = build_ip(frame, a1->mac, gateway_mac, addr4(GATEWAY), a1->ip, PROTO_ICMP, 64, ICMP_HEADER + quoted);
	memset(icmp, 0, ICMP_HEADER + quoted);
	icmp[0] = 3;
	if (quoted >= IP4_HEADER) {
		build_ip4(icmp + ICMP_HEADER, addr_4(a1->ip), GATEWAY, PROTO_UDP, 64, 8);
		put_u16(icmp + ICMP_HEADER + IP4_HEADER, y->check.trials[0].sport);
	}
	put_u16(icmp + 2, checksum_finish(checksum_add(0, icmp, ICMP_HEADER + quoted)));
	check_input(&y->check, &y->check.guests[CHECK_A1], frame, size);
	free(frame);
}

/* An ICMP error ends the trial that it quotes, and one that quotes too little ends none, nor is read beyond its end. */
static void test_errors(void **state)
{
	static struct yard y;
	struct trial t;

	(void)state;
	memset(&y, 0, sizeof(y));
	plug(&y, CHECK_A1, SUBNET + 5);
	trial_init(&y.check, &t, "UDP", TRIAL_UDP, true);
	t.from = &y.check.guests[CHECK_A1];
	t.dst = addr4(GATEWAY);
	y.check.trials = &t;
	y.check.ntrials = 1;
	short_error(&y, 0);
	short_error(&y, IP4_HEADER + 2);
	assert_int_equal(t.end, TRIAL_OPEN);
	short_error(&y, IP4_HEADER + 8);
	assert_int_equal(t.end, TRIAL_REFUSED);
	assert_string_equal(t.how, "ICMP 3/0");
	close(y.check.guests[CHECK_A1].fd);
	close(y.theirs[CHECK_A1]);
}

/* Frames arrive in pieces, several at once, and with a length that cannot be. */
static void test_stream(void **state)
{
	static struct check_guest g;
	int pair[2];
	uint32_t size;

	(void)state;
	memset(&g, 0, sizeof(g));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	g.fd = pair[0];
	assert_int_equal(send(pair[1], "\0\0\0\3abc\0\0\0\2d", 12, 0), 12);
	guest_fill(&g);
	assert_memory_equal(guest_next(&g, &size), "abc", 3);
	assert_int_equal(size, 3);
	assert_null(guest_next(&g, &size));
	assert_int_equal(send(pair[1], "e\377\377\377\377x", 6, 0), 6);
	guest_fill(&g);
	assert_memory_equal(guest_next(&g, &size), "de", 2);
	assert_null(guest_next(&g, &size));
	assert_int_equal(g.have, 0);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
