// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* accept4() */
#include "dhcp/dns_listen.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dhcp/dns.h"
#include "dhcp/dns_message.h"
#include "dhcp/dns_stream.h"

enum { AT_ONCE = 32 };		/* datagrams, before others of the thread have their turn */

struct stream {
	struct dns_listen *listen;
	struct dns_stream *dns;
	LIST_ENTRY(stream) link;
};

struct dns_listen {
	struct event_base *base;
	int udp, tcp;
	struct event *on_udp, *on_tcp, *resume;
	uint64_t pauses;
	dns_listen_fn *answer;
	void *arg;
	LIST_HEAD(, stream) streams;
	unsigned nstreams;
};

/* answer() - what nobody here knows is refused: who asks may ask others */
static int answer(struct dns_listen *l, const uint8_t *query, size_t size, bool stream, uint8_t *reply, size_t room)
{
	int n = l->answer(l->arg, query, size, stream, reply, room);

	return n ? n : (int)dns_refused(query, size, reply, room);
}

/* ---- datagrams ---- */

static bool serve_one(struct dns_listen *l)
{
	static uint8_t query[DNS_UDP_MAX], reply[DNS_UDP_MAX];	/* one thread */
	struct sockaddr_storage from;
	socklen_t from_size = sizeof(from);
	ssize_t size = recvfrom(l->udp, query, sizeof(query), 0, (struct sockaddr *)&from, &from_size);
	int n;

	if (size < 0)
		return errno == EINTR || errno == ECONNREFUSED;		/* somebody did not wait for his answer */
	n = answer(l, query, (size_t)size, false, reply, sizeof(reply));
	if (n > 0)
		(void)!sendto(l->udp, reply, (size_t)n, MSG_NOSIGNAL, (struct sockaddr *)&from, from_size);
	return true;
}

static void on_udp(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	for (unsigned i = 0; i < AT_ONCE && serve_one(arg); i++)
		;
}

/* ---- connections ---- */

static int answer_stream(void *arg, const uint8_t *query, size_t size, uint8_t *reply)
{
	const struct stream *s = arg;

	return answer(s->listen, query, size, true, reply, DNS_STREAM_MESSAGE_MAX);
}

static int relay_nothing(void *arg, const uint8_t *query, size_t size, upstream_fn *fn, void *fn_arg)
{
	(void)arg, (void)query, (void)size, (void)fn, (void)fn_arg;
	return -ENOENT;
}

static void on_closed(void *arg)
{
	struct stream *s = arg;

	LIST_REMOVE(s, link);
	s->listen->nstreams--;
	free(s);
}

static void begin(struct dns_listen *l, int fd)
{
	static const struct dns_stream_ops ops = { .answer = answer_stream, .relay = relay_nothing, .closed = on_closed };
	struct stream *s = l->nstreams < DNS_LISTEN_STREAMS ? malloc(sizeof(*s)) : NULL;

	if (!s) {
		close(fd);
		return;
	}
	*s = (struct stream){ .listen = l };
	LIST_INSERT_HEAD(&l->streams, s, link);
	l->nstreams++;
	s->dns = dns_stream_new(l->base, fd, &ops, s);
	if (!s->dns)
		on_closed(s);
}

/* pause_tcp() - a connection that cannot be taken stays, and would have us awake until it can; where even the timer fails, that is better */
static void pause_tcp(struct dns_listen *l)
{
	const struct timeval later = { .tv_usec = DNS_LISTEN_PAUSE_MS * 1000 };

	if (evtimer_add(l->resume, &later) == 0)
		event_del(l->on_tcp);
	l->pauses++;
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct dns_listen *l = arg;

	(void)fd, (void)what;
	if (event_add(l->on_tcp, NULL) < 0)
		pause_tcp(l);
}

static void on_tcp(evutil_socket_t fd, short what, void *arg)
{
	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (conn >= 0)
		begin(arg, conn);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		pause_tcp(arg);
}

/* ---- life ---- */

struct dns_listen *dns_listen_new(struct event_base *base, int udp, int tcp, dns_listen_fn *fn, void *arg)
{
	struct dns_listen *l = calloc(1, sizeof(*l));

	if (!l) {
		close(udp);
		close(tcp);
		return NULL;
	}
	*l = (struct dns_listen){ .base = base, .udp = udp, .tcp = tcp, .answer = fn, .arg = arg };
	LIST_INIT(&l->streams);
	l->on_udp = event_new(base, udp, EV_READ | EV_PERSIST, on_udp, l);
	l->on_tcp = event_new(base, tcp, EV_READ | EV_PERSIST, on_tcp, l);
	l->resume = evtimer_new(base, on_resume, l);
	if (l->on_udp && l->on_tcp && l->resume && event_add(l->on_udp, NULL) == 0 && event_add(l->on_tcp, NULL) == 0)
		return l;
	dns_listen_free(l);
	errno = ENOMEM;
	return NULL;
}

void dns_listen_free(struct dns_listen *l)
{
	struct stream *s;

	if (!l)
		return;
	while ((s = LIST_FIRST(&l->streams))) {
		dns_stream_close(s->dns);
		on_closed(s);
	}
	if (l->on_udp)
		event_free(l->on_udp);
	if (l->on_tcp)
		event_free(l->on_tcp);
	if (l->resume)
		event_free(l->resume);
	close(l->udp);
	close(l->tcp);
	free(l);
}

uint64_t dns_listen_pauses(const struct dns_listen *l)
{
	return l->pauses;
}
