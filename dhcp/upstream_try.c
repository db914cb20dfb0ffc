// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/upstream_try.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* What came last. Whoever is told of it may close its try, and with that whatever the kernel or libevent gave us it in. One thread. */
static uint8_t reply[UPSTREAM_REPLY_MAX];

/* asked() - a byte of the name as it goes out. Length bytes are below 'A', so they may be treated as any other byte. */
static uint8_t asked(const struct try *t, size_t i)
{
	uint8_t c = t->question->data[DNS_HEADER_SIZE + i], lower = dns_lower(c);

	return lower >= 'a' && lower <= 'z' && t->flips[i / 8] >> i % 8 & 1 ? c ^ 0x20 : c;
}

/* own_copy() - the query with our id in the place of the guest's, and our letters */
static void own_copy(const struct try *t, uint8_t data[UPSTREAM_QUERY_MAX])
{
	memcpy(data, t->question->data, t->question->size);
	put_u16(data, t->id);
	for (size_t i = 0; t->question->case_random && i < t->question->q->name.size; i++)
		data[DNS_HEADER_SIZE + i] = asked(t, i);
}

static bool is_answer(const struct try *t, size_t size)
{
	const struct try_question *question = t->question;

	if (size >= DNS_HEADER_SIZE && get_u16(reply) == t->id && dns_question_match(question->data, question->q, reply, size))
		return true;
	(*question->mismatches)++;
	return false;
}

/* keeps_case() - does what is_answer() repeat the letters as they went out? */
static bool keeps_case(const struct try *t)
{
	size_t size = t->question->case_random ? t->question->q->name.size : 0, i = 0;

	while (i < size && reply[DNS_HEADER_SIZE + i] == asked(t, i))
		i++;
	return i == size;
}

/* hand_over() - as the guest asked it */
static void hand_over(struct try *t, size_t size)
{
	const struct dns_query *q = t->question->q;

	put_u16(reply, q->id);
	memcpy(reply + DNS_HEADER_SIZE, t->question->data + DNS_HEADER_SIZE, q->question_size);
	t->question->answered(t, reply, size);
}

/* ---- TCP ---- */

static void on_stream(struct bufferevent *bev, void *arg)
{
	struct try *t = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	uint8_t length[2];
	size_t size;

	if (evbuffer_copyout(in, length, sizeof(length)) < 2)
		return;
	size = get_u16(length);
	if (evbuffer_get_length(in) < 2 + size)
		return;
	evbuffer_drain(in, sizeof(length));
	evbuffer_remove(in, reply, size);
	if (is_answer(t, size))
		hand_over(t, size);
	else
		t->question->failed(t);		/* nobody else can write here: it is the resolver that is confused */
}

static void on_stream_event(struct bufferevent *bev, short what, void *arg)
{
	struct try *t = arg;

	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		t->question->failed(t);
}

/* go_on_by_tcp() - Return: 0 or a negative errno */
static int go_on_by_tcp(struct try *t)
{
	uint8_t data[2 + UPSTREAM_QUERY_MAX];
	size_t size = t->question->size;
	int fd = resolver_open(&t->to, t->question->device, SOCK_STREAM);

	if (fd < 0)
		return fd;
	t->tcp = bufferevent_socket_new(t->question->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!t->tcp) {
		close(fd);
		return -ENOMEM;
	}
	put_u16(data, (uint16_t)size);
	own_copy(t, data + 2);
	bufferevent_setcb(t->tcp, on_stream, NULL, on_stream_event, t);
	bufferevent_setwatermark(t->tcp, EV_READ, 0, 2 + UPSTREAM_REPLY_MAX);
	if (bufferevent_write(t->tcp, data, 2 + size) < 0 || bufferevent_enable(t->tcp, EV_READ | EV_WRITE) < 0)
		return -ENOMEM;
	event_del(t->event);		/* a second copy of the cut answer would begin anew */
	return 0;
}

/* ---- datagrams ---- */

static void take_datagram(struct try *t, size_t size)
{
	if (!keeps_case(t)) {			/* forged, or by one that knows no case: over TCP nobody else can answer */
		(*t->question->mismatches)++;
		if (go_on_by_tcp(t) < 0)
			t->question->failed(t);
	} else if (!t->question->whole || !(get_u16(reply + 2) & DNS_FLAG_TC) || go_on_by_tcp(t) < 0) {
		hand_over(t, size);
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct try *t = arg;
	ssize_t n = recv(fd, reply, sizeof(reply), 0);

	(void)what;
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			t->question->failed(t);		/* ICMP: nobody is there */
	} else if (is_answer(t, (size_t)n)) {	/* else forged, or late for another: the true one may still come */
		take_datagram(t, (size_t)n);
	}
}

static int send_datagram(struct try *t)
{
	uint8_t data[UPSTREAM_QUERY_MAX];

	if (getrandom(&t->id, sizeof(t->id), 0) != sizeof(t->id))
		return -EIO;
	if (t->question->case_random && getrandom(t->flips, sizeof(t->flips), 0) != sizeof(t->flips))
		return -EIO;
	own_copy(t, data);
	return send(t->fd, data, t->question->size, MSG_NOSIGNAL) == (ssize_t)t->question->size ? 0 : -errno;
}

void try_close(struct try *t)
{
	if (t->tcp)
		bufferevent_free(t->tcp);
	if (t->event)
		event_free(t->event);
	if (t->fd >= 0)
		close(t->fd);
	t->tcp = NULL;
	t->event = NULL;
	t->fd = -1;
}

int try_send(struct try *t, const struct try_question *question)
{
	int rc;

	t->question = question;
	t->tcp = NULL;
	t->event = NULL;
	t->fd = resolver_open(&t->to, question->device, SOCK_DGRAM);
	if (t->fd < 0)
		return t->fd;
	t->event = event_new(question->base, t->fd, EV_READ | EV_PERSIST, on_readable, t);
	rc = t->event && event_add(t->event, NULL) == 0 ? send_datagram(t) : -ENOMEM;
	if (rc < 0)
		try_close(t);
	return rc;
}
