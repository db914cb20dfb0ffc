// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/server: conversations with guests, on a fake clock. IDs are those of the conformance statements. */
#include "tests/unit/dhcp_bench.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void test_dhcp_01_exchange(void **state)
{
	struct bench *b = *state;

	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .flags = DHCP_FLAG_BROADCAST), DHCP_OUT_OFFER);
	assert_int_equal(b->answer.type, DHCP_OFFER);
	assert_int_equal(b->answer.yiaddr, FIRST);
	assert_int_equal(b->answer.flags, DHCP_FLAG_BROADCAST);
	assert_false(b->r.has_record);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .want = FIRST, .server = SERVER), DHCP_OUT_ACK);
	assert_int_equal(b->answer.type, DHCP_ACK);
	assert_int_equal(b->answer.lease_s, HOUR);
	assert_int_equal(message_option_u32(&b->answer, OPTION_SUBNET_MASK), 0xffffff00);
	assert_int_equal(message_option_u32(&b->answer, OPTION_ROUTER), SERVER);
	assert_int_equal(message_option_u32(&b->answer, OPTION_DNS), SERVER);
	assert_true(b->r.has_record && b->r.durable_first);
	assert_int_equal(b->r.record.state, LEASE_BOUND);
	assert_int_equal(b->r.record.expires_wall_s, NOW + HOUR);
	assert_string_equal(b->r.record.port, "web1");
}

static void test_dhcp_02_foreign_server(void **state)
{
	struct bench *b = *state;

	TELL(b, DHCP_DISCOVER, .mac = 1);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .want = FIRST, .server = SERVER + 1),
			 DHCP_OUT_FOREIGN_SERVER);
	assert_int_equal(b->size, 0);
	for (unsigned i = 0; i < 9; i++)
		lease(b, "web2", (uint8_t)(10 + i));
	assert_int_equal(lease(b, "web3", 30), FIRST);		/* what was offered is free at once */
}

static void test_dhcp_03_and_04_selecting(void **state)
{
	struct bench *b = *state;

	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .want = FIRST, .server = SERVER), DHCP_OUT_NAK);
	TELL(b, DHCP_DISCOVER, .mac = 1);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .want = FIRST + 1, .server = SERVER), DHCP_OUT_NAK);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .want = FIRST, .server = SERVER, .ciaddr = FIRST),
			 DHCP_OUT_MALFORMED);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .server = SERVER), DHCP_OUT_MALFORMED);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1), DHCP_OUT_MALFORMED);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = FIRST, .want = FIRST + 1), DHCP_OUT_MALFORMED);
	assert_int_equal(b->size, 0);
}

static void test_dhcp_05_renewing(void **state)
{
	struct bench *b = *state;
	uint32_t ip = lease(b, "web1", 1);

	b->now += HOUR / 2;
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = ip), DHCP_OUT_ACK);
	assert_int_equal(b->answer.yiaddr, ip);
	assert_int_equal(b->answer.lease_s, HOUR);
	assert_int_equal(b->r.dst_ip, ip);
	assert_int_equal(b->r.dst_port, DHCP_CLIENT_PORT);
	assert_true(b->r.has_record && !b->r.durable_first);	/* the record may follow */
	assert_int_equal(b->r.record.expires_wall_s, b->now + HOUR);
	b->now += 2 * HOUR;					/* expired, but free: DHCP-07 */
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = ip), DHCP_OUT_ACK);
	assert_true(b->r.durable_first);
}

static void test_dhcp_06_13_rebinding_after_a_lost_store(void **state)
{
	struct bench *b = *state;

	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = FIRST + 5), DHCP_OUT_ACK);
	assert_int_equal(b->answer.yiaddr, FIRST + 5);
	assert_true(b->r.durable_first);
	assert_int_equal(TELL(b, DHCP_REQUEST, .port = "web2", .mac = 2, .want = FIRST + 6), DHCP_OUT_ACK);	/* init-reboot */
	assert_int_equal(lease(b, "web1", 1), FIRST + 5);
}

static void test_dhcp_07_12_14_nak(void **state)
{
	struct bench *b = *state;
	uint32_t ip = lease(b, "web1", 1);

	assert_int_equal(TELL(b, DHCP_REQUEST, .port = "web2", .mac = 2, .ciaddr = ip), DHCP_OUT_NAK);	/* somebody else's */
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = 0xc0a80105), DHCP_OUT_NAK);		/* another network's */
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .want = 0xc0a80105), DHCP_OUT_NAK);		/* DHCP-12 */
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .want = ip + 1), DHCP_OUT_NAK);		/* DHCP-14 */
	assert_int_equal(TELL(b, DHCP_REQUEST, .port = "web2", .mac = 2, .want = SERVER), DHCP_OUT_NAK);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = ip), DHCP_OUT_ACK);			/* it lost nothing */
}

static void test_dhcp_08_times(void **state)
{
	struct bench *b = *state;

	TELL(b, DHCP_DISCOVER, .mac = 1);
	assert_int_equal(message_option_u32(&b->answer, OPTION_T1), HOUR / 2);
	assert_int_equal(message_option_u32(&b->answer, OPTION_T2), HOUR / 8 * 7);
	b->s.conf.lease_s = DHCP_INFINITE;
	TELL(b, DHCP_DISCOVER, .mac = 1);
	assert_int_equal(b->answer.lease_s, DHCP_INFINITE);
	assert_false(has(b, OPTION_T1) || has(b, OPTION_T2));
	TELL(b, DHCP_REQUEST, .mac = 1, .want = FIRST, .server = SERVER);
	assert_true(b->r.record.expires_wall_s == LEASE_NEVER);
}

static const struct {
	uint32_t asked, min_s, max_s, given;
} times[] = {
	{ 600, 0, 0, 600 }, { 1, 0, 0, 60 }, { 7200, 0, 0, HOUR }, { DHCP_INFINITE, 0, 0, HOUR }, { 7200, 0, 86400, 7200 },
	{ 10, 300, 86400, 300 },
};

static void test_dhcp_09_lease_time(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		b->s.conf.lease_min_s = times[i].min_s;
		b->s.conf.lease_max_s = times[i].max_s;
		TELL(b, DHCP_DISCOVER, .mac = 1, .lease_s = times[i].asked);
		assert_int_equal(b->answer.lease_s, times[i].given);
	}
}

static const struct {
	const char *what;
	uint32_t giaddr, ciaddr;
	uint16_t flags;
	uint32_t dst_ip;		/* FIRST stands for yiaddr */
	uint16_t dst_port;
	uint8_t mac;			/* last byte; 0xff for broadcast */
} routes[] = {
	{ "relayed, to the relay", NET + 9, 0, 0, NET + 9, 67, 0xee },
	{ "relayed, even with the broadcast flag", NET + 9, 0, 0x8000, NET + 9, 67, 0xee },
	{ "unicast to ciaddr", 0, FIRST, 0, FIRST, 68, 1 },
	{ "unicast to ciaddr, even with the flag", 0, FIRST, 0x8000, FIRST, 68, 1 },
	{ "broadcast", 0, 0, 0x8000, 0xffffffff, 68, 0xff },
	{ "unicast without ARP", 0, 0, 0, FIRST, 68, 1 },
};

static void test_dhcp_10_destination(void **state)
{
	struct bench *b = *state;

	lease(b, "web1", 1);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		for (unsigned ack = 0; ack < 2; ack++) {
			uint8_t mac[6] = { 2, 0, 0, 0, 0, routes[i].mac };

			print_message("  %s\n", routes[i].what);
			TELL(b, ack ? DHCP_REQUEST : DHCP_DISCOVER, .mac = 1, .giaddr = routes[i].giaddr,
			     .flags = routes[i].flags, .ciaddr = routes[i].ciaddr,
			     .want = ack && !routes[i].ciaddr ? FIRST : 0);
			assert_int_equal(b->r.dst_ip, routes[i].dst_ip);
			assert_int_equal(b->r.dst_port, routes[i].dst_port);
			assert_memory_equal(b->r.dst_mac, routes[i].mac == 0xff ? everybody : mac, 6);
		}
	}
}

static void test_dhcp_11_nak(void **state)
{
	struct bench *b = *state;
	static const uint8_t allowed[] = { 53, 54, 56, 60, 61, 82 };

	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = 0xc0a80105, .client_id = "id",
			      .parameters = "\1\3\6\17"),
			 DHCP_OUT_NAK);
	assert_int_equal(b->r.dst_ip, 0xffffffff);
	assert_memory_equal(b->r.dst_mac, everybody, 6);
	assert_int_equal(b->answer.yiaddr | b->answer.ciaddr | b->answer.siaddr, 0);
	for (unsigned code = 1; code < 255; code++)
		if (has(b, (uint8_t)code))
			assert_non_null(memchr(allowed, (int)code, sizeof(allowed)));
	assert_true(has(b, OPTION_MESSAGE));
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .want = 0xc0a80105, .giaddr = NET + 9, .relay = "r"),
			 DHCP_OUT_NAK);
	assert_int_equal(b->r.dst_ip, NET + 9);
	assert_int_equal(b->answer.flags, DHCP_FLAG_BROADCAST);
}

static void test_dhcp_15_release(void **state)
{
	struct bench *b = *state;
	uint32_t ip = lease(b, "web1", 1);

	assert_int_equal(TELL(b, DHCP_RELEASE, .mac = 2, .ciaddr = ip, .server = SERVER), DHCP_OUT_STRANGER);
	assert_int_equal(TELL(b, DHCP_RELEASE, .port = "web2", .mac = 1, .ciaddr = ip, .server = SERVER),
			 DHCP_OUT_STRANGER);
	assert_int_equal(TELL(b, DHCP_RELEASE, .mac = 1, .ciaddr = ip + 1, .server = SERVER),
			 DHCP_OUT_STRANGER);
	assert_int_equal(TELL(b, DHCP_RELEASE, .mac = 1, .ciaddr = ip, .server = SERVER + 1),
			 DHCP_OUT_STRANGER);
	assert_int_equal(TELL(b, DHCP_RELEASE, .mac = 1, .ciaddr = ip), DHCP_OUT_STRANGER);
	assert_false(b->r.has_record);
	assert_int_equal(TELL(b, DHCP_RELEASE, .mac = 1, .ciaddr = ip, .server = SERVER), DHCP_OUT_RELEASE);
	assert_int_equal(b->size, 0);
	assert_true(b->r.has_record && !b->r.durable_first);
	assert_int_equal(b->r.record.state, LEASE_RELEASED);
	assert_int_equal(lease(b, "web2", 2), ip + 1);
	assert_int_equal(lease(b, "web1", 1), ip);
}

static void test_dhcp_16_decline(void **state)
{
	struct bench *b = *state;
	uint32_t ip = lease(b, "web1", 1);

	assert_int_equal(TELL(b, DHCP_DECLINE, .mac = 2, .want = ip, .server = SERVER), DHCP_OUT_STRANGER);
	assert_int_equal(TELL(b, DHCP_DECLINE, .mac = 1, .want = ip + 1, .server = SERVER), DHCP_OUT_STRANGER);
	assert_int_equal(TELL(b, DHCP_DECLINE, .mac = 1, .want = ip), DHCP_OUT_STRANGER);
	assert_int_equal(TELL(b, DHCP_DECLINE, .mac = 1, .server = SERVER), DHCP_OUT_STRANGER);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = ip), DHCP_OUT_ACK);	/* nothing changed */
	assert_int_equal(TELL(b, DHCP_DECLINE, .mac = 1, .want = ip, .server = SERVER), DHCP_OUT_DECLINE);
	assert_int_equal(b->size, 0);
	assert_int_equal(b->r.record.state, LEASE_DECLINED);
	assert_int_not_equal(lease(b, "web1", 1), ip);
}

/* Clones share a client-id; it is echoed and decides nothing. */
static void test_dhcp_20_21_client_id(void **state)
{
	struct bench *b = *state;
	const uint8_t *p;
	uint32_t first;
	size_t size;

	TELL(b, DHCP_DISCOVER, .port = "web1", .mac = 1, .client_id = "\1clone");
	p = message_option(&b->answer, OPTION_CLIENT_ID, &size);
	assert_int_equal(size, 6);
	assert_memory_equal(p, "\1clone", 6);
	first = b->answer.yiaddr;
	TELL(b, DHCP_REQUEST, .port = "web1", .mac = 1, .client_id = "\1clone", .want = first, .server = SERVER);
	assert_true(has(b, OPTION_CLIENT_ID));
	assert_int_equal(b->r.record.client_id_size, 6);
	TELL(b, DHCP_DISCOVER, .port = "web2", .mac = 1, .client_id = "\1clone");
	assert_int_not_equal(b->answer.yiaddr, first);
	assert_int_equal(
		TELL(b, DHCP_REQUEST, .port = "web3", .mac = 3, .client_id = "\1clone", .ciaddr = first),
		DHCP_OUT_NAK);
	assert_true(has(b, OPTION_CLIENT_ID));
	TELL(b, DHCP_DISCOVER, .mac = 1);
	assert_false(has(b, OPTION_CLIENT_ID));		/* not invented */
	TELL(b, DHCP_DISCOVER, .mac = 1, .client_id = "");
	assert_false(has(b, OPTION_CLIENT_ID));		/* of length 0: absent */
}

static void test_dhcp_22_inform(void **state)
{
	struct bench *b = *state;

	assert_int_equal(TELL(b, DHCP_INFORM, .mac = 1, .ciaddr = NET + 50, .flags = DHCP_FLAG_BROADCAST),
			 DHCP_OUT_INFORM);
	assert_int_equal(b->answer.type, DHCP_ACK);
	assert_int_equal(b->answer.yiaddr, 0);
	assert_int_equal(b->r.dst_ip, NET + 50);
	assert_false(b->answer.has_lease || has(b, OPTION_T1) || has(b, OPTION_T2));
	assert_int_equal(message_option_u32(&b->answer, OPTION_DNS), SERVER);
	assert_int_equal(lease_count(b->s.leases), 0);
	assert_int_equal(TELL(b, DHCP_INFORM, .mac = 1, .src_ip = NET + 51), DHCP_OUT_INFORM);
	assert_int_equal(b->r.dst_ip, NET + 51);
	assert_int_equal(TELL(b, DHCP_INFORM, .mac = 1), DHCP_OUT_MALFORMED);
	assert_int_equal(TELL(b, DHCP_INFORM, .mac = 1, .ciaddr = 0x08080808), DHCP_OUT_MALFORMED);
}

static void test_dhcp_23_odd_headers(void **state)
{
	struct bench *b = *state;

	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .op = BOOTP_REPLY), DHCP_OUT_UNEXPECTED);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .hops = 17), DHCP_OUT_RELAY);
	assert_int_equal(TELL(b, DHCP_OFFER, .mac = 1), DHCP_OUT_UNEXPECTED);
	assert_int_equal(TELL(b, DHCP_ACK, .mac = 1), DHCP_OUT_UNEXPECTED);
	assert_int_equal(TELL(b, DHCP_NAK, .mac = 1), DHCP_OUT_UNEXPECTED);
	assert_int_equal(b->size, 0);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .htype = 32, .hlen = 16), DHCP_OUT_OFFER);
	assert_memory_equal(b->r.dst_mac, everybody, 6);	/* there is no Ethernet address to send to */
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 2, .htype = 32, .hlen = 16), DHCP_OUT_OFFER);
	assert_int_equal(b->answer.yiaddr, FIRST + 1);
	TELL(b, DHCP_DISCOVER, .mac = 1, .htype = 32, .hlen = 16);
	assert_int_equal(b->answer.yiaddr, FIRST);
}

static void input(struct bench *b, const uint8_t *data, size_t size)
{
	struct dhcp_request from = { .port = "web1", .store_ok = true };

	b->size = dhcp_server_input(&b->s, &from, data, size, b->now, b->reply, sizeof(b->reply), &b->r);
}

static void test_dhcp_24_30_not_dhcp(void **state)
{
	struct bench *b = *state;
	struct say say = { DHCP_DISCOVER, .mac = 1 };
	uint8_t data[400];
	size_t size = write_say(&say, data, sizeof(data));

	input(b, data, size);
	assert_int_equal(b->r.outcome, DHCP_OUT_OFFER);
	data[236] ^= 1;
	input(b, data, size);
	assert_int_equal(b->r.outcome, DHCP_OUT_BOOTP);
	data[236] ^= 1;
	data[28] |= 1;				/* a group address is nobody's */
	input(b, data, size);
	assert_int_equal(b->r.outcome, DHCP_OUT_MALFORMED);
	memset(data + 28, 0, 6);
	input(b, data, size);
	assert_int_equal(b->r.outcome, DHCP_OUT_MALFORMED);
	input(b, data, 100);
	assert_int_equal(b->r.outcome, DHCP_OUT_MALFORMED);
	assert_int_equal(b->size, 0);
}

static void test_dhcp_42_43_limits(void **state)
{
	struct bench *b = *state;

	for (uint8_t i = 0; i < 10; i++, b->now++)
		lease(b, "web1", (uint8_t)(i + 1));
	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = "web2", .mac = 50), DHCP_OUT_EXHAUSTED);
	assert_int_equal(b->size, 0);
	assert_int_equal(TELL(b, DHCP_REQUEST, .port = "web2", .mac = 50, .want = FIRST), DHCP_OUT_NAK);
	b->now += HOUR;
	assert_int_equal(lease(b, "web2", 50), FIRST);		/* the oldest expired first */
	assert_int_equal(lease(b, "web1", 9), FIRST + 8);	/* a stable guest has its own */
}

static void test_dhcp_47_reservation(void **state)
{
	struct bench *b = *state;
	uint32_t ip = lease(b, "web1", 1);

	b->reserved[0] = (struct dhcp_reservation){ "web1", .key = GUEST_PORT, .ip = NET + 50 };
	reserve(b, 1);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = ip), DHCP_OUT_NAK);	/* so that it comes again */
	assert_int_equal(lease(b, "web1", 1), NET + 50);
}

static void test_dhcp_49_store_failure(void **state)
{
	struct bench *b = *state;
	uint32_t ip = lease(b, "web1", 1);

	b->store_broken = true;
	b->now += 600;
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = ip), DHCP_OUT_ACK);
	assert_int_equal(b->answer.lease_s, HOUR - 600);	/* what is left */
	assert_int_equal(message_option_u32(&b->answer, OPTION_T1), (HOUR - 600) / 2);
	assert_false(b->r.has_record);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = "web2", .mac = 2), DHCP_OUT_STORE);
	assert_int_equal(TELL(b, DHCP_REQUEST, .port = "web2", .mac = 2, .want = FIRST + 1), DHCP_OUT_STORE);
	assert_int_equal(b->size, 0);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1), DHCP_OUT_OFFER);	/* a guest that boots again */
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .want = ip, .server = SERVER), DHCP_OUT_ACK);
	b->now += HOUR;
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = ip), DHCP_OUT_STORE);
	b->store_broken = false;
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = ip), DHCP_OUT_ACK);
	assert_int_equal(b->answer.lease_s, HOUR);
}

static void test_outcome_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DHCP_OUT_COUNT; i++)
		assert_non_null(dhcp_outcome_name((enum dhcp_outcome)i));
	assert_string_equal(dhcp_outcome_name(DHCP_OUT_FOREIGN_SERVER), "foreign-server");
	assert_string_equal(dhcp_outcome_name(DHCP_OUT_COUNT), "?");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_dhcp_01_exchange),
		CASE(test_dhcp_02_foreign_server),
		CASE(test_dhcp_03_and_04_selecting),
		CASE(test_dhcp_05_renewing),
		CASE(test_dhcp_06_13_rebinding_after_a_lost_store),
		CASE(test_dhcp_07_12_14_nak),
		CASE(test_dhcp_08_times),
		CASE(test_dhcp_09_lease_time),
		CASE(test_dhcp_10_destination),
		CASE(test_dhcp_11_nak),
		CASE(test_dhcp_15_release),
		CASE(test_dhcp_16_decline),
		CASE(test_dhcp_20_21_client_id),
		CASE(test_dhcp_22_inform),
		CASE(test_dhcp_23_odd_headers),
		CASE(test_dhcp_24_30_not_dhcp),
		CASE(test_dhcp_42_43_limits),
		CASE(test_dhcp_47_reservation),
		CASE(test_dhcp_49_store_failure),
		CASE(test_outcome_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
