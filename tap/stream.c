// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/worker.h"

enum {
	PREFIX = 4,
	ADDRESSES = 12,				/* the tag stands behind both (802.1Q, 9.4) */
	RX_ROOM = 256 * 1024,			/* three of the longest frames */
	KEPT_ROOM = OFFLOAD_ROOM + OFFLOAD_SEGMENTS * (PREFIX + TAGS_MAX),	/* the rest of one frame, cut */
	SEND_PIECES = 960,			/* below IOV_MAX */
	SOCKET_BUFFER = 1024 * 1024,
};

struct stream {
	struct port port;
	uint8_t *rx;				/* RX_ROOM bytes; frames of a burst point into it */
	size_t rx_at, rx_end;			/* unread bytes */
	uint8_t *kept;				/* KEPT_ROOM bytes, allocated when first needed */
	size_t kept_at, kept_end;
};

static struct stream *stream_of(struct port *port)
{
	return container_of(port, struct stream, port);
}

static int stream_fd(const struct stream *s)
{
	return s->port.queues[0].fd;
}

/* ---- receiving ---- */

/* next_frame() - take one whole frame out of the buffer. Return: 1, 0 when there is none, -EPROTO */
static int next_frame(struct stream *s, struct frame *f)
{
	size_t have = s->rx_end - s->rx_at;
	uint32_t len;

	if (have < PREFIX)
		return 0;
	len = get_u32(s->rx + s->rx_at);
	if (len == 0 || len > FRAME_MAX)
		return -EPROTO;			/* we have lost, or never had, the peer's framing */
	if (have < PREFIX + len)
		return 0;
	frame_init(f, s->rx + s->rx_at + PREFIX, len);
	s->rx_at += PREFIX + len;
	return 1;
}

/* fill() - read more bytes behind those that wait. Return: bytes, 0 when none come, negative when the peer is gone */
static ssize_t fill(struct stream *s)
{
	ssize_t got;

	if (s->rx_at) {
		memmove(s->rx, s->rx + s->rx_at, s->rx_end - s->rx_at);
		s->rx_end -= s->rx_at;
		s->rx_at = 0;
	}
	got = recv(stream_fd(s), s->rx + s->rx_end, RX_ROOM - s->rx_end, MSG_DONTWAIT);
	if (got > 0)
		s->rx_end += (size_t)got;
	else if (got == 0)
		return -EPIPE;
	else
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return got;
}

static int stream_rx(struct port_queue *q, struct rx_space *space, struct frame *frames, unsigned n)
{
	struct stream *s = stream_of(q->port);
	unsigned i = 0;
	ssize_t got = 1;
	int rc;

	(void)space;
	for (;;) {
		while (i < n && (rc = next_frame(s, &frames[i])) != 0) {
			if (rc < 0)
				return i ? (int)i : rc;
			i++;
		}
		if (i)
			return (int)i;	/* their bytes must stay where they are until the next call */
		got = fill(s);
		if (got <= 0)
			return (int)got;
	}
}

/* ---- sending ---- */

/* sending - one sendmsg() in the making: pieces of several frames, and where each frame ends in the byte stream */
struct sending {
	struct iovec iov[SEND_PIECES];
	unsigned n;
	size_t bytes;
	uint8_t marks[BURST_MAX + OFFLOAD_SEGMENTS][PREFIX + ADDRESSES + TAGS_MAX];	/* what is put in front of frames */
	unsigned nmarks;
	unsigned first, frames;		/* frames [first, first + frames) of the burst */
	size_t end[BURST_MAX];
	uint8_t *cut;
	size_t cut_room;
};

static void sending_start(struct sending *b, struct worker *w, unsigned first)
{
	b->n = b->nmarks = b->frames = 0;
	b->bytes = 0;
	b->first = first;
	b->cut = worker_cut_space(w);
	b->cut_room = OFFLOAD_ROOM;
}

/* keep_rest() - what is left of a frame that was half sent goes first next time */
static void keep_rest(struct stream *s, const struct sending *b, size_t sent, size_t end)
{
	size_t at = 0;

	if (!s->kept)
		s->kept = malloc(KEPT_ROOM);
	s->kept_at = s->kept_end = 0;
	for (unsigned i = 0; i < b->n && at < end; at += b->iov[i++].iov_len) {
		size_t skip = sent > at ? MIN_OF(sent - at, b->iov[i].iov_len) : 0;
		size_t size = MIN_OF(b->iov[i].iov_len, end - at) - skip;

		if (!size)
			continue;
		if (!s->kept || s->kept_end + size > KEPT_ROOM) {
			/* without memory the stream cannot go on: better closed than out of step */
			shutdown(stream_fd(s), SHUT_RDWR);
			return;
		}
		memcpy(s->kept + s->kept_end, (uint8_t *)b->iov[i].iov_base + skip, size);
		s->kept_end += size;
	}
}

static bool kept_flush(struct stream *s)
{
	ssize_t sent;

	if (s->kept_at == s->kept_end)
		return true;
	sent = send(stream_fd(s), s->kept + s->kept_at, s->kept_end - s->kept_at, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0)
		s->kept_at += (size_t)sent;
	return s->kept_at == s->kept_end;
}

/* sending_flush() - send what was gathered. Return: bits of the frames taken; *all is cleared when some were not */
static uint64_t sending_flush(struct stream *s, struct sending *b, bool *all)
{
	struct msghdr m = { .msg_iov = b->iov, .msg_iovlen = b->n };
	uint64_t taken = 0;
	size_t start = 0, sent;
	ssize_t rc;

	if (!b->frames)
		return 0;
	rc = sendmsg(stream_fd(s), &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	sent = rc > 0 ? (size_t)rc : 0;
	for (unsigned i = 0; i < b->frames && sent > start; i++) {
		taken |= 1ull << (b->first + i);
		if (sent < b->end[i])
			keep_rest(s, b, sent, b->end[i]);
		start = b->end[i];
	}
	*all = sent == b->bytes;
	return taken;
}

static void add_piece(struct sending *b, void *base, size_t len)
{
	b->iov[b->n++] = (struct iovec){ base, len };
	b->bytes += len;
}

/* add_frame() - prefix, with tags both addresses, and the frame's own memory: two pieces and the body's */
static void add_frame(struct sending *b, const struct frame *f, const struct tx_frame *tx)
{
	uint8_t *mark = b->marks[b->nmarks++];
	uint32_t tags = tx_tags(tx, mark + PREFIX + ADDRESSES);
	size_t taken = 0;

	put_u32(mark, f->len + tags);
	if (tags) {
		taken = ADDRESSES;
		memcpy(mark + PREFIX, f->head, taken);
	}
	add_piece(b, mark, PREFIX + taken + tags);
	add_piece(b, f->head + taken, f->head_len - taken);
	for (uint32_t i = 0; i < f->nbody; i++)
		add_piece(b, f->body[i].iov_base, f->body[i].iov_len);
}

/* add() - one frame of the burst, completed, or cut in worker memory. Return: false when there is no room */
static bool add(struct sending *b, const struct tx_frame *tx, uint64_t *segments)
{
	unsigned n, pieces = 0;
	struct frame *frames;

	n = offload_resolve(tx->frame, 0, &b->cut, &b->cut_room, &frames);
	for (unsigned i = 0; i < n; i++)
		pieces += 2 + frames[i].nbody;
	if (!n || b->n + pieces > SEND_PIECES || b->nmarks + n > BURST_MAX + OFFLOAD_SEGMENTS)
		return false;
	for (unsigned i = 0; i < n; i++)
		add_frame(b, &frames[i], tx);
	*segments += n > 1 ? n : 0;
	b->end[b->frames++] = b->bytes;
	return true;
}

static uint64_t stream_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n,
			  uint64_t *segments)
{
	struct stream *s = stream_of(q->port);
	struct sending b;
	uint64_t taken = 0;
	bool all = kept_flush(s);
	unsigned i = 0;

	while (i < n && all) {
		sending_start(&b, w, i);
		while (i < n && add(&b, &frames[i], segments))
			i++;
		if (!b.frames)
			i++;		/* a frame that cannot be cut is dropped, the rest goes on */
		taken |= sending_flush(s, &b, &all);
	}
	return taken;
}

static void stream_writable(struct port_queue *q)
{
	kept_flush(stream_of(q->port));
}

/* ---- life ---- */

static void stream_free(struct port *port)
{
	struct stream *s = stream_of(port);

	port_fini(port);
	free(s->rx);
	free(s->kept);
	free(s);
}

static const struct port_ops stream_ops = {
	.kind = "stream", .rx = stream_rx, .tx = stream_tx, .writable = stream_writable, .free = stream_free,
};

static int check(int fd)
{
	int type = 0, size = SOCKET_BUFFER;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof(type) }) < 0 || type != SOCK_STREAM)
		return -EINVAL;
	/* more room than the default takes a burst of long frames in one send; the kernel caps it at wmem_max */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0 ? -errno : 0;
}

struct port *stream_new(int fd, unsigned nworkers)
{
	struct stream *s = calloc(1, sizeof(*s));
	int rc = s ? check(fd) : -ENOMEM;

	if (rc == 0) {
		s->rx = malloc(RX_ROOM);
		rc = s->rx ? port_init(&s->port, &stream_ops, 1, nworkers) : -ENOMEM;
	}
	if (rc < 0) {
		free(s ? s->rx : NULL);
		free(s);
		errno = -rc;
		return NULL;
	}
	s->port.queues[0].fd = fd;
	return &s->port;
}
