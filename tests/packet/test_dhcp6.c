// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCPv6: conversations with guests, on a fake clock. IDs are those of the conformance statements (DHCP6.md). */
#define _GNU_SOURCE	/* memmem() */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "dhcp/dhcp6_explain.h"
#include "dhcp/reservation.h"
#include "tests/packet/dhcp6_client.h"

enum { HOUR = 3600, NOW = 1000000, FIRST = 0x1000, LAST = 0x100f };

#define SUBNET ((struct prefix6){ { .bytes = { 0xfd, 0, 0, 0x77 } }, 64 })
#define POOL_PD ((struct prefix6){ { .bytes = { 0xfd, 0, 0, 0x88 } }, 56 })
#define LINK_LOCAL(n) ((struct addr){ .bytes = { 0xfe, 0x80, [15] = (n) } })

static const struct addr agents = { .bytes = { 0xff, 2, [13] = 1, 0, 2 } };
static const uint8_t gateway_mac[6] = { 2, 0, 0, 0, 0, 1 };

struct bench {
	struct dhcp6_server s;
	struct lease6_conf leases;
	struct dhcp_reservation reserved;
	struct reservations *index;
	int64_t now;
	bool store_broken;
	struct addr used, dst;
	unsigned nended;
	struct lease6_record ended;
	struct dhcp6_result r;
	struct heard h;			/* valid while size */
	uint8_t reply[1452];
	size_t size;
};

static bool is_used(void *arg, struct addr a, const char *port, const uint8_t *mac)
{
	struct bench *b = arg;

	(void)port, (void)mac;
	return addr_equal(a, b->used);
}

static void on_ended(void *arg, const struct lease6_record *r)
{
	struct bench *b = arg;

	b->nended++;
	b->ended = *r;
}

static int setup(void **state)
{
	static struct bench bench;
	struct bench *b = &bench;

	memset(b, 0, sizeof(*b));
	b->leases = (struct lease6_conf){
		.subnet = SUBNET, .first = FIRST, .last = LAST, .delegated = POOL_PD, .delegated_len = 60,
		.gateway = { .bytes = { 0xfd, 0, 0, 0x77, [15] = 1 } }, .is_used = is_used,
	};
	b->s.leases = lease6_table_new(&b->leases, on_ended, b);
	b->s.conf = (struct dhcp6_conf){ .subnet = SUBNET, .dns = b->leases.gateway, .domain = "lab.internal", .lease_s = HOUR };
	dhcp6_server_duid(&b->s.conf, gateway_mac);
	b->now = NOW;
	b->dst = agents;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	lease6_table_free(b->s.leases);
	reservations_free(b->index);
	return 0;
}

/* give() - bytes from the guest with this number; what is answered stands in b->h. Records are stored at once, if they can be. */
static enum dhcp6_outcome give(struct bench *b, uint8_t guest, const uint8_t *data, size_t size)
{
	char port[8];
	struct dhcp6_request from = { .port = port, .src_mac = { 2, 0, 0, 0, 1, guest }, .src = LINK_LOCAL(guest), .dst = b->dst, .sport = 546, .store_ok = !b->store_broken };

	snprintf(port, sizeof(port), "web%u", guest);
	b->size = dhcp6_server_input(&b->s, &from, data, size, b->now, b->reply, sizeof(b->reply), &b->r);
	for (unsigned i = 0; i < b->r.nrecords; i++)
		lease6_committed(b->s.leases, &b->r.records[i]);
	if (b->size)
		assert_true(b->reply[0] == DHCP6_RELAY_REPLY || hear(&b->h, b->reply, b->size));
	return b->r.outcome;
}

static enum dhcp6_outcome tell(struct bench *b, uint8_t guest, struct said s)
{
	uint8_t data[1500];

	if (s.duid_size == 0 && s.type != DHCP6_INFORMATION_REQUEST) {
		memcpy(s.duid, (uint8_t[]){ 0, 3, 0, 1, 2, 0, 0, 0, 1, guest }, 10);
		s.duid_size = 10;
	}
	if (s.type == DHCP6_REQUEST || s.type == DHCP6_RENEW || s.type == DHCP6_RELEASE || s.type == DHCP6_DECLINE) {
		memcpy(s.server, b->s.conf.duid, sizeof(s.server));
		s.server_size = sizeof(s.server);
	}
	return give(b, guest, data, write_said(&s, data, sizeof(data)));
}

static struct prefix6 low(uint64_t n)
{
	struct prefix6 p = { SUBNET.addr, 128 };

	p.addr.halves[1] = htobe64(n);
	return p;
}

static struct prefix6 elsewhere(void)
{
	return (struct prefix6){ { .bytes = { 0xfd, 0, 0, 0x99, [15] = 5 } }, 128 };
}

#define NA(id, ...) { .type = OPTION6_IA_NA, .iaid = (id), .item = { __VA_ARGS__ } }
#define PD(id, ...) { .type = OPTION6_IA_PD, .iaid = (id), .item = { __VA_ARGS__ } }
#define TELL(b, guest, ...) tell(b, guest, (struct said){ __VA_ARGS__ })

/* lease() - four messages, as most clients send them; Return: what was given */
static struct prefix6 lease(struct bench *b, uint8_t guest, uint32_t iaid)
{
	struct prefix6 offered;

	assert_int_equal(TELL(b, guest, .type = DHCP6_SOLICIT, .ia = { NA(iaid) }), DHCP6_OUT_ADVERTISE);
	assert_int_equal(b->h.nias, 1);
	offered = b->h.ia[0].item[0].place;
	assert_int_equal(TELL(b, guest, .type = DHCP6_REQUEST, .ia = { NA(iaid, offered) }), DHCP6_OUT_REPLY);
	assert_true(addr_equal(b->h.ia[0].item[0].place.addr, offered.addr));
	return offered;
}

static void test_DH6_01_four_messages_and_two(void **state)
{
	struct bench *b = *state;
	struct prefix6 a;

	assert_int_equal(TELL(b, 1, .type = DHCP6_SOLICIT, .ia = { NA(7) }), DHCP6_OUT_ADVERTISE);
	assert_int_equal(b->h.type, DHCP6_ADVERTISE);
	assert_int_equal(b->h.preference, 255);
	assert_true(b->h.has_server && b->h.has_client);
	assert_int_equal(lease6_count(b->s.leases), 0);		/* an offer costs nothing */
	a = lease(b, 1, 7);
	assert_int_equal(b->h.type, DHCP6_REPLY);
	assert_true(b->r.durable_first);
	assert_int_equal(b->r.nrecords, 1);
	assert_int_equal(b->h.ia[0].iaid, 7);
	assert_int_equal(b->h.ia[0].item[0].valid, HOUR);
	assert_int_equal(b->h.ia[0].item[0].preferred, HOUR * 3 / 4);
	assert_int_equal(b->h.ia[0].t1, HOUR * 3 / 8);
	assert_int_equal(b->h.ia[0].t2, HOUR * 3 / 5);
	assert_int_equal(b->r.dst_port, 546);
	assert_in_range(be64toh(a.addr.halves[1]), FIRST, LAST);
	assert_memory_equal(b->s.conf.duid, "\0\3\0\1\2\0\0\0\0\1", 10);	/* of nothing that changes with time: RFC 8415 11.4 */
	print_message("  two messages for who asks for that\n");
	assert_int_equal(TELL(b, 2, .type = DHCP6_SOLICIT, .rapid = true, .ia = { NA(7) }), DHCP6_OUT_REPLY);
	assert_true(b->h.type == DHCP6_REPLY && b->h.rapid && b->r.durable_first);
	print_message("  who has forgotten everything has the same address, and so has a server that has\n");
	lease6_table_free(b->s.leases);
	b->s.leases = lease6_table_new(&b->leases, on_ended, b);
	assert_true(addr_equal(lease(b, 1, 9).addr, a.addr));
}

/* Which identifiers a message must and must not have: O ours, F another's, - none. */
static const struct {
	uint8_t type;
	bool client;
	char server;
	bool heard;
} identifiers[] = {
	{ DHCP6_SOLICIT, true, '-', true }, { DHCP6_SOLICIT, true, 'O', false }, { DHCP6_SOLICIT, true, 'F', false }, { DHCP6_SOLICIT, false, '-', false },
	{ DHCP6_REQUEST, true, 'O', true }, { DHCP6_REQUEST, true, 'F', false }, { DHCP6_REQUEST, true, '-', false }, { DHCP6_REQUEST, false, 'O', false },
	{ DHCP6_CONFIRM, true, '-', true }, { DHCP6_CONFIRM, true, 'O', false }, { DHCP6_CONFIRM, false, '-', false },
	{ DHCP6_RENEW, true, 'O', true }, { DHCP6_RENEW, true, 'F', false }, { DHCP6_RENEW, true, '-', false }, { DHCP6_RENEW, false, 'O', false },
	{ DHCP6_REBIND, true, '-', true }, { DHCP6_REBIND, true, 'O', false }, { DHCP6_REBIND, false, '-', false },
	{ DHCP6_RELEASE, true, 'O', true }, { DHCP6_RELEASE, true, 'F', false }, { DHCP6_RELEASE, true, '-', false }, { DHCP6_RELEASE, false, 'O', false },
	{ DHCP6_DECLINE, true, 'O', true }, { DHCP6_DECLINE, true, 'F', false }, { DHCP6_DECLINE, true, '-', false }, { DHCP6_DECLINE, false, 'O', false },
	{ DHCP6_ADVERTISE, true, 'O', false }, { DHCP6_REPLY, true, 'O', false }, { DHCP6_RECONFIGURE, true, 'O', false },
	{ DHCP6_RELAY_REPLY, true, 'O', false }, { 0, true, '-', false }, { 14, true, '-', false }, { 255, true, '-', false },
};

static void test_DH6_02_what_is_discarded(void **state)
{
	struct bench *b = *state;
	uint8_t data[1500];

	for (size_t i = 0; i < ARRAY_SIZE(identifiers); i++) {
		struct said s = { .type = identifiers[i].type, .duid = { 0, 4, 9 }, .duid_size = identifiers[i].client ? 3 : 0, .ia = { NA(1, low(FIRST)) } };

		memcpy(s.server, b->s.conf.duid, sizeof(s.server));
		s.server[9] ^= identifiers[i].server == 'F';
		s.server_size = identifiers[i].server == '-' ? 0 : sizeof(s.server);
		print_message("  type %u, client %d, server %c\n", s.type, identifiers[i].client, identifiers[i].server);
		give(b, 1, data, write_said(&s, data, sizeof(data)));
		assert_int_equal(b->size > 0, identifiers[i].heard);
	}
}

static void test_DH6_03_unicast(void **state)
{
	static const struct { uint8_t type; bool told; } cases[] = {
		{ DHCP6_SOLICIT, false }, { DHCP6_CONFIRM, false }, { DHCP6_REBIND, false }, { DHCP6_INFORMATION_REQUEST, false },
		{ DHCP6_REQUEST, true }, { DHCP6_RENEW, true }, { DHCP6_RELEASE, true }, { DHCP6_DECLINE, true },
	};
	struct bench *b = *state;

	b->dst = b->leases.gateway;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool inform = cases[i].type == DHCP6_INFORMATION_REQUEST;

		tell(b, 1, (struct said){ .type = cases[i].type, .ia = { { .type = inform ? 0 : OPTION6_IA_NA, .item = { low(FIRST) } } } });
		assert_int_equal(b->r.outcome, DHCP6_OUT_MULTICAST);
		assert_int_equal(b->size > 0, cases[i].told);
		if (cases[i].told)
			assert_int_equal(b->h.status, 5);
	}
	assert_int_equal(lease6_count(b->s.leases), 0);
}

static void test_DH6_04_confirm(void **state)
{
	struct bench *b = *state;

	assert_int_equal(TELL(b, 1, .type = DHCP6_CONFIRM, .ia = { NA(1, low(5)), NA(2, low(9)) }), DHCP6_OUT_CONFIRM);
	assert_int_equal(b->h.status, 0);
	assert_int_equal(TELL(b, 1, .type = DHCP6_CONFIRM, .ia = { NA(1, low(5), elsewhere()) }), DHCP6_OUT_CONFIRM);
	assert_int_equal(b->h.status, 4);
	assert_int_equal(TELL(b, 1, .type = DHCP6_CONFIRM, .ia = { NA(1) }), DHCP6_OUT_UNDECIDED);
	assert_int_equal(TELL(b, 1, .type = DHCP6_CONFIRM), DHCP6_OUT_UNDECIDED);
	assert_int_equal(b->size, 0);
}

static void test_DH6_05_what_is_not_there(void **state)
{
	struct bench *b = *state;
	struct prefix6 others = lease(b, 9, 1);

	print_message("  renewed, unknown: nobody's is kept, another's is not the guest's\n");
	assert_int_equal(TELL(b, 1, .type = DHCP6_RENEW, .ia = { NA(1, low(FIRST == be64toh(others.addr.halves[1]) ? LAST : FIRST)) }), DHCP6_OUT_REPLY);
	assert_int_equal(b->h.ia[0].item[0].valid, HOUR);
	assert_int_equal(TELL(b, 2, .type = DHCP6_RENEW, .ia = { NA(1, others) }), DHCP6_OUT_REFUSED);
	assert_int_equal(b->h.ia[0].status, 3);
	assert_int_equal(TELL(b, 2, .type = DHCP6_RENEW, .ia = { NA(1) }), DHCP6_OUT_REFUSED);
	print_message("  rebound: silence, or nothing more of it\n");
	assert_int_equal(TELL(b, 2, .type = DHCP6_REBIND, .ia = { NA(1) }), DHCP6_OUT_UNDECIDED);
	assert_int_equal(TELL(b, 2, .type = DHCP6_REBIND, .ia = { NA(1, others) }), DHCP6_OUT_REPLY);
	assert_int_equal(b->h.ia[0].item[0].valid, 0);
	print_message("  of another link: over, and a new one at once; asked for, it is refused\n");
	assert_int_equal(TELL(b, 3, .type = DHCP6_REBIND, .ia = { NA(1, elsewhere()) }), DHCP6_OUT_REPLY);
	assert_int_equal(b->h.ia[0].n, 2);
	assert_int_equal(b->h.ia[0].item[0].valid, HOUR);
	assert_int_equal(b->h.ia[0].item[1].valid, 0);
	assert_int_equal(TELL(b, 4, .type = DHCP6_REQUEST, .ia = { NA(1, elsewhere()) }), DHCP6_OUT_REFUSED);
	assert_int_equal(b->h.ia[0].status, 4);
	print_message("  none is left\n");
	for (unsigned i = 10; lease6_count(b->s.leases) < LAST - FIRST + 1; i++)
		lease(b, (uint8_t)i, 1);
	assert_int_equal(TELL(b, 99, .type = DHCP6_SOLICIT, .ia = { NA(1) }), DHCP6_OUT_REFUSED);
	assert_int_equal(b->h.ia[0].status, 2);
	assert_true(b->r.exhausted);
	assert_int_equal(b->h.type, DHCP6_ADVERTISE);
	print_message("  temporary addresses are none of ours\n");
	assert_int_equal(TELL(b, 1, .type = DHCP6_SOLICIT, .ia = { { .type = OPTION6_IA_TA, .iaid = 3 } }), DHCP6_OUT_REFUSED);
	assert_int_equal(b->h.ia[0].status, 2);
}

static void test_DH6_06_several(void **state)
{
	static const uint32_t times[][4] = {	/* T1, T2, preferred, valid */
		{ 0, 0, 0, 1 }, { 3000, 1000, 10, 5 }, { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX }, { 1, UINT32_MAX, UINT32_MAX, 1 },
	};
	struct bench *b = *state;
	struct prefix6 first;

	assert_int_equal(TELL(b, 1, .type = DHCP6_SOLICIT, .rapid = true, .ia = { NA(1), NA(2), PD(1) }), DHCP6_OUT_REPLY);
	assert_int_equal(b->h.nias, 3);
	assert_int_equal(b->r.nrecords, 3);
	first = b->h.ia[0].item[0].place;
	assert_false(addr_equal(b->h.ia[0].item[0].place.addr, b->h.ia[1].item[0].place.addr));
	print_message("  the same IAID of another client is another's\n");
	TELL(b, 1, .type = DHCP6_SOLICIT, .rapid = true, .duid = { 0, 4, 9, 9 }, .duid_size = 4, .ia = { NA(1) });
	assert_int_equal(lease6_count(b->s.leases), 4);
	print_message("  a client's own times are wishes that nobody has to grant\n");
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		TELL(b, 1, .type = DHCP6_RENEW, .ia = { { .type = OPTION6_IA_NA, .iaid = 1, .t1 = times[i][0], .t2 = times[i][1],
			.preferred = times[i][2], .valid = times[i][3], .item = { first } } });
		assert_true(addr_equal(b->h.ia[0].item[0].place.addr, first.addr));
		assert_true(b->h.ia[0].t1 == HOUR * 3 / 8 && b->h.ia[0].t2 == HOUR * 3 / 5);
		assert_true(b->h.ia[0].item[0].preferred == HOUR * 3 / 4 && b->h.ia[0].item[0].valid == HOUR);
	}
	print_message("  without end\n");
	b->s.conf.lease_s = UINT32_MAX;
	TELL(b, 1, .type = DHCP6_RENEW, .ia = { NA(1) });
	assert_true(b->h.ia[0].t1 == UINT32_MAX && b->h.ia[0].t2 == UINT32_MAX && b->h.ia[0].item[0].valid == UINT32_MAX);
	assert_false(b->r.durable_first);
	b->now += 1000000000;
	assert_int_equal(lease6_expire(b->s.leases, b->now), LEASE_NEVER);
	assert_int_equal(lease6_count(b->s.leases), 1);
}

static void test_DH6_07_prefixes(void **state)
{
	struct bench *b = *state;
	struct prefix6 given;

	assert_int_equal(TELL(b, 1, .type = DHCP6_SOLICIT, .rapid = true, .ia = { PD(1) }), DHCP6_OUT_REPLY);
	given = b->h.ia[0].item[0].place;
	assert_int_equal(given.len, 60);
	assert_true(addr_in(POOL_PD, given.addr));
	assert_true(addr_equal(b->r.records[0].via, LINK_LOCAL(1)));
	print_message("  shorter than there are, and longer\n");
	TELL(b, 2, .type = DHCP6_SOLICIT, .rapid = true, .ia = { PD(1, { { .bytes = { 0 } }, 48 }) });
	assert_int_equal(b->h.ia[0].item[0].place.len, 60);
	TELL(b, 3, .type = DHCP6_SOLICIT, .rapid = true, .ia = { PD(1, { { .bytes = { 0 } }, 62 }) });
	assert_int_equal(b->h.ia[0].item[0].place.len, 62);
	assert_int_equal(b->h.ia[0].n, 1);
	print_message("  renewed, kept, over\n");
	assert_int_equal(TELL(b, 1, .type = DHCP6_RENEW, .ia = { PD(1, given) }), DHCP6_OUT_REPLY);
	assert_true(addr_equal(b->h.ia[0].item[0].place.addr, given.addr));
	assert_int_equal(TELL(b, 1, .type = DHCP6_RELEASE, .ia = { PD(1, given) }), DHCP6_OUT_RELEASE);
	assert_int_equal(b->r.records[0].state, LEASE_RELEASED);
	assert_int_equal(lease6_count(b->s.leases), 2);
	for (unsigned i = 10; i < 24; i++)
		TELL(b, (uint8_t)i, .type = DHCP6_SOLICIT, .rapid = true, .ia = { PD(1) });
	assert_int_equal(lease6_count(b->s.leases), 16);
	assert_int_equal(TELL(b, 99, .type = DHCP6_SOLICIT, .ia = { PD(1) }), DHCP6_OUT_REFUSED);
	assert_int_equal(b->h.ia[0].status, 6);
}

static size_t write_nested(uint8_t *data, size_t room)
{
	size_t n = write_said(&(struct said){ .type = DHCP6_SOLICIT, .duid = { 0, 4, 1 }, .duid_size = 3 }, data, room), open[8];
	struct writer w = writer_init(data + n, room - n);

	for (unsigned i = 0; i < ARRAY_SIZE(open); i++) {
		open[i] = open6(&w, OPTION6_IA_NA);
		write_zeros(&w, 12);
	}
	for (unsigned i = ARRAY_SIZE(open); i-- > 0;)
		close6(&w, open[i]);
	return n + w.pos;
}

static void test_DH6_08_malformed(void **state)
{
	static const struct { uint8_t size; bool heard; } duids[] = {
		{ 1, false }, { 2, false }, { 3, true }, { 130, true }, { 131, false },
	};
	struct bench *b = *state;
	uint8_t data[1500];
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(duids); i++) {
		TELL(b, 1, .type = DHCP6_SOLICIT, .duid_size = duids[i].size, .ia = { NA(1) });
		assert_int_equal(b->size > 0, duids[i].heard);
	}
	print_message("  cut anywhere\n");
	n = write_said(&(struct said){ .type = DHCP6_SOLICIT, .duid = { 0, 4, 1 }, .duid_size = 3, .ask = { 23, 24 }, .ia = { NA(1, low(FIRST)) } }, data, sizeof(data));
	for (size_t i = 0; i < n; i++) {
		uint8_t copy[1500];

		memcpy(copy, data, i);	/* what is behind it is not there, as a checker of memory sees */
		give(b, 1, copy, i);
	}
	print_message("  eight IAs, each in the one before\n");
	assert_int_equal(give(b, 1, data, write_nested(data, sizeof(data))), DHCP6_OUT_ADVERTISE);
	assert_int_equal(b->h.nias, 1);
	n = write_said(&(struct said){ .type = DHCP6_SOLICIT, .duid = { 0, 4, 1 }, .duid_size = 3 }, data, sizeof(data));
	print_message("  two names for one client\n");
	memcpy(data + n, "\0\1\0\3\0\4\1", 7);
	assert_int_equal(give(b, 1, data, n + 7), DHCP6_OUT_MALFORMED);
	print_message("  the same wish many times is one\n");
	TELL(b, 1, .type = DHCP6_SOLICIT, .ask = { 23, 23, 23, 24, 23 }, .ia = { NA(1) });
	assert_int_equal(b->h.ncodes, 2);
	assert_int_equal(lease6_count(b->s.leases), 0);
}

/* wrap() - a relay puts itself around @inner; Return: the new size */
static size_t wrap(uint8_t *to, uint8_t hops, struct addr link, const char *interface, const uint8_t *inner, size_t size)
{
	struct writer w = writer_init(to, 4000);

	write_u8(&w, DHCP6_RELAY_FORWARD);
	write_u8(&w, hops);
	write_bytes(&w, link.bytes, ADDR_SIZE);
	write_bytes(&w, LINK_LOCAL(7).bytes, ADDR_SIZE);
	option6(&w, OPTION6_INTERFACE_ID, interface, strlen(interface));
	option6(&w, OPTION6_RELAY_PORT, "\1\2", 2);
	option6(&w, OPTION6_LINK_ADDRESS, "\0\1\2\0\0\0\0\77", 8);
	option6(&w, OPTION6_RELAY_MESSAGE, inner, size);
	return w.pos;
}

static void test_DH6_09_relays(void **state)
{
	struct bench *b = *state;
	uint8_t one[2000], two[4000], data[1500];
	char name[1401];
	struct said s = { .type = DHCP6_SOLICIT, .rapid = true, .duid = { 0, 4, 1 }, .duid_size = 3, .ia = { NA(1) } };
	size_t n = write_said(&s, data, sizeof(data)), m;
	struct reader r;

	m = wrap(one, 0, low(5).addr, "eth7", data, n);
	m = wrap(two, 1, (struct addr){ 0 }, "uplink", one, m);
	assert_int_equal(give(b, 1, two, m), DHCP6_OUT_REPLY);
	assert_int_equal(b->r.dst_port, 546);			/* the port that it sent from */
	assert_memory_equal(b->r.records[0].mac, "\2\0\0\0\0\77", 6);
	r = reader_init(b->reply, b->size);
	assert_int_equal(read_u16(&r), DHCP6_RELAY_REPLY << 8 | 1);
	assert_memory_equal(b->reply + 34, "\0\22\0\6uplink\0\207\0\2\1\2\0\11", 18);
	assert_int_equal(b->reply[54], DHCP6_RELAY_REPLY);
	assert_memory_equal(b->reply + 54 + 2, low(5).addr.bytes, ADDR_SIZE);
	assert_memory_equal(b->reply + 54 + 34, "\0\22\0\4eth7", 8);
	assert_true(hear(&b->h, b->reply + 54 + 34 + 18, b->size - (54 + 34 + 18)));
	print_message("  cut anywhere\n");
	for (size_t i = 0; i < m; i++) {
		memcpy(one, two, i);
		memset(one + i, 0xee, sizeof(one) - i);
		give(b, 1, one, i);
		assert_null(b->size ? memmem(b->reply, b->size, "\xee\xee\xee", 3) : NULL);
	}
	print_message("  with more of its own than an answer has room for\n");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	m = wrap(two, 0, low(5).addr, name, data, n);
	give(b, 1, two, m);
	assert_int_equal(b->size, 0);
	name[1000] = 0;
	m = wrap(two, 0, low(5).addr, name, data, n);
	assert_int_equal(give(b, 1, two, m), DHCP6_OUT_REPLY);
	assert_in_range(b->size, 1000, sizeof(b->reply));
	print_message("  of a link that is not this one\n");
	m = wrap(one, 0, elsewhere().addr, "eth7", data, n);
	assert_int_equal(give(b, 1, one, m), DHCP6_OUT_RELAY);
	print_message("  eight, and one more\n");
	memcpy(one, data, n);
	for (unsigned i = 0; i < 9; i++) {
		m = wrap(two, (uint8_t)i, low(5).addr, "", one, i ? m : n);
		memcpy(one, two, m);
		assert_int_equal(give(b, 1, one, m), i < 8 ? DHCP6_OUT_REPLY : DHCP6_OUT_RELAY);
	}
	m = wrap(one, 9, low(5).addr, "", data, n);
	assert_int_equal(give(b, 1, one, m), DHCP6_OUT_RELAY);
}

static void test_DH6_10_settings(void **state)
{
	static const uint16_t want[] = { 82, 24, 32, 56, 23, 103 };
	struct bench *b = *state;

	b->s.conf.ntp[0] = low(2).addr;
	b->s.conf.nntp = 1;
	strcpy(b->s.conf.captive_portal, "https://portal.example/");
	assert_int_equal(TELL(b, 1, .type = DHCP6_INFORMATION_REQUEST, .ask = { 82, 24, 32, 56, 23, 103 }), DHCP6_OUT_INFORM);
	assert_int_equal(b->h.ncodes, ARRAY_SIZE(want));
	assert_memory_equal(b->h.codes, want, sizeof(want));
	assert_false(b->h.has_client);
	assert_int_equal(TELL(b, 1, .type = DHCP6_INFORMATION_REQUEST, .duid = { 0, 4, 1 }, .duid_size = 3), DHCP6_OUT_INFORM);
	assert_true(b->h.has_client);
	assert_int_equal(b->h.ncodes, 2);
	assert_int_equal(TELL(b, 1, .type = DHCP6_INFORMATION_REQUEST, .ia = { NA(1) }), DHCP6_OUT_IDENTIFIERS);
	print_message("  no addresses: stateless\n");
	b->leases.last = 0;
	lease6_table_configure(b->s.leases, &b->leases, b->now);
	assert_int_equal(TELL(b, 1, .type = DHCP6_SOLICIT, .ia = { NA(1), PD(2) }), DHCP6_OUT_ADVERTISE);
	assert_int_equal(b->h.ia[0].status, 2);
	assert_int_equal(b->h.ia[1].n, 1);
	print_message("  the name by which it is known\n");
	TELL(b, 1, .type = DHCP6_SOLICIT, .name = true, .ia = { PD(2) });
	assert_int_equal(b->h.codes[b->h.ncodes - 1], OPTION6_NAME);
}

static void test_DH6_11_given_up(void **state)
{
	struct bench *b = *state;
	struct prefix6 a = lease(b, 1, 1), next;

	assert_int_equal(TELL(b, 2, .type = DHCP6_RELEASE, .ia = { NA(1, a) }), DHCP6_OUT_REFUSED);
	assert_int_equal(b->h.status, 0);
	assert_int_equal(b->h.ia[0].status, 3);
	assert_int_equal(TELL(b, 1, .type = DHCP6_RELEASE, .ia = { NA(1, a) }), DHCP6_OUT_RELEASE);
	assert_int_equal(b->h.status, 0);
	assert_int_equal(lease6_count(b->s.leases), 0);
	assert_true(addr_equal(lease(b, 1, 1).addr, a.addr));
	print_message("  declined: it rests, and the guest has another\n");
	assert_int_equal(TELL(b, 1, .type = DHCP6_DECLINE, .ia = { NA(1, a) }), DHCP6_OUT_DECLINE);
	assert_int_equal(b->r.records[0].state, LEASE_DECLINED);
	next = lease(b, 1, 1);
	assert_false(addr_equal(next.addr, a.addr));
	assert_int_equal(TELL(b, 5, .type = DHCP6_RENEW, .ia = { NA(1, a) }), DHCP6_OUT_REFUSED);
	b->now += 86400 + 1;
	lease6_expire(b->s.leases, b->now);
	assert_int_equal(lease6_count(b->s.leases), 0);
	assert_int_equal(b->nended, 2);
	print_message("  somebody uses it without having asked\n");
	b->used = a.addr;
	assert_false(addr_equal(lease(b, 1, 1).addr, a.addr));
}

static void test_store_that_refuses(void **state)
{
	struct bench *b = *state;

	lease(b, 1, 1);
	b->now += 600;
	b->store_broken = true;
	assert_int_equal(TELL(b, 1, .type = DHCP6_RENEW, .ia = { NA(1) }), DHCP6_OUT_REPLY);
	assert_int_equal(b->h.ia[0].item[0].valid, HOUR - 600);
	assert_int_equal(b->r.nrecords, 0);
	assert_int_equal(TELL(b, 2, .type = DHCP6_SOLICIT, .ia = { NA(1) }), DHCP6_OUT_REFUSED);
	assert_int_equal(TELL(b, 2, .type = DHCP6_RENEW, .ia = { NA(1, low(FIRST + 3)) }), DHCP6_OUT_STORE);
	assert_int_equal(b->size, 0);
}

static void test_reservation(void **state)
{
	struct bench *b = *state;

	lease(b, 1, 1);
	b->reserved = (struct dhcp_reservation){ .name = "web1", .key = GUEST_PORT, .ip = 0x0a4d0032 };
	b->index = reservations_new(&b->reserved, 1);
	b->leases.reservations = b->s.conf.reservations = b->index;
	lease6_table_configure(b->s.leases, &b->leases, b->now);
	print_message("  it moves there when it renews; others never have it\n");
	assert_int_equal(TELL(b, 1, .type = DHCP6_RENEW, .ia = { NA(1) }), DHCP6_OUT_REPLY);
	assert_int_equal(be64toh(b->h.ia[0].item[0].place.addr.halves[1]), 0x0a4d0032);
	assert_int_equal(b->nended, 1);
	TELL(b, 2, .type = DHCP6_REQUEST, .ia = { NA(1, low(0x0a4d0032)) });
	assert_in_range(be64toh(b->h.ia[0].item[0].place.addr.halves[1]), FIRST, LAST);
	print_message("  the same machine under another name takes it over, a second address of it does not\n");
	TELL(b, 1, .type = DHCP6_SOLICIT, .rapid = true, .duid = { 0, 4, 9 }, .duid_size = 3, .ia = { NA(1) });
	assert_int_equal(be64toh(b->h.ia[0].item[0].place.addr.halves[1]), 0x0a4d0032);
	TELL(b, 1, .type = DHCP6_SOLICIT, .rapid = true, .duid = { 0, 4, 9 }, .duid_size = 3, .ia = { NA(2) });
	assert_in_range(be64toh(b->h.ia[0].item[0].place.addr.halves[1]), FIRST, LAST);
}

/* ends_with() - the reply's last option */
static bool ends_with(const struct bench *b, const void *data, size_t size)
{
	return b->size >= size && !memcmp(b->reply + b->size - size, data, size);
}

static void test_reserved_name(void **state)
{
	static const uint8_t duid[] = { 0, 4, 9, 9 };
	static const char desk[] = "\3\6desk-7\3lab\10internal", port[] = "\3\4web2\3lab\10internal";
	struct bench *b = *state;

	b->reserved = (struct dhcp_reservation){ .name = "desk", .key = GUEST_CLIENT_ID, .id_size = sizeof(duid), .hostname = "desk-7" };
	memcpy(b->reserved.id, duid, sizeof(duid));
	b->index = reservations_new(&b->reserved, 1);
	b->leases.reservations = b->s.conf.reservations = b->index;
	lease6_table_configure(b->s.leases, &b->leases, b->now);
	TELL(b, 1, .type = DHCP6_SOLICIT, .name = true, .duid = { 0, 4, 9, 9 }, .duid_size = 4, .ia = { NA(1) });
	assert_true(ends_with(b, desk, sizeof(desk)));
	TELL(b, 2, .type = DHCP6_SOLICIT, .ask = { OPTION6_NAME }, .duid = { 0, 4, 9, 9 }, .duid_size = 4, .ia = { PD(1) });
	assert_true(ends_with(b, desk, sizeof(desk)));
	print_message("  others are called as their port\n");
	TELL(b, 2, .type = DHCP6_SOLICIT, .name = true, .duid = { 0, 4, 9 }, .duid_size = 3, .ia = { NA(1) });
	assert_true(ends_with(b, port, sizeof(port)));
}

static void test_explained(void **state)
{
	static const uint8_t duid[] = { 0, 3, 0, 1, 2, 0, 0, 0, 1, 1 }, mac[] = { 2, 0, 0, 0, 1, 1 };
	struct dhcp6_question q = { .port = "web1", .mac = mac, .duid = duid, .duid_size = sizeof(duid), .iaid = 7 };
	static struct dhcp6_explained e;
	struct bench *b = *state;
	size_t size;

	assert_int_equal(dhcp6_explain(&b->s, &q, b->now, &e), 0);
	assert_int_equal(e.outcome, DHCP6_OUT_ADVERTISE);
	assert_int_equal(e.address_why, LEASE6_WHY_ITS);
	assert_int_equal(e.prefix.len, 60);
	assert_int_equal(e.prefix_why, LEASE6_WHY_ITS);
	assert_memory_equal(dhcp6_message_option(e.answer, e.size, OPTION6_DNS, &size), b->s.conf.dns.bytes, ADDR_SIZE);
	assert_null(dhcp6_message_option(e.answer, e.size, OPTION6_NTP, &size));
	assert_int_equal(lease6_count(b->s.leases), 0);			/* nothing is held */
	assert_true(addr_equal(lease(b, 1, 7).addr, e.address.addr));	/* and so it comes */
	dhcp6_explain(&b->s, &q, b->now, &e);
	assert_int_equal(e.address_why, LEASE6_WHY_HAS);
	assert_int_equal(e.prefix_why, LEASE6_WHY_ITS);
	q.iaid = 8;
	dhcp6_explain(&b->s, &q, b->now, &e);
	assert_int_equal(e.address_why, LEASE6_WHY_NEXT);
	assert_true(addr_equal(lease(b, 1, 8).addr, e.address.addr));
	b->reserved = (struct dhcp_reservation){ .name = "web1", .key = GUEST_PORT, .ip = 0x0a4d0032 };
	b->index = reservations_new(&b->reserved, 1);
	b->leases.reservations = b->s.conf.reservations = b->index;
	lease6_table_configure(b->s.leases, &b->leases, b->now);
	dhcp6_explain(&b->s, &q, b->now, &e);
	assert_int_equal(e.address_why, LEASE6_WHY_RESERVED);
	assert_int_equal(be64toh(e.address.addr.halves[1]), 0x0a4d0032);
	assert_ptr_equal(e.reservation, &b->reserved);
	print_message("  who would get nothing, and a DUID that is none\n");
	b->leases.last = b->leases.delegated.len = 0;
	lease6_table_configure(b->s.leases, &b->leases, b->now);
	dhcp6_explain(&b->s, &q, b->now, &e);
	assert_int_equal(e.outcome, DHCP6_OUT_REFUSED);
	assert_true(!e.address.len && !e.prefix.len);
	q.duid_size = 2;
	assert_int_equal(dhcp6_explain(&b->s, &q, b->now, &e), -EINVAL);
}

/* While a reply waits for the store an administrator may take back what it gives. */
static void test_taken_away(void **state)
{
	struct bench *b = *state;
	struct lease6_record given, freed;

	lease(b, 1, 1);
	given = b->r.records[0];
	assert_true(lease6_committed(b->s.leases, &given));
	assert_int_equal(lease6_free(b->s.leases, given.place.addr, b->now, &freed), 0);
	assert_false(lease6_committed(b->s.leases, &given));
	print_message("  nor is it confirmed when another has it by now, or another binding of the same guest\n");
	TELL(b, 2, .type = DHCP6_REQUEST, .ia = { NA(1, given.place) });
	assert_true(addr_equal(b->r.records[0].place.addr, given.place.addr));
	assert_false(lease6_committed(b->s.leases, &given));
	assert_int_equal(lease6_free(b->s.leases, given.place.addr, b->now, &freed), 0);
	TELL(b, 1, .type = DHCP6_REQUEST, .ia = { NA(2, given.place) });
	assert_false(lease6_committed(b->s.leases, &given));
	assert_true(lease6_committed(b->s.leases, &b->r.records[0]));
	assert_false(lease6_committed(b->s.leases, &freed));
}

static void test_quota(void **state)
{
	struct bench *b = *state;

	b->leases.quota = 3;
	lease6_table_configure(b->s.leases, &b->leases, b->now);
	for (uint32_t i = 0; i < 3; i++)
		lease(b, 1, i);
	assert_int_equal(TELL(b, 1, .type = DHCP6_SOLICIT, .ia = { NA(9) }), DHCP6_OUT_REFUSED);
	lease(b, 2, 1);
	lease6_port_gone(b->s.leases, "web1", b->now);
	assert_int_equal(lease6_count(b->s.leases), 1);
	assert_int_equal(b->nended, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_DH6_01_four_messages_and_two), TEST(test_DH6_02_what_is_discarded), TEST(test_DH6_03_unicast), TEST(test_DH6_04_confirm),
		TEST(test_DH6_05_what_is_not_there), TEST(test_DH6_06_several), TEST(test_DH6_07_prefixes), TEST(test_DH6_08_malformed),
		TEST(test_DH6_09_relays), TEST(test_DH6_10_settings), TEST(test_DH6_11_given_up), TEST(test_store_that_refuses),
		TEST(test_reservation), TEST(test_reserved_name), TEST(test_explained), TEST(test_taken_away), TEST(test_quota),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
