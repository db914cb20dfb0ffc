// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* Pings by raw ICMP sockets, as the keeper opens them, where the host has no ping sockets. Each case for IPv4 and IPv6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "tests/packet/icmp_bed.h"

/* comes() - does a frame reach the guest? A busy host answers a little later. */
static bool comes(struct case_state *c)
{
	uint64_t end = clock_now_ms() + 5000;

	while (!guest_takes(c))
		if (clock_now_ms() >= end)
			return false;
	return true;
}

static void expect_reply(struct case_state *c, bool ip6, uint16_t id, uint32_t size)
{
	assert_true(comes(c));
	assert_true(packet_is_icmp(&c->p) && addr_equal(c->p.src, stranger_of(ip6)));
	assert_int_equal(c->p.icmp_type, ip6 ? 129 : 0);
	assert_int_equal(c->p.sport, id);
	assert_int_equal(c->p.ttl, 63);
	assert_int_equal(packet_payload_len(&c->p), size);
	assert_int_equal(packet_payload(&c->p)[size - 1], 'p');
}

static void test_echo(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		assert_int_equal(ping_from(&c, 1, guest_of(ip6), stranger_of(ip6), ID, 56), VERDICT_CONSUMED_NAT);
		expect_reply(&c, ip6, ID, 56);
		assert_int_equal(ping_from(&c, 1, guest_of(ip6), stranger_of(ip6), ID, 1400), VERDICT_CONSUMED_NAT);
		expect_reply(&c, ip6, ID, 1400);
		assert_int_equal(count(&c).flows, 1 + ip6);
	}
	assert_int_equal(c.bed.w->watched, 2);
	assert_int_equal(budget_of(1), 0);	/* no descriptors of the guest's */
	assert_int_equal(ping_from(&c, 1, addr4(BED_GUEST), addr4(NOBODY), ID, 56), VERDICT_CONSUMED_REFUSED);
	assert_true(comes(&c));
	assert_int_equal(c.p.icmp_type, 3);
	bed_skip(&c.bed, 61000, 1000);
	assert_int_equal(count(&c).flows, 0);
	assert_int_equal(c.bed.w->watched, 0);
	end(&c);
}

/* outside_id() - the identifier of the last echo request that the host sent, as a socket that sees them all shows it */
static uint16_t outside_id(int all, bool ip6)
{
	uint8_t data[2000];
	ssize_t n;
	int id = -1;

	while ((n = recv(all, data, sizeof(data), MSG_DONTWAIT)) > 0) {
		const uint8_t *icmp = data + (ip6 ? 0 : IP4_HEADER);

		if (icmp[0] == (ip6 ? 128 : 8))
			id = get_u16(icmp + 4);
	}
	assert_true(id > 0);
	return (uint16_t)id;
}

static void test_identifiers(void **state)
{
	struct case_state c;
	uint8_t icmp[64];

	(void)state;
	begin(&c);
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		struct addr src = guest_of(ip6), src2 = ip6 ? bed_address(16) : addr4(BED_GUEST2), to = stranger_of(ip6);
		struct addr other = ip6 ? (struct addr){ .bytes = { [15] = 1 } } : addr4(STRANGER2);
		int all = socket(ip6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
		uint16_t id, id2;

		assert_int_equal(ping_from(&c, 1, src, to, ID, 56), VERDICT_CONSUMED_NAT);
		id = outside_id(all, ip6);
		assert_int_equal(ping_from(&c, 2, src2, to, ID, 56), VERDICT_CONSUMED_NAT);
		id2 = outside_id(all, ip6);
		assert_int_not_equal(id, id2);
		assert_int_equal(id % SHARES, SHARE);
		assert_int_equal(id2 % SHARES, SHARE);
		expect_reply(&c, ip6, ID, 56);
		assert_true(addr_equal(c.p.dst, src));
		expect_reply(&c, ip6, ID, 56);
		assert_true(addr_equal(c.p.dst, src2));
		for (unsigned how = 0; how < 5; how++) {	/* replies to nobody: none of them arrives */
			static const char *const what[] = { "another's address", "not our share", "ours, but nobody's", "not an echo's", "a short one" };
			uint16_t wrong = how == 1 ? id + 1 : how == 2 ? (uint16_t)(id + SHARES * (id + SHARES == id2 ? 2 : 1)) : id;
			uint32_t size = put_icmp(icmp, ip6, how ? to : other, to, how == 3 ? (ip6 ? 131 : 14) : (ip6 ? 129 : 0), wrong, 8);

			print_message("  %s\n", what[how]);
			send_from(how ? to : other, to, icmp, how == 4 ? 6 : size);
			assert_false(guest_takes(&c));
		}
		close(all);
	}
	end(&c);
}

/* The kernel gives raw sockets what comes before it looks at the checksum of ICMP. */
static void test_spoilt(void **state)
{
	struct case_state c;
	uint8_t icmp[64];
	uint32_t size;
	int all;

	(void)state;
	begin(&c);
	all = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	assert_int_equal(ping_from(&c, 1, addr4(BED_GUEST), addr4(STRANGER), ID, 8), VERDICT_CONSUMED_NAT);
	expect_reply(&c, false, ID, 8);
	size = put_icmp(icmp, false, addr4(0), addr4(0), 0, outside_id(all, false), 8);
	icmp[size - 2] ^= 1;
	send_from(addr4(STRANGER), addr4(STRANGER), icmp, size);
	assert_false(guest_takes(&c));
	icmp[size - 2] ^= 1;
	send_from(addr4(STRANGER), addr4(STRANGER), icmp, size);
	expect_reply(&c, false, ID, 8);
	close(all);
	end(&c);
}

/* pinged() - is it let out? A host that is busy keeps what was sent, and for a while a socket takes no more of it. */
static bool pinged(struct case_state *c, uint32_t port, uint32_t guest, uint16_t id)
{
	uint64_t end = clock_now_ms() + 5000;
	enum verdict v;

	do
		v = ping_from(c, port, addr4(guest), addr4(STRANGER), id, 8);
	while (v == VERDICT_DROP_BUSY && clock_now_ms() < end);
	return v == VERDICT_CONSUMED_NAT;
}

/* One guest gets half of a worker's identifiers, and another the rest. */
static void test_half_of_all(void **state)
{
	struct case_state c;
	unsigned got[2] = { 0 };

	(void)state;
	begin(&c);
	give(3, HOST_ICMP_SHARES);
	for (unsigned i = 0; i < 200; i++)
		got[0] += pinged(&c, 1, BED_GUEST, (uint16_t)(i + 1));
	assert_int_equal(got[0], 65536 / HOST_ICMP_SHARES / 2);
	assert_int_equal(c.bed.verdicts[VERDICT_DROP_QUOTA], 200 - got[0]);
	for (unsigned i = 0; i < 100; i++)
		got[1] += pinged(&c, 2, BED_GUEST2, (uint16_t)(i + 1));
	assert_int_equal(got[1], 100);
	bed_skip(&c.bed, 61000, 1000);
	assert_int_equal(count(&c).flows, 0);
	bed_flush(&c.bed);
	end(&c);
}

/* router_says() - that an echo with this identifier, sent to @to, had been on its way for too long */
static void router_says(bool ip6, struct addr to, uint16_t id)
{
	uint8_t error[200] = { ip6 ? 3 : 11 }, *icmp;
	uint32_t size;

	if (ip6)
		icmp = build_ip6(error + ICMP_HEADER, stranger6, to, PROTO_ICMP6, 1, ICMP_HEADER + 56);
	else
		icmp = build_ip4(error + ICMP_HEADER, STRANGER, addr_4(to), PROTO_ICMP, 1, ICMP_HEADER + 56);
	size = (uint32_t)(icmp - error) + put_icmp(icmp, ip6, to, to, ip6 ? 128 : 8, id, 56);
	if (!ip6)
		put_u16(error + 2, checksum_finish(checksum_add(0, error, size)));
	send_from(stranger_of(ip6), stranger_of(ip6), error, size);
}

/* What routers say about an echo: only about our own, and with the guest's own identifier in the quote. */
static void test_errors_about_echoes(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		int all = socket(ip6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
		struct addr to = stranger_of(ip6), other = ip6 ? bed_address(99) : addr4(NOBODY);
		const uint8_t *quoted;
		uint16_t id;

		assert_int_equal(ping_from(&c, 1, guest_of(ip6), to, ID, 56), VERDICT_CONSUMED_NAT);
		id = outside_id(all, ip6);
		expect_reply(&c, ip6, ID, 56);
		router_says(ip6, to, (uint16_t)(id + SHARES));
		router_says(ip6, to, (uint16_t)(id + 1));
		router_says(ip6, other, id);
		assert_false(guest_takes(&c));
		router_says(ip6, to, id);
		assert_true(guest_takes(&c));
		assert_int_equal(c.p.icmp_type, ip6 ? 3 : 11);
		quoted = packet_payload(&c.p);
		assert_true(addr_equal(ip6 ? addr6(quoted + 8) : addr4(get_u32(quoted + 12)), guest_of(ip6)));
		assert_true(addr_equal(ip6 ? addr6(quoted + 24) : addr4(get_u32(quoted + 16)), to));
		quoted += ip6 ? IP6_HEADER : IP4_HEADER;
		assert_int_equal(quoted[0], ip6 ? 128 : 8);
		assert_int_equal(get_u16(quoted + 4), ID);
		close(all);
	}
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo), cmocka_unit_test(test_identifiers), cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_half_of_all), cmocka_unit_test(test_errors_about_echoes),
	};

	give_addresses();
	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
