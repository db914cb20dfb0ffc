// SPDX-License-Identifier: GPL-2.0-or-later
/* Whole conversations of DNS: guests ask, resolvers answer, a validator judges, time passes, settings change.
 * covers: dhcp/relay.c dhcp/upstream.c dhcp/upstream_try.c dhcp/upstream_owner.c dhcp/cache.c dhcp/dns_retell.c dhcp/dns_stream.c dhcp/validation.c dhcp/validator_wire.c
 * Input: rows of a byte that says what happens, and what that takes. The clock is the input's. Resolvers' sockets are pairs, whose other
 * ends are here. What a forger
 * sends has an address that no guest may ever be told; and what nobody judged is not told where answers are to be judged. */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/log.h"
#include "dhcp/dns_message.h"
#include "dhcp/dns_stream.h"
#include "dhcp/relay.h"
#include "dhcp/validation.h"

#define MUST(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), abort()))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 200, SOCKETS = 256, ASKED = 512, GUESTS = 3, QUERY_LIFE_MS = 5000, PASSES_MS = 100, FDS = 4096 };

/* ---- the clock and the sockets ---- */

static uint64_t now_ms;

/* clock_gettime() - base/clock.h's and libevent's; the fuzzer's own is the true one */
int clock_gettime(clockid_t id, struct timespec *t)
{
	if (id != CLOCK_BOOTTIME && id != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, id, t);
	*t = (struct timespec){ .tv_sec = (time_t)(now_ms / 1000), .tv_nsec = (long)(now_ms % 1000) * 1000000 };
	return 0;
}

static struct { int fd; bool stream; } far[SOCKETS];	/* the resolvers' ends */
static unsigned nfar;
static bool unreachable;

int socket(int domain, int type, int protocol)
{
	int pair[2];

	(void)domain, (void)protocol;
	if (nfar == SOCKETS || socketpair(AF_UNIX, type, 0, pair) < 0) {
		errno = EMFILE;
		return -1;
	}
	far[nfar].fd = pair[1];
	far[nfar++].stream = (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM;
	return pair[0];
}

int connect(int fd, const struct sockaddr *to, socklen_t size)
{
	(void)fd, (void)to, (void)size;
	errno = unreachable ? ENETUNREACH : 0;
	return unreachable ? -1 : 0;
}

/* ---- the world ---- */

struct asked {
	bool open;
	uint64_t at_ms;
	uint64_t owner;
	size_t size;
	bool stream, again, judged;
	uint8_t query[512];
};

static struct world {
	struct event_base *base;
	struct upstream *upstream;
	struct relay *relay;
	struct dns_stream *tcp;		/* a guest's connection */
	int guest;			/* its end */
	struct validation *validation;
	int judge;			/* the validator's end; -1: there is none */
	struct relay_conf conf;
	struct asked asked[ASKED];
	unsigned nasked, share;
	struct dns_name denied[STEPS];	/* of which a resolver said that they do not exist */
	bool denied_below[STEPS];
	unsigned ndenied;
} w;

static const char *const names[] = {
	"www.example.com", "gone.example.com", "a.b.gone.example.com", "WWW.Example.COM", "x.corp.example", "com", "b.gone.example.com",
};

static bool may_be_missing(const struct dns_query *q)
{
	struct dns_name lower = q->name;

	dns_name_lower(&lower);
	for (unsigned i = 0; i < w.ndenied; i++)
		if (w.denied_below[i] ? dns_name_below(&lower, &w.denied[i]) : dns_name_equal(&lower, &w.denied[i]))
			return true;
	return false;
}

enum { FORGED = 0x06060606, JUDGED = 0xc000024d };

static void check_records(const struct asked *a, const uint8_t *reply, size_t size, size_t pos)
{
	unsigned n = get_u16(reply + 6) + get_u16(reply + 8);
	struct dns_rr rr;

	while (n-- && dns_rr_read(&rr, reply, size, &pos) == 0)
		if (rr.type == DNS_A && rr.size == 4)
			MUST(a->judged ? get_u32(reply + rr.data) == JUDGED : get_u32(reply + rr.data) != FORGED);
}

/* check_told() - what a guest is told is the answer to its question, and nothing that a forger said */
static void check_told(const struct asked *a, const uint8_t *reply, size_t size)
{
	struct dns_query q;

	MUST(dns_query_parse(&q, a->query, a->size) == 0 && size >= DNS_HEADER_SIZE + q.question_size);
	q.stream = a->stream;
	MUST(size <= dns_reply_limit(&q));
	MUST(get_u16(reply) == q.id && reply[2] & 0x80 && get_u16(reply + 4) == 1);
	MUST(!memcmp(reply + DNS_HEADER_SIZE, a->query + DNS_HEADER_SIZE, q.question_size));
	if ((get_u16(reply + 2) & DNS_RCODE_MASK) == DNS_NXDOMAIN)
		MUST(!a->judged && may_be_missing(&q));
	MUST(!(get_u16(reply + 2) & DNS_FLAG_AD) || a->judged || w.conf.trust_ad);
	check_records(a, reply, size, DNS_HEADER_SIZE + q.question_size);
}

static void ask(struct reader *r, bool nested);

static void on_answer(void *arg, const uint8_t *reply, size_t size)
{
	struct asked *a = arg;
	struct reader none = reader_init((const uint8_t *)"\0\0\1", 3);

	MUST(a->open);			/* once */
	a->open = false;
	if (!reply)
		return;
	MUST(now_ms - a->at_ms <= QUERY_LIFE_MS);
	check_told(a, reply, size);
	if (a->again)
		ask(&none, true);
}

/* build_query() - from the input: which name, flags, type; or bytes as they are */
static size_t build_query(struct reader *r, uint8_t *to, size_t room)
{
	uint8_t which = read_u8(r), flags = read_u8(r), type = read_u8(r);
	struct writer o = writer_init(to, room);
	struct dns_name name;

	if (which >= 200) {
		size_t n = MIN_OF((size_t)flags, reader_left(r));

		write_bytes(&o, read_bytes(r, n), n);
		return o.pos;
	}
	MUST(dns_name_from_text(&name, names[which % ARRAY_SIZE(names)]) == 0);
	write_u16(&o, (uint16_t)(which * 257 + w.nasked));
	write_u16(&o, (uint16_t)(DNS_FLAG_RD | (flags & 1 ? DNS_FLAG_CD : 0) | (flags & 2 ? DNS_FLAG_AD : 0)));
	write_u16(&o, 1);
	write_zeros(&o, 5);
	write_u8(&o, flags >> 2 & 1);
	write_bytes(&o, name.wire, name.size);
	write_u16(&o, type & 3 ? DNS_A : type >> 2);
	write_u16(&o, DNS_CLASS_IN);
	if (flags & 4)
		write_bytes(&o, flags & 8 ? "\0\0\x29\4\0\0\0\x80\0\0\0" : "\0\0\x29\2\0\0\0\0\0\0\0", 11);
	return o.pos;
}

static unsigned nopen(uint64_t owner)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w.nasked; i++)
		n += w.asked[i].open && w.asked[i].owner == owner;
	return n;
}

static void ask(struct reader *r, bool nested)
{
	struct asked *a = &w.asked[w.nasked];
	uint8_t how = nested ? 0 : read_u8(r);
	struct dns_query q;

	if (w.nasked == ASKED)
		return;
	*a = (struct asked){ .at_ms = now_ms, .owner = how % GUESTS, .stream = how & 0x80, .again = how & 0x40 };
	a->size = build_query(r, a->query, sizeof(a->query));
	a->judged = w.conf.validate && dns_query_parse(&q, a->query, a->size) == 0 && !(q.flags & DNS_FLAG_CD) && q.class == DNS_CLASS_IN;
	w.nasked++;
	a->open = true;
	if (relay_query(w.relay, a->owner, a->query, a->size, a->stream, on_answer, a) < 0)
		a->open = false;
	MUST(nopen(a->owner) <= w.share && upstream_pending(w.upstream) <= UPSTREAM_PENDING_MAX);
}

/* ---- resolvers ---- */

enum how { GOOD, MISSING, MISSING_ALIAS, NODATA, CUT, FAILED, LARGE, INSIDE, OTHER_CASE, OTHER_ID, OTHER_NAME, GARBAGE, HOWS };

static void deny(const struct dns_query *q, bool below)
{
	if (w.ndenied == STEPS)
		return;
	w.denied[w.ndenied] = q->name;
	dns_name_lower(&w.denied[w.ndenied]);
	w.denied_below[w.ndenied++] = below;
}

static void write_soa(struct writer *o)
{
	write_bytes(o, "\xc0\x0c\0\6\0\1\0\0\0\x1e\0\x16\0\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\x1e", 34);
}

static void write_a(struct writer *o, const char *address)
{
	write_bytes(o, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12);
	write_bytes(o, address, 4);
}

/* answer() - to what was asked. Return: bytes in @to */
static size_t answer(const uint8_t *query, const struct dns_query *q, enum how how, struct reader *r, uint8_t *to, size_t room)
{
	struct writer o = writer_init(to, room);
	bool forged = how == OTHER_ID || how == OTHER_NAME;
	unsigned n = how == LARGE ? 100 : how == MISSING || how == NODATA || how == FAILED || how == CUT || how == MISSING_ALIAS ? 0 : 1;

	write_u16(&o, q->id ^ (how == OTHER_ID));
	write_u16(&o, (uint16_t)(DNS_FLAG_QR | DNS_FLAG_RA | DNS_FLAG_AD | (how == CUT ? DNS_FLAG_TC : 0) |
				 (how == MISSING || how == MISSING_ALIAS ? DNS_NXDOMAIN : how == FAILED ? DNS_SERVFAIL : 0)));
	write_u16(&o, 1);
	write_u16(&o, (uint16_t)(how == MISSING_ALIAS ? 1 : n));
	write_u16(&o, how == MISSING || how == NODATA);
	write_u16(&o, 0);
	write_bytes(&o, query + DNS_HEADER_SIZE, q->question_size);
	if (how == OTHER_CASE && q->name.size > 2)
		to[DNS_HEADER_SIZE + 1] ^= 0x20;
	if (how == OTHER_NAME)
		to[DNS_HEADER_SIZE + q->question_size - 3] ^= 1;	/* another type */
	if (how == MISSING_ALIAS)
		write_bytes(&o, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1y\xc0\x0c", 16);
	for (unsigned i = 0; i < n; i++)
		write_a(&o, forged ? "\6\6\6\6" : how == INSIDE ? "\x0a\0\0\1" : "\xc0\0\2\1");
	if (how == MISSING || how == NODATA)
		write_soa(&o);
	if (how == MISSING || how == MISSING_ALIAS)
		deny(q, how == MISSING);
	if (how == GARBAGE) {
		n = read_u8(r);
		o.pos = DNS_HEADER_SIZE + q->question_size;
		write_bytes(&o, read_bytes(r, MIN_OF((size_t)n, reader_left(r))), MIN_OF((size_t)n, reader_left(r)));
	}
	return o.pos;
}

/* reply() - from one of the sockets, to what it has heard last */
static void reply(struct reader *r)
{
	static uint8_t query[2 + UPSTREAM_QUERY_MAX], to[8192];
	unsigned at = read_u8(r);
	enum how how = read_u8(r) % HOWS;
	size_t n, head;
	struct dns_query q;
	ssize_t got;

	if (at >= nfar || far[at].fd < 0)
		return;
	head = far[at].stream ? 2 : 0;
	got = recv(far[at].fd, query, sizeof(query), MSG_PEEK | MSG_DONTWAIT);
	if (got < (ssize_t)head || dns_query_parse(&q, query + head, (size_t)got - head) < 0)
		return;			/* nothing was asked there */
	n = answer(query + head, &q, how, r, to + 2, sizeof(to) - 2);
	put_u16(to, (uint16_t)n);
	(void)!send(far[at].fd, to + 2 - head, n + head, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void hang_up(struct reader *r)
{
	unsigned at = read_u8(r);

	if (at >= nfar || far[at].fd < 0)
		return;
	close(far[at].fd);
	far[at].fd = -1;
}

/* ---- settings ---- */

static void configure(struct reader *r)
{
	static const char *const lists[][3] = { { "192.0.2.1" }, { "192.0.2.1", "192.0.2.2" }, { "2001:db8::1", "192.0.2.2#5353", "192.0.2.3" } };
	uint8_t bits = read_u8(r), which = read_u8(r) % ARRAY_SIZE(lists);
	struct relay_conf conf = { .cache_bytes = bits & 1 ? 2000 : 100000, .share = bits & 2 ? 2 : 8, .trust_ad = bits & 4 };

	conf.validate = w.conf.validate;
	conf.validation = w.conf.validation;
	conf.rebind.protect = bits & 8;
	if (bits & 128)
		strcpy(conf.rebind.allow, "example.com");
	/* those over a share that became smaller stay until they are answered */
	w.share = MAX_OF(w.share, conf.share);
	w.conf = conf;
	relay_configure(w.relay, &conf);
	upstream_set_share(w.upstream, conf.share);
	upstream_set_case_random(w.upstream, bits & 16);
	upstream_set_routes(w.upstream, bits & 32 ? "route corp.example 192.0.2.9" : "");
	if (bits & 64)
		upstream_set_resolvers(w.upstream, lists[which], which + 1u);
	unreachable = which == 2 && bits & 1;
}

/* ---- the validator ---- */

static int start_validator(void *arg)
{
	int pair[2];

	(void)arg;
	if (unreachable || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return -ENOENT;
	if (w.judge >= 0)
		close(w.judge);
	w.judge = pair[1];
	return pair[0];
}

/* judged() - the answer to @ask, with an address that nobody but a validator tells */
static size_t judged(const struct validator_message *ask, enum validator_state state, uint8_t *to)
{
	struct validator_verdict verdict = { .state = state, .why = "because" };
	struct dns_name name;
	uint8_t answer[512];
	struct writer o = writer_init(answer, sizeof(answer));
	uint16_t type;

	if (validator_read_ask(ask, &type, &name) < 0)
		return 0;
	write_bytes(&o, "\0\0\x81\xa0\0\1\0\1\0\1\0\0", 12);
	write_bytes(&o, name.wire, name.size);
	write_u16(&o, type);
	write_u16(&o, DNS_CLASS_IN);
	write_a(&o, "\xc0\0\2\x4d");
	write_bytes(&o, "\xc0\x0c\0\x2f\0\1\0\0\0\x3c\0\4\1a\0\0", 16);
	if (state == VALIDATOR_SECURE || state == VALIDATOR_INSECURE) {
		verdict.answer = answer;
		verdict.size = o.pos;
	}
	return validator_write_verdict(to, ask->number, &verdict);
}

static void judge(struct reader *r)
{
	static uint8_t data[VALIDATOR_MESSAGE_MAX], to[VALIDATOR_MESSAGE_MAX];
	uint8_t what = read_u8(r);
	struct validator_message m;
	size_t n = 0, some = MIN_OF((size_t)(what >> 3), reader_left(r));
	ssize_t got = w.judge >= 0 ? recv(w.judge, data, sizeof(data), MSG_DONTWAIT) : -1;

	if (w.judge >= 0 && what % 8 == 7) {
		close(w.judge);
		w.judge = -1;
	}
	if (w.judge < 0)
		return;
	if (got > 0)
		MUST(validator_read(&m, data, (size_t)got) == 0);
	if (what % 8 < VALIDATOR_STATES)
		n = got > 0 && m.kind == VALIDATOR_ASK ? judged(&m, what % 8, to) : 0;
	else if (what % 8 == 4)
		n = validator_write(to, VALIDATOR_QUERY, what, data, build_query(r, data, 512));
	else if (what % 8 == 5)
		n = validator_write(to, VALIDATOR_READY, 0, read_bytes(r, some), some);
	else
		n = validator_write(to, what >> 3, 1, read_bytes(r, some), some);
	if (n)
		(void)!send(w.judge, to, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void validate(unsigned what)
{
	w.conf.validate = what & 1;
	w.conf.validation = what & 1 && !(what & 4) ? w.validation : NULL;
	if (what & 2)
		MUST(validation_configure(w.validation, what & 8 ? NULL : what & 16 ? "anchor a\n" : "anchor b\n") == 0);
	relay_configure(w.relay, &w.conf);
}

/* ---- a guest's connection ---- */

static int stream_answer(void *arg, const uint8_t *query, size_t size, uint8_t *to)
{
	struct dns_query q;

	(void)arg, (void)to;
	return dns_query_parse(&q, query, size) < 0 ? -EBADMSG : 0;
}

static int stream_relay(void *arg, const uint8_t *query, size_t size, upstream_fn *fn, void *fn_arg)
{
	(void)arg;
	return relay_query(w.relay, GUESTS, query, size, true, fn, fn_arg);
}

static void stream_closed(void *arg)
{
	(void)arg;
	w.tcp = NULL;
}

static void connection(struct reader *r)
{
	static const struct dns_stream_ops ops = { stream_answer, stream_relay, stream_closed };
	uint8_t what = read_u8(r), data[600];
	int pair[2];
	size_t n;

	if (what & 1 && w.guest < 0 && !w.tcp && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0) {
		w.guest = pair[0];
		w.tcp = dns_stream_new(w.base, pair[1], &ops, NULL);
	}
	if (w.guest < 0)
		return;
	n = build_query(r, data + 2, sizeof(data) - 2);
	put_u16(data, (uint16_t)n);
	(void)!send(w.guest, data, what & 2 ? n : n + 2, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (what & 4 && recv(w.guest, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	if (what & 8)
		shutdown(w.guest, SHUT_WR);
	if (what & 16 && w.tcp) {
		dns_stream_close(w.tcp);
		w.tcp = NULL;
	}
	if (what & 32 || !w.tcp) {
		close(w.guest);
		w.guest = -1;
	}
}

/* ---- */

static void turn(void)
{
	for (unsigned i = 0; i < 2; i++)
		event_base_loop(w.base, EVLOOP_NONBLOCK);
}

static void pass(unsigned ticks)
{
	while (ticks--) {
		now_ms += PASSES_MS;
		turn();
	}
}

static void step(struct reader *r)
{
	uint8_t what = read_u8(r);

	switch (what % 10) {
	case 0:
	case 1:
		ask(r, false);
		break;
	case 2:
		reply(r);
		break;
	case 3:
		pass(1 + what / 10);
		break;
	case 4:
		configure(r);
		break;
	case 5:
		if (what & 8)
			upstream_cancel(w.upstream, what >> 4 & 3);
		else
			upstream_host_changed(w.upstream);
		break;
	case 6:
		hang_up(r);
		break;
	case 7:
		connection(r);
		break;
	case 8:
		judge(r);
		break;
	case 9:
		validate(read_u8(r));
		break;
	}
	turn();
}

static void begin(void)
{
	static const char *const first[] = { "192.0.2.1", "192.0.2.2" };
	struct event_config *config = event_config_new();

	signal(SIGPIPE, SIG_IGN);		/* as in the engine */
	log_set_level(LOG_LEVEL_ERROR);
	memset(&w, 0, sizeof(w));
	nfar = 0;
	unreachable = false;
	now_ms = 1000000;
	w.guest = -1;
	event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
	w.base = event_base_new_with_config(config);
	event_config_free(config);
	w.upstream = upstream_new(w.base, "/nonexistent");
	w.relay = relay_new(w.upstream, 100000);
	w.share = UPSTREAM_OWNER_MAX;
	w.judge = -1;
	w.conf = (struct relay_conf){ .cache_bytes = 100000, .share = UPSTREAM_OWNER_MAX };
	w.validation = validation_new(w.base, w.upstream, start_validator, NULL);
	MUST(w.validation);
	MUST(w.base && w.upstream && w.relay && upstream_set_resolvers(w.upstream, first, 2) == 0);
}

static void end(void)
{
	pass(2 * QUERY_LIFE_MS / PASSES_MS);		/* what is asked because of an answer has its time, too */
	MUST(upstream_pending(w.upstream) == 0);
	for (unsigned i = 0; i < w.nasked; i++)
		MUST(!w.asked[i].open);		/* each has heard of it */
	if (w.tcp)
		dns_stream_close(w.tcp);
	if (w.guest >= 0)
		close(w.guest);
	validation_free(w.validation);
	upstream_free(w.upstream);
	if (w.judge >= 0)
		close(w.judge);
	relay_free(w.relay);
	event_base_free(w.base);
	for (unsigned i = 0; i < nfar; i++)
		if (far[i].fd >= 0)
			close(far[i].fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);

	begin();
	for (unsigned i = 0; i < STEPS && reader_left(&r); i++)
		step(&r);
	end();
	return 0;
}
