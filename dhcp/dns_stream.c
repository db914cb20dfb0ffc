// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dns_stream.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "dhcp/dns.h"
#include "dhcp/dns_message.h"

enum { LENGTH = 2, UNREAD_MAX = LENGTH + DNS_STREAM_MESSAGE_MAX, UNSENT_MAX = 1 << 20 };

struct dns_stream {
	const struct dns_stream_ops *ops;
	void *arg;
	struct bufferevent *bev;	/* NULL once it is closed */
	unsigned waiting;		/* answers that the relay owes */
	unsigned held;			/* who looks at it now, the relay's answers among them; the last one frees what is closed */
	bool taking;			/* take_all() is at work, further up */
	bool ended;			/* the guest asks nothing more */
};

static void take_all(struct dns_stream *s);

static void let_go(struct dns_stream *s)
{
	if (--s->held == 0 && !s->bev)
		free(s);
}

void dns_stream_close(struct dns_stream *s)
{
	s->held++;
	if (s->bev)
		bufferevent_free(s->bev);
	s->bev = NULL;
	let_go(s);
}

/* over() - the connection ends by itself */
static void over(struct dns_stream *s)
{
	s->ops->closed(s->arg);
	dns_stream_close(s);
}

static size_t unsent(const struct dns_stream *s)
{
	return evbuffer_get_length(bufferevent_get_output(s->bev));
}

/* send_message() - Return: false for one that asks and asks, and does not read */
static bool send_message(struct dns_stream *s, const uint8_t *reply, size_t size)
{
	uint8_t length[LENGTH];

	if (unsent(s) > UNSENT_MAX)
		return false;
	put_u16(length, (uint16_t)size);
	return bufferevent_write(s->bev, length, sizeof(length)) == 0 && bufferevent_write(s->bev, reply, size) == 0;
}

/* on_relayed() - an answer is there, from the cache even before the question's call returned */
static void on_relayed(void *arg, const uint8_t *reply, size_t size)
{
	struct dns_stream *s = arg;

	s->waiting--;
	if (s->bev && reply && !send_message(s, reply, size))
		over(s);
	if (s->bev && !s->taking)
		take_all(s);
	let_go(s);
}

static void relay(struct dns_stream *s, const uint8_t *query, size_t size)
{
	uint8_t failed[DNS_UDP_PLAIN];

	s->waiting++;
	s->held++;
	if (s->ops->relay(s->arg, query, size, on_relayed, s) == 0)
		return;
	s->waiting--;
	s->held--;
	size = dns_servfail(query, size, failed, sizeof(failed));
	if (!size || !send_message(s, failed, size))
		over(s);
}

/* take_one() - Return: false when there is no whole message, or no more is to be taken now */
static bool take_one(struct dns_stream *s)
{
	static uint8_t query[DNS_STREAM_MESSAGE_MAX], reply[DNS_STREAM_MESSAGE_MAX];	/* one thread */
	struct evbuffer *in = bufferevent_get_input(s->bev);
	uint8_t length[LENGTH];
	size_t size;
	int n;

	if (s->waiting >= DNS_STREAM_WAITING || evbuffer_copyout(in, length, sizeof(length)) < LENGTH)
		return false;
	size = get_u16(length);
	if (evbuffer_get_length(in) < LENGTH + size)
		return false;
	evbuffer_drain(in, LENGTH);
	evbuffer_remove(in, query, size);
	n = s->ops->answer(s->arg, query, size, reply);
	if (n == 0)
		relay(s, query, size);
	else if (n < 0 || !send_message(s, reply, (size_t)n))
		over(s);
	return s->bev;
}

/* done() - nothing is asked any more, and all is answered and sent */
static bool done(const struct dns_stream *s)
{
	return s->ended && !s->waiting && !unsent(s);
}

static void take_all(struct dns_stream *s)
{
	s->held++;
	s->taking = true;
	while (take_one(s))
		continue;
	s->taking = false;
	if (s->bev && s->waiting >= DNS_STREAM_WAITING)
		bufferevent_disable(s->bev, EV_READ);
	else if (s->bev && !s->ended)
		bufferevent_enable(s->bev, EV_READ);
	if (s->bev && done(s))
		over(s);
	let_go(s);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	take_all(arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct dns_stream *s = arg;

	(void)bev;
	if (done(s))
		over(s);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct dns_stream *s = arg;

	(void)bev;
	if (what & BEV_EVENT_EOF) {
		s->ended = true;	/* it may still read (RFC 7766 6.2.1) */
		take_all(s);
	} else if (what & BEV_EVENT_TIMEOUT && what & BEV_EVENT_READING && s->waiting) {
		bufferevent_enable(bev, EV_READ);	/* it is we who are slow */
	} else if (what & (BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) {
		over(s);
	}
}

struct dns_stream *dns_stream_new(struct event_base *base, int fd, const struct dns_stream_ops *ops, void *arg)
{
	const struct timeval idle = { .tv_sec = DNS_STREAM_IDLE_S };
	struct dns_stream *s = calloc(1, sizeof(*s));
	struct bufferevent *bev = s ? bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE) : NULL;

	if (!bev) {
		close(fd);
		free(s);
		return NULL;
	}
	*s = (struct dns_stream){ .ops = ops, .arg = arg, .bev = bev };
	bufferevent_setcb(bev, on_read, on_written, on_event, s);
	bufferevent_setwatermark(bev, EV_READ, 0, UNREAD_MAX);
	bufferevent_set_timeouts(bev, &idle, &idle);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	return s;
}
