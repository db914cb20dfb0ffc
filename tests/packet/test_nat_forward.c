// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* Forwards: clients on real loopback sockets, led to a guest that the test plays, also across workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/resource.h>

#include "nat/budget.h"
#include "nat/forward.h"
#include "tests/packet/guest_tcp.h"

enum { GUEST_PORT = 80 };

static const struct nat_conf own = { .host_access = HOST_OWN, .uplink = true };

struct case_state {
	struct bed bed;
	struct forward *forward;
	struct guest_tcp g, *guests[1];
	uint16_t port;
	int client;
	char in[256];
	ssize_t in_size;
	unsigned descriptors;
};

static void begin(struct case_state *c, uint8_t proto, const struct forward_target *target, unsigned nworkers)
{
	int fd;

	memset(c, 0, sizeof(*c));
	c->descriptors = bed_descriptors();
	bed_init(&c->bed, &own, nworkers);
	fd = bed_listen(proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, &c->port);
	c->forward = forward_new(c->bed.nat, proto, fd, target, c->bed.w);
	assert_non_null(c->forward);
	guest_init(&c->g, &c->bed, GUEST_PORT, 0);
	c->g.remote = (struct addr){ { { 0 } } };
	c->g.listening = true;
	c->g.port_id = target->port == FORWARD_BY_IP ? 1 : target->port;
	c->guests[0] = &c->g;
	bed_settle(&c->bed);
	c->client = -1;
}

static void end(struct case_state *c)
{
	assert_int_equal(c->bed.bad, 0);
	assert_int_equal(c->g.wrong, 0);
	if (c->client >= 0)
		close(c->client);
	if (c->forward)
		assert_true(forward_stop(c->forward));
	bed_settle(&c->bed);
	guest_fini(&c->g);
	bed_fini(&c->bed);
	assert_int_equal(budget_used(), 0);
	assert_int_equal(bed_descriptors(), c->descriptors);
}

static int dial(uint16_t port, int type)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port),
	};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* client_step() - Return: errno of the client's connection, 0 while it lives */
static int client_step(struct case_state *c)
{
	ssize_t n = recv(c->client, c->in + c->in_size, sizeof(c->in) - (size_t)c->in_size, 0);

	if (n > 0)
		c->in_size += n;
	return n < 0 && errno != EAGAIN ? errno : 0;
}

#define STEP_UNTIL(c, cond) UNTIL(&(c)->bed, (c)->guests, 1, (void)0, cond)

static struct forward_counts counts(struct case_state *c)
{
	struct forward_counts n;

	forward_count(c->forward, &n);
	return n;
}

static void talk(struct case_state *c)
{
	assert_int_equal(send(c->client, "ping", 4, 0), 4);	/* before the guest has answered: nobody reads it */
	STEP_UNTIL(c, c->g.connected);
	STEP_UNTIL(c, c->g.in_size == 4);
	assert_memory_equal(c->g.in, "ping", 4);
	c->g.out = (const uint8_t *)"answer";
	c->g.out_size = 6;
	guest_send(&c->g);
	STEP_UNTIL(c, (client_step(c), c->in_size == 6));
	assert_memory_equal(c->in, "answer", 6);
	c->g.want_fin = true;
	guest_send(&c->g);
	shutdown(c->client, SHUT_WR);
	STEP_UNTIL(c, c->g.fin_seen && c->g.fin_acked);
	bed_settle(&c->bed);
}

static void test_tcp(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c, IPPROTO_TCP, &(struct forward_target){ .port = 1, .to_port = GUEST_PORT }, 1);
	bed_station(&c.bed, 1, BED_GUEST);
	c.client = dial(c.port, SOCK_STREAM);
	talk(&c);
	assert_true(c.g.dport >= 49152);
	assert_int_equal(addr_4(c.g.remote), BED_GATEWAY);
	assert_int_equal(c.g.peer_mss, 1460);
	assert_int_equal(counts(&c).hits, 1);
	assert_int_equal(counts(&c).active, 1);
	bed_skip(&c.bed, 11000, 1000);
	assert_int_equal(counts(&c).active, 0);
	end(&c);
}

static void test_tcp_other_worker(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c, IPPROTO_TCP, &(struct forward_target){ .port = 2, .to_port = GUEST_PORT }, 2);
	bed_station(&c.bed, 2, BED_GUEST);
	c.client = dial(c.port, SOCK_STREAM);
	talk(&c);
	end(&c);
	begin(&c, IPPROTO_TCP, &(struct forward_target){ .port = 2, .to_port = GUEST_PORT }, 2);
	bed_station(&c.bed, 2, BED_GUEST);
	c.bed.workers[1]->full = true;		/* its inbox takes nothing: the client is told */
	c.client = dial(c.port, SOCK_STREAM);
	STEP_UNTIL(&c, client_step(&c) == ECONNRESET);
	assert_int_equal(counts(&c).refused, 1);
	c.bed.workers[1]->full = false;
	end(&c);
}

static void test_refused(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c, IPPROTO_TCP, &(struct forward_target){ .port = 1, .to_port = GUEST_PORT }, 1);
	bed_station(&c.bed, 1, BED_GUEST);
	c.g.refuse = true;
	c.client = dial(c.port, SOCK_STREAM);
	STEP_UNTIL(&c, client_step(&c) == ECONNRESET);
	assert_int_equal(counts(&c).refused, 1);
	assert_int_equal(counts(&c).active, 0);
	end(&c);
}

static void test_silent(void **state)
{
	struct case_state c;
	uint64_t began;

	(void)state;
	begin(&c, IPPROTO_TCP, &(struct forward_target){ .port = 1, .to_port = GUEST_PORT }, 1);
	bed_station(&c.bed, 1, BED_GUEST);
	c.g.silent = true;
	c.client = dial(c.port, SOCK_STREAM);
	began = c.bed.w->now_ms;
	STEP_UNTIL(&c, client_step(&c) == ECONNRESET);
	assert_in_range(c.bed.w->now_ms - began, 20000, 21000);
	assert_int_equal(c.g.syns_acked, 5);	/* at 0, 1, 3, 7 and 15 s */
	end(&c);
}

static void test_nobody(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c, IPPROTO_TCP, &(struct forward_target){ .port = 1, .to_port = GUEST_PORT }, 1);	/* no address seen at the port */
	c.client = dial(c.port, SOCK_STREAM);
	STEP_UNTIL(&c, client_step(&c) == ECONNRESET);
	assert_int_equal(counts(&c).no_address, 1);
	end(&c);
}

static bool take_arp(struct case_state *c, uint32_t ip)
{
	struct bed_frame *f = bed_next(&c->bed);
	struct packet p;
	bool is = f && packet_parse(f->data, f->len, &f->offload, &p) == VERDICT_FORWARDED && p.ethertype == ETHERTYPE_ARP4 &&
		  p.arp_op == ARP_REQUEST && addr_4(p.dst) == ip && f->data[0] == 255;

	free(f);
	return is;
}

static void test_by_address(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c, IPPROTO_TCP, &(struct forward_target){ .port = FORWARD_BY_IP, .ip = addr4(BED_GUEST), .to_port = GUEST_PORT }, 1);
	c.client = dial(c.port, SOCK_STREAM);
	bed_settle(&c.bed);
	assert_true(take_arp(&c, BED_GUEST));
	bed_skip(&c.bed, 1500, 500);
	assert_true(take_arp(&c, BED_GUEST));
	bed_station(&c.bed, 1, BED_GUEST);	/* it has answered */
	bed_skip(&c.bed, 1500, 500);
	talk(&c);
	close(c.client);

	assert_int_equal(forward_retarget(c.forward, &(struct forward_target){ .port = FORWARD_BY_IP, .ip = addr4(BED_GUEST2), .to_port = GUEST_PORT }), 0);
	c.client = dial(c.port, SOCK_STREAM);
	STEP_UNTIL(&c, client_step(&c) == ECONNRESET);	/* asked for 20 s, nobody there */
	assert_int_equal(counts(&c).hits, 2);
	assert_int_equal(counts(&c).no_address, 1);
	c.client = (close(c.client), dial(c.port, SOCK_STREAM));
	bed_settle(&c.bed);			/* waiting when the forward goes */
	end(&c);
}

static void test_mac_unknown(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c, IPPROTO_TCP, &(struct forward_target){ .port = 1, .ip = addr4(BED_GUEST), .to_port = GUEST_PORT }, 1);
	c.client = dial(c.port, SOCK_STREAM);
	bed_settle(&c.bed);
	assert_true(take_arp(&c, BED_GUEST));	/* the address is configured, its MAC is not known */
	bed_station(&c.bed, 1, BED_GUEST);
	talk(&c);
	end(&c);
}

static void test_stop_keeps_connections(void **state)
{
	struct case_state c;
	int second;

	(void)state;
	begin(&c, IPPROTO_TCP, &(struct forward_target){ .port = 1, .to_port = GUEST_PORT }, 1);
	bed_station(&c.bed, 1, BED_GUEST);
	c.client = dial(c.port, SOCK_STREAM);
	STEP_UNTIL(&c, c.g.connected);
	assert_true(forward_is_loopback(IPPROTO_TCP, c.port));
	assert_true(forward_stop(c.forward));
	c.forward = NULL;
	bed_settle(&c.bed);
	assert_false(forward_is_loopback(IPPROTO_TCP, c.port));
	urcu_qsbr_barrier();
	second = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(second, (struct sockaddr *)&(struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(c.port) },
		sizeof(struct sockaddr_in)), -1);
	close(second);
	talk(&c);
	end(&c);
}

static void test_remote_data_flood(void **state)
{
	struct case_state c;
	static char data[1 << 20];
	size_t sent = 0;
	ssize_t n;

	(void)state;
	begin(&c, IPPROTO_TCP, &(struct forward_target){ .port = 1, .to_port = GUEST_PORT }, 1);
	bed_station(&c.bed, 1, BED_GUEST);
	memset(data, 'x', sizeof(data));
	c.client = dial(c.port, SOCK_STREAM);
	UNTIL(&c.bed, c.guests, 1, {
		n = send(c.client, data, sizeof(data) - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
	}, sent == sizeof(data));
	STEP_UNTIL(&c, c.g.in_size == sizeof(data));
	end(&c);
}

/* ---- guests and loopback forwards ---- */

static void test_guests_kept_out(void **state)
{
	struct nat_conf conf = { .host_access = HOST_LOOPBACK, .uplink = true, .net_id = 1 };
	struct case_state c;
	struct guest_tcp other;

	(void)state;
	begin(&c, IPPROTO_TCP, &(struct forward_target){ .port = 1, .to_port = GUEST_PORT }, 1);
	assert_int_equal(nat_set_conf(c.bed.nat, &conf), 0);
	bed_station(&c.bed, 1, BED_GUEST);
	guest_init(&other, &c.bed, 1234, c.port);	/* the gateway's address leads to 127.0.0.1 - but not to this port */
	c.guests[0] = &other;
	guest_connect(&other);
	STEP_UNTIL(&c, other.reset);
	assert_int_equal(counts(&c).hits, 0);
	guest_fini(&other);
	end(&c);
}

/* ---- UDP ---- */

static bool next_udp(struct case_state *c, struct packet *p, struct bed_frame **f)
{
	free(*f);
	*f = bed_next(&c->bed);
	return *f && packet_parse((*f)->data, (*f)->len, &(*f)->offload, p) == VERDICT_FORWARDED && p->proto == PROTO_UDP;
}

static void test_udp(unsigned nworkers, uint32_t port_id)
{
	struct bed_frame *f = NULL;
	struct case_state c;
	struct packet p;
	uint8_t reply[256];
	uint16_t gateway_port;

	begin(&c, IPPROTO_UDP, &(struct forward_target){ .port = port_id, .to_port = 5353 }, nworkers);
	bed_station(&c.bed, port_id, BED_GUEST);
	c.client = dial(c.port, SOCK_DGRAM);
	send(c.client, "question", 8, 0);
	bed_settle(&c.bed);
	assert_true(next_udp(&c, &p, &f));
	assert_int_equal(addr_4(p.src), BED_GATEWAY);
	assert_int_equal(addr_4(p.dst), BED_GUEST);
	assert_int_equal(p.dport, 5353);
	assert_int_equal(packet_payload_len(&p), 8);
	assert_memory_equal(packet_payload(&p), "question", 8);
	gateway_port = p.sport;
	bed_input_from(&c.bed, port_id, reply, build_udp_frame(reply, bed_gateway_mac, bed_guest_mac, addr4(BED_GUEST), 5353, addr4(BED_GATEWAY),
							       gateway_port, "yes", 3), NULL);
	STEP_UNTIL(&c, (client_step(&c), c.in_size == 3));
	assert_memory_equal(c.in, "yes", 3);
	send(c.client, "", 0, 0);		/* same client, same port; empty is a datagram too */
	bed_settle(&c.bed);
	assert_true(next_udp(&c, &p, &f));
	assert_int_equal(p.sport, gateway_port);
	assert_int_equal(packet_payload_len(&p), 0);
	assert_int_equal(counts(&c).hits, 1);
	assert_int_equal(counts(&c).active, 1);

	/* retargeting counts for the next datagram */
	assert_int_equal(forward_retarget(c.forward, &(struct forward_target){ .port = port_id, .to_port = 9999 }), 0);
	send(c.client, "x", 1, 0);
	bed_settle(&c.bed);
	assert_true(next_udp(&c, &p, &f));
	assert_int_equal(p.dport, 9999);
	assert_int_equal(counts(&c).active, 1);
	bed_skip(&c.bed, 301000, 10000);
	assert_int_equal(counts(&c).active, 0);
	free(f);
	end(&c);
}

/* Three ports in a row, as one forward: each leads to its own, and a client of two is two. */
static void test_range(void **state)
{
	enum { N = 3 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct bed_frame *f = NULL;
	struct forward *range;
	struct case_state c;
	struct packet p;
	uint16_t first;
	int fds[N], n = 0;

	(void)state;
	begin(&c, IPPROTO_UDP, &(struct forward_target){ .port = 1, .to_port = 5353 }, 1);
	bed_station(&c.bed, 1, BED_GUEST);
	for (first = 20000; n < N; first += N)
		for (n = 0; n < N; n++) {
			a.sin_port = htons((uint16_t)(first + n));
			fds[n] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
			if (bind(fds[n], (struct sockaddr *)&a, sizeof(a)) == 0)
				continue;
			for (int i = 0; i <= n; i++)
				close(fds[i]);
			break;
		}
	first = (uint16_t)(first - N);
	range = forward_new_many(c.bed.nat, IPPROTO_UDP, fds + 1, N - 1,	/* as if the first had come before */
				 &(struct forward_target){ .port = 1, .to_port = 9000, .first = first }, c.bed.w);
	assert_non_null(range);
	assert_int_equal(budget_used(), 1 + N - 1);
	bed_settle(&c.bed);
	c.client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (int i = 1; i < N; i++) {
		a.sin_port = htons((uint16_t)(first + i));
		assert_int_equal(sendto(c.client, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)), 1);
		bed_settle(&c.bed);
		assert_true(next_udp(&c, &p, &f));
		assert_int_equal(p.dport, 9000 + i);
		assert_true(forward_is_loopback(IPPROTO_UDP, (uint16_t)(first + i)));
	}
	assert_false(forward_is_loopback(IPPROTO_UDP, first));
	free(f);
	assert_true(forward_stop(range));
	close(fds[0]);
	bed_settle(&c.bed);
	urcu_qsbr_barrier();
	end(&c);
}

static void test_udp_one_worker(void **state)
{
	(void)state;
	test_udp(1, 1);
}

static void test_udp_other_worker(void **state)
{
	(void)state;
	test_udp(2, 2);
}

static void test_udp_many_clients(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c, IPPROTO_UDP, &(struct forward_target){ .port = 1, .to_port = 5353 }, 1);
	bed_station(&c.bed, 1, BED_GUEST);
	for (int i = 0; i < FORWARD_CLIENTS + 50; i++) {
		int fd = dial(c.port, SOCK_DGRAM);

		send(fd, "x", 1, 0);
		close(fd);
		bed_turn(&c.bed, 0);
		bed_flush(&c.bed);
	}
	assert_int_equal(counts(&c).active, FORWARD_CLIENTS);
	assert_int_equal(budget_used(), 1);	/* the listener's: clients need no descriptor */
	end(&c);
}

static void test_udp6(void **state)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t size = sizeof(a);
	struct bed_frame *f = NULL;
	struct case_state c;
	struct packet p;
	struct forward *six;
	uint8_t reply[256];
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		close(fd);
		print_message("no IPv6 loopback\n");
		return;
	}
	begin(&c, IPPROTO_UDP, &(struct forward_target){ .port = 1, .to_port = 5353 }, 1);
	bed_station(&c.bed, 1, BED_GUEST);
	getsockname(fd, (struct sockaddr *)&a, &size);
	six = forward_new(c.bed.nat, IPPROTO_UDP, fd, &(struct forward_target){ .port = 1, .to_port = 5353 }, c.bed.w);
	c.client = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(c.client, (struct sockaddr *)&a, sizeof(a)), 0);
	send(c.client, "six", 3, 0);
	bed_settle(&c.bed);
	assert_true(next_udp(&c, &p, &f));
	bed_input(&c.bed, reply, build_udp_frame(reply, bed_gateway_mac, bed_guest_mac, addr4(BED_GUEST), 5353, addr4(BED_GATEWAY), p.sport,
						 "yes", 3));
	STEP_UNTIL(&c, (client_step(&c), c.in_size == 3));
	free(f);
	assert_true(forward_stop(six));
	bed_settle(&c.bed);
	urcu_qsbr_barrier();
	c.descriptors -= 1;
	end(&c);
}

/* A guest's share of clients follows the limit of descriptors, which the engine raises in the same way. */
static void raise_descriptor_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp), cmocka_unit_test(test_tcp_other_worker), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_silent), cmocka_unit_test(test_nobody), cmocka_unit_test(test_by_address),
		cmocka_unit_test(test_mac_unknown), cmocka_unit_test(test_stop_keeps_connections),
		cmocka_unit_test(test_remote_data_flood), cmocka_unit_test(test_guests_kept_out),
		cmocka_unit_test(test_udp_one_worker), cmocka_unit_test(test_udp_other_worker),
		cmocka_unit_test(test_udp_many_clients), cmocka_unit_test(test_range), cmocka_unit_test(test_udp6),
	};

	raise_descriptor_limit();
	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
