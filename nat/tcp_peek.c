// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/tcp_peek.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/array.h"
#include "nat/tcp_wire.h"

enum {
	WASTE = 48 * 1024,		/* bytes of scratch that rereading goes to */
	WASTE_AT = 80 * 1024,
};

_Static_assert(TCP_OUT_HEADERS + TCP_PAYLOAD_MAX <= WASTE_AT && WASTE_AT + WASTE <= WORKER_SCRATCH, "scratch is shared");

/* Only TCP discards without a place to put what goes. */
ssize_t tcp_discard(struct flow *f, size_t size)
{
	if (!f->tcp.pair)
		return recv(f->watch.fd, NULL, size, MSG_TRUNC | MSG_DONTWAIT);
	return recv(f->watch.fd, worker_scratch(f->shard->worker) + WASTE_AT, MIN_OF(size, (size_t)WASTE), MSG_DONTWAIT);
}

/* set_peek() - have the next peek begin at @from, unless it does so by itself. Return: false when the kernel cannot */
static bool set_peek(struct flow *f, uint32_t from)
{
	struct tcp *t = &f->tcp;
	int offset = (int)(from - t->head);

	if (t->peek_set ? t->peek == from : !offset)
		return true;
	t->peek_offset = setsockopt(f->watch.fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset)) == 0;
	t->peek_set |= t->peek_offset;
	return t->peek_offset;
}

static ssize_t peek_at_offset(struct flow *f, uint32_t from, const struct iovec *to, unsigned pieces)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)to, .msg_iovlen = pieces };
	struct tcp *t = &f->tcp;
	ssize_t n;

	t->peek = from;
	n = recvmsg(f->watch.fd, &msg, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	t->peek += (uint32_t)n;
	return n;
}

static ssize_t peek_rereading(struct flow *f, uint32_t from, uint8_t *to, size_t size)
{
	struct iovec iov[TCP_FLIGHT_REREAD / WASTE + 2];
	struct msghdr msg = { .msg_iov = iov };
	uint8_t *waste = worker_scratch(f->shard->worker) + WASTE_AT;
	size_t skip = from - f->tcp.head;
	ssize_t n;

	for (size_t left = skip; left; left -= iov[msg.msg_iovlen++].iov_len)
		iov[msg.msg_iovlen] = (struct iovec){ waste, MIN_OF(left, (size_t)WASTE) };
	iov[msg.msg_iovlen++] = (struct iovec){ to, size };
	n = recvmsg(f->watch.fd, &msg, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	if ((size_t)n > skip)
		return n - (ssize_t)skip;
	return f->tcp.rdhup || !skip ? 0 : -EAGAIN;
}

ssize_t tcp_peek(struct flow *f, uint32_t from, uint8_t *to, size_t size)
{
	if (f->tcp.peek_offset && set_peek(f, from))
		return peek_at_offset(f, from, &(struct iovec){ to, size }, 1);
	return peek_rereading(f, from, to, size);
}

static bool read_waiting(struct unread_frame *u, const struct iovec *to, unsigned n)
{
	struct tcp_waiting *w = container_of(u, struct tcp_waiting, frame);

	w->missed = !set_peek(w->flow, w->seq) || peek_at_offset(w->flow, w->seq, to, n) != (ssize_t)w->size;
	return !w->missed;
}

bool tcp_goes_straight(struct flow *f, const struct site *site)
{
	return f->tcp.peek_offset && !f->tcp.urgent && unread_is_wanted(f->shard->worker, site->local_port, f->key.port);
}

/* waiting_from() - bytes behind sequence number @seq that a read would find, at most @size */
static uint32_t waiting_from(struct flow *f, uint32_t seq, uint32_t size)
{
	int queued = 0;

	if (ioctl(f->watch.fd, SIOCINQ, &queued) < 0 || (uint32_t)queued <= seq - f->tcp.head)
		return 0;
	return MIN_OF((uint32_t)queued - (seq - f->tcp.head), size);
}

void tcp_waiting_init(struct tcp_waiting *w, struct flow *f, uint32_t seq, uint32_t size)
{
	w->frame.read = read_waiting;
	w->flow = f;
	w->seq = seq;
	w->size = waiting_from(f, seq, size);
	w->missed = false;
}
