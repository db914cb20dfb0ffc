// SPDX-License-Identifier: GPL-2.0-or-later
/* A vhost-user conversation: what is negotiated, answered, refused, and what ends the connection. The port is a fake that sees
 * to the rules of tap/vhost.h; each test ends with the count of open descriptors it began with. */
#define _GNU_SOURCE
#include "tap/vhost_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/vhost_front_end.h"

/* ---- negotiation ---- */

static void test_negotiation(void **unused)
{
	uint64_t protocol = PROTOCOL_ALL, value;

	(void)unused;
	assert_int_equal(ask(VHOST_GET_FEATURES), FAKE_FEATURES | BIT(30));
	assert_int_equal(ask(VHOST_GET_PROTOCOL_FEATURES), PROTOCOL_ALL);	/* before SET_FEATURES */
	assert_int_equal(ask(VHOST_GET_QUEUE_NUM), PAIRS);
	say_fds(VHOST_SET_OWNER, 0, NULL, 0, NULL, 0);
	/* An acknowledgement is asked for by the very message that makes that possible. */
	say_fds(VHOST_SET_PROTOCOL_FEATURES, NEED_REPLY, &protocol, 8, NULL, 0);
	assert_int_equal(input(), 0);
	assert_int_equal(reply(VHOST_SET_PROTOCOL_FEATURES, &value, 8, NULL), 8);
	assert_int_equal(value, 0);
	assert_int_equal(ask(VHOST_GET_MAX_MEM_SLOTS), 509);
	assert_true(done_u64(VHOST_SET_FEATURES, VERSION_1 | BIT(30)));
	assert_int_equal(fake.features, VERSION_1);
	assert_true(done(VHOST_RESET_OWNER, NULL, 0));
	assert_false(vhost_session_running(t.s));
}

static void test_not_offered(void **unused)
{
	(void)unused;
	negotiate(VERSION_1 | BIT(30));
	assert_false(done_u64(VHOST_SET_FEATURES, VERSION_1 | BIT(33)));	/* ACCESS_PLATFORM */
	assert_string_equal(vhost_session_reason(t.s), "SET_FEATURES: features 0x200000000 were not offered");
	assert_int_equal(fake.features, VERSION_1);
	assert_false(done_u64(VHOST_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | BIT(8)));
	assert_false(done_u64(VHOST_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | BIT(63)));
	assert_true(done_u64(VHOST_NET_SET_MTU, 1500));		/* what was negotiated before still is */
}

/* A refusal that cannot be told ends the connection: without it the front-end would go on as if it had been done. */
static void test_not_offered_silently(void **unused)
{
	uint64_t features = BIT(33);

	(void)unused;
	say_fds(VHOST_SET_FEATURES, NEED_REPLY, &features, 8, NULL, 0);	/* REPLY_ACK was not negotiated */
	ends("features 0x200000000 were not offered");
	no_reply();
	assert_int_equal(vhost_session_input(t.s), -EINVAL);
}

/* Never act on a feature that was not acknowledged. */
static void test_gates(void **unused)
{
	static const struct {
		uint32_t request, size;
		unsigned fds;
	} cases[] = {
		{ VHOST_SET_LOG_BASE, 16, 1 }, { VHOST_SEND_RARP, 8, 0 }, { VHOST_NET_SET_MTU, 8, 0 },
		{ VHOST_SET_BACKEND_REQ_FD, 0, 1 }, { VHOST_GET_INFLIGHT_FD, 24, 0 }, { VHOST_SET_INFLIGHT_FD, 24, 1 },
		{ VHOST_RESET_DEVICE, 0, 0 }, { VHOST_GET_MAX_MEM_SLOTS, 0, 0 }, { VHOST_ADD_MEM_REG, 40, 1 },
		{ VHOST_REM_MEM_REG, 40, 0 }, { VHOST_SET_STATUS, 8, 0 }, { VHOST_GET_STATUS, 0, 0 },
	};
	static const uint8_t payload[40] = { 220, 5 };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  request %u\n", cases[i].request);
		say_fds(cases[i].request, 0, payload, cases[i].size, &t.memfd, cases[i].fds);
		ends("which was not negotiated");
		no_reply();
		vhost_session_free(t.s);
		close(t.peer);
		connect_session();
	}
	/* The channel for our own requests is not offered, whatever else was agreed on. */
	negotiate(VERSION_1 | BIT(30));
	assert_false(done_fds(VHOST_SET_BACKEND_REQ_FD, NULL, 0, &t.memfd, 1));
}

/* ---- replies ---- */

static void test_one_reply_each(void **unused)
{
	static const struct {
		uint32_t request, size, reply;
	} own[] = {
		{ VHOST_GET_FEATURES, 0, 8 }, { VHOST_GET_PROTOCOL_FEATURES, 0, 8 }, { VHOST_GET_QUEUE_NUM, 0, 8 },
		{ VHOST_GET_VRING_BASE, 8, 8 }, { VHOST_GET_MAX_MEM_SLOTS, 0, 8 }, { VHOST_GET_STATUS, 0, 8 },
	};
	static const uint8_t payload[8];
	uint8_t data[64];

	(void)unused;
	negotiate(VERSION_1 | BIT(30));
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		say_fds(own[i].request, NEED_REPLY, payload, own[i].size, NULL, 0);
		assert_int_equal(input(), 0);
		assert_int_equal(reply(own[i].request, data, sizeof(data), NULL), own[i].reply);
		no_reply();
	}
	/* not asked for: none */
	say_fds(VHOST_SET_OWNER, 0, NULL, 0, NULL, 0);
	assert_int_equal(input(), 0);
	no_reply();
}

static void test_unknown(void **unused)
{
	static const uint32_t requests[] = { 0, 22, 24, 28, 35, 43, 0x7fffffff };
	static const uint8_t payload[VHOST_PAYLOAD_MAX];

	(void)unused;
	negotiate(VERSION_1 | BIT(30));
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		assert_false(done(requests[i], payload, 24));
		say_fds(requests[i], 0, payload, VHOST_PAYLOAD_MAX, NULL, 0);
		assert_int_equal(input(), 0);
		no_reply();
	}
	assert_int_equal(ask(VHOST_GET_QUEUE_NUM), PAIRS);	/* in step all the while */
	say_fds(99, NEED_REPLY, NULL, 0, &t.memfd, 1);
	ends("request 99: not known here, and descriptors came with it");
}

/* A front-end that asks and asks, and never reads, ends; nobody waits for it. */
static void test_replies_not_read(void **unused)
{
	uint8_t data[VHOST_HEADER];
	int rc = 0;

	(void)unused;
	make_message(data, VHOST_GET_FEATURES, VERSION, NULL, 0);
	for (unsigned i = 0; i < 100000 && rc >= 0; i++) {
		if (send(t.peer, data, sizeof(data), MSG_NOSIGNAL) < 0)
			assert_int_equal(errno, EAGAIN);
		rc = vhost_session_input(t.s);
	}
	assert_int_equal(rc, -ENOBUFS);
	assert_non_null(strstr(vhost_session_reason(t.s), "does not read the replies"));
}

static void test_many_messages(void **unused)
{
	unsigned calls = 0;
	int rc;

	(void)unused;
	negotiate(VERSION_1 | BIT(30));
	for (unsigned i = 0; i < 100; i++)
		say_fds(VHOST_SET_OWNER, 0, NULL, 0, NULL, 0);
	do {
		rc = vhost_session_input(t.s);	/* a bounded number each time */
		calls++;
	} while (rc == 2);
	assert_int_equal(rc, 0);
	assert_in_range(calls, 3, 50);
	for (unsigned i = 0; i < 100000; i++) {
		say_fds(VHOST_NET_SET_MTU, 0, &(uint64_t){ 1500 }, 8, NULL, 0);
		assert_true(vhost_session_input(t.s) >= 0);
	}
}

/* ---- bytes ---- */

static void test_byte_by_byte(void **unused)
{
	uint64_t features = VERSION_1 | BIT(30);
	uint8_t data[64];
	size_t n = make_message(data, VHOST_SET_FEATURES, VERSION, &features, 8);

	(void)unused;
	for (size_t i = 0; i < n; i++) {
		send_bytes(data + i, 1, NULL, 0);
		assert_int_equal(input(), i + 1 < n);	/* 1: inside a message */
	}
	assert_int_equal(fake.features, VERSION_1);
	assert_int_equal(input(), 0);
}

static void test_broken_bytes(void **unused)
{
	static const struct {
		const char *what;
		uint32_t words[3];
		const char *why;
	} cases[] = {
		{ "zeros",		{ 0, 0, 0 },			"version 0" },
		{ "ones",		{ 0xffffffff, 0xffffffff, 0xffffffff }, "version 3" },
		{ "text",		{ 0x20544547, 0x5448202f, 0x312f5054 }, "version" },
		{ "a reply",		{ 1, 5, 0 },			"marked as a reply" },
		{ "a huge payload",	{ 2, 1, 1 << 30 },		"a payload of" },
		{ "a huge unknown one",	{ 77, 1, VHOST_PAYLOAD_MAX + 4 }, "request 77: a payload" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		send_bytes(cases[i].words, sizeof(cases[i].words), &t.memfd, 1);
		ends(cases[i].why);
		vhost_session_free(t.s);
		close(t.peer);
		connect_session();
	}
	send_bytes("\1\0", 2, &t.memfd, 1);
	assert_int_equal(input(), 1);
	shutdown(t.peer, SHUT_WR);
	assert_int_equal(vhost_session_input(t.s), -EPIPE);
	assert_string_equal(vhost_session_reason(t.s), "vhost-user connection: the front-end closed it inside a message");
}

static void test_closed(void **unused)
{
	(void)unused;
	start_all(VERSION_1 | BIT(30));
	close(t.peer);
	t.peer = -1;
	assert_int_equal(vhost_session_input(t.s), -EPIPE);
	assert_false(vhost_session_running(t.s));
}

/* ---- descriptors ---- */

static void test_descriptors_that_do_not_belong(void **unused)
{
	static const struct {
		const char *what;
		uint32_t request, size;
		uint64_t first;
		unsigned fds;
	} cases[] = {
		{ "one with SET_OWNER",			VHOST_SET_OWNER, 0, 0, 1 },
		{ "eight with GET_FEATURES",		VHOST_GET_FEATURES, 0, 0, 8 },
		{ "nine with a table of eight",		VHOST_SET_MEM_TABLE, 264, 8, 9 },
		{ "twenty with a table of eight",	VHOST_SET_MEM_TABLE, 264, 8, 20 },
		{ "seven with a table of eight",	VHOST_SET_MEM_TABLE, 264, 8, 7 },
		{ "two with a kick",			VHOST_SET_VRING_KICK, 8, 0, 2 },
		{ "none with a kick",			VHOST_SET_VRING_KICK, 8, 0, 0 },
		{ "one with a kick that has none",	VHOST_SET_VRING_KICK, 8, NONE, 1 },
		{ "two with a region",			VHOST_ADD_MEM_REG, 40, 0, 2 },
	};
	uint8_t payload[264];
	int fds[20];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = t.memfd;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int before = count_fds();

		print_message("  %s\n", cases[i].what);
		memset(payload, 0, sizeof(payload));
		memcpy(payload, &cases[i].first, 8);
		say_fds(cases[i].request, NEED_REPLY, payload, cases[i].size, fds, cases[i].fds);
		ends("descriptors");
		assert_int_equal(count_fds(), before);
		vhost_session_free(t.s);
		close(t.peer);
		connect_session();
	}
}

/* Descriptors that come one by one with the bytes of a message that never ends are bounded as well. */
static void test_descriptors_in_pieces(void **unused)
{
	uint8_t data[VHOST_HEADER + 264];
	uint8_t payload[264] = { 8 };
	int before = count_fds(), rc = 1;
	unsigned i = 0;

	(void)unused;
	make_message(data, VHOST_SET_MEM_TABLE, VERSION, payload, sizeof(payload));
	for (; i < 20 && rc == 1; i++) {
		send_bytes(data + i, 1, &t.memfd, 1);
		rc = input();
	}
	assert_int_equal(rc, -EBADMSG);
	assert_int_equal(i, VHOST_MESSAGE_FDS + 1);
	assert_int_equal(count_fds(), before);
}

static void test_not_a_unix_stream(void **unused)
{
	struct vhost_session_conf conf = session_conf();
	struct error err = { 0 };
	int pair[2], before = count_fds();

	(void)unused;
	assert_null(vhost_session_new(&conf, dup(t.memfd), &err));
	assert_int_equal(err.rc, -EINVAL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	assert_null(vhost_session_new(&conf, pair[0], &err));
	close(pair[1]);
	conf.pairs = VHOST_PAIRS_MAX + 1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_null(vhost_session_new(&conf, pair[0], &err));
	close(pair[1]);
	assert_int_equal(count_fds(), before);
	vhost_session_free(NULL);
	vhost_session_leave(NULL);
}

/* ---- the device ---- */

static void test_mtu(void **unused)
{
	static const struct {
		uint64_t mtu;
		bool fits;
	} cases[] = { { 0, false }, { 67, false }, { 68, true }, { 1500, true }, { 65535, true }, { 65536, false }, { ~0ull, false } };

	(void)unused;
	negotiate(VERSION_1 | BIT(30));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(done_u64(VHOST_NET_SET_MTU, cases[i].mtu), cases[i].fits);
}

static void test_announce(void **unused)
{
	static const uint8_t mac[8] = { 2, 0, 0, 0, 0, 7 }, group[8] = { 3 }, none[8];

	(void)unused;
	start_all(VERSION_1 | BIT(30));
	assert_true(done(VHOST_SEND_RARP, mac, 8));
	assert_int_equal(fake.announced, 1);
	assert_memory_equal(fake.mac, mac, 6);
	assert_false(done(VHOST_SEND_RARP, group, 8));
	assert_false(done(VHOST_SEND_RARP, none, 8));
	/* While nothing runs it waits. */
	stop_ring(0), stop_ring(1);
	assert_true(done(VHOST_SEND_RARP, mac, 8));
	assert_int_equal(fake.announced, 1);
	assert_true(start_ring(0, 256, 0));
	assert_int_equal(fake.announced, 2);
}

static void test_status(void **unused)
{
	(void)unused;
	negotiate(VERSION_1 | BIT(30));
	assert_true(done_u64(VHOST_SET_STATUS, 11));
	assert_int_equal(ask(VHOST_GET_STATUS), 11);
	assert_false(done_u64(VHOST_SET_STATUS, 256));
	fake.fault = "descriptor out of range";
	assert_int_equal(ask(VHOST_GET_STATUS), 11 | 64);
	fake.fault = NULL;
	assert_true(done(VHOST_RESET_DEVICE, NULL, 0));
	assert_true(done_u64(VHOST_SET_STATUS, 11));
	assert_int_equal(ask(VHOST_GET_STATUS), 3);		/* no features were accepted */
}

/* QEMU 7.2 sets status 0 before it asks where the rings are. */
static void test_status_zero_keeps_places(void **unused)
{
	(void)unused;
	start_all(VERSION_1 | BIT(30));
	fake.rings[0].conf.saved->next_avail = fake.rings[0].conf.saved->next_used = 321;
	assert_true(done_u64(VHOST_SET_STATUS, 0));
	assert_false(fake.rings[0].started);
	assert_int_equal(stop_ring(0), 321);
}

static void test_reset(void **unused)
{
	(void)unused;
	start_all(VERSION_1 | BIT(30));
	assert_true(done(VHOST_RESET_DEVICE, NULL, 0));
	assert_int_equal(fake.features, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_false(fake.rings[i].started || fake.rings[i].enabled);
	assert_int_equal(stop_ring(0), 0);
	/* It still has memory, and can be set up anew. */
	assert_true(done_u64(VHOST_SET_FEATURES, VERSION_1 | BIT(30)));
	assert_true(start_ring(0, 128, 0) && fake.rings[0].started);
	assert_int_equal(fake.rings[0].conf.size, 128);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_negotiation), TEST(test_not_offered), TEST(test_not_offered_silently), TEST(test_gates),
		TEST(test_one_reply_each), TEST(test_unknown), TEST(test_replies_not_read), TEST(test_many_messages),
		TEST(test_byte_by_byte), TEST(test_broken_bytes), TEST(test_closed), TEST(test_descriptors_that_do_not_belong),
		TEST(test_descriptors_in_pieces), TEST(test_not_a_unix_stream), TEST(test_mtu), TEST(test_announce),
		TEST(test_status), TEST(test_status_zero_keeps_places), TEST(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
