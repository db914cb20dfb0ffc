// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/validator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#if !__has_include(<unbound-event.h>)
#error "libunbound is missing, which judges DNSSEC (package libunbound-dev): make deps"
#endif
#include <unbound.h>
#include <unbound-event.h>

#include "base/array.h"
#include "base/log.h"
#include "ctl/confine.h"
#include "dhcp/dns_message.h"

enum { ASKED_MAX = 1024, QUERY_MAX = 4096, DATAGRAM_MAX = 65507, MEMORY_MAX = 512 << 20, AT_ONCE = 64 };

/* asked - where a question of libunbound came from: the last ASKED_MAX of them are known */
struct asked {
	uint32_t number;
	struct sockaddr_in from;
};

struct judging {
	LIST_ENTRY(judging) link;
	struct validator *v;
	uint32_t number;
};

struct validator {
	struct event_base *base;
	struct ub_ctx *ub;		/* NULL before the first settings */
	int engine, loopback;
	uint16_t port;			/* of the loopback socket */
	uint32_t last;
	struct asked asked[ASKED_MAX];
	LIST_HEAD(, judging) judging;
	char anchor[DNS_NAME_TEXT];	/* the first one's name */
};

static uint8_t in[VALIDATOR_MESSAGE_MAX], out[VALIDATOR_MESSAGE_MAX];

/* tell() - an engine that does not listen is gone, or asks again */
static void tell(struct validator *v, size_t n)
{
	if (n)
		(void)!send(v->engine, out, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- judging ---- */

static void judging_free(struct judging *j)
{
	LIST_REMOVE(j, link);
	free(j);
}

static enum validator_state state_of(int rcode, int packet_size, int secure)
{
	if (secure == 1)
		return VALIDATOR_BOGUS;
	if ((rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN) || packet_size < DNS_HEADER_SIZE)
		return VALIDATOR_FAILED;
	return secure == 2 ? VALIDATOR_SECURE : VALIDATOR_INSECURE;
}

static void on_judged(void *arg, int rcode, void *packet, int size, int secure, char *why, int limited)
{
	struct judging *j = arg;
	struct validator_verdict verdict = { .state = state_of(rcode, packet ? size : 0, secure) };

	(void)limited;
	if (why)
		validator_text(verdict.why, why, strlen(why));
	if (verdict.state == VALIDATOR_SECURE || verdict.state == VALIDATOR_INSECURE) {
		verdict.answer = packet;
		verdict.size = (size_t)size;
	}
	tell(j->v, validator_write_verdict(out, j->number, &verdict));
	judging_free(j);
}

/* on_tried() - the keys of what is trusted: can anything be validated here? */
static void on_tried(void *arg, int rcode, void *packet, int size, int secure, char *why, int limited)
{
	struct judging *j = arg;
	struct validator *v = j->v;
	enum validator_state state = state_of(rcode, packet ? size : 0, secure);
	char text[VALIDATOR_WHY] = "";

	(void)limited;
	if (state == VALIDATOR_FAILED && why)
		validator_text(text, why, strlen(why));
	else if (state == VALIDATOR_FAILED)
		snprintf(text, sizeof(text), "the resolvers do not answer for the keys of %.100s", v->anchor);
	else if (state != VALIDATOR_SECURE)
		snprintf(text, sizeof(text), "the resolvers pass on no DNSSEC, or the trust anchor is another's: keys of %.60s: %.100s", v->anchor, why ? why : "unsigned");
	tell(v, validator_write(out, VALIDATOR_READY, 0, text, strlen(text)));
	judging_free(j);
}

static void judge(struct validator *v, uint32_t number, const char *name, uint16_t type, ub_event_callback_type callback)
{
	static char unreadable[] = "the trust anchor cannot be read";	/* it is looked at when the first question comes */
	struct judging *j = malloc(sizeof(*j));

	if (!j)
		return;
	*j = (struct judging){ .v = v, .number = number };
	LIST_INSERT_HEAD(&v->judging, j, link);
	if (ub_resolve_event(v->ub, name, type, DNS_CLASS_IN, j, callback, NULL) != 0)
		callback(j, DNS_SERVFAIL, NULL, 0, 0, unreadable, 0);
}

static int take_ask(struct validator *v, const struct validator_message *m)
{
	char text[DNS_NAME_TEXT];
	struct dns_name name;
	uint16_t type;

	if (validator_read_ask(m, &type, &name) < 0)
		return -EPROTO;
	if (!v->ub) {
		tell(v, validator_write_verdict(out, m->number, &(struct validator_verdict){ .state = VALIDATOR_FAILED, .why = "there is no trust anchor" }));
		return 0;
	}
	dns_name_to_text(&name, text);
	judge(v, m->number, name.size > 1 ? text : ".", type, on_judged);
	return 0;
}

/* ---- what libunbound asks ---- */

static void on_asked(evutil_socket_t fd, short what, void *arg)
{
	struct validator *v = arg;
	uint8_t query[QUERY_MAX];
	struct sockaddr_in from;
	socklen_t from_size;

	(void)what;
	for (unsigned i = 0; i < AT_ONCE; i++) {
		ssize_t n;

		from_size = sizeof(from);
		n = recvfrom(fd, query, sizeof(query), MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);
		if (n < 0)
			return;
		v->asked[++v->last % ASKED_MAX] = (struct asked){ .number = v->last, .from = from };
		tell(v, validator_write(out, VALIDATOR_QUERY, v->last, query, (size_t)n));
	}
}

static void take_answer(struct validator *v, const struct validator_message *m)
{
	const struct asked *a = &v->asked[m->number % ASKED_MAX];

	if (m->size && m->size <= DATAGRAM_MAX && a->number == m->number)
		(void)!sendto(v->loopback, m->body, m->size, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&a->from, sizeof(a->from));
}

/* ---- settings ---- */

/* Memory is bounded; answers are whole however long, since what they come by is loopback; and no name is special here. */
static const char *const options[][2] = {
	{ "module-config:", "validator iterator" }, { "do-not-query-localhost:", "no" }, { "do-ip6:", "no" }, { "do-tcp:", "no" },
	{ "edns-buffer-size:", "65000" }, { "msg-cache-size:", "1m" }, { "rrset-cache-size:", "2m" }, { "key-cache-size:", "512k" },
	{ "neg-cache-size:", "256k" }, { "unblock-lan-zones:", "yes" }, { "insecure-lan-zones:", "yes" }, { "infra-keep-probing:", "yes" },
	{ "infra-host-ttl:", "30" }, { "qname-minimisation:", "no" }, { "val-log-level:", "2" }, { "aggressive-nsec:", "yes" },
};

static int set_basics(struct validator *v)
{
	char forward[32];
	int rc = 0;

	ub_ctx_debugout(v->ub, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		ub_ctx_set_option(v->ub, options[i][0], options[i][1]);	/* one that this version has not is one less */
	snprintf(forward, sizeof(forward), "127.0.0.1@%u", v->port);
	rc = ub_ctx_set_fwd(v->ub, forward);
	return rc ? -EINVAL : 0;
}

/* take_line() - Return: 0, or -EINVAL for what is no record */
static int take_line(struct validator *v, const char *line)
{
	if (!strncmp(line, "anchor ", 7)) {
		if (!v->anchor[0])
			sscanf(line + 7, "%1000s", v->anchor);
		return ub_ctx_add_ta(v->ub, line + 7) ? -EINVAL : 0;
	}
	if (!strncmp(line, "insecure ", 9))
		ub_ctx_set_option(v->ub, "domain-insecure:", line + 9);
	return 0;
}

static int take_lines(struct validator *v, const struct validator_message *m)
{
	char *text = strndup((const char *)m->body, m->size), *rest = text, *line;
	int rc = text ? 0 : -ENOMEM;

	v->anchor[0] = '\0';
	while (rc == 0 && (line = strsep(&rest, "\n")))
		rc = take_line(v, line);
	free(text);
	return rc;
}

/* forget() - all that is known, and what is being judged */
static void forget(struct validator *v)
{
	if (v->ub)
		ub_ctx_delete(v->ub);
	while (!LIST_EMPTY(&v->judging))
		judging_free(LIST_FIRST(&v->judging));
	v->ub = NULL;
}

static int take_settings(struct validator *v, const struct validator_message *m)
{
	static const char refused[] = "the trust anchor is no DS or DNSKEY record";

	forget(v);
	v->ub = ub_ctx_create_event(v->base);
	if (!v->ub || set_basics(v) < 0)
		return -ENOMEM;
	if (take_lines(v, m) == 0 && v->anchor[0]) {
		judge(v, 0, v->anchor, DNS_DNSKEY, on_tried);
		return 0;
	}
	forget(v);		/* without one libunbound would believe everybody */
	tell(v, validator_write(out, VALIDATOR_READY, 0, refused, strlen(refused)));
	return 0;
}

/* ---- the engine ---- */

static int take(struct validator *v, size_t size)
{
	struct validator_message m;

	if (validator_read(&m, in, size) < 0)
		return -EPROTO;
	if (m.kind == VALIDATOR_SETTINGS)
		return take_settings(v, &m);
	if (m.kind == VALIDATOR_ASK)
		return take_ask(v, &m);
	if (m.kind != VALIDATOR_ANSWER)
		return -EPROTO;
	take_answer(v, &m);
	return 0;
}

static void on_engine(evutil_socket_t fd, short what, void *arg)
{
	struct validator *v = arg;

	(void)what;
	for (unsigned i = 0; i < AT_ONCE; i++) {
		ssize_t n = recv(fd, in, sizeof(in), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0 || (size_t)n > sizeof(in) || take(v, (size_t)n) < 0) {
			event_base_loopbreak(v->base);
			return;
		}
	}
}

/* ---- the process ---- */

static int open_loopback(struct validator *v)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);

	v->loopback = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (v->loopback < 0 || bind(v->loopback, (struct sockaddr *)&at, sizeof(at)) < 0 || getsockname(v->loopback, (struct sockaddr *)&at, &size) < 0)
		return -errno;
	v->port = ntohs(at.sin_port);
	return 0;
}

/* shut_in() - nothing of a stranger has been read yet */
static void shut_in(void)
{
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX }, none = { 0, 0 };

	if (!CONFINE_BUILT)
		return;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_AS, &memory);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_files(NULL) < 0 || confine_calls() < 0)
		log_warn("event=validator-open reason=\"this kernel has no Landlock or seccomp\"");
}

int validator_run(int fd, bool confined)
{
	static struct validator v;
	struct event *engine, *asked;
	int status = 1;

	v = (struct validator){ .base = event_base_new(), .engine = fd };
	LIST_INIT(&v.judging);
	engine = v.base ? event_new(v.base, fd, EV_READ | EV_PERSIST, on_engine, &v) : NULL;
	if (!engine || open_loopback(&v) < 0)
		return status;
	asked = event_new(v.base, v.loopback, EV_READ | EV_PERSIST, on_asked, &v);
	if (confined)
		shut_in();
	if (asked && event_add(engine, NULL) == 0 && event_add(asked, NULL) == 0)
		status = event_base_dispatch(v.base) < 0;
	forget(&v);
	event_free(engine);
	if (asked)
		event_free(asked);
	close(v.loopback);
	close(fd);
	event_base_free(v.base);
	return status;
}
