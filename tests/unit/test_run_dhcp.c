// SPDX-License-Identifier: GPL-2.0-or-later
/* The DHCP client of `lanyard run` on a made-up clock, and its frames. Expected behaviour is that of RFC 2131. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "ctl/run_dhcp.h"
#include "ctl/run_wire.h"
#include "dhcp/message.h"
#include "dhcp/message_build.h"

enum { IP = 0x0a4d0064, SERVER = 0x0a4d0001, START_MS = 1000000, ROOM = 600 };
static const uint8_t mac[MAC_SIZE] = { 2, 0, 0, 0, 0, 5 };

/* sent - what the client's last tick wrote, taken apart */
struct sent {
	size_t size;
	enum dhcp_news news;
	struct dhcp_message m;
};

static struct sent tick(struct dhcp_client *c, uint64_t now_ms)
{
	struct sent s = { .size = 0 };
	uint8_t data[ROOM];

	s.size = dhcp_client_tick(c, now_ms, data, sizeof(data), &s.news);
	if (s.size) {
		assert_int_equal(message_parse(&s.m, data, s.size), 0);
		assert_int_equal(s.m.op, BOOTP_REQUEST);
		assert_memory_equal(s.m.chaddr, mac, MAC_SIZE);
	}
	return s;
}

static const uint8_t *routes;		/* option 121 of answers, or NULL */
static size_t routes_size;

/* answer() - a server's reply with the usual options */
static enum dhcp_news answer(struct dhcp_client *c, uint64_t now_ms, enum dhcp_type type, uint32_t xid, uint32_t lease_s)
{
	struct message_header h = {
		.op = BOOTP_REPLY, .htype = HTYPE_ETHERNET, .hlen = MAC_SIZE, .xid = xid, .yiaddr = IP, .chaddr = mac,
	};
	struct option_list list;
	uint8_t data[ROOM];
	int n;

	option_list_init(&list);
	option_add_u8(&list, OPTION_TYPE, true, type);
	option_add_u32(&list, OPTION_SERVER_ID, true, SERVER);
	if (type != DHCP_NAK) {
		option_add_u32(&list, OPTION_LEASE_TIME, true, lease_s);
		option_add_u32(&list, OPTION_SUBNET_MASK, true, 0xffffff00);
		option_add_u32(&list, OPTION_ROUTER, true, SERVER);
		option_add_u32(&list, OPTION_DNS, true, SERVER);
		option_add(&list, OPTION_DOMAIN, true, "lab.internal\n", 13);
		if (routes)
			option_add(&list, OPTION_ROUTES, true, routes, routes_size);
	}
	n = message_build(&h, &list, data, sizeof(data));
	assert_true(n > 0);
	return dhcp_client_input(c, now_ms, data, (size_t)n);
}

/* lease() - take @c to BOUND at START_MS */
static void lease(struct dhcp_client *c, uint32_t lease_s)
{
	struct sent s;

	dhcp_client_init(c, mac, "box1", 7, START_MS);
	s = tick(c, START_MS);
	assert_int_equal(s.m.type, DHCP_DISCOVER);
	assert_int_equal(answer(c, START_MS, DHCP_OFFER, s.m.xid, lease_s), DHCP_NOTHING);
	s = tick(c, START_MS);
	assert_int_equal(s.m.type, DHCP_REQUEST);
	assert_int_equal(s.m.requested_ip, IP);
	assert_int_equal(s.m.server_id, SERVER);
	assert_int_equal(s.m.ciaddr, 0);
	assert_string_equal(s.m.hostname, "box1");
	assert_int_equal(answer(c, START_MS, DHCP_ACK, s.m.xid, lease_s), DHCP_BOUND);
}

static void test_lease(void **state)
{
	struct dhcp_client c;

	(void)state;
	lease(&c, 3600);
	assert_int_equal(c.binding.ip, IP);
	assert_int_equal(c.binding.len, 24);
	assert_int_equal(c.binding.router, SERVER);
	assert_int_equal(c.binding.ndns, 1);
	assert_string_equal(c.binding.domain, "lab.internal");	/* no second line for resolv.conf */
	assert_int_equal(c.next_ms, START_MS + 1800 * 1000);	/* RFC 2131 4.4.5: T1 is half of the lease */
	assert_false(dhcp_client_listening(&c));
}

/* RFC 3442: what stands before something that makes no sense counts; the router option does not */
static void test_routes(void **state)
{
	static const struct {
		const char *what;
		uint8_t data[32];
		size_t size;
		unsigned n;
		uint32_t router, first;
		uint8_t len;
	} cases[] = {
		{ "one", { 24, 10, 9, 8, 10, 77, 0, 1 }, 8, 1, 0, 0x0a090800, 24 },
		{ "host bits", { 12, 172, 31, 10, 77, 0, 1 }, 7, 1, 0, 0xac100000, 12 },
		{ "a default route beside", { 32, 10, 9, 8, 7, 10, 77, 0, 1, 0, 10, 77, 0, 2 }, 14, 1, 0x0a4d0002, 0x0a090807, 32 },
		{ "no router", { 24, 10, 9, 8, 0, 0, 0, 0 }, 8, 0, 0, 0, 0 },
		{ "longer than an address", { 33, 10, 9, 8, 7, 6, 10, 77, 0, 1 }, 10, 0, 0, 0, 0 },
		{ "255 bits", { 255, 10, 9, 8 }, 4, 0, 0, 0, 0 },
		{ "cut short", { 24, 10, 9, 8, 10, 77, 0, 1, 24, 10, 9, 7, 10 }, 13, 1, 0, 0x0a090800, 24 },
	};
	struct dhcp_client c;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("  %s\n", cases[i].what);
		routes = cases[i].data;
		routes_size = cases[i].size;
		lease(&c, 3600);
		assert_int_equal(c.binding.nroutes, cases[i].n);
		assert_int_equal(c.binding.router, cases[i].router);
		assert_true(!cases[i].n || (c.binding.routes[0].to.addr == cases[i].first && c.binding.routes[0].to.len == cases[i].len));
	}
	routes = NULL;
}

static void test_retry(void **state)
{
	struct dhcp_client c;
	uint64_t now = START_MS, last = 0;

	(void)state;
	dhcp_client_init(&c, mac, NULL, 0, now);
	for (unsigned i = 0; i < 12; i++) {
		struct sent s = tick(&c, now);

		assert_int_equal(s.m.type, DHCP_DISCOVER);
		assert_true(c.next_ms - now <= 4500 && c.next_ms - now >= 150);
		if (i > 0 && i < 4)
			assert_true(c.next_ms - now > last);
		assert_int_equal(tick(&c, c.next_ms - 1).size, 0);
		last = c.next_ms - now;
		now = c.next_ms;
	}
}

/* A server that offers and then is silent: after five REQUESTs all begins again with another transaction. */
static void test_silent_server(void **state)
{
	struct dhcp_client c;
	struct sent s;
	uint32_t xid;

	(void)state;
	dhcp_client_init(&c, mac, NULL, 7, START_MS);
	xid = tick(&c, START_MS).m.xid;
	answer(&c, START_MS, DHCP_OFFER, xid, 60);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(tick(&c, c.next_ms).m.type, DHCP_REQUEST);
	s = tick(&c, c.next_ms);
	assert_int_equal(s.m.type, DHCP_DISCOVER);
	assert_int_not_equal(s.m.xid, xid);
}

static void test_not_for_us(void **state)
{
	struct dhcp_client c;
	uint8_t junk[300] = { BOOTP_REPLY };
	uint32_t xid;

	(void)state;
	dhcp_client_init(&c, mac, NULL, 7, START_MS);
	xid = tick(&c, START_MS).m.xid;
	answer(&c, START_MS, DHCP_OFFER, xid + 1, 60);
	assert_int_equal(c.state, DHCP_CLIENT_SELECTING);
	assert_int_equal(answer(&c, START_MS, DHCP_ACK, xid, 60), DHCP_NOTHING);	/* nobody asked */
	assert_int_equal(dhcp_client_input(&c, START_MS, junk, sizeof(junk)), DHCP_NOTHING);
	assert_int_equal(dhcp_client_input(&c, START_MS, junk, 0), DHCP_NOTHING);
	assert_int_equal(c.state, DHCP_CLIENT_SELECTING);
	answer(&c, START_MS, DHCP_OFFER, xid, 60);
	assert_int_equal(answer(&c, START_MS, DHCP_ACK, xid, 0), DHCP_NOTHING);		/* a lease of no time */
	assert_int_equal(c.state, DHCP_CLIENT_REQUESTING);
}

static void test_renew(void **state)
{
	struct dhcp_client c;
	struct sent s;

	(void)state;
	lease(&c, 3600);
	s = tick(&c, START_MS + 1800 * 1000);
	assert_int_equal(s.m.type, DHCP_REQUEST);
	assert_int_equal(s.m.ciaddr, IP);
	assert_int_equal(s.m.requested_ip, 0);		/* RFC 2131 table 5: MUST NOT in RENEWING */
	assert_int_equal(s.m.server_id, 0);
	assert_true(dhcp_client_unicast(&c));
	assert_int_equal(answer(&c, START_MS + 1800 * 1000, DHCP_ACK, s.m.xid, 3600), DHCP_BOUND);
	assert_int_equal(c.next_ms, START_MS + 3600 * 1000);
}

/* RFC 2131 4.4.5: unicast until T2 (7/8), then broadcast, then the address is given up. */
static void test_rebind_and_expiry(void **state)
{
	struct dhcp_client c;
	struct sent s = { .size = 0 };
	bool rebound = false;

	(void)state;
	lease(&c, 3600);
	for (unsigned i = 0; i < 60 && s.news != DHCP_LOST; i++) {
		uint64_t now = c.next_ms;

		s = tick(&c, now);
		if (s.news == DHCP_LOST) {
			assert_int_equal(now, START_MS + 3600 * 1000);
			break;
		}
		assert_int_equal(s.m.type, DHCP_REQUEST);
		assert_int_equal(dhcp_client_unicast(&c), now < START_MS + 3150 * 1000);
		rebound |= !dhcp_client_unicast(&c);
	}
	assert_int_equal(s.news, DHCP_LOST);
	assert_true(rebound);
	assert_int_equal(s.m.type, DHCP_DISCOVER);
}

static void test_nak(void **state)
{
	struct dhcp_client c;
	uint32_t xid;

	(void)state;
	lease(&c, 3600);
	xid = tick(&c, c.next_ms).m.xid;
	assert_int_equal(answer(&c, START_MS + 1800 * 1000, DHCP_NAK, xid, 0), DHCP_LOST);
	assert_int_equal(tick(&c, c.next_ms).m.type, DHCP_DISCOVER);
}

static void test_infinite(void **state)
{
	struct dhcp_client c;

	(void)state;
	lease(&c, DHCP_INFINITE);
	assert_true(c.next_ms == UINT64_MAX);
	assert_int_equal(tick(&c, START_MS + 1000000000ull).size, 0);
}

static void test_release(void **state)
{
	struct dhcp_client c;
	struct dhcp_message m;
	uint8_t data[ROOM];
	size_t n;

	(void)state;
	dhcp_client_init(&c, mac, NULL, 7, START_MS);
	assert_int_equal(dhcp_client_release(&c, data, sizeof(data)), 0);
	lease(&c, 3600);
	n = dhcp_client_release(&c, data, sizeof(data));
	assert_int_equal(message_parse(&m, data, n), 0);
	assert_int_equal(m.type, DHCP_RELEASE);
	assert_int_equal(m.ciaddr, IP);
	assert_int_equal(m.server_id, SERVER);
	assert_true(dhcp_client_unicast(&c));
}

/* A frame made by scapy: Ether(dst="02:00:00:00:00:05",src="02:00:00:00:00:01")/IP(src="10.77.0.1",dst="10.77.0.100")
 * /UDP(sport=67,dport=68)/b"hello", with its checksums.
 */
static const uint8_t frame[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x05, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x45, 0x00, 0x00, 0x21,
	0x00, 0x01, 0x00, 0x00, 0x40, 0x11, 0x65, 0xcd, 0x0a, 0x4d, 0x00, 0x01, 0x0a, 0x4d, 0x00, 0x64, 0x00, 0x43,
	0x00, 0x44, 0x00, 0x0d, 0xa6, 0x7c, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
};

static void test_frames(void **state)
{
	static const struct {
		const char *what;
		size_t size;		/* of the frame */
		size_t at;		/* byte to change, 0 for none */
		uint8_t byte;
		bool has_sum;
		int payload;		/* or -EBADMSG */
	} cases[] = {
		{ "as it is", sizeof(frame), 0, 0, true, 5 },
		{ "checksum not done yet", sizeof(frame), 40, 1, false, 5 },
		{ "wrong UDP checksum", sizeof(frame), 40, 1, true, -EBADMSG },
		{ "wrong IP checksum", sizeof(frame), 24, 1, true, -EBADMSG },
		{ "not IPv4", sizeof(frame), 12, 6, true, -EBADMSG },
		{ "IP length past the frame", sizeof(frame), 17, 0xff, true, -EBADMSG },
		{ "another port", sizeof(frame), 37, 69, false, -EBADMSG },
		{ "UDP length past the packet", sizeof(frame), 39, 0x0e, false, -EBADMSG },
		{ "UDP length below its header", sizeof(frame), 39, 7, false, -EBADMSG },
		{ "cut in the payload", sizeof(frame) - 1, 0, 0, true, -EBADMSG },
		{ "cut in a header", 41, 0, 0, true, -EBADMSG },
		{ "nothing", 0, 0, 0, true, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t copy[sizeof(frame)];
		size_t at = 0;

		print_message("  %s\n", cases[i].what);
		memcpy(copy, frame, sizeof(frame));
		if (cases[i].at)
			copy[cases[i].at] = cases[i].byte;
		assert_int_equal(wire_parse(copy, cases[i].size, cases[i].has_sum, &at), cases[i].payload);
		if (cases[i].payload > 0)
			assert_memory_equal(copy + at, "hello", 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lease),	      cmocka_unit_test(test_retry),	cmocka_unit_test(test_silent_server),
		cmocka_unit_test(test_not_for_us),    cmocka_unit_test(test_renew),	cmocka_unit_test(test_rebind_and_expiry),
		cmocka_unit_test(test_nak),	      cmocka_unit_test(test_infinite),	cmocka_unit_test(test_release),
		cmocka_unit_test(test_frames),	      cmocka_unit_test(test_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
