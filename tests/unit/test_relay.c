// SPDX-License-Identifier: GPL-2.0-or-later
/* needs: netns */
/* dhcp/relay: answers kept, shared and cut, with a resolver of this test on loopback that speaks UDP and TCP. IDs are those of the
 * conformance statements.
 */
#include "dhcp/relay.h"

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

enum { BIG_RECORDS = 100 };		/* 16 bytes each: more than 1,232 */

enum behaviour { ANSWER, SILENT, MISSING, CUT, CUT_AND_DEAF, CUT_AND_CONFUSED, FAIL, INSIDE, OTHER_CASE, ASK_BACK };

struct bench {
	struct event_base *base;
	struct upstream *upstream;
	struct relay *relay;
	int udp, tcp;
	struct event *on_udp, *on_tcp;
	enum behaviour does;
	unsigned asked, asked_tcp, answered, dropped;
	uint16_t last_id;
	uint8_t query[1000];		/* the last that was asked by datagram */
	size_t query_size;
	uint8_t reply[UPSTREAM_REPLY_MAX];
	size_t size;
	char order[16];			/* arguments of the askers that were answered */
};

/* answer() - @n A records with a TTL of 100 s to the query at @data; Return: bytes */
static size_t answer(uint8_t *data, size_t room, unsigned n)
{
	size_t question = DNS_HEADER_SIZE + strlen((char *)data + DNS_HEADER_SIZE) + 5;
	struct writer w = writer_init(data, room);

	put_u16(data + 2, (uint16_t)(get_u16(data + 2) | DNS_FLAG_QR | DNS_FLAG_RA));
	put_u16(data + 6, (uint16_t)n);
	put_u16(data + 10, 0);
	w.pos = question;
	for (unsigned i = 0; i < n; i++)
		write_bytes(&w, "\xc0\x0c\0\1\0\1\0\0\0\x64\0\4\xcb\0\x71\1", 16);
	assert_false(w.overrun);
	return w.pos;
}

static int ask_back(struct bench *b, const uint8_t *query, size_t size);

static void on_udp(evutil_socket_t fd, short what, void *arg)
{
	struct bench *b = arg;
	struct sockaddr_storage from;
	socklen_t from_size = sizeof(from);
	uint8_t data[1000];
	ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &from_size);
	size_t size;

	(void)what;
	assert_true(n >= DNS_HEADER_SIZE);
	b->asked++;
	if (b->does == ASK_BACK)
		assert_int_equal(ask_back(b, data, (size_t)n), 0);
	if (b->does == SILENT || b->does == ASK_BACK)
		return;
	memcpy(b->query, data, (size_t)n);
	b->query_size = (size_t)n;
	size = answer(data, sizeof(data), b->does == ANSWER || b->does == INSIDE);
	data[3] |= DNS_FLAG_AD;
	if (b->does == MISSING) {
		memcpy(data + size, "\xc0\x10\0\6\0\1\0\0\0\x64\0\x1a\1n\xc0\x10\xc0\x0c\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\x64", 38);
		put_u16(data + 2, get_u16(data + 2) | DNS_NXDOMAIN);
		data[9] = 1;
		size += 38;
	} else if (b->does == INSIDE)
		memcpy(data + size - 4, "\x0a\0\0\1", 4);
	else if (b->does == FAIL)
		data[3] |= DNS_SERVFAIL;
	else if (b->does == OTHER_CASE)
		memcpy(data + DNS_HEADER_SIZE, "\3WWW\7EXAMPLE\3COM", 17);
	else if (b->does != ANSWER)
		data[2] |= DNS_FLAG_TC >> 8;
	sendto(fd, data, size, 0, (struct sockaddr *)&from, from_size);
}

/* One connection, one question, which came in one piece. */
static void on_question(evutil_socket_t conn, short what, void *arg)
{
	struct bench *b = arg;
	uint8_t data[4000];
	ssize_t n = recv(conn, data, 2, MSG_WAITALL);
	size_t size;

	(void)what;
	assert_int_equal(n, 2);
	b->asked_tcp++;
	n = recv(conn, data + 2, get_u16(data), MSG_WAITALL);
	assert_int_equal(n, get_u16(data));
	size = answer(data + 2, sizeof(data) - 2, BIG_RECORDS);
	if (b->does == CUT_AND_CONFUSED)
		data[2] ^= 1;
	put_u16(data, (uint16_t)size);
	for (size_t at = 0; at < 2 + size; at += 700)		/* in pieces */
		send(conn, data + at, MIN_OF(2 + size - at, (size_t)700), MSG_NOSIGNAL);
	close(conn);
}

static void on_tcp(evutil_socket_t fd, short what, void *arg)
{
	struct bench *b = arg;

	(void)what;
	event_base_once(b->base, accept(fd, NULL, NULL), EV_READ, on_question, b, NULL);
}

/* bind_both() - to one port, which the kernel picks for one of them; somebody may have that of the other. Return: it, in network order, or 0 */
static in_port_t bind_both(struct bench *b)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);

	b->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(b->udp, (struct sockaddr *)&a, sizeof(a)), 0);
	getsockname(b->udp, (struct sockaddr *)&a, &size);
	b->tcp = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(b->tcp, (struct sockaddr *)&a, sizeof(a)) == 0)
		return a.sin_port;
	close(b->udp);
	close(b->tcp);
	return 0;
}

static void listen_at(struct bench *b)
{
	in_port_t port = 0;
	char text[40];

	for (int i = 0; i < 20 && !port; i++)
		port = bind_both(b);
	assert_int_not_equal(port, 0);
	assert_int_equal(listen(b->tcp, 10), 0);
	b->on_udp = event_new(b->base, b->udp, EV_READ | EV_PERSIST, on_udp, b);
	b->on_tcp = event_new(b->base, b->tcp, EV_READ | EV_PERSIST, on_tcp, b);
	event_add(b->on_udp, NULL);
	event_add(b->on_tcp, NULL);
	snprintf(text, sizeof(text), "127.0.0.1#%u", ntohs(port));
	assert_int_equal(upstream_set_resolvers(b->upstream, (const char *const[]){ text }, 1), 0);
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->base = event_base_new();
	b->upstream = upstream_new(b->base, "/nonexistent/resolv.conf");
	upstream_set_patience(b->upstream, 50);
	b->relay = relay_new(b->upstream, RELAY_CACHE_BYTES);
	listen_at(b);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	upstream_free(b->upstream);
	relay_free(b->relay);
	event_free(b->on_udp);
	event_free(b->on_tcp);
	close(b->udp);
	close(b->tcp);
	event_base_free(b->base);
	free(b);
	return 0;
}

static size_t query(uint8_t *data, uint16_t id, const char *question, bool edns)
{
	struct writer w = writer_init(data, 512);

	write_u16(&w, id);
	write_u16(&w, DNS_FLAG_RD);
	write_u16(&w, 1);
	write_zeros(&w, 5);
	write_u8(&w, edns);
	write_bytes(&w, question, strlen(question) + 1);
	write_bytes(&w, "\0\1\0\1", 4);
	if (edns)
		write_bytes(&w, "\0\0\x29\x10\0\0\0\0\0\0\0", 11);
	return w.pos;
}

static struct bench *current;

static void on_answer(void *arg, const uint8_t *reply, size_t size)
{
	struct bench *b = current;

	if (!reply) {
		b->dropped++;
		return;
	}
	if (b->answered < sizeof(b->order) - 1)
		b->order[b->answered] = *(const char *)arg;
	b->answered++;
	b->size = size;
	memcpy(b->reply, reply, size);
}

static int ask(struct bench *b, const char *who, const char *question, bool edns, bool stream)
{
	uint8_t data[512];

	current = b;
	return relay_query(b->relay, 1, data, query(data, ++b->last_id, question, edns), stream, on_answer, (void *)(uintptr_t)who);
}

static void settle(struct bench *b, unsigned n)
{
	for (unsigned turns = 0; b->answered < n && turns < 1000; turns++)
		event_base_loop(b->base, EVLOOP_ONCE);
	assert_int_equal(b->answered, n);
}

static const char below[] = "\1a\1B\3www\7example\3com", www[] = "\3www\7example\3com", upper[] = "\3WWW\7EXAMPLE\3com", other[] = "\5other\7example\3com";

/* RFC 8020: what is below a name that does not exist does not exist either; the record that says for how long is written anew for it */
static void test_below_what_is_missing(void **state)
{
	struct bench *b = *state;
	size_t pos = DNS_HEADER_SIZE + sizeof(below) + 4;
	struct dns_name name;
	struct dns_rr rr;
	char text[DNS_NAME_TEXT];

	b->does = MISSING;
	assert_int_equal(ask(b, "a", www, false, false), 0);
	settle(b, 1);
	assert_int_equal(ask(b, "b", below, false, false), 0);
	settle(b, 2);
	assert_int_equal(b->asked, 1);
	assert_int_equal(get_u16(b->reply), b->last_id);
	assert_int_equal(b->reply[3] & DNS_RCODE_MASK, DNS_NXDOMAIN);
	assert_memory_equal(b->reply + DNS_HEADER_SIZE, below, sizeof(below));
	assert_int_equal(get_u16(b->reply + 8), 1);
	assert_int_equal(dns_name_read(&name, b->reply, b->size, &pos), 0);
	assert_string_equal(dns_name_to_text(&name, text), "example.com");
	pos = DNS_HEADER_SIZE + sizeof(below) + 4;
	assert_int_equal(dns_rr_read(&rr, b->reply, b->size, &pos), 0);
	assert_int_equal(rr.type, DNS_SOA);
	assert_int_equal(pos, b->size);
	pos = rr.data;
	assert_int_equal(dns_name_read(&name, b->reply, b->size, &pos), 0);
	assert_string_equal(dns_name_to_text(&name, text), "n.example.com");
	assert_int_equal(dns_name_read(&name, b->reply, b->size, &pos), 0);
	assert_string_equal(dns_name_to_text(&name, text), "www.example.com");
	assert_int_equal(get_u32(b->reply + b->size - 4), 100);
	assert_int_equal(upstream_set_routes(b->upstream, "route b.www.example.com 127.0.0.9#9"), 0);	/* others know of these */
	b->does = ANSWER;
	assert_int_equal(ask(b, "c", www, false, false), 0);
	settle(b, 3);
	b->does = MISSING;
	assert_int_equal(ask(b, "d", www, true, false), 0);
	settle(b, 4);
	assert_int_equal(ask(b, "e", below, true, false), 0);
	settle(b, 5);
	assert_int_equal(b->reply[3] & DNS_RCODE_MASK, DNS_SERVFAIL);
}

static void test_kept(void **state)
{
	struct bench *b = *state;

	assert_int_equal(ask(b, "a", www, false, false), 0);
	settle(b, 1);
	assert_int_equal(ask(b, "b", upper, false, false), 0);
	assert_int_equal(b->answered, 2);				/* at once */
	assert_int_equal(b->asked, 1);
	assert_int_equal(get_u16(b->reply), b->last_id);
	assert_memory_equal(b->reply + DNS_HEADER_SIZE, upper, sizeof(upper));	/* DNS-14: in the case in which it was asked */
	assert_int_equal(relay_stats(b->relay)->hits, 1);
	assert_int_equal(ask(b, "c", www, true, false), 0);		/* another question: it says what EDNS is spoken */
	settle(b, 3);
	assert_int_equal(b->asked, 2);
	upstream_host_changed(b->upstream);
	assert_int_equal(ask(b, "d", www, false, false), 0);
	settle(b, 4);
	assert_int_equal(b->asked, 3);					/* what others said counts no more */
}

static void test_asked_once_for_all(void **state)
{
	struct bench *b = *state;

	b->does = SILENT;
	assert_int_equal(ask(b, "a", www, false, false), 0);
	assert_int_equal(ask(b, "b", upper, false, false), 0);
	assert_int_equal(ask(b, "x", other, false, false), 0);
	assert_int_equal(ask(b, "c", www, false, false), 0);
	assert_int_equal(upstream_pending(b->upstream), 2);
	while (b->asked < 2)
		event_base_loop(b->base, EVLOOP_ONCE);
	b->does = ANSWER;						/* to the second try */
	settle(b, 4);
	assert_int_equal(relay_stats(b->relay)->joined, 2);
	assert_true(strstr(b->order, "abc"));
}

static void test_dns_03_04_cut(void **state)
{
	struct bench *b = *state;

	b->does = CUT;
	assert_int_equal(ask(b, "a", www, false, false), 0);
	settle(b, 1);
	assert_int_equal(b->reply[2] & 2, 2);				/* the resolver's cut answer, as it came */
	assert_int_equal(b->asked_tcp, 0);
	assert_int_equal(ask(b, "b", www, false, true), 0);
	settle(b, 2);
	assert_int_equal(b->asked_tcp, 1);
	assert_int_equal(b->reply[2] & 2, 0);
	assert_int_equal(b->size, DNS_HEADER_SIZE + sizeof(www) + 4 + 16 * BIG_RECORDS);
	assert_int_equal(get_u16(b->reply), b->last_id);
	b->does = SILENT;						/* the whole answer is kept; by datagram it is cut to the question */
	assert_int_equal(ask(b, "c", www, false, false), 0);
	assert_int_equal(b->answered, 3);
	assert_true(b->size <= 512);
	assert_int_equal(b->reply[2] & 2, 2);
	assert_int_equal(get_u16(b->reply + 6), 0);
	assert_int_equal(relay_stats(b->relay)->cut, 1);
}

static void test_tcp_that_fails(void **state)
{
	struct bench *b = *state;

	b->does = CUT_AND_CONFUSED;
	assert_int_equal(ask(b, "a", www, false, true), 0);
	settle(b, 1);
	assert_int_equal(b->reply[3] & 15, DNS_SERVFAIL);
	event_del(b->on_tcp);
	shutdown(b->tcp, SHUT_RDWR);
	b->does = CUT_AND_DEAF;
	assert_int_equal(ask(b, "b", other, false, true), 0);
	settle(b, 2);
	assert_int_equal(b->reply[3] & 15, DNS_SERVFAIL);
	assert_int_equal(upstream_pending(b->upstream), 0);
}

static void test_limits(void **state)
{
	struct bench *b = *state;
	uint8_t data[512];
	unsigned n;

	b->does = SILENT;
	for (n = 0; n < UPSTREAM_OWNER_MAX; n++)
		assert_int_equal(ask(b, "a", n % 2 ? www : other, false, false), 0);
	assert_int_equal(ask(b, "a", www, false, false), -EDQUOT);
	assert_int_equal(ask(b, "a", "\3new", false, false), -EDQUOT);
	assert_int_equal(relay_query(b->relay, 2, data, query(data, 1, www, false), false, on_answer, b), 0);
	for (uint64_t owner = 6000; relay_query(b->relay, owner / 60, data, query(data, 1, www, false), false, on_answer, b) == 0; owner++)
		assert_true(owner < 12000);
	assert_int_equal(relay_query(b->relay, 1000, data, query(data, 1, other, false), false, on_answer, b), -ENOBUFS);
	assert_int_equal(relay_query(b->relay, 1000, data, 11, false, on_answer, b), -EBADMSG);
	assert_true(upstream_pending(b->upstream) == 2);
	upstream_cancel(b->upstream, 1);
	assert_int_equal(b->dropped, RELAY_WAITING_MAX);		/* both flights were the first owner's */
	assert_int_equal(ask(b, "a", www, false, false), 0);
}

/* with_cookie() - a query with a cookie of this one's */
static size_t with_cookie(uint8_t *data, uint16_t id, char whose)
{
	size_t size = query(data, id, www, true);

	memcpy(data + size, "\0\x0a\0\x08" "xxxxxxxx", 12);
	memset(data + size + 4, whose, 8);
	put_u16(data + size - 2, 12);
	return size + 12;
}

static void test_dns_23_cookies_go_no_further(void **state)
{
	struct bench *b = *state;
	uint8_t data[512];

	current = b;
	for (char whose = 'a'; whose <= 'b'; whose++)
		assert_int_equal(relay_query(b->relay, 1, data, with_cookie(data, (uint16_t)whose, whose), false, on_answer, "a"), 0);
	settle(b, 2);
	assert_int_equal(b->asked, 1);
	assert_int_equal(b->query_size, query(data, 1, www, true));		/* without it, and ... */
	assert_int_equal(get_u16(b->query + b->query_size - 8), DNS_UDP_MAX);	/* ... with our own size (RFC 9715) */
}

static void test_dns_21_authenticated_by_whom(void **state)
{
	struct bench *b = *state;
	struct relay_conf conf = { .cache_bytes = RELAY_CACHE_BYTES, .share = 4, .trust_ad = true };

	assert_int_equal(ask(b, "a", www, false, false), 0);
	settle(b, 1);
	assert_int_equal(b->reply[3] & DNS_FLAG_AD, 0);
	relay_configure(b->relay, &conf);
	assert_int_equal(ask(b, "b", www, false, false), 0);
	settle(b, 2);			/* what was kept without it is asked for again */
	assert_int_equal(b->reply[3] & DNS_FLAG_AD, DNS_FLAG_AD);
	b->does = SILENT;
	for (unsigned i = 0; i < conf.share; i++)
		assert_int_equal(ask(b, "c", other, false, false), 0);
	assert_int_equal(ask(b, "c", other, false, false), -EDQUOT);		/* the share is a setting, too */
}

/* RFC 9520: and who asks again is not let through at once */
static void test_dns_19_failures_are_kept(void **state)
{
	struct bench *b = *state;

	b->does = FAIL;
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(ask(b, "a", www, false, false), 0);
		settle(b, i);
		assert_int_equal(b->reply[3] & 15, DNS_SERVFAIL);
	}
	assert_int_equal(b->asked, 1);
}

static void test_dns_35_rebinding(void **state)
{
	struct bench *b = *state;
	struct relay_conf conf = { .cache_bytes = RELAY_CACHE_BYTES, .share = 4, .rebind.protect = true };

	b->does = INSIDE;
	assert_int_equal(ask(b, "a", www, true, false), 0);
	settle(b, 1);
	assert_int_equal(get_u16(b->reply + 6), 1);
	relay_configure(b->relay, &conf);		/* what was kept counts no more */
	assert_int_equal(ask(b, "b", www, true, false), 0);
	settle(b, 2);
	assert_int_equal(get_u16(b->reply + 6), 0);
	assert_int_equal(b->reply[3] & 15, DNS_NOERROR);
	assert_memory_equal(b->reply + b->size - 6, "\0\x0f\0\2\0\x0f", 6);	/* RFC 8914: blocked */
	assert_int_equal(relay_stats(b->relay)->inside, 1);
	strcpy(conf.rebind.allow, "example.com");
	relay_configure(b->relay, &conf);
	assert_int_equal(ask(b, "c", www, true, false), 0);
	settle(b, 3);
	assert_int_equal(get_u16(b->reply + 6), 1);
}

/* A resolver that does not repeat the letters is believed over TCP. */
static void test_case_random_falls_back_to_tcp(void **state)
{
	struct bench *b = *state;

	upstream_set_case_random(b->upstream, true);
	b->does = OTHER_CASE;
	assert_int_equal(ask(b, "a", www, false, false), 0);
	settle(b, 1);
	assert_int_equal(b->asked_tcp, 1);
	assert_memory_equal(b->reply + DNS_HEADER_SIZE, www, sizeof(www));
	assert_int_equal(b->reply[2] & 2, 2);		/* a hundred records, by datagram: cut */
}

/* The resolver is a guest of ours that asks us, as it may come about where resolv.conf leads to a forward. The question comes round, and
 * waits for itself: four tries, and then all who wait for it are told that it failed. */
static int ask_back(struct bench *b, const uint8_t *query, size_t size)
{
	return relay_query(b->relay, 2, query, size, false, on_answer, (void *)(uintptr_t)"g");
}

static void test_dns_20_no_query_circles(void **state)
{
	struct bench *b = *state;

	b->does = ASK_BACK;
	assert_int_equal(ask(b, "a", www, false, false), 0);
	settle(b, 5);
	assert_int_equal(b->asked, 4);
	assert_int_equal(relay_stats(b->relay)->joined, 4);
	assert_int_equal(b->reply[3] & DNS_RCODE_MASK, DNS_SERVFAIL);
	assert_int_equal(upstream_pending(b->upstream), 0);
}

/* How a guest may make a question of its own out of one that others ask, too: what comes of it is not theirs. */
static const struct {
	const char *what;
	uint16_t flags;
	uint8_t opt[2];			/* the extended code, and the first byte of the OPT record's flags */
	const char *behind;
} odd[] = {
	{ "bytes behind the message", DNS_FLAG_RD, { 0 }, "x" },
	{ "a flag that is reserved", DNS_FLAG_RD | 0x0040, { 0 }, "" },
	{ "it is cut", DNS_FLAG_RD | DNS_FLAG_TC, { 0 }, "" },
	{ "authoritative", DNS_FLAG_RD | DNS_FLAG_AA, { 0 }, "" },
	{ "with the code of an answer", DNS_FLAG_RD | 1, { 0 }, "" },
	{ "with a code in EDNS", DNS_FLAG_RD, { 1, 0 }, "" },
	{ "a flag of EDNS that is reserved", DNS_FLAG_RD, { 0, 0x40 }, "" },
};

static void test_odd_queries_are_their_askers_alone(void **state)
{
	struct bench *b = *state;
	uint8_t data[512];
	size_t size;

	current = b;
	b->does = FAIL;
	for (unsigned i = 0; i < ARRAY_SIZE(odd); i++) {
		print_message("  %s\n", odd[i].what);
		size = query(data, 1, www, true);
		put_u16(data + 2, odd[i].flags);
		data[size - 6] = odd[i].opt[0];
		data[size - 4] = odd[i].opt[1];
		memcpy(data + size, odd[i].behind, strlen(odd[i].behind));
		assert_int_equal(relay_query(b->relay, 1, data, size + strlen(odd[i].behind), false, on_answer, "o"), 0);
		assert_int_equal(relay_query(b->relay, 2, data, query(data, 2, www, true), false, on_answer, "a"), 0);
		settle(b, 2 * (i + 1));
		assert_int_equal(b->asked, 2 * (i + 1));		/* neither joined nor kept */
		upstream_host_changed(b->upstream);			/* what is kept of the plain one is forgotten */
	}
}

/* An answer on its way while the resolvers become others is given to who asked, and not kept. */
static void test_answers_of_former_resolvers_are_not_kept(void **state)
{
	struct bench *b = *state;

	assert_int_equal(ask(b, "a", www, false, false), 0);
	assert_int_equal(upstream_set_routes(b->upstream, "route corp.example 192.0.2.1"), 0);
	assert_int_equal(ask(b, "b", other, false, false), 0);
	settle(b, 2);
	assert_int_equal(ask(b, "c", other, false, false), 0);
	assert_int_equal(b->answered, 3);
	assert_int_equal(b->asked, 2);
	assert_int_equal(ask(b, "d", www, false, false), 0);
	settle(b, 4);
	assert_int_equal(b->asked, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_below_what_is_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asked_once_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dns_20_no_query_circles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dns_03_04_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dns_23_cookies_go_no_further, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dns_21_authenticated_by_whom, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dns_19_failures_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dns_35_rebinding, setup, teardown),
		cmocka_unit_test_setup_teardown(test_case_random_falls_back_to_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_queries_are_their_askers_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers_of_former_resolvers_are_not_kept, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN);		/* as in the engine */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
