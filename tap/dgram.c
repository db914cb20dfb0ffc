// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* recvmmsg() */
#include "tap/dgram.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/array.h"
#include "switch/offload.h"
#include "switch/port.h"
#include "switch/worker.h"

enum {
	STRIDE = 66048,				/* one datagram's place in the receive space */
	ROOM = FRAME_MAX + 1,			/* what is longer fills it and is more than any network's MTU allows */
	BATCH_IN = 31,				/* places that fit */
	BATCH_OUT = 64,				/* datagrams of one sendmmsg() */
	TRIES_MAX = 256,			/* receptions in a row that gave nothing: more than can wait in a socket */
	SOCKET_BUFFER = 1024 * 1024,
};

_Static_assert(BATCH_IN * STRIDE <= RX_SPACE && STRIDE >= ROOM, "a batch fits the receive space");

/* sockname - an address as the kernel tells it: equal bytes are the same address */
struct sockname {
	socklen_t size;
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_in6 in6;
	} at;
};

struct dgram {
	struct port port;
	struct sockname peer;
	bool unix_socket;
	bool told;				/* notify() was called; whoever has the transmit lock */
	uint8_t *kept;				/* DGRAM_KEPT bytes, allocated when first needed: sizes and datagrams */
	size_t kept_at, kept_end;
};

static struct dgram *dgram_of(struct port *port)
{
	return container_of(port, struct dgram, port);
}

/* ---- receiving ---- */

/* batch - the arguments of one recvmmsg() */
struct batch {
	struct mmsghdr messages[BATCH_IN];
	struct iovec iov[BATCH_IN];
	struct sockname from[BATCH_IN];
};

static void batch_init(struct batch *b, uint8_t *space, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		b->iov[i] = (struct iovec){ space + (size_t)i * STRIDE, ROOM };
		b->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &b->from[i].at, .msg_namelen = sizeof(b->from[i].at),
			.msg_iov = &b->iov[i], .msg_iovlen = 1,
		};
	}
}

static bool from_peer(const struct dgram *d, const struct batch *b, unsigned i)
{
	return b->messages[i].msg_hdr.msg_namelen == d->peer.size && !memcmp(&b->from[i].at, &d->peer.at, d->peer.size);
}

/* take() - the peer's datagrams become frames. Strangers' get no further, and so have their verdict here. Return: how many */
static unsigned take(struct port_queue *q, const struct batch *b, unsigned got, struct frame *frames)
{
	struct port_stats *stats = &q->port->stats[q->worker];
	unsigned n = 0;

	for (unsigned i = 0; i < got; i++) {
		if (from_peer(dgram_of(q->port), b, i)) {
			frame_init(&frames[n++], b->iov[i].iov_base, b->messages[i].msg_len);
			continue;
		}
		counter_add(&stats->rx_frames, 1);
		counter_add(&stats->rx_bytes, b->messages[i].msg_len);
		counter_add(&stats->verdicts[VERDICT_DROP_STRANGER], 1);
	}
	return n;
}

/* An error is one that a datagram of ours met on its way (no one at the peer's address, no route): told once, and no reason to
 * stop. It stands before datagrams that wait, for which no edge would come; so do strangers'. */
static int dgram_rx(struct port_queue *q, struct rx_space *space, struct frame *frames, unsigned n)
{
	struct batch b;
	unsigned taken = 0;

	for (unsigned tries = 0; !taken && tries < TRIES_MAX; tries++) {
		int got;

		batch_init(&b, space->data, MIN_OF(n, (unsigned)BATCH_IN));
		got = recvmmsg(q->fd, b.messages, MIN_OF(n, (unsigned)BATCH_IN), MSG_DONTWAIT, NULL);
		if (got < 0 && errno == EAGAIN)
			return 0;
		taken = take(q, &b, (unsigned)MAX_OF(got, 0), frames);
	}
	return (int)taken;
}

/* ---- sending ---- */

/* sending - one sendmmsg() in the making */
struct sending {
	struct mmsghdr messages[BATCH_OUT];
	struct iovec iov[BATCH_OUT][FRAME_BODY_MAX + 3];
	uint8_t tags[BATCH_OUT][TAGS_MAX];
	uint8_t frame[BATCH_OUT];		/* which frame of the burst it belongs to */
	unsigned n;
	uint8_t *cut;				/* where the next segments go */
	size_t cut_room;
};

static void sending_start(struct sending *s, struct worker *w)
{
	s->n = 0;
	s->cut = worker_cut_space(w);
	s->cut_room = OFFLOAD_ROOM;
}

static void add_message(struct sending *s, const struct frame *f, const struct tx_frame *tx, unsigned index)
{
	unsigned i = s->n++;

	s->messages[i] = (struct mmsghdr){ .msg_hdr.msg_iov = s->iov[i] };
	s->messages[i].msg_hdr.msg_iovlen = frame_iov(f, s->tags[i], tx_tags(tx, s->tags[i]), s->iov[i]);
	s->frame[i] = (uint8_t)index;
}

/* keep() - copy one datagram to where it waits. Return: was there room? */
static bool keep(struct dgram *d, const struct msghdr *m)
{
	uint32_t size = 0;

	if (!d->kept && !(d->kept = malloc(DGRAM_KEPT)))
		return false;
	for (size_t i = 0; i < m->msg_iovlen; i++)
		size += (uint32_t)m->msg_iov[i].iov_len;
	if (d->kept_end + sizeof(size) + size > DGRAM_KEPT && d->kept_at) {
		memmove(d->kept, d->kept + d->kept_at, d->kept_end - d->kept_at);
		d->kept_end -= d->kept_at;
		d->kept_at = 0;
	}
	if (d->kept_end + sizeof(size) + size > DGRAM_KEPT)
		return false;
	memcpy(d->kept + d->kept_end, &size, sizeof(size));
	d->kept_end += sizeof(size);
	for (size_t i = 0; i < m->msg_iovlen; i++) {
		memcpy(d->kept + d->kept_end, m->msg_iov[i].iov_base, m->msg_iov[i].iov_len);
		d->kept_end += m->msg_iov[i].iov_len;
	}
	return true;
}

/* peer_is_gone() - a unix peer has closed its socket: told once, for somebody has to connect to the next one */
static bool peer_is_gone(struct dgram *d, int err)
{
	if (!d->unix_socket || (err != ECONNREFUSED && err != ENOTCONN))
		return false;
	if (!d->told && d->port.notify)
		d->port.notify(&d->port, -ECONNREFUSED);
	d->told = true;
	return true;
}

/* kept_flush() - send what waits, in order, as far as the peer takes it */
static void kept_flush(struct dgram *d)
{
	while (d->kept_at < d->kept_end) {
		uint32_t size;
		ssize_t rc;

		memcpy(&size, d->kept + d->kept_at, sizeof(size));
		rc = send(d->port.queues[0].fd, d->kept + d->kept_at + sizeof(size), size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (rc < 0 && errno == EAGAIN)
			return;
		if (rc < 0 && errno == EINTR)
			continue;
		if (rc < 0 && peer_is_gone(d, errno))
			break;
		d->kept_at += sizeof(size) + size;
	}
	d->kept_at = d->kept_end = 0;
}

/* sending_flush() - send what was gathered. Return: bits of the frames of which a datagram went, or waits
 * What the kernel refuses for a reason of its own (too long, no buffer, nobody there) is dropped and the rest is offered again. */
static uint64_t sending_flush(struct dgram *d, struct sending *s)
{
	uint64_t taken = 0;
	unsigned i = 0;

	while (i < s->n) {
		bool wait = d->kept_at < d->kept_end;
		int sent = wait ? -1 : sendmmsg(d->port.queues[0].fd, s->messages + i, s->n - i, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && (wait || errno == EAGAIN)) {
			taken |= (uint64_t)keep(d, &s->messages[i].msg_hdr) << s->frame[i];
			i++;
			continue;
		}
		if (sent < 0 && peer_is_gone(d, errno))
			break;
		for (int j = 0; j < sent; j++)
			taken |= 1ull << s->frame[i + (unsigned)j];
		i += sent > 0 ? (unsigned)sent : errno != EINTR;
	}
	s->n = 0;
	return taken;
}

/* add() - a frame, completed, or its segments; what is full is sent. Return: as sending_flush() */
static uint64_t add(struct dgram *d, struct sending *s, struct worker *w, const struct tx_frame *tx, unsigned index,
		    uint64_t *segments)
{
	struct frame *frames;
	unsigned n = offload_resolve(tx->frame, 0, &s->cut, &s->cut_room, &frames);
	uint64_t taken = 0;

	if (!n && s->n) {
		taken = sending_flush(d, s);
		sending_start(s, w);
		n = offload_resolve(tx->frame, 0, &s->cut, &s->cut_room, &frames);
	}
	for (unsigned i = 0; i < n; i++) {
		if (s->n == BATCH_OUT)
			taken |= sending_flush(d, s);
		add_message(s, &frames[i], tx, index);
	}
	*segments += n > 1 ? n : 0;
	return taken;
}

static uint64_t dgram_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n,
			 uint64_t *segments)
{
	struct dgram *d = dgram_of(q->port);
	struct sending s;
	uint64_t taken = 0;

	kept_flush(d);
	sending_start(&s, w);
	for (unsigned i = 0; i < n; i++)
		taken |= add(d, &s, w, &frames[i], i, segments);
	return taken | sending_flush(d, &s);
}

static void dgram_writable(struct port_queue *q)
{
	kept_flush(dgram_of(q->port));
}

/* ---- life ---- */

static void dgram_free(struct port *port)
{
	struct dgram *d = dgram_of(port);

	port_fini(port);
	free(d->kept);
	free(d);
}

static const struct port_ops dgram_ops = {
	.kind = "dgram", .rx = dgram_rx, .tx = dgram_tx, .writable = dgram_writable, .free = dgram_free,
};

static int check(struct dgram *d, int fd)
{
	int type = 0, domain = 0, size = SOCKET_BUFFER;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof(type) }) < 0 || type != SOCK_DGRAM ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &(socklen_t){ sizeof(domain) }) < 0 ||
	    (domain != AF_UNIX && domain != AF_INET && domain != AF_INET6))
		return -EINVAL;
	d->unix_socket = domain == AF_UNIX;
	d->peer.size = sizeof(d->peer.at);
	if (getpeername(fd, &d->peer.at.any, &d->peer.size) < 0)
		return -errno;
	/* the kernel caps both at rmem_max and wmem_max */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0 ? -errno : 0;
}

struct port *dgram_new(int fd, unsigned nworkers)
{
	struct dgram *d = calloc(1, sizeof(*d));
	int rc = d ? check(d, fd) : -ENOMEM;

	if (rc == 0)
		rc = port_init(&d->port, &dgram_ops, 1, nworkers);
	if (rc < 0) {
		free(d);
		errno = -rc;
		return NULL;
	}
	d->port.queues[0].fd = fd;
	if (!d->unix_socket)	/* where the queue is full a unix peer waits, and datagrams of UDP are lost */
		getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &d->port.rx_room, &(socklen_t){ sizeof(d->port.rx_room) });
	return &d->port;
}
