// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* What guests say by ICMP about datagrams that came from outside (NAT-29): it reaches who sent them, and nothing else does, whatever is quoted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/packet/icmp_bed.h"

enum { SERVICE = 5353, ERROR_MAX = 1600, UNREACHABLE4 = 3, UNREACHABLE6 = 1, PORT4 = 3, PORT6 = 4, SAID = 20 };

/* A client of a forward to a port of the guest: of IPv4, of IPv6, and of IPv6 to a guest that it reaches by IPv4 */
static const struct way {
	const char *what;
	bool client6, guest6;
} ways[] = { { "IPv4", false, false }, { "IPv6", true, true }, { "IPv6 to IPv4", true, false } };

struct client {
	struct case_state s;
	const struct way *way;
	uint8_t got[ERROR_MAX];		/* the IP packet as the guest got it */
	uint32_t got_size, header;
	uint8_t error[ERROR_MAX];	/* a frame about it */
	uint32_t error_size;
	uint8_t *icmp, *quote;
};

static void begin_client(struct client *c, const struct way *way, uint32_t size)
{
	static uint8_t payload[1400];
	bool loopback6 = way->client6 && !way->guest6;
	struct addr at = loopback6 ? (struct addr){ .bytes = { [15] = 1 } } : stranger_of(way->client6);
	union sock_addr a;
	socklen_t room = addr_to_sock(at, 0, &a);
	int fd;

	memset(c, 0, sizeof(*c));
	c->way = way;
	begin(&c->s);
	fd = socket(addr_family(at), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, &a.any, room), 0);
	assert_int_equal(getsockname(fd, &a.any, &room), 0);
	c->s.forward = forward_new(c->s.bed.nat, IPPROTO_UDP, fd, &(struct forward_target){
		.port = FORWARD_BY_IP, .ip = guest_of(way->guest6), .to_port = SERVICE }, c->s.bed.w);
	assert_non_null(c->s.forward);
	bed_settle(&c->s.bed);
	c->s.fd = socket(addr_family(at), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(c->s.fd, &a.any, room), 0);
	assert_int_equal(send(c->s.fd, payload, size, 0), size);
	assert_true(guest_takes(&c->s));
	assert_int_equal(c->s.p.dport, SERVICE);
	c->header = c->s.p.l4 - ETH_HEADER;
	c->got_size = c->s.p.len - ETH_HEADER;
	memcpy(c->got, c->s.p.data + ETH_HEADER, c->got_size);
}

/* make() - the guest's error: what it got is quoted, up to @quoted bytes */
static void make(struct client *c, uint8_t type, uint8_t code, uint32_t word, uint32_t quoted)
{
	bool ip6 = c->way->guest6;
	struct addr src = guest_of(ip6), dst = c->s.p.src;

	c->icmp = build_ip(c->error, bed_gateway_mac, bed_guest_mac, src, dst, ip6 ? PROTO_ICMP6 : PROTO_ICMP, 64, ICMP_HEADER + quoted);
	c->icmp[0] = type;
	c->icmp[1] = code;
	put_u32(c->icmp + 4, word);
	c->quote = c->icmp + ICMP_HEADER;
	memcpy(c->quote, c->got, quoted);
	c->error_size = (uint32_t)(c->quote - c->error) + quoted;
}

static void make_closed(struct client *c)
{
	make(c, c->way->guest6 ? UNREACHABLE6 : UNREACHABLE4, c->way->guest6 ? PORT6 : PORT4, 0, MIN_OF(c->got_size, 500u));
}

static enum verdict say_from(struct client *c, uint32_t port)
{
	bool ip6 = c->way->guest6;
	uint32_t size = c->error_size - (uint32_t)(c->icmp - c->error);
	const uint8_t *ip = c->error + ETH_HEADER;

	put_u16(c->icmp + 2, 0);
	put_u16(c->icmp + 2, checksum_finish(checksum_add(ip6 ? checksum_pseudo6(ip + 8, ip + 24, PROTO_ICMP6, size) : 0, c->icmp, size)));
	return bed_input_from(&c->s.bed, port, c->error, c->error_size, NULL);
}

static enum verdict say(struct client *c)
{
	return say_from(c, 1);
}

/* heard() - the error that the client's kernel has for it, 0 for none */
static int heard(struct client *c)
{
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(c->s.fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

static void test_closed(void **state)
{
	static struct client c;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		print_message("  %s\n", ways[i].what);
		begin_client(&c, &ways[i], 100);
		assert_int_equal(heard(&c), 0);
		make_closed(&c);
		assert_int_equal(say(&c), VERDICT_CONSUMED_NAT);
		assert_int_equal(heard(&c), ECONNREFUSED);
		make(&c, c.icmp[0], c.icmp[1], 0, c.header + UDP_HEADER);	/* as little as may be quoted */
		assert_int_equal(say(&c), VERDICT_CONSUMED_NAT);
		assert_int_equal(heard(&c), ECONNREFUSED);
		assert_int_equal(count(&c.s).flows, 1);			/* RFC 5508 REQ-6: it lives, and not longer for it */
		bed_skip(&c.s.bed, 290000, 10000);
		assert_int_equal(say(&c), VERDICT_CONSUMED_NAT);
		bed_skip(&c.s.bed, 12000, 1000);
		assert_int_equal(count(&c.s).flows, 0);
		assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);
		end(&c.s);
	}
}

/* A quote with any one bit turned where it says whose the datagram was, or what kind of packet, is nobody's. */
static void test_each_bit(void **state)
{
	static struct client c;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		print_message("  %s\n", ways[i].what);
		begin_client(&c, &ways[i], 100);
		for (uint32_t bit = 0; bit < (c.header + UDP_HEADER) * 8; bit++) {
			uint32_t at = bit / 8;
			bool ip6 = ways[i].guest6, addresses = ip6 ? at >= 8 && at < 40 : at >= 12 && at < 20;
			bool kind = ip6 ? (at == 0 && bit % 8 >= 4) || at == 6 : at == 0 || at == 9 || at == 7 || (at == 6 && bit % 8 < 5);
			bool ports = at >= c.header && at < c.header + 4;
			enum verdict v;

			bed_advance(&c.s.bed, SAID);		/* not too many a second */
			make_closed(&c);
			c.quote[at] ^= (uint8_t)(1 << bit % 8);
			v = say(&c);
			if (addresses || kind || ports)
				assert_int_equal(v, VERDICT_DROP_NO_SESSION);
			assert_int_equal(heard(&c), v == VERDICT_CONSUMED_NAT ? ECONNREFUSED : 0);
		}
		end(&c.s);
	}
}

static void test_cut_short(void **state)
{
	static struct client c;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		begin_client(&c, &ways[i], 100);
		for (uint32_t n = 0; n < c.header + UDP_HEADER; n++) {
			make(&c, ways[i].guest6 ? UNREACHABLE6 : UNREACHABLE4, PORT4, 0, n);
			assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);
		}
		make_closed(&c);
		put_u16(c.quote + (ways[i].guest6 ? 4 : 2), 0);	/* lengths that contradict each other */
		assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);
		make_closed(&c);
		put_u16(c.quote + c.header + 4, UDP_HEADER - 1);
		assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);
		put_u16(c.quote + c.header + 4, 65535);
		assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);
		make_closed(&c);			/* RFC 4884: no more of it than this is the quote */
		c.icmp[ways[i].guest6 ? 4 : 5] = 3;
		assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);
		c.icmp[ways[i].guest6 ? 4 : 5] = ways[i].guest6 ? 6 : 7;
		assert_int_equal(say(&c), VERDICT_CONSUMED_NAT);
		assert_int_equal(heard(&c), ECONNREFUSED);
		end(&c.s);
	}
}

/* The first fragment of a datagram, of which the guest never got the rest: what is quoted is the whole, as its sender knows it. */
static void test_first_fragment(void **state)
{
	static struct client c;
	const uint8_t fragment[8] = { PROTO_UDP, 0, 0, 1 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		bool ip6 = ways[i].guest6;

		print_message("  %s\n", ways[i].what);
		begin_client(&c, &ways[i], 1000);
		make(&c, ip6 ? UNREACHABLE6 : UNREACHABLE4, ip6 ? PORT6 : PORT4, 0, 200);
		put_u16(c.quote + (ip6 ? 4 : 2), 520);
		if (ip6) {
			c.quote[6] = 44;
			memmove(c.quote + c.header + sizeof(fragment), c.quote + c.header, 200 - c.header - sizeof(fragment));
			memcpy(c.quote + c.header, fragment, sizeof(fragment));
		}
		assert_int_equal(say(&c), ip6 ? VERDICT_CONSUMED_NAT : VERDICT_DROP_NO_SESSION);
		if (!ip6) {		/* in IPv4 it is the flag alone that makes it one */
			put_u16(c.quote + 6, 0x2000);
			assert_int_equal(say(&c), VERDICT_CONSUMED_NAT);
		}
		assert_int_equal(heard(&c), ECONNREFUSED);
		if (ip6)
			c.quote[c.header + 3] = 0;
		else
			put_u16(c.quote + 6, 0x2001);
		assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);	/* it says that it is all; it says that it is a later one */
		if (ip6)
			put_u16(c.quote + c.header + 2, 8 | 1);
		assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);
		assert_int_equal(heard(&c), 0);
		end(&c.s);
	}
}

/* Another guest, another address of the same one, an error about an error, one that has been under way too long */
static void test_not_its_own(void **state)
{
	static struct client c;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		bool ip6 = ways[i].guest6;
		uint8_t *ip = c.error + ETH_HEADER;

		begin_client(&c, &ways[i], 100);
		make_closed(&c);
		assert_int_equal(say_from(&c, 2), VERDICT_DROP_NO_SESSION);
		build_ip(c.error, bed_gateway_mac, bed_guest_mac, ip6 ? bed_address(16) : addr4(BED_GUEST2), c.s.p.src, ip6 ? PROTO_ICMP6 : PROTO_ICMP,
			 64, c.error_size - build_headers(c.s.p.src));
		assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);
		make_closed(&c);
		c.quote[ip6 ? 6 : 9] = ip6 ? PROTO_ICMP6 : PROTO_ICMP;
		assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);
		make_closed(&c);
		build_ip(c.error, bed_gateway_mac, bed_guest_mac, guest_of(ip6), c.s.p.src, ip6 ? PROTO_ICMP6 : PROTO_ICMP, 1,
			 c.error_size - build_headers(c.s.p.src));
		assert_int_equal(ip[ip6 ? 7 : 8], 1);
		assert_int_equal(say(&c), VERDICT_DROP_TTL);
		assert_int_equal(heard(&c), 0);
		end(&c.s);
	}
}

/* What is passed on, and what is not: no redirect, no tiny MTU */
static const struct {
	const char *what;
	bool guest6;
	uint8_t type, code;
	uint32_t word;
	bool passed;
} kinds[] = {
	{ "time exceeded", false, 11, 1, 0, true },		{ "prohibited", false, 3, 13, 0, true },
	{ "redirect", false, 5, 1, 0xc0000207, false },		{ "source quench", false, 4, 0, 0, false },
	{ "parameter problem", false, 12, 0, 0, false },	{ "too big", false, 3, 4, 1000, true },
	{ "too big for a tiny way", false, 3, 4, 68, false },	{ "too big for nothing", false, 3, 4, 0, false },
	{ "too big, though it is not", false, 3, 4, 1400, false },
	{ "time exceeded", true, 3, 0, 0, true },		{ "no route", true, 1, 0, 0, true },
	{ "parameter problem", true, 4, 1, 6, false },		{ "too big", true, 2, 0, 1300, true },
	{ "too big for a tiny way", true, 2, 0, 1279, false },	{ "too big, though it is not", true, 2, 0, 1500, false },
	{ "an error of an unknown kind", true, 100, 0, 0, false },
};

static void test_kinds(void **state)
{
	static struct client c;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		print_message("  %s\n", kinds[i].what);
		begin_client(&c, &ways[kinds[i].guest6], 1300);
		make(&c, kinds[i].type, kinds[i].code, kinds[i].word, 200);
		assert_int_equal(say(&c), kinds[i].passed ? VERDICT_CONSUMED_NAT : VERDICT_DROP_NO_SESSION);
		end(&c.s);
	}
}

static void test_limit(void **state)
{
	static struct client c;
	unsigned passed = 0;

	(void)state;
	begin_client(&c, &ways[0], 100);
	make_closed(&c);
	for (unsigned i = 0; i < 500; i++)
		passed += say(&c) == VERDICT_CONSUMED_NAT;
	assert_int_equal(passed, 50);
	assert_int_equal(c.s.bed.verdicts[VERDICT_DROP_QUOTA], 450);
	end(&c.s);
}

static void test_without_the_right(void **state)
{
	static struct client c;

	(void)state;
	begin_client(&c, &ways[0], 100);
	c.s.descriptors -= 2;
	rawicmp_give(0, 0, 0, -1, -1);
	make_closed(&c);
	assert_int_equal(say(&c), VERDICT_DROP_NO_PROTOCOL);
	assert_int_equal(heard(&c), 0);
	assert_int_equal(ping_from(&c.s, 1, addr4(BED_GUEST), addr4(STRANGER), ID, 8), VERDICT_DROP_NO_PROTOCOL);
	assert_true(guest_takes(&c.s));
	assert_int_equal(c.s.p.icmp_type, 3);
	end(&c.s);
}

/* A remote that a mapping has talked to hears that the guest's port is closed; one that it has not talked to does not. */
static void test_mapping(void **state)
{
	static struct client c;
	static const struct way way = { "a mapping", false, false };
	union sock_addr from;
	socklen_t size = sizeof(from);
	uint16_t port;
	char byte;

	(void)state;
	memset(&c, 0, sizeof(c));
	c.way = &way;
	begin(&c.s);
	c.s.fd = bed_listen(SOCK_DGRAM, &port);
	assert_int_equal(bed_udp(&c.s.bed, 5000, BED_GATEWAY, port, "x", 1), VERDICT_CONSUMED_NAT);
	bed_turn(&c.s.bed, 0);
	assert_int_equal(recvfrom(c.s.fd, &byte, 1, 0, &from.any, &size), 1);
	assert_int_equal(connect(c.s.fd, &from.any, size), 0);
	assert_int_equal(send(c.s.fd, "answer", 6, 0), 6);
	assert_true(guest_takes(&c.s));
	c.header = IP4_HEADER;
	c.got_size = c.s.p.len - ETH_HEADER;
	memcpy(c.got, c.s.p.data + ETH_HEADER, c.got_size);
	make_closed(&c);
	put_u32(c.quote + 12, STRANGER);	/* who has not been talked to */
	assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);
	put_u32(c.quote + 12, BED_LOOPBACK);	/* whom the guest knows as the gateway */
	assert_int_equal(say(&c), VERDICT_DROP_NO_SESSION);
	assert_int_equal(heard(&c), 0);
	make_closed(&c);
	assert_int_equal(say(&c), VERDICT_CONSUMED_NAT);
	assert_int_equal(heard(&c), ECONNREFUSED);
	make_closed(&c);
	put_u16(c.quote + IP4_HEADER, (uint16_t)(port ^ 1));	/* of the same remote another port: nobody's there */
	assert_int_equal(say(&c), VERDICT_CONSUMED_NAT);
	assert_int_equal(heard(&c), 0);
	end(&c.s);
}

/* What the client's network sees: the host's address, and in the quote what had come to that, with a checksum that fits */
static void test_on_the_wire(void **state)
{
	static struct client c;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		bool ip6 = ways[i].client6;
		uint8_t seen[2000], *icmp, *ip, *udp;
		union sock_addr client, service;
		socklen_t room = sizeof(client);
		struct addr src, dst;
		ssize_t n;
		int all;

		begin_client(&c, &ways[i], 100);
		all = socket(ip6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
		getsockname(c.s.fd, &client.any, &room);
		getpeername(c.s.fd, &service.any, &room);
		make_closed(&c);
		put_u16(c.quote + c.header + 6, 0x1234);	/* as it stands where a device was to finish it */
		assert_int_equal(say(&c), VERDICT_CONSUMED_NAT);
		n = recv(all, seen, sizeof(seen), MSG_DONTWAIT);
		icmp = ip6 ? seen : seen + IP4_HEADER;
		ip = icmp + ICMP_HEADER;
		udp = ip + (ip6 ? IP6_HEADER : IP4_HEADER);
		assert_int_equal(n, (udp - seen) + UDP_HEADER + 100);
		assert_int_equal(icmp[0], ip6 ? UNREACHABLE6 : UNREACHABLE4);
		assert_int_equal(icmp[1], ip6 ? PORT6 : PORT4);
		src = ip6 ? addr6(ip + 8) : addr4(get_u32(ip + 12));
		dst = ip6 ? addr6(ip + 24) : addr4(get_u32(ip + 16));
		assert_true(addr_equal(src, addr_from_sock(&client)) && addr_equal(dst, addr_from_sock(&service)));
		assert_int_equal(get_u16(udp), sock_addr_port(&client));
		assert_int_equal(get_u16(udp + 2), sock_addr_port(&service));
		assert_int_equal(checksum_fold(checksum_add(build_pseudo(src, dst, PROTO_UDP, UDP_HEADER + 100), udp, UDP_HEADER + 100)), 0xffff);
		if (!ip6)
			assert_int_equal(ip[-ICMP_HEADER - IP4_HEADER + 8], 63);	/* a hop, as for all that is routed */
		assert_int_equal(heard(&c), ECONNREFUSED);
		close(all);
		end(&c.s);
	}
}

/* NAT-19: where not all of the datagram is quoted its checksum follows what was changed, as if it had been summed up anew. */
static void test_checksum(void **state)
{
	enum { SIZE = 1000, QUOTE = 200 };
	static struct client c;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		bool ip6 = ways[i].client6;
		uint8_t whole[UDP_HEADER + SIZE], seen[2000], *ip = seen + (ip6 ? 0 : IP4_HEADER) + ICMP_HEADER;
		int all;

		begin_client(&c, &ways[i], SIZE);
		all = socket(ip6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
		for (unsigned n = 0; n < 400; n++) {
			uint16_t sum = (uint16_t)(n < 4 ? 0xffff - n : n < 8 ? n - 3 : n * 65521u / 400 + 1);
			uint8_t *udp = ip + (ip6 ? IP6_HEADER : IP4_HEADER);
			struct addr src, dst;
			uint32_t rest;

			bed_advance(&c.s.bed, SAID);
			memcpy(whole, c.got + c.header, sizeof(whole));
			put_u16(whole + 6, 0);		/* the last word is what makes the sum as it is to be */
			rest = checksum_fold(checksum_add(build_pseudo(c.s.p.src, c.s.p.dst, PROTO_UDP, sizeof(whole)), whole, sizeof(whole)));
			put_u16(whole + SIZE + 6, checksum_fold((uint64_t)(uint16_t)~sum + (uint16_t)~rest));
			make(&c, ways[i].guest6 ? UNREACHABLE6 : UNREACHABLE4, ways[i].guest6 ? PORT6 : PORT4, 0, QUOTE);
			put_u16(c.quote + c.header + 6, sum);
			assert_int_equal(say(&c), VERDICT_CONSUMED_NAT);
			assert_true(recv(all, seen, sizeof(seen), MSG_DONTWAIT) > 0);
			src = ip6 ? addr6(ip + 8) : addr4(get_u32(ip + 12));
			dst = ip6 ? addr6(ip + 24) : addr4(get_u32(ip + 16));
			memcpy(whole, udp, 4);
			put_u16(whole + 6, 0);
			assert_int_equal(get_u16(udp + 6),
					 checksum_finish_udp(checksum_add(build_pseudo(src, dst, PROTO_UDP, sizeof(whole)), whole, sizeof(whole))));
		}
		close(all);
		end(&c.s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed), cmocka_unit_test(test_each_bit), cmocka_unit_test(test_cut_short), cmocka_unit_test(test_first_fragment),
		cmocka_unit_test(test_not_its_own), cmocka_unit_test(test_kinds), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_without_the_right), cmocka_unit_test(test_mapping), cmocka_unit_test(test_on_the_wire),
		cmocka_unit_test(test_checksum),
	};

	give_addresses();
	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
