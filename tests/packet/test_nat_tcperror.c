// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* What guests say by ICMP about segments of ours: a call ends where there is no port, what is too big is sent in smaller pieces, and
 * no connection ends by anything of the kind (RFC 5382 REQ-10, RFC 5927). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/tcp.h>

#include "base/array.h"
#include "nat/forward.h"
#include "tests/packet/conversation.h"
#include "tests/unit/own_namespace.h"

enum { STRANGER = 0xc0000207 /* an address of the loopback interface, but to the NAT outside */ };
enum { SERVICE = 80, QUOTED = 28, SOME = 100000, TYPE_UNREACHABLE = 3, TYPE_EXCEEDED = 11, CODE_PORT = 3, CODE_TOO_BIG = 4 };

static struct conversation c;

/* complain() - the guest's ICMP error about the segment @f, with what it quotes of the sequence number moved by @off */
static enum verdict complain(const struct bed_frame *f, uint8_t type, uint8_t code, uint16_t mtu, int32_t off)
{
	struct addr to = addr4(get_u32(f->data + ETH_HEADER + 12));
	uint8_t error[ETH_HEADER + IP4_HEADER + ICMP_HEADER + QUOTED], *icmp, *quote;

	icmp = build_ip(error, bed_gateway_mac, bed_guest_mac, addr4(BED_GUEST), to, PROTO_ICMP, 64, ICMP_HEADER + QUOTED);
	quote = icmp + ICMP_HEADER;
	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = type;
	icmp[1] = code;
	put_u16(icmp + 6, mtu);
	memcpy(quote, f->data + ETH_HEADER, QUOTED);
	if (f->offload.gso_type)		/* one of its segments */
		put_u16(quote + 2, BED_MTU);
	put_u32(quote + IP4_HEADER + 4, get_u32(quote + IP4_HEADER + 4) + (uint32_t)off);
	put_u16(icmp + 2, checksum_finish(checksum_add(0, icmp, ICMP_HEADER + QUOTED)));
	return bed_input(&c.bed, error, sizeof(error));
}

static uint32_t seq_of(const struct bed_frame *f)
{
	return get_u32(f->data + ETH_HEADER + IP4_HEADER + 4);
}

/* next_data() - the next frame with data to the guest, which does not get it */
static struct bed_frame *next_data(void)
{
	struct bed_frame *f;

	while ((f = bed_next(&c.bed)) != NULL && f->len <= ETH_HEADER + IP4_HEADER + TCP_HEADER)
		free(f);
	return f;
}

static uint32_t segment_size(const struct bed_frame *f)
{
	return f->offload.gso_type ? f->offload.gso_size : f->len - ETH_HEADER - IP4_HEADER - TCP_HEADER;
}

/* begin_download() - the remote sends; Return: the first frame of it, which is lost like all others */
static struct bed_frame *begin_download(uint8_t *pattern)
{
	struct bed_frame *f;

	conversation_begin(&c, &conversation_conf);
	conversation_connect(&c);
	c.r.out = pattern;
	c.r.out_size = SOME;
	remote_step(&c.r);
	bed_settle(&c.bed);
	f = next_data();
	assert_non_null(f);
	bed_flush(&c.bed);
	return f;
}

/* complete() - all of it arrives after all, and each byte as it was */
static void complete(const uint8_t *pattern)
{
	c.r.shut_at_end = true;
	CONVERSE_UNTIL(&c, c.g.fin_seen);
	assert_int_equal(c.g.in_size, SOME);
	assert_memory_equal(c.g.in, pattern, SOME);
	conversation_end(&c);
}

static void test_too_big(void **state)
{
	uint8_t *pattern = conversation_pattern(SOME);
	struct bed_frame *f = begin_download(pattern), *again;

	(void)state;
	assert_int_equal(segment_size(f), 1460);
	assert_int_equal(complain(f, TYPE_UNREACHABLE, CODE_TOO_BIG, 1000, 0), VERDICT_CONSUMED_NAT);
	bed_turn(&c.bed, 0);
	again = next_data();
	assert_non_null(again);			/* at once, and from the beginning */
	assert_int_equal(seq_of(again), seq_of(f));
	assert_int_equal(segment_size(again), 960);
	free(again);
	bed_flush(&c.bed);
	assert_int_equal(complain(f, TYPE_UNREACHABLE, CODE_TOO_BIG, 1400, 0), VERDICT_CONSUMED_NAT);
	bed_turn(&c.bed, 0);
	assert_null(next_data());		/* it does not grow by that */
	free(f);
	complete(pattern);
	free(pattern);
}

/* Errors that change nothing: about what is not under way, or too small to be believed, or fatal to nobody who has a connection */
static const struct {
	const char *what;
	uint8_t type, code;
	uint16_t mtu;
	int32_t off;
	enum verdict verdict;
} harmless[] = {
	{ "one byte too old", TYPE_UNREACHABLE, CODE_TOO_BIG, 1000, -1, VERDICT_DROP_NO_SESSION },
	{ "beyond what was sent", TYPE_UNREACHABLE, CODE_TOO_BIG, 1000, SOME, VERDICT_DROP_NO_SESSION },
	{ "half a world away", TYPE_UNREACHABLE, CODE_TOO_BIG, 1000, INT32_MIN, VERDICT_DROP_NO_SESSION },
	{ "a tiny way", TYPE_UNREACHABLE, CODE_TOO_BIG, 68, 0, VERDICT_DROP_NO_SESSION },
	{ "as large as it is", TYPE_UNREACHABLE, CODE_TOO_BIG, 1500, 0, VERDICT_DROP_NO_SESSION },
	{ "no port", TYPE_UNREACHABLE, CODE_PORT, 0, 0, VERDICT_CONSUMED_NAT },
	{ "no protocol", TYPE_UNREACHABLE, 2, 0, 0, VERDICT_CONSUMED_NAT },
	{ "time exceeded", TYPE_EXCEEDED, 0, 0, 0, VERDICT_CONSUMED_NAT },
};

static void test_harmless(void **state)
{
	uint8_t *pattern = conversation_pattern(SOME);
	struct bed_frame *f = begin_download(pattern);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		print_message("  %s\n", harmless[i].what);
		assert_int_equal(complain(f, harmless[i].type, harmless[i].code, harmless[i].mtu, harmless[i].off), harmless[i].verdict);
		bed_turn(&c.bed, 0);
		assert_null(next_data());
		assert_int_equal(conversation_flows(&c), 1);
	}
	put_u16(f->data + ETH_HEADER + IP4_HEADER + 2, c.g.sport + 1);		/* another connection's */
	assert_int_equal(complain(f, TYPE_UNREACHABLE, CODE_TOO_BIG, 1000, 0), VERDICT_DROP_NO_SESSION);
	free(f);
	complete(pattern);
	free(pattern);
}

/* ---- what the network says ---- */

/* say_outside() - an ICMP error of the network to the host, about what the host had sent by the NAT's socket */
static void say_outside(uint8_t type, uint8_t code, uint16_t from, uint16_t to, uint32_t seq)
{
	struct sockaddr_in host = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(STRANGER) };
	uint8_t icmp[ICMP_HEADER + QUOTED] = { type, code }, *tcp;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	assert_true(fd >= 0);
	tcp = build_ip4(icmp + ICMP_HEADER, STRANGER, STRANGER, PROTO_TCP, 60, TCP_HEADER);
	put_u16(tcp, from);
	put_u16(tcp + 2, to);
	put_u32(tcp + 4, seq);
	put_u16(icmp + 2, checksum_finish(checksum_add(0, icmp, sizeof(icmp))));
	assert_int_equal(sendto(fd, icmp, sizeof(icmp), 0, (struct sockaddr *)&host, sizeof(host)), sizeof(icmp));
	close(fd);
}

/* next_seq() - what the remote end expects next of the NAT's socket, which a test with rights over its namespace may see */
static uint32_t next_seq(int fd)
{
	int on = 1, off = -1, queue = TCP_RECV_QUEUE;
	uint32_t seq = 0;
	socklen_t size = sizeof(seq);

	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)), 0);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &size), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)), 0);
	return seq;
}

/* NAT-25: no error of the network ends an open connection, although those about its SYN were asked for. */
static void test_open_connection(void **state)
{
	struct sockaddr_in nat, server = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(STRANGER) };
	uint8_t *pattern = conversation_pattern(SOME);
	socklen_t size = sizeof(nat);

	(void)state;
	conversation_begin(&c, &conversation_conf);
	close(c.r.listener);
	c.r.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	server.sin_port = htons(c.r.port);
	assert_int_equal(bind(c.r.listener, (struct sockaddr *)&server, sizeof(server)), 0);
	assert_int_equal(listen(c.r.listener, 1), 0);
	c.g.remote = addr4(STRANGER);
	conversation_connect(&c);
	assert_int_equal(getpeername(c.r.fd, (struct sockaddr *)&nat, &size), 0);
	for (uint8_t code = 0; code < 16; code++) {
		if (code != CODE_TOO_BIG)	/* that is the host's business */
			say_outside(TYPE_UNREACHABLE, code, ntohs(nat.sin_port), c.r.port, next_seq(c.r.fd));
		say_outside(TYPE_EXCEEDED, code & 1, ntohs(nat.sin_port), c.r.port, next_seq(c.r.fd));
		bed_settle(&c.bed);
		assert_int_equal(conversation_flows(&c), 1);
	}
	c.r.out = pattern;
	c.r.out_size = SOME;
	complete(pattern);
	free(pattern);
}

/* ---- a forward's client ---- */

struct call {
	struct forward *forward;
	int client;
	struct bed_frame *syn;
};

static void begin_call(struct call *k)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint16_t port;

	memset(&c, 0, sizeof(c));
	c.descriptors = bed_descriptors();
	bed_init(&c.bed, &conversation_conf, 1);
	k->forward = forward_new(c.bed.nat, IPPROTO_TCP, bed_listen(SOCK_STREAM, &port),
				 &(struct forward_target){ .port = 1, .to_port = SERVICE }, c.bed.w);
	assert_non_null(k->forward);
	bed_station(&c.bed, 1, BED_GUEST);
	bed_settle(&c.bed);
	k->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	a.sin_port = htons(port);
	assert_int_equal(connect(k->client, (struct sockaddr *)&a, sizeof(a)), 0);
	bed_settle(&c.bed);
	k->syn = bed_next(&c.bed);
	assert_non_null(k->syn);
}

static void end_call(struct call *k)
{
	free(k->syn);
	close(k->client);
	assert_true(forward_stop(k->forward));
	bed_settle(&c.bed);
	bed_flush(&c.bed);
	bed_fini(&c.bed);
	assert_int_equal(bed_descriptors(), c.descriptors);
}

/* A guest whose firewall rejects the port: the client hears of it at once, and not after 20 seconds. */
static void test_call(void **state)
{
	struct forward_counts n;
	struct call k;
	char byte;

	(void)state;
	begin_call(&k);
	assert_int_equal(complain(k.syn, TYPE_UNREACHABLE, CODE_PORT, 0, 1), VERDICT_DROP_NO_SESSION);
	assert_int_equal(complain(k.syn, TYPE_UNREACHABLE, CODE_PORT, 0, -1), VERDICT_DROP_NO_SESSION);
	assert_int_equal(complain(k.syn, TYPE_EXCEEDED, 0, 0, 0), VERDICT_CONSUMED_NAT);
	assert_int_equal(recv(k.client, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(complain(k.syn, TYPE_UNREACHABLE, CODE_PORT, 0, 0), VERDICT_CONSUMED_NAT);
	assert_int_equal(recv(k.client, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, ECONNRESET);
	forward_count(k.forward, &n);
	assert_int_equal(n.refused, 1);
	assert_int_equal(n.active, 0);
	end_call(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_big), cmocka_unit_test(test_harmless), cmocka_unit_test(test_open_connection), cmocka_unit_test(test_call),
	};

	if (!own_run("ip addr replace 192.0.2.7/32 dev lo")) {
		printf("needs a network namespace of its own\n");
		return 77;
	}
	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
