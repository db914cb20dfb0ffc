// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/validation and dhcp/validator_wire, under dhcp/relay: what a verdict makes of an answer, and that nothing goes by without one. The validator
 * is this test, at the other end of the socket. */
#include "dhcp/validation.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "dhcp/dns_message.h"
#include "dhcp/relay.h"

struct bench {
	struct event_base *base;
	struct upstream *upstream;
	struct validation *validation;
	struct relay *relay;
	int peer;			/* the validator's end; -1: none was started */
	unsigned started, answered, nbogus;
	int cannot;			/* negative: none can be started */
	uint8_t reply[UPSTREAM_REPLY_MAX];
	size_t size;
	uint8_t message[VALIDATOR_MESSAGE_MAX];
};

static int start(void *arg)
{
	struct bench *b = arg;
	int pair[2];

	if (b->cannot)
		return b->cannot;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	if (b->peer >= 0)
		close(b->peer);
	b->peer = pair[1];
	b->started++;
	return pair[0];
}

static void on_bogus(void *arg, const struct dns_name *name, const char *why)
{
	struct bench *b = arg;
	char text[DNS_NAME_TEXT];

	assert_string_equal(dns_name_to_text(name, text), "www.example.com");
	assert_string_equal(why, "it says .so.");
	b->nbogus++;
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct relay_conf conf = { .cache_bytes = 0, .share = 8, .validate = true, .on_bogus = on_bogus, .arg = b };

	signal(SIGPIPE, SIG_IGN);
	b->peer = -1;
	b->base = event_base_new();
	b->upstream = upstream_new(b->base, "/nonexistent");		/* nobody to ask: what is asked has failed */
	b->validation = conf.validation = validation_new(b->base, b->upstream, start, b);
	b->relay = relay_new(b->upstream, 0);
	relay_configure(b->relay, &conf);
	assert_int_equal(upstream_set_routes(b->upstream, "route corp.example 192.0.2.1\n"), 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	validation_free(b->validation);
	upstream_free(b->upstream);
	relay_free(b->relay);
	if (b->peer >= 0)
		close(b->peer);
	event_base_free(b->base);
	free(b);
	return 0;
}

static void on_answer(void *arg, const uint8_t *reply, size_t size)
{
	struct bench *b = arg;

	b->answered++;
	b->size = size;
	if (size)
		memcpy(b->reply, reply, size);
}

enum { AD = 1, CD = 2, EDNS = 4, DO = 8 };

static int ask(struct bench *b, unsigned how)
{
	static const char question[] = "\3www\7example\3com\0\0\1\0\1";
	uint8_t data[64];
	struct writer w = writer_init(data, sizeof(data));

	write_u16(&w, 0x4711);
	write_u16(&w, (uint16_t)(DNS_FLAG_RD | (how & AD ? DNS_FLAG_AD : 0) | (how & CD ? DNS_FLAG_CD : 0)));
	write_u16(&w, 1);
	write_zeros(&w, 5);
	write_u8(&w, how & EDNS);
	data[11] = !!(how & EDNS);
	write_bytes(&w, question, sizeof(question) - 1);
	if (how & EDNS)
		write_bytes(&w, how & DO ? "\0\0\x29\4\xd0\0\0\x80\0\0\0" : "\0\0\x29\4\xd0\0\0\0\0\0\0", 11);
	return relay_query(b->relay, 1, data, w.pos, false, on_answer, b);
}

/* heard() - the next message that the validator gets */
static struct validator_message heard(struct bench *b)
{
	struct validator_message m;
	ssize_t n = recv(b->peer, b->message, sizeof(b->message), MSG_DONTWAIT);

	assert_true(n > 0);
	assert_int_equal(validator_read(&m, b->message, (size_t)n), 0);
	return m;
}

static void say(struct bench *b, size_t n)
{
	assert_true(n > 0);
	assert_int_equal(send(b->peer, b->message, n, 0), n);
	for (unsigned i = 0; i < 3; i++)
		event_base_loop(b->base, EVLOOP_NONBLOCK);
}

/* A signed answer: the address, its signature (of ten bytes), and in the authority section a proof of something. */
static size_t signed_answer(uint8_t *to)
{
	static const char question[] = "\3www\7example\3com\0\0\1\0\1";
	struct writer w = writer_init(to, 512);

	write_bytes(&w, "\0\0\x81\xa0\0\1\0\2\0\1\0\0", 12);
	write_bytes(&w, question, sizeof(question) - 1);
	write_bytes(&w, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\1", 16);
	write_bytes(&w, "\xc0\x0c\0\x2e\0\1\0\0\0\x3c\0\x0a" "signature!", 22);
	write_bytes(&w, "\xc0\x10\0\x2f\0\1\0\0\0\x3c\0\4\1a\0\0", 16);
	return w.pos;
}

static void verdict(struct bench *b, uint32_t number, enum validator_state state)
{
	uint8_t answer[512];
	struct validator_verdict v = { .state = state, .why = "it says \"so\"", .answer = answer };

	if (state == VALIDATOR_SECURE || state == VALIDATOR_INSECURE)
		v.size = signed_answer(answer);
	say(b, validator_write_verdict(b->message, number, &v));
}

static void configure(struct bench *b)
{
	struct validator_message m;

	assert_int_equal(validation_configure(b->validation, "anchor example.com. IN DS 1 15 2 00\n"), 0);
	m = heard(b);
	assert_int_equal(m.kind, VALIDATOR_SETTINGS);
	assert_memory_equal(m.body, "anchor example.com. IN DS 1 15 2 00\ninsecure corp.example\n", m.size);
}

static const struct {
	const char *what;
	unsigned how;
	enum validator_state state;
	unsigned rcode;
	bool ad;
	int ede;
	unsigned records;		/* answer and authority */
} verdicts[] = {
	{ "secure, and asked whether", AD, VALIDATOR_SECURE, DNS_NOERROR, true, -1, 1 },
	{ "secure, and not asked", 0, VALIDATOR_SECURE, DNS_NOERROR, false, -1, 1 },
	{ "secure, with its signatures", EDNS | DO, VALIDATOR_SECURE, DNS_NOERROR, true, -1, 3 },
	{ "EDNS is no wish for signatures", EDNS, VALIDATOR_SECURE, DNS_NOERROR, false, -1, 1 },
	{ "unsigned", AD | EDNS | DO, VALIDATOR_INSECURE, DNS_NOERROR, false, -1, 3 },
	{ "bogus", AD | EDNS, VALIDATOR_BOGUS, DNS_SERVFAIL, false, 6, 0 },
	{ "not known", EDNS, VALIDATOR_FAILED, DNS_SERVFAIL, false, 22, 0 },
};

static void test_verdicts(void **state)
{
	struct bench *b = *state;
	struct validator_message m;
	struct dns_name name;
	uint16_t type;

	configure(b);
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		print_message("  %s\n", verdicts[i].what);
		assert_int_equal(ask(b, verdicts[i].how), 0);
		assert_int_equal(b->answered, i);
		m = heard(b);
		assert_int_equal(validator_read_ask(&m, &type, &name), 0);
		assert_int_equal(type, DNS_A);
		verdict(b, m.number, verdicts[i].state);
		assert_int_equal(b->answered, i + 1);
		assert_int_equal(get_u16(b->reply), 0x4711);
		assert_int_equal(b->reply[3] & DNS_RCODE_MASK, verdicts[i].rcode);
		assert_int_equal(!!(b->reply[3] & DNS_FLAG_AD), verdicts[i].ad);
		assert_int_equal(get_u16(b->reply + 6) + get_u16(b->reply + 8), verdicts[i].records);
		if (verdicts[i].ede >= 0)
			assert_int_equal(get_u16(b->reply + b->size - 2), verdicts[i].ede);
	}
	assert_int_equal(b->nbogus, 1);
	assert_int_equal(validation_stats(b->validation)->secure, 4);
}

/* Who checks for himself is not helped: his question goes to the resolvers. */
static void test_cd_passes(void **state)
{
	struct bench *b = *state;

	configure(b);
	assert_int_equal(ask(b, CD), 0);
	assert_int_equal(b->answered, 1);
	assert_int_equal(recv(b->peer, b->message, sizeof(b->message), MSG_DONTWAIT), -1);
}

/* Whoever asks once answers are judged does not join those who asked before. */
static void test_switched_on(void **state)
{
	struct bench *b = *state;
	struct relay_conf off = { .cache_bytes = 10000, .share = 8 }, on = { .cache_bytes = 10000, .share = 8, .validate = true, .validation = b->validation };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t size = sizeof(at);
	char text[40];

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(text, sizeof(text), "127.0.0.1#%u", ntohs(at.sin_port));
	assert_int_equal(upstream_set_resolvers(b->upstream, (const char *const[]){ text }, 1), 0);
	relay_configure(b->relay, &off);
	assert_int_equal(ask(b, AD), 0);
	assert_true(recv(fd, b->message, sizeof(b->message), MSG_DONTWAIT) > 0);
	relay_configure(b->relay, &on);
	configure(b);
	assert_int_equal(ask(b, AD), 0);
	verdict(b, heard(b).number, VALIDATOR_SECURE);
	assert_int_equal(b->answered, 1);
	close(fd);
}

static void is_failure(struct bench *b, unsigned answered)
{
	assert_int_equal(b->answered, answered);
	assert_int_equal(b->reply[3] & DNS_RCODE_MASK, DNS_SERVFAIL);
	assert_int_equal(get_u16(b->reply + b->size - 2), 14);
}

static void test_without_a_validator(void **state)
{
	struct bench *b = *state;

	assert_int_equal(ask(b, EDNS), 0);		/* no keys yet */
	is_failure(b, 1);
	b->cannot = -ENOENT;
	assert_int_equal(validation_configure(b->validation, "anchor x"), 0);
	assert_non_null(validation_trouble(b->validation));
	assert_int_equal(ask(b, EDNS), 0);
	is_failure(b, 2);
	b->cannot = 0;
	configure(b);
	assert_int_equal(ask(b, EDNS), 0);
	assert_int_equal(b->answered, 2);
	assert_int_equal(validation_configure(b->validation, NULL), 0);		/* and none any more: what waits has failed */
	is_failure(b, 3);
	relay_configure(b->relay, &(struct relay_conf){ .share = 8, .validate = true });	/* it could not be made */
	assert_int_equal(ask(b, EDNS), 0);
	is_failure(b, 4);
}

static const struct {
	const char *what;
	size_t size;
	const char *bytes;
} hostile[] = {
	{ "it ends", 0, "" },
	{ "less than a head", 4, "\3\0\0\0" },
	{ "no such kind", 5, "\x63\0\0\0\1" },
	{ "what only we say", 5, "\1\0\0\0\1" },
	{ "a verdict without one", 5, "\3\0\0\0\1" },
	{ "no such state", 19, "\3\0\0\0\1\7\0" "123456789012" },
	{ "secure, and no answer", 7, "\3\0\0\0\1\2\0" },
	{ "bogus, with an answer", 19, "\3\0\0\0\1\1\0" "123456789012" },
	{ "a reason that is not whole", 8, "\3\0\0\0\1\1\5x" },
};

/* Whatever it says that it should not: it is let go, what waits has failed, and there is another one a second later. */
static void test_hostile(void **state)
{
	struct bench *b = *state;

	configure(b);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		unsigned before = b->answered, started = b->started;
		char anchor[32];

		print_message("  %s\n", hostile[i].what);
		assert_int_equal(ask(b, EDNS), 0);
		if (hostile[i].size)
			send(b->peer, hostile[i].bytes, hostile[i].size, 0);
		else
			shutdown(b->peer, SHUT_RDWR);
		event_base_loop(b->base, EVLOOP_NONBLOCK);
		is_failure(b, before + 1);
		assert_int_equal(validation_stats(b->validation)->restarts, i + 1);
		snprintf(anchor, sizeof(anchor), "anchor %zu", i);
		if (i < 1)
			event_base_loop(b->base, EVLOOP_ONCE);		/* the second is over */
		else
			assert_int_equal(validation_configure(b->validation, anchor), 0);
		assert_int_equal(b->started, started + 1);
	}
}

/* Other resolvers: what is being asked is asked again under another number, and what is said of the former counts no more. */
static void test_begun_anew(void **state)
{
	struct bench *b = *state;
	struct validator_message m;
	uint32_t former, number;

	configure(b);
	assert_int_equal(ask(b, AD), 0);
	former = heard(b).number;
	assert_int_equal(upstream_set_routes(b->upstream, ""), 0);
	validation_follow(b->validation);
	assert_int_equal(b->started, 1);
	assert_int_equal(heard(b).kind, VALIDATOR_SETTINGS);
	m = heard(b);
	assert_int_equal(m.kind, VALIDATOR_ASK);
	assert_int_not_equal(m.number, former);
	number = m.number;
	verdict(b, former, VALIDATOR_SECURE);
	assert_int_equal(b->answered, 0);
	verdict(b, number, VALIDATOR_SECURE);
	assert_int_equal(b->answered, 1);
}

/* What it asks is asked for it, as far as it is a query. */
static void test_its_questions(void **state)
{
	static const char query[] = "\0\7\1\20\0\1\0\0\0\0\0\0\0\0\x30\0\1";
	struct bench *b = *state;
	struct validator_message m;

	configure(b);
	say(b, validator_write(b->message, VALIDATOR_QUERY, 9, "nonsense", 8));
	assert_int_equal(recv(b->peer, b->message, sizeof(b->message), MSG_DONTWAIT), -1);
	say(b, validator_write(b->message, VALIDATOR_QUERY, 9, query, sizeof(query) - 1));
	m = heard(b);
	assert_int_equal(m.kind, VALIDATOR_ANSWER);
	assert_int_equal(m.number, 9);
	assert_int_equal(get_u16(m.body), 7);
	assert_int_equal(m.body[3] & DNS_RCODE_MASK, DNS_SERVFAIL);
	say(b, validator_write(b->message, VALIDATOR_READY, 0, "no\nkeys \xff", 9));
	assert_string_equal(validation_trouble(b->validation), "no.keys .");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_verdicts), CASE(test_cd_passes), CASE(test_switched_on), CASE(test_without_a_validator), CASE(test_hostile), CASE(test_begun_anew), CASE(test_its_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
