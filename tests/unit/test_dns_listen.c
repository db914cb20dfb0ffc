// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/dns_listen: what is known is answered over UDP and TCP, all else is refused, and nobody takes every connection. */
#include "dhcp/dns_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "dhcp/dns_message.h"

struct bench {
	struct event_base *base;
	struct dns_listen *listen;
	struct sockaddr_in udp, tcp;
	unsigned asked, asked_stream;
	int says;			/* what the names' owner returns; 1: an answer */
};

static int known(void *arg, const uint8_t *query, size_t size, bool stream, uint8_t *reply, size_t room)
{
	struct bench *b = arg;
	struct dns_query q;
	struct dns_reply r;

	b->asked++;
	b->asked_stream += stream;
	if (b->says != 1)
		return b->says;
	assert_int_equal(dns_query_parse(&q, query, size), 0);
	dns_reply_begin(&r, &q, reply, room);
	dns_reply_record(&r, false, NULL, DNS_A, 5, (const uint8_t *)"\x0a\0\0\2", 4);
	return (int)dns_reply_end(&r);
}

static int bound(int type, struct sockaddr_in *at)
{
	socklen_t size = sizeof(*at);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &size), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	int udp, tcp;

	signal(SIGPIPE, SIG_IGN);
	b->base = event_base_new();
	b->says = 1;
	udp = bound(SOCK_DGRAM, &b->udp);
	tcp = bound(SOCK_STREAM, &b->tcp);
	b->listen = dns_listen_new(b->base, udp, tcp, known, b);
	assert_non_null(b->listen);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	dns_listen_free(b->listen);
	event_base_free(b->base);
	free(b);
	return 0;
}

static int client(int type, const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, type, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)to, sizeof(*to)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_usec = 1000 }, sizeof(struct timeval)), 0);
	return fd;
}

static size_t query(uint8_t data[64])
{
	static const char question[] = "\3web\3lab\0\0\1\0\1";
	struct writer w = writer_init(data, 64);

	write_u16(&w, 0x1234);
	write_u16(&w, DNS_FLAG_RD);
	write_u16(&w, 1);
	write_zeros(&w, 6);
	write_bytes(&w, question, sizeof(question) - 1);
	return w.pos;
}

/* heard() - run the loop until the client has something, or has had time for it. Return: bytes, 0 at the end of a connection, -1 nothing */
static ssize_t heard(struct bench *b, int fd, uint8_t *data, size_t room)
{
	ssize_t n = -1;

	for (unsigned turns = 0; turns < 30; turns++) {
		event_base_loop(b->base, EVLOOP_NONBLOCK);
		n = recv(fd, data, room, 0);
		if (n >= 0 || errno != EAGAIN)
			break;
	}
	return n;
}

static const struct {
	const char *what;
	int says;
	int rcode;			/* -1: no answer */
	unsigned answers;
} cases[] = {
	{ "known", 1, DNS_NOERROR, 1 }, { "nothing is known", 0, DNS_REFUSED, 0 }, { "no query for anybody", -EBADMSG, -1, 0 },
};

static void test_datagrams(void **state)
{
	struct bench *b = *state;
	int fd = client(SOCK_DGRAM, &b->udp);
	uint8_t data[600], q[64];
	size_t size = query(q);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		b->says = cases[i].says;
		assert_int_equal(send(fd, q, size, 0), size);
		if (cases[i].rcode < 0) {
			assert_int_equal(heard(b, fd, data, sizeof(data)), -1);
			continue;
		}
		assert_true(heard(b, fd, data, sizeof(data)) >= (ssize_t)size);
		assert_int_equal(get_u16(data), 0x1234);
		assert_int_equal(data[3] & DNS_RCODE_MASK, cases[i].rcode);
		assert_int_equal(get_u16(data + 6), cases[i].answers);
	}
	assert_int_equal(b->asked_stream, 0);
	close(fd);
}

/* What is no query at all gets no answer, and not even an empty datagram ends the service. */
static void test_noise(void **state)
{
	struct bench *b = *state;
	int fd = client(SOCK_DGRAM, &b->udp);
	uint8_t data[2000] = { 0 };

	b->says = 0;
	for (size_t size = 0; size < sizeof(data); size += 11)
		assert_int_equal(send(fd, data, size, 0), size);
	while (recv(fd, data, sizeof(data), MSG_DONTWAIT) >= 0)
		;
	event_base_loop(b->base, EVLOOP_NONBLOCK);
	close(fd);
	test_datagrams(state);
}

static void test_streams(void **state)
{
	struct bench *b = *state;
	int fd = client(SOCK_STREAM, &b->tcp);
	uint8_t data[600], q[66];
	size_t size = query(q + 2);

	put_u16(q, (uint16_t)size);
	for (unsigned i = 0; i < 2; i++) {
		b->says = !i;
		assert_int_equal(send(fd, q, size + 2, 0), size + 2);
		assert_true(heard(b, fd, data, sizeof(data)) > (ssize_t)size);
		assert_int_equal(data[5] & DNS_RCODE_MASK, i ? DNS_REFUSED : DNS_NOERROR);
	}
	assert_int_equal(b->asked_stream, 2);
	close(fd);
}

/* One more than there may be is closed at once; when another one goes there is a place again. Those that stay go with the listener. */
static void test_streams_are_few(void **state)
{
	struct bench *b = *state;
	int fds[DNS_LISTEN_STREAMS + 1];
	uint8_t data[64];

	for (unsigned i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = client(SOCK_STREAM, &b->tcp);
		event_base_loop(b->base, EVLOOP_NONBLOCK);
	}
	assert_int_equal(heard(b, fds[DNS_LISTEN_STREAMS], data, sizeof(data)), 0);
	close(fds[DNS_LISTEN_STREAMS]);
	close(fds[0]);
	for (unsigned turns = 0; turns < 20; turns++)
		event_base_loop(b->base, EVLOOP_NONBLOCK);
	fds[0] = client(SOCK_STREAM, &b->tcp);
	assert_int_equal(heard(b, fds[0], data, sizeof(data)), -1);
	for (unsigned i = 0; i < DNS_LISTEN_STREAMS; i++)
		close(fds[i]);
}

/* When this process can have no more descriptors, a connection waits without keeping us awake, and is served when it can. */
static void test_no_descriptors(void **state)
{
	struct bench *b = *state;
	struct rlimit before, none;
	uint8_t data[600], q[66];
	size_t size = query(q + 2);
	int fd = client(SOCK_STREAM, &b->tcp);
	unsigned turns = 0;

	put_u16(q, (uint16_t)size);
	assert_int_equal(send(fd, q, size + 2, 0), size + 2);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	event_base_loop(b->base, EVLOOP_NONBLOCK);
	assert_int_equal(dns_listen_pauses(b->listen), 1);
	event_base_loop(b->base, EVLOOP_NONBLOCK);
	assert_int_equal(dns_listen_pauses(b->listen), 1);	/* it was not looked at again */
	assert_int_equal(event_base_loop(b->base, EVLOOP_ONCE), 0);
	event_base_loop(b->base, EVLOOP_NONBLOCK);
	assert_int_equal(dns_listen_pauses(b->listen), 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	while (recv(fd, data, sizeof(data), MSG_DONTWAIT) < (ssize_t)size && turns++ < 100)
		event_base_loop(b->base, EVLOOP_ONCE);
	assert_int_equal(data[5] & DNS_RCODE_MASK, DNS_NOERROR);
	assert_int_equal(b->asked_stream, 1);
	close(fd);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = { CASE(test_datagrams), CASE(test_noise), CASE(test_streams), CASE(test_streams_are_few),
						   CASE(test_no_descriptors) };

	dns_listen_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
