// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests of one address through the NAT: connections from the same port to the same server, and forwards to each. */
#include "tests/packet/alone_bed.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checksum.h"
#include "nat/forward.h"

static uint32_t tcp(struct bed *b, uint16_t sport, uint16_t dport, uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
	uint32_t size = TCP_HEADER + (uint32_t)strlen(data);
	uint8_t *t = build_ip(b->bytes, b->gateway_mac, guest_mac, addr4(GUEST), addr4(GATEWAY), PROTO_TCP, 64, size);

	memset(t, 0, TCP_HEADER);
	put_u16(t, sport);
	put_u16(t + 2, dport);
	put_u32(t + 4, seq);
	put_u32(t + 8, ack);
	t[12] = TCP_HEADER / 4 << 4;
	t[13] = flags;
	put_u16(t + 14, 65535);
	memcpy(t + TCP_HEADER, data, strlen(data));
	put_u16(t + 16, checksum_finish(checksum_add(build_pseudo(addr4(GUEST), addr4(GATEWAY), PROTO_TCP, size), t, size)));
	return ETH_HEADER + IP4_HEADER + size;
}

static int listener(int type, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t room = sizeof(at);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &room), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

/* own_alone() - what each was sent belongs to its own connection, as its numbers show; that is cleared */
static void own_alone(struct bed *b)
{
	for (unsigned i = 0; i < GUESTS; i++)
		for (unsigned k = 0; k < b->ports[i]->nsent; k++)
			assert_int_equal(get_u32(b->ports[i]->sent[k].data + 42) / ISS, i + 1);
	rig_clear(b->rig);
}

/* All open the same connection, from the same port. Each has its own, and hears what is said to it. */
static void test_tcp(void **state)
{
	struct bed *b = *state;
	int fds[GUESTS], server;
	uint16_t port;

	server = listener(SOCK_STREAM, &port);
	for (unsigned i = 0; i < GUESTS; i++) {
		char said[2] = { (char)('a' + i) }, heard[8] = "";
		const struct rig_frame *f;
		uint32_t seq;

		send_frame(b, i, tcp(b, SPORT, port, TCP_SYN, ISS * (i + 1), 0, ""));
		f = awaited(b, i);
		assert_int_equal(f->data[47], TCP_SYN | TCP_ACK);
		seq = get_u32(f->data + 38) + 1;
		own_alone(b);
		send_frame(b, i, tcp(b, SPORT, port, TCP_ACK | TCP_PSH, ISS * (i + 1) + 1, seq, said));
		fds[i] = accept(server, NULL, NULL);
		assert_int_equal(recv(fds[i], heard, sizeof(heard), 0), 1);
		assert_int_equal(heard[0], said[0]);
		own_alone(b);
	}
	for (unsigned i = 0; i < GUESTS; i++) {
		char said[8];
		const struct rig_frame *f;

		snprintf(said, sizeof(said), "to %u", i);
		assert_int_equal(send(fds[i], said, 4, 0), 4);
		for (f = awaited(b, i); f->len == ETH_HEADER + IP4_HEADER + TCP_HEADER; f = awaited(b, i))
			own_alone(b);
		assert_memory_equal(f->data + f->len - 4, said, 4);
		own_alone(b);
		close(fds[i]);
	}
	close(server);
}

static void test_udp(void **state)
{
	struct bed *b = *state;
	uint16_t port;
	int server = listener(SOCK_DGRAM, &port);

	for (unsigned i = 0; i < GUESTS; i++) {
		char heard[8] = "", said[2] = { (char)('a' + i) };
		struct sockaddr_in from;
		socklen_t room = sizeof(from);
		const struct rig_frame *f;

		send_frame(b, i, build_udp_frame(b->bytes, b->gateway_mac, guest_mac, addr4(GUEST), SPORT, addr4(GATEWAY), port, said, 1));
		worker_turn(b->rig->w, 0);
		assert_int_equal(recvfrom(server, heard, sizeof(heard), 0, (struct sockaddr *)&from, &room), 1);
		assert_int_equal(heard[0], said[0]);
		assert_int_equal(sendto(server, said, 1, 0, (struct sockaddr *)&from, room), 1);
		f = awaited(b, i);
		assert_int_equal(f->data[f->len - 1], said[0]);
		silent(b, i);
	}
	close(server);
}

/* own_forward() - what each was sent is for its own server, or asks for its address; that is cleared */
static void own_forward(struct bed *b)
{
	for (unsigned i = 0; i < GUESTS; i++)
		for (unsigned k = 0; k < b->ports[i]->nsent; k++) {
			const uint8_t *data = b->ports[i]->sent[k].data;

			assert_int_equal(get_u16(data + 12) == ETHERTYPE_ARP4 ? 80 + i : get_u16(data + 36), 80 + i);
		}
	rig_clear(b->rig);
}

/* A forward leads to its own guest, also to one that has said nothing since it was restored: it is asked for at its address. */
static void test_forwards(void **state)
{
	struct bed *b = *state;

	for (unsigned i = 0; i < GUESTS; i++) {
		struct forward_target t = { .port = b->ports[i]->port.id, .to_port = (uint16_t)(80 + i) };
		struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		const struct rig_frame *f;
		struct forward *forward;
		uint16_t port;
		int client, fd = listener(SOCK_STREAM, &port);

		forward = forward_new(b->nat, IPPROTO_TCP, fd, &t, b->rig->w);
		assert_non_null(forward);
		worker_turn(b->rig->w, 0);
		client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		at.sin_port = htons(port);
		assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof(at)), 0);
		f = awaited(b, i);
		assert_int_equal(get_u16(f->data + 12), ETHERTYPE_ARP4);
		assert_int_equal(get_u32(f->data + 38), GUEST);
		own_forward(b);
		send_frame(b, i, build_arp(b->bytes, ARP_REPLY, guest_mac, GUEST, b->gateway_mac, GATEWAY, b->gateway_mac));
		f = awaited(b, i);
		while (get_u16(f->data + 12) != ETHERTYPE_IP4) {
			own_forward(b);
			f = awaited(b, i);
		}
		assert_int_equal(f->data[47], TCP_SYN);
		own_forward(b);
		close(client);
		assert_true(forward_stop(forward));
		for (unsigned turn = 0; turn < 10; turn++)
			worker_turn(b->rig->w, 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_udp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forwards, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
