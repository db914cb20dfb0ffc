// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/dns_stream: one connection, by a guest that asks much, nothing, or nonsense. IDs are those of the conformance statements. */
#include "dhcp/dns_stream.h"

#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "dhcp/dns_message.h"

enum { KEPT = 64 };

struct bench {
	struct event_base *base;
	struct dns_stream *stream;
	int guest;			/* its end */
	bool relays, fails, at_once;
	unsigned asked, nkept, closed;
	struct { upstream_fn *fn; void *arg; uint8_t query[64]; size_t size; } kept[KEPT];
};

/* What begins with an 'x' behind its id is no query; the rest is answered by itself, or relayed. */
static int answer(void *arg, const uint8_t *query, size_t size, uint8_t *reply)
{
	struct bench *b = arg;

	b->asked++;
	if (size < DNS_HEADER_SIZE || query[2] == 'x')
		return -EBADMSG;
	memcpy(reply, query, size);
	return b->relays ? 0 : (int)size;
}

static int relay(void *arg, const uint8_t *query, size_t size, upstream_fn *fn, void *fn_arg)
{
	struct bench *b = arg;

	if (b->fails)
		return -EDQUOT;
	if (b->at_once) {
		fn(fn_arg, query, size);
		return 0;
	}
	assert_true(b->nkept < KEPT);
	b->kept[b->nkept].fn = fn;
	b->kept[b->nkept].arg = fn_arg;
	b->kept[b->nkept].size = size;
	memcpy(b->kept[b->nkept++].query, query, size);
	return 0;
}

static void closed(void *arg)
{
	struct bench *b = arg;

	b->closed++;
	b->stream = NULL;
}

static const struct dns_stream_ops ops = { answer, relay, closed };

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	b->base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	b->guest = ends[0];
	b->stream = dns_stream_new(b->base, ends[1], &ops, b);
	assert_non_null(b->stream);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	if (b->stream)
		dns_stream_close(b->stream);
	for (unsigned i = 0; i < b->nkept; i++)
		b->kept[i].fn(b->kept[i].arg, NULL, 0);		/* too late: nobody is there */
	close(b->guest);
	event_base_free(b->base);
	free(b);
	return 0;
}

static const uint8_t query[] = "\0\x1d\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1";	/* 29 bytes behind the length, less the last zero */
enum { QUERY = sizeof(query) - 1, MESSAGE = QUERY - 2 };

static void ask(struct bench *b, unsigned n)
{
	uint8_t one[QUERY];

	memcpy(one, query, QUERY);
	put_u16(one, MESSAGE);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(send(b->guest, one, QUERY, MSG_NOSIGNAL), QUERY);
}

/* turn() - until nothing more happens */
static void turn(struct bench *b)
{
	for (unsigned i = 0; i < 20; i++)
		event_base_loop(b->base, EVLOOP_NONBLOCK);
}

static size_t heard(struct bench *b)
{
	uint8_t data[65536];
	size_t sum = 0;
	ssize_t n;

	while ((n = recv(b->guest, data, sizeof(data), 0)) > 0)
		sum += (size_t)n;
	return sum;
}

static void test_dns_02_split_and_pipelined(void **state)
{
	struct bench *b = *state;
	uint8_t three[3 * QUERY];

	for (unsigned i = 0; i < 3; i++) {
		memcpy(three + i * QUERY, query, QUERY);
		put_u16(three + i * QUERY, MESSAGE);
	}
	for (size_t at = 0; at < sizeof(three); at++) {
		assert_int_equal(send(b->guest, three + at, 1, 0), 1);
		turn(b);
		assert_int_equal(b->asked, (at + 1) / QUERY);
	}
	assert_int_equal(heard(b), sizeof(three));
}

static void test_bounded(void **state)
{
	struct bench *b = *state;

	b->relays = true;
	ask(b, 100);
	turn(b);
	assert_int_equal(b->nkept, DNS_STREAM_WAITING);
	for (unsigned i = 0; i < 10; i++)
		b->kept[i].fn(b->kept[i].arg, b->kept[i].query, b->kept[i].size);
	turn(b);
	assert_int_equal(heard(b), 10 * QUERY);
	assert_int_equal(b->nkept, DNS_STREAM_WAITING + 10);		/* as many as were answered */
	memmove(b->kept, b->kept + 10, (b->nkept - 10) * sizeof(b->kept[0]));
	b->nkept -= 10;
	assert_int_equal(b->closed, 0);
}

static void test_answered_at_once(void **state)
{
	struct bench *b = *state;

	b->relays = b->at_once = true;
	ask(b, 100);
	turn(b);
	assert_int_equal(heard(b), 100 * QUERY);
}

static void test_relay_that_cannot(void **state)
{
	struct bench *b = *state;
	uint8_t reply[600];

	b->relays = b->fails = true;
	ask(b, 1);
	turn(b);
	assert_true(recv(b->guest, reply, sizeof(reply), 0) > 2 + DNS_HEADER_SIZE);
	assert_int_equal(reply[5] & DNS_RCODE_MASK, DNS_SERVFAIL);
}

static void test_half_closed(void **state)
{
	struct bench *b = *state;

	b->relays = true;
	ask(b, 2);
	shutdown(b->guest, SHUT_WR);
	turn(b);
	assert_int_equal(b->closed, 0);			/* it still hears */
	for (unsigned i = 0; i < 2; i++)
		b->kept[i].fn(b->kept[i].arg, b->kept[i].query, b->kept[i].size);
	b->nkept = 0;
	turn(b);
	assert_int_equal(heard(b), 2 * QUERY);
	assert_int_equal(b->closed, 1);
}

static void test_nonsense(void **state)
{
	struct bench *b = *state;

	assert_int_equal(send(b->guest, "\0\3abc", 5, 0), 5);
	turn(b);
	assert_int_equal(b->closed, 1);
	assert_int_equal(recv(b->guest, &(char){ 0 }, 1, 0), 0);
}

static void test_closed_while_it_waits(void **state)
{
	struct bench *b = *state;

	b->relays = true;
	ask(b, 3);
	turn(b);
	close(b->guest);
	b->guest = -1;
	turn(b);
	b->kept[0].fn(b->kept[0].arg, b->kept[0].query, b->kept[0].size);	/* nobody reads it */
	turn(b);
	b->kept[0] = b->kept[2];
	b->nkept = 2;					/* teardown answers the others, after the end */
}

/* One that asks and asks and never reads is closed, and what it is owed is bounded. */
static void test_never_reads(void **state)
{
	struct bench *b = *state;

	for (unsigned i = 0; i < 200000 && !b->closed; i++) {
		uint8_t one[QUERY];

		memcpy(one, query, QUERY);
		put_u16(one, MESSAGE);
		if (send(b->guest, one, QUERY, MSG_NOSIGNAL) != QUERY)
			turn(b);
	}
	assert_int_equal(b->closed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dns_02_split_and_pipelined, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answered_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_relay_that_cannot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed_while_it_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_reads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
