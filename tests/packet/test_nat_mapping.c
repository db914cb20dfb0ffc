// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* Which port of the host a guest's endpoint has outside: one for all it talks to, its own number, or one of the same parity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/array.h"
#include "nat/flow.h"
#include "nat/hostport.h"
#include "tests/packet/conversation.h"

static const struct nat_conf loopback_conf = { .host_access = HOST_LOOPBACK, .uplink = true };

/* open_from() - a guest at @port_id connects from @sport to @dport; Return: the port that the server sees */
static uint16_t open_from(struct bed *bed, uint32_t port_id, uint16_t sport, int listener, uint16_t dport, int *fd)
{
	struct guest_tcp g, *guests[1] = { &g };
	struct sockaddr_in from;
	socklen_t size = sizeof(from);

	guest_init(&g, bed, sport, dport);
	g.port_id = port_id;
	g.iss += bed_random(bed);
	g.snd_una = g.iss;
	g.snd_nxt = g.iss + 1;
	guest_connect(&g);
	*fd = -1;
	UNTIL(bed, guests, 1, *fd = *fd < 0 ? accept4(listener, (struct sockaddr *)&from, &size, SOCK_CLOEXEC) : *fd,
	      *fd >= 0 && g.connected);
	guest_fini(&g);
	return ntohs(from.sin_port);
}

static void test_nat_21_one_port_for_an_endpoint(void **state)
{
	int listeners[3], fds[7];
	uint16_t dports[3];
	struct bed bed;

	(void)state;
	bed_init(&bed, &loopback_conf, 2);
	for (unsigned i = 0; i < 3; i++)
		listeners[i] = bed_listen(SOCK_STREAM, &dports[i]);
	for (unsigned i = 0; i < 3; i++)	/* its own number, whoever it talks to */
		assert_int_equal(open_from(&bed, 1, 40001, listeners[i], dports[i], &fds[i]), 40001);
	{	/* the same endpoint numbers at another port, on another worker: not shared, the same parity, and always the same */
		uint16_t other = open_from(&bed, 2, 40001, listeners[0], dports[0], &fds[3]);

		assert_int_not_equal(other, 40001);
		assert_int_equal(other & 1, 1);
		assert_int_equal(open_from(&bed, 2, 40001, listeners[1], dports[1], &fds[4]), other);
	}
	{	/* a port outside the host's range of ephemeral ports is not taken from the host */
		uint16_t other = open_from(&bed, 1, 2000, listeners[0], dports[0], &fds[5]);

		assert_true(other >= 32768);
		assert_int_equal(other & 1, 0);
	}
	{	/* nor one on which a program of the host listens */
		uint16_t other = open_from(&bed, 1, dports[2], listeners[0], dports[0], &fds[6]);

		assert_int_not_equal(other, dports[2]);
	}
	assert_true(hostport_is_ours(IPPROTO_TCP, addr4(0), 40001));
	for (unsigned i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	for (unsigned i = 0; i < 3; i++)
		close(listeners[i]);
	bed_fini(&bed);
	for (unsigned port = 1; port < 65536; port++)	/* all are given back */
		assert_false(hostport_is_ours(IPPROTO_TCP, addr4(0), (uint16_t)port));
}

static uint16_t udp_port_of(struct bed *bed, uint16_t sport, int server, uint16_t dport)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	char byte;

	assert_int_equal(bed_udp(bed, sport, BED_GATEWAY, dport, "x", 1), VERDICT_CONSUMED_NAT);
	assert_int_equal(recvfrom(server, &byte, 1, 0, (struct sockaddr *)&from, &size), 1);
	return ntohs(from.sin_port);
}

static void test_nat_05_udp_parity_and_range(void **state)
{
	struct bed bed;
	uint16_t dport, taken_port;
	int server, taken;

	(void)state;
	bed_init(&bed, &loopback_conf, 1);
	server = bed_listen(SOCK_DGRAM, &dport);
	assert_int_equal(udp_port_of(&bed, 40011, server, dport), 40011);
	assert_int_equal(udp_port_of(&bed, 40012, server, dport), 40012);
	taken = bed_listen(SOCK_DGRAM, &taken_port);	/* a program of the host has this one */
	for (unsigned i = 0; i < 2000; i++) {
		uint16_t sport = i == 0 ? taken_port : (uint16_t)(1 + i * 16), got = udp_port_of(&bed, sport, server, dport);

		assert_true(got >= 1024);
		assert_int_equal((got ^ sport) & 1, 0);
		assert_true(got != taken_port);
	}
	close(taken);
	close(server);
	bed_fini(&bed);
}

/* NAT-18: where the guest's number is not kept, the ports are spread: over 10,000 draws at least 13 bits */
static void test_nat_18_spread(void **state)
{
	static uint32_t seen[65536];
	unsigned distinct = 0;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		struct flow_key key = { .port = i, .guest = addr4(BED_GUEST), .guest_port = 1000, .proto = IPPROTO_UDP };
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		uint16_t port = hostport_bind(fd, 1, &key);

		assert_true(port);
		distinct += !seen[port]++;
		close(fd);
		hostport_put(&key, port);
	}
	assert_true(distinct > 6500);	/* 7,165 are expected of the 14,116 even ones; of 8,192 it would be 5,774 */
}

/* The same endpoint comes back to the same remote while the host still keeps the old connection: another port, but it works. */
static void test_again_at_once(void **state)
{
	static struct conversation c;

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		conversation_begin(&c, &conversation_conf);
		for (unsigned i = 0; i < 3; i++) {
			conversation_connect(&c);
			c.g.want_fin = c.r.shut_at_end = true;
			guest_send(&c.g);
			CONVERSE_UNTIL(&c, c.g.fin_seen && c.g.fin_acked && c.r.eof);
			close(c.r.fd);
			c.r.fd = -1;
			c.r.eof = c.r.shut = c.r.shut_at_end = false;
			guest_fini(&c.g);
			guest_init(&c.g, &c.bed, 40000, c.r.port);
			c.g.wire = up;
			c.g.iss += 70000 * (i + 1);
			c.g.snd_una = c.g.iss;
			c.g.snd_nxt = c.g.iss + 1;
		}
		conversation_end(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nat_21_one_port_for_an_endpoint),
		cmocka_unit_test(test_nat_05_udp_parity_and_range),
		cmocka_unit_test(test_nat_18_spread),
		cmocka_unit_test(test_again_at_once),
	};

	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
