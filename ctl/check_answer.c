// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/check_answer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "ctl/check_host.h"
#include "ctl/check_trial.h"

enum { BACKLOG = 16, KNOCKS_MAX = 16, KNOCK_MS = 450, AGAIN_MS = 130, LINE = 160 };

/* asker - whom to answer, and from which of our addresses: that to which the request came, as IP_PKTINFO or IPV6_PKTINFO tells it */
struct asker {
	union sock_addr at;
	socklen_t size;
	_Alignas(struct cmsghdr) char control[64];
	size_t control_size;
};

/* knock - one that is under way; fd -1: none is */
struct knock {
	int fd;
	struct answer_request q;
	struct asker asker;
	uint64_t limit_ms, next_ms;
};

struct answerer {
	int tcp, udp;
	struct knock knocks[KNOCKS_MAX];
};

/* --- requests -------------------------------------------------------------------------------------------- */

static bool may_knock(struct addr a)
{
	return !addr_is_none(a) && !addr_is_loopback(a) && !addr_is_multicast(a) && !addr_is_link_local(a) &&
	       !(addr_is4(a) && (addr_4(a) == 0 || addr_4(a) == 0xffffffff));
}

static int parse_knock(struct answer_request *q, char *text)
{
	char *save = NULL, *word = strtok_r(text, " ", &save), *proto = strtok_r(NULL, " ", &save);
	char *to = strtok_r(NULL, " ", &save), *port = strtok_r(NULL, " ", &save);
	unsigned long number;

	if (!port || strtok_r(NULL, " ", &save) || strcmp(word, "knock") || (strcmp(proto, "tcp") && strcmp(proto, "udp")))
		return -EBADMSG;
	if (addr_parse(to, &q->to) < 0 || !may_knock(q->to) || number_parse(port, 1, 65535, &number) < 0)
		return -EBADMSG;
	q->knock = true;
	q->tcp = proto[0] == 't';
	q->port = (uint16_t)number;
	return 0;
}

int answer_parse(struct answer_request *q, const char *data, size_t size)
{
	size_t word = strlen(TRIAL_WORD), digits = sizeof(q->number) - 1;
	char text[LINE];

	*q = (struct answer_request){ .knock = false };
	if (size < word + digits || size >= sizeof(text) || memcmp(data, TRIAL_WORD, word) || memchr(data, '\0', size))
		return -EBADMSG;
	memcpy(text, data, size);
	text[size] = '\0';
	memcpy(q->number, text + word, digits);
	if (strspn(q->number, "0123456789abcdef") != digits)
		return -EBADMSG;
	if (size == word + digits)
		return 0;
	return text[word + digits] == ' ' ? parse_knock(q, text + word + digits + 1) : -EBADMSG;
}

/* --- knocking -------------------------------------------------------------------------------------------- */

static void say(int udp, struct knock *k, const char *what)
{
	char text[LINE];
	int n = snprintf(text, sizeof(text), TRIAL_WORD "%s %s", k->q.number, what);
	struct iovec iov = { text, (size_t)n };
	struct msghdr msg = {
		.msg_name = &k->asker.at, .msg_namelen = k->asker.size, .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = k->asker.control, .msg_controllen = k->asker.control_size,
	};

	sendmsg(udp, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* hear() - a datagram and who sent it. Return: bytes, or negative */
static ssize_t hear(int udp, char *data, size_t room, struct asker *from)
{
	struct iovec iov = { data, room };
	struct msghdr msg = {
		.msg_name = &from->at, .msg_namelen = sizeof(from->at), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = from->control, .msg_controllen = sizeof(from->control),
	};
	ssize_t n = recvmsg(udp, &msg, MSG_DONTWAIT);

	from->size = msg.msg_namelen;
	from->control_size = n < 0 || msg.msg_flags & MSG_CTRUNC ? 0 : msg.msg_controllen;
	return n;
}

static void knock_end(struct answerer *a, struct knock *k, bool yes)
{
	say(a->udp, k, yes ? "yes" : "no");
	close(k->fd);
	k->fd = -1;
}

static void knock_send(struct knock *k, uint64_t now_ms)
{
	char text[LINE];
	int n = snprintf(text, sizeof(text), TRIAL_WORD "%s", k->q.number);

	if (!k->q.tcp)
		send(k->fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	k->next_ms = now_ms + AGAIN_MS;
}

/* knock_begin() - unless all places are taken, or the same is under way: then the one that waits longest is what the asker gets */
static void knock_begin(struct answerer *a, const struct knock *asked, uint64_t now_ms)
{
	struct knock *place = NULL;
	union sock_addr to;
	socklen_t size = addr_to_sock(asked->q.to, asked->q.port, &to);

	for (unsigned i = 0; i < KNOCKS_MAX; i++) {
		if (a->knocks[i].fd < 0)
			place = &a->knocks[i];
		else if (!strcmp(a->knocks[i].q.number, asked->q.number))
			return;
	}
	if (!place || check_host_has(asked->q.to))
		return;
	*place = *asked;
	place->limit_ms = now_ms + KNOCK_MS;
	place->fd = socket(addr_family(asked->q.to), (asked->q.tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (place->fd < 0)
		return;
	if (connect(place->fd, &to.any, size) < 0 && errno != EINPROGRESS)
		knock_end(a, place, false);
	else
		knock_send(place, now_ms);
}

static void knock_look(struct answerer *a, struct knock *k, uint64_t now_ms)
{
	char data[LINE];
	ssize_t n = recv(k->fd, data, sizeof(data), MSG_DONTWAIT);
	bool waits = n < 0 && (errno == EAGAIN || errno == ENOTCONN || errno == EINTR);

	if (n > 0 || !waits)
		knock_end(a, k, n >= (ssize_t)strlen(TRIAL_WORD) && !memcmp(data, TRIAL_WORD, strlen(TRIAL_WORD)));
	else if (now_ms >= k->limit_ms)
		knock_end(a, k, false);
	else if (now_ms >= k->next_ms)
		knock_send(k, now_ms);
}

/* --- serving --------------------------------------------------------------------------------------------- */

static void on_datagram(struct answerer *a, uint64_t now_ms)
{
	struct knock k = { .fd = -1 };
	char data[LINE], at[ADDR_TEXT], text[LINE];
	ssize_t n = hear(a->udp, data, sizeof(data), &k.asker);

	if (n < 0 || answer_parse(&k.q, data, (size_t)n) < 0)
		return;
	if (k.q.knock) {
		knock_begin(a, &k, now_ms);
		return;
	}
	snprintf(text, sizeof(text), "from %s %u", addr_format(addr_from_sock(&k.asker.at), at), sock_addr_port(&k.asker.at));
	say(a->udp, &k, text);
}

static void on_connection(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		close(fd);
}

static int wait_ms(const struct answerer *a, uint64_t now_ms)
{
	uint64_t next_ms = now_ms + 60000;

	for (unsigned i = 0; i < KNOCKS_MAX; i++)
		if (a->knocks[i].fd >= 0)
			next_ms = MIN_OF(next_ms, MIN_OF(a->knocks[i].next_ms, a->knocks[i].limit_ms));
	return next_ms <= now_ms ? 0 : (int)(next_ms - now_ms);
}

/* A TCP knock that has not connected yet is ready to be written when it has, or has failed; reading then tells which. */
static void turn(struct answerer *a)
{
	struct pollfd fds[2 + KNOCKS_MAX] = { { .fd = a->udp, .events = POLLIN }, { .fd = a->tcp, .events = POLLIN } };

	for (unsigned i = 0; i < KNOCKS_MAX; i++)
		fds[2 + i] = (struct pollfd){ .fd = a->knocks[i].fd, .events = POLLIN };
	poll(fds, ARRAY_SIZE(fds), wait_ms(a, clock_now_ms()));
	if (fds[0].revents)
		on_datagram(a, clock_now_ms());
	if (fds[1].revents)
		on_connection(a->tcp);
	for (unsigned i = 0; i < KNOCKS_MAX; i++)
		if (a->knocks[i].fd >= 0)
			knock_look(a, &a->knocks[i], clock_now_ms());
}

/* open_port() - of both families; a host without IPv6 has IPv4 only */
static int open_port(int type, uint16_t port)
{
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), off = 0, on = 1, rc;
	union sock_addr at;
	socklen_t size = addr_to_sock((struct addr){ 0 }, port, &at);

	if (fd < 0) {
		fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		size = addr_to_sock(addr4(0), port, &at);
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));	/* of no socket: an error, told below */
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &at.any, size) == 0 && (type == SOCK_DGRAM || listen(fd, BACKLOG) == 0))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int answer_run(uint16_t port, struct error *err)
{
	struct answerer a = { .tcp = open_port(SOCK_STREAM, port), .udp = -1 };

	if (a.tcp >= 0)
		a.udp = open_port(SOCK_DGRAM, port);
	if (a.udp < 0) {
		int rc = a.tcp < 0 ? a.tcp : a.udp;

		if (a.tcp >= 0)
			close(a.tcp);
		return error_set(err, rc, "port %u: cannot answer there: %s", port, strerror(-rc));
	}
	for (unsigned i = 0; i < KNOCKS_MAX; i++)
		a.knocks[i].fd = -1;
	for (;;)
		turn(&a);
}
