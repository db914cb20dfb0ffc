// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/upstream and resolvers: relaying to resolvers of this test on loopback. IDs are those of the conformance
 * statements.
 */
#include "dhcp/upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "dhcp/dns_message.h"
#include "dhcp/resolvers.h"

enum { PATIENCE_MS = 40, SERVERS = 3 };

enum behaviour {
	ANSWER,
	SILENT,
	WRONG_ID_FIRST,			/* a forged answer before the true one */
	WRONG_QUESTION_FIRST,
	SAY_SERVFAIL,
	SAY_REFUSED,
	LATE,				/* answers the first query when the second one comes */
	OTHER_CASE,
	DEAF,				/* closed: ICMP says so */
};

/* A resolver of ours. */
struct server {
	int fd;
	struct event *event;
	enum behaviour does;
	unsigned asked, written;	/* of those with the name as the guest wrote it */
	char address[40];
	uint8_t kept[600];
	size_t kept_size;
	struct sockaddr_storage kept_from;
	uint16_t ids[64], ports[64];	/* of the queries it saw */
};

struct bench {
	struct event_base *base;
	struct upstream *u;
	struct server server[SERVERS];
	unsigned answered, dropped;
	uint8_t reply[2000];
	size_t size;
};

static void send_back(struct server *s, uint8_t *data, size_t size, const struct sockaddr_storage *to)
{
	sendto(s->fd, data, size, 0, (const struct sockaddr *)to, sizeof(struct sockaddr_in));
}

/* serve() - one query, by what this resolver does; the answer is told by a record with the resolver's number */
static void serve(struct server *s, uint8_t *data, size_t size, const struct sockaddr_storage *from)
{
	uint8_t first[600];

	memcpy(first, data, size);
	data[2] |= 0x80;
	data[3] |= 0x80;
	switch (s->does) {
	case SILENT:
	case DEAF:
		return;
	case SAY_SERVFAIL:
	case SAY_REFUSED:
		data[3] |= s->does == SAY_SERVFAIL ? 2 : 5;
		break;
	case WRONG_ID_FIRST:
		data[0] ^= 1;
		send_back(s, data, size, from);
		data[0] ^= 1;
		break;
	case WRONG_QUESTION_FIRST:
		data[14] ^= 1;
		send_back(s, data, size, from);
		data[14] ^= 1;
		break;
	case LATE:
		if (s->asked == 1) {
			memcpy(s->kept, data, size);
			s->kept_size = size;
			s->kept_from = *from;
			return;
		}
		send_back(s, s->kept, s->kept_size, &s->kept_from);
		return;
	case OTHER_CASE:
		for (size_t i = 13; i < size - 4; i++)
			data[i] = data[i] >= 'a' && data[i] <= 'z' ? data[i] - 32 : data[i];
		break;
	case ANSWER:
		break;
	}
	send_back(s, data, size, from);
}

static void on_query(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	struct sockaddr_storage from;
	socklen_t from_size = sizeof(from);
	uint8_t data[600];
	ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &from_size);

	(void)what;
	assert_true(n >= 12);
	s->ids[s->asked % 64] = get_u16(data);
	s->ports[s->asked % 64] = ntohs(((struct sockaddr_in *)&from)->sin_port);
	s->asked++;
	s->written += !memcmp(data + 12, "\3wWw\7example\3com", 17);
	serve(s, data, (size_t)n, &from);
}

static void server_open(struct bench *b, struct server *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);

	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &size), 0);
	snprintf(s->address, sizeof(s->address), "127.0.0.1#%u", ntohs(a.sin_port));
	s->event = event_new(b->base, s->fd, EV_READ | EV_PERSIST, on_query, s);
	event_add(s->event, NULL);
}

static void server_close(struct server *s)
{
	if (s->event)
		event_free(s->event);
	s->event = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->base = event_base_new();
	b->u = upstream_new(b->base, "/nonexistent/resolv.conf");
	upstream_set_patience(b->u, PATIENCE_MS);
	for (unsigned i = 0; i < SERVERS; i++)
		server_open(b, &b->server[i]);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	upstream_free(b->u);
	for (unsigned i = 0; i < SERVERS; i++)
		server_close(&b->server[i]);
	event_base_free(b->base);
	free(b);
	return 0;
}

/* use() - relay to the first @n of our resolvers, which do this */
static void use(struct bench *b, unsigned n, enum behaviour first, enum behaviour second, enum behaviour third)
{
	const enum behaviour does[SERVERS] = { first, second, third };
	const char *addresses[SERVERS];

	for (unsigned i = 0; i < n; i++) {
		b->server[i].does = does[i];
		addresses[i] = b->server[i].address;
		if (does[i] == DEAF)
			server_close(&b->server[i]);
	}
	assert_int_equal(upstream_set_resolvers(b->u, addresses, n), 0);
}

static void on_answer(void *arg, const uint8_t *reply, size_t size)
{
	struct bench *b = arg;

	if (!size) {
		assert_null(reply);
		b->dropped++;
		return;
	}
	b->answered++;
	b->size = size;
	memcpy(b->reply, reply, size < sizeof(b->reply) ? size : sizeof(b->reply));
}

static size_t query(uint8_t *data, uint16_t id, bool edns)
{
	static const char question[] = "\3wWw\7example\3com\0\0\1\0\1";
	struct writer w = writer_init(data, 512);

	write_u16(&w, id);
	write_u16(&w, DNS_FLAG_RD);
	write_u16(&w, 1);
	write_zeros(&w, 5);
	write_u8(&w, edns);
	write_bytes(&w, question, sizeof(question) - 1);
	if (edns)
		write_bytes(&w, "\0\0\x29\x10\0\0\0\x80\0\0\0", 11);
	return w.pos;
}

static int ask(struct bench *b, uint64_t owner, uint16_t id)
{
	uint8_t data[512];

	return upstream_query(b->u, owner, data, query(data, id, false), false, on_answer, b);
}

/* settle() - run the loop until @n answers are there; each waits for something that comes */
static void settle(struct bench *b, unsigned n)
{
	for (unsigned turns = 0; b->answered < n && turns < 1000; turns++)
		event_base_loop(b->base, EVLOOP_ONCE);
	assert_int_equal(b->answered, n);
}

static unsigned rcode(const struct bench *b)
{
	return b->reply[3] & 15;
}

static void test_dns_01_relayed_as_it_is(void **state)
{
	struct bench *b = *state;
	uint8_t data[512];
	size_t size = query(data, 0x1234, true);

	use(b, 1, ANSWER, 0, 0);
	assert_int_equal(upstream_query(b->u, 1, data, size, false, on_answer, b), 0);
	assert_int_equal(upstream_pending(b->u), 1);
	settle(b, 1);
	assert_int_equal(b->size, size);
	assert_int_equal(get_u16(b->reply), 0x1234);
	assert_memory_equal(b->reply + 4, data + 4, size - 4);
	assert_int_equal(upstream_pending(b->u), 0);
	assert_int_equal(upstream_stats(b->u)->answers, 1);
}

/* RFC 5452: neither id nor port can be told from those before. Eight of each are never the same by chance. */
static void test_fresh_id_and_port(void **state)
{
	struct bench *b = *state;
	unsigned ids = 0, ports = 0;

	use(b, 1, ANSWER, 0, 0);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(ask(b, 1, 7), 0);
		settle(b, i + 1);
		ids += i && b->server[0].ids[i] != b->server[0].ids[0];
		ports += i && b->server[0].ports[i] != b->server[0].ports[0];
	}
	assert_true(ids > 0 && ports > 0);
	assert_int_equal(get_u16(b->reply), 7);
}

static void test_dns_09_forged_replies(void **state)
{
	struct bench *b = *state;

	use(b, 1, WRONG_ID_FIRST, 0, 0);
	ask(b, 1, 1);
	settle(b, 1);
	assert_int_equal(rcode(b), 0);
	use(b, 1, WRONG_QUESTION_FIRST, 0, 0);
	ask(b, 1, 2);
	settle(b, 2);
	assert_int_equal(get_u16(b->reply), 2);
	assert_int_equal(upstream_stats(b->u)->mismatches, 2);
	assert_int_equal(upstream_stats(b->u)->failures, 0);
}

static const struct {
	const char *what;
	unsigned n;
	enum behaviour does[SERVERS];
	unsigned rcode;
	unsigned asked[SERVERS];	/* how often each is */
} failovers[] = {
	{ "the first is silent",		2, { SILENT, ANSWER },		0, { 1, 1 } },
	{ "the first is unreachable",		2, { DEAF, ANSWER },		0, { 0, 1 } },
	{ "the first fails",			2, { SAY_SERVFAIL, ANSWER },	0, { 1, 1 } },
	{ "the first refuses",			2, { SAY_REFUSED, ANSWER },	0, { 1, 1 } },
	{ "two are of no use",			3, { SILENT, DEAF, ANSWER },	0, { 1, 0, 1 } },
	{ "all are silent: SERVFAIL",		2, { SILENT, SILENT },		2, { 3, 2 } },
	{ "all are unreachable: at once",	3, { DEAF, DEAF, DEAF },	2, { 0, 0, 0 } },
	{ "all refuse: as the last one said",	2, { SAY_REFUSED, SAY_REFUSED }, 5, { 1, 1 } },
	{ "one fails and is alone",		1, { SAY_SERVFAIL },		2, { 1 } },
	{ "one is silent and is alone",		1, { SILENT },			2, { 4 } },
	{ "a late answer is an answer",		2, { SILENT, LATE },		0, { 2, 2 } },
	{ "there is none",			0, { 0 },			2, { 0 } },
};

static void test_dns_19_failover(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(failovers); i++) {
		struct bench *b;

		teardown(state);
		setup(state);
		b = *state;
		print_message("  %s\n", failovers[i].what);
		use(b, failovers[i].n, failovers[i].does[0], failovers[i].does[1], failovers[i].does[2]);
		assert_int_equal(ask(b, 1, 5), 0);
		settle(b, 1);
		assert_int_equal(rcode(b), failovers[i].rcode);
		assert_int_equal(get_u16(b->reply), 5);
		for (unsigned k = 0; k < SERVERS; k++)
			assert_int_equal(b->server[k].asked, failovers[i].asked[k]);
		assert_int_equal(upstream_pending(b->u), 0);
	}
}

static void test_dns_19_the_one_that_answered_is_asked_first(void **state)
{
	struct bench *b = *state;

	use(b, 2, SILENT, ANSWER, 0);
	for (unsigned i = 0; i < 5; i++) {
		ask(b, 1, 1);
		settle(b, i + 1);
	}
	assert_int_equal(b->server[0].asked, 1);
	assert_int_equal(b->server[1].asked, 5);
}

static void test_dns_14_case_of_the_question(void **state)
{
	struct bench *b = *state;

	use(b, 1, OTHER_CASE, 0, 0);
	ask(b, 1, 1);
	settle(b, 1);
	assert_memory_equal(b->reply + 12, "\3wWw\7example\3com", 17);
}

static void test_case_random(void **state)
{
	enum { TIMES = 20 };
	struct bench *b = *state;

	upstream_set_case_random(b->u, true);
	use(b, 2, ANSWER, ANSWER, 0);
	for (unsigned i = 0; i < TIMES; i++) {
		ask(b, 1, (uint16_t)i);
		settle(b, i + 1);
		assert_memory_equal(b->reply + 12, "\3wWw\7example\3com", 17);
	}
	assert_int_equal(b->server[0].asked, TIMES);
	assert_true(b->server[0].written < 3);		/* of 13 letters each is as it was or not */
	assert_int_equal(upstream_stats(b->u)->mismatches, 0);
	b->server[0].does = OTHER_CASE;				/* and nobody listens there for TCP */
	ask(b, 1, 1);
	settle(b, TIMES + 1);
	assert_int_equal(b->server[1].asked, 1);
	assert_int_equal(upstream_stats(b->u)->mismatches, 1);
}

static void test_limits(void **state)
{
	struct bench *b = *state;
	unsigned n = 0;
	uint8_t data[512];

	use(b, 1, SILENT, 0, 0);
	while (ask(b, 1, 1) == 0)
		n++;
	assert_int_equal(n, UPSTREAM_OWNER_MAX);
	assert_int_equal(ask(b, 1, 1), -EDQUOT);
	assert_int_equal(ask(b, 2, 1), 0);			/* a neighbour is served */
	for (uint64_t owner = 3; upstream_pending(b->u) < UPSTREAM_PENDING_MAX; owner++)
		for (n = 0; n < 60 && upstream_pending(b->u) < UPSTREAM_PENDING_MAX; n++)
			assert_int_equal(ask(b, owner, 1), 0);
	assert_int_equal(ask(b, 1000, 1), -ENOBUFS);
	upstream_cancel(b->u, 1);
	assert_int_equal(upstream_pending(b->u), UPSTREAM_PENDING_MAX - UPSTREAM_OWNER_MAX);
	assert_int_equal(ask(b, 1, 1), 0);
	assert_int_equal(b->answered, 0);
	assert_int_equal(b->dropped, UPSTREAM_OWNER_MAX);	/* each is told once */
	query(data, 1, false);
	assert_int_equal(upstream_query(b->u, 1, data, 11, false, on_answer, b), -EBADMSG);
	data[2] |= 0x80;
	assert_int_equal(upstream_query(b->u, 1, data, 33, false, on_answer, b), -EBADMSG);
	assert_int_equal(upstream_stats(b->u)->refused, 3);
}

static void write_file(const char *path, const char *text)
{
	char next[300];
	FILE *f;

	snprintf(next, sizeof(next), "%s.next", path);
	f = fopen(next, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(rename(next, path), 0);
}

static void test_dns_20_resolv_conf(void **state)
{
	char path[] = "/tmp/lanyard-resolv-XXXXXX", link[64], text[256];
	struct resolvers r;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_file(path, "nameserver 10.0.0.1\n");
	resolvers_init(&r, path);
	resolvers_update(&r, 1000);
	assert_int_equal(r.set.n, 1);
	write_file(path, "nameserver 10.0.0.2\nnameserver 10.0.0.3\n");	/* replaced by another file */
	resolvers_update(&r, 1999);
	assert_int_equal(r.set.n, 1);					/* at most once a second */
	resolvers_update(&r, 2000);
	assert_int_equal(r.set.n, 2);
	unlink(path);
	resolvers_update(&r, 3000);
	assert_int_equal(r.set.n, 0);
	assert_int_equal(resolvers_set(&r, (const char *const[]){ "10.0.0.9" }, 1), 0);
	resolvers_update(&r, 3500);
	assert_int_equal(r.set.n, 1);					/* given: the file does not count */
	assert_int_equal(resolvers_set(&r, NULL, 0), 0);
	snprintf(link, sizeof(link), "%s.link", path);
	write_file(link, "nameserver fe80::1%lo\nnameserver 1.1.1.1#5353\n");
	assert_int_equal(symlink(link, path), 0);
	resolvers_update(&r, 3600);					/* and now it does again, at once */
	assert_int_equal(r.set.n, 2);
	assert_int_equal(resolvers_set(&r, NULL, 0), 0);
	assert_int_equal(r.set.n, 2);
	assert_int_equal(r.set.list[0].addr.ss_family, AF_INET6);
	unlink(path);
	snprintf(text, sizeof(text), "%s", "");
	write_file(path, text);
	resolvers_update(&r, 5000);
	assert_int_equal(r.set.n, 0);
	unlink(path);
	unlink(link);
}

/* set_age() - as if the file had been written so long ago */
static void set_age(const char *path, long seconds)
{
	struct timespec at[2] = { { 0 } };

	clock_gettime(CLOCK_REALTIME, &at[0]);
	at[0].tv_sec -= seconds;
	at[1] = at[0];
	assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
}

/* A file written again within the same tick of the clock, with as many bytes, looks the same: one that is young is read twice. */
static void test_dns_20_written_twice_at_once(void **state)
{
	char path[] = "/tmp/lanyard-resolv-XXXXXX";
	struct resolvers r;
	int fd = mkstemp(path);
	struct stat st;
	struct timespec at[2];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "nameserver 10.0.0.1\n", 20), 20);
	assert_int_equal(fstat(fd, &st), 0);
	resolvers_init(&r, path);
	resolvers_update(&r, 1000);
	assert_int_equal(pwrite(fd, "nameserver 10.0.0.2\n", 20, 0), 20);
	at[0] = at[1] = st.st_mtim;
	assert_int_equal(futimens(fd, at), 0);
	resolvers_update(&r, 2000);
	assert_int_equal(((struct sockaddr_in *)&r.set.list[0].addr)->sin_addr.s_addr, htonl(0x0a000002));
	assert_int_equal(r.generation, 2);
	set_age(path, 60);
	resolvers_update(&r, 3000);
	assert_false(r.read_fresh);
	resolvers_update(&r, 4000);
	assert_int_equal(r.generation, 2);		/* the same list is no change */
	close(fd);
	unlink(path);
}

/* What waits is asked again when the host's routes have changed, by the file as it is then. */
static void test_host_changed(void **state)
{
	struct bench *b = *state;

	use(b, 1, SILENT, 0, 0);
	upstream_set_patience(b->u, 60000);
	ask(b, 1, 1);
	b->server[0].does = ANSWER;
	upstream_host_changed(b->u);
	settle(b, 1);
	assert_int_equal(rcode(b), 0);
	assert_int_equal(b->server[0].asked, 2);
	upstream_host_changed(b->u);			/* nothing waits */
	use(b, 1, SILENT, 0, 0);
	ask(b, 1, 2);
	for (unsigned i = 0; i < 20; i++)
		upstream_host_changed(b->u);		/* however often it happens, a query is tried four times */
	assert_int_equal(upstream_pending(b->u), 1);
	upstream_cancel(b->u, 1);
	assert_int_equal(b->dropped, 1);
}

/* A relay that is bound to an interface asks nobody another way: no such interface, or a resolver on loopback, is SERVFAIL at once. */
static void test_bound_to_an_interface(void **state)
{
	struct bench *b = *state;

	use(b, 2, ANSWER, ANSWER, 0);
	upstream_set_device(b->u, "lo");
	ask(b, 1, 1);
	assert_int_equal(b->answered, 1);
	assert_int_equal(rcode(b), 2);
	assert_int_equal(upstream_set_resolvers(b->u, (const char *const[]){ "192.0.2.1", "::1" }, 2), 0);
	upstream_set_device(b->u, "no-such-link");
	ask(b, 1, 2);
	assert_int_equal(b->answered, 2);
	assert_int_equal(rcode(b), 2);
	use(b, 1, ANSWER, 0, 0);
	upstream_set_device(b->u, "");
	ask(b, 1, 3);
	settle(b, 3);
	assert_int_equal(rcode(b), 0);
	assert_int_equal(b->server[0].asked, 1);
	assert_int_equal(b->server[1].asked, 0);
}

static const struct {
	const char *text;
	unsigned n;
} files[] = {
	{ "", 0 }, { "nameserver", 0 }, { "nameserver \n", 0 }, { "nameserver 10.0.0.1", 1 }, { "nameserver\t10.0.0.1 \r\n", 1 },
	{ "# nameserver 10.0.0.1\n; nameserver 10.0.0.1\nsearch a b\noptions edns0\n", 0 },
	{ "nameservers 10.0.0.1\nxnameserver 10.0.0.1\n nameserver 10.0.0.1\n", 0 },
	{ "nameserver 0.0.0.0\nnameserver ::\nnameserver 10.0.0.256\nnameserver x\nnameserver 8.8.8.8 # google\n", 1 },
	{ "nameserver ::1\nnameserver fe80::1%no-such-interface\nnameserver fe80::1%1\nnameserver fe80::1%\n", 2 },
	{ "nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\nnameserver 1.1.1.5\nnameserver 1.1.1.6\n"
	  "nameserver 1.1.1.7\nnameserver 1.1.1.8\nnameserver 1.1.1.9\n", RESOLVERS_MAX },
	{ "nameserver aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 0 },
};

static void test_resolv_conf_lines(void **state)
{
	struct resolvers r;
	struct resolver one;

	(void)state;
	resolvers_init(&r, "x");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		resolvers_parse(&r, files[i].text);
		assert_int_equal(r.set.n, files[i].n);
	}
	assert_int_equal(resolver_parse(&one, "10.0.0.1#0"), -EINVAL);
	assert_int_equal(resolver_parse(&one, "10.0.0.1#65536"), -EINVAL);
	assert_int_equal(resolver_parse(&one, ""), -EINVAL);
	assert_int_equal(resolvers_set(&r, (const char *const[]){ "10.0.0.1", "bad" }, 2), -EINVAL);
	assert_int_equal(resolvers_set(&r, NULL, RESOLVERS_MAX + 1), -EINVAL);
	assert_int_equal(r.set.n, 0);
}

/* Split DNS: who is asked for a name, by the longest domain that it is in. */
static const char split[] = "nameserver 10.0.0.1\nroute corp.example 10.0.0.2\nroute Corp.Example. 10.0.0.3%lo # both\n"
			    "route lab.corp.example 10.0.0.4#5353\nroute empty.example\nroute nobody.example 0.0.0.0\nroute\n"
			    "route bad..example 10.0.0.5\n route spaced.example 10.0.0.5\n";

static const struct {
	const char *name;
	unsigned n, last;		/* how many, and the last byte of the first one's address */
} routes[] = {
	{ "www.example.com", 1, 1 }, { "corp.example", 2, 2 }, { "a.b.corp.example", 2, 2 }, { "xcorp.example", 1, 1 },
	{ "example", 1, 1 }, { "lab.corp.example", 1, 4 }, { "x.lab.corp.example", 1, 4 }, { "a.empty.example", 1, 1 },
	{ "a.nobody.example", 1, 1 }, { "a.spaced.example", 1, 1 }, { ".", 1, 1 },
};

static unsigned asked_for(struct resolvers *r, const char *text, unsigned *n)
{
	struct dns_name name;
	struct resolver_set *set;
	struct sockaddr_in a;

	assert_int_equal(dns_name_from_text(&name, text), 0);
	set = resolvers_for(r, &name);
	*n = set->n;
	memcpy(&a, &set->list[0].addr, sizeof(a));
	return set->n ? ntohl(a.sin_addr.s_addr) & 255 : 0;
}

static void test_split_by_domain(void **state)
{
	struct resolvers r;
	unsigned n, generation;

	(void)state;
	resolvers_init(&r, "x");
	resolvers_parse(&r, split);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		print_message("  %s\n", routes[i].name);
		assert_int_equal(asked_for(&r, routes[i].name, &n), routes[i].last);
		assert_int_equal(n, routes[i].n);
	}
	assert_int_equal(resolvers_for(&r, &r.routes[0].domain)->list[1].ifindex, 1);
	generation = r.generation;
	resolvers_parse(&r, split);
	assert_int_equal(r.generation, generation);		/* the same is no change */
	assert_int_equal(resolvers_set_routes(&r, "route corp.example 10.0.0.9\n"), 0);
	assert_int_equal(r.generation, generation + 1);
	assert_int_equal(asked_for(&r, "a.corp.example", &n), 9);	/* what was given comes first */
	assert_int_equal(asked_for(&r, "a.lab.corp.example", &n), 4);	/* and what says more before that */
	assert_int_equal(resolvers_set(&r, (const char *const[]){ "10.0.0.8" }, 1), 0);
	assert_int_equal(asked_for(&r, "a.lab.corp.example", &n), 9);	/* the host's routes go with its resolvers */
	assert_int_equal(asked_for(&r, "example.com", &n), 8);
	assert_int_equal(resolvers_set_routes(&r, ""), 0);
	assert_int_equal(asked_for(&r, "a.corp.example", &n), 8);
	resolvers_parse(&r, "");
	assert_int_equal(r.nroutes, 0);
	resolvers_fini(&r);
}

static void test_split_has_bounds(void **state)
{
	static char text[RESOLVER_ROUTES_MAX * 2 * 40];
	struct resolver_set set;
	struct resolver_route *list;
	unsigned n, at = 0;

	(void)state;
	for (unsigned i = 0; i < RESOLVER_ROUTES_MAX * 2; i++)
		at += (unsigned)snprintf(text + at, sizeof(text) - at, "route d%u.example 10.0.0.1\n", i);
	assert_int_equal(resolvers_text(text, &set, &list, &n), 0);
	assert_int_equal(n, RESOLVER_ROUTES_MAX);
	free(list);
}

/* Each of two resolvers is asked for its own names alone; where one of them is dead, its names are nobody else's to answer. */
static void test_split_is_asked(void **state)
{
	struct bench *b = *state;
	char text[80];

	use(b, 1, ANSWER, 0, 0);
	b->server[1].does = ANSWER;
	snprintf(text, sizeof(text), "route Example.COM %s\n", b->server[1].address);
	assert_int_equal(upstream_set_routes(b->u, text), 0);
	ask(b, 1, 1);
	settle(b, 1);
	assert_int_equal(b->server[0].asked, 0);
	assert_int_equal(b->server[1].asked, 1);
	server_close(&b->server[1]);
	ask(b, 1, 2);
	settle(b, 2);
	assert_int_equal(rcode(b), 2);
	assert_int_equal(b->server[0].asked, 0);
	assert_int_equal(upstream_set_routes(b->u, ""), 0);
	ask(b, 1, 3);
	settle(b, 3);
	assert_int_equal(rcode(b), 0);
	assert_int_equal(b->server[0].asked, 1);
}

/* With the first of them blackholed the second one answers in less than a second, and with two the third. */
static void test_dns_19_dead_ones_cost_little(void **state)
{
	struct bench *b = *state;
	uint64_t began = clock_now_ms();

	use(b, 3, SILENT, SILENT, ANSWER);
	upstream_set_patience(b->u, 1000);
	ask(b, 1, 1);
	settle(b, 1);
	assert_int_equal(rcode(b), 0);
	assert_in_range(clock_now_ms() - began, 700, 999);
}

/* The file that is read stays as it is, and another one tells that what it says is something else now. */
static int open_second(void *arg, const char *path)
{
	(void)path;
	return open(arg, O_RDONLY | O_CLOEXEC);
}

static void test_dns_20_watched_file(void **state)
{
	char path[] = "/tmp/lanyard-resolv-XXXXXX", watched[] = "/tmp/lanyard-resolv-XXXXXX";
	int fd = mkstemp(path), fd2 = mkstemp(watched);
	struct resolvers r;

	(void)state;
	assert_true(fd >= 0 && fd2 >= 0);
	set_age(path, 60);
	set_age(watched, 60);
	resolvers_init(&r, path);
	r.open = open_second;
	r.open_arg = watched;
	r.watched = watched;
	resolvers_update(&r, 1000);
	assert_int_equal(r.set.n, 0);
	assert_false(r.read_fresh);
	write_file(watched, "nameserver 10.0.0.1\nroute corp.example 10.0.0.2\n");
	resolvers_update(&r, 2000);
	assert_int_equal(r.set.n, 1);
	assert_int_equal(r.nroutes, 1);
	resolvers_fini(&r);
	close(fd), close(fd2);
	unlink(path), unlink(watched);
}

static void test_list_changes_while_a_query_waits(void **state)
{
	struct bench *b = *state;

	use(b, 2, SILENT, SILENT, 0);
	ask(b, 1, 1);
	b->server[2].does = ANSWER;
	assert_int_equal(upstream_set_resolvers(b->u, (const char *const[]){ b->server[2].address }, 1), 0);
	settle(b, 1);
	assert_int_equal(rcode(b), 0);
	assert_int_equal(b->server[2].asked, 1);
	use(b, 1, SILENT, 0, 0);
	ask(b, 1, 2);
	assert_int_equal(upstream_set_resolvers(b->u, NULL, 0), 0);	/* the file again, which is not there */
	settle(b, 2);
	assert_int_equal(rcode(b), 2);
	ask(b, 1, 3);
	settle(b, 3);
	upstream_free(NULL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_dns_01_relayed_as_it_is),
		CASE(test_fresh_id_and_port),
		CASE(test_dns_09_forged_replies),
		CASE(test_dns_19_failover),
		CASE(test_dns_19_the_one_that_answered_is_asked_first),
		CASE(test_dns_14_case_of_the_question),
		CASE(test_case_random), CASE(test_limits),
		CASE(test_dns_20_resolv_conf),
		CASE(test_dns_20_written_twice_at_once),
		CASE(test_resolv_conf_lines),
		CASE(test_host_changed),
		CASE(test_bound_to_an_interface),
		CASE(test_list_changes_while_a_query_waits),
		CASE(test_split_by_domain),
		CASE(test_split_has_bounds),
		CASE(test_split_is_asked),
		CASE(test_dns_19_dead_ones_cost_little),
		CASE(test_dns_20_watched_file),
	};

	signal(SIGPIPE, SIG_IGN);		/* as the engine does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
