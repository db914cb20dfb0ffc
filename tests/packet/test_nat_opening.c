// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* TCP connections that begin otherwise than they should: again, anew, with wrong numbers, by thousands, from both ends at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/tcp.h>

#include "nat/forward.h"
#include "tests/packet/made_segment.h"

static void test_syn_again(void **state)
{
	static struct conversation c;
	uint32_t seq;

	(void)state;
	conversation_begin(&c, &conversation_conf);
	guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);
	seq = answers(&c).seq;
	for (int i = 0; i < 3; i++) {
		struct said s;

		guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);
		s = answers(&c);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.flags, TCP_SYN | TCP_ACK);
		assert_int_equal(s.seq, seq);
		assert_int_equal(s.ack, c.g.iss + 1);
	}
	assert_int_equal(conversation_flows(&c), 1);
	conversation_end(&c);
}

/* A guest that lost its state opens again with another number: it is asked, resets, and then gets through (RFC 9293 3.5.2). */
static void test_syn_of_a_new_life(void **state)
{
	static struct conversation c;
	struct said s;

	(void)state;
	conversation_begin(&c, &conversation_conf);
	guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);
	answers(&c);
	guest_put(&c.g, TCP_SYN, c.g.iss + 123456, NULL, 0);
	s = answers(&c);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.flags, TCP_ACK);
	assert_int_equal(s.ack, c.g.iss + 1);
	guest_put(&c.g, TCP_RST, s.ack, NULL, 0);
	answers(&c);
	assert_int_equal(conversation_flows(&c), 0);
	close(c.r.fd);
	c.r.fd = -1;
	c.g.iss += 123456;
	c.g.snd_una = c.g.iss;
	conversation_connect(&c);
	conversation_end(&c);
}

/* RFC 9293 3.10.7.4: before our SYN is acknowledged, an acknowledgement of anything else is answered by a reset */
static void test_wrong_ack_before_open(void **state)
{
	static struct conversation c;
	struct said s;
	uint32_t seq;

	(void)state;
	conversation_begin(&c, &conversation_conf);
	guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);
	seq = answers(&c).seq;
	give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1, .ack = seq + 77, .window = 100 });
	s = answers(&c);
	assert_int_equal(s.flags, TCP_RST);
	assert_int_equal(s.seq, seq + 77);
	assert_int_equal(conversation_flows(&c), 1);
	conversation_end(&c);
}

static void test_syn_flood(void **state)
{
	static struct conversation c;
	struct nat_conf conf = conversation_conf;
	unsigned descriptors;

	(void)state;
	conf.half_open_max = 32;
	conversation_begin(&c, &conf);
	descriptors = bed_descriptors();
	for (unsigned i = 0; i < 5000; i++) {
		c.g.sport = (uint16_t)(1024 + i);
		guest_put(&c.g, TCP_SYN, bed_random(&c.bed), NULL, 0);
		if (i % 500 == 0)
			answers(&c);
	}
	assert_int_equal(conversation_flows(&c), 32);
	assert_in_range(bed_descriptors(), descriptors, descriptors + 33);
	bed_skip(&c.bed, 60000, 500);
	assert_int_equal(conversation_flows(&c), 0);
	bed_flush(&c.bed);
	for (int fd; (fd = accept4(c.r.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
		close(fd);
	c.g.sport = 40000;
	conversation_connect(&c);	/* and all is well again */
	conversation_end(&c);
}

/* NAT-22: to the guest, opened by a forward while the guest opens the same connection itself, both SYNs cross */
static void test_nat_22_simultaneous_open(void **state)
{
	static struct conversation c;
	struct said s;
	uint16_t port;
	int listener, client;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct forward *forward;

	(void)state;
	conversation_begin(&c, &conversation_conf);
	bed_station(&c.bed, 1, BED_GUEST);
	listener = bed_listen(SOCK_STREAM, &port);
	forward = forward_new(c.bed.nat, IPPROTO_TCP, listener, &(struct forward_target){ .port = 1, .to_port = 80 }, c.bed.w);
	assert_non_null(forward);
	to.sin_port = htons(port);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	bed_settle(&c.bed);
	{
		struct bed_frame *f = bed_next(&c.bed);
		const uint8_t *t = f->data + FIRST_AT;

		assert_int_equal(t[13], TCP_SYN);
		c.g.dport = get_u16(t);
		c.g.sport = get_u16(t + 2);
		c.g.rcv_nxt = get_u32(t + 4) + 1;
		free(f);
	}
	guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);		/* ours crosses theirs */
	s = answers(&c);
	assert_int_equal(s.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(s.ack, c.g.iss + 1);
	assert_int_equal(s.seq + 1, c.g.rcv_nxt);
	guest_put(&c.g, TCP_SYN | TCP_ACK, c.g.iss, NULL, 0);
	c.g.connected = true;
	s = answers(&c);
	data(&c, 0, "crossed");
	answers(&c);
	{
		char got[8] = "";

		assert_int_equal(recv(client, got, sizeof(got), MSG_DONTWAIT), 7);
		assert_string_equal(got, "crossed");
	}
	close(client);
	assert_true(forward_stop(forward));
	answers(&c);
	conversation_end(&c);
}

/* syn() - the guest's, and what it hears to that */
static void syn(struct conversation *c)
{
	struct said s;

	guest_put(&c->g, TCP_SYN, c->g.iss, NULL, 0);
	s = answers(c);
	assert_int_equal(s.flags, TCP_SYN | TCP_ACK);
	c->g.rcv_nxt = s.seq + 1;
}

/* heard() - segments that the remote got until it has what a guest says that does, or does not, acknowledge first */
static uint32_t heard(bool acknowledge)
{
	static struct conversation c;
	struct tcp_info info;
	socklen_t size = sizeof(info);

	conversation_begin(&c, &conversation_conf);
	syn(&c);
	if (acknowledge) {
		guest_put(&c.g, TCP_ACK, c.g.iss + 1, NULL, 0);
		CONVERSE_UNTIL(&c, c.r.fd >= 0);
	}
	data(&c, 0, "hello");
	assert_got(&c, "hello");
	assert_int_equal(getsockopt(c.r.fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	conversation_end(&c);
	return info.tcpi_segs_in;
}

/* What the guest says at once tells the remote that its SYN-ACK came: that is a segment less. */
static void test_remote_hears_by_data(void **state)
{
	(void)state;
	assert_int_equal(heard(true), heard(false) + 1);
}

/* hears_soon() - does the remote hear of a guest that says nothing, and not only when the kernel loses patience, which is after 200 ms? */
static bool hears_soon(struct conversation *c)
{
	uint64_t end = real_ms() + 150;
	bool early;

	conversation_begin(c, &conversation_conf);
	syn(c);
	early = c->r.fd >= 0;
	guest_put(&c->g, TCP_ACK, c->g.iss + 1, NULL, 0);
	while (c->r.fd < 0 && real_ms() < end)
		answers(c);
	return !early && c->r.fd >= 0 && real_ms() < end;
}

static void test_remote_hears_of_a_silent_guest(void **state)
{
	static struct conversation c;
	bool heard = false;

	(void)state;
	for (int tries = 0; !heard && tries < 5; tries++) {
		heard = hears_soon(&c);
		conversation_end(&c);
	}
	assert_true(heard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remote_hears_by_data),
		cmocka_unit_test(test_remote_hears_of_a_silent_guest),
		cmocka_unit_test(test_syn_again),
		cmocka_unit_test(test_syn_of_a_new_life),
		cmocka_unit_test(test_wrong_ack_before_open),
		cmocka_unit_test(test_syn_flood),
		cmocka_unit_test(test_nat_22_simultaneous_open),
	};

	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
